// Tensors that travel in few bytes: whole numbers in base64, or how they follow from others.
import { decode, weightedSum } from "./maths.js";

const LEVELS = 32000;
const MASKED = -32768;
const marks = new Map([[32766, "nan"], [32765, "inf"], [-32765, "-inf"], [MASKED, null]]);

/** The numbers of a packed tensor, as nested lists. */
export function unpack({ size, limit, data }) {
  const text = atob(data);
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  const one = () => {
    const level = view.getInt16(2 * at++, true);
    return marks.has(level) ? marks.get(level) : (level * limit) / LEVELS;
  };
  const nest = ([n, ...rest]) => (n === undefined ? one() : Array.from({ length: n }, () => nest(rest)));
  return nest(size);
}

const each = (f, a, b) => (Array.isArray(a) ? a.map((x, i) => each(f, x, b?.[i])) : f(a, b));
const number = (f) => (a, b) => (typeof a === "number" && (b === undefined || typeof b === "number") ? f(a, b) : encode(f(decode(a), decode(b))));
const encode = (x) => (Number.isFinite(x) ? x : Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf");
const rows = (f, x) => (Array.isArray(x[0]) ? x.map((part) => rows(f, part)) : f(x));

const mean = (row) => row.reduce((sum, x) => sum + decode(x), 0) / row.length;
const variance = (row) => {
  const middle = mean(row);
  return mean(row.map((x) => (decode(x) - middle) ** 2));
};
const normal = (row) => {
  const [middle, spread] = [mean(row), Math.sqrt(variance(row) + 1e-5)];
  return row.map((x) => encode((decode(x) - middle) / spread));
};
const average = (weights, values) =>
  Array.isArray(weights[0][0])
    ? weights.map((head, h) => average(head, values[h]))
    : weights.map((row) => weightedSum(row.map((x) => x ?? 0), values));

const recipes = {
  same: (x) => x,
  sum: (a, b) => each(number((x, y) => x + y), a, b),
  relu: (a) => each(number((x) => Math.max(0, x)), a),
  times: (a, factor) => each(number((x) => x * factor), a),
  hide: (scores, weights) => each((x, y) => (y === null ? "-inf" : x), scores, weights),
  mean: (x) => rows((row) => [encode(mean(row))], x),
  variance: (x) => rows((row) => [encode(variance(row))], x),
  normal: (x) => rows(normal, x),
  average,
  merge: (heads) => heads[0].map((_, i) => heads.flatMap((head) => head[i])),
};

/** A function from the name of a tensor to its numbers, each made when first asked for. */
export function tensors(entries) {
  const made = new Map();
  const get = (name) => {
    if (!made.has(name)) {
      const entry = entries[name];
      const [what, ...given] = entry.of ?? [];
      made.set(name, what ? recipes[what](...given.map((x) => (typeof x === "string" ? get(x) : x))) : unpack(entry));
    }
    return made.get(name);
  };
  return get;
}
