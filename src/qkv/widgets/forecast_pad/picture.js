// The series with what a forecaster reads; a window close up. Stretched drawings, whose lines and words are not.
import { html, nothing, svg } from "lit-html";
import { ticks } from "../core/chart.js";

/** @typedef {import("./forecasting.js").Read} Read */
/** @typedef {{ low: number, high: number }} Limits */

const [WIDE, HIGH] = [1000, 100];
const round = (x) => Math.round(x * 100) / 100;
const minus = (x) => String(x).replace("-", "−");

/** Limits that hold all these values, with some room above and below; what hardly differs is a level line. */
export function limitsOf(values) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const level = most - least <= 1e-9 * Math.max(Math.abs(least), Math.abs(most));
  const room = level ? 0.1 * Math.abs(most) || 1 : (most - least) * 0.08;
  return { low: least - room, high: most + room };
}

/** @param {Limits} limits @param {number} n places */
function scales({ low, high }, n) {
  const share = (v) => Math.min(Math.max((v - low) / (high - low), -0.02), 1.02);
  return { x: (i) => round(((i + 0.5) / n) * WIDE), y: (v) => round((1 - share(v)) * HIGH) };
}

/** @typedef {ReturnType<typeof scales>} Scales */

/** @param {Scales} s @param {number[][]} points [place, value] */
const line = ({ x, y }, points) => `M${points.map(([i, v]) => `${x(i)} ${y(v)}`).join("L")}`;

/** A round dot in a drawing that is stretched: a line of no length with a round end. */
const dot = ({ x, y }, i, v, cls) => svg`<path class="qkv-blob ${cls}" d="M${x(i)} ${y(v)}h0"/>`;

/** Words at a place of the drawing, which are not stretched with it. */
const words = (left, top, text, cls) =>
  html`<span class=${cls} style="left:${round(left / 10)}%;top:${round(top)}%" aria-hidden="true">${text}</span>`;

/** From a weight to a line's thickness in pixels. */
const thickness = (share) => round(0.6 + 6 * Math.abs(share));

/**
 * From each place that is read an arc to the forecast.
 * @param {Scales} s
 */
function arcs(s, values, reads, t, forecast) {
  const largest = Math.max(...reads.map(({ weight }) => Math.abs(weight)), 1);
  const seen = reads
    .filter(({ weight }) => Math.abs(weight) >= 0.01)
    .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight))
    .slice(0, 40);
  return seen.map(({ place, weight }) => {
    const [x0, y0, x1, y1] = [s.x(place), s.y(values[place]), s.x(t), s.y(forecast)];
    const lift = Math.max(Math.min(y0, y1) - 8 - Math.abs(x1 - x0) / 7, -30);
    return svg`<path class="qkv-arc ${weight < 0 ? "qkv-minus" : ""}" d="M${x0} ${y0}Q${round((x0 + x1) / 2)} ${round(lift)} ${x1} ${y1}" stroke-width=${thickness(weight / largest)}/>`;
  });
}

/** Lines of the grid and the numbers beside and below them. */
function frame(s, limits, places, label) {
  const rows = ticks(limits.low, limits.high);
  return {
    grid: svg`<path class="qkv-grid" d=${rows.map((v) => `M0 ${s.y(v)}H${WIDE}`).join("")}/>`,
    marks: html`${rows.map((v) => html`<span class="qkv-beside" style="top:${s.y(v)}%" aria-hidden="true">${minus(v)}</span>`)}
      ${places.map((i) => words(s.x(i), 100, label(i), "qkv-under"))}`,
  };
}

/**
 * The whole series. `shown` are [place, forecast] over the test windows, in a line where they stand side by side.
 * @param {{
 *   values: number[], limits: Limits, t: number, tests: number[], mixed: boolean, window: number[],
 *   shown: number[][], reads: Read[], forecast: number, alt: string, handle: unknown,
 * }} p
 */
export function whole(p) {
  const n = p.values.length;
  const s = scales(p.limits, n);
  const { grid, marks } = frame(s, p.limits, ticks(0, n - 1), String);
  const [from, to] = [p.window[0], p.window[p.window.length - 1]];
  const edge = round((p.tests[0] / n) * WIDE);
  const half = WIDE / n / 2;
  const bands = p.mixed ? p.tests.map((t) => [s.x(t) - half, 2 * half]) : [[edge, WIDE - edge]];
  return html`<svg viewBox="0 0 ${WIDE} ${HIGH}" preserveAspectRatio="none" role="img" aria-label=${p.alt}>
      ${bands.map(([x, width]) => svg`<rect class="qkv-tested" x=${round(x)} y="0" width=${round(width)} height=${HIGH}/>`)}
      <rect class="qkv-band" x=${round(s.x(from) - half)} y="0" width=${round(s.x(to) - s.x(from) + 2 * half)} height=${HIGH} />
      ${grid}
      <path class="qkv-curve" d=${line(s, [...p.values.entries()])} />
      ${p.mixed ? p.shown.map(([i, v]) => dot(s, i, v, "qkv-mini")) : svg`<path class="qkv-forecasts" d=${line(s, p.shown)}/>`}
      ${arcs(s, p.values, p.reads, p.t, p.forecast)}
      ${dot(s, p.t, p.values[p.t], "qkv-real")}${dot(s, p.t, p.values[p.t], "qkv-core")}${dot(s, p.t, p.forecast, "qkv-now")}
    </svg>
    ${marks}
    ${p.mixed ? words(0, 0, "bands: test windows", "qkv-over") : html`${words(0, 0, "training", "qkv-over")}${words(edge, 0, "test", "qkv-over")}`}
    <span class="qkv-over qkv-keys" aria-hidden="true"><b class="qkv-dot">—</b> forecasts <b class="qkv-read-key">—</b> read</span>
    ${p.handle}`;
}

/** Where a handle for the value v at place i stands, in shares of the drawing. */
export function handleAt(limits, n, i, v) {
  const s = scales(limits, n);
  return `left:${round(s.x(i) / 10)}%;top:${s.y(v)}%`;
}

/**
 * A window close up: what is read, the windows found with what followed them, the forecast and the truth.
 * @param {{
 *   place: number, window: number[], read: number[], values: number[], forecast: number, alt: string,
 *   found: { weight: number, points: number[] }[], reads: Read[],
 * }} p `found` has a value for each place of the window, and then that which followed
 */
export function closeUp(p) {
  const start = Math.min(p.window[0], p.place - p.window.length);
  const n = p.place - start + 1;
  const inside = Array.from({ length: n }, (_, j) => [j, p.values[start + j]]);
  const query = p.window.map((i) => [i - start, p.read[i]]);
  const others = p.found.map(({ weight, points }) => ({
    weight,
    points: points.map((v, j) => [j < p.window.length ? query[j][0] : n - 1, v]),
  }));
  const all = [inside, query, ...others.map(({ points }) => points)].flat().map(([, v]) => v);
  const limits = limitsOf([...all, p.forecast]);
  const s = scales(limits, n);
  const { grid, marks } = frame(s, limits, [0, n - 1], (j) => start + j);
  const own = p.found.length ? [] : p.reads.filter(({ place }) => place >= start);
  const largest = Math.max(...own.map(({ weight }) => Math.abs(weight)), 1e-9);
  return html`<svg viewBox="0 0 ${WIDE} ${HIGH}" preserveAspectRatio="none" role="img" aria-label=${p.alt}>
      ${grid}
      <path class="qkv-next" d="M${s.x(n - 1)} 0V${HIGH}" />
      ${own.map(({ place, weight }) => svg`<path class="qkv-bar-of ${weight < 0 ? "qkv-minus" : ""}" d="M${s.x(place - start)} ${HIGH}v${round((-40 * Math.abs(weight)) / largest)}"/>`)}
      ${others.map(({ weight, points }) => svg`<path class="qkv-found" stroke-width=${thickness(weight)} d=${line(s, points)}/>${dot(s, n - 1, points[points.length - 1][1], "qkv-mini")}`)}
      <path class="qkv-curve" d=${line(s, inside)} />
      <path class="qkv-query" d=${line(s, query)} />
      ${dot(s, n - 1, p.values[p.place], "qkv-real")}${dot(s, n - 1, p.values[p.place], "qkv-core")}${dot(s, n - 1, p.forecast, "qkv-now")}
    </svg>
    ${marks}`;
}

/** Powers of ten that hold all errors, with one to spare below the floor: the same with a leak as without. */
export function decades(honest, floor) {
  const sizes = [...honest, ...(Number.isFinite(floor) ? [floor] : [])].filter((v) => v > 0 && Number.isFinite(v));
  const log = sizes.length ? sizes.map(Math.log10) : [0];
  return { from: Math.floor(Math.min(...log) - 1), to: Math.ceil(Math.max(...log) + 0.05) };
}

/** An error's place on its scale, 0…100. */
const along = ({ from, to }, mse) =>
  round(Math.min(Math.max(mse > 0 ? (Math.log10(mse) - from) / (to - from) : 0, 0), 1) * 100);

const power = (e) => (e >= -3 && e <= 4 ? String(+(10 ** e).toPrecision(1)) : html`10<sup>${minus(e)}</sup>`);

/** The numbers over the scale. */
export const scaleOf = (scale) => {
  const step = Math.ceil((scale.to - scale.from) / 4);
  const marks = [];
  for (let e = scale.from; e <= scale.to; e += step) marks.push(e);
  return html`<span class="qkv-strip">${marks.map((e) => html`<span style="left:${along(scale, 10 ** e)}%">${power(e)}</span>`)}</span>`;
};

/** An error as a dot on the scale, with the floor, and as a ring where it was without the leaks. */
export const strip = (scale, { mse, before, floor, under }) => html`<span class="qkv-strip" aria-hidden="true">
    ${Number.isFinite(floor) ? html`<i class="qkv-never" style="width:${along(scale, floor)}%"></i>` : nothing}
    ${before !== mse ? html`<i class="qkv-was" style="left:${along(scale, before)}%"></i>` : nothing}
    <i class="qkv-is ${under ? "qkv-under-it" : ""}" style="left:${along(scale, mse)}%"></i></span>`;
