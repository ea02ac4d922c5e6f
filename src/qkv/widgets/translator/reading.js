// What a model can read: words of letters that it knows, and rows of words like those that it learned from.

/**
 * Which words follow which: a state is [its word, which set of `next` follows it], the first one the start; -1
 * in a set is an end.
 * @typedef {{ states: [number, number][], next: number[][] }} Language
 */

/** Unknown words that are no misspelt known ones: without a letter, or with one of another script. */
export function foreign(unknown, known) {
  const letters = new Set(known.join("").normalize("NFC"));
  const strange = (letter) => /\p{L}/u.test(letter) && !/\p{Script=Latin}/u.test(letter) && !letters.has(letter);
  return unknown.filter((word) => !/\p{L}/u.test(word) || [...word].some(strange));
}

/**
 * The first word with which no sentence goes on, and those before it; an empty one where none ends. Nothing
 * where all is as in a sentence, or no sentences are known.
 * @param {Language | undefined} language
 * @param {string[]} words
 * @param {string[]} known
 */
export function stranger(language, words, known) {
  if (!language?.states?.length) return undefined;
  const { states, next } = language;
  const after = (live) => live.flatMap((state) => next[states[state][1]]);
  let live = [0];
  for (const [at, word] of words.entries()) {
    const number = known.indexOf(word);
    live = [...new Set(after(live))].filter((state) => state >= 0 && states[state][0] === number);
    if (!live.length) return { word, before: words.slice(0, at) };
  }
  return after(live).includes(-1) ? undefined : { word: "", before: words };
}
