// Random vectors that are the same on every page: queries and keys of unit variance, and
// how hard the softmax of their dot products is as they grow wider.
import { dot, softmax } from "./maths.js";

/** A generator of numbers in (0, 1): mulberry32. */
export function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
}

/** `count` independent normal numbers of mean 0 and variance 1: Box and Muller's pairs. */
export function normal(count, next) {
  const made = new Float64Array(count);
  for (let i = 0; i < count; i += 2) {
    const [size, turn] = [Math.sqrt(-2 * Math.log(next())), 2 * Math.PI * next()];
    made[i] = size * Math.cos(turn);
    if (i + 1 < count) made[i + 1] = size * Math.sin(turn);
  }
  return made;
}

export const sizes = { widest: 10, keys: 32, draws: 64 };

/** The vectors: `draws` queries and `keys` keys, 2^widest numbers each. */
export function vectors({ widest, keys, draws } = sizes, seed = 3) {
  const next = uniform(seed);
  const many = (n) => Array.from({ length: n }, () => normal(2 ** widest, next));
  return { queries: many(draws), keys: many(keys) };
}

/** The weights of a query over keys, both cut to their first 2^exponent numbers. */
export function weightsAt(query, keys, exponent) {
  const width = 2 ** exponent;
  const short = query.subarray(0, width);
  const scores = keys.map((key) => dot(short, key));
  return { hard: softmax(scores), soft: softmax(scores.map((s) => s / Math.sqrt(width))) };
}

/** The mean over all queries of the largest weight: [undivided, divided]. */
export function meanPeaks({ queries, keys }, exponent) {
  const sum = [0, 0];
  for (const query of queries) {
    const { hard, soft } = weightsAt(query, keys, exponent);
    sum[0] += Math.max(...hard);
    sum[1] += Math.max(...soft);
  }
  return sum.map((s) => s / queries.length);
}
