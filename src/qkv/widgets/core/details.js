// More, for who asks: drawn only while it is open.
import { html, nothing } from "lit-html";

/** @typedef {{ open: boolean }} Opened is it open? */
/** @typedef {import("./frame.js").World<any, Opened>} W */

/**
 * What opens on request. A widget has one.
 * @param {W} w
 * @param {string} title
 * @param {() => unknown} inside
 */
export function details(w, title, inside) {
  if (w.still) return nothing;
  const open = !!w.local.open;
  const toggle = (event) => {
    if (event.target.open === open) return;
    w.local.open = event.target.open;
    w.draw();
  };
  return html`<details class="qkv-more" ?open=${open} @toggle=${toggle}>
    <summary>${title}</summary>
    ${open ? inside() : nothing}
  </details>`;
}
