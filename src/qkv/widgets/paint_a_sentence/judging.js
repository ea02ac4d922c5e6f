// The judge: a rule that knows how pages are drawn reads what a picture shows, as qkv.data.Scenes sees it; and what a
// sentence leaves open, exactly.
import { painted } from "../core/scenes.js";

/** @typedef {import("../core/scenes.js").Page & { side: number, paper: number[] }} Page `side` pixels of a cell, the codes of a blank page */
/** @typedef {import("../core/scenes.js").Thing} Thing */
/** @typedef {import("./painting.js").Pixels} Pixels */
/** @typedef {import("./reading.js").Asked} Asked */
/** @typedef {number} Name what is in a slot: a colour and a shape, by colour × shapes + shape; -1 for paper */

const known = new WeakMap(); // a page → what a slot can hold, painted

/** What a slot can hold, paper last. @param {Page} page @returns {Pixels[]} */
function every(page) {
  if (!known.has(page)) {
    const alone = { ...page, first: 0, size: page.pitch };
    const things = page.colours.flatMap((_, colour) =>
      page.shapes.map((_, shape) => painted(alone, [{ row: 0, column: 0, colour, shape }])),
    );
    known.set(page, [...things, painted(alone, [])]);
  }
  return known.get(page);
}

const seen = (x) => Math.min(Math.max(x, 0), 1);

/**
 * What a square of a picture is nearest to: the square from `top`, `left` of what a slot can hold from `down`, `across`.
 * @param {Pixels} pixels @param {Page} page @returns {Name}
 */
function nearest(pixels, page, { top, left, side, down = 0, across = 0 }) {
  let [best, least] = [-1, Infinity];
  const all = every(page);
  all.forEach((known, name) => {
    let sum = 0;
    for (let c = 0; c < 3; c++)
      for (let i = 0; i < side; i++)
        for (let j = 0; j < side; j++)
          sum += (seen(pixels[c][top + i][left + j]) - known[c][down + i][across + j]) ** 2;
    if (sum < least) [best, least] = [name, sum];
  });
  return best === all.length - 1 ? -1 : best;
}

/** What each slot holds, as a page is read. @param {Pixels} pixels @param {Page} page */
export const see = (pixels, page) =>
  Array.from({ length: page.slots ** 2 }, (_, slot) =>
    nearest(pixels, page, {
      top: page.first + Math.floor(slot / page.slots) * page.pitch,
      left: page.first + (slot % page.slots) * page.pitch,
      side: page.pitch,
    }),
  );

/** Which slot a cell is of, and which square of it. @param {number} cell @param {Page} page */
export function cellOf(cell, { size, side, pitch, slots }) {
  const across = size / side;
  const [top, left] = [Math.floor(cell / across) * side, (cell % across) * side];
  const slot = Math.floor(top / pitch) * slots + Math.floor(left / pitch);
  return { top, left, side, slot, down: top % pitch, across: left % pitch };
}

/** What a cell is a part of, by its looks. @param {Pixels} patch @param {Page} page */
export const nameOf = (patch, cell, page) => nearest(patch, page, { ...cellOf(cell, page), top: 0, left: 0 });

/** @param {Name} name @param {Page} page */
export const thingOf = (name, { shapes }) => ({
  colour: Math.floor(name / shapes.length),
  shape: name % shapes.length,
});

/** Slots as rows of objects: what a sentence says. @param {Name[]} slots @param {Page} page @returns {Asked[][]} */
export function rowsOf(slots, page) {
  const rows = Array.from({ length: page.slots }, (_, row) =>
    slots
      .slice(row * page.slots, (row + 1) * page.slots)
      .filter((name) => name >= 0)
      .map((name) => thingOf(name, page)),
  );
  return rows.filter((row) => row.length);
}

/** All ways to take `few` of `many` in order. */
const chosen = (many, few, from = 0) =>
  few === 0
    ? [[]]
    : Array.from({ length: many - from }, (_, i) => from + i).flatMap((first) =>
        chosen(many, few - 1, first + 1).map((rest) => [first, ...rest]),
      );

const product = (lists) => lists.reduce((made, list) => made.flatMap((one) => list.map((x) => [...one, x])), [[]]);

/** Every page that fits a sentence, as what its slots hold; all are equally likely. @param {Asked[][]} rows @param {Page} page */
export function layouts(rows, page) {
  const names = ({ colour, shape }) =>
    (colour < 0 ? page.colours.map((_, c) => c) : [colour]).map((c) => c * page.shapes.length + shape);
  const asked = rows.flat();
  const places = chosen(page.slots, rows.length).flatMap((down) =>
    product(rows.map((row) => chosen(page.slots, row.length))).map((across) =>
      across.flatMap((columns, r) => columns.map((column) => down[r] * page.slots + column)),
    ),
  );
  const kinds = product(asked.map(names));
  return places.flatMap((slots) =>
    kinds.map((kind) => Array.from({ length: page.slots ** 2 }, (_, slot) => kind[slots.indexOf(slot)] ?? -1)),
  );
}

/**
 * A page that fits a sentence: what its slots hold, and the codes of its cells.
 * @typedef {{ slots: Name[], codes: number[] }} Fitting
 */
/**
 * What is left open in a cell: how many pages fit, and of each code that they have there, the share of them, and what
 * it is a part of.
 * @typedef {{ count: number, codes: Map<number, { share: number, names: Name[] }> }} Open
 */

/** A page's things, by numbers. @param {Name[]} slots @param {Page} page @returns {Thing[]} */
export const thingsOn = (slots, page) =>
  slots.flatMap((name, slot) =>
    name < 0 ? [] : [{ row: Math.floor(slot / page.slots), column: slot % page.slots, ...thingOf(name, page) }],
  );

/**
 * What the pages that fit a sentence, and the codes before a cell, have there.
 * @param {Fitting[]} all @param {number[]} before @param {Page} page
 * @returns {Open}
 */
export function open(all, before, page) {
  const cell = before.length;
  const { slot } = cellOf(cell, page);
  const fit = all.filter(({ codes }) => before.every((code, i) => codes[i] === code));
  /** @type {Open["codes"]} */
  const codes = new Map();
  for (const { slots, codes: own } of fit) {
    const known = codes.get(own[cell]) ?? { share: 0, names: [] };
    const names = known.names.includes(slots[slot]) ? known.names : [...known.names, slots[slot]];
    codes.set(own[cell], { share: known.share + 1 / fit.length, names });
  }
  return { count: fit.length, codes };
}

/**
 * Does a picture show what is asked for: as many objects, their colours and shapes in order, their places.
 * @param {Asked[][]} asked @param {Name[]} slots @param {Page} page
 */
export function agreement(asked, slots, page) {
  const found = rowsOf(slots, page);
  const [a, b] = [asked.flat(), found.flat()];
  const number = a.length === b.length;
  const all = (same) => number && a.every((one, i) => same(one, b[i]));
  const place = asked.length === found.length && asked.every((row, i) => row.length === found[i].length);
  const colour = all((x, y) => x.colour < 0 || x.colour === y.colour);
  const shape = all((x, y) => x.shape === y.shape);
  return { number, colour, shape, place, right: number && colour && shape && place };
}
