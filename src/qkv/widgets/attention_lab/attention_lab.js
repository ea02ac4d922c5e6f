// AttentionLab: scaled dot-product attention whose numbers can be edited.
import { html, nothing, svg } from "lit-html";
import { guard } from "lit-html/directives/guard.js";
import { choice, controls, sentence, slider } from "../core/controls.js";
import { fieldNote, numberField } from "../core/fields.js";
import { widget } from "../core/frame.js";
import { meanPeaks, sizes, vectors, weightsAt } from "../core/gauss.js";
import { formula } from "../core/mathml.js";
import { attention, encode, hull, peak } from "../core/maths.js";
import { smallMatrix } from "../core/matrix.js";
import { arrow, beside, dot, grip, name, plane, shape, under } from "../core/plane.js";
import { scroll } from "../core/scroll.js";
import { dk, rootDk } from "../core/symbols.js";
import { chance, exact, hatch, short, shown } from "../core/text.js";

/**
 * @typedef {object} State
 * @property {string[]} tokens
 * @property {number[][]} q
 * @property {number[][]} k
 * @property {number[][]} v
 * @property {number[][]} mask as given: 1 where a query may attend
 * @property {{ q: number[][], k: number[][], v: number[][] }} given the numbers before any is edited
 * @property {{ [step: string]: string }} formulas
 * @property {boolean} scaled
 * @property {"none" | "causal" | "given"} masking
 * @property {number} query
 * @property {number} step
 * @property {number} exponent of d_k = 2 ** exponent, below
 * @property {number} draw
 */
/** @typedef {import("../core/fields.js").Typing & import("../core/plane.js").Held} Local */
/** @typedef {import("../core/frame.js").World<State, Local>} W */

const steps = [
  ["scores", "Compare every query with every key"],
  ["scaled", "Divide by the root of the width"],
  ["masked", "Hide what may not be attended to"],
  ["weights", "Turn each row into weights"],
  ["output", "Average the values"],
];
const most = 1000; // the largest number that can be typed

/** @type {("q" | "k" | "v")[]} */
const letters = ["q", "k", "v"];

/** @param {W} w */
function missing(w) {
  const n = w.get("tokens")?.length ?? 0;
  if (!n) return "it has no tokens";
  for (const name of letters) {
    const rows = w.get(name) ?? [];
    if (rows.length !== n) return `the number of tokens is ${n}, but that of the rows of ${name} is ${rows.length}`;
    if (!rows[0].length || rows.some((row) => row.length !== rows[0].length))
      return `the rows of ${name} differ in length`;
  }
  if (w.get("q")[0].length !== w.get("k")[0].length) return "queries and keys differ in length";
  if (w.get("masking") === "given" && (w.get("mask").length !== n || w.get("mask").some((row) => row.length !== n)))
    return "the mask does not fit the tokens";
  return "";
}

/**
 * Who may attend to whom, or undefined where all may.
 * @param {W} w
 */
function allowed(w) {
  if (w.get("masking") === "given") return w.get("mask");
  return w.get("masking") === "causal" ? w.get("tokens").map((_, i, all) => all.map((_, j) => j <= i)) : undefined;
}

/**
 * Everything that follows from the numbers, as the pictures read it.
 * @param {W} w
 */
function follow(w) {
  const [q, k, v] = letters.map((name) => w.get(name));
  const tokens = w.get("tokens").map(shown);
  const may = allowed(w);
  const root = Math.sqrt(q[0].length);
  const trace = attention(q, k, v, may, w.get("scaled") ? root : 1);
  const i = Math.min(w.get("query"), tokens.length - 1);
  return { q, k, v, tokens, may, root, trace, i, best: peak(trace.weights[i]), token: `“${tokens[i]}”` };
}

const seen = (a, i, j) => !a.may || a.may[i][j];
const tuple = (row) => `(${row.map((x) => short(encode(x))).join(", ")})`;
const signed = (x) => (x < 0 ? `(${exact(x)})` : exact(x));

/* ------------------------------------------------------------------ the numbers */

/** @param {W} w */
function edit(w, part, i, changes) {
  w.set({ [part]: w.get(part).map((row, r) => (r === i ? row.map((x, c) => changes[c] ?? x) : row)) });
}

/** @param {W} w */
function cells(w, a, part, i) {
  return a[part][i].map((x, c) =>
    w.still
      ? html`<td class="qkv-${part}">${exact(x)}</td>`
      : html`<td class="qkv-${part}">${numberField(w, {
          id: `${part}-${i}-${c}`,
          value: x,
          min: -most,
          max: most,
          step: 0.5,
          label: `${part} of ${a.tokens[i]}, number ${c + 1}`,
          put: (next) => edit(w, part, i, { [c]: next }),
        })}</td>`,
  );
}

const parts = [
  ["q", "query q"],
  ["k", "key k"],
  ["v", "value v"],
];

/** The letters of the longest number, so that every field shows its own. */
const longest = (a) => Math.max(3, ...parts.flatMap(([part]) => a[part].flat().map((x) => String(x).length)));

/** @param {W} w */
function numbersTable(w, a) {
  const wide = (part) => a[part][0].length;
  return scroll(
    w,
    "Queries, keys and values",
    html`<table class="qkv-edit" style="--wide:${longest(a)}">
    <thead><tr><th scope="col">token</th>${parts.map(([part, words]) => html`<th scope="colgroup" class="qkv-${part}" colspan=${wide(part)}>${words}</th>`)}</tr></thead>
    <tbody>${a.tokens.map(
      (token, i) => html`<tr class=${i === a.i ? "qkv-asks" : ""}>
        <th scope="row">${token}</th>${parts.map(([part]) => cells(w, a, part, i))}
      </tr>`,
    )}</tbody>
  </table>`,
  );
}

/** @param {W} w */
const edited = (w) => letters.some((part) => JSON.stringify(w.get(part)) !== JSON.stringify(w.get("given")[part]));

/** @param {W} w */
function reset(w) {
  w.local.typing = undefined;
  w.set(structuredClone(w.get("given")));
}

/** @param {W} w */
function switches(w, a) {
  const options = [
    ["none", "none"],
    ["causal", "causal"],
  ];
  if (w.get("mask").length) options.push(["given", "as given"]);
  const changed = edited(w);
  if (w.still)
    return html`<p class="qkv-hint">${w.get("scaled") ? "Divided" : "Not divided"} by ${rootDk()} = ${exact(a.root)}; mask: ${w.get("masking")}</p>`;
  return html`<div class="qkv-switches">
    <label class="qkv-check"><input type="checkbox" data-act="scaled" .checked=${w.get("scaled")} @change=${(e) => w.set({ scaled: e.target.checked })} /><span>divide by ${rootDk()} = ${exact(a.root)}</span></label>
    ${choice(w, { legend: "Mask:", name: "mask", options, chosen: w.get("masking"), pick: (masking) => w.set({ masking }) })}
    <button type="button" data-act="reset" aria-disabled=${!changed} @click=${() => changed && reset(w)}>Reset</button>
  </div>`;
}

/* ------------------------------------------------------------------ the steps */

/** The values of a step as words and numbers; a weight of a hidden key is masked. */
function drawn(a, at) {
  const values = a.trace[steps[at][0]];
  return values.map((row, i) => row.map((x, j) => (at === 3 && !seen(a, i, j) ? null : encode(x))));
}

/** @param {W} w */
function chain(w, now) {
  return html`<ol class="qkv-chain" aria-label="The steps, in order">
    ${steps.map(
      ([path], i) =>
        html`<li>${
          w.still
            ? html`<span class="qkv-chip ${i === now ? "qkv-now" : ""}">${path}</span>`
            : html`<button type="button" class="qkv-chip ${i === now ? "qkv-now" : ""}" aria-current=${i === now ? "step" : nothing} @click=${() => w.set({ step: i })}>${path}</button>`
        }</li>`,
    )}
  </ol>`;
}

/** @param {W} w */
function overview(w, a, at) {
  const [path, title] = steps[at];
  const values = drawn(a, at);
  const finite = values.flat().filter((x) => typeof x === "number");
  const m = {
    values,
    rowAxis: "query",
    colAxis: at < 4 ? "key" : "feature",
    name: `${path}: ${title}`,
    rowLabels: a.tokens,
    colLabels: at < 4 ? a.tokens : a.v[0].map((_, c) => `o${c + 1}`),
    scale: at === 3 ? "unit" : "diverging",
    limit: Math.max(0, ...finite.map(Math.abs)),
    row: a.i,
    focus: (query) => w.still || w.set({ query }),
  };
  m.alt = m.name;
  return html`<div class="qkv-map">
    <div class="qkv-h">${path} <small>every query a row${w.still ? "" : ": choose one"}</small></div>
    ${smallMatrix(w, m)}
  </div>`;
}

/** One key's row in the workings of a query. */
function keyRow(a, at, j) {
  const of = (name) => encode(a.trace[name][a.i][j]);
  const hidden = !seen(a, a.i, j);
  const number = (name, k) =>
    html`<td class="qkv-num ${at >= k ? hatch(of(name)) : ""}">${at >= k ? short(of(name)) : ""}</td>`;
  const weight = of("weights");
  return html`<tr class=${at > 2 && j === a.best && weight > 0 ? "qkv-best" : ""}>
    <th scope="row">${a.tokens[j]}</th>
    ${number("scores", 0)}${number("scaled", 1)}${number("masked", 2)}
    <td class="qkv-num ${at > 2 && hidden ? "qkv-mask" : ""}">${at > 2 ? html`<span class="qkv-meter"><i style="width:${weight * 100}%"></i></span><span class="qkv-val">${chance(weight)}</span>` : ""}</td>
    <td class="qkv-num">${at > 3 ? tuple(a.v[j].map((x) => (weight === 0 ? 0 : weight * x))) : ""}</td>
  </tr>`;
}

/** @param {W} w */
function workings(w, a, at) {
  const heads = ["q·k", w.get("scaled") ? html`÷ ${rootDk()}` : "as is", "mask", "weight α", "α · v"];
  const sum = a.trace.weights[a.i].reduce((x, y) => x + y, 0);
  return html`<div class="qkv-work">
    <div class="qkv-h">${a.token} asks <small>its query is ${tuple(a.q[a.i])}</small></div>
    ${scroll(
      w,
      "From scores to output",
      html`<table class="qkv-steps">
      <thead><tr><th scope="col">key</th>${heads.map((head, k) => html`<th scope="col" class=${at === k ? "qkv-here" : ""}>${head}</th>`)}</tr></thead>
      <tbody>${a.tokens.map((_, j) => keyRow(a, at, j))}</tbody>
      <tfoot><tr>
        <th scope="row" colspan="4">${at > 3 ? "sum: the output o" : "sum"}</th>
        <td class="qkv-num">${at > 2 ? short(encode(sum)) : " "}</td>
        <td class="qkv-num ${at > 3 ? "qkv-out" : ""}">${at > 3 ? tuple(a.trace.output[a.i]) : ""}</td>
      </tr></tfoot>
    </table>`,
    )}
  </div>`;
}

/** A sum of products as it is written out, its first terms. */
const product = (x, y) =>
  x
    .slice(0, 3)
    .map((xc, c) => `${signed(xc)} × ${signed(y[c])}`)
    .join(" + ") + (x.length > 3 ? " + …" : "");

/** @param {W} w */
function words(w, a, at) {
  const { i, token, trace, best } = a;
  const say = (x) => exact(encode(x));
  const top = peak(trace.scores[i]);
  const as = (row, j) =>
    a.tokens
      .filter((_, other) => other !== j && row[other] === row[j])
      .map((name) => `“${name}”`)
      .join(" and ");
  const count = a.tokens.filter((_, j) => seen(a, i, j)).length;
  if (at === 0) {
    const tied = as(trace.scores[i], top);
    const highest = `${product(a.q[i], a.k[top])} = ${say(trace.scores[i][top])}`;
    return tied
      ? `${token} compares its query with every key. Highest at “${a.tokens[top]}”: ${highest}, and as high at ${tied}.`
      : `${token} compares its query with every key. Highest at “${a.tokens[top]}”: ${highest}.`;
  }
  if (at === 1)
    return w.get("scaled")
      ? `Every score is divided by √${a.q[0].length} = ${exact(a.root)}: at “${a.tokens[top]}”, ${say(trace.scores[i][top])} becomes ${say(trace.scaled[i][top])}.`
      : "Not divided: the scores stay as they are.";
  if (at === 2)
    return count === a.tokens.length
      ? `Nothing is hidden: ${token} may attend to every key.`
      : `${token} may attend to ${count} of ${a.tokens.length} keys. The others score −∞, so that they will weigh 0.`;
  if (!count) return `${token} may attend to nothing: its weights are zeros, and so is its output.`;
  if (at === 3) {
    const sum = trace.masked[i].reduce((s, z) => s + Math.exp(z), 0);
    const z = trace.masked[i][best];
    return `“${a.tokens[best]}” gets e to the ${say(z)} = ${say(Math.exp(z))} out of ${say(sum)} in all: a weight of ${chance(encode(trace.weights[i][best]))}.`;
  }
  const tied = as(trace.weights[i], best);
  const [output, share] = [tuple(trace.output[i]), chance(trace.weights[i][best])];
  return tied
    ? `The output of ${token} is ${output}: every value, as much of it as its weight says. Most comes from “${a.tokens[best]}” (${share}), and as much from ${tied}.`
    : `The output of ${token} is ${output}: every value, as much of it as its weight says. Most comes from “${a.tokens[best]}” (${share}).`;
}

/* ------------------------------------------------------------------ the planes */

/** @param {W} w */
function move(w, part, i) {
  return (point) => edit(w, part, i, point);
}

/** @param {W} w */
function asking(w, a) {
  const q = a.q[a.i];
  const weights = a.trace.weights[a.i];
  const size = Math.hypot(...q);
  const inside = (p) => svg`
    ${a.k.map((k, j) => {
      if (!size || !seen(a, a.i, j)) return nothing;
      const along = a.trace.scores[a.i][j] / size / size;
      return shape(p, [k, q.map((x) => x * along)], "qkv-drop");
    })}
    ${a.k.map((k, j) => arrow(p, k, seen(a, a.i, j) ? "qkv-k" : "qkv-k qkv-faint", 1 + 3 * (weights[j] || 0)))}
    ${arrow(p, q, "qkv-q", 2.5)}
    ${a.k.map((k, j) => name(p, k, a.tokens[j], "qkv-k"))}
    ${beside(p, q, "q", "qkv-q")}
    ${a.k.map((k, j) => grip(w, p, k, move(w, "k", j)))}${grip(w, p, q, move(w, "q", a.i))}`;
  const alt = `The query of ${a.token} points to ${tuple(q)}. The keys: ${a.tokens.map((t, j) => `${t} ${tuple(a.k[j])}`).join(", ")}.`;
  return html`<figure class="qkv-figure">
    <div class="qkv-h">Query and keys <small>the further along the query, the higher the score</small></div>
    ${plane(w, { name: "keys", points: [...a.k, ...a.q], alt, inside })}
  </figure>`;
}

/** @param {W} w */
function averaging(w, a) {
  const weights = a.trace.weights[a.i];
  const out = a.trace.output[a.i];
  const heard = a.v.filter((_, j) => seen(a, a.i, j));
  const inside = (p) => svg`
    ${heard.length ? shape(p, hull(heard), "qkv-hull") : nothing}
    ${out.every(Number.isFinite) ? a.v.map((v, j) => (weights[j] > 0.005 ? shape(p, [v, out], "qkv-pull") : nothing)) : nothing}
    ${a.v.map((v, j) => dot(p, v, seen(a, a.i, j) ? "qkv-v" : "qkv-v qkv-faint", 3 + 8 * Math.sqrt(weights[j] || 0)))}
    ${out.every(Number.isFinite) ? dot(p, out, "qkv-o", 4.5) : nothing}
    ${a.v.map((v, j) => name(p, v, a.tokens[j], "qkv-v", 7 + 8 * Math.sqrt(weights[j] || 0)))}
    ${out.every(Number.isFinite) ? under(p, out, "output", "qkv-o") : nothing}
    ${a.v.map((v, j) => grip(w, p, v, move(w, "v", j)))}`;
  const alt = `The output of ${a.token}, ${tuple(out)}, lies within the hull of the values: ${a.tokens.map((t, j) => `${t} ${tuple(a.v[j])} with weight ${chance(encode(weights[j]))}`).join(", ")}.`;
  return html`<figure class="qkv-figure">
    <div class="qkv-h">Values and their average <small>the output never leaves the hull of the values</small></div>
    ${plane(w, { name: "values", points: a.v, alt, inside })}
  </figure>`;
}

/** @param {W} w */
function planes(w, a) {
  const drawn = [a.q[0].length === 2 ? asking(w, a) : [], a.v[0].length === 2 ? averaging(w, a) : []].flat();
  if (!drawn.length) return nothing;
  return html`<div><div class="qkv-planes">${drawn}</div>
    ${w.still ? nothing : html`<p class="qkv-hint">For ${a.token}. Drag an arrow's tip or a point, or type its numbers.</p>`}</div>`;
}

/* ------------------------------------------------------------------ wider vectors */

let known;
const means = [];

function spikes(weights, label) {
  return html`<svg class="qkv-spikes" viewBox="0 0 ${weights.length} 10" preserveAspectRatio="none" role="img" aria-label=${label}>
    ${svg`<path class="qkv-k qkv-tip" d=${weights.map((x, j) => `M${j} 10h.8v${-Math.max(0.1, 10 * x).toFixed(3)}h-.8z`).join("")}/>`}
  </svg>`;
}

/** @param {W} w */
function hardening(w) {
  known ??= vectors();
  const exponent = Math.min(Math.max(w.get("exponent"), 0), sizes.widest);
  const draw = w.get("draw") % sizes.draws;
  const width = 2 ** exponent;
  const { hard, soft } = weightsAt(known.queries[draw], known.keys, exponent);
  means[exponent] ??= meanPeaks(known, exponent);
  const mean = means[exponent];
  const halves = [
    ["softmax of q·k", hard, mean[0]],
    [html`softmax of q·k / ${rootDk()}`, soft, mean[1]],
  ];
  const said = html`${dk()} = ${width}: the largest of ${sizes.keys} weights is ${chance(Math.max(...hard))} undivided and ${chance(Math.max(...soft))} divided by ${rootDk()}.`;
  return html`<section class="qkv-wider" aria-label="Wider vectors">
    <div class="qkv-h">Why divide? <small>one random query and ${sizes.keys} random keys, every number of variance 1</small></div>
    ${
      w.still
        ? html`<p>${dk()} = ${width}</p>`
        : html`<div class="qkv-bar">
          ${slider(w, { label: dk(), called: "d k, the width", value: exponent, min: 0, max: sizes.widest, said: String(width), pick: (next) => w.set({ exponent: next }) })}
          <button type="button" data-act="draw" @click=${() => w.set({ draw: (draw + 1) % sizes.draws })}>Another query</button>
        </div>`
    }
    <div class="qkv-planes">
      ${halves.map(
        ([title, weights, average]) => html`<figure class="qkv-figure">
          <div class="qkv-h">${title}</div>
          ${spikes(weights, `${sizes.keys} weights, the largest ${chance(Math.max(...weights))}`)}
          <figcaption>largest weight <b>${chance(Math.max(...weights))}</b>, on average over ${sizes.draws} queries <b>${chance(average)}</b></figcaption>
        </figure>`,
      )}
    </div>
    <p class="qkv-vh" aria-live=${w.still ? "off" : "polite"}>${said}</p>
  </section>`;
}

/* ------------------------------------------------------------------ all of it */

/** @param {W} w */
function view(w) {
  const a = follow(w);
  const at = Math.min(Math.max(w.get("step"), 0), steps.length - 1);
  const [path, title] = steps[at];
  const key = path === "scaled" && !w.get("scaled") ? "unscaled" : path;
  const made = planes(w, a);
  return html`<div class=${made === nothing ? "" : "qkv-sided"}>
      <div>
        <div class="qkv-h">The numbers <small>${w.still ? "" : "type over any of them"}</small></div>
        <div class="qkv-set">${numbersTable(w, a)}${switches(w, a)}</div>
        ${fieldNote(w, `Type a number from −${most} to ${most}. Until then the last one counts.`)}
        ${chain(w, at)}
        ${controls(w, { at, count: steps.length, what: "Step", said: title, go: (step) => w.set({ step }) })}
        <div class="qkv-title"><b>${title}</b>${w.get("formulas")[key] ? html`<span class="qkv-formula">${guard([key], () => formula(w.get("formulas")[key]))}</span>` : nothing}</div>
        ${sentence(w, words(w, a, at))}
        <div class="qkv-two ${a.tokens.length < 6 && a.v[0].length < 3 ? "qkv-lab" : ""}">${overview(w, a, at)}${workings(w, a, at)}</div>
      </div>
      ${made}
    </div>
    ${guard([w.get("exponent"), w.get("draw"), w.still], () => hardening(w))}`;
}

/** @param {W} w */
function stills(w) {
  const a = follow(w);
  return [{ caption: steps.map((_, at) => words(w, a, at)).join(" "), state: { step: steps.length - 1 } }];
}

export default widget("attention-lab", { missing, view, stills });
