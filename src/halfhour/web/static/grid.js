// The heat map: only the lines in sight are in the page, however many agents there are.
import { element, labels, shown, timeOf } from "./text.js";

const ROW = 26, SPARE = 6, HALF_HOUR = 1800, NARROWEST = 22, WIDEST = 36;

export function level(value, measure, most) {
  if (!value) return "l0";
  if (measure !== "occupancy" && measure !== "handled" && value > HALF_HOUR) return "over";
  const full = measure === "occupancy" ? 1 : measure === "handled" ? Math.max(most, 1) : HALF_HOUR;
  return `l${Math.min(Math.floor((value / full) * 8) + 1, 8)}`;
}

function brief(value, measure) {
  if (measure === "handled") return String(value);
  return String(Math.round(measure === "occupancy" ? value * 100 : value / 60));
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
    new ResizeObserver(() => this.fit()).observe(root);
  }

  show(day, agents) {
    const another = this.day?.day !== day.day;
    this.day = day;
    this.agents = agents;
    this.labels = labels(day.starts);
    const gone = day.missing.map((span) => span.split("/").map(Date.parse));
    this.gone = day.starts.map((start) => gone.some(([from, to]) => from <= Date.parse(start) && Date.parse(start) < to));
    this.most = 0;
    let first = Infinity;
    for (const agent of agents)
      agent.cells.forEach((value, at) => {
        if (value === null) return;
        if (value > this.most) this.most = value;
        if (value && at < first) first = at;
      });
    if (another) this.at = { row: 0, column: Number.isFinite(first) ? first : 0 };
    this.at.row = Math.min(this.at.row, Math.max(agents.length - 1, 0));
    this.at.column = Math.min(this.at.column, day.starts.length - 1);
    this.root.setAttribute("aria-rowcount", agents.length + 1);
    this.root.setAttribute("aria-colcount", day.starts.length + 1);
    this.head.replaceChildren(
      element("div", { class: "who", role: "columnheader", "aria-colindex": 1 }, "Agent"),
      ...day.starts.map((start, at) =>
        element("div", { class: "hour", role: "columnheader", "aria-colindex": at + 2 },
          start.slice(14, 16) === "00" || at === 0 ? element("span", { "aria-hidden": true }, timeOf(start).slice(0, 2)) : null,
          element("span", { class: "unseen" }, this.labels[at]))),
    );
    this.lines.style.height = `${agents.length * ROW}px`;
    this.lines.replaceChildren();
    this.drawn.clear();
    this.fit();
    if (another && this.root.scrollWidth > this.root.clientWidth) this.root.scrollLeft = Math.max(this.at.column - 1, 0) * this.cell;
  }

  // As wide as there is room for, so that the whole day is in sight where it can be.
  fit() {
    if (!this.day || !this.root.clientWidth) return;
    const who = this.head.firstChild.offsetWidth;
    const room = Math.floor((this.root.clientWidth - who - 4) / this.day.starts.length);
    this.cell = Math.max(NARROWEST, Math.min(room, WIDEST));
    this.root.parentElement.style.setProperty("--cell", `${this.cell}px`);
    this.lines.style.width = `${who + this.cell * this.day.starts.length}px`;
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

  // The cell that the keyboard is on.
  mark() {
    this.lines.querySelector(".active")?.classList.remove("active");
    const active = this.drawn.get(this.at.row)?.children[this.at.column + 1];
    active?.classList.add("active");
    if (active) this.root.setAttribute("aria-activedescendant", active.id);
    else this.root.removeAttribute("aria-activedescendant");
  }

  line(row) {
    const agent = this.agents[row], young = new Set(agent.young), { measure } = this.day;
    const line = element("div", { class: "line", role: "row", "aria-rowindex": row + 2 },
      element("div", { class: "who", role: "rowheader", "aria-colindex": 1, title: `${agent.name}\n${agent.id}` },
        element("button", { type: "button", tabindex: -1, "data-agent": agent.id }, agent.name)));
    line.style.top = `${row * ROW}px`;
    agent.cells.forEach((value, column) => {
      const known = value !== null, kinds = ["cell"];
      if (known) kinds.push(level(value, measure, this.most));
      else if (this.gone[column]) kinds.push("gone");
      if (young.has(column)) kinds.push("young");
      const said = `${agent.name}, ${this.labels[column]}: ${!known && this.gone[column] ? "missing" : shown(value, measure)}${young.has(column) ? ", provisional" : ""}`;
      line.append(element("div", {
        class: kinds.join(" "), role: "gridcell", id: `cell-${row}-${column}`, "aria-colindex": column + 2,
        "data-row": row, "data-column": column, "aria-label": said, title: said,
      }, known ? brief(value, measure) : ""));
    });
    return line;
  }

  click(event) {
    const cell = event.target.closest(".cell");
    if (cell) this.go(Number(cell.dataset.row), Number(cell.dataset.column), true);
    const agent = event.target.closest("[data-agent]");
    if (agent) this.open({ agent: agent.dataset.agent });
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
    this.at = { row: between(row, this.agents.length - 1), column: between(column, this.day.starts.length - 1) };
    const { root } = this, top = this.at.row * ROW, left = this.at.column * this.cell, who = this.head.firstChild.offsetWidth;
    root.scrollTop = between(root.scrollTop, top);
    root.scrollTop = Math.max(root.scrollTop, top + 2 * ROW + 4 - root.clientHeight);
    root.scrollLeft = between(root.scrollLeft, left);
    root.scrollLeft = Math.max(root.scrollLeft, left + who + this.cell + 4 - root.clientWidth);
    this.draw();
    if (open) this.open({ agent: this.agents[this.at.row].id, cell: this.day.starts[this.at.column] });
  }
}
