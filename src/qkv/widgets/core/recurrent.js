// A trained encoder and decoder of gated units, run in the page as qkv.recurrent runs it,
// with one vector between them or looking back at each step.
import { softmax, weightedSum } from "./maths.js";
import { half } from "./safetensors.js";

/** @typedef {{ shape: number[], data: Float32Array }} Weight */
/**
 * What Python says of a network: its weights' shapes in the order of their bytes, its tokens, what a digit is called.
 * @typedef {{ shapes: [string, number[]][], source: string[], target: string[], digits: [string, string][] }} Network
 */
/** @typedef {{ scores: number[] | null, context: number[], hidden: number[], p: number[] }} Row one token's step */
/**
 * What a network did with a text, as qkv.decoding.record tells it.
 * @typedef {object} Recorded
 * @property {string} input
 * @property {string[]} source
 * @property {string[]} target
 * @property {number[][]} states
 * @property {number[][]} truth
 * @property {{ tokens: string[], rows: Row[] }} forced
 * @property {{ tokens: string[], rows: Row[] } | null} free null where it is the same
 */

export const [BOS, EOS] = [1, 2];
const MOST = 60;

/** The weights by name, from their float16 bytes. */
function unpack({ shapes }, buffer) {
  const bits = new Uint16Array(buffer);
  /** @type {{ [name: string]: Weight }} */
  const weights = {};
  let at = 0;
  for (const [name, shape] of shapes) {
    const size = shape.reduce((a, b) => a * b, 1);
    weights[name] = { shape, data: Float32Array.from(bits.subarray(at, at + size), half) };
    at += size;
  }
  return weights;
}

/** W x + b; without a bias W x. */
export function affine({ shape: [rows, columns], data }, x, bias) {
  return Array.from({ length: rows }, (_, i) => {
    let sum = bias ? bias.data[i] : 0;
    for (let j = 0; j < columns; j++) sum += data[i * columns + j] * x[j];
    return sum;
  });
}

const rowOf = ({ shape: [, columns], data }, i) => [...data.subarray(i * columns, (i + 1) * columns)];
const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** The next state of the cell whose weights' names begin with `cell`. */
function gru(weights, cell, x, hidden) {
  const n = hidden.length;
  const fromX = affine(weights[`${cell}.weight_ih`], x, weights[`${cell}.bias_ih`]);
  const fromHidden = affine(weights[`${cell}.weight_hh`], hidden, weights[`${cell}.bias_hh`]);
  return hidden.map((past, i) => {
    const reset = sigmoid(fromX[i] + fromHidden[i]);
    const update = sigmoid(fromX[n + i] + fromHidden[n + i]);
    const candidate = Math.tanh(fromX[2 * n + i] + reset * fromHidden[2 * n + i]);
    return update * past + (1 - update) * candidate;
  });
}

/** The encoder's state after each token. */
function read(weights, ids) {
  let hidden = new Array(weights["encoder.cell.weight_hh"].shape[1]).fill(0);
  return ids.map((id) => {
    hidden = gru(weights, "encoder.cell", rowOf(weights["encoder.embedding.weight"], id), hidden);
    return hidden;
  });
}

/**
 * One step of the decoder after another: `next(row, t)` is the token to feed after row t, or undefined at the end.
 * It begins with the state `first`, and looks at no state that is not `visible`.
 * @param {{ [name: string]: any }} weights
 * @param {number[][]} states
 * @param {(row: Row, t: number) => number | undefined} next
 * @param {{ first?: number[], visible?: boolean[] }} given
 * @returns {Row[]}
 */
export function write(weights, states, next, { first = states[states.length - 1], visible } = {}) {
  const looks = weights["score.v.weight"] !== undefined;
  const keys = looks ? states.map((h) => affine(weights["score.U.weight"], h)) : [];
  const rows = [];
  let hidden = first;
  /** @type {number | undefined} */
  let token = BOS;
  for (; token !== undefined; token = next(rows[rows.length - 1], rows.length - 1)) {
    const query = looks ? affine(weights["score.W.weight"], hidden) : [];
    const sum = (key) => key.map((k, i) => Math.tanh(k + query[i]));
    const score = (key, j) => (visible?.[j] === false ? -Infinity : affine(weights["score.v.weight"], sum(key))[0]);
    const scores = looks ? keys.map(score) : null;
    const context = scores ? weightedSum(softmax(scores), states) : states[states.length - 1];
    hidden = gru(weights, "cell", [...rowOf(weights["embedding.weight"], token), ...context], hidden);
    const logits = affine(weights["output.weight"], [...hidden, ...context], weights["output.bias"]);
    rows.push({ scores, context, hidden, p: softmax(logits) });
  }
  return rows;
}

/** The digits of a text: digits, or their names with blanks between them. */
export function digitsOf(text, { digits }) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const named = words.map((word) => digits.findIndex(([name]) => name === word));
  const found = /^\d+$/.test(words.join("")) ? [...words.join("")].map(Number) : named;
  if (!found.length) throw new Error("type digits, or words such as “seven”");
  const odd = found.indexOf(-1);
  if (odd >= 0) throw new Error(`“${words[odd]}” is no digit; type digits, or words from “zero” to “nine”`);
  if (found.length > MOST) throw new Error(`${found.length} digits are more than the ${MOST} that can be drawn`);
  return found;
}

/** The likeliest tokens with their probabilities. */
export const likely = (p, names, count) =>
  p
    .map((_, i) => i)
    .sort((a, b) => p[b] - p[a])
    .slice(0, count)
    .map((i) => /** @type {[string, number]} */ ([names[i], p[i]]));

const best = (p) => p.indexOf(Math.max(...p));

/**
 * A function from a text to what the network does with it.
 * @param {Network} network
 * @param {ArrayBuffer} buffer
 * @returns {(text: string) => Recorded}
 */
export function recorder(network, buffer) {
  const weights = unpack(network, buffer);
  return (input) => {
    const digits = digitsOf(input, network);
    const source = digits.map((d) => network.digits[d][0]);
    const target = [...digits.map((d) => network.digits[d][1]), network.target[EOS]];
    const truth = target.map((_, t) => source.map((_, j) => +(t === j)));
    const states = read(
      weights,
      source.map((token) => network.source.indexOf(token)),
    );
    const ids = target.map((token) => network.target.indexOf(token));
    const forced = write(weights, states, (_, t) => (t + 1 < ids.length ? ids[t] : undefined));
    const own = ({ p }, t) => (best(p) === EOS || t + 1 === ids.length ? undefined : best(p));
    const free = write(weights, states, own);
    const produced = free.map(({ p }) => network.target[best(p)]);
    const same = produced.join(" ") === target.join(" ");
    return {
      input,
      source,
      target,
      states,
      truth,
      forced: { tokens: target, rows: forced },
      free: same ? null : { tokens: produced, rows: free },
    };
  };
}
