// What a tile does, in words: a sentence for what is held, one for the output.
import { encode } from "../core/maths.js";
import { exact } from "../core/text.js";

/** @typedef {import("./online.js").Tile} Tile */
/**
 * @typedef {object} Read a row that has been read up to a tile
 * @property {number} at the tile
 * @property {Tile[]} tiles
 * @property {Tile} now
 * @property {number[]} scores as they are used
 * @property {"running" | "own" | "none"} maximum
 * @property {boolean} rescale
 * @property {number} book what the text-book says of the keys that have been read
 * @property {number} error of the output so far
 * @property {boolean} same no error but rounding
 */

export const say = (x) => exact(encode(x));

/** A number with three digits, for what is worked with and not compared. */
export const three = (value) => exact(typeof value === "number" ? +value.toPrecision(3) : value);

/** A number after a minus sign. */
export const taken = (x) => (x < 0 ? `(${say(x)})` : say(x));

/** What is held, where it counts other than it should. */
const wrongly = (times) =>
  times > 1
    ? `it counts ${three(encode(times))} times as much as it should`
    : `it counts only ${three(encode(times))} of what it should`;

/** @param {Read} a */
function running({ now, rescale }) {
  const [old, next] = [say(now.before), say(now.maximum)];
  if (now.maximum === -Infinity)
    return "all its scores are −∞, and nothing is held yet. −∞ − (−∞) would be NaN: code must ask before it subtracts.";
  if (now.before === -Infinity) return `its maximum is ${next}, and nothing was held before.`;
  if (now.before === now.maximum) return `the maximum stays ${next}, so what was held keeps its size.`;
  const rises = `the maximum rises from ${old} to ${next}`;
  if (!rescale) return `${rises}, but what was held keeps its size: ${wrongly(Math.exp(now.maximum - now.before))}.`;
  const power = `e to the ${old} − ${taken(now.maximum)}`;
  return now.shrink
    ? `${rises}, so what was held shrinks to ${three(encode(now.shrink))}, which is ${power}.`
    : `${rises}, so what was held shrinks to 0: ${power} is too small for float32.`;
}

/** @param {Read} a */
function own({ now, rescale }) {
  const [old, next] = [say(now.before), say(now.maximum)];
  if (now.before === -Infinity) return `its own maximum is ${next}, and nothing was held before.`;
  if (now.before === now.maximum) return `its own maximum is ${next}, as before.`;
  const after = `its own maximum is ${next}, after ${old}`;
  if (!rescale) return `${after}, and what was held keeps its size: ${wrongly(Math.exp(now.maximum - now.before))}.`;
  const power = `e to the ${old} − ${taken(now.maximum)}`;
  if (now.shrink < 1) return `${after}: what was held shrinks to ${three(encode(now.shrink))}.`;
  return now.shrink === Infinity
    ? `${after}: what was held grows by ${power}, which is more than float32 can hold: +∞.`
    : `${after}: what was held grows to ${three(encode(now.shrink))} times its size. ${power[0].toUpperCase()}${power.slice(1)} has no upper limit.`;
}

/** @param {Read} a */
function none({ now, scores }) {
  const most = Math.max(...scores.slice(now.from, now.to));
  if (most === -Infinity) return "all its scores are −∞, so it adds nothing.";
  const largest = Math.max(...now.counts.slice(now.from));
  const power = `no maximum is subtracted: its largest number is e to the ${say(most)}`;
  if (largest === Infinity) return `${power}, more than float32 can hold: +∞.`;
  return largest ? `${power} = ${three(encode(largest))}.` : `${power}, too small for float32: 0.`;
}

/** @param {Read} a */
function result({ at, tiles, now, book, error, same }) {
  const last = at === tiles.length - 1;
  const [said, wanted] = [say(now.output), say(book)];
  if (Number.isNaN(now.output)) {
    const why = `${say(now.weighted)} ÷ ${say(now.sum)} is NaN`;
    return last ? `The output is lost: ${why}. The text-book says ${wanted}.` : `The output so far is lost: ${why}.`;
  }
  if (same)
    return last
      ? `The output is ${said}. The text-book, which holds all ${now.to} scores at once, says the same.`
      : `The output so far is ${said}, as the text-book says of keys 1 to ${now.to}.`;
  const off = `${say(Math.abs(error))} too ${error > 0 ? "high" : "low"}`;
  return last
    ? `The output is ${said}, but the text-book says ${wanted}: ${off}.`
    : `The output so far is ${said}, but the text-book says ${wanted} of keys 1 to ${now.to}: ${off}.`;
}

/**
 * What is read out at each step.
 * @param {Read} a
 */
export const words = (a) =>
  `Tile ${a.at + 1} of ${a.tiles.length}: ${{ running, own, none }[a.maximum](a)} ${result(a)}`;
