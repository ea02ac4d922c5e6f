// TransformerMap: the model as the paper draws it, and a sentence on its way through.
import { html, nothing, svg } from "lit-html";
import { guard } from "lit-html/directives/guard.js";
import { live } from "lit-html/directives/live.js";
import { bars, numbers, reach } from "../core/bars.js";
import { choice, controls, sentence } from "../core/controls.js";
import { areas, figure, WIDTH } from "../core/figure.js";
import { focus, hasFocus } from "../core/focus.js";
import { widget } from "../core/frame.js";
import { marked } from "../core/korean.js";
import { decode, peak } from "../core/maths.js";
import { isSmall, matrix } from "../core/matrix.js";
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
 * @property {string} [serves] what the trace calls the work of that
 * @property {string[]} [stream] before the sub-layer, what it adds, the sum, and that normalised where norms come last
 * @property {string} [before] of a norm outside the layers
 * @property {string[]} [inner] the steps that it opens into
 * @property {string} [weights] of an attention
 * @property {Side} [keys] whose tokens an attention looks at
 * @property {string} [active] the hidden features after ReLU
 * @property {number} [count] of its parameters
 * @property {[number, string, number][]} [read] as if the model ended here: how likely each row's token is, and the likeliest
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
 * @property {{ source: string[], target: string[], written: string[] }} tokens target: fed; written: what each of its rows writes
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
 * @property {number} row of the decoder, in focus
 * @property {number} word the encoder's row in focus
 * @property {"walk" | "parameters"} show
 * @property {boolean} [alone] in print: without the figure
 */
/** @typedef {import("../core/trace_steps.js").Step} Step */
/** @typedef {import("../core/frame.js").World<State, import("../core/details.js").Opened>} W */

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
 * What the rows of a place are called: in the decoder by what they write, as in a heat map.
 * @param {W} w
 * @param {Place} place
 */
const rowNames = (w, place) => w.get("tokens")[place.side === "target" ? "written" : "source"];

/**
 * The row in focus, of each side its own.
 * @param {W} w
 * @param {Place} place
 */
const rowOf = (w, place) =>
  Math.min(Math.max(w.get(place.side === "target" ? "row" : "word"), 0), rowNames(w, place).length - 1);

/**
 * The names of an axis' positions, at a place.
 * @param {W} w
 */
function labels(w, place, step, axis, count) {
  const tokens = w.get("tokens");
  if (axis === "key") return tokens[place.keys];
  if (["token", "query", "source", "target"].includes(axis)) return rowNames(w, place);
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

const ordinal = (n) => `${n}${n % 100 > 10 && n % 100 < 14 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th")}`;

/**
 * What stands in the sentences about a place: its row's token, and lengths of vectors.
 * @param {W} w
 * @param {Place} place
 */
function facts(w, place, row) {
  const get = values(w);
  const target = place.side === "target";
  const { target: fed, written, source } = w.get("tokens");
  const stream = place.stream ?? [];
  return {
    get,
    target,
    row,
    again: (place.layer ?? 0) > 0,
    token: quoted(target ? fed[row] : source[row]), // whose vector it is
    goal: quoted(written[target ? row : Math.min(w.get("row"), written.length - 1)]),
    long: (path) => length(get(path)[row]),
    stream,
  };
}

const embedded = (f, size) =>
  f.target
    ? `To write ${f.goal}, the decoder is fed what stands before it, ${f.token}: ${size} numbers, its row of a learned table. It knows nothing else yet.`
    : `${f.token} enters as ${size} numbers, its row of a learned table. They say which word it is, but not where it stands, nor beside which others.`;

const placedAt = (f) =>
  `Attention alone cannot tell first from last. So the vector of the ${ordinal(f.row + 1)} place is added to that of ${f.token}: from now on it says what the token is and where it stands. Lengths ${f.long(f.stream[0])} and ${f.long(f.stream[1])} give ${f.long(f.stream[2])}.`;

/** Why a norm stands before this sub-layer, or at the end of a stack. */
const norms = {
  attention: (f, sizes) =>
    f.target
      ? `Before ${f.token} looks back, its vector is brought to a standard size (${sizes}). A question counts by what it asks; a long vector would only ask louder.`
      : `Before the words compare themselves, each is brought to a standard size; for ${f.token}, ${sizes}. Otherwise a long vector would be heard more only because it is long.`,
  "cross-attention": (f, sizes) =>
    `The vector is about to ask the source words. What it found looking back has changed its length, so it gets the standard size again (${sizes}): the question for ${f.goal} is as loud as every other.`,
  "feed-forward": (f, sizes) =>
    `The next network has learned for vectors of one size. The sum that it is given has grown to another; for ${f.token}, ${sizes}.`,
  source: (f, sizes) =>
    `The encoder is done. Each sum has a length of its own by now; one last norm gives all words one size (${f.token}: ${sizes}). These vectors are the memory that every layer of the decoder looks at.`,
  target: (f, sizes) =>
    `The last norm: however much the layers have added up to (${sizes}), ${f.goal} and all other tokens of the vocabulary are now scored for one size of vector in every row.`,
};

/**
 * What an attention asks, and where its head looks.
 * @param {W} w
 * @param {Attention} place
 */
function looking(w, place, f) {
  const heads = f.get(place.weights);
  const h = Math.min(w.get("head"), heads.length - 1);
  const [weights, keys] = [heads[h][f.row], w.get("tokens")[place.keys]];
  const best = peak(weights);
  const open = weights.filter((x) => x !== null).length;
  if (best < 0) return `In head ${h + 1}, ${f.token} may look at nothing.`;
  const most = `${quoted(keys[best])}: ${chance(weights[best])}`;
  if (place.keys !== place.side)
    return `Now the question: which source word does ${f.goal} come from? The query is made from this row, keys and values from the memory, the top of the encoder. In head ${h + 1} it looks most at ${most}. What comes back is mostly the value of that word.`;
  if (!f.target)
    return f.again
      ? `${f.token} asks once more, but each word has already learned from the others in the layer below. In head ${h + 1} it looks most at ${most}.`
      : `${f.token} asks all words: who of you matters for what I mean here? In head ${h + 1} it looks most at ${most}, and takes a mixture of their values.`;
  const hidden =
    open < weights.length ? ` The other ${weights.length - open} are hidden: the answer is among them.` : "";
  const seen = counted(weights.length, `It may look at ${open} of {n} token.`, `It may look at ${open} of {n} tokens.`);
  return `${f.token} asks what has been written so far, to know what is still missing. In head ${h + 1} it looks most at ${most}. ${seen}${hidden}`;
}

/** Why it is added and not put in the place of what was there. */
function adding(f, place) {
  const [came, adds, sum, normed] = f.stream.map(f.long);
  const lengths = `${came} and ${adds} give ${sum}`;
  const last = normed ? `; the norm makes it ${normed}, the size that the next part expects` : "";
  switch (place.serves) {
    case "attention":
      return f.target
        ? `What ${f.token} found looking back is added to what it was, so that nothing it knew is lost. Lengths ${lengths}${last}.`
        : `What ${f.token} heard from the others is added, not put in its place: it stays ${f.token}, now in its sentence. Lengths ${lengths}${last}.`;
    case "cross-attention":
      return `What the source words answered is added to what was known of the sentence so far: the next token needs both. Lengths ${lengths}${last}.`;
    case "feed-forward":
      return `The network has not made a new vector, only a correction: what ${place.called} adds is kept beside all that was there. Lengths ${lengths}${last}.`;
  }
  return `What ${place.called} adds is kept beside what was there. Lengths ${lengths}${last}.`;
}

/**
 * What a place is there for, with the token in focus and its numbers.
 * @param {W} w
 * @param {Place} place
 */
function told(w, place, row) {
  const f = facts(w, place, row);
  if (isAttention(place)) return looking(w, place, f);
  switch (place.kind) {
    case "embedding":
      return embedded(f, f.get(place.path)[row].length);
    case "position":
      return placedAt(f);
    case "norm": {
      const sizes = `length ${f.long(place.before ?? f.stream[0])} to ${f.long(place.path)}`;
      const why = norms[place.serves ?? place.side];
      return why ? why(f, sizes) : `What comes next expects vectors of one size; for ${f.token}, ${sizes}.`;
    }
    case "feed": {
      if (!place.active) break;
      const active = f.get(place.active)[row];
      const on = active.filter((x) => x > 0).length;
      return `Nobody looks around here. A small network works on ${f.token} alone: ${on} of its ${active.length} hidden features answer to what was collected, and what they add has length ${f.long(place.path)}.`;
    }
    case "add":
      return `${adding(f, place)}${turning(w, place, row)}`;
    case "linear": {
      const scores = f.get(place.path)[row];
      return `A score for each token of the vocabulary: how well does this vector fit the row learned for it? The highest is ${exact(scores[peak(scores)])}, for ${quoted(w.get("columns")[peak(scores)])}.`;
    }
    case "softmax": {
      const [[next, p]] = w.get("top")[row];
      const right = quoted(next) === f.goal;
      return `The scores become probabilities. After ${f.token}, the most likely next token is ${quoted(next)}: ${chance(p)}. ${right ? `It is written, and fed back: the next row begins with it.` : `But the row is to write ${f.goal}, and is fed on with that.`}`;
    }
  }
  return `What follows for ${f.token} has length ${f.long(place.path)}.`;
}

// ---- the question that is followed

/**
 * How likely the row's token would be if the model ended after each sum, up to this place: [index of the place, reading].
 * @param {W} w
 * @returns {{ at: number, p: number, best: string, top: number }[]}
 */
const readings = (w, row) =>
  w
    .get("places")
    .flatMap(({ read }, at) => (read ? [{ at, p: read[row][0], best: read[row][1], top: read[row][2] }] : []));

/**
 * What this sum does to the answer.
 * @param {W} w
 * @param {Place} place
 */
function turning(w, place, row) {
  if (!place.read) return "";
  const all = readings(w, row);
  const i = all.findIndex(({ at }) => w.get("places")[at] === place);
  const [was, now] = [all[i - 1].p, all[i].p];
  const steps = all.map(({ p }, k) => (k ? p - all[k - 1].p : 0));
  const goal = quoted(w.get("tokens").written[row]);
  if (now - was === Math.max(...steps) && now > 0.5 && now - was > 0.1)
    return ` Here ${goal} becomes the answer: if the model ended here, it would have ${chance(now)}; before, ${chance(was)}.`;
  return ` If the model ended here, ${goal} would have ${chance(now)}; before, ${chance(was)}.`;
}

/** “cross-attention of decoder layer 2” */
const sumOf = (place) => (place.layer === undefined ? place.called : `${place.called} of ${lower(whereOf(place))}`);

/**
 * The question, and how the answer has grown up to here.
 * @param {W} w
 */
function thread(w, at, row) {
  const places = w.get("places");
  const { written } = w.get("tokens");
  const goal = quoted(written[row]);
  const all = readings(w, row);
  const now = all.findLastIndex((r) => r.at <= at);
  const bar = ({ p }, i) =>
    html`<i class=${i === now ? "qkv-now" : i > now ? "qkv-later" : ""}><b style="height:${i > now ? 0 : Math.max(2, 100 * p)}%"></b></i>`;
  const first =
    all[now] && all[now].best !== written[row] ? `, first is ${quoted(all[now].best)} (${chance(all[now].top)})` : "";
  const reading =
    places[at].side === "source" && now < 0
      ? "The decoder asks later; the encoder prepares what it can find."
      : `If the model ended after ${sumOf(places[all[now]?.at ?? 0])}, ${goal} would have ${chance(all[now]?.p ?? 0)}${first}.`;
  return html`<div class="qkv-thread">
    <div>
      <b>Which word does ${goal} look for? When does it become the answer?</b>
      <small>${all.length ? reading : ""}</small>
    </div>
    ${all.length ? html`<div class="qkv-grows" aria-hidden="true">${all.map(bar)}</div>` : nothing}
  </div>`;
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
function map(w, at) {
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
  const next = w.get("top")[Math.min(Math.max(w.get("row"), 0), tokens.target.length - 1)];
  const floor = plan.height - 16;
  return html`<div class="qkv-figure1" role="group" aria-label="The model: choose a place" style="width:${WIDTH}px;height:${plan.height}px">
    ${guard([plan], () => lines(plan))}
    ${plan.boxes.map(box)}
    ${stacks.map((stack) => chooser(w, at, stack, layers[stack], plan.choosers[stack]))}
    ${["source", "target"].map((side) => html`<span class="qkv-io" style=${stand({ left: side === "source" ? 8 : WIDTH - 150, top: floor, width: 142, height: 16 })}><span class="qkv-vh">The ${side}: </span>${marked(said(side))}</span>`)}
    <span class="qkv-io" style=${stand({ ...plan.result, height: 15 })}><span class="qkv-vh">Most likely next: </span>${marked(shown(next[0][0]))} ${chance(next[0][1])}</span>
  </div>`;
}

// ---- the place

/**
 * The residual stream before a sub-layer, what it adds, and the sum: for the token in focus.
 * @param {W} w
 * @param {Place} place
 */
function around(w, place, row) {
  const stream = place.stream ?? (place.before ? [place.before, place.path] : undefined);
  if (!stream) return nothing;
  const get = values(w);
  const rows = stream.map((path) => get(path)[row]);
  const sums = place.stream ? 3 : 1; // drawn to one scale
  const limit = reach(rows.slice(0, sums));
  const names = place.stream ? ["before", `+ ${place.called}`, "= sum", "normalised"] : ["before", "normalised"];
  return html`<table class="qkv-stream">
    <caption>What goes around, row ${quoted(rowNames(w, place)[row])}</caption>
    <thead><tr><th scope="col"><span class="qkv-vh">part</span></th><th scope="col"><span class="qkv-vh">its numbers as bars</span></th><th scope="col">length</th></tr></thead>
    <tbody>${rows.map(
      (row, i) =>
        html`<tr class=${place.path === stream[i] ? "qkv-best" : ""}><th scope="row">${names[i]}</th><td>${bars(row, i < sums ? limit : reach([row]))}</td><td>${length(row)}</td></tr>`,
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
  <caption>Row ${quoted(w.get("tokens").written[row])}: after ${quoted(w.get("tokens").target[row])}</caption>
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
  pick: (to) => w.set(place.side === "target" ? { row: to } : { word: to }),
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
  const beside = isAttention(place)
    ? heads(w, place)
    : place.kind === "softmax"
      ? candidates(w, row)
      : around(w, place, row);
  return html`<div class="qkv-sides ${beside === nothing ? "" : "qkv-both"}">
    ${beside === nothing ? nothing : html`<div>${beside}</div>`}
    <div>
      ${step.scale === "unit" ? hint(w, place) : nothing}
      ${matrix(w, m)}
      ${step.note ? html`<p class="qkv-crop">${step.note}</p>` : nothing}
      ${isSmall(m.values) ? nothing : numbers(w, m.values[m.row], `Row ${shown(m.rowLabels[m.row])}`)}
    </div>
  </div>`;
}

/**
 * @param {W} w
 * @param {Place} place
 */
function hint(w, place) {
  if (!isAttention(place)) return html`<p class="qkv-hint">In per cent.</p>`;
  const columns = place.keys === "target" ? "what has been fed" : "the source words";
  return html`<p class="qkv-hint">Head ${w.get("head") + 1}, in per cent; the columns are ${columns}.</p>`;
}

/** What stands under a place's name: what a step is called in Python, its shape, its parameters. */
const shapeOf = (place, step) => html`<div class="qkv-facts">
  <span class="qkv-shape"><code>${inPython(step.path)}</code> ${shape(step.axes, step.size)}</span>
  ${place.count ? html`<span class="qkv-shape">${many(place.count)} parameters</span>` : nothing}
</div>`;

/**
 * What the row in focus is called, and what the decoder is fed there.
 * @param {W} w
 * @param {Place} place
 */
function fedTo(w, place, row) {
  const { written, target, source } = w.get("tokens");
  return place.side === "target"
    ? html`<small>row ${quoted(written[row])}, fed ${quoted(target[row])}</small>`
    : html`<small>row ${quoted(source[row])}</small>`;
}

/** @param {W} w */
function walk(w, at) {
  const places = w.get("places");
  const place = places[at];
  const row = rowOf(w, place);
  const steps = innerSteps(w, place);
  const inner = steps.length > 1 ? steps : []; // one step is shown already
  const inside = Math.min(w.get("inside"), inner.length - 1);
  const open = inside >= 0;
  const step = open ? inner[inside] : face(w, place);
  const s = session(w, place, step, row);
  const m = stepMatrix(w, s);
  m.brief = !open; // what goes around has the row's numbers as bars
  const [title, formula] = w.get("words")[place.words];
  const move = (to) => (open ? w.set({ inside: to }) : go(w, to));
  const bar = open
    ? { at: inside, count: inner.length, what: "Step inside", said: step.title }
    : { at, count: places.length, what: "Place", said: nameOf(place) };
  // One template for both, so that the focus stays on the button that opens and closes.
  return html`${controls(w, { ...bar, go: move })}
    ${open ? chain(w, { steps: inner, now: inside, go: move, title: "The steps inside, in order" }) : thread(w, at, Math.min(w.get("row"), w.get("tokens").written.length - 1))}
    <div class="qkv-place"><span class="qkv-where">${nameOf(place)} ${fedTo(w, place, row)}</span>${opener(w, place, open)}</div>
    ${
      open
        ? heading(
            step,
            step.reads.map((name) => (place.inner?.includes(name) ? short(place, name) : name)),
          )
        : heading({ title, formula, reads: [] })
    }
    ${sentence(w, open ? stepSentence(step, m, inside, inner.length) : told(w, place, row))}
    <div class="qkv-body" style="--rows:${m.values.length}">
      ${open ? stepBody(w, s, m) : closed(w, place, s, m)}
      ${open ? nothing : shapeOf(place, step)}
    </div>`;
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
    <div class="qkv-body"><div class="qkv-shares"><div class="qkv-areas" aria-hidden="true">${areas(parts).map((a) => html`<div class="qkv-k-${a.part.group}" style=${at(a)}>${room(a) ? name(a.part) : nothing}</div>`)}</div>
    ${scroll(
      w,
      "The parameters of each part",
      html`<table class="qkv-counts">
      <thead><tr><th scope="col">part</th><th scope="col">parameters</th><th scope="col">share</th></tr></thead>
      <tbody>${parts.map((p) => html`<tr><th scope="row"><i class="qkv-swatch qkv-k-${p.group}"></i>${p.name}</th><td>${many(p.count)}</td><td>${percent(p.share)}</td></tr>`)}</tbody>
      <tfoot><tr><th scope="row">all</th><td>${many(total)}</td><td></td></tr></tfoot>
    </table>`,
    )}</div></div>`;
}

// ---- both

/** @param {W} w */
function missing(w) {
  const [places, tokens, steps] = [w.get("places"), w.get("tokens"), w.get("steps")];
  if (!places?.length) return "it holds no model";
  const at = w.get("place");
  if (!places[at])
    return counted(places.length, `it has {n} place, and not number ${at}`, `it has {n} places, and not number ${at}`);
  if (!tokens?.source?.length || !tokens?.target?.length || tokens.written?.length !== tokens.target.length)
    return "its tokens are missing";
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
  const tall = planOf(w.get("places"), 0, 0).height;
  return html`<div class="qkv-feeds">
      ${counted && !w.still ? choice(w, { legend: "Show", name: "show", options: shows, chosen: show, pick: (to) => w.set({ show: to }) }) : nothing}
      <span class="qkv-hint">Rows of the decoder are named by what they write.</span>
    </div>
    <div class="qkv-plan">${map(w, at)}<div class="qkv-panel1" style="--tall:${tall}px">${panel}</div></div>`;
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
  const said = (place) => `${nameOf(place)}. ${told(w, place, rowOf(w, place))}`;
  const shots = chosen.map((place, i) => ({
    caption: said(places[place]),
    state: { place, inside: -1, show: "walk", alone: i > 0 },
  }));
  return w.get("parts").length ? [...shots, { state: { show: "parameters", alone: true } }] : shots;
}

export default widget("transformer-map", { missing, view, stills, begin: drawAgainWhenDark });
