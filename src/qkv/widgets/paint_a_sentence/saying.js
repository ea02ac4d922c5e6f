// What is said of a cell: what it is a part of, whether the sentence asks for it, where it looks; and of the picture.
import { peak } from "../core/maths.js";
import { spelt } from "../core/scenes.js";
import { chance, counted } from "../core/text.js";
import { agreement, cellOf, rowsOf, thingOf } from "./judging.js";
import { saidBy } from "./reading.js";

/** @typedef {import("./judging.js").Name} Name */
/** @typedef {import("./judging.js").Page} Page */
/** @typedef {import("../core/scenes.js").Voice} Voice */
/** @typedef {import("./reading.js").Asked} Asked */
/**
 * What is known when a cell is spoken of.
 * @typedef {object} Told
 * @property {Page} page
 * @property {Voice} voice
 * @property {number} at the cell
 * @property {number} code
 * @property {Name[]} names what it is a part of
 * @property {number} p how likely it was
 * @property {boolean} overruled
 * @property {import("./judging.js").Open} truth what the sentence and the tokens before leave open
 * @property {Asked[][]} asked
 * @property {Name[]} slots what the judge sees
 * @property {{ labels: string[], weights: number[], how: string }} looks
 */

/** An object in English: it is the page's language. @param {Asked} asked @param {Page} page */
const called = ({ colour, shape }, { colours, shapes }) =>
  colour < 0 ? `${shapes[shape]} of any colour` : `${colours[colour]} ${shapes[shape]}`;

/** Which part of its slot a cell is. @param {number} cell @param {Page} page */
function part(cell, page) {
  const { down, across } = cellOf(cell, page);
  return `${down ? "lower" : "upper"} ${across ? "right" : "left"} quarter`;
}

/** @param {number} cell @param {Page} page */
export function where(cell, { size, side }) {
  const across = size / side;
  return `row ${Math.floor(cell / across) + 1}, column ${(cell % across) + 1}`;
}

/** What names are, in words. @param {Name[]} names @param {Page} page */
export const allCalled = (names, page) =>
  names.map((name) => (name < 0 ? "paper" : called(thingOf(name, page), page))).join(" or ");

/** What the cell shows, in words. @param {Told} a */
function shows({ names, page, at }) {
  const words = allCalled(names, page);
  return words === "paper" ? words : `the ${part(at, page)} of a ${words}`;
}

/** What the sentence and the tokens before leave open here. @param {Told} a */
function reason({ truth: { count, codes }, code }) {
  if (!count)
    return "No page that the sentence fits has just the tokens before it; the picture may still show what it says.";
  const share = codes.get(code)?.share ?? 0;
  const pages = counted(count, "the one page that fits", "the {n} pages that fit");
  const fit = `${pages} the sentence and the tokens before`;
  if (!share) return `Of ${fit}, none has this token here.`;
  if (share > 0.9999)
    return count === 1 ? `It is that of ${fit}.` : `Nothing else is open: it is that of all ${fit.slice(4)}.`;
  return `The sentence leaves it open: of ${fit}, ${chance(share)} have this token here.`;
}

/** @param {Told} a */
function looked({ looks: { labels, weights, how } }) {
  const best = peak(weights);
  return `It looks most at ${labels[best]} (${chance(weights[best])}; ${how}).`;
}

/** What the judge reads, as a sentence in the reader's language. @param {Told} a */
const readBy = ({ slots, voice, page }) => spelt(saidBy(rowsOf(slots, page), voice, page), voice, page);

/** @param {Asked} asked @param {Asked} found */
const fits = (asked, found) => asked.shape === found.shape && (asked.colour < 0 || asked.colour === found.colour);

/** The objects of the sentence that the picture misses. @param {Told} a */
function misses({ asked, slots, page }) {
  const [wanted, found] = [asked.flat(), rowsOf(slots, page).flat()];
  const named = (one) => `“${called(one, page)}”`;
  if (wanted.length === found.length)
    return wanted.flatMap((one, i) =>
      fits(one, found[i]) ? [] : [`${named(one)}, where there is a ${called(found[i], page)}`],
    );
  const left = [...found];
  const missed = (one) => {
    const at = left.findIndex((other) => fits(one, other));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  };
  return wanted.filter(missed).map(named);
}

/** What the judge says of the whole picture. @param {Told} a */
export function verdict(a) {
  const { right, number, place } = agreement(a.asked, a.slots, a.page);
  const read = readBy(a);
  const reads = `The judge reads ${read ? `“${read}”` : "no object"}`;
  if (right) return `${reads}: the picture shows what the sentence says.`;
  const [n, m] = [a.asked.flat().length, rowsOf(a.slots, a.page).flat().length];
  const faults = [
    ...(number ? [] : [`${counted(m, "{n} object", "{n} objects")} and not ${n}`]),
    ...misses(a),
    ...(number && !place ? ["its rows: what stands beside or above what"] : []),
  ];
  return `${reads}. The sentence is missed: ${faults.join("; ")}.`;
}

/** All that is said of a cell. @param {Told} a */
export function ofCell(a) {
  const who = a.overruled ? "you chose" : "the model draws";
  const p = chance(a.p);
  const odds = a.overruled ? `to which the model gave ${p}` : p;
  return `Cell ${a.at + 1}, ${where(a.at, a.page)}: ${who} token ${a.code}, ${shows(a)} (${odds}). ${reason(a)} ${looked(a)}`;
}
