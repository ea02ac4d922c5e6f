// Above: the sentence, and how it is drawn.
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { slider } from "../core/controls.js";
import { focus } from "../core/focus.js";
import { box } from "../core/inputs.js";
import { korean, marked } from "../core/korean.js";
import { modelStatus } from "../core/loading.js";
import { spelt, wordKinds } from "../core/scenes.js";
import { act, among, load, paint, reset, type } from "./acting.js";
import { mended, next, read, saidBy, trouble } from "./reading.js";
import { runOf, voiceIn } from "./running.js";
import { fieldOf } from "./state.js";

/** @typedef {import("./state.js").Field} Field */
/** @typedef {import("./state.js").W} W */

const HOTTEST = 1.5;
const MOST_GUIDANCE = 2;
const MOST_SEED = 9999;

/** @param {W} w */
export function asking(w) {
  const sentence = w.get("sentence");
  if (w.still) return html`<p class="qkv-input">Sentence: <b lang=${korean(sentence)}>${sentence}</b></p>`;
  const field = fieldOf(w);
  const { text, words, voice, page } = field;
  const back = () => words.length && type(w, spelt(words.slice(0, -1), voice, page));
  return html`<div class="qkv-asking">
    ${box({
      label: "Sentence",
      give: (typed) => paint(w, typed),
      value: live(text),
      put: (typed) => type(w, typed),
      button: html`<button type="submit" class="qkv-start1" data-act="paint">Paint</button>
        <button type="button" data-act="takeback" aria-disabled=${!words.length} @click=${back}>Take back</button>
        <button type="button" data-act="clear" aria-disabled=${!text} @click=${() => type(w, "")}>Clear</button>
        ${otherVoice(w, field)}`,
    })}
    ${lexicon(w, field)}${faults(w, field)}
  </div>`;
}

/** The same sentence in the other language. @param {W} w @param {Field} field */
function otherVoice(w, field) {
  const { page, voice } = field;
  const other = w.get("voices").find((one) => one !== voice);
  if (!other) return nothing;
  const name = other.language === "korean" ? "한국어" : "English";
  const go = () => {
    const { rows } = trouble(field, voice, page) ? read(w.get("sentence"), voiceIn(w), page) : field;
    paint(w, spelt(saidBy(rows, other, page), other, page));
  };
  return html`<button type="button" data-act="language" lang=${korean(name)} @click=${go}>${name}</button>`;
}

/** The words that may be added. @param {W} w @param {Field} field */
function lexicon(w, { text, words, voice, page }) {
  const { colours, shapes, rest } = wordKinds(voice, page);
  const all = [...colours, ...shapes, ...rest];
  const may = next(text, voice, page);
  const at = w.local.word ?? 0;
  const add = (word, i) => () => {
    w.local.word = i;
    if (may.includes(word)) type(w, spelt([...words, word], voice, page));
  };
  const go = (to) => {
    w.local.word = to;
    w.draw();
  };
  return html`<div class="qkv-lexicon" role="toolbar" aria-label="Words that may be added: arrow keys move, Enter adds" data-follow="[aria-disabled=false]" @keydown=${among(w, "word", all.length, all.length, go)}>
    ${all.map(
      (word, i) => html`<button
        type="button" class="qkv-lexeme" data-word=${i} tabindex=${i === at ? 0 : -1} lang=${korean(word)}
        aria-disabled=${!may.includes(word)} @click=${add(word, i)}
      >${word}</button>`,
    )}
  </div>`;
}

/** What is the matter with the sentence. @param {W} w @param {Field} field */
function faults(w, field) {
  const { text, voice, page } = field;
  const said = w.local.faulty ? trouble(field, voice, page) : "";
  const better = said && text.trim() ? mended(text, voice, page) : "";
  const mend = () => {
    type(w, better);
    focus(w, "[data-act=paint]");
  };
  return html`<div class="qkv-note" role="alert" ?hidden=${!said}>
    ${marked(said)}
    ${better ? html`<button type="button" data-act="mend" @click=${mend}>Write <span lang=${korean(better)}>“${better}”</span></button>` : nothing}
  </div>`;
}

/** How it is drawn. @param {W} w */
export function settings(w) {
  if (w.still) return nothing;
  const [temperature, guidance, seed] = [w.get("temperature"), w.get("guidance"), w.get("seed")];
  const put = (given) => act(w, { seed: Math.min(Math.max(Math.round(given) || 0, 0), MOST_SEED) });
  return html`<div class="qkv-recipe">
    ${slider(w, { label: "Temperature", value: Math.round(10 * temperature), min: 0, max: 10 * HOTTEST, said: temperature.toFixed(1), pick: (x) => act(w, { temperature: x / 10 }) })}
    ${slider(w, { label: "Guidance", value: Math.round(4 * guidance), min: 0, max: 4 * MOST_GUIDANCE, said: String(+guidance.toFixed(2)), pick: (x) => act(w, { guidance: x / 4 }) })}
    <label class="qkv-seed">Seed <input type="number" min="0" max=${MOST_SEED} style="--wide:4" .value=${live(String(seed))} @change=${(e) => put(e.target.value)} /></label>
    <button type="button" data-act="again" @click=${() => put((seed + 1) % MOST_SEED)}>Next seed</button>
    <button type="button" data-act="reset" @click=${() => reset(w)}>Reset</button>
    ${modelStatus(w, { wanted: !runOf(w), load: () => load(w) })}
  </div>`;
}
