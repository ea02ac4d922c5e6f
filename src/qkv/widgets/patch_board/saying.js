// What is said of a patched run: what was exchanged, what it writes, how much is recovered, and why.
import { counted, quoted } from "../core/text.js";
import { recovered, words } from "./patching.js";

/** @typedef {import("./patching.js").Asked} Asked */
/** @typedef {import("./patching.js").Result} Result */

export const END = "<eos>";
export const doors = { both: "keys and values", keys: "keys", values: "values" };

/** Two decimals with a true minus sign, and never −0.00. */
export const two = (x) => (Math.abs(x) < 0.005 ? 0 : x).toFixed(2).replace("-", "−");

/** "1, 2 and 3" */
const row = (names) => [names.slice(0, -1).join(", "), ...names.slice(-1)].filter(Boolean).join(" and ");

/** @param {Asked} asked */
export function silentHeads({ off }) {
  const layers = [...new Set(off.map(([layer]) => layer))];
  const named = layers.map((layer) => {
    const heads = off.filter(([at]) => at === layer).map(([, head]) => head + 1);
    return counted(
      heads.length,
      `head ${row(heads)} of layer ${layer + 1}`,
      `heads ${row(heads)} of layer ${layer + 1}`,
    );
  });
  return row(named);
}

/** @param {Asked} asked */
function exchanged({ pair, patched, through }) {
  const [clean, corrupted] = pair.map(words);
  const what = doors[through];
  if (!patched.length) return "No word is patched";
  if (patched.length === clean.length) return `At every word the decoder finds the ${what} of the clean run`;
  if (patched.length > 1)
    return `At words ${row(patched.map((j) => j + 1))} the decoder finds the ${what} of the clean run`;
  const [j] = patched;
  return clean[j] === corrupted[j]
    ? `At word ${j + 1} the decoder finds the ${what} that ${quoted(clean[j])} has in the clean run`
    : `In the place of ${quoted(corrupted[j])}, word ${j + 1}, the decoder finds the ${what} of ${quoted(clean[j])}`;
}

/** @param {Result} result @param {string} joiner */
function written({ writes }, joiner) {
  const text = (name) => textOf(writes[name], joiner);
  const it = `It writes “${text("patched")}”`;
  if (text("patched") === text("clean")) return `${it}, as the clean run`;
  return text("patched") === text("corrupted") ? `${it}, as before` : `${it}: neither translation`;
}

/** Tokens as a text, without what ends it. */
export const textOf = (tokens, joiner) => tokens.filter((token) => token !== END).join(joiner);

export const tokenName = (token) => (token === END ? "the end" : token);

/** The reason, where what was done leaves but one. @param {Asked} asked */
function why({ pair, patched, through, off }, far) {
  const all = patched.length === words(pair[0]).length;
  if (off.length) return "";
  if (!patched.length) return " It has to be so: nothing was changed.";
  if (all && through === "both")
    return " It has to be so: the decoder reads nothing of the corrupted sentence any more.";
  const [stays, goes] = [Math.abs(far) < 0.1, Math.abs(far - 1) < 0.1];
  if (through === "keys" && stays) return " Keys say where to look, and not what is found there.";
  if (through === "values" && goes) return " What is found where it looks is in the values.";
  if (goes)
    return counted(
      patched.length,
      " What this word carries is enough for it.",
      " What these words carry is enough for it.",
    );
  if (stays)
    return counted(
      patched.length,
      " What this word carries does not decide it.",
      " What these words carry does not decide it.",
    );
  return "";
}

/**
 * All that is said of it.
 * @param {Asked} asked
 * @param {Result} result
 * @param {string} joiner
 */
export function said(asked, result, joiner) {
  const silent = asked.off.length ? `, and ${silentHeads(asked)} ${counted(asked.off.length, "is", "are")} silent` : "";
  const done = `${exchanged(asked)}${silent}. ${written(result, joiner)}.`;
  const { at, writes } = result;
  if (at < 0)
    return `${done} The clean and the corrupted sentence have one translation, so there is nothing to go over to: change a word.`;
  const [from, to] = [writes.corrupted[at], writes.clean[at]].map(tokenName);
  const which = at ? `Token ${at + 1}, the first in which the translations differ,` : "The first syllable";
  const far = recovered(result);
  return `${done} ${which} goes ${two(far)} of the way from ${from} to ${to}.${why(asked, far)}`;
}
