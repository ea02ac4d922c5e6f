// A Transformer's forward pass for one sentence: qkv.transformer's, held equal to it by tests.
// A sequence is a list of tokens, each a Float32Array; there is no padding, so no mask for it.
import { softmax } from "./maths.js";

export const add = (a, b) => a.map((x, i) => x + b[i]);

/** W x + b for one token; rows `from` to `to` of W only, if they are given. */
export function linear({ weight, bias }, x, from = 0, to = weight.shape[0]) {
  const [data, width] = [weight.data, x.length];
  const y = new Float32Array(to - from);
  for (let row = from; row < to; row++) {
    let sum = bias ? bias.data[row] : 0;
    for (let i = 0, at = row * width; i < width; i++) sum += data[at + i] * x[i];
    y[row - from] = sum;
  }
  return y;
}

export function layerNorm({ weight, bias }, x, eps = 1e-5) {
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  const scale = 1 / Math.sqrt(variance + eps);
  return x.map((value, i) => (value - mean) * scale * weight.data[i] + bias.data[i]);
}

/**
 * Attend from one query to keys and values, each "token d_model": the context, and each head's weights.
 * Where `may` is given, keys without it weigh 0. Of heads that are `silent` the context is 0.
 */
function attend(query, keys, values, heads, may, silent) {
  const size = query.length / heads;
  const context = new Float32Array(query.length);
  const weights = [];
  for (let from = 0; from < query.length; from += size) {
    const scores = keys.map((key, j) => {
      if (may && !may[j]) return -Infinity;
      let sum = 0;
      for (let i = from; i < from + size; i++) sum += query[i] * key[i];
      return sum / Math.sqrt(size);
    });
    const shares = softmax(scores);
    const gain = silent?.includes(from / size) ? 0 : 1;
    shares.forEach((share, j) => {
      for (let i = from; i < from + size; i++) context[i] += gain * share * values[j][i];
    });
    weights.push(shares);
  }
  return { context, weights };
}

/** The place of a token: sine and cosine side by side, or a learned row. */
function placed(model, x, position) {
  const { positions, d_model: width } = model.config;
  if (positions === "none") return x;
  if (positions === "sinusoidal")
    return x.map((value, i) => value + (i % 2 ? Math.cos : Math.sin)(position / 10000 ** ((i - (i % 2)) / width)));
  const table = model.part("positions.table").weight;
  if (position >= table.shape[0]) throw new Error(`this model has learned ${table.shape[0]} positions, and no more`);
  return add(x, table.data.subarray(position * width, (position + 1) * width));
}

function embedded(model, side, id, position) {
  const width = model.config.d_model;
  const row = model.part(`${side}_embedding`).weight.data.subarray(id * width, (id + 1) * width);
  return placed(
    model,
    row.map((value) => value * Math.sqrt(width)),
    position,
  );
}

/** x + f(LN(x)) in pre-norm, LN(x + f(x)) in post-norm. */
const residual = (model, norm, x, f) =>
  model.config.norm_first
    ? add(x, f(layerNorm(norm, x, model.config.eps)))
    : layerNorm(norm, add(x, f(x)), model.config.eps);

const relu = (x) => Math.max(0, x);

const feedForward = (layer, x, activation = relu) =>
  linear(layer("linear2"), linear(layer("linear1"), x).map(activation));

export const last = (model, stack, x) =>
  model.has(`${stack}.norm.weight`) ? layerNorm(model.part(`${stack}.norm`), x, model.config.eps) : x;

/** Queries (0), keys (1) and values (2) are thirds of one matrix. */
const project = (attention, x, third) => linear(attention("in_proj"), x, third * x.length, (third + 1) * x.length);

/** What one token adds to a layer's cache. */
const remembered = (attention, x) => ({ key: project(attention, x, 1), value: project(attention, x, 2) });

function look(model, attention, x, seen, note, may, silent) {
  const query = project(attention, x, 0);
  const found = attend(
    query,
    seen.map((t) => t.key),
    seen.map((t) => t.value),
    model.config.heads,
    may,
    silent,
  );
  note?.push(found.weights);
  return linear(attention("out_proj"), found.context);
}

/**
 * All tokens through one layer. `note`, if given, gets the weights of each token's heads, "query head key";
 * `may` says which tokens may be attended to.
 * @param {any} model
 * @param {(name: string) => any} layer
 * @param {Float32Array[]} tokens
 * @param {{ note?: number[][][], may?: boolean[], activation?: (x: number) => number }} [options]
 */
export function encoderLayer(model, layer, tokens, { note, may, activation } = {}) {
  const attention = (name) => layer(`self_attn.${name}`);
  const normed = tokens.map((x) => (model.config.norm_first ? layerNorm(layer("norm1"), x, model.config.eps) : x));
  const seen = normed.map((x) => remembered(attention, x));
  return tokens
    .map((x) => residual(model, layer("norm1"), x, (y) => look(model, attention, y, seen, note, may)))
    .map((x) => residual(model, layer("norm2"), x, (y) => feedForward(layer, y, activation)));
}

/** Take in one token: `cache` is of this layer, `source` what it projected of the source; `silent` are heads there. */
function decoderLayer(model, layer, x, cache, source, cross, silent) {
  const [own, other] = ["self_attn", "multihead_attn"].map((part) => (name) => layer(`${part}.${name}`));
  let seen;
  x = residual(model, layer("norm1"), x, (y) => {
    seen = [...cache, remembered(own, y)];
    return look(model, own, y, seen);
  });
  x = residual(model, layer("norm2"), x, (y) => look(model, other, y, source, cross, undefined, silent));
  return [residual(model, layer("norm3"), x, (y) => feedForward(layer, y)), seen];
}

/** A model's parameters by the names of its modules, and its config. */
export function modules({ config, weights }) {
  const parts = new Map();
  return {
    config,
    has: (name) => name in weights,
    part(name) {
      if (!parts.has(name)) {
        const dot = name.endsWith("in_proj") ? "_" : ".";
        parts.set(name, { weight: weights[`${name}${dot}weight`], bias: weights[`${name}${dot}bias`] });
      }
      return parts.get(name);
    },
  };
}

/** `model.start(ids)` reads a source; `model.step(id, state)` takes a token in and gives the next one's logits. */
export function transformer({ config, weights }) {
  const model = modules({ config, weights });
  const layer = (stack, i) => (name) => model.part(`${stack}.layers.${i}.${name}`);
  const [encoders, decoders] = config.layers.map((count) => Array.from({ length: count }, (_, i) => i));
  const output = () =>
    config.tied
      ? { weight: model.part("target_embedding").weight, bias: weights["output.bias"] }
      : model.part("output");

  function start(ids) {
    let tokens = ids.map((id, position) => embedded(model, "source", id, position));
    for (const i of encoders) tokens = encoderLayer(model, layer("encoder", i), tokens);
    const memory = tokens.map((x) => last(model, "encoder", x));
    const source = decoders.map((i) =>
      memory.map((m) => remembered((name) => layer("decoder", i)(`multihead_attn.${name}`), m)),
    );
    return { length: 0, source, silent: decoders.map(() => []), cache: decoders.map(() => []), cross: [] };
  }

  /** States are never changed: two hypotheses may go on from one, and share what came before. */
  function step(id, state) {
    let x = embedded(model, "target", id, state.length);
    /** @type {any[][]} */
    const [cross, cache] = [[], []];
    for (const i of decoders) {
      const { cache: kept, source, silent } = state;
      [x, cache[i]] = decoderLayer(model, layer("decoder", i), x, kept[i], source[i], cross, silent[i]);
    }
    const logits = linear(output(), last(model, "decoder", x));
    return { logits, state: { ...state, length: state.length + 1, cache, cross } };
  }
  return { config, start, step };
}

/**
 * A decoder alone: `step(id, state)` takes a token in and gives the next one's logits, and where each layer's heads
 * look, "layer head key". Without a state it is the first token.
 */
export function languageModel(checkpoint) {
  const model = modules(checkpoint);
  const names = Array.from({ length: model.config.layers[1] }, (_, i) => `decoder.layers.${i}`);
  const begun = { length: 0, cache: names.map(() => []) };
  const output = () => model.part(model.config.tied ? "target_embedding" : "output").weight;

  /** States are never changed: two pictures may go on from one. */
  function step(id, { length, cache } = begun) {
    let x = embedded(model, "target", id, length);
    const looks = [];
    const kept = names.map((name, i) => {
      const layer = (part) => model.part(`${name}.${part}`);
      const attention = (part) => layer(`self_attn.${part}`);
      let seen = cache[i];
      x = residual(model, layer("norm1"), x, (y) => {
        seen = [...seen, remembered(attention, y)];
        return look(model, attention, y, seen, looks);
      });
      x = residual(model, layer("norm2"), x, (y) => feedForward(layer, y));
      return seen;
    });
    const read = last(model, "decoder", x);
    const logits = linear({ weight: output(), bias: checkpoint.weights["output.bias"] }, read);
    return { logits, looks, state: { length: length + 1, cache: kept } };
  }
  return { step };
}
