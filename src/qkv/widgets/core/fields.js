// Native number inputs. What is being typed stays as it was typed; only a number is passed on.
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";

/** @typedef {{ typing: { id: string, text: string, bad: boolean } }} Typing what is typed, and where */
/** @typedef {import("./frame.js").World<any, Typing>} W */

/**
 * An input for a number of [min, max]; `whole` for integers. `put(x)` is called at every
 * change to a number in range; anything else is marked, and the last number counts.
 * @param {W} w
 * @param {{
 *   id: string, value: number, label: string, min: number, max: number, step?: number | "any", whole?: boolean,
 *   put: (x: number) => void,
 * }} field
 */
export function numberField(w, { id, value, label, min, max, step = "any", whole = false, put }) {
  const typing = w.local.typing?.id === id ? w.local.typing : undefined;
  const typed = ({ target }) => {
    const x = target.valueAsNumber;
    const fine = Number.isFinite(x) && x >= min && x <= max && (!whole || Number.isInteger(x));
    w.local.typing = { id, text: target.value, bad: !fine };
    if (fine) put(x);
    else w.draw();
  };
  const done = () => {
    if (!w.local.typing) return;
    w.local.typing = undefined;
    w.draw();
  };
  return html`<input
    type="number" min=${min} max=${max} step=${step} aria-label=${label} data-field=${id} autocomplete="off"
    aria-invalid=${typing?.bad ? "true" : nothing} .value=${live(typing ? typing.text : String(value))}
    @input=${typed} @change=${done} @blur=${done} @keydown=${(e) => e.stopPropagation()}
  />`;
}

/**
 * What is said while something that is no number stands in a field.
 * @param {W} w
 */
export const fieldNote = (w, words) =>
  html`<p class="qkv-note" role="status" ?hidden=${!w.local.typing?.bad}>${w.local.typing?.bad ? words : ""}</p>`;
