// MergePad: byte pair encoding of a reader's own text, merge by merge, and of a word that the text has not.
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { choice, controls, sentence } from "../core/controls.js";
import { widget } from "../core/frame.js";
import { korean, marked } from "../core/korean.js";
import { scroll } from "../core/scroll.js";
import { counted } from "../core/text.js";
import { drawn, few, seen } from "./drawing.js";
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
const shownTokens = 200; // of all these words
const around = 12; // stretches of merges before and after the present one
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
    return `The ${field} has ${n.toLocaleString("en")} characters, and the pad takes ${most[field].toLocaleString("en")}: shorten it. Below, all is still of the ${field} before.`;
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

/**
 * A table that scrolls under its title.
 * @param {W} w
 * @param {string | symbol} [follow] what is kept in sight
 */
function titled(w, title, more, { heads, rows }, follow) {
  const table = html`<table aria-label=${title}><thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead><tbody>${rows}</tbody></table>`;
  return html`<div class="qkv-h">${title} <small>${more}</small></div>${scroll(w, title, table, follow)}`;
}

const andMore = (rest, one, other) => (rest > 0 ? html`<p class="qkv-hint">${counted(rest, one, other)}</p>` : nothing);

/** @param {W} w @param {A} a */
function pairsNow(w, { learnt, k }, rows) {
  const all = pairs(rows);
  const side = (id) => {
    const { text, whole } = drawn(learnt.tokens[id], learnt.by);
    return html`<span lang=${korean(text)}>${few(text, learnt.by)}</span>${whole ? html` <small lang=${korean(whole)}>${whole}</small>` : nothing}`;
  };
  /** @param {number[]} pair */
  const row = ([n, a, b], i) =>
    html`<tr class=${i ? "" : "qkv-best"}><td>${n}</td><th scope="row">${side(a)} + ${side(b)}</th><td>${a} + ${b}</td></tr>`;
  return html`<div class="qkv-col qkv-pairs">
    ${titled(w, "Pairs", all.length ? `next: merge ${k + 1}` : "none is left", { heads: ["times", "pair", "ids"], rows: all.slice(0, shownPairs).map(row) })}
    ${andMore(all.length - shownPairs, "and {n} pair more", "and {n} pairs more")}
  </div>`;
}

const hints = {
  jamo: "·ㅇ with a dot is a final consonant (받침).",
  byte: "Bytes as hex; below them the characters, where they are whole.",
};

/** @param {W} w @param {A} a */
function wordsNow(w, { learnt, k }, rows) {
  const fresh = learnt.merges[k - 1]?.id;
  const all = rows.map((row, i) => ({ ...row, text: learnt.words[i].text, touched: row.ids.includes(fresh) }));
  // Of many words those that the merge has changed come first, so that they are seen.
  if (all.length > shownWords) all.sort((x, y) => Number(y.touched) - Number(x.touched));
  let room = shownTokens;
  const some = all.slice(0, shownWords).filter(({ ids }) => {
    room -= ids.length;
    return room + ids.length > 0;
  });
  const row = ({ text, count, ids }) =>
    html`<tr><td>${count}</td><th scope="row" lang=${korean(text)}>${seen(text)}</th><td class="qkv-pieces">${chips(learnt, ids.slice(0, shownTokens), { fresh })}${ids.length > shownTokens ? "…" : nothing}</td></tr>`;
  return html`<div class="qkv-col qkv-cutting">
    ${titled(w, "Words", k ? `outlined: merge ${k}` : "", { heads: ["times", "word", "tokens, ids"], rows: some.map(row) })}
    ${andMore(all.length - some.length, "and {n} word more", "and {n} words more")}
    ${hints[learnt.by] ? html`<p class="qkv-hint">${marked(hints[learnt.by])}</p>` : nothing}
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
    <div><div class="qkv-h">By longest match <small>${!match ? "unknown" : same ? "the same" : html`<b class="qkv-differs">differs: ${count(match)}</b>`}</small></div>
      <p class="qkv-pieces">${match ? chips(learnt, match, { unit, fresh }) : html`<span class="qkv-piece qkv-none"><b>[UNK]</b> <small>none</small></span>`}</p></div>
  </div>`;
}

const range = ({ from, to }) => (from === to ? String(from) : `${from}–${to}`);

/** @param {W} w @param {A} a */
function sizesOf(w, { learnt, unit, sizes, k }) {
  const name = (id) => {
    const { text, whole } = drawn(id < 0 ? unit[-1 - id] : learnt.tokens[id], learnt.by);
    return whole || text;
  };
  const cut = (ids) => ids.map((id) => html`<span class=${id < 0 ? "qkv-none" : ""}>${name(id)}</span> `);
  const lang = korean(unit.join(""));
  const row = (size) => {
    const { from, to, order, match } = size;
    const here = from <= k && k <= to;
    return html`<tr class=${here ? "qkv-best" : from > k ? "qkv-later" : ""}>
      <th scope="row">${w.still ? range(size) : html`<button type="button" class="qkv-row" data-to=${from} aria-pressed=${here} @click=${() => w.set({ merges: from })}>${range(size)}</button>`}</th><td>${order.length}</td>
      <td class="qkv-cuts" lang=${lang}>${cut(order)}${!match || match.join() === order.join() ? nothing : html`<br /><small lang="en">longest match:</small> ${cut(match)}`}</td></tr>`;
  };
  const at = sizes.findIndex(({ to }) => k <= to);
  const some = sizes.slice(Math.max(0, at - around), at + around + 1);
  const table = { heads: ["merges", "tokens", "the word"], rows: some.map(row) };
  return titled(w, "Under every number of merges", "", table, ".qkv-best");
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
const newWord = (w, a) => html`<div class="qkv-col qkv-by-size">
    ${asking(w)}
    ${a.word ? html`${unknown(a)}${twoWays(a)}${sizesOf(w, a)}` : nothing}
  </div>`;

/* ------------------------------------------------------------------ all of it */

/** @param {W} w @param {A} a */
function stepping(w, a) {
  const rows = rowsAfter(a.learnt, a.k);
  const count = a.learnt.merges.length + 1;
  return html`${controls(w, { at: a.k, count, first: 0, what: "Merges", said: `${a.k} merges`, go: (merges) => w.set({ merges }) })}
    ${sentence(w, words(a))}
    <div class="qkv-three">${pairsNow(w, a, rows)}${wordsNow(w, a, rows)}${newWord(w, a)}</div>`;
}

/** @param {W} w */
function view(w) {
  const a = follow(w);
  return html`${giving(w)}${a.learnt.words.length ? stepping(w, a) : nothing}`;
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
