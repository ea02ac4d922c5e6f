// OneRow: the softmax of one row in one pass, tile by tile, with the reader's own numbers.
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { choice, controls, sentence, slider } from "../core/controls.js";
import { fieldNote, numberField } from "../core/fields.js";
import { widget } from "../core/frame.js";
import { encode, softmax, weightedSum } from "../core/maths.js";
import { scroll } from "../core/scroll.js";
import { spread } from "../core/spread.js";
import { chance, counted, exact, hatch, short } from "../core/text.js";
import { FACTOR, online } from "./online.js";
import { say, taken, three, words } from "./saying.js";

/**
 * @typedef {object} Numbers
 * @property {number[]} scores
 * @property {number[]} values
 * @property {number[]} seen 1 where a key may be attended to
 */
/**
 * @typedef {Numbers & {
 *   given: Numbers,
 *   tile: number,
 *   step: number,
 *   maximum: "running" | "own" | "none",
 *   rescale: boolean,
 *   large: boolean,
 * }} State `given`: before anything is edited; `large`: scores are multiplied
 */
/** @typedef {import("../core/fields.js").Typing} Local */
/** @typedef {import("../core/frame.js").World<State, Local>} W */
/** @typedef {import("./saying.js").Read} Read */

const most = 1000; // the largest number that can be typed
/** @type {(keyof Numbers)[]} */
const parts = ["scores", "values", "seen"];
/** @type {[State["maximum"], string][]} */
const maxima = [
  ["running", "running"],
  ["own", "each tile's own"],
  ["none", "none"],
];

/** @param {W} w */
function missing(w) {
  const n = w.get("scores")?.length ?? 0;
  if (n < 2) return "it has no row of scores";
  const other = parts.find((part) => w.get(part)?.length !== n);
  if (other) return `the number of scores is ${n}, but that of ${other} is ${w.get(other)?.length ?? 0}`;
  const odd = parts.find((part) => !w.get(part).every(Number.isFinite));
  if (odd) return `one of its ${odd} is no number`;
  const tile = w.get("tile");
  if (!(Number.isInteger(tile) && tile >= 1 && tile <= n)) return `its tile is ${tile}, and not one of 1 to ${n}`;
  const tiles = Math.ceil(n / tile);
  if (!(w.get("step") >= 0 && w.get("step") < tiles))
    return counted(
      tiles,
      `it has {n} tile, and not number ${w.get("step")}`,
      `it has {n} tiles, and not number ${w.get("step")}`,
    );
  return maxima.some(([name]) => name === w.get("maximum")) ? "" : `its maximum is ${w.get("maximum")}, which is none`;
}

/**
 * The row as it is read, up to a tile.
 * @param {W} w
 */
function follow(w, at = w.get("step")) {
  const [values, seen] = [w.get("values"), w.get("seen")];
  const [large, typed] = [w.get("large"), w.get("scores")];
  const scores = typed.map((s, j) => (seen[j] ? s * (large ? FACTOR : 1) : -Infinity));
  const how = { tile: w.get("tile"), maximum: w.get("maximum"), rescale: w.get("rescale") };
  const tiles = online(scores, values, how);
  const now = tiles[at];
  const weights = softmax(scores.slice(0, now.to).map(encode));
  const [book] = weightedSum(
    weights,
    values.slice(0, now.to).map((v) => [v]),
  );
  const error = now.output - book;
  const same = Math.abs(error) <= 1e-9 * (1 + Math.max(...values.map(Math.abs)));
  const empty = scores.slice(0, now.to).every((s) => s === -Infinity);
  return { at, tiles, now, scores, values, seen, typed, large, weights, book, error, same, empty, ...how };
}
/** @typedef {ReturnType<typeof follow>} A */

/* ------------------------------------------------------------------ the row */

/** @param {W} w @param {keyof Numbers} part */
const put = (w, part, j, x) => w.set({ [part]: w.get(part).map((old, i) => (i === j ? x : old)) });

/** @param {W} w @param {"scores" | "values"} part */
function field(w, part, j) {
  const value = w.get(part)[j];
  if (w.still) return say(value);
  const label = `${part === "scores" ? "score" : "value"} of key ${j + 1}`;
  return numberField(w, {
    ...{ id: `${part}-${j}`, label, value, min: -most, max: most },
    put: (x) => put(w, part, j, x),
  });
}

/** @param {W} w @param {A} a */
function tick(w, a, j) {
  if (w.still) return a.seen[j] ? "✓" : "–";
  return html`<input type="checkbox" data-key=${j} aria-label="key ${j + 1} may be attended to"
    .checked=${live(!!a.seen[j])} @change=${(e) => put(w, "seen", j, e.target.checked ? 1 : 0)} />`;
}

const mi = (letter) => html`<math><mi>${letter}</mi></math>`;
const power = (x, y) =>
  html`<math><msup><mi>e</mi><mrow><mtext>${x}</mtext><mo>−</mo><mtext>${y}</mtext></mrow></msup></math>`;

const exponent = () => html`<math><msup><mi>e</mi><mrow><mi>s</mi><mo>−</mo><mi>m</mi></mrow></msup></math>`;

const number = (x, write) => html`<td class="qkv-num ${hatch(encode(x))}">${write(encode(x))}</td>`;

/**
 * What a key counts in what is held now, and its share of the output beside that of the text-book.
 * @param {A} a
 */
function standing(a, j) {
  if (j >= a.now.to) return html`<td></td><td></td>`;
  const [share, book] = [a.now.sum || !a.empty ? a.now.counts[j] / a.now.sum : 0, a.weights[j]];
  const astray = Math.abs(share - book) < 5e-3 ? "" : "qkv-astray";
  const width = Number.isFinite(share) ? Math.min(share, 1) * 100 : 0;
  return html`${number(a.now.counts[j], short)}<td class=${astray}><span class="qkv-meter"><i style="width:${width}%"></i><u style="left:${book * 100}%"></u></span><span class="qkv-val">${chance(encode(share))}</span></td>`;
}

/** @param {W} w @param {A} a */
function keyRow(w, a, t, j) {
  const tile = a.tiles[t];
  const name = () =>
    html`<th scope="rowgroup" rowspan=${tile.to - tile.from} aria-current=${t === a.at ? "step" : nothing}>tile ${t + 1}</th>`;
  return html`<tr>
    ${j === tile.from ? name() : nothing}<th scope="row">${j + 1}</th>
    <td>${tick(w, a, j)}</td><td class=${a.seen[j] ? "" : "qkv-down"}>${field(w, "scores", j)}</td><td>${field(w, "values", j)}</td>
    ${standing(a, j)}
  </tr>`;
}

/** The letters of the longest number, so that every field shows its own. @param {A} a */
const longest = (a) => Math.max(3, ...[...a.typed, ...a.values].map((x) => String(x).length));

/** @param {W} w @param {A} a */
function row(w, a) {
  const inside = html`<table class="qkv-keys-of" style="--wide:${longest(a)}">
    <thead><tr>
      <th scope="col"><span class="qkv-vh">tile</span></th><th scope="col">key</th><th scope="col">may<br />attend</th><th scope="col">score${a.large ? html`<br />× ${FACTOR}` : nothing}</th>
      <th scope="col">value</th><th scope="col">counts<br />${exponent()}</th><th scope="col">share of<br />output</th>
    </tr></thead>
    ${a.tiles.map(({ from, to }, t) => {
      const keys = Array.from({ length: to - from }, (_, i) => from + i);
      return html`<tbody class=${t === a.at ? "qkv-tile-now" : t > a.at ? "qkv-tile-later" : ""}>${keys.map((j) => keyRow(w, a, t, j))}</tbody>`;
    })}
  </table>`;
  return html`<div>
    <div class="qkv-h">The row <small>${w.still ? "" : "type over any number"}</small></div>
    ${scroll(w, "The row, key by key", inside, ".qkv-tile-now")}
    <p class="qkv-hint"><span class="qkv-meter"><i style="width:40%"></i><u style="left:70%"></u></span>the line is the text-book's share</p>
  </div>`;
}

/* ------------------------------------------------------------------ what is held */

/** A number that is worked with: in brackets where it is negative. */
const bracketed = (x) => (x < 0 ? `(${three(encode(x))})` : three(encode(x)));

/** old × shrink + new, as it is worked out. @param {A} a */
const update = ({ now, rescale }, i) =>
  `${bracketed(now.held[i])}${rescale ? ` × ${three(encode(now.shrink))}` : ""} + ${bracketed(now.added[i])}`;

/** @param {A} a */
function shrink({ now, rescale, maximum }) {
  if (!rescale) return "not used";
  if (maximum === "none" || now.maximum === now.before) return "m is the same";
  return html`${power(say(now.before), taken(now.maximum))}`;
}

/** @param {W} w @param {A} a */
function held(w, a) {
  const { now, maximum, same } = a;
  const line = (name, how, x, { write = exact, kind = "" } = {}) => html`<tr class=${kind}>
    <th scope="row">${name}</th><td class="qkv-worked">${how}</td>${number(x, write)}
  </tr>`;
  const inside = html`<table class="qkv-in-hand">
    <tbody>
      ${line(html`maximum ${mi("m")}`, maximum === "none" ? "none" : `${say(now.before)} →`, now.maximum)}
      ${line("shrink", shrink(a), now.shrink, { write: three })}
      ${line(html`sum ${mi("ℓ")}`, update(a, 0), now.sum, { write: three })}
      ${line(html`weighted sum ${mi("a")}`, update(a, 1), now.weighted, { write: three })}
    </tbody>
    <tbody>
      ${line(html`<b>output so far</b>`, html`${mi("a")} ÷ ${mi("ℓ")}`, now.output)}
      ${line("the text-book", `keys 1 to ${now.to}`, a.book)}
      ${line("error", "", same ? 0 : a.error, { kind: same ? "" : "qkv-astray" })}
    </tbody>
  </table>`;
  return html`<div>
    <div class="qkv-h">What is held <small>two numbers and a maximum, whatever the length</small></div>
    ${scroll(w, "What is held", inside)}
  </div>`;
}

/* ------------------------------------------------------------------ settings */

/** @param {W} w */
const edited = (w) => parts.some((part) => w.get(part).some((x, j) => x !== w.get("given")[part][j]));

/** @param {W} w */
function reset(w) {
  w.local.typing = undefined;
  w.set(structuredClone(w.get("given")));
}

/**
 * Another size of the tiles: the step stays where the last key is that has been read.
 * @param {W} w @param {A} a
 */
const resize = (w, a, tile) => w.set({ tile, step: Math.floor((a.now.to - 1) / tile) });

/** @param {W} w @param {A} a */
function settings(w, a) {
  const n = a.values.length;
  const said = `${counted(a.tile, "{n} score", "{n} scores")}, ${counted(a.tiles.length, "{n} tile", "{n} tiles")}`;
  if (w.still)
    return html`<p class="qkv-hint">Tiles of ${a.tile}; maximum: ${maxima.find(([name]) => name === a.maximum)?.[1]}; what is held is ${a.rescale ? "" : "not "}rescaled${w.get("large") ? `; scores × ${FACTOR}` : ""}</p>`;
  const check = (name, words) =>
    html`<label class="qkv-check"><input type="checkbox" data-act=${name} .checked=${live(w.get(name))} @change=${(e) => w.set({ [name]: e.target.checked })} />${words}</label>`;
  const changed = edited(w);
  return html`<div class="qkv-settings">
    ${slider(w, { label: "a tile", called: "scores in a tile", value: a.tile, min: 1, max: n, said, pick: (tile) => resize(w, a, tile) })}
    ${choice(w, { legend: "Maximum:", name: "maximum", options: maxima, chosen: a.maximum, pick: (maximum) => w.set({ maximum }) })}
    ${check("rescale", "rescale what is held")}
    ${check("large", `scores × ${FACTOR}`)}
    <button type="button" data-act="reset" aria-disabled=${!changed} @click=${() => changed && reset(w)}>Reset the numbers</button>
  </div>`;
}

/* ------------------------------------------------------------------ all of it */

/** @param {W} w */
function view(w) {
  const a = follow(w);
  const { at, tiles, now } = a;
  const said = now.to - now.from > 1 ? `keys ${now.from + 1} to ${now.to}` : `key ${now.to}`;
  return html`${settings(w, a)}
    ${fieldNote(w, `Type a number from −${most} to ${most}. Until then the last one counts.`)}
    ${controls(w, { at, count: tiles.length, what: "Tile", said, go: (step) => w.set({ step }) })}
    ${sentence(w, words(a))}
    <div class="qkv-pass">${row(w, a)}${held(w, a)}</div>`;
}

/** @param {W} w */
function stills(w) {
  const count = Math.ceil(w.get("scores").length / w.get("tile"));
  return spread(count, 4).map((step) => {
    const a = follow(w, step);
    return { caption: words(a), state: { step } };
  });
}

export default widget("one-row", { missing, view, stills });
