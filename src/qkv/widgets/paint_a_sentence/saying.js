// What is said of a cell: what it is a part of, whether the sentence asks for it, where it looks; and of the picture.
import { peak } from "../core/maths.js";
import { spelt } from "../core/scenes.js";
import { chance, counted } from "../core/text.js";
import { agreement, cellOf, rowsOf, thingOf } from "./judging.js";
import { saidBy } from "./reading.js";

/** @typedef {import("./judging.js").Name} Name */
/** @typedef {import("../core/scenes.js").Page} Page */
/** @typedef {import("../core/scenes.js").Voice} Voice */
/** @typedef {import("./reading.js").Asked} Asked */
/**
 * What is known when a cell is spoken of.
 * @typedef {object} Told
 * @property {Page} page
 * @property {Voice} voice
 * @property {number} side pixels of a cell
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

/** The object in English: it is the page's language. @param {Name} name @param {Page} page */
export function called(name, page) {
  if (name < 0) return "paper";
  const { colour, shape } = thingOf(name, page);
  return `${page.colours[colour]} ${page.shapes[shape]}`;
}

/** @param {Asked} asked @param {Page} page */
const wanted = ({ colour, shape }, { colours, shapes }) =>
  colour < 0 ? `${shapes[shape]} of any colour` : `${colours[colour]} ${shapes[shape]}`;

/** Which part of its slot a cell is. @param {Page} page */
function part(cell, side, page) {
  const { down, across } = cellOf(cell, side, page);
  return `${down ? "lower" : "upper"} ${across ? "right" : "left"} quarter`;
}

/** @param {number} cell @param {number} across */
export const where = (cell, across) => `row ${Math.floor(cell / across) + 1}, column ${(cell % across) + 1}`;

/** What names are, in words. @param {Name[]} names @param {Page} page */
export const allCalled = (names, page) => names.map((name) => called(name, page)).join(" or ");

/** What the cell shows, in words. @param {Told} a */
function shows({ names, page, at, side }) {
  const words = allCalled(names, page);
  return words === "paper" ? words : `the ${part(at, side, page)} of a ${words}`;
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
export const readBy = ({ slots, voice, page }) => spelt(saidBy(rowsOf(slots, page), voice, page), voice, page);

/** The words of the sentence that the picture misses. @param {Told} a */
function misses({ asked, slots, page }) {
  const [rows, found] = [asked.flat(), rowsOf(slots, page).flat()];
  const left = [...found];
  const fits = (x, y) => x.shape === y.shape && (x.colour < 0 || x.colour === y.colour);
  if (rows.length === found.length)
    return rows.flatMap((one, i) =>
      fits(one, found[i])
        ? []
        : [
            `“${wanted(one, page)}”, where there is a ${called(found[i].colour * page.shapes.length + found[i].shape, page)}`,
          ],
    );
  return rows.flatMap((one) => {
    const at = left.findIndex((other) => fits(one, other));
    if (at < 0) return [`“${wanted(one, page)}”`];
    left.splice(at, 1);
    return [];
  });
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
  const across = a.page.size / a.side;
  const who = a.overruled ? "you chose" : "the model draws";
  const p = chance(a.p);
  const odds = a.overruled ? `to which the model gave ${p}` : p;
  return `Cell ${a.at + 1}, ${where(a.at, across)}: ${who} token ${a.code}, ${shows(a)} (${odds}). ${reason(a)} ${looked(a)}`;
}
