// WorkItOut: a computation with holes. The page remembers what is filled in.
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { focus } from "../core/focus.js";
import { widget } from "../core/frame.js";
import { rich } from "../core/rich.js";
import { scroll } from "../core/scroll.js";
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
/** @typedef {import("../core/frame.js").World<State, Local>} W */

/** @param {W} w */
function missing(w) {
  const [tables, holes] = [w.get("tables"), w.get("holes")];
  if (!tables?.length || !holes?.length) return "it holds no computation";
  const places = tables.flatMap((t) => t.cells.flat().flatMap((c) => holeOf(c) ?? []));
  return places.length === holes.length && places.every((n, i) => n === i) ? "" : "its holes do not fit its tables";
}

const holeOf = (cell) => (typeof cell === "object" ? cell?.hole : undefined);
const plain = (segments) => segments.map((s) => s.text ?? s.code ?? s.plain ?? "").join("");

/** @param {W} w */
const key = (w) => `qkv.by-hand.${w.get("name")}`;

/**
 * The page's memory may be closed to us (private windows): then only the traits remember.
 * @param {W} w
 */
function recall(w) {
  try {
    return JSON.parse(localStorage.getItem(key(w)) ?? "{}") ?? {};
  } catch {
    return {};
  }
}

/** @param {W} w */
function remember(w) {
  try {
    const [typed, given_up] = [w.get("typed"), w.get("given_up")];
    if (typed.some((text) => text) || given_up) localStorage.setItem(key(w), JSON.stringify({ typed, given_up }));
    else localStorage.removeItem(key(w));
  } catch {}
}

/** @param {W} w */
function begin(w) {
  const { typed, given_up } = recall(w);
  const known = Array.isArray(typed) && typed.every((text) => typeof text === "string");
  if (known && !w.get("typed")?.some((text) => text))
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
  remember(w);
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
  remember(w);
}

/** @param {W} w */
function giveUp(w) {
  w.set({ given_up: true });
  remember(w);
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
  return html`<input
      name="text" type="text" size="6" data-hole=${i} autocomplete="off" autocapitalize="off" spellcheck="false"
      class=${kind === "right" ? "qkv-good" : bad ? "qkv-bad" : ""}
      aria-label=${label} aria-invalid=${bad ? "true" : "false"} aria-describedby=${bad ? `${w.id}-said-${i}` : nothing}
      .value=${live(w.get("typed")[i] ?? "")}
      @input=${(e) => put(w, i, e.target.value)} @change=${() => judged(w, i)} @blur=${() => judged(w, i)}
      @keydown=${(e) => enter(w, e, i)}
    /><b class="qkv-mark" aria-hidden="true">${kind === "right" ? "✓" : bad ? "✗" : ""}</b>`;
}

/** @param {W} w */
function cell(w, all, at) {
  const i = holeOf(at.cell);
  if (i === undefined) return html`<td>${exact(at.cell)}</td>`;
  if (w.still) return html`<td class="qkv-hole"><span class="qkv-open"></span></td>`;
  if (w.get("given_up") && all[i].kind !== "right")
    return html`<td class="qkv-hole qkv-shown">${exact(w.get("holes")[i].right)}</td>`;
  return html`<td class="qkv-hole">${input(w, all, { ...at, i })}</td>`;
}

/** An empty header is none. */
const anyOf = (labels) => labels.some((segments) => segments.length);

/** @param {W} w */
function tableOf(w, all, table) {
  const holes = table.cells.flatMap((cells, row) =>
    cells.flatMap((c, column) => (holeOf(c) === undefined ? [] : [{ i: holeOf(c), table, row, column }])),
  );
  return html`${scroll(
    w,
    plain(table.caption),
    html`<table class="qkv-hand">
      <caption>${rich(table.caption)}</caption>
      <thead ?hidden=${!anyOf(table.columns)}><tr>
        ${anyOf(table.rows) ? html`<td></td>` : nothing}${table.columns.map((c) => html`<th scope="col">${rich(c)}</th>`)}</tr></thead>
      <tbody>${table.cells.map(
        (cells, row) => html`<tr>
          ${anyOf(table.rows) ? html`<th scope="row">${rich(table.rows[row])}</th>` : nothing}
          ${cells.map((c, column) => cell(w, all, { cell: c, table, row, column }))}
        </tr>`,
      )}</tbody>
    </table>`,
  )}
  ${w.still || w.get("given_up") ? nothing : sayings(w, all, holes)}`;
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
  return [...groups.values()].map(
    ({ said, of }) => html`<p class="qkv-note">
      ${of.map((hole, n) => html`${n ? "; " : ""}<b id="${w.id}-said-${hole.i}">${place(hole)}</b>`)}: ${rich(said)}
    </p>`,
  );
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
  return html`<div class="qkv-bar">
      ${w.local.tried && !done && !w.get("given_up") ? html`<button type="button" data-act="show" @click=${() => giveUp(w)}>Show the numbers</button>` : nothing}
      ${begun ? html`<button type="button" data-act="reset" @click=${() => startAgain(w)}>Start again</button>` : nothing}
      <span class=${done ? "qkv-score" : "qkv-hint"}>${done ? "✓ All of them are right." : `${right} of ${all.length} right. ${w.get("decimals")} decimals are enough; fractions and roots may be typed, as 1/3 or √2.`}</span>
    </div>
    <p class="qkv-vh" aria-live="polite">${announced(w, all)}</p>`;
}

/** @param {W} w */
function view(w) {
  const all = verdicts(w);
  return html`<p class="qkv-h"><span class="qkv-badge">By hand</span> ${w.get("name")} ${rich(w.get("title"))}
      <small>${w.get("minutes")} min, ${"★".repeat(w.get("difficulty"))}</small></p>
    <p>${rich(w.get("task"))}</p>
    <div class="qkv-sheet">${w.get("tables").map((table) => html`<div>${tableOf(w, all, table)}</div>`)}</div>
    ${w.still ? nothing : foot(w, all)}`;
}

export default widget("work-it-out", { missing, view, stills: () => [{ state: {} }], begin });
