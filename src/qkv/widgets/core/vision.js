// A Vision Transformer's forward pass for one image: qkv.vision's, held equal to it by tests.

import { softmax } from "./maths.js";
import { sinusoids, thetas } from "./places.js";
import { add, encoderLayer, last, linear, modules } from "./transformer.js";

/** The patches of an image "channel height width": as one reads; within one channel, row, column. */
export function patches(image, side) {
  const [rows, columns] = [image[0].length / side, image[0][0].length / side];
  return Array.from({ length: rows * columns }, (_, p) => {
    const [top, left] = [Math.floor(p / columns) * side, (p % columns) * side];
    return Float32Array.from(
      image.flatMap((channel) => channel.slice(top, top + side).flatMap((row) => row.slice(left, left + side))),
    );
  });
}

/** The standard normal distribution function, to 2e-7 (Abramowitz and Stegun, 7.1.26). */
export function normal(x) {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * z);
  const tail =
    t *
    (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) *
    Math.exp(-z * z);
  return x < 0 ? tail / 2 : 1 - tail / 2;
}

const activations = { relu: (x) => Math.max(0, x), gelu: (x) => x * normal(x) };

/** Add where each token stands; the class token, the first, has a place only if places are learned. */
function placed(model, tokens, columns) {
  const { positions, d_model: width } = model.config;
  if (positions === "none") return tokens;
  if (positions === "learned") {
    const { data } = model.part("positions.table").weight;
    return tokens.map((x, i) => add(x, data.subarray(i * width, (i + 1) * width)));
  }
  const angles = thetas(width / 2, 10000);
  const place = (p) => [Math.floor(p / columns), p % columns].flatMap((at) => sinusoids(at, angles));
  return tokens.map((x, i) => (i ? add(x, place(i - 1)) : x));
}

/**
 * How much of each first token is in each last one: the product over layers of (mean over heads + 1) / 2,
 * from weights "layer head query key"; as qkv.vision.rollout, Abnar and Zuidema (2020).
 */
export function rollout(weights) {
  const size = weights[0][0].length;
  let flow = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => +(i === j)));
  for (const heads of weights) {
    flow = flow.map((_, i) => {
      const row = new Array(size).fill(0);
      for (let k = 0; k < size; k++) {
        const share = (heads.reduce((sum, head) => sum + head[i][k], 0) / heads.length + (i === k ? 1 : 0)) / 2;
        if (share) for (let j = 0; j < size; j++) row[j] += share * flow[k][j];
      }
      return row;
    });
  }
  return flow;
}

/**
 * `look(image, visible)`: the weights "layer head query key", the logits and the probabilities. A patch
 * that is not visible is attended to by no token; without `visible` all are.
 */
export function visionTransformer(checkpoint) {
  const model = modules(checkpoint);
  const { config } = model;
  const activation = activations[config.activation];
  const first = checkpoint.weights.class_token.data;

  function look(image, visible) {
    const cut = patches(image, config.patch).map((pixels) => linear(model.part("patch_embedding.proj"), pixels));
    let tokens = placed(model, [first, ...cut], config.image[1] / config.patch);
    const may = visible && [true, ...visible];
    const weights = [];
    for (let i = 0; i < config.layers; i++) {
      const note = []; // query head key
      tokens = encoderLayer(model, (name) => model.part(`encoder.layers.${i}.${name}`), tokens, {
        note,
        may,
        activation,
      });
      weights.push(note[0].map((_, h) => note.map((heads) => heads[h])));
    }
    const logits = Array.from(linear(model.part("head"), last(model, "encoder", tokens[0])));
    return { weights, logits, probabilities: softmax(logits) };
  }
  return { config, look };
}
