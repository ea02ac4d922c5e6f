// What is said: what a forecaster reads at this place, and what its error over the test windows is worth.
import { chance, counted } from "../core/text.js";
import { below } from "./forecasting.js";

/** @typedef {import("./forecasting.js").Forecaster} Forecaster */
/** @typedef {import("./forecasting.js").Leak} Leak */
/** @typedef {import("./forecasting.js").Read} Read */
/** @typedef {import("./forecasting.js").Scored} Scored */

const minus = (text) => text.replace("-", "−");

/** A writer of values with as many decimals as tell them apart, where they differ by about `spread`. */
export function valuesLike(spread) {
  const digits = Math.min(Math.max(2 - Math.floor(Math.log10(1.2 * spread || 1)), 0), 8);
  return (v) => minus(v.toFixed(digits));
}

/** A mean squared error: two or three digits. */
export function size(mse) {
  if (!Number.isFinite(mse)) return "–";
  if (mse >= 1e5 || (mse > 0 && mse < 1e-4)) return mse < 1 ? "<0.0001" : minus(mse.toExponential(1));
  return mse === 0 ? "0" : mse >= 1 ? mse.toFixed(mse >= 100 ? 0 : mse >= 10 ? 1 : 2) : mse.toPrecision(2);
}

const capital = (name) => name[0].toUpperCase() + name.slice(1);

/** "a", "a and b", "a, b and c" */
const listed = (names) =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;

/** The places that have most of the weight: at most three, and no more than it takes for nine tenths. */
export function most(reads) {
  const sorted = [...reads].sort((a, b) => b.weight - a.weight);
  let share = 0;
  const some = sorted.slice(0, 3).filter(({ weight }) => {
    const wanted = share < 0.9;
    if (wanted) share += weight;
    return wanted;
  });
  return { places: some.map(({ place }) => place).sort((a, b) => a - b), share };
}

/** Over how many places weights are spread: e to the power of their entropy. */
const spreadOver = (reads) =>
  Math.exp(reads.reduce((sum, { weight }) => (weight > 0 ? sum - weight * Math.log(weight) : sum), 0));

/** @type {{ [name in Forecaster]: (reads: Read[], settings: { season: number }) => string }} */
const reading = {
  naive: ([{ place }]) => `the last value, that of place ${place}, comes again`,
  "seasonal naive": ([{ place }], { season }) =>
    counted(
      season,
      `the value one place back, that of place ${place}, comes again`,
      `the value {n} places back, that of place ${place}, comes again`,
    ),
  ridge: (reads) => {
    const top = reads.reduce((a, b) => (Math.abs(b.weight) > Math.abs(a.weight) ? b : a));
    return `a weighted sum of the window, with the same weights at every place, the largest ${minus(top.weight.toFixed(2))} on place ${top.place}`;
  },
  "look-up": (reads) => {
    const { places, share } = most(reads);
    if (share < 0.5)
      return `the weight is spread over about ${Math.round(spreadOver(reads))} places, since at this bandwidth many windows are near`;
    return `${chance(share)} of the weight on ${counted(places.length, "place", "places")} ${listed(places)}, ${counted(places.length, "whose window is", "whose windows are")} nearest to this one`;
  },
};

/**
 * What a forecaster does at a place.
 * @param {Forecaster} name
 * @param {{ reads: Read[], forecast: number }} now
 * @param {{ season: number, truth: number, write: (v: number) => string }} more
 */
export const atPlace = (name, { reads, forecast }, { season, truth, write }) =>
  `${capital(name)}: ${reading[name](reads, { season })}; forecast ${write(forecast)}, truth ${write(truth)}.`;

/** @type {{ [leak in Leak]: string }} why this is a leak */
export const why = {
  smoothed:
    "Each input is a mean with the two values before it and the two after. That at the end of the window holds the answer.",
  shifted: "The window ends one place too late: its last value is the answer.",
  shuffled:
    "The windows are shuffled before the split: those trained on lie on both sides of a test window, and overlap it.",
};

/**
 * The verdict over the test windows.
 * @param {{
 *   now: Scored, honest: Scored, floor: { errors: number[], mse: number }, changed: boolean,
 *   settings: { leaks: Leak[] },
 * }} a `honest` is without the leaks
 */
export function verdict({ now, honest, floor, changed, settings: { leaks } }) {
  const known = Number.isFinite(floor.mse);
  const under = known ? now.scores.filter(({ errors }) => below(errors, floor.errors)) : [];
  const windows = counted(now.tests.length, "the one test window", "{n} test windows");
  if (leaks.length)
    return `${leaks.length > 1 ? `${leaks.length} leaks at once.` : why[leaks[0]]} ${effect(now, honest, floor, under)}`;
  const best = now.scores.reduce((a, b) => (b.mse < a.mse ? b : a));
  if (under.length)
    return `Over ${windows} ${listed(under.map(({ name }) => name))} has an error below the floor of ${size(floor.mse)}, by more than chance. Look for a leak.`;
  const [naive] = now.scores;
  const beside = best === naive ? "" : `, and naive's is ${size(naive.mse)}`;
  const opening = `Over ${windows} ${best.name} has the lowest error, ${size(best.mse)}${beside}.`;
  if (known) return `${opening} The floor of ${size(floor.mse)} is chance: no honest forecast falls below it.`;
  return `${opening} The floor is not known${changed ? ", since you have changed the series: press its name to have it back" : ""}.`;
}

/** What the leaks have done to the errors. */
function effect(now, honest, floor, under) {
  if (under.length) {
    const [first, ...others] = under.map(({ name, mse }) => [name, size(mse)]);
    const falls = listed([`${first[0]} falls to ${first[1]}`, ...others.map(([name, mse]) => `${name} to ${mse}`)]);
    return `So ${falls}, through the floor of ${size(floor.mse)}: no honest forecast can be there.`;
  }
  const ratios = now.scores.map(({ mse }, i) => mse / honest.scores[i].mse);
  const i = ratios.reduce((a, r, j) => (r < ratios[a] ? j : a), 0);
  if (!(ratios[i] < 0.95)) return "Here no error falls by it: a leak need not show.";
  return `The error of ${now.scores[i].name} falls from ${size(honest.scores[i].mse)} to ${size(now.scores[i].mse)}, and it has learnt nothing new.`;
}
