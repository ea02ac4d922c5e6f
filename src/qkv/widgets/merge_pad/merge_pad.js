// MergePad: byte pair encoding of a reader's own text, merge by merge, and of a word that the text has not.
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { choice, controls, sentence } from "../core/controls.js";
import { widget } from "../core/frame.js";
import { korean } from "../core/language.js";
import { scroll } from "../core/scroll.js";
import { counted } from "../core/text.js";
import { drawn, seen } from "./drawing.js";
import { everySize, learn, pairs, rowsAfter, units } from "./merging.js";
import { saying, unitNames } from "./saying.js";

/** @typedef {import("./merging.js").By} By */
/** @typedef {import("./merging.js").Learnt} Learnt */
/** @typedef {{ name: string, text: string, word: string, merges: number }} Example */
/**
 * @typedef {object} State
 * @property {string} text the words to learn from; able×5 counts five times
 * @property {By} by what is merged at first
 * @property {number} merges
 * @property {string} word one that the text has not
 * @property {Example[]} examples
 */
/** @typedef {"text" | "word"} Field */
/**
 * @typedef {object} Local
 * @property {{ [field in Field]?: string }} typed what stands in a field, while it is written in or can't be taken
 * @property {{ key: string, learnt: Learnt }} learning what was learnt of the text last
 * @property {{ key: string, sizes: import("./merging.js").Stretch[] }} sizing
 */
/** @typedef {import("../core/frame.js").World<State, Local>} W */

const most = { text: 2000, word: 100 }; // characters
const shownPairs = 12;
const shownWords = 30;
const lengthOf = (text) => [...text].length;

/** @param {W} w */
function missing(w) {
  const by = w.get("by");
  if (typeof w.get("text") !== "string" || typeof w.get("word") !== "string") return "it has no text or no word";
  if (!Object.hasOwn(unitNames, by)) return `by is ${by}, and none of ${Object.keys(unitNames).join(", ")}`;
  if (!(w.get("merges") >= 0)) return "its number of merges is none";
  for (const field of /** @type {const} */ (["text", "word"])) {
    const n = lengthOf(w.get(field));
    if (n > most[field]) return `its ${field} has ${n} characters, and may have ${most[field]}`;
  }
  return "";
}

/* ------------------------------------------------------------------ what is shown */

/**
 * What is learnt of a text is learnt once.
 * @param {W} w
 */
function follow(w) {
  const [text, by, word] = [w.get("text"), w.get("by"), w.get("word").trim()];
  const key = `${by} ${text}`;
  if (w.local.learning?.key !== key) w.local.learning = { key, learnt: learn(text, by) };
  const { learnt } = w.local.learning;
  const unit = units(word, by);
  const sizeKey = `${word} ${key}`;
  if (w.local.sizing?.key !== sizeKey) w.local.sizing = { key: sizeKey, sizes: everySize(learnt, unit) };
  const { sizes } = w.local.sizing;
  const k = Math.min(w.get("merges"), learnt.merges.length);
  const at = (m) => sizes.find(({ to }) => m <= to);
  return { learnt, word, unit, sizes, k, now: at(k), before: k ? at(k - 1) : undefined };
}

/** @typedef {ReturnType<typeof follow>} A */

/** @param {A} a */
const words = ({ learnt, k, word, now, before }) =>
  saying(learnt, { k, word, order: now?.order ?? [], before: before?.order });

/* ------------------------------------------------------------------ what is typed */

/** What is wrong with a text that is typed, or "". */
function trouble(field, text) {
  const n = lengthOf(text);
  if (n > most[field])
    return `That are ${n.toLocaleString("en")} characters, and the pad takes ${most[field].toLocaleString("en")}: shorten it. What is drawn is the ${field} before.`;
  if (text.trim()) return "";
  return field === "text"
    ? "The text is empty: type some words, or press one of the buttons."
    : "Type a word to see how it is encoded.";
}

/** What no text can hold becomes �: half a character of UTF-16. */
const whole = (text) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(text));

/**
 * @param {W} w
 * @param {Field} field
 */
function put(w, field, text) {
  w.local.typed = { ...w.local.typed, [field]: text };
  if (lengthOf(text) > most[field]) w.draw();
  else w.set({ [field]: whole(text) });
}

/**
 * What could be taken stands in the state; what could not stays as it was typed.
 * @param {W} w
 * @param {Field} field
 */
function left(w, field) {
  const text = w.local.typed?.[field];
  if (text === undefined || lengthOf(text) > most[field]) return;
  w.local.typed = { ...w.local.typed, [field]: undefined };
  w.draw();
}

/** @param {W} w */
function take(w, { text, word, merges }) {
  w.local.typed = {};
  w.set({ text, word, merges });
}

/**
 * The attributes that a field for a text has, of either kind.
 * @param {W} w
 * @param {Field} field
 */
function typing(w, field) {
  const text = w.local.typed?.[field] ?? w.get(field);
  const bad = trouble(field, text);
  return {
    text,
    bad,
    lang: korean(text),
    input: (e) => put(w, field, e.target.value),
    blur: () => left(w, field),
    key: (e) => e.stopPropagation(), // the arrows move in the text; JupyterLab's keys are not meant
    note: html`<p class="qkv-note" role="status" id="${w.id}-${field}" ?hidden=${!bad}>${bad}</p>`,
  };
}

/** @param {W} w */
function giving(w) {
  if (w.still) return html`<p class="qkv-input">Text: <b lang=${korean(w.get("text"))}>${w.get("text")}</b></p>`;
  const t = typing(w, "text");
  return html`<div class="qkv-giving">
      <label class="qkv-of-text"><span>Text <small>able×5 counts five times</small></span>
        <textarea
          rows="2" spellcheck="false" autocapitalize="off" lang=${t.lang} aria-invalid=${t.bad ? "true" : nothing}
          aria-describedby=${t.bad ? `${w.id}-text` : nothing}
          .value=${live(t.text)} @input=${t.input} @blur=${t.blur} @keydown=${t.key}
        ></textarea></label>
      <div>
        <div class="qkv-outputs" role="group" aria-label="Texts to begin with">${w
          .get("examples")
          .map(
            (example, i) =>
              html`<button type="button" class="qkv-pick" data-example=${i} aria-pressed=${example.text === w.get("text")} @click=${() => take(w, example)}>${example.name}</button>`,
          )}</div>
        ${choice(w, {
          legend: "Merged first:",
          name: "by",
          options: Object.entries(unitNames).map(([by, { many }]) => [by, many]),
          chosen: w.get("by"),
          pick: (by) => w.set({ by }),
        })}
      </div>
    </div>
    ${t.note}`;
}

/* ------------------------------------------------------------------ tokens */

/**
 * A token with its id; of bytes also the characters that they are.
 * @param {Learnt} learnt
 * @param {number} id of no token if it is negative
 * @param {{ unit?: string[], fresh?: number }} more the units of the word; the id that the last merge made
 */
function chip(learnt, id, { unit = [], fresh } = {}) {
  const { text, whole } = drawn(id < 0 ? unit[-1 - id] : learnt.tokens[id], learnt.by);
  const name = id < 0 ? "none" : String(id);
  return html`<span class="qkv-piece ${id === fresh ? "qkv-made" : ""} ${id < 0 ? "qkv-none" : ""} ${learnt.by === "byte" ? "qkv-hex" : ""}"><b lang=${korean(text)}>${text}</b> <small>${whole ? html`<span lang=${korean(whole)}>${whole}</span> ` : nothing}${name}</small></span>`;
}

const chips = (learnt, ids, more = {}) => ids.map((id) => chip(learnt, id, more));

/* ------------------------------------------------------------------ left: pairs; middle: words */

/** @param {W} w @param {A} a */
function pairsNow(w, { learnt, k }, rows) {
  const all = pairs(rows);
  const rest = all.length - shownPairs;
  const text = (id) => drawn(learnt.tokens[id], learnt.by).text;
  const side = (id) => html`<span lang=${korean(text(id))}>${text(id)}</span>`;
  return html`<div class="qkv-col">
    ${scroll(
      w,
      "Pairs and how often they stand",
      html`<table class="qkv-pairs">
      <caption>${all.length ? html`Pairs now <small>the first is merge ${k + 1}</small>` : "No pair is left"}</caption>
      <thead><tr><th scope="col">pair</th><th scope="col">ids</th><th scope="col">times</th></tr></thead>
      <tbody>${all.slice(0, shownPairs).map(
        ([n, a, b], i) => html`<tr class=${i ? "" : "qkv-best"}>
          <th scope="row">${i ? nothing : html`<span class="qkv-diamond" aria-label="next">▶</span>`}${side(a)} + ${side(b)}</th><td>${a} + ${b}</td><td>${n}</td></tr>`,
      )}</tbody>
    </table>`,
    )}
    ${rest > 0 ? html`<p class="qkv-hint">${counted(rest, "and {n} pair that stands no more often", "and {n} pairs that stand no more often")}</p>` : nothing}
  </div>`;
}

/** @param {W} w @param {A} a */
function wordsNow(w, { learnt, k }, rows) {
  const merge = learnt.merges[k - 1];
  const fresh = merge?.id;
  const all = rows.map((row, i) => ({ ...row, text: learnt.words[i].text, touched: row.ids.includes(fresh) }));
  // Of many words those that the merge has changed come first, so that they are seen.
  const many = all.length > shownWords;
  const sorted = many ? all.sort((x, y) => Number(y.touched) - Number(x.touched)) : all;
  const rest = all.length - shownWords;
  return html`<div class="qkv-col">
    ${scroll(
      w,
      "The words as tokens",
      html`<table class="qkv-cutting">
      <caption>The words as tokens <small>${merge ? `outlined: what merge ${k} made` : "with their ids"}</small></caption>
      <thead><tr><th scope="col">word</th><th scope="col">times</th><th scope="col">tokens, ids</th></tr></thead>
      <tbody>${sorted.slice(0, shownWords).map(
        ({ text, count, ids }) => html`<tr><th scope="row" lang=${korean(text)}>${seen(text)}</th><td>${count}</td>
          <td class="qkv-pieces">${chips(learnt, ids, { fresh })}</td></tr>`,
      )}</tbody>
    </table>`,
    )}
    ${rest > 0 ? html`<p class="qkv-hint">${counted(rest, "and {n} word more", "and {n} words more")}</p>` : nothing}
  </div>`;
}

/* ------------------------------------------------------------------ right: the new word */

/** @param {A} a */
function twoWays({ learnt, k, unit, now }) {
  const { order, match } = now ?? { order: [], match: [] };
  const fresh = learnt.merges[k - 1]?.id;
  const count = (ids) => counted(ids.length, "{n} token", "{n} tokens");
  const same = match?.join() === order.join();
  return html`<div class="qkv-two-ways">
    <div><div class="qkv-h">By merge order <small>${count(order)}</small></div>
      <p class="qkv-pieces">${chips(learnt, order, { unit, fresh })}</p></div>
    <div><div class="qkv-h">By longest match <small>${match ? html`${count(match)}, ${same ? "the same" : html`<b class="qkv-differs">not the same</b>`}` : "unknown as a whole"}</small></div>
      <p class="qkv-pieces">${match ? chips(learnt, match, { unit, fresh }) : html`<span class="qkv-piece qkv-none"><b>[UNK]</b> <small>none</small></span>`}</p></div>
  </div>`;
}

const range = ({ from, to }) => (from === to ? String(from) : `${from}–${to}`);

/** @param {W} w @param {A} a */
function sizesOf(w, a) {
  const { learnt, unit, sizes, k } = a;
  const text = (id) => drawn(id < 0 ? unit[-1 - id] : learnt.tokens[id], learnt.by).text;
  const cut = (ids) => ids.map((id) => html`<span class=${id < 0 ? "qkv-none" : ""}>${text(id)}</span> `);
  const row = (size) => {
    const here = size.from <= k && k <= size.to;
    const same = size.match?.join() === size.order.join();
    return html`<tr class="${here ? "qkv-best" : size.from > k ? "qkv-later" : ""}">
      <th scope="row">${w.still ? range(size) : html`<button type="button" class="qkv-row" data-to=${size.from} aria-pressed=${here} aria-label="to merge ${size.from}" @click=${() => w.set({ merges: size.from })}>${range(size)}</button>`}</th>
      <td>${size.order.length}</td>
      <td class="qkv-cuts" lang=${korean(unit.join(""))}>${cut(size.order)}${same ? nothing : html`<br /><small>longest match:</small> ${size.match ? cut(size.match) : "[UNK]"}`}</td></tr>`;
  };
  return scroll(
    w,
    "The word under every number of merges",
    html`<table class="qkv-by-size">
    <caption>Under every number of merges</caption>
    <thead><tr><th scope="col">merges</th><th scope="col">tokens</th><th scope="col">the word</th></tr></thead>
    <tbody>${sizes.map(row)}</tbody>
  </table>`,
  );
}

/** @param {W} w */
function asking(w) {
  if (w.still) return html`<p class="qkv-input">New word: <b lang=${korean(w.get("word"))}>${w.get("word")}</b></p>`;
  const t = typing(w, "word");
  return html`<p class="qkv-inputs"><label>New word <input
      name="text" autocomplete="off" autocapitalize="off" spellcheck="false" lang=${t.lang} aria-invalid=${t.bad ? "true" : nothing}
      aria-describedby=${t.bad ? `${w.id}-word` : nothing}
      .value=${live(t.text)} @input=${t.input} @blur=${t.blur} @keydown=${t.key}
    /></label></p>
    ${t.note}`;
}

/** @param {A} a */
function unknown({ learnt, unit, now }) {
  const lost = [...new Set(now?.order.filter((id) => id < 0).map((id) => drawn(unit[-1 - id], learnt.by).text))];
  if (!lost.length) return nothing;
  const list = lost.join(", ");
  return html`<p class="qkv-note" lang=${korean(list)}>${counted(lost.length, `No token for ${list}: the text has none.`, `No tokens for ${list}: the text has none.`)}</p>`;
}

/** @param {W} w @param {A} a */
const newWord = (w, a) => html`<div class="qkv-col">
    ${asking(w)}
    ${a.word ? html`${unknown(a)}${twoWays(a)}${sizesOf(w, a)}` : nothing}
  </div>`;

/* ------------------------------------------------------------------ all of it */

/** @param {W} w */
function view(w) {
  const a = follow(w);
  if (!a.learnt.words.length) return giving(w);
  const rows = rowsAfter(a.learnt, a.k);
  const count = a.learnt.merges.length + 1;
  return html`${giving(w)}
    ${controls(w, { at: a.k, count, first: 0, what: "Merges", said: `${a.k} merges`, go: (merges) => w.set({ merges }) })}
    ${sentence(w, words(a))}
    <div class="qkv-three">${pairsNow(w, a, rows)}${wordsNow(w, a, rows)}${newWord(w, a)}</div>`;
}

/** @param {W} w */
function stills(w) {
  const { k, learnt } = follow(w);
  return [...new Set([0, k, learnt.merges.length])].map((merges) => ({
    caption: counted(merges, "After {n} merge", "After {n} merges"),
    state: { merges },
  }));
}

export default widget("merge-pad", { missing, view, stills });
