// What may be wider than its place: it scrolls sideways, and the Tab key reaches it.
import { html, nothing } from "lit-html";

/** @typedef {import("./frame.js").World} W */

/**
 * `inside` in such a box; what `follow` selects is kept in sight.
 * @param {W} w
 * @param {string} label
 * @param {unknown} inside
 * @param {string | symbol} [follow]
 */
export const scroll = (w, label, inside, follow = nothing) =>
  html`<div class="qkv-scroll" tabindex=${w.still ? nothing : 0} role="group" aria-label=${label} data-follow=${follow}>${inside}</div>`;
