// Pages of coloured shapes, painted, and the one right caption of each, as qkv.data.Scenes has them; tests hold them equal.
import { EOS } from "./recurrent.js";

/**
 * What Python says of the page that is drawn on.
 * @typedef {object} Page
 * @property {string[]} colours their names
 * @property {string[]} shapes
 * @property {number[][]} inks what a colour takes away from white: "colour channel"
 * @property {number[][][]} covers how much of a pixel a shape covers, in 256ths: "shape row column"
 * @property {number} slots down and across
 * @property {number} pitch pixels from slot to slot
 * @property {number} first the row, and the column, of a slot's first pixel
 * @property {number} size pixels of a page, down and across
 */
/** @typedef {{ row: number, column: number, colour: number, shape: number }} Thing a shape in a slot, by numbers */
/** @typedef {{ language: string, words: string[] }} Voice who says it, and in which words */
/** @typedef {{ word: string, of: number, kind: "picture" | "between" | "ending" }} Right a word, and the thing it names */

const FIRST = 3; // after <pad>, <bos> and <eos> come the colours, the shapes, the words of grammar

/**
 * The page with these things on it, "channel row column" from 0 to 1.
 * @param {Page} page
 * @param {Thing[]} things
 */
export function painted({ inks, covers, pitch, first, size }, things) {
  const white = () => Array.from({ length: size }, () => new Array(size).fill(1));
  const pixels = inks[0].map(white);
  for (const { row, column, colour, shape } of things)
    covers[shape].forEach((line, i) =>
      line.forEach((part, j) => {
        for (const [channel, ink] of inks[colour].entries())
          pixels[channel][first + pitch * row + i][first + pitch * column + j] = 1 - (part / 256) * ink;
      }),
    );
  return pixels;
}

/** Does a syllable end in a consonant? */
export const closed = (word) => (word.charCodeAt(word.length - 1) - 0xac00) % 28 > 0;

/**
 * A voice's words by their kinds: `rest` are those of grammar, `names` those of colours and shapes.
 * @param {Voice} voice
 * @param {Page} page
 */
export function wordKinds({ language, words }, { colours, shapes }) {
  const split = FIRST + colours.length;
  const rest = words.slice(split + shapes.length);
  const particles = language === "korean" ? [0, 1, 3, 4].map((i) => rest[i]) : [];
  const below = rest[language === "korean" ? 2 : 1];
  const names = words.slice(FIRST, split + shapes.length);
  return {
    colours: words.slice(FIRST, split),
    shapes: words.slice(split, split + shapes.length),
    rest,
    names,
    particles,
    below,
  };
}

/**
 * What is wrong with a page and with those who speak of it, or "".
 * @param {Page} page
 * @param {Voice[]} voices
 */
export function unfit(page, voices) {
  if (!(page?.slots > 0) || page.inks?.length !== page.colours?.length || page.covers?.length !== page.shapes?.length)
    return "it has no page with colours and shapes";
  if (!Array.isArray(voices) || !voices.length) return "it knows no language";
  const least = FIRST + page.colours.length + page.shapes.length;
  const odd = voices.find(({ language, words }) => !Object.hasOwn(grammar, language) || !(words?.length > least));
  return odd ? `it knows no language ${odd.language} of ${odd.words?.length} words` : "";
}

/** The words before the next thing, beside and below the last one; and those at the end. */
export const grammar = {
  english: ([and, above]) => ({ beside: () => and, below: above, end: () => [] }),
  korean: ([gwa, wa, below, i, ga, itda]) => ({
    beside: (shape) => (closed(shape) ? gwa : wa),
    below,
    end: (shape) => [closed(shape) ? i : ga, itda],
  }),
};

/**
 * The caption of things in the order in which a page is read, its end included; of an empty page there is none. Of a
 * thing with the colour -1 no colour is said.
 * @param {Thing[]} things
 * @param {Voice} voice
 * @param {Page} page
 * @returns {Right[]}
 */
export function rightCaption(things, voice, page) {
  if (!things.length) return [];
  const { words } = voice;
  const { colours, shapes, rest } = wordKinds(voice, page);
  const shapeOf = ({ shape }) => shapes[shape];
  const { beside, below, end } = grammar[voice.language](rest);
  /** @type {Right[]} */
  const said = things.flatMap((thing, of) => {
    const before = things[of - 1];
    const join = before && (before.row === thing.row ? beside(shapeOf(before)) : below);
    return [
      ...(join ? [{ word: join, of: -1, kind: /** @type {const} */ ("between") }] : []),
      ...(thing.colour < 0 ? [] : [{ word: colours[thing.colour], of, kind: /** @type {const} */ ("picture") }]),
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
export function spelt(tokens, voice, page) {
  const said = tokens.filter((token) => token !== voice.words[EOS]);
  if (voice.language !== "korean") return said.join(" ");
  const { particles, below } = wordKinds(voice, page);
  return said
    .map((token) => (particles.includes(token) ? token : token === below ? `, ${token}` : ` ${token}`))
    .join("")
    .replace(/^[ ,]+|[ ,]+$/g, "");
}
