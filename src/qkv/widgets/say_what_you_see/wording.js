// The one right caption of a page, as qkv.data.Scenes says it; held equal to it by tests.
import { EOS } from "../core/recurrent.js";

/** @typedef {import("./captioning.js").Page} Page */
/** @typedef {import("./captioning.js").Thing} Thing */
/** @typedef {{ language: string, words: string[], name: string, size: number }} Voice who says it, and in which words */
/** @typedef {{ word: string, of: number, kind: "picture" | "between" | "ending" }} Right a word, and the thing it names */

const FIRST = 3; // after <pad>, <bos> and <eos> come the colours, the shapes, the words of grammar

/** Does a syllable end in a consonant? */
export const closed = (word) => (word.charCodeAt(word.length - 1) - 0xac00) % 28 > 0;

/** The words before the next thing, beside and below the last one; and those at the end. */
const grammar = {
  english: ([and, above]) => ({ beside: () => and, below: above, end: () => [] }),
  korean: ([gwa, wa, below, i, ga, itda]) => ({
    beside: (shape) => (closed(shape) ? gwa : wa),
    below,
    end: (shape) => [closed(shape) ? i : ga, itda],
  }),
};

/**
 * The caption of things in the order in which a page is read, its end included; of an empty page there is none.
 * @param {Thing[]} things
 * @param {Voice} voice
 * @param {Page} page
 * @returns {Right[]}
 */
export function rightCaption(things, { language, words }, { colours, shapes }) {
  if (!things.length) return [];
  const shapeOf = ({ shape }) => words[FIRST + colours.length + shape];
  const { beside, below, end } = grammar[language](words.slice(FIRST + colours.length + shapes.length));
  /** @type {Right[]} */
  const said = things.flatMap((thing, of) => {
    const before = things[of - 1];
    const join = before && (before.row === thing.row ? beside(shapeOf(before)) : below);
    return [
      ...(join ? [{ word: join, of: -1, kind: /** @type {const} */ ("between") }] : []),
      { word: words[FIRST + thing.colour], of, kind: /** @type {const} */ ("picture") },
      { word: shapeOf(thing), of, kind: /** @type {const} */ ("picture") },
    ];
  });
  const last = [...end(shapeOf(things[things.length - 1])), words[EOS]];
  return [...said, ...last.map((word) => ({ word, of: -1, kind: /** @type {const} */ ("ending") }))];
}

/**
 * Words as a text, also wrong ones, without what ends them: in Korean a particle has no space before it.
 * @param {string[]} tokens
 * @param {Voice} voice
 * @param {Page} page
 */
export function spelt(tokens, { language, words }, { colours, shapes }) {
  const said = tokens.filter((token) => token !== words[EOS]);
  if (language !== "korean") return said.join(" ");
  const [gwa, wa, below, i, ga] = words.slice(FIRST + colours.length + shapes.length);
  const particles = [gwa, wa, i, ga];
  return said
    .map((token) => (particles.includes(token) ? token : token === below ? `, ${token}` : ` ${token}`))
    .join("")
    .replace(/^[ ,]+|[ ,]+$/g, "");
}
