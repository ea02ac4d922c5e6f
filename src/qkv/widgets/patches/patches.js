// Patches: an image as a sentence; where its tokens look, what is hidden, and a digit of your own.

import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { cellStyle } from "../core/colours.js";
import { choice, numbers, pick, sentence } from "../core/controls.js";
import { focus } from "../core/focus.js";
import { widget } from "../core/frame.js";
import { backdrop } from "../core/image.js";
import { modelHint, size, withNetwork } from "../core/loading.js";
import { meanOf, peak } from "../core/maths.js";
import { blank, inks, pad, walk } from "../core/pad.js";
import { scroll } from "../core/scroll.js";
import { unpack } from "../core/tensors.js";
import { chance, counted, shown } from "../core/text.js";
import { rollout, visionTransformer } from "../core/vision.js";

/** @typedef {{ probabilities: number[], looks: number[][][], rollout: number[] }} Found looks: layer head token */
/**
 * @typedef {object} State
 * @property {{ size: number[], grain: number, data: string }} pixels
 * @property {number[]} labels
 * @property {[number, number][]} places
 * @property {number} extent
 * @property {Found[]} found
 * @property {string[]} names
 * @property {number} patch
 * @property {number} chosen
 * @property {number} query
 * @property {number} layer
 * @property {number} head -1 for the mean of all
 * @property {"attention" | "rollout"} mode
 * @property {"asks" | "hides"} click
 * @property {number[]} hidden
 * @property {boolean} draw
 * @property {number[][]} drawn
 * @property {string} name
 * @property {number} size
 */
/** @typedef {{ net: object, key: object, hides?: number[], weights: number[][][][], probabilities: number[], flow: number[][] }} Run */
/** @typedef {{ blank: number[][], wet: number[][], patch: number, token: number, seen: Run, now: Run }} Own */
/** @typedef {Own & import("../core/pad.js").Drawing & import("../core/loading.js").Loading} Local */
/** @typedef {import("../core/frame.js").World<State, Local>} W */

const OWN = -1; // the chosen image, if it is the reader's

// ---- what is shown

const unpacked = new WeakMap();

/** @param {W} w */
function imagesOf(w) {
  const packed = w.get("pixels");
  if (!unpacked.has(packed)) unpacked.set(packed, unpack(packed));
  return unpacked.get(packed);
}

/**
 * A pad with nothing on it, always the same: pictures are known by the rows that they are of.
 * @param {W} w
 */
function blankOf(w, height, width) {
  w.local.blank ??= blank(height, width);
  return w.local.blank;
}

/**
 * The image that is chosen, how it is cut, and what is known of it.
 * @param {W} w
 */
function sceneOf(w) {
  const [, , height, width] = w.get("pixels").size;
  const side = w.get("patch");
  const at = w.get("chosen");
  const own = at === OWN;
  const drawn = w.local.wet ?? w.get("drawn");
  const lines = drawn.length ? drawn : blankOf(w, height, width);
  const [rows, columns] = [height / side, width / side];
  const place = own ? undefined : w.get("places")[at];
  const hides = w.get("hidden");
  return {
    own,
    at,
    height,
    width,
    side,
    rows,
    columns,
    place,
    lines,
    count: rows * columns,
    key: own ? lines : imagesOf(w)[at],
    image: own ? [lines] : imagesOf(w)[at],
    label: own ? undefined : w.get("labels")[at],
    found: own ? undefined : w.get("found")[at],
    hides,
    hidden: new Set(hides),
    query: w.get("query"),
    empty: own && lines.every((row) => row.every((x) => !x)),
    touched: place ? touched(place, w.get("extent"), { rows, columns, side }) : [],
  };
}

/** The patches that a square of pixels touches. */
function touched([top, left], extent, { rows, columns, side }) {
  const meets = (first, start) => start < first + extent && first < start + side;
  return Array.from({ length: rows * columns }, (_, p) => p).filter(
    (p) => meets(top, Math.floor(p / columns) * side) && meets(left, (p % columns) * side),
  );
}

/** @param {W} w */
const layersOf = (w) => w.get("found")[0].looks;
/** @param {W} w */
const layerOf = (w) => Math.min(Math.max(w.get("layer"), 0), layersOf(w).length - 1);
/** @param {W} w */
const headOf = (w) => (w.get("head") < layersOf(w)[0].length ? Math.max(w.get("head"), -1) : -1);
/** @param {W} w */
const rolls = (w) => w.get("mode") === "rollout";

/** Does this ask for more than is recorded? */
const needs = (s) => s.own || s.query > 0 || s.hidden.size > 0;

/**
 * A run of the network, kept for as long as nothing changes that it reads.
 * @param {W} w
 * @param {"seen" | "now"} name
 */
function run(w, name, s, hides) {
  const [net, kept] = [w.local.net, w.local[name]];
  if (kept && kept.net === net && kept.key === s.key && kept.hides === hides) return kept;
  const visible = hides && Array.from({ length: s.count }, (_, p) => !hides.includes(p));
  const made = net.look(s.image, visible);
  const found = { net, key: s.key, hides, ...made, flow: rollout(made.weights) };
  w.local[name] = found;
  return found;
}

/**
 * What the model says, what it says when it sees all, and the weights of the query; or null without the model.
 * @param {W} w
 */
function answerOf(w, s) {
  const [layer, head] = [layerOf(w), headOf(w)];
  const one = (heads) => (head < 0 ? meanOf(heads) : heads[head]);
  if (!w.local.net) {
    if (needs(s)) return null;
    const { probabilities, looks, rollout: flow } = s.found;
    return { says: probabilities, before: null, row: rolls(w) ? flow : one(looks[layer]) };
  }
  const before = run(w, "seen", s, undefined);
  const now = s.hidden.size ? run(w, "now", s, s.hides) : before;
  const row = rolls(w) ? now.flow[s.query] : one(now.weights[layer].map((rows) => rows[s.query]));
  return { says: now.probabilities, before: s.hidden.size ? before.probabilities : null, row };
}

// ---- doing

/**
 * A model for other images must not be used, whatever its file is called.
 * @param {W} w
 */
function make(w) {
  const [, channels, height, width] = w.get("pixels").size;
  const mine = [channels, height, width, w.get("patch"), w.get("names").length];
  return (checkpoint) => {
    const { channels: c, image = [], patch, classes } = checkpoint.config;
    if (String([c, ...image, patch, classes]) !== String(mine))
      throw new Error("the file is of a model for other images");
    return visionTransformer(checkpoint);
  };
}

/** @param {W} w */
const load = (w) => withNetwork(w, make(w), () => {}, "What is recorded stays.");

/** @param {W} w */
function act(w, changes) {
  w.set(changes);
  if (!w.local.net && needs(sceneOf(w))) load(w);
}

/** @param {W} w */
const show = (w, chosen) => act(w, { chosen, query: 0, hidden: [] });
/** @param {W} w */
const ask = (w, query) => act(w, { query });
/** @param {W} w */
const toggle = (w, s, p) => act(w, { hidden: s.hidden.has(p) ? s.hides.filter((x) => x !== p) : [...s.hides, p] });
/** @param {W} w */
const put = (w, drawn) => {
  w.local.wet = undefined;
  act(w, { drawn });
};

/**
 * Draw: from what is on the pad, or from these rows.
 * @param {W} w
 * @param {number[][]} [rows]
 */
function drawing(w, rows) {
  act(w, { chosen: OWN, query: 0, hidden: [], ...(rows ? { drawn: rows } : {}) });
  focus(w, ".qkv-pad [tabindex='0']");
}

// ---- words

/** @param {W} w */
const nameOf = (w, k) => `“${shown(w.get("names")[k])}”`;

const where = (s, p) => `patch ${p + 1} (row ${Math.floor(p / s.columns) + 1}, column ${(p % s.columns) + 1})`;

const who = (s, token) => (token ? where(s, token - 1) : "the class token");

/** @param {W} w */
function through(w) {
  const layers = layersOf(w);
  if (rolls(w)) return counted(layers.length, "Rollout over {n} layer", "Rollout over {n} layers");
  const layer = layerOf(w) + 1;
  if (headOf(w) >= 0) return `Layer ${layer}, head ${headOf(w) + 1}`;
  return counted(layers[0].length, `Layer ${layer}, mean of {n} head`, `Layer ${layer}, mean of {n} heads`);
}

const onIt = ({ n, share, even }) =>
  n === 1
    ? `That is on the digit, whose 1 patch gets ${share} in all; spread evenly it would be ${even}.`
    : `That is on the digit, whose ${n} patches get ${share} in all; spread evenly it would be ${even}.`;

const besideIt = ({ n, share, even }) =>
  n === 1
    ? `That is not on the digit, whose 1 patch gets ${share} in all; spread evenly it would be ${even}.`
    : `That is not on the digit, whose ${n} patches get ${share} in all; spread evenly it would be ${even}.`;

/** @param {W} w */
function lookWords(w, s, { row }) {
  const others = row.map((x, j) => (rolls(w) && j === s.query ? -1 : x)); // half of a rollout is what a token was before
  const best = peak(others);
  const token = who(s, s.query);
  const most = `${who(s, best)}: ${chance(row[best])}`;
  const first = rolls(w)
    ? `${through(w)}: of what ends up in ${token}, ${chance(row[s.query])} was there, and most of the rest comes from ${most}.`
    : `${through(w)}: ${token} looks most at ${best === s.query ? `itself: ${chance(row[best])}` : most}.`;
  if (!s.place) return first;
  const share = s.touched.reduce((sum, p) => sum + row[p + 1], 0);
  const even = s.touched.length / (s.count + 1);
  const holes = { n: s.touched.length, share: chance(share), even: chance(even) };
  return `${first} ${best > 0 && s.touched.includes(best - 1) ? onIt(holes) : besideIt(holes)}`;
}

/** By how much a probability has changed, as far as two decimals tell. */
function moved(was, now) {
  const [before, after] = [chance(was), chance(now)];
  if (before === after) return `and so does its probability (${after})`;
  const by = chance(Math.abs(now - was));
  const far = by.startsWith("<") ? `by less than ${by.slice(1)}` : `by ${by}`;
  return now > was
    ? `and its probability rises ${far}, from ${before} to ${after}`
    : `but its probability falls ${far}, from ${before} to ${after}`;
}

/** @param {W} w */
function sayWords(w, s, { says, before }) {
  const best = peak(says);
  const name = nameOf(w, best);
  const p = chance(says[best]);
  if (!before) {
    if (s.own) return `The model says ${name} (${p}).`;
    return best === s.label
      ? `The model says ${name} (${p}), and is right.`
      : `The model says ${name} (${p}), but it is ${nameOf(w, s.label)}.`;
  }
  const full = peak(before);
  const all = chance(before[full]);
  const hidden = s.hidden.size === 1 ? where(s, s.hides[0]) : `${s.hidden.size} of ${s.count} patches`;
  return full === best
    ? `Without ${hidden} the answer stays ${name}, ${moved(before[full], says[best])}.`
    : `Without ${hidden} the model says ${name} (${p}) instead of ${nameOf(w, full)}, which it says when it sees all (${all}).`;
}

/** @param {W} w */
function words(w, s, a) {
  if (!a) return w.local.loading ? "The model is on its way." : "For this the model is needed.";
  return `${sayWords(w, s, a)} ${s.empty ? "But nothing is drawn yet: no model says that it sees nothing. " : ""}${lookWords(w, s, a)}`;
}

// ---- the picture

const part = (i, n) => (n > 1 ? (100 * i) / (n - 1) : 0);

/** One patch of it, as a style. */
const cut = (s, p) =>
  `${backdrop(s.image, s.key)};background-size:${100 * s.columns}% ${100 * s.rows}%;` +
  `background-position:${part(p % s.columns, s.columns)}% ${part(Math.floor(p / s.columns), s.rows)}%`;

/** The largest weight of a patch: what the colours are measured by. */
const largest = (row) => Math.max(...row.slice(1)) || 1;

/** @param {W} w */
const does = (w, s, p) => (w.get("click") === "hides" ? toggle(w, s, p) : ask(w, p + 1));

function label(s, a, token) {
  const per = a ? `, ${Math.round(100 * a.row[token]) || "under 1"} per cent` : "";
  return `${token ? where(s, token - 1) : "class token"}${s.hidden.has(token - 1) ? ", hidden" : per}`;
}

/** @param {W} w */
const pressed = (w, s, token) => (w.get("click") === "hides" && token ? s.hidden.has(token - 1) : s.query === token);

/** @param {W} w */
function patchOf(w, s, a, p) {
  const weight = a && !s.hidden.has(p) ? a.row[p + 1] : 0;
  const per = Math.round(100 * weight);
  const cls = `qkv-patch ${s.query === p + 1 ? "qkv-asker" : ""} ${s.hidden.has(p) ? "qkv-gone" : ""}`;
  const style = `--a:${a ? ((0.7 * weight) / largest(a.row)).toFixed(3) : 0}`;
  const text = html`${per ? html`<small aria-hidden="true">${per}</small>` : nothing}`;
  if (w.still) return html`<span class=${cls} style=${style}>${text}</span>`;
  const go = () => {
    w.local.patch = p;
    does(w, s, p);
  };
  return html`<button
    type="button" class=${cls} style=${style} data-patch=${p} aria-label=${label(s, a, p + 1)} aria-pressed=${pressed(w, s, p + 1)}
    tabindex=${p === (w.local.patch ?? 0) ? 0 : -1} @click=${go}
  >${text}</button>`;
}

/** @param {W} w */
function picture(w, s, a) {
  const key = (event) => {
    const now = +event.target.dataset.patch;
    const to = walk(event, [Math.floor(now / s.columns), now % s.columns], [s.rows, s.columns]);
    if (!to) return;
    event.preventDefault();
    event.stopPropagation();
    w.local.patch = to[0] * s.columns + to[1];
    w.draw();
    focus(w, `[data-patch="${w.local.patch}"]`);
  };
  const per = (x, whole) => `${(100 * x) / whole}%`;
  const extent = w.get("extent");
  const truth =
    s.place &&
    html`<i class="qkv-truth" style="left:${per(s.place[1], s.width)};top:${per(s.place[0], s.height)};width:${per(extent, s.width)};height:${per(extent, s.height)}"></i>`;
  const what = `${s.own ? "Your drawing" : `Image ${s.at + 1}`} and where ${who(s, s.query)} looks`;
  return html`<div class="qkv-look">
    <div class="qkv-h">The image <small>${s.rows} × ${s.columns} patches of ${s.side} × ${s.side} pixels</small></div>
    <div class="qkv-image" role="group" aria-label="${what}${w.still ? "" : ": arrow keys move"}" style="--rows:${s.rows};--columns:${s.columns};aspect-ratio:${s.width}/${s.height};${backdrop(s.image, s.key)}" @keydown=${w.still ? nothing : key}>
      ${Array.from({ length: s.count }, (_, p) => patchOf(w, s, a, p))}${truth ?? nothing}
    </div>
    <p class="qkv-legend">
      <span class="qkv-key qkv-hot"></span>looked at, in per cent
      ${s.place ? html`<span class="qkv-key qkv-truth"></span>the digit` : nothing}
      ${s.hidden.size ? html`<span class="qkv-key qkv-gone"></span>hidden` : nothing}
    </p>
  </div>`;
}

// ---- the sentence

/** @param {W} w */
function token(w, s, a, t) {
  const cls = `qkv-word ${s.query === t ? "qkv-asker" : ""}`;
  const body = html`<span class="qkv-bit ${t ? "" : "qkv-class"} ${s.hidden.has(t - 1) ? "qkv-gone" : ""}" style=${t && !s.hidden.has(t - 1) ? cut(s, t - 1) : nothing}>${t ? nothing : "class"}</span>
    <span class="qkv-weight"><i style="height:${a ? (100 * a.row[t]) / Math.max(...a.row) : 0}%"></i></span>
    <small aria-hidden="true">${t || "\u00a0"}</small>`;
  if (w.still) return html`<span class=${cls}>${body}</span>`;
  const go = () => {
    w.local.token = t;
    if (t) does(w, s, t - 1);
    else ask(w, 0);
  };
  return html`<button
    type="button" class=${cls} data-token=${t} aria-label=${label(s, a, t)} aria-pressed=${pressed(w, s, t)} tabindex=${t === (w.local.token ?? 0) ? 0 : -1}
    @click=${go}
  >${body}</button>`;
}

/** @param {W} w */
function line(w, s, a) {
  const key = (event) => {
    const to = walk(event, [0, +event.target.dataset.token], [1, s.count + 1]);
    if (!to || event.key === "ArrowUp" || event.key === "ArrowDown") return;
    event.preventDefault();
    event.stopPropagation();
    w.local.token = to[1];
    w.draw();
    focus(w, `[data-token="${to[1]}"]`);
  };
  return html`<div class="qkv-h">The sentence <small>the class token, then the patches as one reads; the bars: where ${who(s, s.query)} looks</small></div>
    <div class="qkv-sentence" role="group" aria-label="The sentence${w.still ? "" : ": arrow keys move"}" @keydown=${w.still ? nothing : key}>
      ${Array.from({ length: s.count + 1 }, (_, t) => token(w, s, a, t))}
    </div>`;
}

// ---- the tables

const weightCell = (weight, most) =>
  html`<td style=${cellStyle(Math.min(weight / most, 1), "unit", 1)}>${weight < 0.005 ? "0" : chance(weight)}</td>`;

/** @param {W} w */
function weights(w, s, a) {
  const most = Math.max(...a.row) || 1;
  const indices = (n) => Array.from({ length: n }, (_, i) => i);
  return scroll(
    w,
    "Weights",
    html`<table class="qkv-sees">
    <caption>${rolls(w) ? "What ends up in it" : "Where it looks"} <small>${through(w).replace(/^L/, "l").replace(/^R/, "r")}</small></caption>
    <thead><tr><td></td>${indices(s.columns).map((c) => html`<th scope="col"><span class="qkv-vh">column </span>${c + 1}</th>`)}</tr></thead>
    <tbody>
      ${indices(s.rows).map(
        (r) =>
          html`<tr><th scope="row">row ${r + 1}</th>${indices(s.columns).map((c) => {
            const p = r * s.columns + c;
            return s.hidden.has(p)
              ? html`<td class="qkv-mask"><span aria-hidden="true">–</span><span class="qkv-vh">hidden</span></td>`
              : weightCell(a.row[p + 1], most);
          })}</tr>`,
      )}
      <tr><th scope="row">class token</th>${weightCell(a.row[0], most)}</tr>
    </tbody>
  </table>`,
  );
}

/** @param {W} w */
function classes(w, s, { says, before }) {
  const best = peak(says);
  return html`<table class="qkv-probs">
    <caption>What it says</caption>
    <tbody>
      ${says.map(
        (p, k) => html`<tr class=${k === best ? "qkv-best" : ""}>
          <th scope="row">${k === best ? html`<span class="qkv-diamond" aria-hidden="true">◆</span>` : nothing}${shown(w.get("names")[k])}${k === s.label ? html` <small>true</small>` : nothing}</th>
          <td class="qkv-num">${chance(p)}</td>
          <td><span class="qkv-meter"><i style="width:${100 * p}%"></i>${before ? html`<u style="left:${100 * before[k]}%"></u>` : nothing}</span>${before ? html`<span class="qkv-vh">before ${chance(before[k])}</span>` : nothing}</td>
        </tr>`,
      )}
    </tbody>
  </table>
  <p class="qkv-legend">${before ? html`<span class="qkv-meter"><u style="left:50%"></u></span>when it sees all` : nothing}</p>`;
}

// ---- the controls

/** @param {W} w */
function inputs(w, s) {
  if (w.still) return html`<p class="qkv-input">Image: <b>${s.at + 1}, ${nameOf(w, s.label)}</b></p>`;
  const labels = w.get("labels");
  return html`<div class="qkv-inputs">
    <label>Image
      <select data-pick="image" .value=${live(String(s.at))} @change=${(e) => show(w, +e.target.value)}>
        ${labels.map((k, i) => html`<option value=${i} ?selected=${i === s.at}>${i + 1}: ${nameOf(w, k)}</option>`)}
        ${w.get("draw") ? html`<option value=${OWN} ?selected=${s.own}>your drawing</option>` : nothing}
      </select></label>
    ${
      !w.get("draw")
        ? nothing
        : s.own
          ? html`<button type="button" data-act="clear" @click=${() => put(w, [])}>Clear the drawing</button>`
          : html`<button type="button" data-act="draw" @click=${() => drawing(w)}>Draw your own</button>
            <button type="button" data-act="copy" @click=${() => drawing(w, s.image[0])}>Draw on a copy of this</button>`
    }
  </div>`;
}

/** @param {W} w */
function looking(w) {
  if (w.still) return nothing;
  const layers = layersOf(w);
  const set = (name) => (x) => w.set({ [name]: x });
  return html`<div class="qkv-facts">
    ${choice(w, {
      legend: "Show",
      name: "mode",
      options: [
        ["attention", "the attention of one layer"],
        ["rollout", "the rollout over all"],
      ],
      chosen: w.get("mode"),
      pick: set("mode"),
    })}
    ${
      rolls(w)
        ? nothing
        : [
            pick("layer", "layer", layerOf(w), numbers(layers.length), set("layer")),
            pick("head", "head", headOf(w), [[-1, "mean"], ...numbers(layers[0].length)], set("head")),
          ]
    }
  </div>`;
}

/** @param {W} w */
function hiding(w, s, a) {
  if (w.still) return nothing;
  const top = () => {
    const best = a ? peak(a.row.slice(1).map((x, p) => (s.hidden.has(p) ? -1 : x))) : -1;
    if (best >= 0 && !s.hidden.has(best)) toggle(w, s, best);
  };
  const full = !a || s.hidden.size === s.count;
  return html`<div class="qkv-facts">
    ${choice(w, {
      legend: "A click on a patch",
      name: "click",
      options: [
        ["asks", "asks where it looks"],
        ["hides", "hides it"],
      ],
      chosen: w.get("click"),
      pick: (click) => w.set({ click }),
    })}
    <button type="button" data-act="top" aria-disabled=${full} @click=${top}>Hide where it looks most</button>
    <button type="button" data-act="all" aria-disabled=${!s.hidden.size} @click=${() => s.hidden.size && act(w, { hidden: [] })}>Show all</button>
  </div>`;
}

/**
 * Where the model is, or what is the matter with it: always one line, so that nothing below it moves.
 * @param {W} w
 */
function status(w, a) {
  if (w.still) return nothing;
  const wanted = !a && !w.local.loading;
  return html`<div role="status" class="qkv-model ${w.local.note || wanted ? "qkv-note" : ""}">
      ${w.local.note ? html`<p>${w.local.note}</p>` : nothing}
      ${wanted ? html`<p><button type="button" data-act="load" @click=${() => load(w)}>Load the model, ${size(w.get("size"))}</button></p>` : nothing}
      ${w.local.note || wanted ? nothing : here(w)}
    </div>`;
}

/** @param {W} w */
function here(w) {
  const bytes = size(w.get("size"));
  const first = w.get("draw")
    ? `When you ask a patch, hide one or draw, the model is loaded first: ${bytes}, once.`
    : `When you ask a patch, hide one, the model is loaded first: ${bytes}, once.`;
  return html`<p class="qkv-hint">${modelHint(w, first)}</p>`;
}

/** @param {W} w */
function board(w, s) {
  if (!s.own || w.still) return nothing;
  const wet = (rows) => {
    w.local.wet = rows;
    w.draw();
  };
  return html`<div class="qkv-board">
    <div class="qkv-h">Draw <small>${s.height} × ${s.width} pixels</small></div>
    ${pad(w, { rows: s.lines, put: (rows) => put(w, rows), wet })}
    ${inks(w, choice)}
    <p class="qkv-hint">Draw with a pointer; or arrow keys, and Space to paint; 0 to 4 choose the brightness.</p>
  </div>`;
}

// ---- the widget

/** @param {W} w */
function missing(w) {
  const { size: [count, , height, width] = [] } = w.get("pixels") ?? {};
  if (!count) return "there is no image in it";
  const [side, found, at] = [w.get("patch"), w.get("found"), w.get("chosen")];
  if (!(side > 0) || height % side || width % side)
    return `patches of ${side} pixels do not divide an image of ${height} × ${width}`;
  if (found?.length !== count || w.get("labels")?.length !== count)
    return `the number of images is ${count}, but that of recorded ones is ${found?.length ?? 0}`;
  const tokens = (height / side) * (width / side) + 1;
  const fits = (run) =>
    run.probabilities.length === w.get("names").length && run.rollout.length === tokens && run.looks.length > 0;
  if (!found.every((run) => fits(run) && run.looks.flat().every((row) => row.length === tokens)))
    return "its weights do not fit its patches";
  if (!(at < count && at >= (w.get("draw") ? OWN : 0)))
    return counted(count, `it has {n} image, and not number ${at}`, `it has {n} images, and not number ${at}`);
  if (!(w.get("query") >= 0 && w.get("query") < tokens))
    return `it has ${tokens} tokens, and not number ${w.get("query")}`;
  const drawn = w.get("drawn");
  return drawn.length && (drawn.length !== height || drawn.some((row) => row.length !== width))
    ? "its drawing is not of its images' size"
    : "";
}

/** @param {W} w */
function view(w) {
  const s = sceneOf(w);
  const a = answerOf(w, s);
  return html`
    <div class="qkv-top">${inputs(w, s)}${status(w, a)}</div>
    ${looking(w)}${hiding(w, s, a)}
    ${sentence(w, words(w, s, a))}
    <div class="qkv-sight ${s.own ? "qkv-drawing" : ""}">
      ${board(w, s)}${picture(w, s, a)}
      <div class="qkv-says">${a ? classes(w, s, a) : nothing}</div>
      <div class="qkv-sees-in">${a ? weights(w, s, a) : nothing}</div>
    </div>
    ${line(w, s, a)}`;
}

/** @param {W} w */
function stills(w) {
  const base = { chosen: 0, query: 0, hidden: [], head: -1 };
  return ["attention", "rollout"].map((mode) => {
    const state = { ...base, mode };
    const get = (key) => (key in state ? state[key] : w.get(key));
    const frame = { ...w, get };
    const s = sceneOf(frame);
    return { caption: words(frame, s, answerOf(frame, s)), state };
  });
}

export default widget("patches", { missing, view, stills });
