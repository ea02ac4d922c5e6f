// What a gated cell keeps: of each word that was written into a unit, how much is there.
import { decode } from "../core/maths.js";

/**
 * The steps that keep, write and hold: a GRU writes what it does not keep.
 * @type {{ [kind: string]: { keep: string, write?: string, fresh: string, memory: string } }}
 */
export const roles = {
  GRU: { keep: "update", fresh: "candidate", memory: "hidden" },
  LSTM: { keep: "forget_gate", write: "input_gate", fresh: "candidate", memory: "cell" },
};

/**
 * One unit of one sentence, number by number: `keep`, `write`, `fresh` and `holds` for each word; `start`.
 * @param {string} kind
 * @param {{ values: { [step: string]: (number | string)[][] }, start: { [step: string]: (number | string)[] } }} sentence
 * @param {number} at the place of the unit among those that are shown
 */
export function unitOf(kind, { values, start }, at) {
  const role = roles[kind];
  const column = (step) => values[step].map((row) => decode(row[at]));
  const keep = column(role.keep);
  return {
    keep,
    write: role.write ? column(role.write) : keep.map((k) => 1 - k),
    fresh: column(role.fresh),
    holds: column(role.memory),
    start: decode(start[role.memory][at]),
  };
}

/**
 * What a unit holds after its first `count` words: [of the start, of word 1, of word 2, …]. Their sum is what it holds.
 * @param {ReturnType<typeof unitOf>} unit
 */
export function parts({ keep, write, fresh, start }, count) {
  const held = [start];
  for (let t = 0; t < count; t++) {
    for (let s = 0; s < held.length; s++) held[s] *= keep[t];
    held.push(write[t] * fresh[t]);
  }
  return held;
}

/** The place of the part that is largest in size, or −1: of equal ones the latest. */
export function largest(held) {
  let best = -1;
  held.forEach((x, i) => {
    if (Number.isFinite(x) && x !== 0 && (best < 0 || Math.abs(x) >= Math.abs(held[best]))) best = i;
  });
  return best;
}
