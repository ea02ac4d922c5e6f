// ForecastPad: a series, four forecasters one step ahead, what each reads, and three leaks that flatter them.
import { html, nothing } from "lit-html";
import { controls, sentence, slider } from "../core/controls.js";
import { widget } from "../core/frame.js";
import { scroll } from "../core/scroll.js";
import { below, floorOf, forecast, forecasters, leaks, scored, variance } from "./forecasting.js";
import { closeUp, decades, handleAt, limitsOf, scaleOf, strip, whole } from "./picture.js";
import { atPlace, size, valuesLike, verdict } from "./saying.js";

/** @typedef {import("./forecasting.js").Forecaster} Forecaster */
/** @typedef {import("./forecasting.js").Leak} Leak */
/** @typedef {import("./forecasting.js").Scored} Scored */
/**
 * @typedef {object} Sample
 * @property {string} name
 * @property {number[]} values
 * @property {number} season with what it opens, as the next two
 * @property {number} length of a window
 * @property {number} bandwidth
 * @property {number | null} floor the least mean squared error that is possible, where it is known
 * @property {number[] | null} best or the best forecast of each value
 */
/**
 * @typedef {object} State
 * @property {Sample[]} samples
 * @property {number} chosen
 * @property {number[]} drawn the values that the reader has made of those chosen, or none
 * @property {Forecaster} forecaster
 * @property {number} length of a window
 * @property {number} season
 * @property {number} bandwidth of the look-up's kernel
 * @property {Leak[]} leaks
 * @property {number} place the one that is forecast
 */
/**
 * @typedef {object} Local
 * @property {boolean} draws does a pointer move points?
 * @property {number} point the one that the keyboard moves
 * @property {{ values: number[], at: number, from: number }} held what a pointer has drawn, and where it was
 * @property {{ key: string, values: number[], scored: Scored }} now
 * @property {{ key: string, values: number[], scored: Scored }} honest
 */
/** @typedef {import("../core/frame.js").World<State, Local>} W */

const least = 40; // values of a series
const mostLength = 32;
const bandwidths = 30;

/** What a slider may choose for n values. */
const mostOf = (n) => ({ length: Math.min(mostLength, Math.floor(n / 4)), season: Math.min(60, Math.floor(n / 4)) });

/** @param {W} w */
function missing(w) {
  const samples = w.get("samples");
  if (!Array.isArray(samples) || !samples.length) return "it holds no series";
  const sample = samples[w.get("chosen")];
  if (!sample) return `it has ${samples.length} series, and not number ${w.get("chosen")}`;
  const n = sample.values?.length ?? 0;
  if (n < least) return `its series has ${n} values, and takes ${least} or more`;
  const drawn = w.get("drawn");
  if (drawn?.length && drawn.length !== n) return `what is drawn has ${drawn.length} values, and the series ${n}`;
  if (![sample.values, drawn ?? []].flat().every(Number.isFinite)) return "a value of the series is no number";
  if (sample.best && sample.best.length !== n) return `it has ${sample.best.length} best forecasts for ${n} values`;
  if (!forecasters.includes(w.get("forecaster")))
    return `its forecaster is ${w.get("forecaster")}, and none of ${forecasters.join(", ")}`;
  const odd = w.get("leaks")?.find((leak) => !leaks.includes(leak));
  if (odd !== undefined) return `a leak of it is ${odd}, and none of ${leaks.join(", ")}`;
  const most = mostOf(n);
  const out = /** @type {const} */ (["length", "season"]).find((key) => !(w.get(key) >= 1 && w.get(key) <= most[key]));
  if (out) return `its ${out} is ${w.get(out)}, and not from 1 to ${most[out]}`;
  return w.get("bandwidth") > 0 ? "" : "its bandwidth is not above 0";
}

/* ------------------------------------------------------------------ what is shown */

/** @param {W} w */
const sampleOf = (w) => w.get("samples")[w.get("chosen")];

/** @param {W} w */
function valuesOf(w) {
  const drawn = w.get("drawn");
  return w.local.held?.values ?? (drawn?.length ? drawn : sampleOf(w).values);
}

/**
 * The scores of these settings; what is known stays known.
 * @param {W} w
 * @param {"now" | "honest"} which
 * @param {import("./forecasting.js").Settings} settings
 */
function known(w, which, values, settings) {
  const key = JSON.stringify(settings);
  const before = w.local[which];
  if (before?.key === key && before.values === values) return before.scored;
  const made = scored(values, settings);
  w.local[which] = { key, values, scored: made };
  return made;
}

/** @param {W} w */
function follow(w) {
  const sample = sampleOf(w);
  const values = valuesOf(w);
  const settings = {
    length: w.get("length"),
    season: w.get("season"),
    bandwidth: w.get("bandwidth"),
    leaks: w.get("leaks"),
  };
  const honest = known(w, "honest", values, { ...settings, leaks: [] });
  const now = settings.leaks.length ? known(w, "now", values, settings) : honest;
  const { tests } = now;
  const found = tests.findIndex((t) => t >= w.get("place"));
  const at = found < 0 ? tests.length - 1 : found;
  const t = tests[at];
  const changed = values !== sample.values;
  const floor = floorOf(values, changed ? { floor: null, best: null } : sample, tests);
  const spread = Math.sqrt(variance(sample.values.slice(0, Math.floor((2 * values.length) / 3)))) || 1;
  const name = w.get("forecaster");
  const { reads, forecast: y } = forecast(now, settings, name, t);
  const from = t - settings.length + now.late;
  return {
    ...{ sample, values, settings, honest, now, floor, changed, spread, name, t, at, reads },
    write: valuesLike(spread),
    forecast: y,
    window: Array.from({ length: settings.length }, (_, j) => from + j),
    limits: limitsOf(sample.values.concat(values)),
  };
}

/** @typedef {ReturnType<typeof follow>} A */

/* ------------------------------------------------------------------ drawing a series */

/**
 * Values with those from one place to another on a straight line.
 * @param {number[]} values
 */
function stroke(values, [i, v], [j, u]) {
  const made = [...values];
  for (let k = Math.min(i, j); k <= Math.max(i, j); k++) made[k] = i === j ? u : v + ((u - v) * (k - i)) / (j - i);
  return made;
}

/** A value as it is kept: no more digits than can be drawn. */
const kept = (v, spread) => {
  const unit = 10 ** Math.floor(Math.log10(spread) - 2);
  return +(Math.round(v / unit) * unit).toPrecision(8);
};

/** @param {W} w @param {A} a */
function pointer(w, { values, limits, spread, now }) {
  const point = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const i = Math.floor(((event.clientX - box.left) / box.width) * values.length);
    const share = (event.clientY - box.top) / box.height;
    const v = limits.high - Math.min(Math.max(share, 0), 1) * (limits.high - limits.low);
    return [Math.min(Math.max(i, 0), values.length - 1), kept(v, spread)];
  };
  const move = (event) => {
    const held = w.local.held;
    if (!held) return;
    const [i, v] = point(event);
    const made = stroke(held.values, [held.at, held.from], [i, v]).map((x, k) =>
      x === held.values[k] ? x : kept(x, spread),
    );
    w.local.held = { values: made, at: i, from: v };
    w.local.point = i;
    w.draw();
  };
  const down = (event) => {
    if (event.button) return;
    const [i, v] = point(event);
    if (!w.local.draws) {
      const test = now.tests.find((t) => t >= i) ?? now.tests[now.tests.length - 1];
      return w.set({ place: test });
    }
    event.currentTarget.setPointerCapture(event.pointerId);
    w.local.held = { values, at: i, from: v };
    return move(event);
  };
  const up = () => {
    const held = w.local.held;
    w.local.held = undefined;
    if (held) w.set({ drawn: held.values });
  };
  return { down, move, up };
}

/**
 * The point that the keyboard moves, as a slider of its own.
 * @param {W} w @param {A} a
 */
function handle(w, { values, limits, spread, t, write }) {
  if (w.still || !w.local.draws) return nothing;
  const n = values.length;
  const i = Math.min(w.local.point ?? t - 1, n - 1);
  const raise = (by) => {
    const v = kept(Math.min(Math.max(values[i] + by * (limits.high - limits.low), limits.low), limits.high), spread);
    w.set({ drawn: stroke(values, [i, v], [i, v]) });
  };
  const walk = (j) => {
    w.local.point = Math.min(Math.max(j, 0), n - 1);
    w.draw();
  };
  const acts = {
    ...{
      ArrowUp: () => raise(0.02),
      ArrowDown: () => raise(-0.02),
      PageUp: () => raise(0.1),
      PageDown: () => raise(-0.1),
    },
    ...{ ArrowLeft: () => walk(i - 1), ArrowRight: () => walk(i + 1), Home: () => walk(0), End: () => walk(n - 1) },
  };
  const key = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || !acts[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    acts[event.key]();
  };
  return html`<span
    class="qkv-handle" role="slider" tabindex="0" data-act="point" style=${handleAt(limits, n, i, values[i])}
    aria-label="A point of the series: left and right choose it, up and down move it" aria-orientation="vertical"
    aria-valuemin=${limits.low} aria-valuemax=${limits.high} aria-valuenow=${values[i]} aria-valuetext=${`place ${i}: ${write(values[i])}`} @keydown=${key}
  ></span>`;
}

/* ------------------------------------------------------------------ controls */

/** @param {W} w */
function take(w, chosen) {
  const { season, length, bandwidth, values } = w.get("samples")[chosen];
  w.set({ chosen, drawn: [], season, length, bandwidth, place: values.length - 1 });
}

/** @param {W} w */
function toggle(w) {
  const turn = () => {
    w.local.draws = !w.local.draws;
    w.draw();
  };
  return html`<button type="button" class="qkv-pick" data-act="draw" aria-pressed=${!!w.local.draws} @click=${turn}>draw on it</button>`;
}

/** @param {W} w @param {A} a */
function choosing(w, a) {
  if (w.still) return html`<p class="qkv-input">Series: <b>${a.sample.name}</b>${a.changed ? ", changed" : ""}</p>`;
  const flat = () => {
    const middle = kept(a.sample.values.reduce((sum, v) => sum + v, 0) / a.values.length, a.spread);
    w.local.draws = true;
    w.set({ drawn: a.values.map(() => middle) });
  };
  return html`<div class="qkv-outputs qkv-choosing">
    <div class="qkv-outputs" role="group" aria-label="Series">${w
      .get("samples")
      .map(
        ({ name }, i) =>
          html`<button type="button" class="qkv-pick" data-series=${i} aria-pressed=${i === w.get("chosen")} @click=${() => take(w, i)}>${name}</button>`,
      )}
      <button type="button" data-act="flat" @click=${flat}>a flat line</button></div>
    ${toggle(w)}
  </div>`;
}

/** The bandwidths that the slider has: from a hundredth of the series' spread to ten times as much, in round numbers. */
const bandwidthAt = (spread, i) => +(spread * 10 ** (i / 10 - 2)).toPrecision(2);

/** @param {W} w @param {A} a */
function sliders(w, { values, settings, spread }) {
  const { length, season, bandwidth } = settings;
  if (w.still)
    return html`<p class="qkv-input">Window ${length}, season ${season}, bandwidth ${bandwidth}${settings.leaks.length ? `; leaks: ${settings.leaks.join(", ")}` : ""}</p>`;
  const most = mostOf(values.length);
  const whole = (label, key, said) =>
    slider(w, { label, value: w.get(key), min: 1, max: most[key], said, pick: (x) => w.set({ [key]: x }) });
  const at = Math.round(10 * (Math.log10(bandwidth / spread) + 2));
  const h = slider(w, {
    label: html`Bandwidth <i>h</i>`,
    called: "Bandwidth h of the look-up",
    value: Math.min(Math.max(at, 0), bandwidths),
    min: 0,
    max: bandwidths,
    said: String(bandwidth),
    pick: (i) => w.set({ bandwidth: bandwidthAt(spread, i) }),
  });
  return html`<div class="qkv-slides qkv-settings">
    ${whole("Window", "length", String(length))}${whole("Season", "season", String(season))}${h}
  </div>`;
}

/** @type {{ [leak in Leak]: string }} */
const named = {
  smoothed: "smoothed inputs",
  shifted: "window one too late",
  shuffled: "shuffled split",
};

/** @param {W} w */
function switches(w) {
  if (w.still) return nothing;
  const on = w.get("leaks");
  const turn = (leak) =>
    w.set({ leaks: leaks.filter((other) => (other === leak ? !on.includes(leak) : on.includes(other))) });
  return html`<fieldset class="qkv-choice qkv-leaks"><legend>Leaks:</legend>${leaks.map(
    (leak) =>
      html`<label><input type="checkbox" data-act=${leak} .checked=${on.includes(leak)} @change=${() => turn(leak)} />${named[leak]}</label>`,
  )}</fieldset>`;
}

/* ------------------------------------------------------------------ pictures */

/** @param {W} w @param {A} a */
function picture(w, a) {
  const { values, now, name, t } = a;
  const i = forecasters.indexOf(name);
  const { down, move, up } = pointer(w, a);
  const alt = `${a.sample.name}${a.changed ? ", changed" : ""}: ${values.length} values from ${a.write(Math.min(...values))} to ${a.write(Math.max(...values))}; ${now.tests.length} are forecast by ${name}, at place ${t} ${a.write(a.forecast)} for ${a.write(values[t])}.`;
  return html`<div class="qkv-plot-of"><div class="qkv-plot ${w.local.draws ? "qkv-draws" : ""}" @pointerdown=${down} @pointermove=${move} @pointerup=${up} @pointercancel=${up}>
    ${whole({
      ...{ values, t, alt, limits: a.limits, tests: now.tests, mixed: now.mixed, window: a.window, reads: a.reads },
      forecast: a.forecast,
      shown: now.scores[i].forecasts.map((v, k) => [now.tests[k], v]),
      handle: handle(w, a),
    })}
  </div></div>`;
}

/** The windows that a look-up finds, the heaviest first, each with what followed it. */
function found({ now, reads, name }) {
  if (name !== "look-up") return [];
  const some = reads.filter(({ weight }) => weight >= 0.02).sort((a, b) => b.weight - a.weight);
  return some.slice(0, 6).map(({ place, weight }) => ({
    weight,
    points: [...now.windows[place - now.first], now.values[place]],
  }));
}

const captions = {
  naive: "Bar: the value that is read.",
  "seasonal naive": "Bar: the value that is read, where it lies in the window.",
  ridge: "Bars: the weight of each value.",
  "look-up": "Thin: windows found, by weight, with what followed.",
};

/** @param {A} a */
function close(a) {
  const { now, name, t } = a;
  const alt = `The window before place ${t}, with the forecast ${a.write(a.forecast)} and the truth ${a.write(a.values[t])}.`;
  return html`<figure class="qkv-figure qkv-close">
    <div class="qkv-h">Close up <small>forecast <b class="qkv-dot">●</b> truth <b class="qkv-ring">○</b></small></div>
    <div class="qkv-plot-of"><div class="qkv-plot">${closeUp({
      ...{ place: t, alt, window: a.window, read: now.read, values: a.values, reads: a.reads },
      forecast: a.forecast,
      found: found(a),
    })}</div></div>
    <p class="qkv-hint">${captions[name]}</p>
  </figure>`;
}

/** @param {W} w @param {A} a */
function table(w, a) {
  const { now, honest, floor } = a;
  const known = Number.isFinite(floor.mse);
  const scale = decades(
    honest.scores.map(({ mse }) => mse),
    floor.mse,
  );
  const naive = now.scores[0].mse;
  const leaky = a.settings.leaks.length > 0;
  const row = ({ name, mse, errors }, i) => {
    const under = known && below(errors, floor.errors);
    const before = leaky ? honest.scores[i].mse : mse;
    const here = name === a.name;
    return html`<tr class=${here ? "qkv-best" : ""}><th scope="row">${
      w.still
        ? name
        : html`<button type="button" class="qkv-row" data-forecaster=${name} aria-pressed=${here} @click=${() => w.set({ forecaster: name })}>${name}</button>`
    }</th><td class=${under ? "qkv-fallen" : ""}>${size(mse)}</td><td>${leaky ? size(before) : size(mse / naive)}</td>
    <td class="qkv-along">${strip(scale, { mse, before, floor: floor.mse, under })}</td></tr>`;
  };
  return scroll(
    w,
    "The errors",
    html`<table class="qkv-scores"><thead><tr><th scope="col">forecaster</th><th scope="col">error</th>
      <th scope="col">${leaky ? "without" : "÷ naive"}</th><th scope="col" aria-label="on a scale">${scaleOf(scale)}</th></tr></thead>
    <tbody>${now.scores.map(row)}
      <tr class="qkv-floor"><th scope="row">floor</th><td>${known ? size(floor.mse) : "–"}</td><td>${known && !leaky ? size(floor.mse / naive) : ""}</td>
      <td class="qkv-along">${known ? html`<small>below it: hatched</small>` : html`<small>unknown</small>`}</td></tr></tbody></table>`,
  );
}

/* ------------------------------------------------------------------ all of it */

/** @param {W} w */
function view(w) {
  const a = follow(w);
  const { tests } = a.now;
  const said = atPlace(a.name, a, { season: a.settings.season, truth: a.values[a.t], write: a.write });
  return html`${choosing(w, a)}${sliders(w, a)}${switches(w)}
    ${picture(w, a)}
    ${controls(w, { at: a.at, count: tests.length, what: "Test window", said: `place ${a.t}`, go: (i) => w.set({ place: tests[i] }) })}
    ${sentence(w, said)}
    <div class="qkv-two qkv-judged">
      <div><div class="qkv-h">Mean squared error <small>press a name to see what it reads</small></div>
        ${table(w, a)}
        <p class="qkv-verdict" aria-live=${w.still ? "off" : "polite"}>${verdict(a)}</p></div>
      ${close(a)}
    </div>
`;
}

/**
 * For print: the state as it is, and ridge with each leak.
 * @param {W} w
 */
const stills = (w) => [
  { caption: `Forecast by ${w.get("forecaster")}`, state: {} },
  ...leaks.map((leak) => ({ caption: `Leak: ${named[leak]}`, state: { forecaster: "ridge", leaks: [leak] } })),
];

export default widget("forecast-pad", { missing, view, stills });
