// Positions: clock hands that turn by the same angle whatever the position; three schemes
// against distance.
import { html, nothing, svg } from "lit-html";
import { bars, reach } from "../core/bars.js";
import { chart } from "../core/chart.js";
import { choice, sentence, slider } from "../core/controls.js";
import { details } from "../core/details.js";
import { widget } from "../core/frame.js";
import { dot } from "../core/maths.js";
import { pair, rotate, shift, sinusoids, slopes, thetas } from "../core/places.js";
import { scroll } from "../core/scroll.js";
import { counted, exact, short } from "../core/text.js";
import { apart, summed, WORDS } from "./words.js";

/**
 * @typedef {object} State
 * @property {number} d_model
 * @property {number} length
 * @property {number} trained
 * @property {number} heads
 * @property {number} back the distance that the rotary example fits
 * @property {number} base
 * @property {number} position
 * @property {number} offset
 * @property {"all" | "clocks"} [part] on paper alone
 */
/** @typedef {ReturnType<typeof measured>} Fixed */
/** @typedef {"words" | "distance"} Below what stands below the clocks where there is room for one of them */
/** @typedef {{ key: string, fixed: Fixed, below?: Below } & import("../core/details.js").Opened} Local */
/** @typedef {import("../core/frame.js").World<State, Local>} W */

/** @type {Exclude<keyof State, "part">[]} */
const keys = ["d_model", "length", "trained", "heads", "back", "base", "position", "offset"];

/** @param {W} w */
function missing(w) {
  const s = /** @type {{ [key in keyof State]: any }} */ (Object.fromEntries(keys.map((key) => [key, w.get(key)])));
  const odd = keys.find((key) => !Number.isFinite(s[key]));
  if (odd) return `${odd} is no number`;
  if (s.d_model < 2 || s.d_model % 2) return `d_model is ${s.d_model}, and each clock takes two numbers`;
  if (s.length < 2 || s.heads < 1) return "its length or its number of heads is too small";
  const out = /** @type {const} */ (["position", "offset"]).find((key) => s[key] < 0 || s[key] >= s.length);
  return out ? `${out} ${s[out]} is not one of 0 to ${s.length - 1}` : "";
}

/**
 * All that depends on the sizes alone, computed once.
 * @param {W} w
 */
function fixed(w) {
  /** @type {[number, number, number, number, number]} */
  const sizes = [w.get("d_model"), w.get("length"), w.get("base"), w.get("heads"), w.get("back")];
  const key = sizes.join();
  if (w.local.key !== key) Object.assign(w.local, { key, fixed: measured(sizes) });
  return /** @type {Fixed} */ (w.local.fixed);
}

/** @param {[width: number, length: number, base: number, heads: number, back: number]} sizes */
function measured([width, length, base, heads, back]) {
  const angles = thetas(width, base);
  const distances = Array.from({ length }, (_, k) => k);
  const start = sinusoids(0, angles);
  const example = pair(angles, back);
  return {
    angles,
    sinusoidal: distances.map((k) => dot(start, shift(start, k, angles))),
    rotary: distances.map((k) => dot(rotate(example.query, k, angles), example.key)),
    alibi: slopes(heads).map((m) => ({ slope: m, values: distances.map((k) => -m * k) })),
  };
}

// ---- clocks

const full = 2 * Math.PI;
const round = (x) => Math.round(x * 100) / 100;

/** Like a real clock: up is zero, and the tip of the hand is (sine, cosine). */
const tip = (angle, r) => `${round(r * Math.sin(angle))} ${round(-r * Math.cos(angle))}`;

const hand = (angle, kind) =>
  svg`<path class="qkv-hand ${kind}" d="M0 0L${tip(angle, 17)}"/><circle class="qkv-tip ${kind}" cx=${round(17 * Math.sin(angle))} cy=${round(-17 * Math.cos(angle))} r="2.6"/>`;

/** The way from one hand to the other, as a wedge; whole turns are left out. */
function wedge(from, turn) {
  const part = turn % full;
  if (turn >= full && part < 1e-9) return nothing;
  return svg`<path class="qkv-wedge" d="M0 0L${tip(from, 13)}A13 13 0 ${part > Math.PI ? 1 : 0} 1 ${tip(from + part, 13)}Z"/>`;
}

const face = (inside, label) => html`<svg class="qkv-clock" viewBox="-22 -22 44 44" role="img" aria-label=${label}>
  ${svg`<circle class="qkv-dial" r="20"/><path class="qkv-noon" d="M0 -20v4"/>`}${inside}
</svg>`;

const degrees = (angle) => (angle * 180) / Math.PI;

/** An angle in words: whole turns and degrees. */
function turned(angle) {
  const [turns, rest] = [Math.floor(angle / full + 1e-12), degrees(angle % full)];
  const text = `${rest < 0.95 && rest > 0 ? rest.toPrecision(1) : Math.round(rest)}°`;
  return turns ? counted(turns, `{n} turn + ${text}`, `{n} turns + ${text}`) : text;
}

const period = (theta) => {
  const steps = full / theta;
  return steps < 100 ? steps.toFixed(1) : Math.round(steps).toLocaleString("en");
};

/** @param {W} w */
function clocks(w, f, p, k) {
  const [here, there] = [sinusoids(p, f.angles), sinusoids(p + k, f.angles)];
  const label = (row, i) => `clock ${i + 1}: sine ${exact(row[2 * i])}, cosine ${exact(row[2 * i + 1])}`;
  const beyond = (at) => (at >= w.get("trained") ? html`<small class="qkv-beyond">beyond training</small>` : nothing);
  return scroll(
    w,
    "The clock hands",
    html`<table class="qkv-clocks">
    <thead>
      <tr><th scope="row">numbers</th>${f.angles.map((_, i) => html`<th scope="col">${2 * i}, ${2 * i + 1}</th>`)}</tr>
    </thead>
    <tbody>
      <tr><th scope="row">once round in<small>positions</small></th>${f.angles.map((t) => html`<td>${period(t)}</td>`)}</tr>
      <tr><th scope="row">position ${p}<small>PE(p)</small>${beyond(p)}</th>
        ${f.angles.map((t, i) => html`<td>${face(hand(p * t, "qkv-then"), label(here, i))}</td>`)}</tr>
      <tr class="qkv-turn"><th scope="row">turned by kθ<small>R(k), the same for every p</small></th>
        ${f.angles.map((t) => html`<td>${turned(k * t)}</td>`)}</tr>
      <tr><th scope="row">position ${p + k}<small>PE(p+k)</small>${beyond(p + k)}</th>
        ${f.angles.map((t, i) => html`<td>${face([wedge(p * t, k * t), hand(p * t, "qkv-then"), hand((p + k) * t, "qkv-then-on")], label(there, i))}</td>`)}</tr>
    </tbody>
  </table>`,
  );
}

/**
 * Both encodings and the rotated one in numbers, on request.
 * @param {W} w
 */
function inNumbers(w, f, p, k) {
  const rows = [
    [`PE(${p})`, sinusoids(p, f.angles)],
    [`R(${k}) PE(${p})`, shift(sinusoids(p, f.angles), k, f.angles)],
    [`PE(${p + k})`, sinusoids(p + k, f.angles)],
  ];
  const title = "The encodings in numbers";
  const inside = () => html`<table>
    <thead><tr><td></td>${rows[0][1].map((_, i) => html`<th scope="col">${i}</th>`)}</tr></thead>
    <tbody>${rows.map(([name, row]) => html`<tr><th scope="row">${name}</th>${row.map((v) => html`<td>${short(v)}</td>`)}</tr>`)}</tbody>
  </table>`;
  return details(w, title, () => scroll(w, title, inside()));
}

// ---- the four words

const NEAR = 1e-9; // what differs by less is the same number, computed in another order

/** The words that give the same as this one. */
const twins = (sums, i) => WORDS.filter((_, j) => j !== i && apart(sums[i], sums[j]) < NEAR);

function fourWords(placed, k) {
  const far = apart(placed[1], placed[2]);
  if (far < NEAR)
    return `k = ${k}: both letters stand at one place, so AB and BA are the same again, with positions as without.`;
  return `Without positions AB and BA are the same: attention sees which letters there are, and not in which order. With positions all four differ; AB and BA are ${exact(far)} apart.`;
}

/** @param {W} w */
function spelled(w, f, p, k) {
  const bare = WORDS.map((word) => summed(word, f.angles));
  const placed = WORDS.map((word) => summed(word, f.angles, [p, p + k]));
  const limit = reach([...bare, ...placed]);
  const cell = (sums, i, how) => {
    const same = twins(sums, i);
    const words = same.length ? `the same as ${same.join(" and ")}` : "like no other";
    return html`<td class=${same.length ? "qkv-best" : ""}>${bars(sums[i], limit, { label: `${WORDS[i]} ${how} positions: ${words}` })}<small>${same.length ? `= ${same.join(" = ")}` : ""}</small></td>`;
  };
  return html`<div class="qkv-four-words">
    <div class="qkv-h">Four words <small>through attention, what comes out summed; the letters stand k places apart</small></div>
    <table class="qkv-four">
      <thead><tr><td></td><th scope="col">without positions <small> </small></th><th scope="col">with positions <small>${p} and ${p + k}</small></th></tr></thead>
      <tbody>${WORDS.map((word, i) => html`<tr><th scope="row">${word}</th>${cell(bare, i, "without")}${cell(placed, i, "with")}</tr>`)}</tbody>
    </table>
    <p class="qkv-four-say" aria-live=${w.still ? "off" : "polite"}>${fourWords(placed, k)}</p>
  </div>`;
}

// ---- three schemes against distance

const span = (values) => {
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  return { low, high: high > low ? high : low + 1 };
};

/** @param {W} w */
function schemes(w, f, k) {
  const [from, n, heads] = [w.get("trained"), w.get("length"), w.get("heads")];
  const shared = { at: k, from, axis: "distance k" };
  const best = f.rotary.indexOf(Math.max(...f.rotary));
  const said = (values) =>
    `${exact(values[0])} at distance 0, ${exact(values[k])} at ${k}, ${exact(values[n - 1])} at ${n - 1}`;
  const figure = (title, what, now, picture) => html`<figure class="qkv-scheme">
    <figcaption><b>${title}</b> <small>${what}</small><span class="qkv-now-at">${now}</span></figcaption>${picture}
  </figure>`;
  const last = f.alibi.at(-1);
  const name = (head, h) => ({
    text: `head ${h + 1}: m = ${+head.slope.toPrecision(2)}`,
    at: h ? n - 1 : Math.round(n * 0.55),
    drop: h ? -6 : 15,
  });
  return html`<div class="qkv-schemes">
    ${figure(
      "Sinusoidal",
      "PE(p)·PE(p+k): how alike two positions are",
      `k = ${k}: ${short(f.sinusoidal[k])}`,
      chart({
        ...shared,
        id: `${w.id}-s`,
        curves: [{ values: f.sinusoidal }],
        ...span(f.sinusoidal),
        alt: `Sinusoidal: ${said(f.sinusoidal)}`,
      }),
    )}
    ${figure(
      "Rotary",
      counted(
        w.get("back"),
        "score of one fixed query at p+k and key at p, made to fit best {n} place apart",
        "score of one fixed query at p+k and key at p, made to fit best {n} places apart",
      ),
      `k = ${k}: ${short(f.rotary[k])}`,
      chart({
        ...shared,
        id: `${w.id}-r`,
        curves: [{ values: f.rotary }],
        ...span(f.rotary),
        alt: `Rotary: ${said(f.rotary)}; highest at distance ${best}`,
      }),
    )}
    ${figure(
      "ALiBi",
      counted(heads, "−m·k is added to the score; {n} head", "−m·k is added to the score; {n} heads"),
      `k = ${k}: ${short(f.alibi[0].values[k])}${heads > 1 ? ` … ${short(last.values[k])}` : ""}`,
      chart({
        ...shared,
        id: `${w.id}-a`,
        ...span(f.alibi[0].values),
        alt: `ALiBi, head 1: ${said(f.alibi[0].values)}; head ${heads}: ${said(last.values)}`,
        curves: f.alibi.map((head, h) => ({
          values: head.values,
          label: h === 0 || h === heads - 1 ? name(head, h) : null,
        })),
      }),
    )}
  </div>`;
}

/** @param {W} w */
function words(w, f, p, k) {
  const [fast, slow] = [f.angles[0], f.angles.at(-1)];
  const like = dot(sinusoids(p, f.angles), sinusoids(p + k, f.angles));
  const far = k >= w.get("trained") ? " A model trained on shorter texts has never met this distance." : "";
  return (
    `From position ${p} to ${p + k}, the fastest hand turns by ${turned(k * fast)} and the slowest by ${turned(k * slow)}. ` +
    `The turns depend on k = ${k} alone: move p, and they stay. So does PE(${p})·PE(${p + k}) = ${short(like)}.${far}`
  );
}

/** @param {W} w */
function view(w) {
  const f = fixed(w);
  const [p, k, last] = [w.get("position"), w.get("offset"), w.get("length") - 1];
  const to = (key, value) => {
    const next = Math.min(Math.max(value, 0), last);
    if (next !== w.get(key)) w.set({ [key]: next });
  };
  Object.assign(w.keys, {
    left: () => to("position", p - 1),
    right: () => to("position", p + 1),
    down: () => to("offset", k - 1),
    up: () => to("offset", k + 1),
    home: () => to("position", 0),
    end: () => to("position", last),
  });
  return html`<div class="qkv-slides">
      ${slider(w, { label: "position p", value: p, min: 0, max: last, said: String(p), pick: (v) => to("position", v) })}
      ${slider(w, { label: "offset k", value: k, min: 0, max: last, said: String(k), pick: (v) => to("offset", v) })}
    </div>
    ${sentence(w, words(w, f, p, k))}
    <div class="qkv-parts" data-below=${w.local.below ?? "words"}><div class="qkv-spell">
      <div>
        <div class="qkv-h">Clock hands <small>each pair of numbers is the tip of a hand: sine to the right, cosine up</small></div>
        ${clocks(w, f, p, k)}
        ${inNumbers(w, f, p, k)}
      </div>
      ${w.still ? nothing : below(w)}
      ${spelled(w, f, p, k)}
    </div>
    ${w.get("part") === "clocks" ? nothing : compared(w, f, k)}</div>`;
}

/**
 * Which of two parts stands below the clocks: only shown where both would be too high, and not on a phone.
 * @param {W} w
 */
const below = (w) =>
  html`<div class="qkv-which">${choice(w, {
    legend: "Below:",
    name: "below",
    options: [
      ["words", "four words"],
      ["distance", "what distance does"],
    ],
    chosen: w.local.below ?? "words",
    pick: (part) => {
      w.local.below = part;
      w.draw();
    },
  })}</div>`;

/** @param {W} w */
function compared(w, f, k) {
  return html`<div class="qkv-distance"><div class="qkv-h qkv-gap">What distance does <small>for any p${w.get("trained") < w.get("length") ? "; shaded: longer than in training" : ""}</small></div>
    ${schemes(w, f, k)}</div>`;
}

/** @param {W} w */
function stills(w) {
  const f = fixed(w);
  const [p, k, last] = [w.get("position"), w.get("offset"), w.get("length") - 1];
  const states = [
    [p, k],
    [Math.min(p + 1, last), k],
    [p, Math.min(2 * k, last)],
  ];
  const seen = states.filter(([a, b], i) => states.findIndex(([c, d]) => a === c && b === d) === i);
  return seen.map(([position, offset], i) => ({
    caption: words(w, f, position, offset),
    state: { position, offset, part: i ? "clocks" : "all" },
  }));
}

export default widget("positions", { missing, view, stills });
