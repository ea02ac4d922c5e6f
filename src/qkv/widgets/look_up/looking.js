// The network of the widget: convolutions, one self-attention block, and a head for each cell. Tests hold it equal to
// qkv.vision's to 1e-5.
import { convolve, maps, maxPool, placesOf, relu } from "../core/convolution.js";
import { dot, softmax, weightedSum } from "../core/maths.js";
import { linear, modules } from "../core/transformer.js";

/**
 * What a picture becomes: the grid's places, where each looks, and what it is told from there.
 * @typedef {{ grid: Float32Array[], weights: number[][], told: Float32Array[] }} Looked
 */

/**
 * `look(image)`: all of that; `answer(looked, place, factor)`: the logits and the probabilities of one place, with
 * `factor` times the trained γ.
 */
export function lookUp(checkpoint) {
  const model = modules(checkpoint);
  const [gamma] = checkpoint.weights["block.gamma"].data;
  const layers = checkpoint.config.widths.map((_, i) => model.part(`trunk.convolutions.${4 * i}`));

  function trunk(image) {
    const first = relu(convolve(maps(image), layers[0]));
    return placesOf(layers.slice(1).reduce((x, layer) => relu(convolve(maxPool(x), layer)), first));
  }

  /** @returns {Looked} */
  function look(image) {
    const grid = trunk(image);
    const [queries, keys, values] = ["q", "k", "v"].map((name) =>
      grid.map((x) => linear(model.part(`block.W_${name}`), x)),
    );
    const divisor = Math.sqrt(queries[0].length);
    const weights = queries.map((query) => softmax(keys.map((key) => dot(query, key) / divisor)));
    const told = weights.map((row) => linear(model.part("block.W_o"), weightedSum(row, values)));
    return { grid, weights, told };
  }

  /** @param {Looked} looked */
  function answer({ grid, told }, place, factor = 1) {
    const x = grid[place].map((value, c) => value + factor * gamma * told[place][c]);
    const hidden = linear(model.part("head.layers.0"), x).map((value) => Math.max(0, value));
    const logits = Array.from(linear(model.part("head.layers.2"), hidden));
    return { logits, probabilities: softmax(logits) };
  }
  return { config: checkpoint.config, gamma, look, answer };
}
