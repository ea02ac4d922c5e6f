// RouterMap: a plane of tokens, and which expert of a router takes each, while the router learns.
import { html, nothing, svg } from "lit-html";
import { choice, controls, pick, sentence } from "../core/controls.js";
import { fieldNote, numberField } from "../core/fields.js";
import { widget } from "../core/frame.js";
import { meanOf } from "../core/maths.js";
import { arrow, grip, name, plane, shape } from "../core/plane.js";
import { chance, counted, exact, short } from "../core/text.js";
import { places, regions, route, shared } from "./routing.js";
import { ofAll, ofToken } from "./saying.js";

/** @typedef {{ name: string, renormalised: boolean, gates: number[][][] }} Run its router's rows at each recorded step */
/**
 * @typedef {object} State
 * @property {number[][]} tokens in the plane
 * @property {number[]} topics of the tokens, from 0
 * @property {number[]} steps that were recorded
 * @property {Run[]} runs
 * @property {number[]} busiest the most tokens that an expert ever has, with k = 1 and 2
 * @property {number} run
 * @property {number} step which of the recorded ones
 * @property {number} k
 * @property {number | null} capacity null: every expert takes all
 * @property {number} token the one that is followed; −1 is the reader's own
 * @property {number[]} own where that is
 * @property {number} part of the token's way
 */
/** @typedef {import("../core/fields.js").Typing & import("../core/plane.js").Held} Local */
/** @typedef {import("../core/frame.js").World<State, Local>} W */

const capacities = [null, 1, 1.25, 1.5, 2];
const far = 10; // where the reader's token may be
const marks = ["●", "■", "▲", "◆"];
const titles = ["logit", "softmax", "top-k", "weight"];

const pairs = (rows) => Array.isArray(rows) && rows.every((row) => row?.length === 2 && row.every(Number.isFinite));

/** @param {W} w */
function missing(w) {
  const [tokens, topics, runs, steps] = [w.get("tokens"), w.get("topics"), w.get("runs"), w.get("steps")];
  if (!pairs(tokens) || !tokens.length) return "it has no tokens of two numbers";
  if (topics?.length !== tokens.length) return `it has ${tokens.length} tokens and ${topics?.length} topics`;
  if (!topics.every((z) => z in marks)) return `a topic is none of 1 to ${marks.length}`;
  const run = runs?.[w.get("run")];
  if (!run) return `it has no run ${w.get("run")}`;
  const odd = runs.find(
    ({ gates }) => gates?.length !== steps.length || !gates.every((rows) => pairs(rows) && rows[1]),
  );
  if (odd) return `run ${odd.name} has no router of two experts or more at each step`;
  if (!(w.get("step") in steps)) return `it has ${steps.length} steps, and not number ${w.get("step")}`;
  if (!w.get("busiest")[w.get("k") - 1]) return "k is none of 1 and 2";
  if (!capacities.includes(w.get("capacity"))) return `its capacity is none of ${capacities.slice(1).join(", ")}`;
  if (!pairs([w.get("own")]) || (w.get("token") !== -1 && !(w.get("token") in tokens)))
    return "the token to follow is none";
  return "";
}

/* ------------------------------------------------------------------ what follows */

/**
 * Everything that follows from the state, as the pictures read it.
 * @param {W} w
 */
function follow(w) {
  const [tokens, topics, k, capacity] = [w.get("tokens"), w.get("topics"), w.get("k"), w.get("capacity")];
  const run = w.get("runs")[w.get("run")];
  const rows = run.gates[w.get("step")];
  const way = { k, renormalised: run.renormalised };
  const room = places({ tokens: tokens.length, experts: rows.length, k, capacity });
  const routes = tokens.map((token) => route(token, rows, way));
  const shares = shared(routes, topics, room);
  const at = w.get("token");
  const mine = at < 0;
  const x = mine ? w.get("own") : tokens[at];
  const own = mine ? route(x, rows, way) : routes[at];
  // The reader's token comes after all others.
  const found = mine ? own.chosen.map((i) => shares.experts[i].count < room) : shares.stays[at];
  return {
    ...{ tokens, topics, k, capacity, run, rows, room, shares, mine, x, own, places: found },
    steps: w.get("steps")[w.get("step")],
    name: mine ? "Your token" : `Token ${at + 1}, topic ${topics[at] + 1}`,
    longest: longest(w),
  };
}

/** @typedef {ReturnType<typeof follow>} A */

/**
 * The length of the longest row of all: one scale for every step.
 * @param {W} w
 */
const longest = (w) => Math.max(...w.get("runs").flatMap(({ gates }) => gates.flat().map((row) => Math.hypot(...row))));

/* ------------------------------------------------------------------ left: the plane */

const forms = [
  "M-2.6 0A2.6 2.6 0 1 1 2.6 0A2.6 2.6 0 1 1 -2.6 0Z",
  "M-2.4 -2.4H2.4V2.4H-2.4Z",
  "M0 -3.1L3 2.4H-3Z",
  "M0 -3.4L2.8 0L0 3.4L-2.8 0Z",
];
const half = 100; // the plane's limit in its picture
const round = (x) => Math.round(x * 100) / 100;
/** @param {import("../core/plane.js").Plane} p @param {number[]} point */
const put = (p, [x, y]) => `translate(${round((x / p.limit) * half)} ${round((-y / p.limit) * half)})`;

/**
 * A click on a token follows it; one beside them puts the reader's own there.
 * @param {W} w
 */
function clicked(w, p, event) {
  const box = event.currentTarget.getBoundingClientRect();
  const place = [(event.clientX - box.left) / box.width, (box.bottom - event.clientY) / box.height].map(
    (share) => Math.round((2 * share - 1) * p.limit * 10) / 10 + 0,
  );
  const away = w.get("tokens").map(([x, y]) => Math.hypot(x - place[0], y - place[1]));
  const least = Math.min(...away);
  const token = least < (16 * p.limit) / box.width ? away.indexOf(least) : -1;
  w.set(token < 0 ? { own: place, token } : { token });
}

/** Where the name of a region stands: at the rim, in the middle of what it has of it. */
function rim(corners) {
  const middle = meanOf(corners);
  const size = Math.max(...middle.map(Math.abs)) || 1;
  return middle.map((x) => (90 * x) / size);
}

/** @param {W} w @param {A} a */
function inside(w, a, p) {
  const areas = regions(a.rows, p.limit);
  const scale = Math.min(1, (0.72 * p.limit) / a.longest);
  /** @type {import("../core/plane.js").Point[]} */
  const tips = a.rows.map(([x, y]) => [x * scale, y * scale]);
  const lost = (t) => !a.shares.stays[t].some(Boolean);
  const region = (corners, i) =>
    corners.length ? shape(p, corners, `qkv-region ${a.own.chosen.includes(i) ? "qkv-here" : ""}`) : nothing;
  const label = (corners, i) => {
    if (!corners.length) return nothing;
    const [x, y] = rim(corners);
    return svg`<text class="qkv-name" x=${round(0.86 * x)} y=${round(3 - y)} text-anchor="middle">expert ${i + 1}</text>`;
  };
  const long = (tip) => (Math.hypot(...tip) / p.limit) * half > 24;
  return svg`${areas.map(region)}
    <rect class="qkv-ground" x=${-half} y=${-half} width=${2 * half} height=${2 * half} @click=${(event) => w.still || clicked(w, p, event)}/>
    <g class="qkv-through">
      ${a.tokens.map((x, t) => svg`<path class="qkv-dot qkv-topic-${a.topics[t] + 1} ${lost(t) ? "qkv-lost" : ""}" transform=${put(p, x)} d=${forms[a.topics[t]]}/>`)}
      ${tips.map((tip, i) => arrow(p, tip, `qkv-k ${areas[i].length ? "" : "qkv-idle"}`, 2))}
      ${areas.map(label)}
      ${tips.map((tip, i) => (long(tip) || !areas[i].length ? name(p, tip, String(i + 1), `qkv-k ${areas[i].length ? "" : "qkv-idle"}`) : nothing))}
      <text class="qkv-star" transform=${put(p, w.get("own"))} y="5" text-anchor="middle">★</text>
      <circle class="qkv-ring" transform=${put(p, a.x)} r="7.5"/>
    </g>
    ${grip(w, p, w.get("own"), (own) => w.set({ own, token: -1 }))}`;
}

/** @param {W} w @param {A} a */
function settings(w, a) {
  if (w.still) return nothing;
  return html`<div class="qkv-settings">
    ${choice(w, { legend: "Experts a token, k:", name: "k", options: [1, 2].map((k) => [k, k]), chosen: a.k, pick: (k) => w.set({ k }) })}
    ${choice(w, { legend: "Capacity factor:", name: "capacity", options: capacities.map((c) => [c, c ?? "no limit"]), chosen: a.capacity, pick: (capacity) => w.set({ capacity }) })}
  </div>`;
}

/**
 * Where the reader's token is, in numbers.
 * @param {W} w
 */
function yours(w) {
  if (w.still) return nothing;
  const field = (c) =>
    numberField(w, {
      id: `own-${c}`,
      value: w.get("own")[c],
      min: -far,
      max: far,
      step: 0.1,
      label: `your token, number ${c + 1}`,
      put: (x) => w.set({ own: w.get("own").map((old, i) => (i === c ? x : old)), token: -1 }),
    });
  return html`<p class="qkv-own">Your token ★ (${field(0)}, ${field(1)}) <small>or click, or drag it</small></p>
    ${fieldNote(w, `Type a number from −${far} to ${far}. Until then the last one counts.`)}`;
}

/** @param {W} w @param {A} a */
function map(w, a) {
  const alt = `${a.tokens.length} tokens in the plane. ${a.rows.map((row, i) => `Expert ${i + 1}, row (${row.map(short).join(", ")}): ${counted(a.shares.experts[i].count, "{n} token", "{n} tokens")}.`).join(" ")}`;
  const kinds = [...new Set(a.topics)].sort();
  return html`<figure class="qkv-figure">
    <div class="qkv-h">Tokens, and who takes them <small>an arrow is a row of the router, a region where its logit is the largest</small></div>
    ${plane(w, { name: "tokens", points: [...a.tokens, w.get("own")], alt, inside: (p) => inside(w, a, p) })}
    <figcaption class="qkv-legend">${kinds.map((z) => html`<span><i class="qkv-sign qkv-topic-${z + 1}" aria-hidden="true">${marks[z]}</i> topic ${z + 1}</span> `)}<span><i class="qkv-sign" aria-hidden="true">★</i> yours</span><span class=${a.capacity === null ? "qkv-unseen" : ""}>hollow: dropped</span></figcaption>
    ${settings(w, a)}
  </figure>`;
}

/* ------------------------------------------------------------------ right: loads */

/** A bar of what an expert takes, topic by topic, and what it has to drop. */
function bar({ keeps, drops }, limit, lines) {
  const part = (kind) => (n, z) =>
    n
      ? html`<i class="qkv-topic-${z + 1} ${kind}" style="width:${(100 * n) / limit}%"><span aria-hidden="true">${marks[z]}</span></i>`
      : nothing;
  return html`<span class="qkv-load">${keeps.map(part(""))}${drops.map(part("qkv-drops"))}${lines.map(([kind, at]) => (at <= limit ? html`<u class=${kind} style="left:${(100 * at) / limit}%"></u>` : nothing))}</span>`;
}

const sumOf = () =>
  html`<math><mi>N</mi><mo>∑</mo><msub><mi>f</mi><mi>i</mi></msub><msub><mi>P</mi><mi>i</mi></msub></math>`;
const sub = (letter) => html`<i>${letter}</i><sub>i</sub>`;

/** @param {W} w @param {A} a */
function loads(w, a) {
  // One scale for every step of every run.
  const limit = Math.max(w.get("busiest")[a.k - 1], (1.1 * a.k * a.tokens.length) / a.rows.length);
  const lines = [["qkv-fair", (a.k * a.tokens.length) / a.rows.length]];
  if (a.capacity !== null) lines.push(["qkv-full", a.room]);
  const row = (share, i) => html`<tr class=${a.own.chosen.includes(i) ? "qkv-best" : ""}>
    <th scope="row">${i + 1}</th><td class="qkv-wide">${bar(share, limit, lines)}</td>
    <td>${share.count}${a.capacity === null ? nothing : html` <small>of ${a.room}</small>`}</td><td>${share.f.toFixed(2)}</td><td>${share.P.toFixed(2)}</td></tr>`;
  const heads = [
    "expert",
    html`<span class="qkv-lines"><span><u class="qkv-fair"></u> ${a.k === 1 ? "1/N" : "k/N"}</span> <span class=${a.capacity === null ? "qkv-unseen" : ""}><u class="qkv-full"></u> places</span></span>`,
    "tokens",
    sub("f"),
    sub("P"),
  ];
  return html`<table class="qkv-loads" aria-label="The loads of the experts">
      <thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
      <tbody>${a.shares.experts.map(row)}</tbody>
    </table>
    <dl class="qkv-sums"><div><dt>purity</dt><dd>${chance(a.shares.purity)}</dd></div><div><dt>balancing loss ${sumOf()}</dt><dd>${a.shares.balance.toFixed(2)} <small>${a.k} if equal</small></dd></div><div><dt>dropped</dt><dd>${a.shares.dropped} <small>of ${a.k * a.tokens.length}</small></dd></div></dl>`;
}

/* ------------------------------------------------------------------ right: one token */

/** @param {W} w @param {A} a */
function which(w, a) {
  if (w.still) return nothing;
  const options = [[-1, "your own"], ...a.topics.map((z, t) => [t, `token ${t + 1}, topic ${z + 1}`])];
  return html`<div class="qkv-inputs">${pick("Follow", "token", w.get("token"), options, (token) => w.set({ token }))}</div>`;
}

/** @param {W} w */
function chain(w) {
  const now = w.get("part");
  if (w.still) return nothing;
  return html`<ol class="qkv-chain" aria-label="The token's way, in order">${titles.map(
    (title, i) =>
      html`<li><button type="button" class="qkv-chip ${i === now ? "qkv-now" : ""}" data-part=${i} aria-current=${i === now ? "step" : nothing} @click=${() => w.set({ part: i })}>${title}</button></li>`,
  )}</ol>`;
}

/** @param {W} w @param {A} a */
function way(w, a) {
  const at = w.still ? titles.length - 1 : w.get("part");
  const row = (_, i) => {
    const [p, c] = [a.own.probabilities[i], a.own.chosen.indexOf(i)];
    const weight = c < 0 ? 0 : a.own.weights[c];
    const rank = c < 0 ? "–" : a.k === 1 ? "chosen" : ["first", "second"][c];
    return html`<tr class=${at > 1 && c >= 0 ? "qkv-best" : ""}><th scope="row">${i + 1}</th>
      <td>${short(a.own.logits[i])}</td>
      <td>${at > 0 ? html`<span class="qkv-meter"><i style="width:${p * 100}%"></i></span><span class="qkv-val">${chance(p)}</span>` : ""}</td>
      <td>${at > 1 ? rank : ""}</td>
      <td>${at < 3 ? "" : c >= 0 && !a.places[c] ? "dropped" : weight % 1 ? chance(weight) : weight}</td></tr>`;
  };
  return html`${chain(w)}
    <table class="qkv-way-of" aria-label="The token's way">
      <thead><tr><th scope="col">expert</th>${titles.map((title, i) => html`<th scope="col" class=${i === at ? "qkv-here" : ""}>${title}</th>`)}</tr></thead>
      <tbody>${a.rows.map(row)}</tbody>
    </table>
    <p class="qkv-why" aria-live=${w.still ? "off" : "polite"}>${ofToken(a, at)}</p>`;
}

/* ------------------------------------------------------------------ all of it */

/** @param {W} w */
function runs(w) {
  const all = w.get("runs");
  if (w.still) return nothing;
  return choice(w, {
    legend: "The router learnt:",
    name: "run",
    options: all.map(({ name }, i) => [i, name]),
    chosen: w.get("run"),
    pick: (run) => w.set({ run }),
  });
}

/** @param {W} w */
function view(w) {
  const a = follow(w);
  const steps = w.get("steps");
  return html`${runs(w)}
    ${controls(w, { at: w.get("step"), count: steps.length, what: "Recorded step", said: `${a.steps} steps of training`, go: (step) => w.set({ step }) })}
    ${sentence(w, ofAll(a))}
    <div class="qkv-routing">${map(w, a)}
      <div class="qkv-beside">
        <div><div class="qkv-h">Loads <small>what the experts get of all ${a.tokens.length} tokens</small></div>
          ${loads(w, a)}</div>
        <div><div class="qkv-h">One token <small>at (${a.x.map(exact).join(", ")})</small></div>
          ${which(w, a)}${yours(w)}${way(w, a)}</div>
      </div>
    </div>`;
}

/** @param {W} w */
function stills(w) {
  const steps = w.get("steps");
  const ends = [...new Set([0, steps.length - 1])];
  return w
    .get("runs")
    .flatMap(({ name }, run) =>
      ends.map((step) => ({ caption: `${name}, after ${steps[step]} steps`, state: { run, step } })),
    );
}

export default widget("router-map", { missing, view, stills });
