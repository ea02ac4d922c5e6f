// A captioner's forward pass for one picture: qkv.vision.Captioner's, held equal to it by tests.
import { peak, softmax } from "../core/maths.js";
import { affine, EOS, write } from "../core/recurrent.js";

/**
 * The page with its places: `grid` down and across; `learnt` are the most objects that the captioner was trained on.
 * @typedef {import("../core/scenes.js").Page & { grid: number, learnt: number }} Page
 */
/** @typedef {{ token: number, weights: number[], p: number[] }} Said a word, where it looks, and how likely each is */

/** A 3 × 3 convolution with a rim of zeros, then ReLU: x is "channel row column" in one row. */
function convolved(x, [rows, columns], { shape: [wide, channels], data }, bias) {
  const made = new Float64Array(wide * rows * columns);
  const at = (c, i, j) => (i < 0 || j < 0 || i >= rows || j >= columns ? 0 : x[(c * rows + i) * columns + j]);
  for (let o = 0; o < wide; o++)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        let sum = bias.data[o];
        for (let c = 0; c < channels; c++)
          for (let k = 0; k < 9; k++)
            sum += data[(o * channels + c) * 9 + k] * at(c, i - 1 + Math.floor(k / 3), j - 1 + (k % 3));
        made[(o * rows + i) * columns + j] = Math.max(0, sum);
      }
  return made;
}

/**
 * The largest of each 2 × 2.
 * @returns {{ x: number[], size: [number, number] }}
 */
function pooled(x, [rows, columns]) {
  const made = [];
  for (let at = 0; at < x.length; at += 2 * columns)
    for (let j = 0; j < columns; j += 2)
      made.push(Math.max(x[at + j], x[at + j + 1], x[at + columns + j], x[at + columns + j + 1]));
  return { x: made, size: [rows / 2, columns / 2] };
}

/** What three convolutions see in each place: "place channel". */
function features(weights, pixels) {
  let x = pixels.flat(2);
  /** @type {[number, number]} */
  let size = [pixels[0].length, pixels[0][0].length];
  for (const stage of [0, 4, 8]) {
    const name = `encoder.convolutions.${stage}`;
    x = convolved(x, size, weights[`${name}.weight`], weights[`${name}.bias`]);
    if (stage < 8) ({ x, size } = pooled(x, size));
  }
  const places = size[0] * size[1];
  return Array.from({ length: places }, (_, p) =>
    Array.from({ length: x.length / places }, (_, c) => x[c * places + p]),
  );
}

/**
 * `say(pixels, { visible, most })`: word by word, greedily, until it ends or there are `most`. No word looks at a
 * place that is not visible.
 */
export function captioner({ weights }) {
  const where = weights["encoder.positions.table.weight"];

  function see(pixels) {
    const states = features(weights, pixels).map((seen, p) =>
      seen.map((value, c) => value + (where?.data[p * seen.length + c] ?? 0)),
    );
    const mean = states[0].map((_, c) => states.reduce((sum, state) => sum + state[c], 0) / states.length);
    const first = affine(weights["encoder.first.weight"], mean, weights["encoder.first.bias"]).map(Math.tanh);
    return { states, first };
  }

  /** @returns {Said[]} */
  function say(pixels, { visible, most }) {
    const { states, first } = see(pixels);
    const next = ({ p }, t) => (peak(p) === EOS || t + 1 === most ? undefined : peak(p));
    const rows = write(weights, states, next, { first, visible });
    return rows.map(({ scores, p }) => ({ token: peak(p), weights: softmax(scores), p }));
  }
  return { say };
}
