// What is said of one word: whether it is right, where it looks, and what else it could have been.
import { peak } from "../core/maths.js";
import { EOS } from "../core/recurrent.js";
import { closed } from "../core/scenes.js";
import { chance } from "../core/text.js";

/** @typedef {import("./captioning.js").Page} Page */
/** @typedef {import("../core/scenes.js").Thing} Thing */
/** @typedef {import("../core/scenes.js").Right} Right */
/** @typedef {import("../core/scenes.js").Voice} Voice */
/** @typedef {{ token: string, weights: number[], top: [string, number][] }} Step a word, where it looks, the likeliest */
/**
 * What is known when a word is said of.
 * @typedef {object} Told
 * @property {Page} page
 * @property {Voice} voice
 * @property {Thing[]} things
 * @property {Right[]} right
 * @property {Step[]} steps
 * @property {number} at
 * @property {number} hidden how many places
 * @property {Step[] | null} before what was said when all was in sight, if it is known and something is hidden
 */

const PICTURE = 8; // pixels of a shape, down and across

/** @param {Page} page @param {number} place */
export const where = ({ grid }, place) => `row ${Math.floor(place / grid) + 1}, column ${(place % grid) + 1}`;

/** @param {Page} page @param {Thing} thing */
export const named = ({ colours, shapes }, { colour, shape }) => `${colours[colour]} ${shapes[shape]}`;

/** The box of a thing in pixels. @param {Page} page @param {Thing} thing */
export const boxOf = ({ first, pitch }, { row, column }) => ({
  top: first + pitch * row,
  left: first + pitch * column,
  side: PICTURE,
});

/** Is the centre of a place in the box of a thing, or one place `beside` it? @param {Page} page @param {Thing} thing */
function covers(page, thing, place, beside = 0) {
  const { top, left, side } = boxOf(page, thing);
  const step = page.size / page.grid;
  const meets = (at, start) => at >= start - beside * step && at < start + side + beside * step;
  return meets((Math.floor(place / page.grid) + 0.5) * step, top) && meets(((place % page.grid) + 0.5) * step, left);
}

/** How much of the attention is in the box of a thing. @param {Told} a */
const share = ({ page, things, steps, at }, of) =>
  steps[at].weights.reduce((sum, weight, place) => sum + (covers(page, things[of], place) ? weight : 0), 0);

/** Is all before this word right? @param {Told} a */
const followed = ({ right, steps, at }) => steps.slice(0, at).every(({ token }, t) => token === right[t]?.word);

/** The right word at this place, if all before it is right. @param {Told} a */
export const due = (a) => (followed(a) ? a.right[a.at] : undefined);

/** Is this caption the right one? @param {Right[]} right @param {Step[]} steps */
export const same = (right, steps) =>
  steps.length === right.length && right.every(({ word }, t) => steps[t].token === word);

const quoted = (token) => `“${token}”`;

/** @param {Told} a */
function place({ page, steps, at }) {
  const { weights } = steps[at];
  const best = peak(weights);
  return { best, words: `${where(page, best)} (${chance(weights[best])})` };
}

/** A word that names a thing. @param {Told} a @param {number} of */
function picture(a, it, of) {
  const thing = a.things[of];
  const name = named(a.page, thing);
  const { best, words } = place(a);
  const says = `${it} names the ${name}: it looks most at ${words}`;
  if (covers(a.page, thing, best)) return `${says}, in the box of the ${name}.`;
  if (covers(a.page, thing, best, 1)) return `${says}, one place beside its box: a place knows its neighbours, too.`;
  return `${says}, and not there: the box of the ${name} gets ${chance(share(a, of))} in all.`;
}

/** A word between two things. @param {Told} a */
function between(a, it) {
  const [last, next] = [a.right[a.at - 1].of, a.right[a.at + 1].of];
  const [from, to] = [last, next].map((of) => `the ${named(a.page, a.things[of])}`);
  const row = a.things[last].row === a.things[next].row ? "in the same row" : "in another row";
  return `${it} names nothing, but tells that what comes next is ${row}: ${to} gets ${chance(share(a, next))} of the attention, ${from} just named ${chance(share(a, last))}. It looks most at ${place(a).words}.`;
}

/** A word at the end. @param {Told} a */
function ending(a, it) {
  const looks = `It looks most at ${place(a).words}.`;
  const { token } = a.steps[a.at];
  if (token === a.voice.words[EOS]) return `${it}: all is named. ${looks}`;
  const before = a.steps[a.at - 1].token;
  if (a.right[a.at - 1].kind === "ending") return `${it} ends every sentence, whatever is in the picture. ${looks}`;
  const ends = closed(before) ? "a consonant" : "a vowel";
  return `${it} tells that nothing is left to be named; that it is ${token} follows from ${before}, which ends in ${ends}. ${looks}`;
}

/** A word that is not the right one. @param {Told} a */
function wrong(a, it) {
  const right = due(a);
  const looks = `It looks most at ${place(a).words}.`;
  if (!a.things.length)
    return `${it}, but the page is empty: no caption that it learnt from says so, and it says something all the same. ${looks}`;
  if (!right) return `${it}: a word before it was wrong, so the caption cannot be right any more. ${looks}`;
  const found = a.steps[a.at].top.find(([token]) => token === right.word);
  const less = found ? ` (${chance(found[1])})` : "";
  return `${it} is wrong: right is ${quoted(right.word)}${less}. ${looks}`;
}

/** @param {Told} a */
function verdict({ right, steps, at, voice, before }) {
  if (at < steps.length - 1) return "";
  if (steps[at].token !== voice.words[EOS]) return ` It has not come to an end after ${steps.length} words.`;
  const so = before && sameWords(before, steps) ? ", as when all is in sight" : "";
  return same(right, steps) ? ` The caption is right${so}.` : ` The caption is wrong${so}.`;
}

/** @param {Step[]} one @param {Step[]} other */
export const sameWords = (one, other) =>
  one.length === other.length && one.every(({ token }, t) => token === other[t].token);

/** @param {Step} step */
function candidates({ top }) {
  return ` Candidates: ${top
    .slice(0, 3)
    .map(([token, p]) => `${token} ${chance(p)}`)
    .join(", ")}.`;
}

/**
 * All that is said of a word.
 * @param {Told} a
 */
export function ofWord(a) {
  const step = a.steps[a.at];
  const it = `${quoted(step.token)} (${chance(step.top[0][1])})`;
  const right = due(a);
  const kinds = { between, ending, picture: (/** @type {Told} */ all) => picture(all, it, right?.of ?? 0) };
  if (peak(step.weights) < 0 || !step.weights.some(Boolean))
    return `${it}: every place is hidden. What is left is what words alone tell of words.${candidates(step)}${verdict(a)}`;
  const said = right?.word === step.token ? kinds[right.kind](a, it) : wrong(a, it);
  return `${said}${candidates(step)}${verdict(a)}`;
}

/** What is on the page, for who does not see it. @param {Page} page @param {Thing[]} things */
export const onPage = (page, things) =>
  things.length
    ? things.map((thing) => `${named(page, thing)} in row ${thing.row + 1}, column ${thing.column + 1}`).join("; ")
    : "nothing";
