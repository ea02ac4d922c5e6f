// Stepping: two buttons, a slider, arrow keys, and a sentence that is read aloud.
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { marked } from "./korean.js";

/** @typedef {import("./frame.js").World} W */

/**
 * Wire ←/→, Home/End and draw the bar. `go(i)` is called with a step in range. `first` is the number of step 0.
 * @param {W} w
 */
export function controls(w, { at, count, what, said, go, first = 1 }) {
  if (w.still) return nothing;
  const to = (i) => {
    const next = Math.min(Math.max(i, 0), count - 1);
    if (next !== at) go(next);
  };
  Object.assign(w.keys, {
    left: () => to(at - 1),
    right: () => to(at + 1),
    home: () => to(0),
    end: () => to(count - 1),
  });
  return html`<div class="qkv-bar">
    <button type="button" data-act="back" aria-disabled=${at === 0} @click=${() => to(at - 1)}>
      <span aria-hidden="true">◀</span> Back
    </button>
    <input
      type="range" min="0" max=${count - 1} step="1" .value=${live(String(at))}
      aria-label=${what} aria-valuetext=${`${at + first} of ${count - 1 + first}: ${said}`}
      @input=${(e) => to(+e.target.value)}
    />
    <button type="button" data-act="next" aria-disabled=${at === count - 1} @click=${() => to(at + 1)}>
      Next <span aria-hidden="true">▶</span>
    </button>
    <span class="qkv-count">${at + first} / ${count - 1 + first}</span>
  </div>`;
}

/**
 * The sentence of this step: seen by all, and announced when it changes.
 * @param {W} w
 */
export const sentence = (w, said) =>
  html`<p class="qkv-say" aria-live=${w.still ? "off" : "polite"}>${typeof said === "string" ? marked(said) : said}</p>`;

/**
 * A choice between few: native radio buttons in a row.
 * @param {W} w
 */
export function choice(w, { legend, name, options, chosen, pick }) {
  return html`<fieldset class="qkv-choice">
    <legend>${legend}</legend>
    ${options.map(
      ([value, words]) => html`<label>
        <input
          type="radio" name=${`${w.id}-${name}`} .checked=${live(value === chosen)}
          @change=${() => pick(value)}
        />${words}</label
      >`,
    )}
  </fieldset>`;
}

/**
 * A slider with its name before it and its value in words after it. A name that is a symbol is `called` in words.
 * @param {W} w
 * @param {{ label: unknown, called?: string, value: number, min: number, max: number, said: string, pick(x: number): void }} s
 */
export const slider = (w, { label, called, value, min, max, said, pick }) =>
  w.still
    ? nothing
    : html`<label class="qkv-slide"><span>${label}</span>
        <input
          type="range" min=${min} max=${max} step="1" .value=${live(String(value))}
          aria-label=${called ?? nothing} aria-valuetext=${said} @input=${(e) => pick(+e.target.value)}
        /><output>${said}</output></label
      >`;

/** A native list to choose from: `options` are [value, words], values numbers. */
export const pick = (label, name, value, options, go) => html`<label>${label}
  <select data-pick=${name} .value=${live(String(value))} @change=${(e) => go(+e.target.value)}>
    ${options.map(([x, words]) => html`<option value=${x} ?selected=${x === value}>${words}</option>`)}
  </select></label>`;

/** 1, 2, … for the options of `pick`, whose values count from 0. */
export const numbers = (n) => Array.from({ length: n }, (_, i) => [i, i + 1]);
