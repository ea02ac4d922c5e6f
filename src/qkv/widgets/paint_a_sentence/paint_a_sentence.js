// PaintASentence: type a sentence, and a model paints it, token by token: what else each cell could have been, where it
// looks, and whether the picture shows what the sentence says.
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { cellStyle } from "../core/colours.js";
import { controls, numbers, pick, sentence, slider } from "../core/controls.js";
import { focus } from "../core/focus.js";
import { widget } from "../core/frame.js";
import { uniform } from "../core/gauss.js";
import { png } from "../core/image.js";
import { box } from "../core/inputs.js";
import { korean, marked } from "../core/korean.js";
import { modelHint, size, withNetwork } from "../core/loading.js";
import { meanOf } from "../core/maths.js";
import { walk } from "../core/pad.js";
import { painted, spelt, wordKinds } from "../core/scenes.js";
import { chance } from "../core/text.js";
import { layouts, nameOf, open, see, thingsOn } from "./judging.js";
import { cut, once, painter } from "./painting.js";
import { mended, next, read, saidBy, trouble, voiceOf, wordsOf } from "./reading.js";
import { allCalled, ofCell, verdict, where } from "./saying.js";

/** @typedef {import("../core/scenes.js").Page} ScenePage */
/** @typedef {import("../core/scenes.js").Voice} Voice */
/** @typedef {import("./painting.js").Pixels} Pixels */
/** @typedef {import("./saying.js").Told} Told */
/** @typedef {ScenePage & { side: number, paper: number[] }} Page `side` pixels of a cell, the codes of a blank page */
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
/**
 * @typedef {object} State
 * @property {string} sentence
 * @property {number} temperature
 * @property {number} seed
 * @property {number} guidance
 * @property {[number, number][]} overruled cells and codes
 * @property {number} step the cell
 * @property {number} layer
 * @property {number} head -1 for the mean of all
 * @property {Page} page
 * @property {Voice[]} voices
 * @property {number} places of a sentence
 * @property {string} name
 * @property {number} size
 * @property {Recorded} recorded
 * @property {Partial<State>} opening
 */
/**
 * `typed` is what stands in the field, `faulty` that it could not be painted; `moving` paints cell by cell.
 * @typedef {object} Own
 * @property {string} typed
 * @property {boolean} faulty
 * @property {ReturnType<typeof setInterval>} moving
 * @property {number} word where the keyboard is among the words
 * @property {number} candidate and among the candidates
 * @property {Map<string, Run>} runs
 * @property {{ of: string, all: import("./judging.js").Fitting[] }} fitting the pages that fit a sentence
 */
/** @typedef {Own & import("../core/loading.js").Loading} Local */
/** @typedef {import("../core/frame.js").World<State, Local>} W */

const CANDIDATES = 8;
const MOST_RUNS = 12; // that are kept
const PAUSE = 110; // ms from cell to cell
const HOTTEST = 1.5;
const MOST_GUIDANCE = 2;
const MOST_SEED = 9999;

// ---- what is there

const cellsOf = ({ size: whole, side }) => (whole / side) ** 2;
const acrossOf = ({ size: whole, side }) => whole / side;

/** @param {W} w */
const keyOf = (w) =>
  JSON.stringify(
    ["sentence", "temperature", "seed", "guidance", "overruled"].map((name) => w.get(/** @type {any} */ (name))),
  );

/** Bytes as pictures of this many pixels, down and across. @returns {Pixels[]} */
function unpacked(text, side) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const area = side * side;
  return Array.from({ length: bytes.length / area / 3 }, (_, n) =>
    [0, 1, 2].map((c) =>
      Array.from({ length: side }, (_, r) =>
        Array.from(bytes.subarray((n * 3 + c) * area + r * side, (n * 3 + c) * area + (r + 1) * side), (x) => x / 255),
      ),
    ),
  );
}

/** What was recorded. @param {Recorded} recorded @param {Page} page @returns {Run} */
function played({ steps, frames, patches, slots }, { size: whole, side }) {
  const [pictures, cells] = [unpacked(frames, whole), unpacked(patches, side)];
  let from = 0;
  const starts = steps.map(({ top }) => {
    from += top.length;
    return from - top.length;
  });
  return {
    steps,
    frame: (t) => pictures[t],
    patches: (t) => cells.slice(starts[t], starts[t] + steps[t].top.length),
    open: (t) => ({
      count: steps[t].open.count,
      codes: new Map(steps[t].open.codes.map(([code, share, names]) => [code, { share, names }])),
    }),
    slots,
  };
}

/** The likeliest codes. */
const topOf = (p) =>
  p
    .map((x, code) => /** @type {[number, number]} */ ([code, x]))
    .sort((a, b) => b[1] - a[1])
    .slice(0, CANDIDATES);

/**
 * What the painter makes of the sentence.
 * @param {W} w @param {ReturnType<typeof painter>} net
 * @returns {Run}
 */
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
  const left = once((t) => open(fitting(w, net), codes.slice(0, t), page.side, page));
  return { steps, frame, patches, open: left, slots: see(frame(net.cells - 1), page) };
}

/** The pages that fit the sentence, as the painter would write them. @param {W} w @param {ReturnType<typeof painter>} net */
function fitting(w, net) {
  const page = w.get("page");
  const of = w.get("sentence");
  if (w.local.fitting?.of !== of) {
    const { rows } = read(of, voiceIn(w), page);
    const all = layouts(rows, page).map((slots) => ({
      slots,
      codes: net.encode(painted(page, thingsOn(slots, page))),
    }));
    w.local.fitting = { of, all };
  }
  return w.local.fitting.all;
}

/** @param {W} w */
const voiceIn = (w) => voiceOf(w.get("voices"), w.get("sentence"));

/** What is painted now, if it is recorded or the painter is here. @param {W} w @returns {Run | null} */
function runOf(w) {
  const { net } = w.local;
  const recorded = w.get("recorded");
  const key = keyOf(w);
  if (!net && JSON.stringify(recorded.of) !== key) return null;
  w.local.runs ??= new Map();
  const name = `${net ? "" : "recorded "}${key}`;
  const known = w.local.runs.get(name);
  if (known) return known;
  const run = net ? made(w, net) : played(recorded, w.get("page"));
  if (w.local.runs.size >= MOST_RUNS) w.local.runs.clear();
  w.local.runs.set(name, run);
  return run;
}

/** What a step looks at in the layer and head that are chosen. @param {W} w @param {Step} step */
function weightsOf(w, { looks }) {
  const layer = looks[Math.min(w.get("layer"), looks.length - 1)];
  return layer[w.get("head")] ?? meanOf(layer);
}

/** @param {W} w @param {Step} step */
function headOf(w, { looks }) {
  const layer = Math.min(w.get("layer"), looks.length - 1);
  const heads = looks[layer].length;
  return `layer ${layer + 1}, ${w.get("head") < 0 ? `mean of ${heads} heads` : `head ${w.get("head") + 1}`}`;
}

/**
 * Everything that follows from the state, as the pictures read it.
 * @param {W} w
 */
function follow(w) {
  const [page, voice, run] = [w.get("page"), voiceIn(w), runOf(w)];
  const { words, rows: asked } = read(w.get("sentence"), voice, page);
  const at = Math.min(w.get("step"), cellsOf(page) - 1);
  return {
    page,
    voice,
    run,
    words,
    asked,
    at,
    overruled: new Map(w.get("overruled")),
    told: run && toldOf(w, run, { words, asked, at }),
  };
}

/** @typedef {ReturnType<typeof follow>} A */

/** The places that can be looked at, words before cells. @param {W} w */
function placesOf(w, words) {
  const padding = w.get("places") - words.length - 2;
  return { padding, said: ["<bos>", ...words, "<eos>"] };
}

/** What a cell is a part of: in the pages that fit, or else by its looks once `at` is drawn. @param {Run} run @param {Page} page */
const namesIn = (run, cell, at, page) =>
  run.open(cell).codes.get(run.steps[cell].code)?.names ?? [
    nameOf(cut(run.frame(at), cell, page.side), cell, page.side, page),
  ];

/** @param {W} w @param {Run} run @returns {Told} */
function toldOf(w, run, { words, asked, at }) {
  const [page, voice, step] = [w.get("page"), voiceIn(w), run.steps[at]];
  const { padding, said } = placesOf(w, words);
  const labels = [
    ...new Array(padding).fill("the padding"),
    ...said.map((word) => `“${word}”`),
    ...step.looks[0][0].slice(padding + said.length).map((_, cell) => `the cell in ${where(cell, acrossOf(page))}`),
  ];
  const overruled = w.get("overruled").some(([cell]) => cell === at);
  return {
    ...{ page, voice, at, asked, overruled, slots: run.slots, code: step.code, p: step.p, side: page.side },
    names: namesIn(run, at, at, page),
    truth: run.open(at),
    looks: { labels, weights: weightsOf(w, step), how: headOf(w, step) },
  };
}

// ---- doing

/**
 * A painter of other words or of other pages must not be used, whatever its file is called.
 * @param {W} w
 */
const make = (w) => (checkpoint) => {
  const { told } = checkpoint;
  const words = w.get("voices").flatMap((voice) => voice.words);
  if (!told.tokenizer || words.some((word) => !told.words?.includes(word)))
    throw new Error("the file is of a painter of other words");
  const { size: whole, side } = w.get("page");
  if (told.tokenizer.patch !== side || told.tokenizer.image.some((x) => x !== whole) || told.text !== w.get("places"))
    throw new Error("the file is of a painter of other pictures");
  return painter(checkpoint);
};

/** @param {W} w @param {() => void} [then] */
function load(w, then = () => {}) {
  withNetwork(w, make(w), then, "Your sentence stays as it is; what is recorded can still be seen with Reset.");
}

/** @param {W} w */
function stop(w) {
  clearInterval(w.local.moving);
  w.local.moving = undefined;
}

/** @param {W} w @param {Partial<State>} changes @param {() => void} [then] once the model is here */
function act(w, changes, then) {
  stop(w);
  w.set(changes);
  if (!missing(w) && !runOf(w)) load(w, then);
}

/** Paint cell by cell, for who wants to see it; the others see the picture. @param {W} w */
function play(w) {
  stop(w);
  const last = cellsOf(w.get("page")) - 1;
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return w.set({ step: last });
  w.local.moving = setInterval(() => {
    const step = w.get("step");
    if (step >= last || !w.root.isConnected) stop(w);
    if (step < last) w.set({ step: step + 1 });
    else w.draw(); // what was painted is said
  }, PAUSE);
  return w.set({ step: 0 });
}

/** Paint what is typed, if it is a sentence. @param {W} w */
function paint(w, text) {
  const page = w.get("page");
  const voice = voiceOf(w.get("voices"), text);
  const said = read(text, voice, page);
  w.local.faulty = !!trouble(said, voice, page);
  w.local.typed = text;
  if (w.local.faulty) return w.draw();
  w.local.typed = undefined;
  const plain = spelt(said.words, voice, page);
  if (plain !== w.get("sentence") || w.get("overruled").length) w.set({ sentence: plain, overruled: [], step: 0 });
  return runOf(w) ? play(w) : load(w, () => play(w));
}

/** @param {W} w */
const textOf = (w) => w.local.typed ?? w.get("sentence");

/** @param {W} w */
function type(w, text) {
  stop(w);
  w.local.typed = text;
  w.local.faulty = false;
  w.draw();
}

/**
 * A reader's own code for a cell; the cells after it follow, those before it stay. What the model itself would draw is
 * no overruling.
 * @param {W} w
 */
function overrule(w, cell, code) {
  const before = w.get("overruled").filter(([other]) => other < cell);
  const run = runOf(w);
  if (run?.steps[cell].code === code) return;
  act(w, { overruled: [...before, [cell, code]], step: cell }, () => {
    w.draw();
    focus(w, `[data-candidate="${w.local.candidate}"]`); // while the model came, there was none
  });
}

/** Arrow keys among buttons that stand in a grid; no key leaves it. @param {W} w */
const among = (w, kind, columns, count, go) => (event) => {
  if (event.key !== "Tab") event.stopPropagation(); // JupyterLab would go on to another cell
  const now = Number(event.target.dataset[kind]);
  const to = walk(event, [Math.floor(now / columns), now % columns], [Math.ceil(count / columns), columns]);
  if (!to) return;
  event.preventDefault();
  go(Math.min(to[0] * columns + to[1], count - 1));
  focus(w, `[data-${kind}="${Math.min(to[0] * columns + to[1], count - 1)}"]`);
};

// ---- above: the sentence

/** The words that may be added. @param {W} w */
function wordButtons(w) {
  const page = w.get("page");
  const text = textOf(w);
  const voice = voiceOf(w.get("voices"), text || w.get("sentence"));
  const { colours, shapes, rest } = wordKinds(voice, page);
  const may = next(text, voice, page);
  const said = wordsOf(text, voice, page);
  const all = [...colours, ...shapes, ...rest];
  const add = (word, i) => () => {
    w.local.word = i;
    if (may.includes(word)) type(w, spelt([...said, word], voice, page));
  };
  const at = w.local.word ?? 0;
  const go = (to) => {
    w.local.word = to;
    w.draw();
  };
  return html`<div class="qkv-lexicon" role="toolbar" aria-label="Words that may be added: arrow keys move, Enter adds" @keydown=${among(w, "word", all.length, all.length, go)}>
    ${all.map(
      (word, i) => html`<button
        type="button" class="qkv-lexeme" data-word=${i} tabindex=${i === at ? 0 : -1} lang=${korean(word)}
        aria-disabled=${!may.includes(word)} @click=${add(word, i)}
      >${word}</button>`,
    )}
  </div>`;
}

/** The same sentence in the other language. @param {W} w */
function otherVoice(w) {
  const page = w.get("page");
  const text = textOf(w);
  const voices = w.get("voices");
  const voice = voiceOf(voices, text || w.get("sentence"));
  const other = voices.find((one) => one !== voice);
  if (!other) return nothing;
  const name = other.language === "korean" ? "한국어" : "English";
  const go = () => {
    const said = read(text, voice, page);
    const rows = trouble(said, voice, page) ? read(w.get("sentence"), voiceIn(w), page).rows : said.rows;
    paint(w, spelt(saidBy(rows, other, page), other, page));
  };
  return html`<button type="button" data-act="language" lang=${korean(name)} @click=${go}>${name}</button>`;
}

/** @param {W} w */
function asking(w) {
  if (w.still)
    return html`<p class="qkv-input">Sentence: <b lang=${korean(w.get("sentence"))}>${w.get("sentence")}</b></p>`;
  const page = w.get("page");
  const text = textOf(w);
  const voice = voiceOf(w.get("voices"), text || w.get("sentence"));
  const words = wordsOf(text, voice, page);
  const back = () => words.length && type(w, spelt(words.slice(0, -1), voice, page));
  return html`<div class="qkv-asking">
    ${box({
      label: "Sentence",
      give: (typed) => paint(w, typed),
      value: live(text),
      put: (typed) => type(w, typed),
      button: html`<button type="submit" class="qkv-start1" data-act="paint">Paint</button>
        <button type="button" data-act="takeback" aria-disabled=${!words.length} @click=${back}>Take back</button>
        <button type="button" data-act="clear" aria-disabled=${!text} @click=${() => type(w, "")}>Clear</button>
        ${otherVoice(w)}`,
    })}
    ${wordButtons(w)}${faults(w, voice, text)}
  </div>`;
}

/** What is the matter with the sentence. @param {W} w @param {Voice} voice */
function faults(w, voice, text) {
  const page = w.get("page");
  const said = w.local.faulty ? trouble(read(text, voice, page), voice, page) : "";
  const better = said && text.trim() ? mended(text, voice, page) : "";
  const mend = () => {
    type(w, better);
    focus(w, "[data-act=paint]");
  };
  return html`<div class="qkv-note" role="alert" ?hidden=${!said}>
    ${marked(said)}
    ${better ? html`<button type="button" data-act="mend" @click=${mend}>Write <span lang=${korean(better)}>“${better}”</span></button>` : nothing}
  </div>`;
}

// ---- how it is drawn

/** @param {W} w */
function settings(w) {
  if (w.still) return nothing;
  const [temperature, guidance, seed] = [w.get("temperature"), w.get("guidance"), w.get("seed")];
  const put = (given) => act(w, { seed: Math.min(Math.max(Math.round(given) || 0, 0), MOST_SEED) });
  return html`<div class="qkv-recipe">
    ${slider(w, { label: "Temperature", value: Math.round(10 * temperature), min: 0, max: 10 * HOTTEST, said: temperature.toFixed(1), pick: (x) => act(w, { temperature: x / 10 }) })}
    ${slider(w, { label: "Guidance", value: Math.round(4 * guidance), min: 0, max: 4 * MOST_GUIDANCE, said: String(+guidance.toFixed(2)), pick: (x) => act(w, { guidance: x / 4 }) })}
    <label class="qkv-seed">Seed <input type="number" min="0" max=${MOST_SEED} style="--wide:4" .value=${live(String(seed))} @change=${(e) => put(e.target.value)} /></label>
    <button type="button" data-act="again" @click=${() => put((seed + 1) % MOST_SEED)}>Next seed</button>
    <button type="button" data-act="reset" @click=${() => reset(w)}>Reset</button>
    ${status(w)}
  </div>`;
}

/** @param {W} w */
function reset(w) {
  w.local.typed = undefined;
  w.local.faulty = false;
  act(w, w.get("opening"));
}

/** Where the painter is, or what is the matter with it: always one line. @param {W} w */
function status(w) {
  const wanted = !runOf(w) && !w.local.loading;
  const hint = modelHint(w, `Change something, and the model is loaded: ${size(w.get("size"))}, once.`);
  return html`<div role="status" class="qkv-painter ${w.local.note || wanted ? "qkv-note" : ""}">
    ${w.local.note ? html`<p>${w.local.note}</p>` : nothing}
    ${wanted ? html`<p><button type="button" data-act="load" @click=${() => load(w)}>Load the model, ${size(w.get("size"))}</button></p>` : nothing}
    ${w.local.note || wanted ? nothing : html`<p class="qkv-hint">${hint}</p>`}
  </div>`;
}

// ---- left: the picture

const drawing = (pixels) => `background-image:url(${png(pixels)})`;

/** @param {W} w @param {A} a */
function picture(w, a) {
  const { page, run, at } = a;
  const [across, count] = [acrossOf(page), cellsOf(page)];
  const frame = run?.frame(at);
  const go = (cell) => act(w, { step: cell });
  const label = (cell) =>
    `${where(cell, across)}: ${run && cell <= at ? allCalled(namesIn(run, cell, at, page), page) : "not drawn yet"}${a.overruled.has(cell) ? ", chosen by you" : ""}`;
  const cls = (cell) =>
    `qkv-tile ${!frame || cell > at ? "qkv-blank" : ""} ${cell === at ? "qkv-here" : ""} ${a.overruled.has(cell) && cell <= at ? "qkv-mine" : ""}`;
  const cell = (i) =>
    w.still
      ? html`<span class=${cls(i)}></span>`
      : html`<button type="button" class=${cls(i)} data-cell=${i} tabindex=${i === at ? 0 : -1} aria-label=${label(i)} aria-current=${i === at ? "step" : nothing} @click=${() => go(i)}></button>`;
  return html`<div>
    <div class="qkv-h">The picture <small>${across} × ${across} tokens</small></div>
    <div class="qkv-easel1" role="group" aria-label="The picture, token by token: arrow keys go to another" style="--grid:${across};${frame ? drawing(frame) : ""}" @keydown=${w.still ? nothing : among(w, "cell", across, count, go)}>
      ${Array.from({ length: count }, (_, i) => cell(i))}
    </div>
    <p class="qkv-legend"><i class="qkv-key qkv-tile qkv-here"></i> drawn in this step <i class="qkv-key qkv-tile qkv-blank"></i> not yet</p>
    ${judged(w, a)}
  </div>`;
}

/** What the judge says, once the picture is there. @param {W} w @param {A} a */
function judged(w, { told, at, page }) {
  const done = told && at === cellsOf(page) - 1 && w.local.moving === undefined;
  return html`<p class="qkv-judge" aria-live=${w.still ? "off" : "polite"}>${done ? marked(verdict(told)) : "The judge reads the picture when its last cell is drawn."}</p>`;
}

// ---- middle: what it could have been

/** @param {W} w @param {A} a */
function candidates(w, a) {
  const { run, at, page } = a;
  if (!run) return nothing;
  const { top, code } = run.steps[at];
  const patches = run.patches(at);
  const temperature = w.get("temperature");
  const mine = w.local.candidate ?? 0;
  const go = (to) => {
    w.local.candidate = to;
    w.draw();
  };
  const { count, codes } = run.open(at);
  const names = top.map(([x], i) => allCalled(codes.get(x)?.names ?? [nameOf(patches[i], at, page.side, page)], page));
  const right = (x) => codes.get(x)?.share ?? 0;
  const body = ([x, p], i) => html`<i class="qkv-stroke1" style=${drawing(patches[i])}></i>
      <span><b>${chance(p)}</b> <small>${names[i]}</small><span class="qkv-meter"><i style="width:${100 * p}%"></i>${count ? html`<u style="left:${100 * right(x)}%"></u>` : nothing}</span></span>`;
  const button = (one, i) =>
    w.still
      ? html`<div class="qkv-cand ${one[0] === code ? "qkv-now" : ""}">${body(one, i)}</div>`
      : html`<button
          type="button" class="qkv-cand ${one[0] === code ? "qkv-now" : ""}" data-candidate=${i} tabindex=${i === mine ? 0 : -1}
          aria-pressed=${one[0] === code} aria-label="${chance(one[1])} ${names[i]}, token ${one[0]}${count ? `; of the pages that fit ${chance(right(one[0]))}` : ""}" @click=${() => {
            w.local.candidate = i;
            overrule(w, at, one[0]);
          }}
        >${body(one, i)}</button>`;
  return html`<div>
    <div class="qkv-h">Candidates <small>${temperature ? `p at temperature ${+temperature.toFixed(2)}` : "the likeliest is drawn"}</small></div>
    <div class="qkv-cands" role="group" aria-label="The likeliest tokens: arrow keys move, Enter draws another" @keydown=${w.still ? nothing : among(w, "candidate", 2, top.length, go)}>${top.map(button)}</div>
    <p class="qkv-legend"><span class="qkv-meter" aria-hidden="true"><u></u></span> how many of the pages that fit</p>
    ${w.still ? nothing : unruled(w, a)}
  </div>`;
}

/** @param {W} w @param {A} a */
function unruled(w, a) {
  const n = a.overruled.size;
  return html`<p class="qkv-facts">
    <button type="button" data-act="model" aria-disabled=${!n} @click=${() => n && act(w, { overruled: [] })}>Follow the model</button>
    <span class="qkv-hint">${n ? `${n} of its tokens ${n > 1 ? "are" : "is"} yours` : "Choose another: the rest follows."}</span>
  </p>`;
}

// ---- right: where it looks

/** A share in per cent, or nothing. */
const percent = (x) => {
  const rounded = Math.round(100 * x);
  return rounded ? html`<small aria-hidden="true">${rounded}</small>` : nothing;
};

/** @param {W} w @param {A} a */
function looking(w, a) {
  const { run, at, page } = a;
  if (!run) return nothing;
  const step = run.steps[at];
  const weights = weightsOf(w, step);
  const { padding, said } = placesOf(w, a.words);
  const pads = weights.slice(0, padding).reduce((sum, x) => sum + x, 0);
  const words = /** @type {[string, number][]} */ ([
    ...(padding ? [[`padding ×${padding}`, pads]] : []),
    ...said.map((word, i) => [word, weights[padding + i]]),
  ]);
  const cells = weights.slice(padding + said.length);
  const most = Math.max(...words.map(([, x]) => x), ...cells) || 1;
  const share = (x) => `${Math.round(100 * x) || "under 1"} per cent`;
  return html`<div class="qkv-regard">
    <div class="qkv-h">Where it looks <small>in per cent</small></div>
    ${w.still ? html`<p class="qkv-hint">${headOf(w, step)}</p>` : heads(w, step)}
    <p class="qkv-heard" role="group" aria-label="Its attention to the words">${words.map(
      ([word, x]) =>
        html`<span style=${cellStyle(x / most, "unit", 1)}><b lang=${korean(word)}>${word}</b> ${percent(x)}<span class="qkv-vh">${share(x)}</span></span>`,
    )}</p>
    <div class="qkv-easel1 qkv-seen" role="img" aria-label=${`Its attention to the cells drawn before: ${cells.map((x, i) => `${where(i, acrossOf(page))} ${share(x)}`).join("; ") || "there is none"}`} style="--grid:${acrossOf(page)};${drawing(run.frame(at))}">
      ${Array.from({ length: cellsOf(page) }, (_, i) =>
        i < at
          ? html`<span class="qkv-tile" style="--veil:${(0.75 * (1 - cells[i] / most)).toFixed(3)}">${percent(cells[i])}</span>`
          : html`<span class="qkv-tile qkv-blank ${i === at ? "qkv-here" : ""}"></span>`,
      )}
    </div>
  </div>`;
}

/** @param {W} w @param {Step} step */
function heads(w, { looks }) {
  const layer = Math.min(w.get("layer"), looks.length - 1);
  return html`<div class="qkv-facts">
    ${pick("layer", "layer", layer, numbers(looks.length), (x) => w.set({ layer: x }))}
    ${pick("head", "head", w.get("head"), [[-1, "mean"], ...numbers(looks[layer].length)], (x) => w.set({ head: x }))}
  </div>`;
}

// ---- the widget

/** @param {W} w */
function missing(w) {
  const [page, voices, recorded] = [w.get("page"), w.get("voices"), w.get("recorded")];
  if (
    !(page?.side > 0) ||
    page.paper?.length !== cellsOf(page) ||
    page.inks?.length !== page.colours?.length ||
    page.covers?.length !== page.shapes?.length
  )
    return "it has no page with colours and shapes";
  if (!Array.isArray(voices) || !voices.length) return "it reads no language";
  const least = 3 + page.colours.length + page.shapes.length;
  const odd = voices.find(({ language, words }) => !/^(english|korean)$/.test(language) || !(words?.length > least));
  if (odd) return `it knows no language ${odd.language} of ${odd.words?.length} words`;
  const text = w.get("sentence");
  const wrong = typeof text === "string" ? trouble(read(text, voiceIn(w), page), voiceIn(w), page) : "it is none";
  if (wrong) return `its sentence cannot be painted: ${wrong}`;
  const cells = cellsOf(page);
  if (!(w.get("step") >= 0)) return `it has no step ${w.get("step")}`;
  if (!(w.get("temperature") >= 0) || !(w.get("guidance") >= 0)) return "its temperature or its guidance is none";
  if (
    !Array.isArray(w.get("overruled")) ||
    !w.get("overruled").every(([cell, code]) => cell >= 0 && cell < cells && code >= 0)
  )
    return "it overrules cells that are none";
  const fits =
    recorded?.steps?.length === cells &&
    recorded.slots?.length === page.slots ** 2 &&
    recorded.steps.every(({ looks, top, open: left }) => looks.length && top.length && left?.codes);
  return fits ? "" : "what is recorded does not fit its picture";
}

/** @param {W} w @param {A} a */
function words(w, a) {
  if (!a.told) return w.local.loading ? "The model is on its way." : "For this the model is needed.";
  return w.local.moving === undefined ? ofCell(a.told) : "Painting …";
}

/** @param {W} w */
function view(w) {
  const a = follow(w);
  const count = cellsOf(a.page);
  return html`${asking(w)}${settings(w)}
    ${controls(w, { at: a.at, count, what: "Cell", said: a.told ? allCalled(a.told.names, a.page) : "", go: (step) => act(w, { step }) })}
    ${sentence(w, words(w, a))}
    <div class="qkv-easel">${picture(w, a)}${candidates(w, a)}${looking(w, a)}</div>`;
}

/** On paper: some cells on the way, and the whole picture. @param {W} w */
function stills(w) {
  const last = cellsOf(w.get("page")) - 1;
  const at = [Math.floor(last / 3), Math.floor((2 * last) / 3), last];
  return at.map((step) => ({ caption: `After ${step + 1} of ${last + 1} tokens`, state: { step } }));
}

export default widget("paint-a-sentence", { missing, view, stills });
