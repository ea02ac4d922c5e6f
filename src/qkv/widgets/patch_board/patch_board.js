// PatchBoard: words are patched from one sentence's run of a translator into another's.
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { choice, sentence } from "../core/controls.js";
import { details } from "../core/details.js";
import { focus } from "../core/focus.js";
import { widget } from "../core/frame.js";
import { enters, MOST_LETTERS } from "../core/inputs.js";
import { korean, marked } from "../core/korean.js";
import { modelHint, size, withNetwork } from "../core/loading.js";
import { once } from "../core/once.js";
import { scroll } from "../core/scroll.js";
import { nearest, wordsOf } from "../core/spelling.js";
import { quoted, shown } from "../core/text.js";
import { transformer } from "../core/transformer.js";
import { recovered, run, words } from "./patching.js";
import { doors, said, silentHeads, textOf, tokenName, two } from "./saying.js";

/** @typedef {import("./patching.js").Asked} Asked */
/** @typedef {import("./patching.js").Result} Result */
/** @typedef {{ asked: Asked } & Result} Recorded */
/**
 * @typedef {Asked & {
 *   words: string[], heads: number[], joiner: string, longest: number, most: number,
 *   recorded: Recorded, name: string, size: number,
 * }} State heads: how many in each layer
 */
/**
 * `typed` is in the fields, while the pair is still the one it was typed over; `unknown` are words of it; `field` was
 * typed in last; `wanted` waits for the model; `known` are the results so far.
 * @typedef {object} Own
 * @property {{ texts: string[], base: string }} typed
 * @property {string} fault
 * @property {{ field: number, word: string, near: string[] }[]} unknown
 * @property {number} field
 * @property {Partial<Asked>} wanted
 * @property {(key: string, asked: Asked) => Result} known
 */
/** @typedef {Own & import("../core/details.js").Opened & import("../core/loading.js").Loading} Local */
/** @typedef {import("../core/frame.js").World<State, Local>} W */

const NAMES = ["clean", "corrupted"];
const parts = { both: "KV", keys: "K", values: "V" };
const MOST_KNOWN = 100; // results that are kept

/* ------------------------------------------------------------------ what is asked, and what comes of it */

/** @param {W} w @returns {Asked} */
const askedOf = (w) => ({
  pair: w.get("pair"),
  patched: w.get("patched"),
  through: w.get("through"),
  off: w.get("off"),
});

/** @param {Asked} asked */
const keyOf = ({ pair, patched, through, off }) => JSON.stringify([pair, patched, through, off]);

/** What the controls show: also what waits for the model. @param {W} w @returns {Asked} */
const chosenOf = (w) => ({ ...askedOf(w), ...(w.local.loading ? w.local.wanted : {}) });

/**
 * What comes of it, if it is recorded or the model is here.
 * @param {W} w
 * @param {Asked} asked
 * @returns {Result | null}
 */
function resultOf(w, asked) {
  const [key, recorded] = [keyOf(asked), w.get("recorded")];
  if (key === keyOf(recorded.asked)) return recorded;
  if (!w.local.net) return null;
  w.local.known ??= once((_, one) => run(w.local.net, one, w.get("most")), MOST_KNOWN);
  return w.local.known(key, asked);
}

/** Take over what is wanted. @param {W} w */
function take(w) {
  const wanted = { ...askedOf(w), ...w.local.wanted };
  const count = words(wanted.pair[0]).length;
  wanted.patched = wanted.patched.filter((j) => j < count);
  if (w.local.wanted?.pair && w.local.typed) w.local.typed.base = wanted.pair.join("|");
  w.local.wanted = undefined;
  w.set(wanted);
}

/** Do this as soon as what comes of it can be said. @param {W} w @param {Partial<Asked>} changes */
function change(w, changes) {
  w.local.wanted = { ...(w.local.loading ? w.local.wanted : {}), ...changes };
  if (w.local.loading) return w.draw();
  if (resultOf(w, { ...askedOf(w), ...changes })) return take(w);
  return withNetwork(w, transformer, () => take(w), "What was chosen before stays.");
}

/** A list with something in it, or without it, in order. */
const flipped = (list, one, order) => {
  const kept = list.filter((other) => order(other, one));
  return kept.length < list.length ? kept : [...list, one].sort(order);
};

/* ------------------------------------------------------------------ the two sentences */

/** @param {W} w */
function texts(w) {
  const { typed } = w.local;
  return typed && typed.base === w.get("pair").join("|") ? typed.texts : w.get("pair");
}

/** @param {W} w */
function put(w, field, text) {
  const now = texts(w).map((old, i) => (i === field ? text : old));
  Object.assign(w.local, { typed: { texts: now, base: w.get("pair").join("|") }, field, fault: "", unknown: [] });
  w.draw();
}

/** What is wrong with two rows of words, or "". @param {W} w @param {string[][]} rows */
function fault(w, rows) {
  const empty = rows.findIndex((row) => !row.length);
  if (empty >= 0) return `Type the ${NAMES[empty]} sentence first.`;
  const [clean, corrupted] = rows.map((row) => row.length);
  if (clean !== corrupted)
    return `The clean sentence has ${clean} words and the corrupted one ${corrupted}. A word is patched by the word in its place: type two sentences of as many words.`;
  return clean > w.get("longest") ? `These are ${clean} words; ${w.get("longest")} are the most it takes here.` : "";
}

/** Take the two sentences, or say what is wrong with them. @param {W} w */
function give(w) {
  const known = w.get("words");
  const rows = texts(w).map((text) => wordsOf(text, known));
  const strange = (row, field) =>
    [...new Set(row.filter((word) => !known.includes(word)))].map((word) => ({
      field,
      word,
      near: nearest(word, known),
    }));
  w.local.unknown = rows.flatMap(strange);
  w.local.fault = w.local.unknown.length ? "" : fault(w, rows);
  if (w.local.unknown.length || w.local.fault) return w.draw();
  return change(w, { pair: rows.map((row) => row.join(" ")) });
}

/** Put a known word in the place of an unknown one. @param {W} w */
function mend(w, { field, word }, by) {
  const row = wordsOf(texts(w)[field], w.get("words"));
  put(w, field, row.map((other) => (other === word ? by : other)).join(" "));
  give(w);
  focus(w, `[data-field="${field}"]`);
}

/** @param {W} w */
function notes(w) {
  const { fault: wrong, note, unknown } = w.local;
  const strange = (unknown ?? []).map(
    (one) => html`<p class="qkv-unknown">
      <span>It does not know <b>${shown(one.word)}</b>, in the ${NAMES[one.field]} sentence. Near it:</span>
      ${one.near.map((by) => html`<button type="button" data-near=${by} @click=${() => mend(w, one, by)}>${shown(by)}</button>`)}
    </p>`,
  );
  return html`<div role="status" class=${wrong || note || strange.length ? "qkv-note" : ""}>
    ${wrong ? html`<p>${wrong}</p>` : nothing}${note ? html`<p>${note}</p>` : nothing}${strange}
  </div>`;
}

/** @param {W} w */
function known(w) {
  const append = (word) => put(w, w.local.field ?? 0, `${texts(w)[w.local.field ?? 0]} ${word}`.trim());
  return details(
    w,
    `The ${w.get("words").length} words it knows`,
    () => html`<p class="qkv-hint">A word goes to the end of the ${NAMES[w.local.field ?? 0]} sentence.</p>
      <div class="qkv-words">${w.get("words").map((word) => html`<button type="button" @click=${() => append(word)}>${shown(word)}</button>`)}</div>`,
  );
}

/** @param {W} w */
function sentences(w) {
  if (w.still) return nothing;
  const now = texts(w);
  const submit = (event) => {
    event.preventDefault();
    give(w);
  };
  const swap = () => {
    w.local.typed = undefined;
    change(w, { pair: [...chosenOf(w).pair].reverse() });
  };
  const enter = (field) => {
    if (w.local.field === field) return;
    w.local.field = field;
    w.draw();
  };
  return html`<form class="qkv-two-texts" @submit=${submit}>
      ${NAMES.map(
        (name, i) => html`<label><span>${name}</span>
          <input name="text" data-field=${i} maxlength=${MOST_LETTERS} autocomplete="off" spellcheck="false" .value=${live(now[i])}
            aria-invalid=${(w.local.unknown ?? []).some(({ field }) => field === i)}
            @focus=${() => enter(i)} @input=${(e) => put(w, i, e.target.value)} @keydown=${enters} /></label>`,
      )}
      <div class="qkv-acts">
        <button type="submit" data-act="give" aria-disabled=${!!w.local.loading}>Read them</button>
        <button type="button" data-act="swap" @click=${swap}>Exchange</button>
        <span class="qkv-hint">${modelHint(w, `The first change loads the model: ${size(w.get("size"))}, once.`)}</span>
      </div>
    </form>
    ${notes(w)}${known(w)}`;
}

/* ------------------------------------------------------------------ what is patched */

/** @param {W} w @param {Asked} asked */
function board(w, { pair, patched, through }) {
  const [clean, corrupted] = pair.map(words);
  const flip = (j) => change(w, { patched: flipped(patched, j, (a, b) => a - b) });
  const on = (j) => patched.includes(j);
  const arrow = (j) => (on(j) ? `↓${parts[through]}` : "\u00a0");
  const cell = (j) =>
    w.still
      ? html`<td>${arrow(j)}</td>`
      : html`<td><label><input type="checkbox" data-word=${j} .checked=${live(on(j))} @change=${() => flip(j)}
          aria-label=${`patch word ${j + 1}: ${clean[j]} over ${corrupted[j]}`} /><i aria-hidden="true">${arrow(j)}</i></label></td>`;
  const kind = (j, name) => (on(j) ? name : "");
  return scroll(
    w,
    "The two sentences, word by word",
    html`<table class="qkv-patch-bay">
      <thead><tr><th scope="row">clean</th>${clean.map((word, j) => html`<th scope="col" class=${kind(j, "qkv-from-clean")}>${shown(word)}</th>`)}</tr></thead>
      <tbody>
        <tr><th scope="row">patch</th>${clean.map((_, j) => cell(j))}</tr>
        <tr><th scope="row">corrupted</th>${corrupted.map((word, j) => html`<td class=${kind(j, "qkv-gone-over")}>${on(j) && through === "both" ? html`<s>${shown(word)}</s>` : shown(word)}</td>`)}</tr>
      </tbody>
    </table>`,
  );
}

/** @param {W} w @param {Asked} asked */
function heads(w, { off }) {
  const before = ([a, b], [c, d]) => a - c || b - d;
  const silent = (layer, head) => off.some((one) => !before(one, [layer, head]));
  const flip = (layer, head) => change(w, { off: flipped(off, [layer, head], before) });
  return html`<div class="qkv-switchboard">${w.get("heads").map(
    (count, layer) => html`<fieldset class="qkv-choice">
      <legend>Heads of layer ${layer + 1}</legend>
      ${Array.from({ length: count }, (_, head) => {
        const on = !silent(layer, head);
        return html`<label class=${on ? "" : "qkv-silent"}><input type="checkbox" data-head="${layer}-${head}" .checked=${live(on)} @change=${() => flip(layer, head)} />${head + 1}<span class="qkv-vh"> ${on ? "on" : "off"}</span></label>`;
      })}
    </fieldset>`,
  )}</div>`;
}

/** @param {W} w @param {Asked} asked */
function settings(w, asked) {
  if (w.still)
    return html`<p class="qkv-input">Patched: <b>${asked.patched.length ? doors[asked.through] : "nothing"}</b>${asked.off.length ? html`; silent: <b>${silentHeads(asked)}</b>` : nothing}</p>`;
  const all = words(asked.pair[0]).map((_, j) => j);
  const button = (name, title, places) =>
    html`<button type="button" data-act=${name} aria-disabled=${places.length === asked.patched.length} @click=${() => places.length !== asked.patched.length && change(w, { patched: places })}>${title}</button>`;
  return html`<div class="qkv-acts">${button("all", "All words", all)}${button("none", "No word", [])}</div>
    ${choice(w, { legend: "What of a word:", name: "through", options: Object.entries(doors), chosen: asked.through, pick: (through) => change(w, { through }) })}
    ${heads(w, asked)}
    <p class="qkv-hint">Heads of the decoder's cross-attention. One that is off is silent in the patched run alone.</p>`;
}

/* ------------------------------------------------------------------ what comes of it */

/** @param {W} w @param {Result | null} result */
function runs(w, result) {
  const far = result ? recovered(result) : Number.NaN;
  const measured = !!result && result.at >= 0;
  const name = (run) => (measured ? tokenName(result.writes[run][result.at]) : "…");
  const row = (run, share) => {
    const [one, other] = (measured && result.logits[run]) || [];
    const cells = measured ? [one, other, one - other].map(two) : ["", "", ""];
    const text = result ? textOf(result.writes[run], w.get("joiner")) : "…";
    return html`<tr class=${run === "patched" ? "qkv-best" : ""}>
      <th scope="row">${run}</th><td class="qkv-writes" lang=${korean(text)}>${text}</td>
      ${cells.map((cell, i) => html`<td class=${i < 2 ? "qkv-logit" : ""}>${cell}</td>`)}<td>${measured ? share : ""}</td>
    </tr>`;
  };
  const heading = (what, run) => html`<th scope="col" class="qkv-logit">${what} ${marked(name(run))}</th>`;
  return scroll(
    w,
    "The three runs",
    html`<table class="qkv-three-runs">
      <thead><tr><th scope="col">run</th><th scope="col">it writes</th>${heading("logit of", "clean")}${heading("logit of", "corrupted")}<th scope="col">difference</th><th scope="col">recovered</th></tr></thead>
      <tbody>${row("clean", "1")}${row("corrupted", "0")}${row("patched", two(far))}</tbody>
    </table>`,
  );
}

/** The way from 0 to 1, and a little more. @param {Result | null} result */
function way(result) {
  const measured = !!result && result.at >= 0;
  const far = measured ? recovered(result) : 0;
  const place = 100 * Math.min(Math.max((far + 0.5) / 2, 0.02), 0.98);
  const sign = far < -0.46 ? "◀" : far > 1.46 ? "▶" : "◆";
  const [from, to] = measured
    ? [result.writes.corrupted, result.writes.clean].map((run) => tokenName(run[result.at]))
    : ["", ""];
  return html`<div class="qkv-way-over" role="img" aria-label=${measured ? `${two(far)} of the way from ${from} to ${to}` : "nothing to measure"}>
    <i class="qkv-road"></i><i class="qkv-post" style="left:25%"></i><i class="qkv-post" style="left:75%"></i>
    ${measured ? html`<b style="left:${place}%">${sign}</b>` : nothing}
    <span style="left:25%">0 corrupted<br />${marked(from)}</span><span style="left:75%">1 clean<br />${marked(to)}</span>
  </div>`;
}

/** @param {W} w @param {Result | null} result */
function told(w, result) {
  if (result) return said(askedOf(w), result, w.get("joiner"));
  return w.local.loading ? "The model is being loaded …" : "The model has to run for this.";
}

/** @param {W} w @param {Result | null} result */
function outcome(w, result) {
  const title = html`<div class="qkv-h">What is written, and what is recovered <small>where the two translations first differ</small></div>`;
  const ask =
    result || w.still || w.local.loading
      ? nothing
      : html`<p class="qkv-hint">This is not recorded. <button type="button" data-act="load" @click=${() => withNetwork(w, transformer, () => {}, "")}>Load the model</button></p>`;
  return html`<div>${title}${runs(w, result)}${way(result)}${ask}${sentence(w, told(w, result))}</div>`;
}

/* ------------------------------------------------------------------ the widget */

/** @param {W} w */
function missing(w) {
  const [pair, recorded] = [w.get("pair"), w.get("recorded")];
  if (!Array.isArray(pair) || pair.length !== 2 || pair.some((text) => typeof text !== "string"))
    return "it has not two sentences";
  const [clean, corrupted] = pair.map((text) => words(text).length);
  if (!clean || clean !== corrupted) return `its sentences have ${clean} and ${corrupted} words`;
  if (!w.get("patched").every((j) => Number.isInteger(j) && j >= 0 && j < clean)) return "a word to patch is none";
  if (!Object.hasOwn(doors, w.get("through"))) return `${quoted(w.get("through"))} is no way to patch`;
  return recorded?.writes && recorded.logits && recorded.asked ? "" : "nothing is recorded in it";
}

/** @param {W} w */
function view(w) {
  const chosen = chosenOf(w);
  return html`${sentences(w)}
    <div class="qkv-patching">
      <div><div class="qkv-h">What is patched <small>a checked word of the corrupted run is given what the clean run has in its place</small></div>
        ${board(w, chosen)}${settings(w, chosen)}</div>
      ${outcome(w, resultOf(w, askedOf(w)))}
    </div>`;
}

/** @param {W} w */
function stills(w) {
  const [clean, corrupted] = w.get("pair");
  return [{ caption: `“${corrupted}”, patched from “${clean}”`, state: {} }];
}

export default widget("patch-board", { missing, view, stills });
