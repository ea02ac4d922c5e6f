// What is said of a number in a hole.
import { decode } from "../core/maths.js";
import { read } from "./reading.js";

/** @typedef {{ right: number | string, wrong: (number | string)[], slack: number }} Hole the right number, that of each mistake, how far one may be off */
/** @typedef {{ kind: "empty" | "right" | "mistake" | "sign" | "coarse" | "odd" | "wrong", mistake?: number }} Verdict */

const near = (x, y, slack) => x === y || Math.abs(x - y) <= slack + 1e-9;

/** The mistakes that give this number, those first that explain the most of the other numbers, too. */
function suspects(holes, values, i) {
  const gives = (m, j) =>
    near(values[j], decode(holes[j].wrong[m]), holes[j].slack) &&
    !near(values[j], decode(holes[j].right), holes[j].slack);
  const explained = (m) => holes.filter((_, j) => gives(m, j)).length;
  const close = (m) => Math.abs(values[i] - decode(holes[i].wrong[m])) || 0;
  return holes[i].wrong
    .map((_, m) => m)
    .filter((m) => gives(m, i))
    .sort((a, b) => explained(b) - explained(a) || close(a) - close(b));
}

/** Is it the right number with fewer decimals than are wanted? */
function coarse(x, right, decimals) {
  for (let d = 0; d < decimals; d++) if (near(x, right, 0.5 / 10 ** d) && +x.toFixed(d) === x && x !== 0) return true;
  return false;
}

/**
 * Judge the number in hole i, knowing the others: `typed` are the texts of all holes.
 * @param {Hole[]} holes
 * @param {string[]} typed
 * @param {number} i
 * @param {number} decimals how many are wanted
 * @returns {Verdict}
 */
export function judge(holes, typed, i, decimals) {
  if (!typed[i]?.trim()) return { kind: "empty" };
  const values = holes.map((_, j) => read(typed[j] ?? ""));
  const [x, right, slack] = [values[i], decode(holes[i].right), holes[i].slack];
  if (Number.isNaN(x)) return { kind: "odd" };
  if (near(x, right, slack)) return { kind: "right" };
  const [mistake] = suspects(holes, values, i);
  if (mistake !== undefined) return { kind: "mistake", mistake };
  if (near(x, -right, slack)) return { kind: "sign" };
  return { kind: coarse(x, right, decimals) ? "coarse" : "wrong" };
}
