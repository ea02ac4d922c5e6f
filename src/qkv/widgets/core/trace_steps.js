// Steps of a trace: each a value with a title, a formula, named axes, and what it reads.
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { formula } from "./mathml.js";
import { matrix, rowSentence } from "./matrix.js";
import { counted, exact, shape, shown } from "./text.js";

/** @typedef {import("./frame.js").World} W */

/**
 * @typedef {object} Step
 * @property {string} path its full name
 * @property {string} [name] what it is called here, if not by its path
 * @property {string} [code]
 * @property {string} title
 * @property {string} formula MathML, or TeX that could not be drawn
 * @property {string[]} axes
 * @property {number[]} size of each axis
 * @property {number[]} shape of what is kept of each axis
 * @property {any} values nested lists
 * @property {string} scale
 * @property {number} limit
 * @property {string[]} reads
 * @property {string} [note]
 */

/** A nested list at the leading indices `at`, as a matrix of rows. */
export function slice(step, at) {
  let values = step.values;
  const leading = Math.max(step.shape.length - 2, 0);
  for (let i = 0; i < leading; i++) values = values[Math.min(at[i] ?? 0, values.length - 1)];
  if (step.shape.length === 0) return [[values]];
  return step.shape.length === 1 ? [values] : values;
}

/** Each position's number, where no names are given. */
export const named = (given, count) => Array.from({ length: count }, (_, i) => given?.[i] ?? String(i));

const kept = new WeakMap(); // a widget → its matrices, and what they are of

/**
 * The matrix of s.step as `matrix` draws it; the same object while nothing changes.
 * s = {step, at, row, labels(step, axis, count), pick(row), say(value), of}: how cells are
 * written is optional, and matrices are kept as long as `of` is the same.
 * @param {W} w
 */
export function stepMatrix(w, s) {
  const { step, at } = s;
  const key = `${step.path}|${at.join()}`;
  if (kept.get(w)?.of !== s.of) kept.set(w, { of: s.of, matrices: new Map() });
  const { matrices } = kept.get(w);
  if (!matrices.has(key)) {
    const values = slice(step, at);
    const [rowAxis, colAxis] = [step.axes.at(-2) ?? "", step.axes.at(-1) ?? ""];
    matrices.set(key, {
      values,
      rowAxis,
      colAxis,
      scale: step.scale,
      limit: step.limit,
      say: s.say,
      name: `${step.path}: ${step.title}`,
      rowLabels: rowAxis ? s.labels(step, rowAxis, values.length) : [colAxis || step.path],
      colLabels: colAxis ? s.labels(step, colAxis, values[0].length) : [""],
    });
  }
  const m = matrices.get(key);
  m.row = Math.min(s.row, m.values.length - 1);
  m.alt = `${m.name}, ${shape(step.axes, step.size)}; ${rowSentence(m)}`;
  m.focus = (row) => w.still || s.pick(row);
  return m;
}

/**
 * Every value of a trace and what it reads, as a chain to jump along.
 * @param {W} w
 */
export function chain(w, { steps, now, go, title = "The values of this trace, in order" }) {
  const inputs = [...new Set(steps.flatMap((s) => s.reads))].filter((r) => !steps.some((s) => s.path === r));
  const reads = new Set(steps[now].reads);
  const sign = (name) => (reads.has(name) ? html`<span class="qkv-vh">, read by this step</span>` : nothing);
  const look = (step, i) => `qkv-chip ${i === now ? "qkv-now" : reads.has(step.path) ? "qkv-read" : ""}`;
  return html`<ol class="qkv-chain" aria-label=${title}>
    ${inputs.map((name) => html`<li class="qkv-in"><span class="qkv-chip qkv-given ${reads.has(name) ? "qkv-read" : ""}">${name}<span class="qkv-vh"> (an input)</span>${sign(name)}</span></li>`)}
    ${steps.map(
      (step, i) => html`<li>
        ${
          w.still
            ? html`<span class=${look(step, i)}>${step.name ?? step.path}</span>`
            : html`<button
              type="button" class=${look(step, i)}
              aria-current=${i === now ? "step" : nothing} @click=${() => go(i)}
            >${step.name ?? step.path}${sign(step.path)}</button>`
        }
      </li>`,
    )}
  </ol>`;
}

/**
 * A chooser for each leading axis.
 * @param {W} w
 */
function leading(w, { step, at, labels, turn }) {
  return step.axes.slice(0, -2).map((axis, i) => {
    const chosen = Math.min(at[i] ?? 0, step.shape[i] - 1);
    if (step.shape[i] < 2) return nothing;
    const names = labels(step, axis, step.shape[i]);
    if (w.still) return html`<span class="qkv-hint">${axis} ${names[chosen]}</span>`;
    return html`<label>${axis}
      <select .value=${live(String(chosen))} @change=${(event) => turn(i, +event.target.value)}>
        ${names.map((name, k) => html`<option value=${k} ?selected=${k === chosen}>${shown(name)}</option>`)}
      </select></label>`;
  });
}

/** A step's title and formula, and what it is made from. */
export const heading = (step, from = step.reads) => html`<div class="qkv-title">
  <b>${step.title}</b>
  ${step.formula ? html`<span class="qkv-formula">${formula(step.formula)}</span>` : nothing}
  ${from.length ? html`<span class="qkv-from">from ${from.join(", ")}</span>` : nothing}
</div>`;

/**
 * A step's name, shape and choosers, what is cut off, and its matrix.
 * @param {W} w
 */
export function stepBody(w, s, m) {
  const { step } = s;
  return html`<div class="qkv-facts">
      <span class="qkv-shape"><code>${step.code ?? step.path}</code> ${shape(step.axes, step.size)}</span>
      ${leading(w, s)}
    </div>
    ${step.note ? html`<p class="qkv-crop">${step.note}</p>` : nothing}
    ${matrix(w, m)}`;
}

const quoted = (name) => `“${shown(name)}”`;
const isVector = (axis) => /^(d_|hidden|feature)/.test(axis);

/** How a step's numbers are laid out: "a row for each query, a column for each key". */
function layout({ axes, size }) {
  const [rows, columns] = [axes.at(-2), axes.at(-1)];
  const each = axes.slice(0, -2).map((axis) => `, for each ${axis}`);
  if (!columns) return "one number";
  const wide = isVector(columns) ? counted(size.at(-1), "one number", "{n} numbers") : `a column for each ${columns}`;
  if (!rows) return isVector(columns) ? wide : `a number for each ${columns}`;
  return isVector(columns)
    ? `${wide} for each ${rows}${each.join("")}`
    : `a row for each ${rows}, ${wide}${each.join("")}`;
}

/** What is to be seen in the row in focus, said as one would say it aloud. */
function seen(m, step) {
  const row = m.values[m.row];
  const finite = row.filter((x) => typeof x === "number");
  const who = m.rowAxis ? quoted(m.rowLabels[m.row]) : "";
  if (!finite.length) return who ? `${who} has nothing to look at.` : "There is no finite number.";
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const best = quoted(m.colLabels[row.indexOf(high)]);
  const all = Math.abs(finite.reduce((sum, x) => sum + x, 0) - 1) < 5e-3 && step.scale === "unit";
  if (row.length === 1) return who ? `For ${who} it is ${exact(high)}.` : `It is ${exact(high)}.`;
  if (isVector(m.colAxis)) return `${who ? `Those of ${who}` : "They"} reach from ${exact(low)} to ${exact(high)}.`;
  if (high - low < 1e-6 && finite.length > 1)
    return `${who || "Each"} has ${exact(high)} everywhere: no place stands out.`;
  if (all) return `${who || "It"} gives its largest weight to ${best}: ${exact(high)}.`;
  return `${who ? `For ${who} the` : "The"} largest is ${exact(high)}, at ${best}.`;
}

/** What is said of a step: what is done, how its numbers lie, and what is to be seen in them. */
export const stepSentence = (step, m, at, count) =>
  `Step ${at + 1} of ${count}. ${step.title}: ${layout(step)}. ${seen(m, step)}`;

/**
 * A picture drawn for a light page must be drawn again when the page turns dark.
 * @param {W} w
 */
export function drawAgainWhenDark(w) {
  const media = matchMedia("(prefers-color-scheme: dark)");
  const watch = new MutationObserver(w.draw);
  watch.observe(document.body, { attributes: true, attributeFilter: ["data-theme", "data-jp-theme-light"] });
  media.addEventListener("change", w.draw);
  return () => {
    watch.disconnect();
    media.removeEventListener("change", w.draw);
  };
}
