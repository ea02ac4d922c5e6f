// GatedCell: a GRU or an LSTM over a sentence, gate by gate: what one unit keeps and what is written into it.
import { html, nothing } from "lit-html";
import { cellStyle } from "../core/colours.js";
import { controls, pick, sentence } from "../core/controls.js";
import { focus, hasFocus } from "../core/focus.js";
import { widget } from "../core/frame.js";
import { formula } from "../core/mathml.js";
import { decode, encode } from "../core/maths.js";
import { scroll } from "../core/scroll.js";
import { spread } from "../core/spread.js";
import { chance, counted, hatch, short, shown, special } from "../core/text.js";
import { cellMap } from "./cell.js";
import { largest, parts, roles, unitOf } from "./memory.js";

/** @typedef {number | string} Value a number, or a word where it is none */
/** @typedef {{ name: string, letter: string, title: string, formula: string }} Step */
/**
 * @typedef {object} Sentence
 * @property {string} text
 * @property {string[]} words
 * @property {{ [step: string]: Value[][] }} values for each word, of each unit that is shown
 * @property {{ [step: string]: Value[] }} start
 */
/**
 * @typedef {object} State
 * @property {string} kind "GRU" or "LSTM"
 * @property {Step[]} steps
 * @property {Sentence[]} sentences
 * @property {number[]} units those that are shown
 * @property {number} size how many there are
 * @property {number} chosen
 * @property {number} unit the one that is looked at
 * @property {number} step over the words, and the steps of each
 */
/** @typedef {import("../core/frame.js").World<State>} W */

/** @param {W} w */
function missing(w) {
  const [steps, units, sentences] = [w.get("steps"), w.get("units"), w.get("sentences")];
  if (!roles[w.get("kind")]) return `it holds no kind of cell that is known, but ${w.get("kind") || "none"}`;
  if (!Array.isArray(sentences) || !sentences.length) return "it has no sentence";
  const s = sentences[w.get("chosen")];
  if (!s) return `it has ${sentences.length} sentences, and not number ${w.get("chosen")}`;
  if (!units?.includes(w.get("unit"))) return `unit ${w.get("unit")} is none of those that it shows`;
  if (!s.words?.length) return "its sentence has no word";
  const odd = steps.find(({ name }) => s.values[name]?.length !== s.words.length);
  if (odd)
    return `the number of words is ${s.words.length}, but that of values of ${odd.name} is ${s.values[odd.name]?.length ?? 0}`;
  const uneven = steps.find(({ name }) => s.values[name].some((row) => row.length !== units.length));
  return uneven ? `${uneven.name} has not a number for each of ${units.length} units` : "";
}

/**
 * Everything that the pictures read, at a step of the sentence.
 * @param {W} w
 */
function follow(w, step = w.get("step")) {
  const [kind, steps, units] = [w.get("kind"), w.get("steps"), w.get("units")];
  const s = w.get("sentences")[w.get("chosen")];
  const count = s.words.length * steps.length;
  const now = Math.min(Math.max(step, 0), count - 1);
  const [t, g] = [Math.floor(now / steps.length), now % steps.length];
  const at = units.indexOf(w.get("unit"));
  const role = roles[kind];
  const memory = steps.findIndex(({ name }) => name === role.memory);
  const unit = unitOf(kind, s, at);
  const taken = g >= memory ? t + 1 : t; // words that the memory has taken in
  return { kind, steps, units, s, count, now, t, g, at, role, memory, unit, taken, held: parts(unit, taken) };
}

/** @typedef {ReturnType<typeof follow>} A */

/** The state before this word, of every unit, or of one. @param {A} a */
const before = (a, step) => (a.t ? a.s.values[step][a.t - 1] : a.s.start[step]);
/** @param {A} a */
const value = (a, step) => a.s.values[step][a.t][a.at];
/** A state: two decimals, as the ledger adds them up. */
function said(x) {
  if (typeof x !== "number" || !Number.isFinite(x)) return special(typeof x === "number" ? encode(x) : x);
  return Math.abs(x) < 0.005 ? "0.00" : x.toFixed(2).replace("-", "−");
}
/** A gate, from 0 to 1. */
const gate = (x) => chance(typeof x === "number" ? encode(x) : x);
const isGate = (name) => name.endsWith("gate") || name === "reset" || name === "update";
const quoted = (word) => `“${shown(word)}”`;

/* ------------------------------------------------------------------ in words */

const ago = (n) => counted(n, "1 word ago", "{n} words ago");

/**
 * Where most of what the unit holds was written.
 * @param {A} a
 */
function whence(a) {
  const i = largest(a.held);
  if (i < 0) return "It holds nothing.";
  const part = said(a.held[i]);
  if (i === 0) return `Most of it, ${part}, was there before the first word.`;
  const [word, back] = [quoted(a.s.words[i - 1]), a.taken - i];
  if (!back) return `Most of it, ${part}, was written now, at ${word}.`;
  return `The word ${word} is still there: of what it wrote ${ago(back)}, ${part} is left.`;
}

/** @param {A} a */
function mixed(a, u, word) {
  const [keep, write, fresh] = [a.unit.keep[a.t], a.unit.write[a.t], a.unit.fresh[a.t]];
  const old = said(a.t ? a.unit.holds[a.t - 1] : a.unit.start);
  const sum = `${gate(keep)} × ${bracketed(old)} + ${gate(write)} × ${bracketed(said(fresh))} = ${said(a.unit.holds[a.t])}`;
  return `At ${word}, ${u} keeps ${gate(keep)} of what it held and writes ${gate(write)} of the new: ${sum}. ${whence(a)}`;
}

const bracketed = (text) => (text.startsWith("−") ? `(${text})` : text);

/** What a step says, by its name. */
const says = {
  reset: (_, u, word, x) =>
    `At ${word}, the reset gate of ${u} is ${x}: when the cell works out something new for it, it hears ${x} of what the old state says, and all of the word.`,
  update: (a, u, word, x) =>
    `At ${word}, the update gate of ${u} is ${x}: it will keep ${x} of what it holds, and so has room for ${gate(a.unit.write[a.t])} of the new.`,
  candidate: (a, u, word, x) =>
    a.kind === "GRU"
      ? `At ${word}, the new for ${u} is ${x}: this it would hold if its update gate kept nothing.`
      : `At ${word}, the new for ${u} is ${x}: this would be added if its input gate were open all the way.`,
  input_gate: (_, u, word, x) => `At ${word}, the input gate of ${u} is ${x}: ${x} of the new will be written.`,
  forget_gate: (_, u, word, x) =>
    `At ${word}, the forget gate of ${u} is ${x}: it will keep ${x} of what it holds. Writing has a gate of its own.`,
  output_gate: (_, u, word, x) =>
    `At ${word}, the output gate of ${u} is ${x}: it will show ${x} of what it holds; the rest stays inside.`,
  cell: mixed,
};

/** @param {A} a */
function shows(a, u, word) {
  const [o, c] = [gate(value(a, "output_gate")), said(value(a, "cell"))];
  return `At ${word}, ${u} shows ${o} × tanh ${bracketed(c)} = ${said(value(a, "hidden"))}: this alone is seen by the gates of the next word, and by whoever reads the state.`;
}

/** @param {A} a */
function words(a) {
  const { name } = a.steps[a.g];
  const [u, word] = [`unit ${a.units[a.at]}`, quoted(a.s.words[a.t])];
  if (name === "hidden") return a.kind === "GRU" ? mixed(a, u, word) : shows(a, u, word);
  const x = value(a, name);
  return says[name](a, u, word, isGate(name) ? gate(x) : said(x));
}

/* ------------------------------------------------------------------ the sentence */

/** @param {W} w @param {A} a */
function tokens(w, a) {
  const chip = (word, t) => {
    const cls = `qkv-chip ${t === a.t ? "qkv-now" : ""} ${t > a.t ? "qkv-ahead" : ""}`;
    if (w.still) return html`<span class=${cls}>${shown(word)}</span>`;
    const go = () => w.set({ step: t * a.steps.length + a.g });
    return html`<button type="button" class=${cls} aria-current=${t === a.t ? "step" : nothing} @click=${go}>${shown(word)}</button>`;
  };
  return html`<ol class="qkv-chain qkv-read-words" aria-label="The sentence, word by word">${a.s.words.map((word, t) => html`<li>${chip(word, t)}</li>`)}</ol>`;
}

/** @param {W} w */
function inputs(w) {
  const all = w.get("sentences");
  if (w.still || all.length < 2) return nothing;
  // The word that is looked at stays, as far as the other sentence has it.
  return html`<div class="qkv-inputs">${pick(
    "Sentence",
    "sentence",
    w.get("chosen"),
    all.map((s, i) => [i, s.text]),
    (chosen) => w.set({ chosen }),
  )}</div>`;
}

/* ------------------------------------------------------------------ the cell */

const share = (x) => (Number.isFinite(x) ? Math.min(Math.max(x, 0), 1) : 0);

/** @param {A} a */
function drawing(a) {
  const place = (name) => a.steps.findIndex((step) => step.name === name);
  const yet = (name) => place(name === "write" ? a.role.keep : name) <= a.g;
  const number = (name) => {
    if (name === "before") return before(a, a.role.memory)[a.at];
    return name === "write" ? encode(a.unit.write[a.t]) : value(a, name);
  };
  const say = (name) => {
    if (name !== "before" && !yet(name)) return "…";
    return (name === "write" || isGate(name) ? gate : said)(number(name));
  };
  const flows = a.steps.filter(({ name }) => yet(name)).map(({ name, letter }) => `${letter} = ${say(name)}`);
  return cellMap(a.kind, {
    say,
    strength: (name) => share(decode(number(name))),
    when: (name) => (name === "before" || yet(name) ? (a.steps[a.g].name === name ? "qkv-now" : "") : "qkv-later"),
    alt: `The ${a.kind} cell, unit ${a.units[a.at]}, at ${quoted(a.s.words[a.t])}: it held ${say("before")}; ${flows.join(", ")}.`,
  });
}

/** A number as a bar to the left or the right of the middle. */
function signed(x, limit) {
  if (!Number.isFinite(x)) return nothing;
  const half = 50 * Math.min(1, Math.abs(x) / (limit || 1));
  return html`<span class="qkv-meter qkv-signed" aria-hidden="true"><i class=${x < 0 ? "qkv-less" : ""} style="left:${x < 0 ? 50 - half : 50}%;width:${half}%"></i></span>`;
}

/** @param {W} w @param {A} a */
function ledger(w, a) {
  const limit = Math.max(...a.held.concat(a.unit.fresh, a.unit.holds).filter(Number.isFinite).map(Math.abs), 0);
  const letters = Object.fromEntries(a.steps.map(({ name, letter }) => [name, letter]));
  const writes = a.role.write ? letters[a.role.write] : `1 − ${letters[a.role.keep]}`;
  const [best, place] = [largest(a.held), (name) => a.steps.findIndex((s) => s.name === name)];
  const row = (word, i) => {
    const there = (name) => i < a.t || (i === a.t && place(name) <= a.g);
    const cell = (name, x, say) => html`<td class="qkv-num">${there(name) ? say(x) : ""}</td>`;
    return html`<tr class="${i + 1 === best ? "qkv-best" : ""} ${i === a.t ? "qkv-asks" : ""}">
      <th scope="row">${shown(word)}</th>
      ${cell(a.role.keep, a.unit.keep[i], gate)}${cell(a.role.write ?? a.role.keep, a.unit.write[i], gate)}${cell(a.role.fresh, a.unit.fresh[i], said)}
      <td class="qkv-num">${i < a.taken ? html`<span class="qkv-val">${said(a.held[i + 1])}</span>${signed(a.held[i + 1], limit)}` : ""}</td>
    </tr>`;
  };
  const total = a.taken ? a.unit.holds[a.taken - 1] : a.unit.start;
  return html`<div class="qkv-work">
    <div class="qkv-h">Unit ${a.units[a.at]}, word by word <small>what each wrote, and what is left of it now</small></div>
    ${scroll(
      w,
      `Unit ${a.units[a.at]}, word by word`,
      html`<table class="qkv-steps qkv-ledger">
      <thead><tr><th scope="col">word</th><th scope="col">keeps ${letters[a.role.keep]}</th><th scope="col">writes ${writes}</th><th scope="col">new ${letters[a.role.fresh]}</th><th scope="col">still there</th></tr></thead>
      <tbody>
        ${a.unit.start ? html`<tr><th scope="row">before</th><td></td><td></td><td></td><td class="qkv-num"><span class="qkv-val">${said(a.held[0])}</span>${signed(a.held[0], limit)}</td></tr>` : nothing}
        ${a.s.words.map(row)}
      </tbody>
      <tfoot><tr><th scope="row" colspan="4">sum: what unit ${a.units[a.at]} holds</th><td class="qkv-num"><span class="qkv-val">${said(total)}</span>${signed(total, limit)}</td></tr></tfoot>
    </table>`,
    )}
  </div>`;
}

/* ------------------------------------------------------------------ all units */

/** @param {W} w @param {A} a */
function choose(w, a, i) {
  const next = Math.min(Math.max(i, 0), a.units.length - 1);
  if (next === a.at) return;
  const had = hasFocus(w, ".qkv-unit");
  w.set({ unit: a.units[next] });
  if (had) focus(w, `.qkv-unit[data-unit="${a.units[next]}"]`);
}

/** @param {W} w @param {A} a */
function unitButton(w, a, u, i) {
  if (w.still) return u;
  return html`<button type="button" class="qkv-row qkv-unit" data-unit=${u} tabindex=${i === a.at ? 0 : -1}
    aria-pressed=${i === a.at} aria-label="unit ${u}" @click=${() => choose(w, a, i)}>${u}</button>`;
}

/** @param {W} w @param {A} a */
function stepButton(w, a, i) {
  const { letter, title } = a.steps[i];
  const words = html`<b>${letter}</b>`;
  if (w.still) return words;
  return html`<button type="button" class="qkv-row" title=${title} aria-label="${letter}: ${title}" aria-pressed=${i === a.g}
    @click=${() => w.set({ step: a.t * a.steps.length + i })}>${words}</button>`;
}

/** @param {W} w @param {A} a */
function units(w, a) {
  const states = [a.role.memory, "hidden"];
  const limit = Math.max(
    1,
    ...states
      .flatMap((name) => a.s.values[name].flat().map(decode))
      .filter(Number.isFinite)
      .map(Math.abs),
  );
  const scale = (name) => (isGate(name) ? "unit" : "diverging");
  const cell = (v, name, i) =>
    html`<td class="${hatch(v)} ${i === a.at ? "qkv-mine" : ""}" style=${cellStyle(v, scale(name), limit)}>${short(v)}</td>`;
  const olds =
    a.kind === "GRU"
      ? [["hidden", "h"]]
      : [
          ["cell", "c"],
          ["hidden", "h"],
        ];
  const note = a.units.length < w.get("size") ? `${a.units.length} of ${w.get("size")} units` : "";
  return html`<div class="qkv-h qkv-gap">All units <small>a column each${w.still ? "" : ": choose one"}${note ? `; ${note} are shown` : ""}</small></div>
  ${scroll(
    w,
    "All units",
    html`<table class="qkv-matrix qkv-heat">
    <thead><tr><th scope="row">unit</th>${a.units.map((u, i) => html`<th scope="col">${unitButton(w, a, u, i)}</th>`)}</tr></thead>
    <tbody>
      ${olds.map(([name, letter]) => html`<tr><th scope="row">${letter} before</th>${before(a, name).map((v, i) => cell(v, name, i))}</tr>`)}
      ${a.steps.map(
        ({ name }, g) => html`<tr class=${g === a.g && !w.still ? "qkv-on" : ""}>
        <th scope="row">${stepButton(w, a, g)}</th>
        ${a.s.values[name][a.t].map((v, i) => (g <= a.g ? cell(v, name, i) : html`<td class="qkv-later"></td>`))}
      </tr>`,
      )}
    </tbody>
  </table>`,
    ".qkv-mine",
  )}`;
}

/* ------------------------------------------------------------------ all of it */

/** @param {W} w */
function view(w) {
  const a = follow(w);
  const told = words(a);
  const { title, formula: drawn } = a.steps[a.g];
  const go = (step) => w.set({ step });
  if (!w.still) Object.assign(w.keys, { up: () => choose(w, a, a.at - 1), down: () => choose(w, a, a.at + 1) });
  return html`${inputs(w)}
    ${tokens(w, a)}
    ${controls(w, { at: a.now, count: a.count, what: "Step", said: `${shown(a.s.words[a.t])}: ${title}`, go })}
    <div class="qkv-title"><b>${title}</b>${drawn ? html`<span class="qkv-formula">${formula(drawn)}</span>` : nothing}</div>
    ${sentence(w, told)}
    <div class="qkv-two qkv-gated">
      <figure class="qkv-figure"><div class="qkv-h">The cell, unit ${a.units[a.at]} <small>a way is as strong as its gate lets through</small></div>${drawing(a)}</figure>
      ${ledger(w, a)}
    </div>
    ${units(w, a)}`;
}

/**
 * For print: the end of some of the words.
 * @param {W} w
 */
function stills(w) {
  const { steps, s, memory } = follow(w);
  return spread(s.words.length, 3).map((t) => {
    const step = t * steps.length + memory;
    return { caption: words(follow(w, step)), state: { step } };
  });
}

export default widget("gated-cell", { missing, view, stills });
