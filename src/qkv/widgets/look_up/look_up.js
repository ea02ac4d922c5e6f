// LookUp: a board of handwritten digits; where a cell of a convolutional network looks with attention, and what it
// could see without.
import { html, nothing } from "lit-html";
import { cellStyle } from "../core/colours.js";
import { choice, numbers, pick, sentence, slider } from "../core/controls.js";
import { focus } from "../core/focus.js";
import { widget } from "../core/frame.js";
import { png } from "../core/image.js";
import { modelHint, size, withNetwork } from "../core/loading.js";
import { peak } from "../core/maths.js";
import { walk } from "../core/pad.js";
import { scroll } from "../core/scroll.js";
import { unpack } from "../core/tensors.js";
import { chance, short, shown } from "../core/text.js";
import * as on from "./board.js";
import { lookUp } from "./looking.js";
import { called, cellName, ofAttention, ofField, where } from "./saying.js";

/** @typedef {import("./board.js").Piece} Piece */
/** @typedef {import("./board.js").Place} Place */
/** @typedef {{ board: Piece[], cell: Place, gamma: number, weights: number[], probabilities: number[] }} Found one state, recorded */
/**
 * @typedef {object} State
 * @property {{ size: number[], grain: number, data: string }} drawings "digit hand row column"
 * @property {string[]} names of the digits
 * @property {string[]} colours of twins, in the order of the model's answers
 * @property {{ [colour: string]: number[] }} paints of them and of black
 * @property {number} reach how many pixels a cell sees beyond its own
 * @property {number} trained the model's γ
 * @property {{ board: Piece[], cell: Place }} opening
 * @property {Found} found
 * @property {Piece[]} board
 * @property {Place} cell
 * @property {number} gamma times the trained one
 * @property {"attention" | "field"} mode
 * @property {string} name
 * @property {number} size
 */
/** @typedef {{ slot: Place, x: number, y: number, by: number[], far: boolean }} Drag from a slot */
/** @typedef {{ key: string, image: number[][][] }} Painted */
/** @typedef {{ net: object, image: number[][][], looked: import("./looking.js").Looked }} Seen */
/** @typedef {{ chosen: Place, drag: Drag, pressed: boolean, painted: Painted, seen: Seen }} Own chosen: a slot */
/** @typedef {Own & import("../core/loading.js").Loading} Local */
/** @typedef {import("../core/frame.js").World<State, Local>} W */

const MOST = 2; // times the trained γ
const STEPS = 4; // of the slider, to 1
const every = Array.from({ length: on.GRID * on.GRID }, (_, p) => p);
const lines = Array.from({ length: on.GRID }, (_, i) => i);
const placeOf = ([row, column]) => row * on.GRID + column;
/** @returns {Place} */
const cellAt = (p) => [Math.floor(p / on.GRID), p % on.GRID];
const same = (a, b) => a.join() === b.join();

/* ------------------------------------------------------------------ what is shown */

const unpacked = new WeakMap();

/**
 * @param {W} w
 * @returns {number[][][][]}
 */
function drawingsOf(w) {
  const packed = w.get("drawings");
  if (!unpacked.has(packed)) unpacked.set(packed, unpack(packed));
  return unpacked.get(packed);
}

/**
 * The picture of the board; the same object as long as the board is the same.
 * @param {W} w
 */
function imageOf(w, board) {
  const key = on.keyOf(board);
  const kept = w.local.painted;
  if (kept && kept.key === key) return kept.image;
  const image = on.pictureOf(board, drawingsOf(w), w.get("paints"));
  w.local.painted = { key, image };
  return image;
}

/** @param {W} w */
function sceneOf(w) {
  const [board, cell, gamma, colours] = [w.get("board"), w.get("cell"), w.get("gamma"), w.get("colours")];
  const slot = on.slotOf(cell);
  const here = slot && on.pieceAt(board, slot);
  const asker = here?.colour === "black" ? here : undefined;
  const twins = asker ? on.twinsOf(board, asker) : [];
  const chosen = w.local.chosen ?? slot ?? board[0]?.slot ?? [0, 0];
  const image = imageOf(w, board);
  const field = w.get("mode") === "field";
  return {
    board,
    cell,
    gamma,
    colours,
    asker,
    twins,
    chosen,
    image,
    field,
    url: png(image),
    reach: w.get("reach"),
  };
}

/** @typedef {ReturnType<typeof sceneOf>} S */

/**
 * Is this what Python has recorded?
 * @param {W} w @param {S} s
 */
function isRecorded(w, { board, cell, gamma }) {
  const found = w.get("found");
  return found.gamma === gamma && same(found.cell, cell) && on.keyOf(found.board) === on.keyOf(board);
}

/**
 * Where the cell looks and what is answered there, or null without the model.
 * @param {W} w @param {S} s
 */
function answerOf(w, s) {
  const net = w.local.net;
  if (!net) {
    const { weights, probabilities } = w.get("found");
    return isRecorded(w, s) ? { row: weights, says: probabilities } : null;
  }
  const kept = w.local.seen;
  const same = kept && kept.net === net && kept.image === s.image;
  const seen = same ? kept : { net, image: s.image, looked: net.look(s.image) };
  w.local.seen = seen;
  const place = placeOf(s.cell);
  return { row: seen.looked.weights[place], says: net.answer(seen.looked, place, s.gamma).probabilities };
}

/** @typedef {ReturnType<typeof answerOf>} A */

/* ------------------------------------------------------------------ doing */

/**
 * A model with other answers must not be used, whatever its file is called.
 * @param {W} w
 */
function make(w) {
  return (checkpoint) => {
    if (checkpoint.config.classes !== w.get("colours").length || !checkpoint.weights["block.gamma"])
      throw new Error("the file is of a model for another question");
    return lookUp(checkpoint);
  };
}

/** @param {W} w */
const load = (w) => withNetwork(w, make(w), () => {}, "What is recorded stays.");

/**
 * Change something, and see to it that what is then asked for can be answered.
 * @param {W} w
 * @param {Partial<State>} changes
 */
function act(w, changes) {
  w.set(changes);
  if (!w.local.net && !isRecorded(w, sceneOf(w))) load(w);
}

/**
 * Choose a slot; a black digit asks.
 * @param {W} w @param {S} s
 */
function choose(w, s, slot) {
  w.local.chosen = slot;
  const piece = on.pieceAt(s.board, slot);
  if (!piece) act(w, { board: [...s.board, on.added(s.board, slot, world(w))] });
  else if (piece.colour === "black") act(w, { cell: on.cellOf(slot) });
  else w.draw();
}

/** @param {W} w */
function world(w) {
  const [kinds, hands] = w.get("drawings").size;
  return { kinds, hands, colours: w.get("colours") };
}

/** @param {W} w */
const focusSlot = (w, slot) => focus(w, `[data-slot="${slot.join("-")}"]`);

/** @param {W} w @param {S} s */
function move(w, s, from, to) {
  w.local.chosen = to;
  act(w, { board: on.moved(s.board, from, to), cell: on.followed(s.cell, from, to) });
  focusSlot(w, to);
}

/** @param {W} w @param {S} s @param {Partial<Piece>} changes */
const change = (w, s, changes) =>
  act(w, { board: s.board.map((piece) => (same(piece.slot, s.chosen) ? { ...piece, ...changes } : piece)) });

/**
 * The slot keeps the focus: with its digit the button Remove is gone.
 * @param {W} w @param {S} s
 */
function remove(w, s, slot) {
  act(w, { board: s.board.filter((piece) => !same(piece.slot, slot)) });
  focusSlot(w, slot);
}

/** @param {W} w */
function another(w) {
  const board = on.drawn(world(w));
  w.local.chosen = board[0].slot;
  act(w, { board, cell: on.cellOf(board[0].slot) });
}

/** @param {W} w */
function reset(w) {
  const { board, cell } = w.get("opening");
  w.local.chosen = undefined;
  act(w, { board, cell, gamma: 1, mode: "attention" });
}

/* ------------------------------------------------------------------ the board */

const share = (pixels) => `${(100 * pixels) / on.SIZE}%`;
const box = (top, left, high, wide) =>
  `top:${share(top)};left:${share(left)};height:${share(high)};width:${share(wide)}`;
/** Where a slot is, as a style. */
const slotBox = ([row, column]) => box(row * on.PITCH, column * on.PITCH, on.DIGIT, on.DIGIT);

/** The part of the picture that lies in a slot, as a style. */
function crop(url, slot) {
  const [y, x] = slot.map((at) => (100 * at * on.PITCH) / (on.SIZE - on.DIGIT));
  return `background-image:url(${url});background-size:${(100 * on.SIZE) / on.DIGIT}%;background-position:${x}% ${y}%`;
}

/** The slot under a point of the page. */
function under(event, frame) {
  const { left, top, width, height } = frame.getBoundingClientRect();
  const at = [(event.clientY - top) / height, (event.clientX - left) / width];
  return at.every((part) => part >= 0 && part < 1) ? at.map((part) => Math.floor(part * on.SLOTS)) : undefined;
}

/**
 * What a pointer does with the digit in a slot: it drags it to another.
 * @param {W} w @param {S} s
 */
function dragging(w, s, slot) {
  const down = (event) => {
    if (event.button) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    w.local.drag = { slot, x: event.clientX, y: event.clientY, by: [0, 0], far: false };
  };
  const go = (event) => {
    const drag = w.local.drag;
    if (!drag) return;
    drag.by = [event.clientX - drag.x, event.clientY - drag.y];
    drag.far ||= Math.hypot(...drag.by) > 6;
    if (drag.far) w.draw();
  };
  const end = (event) => {
    const drag = w.local.drag;
    w.local.drag = undefined;
    if (!drag?.far) return;
    w.local.pressed = true;
    setTimeout(() => (w.local.pressed = false)); // the click comes first
    const to = event.type === "pointerup" && under(event, event.currentTarget.parentElement);
    if (to && !same(to, slot)) move(w, s, slot, to);
    else w.draw();
  };
  return { down, go, end };
}

/** @param {W} w @param {S} s */
function keyOn(w, s, slot, event) {
  const to = event.key.startsWith("Arrow") && walk(event, slot, [on.SLOTS, on.SLOTS]);
  if (!to && event.key !== "Delete") return;
  event.preventDefault();
  event.stopPropagation(); // of an empty slot, too: JupyterLab would go on to another cell
  if (!on.pieceAt(s.board, slot)) return;
  if (!to) remove(w, s, slot);
  else if (!same(to, slot)) move(w, s, slot, to);
}

/** @param {W} w @param {S} s */
function slotButton(w, s, slot) {
  const piece = on.pieceAt(s.board, slot);
  const drag = w.local.drag?.far && same(w.local.drag.slot, slot) ? w.local.drag : undefined;
  const cls = `qkv-slot ${piece ? "qkv-digit" : ""} ${drag ? "qkv-held" : ""}`;
  const style = `${slotBox(slot)};${piece ? crop(s.url, slot) : ""}${drag ? `;translate:${drag.by[0]}px ${drag.by[1]}px` : ""}`;
  if (w.still) return piece ? html`<span class=${cls} style=${style}></span>` : nothing;
  const { down, go, end } = dragging(w, s, slot);
  const label = piece
    ? `${called(piece)}, ${where(slot)}${piece === s.asker ? ", asks" : ""}`
    : `empty, ${where(slot)}: put a digit here`;
  return html`<button
    type="button" class=${cls} style=${style} data-slot=${slot.join("-")} aria-label=${label}
    aria-pressed=${same(slot, s.chosen)} @click=${() => w.local.pressed || choose(w, s, slot)}
    @keydown=${(event) => keyOn(w, s, slot, event)} @pointerdown=${piece ? down : nothing}
    @pointermove=${piece ? go : nothing} @pointerup=${piece ? end : nothing} @pointercancel=${piece ? end : nothing}
  >${piece ? nothing : "+"}</button>`;
}

/**
 * The digit that is chosen, and what can be made of it.
 * @param {W} w @param {S} s
 */
function tools(w, s) {
  const piece = on.pieceAt(s.board, s.chosen);
  if (!piece)
    return html`<p class="qkv-tools qkv-hint">The slot (${where(s.chosen)}) is empty: press + to put a digit there.</p>`;
  const [, hands] = w.get("drawings").size;
  const digits = w.get("names").map((name, k) => [k, shown(name)]);
  const inks = ["black", ...s.colours];
  const options = inks.map((colour, k) => [k, shown(colour)]);
  return html`<div class="qkv-tools qkv-inputs">
    <b>${where(s.chosen)}</b>
    ${pick("digit", "digit", piece.digit, digits, (digit) => change(w, s, { digit }))}
    ${pick("hand", "hand", piece.hand, numbers(hands), (hand) => change(w, s, { hand }))}
    ${pick("colour", "colour", inks.indexOf(piece.colour), options, (k) => change(w, s, { colour: inks[k] }))}
    <button type="button" data-act="remove" @click=${() => remove(w, s, s.chosen)}>Remove</button>
  </div>`;
}

/** @param {W} w */
const paint = (w, colour) =>
  `rgb(${w
    .get("paints")
    [colour].map((x) => Math.round(255 * x))
    .join(" ")})`;

/** @param {W} w @param {S} s */
function board(w, s) {
  const opening = w.get("opening");
  const fresh =
    on.keyOf(opening.board) === on.keyOf(s.board) && same(opening.cell, s.cell) && s.gamma === 1 && !s.field;
  return html`<div class="qkv-board-of">
    <div class="qkv-h">The board <small>3 × 3 slots</small></div>
    <div class="qkv-nine-slots" role="group" aria-label="The board, 3 × 3 slots: ${w.still ? alt(s) : "arrow keys move a digit, Delete removes it"}">
      ${on.slots.map((slot) => slotButton(w, s, slot))}
    </div>
    ${
      w.still
        ? nothing
        : html`<p class="qkv-hint">Drag a digit, or Tab to it: arrows move it. A black one asks.</p>
          ${tools(w, s)}
          <div class="qkv-outputs">
            <button type="button" data-act="another" @click=${() => another(w)}>Another board</button>
            <button type="button" data-act="reset" aria-disabled=${fresh} @click=${() => fresh || reset(w)}>Reset</button>
          </div>`
    }
  </div>`;
}

/** What lies on the board, in words. */
const alt = ({ board }) => board.map((piece) => `${called(piece)} ${where(piece.slot)}`).join(", ") || "empty";

/* ------------------------------------------------------------------ the map */

/** @param {W} w @param {S} s @param {A} a */
function cellButton(w, s, a, p) {
  const weight = a && !s.field ? a.row[p] : 0;
  const per = Math.round(100 * weight);
  const mine = placeOf(s.cell) === p;
  const cls = `qkv-spot-of ${mine ? "qkv-asker" : ""}`;
  const style = `--a:${a ? ((0.72 * weight) / Math.max(...a.row)).toFixed(3) : 0}`;
  const text = per ? html`<small aria-hidden="true">${per}</small>` : nothing;
  if (w.still) return html`<span class=${cls} style=${style}>${text}</span>`;
  const said = a && !s.field ? `: ${per || "under 1"} per cent` : "";
  return html`<button
    type="button" class=${cls} style=${style} data-cell=${p} aria-label="${cellName(cellAt(p))}${said}" aria-pressed=${mine}
    tabindex=${mine ? 0 : -1} @click=${() => act(w, { cell: cellAt(p) })}
  >${text}</button>`;
}

/** @param {W} w */
function keyInMap(w, event) {
  const to = walk(event, cellAt(+event.target.dataset.cell), [on.GRID, on.GRID]);
  if (!to) return;
  event.preventDefault();
  event.stopPropagation();
  act(w, { cell: to });
  focus(w, `[data-cell="${placeOf(to)}"]`);
}

/** @param {W} w @param {S} s @param {A} a */
function map(w, s, a) {
  const { top, left, bottom, right } = on.fieldOf(s.cell, s.reach);
  const what = s.field ? `What ${cellName(s.cell)} sees without attention` : `Where ${cellName(s.cell)} looks`;
  return html`<div class="qkv-map-of">
    <div class="qkv-h">${s.field ? "What it sees itself" : "Where it looks"} <small>${on.GRID} × ${on.GRID} cells</small></div>
    <div
      class="qkv-over" role="group" aria-label="${what}, over the picture${w.still ? `: ${alt(s)}` : ": arrow keys choose another cell"}"
      style="background-image:url(${s.url})" @keydown=${w.still ? nothing : (event) => keyInMap(w, event)}
    >
      ${every.map((p) => cellButton(w, s, a, p))}
      ${s.field ? html`<i class="qkv-field" style=${box(top, left, bottom - top, right - left)}></i>` : nothing}
      ${s.twins.map(({ slot }) => html`<i class="qkv-twin" style=${slotBox(slot)}></i>`)}
    </div>
    <p class="qkv-legend">
      <span><i class="qkv-key qkv-asker"></i> this cell</span>
      ${s.field ? html`<span><i class="qkv-key qkv-field"></i> what it sees</span>` : html`<span><i class="qkv-key qkv-lit"></i> looked at, in per cent</span>`}
      <span><i class="qkv-key qkv-twin"></i> the twin</span>
    </p>
  </div>`;
}

/* ------------------------------------------------------------------ the tables */

/** @param {W} w @param {S} s */
function answers(w, s, { says }) {
  const best = peak(says);
  const truths = s.twins.map(({ colour }) => colour);
  return html`<table class="qkv-probs">
    <caption>What it answers there</caption>
    <tbody>
      ${s.colours.map(
        (colour, k) => html`<tr class=${k === best ? "qkv-best" : ""}>
          <th scope="row">${k === best ? html`<span class="qkv-diamond" aria-hidden="true">◆</span>` : nothing}<i class="qkv-colour-patch" aria-hidden="true" style="background:${paint(w, colour)}"></i>${shown(colour)}${truths.includes(colour) ? html` <small>the twin</small>` : nothing}</th>
          <td class="qkv-num">${chance(says[k])}</td>
          <td><span class="qkv-meter"><i style="width:${100 * says[k]}%"></i></span></td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

const weightCell = (weight, most) =>
  html`<td style=${cellStyle(Math.min(weight / most, 1), "unit", 1)}>${weight < 0.005 ? "0" : chance(weight)}</td>`;

/** @param {W} w */
function weights(w, { row }) {
  const most = Math.max(...row);
  return scroll(
    w,
    "Weights",
    html`<table class="qkv-in-numbers">
    <caption>Where it looks, in numbers</caption>
    <thead><tr><td></td>${lines.map((c) => html`<th scope="col"><span class="qkv-vh">column </span>${c + 1}</th>`)}</tr></thead>
    <tbody>${lines.map((r) => html`<tr><th scope="row">row ${r + 1}</th>${lines.map((c) => weightCell(row[placeOf([r, c])], most))}</tr>`)}</tbody>
  </table>`,
  );
}

/* ------------------------------------------------------------------ the controls */

/** @param {W} w */
function turned(w) {
  const [factor, trained] = [w.get("gamma"), w.get("trained")];
  return slider(w, {
    label: html`<math><mi>γ</mi></math>`,
    called: "gamma, times the trained one",
    value: Math.round(factor * STEPS),
    min: -MOST * STEPS,
    max: MOST * STEPS,
    said: `${short(factor)} × ${short(trained)} = ${short(factor * trained)}`,
    pick: (x) => act(w, { gamma: x / STEPS }),
  });
}

/** @param {W} w @param {S} s */
const modes = (w, s) =>
  choice(w, {
    legend: "Show",
    name: "mode",
    options: [
      ["attention", "where it looks"],
      ["field", "what it sees without attention"],
    ],
    chosen: s.field ? "field" : "attention",
    pick: (mode) => w.set({ mode }),
  });

/**
 * Where the model is, or what is the matter with it: always one line, so that nothing below it moves.
 * @param {W} w @param {A} a
 */
function status(w, a) {
  const wanted = !a && !w.local.loading;
  const bytes = size(w.get("size"));
  const hint = modelHint(w, `When you change something, the model is loaded first: ${bytes}, once.`);
  return html`<div role="status" class="qkv-state ${w.local.note || wanted ? "qkv-note" : ""}">
    ${w.local.note ? html`<p>${w.local.note}</p>` : nothing}
    ${wanted ? html`<p><button type="button" data-act="load" @click=${() => load(w)}>Load the model, ${bytes}</button></p>` : nothing}
    ${w.local.note || wanted ? nothing : html`<p class="qkv-hint">${hint}</p>`}
  </div>`;
}

/* ------------------------------------------------------------------ all of it */

/** @param {W} w @param {S} s @param {A} a */
function words(w, s, a) {
  if (s.field) return ofField(s);
  if (a) return ofAttention({ ...s, ...a });
  return w.local.loading ? "The model is on its way." : "For this the model is needed.";
}

const isPlace = (at, n) =>
  Array.isArray(at) && at.length === 2 && at.every((x) => Number.isInteger(x) && x >= 0 && x < n);

/** @param {W} w */
function missing(w) {
  const [pieces, paints] = [w.get("board"), w.get("paints")];
  const [kinds, hands, ...sides] = w.get("drawings")?.size ?? [];
  if (String(sides) !== `${on.DIGIT},${on.DIGIT}`) return "it has no drawings of digits";
  if (!Array.isArray(pieces)) return "it has no board";
  const odd = pieces.find(
    ({ digit, hand, colour, slot }) =>
      !(digit in [...Array(kinds)]) || !(hand in [...Array(hands)]) || !paints[colour] || !isPlace(slot, on.SLOTS),
  );
  if (odd) return "a digit of its board is none that it can draw";
  if (new Set(pieces.map(({ slot }) => slot.join())).size < pieces.length) return "two digits lie in one slot";
  if (!isPlace(w.get("cell"), on.GRID)) return `its cell is none of ${on.GRID} × ${on.GRID}`;
  if (!(Math.abs(w.get("gamma")) <= MOST)) return `its gamma is not from −${MOST} to ${MOST}`;
  const { weights, probabilities } = w.get("found") ?? {};
  return weights?.length !== every.length || probabilities?.length !== w.get("colours").length
    ? "what is recorded of it is not of its grid"
    : "";
}

/** @param {W} w */
function view(w) {
  const s = sceneOf(w);
  const a = answerOf(w, s);
  return html`${w.still ? nothing : html`<div class="qkv-head-of">${modes(w, s)}${status(w, a)}</div>${turned(w)}`}
    ${sentence(w, words(w, s, a))}
    <div class="qkv-looking">
      ${board(w, s)}${map(w, s, a)}
      <div class="qkv-answers">${a ? answers(w, s, a) : nothing}</div>
      <div class="qkv-numbers">${a ? weights(w, a) : nothing}</div>
    </div>`;
}

/** @param {W} w */
function stills(w) {
  const { board, cell, gamma } = w.get("found");
  return ["attention", "field"].map((mode) => ({ state: { board, cell, gamma, mode } }));
}

export default widget("look-up", { missing, view, stills });
