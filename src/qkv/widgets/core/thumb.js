// A matrix of weights in small: one pixel a weight.
import { sample } from "./colours.js";

/** @typedef {import("./frame.js").World} W */

const nothing = [128, 132, 138]; // what may not be attended to

const drawn = new WeakMap(); // a canvas → the weights that it shows

export function thumb(canvas, rows) {
  canvas.width = rows[0].length;
  canvas.height = rows.length;
  const pen = canvas.getContext("2d", { alpha: false });
  const image = pen.createImageData(canvas.width, canvas.height);
  rows.flat().forEach((weight, i) => {
    image.data.set([...(typeof weight === "number" ? sample("unit", weight) : nothing), 255], 4 * i);
  });
  pen.putImageData(image, 0, 0);
}

/**
 * Draw the canvases that `selector` finds, once they are in the page.
 * @param {W} w
 */
export const thumbs = (w, selector, heads) =>
  queueMicrotask(() =>
    w.stage.querySelectorAll(selector).forEach((canvas, h) => {
      if (!heads[h] || drawn.get(canvas) === heads[h]) return;
      drawn.set(canvas, heads[h]);
      thumb(canvas, heads[h]);
    }),
  );
