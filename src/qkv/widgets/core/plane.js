// A plane with its grid: arrows from the origin, points, and handles to move them by.
import { html, nothing, svg } from "lit-html";
import { shown } from "./text.js";

/** @typedef {[number, number]} Point */
/** @typedef {{ name: string, limit: number, line: number }} Plane its name and its axes */
/** @typedef {{ held: Plane & { move: (point: number[]) => void, picture: SVGSVGElement } }} Held what is dragged, and where */
/** @typedef {import("./frame.js").World<any, Held>} W */

const HALF = 100; // a limit's length in the picture
const FRAME = 112;

/** A limit for the axes and the distance of its lines, both round numbers. */
export function axes(points) {
  const most = Math.max(0.5, ...points.flat().filter(Number.isFinite).map(Math.abs)) * 1.1;
  const size = 10 ** Math.floor(Math.log10(most));
  const line = [0.2, 0.5, 1, 2].map((f) => f * size).find((l) => most / l <= 5) ?? 2 * size;
  return { line, limit: Math.ceil(most / line) * line };
}

const round = (x) => Math.round(x * 100) / 100;

/** From the plane's numbers to the picture's. */
const at = ({ limit }, [x, y]) => [round((x / limit) * HALF), round((-y / limit) * HALF)];

function grid({ limit, line }) {
  const lines = [];
  for (let i = -Math.round(limit / line); i <= Math.round(limit / line); i++) {
    const p = round(((i * line) / limit) * HALF);
    lines.push(`M${p} ${-HALF}V${HALF}M${-HALF} ${p}H${HALF}`);
  }
  const mark = String(+line.toPrecision(2));
  const p = round((line / limit) * HALF);
  return svg`<path class="qkv-grid" d=${lines.join("")}/>
    <path class="qkv-axis" d="M${-HALF} 0H${HALF}M0 ${-HALF}V${HALF}"/>
    <text class="qkv-tick" x=${p} y="9" text-anchor="middle">${mark}</text>
    <text class="qkv-tick" x="-3" y=${-p + 3} text-anchor="end">${mark}</text>`;
}

const named = (token) => {
  const letters = [...shown(token)];
  return letters.length > 9 ? `${letters.slice(0, 8).join("")}…` : letters.join("");
};

/** A name beside a point, on the side away from the origin. */
export function name(plane, point, token, cls = "", gap = 7) {
  const [x, y] = at(plane, point);
  const size = Math.hypot(x, y) || 1;
  const [dx, dy] = x || y ? [x / size, y / size] : [0.7, -0.7];
  const anchor = dx > 0.35 ? "start" : dx < -0.35 ? "end" : "middle";
  return svg`<text class="qkv-name ${cls}" x=${round(x + dx * gap)} y=${round(y + dy * (gap + 2) + 3)} text-anchor=${anchor}>${named(token)}</text>`;
}

/** A name beside the middle of an arrow. */
export function beside(plane, point, words, cls) {
  const [x, y] = at(plane, point);
  const size = Math.hypot(x, y) || 1;
  return svg`<text class="qkv-name ${cls}" x=${round(x / 2 + (9 * y) / size)} y=${round(y / 2 - (9 * x) / size + 3)} text-anchor="middle">${words}</text>`;
}

/** Where the middle of a name stands: under its point, or where no axis has its number. */
export function clear(plane, point, words) {
  const [x, y] = at(plane, point);
  const [tick] = at(plane, [plane.line, 0]);
  const half = 3 * words.length;
  const meets = ([right, down]) =>
    (Math.abs(right - tick) < half + 6 && Math.abs(down - 9) < 11) ||
    (right - half < -3 && right + half > -14 && Math.abs(down - 3 + tick) < 11);
  const near = [
    [0, 14],
    [0, -8],
    [-half - 6, 12],
    [half + 6, 12],
    [half + 6, -8],
  ].map(([dx, dy]) => /** @type {Point} */ ([x + dx, y + dy]));
  return near.find((place) => !meets(place)) ?? near[0];
}

/** A name under a point, or as near as the numbers of the axes let it. */
export function under(plane, point, words, cls) {
  const [x, y] = clear(plane, point, words);
  return svg`<text class="qkv-name ${cls}" x=${x} y=${y} text-anchor="middle">${words}</text>`;
}

export function arrow(plane, point, cls, width = 1.5) {
  const [x, y] = at(plane, point);
  const size = Math.hypot(x, y);
  if (size < 1) return svg`<circle class=${cls} r="3"/>`;
  const [dx, dy, head] = [x / size, y / size, Math.min(size, 4 + width * 2)];
  const [bx, by, half] = [x - dx * head, y - dy * head, head * 0.45];
  const tip = [
    [x, y],
    [bx - dy * half, by + dx * half],
    [bx + dy * half, by - dx * half],
  ];
  return svg`<path class=${cls} d="M0 0L${round(bx)} ${round(by)}" stroke-width=${width}/>
    <path class="${cls} qkv-tip" d="M${tip.map((p) => p.map(round).join(" ")).join("L")}Z"/>`;
}

export function dot(plane, point, cls, radius) {
  const [x, y] = at(plane, point);
  return svg`<circle class=${cls} cx=${x} cy=${y} r=${round(radius)}/>`;
}

export const shape = (plane, points, cls) =>
  svg`<path class=${cls} d="M${points.map((p) => at(plane, p).join(" ")).join("L")}Z"/>`;

/**
 * A handle: `move([x, y])` is called with numbers of one decimal while it is dragged.
 * @param {W} w
 */
export function grip(w, plane, point, move) {
  if (w.still) return nothing;
  const [x, y] = at(plane, point);
  const drag = (event) => {
    const hold = w.local.held;
    if (!hold) return;
    const box = hold.picture.getBoundingClientRect();
    const unit = ((2 * FRAME) / box.width / HALF) * hold.limit;
    const place = [event.clientX - box.left - box.width / 2, box.top + box.height / 2 - event.clientY];
    // Never beyond the picture, which keeps its limits while something is held.
    hold.move(place.map((p) => Math.round(Math.min(Math.max(p * unit, -hold.limit), hold.limit) * 10) / 10 + 0));
  };
  const take = (event) => {
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    w.local.held = { ...plane, move, picture: event.currentTarget.ownerSVGElement, name: plane.name };
  };
  const leave = () => {
    w.local.held = undefined;
    w.draw();
  };
  return svg`<circle class="qkv-grip" cx=${x} cy=${y} r="9"
    @pointerdown=${take} @pointermove=${drag} @pointerup=${leave} @pointercancel=${leave}/>`;
}

/**
 * A picture of the plane. `name` tells planes apart, `points` must fit in, and
 * `inside(plane)` draws.
 * @param {W} w
 */
export function plane(w, { name, points, alt, inside }) {
  const held = w.local.held?.name === name ? w.local.held : undefined;
  const made = { name, ...(held ? { limit: held.limit, line: held.line } : axes(points)) };
  return html`<svg class="qkv-plane" viewBox="${-FRAME} ${-FRAME} ${2 * FRAME} ${2 * FRAME}" role="img" aria-label=${alt}>
    ${grid(made)}${inside(made)}
  </svg>`;
}
