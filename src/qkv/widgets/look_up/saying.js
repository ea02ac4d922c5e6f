// What is said of a cell: where it looks, what the model answers there and why, or what it could see without attention.
import { peak } from "../core/maths.js";
import { chance, counted } from "../core/text.js";
import { CELL, covered, DIGIT, fieldOf, GRID, shown } from "./board.js";

/** @typedef {import("./board.js").Piece} Piece */
/**
 * @typedef {object} A what is to be said of
 * @property {import("./board.js").Place} cell
 * @property {Piece[]} board
 * @property {Piece | undefined} asker the black digit that asks there
 * @property {Piece[]} twins of it
 * @property {number[]} row where the cell looks
 * @property {number[]} says the probabilities
 * @property {string[]} colours
 * @property {number} gamma times the trained one
 * @property {number} reach pixels
 */

const rows = ["top", "middle", "bottom"];
const columns = ["left", "middle", "right"];

/** A slot in words. */
export const where = ([row, column]) => (row === 1 && column === 1 ? "middle" : `${rows[row]} ${columns[column]}`);

/** @param {Piece} piece */
export const called = ({ digit, colour }) => `${colour} ${digit}`;

/** @param {Piece} piece */
const placed = (piece) => `the ${called(piece)} (${where(piece.slot)})`;

export const cellName = ([row, column]) => `row ${row + 1}, column ${column + 1}`;

const upper = (text) => text[0].toUpperCase() + text.slice(1);

/** @param {A} a */
const who = ({ asker, cell }) => (asker ? placed(asker) : `the cell in ${cellName(cell)}`);

/** @param {A} a */
function looks(a) {
  const best = peak(a.row);
  /** @type {import("./board.js").Place} */
  const at = [Math.floor(best / GRID), best % GRID];
  const hit = a.board.find(({ slot }) => covered(slot).includes(best));
  const there = `${cellName(at)}${hit ? `, on the ${called(hit)}` : ""}`;
  const self = at.join() === a.cell.join();
  const first = `${upper(who(a))} looks most at ${self ? "itself" : there}: ${chance(a.row[best])}.`;
  if (a.twins.length !== 1) return first;
  const [twin] = a.twins;
  const cells = covered(twin.slot);
  const share = cells.reduce((sum, p) => sum + a.row[p], 0);
  return `${first} Its twin, ${placed(twin)}, gets ${chance(share)} in all; spread evenly it would be ${chance(cells.length / a.row.length)}.`;
}

/** @param {A} a */
function answers(a) {
  const best = peak(a.says);
  const [name, p] = [a.colours[best], chance(a.says[best])];
  if (!a.asker)
    return "No black digit has its centre in this cell: training asked nothing here, and the answer means nothing.";
  const { digit } = a.asker;
  if (!a.twins.length)
    return `No ${digit} on the board has a colour: the model says ${name} (${p}), and nothing is right.`;
  if (a.twins.length > 1)
    return `${a.twins.length} coloured digits are a ${digit}; in training there was one. The model says ${name} (${p}).`;
  const truth = a.twins[0].colour;
  const right =
    name === truth ? "and is right" : `but its twin is ${truth} (${chance(a.says[a.colours.indexOf(truth)])})`;
  if (a.gamma === 0) return `γ is 0: nothing of what it looked up is added. ${blind(a, name, p)}`;
  if (a.gamma < 0)
    return `γ has the wrong sign: what it looked up is taken away, not added. The model says ${name} (${p}), ${right}.`;
  return `The model says ${name} (${p}), ${right}.`;
}

/** What the model says from what the cell sees itself. */
function blind(a, name, p) {
  const [{ colour, slot }] = a.twins;
  const guess = !shown(fieldOf(a.cell, a.reach), slot);
  const from = guess
    ? "The twin is out of sight, so the model guesses"
    : "From what the cell sees itself the model says";
  if (name !== colour) return `${from} ${name} (${p}), but the twin is ${colour}.`;
  return `${from} ${name} (${p}), ${guess ? "right by luck" : "and is right"}.`;
}

/** @param {A} a */
export const ofAttention = (a) => `${looks(a)} ${answers(a)}`;

/** @param {{ cell: import("./board.js").Place, asker: Piece | undefined, twins: Piece[], reach: number }} a */
export function ofField(a) {
  const field = fieldOf(a.cell, a.reach);
  const side = CELL + 2 * a.reach;
  const [high, wide] = [field.bottom - field.top, field.right - field.left];
  const cut = high * wide < side * side ? `, of which ${high} × ${wide} lie in the picture` : "";
  const spot = a.asker ? `the cell of ${placed(a.asker)}` : `the cell in ${cellName(a.cell)}`;
  const first = `Without attention ${spot} sees ${side} × ${side} pixels${cut}.`;
  if (a.twins.length !== 1) return first;
  const seen = shown(field, a.twins[0].slot);
  const all = DIGIT * DIGIT;
  const part = counted(seen, `{n} of its ${all} pixels is in sight`, `{n} of its ${all} pixels are in sight`);
  return seen
    ? `${first} Of its twin, ${placed(a.twins[0])}, ${part}.`
    : `${first} Its twin, ${placed(a.twins[0])}, is out of sight: no weight of these convolutions can bring its colour here.`;
}
