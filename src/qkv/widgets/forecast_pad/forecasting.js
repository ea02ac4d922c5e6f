// One step ahead, four ways: naive, seasonal naive, ridge and a look-up among the windows of the past; and three
// leaks, each of which lets a forecaster see what it is to forecast. Tests hold all of it equal to Python.

import { softmax } from "../core/maths.js";

/** @typedef {"naive" | "seasonal naive" | "ridge" | "look-up"} Forecaster */
/** @typedef {"smoothed" | "shifted" | "shuffled"} Leak */
/**
 * @typedef {object} Settings
 * @property {number} length how many values a window has
 * @property {number} season how far back seasonal naive reads
 * @property {number} bandwidth of the look-up's kernel
 * @property {Leak[]} leaks
 */
/** @typedef {{ place: number, weight: number }} Read a place that is read, with its weight */

/** @type {Forecaster[]} */
export const forecasters = ["naive", "seasonal naive", "ridge", "look-up"];
/** @type {Leak[]} */
export const leaks = ["smoothed", "shifted", "shuffled"];

export const reach = 2; // values on either side of a centred mean
const penalty = 0.01; // of the ridge, in variances of the training values

const mean = (x) => x.reduce((sum, v) => sum + v, 0) / x.length;

/** The mean of each value, two before it and two after it: as many of them as there are. */
export const smoothed = (values) => values.map((_, i) => mean(values.slice(Math.max(0, i - reach), i + reach + 1)));

/** How much values differ: their variance. */
export function variance(x) {
  const middle = mean(x);
  return mean(x.map((v) => (v - middle) ** 2));
}

/** 0…n−1 in an order that looks like chance and is the same everywhere: sorted by Lehmer's random numbers. */
export function shuffle(n) {
  let state = 1;
  const keys = Array.from({ length: n }, () => (state = (state * 16807) % 2147483647));
  return keys.map((_, i) => i).sort((i, j) => keys[i] - keys[j]);
}

/** Solve Ax = b by Cholesky's L Lᵀ = A. A is symmetric and positive, and is written over. */
export function solve(a, b) {
  const n = b.length;
  const x = [...b];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i][j];
      for (let k = 0; k < j; k++) sum -= a[i][k] * a[j][k];
      a[i][j] = i === j ? Math.sqrt(sum) : sum / a[j][j];
    }
    for (let k = 0; k < i; k++) x[i] -= a[i][k] * x[k];
    x[i] /= a[i][i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= a[k][i] * x[k];
    x[i] /= a[i][i];
  }
  return x;
}

/**
 * Ridge: one weight for each value of a window, and an intercept that is not pulled to 0.
 * @param {number[][]} windows
 * @param {number[]} targets
 * @param {number} lambda
 */
export function ridge(windows, targets, lambda) {
  const size = windows[0].length;
  const means = Array.from({ length: size }, (_, j) => mean(windows.map((row) => row[j])));
  const middle = mean(targets);
  const gram = Array.from({ length: size }, (_, j) => Array.from({ length: size }, (_, k) => (j === k ? lambda : 0)));
  const moment = new Array(size).fill(0);
  windows.forEach((row, i) => {
    for (let j = 0; j < size; j++) {
      const x = row[j] - means[j];
      moment[j] += x * (targets[i] - middle);
      for (let k = 0; k <= j; k++) gram[j][k] += x * (row[k] - means[k]);
    }
  });
  const weights = solve(gram, moment);
  return { weights, intercept: middle - weights.reduce((sum, v, j) => sum + v * means[j], 0) };
}

/**
 * Look-up attention: softmax(−‖q − k‖² / 2h²) over the keys.
 * @param {number[]} query
 * @param {number[][]} keys
 */
export function lookup(query, keys, bandwidth) {
  const scores = keys.map((key) => {
    let sum = 0;
    for (let j = 0; j < key.length; j++) {
      const apart = query[j] - key[j];
      sum += apart * apart;
    }
    return -sum / (2 * bandwidth ** 2);
  });
  return { scores, weights: softmax(scores) };
}

/**
 * Cut a series into windows, each with the value that follows it; split them; fit the ridge.
 * @param {number[]} values
 * @param {Settings} settings
 */
function prepared(values, { length, season, leaks }) {
  const read = leaks.includes("smoothed") ? smoothed(values) : values;
  const late = leaks.includes("shifted") ? 1 : 0;
  const first = Math.max(length, season);
  const count = values.length - first;
  const cut = Math.floor((2 * count) / 3);
  const mixed = leaks.includes("shuffled");
  const order = mixed ? shuffle(count) : Array.from({ length: count }, (_, i) => i);
  const places = (some) => some.map((i) => first + i).sort((a, b) => a - b);
  const windows = Array.from({ length: count }, (_, i) => read.slice(first + i - length + late, first + i + late));
  const train = places(order.slice(0, cut));
  const seen = train.map((t) => values[t]);
  const fit = ridge(
    train.map((t) => windows[t - first]),
    seen,
    penalty * variance(seen) + 1e-9,
  );
  return { values, read, late, first, mixed, windows, train, tests: places(order.slice(cut)), fit };
}

/** @typedef {ReturnType<typeof prepared>} Prepared */

/** Where a look-up may look: at the windows of the past; of a split that was shuffled, at all that it trains on. */
const memory = ({ mixed, train, first }, t) => (mixed ? train : Array.from({ length: t - first }, (_, i) => first + i));

/**
 * What a forecaster reads to forecast the value at t: places with weights, and the sum.
 * @param {Prepared} p
 * @param {Settings} settings
 * @param {Forecaster} name
 * @param {number} t
 * @returns {{ reads: Read[], forecast: number }}
 */
export function forecast(p, { length, season, bandwidth }, name, t) {
  const one = (place) => ({ reads: [{ place, weight: 1 }], forecast: p.read[place] });
  if (name === "naive") return one(t - 1 + p.late);
  if (name === "seasonal naive") return one(t - season + p.late);
  const own = p.windows[t - p.first];
  if (name === "ridge") {
    const reads = own.map((_, j) => ({ place: t - length + p.late + j, weight: p.fit.weights[j] }));
    return { reads, forecast: own.reduce((sum, x, j) => sum + x * p.fit.weights[j], p.fit.intercept) };
  }
  const where = memory(p, t);
  const { weights } = lookup(
    own,
    where.map((s) => p.windows[s - p.first]),
    bandwidth,
  );
  const reads = where.map((place, i) => ({ place, weight: weights[i] }));
  return { reads, forecast: reads.reduce((sum, { place, weight }) => sum + weight * p.values[place], 0) };
}

/**
 * Every forecaster over the test windows: its forecasts and their mean squared error.
 * @param {number[]} values
 * @param {Settings} settings
 */
export function scored(values, settings) {
  const p = prepared(values, settings);
  const scores = forecasters.map((name) => {
    const forecasts = p.tests.map((t) => forecast(p, settings, name, t).forecast);
    const errors = forecasts.map((x, i) => (x - values[p.tests[i]]) ** 2);
    return { name, forecasts, errors, mse: mean(errors) };
  });
  return { ...p, scores };
}

/** @typedef {ReturnType<typeof scored>} Scored */

/**
 * The floor over some places: a number that is known, or the error of the best forecasts of all.
 * @param {number[]} values
 * @param {{ floor: number | null, best: number[] | null }} known
 * @param {number[]} places
 */
export function floorOf(values, { floor, best }, places) {
  const errors = best ? places.map((t) => (best[t] - values[t]) ** 2) : places.map(() => floor ?? NaN);
  return { errors, mse: mean(errors) };
}

/** Are these errors lower than the floor's, by more than two standard errors of the difference? */
export function below(errors, floor) {
  const gaps = errors.map((e, i) => e - floor[i]);
  return mean(gaps) < -2 * Math.sqrt(variance(gaps) / gaps.length);
}
