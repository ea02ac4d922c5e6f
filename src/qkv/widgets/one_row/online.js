// The softmax of one row in one pass: what is held after each tile. Tests hold it equal to Python.

/** float32 holds no larger number, and none closer to 0. The digits are float64's. */
const [MOST, LEAST] = [3.4028234663852886e38, 2 ** -149];

export const FACTOR = 60; // of scores that are large

/** A number as float32 has room for it: beyond its range it is +∞, −∞ or 0. */
export function fit(x) {
  const size = Math.abs(x);
  return size > MOST ? Math.sign(x) * Infinity : size < LEAST ? 0 : x;
}

const sum = (numbers) => fit(numbers.reduce((a, b) => a + b, 0));

/**
 * @typedef {object} Tile what is held when a tile has been read
 * @property {number} from its first key
 * @property {number} to the key after its last
 * @property {number} before the maximum until then; −∞ where nothing has been read
 * @property {number} maximum
 * @property {number} shrink what the held numbers are multiplied by
 * @property {number[]} held the sum and the weighted sum before
 * @property {number[]} added what the tile adds to both
 * @property {number} sum
 * @property {number} weighted
 * @property {number} output so far; 0 where no key may be attended to yet
 * @property {number[]} counts what each key that has been read counts now, before it is divided by the sum
 */

/**
 * Read a row tile by tile. A score of −∞ is a key that may not be attended to.
 * @param {number[]} scores
 * @param {number[]} values
 * @param {{ tile: number, maximum: "running" | "own" | "none", rescale: boolean }} how
 */
export function online(scores, values, { tile, maximum, rescale }) {
  /** @type {Tile[]} */
  const tiles = [];
  let now = { maximum: maximum === "none" ? 0 : -Infinity, sum: 0, weighted: 0, counts: /** @type {number[]} */ ([]) };
  for (let from = 0; from < scores.length; from += tile) {
    const to = Math.min(from + tile, scores.length);
    const own = Math.max(...scores.slice(from, to));
    const next = { running: Math.max(now.maximum, own), own, none: 0 }[maximum];
    // −∞ − (−∞) is NaN: what does not change is not subtracted, and a hidden key is not looked at.
    const shrink = next === now.maximum ? 1 : fit(Math.exp(now.maximum - next));
    const kept = rescale ? shrink : 1;
    const p = scores.slice(from, to).map((s) => (s === -Infinity ? 0 : fit(Math.exp(s - next))));
    const added = [sum(p), sum(p.map((x, j) => fit(x * values[from + j])))];
    const held = [now.sum, now.weighted];
    const [l, a] = held.map((x, i) => fit(fit(x * kept) + added[i]));
    const hidden = scores.slice(0, to).every((s) => s === -Infinity);
    const counts = [...now.counts.map((x) => fit(x * kept)), ...p];
    const result = { maximum: next, sum: l, weighted: a, counts };
    tiles.push({ from, to, before: now.maximum, shrink, held, added, ...result, output: hidden ? 0 : a / l });
    now = result;
  }
  return tiles;
}
