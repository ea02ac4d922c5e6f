// Training in the page: one head of attention learns to find a name among pairs, and to say its drawer. Forward,
// backward and Adam are written out. Tests hold the gradients equal to torch's.
import { normal, uniform } from "../core/gauss.js";
import { softmax } from "../core/maths.js";

export const sizes = { pairs: 8, names: 32, drawers: 10, width: 32, batch: 32, exam: 200 };
const rows = sizes.names + 1 + sizes.drawers; // of the table of embeddings: names, the blank of a question, drawers
const blank = sizes.names;

/**
 * @typedef {{ scaled: boolean, d_k: number, rate: number, seed: number }} Settings
 * @typedef {{ names: Uint8Array, drawers: Uint8Array, asked: Uint8Array, count: number }} Questions asked: the place of the pair
 * @typedef {{ table: Float64Array, query: Float64Array, key: Float64Array, value: Float64Array, output: Float64Array, all: Float64Array }} Numbers
 * `all` holds the others, one after another; each is row by row, "out in"
 * @typedef {{ step: number, right: number, hit: number, peak: number, spread: number, slope: number, move: number, map: number[][], says: number[] }} Frame
 */

/* ------------------------------------------------------------------ data */

/**
 * Questions, each over pairs of its own: which names they hold, in which drawers, and who is asked for.
 * @param {() => number} next
 * @param {number} count
 * @returns {Questions}
 */
export function draw(next, count) {
  const { pairs, names, drawers } = sizes;
  const made = {
    names: new Uint8Array(count * pairs),
    drawers: new Uint8Array(count * pairs),
    asked: new Uint8Array(count),
    count,
  };
  for (let b = 0; b < count; b++) {
    const order = Uint8Array.from({ length: names }, (_, i) => i);
    for (let j = 0; j < pairs; j++) {
      const other = j + Math.floor(next() * (names - j));
      [order[j], order[other]] = [order[other], order[j]];
      made.names[b * pairs + j] = order[j];
    }
    for (let j = 0; j < pairs; j++) made.drawers[b * pairs + j] = Math.floor(next() * drawers);
    made.asked[b] = Math.floor(next() * pairs);
  }
  return made;
}

/** One row of pairs, asked for each of its names. */
function example(next) {
  const { pairs } = sizes;
  const one = draw(next, 1);
  const many = (row) => Uint8Array.from({ length: pairs * pairs }, (_, i) => row[i % pairs]);
  return {
    names: many(one.names),
    drawers: many(one.drawers),
    asked: Uint8Array.from({ length: pairs }, (_, i) => i),
    count: pairs,
  };
}

/* ------------------------------------------------------------------ numbers that are learnt */

/**
 * Room for all that is learnt, or for its gradients.
 * @param {number} d_k
 * @returns {Numbers}
 */
export function room(d_k) {
  const { width, drawers } = sizes;
  const lengths = { table: rows * width, query: d_k * width, key: d_k * width, value: width * width };
  const last = drawers * width;
  const all = new Float64Array(Object.values(lengths).reduce((a, b) => a + b, last));
  let at = 0;
  const cut = (length) => {
    at += length;
    return all.subarray(at - length, at);
  };
  return {
    table: cut(lengths.table),
    query: cut(lengths.query),
    key: cut(lengths.key),
    value: cut(lengths.value),
    output: cut(last),
    all,
  };
}

/** As torch begins: embeddings normal, matrices uniform within ±1/√in. */
function begin(d_k, next) {
  const made = room(d_k);
  made.table.set(normal(made.table.length, next));
  const bound = sizes.width ** -0.5;
  for (const matrix of [made.query, made.key, made.value, made.output])
    for (let i = 0; i < matrix.length; i++) matrix[i] = (2 * next() - 1) * bound;
  return made;
}

/* ------------------------------------------------------------------ forward */

/** x Wᵀ for every row of x. */
function project(x, matrix, out, width) {
  const outs = matrix.length / width;
  for (let r = 0; r < x.length / width; r++)
    for (let o = 0; o < outs; o++) {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += x[r * width + i] * matrix[o * width + i];
      out[r * outs + o] = sum;
    }
}

/** Its gradients: of x, and of the matrix. Both are added to. */
function projectBack(x, matrix, outGrad, xGrad, matrixGrad, width) {
  const outs = matrix.length / width;
  for (let r = 0; r < x.length / width; r++)
    for (let o = 0; o < outs; o++) {
      const g = outGrad[r * outs + o];
      if (g === 0) continue;
      for (let i = 0; i < width; i++) {
        xGrad[r * width + i] += g * matrix[o * width + i];
        matrixGrad[o * width + i] += g * x[r * width + i];
      }
    }
}

/**
 * Queries, keys and values of the whole table, once: x = name + drawer, and W(a + b) = Wa + Wb.
 * @param {Numbers} p
 */
function projected(p) {
  const { width } = sizes;
  const d_k = p.query.length / width;
  const made = { q: new Float64Array(rows * d_k), k: new Float64Array(rows * d_k), v: new Float64Array(rows * width) };
  project(p.table, p.query, made.q, width);
  project(p.table, p.key, made.k, width);
  project(p.table, p.value, made.v, width);
  return made;
}

/**
 * Who is in pair j of question b: the rows of its name and of its drawer in the table.
 * @param {Questions} data
 */
const nameOf = (data, b, j) => data.names[b * sizes.pairs + j];
const drawerOf = (data, b, j) => blank + 1 + data.drawers[b * sizes.pairs + j];

/**
 * One question, step by step: query, scores, weights, context, and the probability of each drawer.
 * @param {Numbers} p
 * @param {ReturnType<typeof projected>} t
 * @param {Questions} data
 */
function answer(p, t, data, b, divisor) {
  const { pairs, width, drawers } = sizes;
  const d_k = p.query.length / width;
  const q = new Float64Array(d_k);
  const asked = nameOf(data, b, data.asked[b]);
  for (let i = 0; i < d_k; i++) q[i] = t.q[asked * d_k + i] + t.q[blank * d_k + i];
  const scores = new Array(pairs);
  for (let j = 0; j < pairs; j++) {
    const [name, drawer] = [nameOf(data, b, j) * d_k, drawerOf(data, b, j) * d_k];
    let sum = 0;
    for (let i = 0; i < d_k; i++) sum += q[i] * (t.k[name + i] + t.k[drawer + i]);
    scores[j] = sum / divisor;
  }
  const weights = softmax(scores);
  const context = new Float64Array(width);
  for (let j = 0; j < pairs; j++) {
    const [name, drawer] = [nameOf(data, b, j) * width, drawerOf(data, b, j) * width];
    for (let i = 0; i < width; i++) context[i] += weights[j] * (t.v[name + i] + t.v[drawer + i]);
  }
  const logits = new Float64Array(drawers);
  project(context, p.output, logits, width);
  return { q, scores, weights, context, chances: softmax([...logits]) };
}

const divisorOf = ({ scaled, d_k }) => (scaled ? Math.sqrt(d_k) : 1);
const target = (data, b) => data.drawers[b * sizes.pairs + data.asked[b]];

/* ------------------------------------------------------------------ backward */

/**
 * The mean loss of a batch, and its gradients.
 * @param {Numbers} p
 * @param {Questions} data
 * @param {Settings} settings
 */
export function gradients(p, data, settings) {
  const { width } = sizes;
  const divisor = divisorOf(settings);
  const t = projected(p);
  const back = { q: new Float64Array(t.q.length), k: new Float64Array(t.k.length), v: new Float64Array(t.v.length) };
  const grads = room(settings.d_k);
  let loss = 0;
  for (let b = 0; b < data.count; b++) {
    const a = answer(p, t, data, b, divisor);
    loss -= Math.log(a.chances[target(data, b)]) / data.count;
    const logits = a.chances.map((c, y) => (c - (y === target(data, b) ? 1 : 0)) / data.count);
    const context = new Float64Array(width);
    projectBack(a.context, p.output, logits, context, grads.output, width);
    lookBack(a, context, t, back, data, b, divisor);
  }
  projectBack(p.table, p.query, back.q, grads.table, grads.query, width);
  projectBack(p.table, p.key, back.k, grads.table, grads.key, width);
  projectBack(p.table, p.value, back.v, grads.table, grads.value, width);
  return { loss, grads };
}

/** Through one attention: from the context's gradient to those of its values, its keys and its query. */
function lookBack({ q, weights, context: { length: width } }, context, t, back, data, b, divisor) {
  const { pairs } = sizes;
  const d_k = q.length;
  const through = new Float64Array(pairs); // ∂L/∂α
  let mean = 0;
  for (let j = 0; j < pairs; j++) {
    const [name, drawer] = [nameOf(data, b, j) * width, drawerOf(data, b, j) * width];
    for (let i = 0; i < width; i++) {
      through[j] += context[i] * (t.v[name + i] + t.v[drawer + i]);
      back.v[name + i] += weights[j] * context[i];
      back.v[drawer + i] += weights[j] * context[i];
    }
    mean += weights[j] * through[j];
  }
  const asked = nameOf(data, b, data.asked[b]) * d_k;
  for (let j = 0; j < pairs; j++) {
    const score = (weights[j] * (through[j] - mean)) / divisor; // ∂L/∂(q·k)
    const [name, drawer] = [nameOf(data, b, j) * d_k, drawerOf(data, b, j) * d_k];
    for (let i = 0; i < d_k; i++) {
      const query = score * (t.k[name + i] + t.k[drawer + i]);
      back.q[asked + i] += query;
      back.q[blank * d_k + i] += query;
      back.k[name + i] += score * q[i];
      back.k[drawer + i] += score * q[i];
    }
  }
}

/* ------------------------------------------------------------------ Adam */

const [first, second, tiny] = [0.9, 0.999, 1e-8];

/** One step of Adam, as torch takes it. `memory` holds both moments and counts. */
function adam(all, grads, memory, rate) {
  memory.count++;
  const size = rate / (1 - first ** memory.count);
  const root = Math.sqrt(1 - second ** memory.count);
  for (let i = 0; i < all.length; i++) {
    const g = grads[i];
    memory.m[i] += (1 - first) * (g - memory.m[i]);
    memory.v[i] = second * memory.v[i] + (1 - second) * g * g;
    all[i] -= (size * memory.m[i]) / (Math.sqrt(memory.v[i]) / root + tiny);
  }
}

/* ------------------------------------------------------------------ a run */

/**
 * A run that has not begun: the same for the same settings, on every page.
 * @param {Settings} settings
 */
export function start(settings) {
  const { seed, d_k } = settings;
  const learnt = begin(d_k, uniform(3 * seed));
  const shown = example(uniform(3 * seed + 2)); // the first of the exam
  const run = {
    settings: { ...settings },
    learnt,
    memory: { m: new Float64Array(learnt.all.length), v: new Float64Array(learnt.all.length), count: 0 },
    next: uniform(3 * seed + 1),
    exam: draw(uniform(3 * seed + 2), sizes.exam),
    shown,
    names: [...shown.names.subarray(0, sizes.pairs)],
    drawers: [...shown.drawers.subarray(0, sizes.pairs)],
    /** @type {number[]} */
    losses: [],
    /** @type {Frame[]} */
    frames: [],
  };
  run.frames.push(frame(run));
  return run;
}

/** @typedef {ReturnType<typeof start>} Run */

/** How many steps lie between two looks. */
export const every = 5;

/** Take one step; look at what has been learnt at each fifth. @param {Run} run */
export function step(run) {
  const looked = (run.losses.length + 1) % every === 0;
  const before = looked ? examined(run).scores : undefined;
  const { loss, grads } = gradients(run.learnt, draw(run.next, sizes.batch), run.settings);
  adam(run.learnt.all, grads.all, run.memory, run.settings.rate);
  run.losses.push(loss);
  if (looked) run.frames.push(frame(run, before));
}

/** Every question of the exam: scores, and who is right. @param {Run} run */
function examined({ learnt, exam, settings }) {
  const t = projected(learnt);
  /** @type {{ scores: number[][], weights: number[][], right: boolean[] }} */
  const made = { scores: [], weights: [], right: [] };
  for (let b = 0; b < exam.count; b++) {
    const a = answer(learnt, t, exam, b, divisorOf(settings));
    made.scores.push(a.scores);
    made.weights.push(a.weights);
    made.right.push(best(a.chances) === target(exam, b));
  }
  return made;
}

const best = (row) => row.indexOf(Math.max(...row));
const mean = (xs) => xs.reduce((a, b) => a + b, 0) / xs.length;
const spreadOf = (xs) => {
  const middle = mean(xs);
  return Math.sqrt(mean(xs.map((x) => (x - middle) ** 2)));
};

/**
 * What can be seen after a step, in means over the exam; `before` are its scores before that step.
 * @param {Run} run
 * @param {number[][]} [before]
 * @returns {Frame}
 */
function frame(run, before) {
  const { scores, weights, right } = examined(run);
  const hits = weights.map((row, b) => row[run.exam.asked[b]]);
  const t = projected(run.learnt);
  const shown = Array.from({ length: run.shown.count }, (_, b) =>
    answer(run.learnt, t, run.shown, b, divisorOf(run.settings)),
  );
  return {
    step: run.losses.length,
    right: mean(right.map(Number)),
    hit: mean(hits),
    peak: mean(weights.map((row) => Math.max(...row))),
    spread: mean(scores.map(spreadOf)),
    slope: mean(hits.map((x) => x * (1 - x))),
    move: before ? mean(scores.flatMap((row, b) => row.map((x, j) => Math.abs(x - before[b][j])))) : 0,
    map: shown.map((a) => a.weights),
    says: shown.map((a) => best(a.chances)),
  };
}
