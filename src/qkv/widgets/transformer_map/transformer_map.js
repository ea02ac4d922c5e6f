// TransformerMap: the model as the paper draws it, and a sentence on its way through.
import { html, nothing, svg } from "lit-html";
import { guard } from "lit-html/directives/guard.js";
import { live } from "lit-html/directives/live.js";
import { bars, reach } from "../core/bars.js";
import { choice, controls, sentence } from "../core/controls.js";
import { areas, figure, WIDTH } from "../core/figure.js";
import { focus, hasFocus } from "../core/focus.js";
import { widget } from "../core/frame.js";
import { decode, peak } from "../core/maths.js";
import { matrix } from "../core/matrix.js";
import { scroll } from "../core/scroll.js";
import { tensors } from "../core/tensors.js";
import { chance, counted, exact, shape, shown, special } from "../core/text.js";
import { thumbs } from "../core/thumb.js";
import { chain, drawAgainWhenDark, heading, named, stepBody, stepMatrix, stepSentence } from "../core/trace_steps.js";

/** @typedef {"encoder" | "decoder"} Stack */
/** @typedef {"source" | "target"} Side */

/**
 * A box of the figure, and what the walk shows there. Steps are named by their paths in the trace.
 * @typedef {object} Place
 * @property {string} id
 * @property {string} part what the trace calls it: "cross-attention", "norm", …
 * @property {string} kind of its box: parts that are drawn alike have one
 * @property {string} label
 * @property {string} called its name within a sentence
 * @property {number} words which title and formula
 * @property {string} path where its result is
 * @property {Side} side whose tokens it is of
 * @property {string} stack "encoder", "decoder", "source" and "target" below them, or "end"
 * @property {number} [layer] of the stack
 * @property {string} [sub] its sub-layer
 * @property {string[]} [stream] before the sub-layer, what it adds, the sum, and that normalised where norms come last
 * @property {string} [before] of a norm outside the layers
 * @property {string[]} [inner] the steps that it opens into
 * @property {string} [weights] of an attention
 * @property {Side} [keys] whose tokens an attention looks at
 * @property {string} [active] the hidden features after ReLU
 * @property {number} [count] of its parameters
 */
/** @typedef {Place & { weights: string, keys: Side }} Attention */

/**
 * A tensor of the trace: packed, or `of` others; and what is said of it if it is a step.
 * @typedef {object} Entry
 * @property {number[]} size of what is kept
 * @property {number[]} [full] size of the whole
 * @property {number} [grain]
 * @property {string} [data]
 * @property {(string | number)[]} [of]
 * @property {number} words
 * @property {string[]} axes
 * @property {string[]} reads
 * @property {boolean} [unit] are its numbers from 0 to 1?
 */

/** @typedef {{ group: string, name: string, count: number, share: number }} Part */

/**
 * @typedef {object} State
 * @property {{ source: string[], target: string[] }} tokens
 * @property {[string, string][]} words titles and formulas
 * @property {{ [path: string]: Entry }} steps
 * @property {Place[]} places in the order of the walk
 * @property {string[]} columns the outputs that are shown
 * @property {[string, number][][]} top the likeliest next tokens of each position
 * @property {{ [path: string]: string }} notes what is cut off
 * @property {Part[]} parts
 * @property {number} place
 * @property {number} inside the step within the place, or -1
 * @property {number} head
 * @property {number} row
 * @property {"walk" | "parameters"} show
 * @property {boolean} [alone] in print: without the figure
 */
/** @typedef {import("../core/trace_steps.js").Step} Step */
/** @typedef {import("../core/frame.js").World<State>} W */

// ---- what is where

const capital = (text) => text[0].toUpperCase() + text.slice(1);
const lower = (text) => text[0].toLowerCase() + text.slice(1);
const many = (n) => n.toLocaleString("en");
const quoted = (token) => `“${shown(token)}”`;

/**
 * @param {Place} place
 * @returns {place is Attention}
 */
const isAttention = (place) => place.kind === "attention";

/** “Decoder layer 2”, or nothing outside the layers. */
const whereOf = (place) => (place.layer === undefined ? "" : `${capital(place.stack)} layer ${place.layer + 1}`);

const nameOf = (place) => (whereOf(place) ? `${whereOf(place)}: ${lower(place.label)}` : place.label);

/** How the reader finds this step in Python. */
const inPython = (path) => `trace.${path.replace(/\.(\d+)\./g, "[$1].")}`;

/** @type {WeakMap<State["steps"], { numbers: (path: string) => any, made: Map<string, Step> }>} */
const unpacked = new WeakMap();

/**
 * What is unpacked of a trace so far: its numbers by name, and its steps as they are drawn.
 * @param {W} w
 */
function opened(w) {
  const steps = w.get("steps");
  const found = unpacked.get(steps) ?? { numbers: tensors(steps), made: new Map() };
  unpacked.set(steps, found);
  return found;
}

/** @param {W} w */
const values = (w) => opened(w).numbers;

/**
 * The names of an axis' positions, at a place.
 * @param {W} w
 */
function labels(w, place, step, axis, count) {
  const tokens = w.get("tokens");
  if (axis === "key") return tokens[place.keys];
  if (["token", "query", "source", "target"].includes(axis)) return tokens[place.side];
  if (axis === "vocab") return w.get("columns");
  if (axis === "head") return Array.from({ length: count }, (_, h) => String(h + 1));
  return axis === "1" ? [step.path.split(".").at(-1)] : named(null, count);
}

/**
 * A step as core/trace_steps draws it.
 * @param {W} w
 * @param {string} path
 */
function stepOf(w, path) {
  const { numbers, made } = opened(w);
  const step = made.get(path) ?? stepFrom(w, path, numbers(path));
  made.set(path, step);
  return step;
}

/**
 * @param {W} w
 * @returns {Step}
 */
function stepFrom(w, path, numbers) {
  const entry = w.get("steps")[path];
  const [title, formula] = w.get("words")[entry.words];
  return {
    path,
    title,
    formula,
    axes: entry.axes,
    reads: entry.reads,
    shape: entry.size,
    size: entry.full ?? entry.size,
    scale: entry.unit ? "unit" : "diverging",
    limit: reach(entry.axes.length > 2 ? numbers.flat() : numbers),
    note: w.get("notes")[path] ?? "",
    values: numbers,
  };
}

const short = (place, path) =>
  path.slice(path.startsWith(`${place.id}.`) ? place.id.length + 1 : `${place.stack}.${place.layer}.`.length);

/**
 * The steps within a place.
 * @param {W} w
 * @param {Place} place
 */
const innerSteps = (w, place) =>
  (place.inner ?? []).map((path) => ({ ...stepOf(w, path), name: short(place, path), code: inPython(path) }));

const length = (row) => Math.sqrt(row.reduce((sum, x) => sum + decode(x) ** 2, 0)).toPrecision(3);

// ---- what is said

/**
 * @param {W} w
 * @param {Attention} place
 */
function looking(w, place, row) {
  const heads = values(w)(place.weights);
  const h = Math.min(w.get("head"), heads.length - 1);
  const [mine, keys] = [w.get("tokens")[place.side], w.get("tokens")[place.keys]];
  const weights = heads[h][row];
  const best = peak(weights);
  const open = weights.filter((x) => x !== null).length;
  const there =
    best < 0
      ? `In head ${h + 1}, ${quoted(mine[row])} may look at nothing.`
      : `In head ${h + 1}, ${quoted(mine[row])} looks most at ${quoted(keys[best])}: ${chance(weights[best])}.`;
  const seen = counted(weights.length, `It may look at ${open} of {n} token.`, `It may look at ${open} of {n} tokens.`);
  const from = "The queries come from the decoder, keys and values from the top of the encoder.";
  return [there, ...(open < weights.length ? [seen] : []), ...(place.keys === place.side ? [] : [from])].join(" ");
}

/**
 * What a place does with the token in focus.
 * @param {W} w
 * @param {Place} place
 */
function told(w, place, row) {
  const get = values(w);
  const token = quoted(w.get("tokens")[place.side][row]);
  const long = (path) => length(get(path)[row]);
  const stream = place.stream ?? [];
  if (isAttention(place)) return looking(w, place, row);
  switch (place.kind) {
    case "embedding":
      return `${token} becomes ${get(place.path)[row].length} numbers: its row of the table, times the square root of d_model.`;
    case "position":
      return `${token} stands at position ${row}. Its vector of length ${long(stream[0])} and that of the position, ${long(stream[1])}, give one of ${long(stream[2])}.`;
    case "norm":
      return `The vector of ${token} goes from length ${long(place.before ?? stream[0])} to ${long(place.path)}: mean 0 and variance 1, then scaled and shifted.`;
    case "feed": {
      if (!place.active) break;
      const active = get(place.active)[row];
      return `For ${token}, ${active.filter((x) => x > 0).length} of ${active.length} hidden features are above 0; what follows from them has length ${long(place.path)}.`;
    }
    case "add":
      return stream[3]
        ? `${token} came with length ${long(stream[0])}, ${place.called} adds ${long(stream[1])}, the sum has ${long(stream[2])}, and normalised ${long(stream[3])}.`
        : `${token} came with length ${long(stream[0])}, ${place.called} adds ${long(stream[1])}, the sum has ${long(stream[2])}.`;
    case "linear": {
      const scores = get(place.path)[row];
      return `After ${token}, the highest score is ${exact(scores[peak(scores)])}, for ${quoted(w.get("columns")[peak(scores)])}.`;
    }
    case "softmax": {
      const [[next, p]] = w.get("top")[row];
      return `After ${token}, the most likely next token is ${quoted(next)}: ${chance(p)}.`;
    }
  }
  return `What follows for ${token} has length ${long(place.path)}.`;
}

// ---- the figure

/** @type {Stack[]} */
const stacks = ["encoder", "decoder"];

/**
 * The layer that each stack shows: where the walk is, else where it will begin or has ended.
 * @param {Place[]} places
 * @returns {Record<Stack, { layer: number, count: number }>}
 */
function layersAt(places, at) {
  const now = places[at];
  const count = (stack) => Math.max(...places.filter((p) => p.stack === stack).map((p) => p.layer ?? 0)) + 1;
  const layer = (stack) => {
    if (now.stack === stack) return now.layer ?? 0;
    return places.findIndex((p) => p.stack === stack) > at ? 0 : count(stack) - 1;
  };
  const shown = (stack) => ({ layer: layer(stack), count: count(stack) });
  return { encoder: shown("encoder"), decoder: shown("decoder") };
}

const whole = (label) => label.replaceAll("-", "\u2011"); // no line ends within a word

const path = (points) => `M${points.map(([x, y]) => `${x} ${y}`).join("L")}`;

function tip([[x0, y0], [x, y]]) {
  const [dx, dy] = [Math.sign(x - x0), Math.sign(y - y0)];
  return dx ? `M${x} ${y}l${-5 * dx} -3v6z` : `M${x} ${y}l-3 ${-5 * dy}h6z`;
}

const lines = (
  plan,
) => html`<svg width=${WIDTH} height=${plan.height} viewBox="0 0 ${WIDTH} ${plan.height}" aria-hidden="true">
  ${plan.frames.map((f) => svg`<rect class="qkv-frame" x=${f.left} y=${f.top} width=${f.width} height=${f.height} rx="8"/>`)}
  ${plan.ways.map(
    ({ kind, points, tip: ends }) =>
      svg`<path class="qkv-way-${kind}" d=${path(points)}/>${ends ? svg`<path class="qkv-tip-${kind}" d=${tip(points.slice(-2))}/>` : nothing}`,
  )}
  ${plan.marks.map((m) => svg`<text x=${m.x} y=${m.y}>${m.words}</text>`)}
</svg>`;

const stand = ({ left, top, width, height }) => `left:${left}px;top:${top}px;width:${width}px;height:${height ?? 20}px`;

/**
 * Walk to a place; a box that had the focus hands it on to the one there.
 * @param {W} w
 */
function go(w, place, had = hasFocus(w, ".qkv-box")) {
  w.set({ place, inside: -1, show: "walk" });
  if (had) focus(w, `.qkv-box[data-place="${place}"]`, { preventScroll: true });
}

/**
 * The same box in another layer.
 * @param {W} w
 * @param {Stack} stack
 */
function toLayer(w, at, stack, layer) {
  const places = w.get("places");
  const now = places[at];
  const sought = places.findIndex(
    (p) =>
      p.stack === stack && p.layer === layer && (now.stack !== stack || (p.sub === now.sub && p.kind === now.kind)),
  );
  go(w, sought, false);
}

/** @param {W} w */
function chooser(w, at, stack, { layer, count }, place) {
  if (!place) return nothing;
  const title = `${capital(stack)} layer`;
  if (w.still || count < 2)
    return html`<div class="qkv-layer" style=${stand(place)}>${stack} layer ${layer + 1} of ${count}</div>`;
  return html`<label class="qkv-layer" style=${stand(place)}><span>layer</span>
    <select aria-label=${title} .value=${live(String(layer))} @change=${(e) => toLayer(w, at, stack, +e.target.value)}>
      ${Array.from({ length: count }, (_, i) => html`<option value=${i} ?selected=${i === layer}>${i + 1}</option>`)}
    </select><span>of ${count}</span></label>`;
}

/** @type {WeakMap<Place[], Map<string, ReturnType<typeof figure>>>} */
const plans = new WeakMap();

/**
 * The figure with these layers; the same object while they are shown.
 * @param {Place[]} places
 */
function planOf(places, encoder, decoder) {
  const made = plans.get(places) ?? new Map();
  plans.set(places, made);
  const key = `${encoder},${decoder}`;
  if (!made.has(key)) made.set(key, figure(places, { encoder, decoder }));
  return made.get(key);
}

/** @param {W} w */
function map(w, at, row) {
  const places = w.get("places");
  const tokens = w.get("tokens");
  const layers = layersAt(places, at);
  const plan = planOf(places, layers.encoder.layer, layers.decoder.layer);
  const box = (b) => {
    const i = places.indexOf(b.place);
    const look = `qkv-box qkv-k-${b.place.kind} ${i === at ? "qkv-now" : ""}`;
    if (w.still) return html`<span class=${look} style=${stand(b)}>${whole(b.place.label)}</span>`;
    return html`<button type="button" class=${look} data-place=${i} style=${stand(b)} tabindex=${i === at ? 0 : -1} aria-current=${i === at ? "step" : nothing} @click=${() => go(w, i)}>${whole(b.place.label)}</button>`;
  };
  const said = (side) => tokens[side].map(shown).join(" ");
  const next = w.get("top")[Math.min(row, tokens.target.length - 1)];
  const floor = plan.height - 16;
  return html`<div class="qkv-figure1" role="group" aria-label="The model: choose a place" style="width:${WIDTH}px;height:${plan.height}px">
    ${guard([plan], () => lines(plan))}
    ${plan.boxes.map(box)}
    ${stacks.map((stack) => chooser(w, at, stack, layers[stack], plan.choosers[stack]))}
    ${["source", "target"].map((side) => html`<span class="qkv-io" style=${stand({ left: side === "source" ? 8 : WIDTH - 150, top: floor, width: 142, height: 16 })}><span class="qkv-vh">The ${side}: </span>${said(side)}</span>`)}
    <span class="qkv-io" style=${stand({ ...plan.result, height: 15 })}><span class="qkv-vh">Most likely next: </span>${shown(next[0][0])} ${chance(next[0][1])}</span>
  </div>`;
}

// ---- the place

/**
 * The residual stream before a sub-layer, what it adds, and the sum: for the token in focus.
 * @param {W} w
 * @param {Place} place
 */
function around(w, place, row) {
  const stream = place.stream;
  if (!stream) return nothing;
  const get = values(w);
  const rows = stream.map((path) => get(path)[row]);
  const limit = reach(rows.slice(0, 3));
  const names = ["before", `+ ${place.called}`, "= sum", "normalised"];
  return html`<table class="qkv-stream">
    <caption>What goes around, for ${quoted(w.get("tokens")[place.side][row])}</caption>
    <thead><tr><th scope="col"><span class="qkv-vh">part</span></th><th scope="col"><span class="qkv-vh">its numbers as bars</span></th><th scope="col">length</th></tr></thead>
    <tbody>${rows.map(
      (numbers, i) =>
        html`<tr class=${place.path === stream[i] ? "qkv-best" : ""}><th scope="row">${names[i]}</th><td>${bars(numbers, i < 3 ? limit : reach([numbers]))}</td><td>${length(numbers)}</td></tr>`,
    )}</tbody>
  </table>`;
}

/**
 * All heads in small; the one chosen is shown large.
 * @param {W} w
 * @param {Attention} place
 */
function heads(w, place) {
  const all = values(w)(place.weights);
  const h = Math.min(w.get("head"), all.length - 1);
  thumbs(w, ".qkv-head canvas", all);
  const face = (i) => html`<canvas aria-hidden="true"></canvas><b>head ${i + 1}</b>`;
  return html`<div class="qkv-all" role="group" aria-label="The weights of each head">
    ${all.map(
      (_, i) =>
        html`<div class="qkv-head">${
          w.still
            ? html`<div class="qkv-face">${face(i)}</div>`
            : html`<button type="button" class="qkv-face" data-head=${i} aria-pressed=${i === h} @click=${() => w.set({ head: i })}>${face(i)}</button>`
        }</div>`,
    )}
  </div>`;
}

/**
 * The likeliest next tokens of the position in focus.
 * @param {W} w
 */
const candidates = (w, row) => html`<table class="qkv-next">
  <caption>After ${quoted(w.get("tokens").target[row])}</caption>
  <thead><tr><th scope="col">next</th><th scope="col" colspan="2">probability</th></tr></thead>
  <tbody>${w.get("top")[row].map(
    ([token, p]) => html`<tr><th scope="row">${shown(token)}</th>
      <td><span class="qkv-meter" aria-hidden="true"><i style="width:${Math.round(p * 1000) / 10}%"></i></span></td><td class="qkv-num">${chance(p)}</td></tr>`,
  )}</tbody>
</table>`;

/** A weight in a cell; what may not be attended to is a dash. */
const perCent = (x) => (typeof x === "number" ? String(Math.round(100 * x)) : x === null ? "–" : special(x));

/**
 * What core/trace_steps is told.
 * @param {W} w
 * @param {Place} place
 */
const session = (w, place, step, row) => ({
  step,
  row,
  say: step.scale === "unit" ? perCent : undefined,
  of: w.get("steps"),
  at: [w.get("head")],
  labels: (s, axis, count) => labels(w, place, s, axis, count),
  pick: (to) => w.set({ row: to }),
  turn: (_, to) => w.set({ head: to }),
});

/**
 * Which step a place shows before it is opened: what an attention looks at, else its result.
 * @param {W} w
 * @param {Place} place
 */
const face = (w, place) => stepOf(w, isAttention(place) ? place.weights : place.path);

/**
 * @param {W} w
 * @param {Place} place
 */
function opener(w, place, open) {
  const count = place.inner?.length ?? 0;
  if (w.still || count < 2) return nothing;
  const words = open ? "Close" : `Open: ${count} steps inside`;
  return html`<button type="button" data-act="open" aria-expanded=${open} @click=${() => w.set({ inside: open ? -1 : 0 })}>${words}</button>`;
}

/**
 * A place before it is opened.
 * @param {W} w
 * @param {Place} place
 */
function closed(w, place, { step, row }, m) {
  return html`<div class="qkv-facts">
      <span class="qkv-shape"><code>${inPython(step.path)}</code> ${shape(step.axes, step.size)}</span>
      ${place.count ? html`<span class="qkv-shape">${many(place.count)} parameters</span>` : nothing}
    </div>
    ${place.kind === "softmax" ? candidates(w, row) : around(w, place, row)}
    ${isAttention(place) ? heads(w, place) : nothing}
    ${step.note ? html`<p class="qkv-crop">${step.note}</p>` : nothing}
    ${step.scale === "unit" ? hint(w, place) : nothing}
    ${matrix(w, m)}`;
}

/**
 * @param {W} w
 * @param {Place} place
 */
const hint = (w, place) =>
  html`<p class="qkv-hint">${isAttention(place) ? `Head ${w.get("head") + 1}: each row looks at the columns, in per cent.` : "In per cent."}</p>`;

/** @param {W} w */
function walk(w, at) {
  const places = w.get("places");
  const place = places[at];
  const row = Math.min(Math.max(w.get("row"), 0), w.get("tokens")[place.side].length - 1);
  const steps = innerSteps(w, place);
  const inner = steps.length > 1 ? steps : []; // one step is shown already
  const inside = Math.min(w.get("inside"), inner.length - 1);
  const open = inside >= 0;
  const step = open ? inner[inside] : face(w, place);
  const s = session(w, place, step, row);
  const m = stepMatrix(w, s);
  const [title, formula] = w.get("words")[place.words];
  const move = (to) => (open ? w.set({ inside: to }) : go(w, to));
  const bar = open
    ? { at: inside, count: inner.length, what: "Step inside", said: step.title }
    : { at, count: places.length, what: "Place", said: nameOf(place) };
  // One template for both, so that the focus stays on the button that opens and closes.
  return html`${controls(w, { ...bar, go: move })}
    <div class="qkv-place"><span class="qkv-where">${nameOf(place)}</span>${opener(w, place, open)}</div>
    ${open ? chain(w, { steps: inner, now: inside, go: move, title: "The steps inside, in order" }) : nothing}
    ${
      open
        ? heading(
            step,
            step.reads.map((name) => (place.inner?.includes(name) ? short(place, name) : name)),
          )
        : heading({ title, formula, reads: [] })
    }
    ${sentence(w, open ? stepSentence(step, m, inside, inner.length) : told(w, place, row))}
    ${open ? stepBody(w, s, m) : closed(w, place, s, m)}`;
}

// ---- where the parameters are

const percent = (share) => (share < 0.0005 ? "<0.1 %" : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`);

const groups = {
  embedding: "embeddings",
  attention: "attention",
  feed: "feed-forward networks",
  norm: "layer norms",
  linear: "the output layer",
};

/**
 * “attention 52 %, feed-forward networks 34 %, …”, the largest first.
 * @param {Part[]} parts
 */
function shares(parts) {
  const found = new Map();
  for (const { group, name, share } of parts) {
    const key = groups[group] ?? name;
    found.set(key, (found.get(key) ?? 0) + share);
  }
  return [...found]
    .sort((a, b) => b[1] - a[1])
    .map(([name, share]) => `${name} ${percent(share)}`)
    .join(", ");
}

/** @param {W} w */
function parameters(w) {
  const parts = w.get("parts");
  const total = parts.reduce((sum, p) => sum + p.count, 0);
  const room = ({ width, height }) => width > 0.17 && height > 0.12;
  const name = (p) => html`<b>${p.name}</b> ${percent(p.share)}`;
  const at = (a) => `left:${100 * a.left}%;top:${100 * a.top}%;width:${100 * a.width}%;height:${100 * a.height}%`;
  return html`<div class="qkv-h">Where the ${many(total)} parameters are <small>areas are proportional to their number</small></div>
    ${sentence(w, `${capital(shares(parts))}.`)}
    <div class="qkv-areas" aria-hidden="true">${areas(parts).map((a) => html`<div class="qkv-k-${a.part.group}" style=${at(a)}>${room(a) ? name(a.part) : nothing}</div>`)}</div>
    ${scroll(
      w,
      "The parameters of each part",
      html`<table class="qkv-counts">
      <thead><tr><th scope="col">part</th><th scope="col">parameters</th><th scope="col">share</th></tr></thead>
      <tbody>${parts.map((p) => html`<tr><th scope="row"><i class="qkv-swatch qkv-k-${p.group}"></i>${p.name}</th><td>${many(p.count)}</td><td>${percent(p.share)}</td></tr>`)}</tbody>
      <tfoot><tr><th scope="row">all</th><td>${many(total)}</td><td></td></tr></tfoot>
    </table>`,
    )}`;
}

// ---- both

/** @param {W} w */
function missing(w) {
  const [places, tokens, steps] = [w.get("places"), w.get("tokens"), w.get("steps")];
  if (!places?.length) return "it holds no model";
  const at = w.get("place");
  if (!places[at])
    return counted(places.length, `it has {n} place, and not number ${at}`, `it has {n} places, and not number ${at}`);
  if (!tokens?.source?.length || !tokens?.target?.length) return "its tokens are missing";
  const lost = places.flatMap((p) => [p.path, ...(p.inner ?? []), ...(p.stream ?? [])]).find((path) => !steps[path]);
  if (lost) return `step “${lost}” is missing`;
  if (places.some((p) => steps[p.path].size[0] !== tokens[p.side].length)) return "its tokens do not fit the trace";
  return w.get("top")?.length === tokens.target.length ? "" : "the next tokens do not fit the trace";
}

const shows = [
  ["walk", "a walk through the model"],
  ["parameters", "where the parameters are"],
];

/** @param {W} w */
function view(w) {
  const at = w.get("place");
  const counted = w.get("parts").length > 0;
  const show = counted ? w.get("show") : "walk";
  const panel = show === "parameters" ? parameters(w) : walk(w, at);
  if (w.still && w.get("alone")) return panel;
  return html`${counted && !w.still ? choice(w, { legend: "Show", name: "show", options: shows, chosen: show, pick: (to) => w.set({ show: to }) }) : nothing}
    <div class="qkv-plan">${map(w, at, w.get("row"))}<div class="qkv-panel1">${panel}</div></div>`;
}

/**
 * The figure, the last attention of each kind, one sum, the answer, and the parameters.
 * @param {W} w
 */
function stills(w) {
  const places = w.get("places");
  const last = (test) => places.findLastIndex(test);
  const cross = last((p) => p.part === "cross-attention");
  const chosen = [
    last((p) => p.stack === "encoder" && p.part === "attention"),
    last((p) => p.stack === "decoder" && p.part === "attention"),
    cross,
    last((p) => p.kind === "add" && p.sub === places[cross]?.sub),
    last((p) => p.kind === "softmax"),
  ].filter((i) => i >= 0);
  const row = (place) => Math.min(w.get("row"), w.get("tokens")[place.side].length - 1);
  const said = (place) => `${nameOf(place)}. ${told(w, place, row(place))}`;
  const shots = chosen.map((place, i) => ({
    caption: said(places[place]),
    state: { place, inside: -1, show: "walk", alone: i > 0 },
  }));
  return w.get("parts").length ? [...shots, { state: { show: "parameters", alone: true } }] : shots;
}

export default widget("transformer-map", { missing, view, stills, begin: drawAgainWhenDark });
