// Tensors that travel in few letters: whole numbers in base64, or how they follow from others.
import { decode, encode, softmax, weightedSum } from "./maths.js";

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const MIDDLE = 2048;
const marks = new Map([
  [2046, "nan"],
  [2045, "inf"],
  [-2045, "-inf"],
  [-2048, null],
]); // null: masked

/** The numbers of a packed tensor, as nested lists. */
export function unpack({ size, grain, data }) {
  let at = 0;
  const one = () => {
    const level = 64 * letters.indexOf(data[at++]) + letters.indexOf(data[at++]) - MIDDLE;
    return marks.has(level) ? marks.get(level) : level * grain;
  };
  const nest = (sizes, axis = 0) =>
    axis === sizes.length ? one() : Array.from({ length: sizes[axis] }, () => nest(sizes, axis + 1));
  return nest(size);
}

const each = (f, a, b) => (Array.isArray(a) ? a.map((x, i) => each(f, x, b?.[i])) : f(a, b));
const numbers = (f) => (a, b) => each((x, y) => encode(f(decode(x), decode(y))), a, b);
const rows = (f, x) => (Array.isArray(x[0]) ? x.map((part) => rows(f, part)) : f(x));
const heads = (f, a, b) =>
  Array.isArray(a[0][0]) ? a.map((head, h) => heads(f, head, b[h])) : a.map((row) => f(row, b));

const sum = (row) => row.reduce((total, x) => total + decode(x), 0);
const mean = (row) => sum(row) / row.length;
const variance = (row) => {
  const middle = mean(row);
  return mean(row.map((x) => (decode(x) - middle) ** 2));
};
const ofRows = (f) => (x) => rows((row) => [encode(f(row))], x);
const normal = (row) => {
  const [middle, spread] = [mean(row), Math.sqrt(variance(row) + 1e-5)];
  return row.map((x) => encode((decode(x) - middle) / spread));
};
const product = (a, b) => encode(sum(a.map((x, i) => decode(x) * decode(b[i]))));

const recipes = {
  same: (x) => x,
  sum: numbers((x, y) => x + y),
  relu: numbers((x) => Math.max(0, x)),
  times: (a, factor) => numbers((x) => x * factor)(a),
  hide: (scores, may) => each((x, y) => (y === 0 ? "-inf" : x), scores, may),
  weigh: (masked) => each((x, y) => (y === "-inf" ? null : x), rows(softmax, masked), masked),
  mean: ofRows(mean),
  variance: ofRows(variance),
  normal: (x) => rows(normal, x),
  scale: (x, gain, shift) => rows((row) => row.map((v, i) => encode(gain[i] * decode(v) + shift[i])), x),
  compare: (queries, keys) => heads((query, own) => own.map((key) => product(query, key)), queries, keys),
  average: (weights, values) =>
    heads(
      (row, own) =>
        weightedSum(
          row.map((weight) => weight ?? 0),
          own,
        ),
      weights,
      values,
    ),
  merge: (heads) => heads[0].map((_, i) => heads.flatMap((head) => head[i])),
};

/** A function from the name of a tensor to its numbers, each made when first asked for. */
export function tensors(entries) {
  const made = new Map();
  const get = (name) => {
    if (!made.has(name)) {
      const [what, ...given] = entries[name].of ?? [];
      made.set(
        name,
        what ? recipes[what](...given.map((x) => (typeof x === "string" ? get(x) : x))) : unpack(entries[name]),
      );
    }
    return made.get(name);
  };
  return get;
}
