// The page. It shows the view that its address requests, and each choice changes the address.
import { Grid } from "./grid.js";
import * as panel from "./panel.js";
import { Profile } from "./profile.js";
import { level, samples, unit } from "./scale.js";
import { element, moment, row, span, table } from "./text.js";

const by = (id) => document.getElementById(id);
const controls = by("controls"), aside = by("panel");
const NARROWED = ["queue", "media", "division", "team"];
const KEYS = ["org", "day", "measure", "basis", "sort", "zone", ...NARROWED];
const FAILED = "The dashboard could not answer; its terminal shows the error.";
const POLL = 10_000, MINUTE = 60_000, HOUR = 60 * MINUTE, LOST = "The connection is lost, so these figures may be old. Trying again.";
let day = null, held = null, sought = "", version = null, asked = 0, opener = null, shown = "", trouble = "", state = null;

const profile = new Profile(by("profile"));
const grid = new Grid(by("grid"), (what) => go(what), (left, cell) => profile.follow(left, cell));

const address = () => new URLSearchParams(location.search);
const only = (query, keys) => new URLSearchParams([...query].filter(([key, value]) => keys.includes(key) && value));

function go(changes) {
  const query = address();
  // With all of these, the address shows the same tomorrow and to a colleague.
  const pinned = day && { org: day.org, day: query.get("day") === "today" ? "today" : day.day, zone: day.zone };
  for (const [key, value] of Object.entries({ ...pinned, cell: "", agent: "", ...changes })) {
    if (value) query.set(key, value);
    else query.delete(key);
  }
  const text = query.toString();
  history.pushState(null, "", text ? `?${text}` : location.pathname);
  return show();
}

async function ask(path, query = "") {
  const answer = await fetch(`${path}?${query}`, { headers: { accept: "application/json" } });
  if (answer.status === 401) location.assign(`login${location.search}`);
  const found = await answer.json().catch(() => null);
  // A proxy answers with a page of its own while the dashboard does not run.
  if (found === null) throw answer.status === 500 ? new Error(FAILED) : new TypeError(LOST);
  if (!answer.ok) throw new Error(found.error);
  return found;
}

// Show what is wrong, for as long as it is wrong.
function say() {
  const sync = state?.sync ?? {}, first = sync.state === "running" && !day?.latest;
  const failed = sync.said && `The last sync failed: ${sync.said}. Trying again at the next turn.`;
  const text = first && trouble !== LOST
    ? `The first sync is running${sync.of ? `: ${sync.done} of ${sync.of} days of all sources are read` : ""}. Figures appear as soon as they are read.`
    : [trouble, failed].filter(Boolean).join(" ");
  by("said").classList.toggle("warn", !first || trouble === LOST);
  if (by("said").textContent !== text) by("said").textContent = text;
  if (day) freshness();
}

// Tell whether the address requests another view than the page has; `day` has its defaults.
const differs = (query) => !held || KEYS.some((key) => (query.get(key) ?? "") !== (held.get(key) ?? "") && query.get(key) !== day[key]);

async function show(anew = false) {
  const query = address(), number = (asked += 1), wanted = only(query, KEYS), find = query.get("find") ?? "";
  by("csv").href = `csv?${only(query, [...KEYS, "find"])}`;
  by("view").setAttribute("aria-busy", true);
  try {
    const fetches = anew || differs(query), found = fetches ? await ask("api/day", wanted) : day;
    if (number !== asked) return;
    if (fetches) [day, held, trouble] = [found, wanted, ""];
    if (fetches || find !== sought) draw();
    await drawPanel(query);
  } catch (error) {
    if (number !== asked) return;
    trouble = error instanceof TypeError ? LOST : error.message;
    held = null;
  }
  by("view").setAttribute("aria-busy", false);
  say();
}

// Leave a list as it is if it would not change: somebody may have opened it.
function choices(select, values) {
  const options = [...select.options].map((option) => option.value);
  if (options.join("\n") !== values.join("\n"))
    select.replaceChildren(...values.map((value) => element("option", { value }, value || "All")));
}

function draw() {
  const query = address(), { elements } = controls;
  sought = query.get("find") ?? "";
  const find = sought.toLocaleLowerCase();
  controls.hidden = document.querySelector(".title").hidden = false;
  for (const name of NARROWED) {
    choices(elements[name], ["", ...day.known[name]]);
    elements[name].parentElement.hidden = !day.known[name].length;
  }
  for (const option of elements.measure.options) option.disabled = !day.measures.includes(option.value);
  for (const name of ["measure", "basis", "sort", ...NARROWED]) elements[name].value = day[name];
  if (document.activeElement !== elements.day || elements.day.validity.valid) elements.day.value = day.day;
  if (document.activeElement !== elements.find) elements.find.value = sought;
  by("today").setAttribute("aria-pressed", ["today", ""].includes(query.get("day") ?? ""));
  const chosen = NARROWED.filter((name) => day[name]).length;
  by("more").textContent = chosen ? `More (${chosen})` : "More";
  const agents = day.agents.filter((agent) => agent.name.toLocaleLowerCase().includes(find));
  document.title = `${day.day} · halfhour`;
  by("day-title").textContent = `${new Date(`${day.day}T12:00:00Z`).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" })}, ${day.zone}`;
  by("profile").hidden = by("grid").hidden = by("key").hidden = !agents.length;
  by("empty").hidden = agents.length > 0;
  by("empty").replaceChildren(...nothing(find));
  by("problems").hidden = !day.problems.length;
  by("problems").replaceChildren(...day.problems.map((text) => element("li", {}, text)));
  if (!agents.length) return;
  profile.show(day);
  grid.show(day, agents);
  key(agents.length);
}

function nothing(find) {
  if (find && day.agents.length) return ["No agent has that text in the name."];
  if (NARROWED.some((name) => day[name])) return ["The store has no figures of this day for these choices."];
  if (!day.latest || day.latest === day.day) return ["The store has no figures of this day."];
  const link = element("a", { href: `?day=${day.latest}`, onclick: (event) => { event.preventDefault(); go({ day: day.latest }); } }, day.latest);
  return ["The store has no figures of this day. The last day with figures is ", link, "."];
}

function key(count) {
  const scale = [...samples(day.measure, grid.most), ...(level(grid.most, day.measure) === "over" ? [["over", "over 30"]] : []),
    ...(day.missing.length ? [["gone", "missing"]] : []), ...(grid.allYoung ? [] : [["young", "provisional"]])];
  by("key").replaceChildren(`${count} ${count === 1 ? "agent" : "agents"}, in ${unit(day.measure)}: `, ...scale.map(([name, text]) => element("span", { class: name }, text)),
    ` Blank: no figures.${grid.allYoung ? " All figures are provisional." : ""}`);
}

const ago = (ms) => (ms < MINUTE ? "just now" : ms < HOUR ? `${Math.floor(ms / MINUTE)} min ago` : `${Math.floor(ms / HOUR)} h ago`);

function freshness() {
  const source = day.basis === "posted" ? "posted" : "details";
  const of = day.days.filter((stored) => stored.source === source);
  const read = of.map((stored) => stored.read_at).filter(Boolean).sort().at(-1);
  const age = Date.now() - Date.parse(read), today = Date.parse(day.starts.at(-1)) > Date.now() - HOUR;
  const at = (text) => (text ? moment(text, day.zone) : "–"), warn = (text) => element("span", { class: "warn" }, text);
  const states = [...new Set(of.map((stored) => stored.state))].join(", "), { sync } = state ?? {};
  const sentences = [`${read ? `Read ${at(read)}` : "Not read yet"}${read && today && age < HOUR ? `, ${ago(age)}` : ""}${states && `; ${states}`}.`,
    read && today && age >= HOUR && warn(`That is ${ago(age)}.`),
    sync?.state === "running" && `Reading now${sync.of ? `, ${sync.done} of ${sync.of} days of all sources` : ""}.`,
    day.missing.length > 0 && warn(`Missing: ${day.missing.map((interval) => span(interval, day.zone)).join(", ")}`)];
  by("freshness").replaceChildren(...sentences.filter(Boolean).flatMap((sentence) => [sentence, " "]));
  by("held").hidden = !day.days.length;
  by("days").replaceChildren(table({}, `Days are those of UTC, times those of ${day.zone}`, ["Day", "Source", "State", "Stored until", "Read"],
    day.days.map((stored) => row([stored.day, stored.source, stored.state, at(stored.held_until), at(stored.read_at)]))));
}

async function drawPanel(query) {
  const agent = query.get("agent"), start = query.get("cell");
  grid.choose(agent, start);
  if (!agent) {
    if (!aside.hidden) close();
    return;
  }
  const wanted = only(query, [...KEYS, "agent", "cell"]);
  let content;
  try {
    content = start ? panel.cell(await ask("api/cell", wanted), day.zone)
      : panel.agent(await ask("api/agent", wanted), controls.elements.measure.selectedOptions[0].text, day.basis, day.zone, (what) => go({ agent, ...what }));
  } catch (error) {
    if (error instanceof TypeError) throw error;
    content = [element("h2", { id: "panel-title" }, "This cannot be shown"), element("p", {}, error.message)];
  }
  if (address().get("agent") !== agent || address().get("cell") !== start) return;
  const same = shown === wanted.toString() && !aside.hidden, { scrollTop } = aside;
  if (aside.hidden) opener = document.activeElement;
  const focused = aside.contains(document.activeElement) && document.activeElement.textContent;
  aside.replaceChildren(element("div", { class: "bar" }, ...bar(agent, start)), ...content.filter(Boolean));
  aside.hidden = false;
  if (same) aside.scrollTop = scrollTop;
  if (!same || focused) {
    const again = [...aside.querySelectorAll("button:enabled")].find((button) => button.textContent === focused);
    (again ?? aside.querySelector(".close")).focus({ preventScroll: same });
  }
  shown = wanted.toString();
}

function bar(agent, start) {
  const at = start ? day.starts.findIndex((other) => Date.parse(other) === Date.parse(start)) : -1;
  const step = (cell, text, label) => element("button", { type: "button", "aria-label": label, disabled: !cell, onclick: () => go({ agent, cell }) }, text);
  return [
    ...(at < 0 ? [] : [step(day.starts[at - 1], "‹", "The half-hour before"), step(day.starts[at + 1], "›", "The half-hour after")]),
    start ? element("button", { type: "button", onclick: () => go({ agent }) }, "This agent's last weeks") : null,
    element("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => go({}) }, "×"),
  ];
}

function close() {
  aside.hidden = true;
  (opener?.isConnected ? opener : by("grid")).focus();
}

function step(days) {
  const date = new Date(`${day.day}T12:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  go({ day: date.toISOString().slice(0, 10) });
}

async function poll() {
  try {
    state = await ask("api/state", only(address(), ["org"]));
    by("orgs").hidden = state.orgs.length < 2;
    choices(by("org"), state.orgs);
    by("org").value = state.org;
    by("logout").hidden = !state.guarded;
    if (state.version !== version || trouble) await show(true);
    version = state.version;
  } catch (error) {
    trouble = error instanceof TypeError ? LOST : error.message;
  }
  say();
}

controls.addEventListener("submit", (event) => event.preventDefault());
controls.addEventListener("change", ({ target }) => {
  if (target.name !== "find" && target.validity.valid) go({ [target.name]: target.value });
});
controls.elements.find.addEventListener("input", ({ target }) => {
  const query = address();
  if (target.value) query.set("find", target.value);
  else query.delete("find");
  history.replaceState(null, "", `?${query}`);
  by("csv").href = `csv?${only(query, [...KEYS, "find"])}`;
  if (day) draw();
});
// Another organisation has other queues, teams and agents, and perhaps another time zone.
by("org").addEventListener("change", async ({ target }) => {
  await go({ org: target.value, zone: "", ...Object.fromEntries(NARROWED.map((name) => [name, ""])) });
  await poll();
});
by("before").addEventListener("click", () => day && step(-1));
by("after").addEventListener("click", () => day && step(1));
by("today").addEventListener("click", () => go({ day: "today" }));
by("more").addEventListener("click", ({ target }) => {
  target.setAttribute("aria-expanded", by("choices").classList.toggle("open"));
});
addEventListener("popstate", async () => { await show(); await poll(); });
addEventListener("beforeprint", () => grid.draw(true));
addEventListener("online", poll);
addEventListener("keydown", (event) => event.key === "Escape" && !aside.hidden && go({}));
await poll();
setInterval(poll, POLL);
