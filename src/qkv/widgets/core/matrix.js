// A matrix with its labels. Small ones are a table with a number in every cell; large ones
// a picture of all cells, and a table of the row in focus.

import { html, nothing } from "lit-html";
import { guard } from "lit-html/directives/guard.js";
import { cellStyle, fill, luminance } from "./colours.js";
import { focus, hasFocus } from "./focus.js";
import { scroll } from "./scroll.js";
import { exact, hatch, short, shown, special } from "./text.js";

/** @typedef {import("./frame.js").World} W */

const small = { rows: 24, cols: 16 };

export const isSmall = (rows) => rows.length <= small.rows && rows[0].length <= small.cols;

const cell = (value, { scale, limit, say = short }) =>
  html`<td class=${hatch(value)} style=${cellStyle(value, scale, limit)}>${say(value)}</td>`;

/**
 * Row labels as buttons; the Tab key reaches the one in focus, ↑/↓ the others.
 * @param {W} w
 */
function rowButton(w, m, i) {
  const name = shown(m.rowLabels[i]);
  if (w.still) return name;
  return html`<button
    type="button" class="qkv-row" data-row=${i} tabindex=${i === m.row ? 0 : -1}
    aria-pressed=${i === m.row} @click=${() => m.focus(i)}
  >${name}</button>`;
}

const head = (m) => html`<thead><tr>
  <td></td>${m.colLabels.map((c) => html`<th scope="col">${shown(c)}</th>`)}
</tr></thead>`;

/** @param {W} w */
function table(w, m) {
  return scroll(
    w,
    m.name,
    html`<table class="qkv-matrix">
    ${guard([m.values, m.colLabels], () => head(m))}
    <tbody>
      ${m.values.map(
        (row, i) => html`<tr class=${i === m.row && !w.still ? "qkv-on" : ""} @click=${() => m.focus(i)}>
          <th scope="row">${rowButton(w, m, i)}</th>
          ${guard([row, m.scale, m.limit], () => row.map((v) => cell(v, m)))}
        </tr>`,
      )}
    </tbody>
  </table>`,
  );
}

/** Is the page dark where `el` stands? Text is then the lighter of the two. */
export function isDark(el) {
  const rgb = getComputedStyle(el)
    .color.match(/[\d.]+/g)
    ?.slice(0, 3)
    .map(Number);
  return rgb ? luminance(rgb) > 0.3 : false;
}

const strokes = {
  masked: [[0, 1, 1, 0]],
  "−∞": [[0, 0, 1, 1]],
  NaN: [
    [0, 0, 1, 1],
    [0, 1, 1, 0],
  ],
  "+∞": [[0.5, 0, 0.5, 1]],
};

/** Draw all cells. Cells without a number are crossed in the manner of their mark. */
export function drawCanvas(canvas, { values, scale, limit }, dark) {
  const [n, d] = [values.length, values[0].length];
  const [cw, ch] = [Math.max(4, Math.ceil(768 / d)), Math.max(6, Math.min(24, Math.ceil(768 / n)))];
  canvas.width = d * cw;
  canvas.height = n * ch;
  const pen = canvas.getContext("2d", { alpha: false });
  pen.fillStyle = dark ? "#444b55" : "#dcdfe4";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.strokeStyle = dark ? "#fff" : "#000";
  for (let i = 0; i < n; i++)
    for (let j = 0; j < d; j++) {
      const value = values[i][j];
      if (typeof value === "number") {
        pen.fillStyle = fill(value, scale, limit, dark);
        pen.fillRect(j * cw, i * ch, cw, ch);
        continue;
      }
      for (const [a, b, c, e] of strokes[special(value)]) {
        pen.beginPath();
        pen.moveTo((j + a) * cw, (i + b) * ch);
        pen.lineTo((j + c) * cw, (i + e) * ch);
        pen.stroke();
      }
    }
}

const drawn = new WeakMap(); // a canvas → the values that it shows, and on what ground

/** Rows that are too thin to be hit one by one are gone through by buttons, too. */
const beforeAndAfter = (m) =>
  html`<div class="qkv-outputs">${[
    ["before", m.row - 1],
    ["after", m.row + 1],
  ].map(
    ([say, row]) => html`<button
      type="button" data-act="row-${say}" aria-disabled=${!m.values[row]} @click=${() => m.values[row] && m.focus(row)}
    >Row ${say}</button>`,
  )}</div>`;

/** @param {W} w */
function picture(w, m) {
  const hold = (canvas) => {
    if (!canvas) return;
    const dark = isDark(w.root);
    const shows = drawn.get(canvas);
    if (shows?.values === m.values && shows.dark === dark) return;
    drawn.set(canvas, { values: m.values, dark });
    drawCanvas(canvas, m, dark);
  };
  // The canvas is drawn right after it is in the page.
  queueMicrotask(() => hold(w.stage.querySelector(".qkv-canvas canvas")));
  const pick = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    m.focus(Math.floor(((event.clientY - box.top) / box.height) * m.values.length));
  };
  const dense = m.values.length > small.rows;
  return html`${dense && !w.still ? beforeAndAfter(m) : nothing}<div class="qkv-picture ${dense ? "qkv-dense" : ""}">
    <div class="qkv-rows" role="group" aria-label="Rows: ${m.rowAxis}">
      ${m.values.map((_, i) => (w.still ? html`<span>${rowButton(w, m, i)}</span>` : rowButton(w, m, i)))}
    </div>
    <div class="qkv-canvas" style="--n:${m.values.length};--row:${m.row}">
      <canvas role="img" aria-label=${m.alt} @click=${pick}></canvas>
      ${w.still ? nothing : html`<i aria-hidden="true"></i>`}
    </div>
  </div>`;
}

/**
 * The row in focus with its numbers.
 * @param {W} w
 */
function detail(w, m) {
  const one = { ...m, values: [m.values[m.row]], rowLabels: [m.rowLabels[m.row]] };
  return scroll(
    w,
    "The row in focus",
    html`<table class="qkv-matrix">
    ${guard([m.colLabels, m.values[m.row].length], () => head(m))}
    <tbody><tr>
      <th scope="row">${shown(one.rowLabels[0])}</th>
      ${one.values[0].map((v) => cell(v, m))}
    </tr></tbody>
  </table>`,
  );
}

/**
 * Let ↑/↓ choose the row.
 * @param {W} w
 */
function arrows(w, m) {
  const to = (i) => {
    const next = Math.min(Math.max(i, 0), m.values.length - 1);
    if (next === m.row) return;
    const had = hasFocus(w, ".qkv-row");
    m.focus(next);
    if (had) focus(w, `.qkv-row[data-row="${next}"]`);
  };
  if (m.values.length > 1) Object.assign(w.keys, { up: () => to(m.row - 1), down: () => to(m.row + 1) });
}

/**
 * Draw m = {values, rowLabels, colLabels, rowAxis, name, alt, scale, limit, row, focus};
 * m.say writes a cell, if it is not to be `short`; m.brief leaves out the row in focus of a picture.
 * @param {W} w
 */
export function matrix(w, m) {
  arrows(w, m);
  return html`${isSmall(m.values) ? table(w, m) : [picture(w, m), w.still || m.brief ? nothing : detail(w, m)]}
    ${legend(m)}`;
}

/**
 * The same for those that are never large: without what draws pictures.
 * @param {W} w
 */
export function smallMatrix(w, m) {
  arrows(w, m);
  return html`${table(w, m)} ${legend(m)}`;
}

/** What the marks in this matrix mean, if it has any. */
export function legend(m) {
  const seen = new Set();
  for (const row of m.values) for (const v of row) if (typeof v !== "number") seen.add(v);
  if (!seen.size) return nothing;
  return html`<p class="qkv-legend">
    ${[...seen].map((v) => html`<span class="qkv-key ${hatch(v)}">${m.say?.(v) ?? special(v)}</span>`)}
    ${seen.has(null) ? "masked: may not be attended to" : seen.has("-inf") && seen.size === 1 ? "minus infinity: softmax makes it 0" : "not a finite number"}
  </p>`;
}

/** Where a row is largest, in words. */
export function rowSentence(m) {
  const row = m.values[m.row];
  let best = -1;
  row.forEach((v, j) => {
    if (typeof v === "number" && (best < 0 || v > row[best])) best = j;
  });
  const name = m.values.length > 1 ? `${m.rowAxis} ${shown(m.rowLabels[m.row])}: ` : "";
  if (best < 0) return `${name}no finite value`;
  if (m.colAxis === "1") return `${name}${exact(row[best])}`;
  return `${name}largest ${exact(row[best])} at ${m.colAxis} ${shown(m.colLabels[best])}`;
}
