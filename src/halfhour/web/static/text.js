// Functions for elements and texts. Data from the server becomes text, never markup.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function drawing(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

export function table(attributes, caption, heads, rows) {
  return element("table", attributes, element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...heads.map((head, at) => element(head || at ? "th" : "td", head ? { scope: "col" } : {}, head)))),
    element("tbody", {}, ...rows));
}

export function row(cells) {
  return element("tr", {}, ...cells.map((cell, at) => element(at ? "td" : "th", at ? { class: "number" } : { scope: "row" }, cell)));
}

export function clock(seconds) {
  const whole = Math.round(seconds);
  const two = (part) => String(part).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

export const moment = (text, zone) => new Date(text).toLocaleString("en-GB", { timeZone: zone, dateStyle: "medium", timeStyle: "short" });

// Format an interval that the server writes as start/end.
export const span = (text, zone) => text.split("/").map((end) => moment(end, zone)).join(" – ");

export const percent = (ratio) => `${(ratio * 100).toFixed(1)} %`;

// Return the local time in a timestamp: the server has converted it to the zone of the view.
export const timeOf = (start) => start.slice(11, 16);
const offsetOf = (start) => start.slice(19);

// Return the label of each half-hour, with the offset from UTC if the clock shows it twice.
export function labels(starts) {
  const times = starts.map(timeOf);
  return starts.map((start, at) => (times.indexOf(times[at]) === times.lastIndexOf(times[at]) ? times[at] : `${times[at]} ${offsetOf(start)}`));
}
