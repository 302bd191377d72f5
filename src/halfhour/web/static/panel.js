// What made one half-hour of an agent, and an agent's last weeks.
import { clock, element, percent, row, span, table, timeOf } from "./text.js";

const words = (name) => name.replace(/_(sec|ratio)$/, "").replaceAll("_", " ");
const figure = (name, value) => (value === null || value === undefined ? "–" : name.endsWith("_sec") ? clock(value) : name.endsWith("_ratio") ? percent(value) : String(value));

const BOTH = [["Handle time", "handle_time_sec", "worked_time_sec"], ["Talk", "talk_time_sec", "worked_talk_time_sec"],
  ["Hold", "hold_time_sec", "worked_hold_time_sec"], ["After-call work", "acw_time_sec", "worked_acw_time_sec"]];

function status(found, kind, title) {
  const parts = found.status.filter((each) => each.kind === kind && each.status_ms);
  if (!parts.length) return null;
  const texts = parts.map((each) => `${each.status} ${clock(each.status_ms / 1000)}`);
  const bar = element("div", { class: "status", role: "img", "aria-label": texts.join(", ") }, ...parts.map((each, at) => {
    const part = element("span", { class: each.status, title: texts[at] });
    part.style.flexGrow = each.status_ms;
    return part;
  }));
  return element("div", {}, element("h3", {}, title), bar, element("ul", { class: "legend" },
    ...parts.map((each, at) => element("li", {}, element("i", { class: each.status }), texts[at]))));
}

function conversations(found, zone) {
  if (!found.segments.length) return [element("p", {}, "No conversation details are held of it.")];
  const on = (ms) => new Date(ms).toLocaleDateString("en-GB", { timeZone: zone, day: "numeric", month: "short" });
  const day = on(Date.parse(found.start));
  const at = (ms) => `${on(ms) === day ? "" : `${on(ms)}, `}${new Date(ms).toLocaleTimeString("en-GB", { timeZone: zone })}`;
  const rows = [];
  let last = null;
  for (const each of found.segments) {
    if (each.conversation_id !== last)
      rows.push(element("tr", { class: "conversation" }, element("th", { colspan: 3, scope: "rowgroup" }, [each.media_type, each.queue].filter(Boolean).join(", "), " ", element("code", {}, each.conversation_id))));
    last = each.conversation_id;
    rows.push(row([each.segment_type, at(each.start_ms), each.open ? "going on" : at(each.end_ms)]));
  }
  return [table({}, "Segments with a part in this half-hour", ["Segment", "From", "To"], rows)];
}

export function cell(found, zone) {
  const known = Object.fromEntries(found.figures.map((each) => [each.name, each]));
  const value = (name) => (known[name] ? clock(known[name].value) : "–");
  const others = found.figures.filter((each) => !BOTH.flat().includes(each.name) && each.value);
  return [
    element("h2", { id: "panel-title" }, `${found.agent}, ${timeOf(found.start)}`),
    found.provisional ? element("p", { class: "warn" }, "Provisional: Genesys may still correct it.") : null,
    table({}, "Posted where it was completed, worked where the work was", ["", "Posted", "Worked"],
      BOTH.map(([called, posted, worked]) => row([called, value(posted), value(worked)]))),
    others.length ? table({}, "Besides", ["", "Value"], others.map((each) => {
      const line = row([words(each.name), figure(each.name, each.value)]);
      line.title = each.meaning;
      return line;
    })) : null,
    status(found, "presence", "Presence"),
    status(found, "routing", "Routing status"),
    element("h3", {}, "Conversations"),
    ...conversations(found, zone),
  ];
}

export function agent(found, basis, zone) {
  const young = found.days.some((day) => day.provisional);
  return [
    element("h2", { id: "panel-title" }, found.agent),
    found.days.length
      ? table({ class: "days" }, `Day by day since ${found.from}, ${basis}${young ? "; * is provisional" : ""}`, ["Day", "Handle", "Hold", "ACW", "Handled", "AHT", "Occupancy"],
        found.days.map((day) => row([day.day + (day.provisional ? " *" : ""), ...["handle_time_sec", "hold_time_sec", "acw_time_sec", "handled_count", "aht_sec", "occupancy_ratio"].map((name) => figure(name, day[name]))])))
      : element("p", {}, "Nothing is held of this agent in these four weeks."),
    found.missing.length ? element("p", { class: "warn" }, `Missing: ${found.missing.map((each) => span(each, zone)).join(", ")}`) : null,
  ];
}
