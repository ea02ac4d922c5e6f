// Curves of runs over their steps: the one that is looked at, and others to compare it with.
import { html, nothing, svg } from "lit-html";
import { ticks } from "../core/chart.js";

const box = { left: 24, right: 10, top: 8, bottom: 20, width: 270, height: 126 };
const round = (x) => Math.round(x * 10) / 10;

/**
 * Draw lines, [{points: [step, value][], mark, now}], over steps 0…last and values 0…high; what is higher is drawn
 * at the rim. `level` is a dashed line with its words, `at` the step that is looked at.
 */
export function curves({ lines, last, high, level, at, alt }) {
  const x = (step) => round(box.left + (step / last) * (box.width - box.left - box.right));
  const y = (v) => round(box.height - box.bottom - (Math.min(v, high) / high) * (box.height - box.top - box.bottom));
  const floor = y(0);
  const line = ({ points, mark, now }) => {
    const fine = points.filter(([, v]) => Number.isFinite(v));
    if (!fine.length) return nothing;
    const [step, value] = fine[fine.length - 1];
    const half = fine.reduce((a, b) => (Math.abs(b[1] - high / 2) < Math.abs(a[1] - high / 2) ? b : a));
    const d = fine.map(([s, v]) => `${x(s)} ${y(v)}`).join("L");
    return svg`<g class=${now ? "qkv-mine" : "qkv-other"}><path class="qkv-curve" d="M${d}"/><circle class="qkv-spot" cx=${x(step)} cy=${y(value)} r=${now ? 3 : 2}/>
      ${mark ? svg`<text x=${x(half[0]) + 5} y=${y(half[1]) + 4}>${mark}</text>` : nothing}</g>`;
  };
  return html`<svg class="qkv-chart" viewBox="0 0 ${box.width} ${box.height}" role="img" aria-label=${alt}>
    ${ticks(0, high).map((v) => svg`<path class="qkv-grid" d="M${box.left} ${y(v)}H${box.width - box.right}"/><text x=${box.left - 5} y=${y(v) + 4} text-anchor="end">${v}</text>`)}
    ${ticks(0, last).map((s) => svg`<path class="qkv-axis" d="M${x(s)} ${floor}v4"/><text x=${x(s)} y=${floor + 15} text-anchor="middle">${s}</text>`)}
    <path class="qkv-level" d="M${box.left} ${y(level.value)}H${box.width - box.right}"/>
    <text class="qkv-soft" x=${box.width - box.right} y=${y(level.value) - 4} text-anchor="end">${level.words}</text>
    <path class="qkv-at" d="M${x(at)} ${box.top}V${floor}"/>
    ${lines.map(line)}
  </svg>`;
}
