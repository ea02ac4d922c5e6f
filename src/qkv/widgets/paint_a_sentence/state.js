// The state of the widget, and all that follows from it, as its parts read it.
import { meanOf } from "../core/maths.js";
import { nameOf } from "./judging.js";
import { cut } from "./painting.js";
import { read, voiceOf } from "./reading.js";
import { runOf, voiceIn } from "./running.js";
import { where } from "./saying.js";

/** @typedef {import("../core/scenes.js").Voice} Voice */
/** @typedef {import("./judging.js").Page} Page */
/** @typedef {import("./running.js").Run} Run */
/** @typedef {import("./running.js").Step} Step */
/** @typedef {import("./saying.js").Told} Told */
/**
 * @typedef {object} State
 * @property {string} sentence
 * @property {number} temperature
 * @property {number} seed
 * @property {number} guidance
 * @property {[number, number][]} overruled cells and codes
 * @property {number} step the cell
 * @property {number} layer
 * @property {number} head -1 for the mean of all
 * @property {Page} page
 * @property {Voice[]} voices
 * @property {number} places of a sentence
 * @property {string} name
 * @property {number} size
 * @property {import("./running.js").Recorded} recorded
 * @property {Partial<State>} opening
 */
/**
 * `typed` is what stands in the field, `faulty` that it could not be painted; `moving` paints cell by cell.
 * @typedef {object} Own
 * @property {string} typed
 * @property {boolean} faulty
 * @property {ReturnType<typeof setInterval>} moving
 * @property {number} word where the keyboard is among the words
 * @property {number} candidate and among the candidates
 * @property {import("./running.js").Runs} runs
 * @property {import("./running.js").Fittings} fittings
 */
/** @typedef {Own & import("../core/loading.js").Loading} Local */
/** @typedef {import("../core/frame.js").World<State, Local>} W */

export const acrossOf = ({ size, side }) => size / side;
export const cellsOf = (page) => acrossOf(page) ** 2;

/** What stands in the field, as it is read; an empty field is of the sentence's language. @param {W} w */
export function fieldOf(w, text = w.local.typed ?? w.get("sentence")) {
  const page = w.get("page");
  const voice = voiceOf(w.get("voices"), text || w.get("sentence"));
  return { text, page, voice, ...read(text, voice, page) };
}

/** @typedef {ReturnType<typeof fieldOf>} Field */

/** What a step looks at in the layer and head that are chosen. @param {W} w @param {Step} step */
export function looksOf(w, { looks }) {
  const layer = Math.min(w.get("layer"), looks.length - 1);
  const [heads, head] = [looks[layer], w.get("head")];
  const of = heads[head] ? `head ${head + 1}` : `mean of ${heads.length} heads`;
  return { layer, heads: heads.length, weights: heads[head] ?? meanOf(heads), how: `layer ${layer + 1}, ${of}` };
}

/** What is asked, and the run. @param {W} w */
function begun(w) {
  const [page, voice, run] = [w.get("page"), voiceIn(w), runOf(w)];
  const { words, rows: asked } = read(w.get("sentence"), voice, page);
  const at = Math.min(w.get("step"), cellsOf(page) - 1);
  const overruled = new Map(w.get("overruled"));
  const padding = w.get("places") - words.length - 2;
  const said = ["<bos>", ...words, "<eos>"];
  return { page, voice, run, asked, at, overruled, padding, said };
}

/** What a cell is a part of: in the pages that fit, or else by its looks once `at` is drawn. @param {Run} run @param {Page} page */
export const namesIn = (run, cell, at, page) =>
  run.open(cell).codes.get(run.steps[cell].code)?.names ?? [nameOf(cut(run.frame(at), cell, page.side), cell, page)];

/** @param {W} w @param {Run} run @param {ReturnType<typeof begun>} a @returns {Told} */
function toldOf(w, run, { page, voice, asked, at, overruled, padding, said }) {
  const { code, p, looks } = run.steps[at];
  const { weights, how } = looksOf(w, run.steps[at]);
  const labels = [
    ...new Array(padding).fill("the padding"),
    ...said.map((word) => `“${word}”`),
    ...looks[0][0].slice(padding + said.length).map((_, cell) => `the cell in ${where(cell, page)}`),
  ];
  return {
    ...{ page, voice, at, asked, code, p, slots: run.slots, overruled: overruled.has(at) },
    names: namesIn(run, at, at, page),
    truth: run.open(at),
    looks: { labels, weights, how },
  };
}

/** Everything that follows from the state. @param {W} w */
export function follow(w) {
  const a = begun(w);
  return { ...a, told: a.run && toldOf(w, a.run, a) };
}

/** @typedef {ReturnType<typeof follow>} A */
