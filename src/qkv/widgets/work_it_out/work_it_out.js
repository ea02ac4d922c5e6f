// WorkItOut: a computation with holes. The page remembers what is filled in.
import { h, widget } from "../core/elements.js";
import { focus } from "../core/focus.js";
import { recall, remember } from "../core/memory.js";
import { plain, rich } from "../core/rich.js";
import { exact } from "../core/text.js";
import { judge } from "./judging.js";

/** @typedef {import("../core/rich.js").Segment[]} Rich */
/** @typedef {import("./judging.js").Hole} Hole */
/** @typedef {number | string | { hole: number }} Cell */
/** @typedef {{ caption: Rich, rows: Rich[], columns: Rich[], cells: Cell[][], look: Rich }} Table */
/**
 * @typedef {{
 *   name: string, title: Rich, task: Rich, minutes: number, difficulty: number, decimals: number,
 *   tables: Table[], holes: Hole[], mistakes: Rich[], typed: string[], given_up: boolean, solved: boolean,
 * }} State
 */
/** @typedef {{ writing: number, last: number, tried: boolean }} Local the hole being written in, the one last judged */
/** @typedef {import("../core/bare.js").World<State, Local>} W */

/** @param {W} w */
function missing(w) {
  const [tables, holes] = [w.get("tables"), w.get("holes")];
  if (!tables?.length || !holes?.length) return "it holds no computation";
  const places = tables.flatMap((t) => t.cells.flat().flatMap((c) => holeOf(c) ?? []));
  return places.length === holes.length && places.every((n, i) => n === i) ? "" : "its holes do not fit its tables";
}

const holeOf = (cell) => (typeof cell === "object" ? cell?.hole : undefined);

/** @param {W} w */
const key = (w) => `qkv.by-hand.${w.get("name")}`;

/** @param {W} w */
function known(w) {
  try {
    return JSON.parse(recall(key(w)) ?? "{}") ?? {};
  } catch {
    return {}; // no JSON
  }
}

/** @param {W} w */
function keep(w) {
  const [typed, given_up] = [w.get("typed"), w.get("given_up")];
  const some = typed.some((text) => text) || given_up;
  remember(key(w), some ? JSON.stringify({ typed, given_up }) : null);
}

/** @param {W} w */
function begin(w) {
  const { typed, given_up } = known(w);
  const fits = Array.isArray(typed) && typed.every((text) => typeof text === "string");
  if (fits && !w.get("typed")?.some((text) => text))
    w.set({ typed: w.get("holes").map((_, i) => typed[i] ?? ""), given_up: given_up === true });
  settle(w);
}

/** @param {W} w */
const verdicts = (w) =>
  w
    .get("holes")
    .map((_, i) =>
      i === w.local.writing ? { kind: "empty" } : judge(w.get("holes"), w.get("typed"), i, w.get("decimals")),
    );

/**
 * Say to the kernel that all is right; it stays solved when something is changed afterwards.
 * @param {W} w
 */
function settle(w) {
  const done = !w.get("given_up") && verdicts(w).every((v) => v.kind === "right");
  if (done && !w.get("solved")) w.set({ solved: true });
}

/** @param {W} w */
function put(w, i, text) {
  w.local.writing = i;
  w.set({ typed: w.get("holes").map((_, j) => (j === i ? text : (w.get("typed")[j] ?? ""))) });
  keep(w);
}

/** @param {W} w */
function judged(w, i) {
  if (w.local.writing !== i) return;
  w.local.writing = undefined;
  w.local.last = i;
  settle(w);
  w.draw();
}

/** @param {W} w */
function enter(w, event, i) {
  event.stopPropagation(); // JupyterLab's keys are not meant
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  judged(w, i);
  const all = verdicts(w);
  const next = all.findIndex((v, j) => j > i && v.kind === "empty");
  if (all[i].kind === "right" && next >= 0) focus(w, `[data-hole="${next}"]`);
}

/** @param {W} w */
function startAgain(w) {
  Object.assign(w.local, { writing: undefined, last: undefined, tried: false });
  w.set({ typed: w.get("holes").map(() => ""), given_up: false });
  keep(w);
}

/** @param {W} w */
function giveUp(w) {
  w.set({ given_up: true });
  keep(w);
}

/**
 * What is said of a number; nothing of one that is right, or not there.
 * @param {W} w
 * @returns {Rich}
 */
function told(w, table, { kind, mistake }) {
  if (kind === "mistake") return w.get("mistakes")[mistake];
  if (kind === "sign") return [{ text: "not yet: the size is right; look at the sign." }];
  if (kind === "coarse") return [{ text: `right as far as it goes; ${w.get("decimals")} decimals are wanted.` }];
  if (kind === "odd") return [{ text: "no number that can be read: write 0.25, .25, 1/4, -1, √2 or e^-1." }];
  if (kind === "wrong") return [{ text: `not yet${table.look.length ? ": " : "."}` }, ...table.look];
  return [];
}

/** The words before what is said: which number is meant. */
const place = ({ table, row, column }) =>
  [table.rows[row], table.columns[column]].map(plain).filter(Boolean).join(", ") || plain(table.caption);

/** @param {W} w */
function input(w, all, { table, row, column, i }) {
  const { kind } = all[i];
  const bad = !["empty", "right"].includes(kind);
  const label = [plain(table.caption), place({ table, row, column })].join(": ");
  const traits = {
    name: "text",
    type: "text",
    size: 6,
    "data-hole": i,
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    class: kind === "right" ? "qkv-good" : bad ? "qkv-bad" : "",
    "aria-label": label,
    "aria-invalid": String(bad),
    "aria-describedby": bad && `${w.id}-said-${i}`,
    ".value": w.get("typed")[i] ?? "",
    oninput: (e) => put(w, i, e.target.value),
    onchange: () => judged(w, i),
    onblur: () => judged(w, i),
    onkeydown: (e) => enter(w, e, i),
  };
  const mark = kind === "right" ? "✓" : bad ? "✗" : "";
  return [h("input", traits), h("b", { class: "qkv-mark", "aria-hidden": "true" }, mark)];
}

/** @param {W} w */
function cell(w, all, at) {
  const i = holeOf(at.cell);
  if (i === undefined) return h("td", {}, exact(at.cell));
  if (w.still) return h("td", { class: "qkv-hole" }, h("span", { class: "qkv-open" }));
  if (w.get("given_up") && all[i].kind !== "right")
    return h("td", { class: "qkv-hole qkv-shown" }, exact(w.get("holes")[i].right));
  return h("td", { class: "qkv-hole" }, input(w, all, { ...at, i }));
}

/** An empty header is none. */
const anyOf = (labels) => labels.some((segments) => segments.length);

/** @param {W} w */
function tableOf(w, all, table) {
  const holes = table.cells.flatMap((cells, row) =>
    cells.flatMap((c, column) => (holeOf(c) === undefined ? [] : [{ i: holeOf(c), table, row, column }])),
  );
  const named = anyOf(table.rows);
  const head = [named && h("td", {}), table.columns.map((c) => h("th", { scope: "col" }, rich(c)))];
  const rows = table.cells.map((cells, row) =>
    h(
      "tr",
      {},
      named && h("th", { scope: "row" }, rich(table.rows[row])),
      cells.map((c, column) => cell(w, all, { cell: c, table, row, column })),
    ),
  );
  const made = h(
    "table",
    { class: "qkv-hand" },
    h("caption", {}, rich(table.caption)),
    h("thead", { hidden: !anyOf(table.columns) }, h("tr", {}, head)),
    h("tbody", {}, rows),
  );
  // It scrolls sideways where it is wider than its place, and the Tab key reaches it.
  const box = { class: "qkv-scroll", tabindex: !w.still && 0, role: "group", "aria-label": plain(table.caption) };
  return [h("div", box, made), w.still || w.get("given_up") ? [] : sayings(w, all, holes)];
}

/**
 * What is said below a table; a sentence that several numbers get is said once.
 * @param {W} w
 */
function sayings(w, all, holes) {
  const groups = new Map();
  for (const hole of holes) {
    const said = told(w, hole.table, all[hole.i]);
    if (said.length) groups.set(plain(said), { said, of: [...(groups.get(plain(said))?.of ?? []), hole] });
  }
  const who = (hole, n) => [n > 0 && "; ", h("b", { id: `${w.id}-said-${hole.i}` }, place(hole))];
  return [...groups.values()].map(({ said, of }) => h("p", { class: "qkv-note" }, of.map(who), ": ", rich(said)));
}

/** @param {W} w */
function announced(w, all) {
  const i = w.local.last;
  if (i === undefined) return "";
  if (all.every((v) => v.kind === "right")) return "All of them are right.";
  const table = w.get("tables").find((t) => t.cells.flat().some((c) => holeOf(c) === i));
  if (!table) return "";
  return all[i].kind === "right" ? "Right." : plain(told(w, table, all[i]));
}

/** @param {W} w */
function foot(w, all) {
  const right = all.filter((v) => v.kind === "right").length;
  const bad = all.some((v) => !["empty", "right"].includes(v.kind));
  w.local.tried ||= bad;
  const begun = w.get("typed").some((text) => text) || w.get("given_up");
  const done = right === all.length;
  const button = (act, words, onclick) => h("button", { type: "button", "data-act": act, onclick }, words);
  const score = `${right} of ${all.length} right. ${w.get("decimals")} decimals are enough; fractions and roots may be typed, as 1/3 or √2.`;
  return [
    h(
      "div",
      { class: "qkv-bar" },
      w.local.tried && !done && !w.get("given_up") && button("show", "Show the numbers", () => giveUp(w)),
      begun && button("reset", "Start again", () => startAgain(w)),
      h("span", { class: done ? "qkv-score" : "qkv-hint" }, done ? "✓ All of them are right." : score),
    ),
    h("p", { class: "qkv-vh", "aria-live": "polite" }, announced(w, all)),
  ];
}

/** @param {W} w */
function view(w) {
  const all = verdicts(w);
  const cost = `${w.get("minutes")} min, ${"★".repeat(w.get("difficulty"))}`;
  const badge = h("span", { class: "qkv-badge" }, "By hand");
  return [
    h("p", { class: "qkv-h" }, badge, ` ${w.get("name")} `, rich(w.get("title")), " ", h("small", {}, cost)),
    h("p", {}, rich(w.get("task"))),
    h(
      "div",
      { class: "qkv-sheet" },
      w.get("tables").map((table) => h("div", {}, tableOf(w, all, table))),
    ),
    w.still ? [] : foot(w, all),
  ];
}

export default widget("work-it-out", { missing, view, stills: () => [{ state: {} }], begin });
