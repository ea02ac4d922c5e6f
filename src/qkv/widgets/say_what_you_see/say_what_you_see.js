// SayWhatYouSee: put shapes on a page, and a captioner says what is there, word by word, looking.
import { html, nothing } from "lit-html";
import { cellStyle } from "../core/colours.js";
import { choice, controls, sentence } from "../core/controls.js";
import { focus } from "../core/focus.js";
import { widget } from "../core/frame.js";
import { backdrop } from "../core/image.js";
import { korean } from "../core/korean.js";
import { modelStatus, withNetwork } from "../core/loading.js";
import { peak } from "../core/maths.js";
import { once } from "../core/once.js";
import { walk } from "../core/pad.js";
import { likely } from "../core/recurrent.js";
import { painted, rightCaption, spelt, unfit } from "../core/scenes.js";
import { scroll } from "../core/scroll.js";
import { chance, counted } from "../core/text.js";
import { captioner } from "./captioning.js";
import { boxOf, due, named, ofWord, onPage, same, sameWords, where } from "./saying.js";

/** @typedef {import("./captioning.js").Page} Page */
/** @typedef {import("../core/scenes.js").Thing} Thing */
/** @typedef {import("./saying.js").Step} Step */
/** @typedef {import("./saying.js").Told} Told */
/** @typedef {import("../core/scenes.js").Voice & import("../core/loading.js").Loaded} Voice */
/** @typedef {[number, number, string]} Put a slot's row and column, and the name of what is there */
/** @typedef {{ tokens: string[], top: [string, number][][], weights: number[][][] }} Record weights: word row column */
/**
 * @typedef {object} State
 * @property {Put[]} objects
 * @property {string} language
 * @property {number} step
 * @property {[number, number][]} hidden rows and columns of places
 * @property {Page} page
 * @property {Voice[]} voices
 * @property {number} most words of a caption
 * @property {{ objects: Put[], hidden: [number, number][], said: { [language: string]: Record } }} recorded
 * @property {{ objects: Put[], language: string, step: number, hidden: [number, number][] }} opening
 */
/**
 * `colour` and `shape` are what is put next, `slot` and `place` where the keyboard is, `nets` the captioners that are
 * here, by language; `runs` what they said.
 * @typedef {object} Own
 * @property {number} colour
 * @property {number} shape
 * @property {number} slot
 * @property {number} place
 * @property {{ [language: string]: ReturnType<typeof captioner> }} nets
 * @property {(key: string, make: () => Step[]) => Step[]} runs
 */
/** @typedef {Own & import("../core/loading.js").Loading} Local */
/** @typedef {import("../core/frame.js").World<State, Local>} W */

const MOST_RUNS = 20; // that are kept
const CANDIDATES = 5;

// ---- what is there

/** @param {Page} page @param {Put} put @returns {Thing | undefined} */
function thingOf({ colours, shapes, slots }, [row, column, name]) {
  const [colour, shape] = [colours, shapes].map((names, i) => names.indexOf(String(name).split(" ")[i]));
  const inside = [row, column].every((x) => Number.isInteger(x) && x >= 0 && x < slots);
  return inside && colour >= 0 && shape >= 0 ? { row, column, colour, shape } : undefined;
}

/** @param {W} w */
const voiceOf = (w) => /** @type {Voice} */ (w.get("voices").find(({ language }) => language === w.get("language")));

const keyOf = (objects, hidden) => JSON.stringify([objects, hidden]);

const pages = new Map(); // what is on a page → its pixels

/** @param {Page} page @param {Thing[]} things @param {string} key */
function pixelsOf(page, things, key) {
  if (!pages.has(key)) pages.set(key, painted(page, things));
  return pages.get(key);
}

/** What was recorded, as steps. @param {Record} record @returns {Step[]} */
const played = ({ tokens, top, weights }) =>
  tokens.map((token, t) => ({ token, top: top[t], weights: weights[t].flat() }));

/**
 * What is said of the page with some places hidden, if it is recorded or the captioner is here.
 * @param {W} w
 * @param {[number, number][]} hidden
 * @returns {Step[] | null}
 */
function stepsOf(w, pixels, hidden) {
  const { language, words } = voiceOf(w);
  const net = w.local.nets?.[language];
  const [mine, recorded] = [keyOf(w.get("objects"), hidden), w.get("recorded")];
  if (!net) return mine === keyOf(recorded.objects, recorded.hidden) ? played(recorded.said[language]) : null;
  w.local.runs ??= once((_, make) => make(), MOST_RUNS);
  return w.local.runs(`${language} ${mine}`, () => {
    const { grid } = w.get("page");
    const gone = new Set(hidden.map(([row, column]) => row * grid + column));
    const visible = Array.from({ length: grid * grid }, (_, place) => !gone.has(place));
    const said = net.say(pixels, { visible, most: w.get("most") });
    return said.map(({ token, weights, p }) => ({ token: words[token], weights, top: likely(p, words, CANDIDATES) }));
  });
}

/**
 * Everything that follows from the state, as the pictures read it.
 * @param {W} w
 */
function follow(w) {
  const [page, voice, objects, hides] = [w.get("page"), voiceOf(w), w.get("objects"), w.get("hidden")];
  const things = /** @type {Thing[]} */ (objects.map((put) => thingOf(page, put)));
  const pixels = pixelsOf(page, things, JSON.stringify(objects));
  const steps = stepsOf(w, pixels, hides);
  const before = hides.length ? stepsOf(w, pixels, []) : null;
  const right = rightCaption(things, voice, page);
  const at = steps ? Math.min(w.get("step"), steps.length - 1) : 0;
  const hidden = new Set(hides.map(([row, column]) => row * page.grid + column));
  return { page, voice, things, pixels, steps, before, right, at, hides, hidden };
}

/** @typedef {ReturnType<typeof follow>} A */

/** @param {A} a @returns {Told | undefined} */
const toldOf = (a) => (a.steps ? { ...a, steps: a.steps, hidden: a.hidden.size } : undefined);

// ---- doing

/**
 * A captioner of other words or other pages must not be used, whatever its file is called.
 * @param {W} w
 */
function make(w) {
  const [{ grid }, { words }] = [w.get("page"), voiceOf(w)];
  return ({ weights }) => {
    if (weights["output.weight"]?.shape[0] !== words.length || !weights["score.v.weight"])
      throw new Error("the file is of a captioner of other words");
    if ((weights["encoder.positions.table.weight"]?.shape[0] ?? grid ** 2) !== grid ** 2)
      throw new Error("the file is of a captioner of other pictures");
    return captioner({ weights });
  };
}

/** @param {W} w */
function load(w) {
  const { language, name, size: bytes } = voiceOf(w);
  if (w.local.nets?.[language]) return;
  const keep = (net) => {
    w.local.nets = { ...w.local.nets, [language]: net };
    if (voiceOf(w).language !== language) load(w); // the reader has gone on
  };
  withNetwork(w, make(w), keep, "What is recorded stays.", { name, size: bytes });
}

/**
 * @param {W} w
 * @param {Partial<State>} changes
 */
function act(w, changes) {
  w.set(changes);
  if (!missing(w) && !follow(w).steps) load(w);
}

/** @param {Put[]} objects */
const inOrder = (objects) => objects.sort(([a, b], [c, d]) => a - c || b - d);

/**
 * Put what is chosen into a slot, or nothing; where it is already, it is taken away.
 * @param {W} w
 */
function put(w, slot, clear = false) {
  const { page, objects } = { page: w.get("page"), objects: w.get("objects") };
  const [row, column] = [Math.floor(slot / page.slots), slot % page.slots];
  const there = objects.find(([i, j]) => i === row && j === column);
  const others = objects.filter((one) => one !== there);
  const name = named(page, { row, column, colour: w.local.colour ?? 0, shape: w.local.shape ?? 0 });
  if (clear && !there) return;
  const gone = clear || there?.[2] === name;
  act(w, { objects: gone ? others : inOrder([...others, [row, column, name]]) });
}

/** @param {W} w @param {A} a */
function toggle(w, a, place) {
  const { grid } = a.page;
  const places = new Set(a.hidden);
  if (!places.delete(place)) places.add(place);
  const sorted = [...places].sort((x, y) => x - y);
  act(w, { hidden: sorted.map((x) => [Math.floor(x / grid), x % grid]) });
}

/**
 * The keys of a square of buttons: arrows move, and what else they do.
 * @param {W} w
 * @param {"slot" | "place"} kind
 * @param {(at: number) => void} [clear]
 */
const keys = (w, kind, side, clear) => (event) => {
  const now = Number(event.target.dataset[kind]);
  const to = walk(event, [Math.floor(now / side), now % side], [side, side]);
  if (to) {
    w.local[kind] = to[0] * side + to[1];
    w.draw();
    focus(w, `[data-${kind}="${w.local[kind]}"]`);
  } else if (clear && /^(Delete|Backspace)$/.test(event.key)) clear(now);
  else return;
  event.preventDefault();
  event.stopPropagation();
};

// ---- left: the page

const per = (pixels, { size: whole }) => `${(100 * pixels) / whole}%`;

/** @param {W} w @param {A} a */
function slot(w, a, at) {
  const { page } = a;
  const [row, column] = [Math.floor(at / page.slots), at % page.slots];
  const there = a.things.find((thing) => thing.row === row && thing.column === column);
  const { top, left, side } = boxOf(page, { row, column, colour: 0, shape: 0 });
  const style = `left:${per(left, page)};top:${per(top, page)};width:${per(side, page)};height:${per(side, page)}`;
  const go = () => {
    w.local.slot = at;
    put(w, at);
  };
  return html`<button
    type="button" class="qkv-pocket" style=${style} data-slot=${at} tabindex=${at === (w.local.slot ?? 0) ? 0 : -1}
    aria-label="row ${row + 1}, column ${column + 1}: ${there ? named(page, there) : "empty"}" @click=${go}
  ></button>`;
}

/** @param {W} w @param {A} a */
function palette(w, a) {
  const set = (kind) => (value) => {
    w.local[kind] = value;
    w.draw();
  };
  const { page } = a;
  const [colour, shape] = [w.local.colour ?? 0, w.local.shape ?? 0];
  const sample = (c, s) => {
    const alone = { ...page, first: 0, size: page.covers[s].length };
    return html`<i class="qkv-sample" style=${backdrop(pixelsOf(alone, [{ row: 0, column: 0, colour: c, shape: s }], `${c} ${s}`))}></i>`;
  };
  return [
    choice(w, {
      legend: "Colour",
      name: "colour",
      options: page.colours.map((name, c) => [c, html`${sample(c, shape)}${name}`]),
      chosen: colour,
      pick: set("colour"),
    }),
    choice(w, {
      legend: "Shape",
      name: "shape",
      options: page.shapes.map((name, s) => [s, html`${sample(colour, s)}${name}`]),
      chosen: shape,
      pick: set("shape"),
    }),
  ];
}

/** @param {W} w @param {A} a */
function board(w, a) {
  if (w.still) return nothing;
  const { slots, learnt } = a.page;
  const objects = w.get("objects");
  return html`<div class="qkv-board1">
    <div class="qkv-h">The page <small>${slots} × ${slots} slots</small></div>
    <div class="qkv-paper" role="group" aria-label="The page: arrow keys move, Enter puts, Delete takes away" style=${backdrop(a.pixels)} @keydown=${keys(w, "slot", slots, (at) => put(w, at, true))}>
      ${Array.from({ length: slots ** 2 }, (_, at) => slot(w, a, at))}
    </div>
    ${palette(w, a)}
    <p class="qkv-hint">Click a slot, or Enter, to put it there; again, or Delete, takes it away.</p>
    <p class="qkv-facts">
      <button type="button" data-act="empty" aria-disabled=${!objects.length} @click=${() => objects.length && act(w, { objects: [] })}>Empty the page</button>
      <span class="qkv-hint">${objects.length > learnt ? `${objects.length} objects: it never saw more than ${learnt}.` : `It learnt from 1 to ${learnt} objects.`}</span>
    </p>
  </div>`;
}

// ---- middle: where it looks

/** @param {W} w @param {A} a */
function placeOf(w, a, at) {
  const weights = a.steps?.[a.at].weights;
  const weight = weights?.[at] ?? 0;
  const most = Math.max(...(weights ?? [0])) || 1;
  const gone = a.hidden.has(at);
  const per100 = Math.round(100 * weight);
  const style = `--veil:${weights && !gone ? (0.72 * (1 - weight / most)).toFixed(3) : 0}`;
  const text = !gone && per100 ? html`<small aria-hidden="true">${per100}</small>` : nothing;
  const cls = `qkv-spot1 ${gone ? "qkv-unseen1" : ""}`;
  if (w.still) return html`<span class=${cls} style=${style}>${text}</span>`;
  const go = () => {
    w.local.place = at;
    toggle(w, a, at);
  };
  const said = gone ? "hidden" : weights ? `${per100 || "under 1"} per cent` : "in sight";
  return html`<button
    type="button" class=${cls} style=${style} data-place=${at} aria-pressed=${gone} aria-label="${where(a.page, at)}, ${said}"
    tabindex=${at === (w.local.place ?? 0) ? 0 : -1} @click=${go}
  >${text}</button>`;
}

/** The box of what a word names. @param {A} a */
function truth(a) {
  const told = toldOf(a);
  const right = told && due(told);
  if (!right || right.of < 0) return nothing;
  const { top, left, side } = boxOf(a.page, a.things[right.of]);
  const { page } = a;
  return html`<i class="qkv-box1" style="left:${per(left, page)};top:${per(top, page)};width:${per(side, page)};height:${per(side, page)}"></i>`;
}

/** @param {W} w @param {A} a */
function looking(w, a) {
  const { grid } = a.page;
  const token = a.steps ? `where “${a.steps[a.at].token}” looks` : "what it may look at";
  const alt = `The picture (${onPage(a.page, a.things)}) and ${token}`;
  return html`<div class="qkv-gaze">
    <div class="qkv-h">Where it looks <small>bright, in per cent</small></div>
    <div class="qkv-paper qkv-places" role="group" aria-label="${alt}${w.still ? "" : ": arrow keys move, Enter hides"}" style="--grid:${grid};${backdrop(a.pixels)}" @keydown=${w.still ? nothing : keys(w, "place", grid)}>
      ${Array.from({ length: grid ** 2 }, (_, at) => placeOf(w, a, at))}${truth(a)}
    </div>
    <p class="qkv-legend"><i class="qkv-key qkv-box1"></i> what the word names</p>
    ${w.still ? nothing : hide(w, a)}
  </div>`;
}

/** @param {W} w @param {A} a */
function hide(w, a) {
  const weights = a.steps?.[a.at].weights;
  const best = weights?.some(Boolean) ? peak(weights) : -1;
  return html`<p class="qkv-hint">Click, or Enter, hides a place from it.</p>
    <p class="qkv-facts">
      <button type="button" data-act="top" aria-disabled=${best < 0} @click=${() => best >= 0 && toggle(w, a, best)}>Hide the brightest</button>
      <button type="button" data-act="all" aria-disabled=${!a.hidden.size} @click=${() => a.hidden.size && act(w, { hidden: [] })}>Show all</button>
    </p>`;
}

// ---- right: numbers

/** @param {A} a */
function candidates(a) {
  const { top } = /** @type {Step[]} */ (a.steps)[a.at];
  return html`<table class="qkv-probs">
    <caption>Candidates for word ${a.at + 1}</caption>
    <tbody>
      ${top.map(
        ([token, p], i) => html`<tr class=${i ? "" : "qkv-best"}>
          <th scope="row" lang=${korean(token)}>${i ? nothing : html`<span class="qkv-diamond" aria-hidden="true">◆</span>`}${token}</th>
          <td class="qkv-num">${chance(p)}</td>
          <td><span class="qkv-meter"><i style="width:${100 * p}%"></i></span></td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

/** @param {W} w @param {A} a */
function weights(w, a) {
  const { grid } = a.page;
  const { weights: row, token } = /** @type {Step[]} */ (a.steps)[a.at];
  const most = Math.max(...row) || 1;
  const indices = Array.from({ length: grid }, (_, i) => i);
  const cell = (at) =>
    a.hidden.has(at)
      ? html`<td class="qkv-mask"><span aria-hidden="true">–</span><span class="qkv-vh">hidden</span></td>`
      : html`<td style=${cellStyle(Math.min(row[at] / most, 1), "unit", 1)}>${row[at] < 0.005 ? "0" : chance(row[at])}</td>`;
  return scroll(
    w,
    "Attention",
    html`<table class="qkv-attended">
    <caption>Attention at “<span lang=${korean(token)}>${token}</span>”</caption>
    <thead><tr><td></td>${indices.map((c) => html`<th scope="col"><span class="qkv-vh">column </span>${c + 1}</th>`)}</tr></thead>
    <tbody>${indices.map((r) => html`<tr><th scope="row"><span class="qkv-vh">row </span>${r + 1}</th>${indices.map((c) => cell(r * grid + c))}</tr>`)}</tbody>
  </table>`,
  );
}

// ---- above: the caption

/** What the caption has come to. @param {A} a */
function written(a) {
  const steps = a.steps ?? [];
  const word = ({ token }, t) => {
    const later = t > a.at;
    const wrong = !later && token !== a.right[t]?.word;
    const cls = `qkv-spoken ${t === a.at ? "qkv-now" : later ? "qkv-later" : ""} ${wrong ? "qkv-off1" : ""}`;
    return html`<span class=${cls} lang=${korean(token)} aria-hidden=${later ? "true" : nothing}><span>${token}</span>${wrong ? html`<span class="qkv-vh"> (not the right word)</span>` : nothing}</span>`;
  };
  return html`<p class="qkv-speech"><b>It says</b> ${steps.map(word)}</p>`;
}

/** What the picture shows, and whether that is what was said. @param {A} a */
function judged(a) {
  const right = a.right.map(({ word }) => word);
  const text = right.length ? spelt(right, a.voice, a.page) : "nothing: no caption says so";
  const over = a.steps && a.at === a.steps.length - 1;
  const mark =
    over && right.length ? (same(a.right, a.steps ?? []) ? " ✓ it says so" : " ✗ it says something else") : "";
  return html`<p class="qkv-line1"><b>Truth</b> <span lang=${korean(text)}>${text}</span><span class="qkv-mark1">${mark}</span></p>`;
}

/** What was said before places were hidden. @param {A} a */
function unhidden(a) {
  if (!a.hidden.size) return html`<p class="qkv-line1 qkv-before1"><b>Hidden</b> nothing</p>`;
  const words = (steps) =>
    spelt(
      steps.map(({ token }) => token),
      a.voice,
      a.page,
    );
  const said = a.before && a.steps && (sameWords(a.before, a.steps) ? "the same" : words(a.before));
  const how = said ? html`; with all in sight it says <span lang=${korean(said)}>${said}</span>` : nothing;
  return html`<p class="qkv-line1 qkv-before1"><b>Hidden</b> ${counted(a.hidden.size, "{n} place", "{n} places")}${how}</p>`;
}

const upper = (text) => text[0].toUpperCase() + text.slice(1);

/** @param {W} w @param {A} a */
function settings(w, a) {
  if (w.still) return nothing;
  const { language, size: bytes } = a.voice;
  const voices = w.get("voices");
  const pick = (name) => act(w, { language: name, step: 0 });
  const options = voices.map((one) => [one.language, upper(one.language)]);
  return html`<div class="qkv-settings1">
    ${voices.length > 1 ? choice(w, { legend: "Language", name: "language", options, chosen: language, pick }) : nothing}
    <button type="button" data-act="reset" @click=${() => act(w, w.get("opening"))}>Reset</button>
    ${modelStatus(w, { wanted: !a.steps, load: () => load(w), bytes, net: w.local.nets?.[language] ?? null })}
  </div>`;
}

// ---- the widget

/** @param {W} w */
function missing(w) {
  const [page, voices, recorded] = [w.get("page"), w.get("voices"), w.get("recorded")];
  const odd = unfit(page, voices);
  if (odd) return odd;
  if (!page.grid) return "its page has no places to look at";
  if (!voiceOf(w)) return `nobody in it speaks ${w.get("language")}`;
  const objects = w.get("objects");
  const strange = objects.find((put) => !thingOf(page, put));
  if (strange) return `its object ${strange.join(", ")} cannot be on its page`;
  if (new Set(objects.map(([row, column]) => `${row} ${column}`)).size < objects.length)
    return "two of its objects are in one slot";
  const within = (x) => Number.isInteger(x) && x >= 0 && x < page.grid;
  if (!w.get("hidden").every((place) => place.length === 2 && place.every(within)))
    return `it hides what is none of its ${page.grid} × ${page.grid} places`;
  if (!(w.get("step") >= 0)) return `it has no step ${w.get("step")}`;
  const fits = ({ tokens, top, weights }) =>
    tokens.length > 0 &&
    top.length === tokens.length &&
    weights.length === tokens.length &&
    weights.every((rows) => rows.flat().length === page.grid ** 2);
  return voices.every(({ language }) => recorded.said[language] && fits(recorded.said[language]))
    ? ""
    : "what is recorded does not fit its words";
}

/** @param {W} w */
function view(w) {
  const a = follow(w);
  const told = toldOf(a);
  const wait = w.local.loading ? "The model is on its way." : "For this the model is needed.";
  const steps = a.steps ?? [];
  return html`${settings(w, a)}
    <div class="qkv-seeing">
      ${board(w, a)}
      <div class="qkv-hears">
    ${controls(w, { at: a.at, count: Math.max(steps.length, 1), what: "Word", said: steps[a.at]?.token ?? "", go: (step) => w.set({ step }) })}
    ${written(a)}${judged(a)}${unhidden(a)}
    ${sentence(w, told ? ofWord(told) : wait)}
        <div class="qkv-sights">
          ${looking(w, a)}
          <div class="qkv-figures">${told ? [candidates(a), weights(w, a)] : nothing}</div>
        </div>
      </div>
    </div>`;
}

/** On paper: each word that a shape is named by, as far as it is recorded. @param {W} w */
function stills(w) {
  const a = follow(w);
  const names = new Set(
    a.voice.words.slice(3 + a.page.colours.length, 3 + a.page.colours.length + a.page.shapes.length),
  );
  return (a.steps ?? [])
    .flatMap(({ token }, step) =>
      names.has(token) ? [{ caption: `Word ${step + 1}: “${token}”`, state: { step } }] : [],
    )
    .slice(0, 4);
}

export default widget("say-what-you-see", { missing, view, stills });
