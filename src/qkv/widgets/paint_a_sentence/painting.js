// A sentence becomes a picture, token by token: qkv.vision.Painter's drawing, held equal to it by tests.
import { convolve, pixelShuffle, placesOf, relu } from "../core/convolution.js";
import { peak, softmax } from "../core/maths.js";
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

/** Through convolutions, each with ReLU behind it. */
const through = (part, layers, x) => layers.reduce((y, layer) => relu(convolve(y, layerOf(part, layer))), x);

/** `paint(words, how)` draws a sentence, `decode(codes)` is a picture of codes, `encode(pixels)` the codes of a picture. */
export function painter({ told, weights }) {
  const { words, text: places, tokenizer } = told;
  const model = languageModel({ config: told.model, weights: partOf(weights, "model.") });
  const [encoder, decoder] = ["encoder", "decoder"].map((part) => partOf(weights, `tokenizer.${part}.`));
  const vectors = weights["tokenizer.codes.weight"];
  const [many, width] = vectors.shape;
  const rows = tokenizer.image.map((side) => side / tokenizer.patch);
  const cells = rows[0] * rows[1];

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

  /** @param {number[]} codes @returns {Pixels} */
  function decode(codes) {
    const data = new Float32Array(width * cells);
    codes.forEach((code, cell) => {
      for (let c = 0; c < width; c++) data[c * cells + cell] = vectors.data[code * width + c];
    });
    const x = through(decoder, [0, 2], { shape: [width, ...rows], data });
    return nested(pixelShuffle(convolve(x, layerOf(decoder, 4)), tokenizer.patch));
  }

  /** The likeliest code of each cell. @param {Pixels} pixels @returns {number[]} */
  function encode(pixels) {
    const first = layerOf(encoder, 0);
    const seen = patches(pixels, tokenizer.patch).map((patch) => linear(first, patch));
    const data = Float32Array.from(
      { length: seen[0].length * cells },
      (_, at) => seen[at % cells][Math.floor(at / cells)],
    );
    const x = through(encoder, [2], relu({ shape: [seen[0].length, ...rows], data }));
    return placesOf(convolve(x, layerOf(encoder, 4))).map((logits) => peak([...logits]));
  }

  return { paint, decode, encode, cells };
}

/** @param {import("../core/convolution.js").Maps} maps @returns {Pixels} */
export const nested = ({ shape: [channels, rows, columns], data }) =>
  Array.from({ length: channels }, (_, c) =>
    Array.from({ length: rows }, (_, r) => [...data.subarray((c * rows + r) * columns, (c * rows + r + 1) * columns)]),
  );

/** One cell of a picture. @param {Pixels} pixels */
export const cut = (pixels, cell, side) => {
  const across = pixels[0][0].length / side;
  const [top, left] = [Math.floor(cell / across) * side, (cell % across) * side];
  return pixels.map((channel) => channel.slice(top, top + side).map((row) => row.slice(left, left + side)));
};
