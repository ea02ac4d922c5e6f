// A picture of the sentence, cell by cell: as it was recorded, or as the painter makes it here.
import { uniform } from "../core/gauss.js";
import { once } from "../core/once.js";
import { painted } from "../core/scenes.js";
import { layouts, open, see, thingsOn } from "./judging.js";
import { read, voiceOf, wordsOf } from "./reading.js";

/** @typedef {import("./judging.js").Fitting} Fitting */
/** @typedef {import("./judging.js").Page} Page */
/** @typedef {import("./painting.js").Pixels} Pixels */
/** @typedef {import("./state.js").W} W */
/** @typedef {ReturnType<typeof import("./painting.js").painter>} Net */
/** @typedef {{ code: number, p: number, top: [number, number][], looks: number[][][] }} Step a cell; looks: layer head place */
/**
 * @typedef {object} Run a picture, cell by cell
 * @property {Step[]} steps
 * @property {(cell: number) => Pixels} frame what there is once a cell is drawn
 * @property {(cell: number) => Pixels[]} patches a cell's candidates, each in its place
 * @property {(cell: number) => import("./judging.js").Open} open what the sentence and the tokens before leave open
 * @property {number[]} slots what the judge sees
 */
/** @typedef {{ count: number, codes: [number, number, number[]][] }} Left a code, its share, what it is a part of */
/** @typedef {{ of: unknown[], steps: (Step & { open: Left })[], frames: string, patches: string, slots: number[] }} Recorded bytes in base64 */
/** @typedef {(key: string, net: Net) => Run} Runs */
/** @typedef {(sentence: string, net: Net) => Fitting[]} Fittings */

const CANDIDATES = 8;
const MOST_RUNS = 12; // that are kept

/** @param {W} w */
export const voiceIn = (w) => voiceOf(w.get("voices"), w.get("sentence"));

/** @param {W} w */
const keyOf = (w) =>
  JSON.stringify([w.get("sentence"), w.get("temperature"), w.get("seed"), w.get("guidance"), w.get("overruled")]);

/** What is painted now, if it is recorded or the painter is here. @param {W} w @returns {Run | null} */
export function runOf(w) {
  const [key, recorded, { net }] = [keyOf(w), w.get("recorded"), w.local];
  if (key === JSON.stringify(recorded.of)) return played(recorded, w.get("page"));
  w.local.runs ??= once((_, painter) => made(w, painter), MOST_RUNS);
  return net ? w.local.runs(key, net) : null;
}

// ---- recorded

/** Bytes as pictures of this many pixels, down and across. @returns {Pixels[]} */
function unpacked(text, side) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const row = (n) => Array.from(bytes.subarray(n * side, (n + 1) * side), (x) => x / 255);
  const channel = (n) => Array.from({ length: side }, (_, r) => row(n * side + r));
  return Array.from({ length: bytes.length / side ** 2 / 3 }, (_, n) => [0, 1, 2].map((c) => channel(3 * n + c)));
}

/** @type {WeakMap<Recorded, Run>} */
const known = new WeakMap(); // what was recorded, unpacked

/** @param {Recorded} recorded @param {Page} page @returns {Run} */
function played(recorded, { size, side }) {
  const found = known.get(recorded);
  if (found) return found;
  const { steps, frames, patches, slots } = recorded;
  const [pictures, cells] = [unpacked(frames, size), unpacked(patches, side)];
  const ofCell = steps.map(({ top }) => cells.splice(0, top.length));
  const run = {
    steps,
    frame: (t) => pictures[t],
    patches: (t) => ofCell[t],
    open: (t) => ({
      count: steps[t].open.count,
      codes: new Map(steps[t].open.codes.map(([code, share, names]) => [code, { share, names }])),
    }),
    slots,
  };
  known.set(recorded, run);
  return run;
}

// ---- made here

/** The likeliest codes. @param {number[]} p @returns {[number, number][]} */
const topOf = (p) =>
  p
    .map((x, code) => /** @type {[number, number]} */ ([code, x]))
    .sort((a, b) => b[1] - a[1])
    .slice(0, CANDIDATES);

/** What the painter makes of the sentence. @param {W} w @param {Net} net @returns {Run} */
function made(w, net) {
  const page = w.get("page");
  const draw = uniform(w.get("seed"));
  const cells = net.paint(wordsOf(w.get("sentence"), voiceIn(w), page), {
    uniforms: Array.from({ length: net.cells }, draw),
    temperature: w.get("temperature"),
    guidance: w.get("guidance"),
    overruled: new Map(w.get("overruled")),
  });
  const codes = cells.map(({ code }) => code);
  const upTo = (t, code = codes[t]) => codes.map((x, i) => (i < t ? x : i === t ? code : page.paper[i]));
  const frame = once((t) => net.decode(upTo(t)));
  const steps = cells.map(({ code, p, looks }) => ({ code, p: p[code], top: topOf(p), looks }));
  const patches = once((t) => steps[t].top.map(([code]) => net.patch(upTo(t, code), [t])[0]));
  const fit = fitting(w, net);
  const left = once((t) => open(fit, codes.slice(0, t), page));
  return { steps, frame, patches, open: left, slots: see(frame(net.cells - 1), page) };
}

/** The pages that fit the sentence, as the painter would write them. @param {W} w @param {Net} net */
function fitting(w, net) {
  w.local.fittings ??= once((sentence, painter) => {
    const page = w.get("page");
    const { rows } = read(sentence, voiceIn(w), page);
    return layouts(rows, page).map((slots) => ({
      slots,
      codes: painter.encode(painted(page, thingsOn(slots, page))),
    }));
  }, 1);
  return w.local.fittings(w.get("sentence"), net);
}
