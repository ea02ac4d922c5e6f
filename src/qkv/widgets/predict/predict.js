// Predict: a question to answer before running. The page remembers the answer.
import { h, widget } from "../core/elements.js";
import { recall, remember } from "../core/memory.js";
import { plain, rich } from "../core/rich.js";
import { order, reader } from "./order.js";

/** @typedef {import("../core/rich.js").Segment[]} Rich */
/** @typedef {{ question: Rich, options: { text: Rich, why: Rich }[], right: number, name: string, answer: number }} State */
/** @typedef {{ pick: number, seen: number }} Local what is picked, and the answer that is drawn */
/** @typedef {import("../core/bare.js").World<State, Local>} W */

/** @param {W} w */
function missing(w) {
  const options = w.get("options");
  if (!w.get("question")?.length) return "it has no question";
  if (!Array.isArray(options) || options.length < 2) return "it has fewer than two options";
  return options[w.get("right")] ? "" : "none of its options is right";
}

/** @param {W} w */
const key = (w) => `qkv.predict.${w.get("name")}`;

/** @param {W} w */
function begin(w) {
  const kept = recall(key(w));
  const known = kept !== null && Number.isInteger(+kept) && w.get("options")?.[+kept];
  if (w.get("answer") < 0 && known) w.set({ answer: +kept });
  w.local.pick = w.get("answer");
}

/** @param {W} w */
function option(w, i, answer) {
  const right = i === w.get("right");
  const told = w.still || i === answer;
  const { text, why } = w.get("options")[i];
  const mark = told && (right ? "✓ right" : "✗ no");
  const look = told ? (right ? " qkv-good" : " qkv-bad") : "";
  const choose = { type: "radio", name: `${w.id}-options`, ".checked": w.local.pick === i, onchange: () => pick(w, i) };
  return h(
    "div",
    { class: `qkv-option${look}` },
    h("label", {}, !w.still && h("input", choose), h("span", {}, rich(text)), mark && h("b", {}, mark)),
    told && h("p", { class: "qkv-why" }, rich(why)),
  );
}

/**
 * The options as this reader sees them; on paper as they were written.
 * @param {W} w
 */
function places(w) {
  const options = w.get("options");
  return w.still ? options.map((_, i) => i) : order(reader(), w.get("name"), options.length);
}

/** @param {W} w */
function pick(w, i) {
  w.local.pick = i;
  w.draw();
}

/** @param {W} w */
function give(w, answer) {
  remember(key(w), answer < 0 ? null : String(answer));
  w.local.pick = answer;
  w.set({ answer });
}

/** @param {W} w */
function said(w, answer) {
  if (answer < 0) return "";
  const verdict = answer === w.get("right") ? "Right." : "Not so.";
  return `${verdict} ${plain(w.get("options")[answer].why)}`;
}

/** @param {W} w */
function view(w) {
  const answer = w.get("answer");
  if (w.local.seen !== answer) {
    w.local.seen = answer;
    w.local.pick = answer;
  }
  const question = h("legend", {}, h("span", { class: "qkv-badge" }, "Predict"), " ", rich(w.get("question")));
  const options = places(w).map((i) => option(w, i, answer));
  return [h("fieldset", { class: "qkv-ask-me" }, question, options), w.still ? [] : bar(w, answer)];
}

/** @param {W} w */
function bar(w, answer) {
  const { pick = -1 } = w.local;
  const picked = pick >= 0 && pick !== answer;
  const hint =
    answer < 0 ? "Commit yourself before you run on." : answer === w.get("right") ? "" : "Choose again if you like.";
  const button = (act, words, traits) => h("button", { type: "button", "data-act": act, ...traits }, words);
  return [
    h(
      "div",
      { class: "qkv-bar" },
      button("check", answer < 0 ? "This is my answer" : "Answer again", {
        "aria-disabled": String(!picked),
        onclick: () => picked && give(w, pick),
      }),
      answer >= 0 && button("reset", "Forget my answer", { onclick: () => give(w, -1) }),
      h("span", { class: "qkv-hint" }, hint),
    ),
    h("p", { class: "qkv-vh", "aria-live": "polite" }, said(w, answer)),
  ];
}

export default widget("predict", { missing, view, stills: () => [{ state: {} }], begin });
