// Curves over whole numbers 0…n−1: one mark that moves, and a part that is shaded.
import { html, nothing, svg } from "lit-html";

const box = { left: 30, right: 8, top: 16, bottom: 27, width: 260, height: 166 };
const round = (x) => Math.round(x * 10) / 10;

/** Round steps that cut low…high into at most five. */
export function ticks(low, high) {
  const rough = (high - low) / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) ?? 10 * power;
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high + 1e-9; i++) found.push(+(i * step).toPrecision(6));
  return found;
}

const minus = (x) => String(x).replace("-", "−");

/**
 * Draw curves, [{values, label: {text, at, drop}}], between low and high: the place `at` is
 * marked, what is at `from` or beyond is shaded. `alt` is the alternative text.
 */
export function chart({ curves, low, high, at, from, alt, id, axis }) {
  const n = curves[0].values.length;
  const x = (i) => round(box.left + (i / (n - 1)) * (box.width - box.left - box.right));
  const y = (v) => round(box.height - box.bottom - ((v - low) / (high - low)) * (box.height - box.top - box.bottom));
  const [floor, right] = [y(low), box.width - box.right];
  const edge = x(Math.min(from, n) - 0.5);
  const shade =
    from < n
      ? svg`<pattern id=${id} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="qkv-hatched" d="M0 0V6"/></pattern>
        <rect class="qkv-shade" x=${edge} y=${box.top} width=${round(right - edge)} height=${floor - box.top} fill="url(#${id})"/>`
      : nothing;
  return html`<svg class="qkv-chart" viewBox="0 0 ${box.width} ${box.height}" role="img" aria-label=${alt}>
    ${shade}
    ${ticks(low, high).map((v) => svg`<path class="qkv-grid" d="M${box.left} ${y(v)}H${right}"/><text x=${box.left - 5} y=${y(v) + 4} text-anchor="end">${minus(v)}</text>`)}
    ${ticks(0, n - 1).map((i) => svg`<path class="qkv-axis" d="M${x(i)} ${floor}v4"/><text x=${x(i)} y=${floor + 15} text-anchor="middle">${i}</text>`)}
    <text class="qkv-soft" x=${right} y=${box.height - 1} text-anchor="end">${axis}</text>
    ${at < n ? svg`<path class="qkv-at" d="M${x(at)} ${box.top}V${floor}"/>` : nothing}
    ${curves.map(
      (c) => svg`<path class="qkv-curve" d=${`M${c.values.map((v, i) => `${x(i)} ${y(v)}`).join("L")}`}/>
      ${at < n ? svg`<circle class="qkv-spot" cx=${x(at)} cy=${y(c.values[at])} r="3.5"/>` : nothing}`,
    )}
    ${curves.map((c) => (c.label ? svg`<text class="qkv-name" x=${x(c.label.at)} y=${y(c.values[c.label.at]) + c.label.drop} text-anchor="end">${c.label.text}</text>` : nothing))}
    ${from < n ? svg`<text class="qkv-soft" x=${round((edge + right) / 2)} y=${floor - 6} text-anchor="middle">beyond training</text>` : nothing}
  </svg>`;
}
