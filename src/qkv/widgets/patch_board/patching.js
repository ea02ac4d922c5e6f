// Activation patching at the translator's memory, as qkv.patching does it: held equal to it by tests.
import { BOS, greedy } from "../core/search.js";

/** @typedef {"both" | "keys" | "values"} Door */
/**
 * What is asked.
 * @typedef {object} Asked
 * @property {string[]} pair the clean and the corrupted sentence
 * @property {number[]} patched places of words
 * @property {Door} through
 * @property {[number, number][]} off layers and heads of the cross-attention
 */
/** @typedef {"clean" | "corrupted" | "patched"} Name */
/**
 * What came of it: what each run writes, where the translations of clean and corrupted first differ (−1: nowhere), and
 * there each run's logits of the clean one's token and of the corrupted one's.
 * @typedef {{ writes: Record<Name, string[]>, at: number, logits: Record<Name, number[]> }} Result
 */

export const words = (text) => text.split(" ").filter(Boolean);

/** The corrupted run before its first token, with the memory of some words from the clean one. */
function exchanged(clean, corrupted, { patched, through, off }) {
  const from = (part, own, other) => (through === part || through === "both" ? other : own);
  const source = corrupted.source.map((layer, i) =>
    layer.map((own, j) => {
      const other = clean.source[i][j];
      if (!patched.includes(j)) return own;
      return { key: from("keys", own.key, other.key), value: from("values", own.value, other.value) };
    }),
  );
  const silent = corrupted.source.map((_, i) => off.filter(([layer]) => layer === i).map(([, head]) => head));
  return { ...corrupted, source, silent };
}

/** The logits of what comes after these tokens. */
function after(net, start, tokens) {
  let made = net.step(BOS, start);
  for (const token of tokens) made = net.step(token, made.state);
  return made.logits;
}

/**
 * Run the clean sentence, the corrupted one, and that one patched.
 * @param {Asked} asked
 * @param {number} most tokens
 * @returns {Result}
 */
export function run(net, asked, most) {
  const [clean, corrupted] = asked.pair.map((text) => net.start(words(text).map((word) => net.source.indexOf(word))));
  const starts = { clean, corrupted, patched: exchanged(clean, corrupted, asked) };
  const each = (of) => ({ clean: of("clean"), corrupted: of("corrupted"), patched: of("patched") });
  const ids = each((name) => greedy({ ...net, start: () => starts[name] }, [], { most }).map(({ token }) => token));
  const at = ids.clean.findIndex((token, t) => token !== ids.corrupted[t]);
  const leaningOf = (name) => {
    const found = after(net, starts[name], ids.clean.slice(0, at));
    return [found[ids.clean[at]], found[ids.corrupted[at]]];
  };
  return {
    writes: each((name) => ids[name].map((id) => net.target[id])),
    at,
    logits: each((name) => (at < 0 ? [] : leaningOf(name))),
  };
}

const leaning = (/** @type {number[]} */ [clean, corrupted]) => clean - corrupted;

/**
 * What is recovered: 0 as the corrupted run, 1 as the clean one; NaN where the two do not differ.
 * @param {Result} result
 */
export function recovered({ at, logits }) {
  if (at < 0) return Number.NaN;
  const [clean, corrupted, patched] = [logits.clean, logits.corrupted, logits.patched].map(leaning);
  return (patched - corrupted) / (clean - corrupted);
}
