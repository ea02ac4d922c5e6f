// A vector as bars: up and orange for positive, down and blue for negative.
import { html, svg, nothing } from "lit-html";
import { hatch, short } from "./words.js";

const round = (x) => Math.round(x * 100) / 100;

/** Two path strings, one for each sign, in a box of n × 2. */
function paths(values, limit) {
  const [up, down] = [[], []];
  values.forEach((value, i) => {
    if (typeof value !== "number" || value === 0) return;
    const height = round(Math.max(-1, Math.min(1, value / (limit || 1))));
    (value > 0 ? up : down).push(`M${i} 1h.8v${-height}h-.8z`);
  });
  return [up.join(""), down.join("")];
}

/** The picture of a vector. `label` is its alternative text; without one it is decoration. */
export function bars(values, limit, { label = "", kind = "" } = {}) {
  const [up, down] = paths(values, limit);
  const odd = values.map((v, i) => (typeof v === "number" ? "" : `M${i} 0h.8v2h-.8z`)).join("");
  return html`<svg
    class="qkv-bars ${kind}" viewBox="0 0 ${values.length} 2" preserveAspectRatio="none"
    role=${label ? "img" : nothing} aria-label=${label || nothing} aria-hidden=${label ? nothing : "true"}
  >
    ${svg`<path class="qkv-axis" d="M0 1H${values.length}" vector-effect="non-scaling-stroke"/>
      <path class="qkv-pos" d=${up}/><path class="qkv-neg" d=${down}/><path class="qkv-odd" d=${odd}/>`}
  </svg>`;
}

/** The largest size among finite values. */
export const reach = (rows) => {
  let most = 0;
  for (const row of rows)
    for (const x of row) if (typeof x === "number") most = Math.max(most, Math.abs(x));
  return most;
};

/** A vector's numbers as a table that opens on request. */
export function numbers(w, values, name) {
  if (w.still) return nothing;
  const open = w.local.open;
  const toggle = (event) => {
    if (event.target.open === !!w.local.open) return;
    w.local.open = event.target.open;
    w.draw();
  };
  return html`<details class="qkv-more" ?open=${open} @toggle=${toggle}>
    <summary>${name} in numbers</summary>
    ${open
      ? html`<div class="qkv-scroll" tabindex="0" role="group" aria-label="${name} in numbers">
          <table>
            <thead><tr><th scope="row">unit</th>${values.map((_, i) => html`<th scope="col">${i}</th>`)}</tr></thead>
            <tbody><tr><th scope="row">value</th>${values.map((v) => html`<td class=${hatch(v)}>${short(v)}</td>`)}</tr></tbody>
          </table>
        </div>`
      : nothing}
  </details>`;
}
