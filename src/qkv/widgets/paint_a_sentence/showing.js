// Below, side by side: the picture, what its cell could have been, and where it looks.
import { html, nothing } from "lit-html";
import { cellStyle } from "../core/colours.js";
import { numbers, pick } from "../core/controls.js";
import { backdrop } from "../core/image.js";
import { korean, marked } from "../core/korean.js";
import { chance } from "../core/text.js";
import { act, among, overrule } from "./acting.js";
import { nameOf } from "./judging.js";
import { allCalled, verdict, where } from "./saying.js";
import { acrossOf, cellsOf, looksOf, namesIn } from "./state.js";

/** @typedef {import("./running.js").Run} Run */
/** @typedef {import("./state.js").A} A */
/** @typedef {import("./state.js").W} W */

// ---- left: the picture

/** @param {W} w @param {A} a */
export function picture(w, a) {
  const { page, run, at } = a;
  const [across, count] = [acrossOf(page), cellsOf(page)];
  const keys = among(w, "cell", across, count, (cell) => act(w, { step: cell }));
  return html`<div class="qkv-sheet1">
    <div class="qkv-h">The picture <small>${across} × ${across} tokens</small></div>
    <div class="qkv-easel1" role="group" aria-label="The picture, token by token: arrow keys go to another" style="--grid:${across};${run ? backdrop(run.frame(at)) : ""}" @keydown=${w.still ? nothing : keys}>
      ${Array.from({ length: count }, (_, i) => tile(w, a, i))}
    </div>
    <p class="qkv-legend"><span><i class="qkv-key qkv-tile qkv-here"></i> drawn in this step</span><span><i class="qkv-key qkv-tile qkv-blank"></i> not yet</span></p>
  </div>`;
}

/** @param {W} w @param {A} a @param {number} cell */
function tile(w, { page, run, at, overruled }, cell) {
  const [drawn, here, mine] = [cell <= at ? run : null, cell === at, overruled.has(cell)];
  const kind = `qkv-tile ${drawn ? "" : "qkv-blank"} ${here ? "qkv-here" : ""} ${mine && cell <= at ? "qkv-mine" : ""}`;
  if (w.still) return html`<span class=${kind}></span>`;
  const shows = drawn ? allCalled(namesIn(drawn, cell, at, page), page) : "not drawn yet";
  const label = `${where(cell, page)}: ${shows}${mine ? ", chosen by you" : ""}`;
  return html`<button type="button" class=${kind} data-cell=${cell} tabindex=${here ? 0 : -1} aria-label=${label} aria-current=${here ? "step" : nothing} @click=${() => act(w, { step: cell })}></button>`;
}

/** What the judge says, once the picture is there. @param {W} w @param {A} a */
export function judged(w, { told, at, page }) {
  const done = told && at === cellsOf(page) - 1 && w.local.moving === undefined;
  const said = done ? marked(verdict(told)) : "The judge reads the picture when its last cell is drawn.";
  return html`<p class="qkv-judge" aria-live=${w.still ? "off" : "polite"}>${said}</p>`;
}

// ---- middle: what it could have been

/** How many stand side by side: fewer on a small screen. @param {Element} grid */
const columnsOf = (grid) => getComputedStyle(grid).gridTemplateColumns.split(" ").length;

/** @param {W} w @param {A} a */
export function candidates(w, a) {
  const { run, at } = a;
  if (!run) return nothing;
  const { top } = run.steps[at];
  const temperature = +w.get("temperature").toFixed(2);
  const go = (to) => {
    w.local.candidate = to;
    w.draw();
  };
  const keys = (event) => among(w, "candidate", columnsOf(event.currentTarget), top.length, go)(event);
  return html`<div class="qkv-rivals">
    <div class="qkv-h">Candidates <small>${temperature ? `p at temperature ${temperature}` : "the likeliest is drawn"}</small></div>
    <div class="qkv-cands" role="group" aria-label="The likeliest tokens: arrow keys move, Enter draws another" @keydown=${w.still ? nothing : keys}>${top.map((_, i) => candidate(w, a, run, i))}</div>
    <p class="qkv-legend"><span class="qkv-meter" aria-hidden="true"><u></u></span> how many of the pages that fit</p>
    ${w.still ? nothing : unruled(w, a)}
  </div>`;
}

/** @param {W} w @param {A} a @param {Run} run @param {number} i */
function candidate(w, { page, at }, run, i) {
  const [code, p] = run.steps[at].top[i];
  const patch = run.patches(at)[i];
  const { count, codes } = run.open(at);
  const { share, names } = codes.get(code) ?? { share: 0, names: [nameOf(patch, at, page)] };
  const [name, drawn] = [allCalled(names, page), code === run.steps[at].code];
  const kind = `qkv-cand ${drawn ? "qkv-now" : ""}`;
  const body = html`<i class="qkv-stroke1" style=${backdrop(patch)}></i>
    <span><b>${chance(p)}</b> <small>${name}</small><span class="qkv-meter"><i style="width:${100 * p}%"></i>${count ? html`<u style="left:${100 * share}%"></u>` : nothing}</span></span>`;
  if (w.still) return html`<div class=${kind}>${body}</div>`;
  const label = `${chance(p)} ${name}, token ${code}${count ? `; of the pages that fit ${chance(share)}` : ""}`;
  const go = () => {
    w.local.candidate = i;
    overrule(w, at, code);
  };
  return html`<button
    type="button" class=${kind} data-candidate=${i} tabindex=${i === (w.local.candidate ?? 0) ? 0 : -1}
    aria-pressed=${drawn} aria-label=${label} @click=${go}
  >${body}</button>`;
}

/** @param {W} w @param {A} a */
function unruled(w, { overruled }) {
  const n = overruled.size;
  return html`<p class="qkv-facts">
    <button type="button" data-act="model" aria-disabled=${!n} @click=${() => n && act(w, { overruled: [] })}>Follow the model</button>
    <span class="qkv-hint">${n ? `${n} of its tokens ${n > 1 ? "are" : "is"} yours` : "Choose another: the rest follows."}</span>
  </p>`;
}

// ---- right: where it looks

const sum = (numbers) => numbers.reduce((total, x) => total + x, 0);

/** A share in per cent, in words. */
const share = (x) => `${Math.round(100 * x) || "under 1"} per cent`;

/** The same as a number, or nothing. */
const percent = (x) => (Math.round(100 * x) ? html`<small aria-hidden="true">${Math.round(100 * x)}</small>` : nothing);

/** @param {W} w @param {A} a */
export function looking(w, { run, at, page, padding, said }) {
  if (!run) return nothing;
  const looks = looksOf(w, run.steps[at]);
  const { weights, how } = looks;
  const words = /** @type {[string, number][]} */ ([
    ...(padding ? [[`padding ×${padding}`, sum(weights.slice(0, padding))]] : []),
    ...said.map((word, i) => [word, weights[padding + i]]),
  ]);
  const cells = weights.slice(padding + said.length);
  const most = Math.max(...words.map(([, x]) => x), ...cells) || 1;
  const alt = cells.map((x, i) => `${where(i, page)} ${share(x)}`).join("; ") || "there is none";
  return html`<div class="qkv-regard">
    <div class="qkv-h">Where it looks <small>in per cent</small></div>
    ${w.still ? html`<p class="qkv-hint">${how}</p>` : choices(w, looks, run.steps[at].looks.length)}
    <p class="qkv-heard" role="group" aria-label="Its attention to the words">${words.map(
      ([word, x]) =>
        html`<span style=${cellStyle(x / most, "unit", 1)}><b lang=${korean(word)}>${word}</b> ${percent(x)}<span class="qkv-vh">${share(x)}</span></span>`,
    )}</p>
    <div class="qkv-easel1 qkv-seen" role="img" aria-label=${`Its attention to the cells drawn before: ${alt}`} style="--grid:${acrossOf(page)};${backdrop(run.frame(at))}">
      ${Array.from({ length: cellsOf(page) }, (_, i) =>
        i < at
          ? html`<span class="qkv-tile" style="--veil:${(0.75 * (1 - cells[i] / most)).toFixed(3)}">${percent(cells[i])}</span>`
          : html`<span class="qkv-tile qkv-blank ${i === at ? "qkv-here" : ""}"></span>`,
      )}
    </div>
  </div>`;
}

/** @param {W} w @param {ReturnType<typeof looksOf>} looks @param {number} layers */
function choices(w, { layer, heads }, layers) {
  return html`<div class="qkv-facts">
    ${pick("layer", "layer", layer, numbers(layers), (x) => w.set({ layer: x }))}
    ${pick("head", "head", w.get("head"), [[-1, "mean"], ...numbers(heads)], (x) => w.set({ head: x }))}
  </div>`;
}
