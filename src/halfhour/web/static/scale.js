// The appearance of values: the shade of a half-hour, and the text for a figure.
import { clock, percent } from "./text.js";

const HALF_HOUR = 1800;
const FULL = { occupancy: 1, handled: null };

// Return the value of the darkest shade: for interactions handled, the most of any half-hour.
const full = (measure, most) => (measure in FULL ? FULL[measure] ?? Math.max(most, 1) : HALF_HOUR);

export function level(value, measure, most) {
  if (!value) return "l0";
  if (!(measure in FULL) && value > HALF_HOUR) return "over";
  return `l${Math.min(Math.floor((value / full(measure, most)) * 8) + 1, 8)}`;
}

// Return a figure for a narrow cell: whole minutes, per cent or a count.
export function brief(value, measure) {
  if (measure === "handled") return String(value);
  return String(Math.round(measure === "occupancy" ? value * 100 : value / 60));
}

export const unit = (measure) => ({ occupancy: "per cent", handled: "interactions" })[measure] ?? "minutes";

export function shown(value, measure) {
  if (value === null || value === undefined) return "nothing known";
  if (measure === "handled") return `${value} handled`;
  if (measure === "occupancy") return percent(value);
  return clock(value);
}

// Return the total of a day: hours and minutes, per cent or a count.
export function total(value, measure) {
  if (value === null) return "";
  if (measure === "handled") return String(value);
  return measure === "occupancy" ? `${Math.round(value * 100)} %` : clock(Math.round(value / 60) * 60).slice(0, -3);
}

// Return shades for the key, each with the figure at which it begins.
export function samples(measure, most) {
  const parts = measure in FULL ? [0, 1 / 4, 1 / 2, 3 / 4, 1] : [0, 1 / 6, 1 / 3, 2 / 3, 1];
  const values = parts.map((part) => full(measure, most) * part);
  const whole = measure === "handled" ? values.map(Math.round) : values;
  return [...new Set(whole)].map((value) => [level(value, measure, most), brief(value, measure)]);
}
