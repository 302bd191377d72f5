// The day's profile over the heat map, column for column: how much work there was, in half-hours of
// one agent, how many were on queue, what was handled, and occupancy. A table beside it says the same.
import { element, labels, percent, row, table } from "./text.js";

const SVG = "http://www.w3.org/2000/svg", HIGH = 84, TOP = 8, HALF_HOUR = 1800;

function node(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const known = (value) => value !== null && value !== undefined;
const short = (count) => (count < 1000 ? String(count) : `${(count / 1000).toFixed(1)}k`);

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
    // Posted time may be of work that went on before; worked time is that of agents at work.
    this.work = day.basis === "worked" ? "agents at work" : "half-hours of handle time";
    this.worth = parts.map((part) => (part.work ?? 0) / HALF_HOUR);
    this.queue = parts.map((part) => (known(part.on_queue) ? part.on_queue / HALF_HOUR : null));
    this.times = names;
    const said = (part, at) => [
      `${this.worth[at].toFixed(1)} ${this.work}`,
      known(this.queue[at]) ? `${this.queue[at].toFixed(1)} on queue` : "",
      known(part.handled) ? `${part.handled} handled` : "",
      known(part.occupancy) ? `occupancy ${percent(part.occupancy)}` : ""].filter(Boolean);
    this.said = parts.map((part, at) => `${names[at]}: ${said(part, at).join(", ")}`);
    this.twin.replaceChildren(table({}, "The day by half-hours, all agents", ["Time", this.work[0].toUpperCase() + this.work.slice(1), "Agents on queue", "Handled", "Occupancy"],
      parts.map((part, at) => row([names[at], this.worth[at].toFixed(1), known(this.queue[at]) ? this.queue[at].toFixed(1) : "–",
        known(part.handled) ? String(part.handled) : "–", known(part.occupancy) ? percent(part.occupancy) : "–"]))));
    if (this.cell) this.draw();
  }

  // The heat map tells how far it is scrolled, and how wide its columns are.
  follow(left, cell) {
    if (cell !== this.cell && this.day) {
      this.cell = cell;
      this.draw();
    }
    this.strip.scrollLeft = left;
  }

  draw() {
    const { cell, day, worth, queue } = this, parts = day.profile, bottom = TOP + HIGH;
    const most = Math.max(1, ...worth, ...queue.map((each) => each ?? 0));
    const rows = [["handled", "Handled", short], ["occupancy", "Occupancy, %", (ratio) => String(Math.round(ratio * 100))]]
      .filter(([key]) => parts.some((part) => known(part[key])));
    const width = cell * parts.length + 4, height = bottom + 18 * rows.length + 4;
    const busiest = worth.indexOf(Math.max(...worth));
    const svg = node("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `Most work at ${this.said[busiest]}` });
    parts.forEach((part, at) => {
      const x = cell * at, tall = (HIGH * worth[at]) / most;
      const group = node("g", {});
      group.append(node("title", {}, this.said[at]), node("rect", { x, y: 0, width: cell, height, class: "whole" }),
        node("rect", { x: x + 1, y: bottom - tall, width: cell - 2, height: tall, class: "bar" }));
      if (known(queue[at])) {
        const y = bottom - (HIGH * queue[at]) / most;
        group.append(node("line", { x1: x, x2: x + cell, y1: y, y2: y, class: "queue" }));
      }
      rows.forEach(([key, , text], line) => known(part[key]) &&
        group.append(node("text", { x: x + cell / 2, y: bottom + 14 + 18 * line, class: "middle" }, text(part[key]))));
      svg.append(group);
    });
    svg.append(node("line", { x1: 0, x2: width, y1: bottom, y2: bottom, class: "axis" }));
    this.strip.replaceChildren(svg);
    const name = (text, kind = "") => element("span", { class: kind }, text);
    this.names.replaceChildren(
      element("span", { class: "scale" }, name(most.toFixed(1)), name("0")),
      element("span", { class: "legend" }, name(`▇ ${this.work}`, "work"), queue.some(known) ? name("━ agents on queue", "waiting") : null),
      ...rows.map(([, text]) => name(text, "figure")));
  }
}
