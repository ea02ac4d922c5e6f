// A pad of pixels to draw on: by pointer with a soft pen, by keyboard pixel by pixel.

import { html } from "lit-html";
import { focus } from "./focus.js";

/**
 * `held` is where a pointer is and what it has drawn, `pixel` where the keyboard is.
 * @typedef {object} Drawing
 * @property {{ at: number[], rows: number[][] }} held
 * @property {boolean} pressed
 * @property {number} ink the brightness
 * @property {number[]} pixel
 */
/** @typedef {import("./frame.js").World<any, Drawing>} W */

const RADIUS = 0.85; // of the pen, in pixels
export const LEVELS = [1, 0.75, 0.5, 0.25, 0];

const sixteenths = (x) => Math.round(x * 16) / 16; // as scikit-learn's digits are

export const blank = (height, width) => Array.from({ length: height }, () => new Array(width).fill(0));

/** One pixel painted; painted again with the same brightness, it is dark again. */
export const dab = (rows, i, j, ink) =>
  rows.map((row, r) => (r === i ? row.map((x, c) => (c !== j ? x : x === ink ? 0 : ink)) : row));

/**
 * A stroke from one point [x, y] to another, in pixels from the top left corner. What the pen covers of a
 * pixel makes it as bright, as ink does on paper; without ink it is an eraser.
 */
export function stroke(rows, from, to, ink) {
  const steps = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) * 4));
  let made = rows;
  for (let s = 0; s <= steps; s++) {
    const [x, y] = [0, 1].map((k) => from[k] + ((to[k] - from[k]) * s) / steps);
    made = made.map((row, i) =>
      row.map((old, j) => {
        const covered = Math.min(Math.max(RADIUS + 0.5 - Math.hypot(j + 0.5 - x, i + 0.5 - y), 0), 1);
        return ink ? Math.max(old, sixteenths(ink * covered)) : covered >= 0.75 ? 0 : old;
      }),
    );
  }
  return made;
}

/** Where the arrow keys lead from [i, j], or undefined for another key. */
export function walk({ key, altKey, ctrlKey, metaKey, shiftKey }, at, [rows, columns]) {
  if (altKey || ctrlKey || metaKey || shiftKey) return undefined;
  const [i, j] = at;
  const to = {
    ArrowUp: [i - 1, j],
    ArrowDown: [i + 1, j],
    ArrowLeft: [i, j - 1],
    ArrowRight: [i, j + 1],
    Home: [i, 0],
    End: [i, columns - 1],
  }[key];
  return to && [Math.min(Math.max(to[0], 0), rows - 1), Math.min(Math.max(to[1], 0), columns - 1)];
}

const grey = (x) => {
  const level = Math.round(255 * Math.min(Math.max(x, 0), 1));
  return `rgb(${level} ${level} ${level})`;
};

/**
 * Draw the pad. `put(rows)` is called when something is painted; while a pointer is held, `wet(rows)`.
 * w.local.ink is the brightness, w.local.pixel where the keyboard is.
 * @param {W} w
 */
export function pad(w, { rows, put, wet }) {
  /** @type {[number, number]} */
  const size = [rows.length, rows[0].length];
  const ink = w.local.ink ?? 1;
  const [row, column] = w.local.pixel ?? [0, 0];
  const move = (to) => {
    w.local.pixel = to;
    w.draw();
    focus(w, `[data-pixel="${to.join("-")}"]`);
  };
  const point = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * size[1], ((event.clientY - box.top) / box.height) * size[0]];
  };
  const paint = (event) => {
    const held = w.local.held;
    if (!held) return;
    const to = point(event);
    held.rows = stroke(held.rows, held.at, to, ink);
    held.at = to;
    wet(held.rows);
  };
  const down = (event) => {
    if (event.button) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    w.local.held = { at: point(event), rows };
    w.local.pressed = true;
    paint(event);
  };
  const up = () => {
    const held = w.local.held;
    w.local.held = undefined;
    setTimeout(() => (w.local.pressed = false)); // the click comes first
    if (held) put(held.rows);
  };
  const key = (event) => {
    const to = walk(event, event.target.dataset.pixel.split("-").map(Number), size);
    if (to) move(to);
    else if (/^[0-4]$/.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey) {
      w.local.ink = event.key / 4;
      w.draw();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  // A pointer has painted already; what comes without one is the keyboard, or a screen reader.
  const click = (i, j) => {
    if (w.local.pressed) return;
    w.local.pixel = [i, j];
    put(dab(rows, i, j, ink));
  };
  return html`<div
    class="qkv-pad" role="group" aria-label="The drawing, pixel by pixel: arrow keys move, Space paints, 0 to 4 choose the brightness"
    style="--rows:${size[0]};--columns:${size[1]}" @pointerdown=${down} @pointermove=${paint} @pointerup=${up} @pointercancel=${up} @keydown=${key}
  >
    ${rows.map((line, i) =>
      line.map(
        (x, j) => html`<button
          type="button" data-pixel="${i}-${j}" tabindex=${i === row && j === column ? 0 : -1} style="background:${grey(x)}"
          aria-label="row ${i + 1}, column ${j + 1}: ${x ? `brightness ${+x.toFixed(2)}` : "dark"}" @click=${() => click(i, j)}
        ></button>`,
      ),
    )}
  </div>`;
}

const words = { 1: "full", 0.75: "¾", 0.5: "½", 0.25: "¼", 0: "erase" };

/**
 * The brightness as native radio buttons.
 * @param {W} w
 */
export const inks = (w, choice) =>
  choice(w, {
    legend: "Brightness",
    name: "ink",
    options: LEVELS.map((level) => [level, words[level]]),
    chosen: w.local.ink ?? 1,
    pick: (level) => {
      w.local.ink = level;
      w.draw();
    },
  });
