// A sentence becomes a picture, token by token: qkv.vision.Painter's drawing, held equal to it by tests.
import { peak, softmax } from "../core/maths.js";
import { once } from "../core/once.js";
import { BOS, EOS } from "../core/recurrent.js";
import { languageModel, linear } from "../core/transformer.js";
import { patches } from "../core/vision.js";

/** @typedef {number[][][]} Pixels "channel row column" */
/**
 * A cell that is drawn: its code; of all codes the logits, and the probabilities that it was drawn by, at the
 * temperature, or where that is 0, at 1; and where each layer's heads look, "layer head place".
 * @typedef {{ code: number, p: number[], logits: number[], looks: number[][][] }} Cell
 */
/**
 * @typedef {object} How
 * @property {number[]} uniforms a number in (0, 1) for each cell
 * @property {number} temperature
 * @property {number} guidance
 * @property {Map<number, number>} overruled the codes that a reader chose, by cell
 */

const PAD = 0;

/** The first code whose cumulated probability exceeds u. */
export function drawn(p, u) {
  let sum = 0;
  const at = p.findIndex((x) => {
    sum += x;
    return sum > u;
  });
  return at < 0 ? p.length - 1 : at;
}

/** The parameters of a part of the model. */
const partOf = (weights, prefix) =>
  Object.fromEntries(
    Object.entries(weights)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );

const layerOf = (part, layer) => ({ weight: part[`${layer}.weight`], bias: part[`${layer}.bias`] });

/**
 * A 3 × 3 convolution with ReLU for one cell, so that what candidates share is computed once: `part(k, x)` is what the
 * neighbour k adds, `sum` what the cell becomes.
 */
function convolution({ weight: { shape, data }, bias }) {
  const size = shape[0] * shape[1];
  const nine = Array.from({ length: 9 }, (_, k) => ({
    weight: { shape, data: Float32Array.from({ length: size }, (_, i) => data[9 * i + k]) },
    bias: undefined,
  }));
  return {
    part: (k, x) => linear(nine[k], x),
    sum: (parts) =>
      bias.data.map((b, o) =>
        Math.max(
          0,
          parts.reduce((sum, part) => sum + part[o], b),
        ),
      ),
  };
}

/** `paint(words, how)` draws a sentence, `decode(codes)` is a picture of codes, `encode(pixels)` the codes of a picture. */
export function painter({ told, weights }) {
  const { words, text: places, tokenizer } = told;
  const model = languageModel({ config: told.model, weights: partOf(weights, "model.") });
  const [encoder, decoder] = ["encoder", "decoder"].map((part) => partOf(weights, `tokenizer.${part}.`));
  const vectors = weights["tokenizer.codes.weight"];
  const [many, width] = vectors.shape;
  const [rows, columns] = tokenizer.image.map((side) => side / tokenizer.patch);
  const cells = rows * columns;

  /** `<bos>`, words and `<eos>` as ids, padded on the left. */
  function prompt(said) {
    const ids = [BOS, ...said.map((word) => words.indexOf(word)), EOS];
    return [...new Array(Math.max(0, places - ids.length)).fill(PAD), ...ids];
  }

  /** What the model says after these ids. */
  const after = (ids, begun) => ids.reduce((said, id) => model.step(id, said?.state), begun);

  /** @param {string[]} said @param {How} how @returns {Cell[]} */
  function paint(said, { uniforms, temperature, guidance, overruled }) {
    let told = after(prompt(said), undefined);
    let bare = guidance ? after(prompt([]), undefined) : undefined;
    return Array.from({ length: cells }, (_, cell) => {
      const of = (x) => Array.from(x.logits.subarray(words.length, words.length + many));
      const without = bare && of(bare);
      const logits = of(told).map((x, k) => (without ? (1 + guidance) * x - guidance * without[k] : x));
      const p = softmax(logits.map((x) => x / (temperature || 1)));
      const looks = told.looks;
      const code = overruled.get(cell) ?? (temperature ? drawn(p, uniforms[cell]) : peak(logits));
      if (cell + 1 < cells) {
        const id = words.length + code;
        told = model.step(id, told.state);
        bare = bare && model.step(id, bare.state);
      }
      return { code, p, logits, looks };
    });
  }

  /** The neighbours of a cell that there are, itself among them: [which of nine, the cell]. */
  const around = once((cell) =>
    Array.from({ length: 9 }, (_, k) => [
      k,
      Math.floor(cell / columns) + Math.floor(k / 3) - 1,
      (cell % columns) + (k % 3) - 1,
    ])
      .filter(([, r, c]) => r >= 0 && r < rows && c >= 0 && c < columns)
      .map(([k, r, c]) => [k, r * columns + c]),
  );

  const [lower, upper] = [0, 2].map((layer) => convolution(layerOf(decoder, layer)));
  const ofCode = once((at) =>
    lower.part(at % 9, vectors.data.subarray(Math.floor(at / 9) * width, (Math.floor(at / 9) + 1) * width)),
  );

  /** Some cells of the picture of codes. @param {number[]} codes @param {number[]} which @returns {Pixels[]} */
  function patch(codes, which) {
    const below = once((cell) => lower.sum(around(cell).map(([k, other]) => ofCode(9 * codes[other] + k))));
    return which.map((cell) => {
      const above = upper.sum(around(cell).map(([k, other]) => upper.part(k, below(other))));
      return nested(linear(layerOf(decoder, 4), above), tokenizer.patch);
    });
  }

  /** @param {number[]} codes @returns {Pixels} */
  function decode(codes) {
    const side = tokenizer.patch;
    const made = patch(codes, [...codes.keys()]);
    return made[0].map((_, c) =>
      Array.from({ length: rows * side }, (_, r) =>
        made
          .slice(Math.floor(r / side) * columns, (Math.floor(r / side) + 1) * columns)
          .flatMap((one) => one[c][r % side]),
      ),
    );
  }

  const middle = convolution(layerOf(encoder, 2));
  let seen = 0;
  const ofPatch = once((_, pixels) => ({
    id: seen++,
    x: linear(layerOf(encoder, 0), pixels).map((x) => Math.max(0, x)),
  }));
  const added = once((_, k, x) => middle.part(k, x));
  const ofParts = once((_, parts) => peak([...linear(layerOf(encoder, 4), middle.sum(parts()))]));

  /** The likeliest code of each cell. @param {Pixels} pixels @returns {number[]} */
  function encode(pixels) {
    const own = patches(pixels, tokenizer.patch).map((one) => ofPatch(one.join(), one));
    return own.map((_, cell) => {
      const near = around(cell).map(([k, other]) => ({ key: 9 * own[other].id + k, k, x: own[other].x }));
      const parts = () => near.map(({ key, k, x }) => added(key, k, x));
      return ofParts(near.map(({ key }) => key).join(), parts);
    });
  }

  return { paint, decode, patch, encode, cells };
}

/** Numbers "channel row column" in one row, as a square. @returns {Pixels} */
const nested = (numbers, side) =>
  Array.from({ length: numbers.length / side ** 2 }, (_, c) =>
    Array.from({ length: side }, (_, r) => [...numbers.subarray((c * side + r) * side, (c * side + r + 1) * side)]),
  );

/** One cell of a picture. @param {Pixels} pixels */
export const cut = (pixels, cell, side) => {
  const across = pixels[0][0].length / side;
  const [top, left] = [Math.floor(cell / across) * side, (cell % across) * side];
  return pixels.map((channel) => channel.slice(top, top + side).map((row) => row.slice(left, left + side)));
};
