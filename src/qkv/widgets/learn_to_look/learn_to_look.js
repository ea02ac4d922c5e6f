// LearnToLook: a small model that is trained in the page, with the division by √d_k or without.
import { html, nothing } from "lit-html";
import { cellStyle } from "../core/colours.js";
import { controls, pick } from "../core/controls.js";
import { fieldNote, numberField } from "../core/fields.js";
import { widget } from "../core/frame.js";
import { scroll } from "../core/scroll.js";
import { chance, exact, hatch, special } from "../core/text.js";
import { curves } from "./curves.js";
import { every, sizes, start, step as train } from "./training.js";

/** @typedef {import("./training.js").Settings} Settings */
/** @typedef {{ settings: Settings, losses: number[], frames: import("./training.js").Frame[], names: number[], drawers: number[] }} Shown a run, as it is drawn */
/**
 * @typedef {object} State
 * @property {boolean} scaled
 * @property {number} d_k
 * @property {number} rate
 * @property {number} seed
 * @property {string[]} names
 * @property {Shown[]} runs those that are stored
 * @property {number} frame of the first of these, the one that is looked at
 */
/**
 * @typedef {object} Training
 * @property {import("./training.js").Run | undefined} run the one of this page
 * @property {number} at its frame that is looked at
 * @property {Shown[]} kept runs of this page before it
 * @property {number} timer of the next slice, while it trains
 * @property {string} told what is read aloud while it trains
 */
/** @typedef {Training & import("../core/fields.js").Typing} Local */
/** @typedef {import("../core/frame.js").World<State, Local>} W */

const last = 600; // steps of a run
const slice = 2; // steps between two pictures, so that one sees it happen
const patience = 12; // milliseconds of a slice, so that the page stays alive
const leap = 50; // steps of a press where nothing may move
const most = 999; // the largest seed
const widths = [16, 64, 256];
const rates = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02];
const usual = { rate: 0.005, seed: 0 };
const guessing = { right: 1 / sizes.drawers, loss: Math.log(sizes.drawers) };
const dk = html`<span><i>d</i><sub>k</sub></span>`;

/** @param {W} w */
function missing(w) {
  const runs = w.get("runs");
  if (!Array.isArray(runs) || !runs.length) return "it holds no run";
  for (const { settings, frames, names } of runs) {
    if (!settings || !frames?.length) return "a run of it has nothing to look at";
    if (names?.length !== sizes.pairs) return `a run shows ${names?.length ?? 0} pairs, and not ${sizes.pairs}`;
    if (frames.some((f) => f.map?.length !== sizes.pairs || f.map.some((row) => row.length !== sizes.pairs)))
      return `a map of weights is not ${sizes.pairs} × ${sizes.pairs}`;
  }
  if (w.get("names")?.length !== sizes.names)
    return `it has ${w.get("names")?.length ?? 0} names, and not ${sizes.names}`;
  if (!runs[0].frames[w.get("frame")])
    return `its run has ${runs[0].frames.length} looks, and not number ${w.get("frame")}`;
  const odd = /** @type {const} */ (["d_k", "rate", "seed"]).find((key) => !Number.isFinite(w.get(key)));
  if (odd) return `${odd} is no number`;
  return widths.includes(w.get("d_k")) ? "" : `d_k is ${w.get("d_k")}, and none of ${widths.join(", ")}`;
}

/* ------------------------------------------------------------------ training */

/** @param {W} w @returns {Settings} */
const settingsOf = (w) => ({ scaled: w.get("scaled"), d_k: w.get("d_k"), rate: w.get("rate"), seed: w.get("seed") });
/** @param {Settings} s */
const keyOf = (s) => [s.scaled, s.d_k, s.rate, s.seed].join();

const still = () => globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false;

/**
 * A new run of the settings as they are; the one before is kept to compare.
 * @param {W} w
 */
function anew(w) {
  halt(w);
  const before = w.local.run;
  const kept = (w.local.kept ?? []).filter((run) => !before || keyOf(run.settings) !== keyOf(before.settings));
  w.local.kept = before?.losses.length ? [before, ...kept].slice(0, 2) : kept;
  w.local.run = start(settingsOf(w));
  w.local.at = 0;
}

/** @param {W} w */
function halt(w) {
  if (w.local.timer !== undefined) cancelAnimationFrame(w.local.timer);
  w.local.timer = undefined;
}

/** @param {W} w */
const ended = (w) => (w.local.run?.losses.length ?? 0) >= last;

/**
 * Take steps of the page's run, and look at the newest frame.
 * @param {W} w
 * @param {number} count
 */
function take(w, count, until = Infinity) {
  const run = /** @type {import("./training.js").Run} */ (w.local.run);
  for (let i = 0; i < count && run.losses.length < last; i++) {
    train(run);
    if (performance.now() > until) break;
  }
  w.local.at = run.frames.length - 1;
}

/**
 * One slice of training, then the page's turn.
 * @param {W} w
 */
function tick(w) {
  if (!w.root.isConnected) return halt(w);
  const frames = w.local.run?.frames.length;
  take(w, slice, performance.now() + patience);
  w.local.timer = ended(w) ? undefined : requestAnimationFrame(() => tick(w));
  if (w.local.run?.frames.length === frames && !ended(w)) return;
  // Read aloud now and then, not at every frame.
  if ((w.local.run?.losses.length ?? 0) % 100 === 0) w.local.told = plain(words(follow(w)));
  w.draw();
}

/** @param {W} w */
function go(w) {
  if (!w.local.run) anew(w);
  if (still()) take(w, leap);
  else {
    w.local.told = "Training.";
    w.local.timer = requestAnimationFrame(() => tick(w));
  }
  w.draw();
}

/** @param {W} w */
function stop(w) {
  halt(w);
  w.draw();
}

/** @param {W} w */
function few(w) {
  halt(w);
  if (!w.local.run) anew(w);
  take(w, every - ((w.local.run?.losses.length ?? 0) % every));
  w.draw();
}

/** @param {W} w */
function again(w) {
  anew(w);
  w.draw();
}

/* ------------------------------------------------------------------ what is looked at */

/** @param {W} w */
function follow(w) {
  const stored = w.get("runs");
  const own = w.local.run;
  /** @type {Shown} */
  const run = own ?? stored[0];
  const others = [...(w.local.kept ?? []), ...stored].filter(
    (other, i, all) =>
      keyOf(other.settings) !== keyOf(run.settings) &&
      all.findIndex((o) => keyOf(o.settings) === keyOf(other.settings)) === i,
  );
  const at = own ? Math.min(w.local.at ?? 0, run.frames.length - 1) : w.get("frame");
  return { run, others, at, frame: run.frames[at], own: !!own, training: w.local.timer !== undefined };
}

/** @typedef {ReturnType<typeof follow>} A */

/**
 * What a run is called; in a picture, where nothing can be set, √dₖ is written with a letter.
 * @param {Settings} s
 * @param {unknown} symbol
 */
function called({ scaled, d_k, rate, seed }, symbol) {
  const more = [rate === usual.rate ? [] : `, rate ${rate}`, seed === usual.seed ? [] : `, seed ${seed}`]
    .flat()
    .join("");
  return html`${scaled ? "divided" : "not divided"}, ${symbol} = ${d_k}${more}`;
}

/** The text of a template, to be read aloud. */
function plain(part) {
  if (Array.isArray(part)) return part.map(plain).join("");
  if (part?.strings)
    return part.strings.reduce((sum, s, i) => sum + s + plain(part.values[i] ?? ""), "").replace(/<[^>]*>/g, "");
  return part === nothing ? "" : String(part ?? "");
}

const hundred = (share) => String(Math.round(100 * share));

/** How far a weight gives way: a weight's share of a push to its score. */
const gives = (f) => exact(+(0.1 * f.slope).toPrecision(2));

/** Before the first step: what the softmax makes of scores that nothing has taught. */
function begun({ scaled }, f) {
  const how = scaled ? html`Divided by √${dk}` : html`Not divided by √${dk}`;
  const opening = html`Not trained yet. ${how}, the scores of a question spread by ${exact(+f.spread.toPrecision(2))}`;
  const push = html`push the right name's score up by 0.1, and its weight rises by ${gives(f)}`;
  return f.peak < 0.5
    ? html`${opening}: the softmax is soft, its largest weight ${chance(f.peak)}. It gives way: ${push}.`
    : html`${opening}: the softmax gives ${chance(f.peak)} to one name, before anything is learnt. It hardly gives way: ${push}.`;
}

/** @param {A} a */
function words({ run, frame: f }) {
  if (!f.step) return begun(run.settings, f);
  const opening = html`After ${f.step} steps ${hundred(f.right)} of 100 answers are right`;
  if (f.right >= 0.95)
    return html`${opening}: the right name gets ${chance(f.hit)} of the weight. The head has learnt where to look.`;
  if (f.peak >= 0.7 && f.peak - f.hit > 0.15)
    return html`${opening}. The softmax is sure, and often wrong: it gives ${chance(f.peak)} to one name, and the right one gets ${chance(f.hit)}. The scores spread by ${exact(+f.spread.toPrecision(2))}; the last step moved each by ${exact(+f.move.toPrecision(2))} on average.`;
  return html`${opening}. The right name gets ${chance(f.hit)} of the weight, and the largest weight is ${chance(f.peak)}: there is room to learn, since a push of 0.1 to the right name's score raises its weight by ${gives(f)}.`;
}

/* ------------------------------------------------------------------ controls */

/** @param {W} w */
function choices(w) {
  if (w.still) return nothing;
  const seed = numberField(w, {
    id: "seed",
    value: w.get("seed"),
    min: 0,
    max: most,
    whole: true,
    step: 1,
    label: "seed",
    put: (next) => w.set({ seed: next }),
  });
  return html`<div class="qkv-inputs qkv-choices">
    <label class="qkv-check"><input type="checkbox" data-act="scaled" .checked=${w.get("scaled")} @change=${(e) => w.set({ scaled: e.target.checked })} /><span>divide by √${dk}</span></label>
    ${pick(
      dk,
      "d_k",
      w.get("d_k"),
      widths.map((x) => [x, x]),
      (d_k) => w.set({ d_k }),
    )}
    ${pick(
      "learning rate",
      "rate",
      w.get("rate"),
      rates.map((x) => [x, x]),
      (rate) => w.set({ rate }),
    )}
    <label>seed ${seed}</label>
  </div>
  ${fieldNote(w, `Type a whole number from 0 to ${most}. Until then the last one counts.`)}`;
}

/** @param {W} w @param {A} a */
function buttons(w, a) {
  if (w.still) return nothing;
  const done = ended(w);
  const fresh = !w.local.run?.losses.length;
  const name = still() ? `Train ${leap} steps` : a.training ? "Stop" : fresh ? "Train in this page" : "Go on";
  return html`<div class="qkv-outputs">
    <button type="button" class="qkv-go" data-act="go" aria-disabled=${done} @click=${() => (a.training ? stop(w) : done || go(w))}>${name}</button>
    <button type="button" data-act="few" aria-disabled=${done} @click=${() => done || few(w)}>${every} steps</button>
    <button type="button" data-act="anew" aria-disabled=${fresh} @click=${() => fresh || again(w)}>Begin again</button>
    <span class="qkv-hint">${a.own ? (done ? `It ends after ${last} steps.` : html`This page: ${called(a.run.settings, dk)}`) : html`A run made before: ${called(a.run.settings, dk)}`}</span>
  </div>`;
}

/** @param {W} w @param {A} a */
function look(w, a) {
  const to = (i) => {
    if (!a.own) return w.set({ frame: i });
    halt(w);
    w.local.at = i;
    return w.draw();
  };
  const said = `step ${a.frame.step}`;
  return controls(w, { at: a.at, count: a.run.frames.length, what: "Look back", said, go: to });
}

/* ------------------------------------------------------------------ pictures */

/** A weight in its cell. */
const share = (x) => (typeof x !== "number" ? special(x) : x < 0.005 ? "0" : chance(x));

/** @param {W} w @param {A} a */
function map(w, a) {
  const { names, drawers } = a.run;
  const all = w.get("names");
  const row = (weights, i) => {
    const says = a.frame.says[i];
    const right = says === drawers[i];
    return html`<tr><th scope="row">${all[names[i]]}?</th>
      ${weights.map((v, j) => html`<td class="${i === j ? "qkv-target" : ""} ${hatch(v)}" style=${cellStyle(v, "unit", 1)}>${share(v)}</td>`)}
      <td class="qkv-said ${right ? "" : "qkv-wrong"}">${says + 1} ${right ? "✓" : "✗"}</td></tr>`;
  };
  return html`<div class="qkv-map">
    <div class="qkv-h">Where it looks, after ${a.frame.step} steps <small>a question a row; outlined: the name that is asked for</small></div>
    ${scroll(
      w,
      "Where it looks",
      html`<table class="qkv-matrix qkv-looks">
      <thead><tr><th scope="col">name<small>drawer</small></th>${names.map((n, j) => html`<th scope="col">${all[n]}<small>${drawers[j] + 1}</small></th>`)}<th scope="col">it says</th></tr></thead>
      <tbody>${a.frame.map.map(row)}</tbody>
    </table>`,
    )}
  </div>`;
}

const mark = (i) => "abcdef"[i];

/** @param {A} a */
function charts({ run, others, frame }) {
  const all = [...others.map((other, i) => ({ ...other, mark: mark(i), now: false })), { ...run, mark: "", now: true }];
  const end = Math.max(150, ...all.map((one) => one.losses.length));
  const lines = (points) => all.map((one) => ({ points: points(one), mark: one.mark, now: one.now }));
  const shared = { last: end, at: frame.step };
  const name = plain(called(run.settings, "dₖ"));
  return html`<div class="qkv-progress">
    <figure class="qkv-figure"><div class="qkv-h">Share right <small>of ${sizes.exam} questions that it does not train on</small></div>
    ${curves({
      ...shared,
      lines: lines((one) => one.frames.map((f) => [f.step, f.right])),
      high: 1,
      level: { value: guessing.right, words: "guessing" },
      alt: `Share of right answers, ${name}: ${exact(run.frames[0].right)} at first, ${exact(frame.right)} after ${frame.step} steps, ${exact(run.frames[run.frames.length - 1].right)} at the end of the curve.`,
    })}</figure>
    <figure class="qkv-figure"><div class="qkv-h">Loss <small>of each batch of ${sizes.batch}</small></div>
    ${curves({
      ...shared,
      lines: lines((one) => one.losses.map((loss, i) => [i + 1, loss])),
      high: 3,
      level: { value: guessing.loss, words: "guessing: ln 10" },
      alt: `Loss, ${name}: ${run.losses.length ? `${exact(run.losses[0])} at first, ${exact(run.losses[Math.max(frame.step, 1) - 1])} at step ${Math.max(frame.step, 1)}` : "no step has been taken"}.`,
    })}</figure>
  </div>`;
}

/** @param {W} w @param {A} a */
function facts(w, a) {
  const heads = [
    "step",
    "right",
    "weight of the right name",
    "largest weight",
    "spread of the scores",
    "slope α(1 − α) at the right name",
    "the last step moved a score by",
  ];
  const row = (settings, f, name) => html`<tr class=${name ? "" : "qkv-best"}>
    <th scope="row">${name ? html`<b>${name}</b> ` : nothing}${called(settings, dk)}</th>
    <td>${f.step}</td>${[f.right, f.hit, f.peak].map((x) => html`<td>${chance(x)}</td>`)}
    ${[f.spread, f.slope, f.move].map((x, i) => html`<td>${i === 2 && !f.step ? "" : exact(+x.toPrecision(2))}</td>`)}</tr>`;
  // The others at the same step, or at their last.
  const beside = (other) => other.frames.findLast((f) => f.step <= a.frame.step) ?? other.frames[0];
  return scroll(
    w,
    "In numbers",
    html`<table class="qkv-facts-of"><caption>In means over the ${sizes.exam} questions</caption>
    <thead><tr><th scope="col">run</th>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
    <tbody>${row(a.run.settings, a.frame, "")}${a.others.map((other, i) => row(other.settings, beside(other), mark(i)))}</tbody>
  </table>`,
  );
}

/* ------------------------------------------------------------------ all of it */

/** @param {W} w */
function view(w) {
  // Other settings, whoever chose them, are another run.
  const other = keyOf(settingsOf(w)) !== keyOf((w.local.run ?? w.get("runs")[0]).settings);
  if (other && !w.still) anew(w);
  const a = follow(w);
  const said = words(a);
  return html`${choices(w)}
    ${buttons(w, a)}
    ${look(w, a)}
    <p class="qkv-say">${said}</p>
    <p class="qkv-vh" aria-live=${w.still ? "off" : "polite"}>${a.training ? w.local.told : plain(said)}</p>
    <div class="qkv-two qkv-learning">${map(w, a)}${charts(a)}</div>
    ${facts(w, a)}`;
}

/**
 * For print: before the first step, on the way, and at the end.
 * @param {W} w
 */
function stills(w) {
  const [run] = w.get("runs");
  const end = run.frames.length - 1;
  const first = (share) => run.frames.findIndex((f) => f.right >= share);
  const looks = [0, first(0.4), first(0.8), end].filter((i, place, all) => i >= 0 && all.indexOf(i) === place);
  return looks.map((frame) => ({
    caption: plain(words({ ...follow(w), run, frame: run.frames[frame] })),
    state: { frame },
  }));
}

export default widget("learn-to-look", { missing, view, stills, begin: (w) => () => halt(w) });
