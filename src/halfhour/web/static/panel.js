// The panel: the details of one half-hour of an agent, and the last weeks of an agent.
import { level, shown } from "./scale.js";
import { clock, drawing, element, labels, percent, row, span, table, timeOf } from "./text.js";

const CALLED = { acw: "ACW", aht: "AHT", interact: "Talk", wrapup: "After-call work" };

function words(name) {
  if (CALLED[name]) return CALLED[name];
  const text = name.replace(/_(sec|ratio)$/, "").split("_").map((word) => CALLED[word] ?? word.toLowerCase()).join(" ");
  return text[0].toUpperCase() + text.slice(1);
}

const figure = (name, value) => (value === null || value === undefined ? "–" : name.endsWith("_sec") ? clock(value) : name.endsWith("_ratio") ? percent(value) : String(value));

const BOTH = [["Handle time", "handle_time_sec", "worked_time_sec"], ["Talk", "talk_time_sec", "worked_talk_time_sec"],
  ["Hold", "hold_time_sec", "worked_hold_time_sec"], ["After-call work", "acw_time_sec", "worked_acw_time_sec"]];

function status(found, kind, title) {
  const parts = found.status.filter((status) => status.kind === kind && status.status_ms);
  if (!parts.length) return null;
  const texts = parts.map((status) => `${words(status.status)} ${clock(status.status_ms / 1000)}`);
  const bar = element("div", { class: "status", role: "img", "aria-label": texts.join(", ") }, ...parts.map((status, at) => {
    const part = element("span", { class: status.status, title: texts[at] });
    part.style.flexGrow = status.status_ms;
    return part;
  }));
  return element("div", {}, element("h3", {}, title), bar, element("ul", { class: "legend" },
    ...parts.map((status, at) => element("li", {}, element("i", { class: status.status }), texts[at]))));
}

function conversations(found, zone) {
  if (!found.segments.length) return [element("p", {}, found.has_details ? "The agent had no conversation in this half-hour." : "The store has no conversation details of this half-hour.")];
  const on = (ms) => new Date(ms).toLocaleDateString("en-GB", { timeZone: zone, day: "numeric", month: "short" });
  const day = on(Date.parse(found.start));
  const at = (ms) => `${on(ms) === day ? "" : `${on(ms)}, `}${new Date(ms).toLocaleTimeString("en-GB", { timeZone: zone })}`;
  const rows = [];
  let last = null;
  for (const segment of found.segments) {
    if (segment.conversation_id !== last)
      rows.push(element("tr", { class: "conversation" }, element("th", { colspan: 3, scope: "rowgroup" }, [segment.media_type && words(segment.media_type), segment.queue].filter(Boolean).join(", "), " ", element("code", {}, segment.conversation_id))));
    last = segment.conversation_id;
    rows.push(row([words(segment.segment_type), at(segment.start_ms), segment.open ? "not ended" : at(segment.end_ms)]));
  }
  return [table({}, "Segments that overlap this half-hour", ["Segment", "From", "To"], rows)];
}

export function cell(found, zone) {
  const known = Object.fromEntries(found.figures.map((figure) => [figure.name, figure]));
  const value = (name) => (known[name] ? clock(known[name].value) : "–");
  const others = found.figures.filter(({ name, value }) => !BOTH.flat().includes(name) && value);
  return [
    element("h2", { id: "panel-title" }, `${found.agent}, ${timeOf(found.start)}`),
    found.provisional ? element("p", { class: "warn" }, "Provisional: Genesys may still correct it.") : null,
    table({}, "Posted where the interaction was completed, worked where the work was done", ["", "Posted", "Worked"],
      BOTH.map(([called, posted, worked]) => row([called, value(posted), value(worked)]))),
    others.length ? table({}, "Other figures of this half-hour", ["", "Value"], others.map(({ name, value, meaning }) => {
      const line = row([words(name), figure(name, value)]);
      line.title = meaning;
      return line;
    })) : null,
    status(found, "presence", "Presence"),
    status(found, "routing", "Routing status"),
    element("h3", {}, "Conversations"),
    ...conversations(found, zone),
  ];
}

const WIDE = 8, HIGH = 11, LEFT = 42, TOP = 14;

// Draw the weeks as a small heat map with a line for each day. When the clock goes back, the two
// half-hours with the same local time share one column.
function weeks(found, open) {
  const days = Map.groupBy(found.half_hours, ({ start }) => start.slice(0, 10));
  const all = [...days.keys()], most = Math.max(...found.half_hours.map(({ value }) => value ?? 0));
  const height = TOP + HIGH * all.length;
  const svg = drawing("svg", { class: "weeks", viewBox: `0 0 ${LEFT + WIDE * 48} ${height}`, role: "img", "aria-label": "The same days by half-hours; the table has the figures day by day" });
  for (const hour of [0, 6, 12, 18]) svg.append(drawing("text", { x: LEFT + WIDE * 2 * hour, y: 10 }, `${hour}:00`));
  all.forEach((day, line) => {
    const y = TOP + HIGH * line, parts = days.get(day), starts = parts.map(({ start }) => start);
    const named = labels(starts);
    svg.append(drawing("text", { x: 0, y: y + 9 }, new Date(`${day}T12:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" })));
    parts.forEach(({ start, value }, at) => {
      if (value === null) return;
      const time = timeOf(start), [hours, minutes] = time.split(":").map(Number), wide = named[at] === time ? WIDE : WIDE / 2;
      const again = wide < WIDE && starts.some((other, before) => before < at && timeOf(other) === time);
      const x = LEFT + WIDE * (2 * hours + minutes / 30) + (again ? wide : 0);
      const part = drawing("rect", { x, y, width: wide - 1, height: HIGH - 1, class: level(value, found.measure, most) });
      part.append(drawing("title", {}, `${day}, ${named[at]}: ${shown(value, found.measure)}`));
      part.addEventListener("click", () => open({ day, cell: start }));
      svg.append(part);
    });
  });
  return svg;
}

export function agent(found, measure, basis, zone, open) {
  const young = found.days.some((day) => day.provisional);
  const link = (day) => element("button", { type: "button", class: "link", onclick: () => open({ day }) }, day);
  const names = ["handle_time_sec", "hold_time_sec", "acw_time_sec", "handled_count", "aht_sec", "occupancy_ratio"];
  return [
    element("h2", { id: "panel-title" }, found.agent),
    ...(found.days.length
      ? [element("h3", {}, `${measure} by half-hours, ${basis}`), weeks(found, open),
        table({ class: "days" }, `Day by day since ${found.from}, ${basis}${young ? "; * is provisional" : ""}`, ["Day", "Handle", "Hold", "ACW", "Handled", "AHT", "Occup."],
          found.days.toReversed().map((day) => row([element("span", {}, link(day.day), day.provisional ? " *" : ""), ...names.map((name) => figure(name, day[name]))])))]
      : [element("p", {}, "The store has no figures of this agent in these four weeks.")]),
    found.missing.length ? element("p", { class: "warn" }, `Missing: ${found.missing.map((interval) => span(interval, zone)).join(", ")}`) : null,
  ];
}
