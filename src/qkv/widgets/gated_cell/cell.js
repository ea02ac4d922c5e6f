// The two cells as drawings: each way is as strong as what the gates let through in one unit.
import { html, nothing, svg } from "lit-html";

/**
 * @typedef {object} Drawn what a drawing shows of one unit: a number as it is written, and how strong its way is
 * @property {(name: string) => string} say
 * @property {(name: string) => number} strength 0…1
 * @property {(name: string) => string} when "qkv-now" for the step that is looked at, "qkv-later" for one not yet taken
 * @property {string} alt
 */

const thick = (strength) => (1 + 9 * strength).toFixed(2);

/** A way of values; it is dashed before they are there. */
const way = (d, c, { strength = 1, step = "" } = {}) =>
  svg`<path class="qkv-flow ${step ? c.when(step) : ""}" d=${d} style="stroke-width:${thick(strength)}px"/>`;
/** What tells a valve how far to open. */
const wire = (d, c, step) => svg`<path class="qkv-wire ${c.when(step)}" d=${d}/>`;
const text = (x, y, words, kind = "", anchor = "middle") =>
  svg`<text class=${kind} x=${x} y=${y} text-anchor=${anchor}>${words}</text>`;
const sign = (x, y, mark, kind = "") =>
  svg`<g class="qkv-valve ${kind}"><circle cx=${x} cy=${y} r="10"/>${text(x, y + 4.5, mark)}</g>`;

/** A box that computes: its letter and its number, and beside it what it reads. */
function box(x, y, c, { step, letter, what, reads, side }) {
  const ways = { left: [`M${x - 45} ${y}H${x - 36}`, x - 57], right: [`M${x + 45} ${y}H${x + 36}`, x + 54] };
  const [d, at] = ways[side] ?? [`M${x} ${y + 30}V${y + 18}`, x];
  return svg`<g class="qkv-gate ${c.when(step)}">
    <path class="qkv-wire" d=${d}/>${text(at, side === "below" ? y + 42 : y + 4, reads, "qkv-soft")}
    <rect x=${x - 36} y=${y - 17} width="72" height="35" rx="6"/>
    ${text(x, y - 3, what, "qkv-soft")}${text(x, y + 12, `${letter} = ${c.say(step)}`, "qkv-number")}
  </g>`;
}

/** What goes in or comes out. */
const end = (x, y, c, name, letter, anchor) =>
  svg`<g class="qkv-end ${c.when(name)}">${text(x, y - 8, letter, "qkv-letter", anchor)}${text(x, y + 18, c.say(name), "qkv-number", anchor)}</g>`;

const frame = (height, c, inside) =>
  html`<svg class="qkv-cellmap" viewBox="0 0 360 ${height}" role="img" aria-label=${c.alt}>${inside}</svg>`;

/** @param {Drawn} c */
function gru(c) {
  const [z, r] = [c.when("update"), c.when("reset")];
  return frame(
    236,
    c,
    svg`${way("M30 44H110", c)}
    ${way("M130 44H242", c, { strength: c.strength("update"), step: "update" })}
    ${way("M262 44H330", c, { step: "hidden" })}
    ${way("M48 44V214H110", c, { strength: 0.4 })}
    ${way("M130 214H252V178", c, { strength: 0.4 * c.strength("reset"), step: "reset" })}
    ${way("M252 143V108", c, { step: "candidate" })}
    ${way("M252 88V54", c, { strength: c.strength("write"), step: "update" })}
    ${wire("M120 91V54", c, "update")}${wire("M156 108H200V98H242", c, "update")}${wire("M120 193V204", c, "reset")}
    ${sign(120, 44, "×", z)}${sign(252, 98, "×", z)}${sign(120, 214, "×", r)}${sign(252, 44, "+", c.when("hidden"))}
    ${text(134, 32, c.say("update"), `qkv-number ${z}`, "start")}
    ${text(267, 95, c.say("write"), `qkv-number ${z}`, "start")}${text(267, 108, "1 − z", `qkv-soft ${z}`, "start")}
    ${text(134, 206, c.say("reset"), `qkv-number ${r}`, "start")}
    ${box(120, 108, c, { step: "update", letter: "z", what: "update σ", reads: "x, h", side: "left" })}
    ${box(120, 175, c, { step: "reset", letter: "r", what: "reset σ", reads: "x, h", side: "left" })}
    ${box(252, 160, c, { step: "candidate", letter: "n", what: "new, tanh", reads: "x", side: "right" })}
    ${end(8, 44, c, "before", "h", "start")}${end(352, 44, c, "hidden", "h′", "end")}`,
  );
}

/** @param {Drawn} c */
function lstm(c) {
  const [i, f, o] = ["input_gate", "forget_gate", "output_gate"].map(c.when);
  return frame(
    242,
    c,
    svg`${way("M30 44H70", c)}
    ${way("M90 44H180", c, { strength: c.strength("forget_gate"), step: "forget_gate" })}
    ${way("M200 44H330", c, { step: "cell" })}
    ${way("M190 159V110", c, { step: "candidate" })}
    ${way("M190 90V54", c, { strength: c.strength("input_gate"), step: "input_gate" })}
    ${way("M280 44V130", c, { strength: 0.4, step: "cell" })}
    ${way("M290 140H330", c, { strength: 0.4 * c.strength("output_gate"), step: "hidden" })}
    ${wire("M80 91V54", c, "forget_gate")}${wire("M116 176H135V100H180", c, "input_gate")}${wire("M280 177V150", c, "output_gate")}
    ${sign(80, 44, "×", f)}${sign(190, 100, "×", i)}${sign(280, 140, "×", o)}${sign(190, 44, "+", c.when("cell"))}
    ${text(94, 32, c.say("forget_gate"), `qkv-number ${f}`, "start")}
    ${text(205, 97, c.say("input_gate"), `qkv-number ${i}`, "start")}
    ${text(295, 131, c.say("output_gate"), `qkv-number ${o}`, "start")}
    <g class="qkv-gate ${c.when("hidden")}"><rect x="258" y="80" width="44" height="24" rx="6"/>${text(280, 96, "tanh", "qkv-soft")}</g>
    ${box(80, 108, c, { step: "forget_gate", letter: "f", what: "forget σ", reads: "x, h", side: "left" })}
    ${box(80, 176, c, { step: "input_gate", letter: "i", what: "input σ", reads: "x, h", side: "left" })}
    ${box(190, 176, c, { step: "candidate", letter: "g", what: "new, tanh", reads: "x, h", side: "below" })}
    ${box(280, 194, c, { step: "output_gate", letter: "o", what: "output σ", reads: "x, h", side: "below" })}
    ${end(8, 44, c, "before", "c", "start")}${end(352, 44, c, "cell", "c′", "end")}${end(352, 140, c, "hidden", "h′", "end")}`,
  );
}

/**
 * The drawing of a cell.
 * @param {string} kind
 * @param {Drawn} drawn
 */
export const cellMap = (kind, drawn) => (kind === "GRU" ? gru(drawn) : kind === "LSTM" ? lstm(drawn) : nothing);
