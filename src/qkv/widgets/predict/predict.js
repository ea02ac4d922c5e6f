// Predict: a question to answer before running. The page remembers the answer.
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { widget } from "../core/frame.js";
import { rich } from "../core/rich.js";
import { order, reader } from "./order.js";

/** @typedef {import("../core/rich.js").Segment[]} Rich */
/** @typedef {{ question: Rich, options: { text: Rich, why: Rich }[], right: number, name: string, answer: number }} State */
/** @typedef {{ pick: number, seen: number }} Local what is picked, and the answer that is drawn */
/** @typedef {import("../core/frame.js").World<State, Local>} W */

/** @param {W} w */
function missing(w) {
  const options = w.get("options");
  if (!w.get("question")?.length) return "it has no question";
  if (!Array.isArray(options) || options.length < 2) return "it has fewer than two options";
  return options[w.get("right")] ? "" : "none of its options is right";
}

/** @param {W} w */
const key = (w) => `qkv.predict.${w.get("name")}`;

/**
 * The page's memory may be closed to us (private windows): then only the trait remembers.
 * @param {W} w
 * @param {number} [value] to keep; without one the memory is read
 */
function memory(w, value) {
  try {
    if (value === undefined) return localStorage.getItem(key(w));
    if (value < 0) localStorage.removeItem(key(w));
    else localStorage.setItem(key(w), String(value));
  } catch {
    return null;
  }
  return null;
}

/** @param {W} w */
function begin(w) {
  const kept = memory(w);
  const known = kept !== null && Number.isInteger(+kept) && w.get("options")?.[+kept];
  if (w.get("answer") < 0 && known) w.set({ answer: +kept });
  w.local.pick = w.get("answer");
}

/** @param {W} w */
function option(w, i, answer) {
  const right = i === w.get("right");
  const told = w.still || i === answer;
  const { text, why } = w.get("options")[i];
  const mark = !told ? "" : right ? "✓" : "✗";
  return html`<div class="qkv-option ${told ? (right ? "qkv-good" : "qkv-bad") : ""}">
    <label>
      ${
        w.still
          ? nothing
          : html`<input type="radio" name="${w.id}-options" .checked=${live(w.local.pick === i)} @change=${() => pick(w, i)} />`
      }
      <span>${rich(text)}</span>
      ${mark ? html`<b>${mark} ${right ? "right" : "no"}</b>` : nothing}
    </label>
    ${told ? html`<p class="qkv-why">${rich(why)}</p>` : nothing}
  </div>`;
}

/**
 * The options as this reader sees them; on paper as they were written.
 * @param {W} w
 */
function places(w) {
  const options = w.get("options");
  return w.still ? options.map((_, i) => i) : order(reader(), w.get("name"), options.length);
}

/** @param {W} w */
function pick(w, i) {
  w.local.pick = i;
  w.draw();
}

/** @param {W} w */
function give(w, answer) {
  memory(w, answer);
  w.local.pick = answer;
  w.set({ answer });
}

const plain = (segments) => segments.map((s) => s.text ?? s.code ?? s.plain ?? "").join("");

/** @param {W} w */
function said(w, answer) {
  if (answer < 0) return "";
  const verdict = answer === w.get("right") ? "Right." : "Not so.";
  return `${verdict} ${plain(w.get("options")[answer].why)}`;
}

/** @param {W} w */
function view(w) {
  const answer = w.get("answer");
  if (w.local.seen !== answer) {
    w.local.seen = answer;
    w.local.pick = answer;
  }
  const { pick = -1 } = w.local;
  const picked = pick >= 0 && pick !== answer;
  return html`<fieldset class="qkv-ask-me">
      <legend><span class="qkv-badge">Predict</span> ${rich(w.get("question"))}</legend>
      ${places(w).map((i) => option(w, i, answer))}
    </fieldset>
    ${
      w.still
        ? nothing
        : html`<div class="qkv-bar">
          <button type="button" data-act="check" aria-disabled=${!picked} @click=${() => picked && give(w, pick)}>
            ${answer < 0 ? "This is my answer" : "Answer again"}
          </button>
          ${answer < 0 ? nothing : html`<button type="button" data-act="reset" @click=${() => give(w, -1)}>Forget my answer</button>`}
          <span class="qkv-hint">${answer < 0 ? "Commit yourself before you run on." : answer === w.get("right") ? "" : "Choose again if you like."}</span>
        </div>
        <p class="qkv-vh" aria-live="polite">${said(w, answer)}</p>`
    }`;
}

export default widget("predict", { missing, view, stills: () => [{ state: {} }], begin });
