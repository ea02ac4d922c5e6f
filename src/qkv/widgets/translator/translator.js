// Translator: a trained Transformer translates, token by token, here in the browser.

import { html, nothing, svg } from "lit-html";
import { guard } from "lit-html/directives/guard.js";
import { live } from "lit-html/directives/live.js";
import { cellStyle } from "../core/colours.js";
import { choice, controls, numbers, pick, sentence, slider } from "../core/controls.js";
import { details } from "../core/details.js";
import { focus } from "../core/focus.js";
import { widget } from "../core/frame.js";
import { box } from "../core/inputs.js";
import { korean } from "../core/korean.js";
import { withNetwork as loading, modelHint, size } from "../core/loading.js";
import { meanOf, peak } from "../core/maths.js";
import { scroll } from "../core/scroll.js";
import { beamTree, greedy } from "../core/search.js";
import { nearest, wordsOf } from "../core/spelling.js";
import { chance, counted, shown } from "../core/text.js";
import { transformer } from "../core/transformer.js";
import { foreign, stranger } from "./reading.js";

/** The attribute `lang` of an element that holds this text, where it is not the page's. */

/**
 * @typedef {object} Run
 * @property {string} input
 * @property {string[]} source
 * @property {{ token: string, top: [string, number][], cross: number[][][] }[]} steps cross: layer head key
 * @property {Tree} tree
 */
/** @typedef {{ nodes: [number | null, string, number, number][], best: number, width: number, alpha: number }} Tree */
/**
 * A hypothesis: a token, and all before it.
 * @typedef {object} Hypothesis
 * @property {string} token
 * @property {number} total its log-probability
 * @property {string} fate
 * @property {Hypothesis | null} above
 * @property {number} step
 * @property {string[]} tokens
 * @property {number} score
 * @property {number} own the probability of its last token
 * @property {number} row where it is drawn, if it was kept
 */
/**
 * @typedef {object} State
 * @property {Run[]} recordings
 * @property {number} chosen
 * @property {number} step
 * @property {"greedy" | "beam"} mode
 * @property {number} layer
 * @property {number} head -1 for the mean of all
 * @property {string[]} words
 * @property {string} joiner
 * @property {number} most
 * @property {string} name
 * @property {number} size
 * @property {Language} learnt
 */
/** @typedef {import("./reading.js").Language} Language */
/** @typedef {{ text: string, unknown: { word: string, near: string[] }[] }} Typed what is typed, and what of it is not known */
/** @typedef {Typed & import("../core/details.js").Opened & import("../core/loading.js").Loading} Local */
/** @typedef {import("../core/frame.js").World<State, Local>} W */

const FATES = ["dropped", "kept", "ended"];
const MOST_WORDS = 30;

// ---- what is recorded of a sentence, by Python or here

/** Translate words with a loaded network; the result is as Python records it. */
function translated(net, words, { most, width, alpha }) {
  const ids = words.map((word) => net.source.indexOf(word));
  const name = (id) => net.target[id];
  const tree = beamTree(net, ids, { most, width, alpha });
  return {
    input: words.join(" "),
    source: words,
    steps: greedy(net, ids, { most }).map((s) => ({
      token: name(s.token),
      top: s.candidates.map(([id, p]) => [name(id), p]),
      cross: s.cross,
    })),
    tree: {
      nodes: tree.nodes.map((n) => [n.parent, name(n.token), n.total, FATES.indexOf(n.fate)]),
      best: tree.best,
      width,
      alpha,
    },
  };
}

const END = "<eos>";
const grown = new WeakMap(); // a recorded tree, with what follows from it

/**
 * The nodes of a tree as objects, and by their step.
 * @param {Tree} tree
 */
function readTree(tree) {
  if (grown.has(tree)) return grown.get(tree);
  /** @type {Hypothesis[]} */
  const nodes = [];
  /** @type {Hypothesis[][]} */
  const steps = [];
  for (const [parent, token, total, fate] of tree.nodes) {
    const above = parent === null ? null : nodes[parent];
    const step = above ? above.step + 1 : 0;
    const tokens = [...(above?.tokens ?? []), token];
    const score = total / ((6 + step) / 6) ** tree.alpha;
    const own = Math.exp(total - (above?.total ?? 0));
    const node = { token, total, fate: FATES[fate], above, step, tokens, score, own, row: 0 };
    nodes.push(node);
    steps[step] ??= [];
    steps[step].push(node);
  }
  for (const step of steps) {
    step.sort((a, b) => b.total - a.total);
    step.filter((n) => n.fate !== "dropped").forEach((n, rank) => (n.row = rank));
  }
  const made = { nodes, steps, best: nodes[tree.best], width: tree.width, alpha: tree.alpha };
  grown.set(tree, made);
  return made;
}

// ---- words

/**
 * Tokens as a text: with a token for the blank nothing else stands between them.
 * @param {W} w
 */
function text(w, tokens) {
  const written = tokens.filter((token) => token !== END);
  return written.join(w.get("joiner")).replace(/ $/, "␣") || "nothing";
}

/** A log-probability: near 0 with a decimal more. */
const nats = (x) => x.toFixed(x <= -10 ? 1 : x <= -0.1 ? 2 : 3).replace("-", "−");

const quoted = (token) => `“${shown(token)}”`;

/** @param {W} w */
function attentionOf(w, step) {
  const layer = step.cross[Math.min(w.get("layer"), step.cross.length - 1)];
  const head = w.get("head");
  if (head >= 0 && head < layer.length) return layer[head];
  return meanOf(layer);
}

/** @param {W} w */
function greedyWords(w, run, at) {
  const { token, top } = run.steps[at];
  const before = run.steps.slice(0, at).map((s) => s.token);
  const weights = attentionOf(w, run.steps[at]);
  const where = peak(weights);
  const said = [
    wrote({ before: before.length ? text(w, before) : undefined, token, p: chance(top[0][1]), rival: top[1] }),
    `It looks most at ${quoted(run.source[where])} (${chance(weights[where])}).`,
  ];
  if (token === END) said.push(`The translation is “${text(w, before)}”.`);
  return said.join(" ");
}

function wrote({ before, token, p, rival }) {
  const it = quoted(token);
  if (!rival) return before ? `After “${before}” it writes ${it} (${p}).` : `First it writes ${it} (${p}).`;
  const [second, less] = [quoted(rival[0]), chance(rival[1])];
  return before
    ? `After “${before}” it writes ${it} (${p}), before ${second} (${less}).`
    : `First it writes ${it} (${p}), before ${second} (${less}).`;
}

/** @param {W} w */
function beamWords(w, run, at) {
  const tree = readTree(run.tree);
  const now = tree.steps[at];
  const count = (fate) => now.filter((n) => n.fate === fate).length;
  const fates = { at: at + 1, all: now.length, kept: count("kept"), dropped: count("dropped"), ended: count("ended") };
  const kept = now.find((n) => n.fate === "kept");
  if (at === tree.steps.length - 1) return `${fateSentence(fates)} ${overSentence(w, run, tree)}`;
  return kept
    ? `${fateSentence(fates)} The likeliest that goes on is “${text(w, kept.tokens)}” (log p ${nats(kept.total)}).`
    : fateSentence(fates);
}

function fateSentence({ at, all, kept, dropped, ended }) {
  if (all === 1)
    return ended
      ? `Token ${at}: of 1 candidate ${kept} kept, ${dropped} dropped, ${ended} ended.`
      : `Token ${at}: of 1 candidate ${kept} kept, ${dropped} dropped.`;
  return ended
    ? `Token ${at}: of ${all} candidates ${kept} kept, ${dropped} dropped, ${ended} ended.`
    : `Token ${at}: of ${all} candidates ${kept} kept, ${dropped} dropped.`;
}

/** @param {W} w */
function overSentence(w, run, tree) {
  const wins = text(w, tree.best.tokens);
  const score = nats(tree.best.score);
  const own = text(
    w,
    run.steps.map((s) => s.token),
  );
  return wins === own
    ? `The search is over: “${wins}” wins with a score of ${score}. Greedy wrote the same.`
    : `The search is over: “${wins}” wins with a score of ${score}. Greedy wrote “${own}”.`;
}

// ---- asking for a translation

/** @param {W} w */
function keep(w, run) {
  const runs = w.get("recordings");
  const found = runs.findIndex((r) => r.input === run.input);
  const at = found < 0 ? runs.length : found;
  w.set({ recordings: [...runs.slice(0, at), run, ...runs.slice(at + 1)], chosen: at, step: 0 });
}

/** @param {W} w */
const withNetwork = (w, act) => loading(w, transformer, act, "The recorded sentences stay.");

/** @param {W} w */
const settings = (w) => ({
  most: w.get("most"),
  width: w.get("recordings")[w.get("chosen")].tree.width,
  alpha: w.get("recordings")[w.get("chosen")].tree.alpha,
});

/** @param {W} w */
function ask(w, typed) {
  const words = wordsOf(typed, w.get("words"));
  w.local.text = typed; // as it was typed: nothing of it is lost
  const unknown = [...new Set(words.filter((word) => !w.get("words").includes(word)))];
  const unread = foreign(unknown, w.get("words"));
  const misspelt = unknown.filter((word) => !unread.includes(word));
  w.local.unknown = misspelt.map((word) => ({ word, near: nearest(word, w.get("words")) }));
  w.local.note = "";
  if (!words.length) w.local.note = "Type a sentence first.";
  else if (unread.length) w.local.note = cannotRead(w, unread);
  else if (words.length > MOST_WORDS)
    w.local.note = `That is ${words.length} words; ${MOST_WORDS} are the most it takes here.`;
  else if (!unknown.length) {
    const known = w.get("recordings").findIndex((r) => r.input === words.join(" "));
    if (known >= 0) return w.set({ chosen: known, step: 0 });
    return withNetwork(w, (net) => keep(w, translated(net, words, settings(w))));
  }
  return w.draw();
}

/**
 * What is written in letters that the model has never seen, and what it can read.
 * @param {W} w
 */
function cannotRead(w, unread) {
  const names = unread.map(quoted).join(", ");
  const can = `It reads only the ${w.get("words").length} words listed below, as in “${w.get("recordings")[0].input}”.`;
  return unread.every((word) => /\p{Script=Hangul}/u.test(word))
    ? `${names} is Korean, and this model cannot read Korean. ${can}`
    : `This model cannot read ${names}. ${can}`;
}

/**
 * That a row of words is no sentence: the model writes something all the same.
 * @param {W} w
 */
function doubt(w, run) {
  const found = stranger(w.get("learnt"), run.source, w.get("words"));
  if (!found) return "";
  const before = `“${found.before.join(" ")}”`;
  const why = !found.before.length
    ? `no sentence that it learned from begins with ${quoted(found.word)}`
    : found.word
      ? `no sentence that it learned from goes on with ${quoted(found.word)} after ${before}`
      : `no sentence that it learned from ends after ${before}`;
  return `“${run.input}” seems to be no sentence of its language: ${why}. It translates it all the same, because it gives an answer to any row of words.`;
}

/** @param {W} w */
function put(w, typed) {
  w.local.text = typed;
  w.local.unknown = undefined;
  w.draw();
}

/**
 * Put a known word in the place of an unknown one; when all are known, translate.
 * @param {W} w
 */
function mend(w, word, by) {
  const typed = wordsOf(w.local.text ?? "", w.get("words"));
  ask(w, typed.map((x) => (x === word ? by : x)).join(" "));
  focus(w, "[name=text]");
}

/** @param {W} w */
function own(w) {
  const button = html`<button type="submit" data-act="translate" aria-disabled=${!!w.local.loading}>Translate</button>
    <span class="qkv-hint">${modelHint(w, `Loads the model first: ${size(w.get("size"))}, once.`)}</span>`;
  const [give, edit] = [(text) => ask(w, text), (text) => put(w, text)];
  return box({ label: "Your own", button, give, value: live(w.local.text ?? ""), put: edit });
}

/** @param {W} w */
function known(w) {
  const append = (word) => put(w, `${w.local.text ?? ""} ${word}`.trim());
  const words = w.get("words");
  const inside = () =>
    html`<div class="qkv-words">${words.map((word) => html`<button type="button" @click=${() => append(word)}>${shown(word)}</button>`)}</div>`;
  return details(w, `The ${words.length} words it knows`, inside);
}

/** @param {W} w */
const strange = (w) =>
  (w.local.unknown ?? []).map(
    ({ word, near }) => html`<p class="qkv-unknown">
      <span>It does not know <b>${shown(word)}</b>. Near it:</span>
      ${near.map((by) => html`<button type="button" data-near=${by} @click=${() => mend(w, word, by)}>${shown(by)}</button>`)}
    </p>`,
  );

/** @param {W} w */
function inputs(w, run) {
  if (w.still) return html`<p class="qkv-input">Input: <b>${run.input}</b></p>`;
  const warning = doubt(w, run);
  const runs = w.get("recordings");
  const at = w.get("chosen");
  return html`<div class="qkv-inputs">
      <label>Input
        <select .value=${live(String(at))} @change=${(e) => w.set({ chosen: +e.target.value, step: 0 })}>
          ${runs.map((r, i) => html`<option value=${i} ?selected=${i === at}>${r.input}</option>`)}
        </select></label>
      ${own(w)}
    </div>
    <div role="status" class=${w.local.note || w.local.unknown?.length || warning ? "qkv-note" : ""}>
      ${w.local.note ? html`<p>${w.local.note}</p>` : nothing}${strange(w)}
      ${warning ? html`<p class="qkv-doubt">${warning}</p>` : nothing}
    </div>
    ${known(w)}`;
}

// ---- greedy: what is written, the candidates, what is looked at, what is kept

const written = (run, at) => html`<div class="qkv-written" lang=${korean(run.steps.map((s) => s.token).join(""))}>
  ${run.steps.map((s, i) => html`<span class="qkv-tok ${i === at ? "qkv-now" : i > at ? "qkv-later" : ""}" aria-hidden=${i > at ? "true" : nothing}>${i > at ? "\u00a0" : shown(s.token)}</span>`)}
</div>`;

function candidates(run, at) {
  const { top } = run.steps[at];
  return html`<table class="qkv-probs">
    <caption>Candidates for token ${at + 1}</caption>
    <tbody>
      ${top.map(
        ([token, p], i) => html`<tr class=${i === 0 ? "qkv-best" : ""}>
          <th scope="row" lang=${korean(token)}>${i === 0 ? html`<span class="qkv-diamond" aria-hidden="true">◆</span>` : nothing}${shown(token)}</th>
          <td class="qkv-num">${chance(p)}</td>
          <td><span class="qkv-meter"><i style="width:${100 * p}%"></i></span></td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

/** For paper: the three likeliest at every step. */
const everyStep = (run) => html`<table>
  <caption>The likeliest tokens at each step</caption>
  <tbody>
    ${run.steps.map((s, i) => html`<tr><th scope="row">${i + 1}</th>${s.top.slice(0, 3).map(([token, p]) => html`<td>${shown(token)} ${chance(p)}</td>`)}</tr>`)}
  </tbody>
</table>`;

const weightCell = (weight) => {
  const percent = Math.round(weight * 100);
  return percent ? html`<td style=${cellStyle(weight, "unit", 1)}>${percent}</td>` : html`<td class="qkv-zero">0</td>`;
};

/** @param {W} w */
function looks(w, run, at) {
  const [layers, heads] = [run.steps[0].cross.length, run.steps[0].cross[0].length];
  const [layer, head] = [w.get("layer"), w.get("head")];
  const list = (label, name, value, options) => pick(label, name, value, options, (x) => w.set({ [name]: x }));
  const which =
    head >= 0
      ? `layer ${layer + 1}, head ${head + 1}`
      : counted(heads, `layer ${layer + 1}, mean of {n} head`, `layer ${layer + 1}, mean of {n} heads`);
  return html`<div class="qkv-map">
    <div class="qkv-h">Cross-attention <small>${w.still ? which : "in per cent; a row is named by what it writes"}</small></div>
    ${w.still ? nothing : html`<div class="qkv-facts">${list("layer", "layer", layer, numbers(layers))}${list("head", "head", head, [[-1, "mean"], ...numbers(heads)])}</div>`}
    ${scroll(
      w,
      `Cross-attention, ${which}`,
      html`<table class="qkv-align qkv-long">
      <thead><tr><td></td>${run.source.map((word) => html`<th scope="col"><span>${shown(word)}</span></th>`)}</tr></thead>
      <tbody>
        ${run.steps.map(
          (
            s,
            i,
          ) => html`<tr class=${i === at && !w.still ? "qkv-on" : ""} @click=${() => w.still || w.set({ step: i })}>
            ${i > at ? html`<td></td>` : html`<th scope="row" lang=${korean(s.token)}>${shown(s.token)}</th>`}
            ${i > at ? run.source.map(() => html`<td class="qkv-later"></td>`) : guard([s, layer, head], () => attentionOf(w, s).map(weightCell))}
          </tr>`,
        )}
      </tbody>
    </table>`,
    )}
  </div>`;
}

/**
 * Keys and values kept: of the source once, of the target one more at each step.
 * @param {W} w
 */
function cache(w, run, at) {
  const layers = run.steps[0].cross.length;
  const read = ["<bos>", ...run.steps.map((s) => s.token)];
  const cells = (count, filled, now) =>
    Array.from(
      { length: count },
      (_, i) => html`<i class=${i === now ? "qkv-new" : i < filled ? "qkv-full" : ""}></i>`,
    );
  const total = run.steps.length;
  const row = (name, part) => html`<b>${name}</b><span class="qkv-slots">${part}</span>`;
  const block = (title, count, filled, now, names) => html`<div>
    <p class="qkv-hint">${title}</p>
    <div class="qkv-store" style="--n:${count}">
      <b></b><span class="qkv-slots qkv-of">${names.map((token) => html`<small lang=${korean(token)}>${shown(token).replace("<bos>", "‹s›").replace("<eos>", "‹/s›")}</small>`)}</span>
      ${Array.from({ length: layers }, (_, layer) => ["K", "V"].map((name) => row(`layer ${layer + 1} ${name}`, cells(count, filled, now))))}
    </div>
  </div>`;
  const done = at + 1;
  const label = `The cache of keys and values. Layers: ${layers}; target tokens: ${done}; source words: ${run.source.length}.`;
  return html`<div class="qkv-kept">
    <div class="qkv-h">The cache <small>keys (K) and values (V) of each layer</small></div>
    ${scroll(
      w,
      "The cache",
      html`<div class="qkv-stores" role="img" aria-label=${label}>
      ${block(
        "of what is written: one more at each step",
        total,
        done,
        w.still ? -1 : at,
        read.slice(0, total).map((token, i) => (i > at ? "\u00a0" : token)),
      )}
      ${block(
        "of the source: once",
        run.source.length,
        run.source.length,
        -1,
        run.source.map((_, i) => String(i + 1)),
      )}
    </div>`,
      ".qkv-new",
    )}
    <p>${done > 1 ? `So far ${done} tokens have gone through the decoder; without a cache it would be ${(done * (done + 1)) / 2}, the sum of 1 to ${done}.` : "The first token goes through the decoder: there is nothing kept yet but the source."}</p>
  </div>`;
}

/** @param {W} w */
const greedyView = (w, run, at) => html`
  ${written(run, at)}
  <div class="qkv-pair">
    ${looks(w, run, at)}
    <div>
      ${w.still ? everyStep(run) : candidates(run, at)}
      ${cache(w, run, at)}
    </div>
  </div>`;

// ---- beam search: a tree

/**
 * A hypothesis and all before it.
 * @param {Hypothesis | null} end
 * @returns {Hypothesis[]}
 */
const line = (end) => (end ? [end, ...line(end.above)] : []);

const [WIDE, HIGH, GAP, HALF] = [64, 34, 48, 21]; // half a node's width

/** @param {W} w */
function treeView(w, run, at) {
  const tree = readTree(run.tree);
  const over = at === tree.steps.length - 1;
  const shownSteps = tree.steps.slice(0, at + 1);
  const rows = tree.width;
  const losers = (step) => step.filter((n) => n.fate === "dropped").slice(0, 2);
  // What still lives: the hypotheses of the last step drawn, what has ended, and all before them.
  const alive = new Set();
  for (const leaf of shownSteps.flat())
    if (leaf.fate === "ended" || (leaf.step === at && leaf.fate === "kept")) line(leaf).forEach((n) => alive.add(n));
  const best = new Set(over ? line(tree.best) : []);
  const place = (n) => [
    n.step * WIDE + GAP,
    (n.fate === "dropped" ? rows + 0.35 + losers(tree.steps[n.step]).indexOf(n) : n.row) * HIGH + HIGH / 2 + 4,
  ];
  const drawn = shownSteps.flatMap((step) => [...step.filter((n) => n.fate !== "dropped"), ...losers(step)]);
  const kind = (n) =>
    `qkv-${n.fate} ${best.has(n) ? "qkv-win" : alive.has(n) || n.fate === "dropped" ? "" : "qkv-dead"}`;
  const edge = (n) => {
    const [[x, y], [px, py]] = [place(n), n.above ? place(n.above) : [0, (rows * HIGH) / 2 + 4]];
    const [from, to] = [px + (n.above ? HALF : 8) - 2, x - HALF];
    return svg`<path class="qkv-edge ${kind(n)}" d="M${from} ${py}C${from + 14} ${py} ${to - 14} ${y} ${to} ${y}"/>`;
  };
  const node = (n) => {
    const [x, y] = place(n);
    const label = n.token === END ? "end" : shown(n.token);
    return svg`<g class="qkv-node ${kind(n)} ${n.step === at ? "qkv-now" : ""}">
      <rect x=${x - HALF} y=${y - 14} width=${2 * HALF} height="28" rx="6"/>
      <text x=${x} y=${y - 1} lang=${korean(n.token)}>${label.length > 6 ? `${label.slice(0, 5)}…` : label}</text>
      ${n.fate === "dropped" ? svg`<text class="qkv-soft" x=${x - HALF + 7} y=${y - 4}>✗</text>` : nothing}
      <text class="qkv-soft" x=${x} y=${y + 10}>${nats(n.fate === "ended" ? n.score : n.total)}</text>
    </g>`;
  };
  const [width, height] = [tree.steps.length * WIDE + GAP - 20, (rows + 2.35) * HIGH + 8];
  const below = rows * HIGH + 4 + HIGH * 0.17;
  return html`${scroll(
    w,
    "The tree",
    html`<svg class="qkv-tree" viewBox="0 0 ${width} ${height}" style=${w.still ? `width:100%;max-width:${width}px` : `width:${width}px`} role="img" aria-label=${beamWords(w, run, at)}>
      <path class="qkv-grid" d="M0 ${below}H${width}"/>
      ${[...drawn].sort((a, b) => Number(best.has(a)) - Number(best.has(b))).map(edge)}<circle cx="6" cy=${(rows * HIGH) / 2 + 4} r="4"/>
      ${drawn.map(node)}
    </svg>`,
    ".qkv-now",
  )}
    <p class="qkv-hint">Above the line: what was kept, with its log p; an end with its score. Below it, ✗: the two best that were dropped. Grey: given up by now.</p>`;
}

const fateWords = { kept: "kept", ended: "■ ended", dropped: "✗ dropped" };

/** @param {W} w */
function listOf(w, rows, title, best) {
  return scroll(
    w,
    title,
    html`<table class="qkv-list">
    <caption>${title}</caption>
    <thead><tr><th scope="col">hypothesis</th><th scope="col">fate</th><th scope="col">p of the last</th><th scope="col">log p</th><th scope="col">score</th></tr></thead>
    <tbody>
      ${rows.map(
        (n) => html`<tr class=${n === best ? "qkv-best" : n.fate === "dropped" ? "qkv-lost" : ""}>
          <th scope="row" lang=${korean(n.tokens.join(""))}>${n.tokens.slice(0, -1).map(shown).join(w.get("joiner"))}${w.get("joiner")}<b>${shown(n.token)}</b></th>
          <td>${n === best ? "◆ best" : fateWords[n.fate]}</td><td>${chance(n.own)}</td><td>${nats(n.total)}</td><td>${nats(n.score)}</td>
        </tr>`,
      )}
    </tbody>
  </table>`,
  );
}

/** @param {W} w */
function beamView(w, run, at) {
  const tree = readTree(run.tree);
  const over = at === tree.steps.length - 1;
  const ended = tree.nodes.filter((n) => n.fate === "ended").sort((a, b) => b.score - a.score);
  const again = (changes) =>
    withNetwork(w, (net) => keep(w, translated(net, run.source, { ...settings(w), ...changes })));
  const [now, more] = [tree.steps[at].slice(0, 8), tree.steps[at].length - 8];
  return html`
    ${
      w.still
        ? nothing
        : w.local.net
          ? html`<div class="qkv-slides">
            ${slider(w, { label: "width", value: tree.width, min: 1, max: 8, said: String(tree.width), pick: (width) => again({ width }) })}
            ${slider(w, { label: "length penalty α", value: Math.round(tree.alpha * 10), min: 0, max: 20, said: tree.alpha.toFixed(1), pick: (tenths) => again({ alpha: tenths / 10 }) })}
          </div>`
          : html`<p class="qkv-hint">Width ${tree.width}, length penalty α = ${tree.alpha}. <button type="button" data-act="load" @click=${() => withNetwork(w, () => {})}>Load the model to change them</button></p>`
    }
    ${treeView(w, run, at)}
    ${
      over && ended.length
        ? html`<div class="qkv-below">${listOf(w, ended, "What has ended, by score", tree.best)}</div>`
        : html`<div class="qkv-below">${listOf(w, now, `Candidates for token ${at + 1}, by log p`, over ? tree.best : undefined)}${more > 0 ? html`<p class="qkv-hint">… and ${more} more, dropped.</p>` : nothing}</div>`
    }`;
}

// ---- the widget

/** @param {W} w */
function missing(w) {
  const runs = w.get("recordings");
  if (!Array.isArray(runs) || !runs.length) return "no sentence is recorded in it";
  const run = runs[w.get("chosen")];
  if (!run) {
    const at = w.get("chosen");
    return counted(
      runs.length,
      `it has {n} sentence, and not number ${at}`,
      `it has {n} sentences, and not number ${at}`,
    );
  }
  if (!run.source?.length || !run.steps?.length) return "its sentence has no words or no translation";
  if (run.steps.some((s) => s.cross.some((layer) => layer.some((row) => row.length !== run.source.length))))
    return "its attention does not fit its words";
  return run.tree?.nodes?.[run.tree.best] ? "" : "its tree has no best translation";
}

/** @param {W} w */
function view(w) {
  const run = w.get("recordings")[w.get("chosen")];
  const beams = w.get("mode") === "beam";
  const count = beams ? readTree(run.tree).steps.length : run.steps.length;
  const at = Math.min(Math.max(w.get("step"), 0), count - 1);
  const said = beams ? beamWords(w, run, at) : greedyWords(w, run, at);
  return html`
    ${inputs(w, run)}
    ${
      w.still
        ? nothing
        : html`<div class="qkv-feeds">${choice(w, {
            legend: "It takes",
            name: "mode",
            options: [
              ["greedy", "the likeliest token (greedy)"],
              ["beam", `several hypotheses at once (a beam of ${run.tree.width})`],
            ],
            chosen: w.get("mode"),
            pick: (mode) => w.set({ mode, step: 0 }),
          })}</div>`
    }
    ${controls(w, { at, count, what: "Token", said: beams ? `${at + 1} tokens` : shown(run.steps[at].token), go: (step) => w.set({ step }) })}
    ${sentence(w, said)}
    ${beams ? beamView(w, run, at) : greedyView(w, run, at)}`;
}

/** @param {W} w */
function stills(w) {
  const run = w.get("recordings")[w.get("chosen")];
  const last = { greedy: run.steps.length - 1, beam: readTree(run.tree).steps.length - 1 };
  return [
    {
      caption: `“${run.input}”, greedy. ${greedyWords(w, run, last.greedy)}`,
      state: { mode: "greedy", step: last.greedy },
    },
    {
      caption: `A beam of ${run.tree.width}. ${beamWords(w, run, last.beam)}`,
      state: { mode: "beam", step: last.beam },
    },
  ];
}

export default widget("translator", { missing, view, stills });
