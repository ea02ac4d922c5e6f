// Alignment: how one output token looks back: scores → softmax → weighted sum.

import { html, nothing } from "lit-html";
import { guard } from "lit-html/directives/guard.js";
import { bars, numbers, reach } from "../core/bars.js";
import { cellStyle } from "../core/colours.js";
import { controls, sentence } from "../core/controls.js";
import { focus, hasFocus } from "../core/focus.js";
import { widget } from "../core/frame.js";
import { feeding, inputs, listen, missingRecording, run } from "../core/inputs.js";
import { marked } from "../core/korean.js";
import { peak, softmax, weightedSum } from "../core/maths.js";
import { likely } from "../core/recurrent.js";
import { scroll } from "../core/scroll.js";
import { chance, hatch, short, shown } from "../core/text.js";

/** @typedef {{ tokens: string[], scores: (number | string | null)[][], top?: [string, number][][] }} Run */
/** @typedef {import("../core/inputs.js").Recorded<Run, { states: number[][], truth: number[][] | null }>} Recorded */
/** @typedef {Recorded["recordings"][number]} Recording */
/** @typedef {import("../core/details.js").Opened & import("../core/inputs.js").Asking} Local */
/** @typedef {import("../core/frame.js").World<Recorded & { token: number }, Local>} W */

const stages = ["scores", "softmax", "weigh the states", "add them up"];

function check(r) {
  const f = r.forced ?? {};
  if (!r.source?.length || r.states?.length !== r.source.length)
    return `the number of source tokens is ${r.source?.length ?? 0}, but that of encoder states is ${r.states?.length ?? 0}`;
  if (!f.tokens?.length || f.scores?.length !== f.tokens.length)
    return `the number of output tokens is ${f.tokens?.length ?? 0}, but that of rows of scores is ${f.scores?.length ?? 0}`;
  if (f.scores.some((row) => row.length !== r.source.length)) return "a row of scores does not fit the source";
  if (r.truth && (r.truth.length !== r.target.length || r.truth.some((row) => row.length !== r.source.length)))
    return "the true alignment does not fit the tokens";
  return "";
}

/** @param {W} w */
const missing = (w) => missingRecording(w, check);

/** @type {WeakMap<Run, number[][]>} */
const known = new WeakMap();

/**
 * All weights of a run, computed once from its scores.
 * @param {Run} f
 */
function weightsOf(f) {
  const weights = known.get(f) ?? f.scores.map(softmax);
  known.set(f, weights);
  return weights;
}

/**
 * @param {Recording} r
 * @param {Run} f
 */
const contextOf = (r, f, t) => weightedSum(weightsOf(f)[t], r.states);

const isTrue = (r, f, t, j) => !!r.truth && f.tokens[t] === r.target[t] && !!r.truth[t]?.[j];

/** Where the outline of the true places runs: the sides whose neighbour is none. */
function edges(r, f, t, j) {
  if (!isTrue(r, f, t, j)) return "";
  const side = (dt, dj) => (isTrue(r, f, t + dt, j + dj) ? 0 : 1);
  return `;--t:${side(-1, 0)};--r:${side(0, 1)};--b:${side(1, 0)};--l:${side(0, -1)}`;
}

/** A weight as a whole per cent; what rounds to nothing is there, but not drawn. */
const percent = (weight) => Math.round(weight * 100);

function matrixCell(r, f, t, j, weight) {
  const masked = f.scores[t][j] === null || f.scores[t][j] === "-inf";
  const zero = percent(weight) === 0;
  const style = (masked || zero ? "" : cellStyle(weight, "unit", 1)) + edges(r, f, t, j);
  const cls = `${masked ? "qkv-mask" : zero ? "qkv-zero" : ""} ${isTrue(r, f, t, j) ? "qkv-true" : ""}`;
  return `<td class="${cls}" style="${style}">${masked ? "–" : Number.isNaN(weight) ? "NaN" : percent(weight)}</td>`;
}

/** The cells of a row at once: thousands of single ones would be slow. They hold numbers only. */
function matrixCells(r, f, t) {
  const holder = document.createElement("template");
  holder.innerHTML = weightsOf(f)
    [t].map((weight, j) => matrixCell(r, f, t, j, weight))
    .join("");
  return holder.content;
}

/**
 * Choose an output token: by button, by ↑/↓, or by its row.
 * @param {W} w
 */
function chooser(w, f, t) {
  if (w.still) return nothing;
  const to = (token) => {
    const next = Math.min(Math.max(token, 0), f.tokens.length - 1);
    if (next === t) return;
    const had = hasFocus(w, ".qkv-row");
    w.set({ token: next });
    if (had) focus(w, `.qkv-row[data-row="${next}"]`);
  };
  Object.assign(w.keys, { up: () => to(t - 1), down: () => to(t + 1) });
  return html`<div class="qkv-outputs">
    <button type="button" data-act="up" aria-disabled=${t === 0} @click=${() => to(t - 1)}><span aria-hidden="true">▲</span> Token before</button>
    <button type="button" data-act="down" aria-disabled=${t === f.tokens.length - 1} @click=${() => to(t + 1)}><span aria-hidden="true">▼</span> Token after</button>
    <span class="qkv-hint">or choose a row</span>
  </div>`;
}

/** @param {W} w */
function map(w, r, f, now) {
  const long = r.source.some((token) => shown(token).length > 2);
  const pick = (token) => w.still || w.set({ token });
  return html`<div class="qkv-map">
    <div class="qkv-h">Alignment <small>each row looks at the columns, in per cent</small></div>
    ${chooser(w, f, now)}
    ${scroll(
      w,
      "The whole alignment",
      html`<table class="qkv-align ${long ? "qkv-long" : ""} ${r.source.length > 20 ? "qkv-tight" : ""}">
      ${guard([r], () => html`<thead><tr><td></td>${r.source.map((s) => html`<th scope="col"><span>${shown(s)}</span></th>`)}</tr></thead>`)}
      <tbody>
        ${f.tokens.map(
          (token, t) => html`<tr class=${t === now ? "qkv-on" : ""} @click=${() => pick(t)}>
            <th scope="row">
              ${
                w.still
                  ? marked(shown(token))
                  : html`<button type="button" class="qkv-row" data-row=${t} tabindex=${t === now ? 0 : -1} aria-pressed=${t === now}>${marked(shown(token))}</button>`
              }
            </th>
            ${guard([f, t], () => matrixCells(r, f, t))}
          </tr>`,
        )}
      </tbody>
    </table>`,
      ".qkv-on",
    )}
    ${r.truth ? html`<p class="qkv-legend"><span class="qkv-key qkv-true" style="--t:1;--r:1;--b:1;--l:1"></span> outlined, and marked ◆: the true places</p>` : nothing}
  </div>`;
}

/** One source token's row: its state, score, weight, and weighted state. */
function sourceRow(r, f, t, stage, j, limit) {
  const [weight, score] = [weightsOf(f)[t][j], f.scores[t][j]];
  const best = peak(weightsOf(f)[t]) === j;
  return html`<tr class=${best && stage > 0 ? "qkv-best" : ""} ?data-most=${best}>
    <th scope="row">${isTrue(r, f, t, j) ? html`<span class="qkv-vh">true place: </span><span class="qkv-diamond" aria-hidden="true">◆</span>` : nothing}${shown(r.source[j])}</th>
    <td>${bars(r.states[j], limit)}</td>
    <td class="qkv-num ${hatch(score)}">${short(score)}</td>
    <td class="qkv-num">${stage > 0 ? html`<span class="qkv-meter"><i style="width:${weight * 100}%"></i></span><span class="qkv-val">${chance(weight)}</span>` : ""}</td>
    <td>${stage > 1 ? bars(r.states[j], limit, { times: weight }) : ""}</td>
  </tr>`;
}

/** @param {W} w */
function work(w, r, f, t, stage, said) {
  const limit = reach(r.states);
  const context = contextOf(r, f, t);
  const on = (k) => (stage === k ? "qkv-here" : "");
  return html`<div class="qkv-work">
    <div class="qkv-h">Writing “${marked(shown(f.tokens[t]))}” <small>token ${t + 1} of ${f.tokens.length}</small></div>
    ${controls(w, {
      at: t * stages.length + stage,
      count: f.tokens.length * stages.length,
      what: "Stage",
      said: `“${shown(f.tokens[t])}”, ${stages[stage]}`,
      go: (to) => w.set({ token: Math.floor(to / stages.length), step: to % stages.length }),
    })}
    ${sentence(w, said)}
    ${scroll(
      w,
      "From scores to context",
      html`<table class="qkv-steps">
      <thead><tr>
        <th scope="col">source</th><th scope="col">state h</th>
        <th scope="col" class=${on(0)}>score e</th>
        <th scope="col" class=${on(1)}>weight α</th>
        <th scope="col" class=${on(2)}>α · h</th>
      </tr></thead>
      <tbody>${r.source.map((_, j) => sourceRow(r, f, t, stage, j, limit))}</tbody>
      <tfoot><tr>
        <th scope="row" colspan="3">${stage > 2 ? "sum: the context c" : "sum"}</th>
        <td class="qkv-num">${
          stage > 0
            ? weightsOf(f)
                [t].reduce((a, b) => a + b, 0)
                .toFixed(2)
            : " "
        }</td>
        <td class=${on(3)}>${stage > 2 ? bars(context, limit, { label: `the context as ${context.length} bars` }) : ""}</td>
      </tr></tfoot>
    </table>`,
      "[data-most]",
    )}
    ${stage > 2 ? numbers(w, context, "The context") : nothing}
  </div>`;
}

function words(r, f, t, stage) {
  const weights = weightsOf(f)[t];
  const best = peak(weights);
  const token = `“${shown(f.tokens[t])}”`;
  const where = `“${shown(r.source[best])}”`;
  if (!weights.some((x) => x > 0)) return `For ${token} every source token is masked: all weights are zero.`;
  if (stage === 0)
    return `To write ${token}, the decoder's state scores every encoder state. The highest score is ${short(f.scores[t][best])}, at ${where}.`;
  if (stage === 1) return judged(r, f, t, best)({ share: chance(weights[best]), where });
  if (stage === 2)
    return `For ${token} each state is multiplied by its weight: that of ${where} keeps ${chance(weights[best])} of itself, and what is hardly looked at almost vanishes.`;
  const guess = f.top?.[t]?.[0];
  return `Their sum is the context for ${token}, and for this one token.${guess ? ` With it the decoder says “${shown(guess[0])}” (${chance(guess[1])}).` : ""}`;
}

const softmaxWords = {
  unknown: ({ share, where }) => `Softmax turns the scores into weights that sum to one: ${share} of them on ${where}.`,
  none: ({ share, where }) =>
    `Softmax turns the scores into weights that sum to one: ${share} of them on ${where}, which has no true place.`,
  right: ({ share, where }) =>
    `Softmax turns the scores into weights that sum to one: ${share} of them on ${where}, a true place.`,
  wrong: ({ share, where }) =>
    `Softmax turns the scores into weights that sum to one: ${share} of them on ${where}, not a true place.`,
};

/** The sentence on a row's weights, by whether they are in the right place. */
function judged(r, f, t, best) {
  if (!r.truth) return softmaxWords.unknown;
  if (!r.truth[t]?.some(Boolean) || f.tokens[t] !== r.target[t]) return softmaxWords.none;
  return isTrue(r, f, t, best) ? softmaxWords.right : softmaxWords.wrong;
}

/** What the network did in the page, as Python would have recorded it. */
function made(recorded, names) {
  const run = ({ tokens, rows }) => ({
    tokens,
    scores: rows.map((row) => row.scores),
    top: rows.map((row) => likely(row.p, names, 3)),
  });
  const { forced, free, ...rest } = recorded;
  return { ...rest, note: "", forced: run(forced), free: free && run(free) };
}

/** @param {W} w */
function view(w) {
  const r = w.get("recordings")[w.get("chosen")];
  const f = run(w, r);
  const t = Math.min(w.get("token"), f.tokens.length - 1);
  const stage = Math.min(w.get("step"), stages.length - 1);
  const said = words(r, f, t, stage);
  return html`${inputs(w, (recorded) => made(recorded, w.get("network").target))}
    <div class="qkv-feeds">${feeding(w)}</div>
    ${r.note ? html`<p class="qkv-crop">${r.note}</p>` : nothing}
    <div class="qkv-two ${r.source.length > 8 ? "" : "qkv-few"}">${map(w, r, f, t)}${work(w, r, f, t, stage, said)}</div>`;
}

/** @param {W} w */
function stills(w) {
  const r = w.get("recordings")[w.get("chosen")];
  const f = run(w, r);
  const token = Math.min(w.get("token"), f.tokens.length - 1);
  const told = stages.map((_, stage) => words(r, f, token, stage)).join(" ");
  return [{ caption: told, state: { token, step: stages.length - 1 } }];
}

export default widget("alignment", { missing, view, stills, begin: listen });
