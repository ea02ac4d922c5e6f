// The board of 3 × 3 slots: what lies on it, what it looks like, and which cells of the grid are whose.

/** @typedef {[number, number]} Place row and column, of a slot or of a cell */
/** @typedef {{ digit: number, hand: number, colour: string, slot: Place }} Piece hand: who wrote it, from 0 */
/** @typedef {{ top: number, left: number, bottom: number, right: number }} Box in pixels, without the last row and column */

export const SLOTS = 3; // a row and a column of them
export const PITCH = 9; // pixels from a slot to the next
export const DIGIT = 8; // pixels, high and wide
export const SIZE = SLOTS * PITCH + 1;
export const CELL = 4; // pixels, high and wide
export const GRID = SIZE / CELL;

/**
 * Every slot, as one reads.
 * @type {Place[]}
 */
export const slots = Array.from({ length: SLOTS * SLOTS }, (_, i) => [Math.floor(i / SLOTS), i % SLOTS]);

const same = (a, b) => a[0] === b[0] && a[1] === b[1];

/** @param {Piece[]} board @param {Place} slot */
export const pieceAt = (board, slot) => board.find((piece) => same(piece.slot, slot));

const centre = (at) => Math.floor((at * PITCH + DIGIT / 2) / CELL);
/**
 * The cell that holds the centre of a digit in this slot.
 * @returns {Place}
 */
export const cellOf = ([row, column]) => [centre(row), centre(column)];

/** The slot whose digit has its centre in this cell, if there is one. */
export const slotOf = (cell) => slots.find((slot) => same(cellOf(slot), cell));

/** The cells, as one reads, whose centre lies in the box of a slot. */
export function covered(slot) {
  const within = (cell, at) => cell * CELL + CELL / 2 >= at * PITCH && cell * CELL + CELL / 2 < at * PITCH + DIGIT;
  return Array.from({ length: GRID * GRID }, (_, p) => p).filter(
    (p) => within(Math.floor(p / GRID), slot[0]) && within(p % GRID, slot[1]),
  );
}

/** The coloured digits of the same class. */
export const twinsOf = (board, { digit }) => board.filter((piece) => piece.digit === digit && piece.colour !== "black");

/** What a board says, whatever the order of its pieces. */
export const keyOf = (board) =>
  board
    .map(({ digit, hand, colour, slot }) => [slot, digit, hand, colour].join())
    .sort()
    .join(" ");

/**
 * The picture of a board, "channel row column": white paper, from which the ink takes all but its colour.
 * @param {Piece[]} board
 * @param {number[][][][]} drawings "digit hand row column": how much ink
 * @param {{ [colour: string]: number[] }} paints what a colour leaves of white: red, green and blue
 */
export function pictureOf(board, drawings, paints) {
  const image = [0, 1, 2].map(() => Array.from({ length: SIZE }, () => new Array(SIZE).fill(1)));
  for (const { digit, hand, colour, slot } of board)
    drawings[digit][hand].forEach((line, i) => {
      line.forEach((ink, j) => {
        image.forEach((channel, c) => {
          channel[slot[0] * PITCH + i][slot[1] * PITCH + j] = 1 - ink * (1 - paints[colour][c]);
        });
      });
    });
  return image;
}

/** A digit moved to another slot; one that lies there comes to its own. */
export const moved = (board, from, to) =>
  board.map((piece) =>
    same(piece.slot, from) ? { ...piece, slot: to } : same(piece.slot, to) ? { ...piece, slot: from } : piece,
  );

/** Where the asked cell is when two slots have exchanged what lies there: it stays with its digit. */
export const followed = (cell, from, to) =>
  same(cell, cellOf(from)) ? cellOf(to) : same(cell, cellOf(to)) ? cellOf(from) : cell;

const shuffled = (all, random) =>
  all
    .map((x) => ({ x, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ x }) => x);
const indices = (n) => Array.from({ length: n }, (_, i) => i);

/**
 * What comes into an empty slot: the twin of a black digit that has none, else a black digit of a new class.
 * @param {Piece[]} board
 * @param {Place} slot
 * @returns {Piece}
 */
export function added(board, slot, { kinds, hands, colours }) {
  const alone = board.find((piece) => piece.colour === "black" && !twinsOf(board, piece).length);
  if (!alone) {
    const digit = indices(kinds).find((k) => board.every((piece) => piece.digit !== k)) ?? 0;
    return { digit, hand: 0, colour: "black", slot };
  }
  const colour = colours.find((name) => board.every((piece) => piece.colour !== name)) ?? colours[0];
  return { digit: alone.digit, hand: (alone.hand + 1) % hands, colour, slot };
}

/**
 * A board as those of the training: black digits of three classes and their twins, in another hand, anywhere.
 * @returns {Piece[]}
 */
export function drawn({ kinds, hands, colours }, random = Math.random) {
  const [digits, inks, free] = [indices(kinds), colours, slots].map((all) => shuffled(all, random));
  return indices(3).flatMap((i) => {
    const [hand, other] = shuffled(indices(hands), random);
    return [
      { digit: digits[i], hand, colour: "black", slot: free[2 * i] },
      { digit: digits[i], hand: other, colour: inks[i], slot: free[2 * i + 1] },
    ];
  });
}

/**
 * The pixels that a cell sees without attention: `reach` more than its own on each side, as far as there are any.
 * @returns {Box}
 */
export function fieldOf([row, column], reach) {
  const [top, left] = [row, column].map((at) => Math.max(0, at * CELL - reach));
  const [bottom, right] = [row, column].map((at) => Math.min(SIZE, (at + 1) * CELL + reach));
  return { top, left, bottom, right };
}

/** How many pixels of a digit's box lie in such a field. */
export function shown({ top, left, bottom, right }, [row, column]) {
  const along = (from, to, at) => Math.max(0, Math.min(to, at * PITCH + DIGIT) - Math.max(from, at * PITCH));
  return along(top, bottom, row) * along(left, right, column);
}
