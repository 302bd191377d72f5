// The profile of the day above the heat map, column by column: work in half-hours of one agent,
// agents on queue, interactions handled, and occupancy. A hidden table has the same for screen readers.
import { drawing, element, labels, percent, row, table } from "./text.js";

const HIGH = 78, TOP = 8, BAND = 22, LINE = 16, HALF_HOUR = 1800;

const known = (value) => value !== null && value !== undefined;
const one = (value) => (known(value) ? value.toFixed(1) : "–");
const short = (count) => (count < 1000 ? String(count) : `${(count / 1000).toFixed(1)}k`);
const halfHours = (seconds) => (known(seconds) ? seconds / HALF_HOUR : null);

export class Profile {
  constructor(root) {
    this.root = root;
    this.names = element("div", { class: "names", "aria-hidden": true });
    this.strip = element("div", { class: "strip" });
    this.twin = element("div", { class: "unseen" });
    root.append(this.names, this.strip, this.twin);
  }

  show(day) {
    this.day = day;
    const names = labels(day.starts), parts = day.profile;
    this.work = day.work;
    this.worth = parts.map((part) => halfHours(part.work));
    this.queue = parts.map((part) => halfHours(part.on_queue));
    const said = (part, at) => [
      known(this.worth[at]) ? `${one(this.worth[at])} ${this.work}` : "",
      known(this.queue[at]) ? `${one(this.queue[at])} on queue` : "",
      known(part.handled) ? `${part.handled} handled` : "",
      known(part.occupancy) ? `occupancy ${percent(part.occupancy)}` : ""].filter(Boolean).join(", ");
    this.said = parts.map((part, at) => `${names[at]}: ${said(part, at) || "nothing known"}`);
    this.twin.replaceChildren(table({}, "The day by half-hours, all agents", ["Time", this.work[0].toUpperCase() + this.work.slice(1), "Agents on queue", "Handled", "Occupancy"],
      parts.map((part, at) => row([names[at], one(this.worth[at]), one(this.queue[at]),
        known(part.handled) ? String(part.handled) : "–", known(part.occupancy) ? percent(part.occupancy) : "–"]))));
    if (this.cell) this.draw();
  }

  // Follow the heat map: its scroll position and the width of its columns.
  follow(left, cell) {
    if (cell !== this.cell && this.day) {
      this.cell = cell;
      this.draw();
    }
    this.strip.scrollLeft = left;
  }

  draw() {
    const { cell, day, worth, queue } = this, parts = day.profile, bottom = TOP + HIGH;
    const most = Math.max(1, ...worth, ...queue);
    const shows = (key) => parts.some((part) => known(part[key]));
    const occupied = shows("occupancy"), band = bottom + (shows("handled") ? LINE : 0) + 6;
    const width = cell * parts.length + 4, height = occupied ? band + BAND + LINE : band;
    const busiest = worth.indexOf(Math.max(...worth));
    const svg = drawing("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `Most work at ${this.said[busiest]}` });
    parts.forEach((part, at) => {
      const x = cell * at, group = drawing("g", {});
      const bar = (kind, foot, tall) => group.append(drawing("rect", { x: x + 1, y: foot - tall, width: cell - 2, height: tall, class: kind }));
      const figure = (y, text) => group.append(drawing("text", { x: x + cell / 2, y, class: "middle" }, text));
      group.append(drawing("title", {}, this.said[at]), drawing("rect", { x, y: 0, width: cell, height, class: "whole" }));
      bar("bar", bottom, (HIGH * worth[at]) / most);
      if (known(queue[at])) {
        const y = bottom - (HIGH * queue[at]) / most;
        group.append(drawing("line", { x1: x, x2: x + cell, y1: y, y2: y, class: "queue" }));
      }
      if (known(part.handled)) figure(bottom + 13, short(part.handled));
      if (known(part.occupancy)) {
        bar("rest", band + BAND, BAND);
        bar("occupied", band + BAND, BAND * part.occupancy);
        figure(band + BAND + 12, String(Math.round(part.occupancy * 100)));
      }
      svg.append(group);
    });
    svg.append(drawing("line", { x1: 0, x2: width, y1: bottom, y2: bottom, class: "axis" }));
    this.strip.replaceChildren(svg);
    const name = (text, kind, top) => {
      const made = element("span", { class: kind }, text);
      made.style.top = `${top}px`;
      return made;
    };
    this.names.style.height = `${height}px`;
    this.names.replaceChildren(...[
      name(one(most), "number", 0), name("0", "number", bottom - 12),
      name(`▇ ${this.work}`, "work", TOP + 20), queue.some(known) ? name("━ agents on queue", "waiting", TOP + 36) : null,
      shows("handled") ? name("Handled", "number", bottom + 1) : null,
      occupied ? name("▇ occupancy, %", "work occupancy", band + 4) : null].filter(Boolean));
  }
}
