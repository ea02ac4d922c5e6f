// PaintASentence: type a sentence, and a model paints it, token by token: what else each cell could have been, where it
// looks, and whether the picture shows what the sentence says.
import { html } from "lit-html";
import { controls, sentence } from "../core/controls.js";
import { widget } from "../core/frame.js";
import { unfit } from "../core/scenes.js";
import { act } from "./acting.js";
import { asking, settings } from "./asking.js";
import { trouble } from "./reading.js";
import { allCalled, ofCell } from "./saying.js";
import { candidates, judged, looking, picture } from "./showing.js";
import { cellsOf, fieldOf, follow } from "./state.js";

/** @typedef {import("./state.js").A} A */
/** @typedef {import("./state.js").W} W */

/** @param {W} w */
function missing(w) {
  const [page, text, cells] = [w.get("page"), w.get("sentence"), cellsOf(w.get("page"))];
  const odd = unfit(page, w.get("voices"));
  if (odd) return odd;
  if (page.paper?.length !== cells) return `its blank page has ${page.paper?.length ?? 0} codes, and not ${cells}`;
  if (typeof text !== "string") return "it has no sentence";
  const field = fieldOf(w, text);
  const wrong = trouble(field, field.voice, page);
  if (wrong) return `its sentence cannot be painted: ${wrong}`;
  if (!(w.get("step") >= 0)) return `it has no step ${w.get("step")}`;
  if (!(w.get("temperature") >= 0 && w.get("guidance") >= 0)) return "its temperature or its guidance is none";
  const overruled = w.get("overruled");
  if (!Array.isArray(overruled) || !overruled.every(([cell, code]) => cell >= 0 && cell < cells && code >= 0))
    return "it overrules cells that are none";
  return recordedFor(w, cells) ? "" : "what is recorded does not fit its picture";
}

/** @param {W} w @param {number} cells */
function recordedFor(w, cells) {
  const { steps, slots } = w.get("recorded") ?? {};
  return (
    steps?.length === cells &&
    slots?.length === w.get("page").slots ** 2 &&
    steps.every(({ looks, top, open }) => looks.length && top.length && open?.codes)
  );
}

/** @param {W} w @param {A} a */
function words(w, a) {
  if (!a.told) return w.local.loading ? "The model is on its way." : "For this the model is needed.";
  return w.local.moving === undefined ? ofCell(a.told) : "Painting …";
}

/** @param {W} w */
function view(w) {
  const a = follow(w);
  const said = a.told ? allCalled(a.told.names, a.page) : "";
  return html`${asking(w)}${settings(w)}
    ${controls(w, { at: a.at, count: cellsOf(a.page), what: "Cell", said, go: (step) => act(w, { step }) })}
    ${sentence(w, words(w, a))}
    <div class="qkv-easel">${picture(w, a)}${judged(w, a)}${candidates(w, a)}${looking(w, a)}</div>`;
}

/** On paper: some cells on the way, and the whole picture. @param {W} w */
function stills(w) {
  const last = cellsOf(w.get("page")) - 1;
  const at = [Math.floor(last / 3), Math.floor((2 * last) / 3), last];
  return at.map((step) => ({ caption: `After ${step + 1} of ${last + 1} tokens`, state: { step } }));
}

export default widget("paint-a-sentence", { missing, view, stills });
