// A vector as bars: up and orange for positive, down and blue for negative.
import { html, nothing, svg } from "lit-html";
import { details } from "./details.js";
import { scroll } from "./scroll.js";
import { hatch, short } from "./text.js";

const round = (x) => Math.round(x * 100) / 100;

const drawn = new WeakMap(); // a vector's paths: most are drawn again at every step

/** Three path strings, up, down and not finite, in a box of n × 2. */
function paths(values, limit) {
  const known = drawn.get(values);
  if (known?.limit === limit) return known;
  const made = { limit, ...trace(values, limit) };
  drawn.set(values, made);
  return made;
}

function trace(values, limit) {
  /** @type {string[][]} */
  const [up, down, odd] = [[], [], []];
  values.forEach((value, i) => {
    if (typeof value !== "number") return odd.push(`M${i} 0h.8v2h-.8z`);
    if (value === 0) return;
    const height = round(Math.max(-1, Math.min(1, value / (limit || 1))));
    (value > 0 ? up : down).push(`M${i} 1h.8v${-height}h-.8z`);
  });
  return { up: up.join(""), down: down.join(""), odd: odd.join("") };
}

/**
 * The picture of a vector, `times` a factor. `label` is its alternative text; without one
 * it is decoration.
 */
export function bars(values, limit, { label = "", kind = "", times = 1 } = {}) {
  const { up, down, odd } = paths(values, limit);
  const scale = times === 1 ? nothing : `translate(0 ${1 - times}) scale(1 ${times})`;
  return html`<svg
    class="qkv-bars ${kind}" viewBox="0 0 ${values.length} 2" preserveAspectRatio="none"
    role=${label ? "img" : nothing} aria-label=${label || nothing} aria-hidden=${label ? nothing : "true"}
  >
    ${svg`<path class="qkv-axis" d="M0 1H${values.length}" vector-effect="non-scaling-stroke"/>
      <g transform=${scale}><path class="qkv-pos" d=${up}/><path class="qkv-neg" d=${down}/></g>
      ${odd ? svg`<path class="qkv-odd" d=${odd}/>` : nothing}`}
  </svg>`;
}

/** The largest size among finite values. */
export const reach = (rows) => {
  let most = 0;
  for (const row of rows) for (const x of row) if (typeof x === "number") most = Math.max(most, Math.abs(x));
  return most;
};

/**
 * A vector's numbers as a table that opens on request.
 * @param {import("./details.js").W} w
 */
export function numbers(w, values, name) {
  const title = `${name} in numbers`;
  const inside = () => html`<table>
    <thead><tr><th scope="row">unit</th>${values.map((_, i) => html`<th scope="col">${i}</th>`)}</tr></thead>
    <tbody><tr><th scope="row">value</th>${values.map((v) => html`<td class=${hatch(v)}>${short(v)}</td>`)}</tr></tbody>
  </table>`;
  return details(w, title, () => scroll(w, title, inside()));
}
