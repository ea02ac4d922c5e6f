// What a reader does: type, paint, step, and draw another token than the model.
import { focus } from "../core/focus.js";
import { withNetwork } from "../core/loading.js";
import { walk } from "../core/pad.js";
import { spelt } from "../core/scenes.js";
import { painter } from "./painting.js";
import { trouble } from "./reading.js";
import { runOf } from "./running.js";
import { cellsOf, fieldOf } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").W} W */

const PAUSE = 110; // ms from cell to cell

/**
 * A painter of other words or of other pages must not be used, whatever its file is called.
 * @param {W} w
 */
const make = (w) => (checkpoint) => {
  const { told } = checkpoint;
  const words = w.get("voices").flatMap((voice) => voice.words);
  if (!told.tokenizer || words.some((word) => !told.words?.includes(word)))
    throw new Error("the file is of a painter of other words");
  const { size, side } = w.get("page");
  if (told.tokenizer.patch !== side || told.tokenizer.image.some((x) => x !== size) || told.text !== w.get("places"))
    throw new Error("the file is of a painter of other pictures");
  return painter(checkpoint);
};

/** @param {W} w @param {() => void} [then] */
export function load(w, then = () => {}) {
  withNetwork(w, make(w), then, "Your sentence stays as it is; what is recorded can still be seen with Reset.");
}

/** @param {W} w */
function stop(w) {
  clearInterval(w.local.moving);
  w.local.moving = undefined;
}

/** @param {W} w @param {Partial<State>} changes @param {() => void} [then] once the model is here */
export function act(w, changes, then) {
  stop(w);
  w.set(changes);
  if (!runOf(w)) load(w, then);
}

/** Paint cell by cell, for who wants to see it; the others see the picture. @param {W} w */
function play(w) {
  stop(w);
  const last = cellsOf(w.get("page")) - 1;
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return w.set({ step: last });
  w.local.moving = setInterval(() => {
    const step = w.get("step");
    if (step >= last || !w.root.isConnected) stop(w);
    if (step < last) w.set({ step: step + 1 });
    else w.draw(); // what was painted is said
  }, PAUSE);
  return w.set({ step: 0 });
}

/** Paint what is typed, if it is a sentence. @param {W} w @param {string} text */
export function paint(w, text) {
  const field = fieldOf(w, text);
  const { words, voice, page } = field;
  w.local.faulty = !!trouble(field, voice, page);
  w.local.typed = text;
  if (w.local.faulty) return w.draw();
  w.local.typed = undefined;
  const plain = spelt(words, voice, page);
  // Its last cell: where the model is already on its way for another reason, nothing plays when it comes.
  const step = cellsOf(page) - 1;
  if (plain !== w.get("sentence") || w.get("overruled").length) w.set({ sentence: plain, overruled: [], step });
  return runOf(w) ? play(w) : load(w, () => play(w));
}

/** @param {W} w @param {string} text */
export function type(w, text) {
  stop(w);
  w.local.typed = text;
  w.local.faulty = false;
  w.draw();
}

/** @param {W} w */
export function reset(w) {
  w.local.typed = undefined;
  w.local.faulty = false;
  act(w, w.get("opening"));
}

/**
 * A reader's own code for a cell; the cells after it follow, those before it stay. What the model itself would draw is
 * no overruling.
 * @param {W} w
 */
export function overrule(w, cell, code) {
  const before = w.get("overruled").filter(([other]) => other < cell);
  if (runOf(w)?.steps[cell].code === code) return;
  act(w, { overruled: [...before, [cell, code]], step: cell }, () => {
    w.draw();
    focus(w, `[data-candidate="${w.local.candidate}"]`); // while the model came, there was none
  });
}

/** Arrow keys among buttons that stand in a grid; no key leaves it. @param {W} w */
export const among = (w, kind, columns, count, go) => (event) => {
  if (event.key !== "Tab") event.stopPropagation(); // the arrows would step, too
  const now = Number(event.target.dataset[kind]);
  const to = walk(event, [Math.floor(now / columns), now % columns], [Math.ceil(count / columns), columns]);
  if (!to) return;
  event.preventDefault();
  const at = Math.min(to[0] * columns + to[1], count - 1);
  go(at);
  focus(w, `[data-${kind}="${at}"]`);
};
