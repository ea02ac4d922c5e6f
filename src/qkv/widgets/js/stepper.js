// Stepper: any trace, step by step.
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { controls, sentence } from "./core/controls.js";
import { widget } from "./core/frame.js";
import { formula } from "./core/mathml.js";
import { matrix, rowSentence } from "./core/matrix.js";
import { spread } from "./core/spread.js";
import { plural, shape, shown } from "./core/words.js";

/** A nested list at the leading indices `at`, as a matrix of rows. */
export function slice(step, at) {
  let values = step.values;
  const leading = Math.max(step.shape.length - 2, 0);
  for (let i = 0; i < leading; i++) values = values[Math.min(at[i] ?? 0, values.length - 1)];
  if (step.shape.length === 0) return [[values]];
  return step.shape.length === 1 ? [values] : values;
}

const labelsOf = (w, step, axis, count) => {
  const given = w.get("labels")?.[axis];
  return Array.from({ length: count }, (_, i) => given?.[i] ?? String(i));
};

function missing(w) {
  const steps = w.get("steps");
  if (!Array.isArray(steps) || !steps.length) return "it holds no trace";
  const step = steps[w.get("step")];
  if (!step) return `it has ${plural(steps.length, "step")}, and not number ${w.get("step")}`;
  if (step.axes.length !== step.shape.length) return `step “${step.path}” names ${step.axes.length} axes of ${step.shape.length}`;
  const rows = slice(step, w.get("at") ?? []);
  const width = step.shape.at(-1) ?? 1;
  if (!Array.isArray(rows) || !rows.length || !width) return `step “${step.path}” is empty`;
  return rows.some((r) => r.length !== width) ? `step “${step.path}” has rows of different lengths` : "";
}

/** The matrix of a step as `matrix` draws it; the same object while nothing changes. */
function model(w, step) {
  const at = (w.get("at") ?? []).join();
  const key = `${step.path}|${at}`;
  const cache = (w.cache ??= new Map());
  if (w.cachedSteps !== w.get("steps")) {
    cache.clear();
    w.cachedSteps = w.get("steps");
  }
  if (!cache.has(key)) {
    const values = slice(step, w.get("at") ?? []);
    const [rowAxis, colAxis] = [step.axes.at(-2) ?? "", step.axes.at(-1) ?? ""];
    cache.set(key, {
      values, rowAxis, colAxis, scale: step.scale, limit: step.limit,
      name: `${step.path}: ${step.title}`,
      rowLabels: rowAxis ? labelsOf(w, step, rowAxis, values.length) : [colAxis || step.path],
      colLabels: colAxis ? labelsOf(w, step, colAxis, values[0].length) : [""],
    });
  }
  const m = cache.get(key);
  m.row = Math.min(w.get("row"), m.values.length - 1);
  m.alt = `${m.name}, ${shape(step.axes, step.size)}; ${rowSentence(m)}`;
  m.focus = (row) => w.still || w.set({ row });
  return m;
}

/** Every value of the trace and what it reads, as a chain to jump along. */
function chain(w, steps, now) {
  const inputs = [...new Set(steps.flatMap((s) => s.reads))].filter((r) => !steps.some((s) => s.path === r));
  const reads = new Set(steps[now].reads);
  const sign = (name) => (reads.has(name) ? html`<span class="qkv-vh">, read by this step</span>` : nothing);
  return html`<ol class="qkv-chain" aria-label="The values of this trace, in order">
    ${inputs.map((name) => html`<li class="qkv-in"><span class="qkv-chip qkv-given ${reads.has(name) ? "qkv-read" : ""}">${name}<span class="qkv-vh"> (an input)</span>${sign(name)}</span></li>`)}
    ${steps.map(
      (step, i) => html`<li>
        ${w.still
          ? html`<span class="qkv-chip ${i === now ? "qkv-now" : reads.has(step.path) ? "qkv-read" : ""}">${step.path}</span>`
          : html`<button
              type="button" class="qkv-chip ${i === now ? "qkv-now" : reads.has(step.path) ? "qkv-read" : ""}"
              aria-current=${i === now ? "step" : nothing} @click=${() => w.set({ step: i })}
            >${step.path}${sign(step.path)}</button>`}
      </li>`,
    )}
  </ol>`;
}

/** A chooser for each leading axis. */
function leading(w, step) {
  const at = w.get("at") ?? [];
  return step.axes.slice(0, -2).map((axis, i) => {
    const chosen = Math.min(at[i] ?? 0, step.shape[i] - 1);
    if (step.shape[i] < 2) return nothing;
    const pick = (event) => {
      const next = [...at];
      for (let k = 0; k <= i; k++) next[k] ??= 0;
      next[i] = +event.target.value;
      w.set({ at: next });
    };
    if (w.still) return html`<span class="qkv-hint">${axis} ${chosen}</span>`;
    return html`<label>${axis}
      <select .value=${live(String(chosen))} @change=${pick}>
        ${labelsOf(w, step, axis, step.shape[i]).map((name, k) => html`<option value=${k} ?selected=${k === chosen}>${shown(name)}</option>`)}
      </select></label>`;
  });
}

const reading = (step) =>
  step.reads.length ? html`<span class="qkv-from">from ${step.reads.join(", ")}</span>` : nothing;

function view(w) {
  const steps = w.get("steps");
  const at = w.get("step");
  const step = steps[at];
  const m = model(w, step);
  const said = `Step ${at + 1} of ${steps.length}: ${step.title}. ${step.path} has ${shape(step.axes, step.size)}. ${rowSentence(m)}.`;
  return html`${chain(w, steps, at)}
    ${controls(w, { at, count: steps.length, what: "Step", said: step.title, go: (i) => w.set({ step: i }) })}
    <div class="qkv-title">
      <b>${step.title}</b>
      ${step.formula ? html`<span class="qkv-formula">${formula(step.formula)}</span>` : nothing}
      ${reading(step)}
    </div>
    <div class="qkv-facts">
      <span class="qkv-shape"><code>${step.path}</code> ${shape(step.axes, step.size)}</span>
      ${leading(w, step)}
    </div>
    ${step.note ? html`<p class="qkv-crop">${step.note}</p>` : nothing}
    ${matrix(w, m)}
    ${sentence(w, said)}`;
}

function stills(w) {
  const steps = w.get("steps");
  return spread(steps.length).map((i) => ({
    caption: `Step ${i + 1} of ${steps.length}`,
    state: { step: i },
  }));
}

/** A picture drawn for a light page must be drawn again when the page turns dark. */
function begin(w) {
  const media = matchMedia("(prefers-color-scheme: dark)");
  const watch = new MutationObserver(w.draw);
  watch.observe(document.body, { attributes: true, attributeFilter: ["data-theme", "data-jp-theme-light"] });
  media.addEventListener("change", w.draw);
  return () => {
    watch.disconnect();
    media.removeEventListener("change", w.draw);
  };
}

export default widget("stepper", { missing, view, stills, begin });
