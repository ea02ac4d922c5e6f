// A router of experts. Tests hold it equal to qkv.experts to 1e-6.
import { dot, softmax } from "../core/maths.js";

/** @typedef {{ logits: number[], probabilities: number[], chosen: number[], weights: number[] }} Route of one token; the best expert first */
/** @typedef {{ k: number, renormalised: boolean }} Way how many experts a token gets; are their weights brought to a sum of 1? */

/** The k largest, the largest first, and of equals the one with the lower number. */
const best = (logits, k) =>
  logits
    .map((_, i) => i)
    .sort((a, b) => logits[b] - logits[a] || a - b)
    .slice(0, k);

/**
 * A token's way from its logits to the weights of its experts.
 * @param {number[]} token
 * @param {number[][]} rows of the router, one for each expert
 * @param {Way} way
 * @returns {Route}
 */
export function route(token, rows, { k, renormalised }) {
  const logits = rows.map((row) => dot(row, token));
  const probabilities = softmax(logits);
  const chosen = best(logits, k);
  const own = chosen.map((i) => probabilities[i]);
  const sum = renormalised ? own.reduce((a, b) => a + b) : 1;
  return { logits, probabilities, chosen, weights: own.map((p) => p / sum) };
}

/**
 * How many tokens an expert may take of a batch; without a capacity factor all.
 * @param {{ tokens: number, experts: number, k: number, capacity: number | null }} batch
 */
export const places = ({ tokens, experts, k, capacity }) =>
  capacity === null ? tokens : Math.ceil((capacity * k * tokens) / experts);

/**
 * Which of its choices find a place, for each token: the first choices of all come first, then the second ones.
 * @param {Route[]} routes
 * @param {number} room
 */
export function kept(routes, room) {
  const found = routes.map(({ chosen }) => chosen.map(() => false));
  /** @type {number[]} */
  const taken = [];
  for (let choice = 0; choice < routes[0].chosen.length; choice++)
    routes.forEach(({ chosen }, t) => {
      const i = chosen[choice];
      taken[i] = (taken[i] ?? 0) + 1;
      found[t][choice] = taken[i] <= room;
    });
  return found;
}

/**
 * What the experts get of a batch: the share f of its tokens, the mean P of their probability, how many of each
 * topic are kept and dropped; and the balancing loss and the purity of all.
 * @param {Route[]} routes
 * @param {number[]} topics
 * @param {number} room
 */
export function shared(routes, topics, room) {
  const [n, most] = [routes.length, Math.max(...topics) + 1];
  const stays = kept(routes, room);
  const experts = routes[0].logits.map((_, i) => {
    const [firsts, keeps, drops] = [0, 1, 2].map(() => new Array(most).fill(0));
    routes.forEach(({ chosen }, t) => {
      const choice = chosen.indexOf(i);
      if (choice === 0) firsts[topics[t]]++;
      if (choice >= 0) (stays[t][choice] ? keeps : drops)[topics[t]]++;
    });
    const count = routes.filter(({ chosen }) => chosen.includes(i)).length;
    const P = routes.reduce((sum, { probabilities }) => sum + probabilities[i], 0) / n;
    return { count, f: count / n, P, firsts, keeps, drops, dropped: drops.reduce((a, b) => a + b) };
  });
  return {
    experts,
    dropped: experts.reduce((sum, { dropped }) => sum + dropped, 0),
    stays,
    balance: experts.length * experts.reduce((sum, { f, P }) => sum + f * P, 0),
    purity: experts.reduce((sum, { firsts }) => sum + Math.max(...firsts), 0) / n,
  };
}

/** The part of a polygon on the side of a line through the origin where x · normal ≥ 0. */
function cut(corners, normal) {
  /** @type {number[][]} */
  const made = [];
  corners.forEach((p, i) => {
    const q = corners[(i + 1) % corners.length];
    const [a, b] = [dot(p, normal), dot(q, normal)];
    if (a >= 0) made.push(p);
    if (a * b < 0) made.push(p.map((x, c) => x + ((q[c] - x) * a) / (a - b)));
  });
  return made;
}

/** Twice the area of a polygon. */
const area = (corners) =>
  Math.abs(
    corners.reduce((sum, [x, y], i) => {
      const [u, v] = corners[(i + 1) % corners.length];
      return sum + x * v - u * y;
    }, 0),
  );

/**
 * The part of a square around the origin where each expert's logit is the largest, as polygons; none without an area.
 * @param {number[][]} rows
 * @param {number} limit half the square's side
 */
export function regions(rows, limit) {
  const square = [
    [-limit, -limit],
    [limit, -limit],
    [limit, limit],
    [-limit, limit],
  ];
  return rows.map((row, i) => {
    const corners = rows.reduce((left, other, j) => {
      const normal = row.map((x, c) => x - other[c]);
      // Of equal rows the first has all.
      if (j !== i && !normal.some(Boolean)) return j < i ? [] : left;
      return j === i ? left : cut(left, normal);
    }, square);
    return area(corners) > 1e-9 ? corners : [];
  });
}
