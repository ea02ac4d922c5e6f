// What a sentence about coloured shapes says, as qkv.data.Scenes reads it; and of one that says nothing, which word it is.
import { isKorean } from "../core/language.js";
import { closed, grammar, rightCaption, spelt, wordKinds } from "../core/scenes.js";
import { edits } from "../core/spelling.js";

/** @typedef {import("../core/scenes.js").Page} Page */
/** @typedef {import("../core/scenes.js").Voice} Voice */
/** @typedef {{ colour: number, shape: number }} Asked an object, by numbers; a colour that is not said is -1 */
/**
 * What a text says, or what is the matter with it.
 * @typedef {object} Read
 * @property {string[]} words
 * @property {Asked[][]} rows from the top, in each from the left
 * @property {number} fault the first wrong word, or -1
 * @property {string[]} wanted what may stand there
 * @property {string} room what there is no room for, or ""
 */

const END = ""; // of the sentence
const FEW = 3; // words to mend

/** Who reads this text: whose letters it is in. @param {Voice[]} voices */
export const voiceOf = (voices, text) =>
  voices.find(({ language }) => (language === "korean") === isKorean(text)) ?? voices[0];

/** The words of a text; in Korean a particle is one, however it is written. @param {Voice} voice @param {Page} page */
export function wordsOf(text, voice, page) {
  const { names, particles, below } = wordKinds(voice, page);
  const typed = text
    .normalize("NFC")
    .toLowerCase()
    .replaceAll(",", " ")
    .replace(/[\s.]+$/, "")
    .split(/\s+/);
  /** @type {string[]} */
  const words = [];
  for (const word of typed.filter(Boolean)) {
    const [stem, last] = [word.slice(0, -1), word.slice(-1)];
    words.push(...(names.includes(stem) && particles.includes(last) ? [stem, last] : [word]));
    if (`${words.at(-2)} ${words.at(-1)}` === below) words.splice(-2, 2, below);
  }
  return words;
}

/** What may stand after a word, or after "" at the beginning. @param {Voice} voice @param {Page} page */
function follow(word, voice, page) {
  const { colours, shapes, rest } = wordKinds(voice, page);
  const { beside, below, end } = grammar[voice.language](rest);
  if (shapes.includes(word)) return [beside(word), below, end(word)[0] ?? END];
  if (colours.includes(word)) return shapes;
  const is = voice.language === "korean" ? rest[5] : undefined;
  if (is && rest.slice(3, 5).includes(word)) return [is];
  return word === is ? [END] : [...colours, ...shapes];
}

/** The place of the first wrong word, or -1; and what may stand there. */
function faultOf(words, voice, page) {
  for (let at = 0; at <= words.length; at++) {
    const wanted = follow(words[at - 1] ?? "", voice, page);
    if (!wanted.includes(words[at] ?? END)) return { fault: at, wanted };
  }
  return { fault: -1, wanted: [] };
}

/** @param {string[]} words @param {Voice} voice @param {Page} page @returns {Asked[][]} */
function rowsOf(words, voice, page) {
  const { colours, shapes, below } = wordKinds(voice, page);
  /** @type {Asked[][]} */
  const rows = [[]];
  words.forEach((word, i) => {
    if (word === below) rows.push([]);
    const shape = shapes.indexOf(word);
    if (shape >= 0) rows[rows.length - 1].push({ colour: colours.indexOf(words[i - 1]), shape });
  });
  return rows;
}

/** The words of the longest sentence: a colour and a shape in each slot, a word between two, Korean's two at the end. */
const longest = ({ slots }) => 3 * slots ** 2 + 1;

/** @param {Asked[][]} rows @param {Page} page */
function roomFor(rows, { slots }) {
  const most = Math.max(...rows.map((row) => row.length));
  const over = rows.length > slots ? `${rows.length} rows` : most > slots ? `${most} objects in one row` : "";
  return over && `It says ${over}, and the page has ${slots} × ${slots} slots: say fewer.`;
}

/** @param {string} text @param {Voice} voice @param {Page} page @returns {Read} */
export function read(text, voice, page) {
  const words = wordsOf(text, voice, page);
  const { fault, wanted } = faultOf(words, voice, page);
  const rows = rowsOf(words, voice, page);
  return { words, rows, fault, wanted, room: fault < 0 ? roomFor(rows, page) : "" };
}

/** Which words may be added at the end. @param {string} text @param {Voice} voice @param {Page} page */
export function next(text, voice, page) {
  const words = wordsOf(text, voice, page);
  const { fault } = faultOf(words, voice, page);
  if (fault >= 0 && fault < words.length) return []; // first it is to be mended
  const { colours, shapes, rest, below } = wordKinds(voice, page);
  const last = words.at(-1) ?? "";
  const joins = shapes.includes(last) ? [grammar[voice.language](rest).beside(last), below] : colours;
  return follow(last, voice, page).filter((word) => {
    const more = joins.includes(word) ? [shapes[0]] : []; // at least a shape follows
    return word !== END && !roomFor(rowsOf([...words, word, ...more], voice, page), page);
  });
}

/** The sentences that a few changes make of wrong words, or none. */
function mendedOf(words, voice, page) {
  let tried = [words];
  for (let i = 0; i < FEW; i++) {
    tried = tried.flatMap((one) => {
      const { fault, wanted } = faultOf(one, voice, page);
      if (fault < 0) return [];
      const [before, rest] = [one.slice(0, fault), one.slice(fault + 1)];
      const put = wanted.filter(Boolean);
      return [
        [...before, ...rest],
        ...put.flatMap((word) => [
          [...before, word, ...rest],
          [...before, word, ...one.slice(fault)],
        ]),
      ];
    });
    const right = tried.filter(
      (one) => faultOf(one, voice, page).fault < 0 && !roomFor(rowsOf(one, voice, page), page),
    );
    if (right.length) return right;
  }
  return [];
}

/** The right sentence that is nearest to a wrong one, or "". @param {Voice} voice @param {Page} page */
export function mended(text, voice, page) {
  const words = wordsOf(text, voice, page);
  if (words.length > longest(page) + FEW) return ""; // a few changes make no sentence of so many
  const made = mendedOf(words, voice, page).map((one) => spelt(one, voice, page));
  const far = (one) => edits(one, text);
  return made.reduce((best, one) => (!best || far(one) < far(best) ? one : best), "");
}

const listed = (words) => (words.length > 1 ? `${words.slice(0, -1).join(", ")} or ${words.at(-1)}` : words[0]);

/** What is wrong with a text, or "". @param {Read} read @param {Voice} voice @param {Page} page */
export function trouble({ words, fault, wanted, room }, voice, page) {
  if (!words.length) return "The sentence is empty: type one, or press the words below.";
  if (fault < 0) return room;
  const { colours, shapes } = wordKinds(voice, page);
  const kinds = [
    ["a colour", colours],
    ["a shape", shapes],
  ].filter(([, all]) => all.length && wanted.includes(all[0]));
  const single = wanted.filter((word) => ![...colours, ...shapes].includes(word));
  const may = listed([
    ...kinds.map(([kind, all]) => `${kind} (${/** @type {string[]} */ (all).join(", ")})`),
    ...single.map((word) => (word === END ? "the end" : `“${word}”`)),
  ]);
  const before = words[fault - 1];
  const why =
    voice.language === "korean" && shapes.includes(before)
      ? ` (${before} ends in ${closed(before) ? "a consonant" : "a vowel"})`
      : "";
  if (fault === words.length)
    return `After “${words.at(-1)}” the sentence is not at its end: there may stand ${may}${why}.`;
  return `Word ${fault + 1} is “${words[fault]}”, where there may stand ${may}${why}.`;
}

/** What objects are called in a sentence, as words. @param {Asked[][]} rows @param {Voice} voice @param {Page} page */
export function saidBy(rows, voice, page) {
  const things = rows.flatMap((row, r) => row.map((asked, column) => ({ ...asked, row: r, column })));
  const said = rightCaption(things, voice, page).map(({ word }) => word);
  return said.slice(0, -1);
}
