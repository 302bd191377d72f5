// The heat map. Only the visible lines are in the page, however many agents there are.
import { brief, level, shown, total } from "./scale.js";
import { element, labels, timeOf } from "./text.js";

const ROW = 26, SPARE = 6, HALF_HOUR = 1_800_000, NARROWEST = 21, WIDEST = 36;
const FIXED = 2; // columns before the half-hours: the agent, and the total

// Tell for each of *starts* whether it lies in one of the intervals *missing*, written start/end.
function gone(starts, missing) {
  const spans = missing.map((span) => span.split("/").map(Date.parse));
  return starts.map((start) => spans.some(([from, to]) => from <= Date.parse(start) && Date.parse(start) < to));
}

export class Grid {
  constructor(root, open, moved) {
    this.root = root;
    this.open = open;
    this.moved = moved;
    this.at = { row: 0, column: 0 };
    this.drawn = new Map();
    this.head = element("div", { class: "head", role: "row", "aria-rowindex": 1 });
    this.lines = element("div", { class: "lines", role: "rowgroup" });
    root.append(element("div", { role: "rowgroup" }, this.head), this.lines);
    root.addEventListener("scroll", () => requestAnimationFrame(() => this.draw()), { passive: true });
    root.addEventListener("keydown", (event) => this.key(event));
    root.addEventListener("click", (event) => this.click(event));
    root.addEventListener("pointerover", ({ target }) => target.ariaLabel && (target.title = target.ariaLabel));
    new ResizeObserver(() => {
      this.fit();
      this.seeChosen();
    }).observe(root);
  }

  show(day, agents) {
    const another = this.day?.day !== day.day;
    this.day = day;
    this.agents = agents;
    this.labels = labels(day.starts);
    this.gone = gone(day.starts, day.missing);
    this.totals = day.sort === "occupancy" ? "occupancy" : day.measure;
    this.most = agents.reduce((most, { cells }) => Math.max(most, ...cells), 0);
    // If all cells are provisional, the key says so once instead of a mark on each.
    this.allYoung = agents.every(({ cells, young }) => cells.every((value, at) => value === null || young.includes(at)));
    if (another) this.at = { row: 0, column: FIXED + this.first() };
    this.at.row = Math.min(this.at.row, Math.max(agents.length - 1, 0));
    this.at.column = Math.min(this.at.column, day.starts.length + FIXED - 1);
    this.root.setAttribute("aria-rowcount", agents.length + 1);
    this.root.setAttribute("aria-colcount", day.starts.length + FIXED);
    this.head.replaceChildren(
      element("div", { class: "who", role: "columnheader", "aria-colindex": 1 }, "Agent"),
      element("div", { class: "total", role: "columnheader", "aria-colindex": 2 }, this.totals === "occupancy" ? "Occup." : "Total"),
      ...day.starts.map((start, at) =>
        element("div", { class: "hour", role: "columnheader", "aria-colindex": at + FIXED + 1 },
          start.slice(14, 16) === "00" || at === 0 ? element("span", { "aria-hidden": true }, timeOf(start).slice(0, 2)) : null,
          element("span", { class: "unseen" }, this.labels[at]))),
    );
    this.lines.style.height = `${agents.length * ROW}px`;
    this.lines.replaceChildren();
    this.drawn.clear();
    this.find();
    this.fit();
    if (another) this.see(this.at);
  }

  // Return the current half-hour, or else the first one with any figure.
  first() {
    const { starts } = this.day, now = starts.findIndex((start) => Date.now() - Date.parse(start) < HALF_HOUR);
    if (now >= 0 && Date.parse(starts[now]) <= Date.now()) return now;
    return Math.max(starts.findIndex((_, at) => this.agents.some((agent) => agent.cells[at])), 0);
  }

  // Mark the half-hour, or the agent, that the panel shows.
  choose(agent, start) {
    const another = agent !== this.chosen?.agent || start !== this.chosen?.start;
    this.chosen = { agent, start };
    this.find();
    if (another && this.chosenAt) this.at = this.chosenAt;
    if (another) this.seeChosen();
    this.mark();
  }

  find() {
    const row = this.agents?.findIndex(({ id }) => id === this.chosen?.agent) ?? -1;
    const at = Date.parse(this.chosen?.start);
    this.chosenAt = row < 0 ? null : { row, column: this.day.starts.findIndex((start) => Date.parse(start) === at) + FIXED };
    if (this.chosenAt?.column < FIXED) this.chosenAt.column = 0;
  }

  seeChosen() {
    if (this.chosenAt && this.cell) this.see(this.chosenAt);
  }

  // Make the columns as wide as the window allows, so that the whole day is visible if it can be.
  fit() {
    if (!this.day || !this.root.clientWidth) return;
    this.fixed = this.head.children[0].offsetWidth + this.head.children[1].offsetWidth;
    const room = Math.floor((this.root.clientWidth - this.fixed - 4) / this.day.starts.length);
    this.cell = Math.max(NARROWEST, Math.min(room, WIDEST));
    this.root.parentElement.style.setProperty("--cell", `${this.cell}px`);
    this.lines.style.width = `${this.fixed + this.cell * this.day.starts.length}px`;
    this.draw();
  }

  draw(all) {
    if (!this.day) return;
    const first = all ? 0 : Math.max(Math.floor(this.root.scrollTop / ROW) - SPARE, 0);
    const last = all ? this.agents.length : Math.min(first + Math.ceil(this.root.clientHeight / ROW) + 2 * SPARE, this.agents.length);
    for (const [row, line] of this.drawn)
      if (row < first || row >= last) {
        line.remove();
        this.drawn.delete(row);
      }
    for (let row = first, before = this.lines.firstChild; row < last; row += 1) {
      const there = this.drawn.get(row);
      if (there) before = there.nextSibling;
      else this.drawn.set(row, this.lines.insertBefore(this.line(row), before));
    }
    this.mark();
    this.moved(this.root.scrollLeft, this.cell);
  }

  // Mark the cell that the keyboard is on, and the one that the panel shows.
  mark() {
    for (const marked of this.lines.querySelectorAll(".active, .chosen")) marked.classList.remove("active", "chosen");
    const of = (place) => this.drawn.get(place?.row)?.children[place.column];
    const active = of(this.at);
    active?.classList.add("active");
    of(this.chosenAt)?.classList.add("chosen");
    if (active) this.root.setAttribute("aria-activedescendant", active.id);
    else this.root.removeAttribute("aria-activedescendant");
  }

  line(row) {
    const agent = this.agents[row], young = new Set(agent.young), { measure } = this.day;
    const line = element("div", { class: "line", role: "row", "aria-rowindex": row + 2 },
      element("div", { class: "who", role: "rowheader", id: `at-${row}-0`, "aria-colindex": 1, "data-row": row, "data-column": 0, title: `${agent.name}\n${agent.id}` }, agent.name),
      element("div", { class: "total", role: "gridcell", id: `at-${row}-1`, "aria-colindex": 2, "data-row": row, "data-column": 1,
        "aria-label": `${agent.name}, the day: ${shown(agent.total, this.totals)}` }, total(agent.total, this.totals)));
    line.style.top = `${row * ROW}px`;
    agent.cells.forEach((value, at) => {
      const known = value !== null, kinds = ["cell"], column = at + FIXED;
      if (known) kinds.push(level(value, measure, this.most));
      else if (this.gone[at]) kinds.push("gone");
      if (young.has(at) && !this.allYoung) kinds.push("young");
      line.append(element("div", {
        class: kinds.join(" "), role: "gridcell", id: `at-${row}-${column}`, "aria-colindex": column + 1, "data-row": row, "data-column": column,
        "aria-label": `${agent.name}, ${this.labels[at]}: ${!known && this.gone[at] ? "missing" : shown(value, measure)}${young.has(at) ? ", provisional" : ""}`,
      }, known ? brief(value, measure) : ""));
    });
    return line;
  }

  click({ target }) {
    const { row, column } = target.closest("[data-row]")?.dataset ?? {};
    if (row) this.go(Number(row), Number(column), true);
  }

  key(event) {
    if (!this.agents?.length) return;
    const { row, column } = this.at, page = Math.floor(this.root.clientHeight / ROW) - 1;
    const steps = {
      ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
      PageUp: [row - page, column], PageDown: [row + page, column],
      Home: [event.ctrlKey ? 0 : row, 0], End: [event.ctrlKey ? Infinity : row, Infinity],
      Enter: [row, column], " ": [row, column],
    };
    if (!steps[event.key] || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.go(...steps[event.key], event.key === "Enter" || event.key === " ");
  }

  go(row, column, open) {
    const between = (value, most) => Math.max(0, Math.min(value, most));
    this.at = { row: between(row, this.agents.length - 1), column: between(column, this.day.starts.length + FIXED - 1) };
    this.see(this.at);
    this.draw();
    if (open) this.open({ agent: this.agents[this.at.row].id, cell: this.day.starts[this.at.column - FIXED] });
  }

  see({ row, column }) {
    const { root } = this, top = row * ROW, left = Math.max(column - FIXED, 0) * this.cell;
    root.scrollTop = Math.max(Math.min(root.scrollTop, top), top + 2 * ROW + 4 - root.clientHeight);
    root.scrollLeft = Math.max(Math.min(root.scrollLeft, left), left + this.fixed + this.cell + 4 - root.clientWidth);
  }
}
