// Stepper: any trace, step by step.
import { html } from "lit-html";
import { controls, sentence } from "../core/controls.js";
import { widget } from "../core/frame.js";
import { spread } from "../core/spread.js";
import { counted } from "../core/text.js";
import {
  chain,
  drawAgainWhenDark,
  heading,
  named,
  slice,
  stepBody,
  stepMatrix,
  stepSentence,
} from "../core/trace_steps.js";

/** @typedef {import("../core/trace_steps.js").Step} Step */
/** @typedef {{ steps: Step[], labels: { [axis: string]: string[] }, step: number, row: number, at: number[] }} State */
/** @typedef {import("../core/frame.js").World<State>} W */

/** @param {W} w */
function missing(w) {
  const steps = w.get("steps");
  if (!Array.isArray(steps) || !steps.length) return "it holds no trace";
  const step = steps[w.get("step")];
  if (!step) {
    const at = w.get("step");
    return counted(steps.length, `it has {n} step, and not number ${at}`, `it has {n} steps, and not number ${at}`);
  }
  if (step.axes.length !== step.shape.length)
    return `step “${step.path}” names ${step.axes.length} axes of ${step.shape.length}`;
  const rows = slice(step, w.get("at") ?? []);
  const width = step.shape.at(-1) ?? 1;
  if (!Array.isArray(rows) || !rows.length || !width) return `step “${step.path}” is empty`;
  return rows.some((r) => r.length !== width) ? `step “${step.path}” has rows of different lengths` : "";
}

/**
 * Choose index `to` of leading axis i.
 * @param {W} w
 */
function turn(w, i, to) {
  const next = [...(w.get("at") ?? [])];
  for (let k = 0; k <= i; k++) next[k] ??= 0;
  next[i] = to;
  w.set({ at: next });
}

/** @param {W} w */
function view(w) {
  const steps = w.get("steps");
  const now = w.get("step");
  const go = (step) => w.set({ step });
  const s = {
    step: steps[now],
    of: steps,
    at: w.get("at") ?? [],
    row: w.get("row"),
    labels: (_, axis, count) => named(w.get("labels")?.[axis], count),
    pick: (row) => w.set({ row }),
    turn: (i, to) => turn(w, i, to),
  };
  const m = stepMatrix(w, s);
  return html`${chain(w, { steps, now, go })}
    ${controls(w, { at: now, count: steps.length, what: "Step", said: s.step.title, go })}
    ${heading(s.step)}
    ${stepBody(w, s, m)}
    ${sentence(w, stepSentence(s.step, m, now, steps.length))}`;
}

/** @param {W} w */
function stills(w) {
  const steps = w.get("steps");
  return spread(steps.length).map((i) => ({
    caption: `Step ${i + 1} of ${steps.length}`,
    state: { step: i },
  }));
}

export default widget("stepper", { missing, view, stills, begin: drawAgainWhenDark });
