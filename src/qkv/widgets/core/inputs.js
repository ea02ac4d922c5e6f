// Which recorded input to look at; and, where a kernel is there, a box to type another.
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { choice } from "./controls.js";
import { recorder } from "./recurrent.js";

/**
 * @template [Run=any]
 * @typedef {{ input: string, source: string[], target: string[], note?: string, forced: Run, free?: Run | null }} Recording
 */
/**
 * The traits of a widget over recordings: Recorded in Python.
 * @template [Run=any], [More=object]
 * @typedef {{
 *   recordings: (Recording<Run> & More)[],
 *   chosen: number,
 *   fed: "forced" | "free",
 *   step: number,
 *   request: { id?: string, text?: string },
 *   answer: { id?: string, error?: string },
 *   network: Partial<import("./recurrent.js").Network>,
 *   weights: DataView | null, file?: string,
 * }} Recorded
 */
/** @typedef {{ asked: string, turn: number, note: string, timer: ReturnType<typeof setTimeout>, loading?: string }} Asking */
/** @typedef {import("./frame.js").World<Recorded, Asking>} W */

export const patience = 5000; // ms that a kernel may take to say anything
export const MOST_LETTERS = 500; // in a field: more are no sentence, and would keep the page busy

/**
 * Follow the kernel's answers to requests.
 * @param {W} w
 */
export function listen(w) {
  const answered = () => {
    const { id, error } = w.get("answer") ?? {};
    if (id === undefined || id !== w.local.asked) return;
    clearTimeout(w.local.timer);
    w.local.asked = undefined;
    w.local.note = error ?? "";
    w.draw();
  };
  w.model.on("change:answer", answered);
  return () => {
    clearTimeout(w.local.timer);
    w.model.off("change:answer", answered);
  };
}

/** @param {W} w */
function ask(w, text) {
  // Unlike any before it, also those of this page before it was loaded anew.
  w.local.turn = (w.local.turn ?? 0) + 1;
  const id = `${w.id}-${Date.now().toString(36)}-${w.local.turn}`;
  clearTimeout(w.local.timer);
  w.local.asked = id;
  w.local.note = "Asking the kernel …";
  w.local.timer = setTimeout(() => {
    w.local.note = "No kernel answered: run the cells above first.";
    w.draw();
  }, patience);
  w.set({ request: { id, text } });
}

/**
 * A key in a field of a form: Enter gives what is typed, and JupyterLab takes none of them for itself. While a Korean
 * letter is being composed, Enter only ends the letter.
 */
export function enters(event) {
  event.stopPropagation();
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  event.target.form.requestSubmit();
}

/**
 * A box to type a text in, with its button; Enter gives it, too.
 * @param {{ label: string, button: unknown, give: (text: string) => void, value?: unknown, put?: (text: string) => void }} made
 */
export function box({ label, button, give, value = nothing, put = () => {} }) {
  const submit = (event) => {
    event.preventDefault();
    give(event.target.elements.text.value);
  };
  return html`<form class="qkv-ask" @submit=${submit}>
    <label>${label} <input name="text" maxlength=${MOST_LETTERS} autocomplete="off" spellcheck="false" .value=${value} @input=${(e) => put(e.target.value)} @keydown=${enters} /></label>
    ${button}
  </form>`;
}

/** @type {WeakMap<object, Promise<ReturnType<typeof recorder>>>} */
const recorders = new WeakMap();

/**
 * The network of a widget: its weights are in the notebook; on the site they are a file, fetched once.
 * @param {W} w
 */
function networkOf(w) {
  if (!recorders.has(w.model)) {
    const here = w.get("weights");
    const copied = (view) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
    const bytes = here?.byteLength ? Promise.resolve(copied(here)) : globalThis.qkvHost.checkpoint(w.get("file"));
    const made = bytes.then((buffer) => recorder(/** @type {any} */ (w.get("network")), buffer));
    recorders.set(w.model, made);
    made.catch(() => recorders.delete(w.model));
  }
  return /** @type {Promise<ReturnType<typeof recorder>>} */ (recorders.get(w.model));
}

/**
 * Run the network here with a text, and show what it did, as `made` puts it. While the network is being loaded, a text
 * takes the place of the one before: that is said, and the last of them is shown.
 * @param {W} w
 * @param {(recorded: import("./recurrent.js").Recorded) => object} made
 */
async function compute(w, text, made) {
  const before = w.local.loading;
  w.local.loading = text;
  w.local.note =
    before && before !== text ? `Loading the model: “${text}” in place of “${before}” …` : "Loading the model …";
  w.draw();
  try {
    const known = () => w.get("recordings").findIndex((r) => r.input === text);
    const network = known() < 0 ? await networkOf(w) : null;
    if (w.local.loading !== text) return;
    const recordings = w.get("recordings");
    const at = known();
    const more = network && at < 0 ? [.../** @type {any[]} */ ([made(network(text))])] : [];
    w.local.note = "";
    w.set({ recordings: [...recordings, ...more], chosen: at < 0 ? recordings.length : at, step: 0 });
  } catch (error) {
    if (w.local.loading !== text) return;
    w.local.note = `This could not be read: ${/** @type {Error} */ (error).message}.`;
    w.draw();
  } finally {
    if (w.local.loading === text) w.local.loading = undefined;
  }
}

/** @param {W} w */
function ownInput(w, made) {
  const here = Object.keys(w.get("network") ?? {}).length > 0;
  if (!here && !w.kernel) return html`<span class="qkv-hint">In JupyterLab you can type your own.</span>`;
  const give = (text) => text.trim() && (here ? compute(w, text.trim(), made) : ask(w, text.trim()));
  return box({ label: "Type your own", give, button: html`<button type="submit">Show</button>` });
}

/**
 * @param {W} w
 * @param {(recorded: import("./recurrent.js").Recorded) => object} made a recording as the widget reads it
 */
export function inputs(w, made) {
  const recordings = w.get("recordings");
  const at = w.get("chosen");
  if (w.still) return html`<p class="qkv-input">Input: <b>${recordings[at].input}</b></p>`;
  return html`<div class="qkv-inputs">
      <label
        >Input
        <select .value=${live(String(at))} @change=${(e) => w.set({ chosen: +e.target.value, step: 0 })}>
          ${recordings.map((r, i) => html`<option value=${i} ?selected=${i === at}>${r.input}</option>`)}
        </select></label
      >
      ${ownInput(w, made)}
    </div>
    <p class="qkv-note" role="status" ?hidden=${!w.local.note}>${w.local.note ?? ""}</p>`;
}

/**
 * Fed with the truth, or with its own output.
 * @param {W} w
 */
export function feeding(w) {
  const recording = w.get("recordings")[w.get("chosen")];
  if (w.still) return nothing;
  return choice(w, {
    legend: "The decoder is fed",
    name: "fed",
    options: [
      ["forced", "the right tokens (teacher forcing)"],
      ["free", recording.free ? "its own output" : "its own output (here the same)"],
    ],
    chosen: w.get("fed"),
    pick: (fed) => w.set({ fed }),
  });
}

/**
 * The run to show: with its own output equal to the truth, both are one.
 * @param {W} w
 */
export const run = (w, recording) => (w.get("fed") === "free" && recording.free) || recording.forced;

/**
 * What is wrong with the recordings, or "".
 * @param {W} w
 */
export function missingRecording(w, check) {
  const recordings = w.get("recordings");
  if (!Array.isArray(recordings) || !recordings.length) return "no input is recorded in it";
  const recording = recordings[w.get("chosen")];
  if (!recording) return `it has ${recordings.length} inputs, and not number ${w.get("chosen")}`;
  return check(recording) || (recording.free ? check({ ...recording, forced: recording.free }) : "");
}
