// What a widget computes itself. Tests hold these equal to qkv's own to 1e-6.

/** Numbers travel as numbers; null is masked, "nan", "inf" and "-inf" are themselves. */
export function decode(value) {
  if (value === null || value === "-inf") return -Infinity;
  if (value === "inf") return Infinity;
  return value === "nan" ? NaN : value;
}

/** Softmax of one row. A row with nothing to attend to gives zeros, never NaN. */
export function softmax(row) {
  const scores = row.map(decode);
  const top = Math.max(...scores);
  if (top === -Infinity) return scores.map(() => 0);
  if (top === Infinity) {
    const ties = scores.filter((s) => s === Infinity).length;
    return scores.map((s) => (s === Infinity ? 1 / ties : 0));
  }
  const exps = scores.map((s) => Math.exp(s - top));
  const total = exps.reduce((a, b) => a + b, 0);
  return exps.map((e) => e / total);
}

/** Σ_j weights[j] · rows[j]; a row of weight zero adds nothing, whatever it holds. */
export function weightedSum(weights, rows) {
  const sum = new Array(rows[0]?.length ?? 0).fill(0);
  weights.forEach((weight, j) => {
    if (weight !== 0) rows[j].forEach((x, k) => (sum[k] += weight * decode(x)));
  });
  return sum;
}

/** The mean of rows, number by number. */
export const meanOf = (rows) => rows[0].map((_, j) => rows.reduce((sum, row) => sum + row[j], 0) / rows.length);

/** The index of the largest value, or −1 where there is no finite one. */
export function peak(row) {
  let best = -1;
  row.forEach((x, i) => {
    if (typeof x === "number" && (best < 0 || x > row[best])) best = i;
  });
  return best;
}

/** A number as it travels: what is not finite is a word. */
export const encode = (x) => (Number.isFinite(x) ? x : Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf");

/** a · b, over the numbers that a has. */
export function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/**
 * Every step of attention. `may[i][j]` is true where query i may attend to key j; without
 * it, all may. `divisor` is √d_k, or 1.
 */
export function attention(q, k, v, may, divisor) {
  const scores = q.map((query) => k.map((key) => dot(query, key)));
  const scaled = scores.map((row) => row.map((s) => s / divisor));
  const masked = hide(scaled, may);
  const weights = masked.map(softmax);
  return { scores, scaled, masked, weights, output: weights.map((row) => weightedSum(row, v)) };
}

/** Scores with −∞ where a query may not attend. */
export const hide = (scores, may) =>
  may ? scores.map((row, i) => row.map((s, j) => (may[i][j] ? s : -Infinity))) : scores;

/** The corners of the smallest convex polygon around points, in order. */
export function hull(points) {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const left = (o, a, b) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
  const half = (list) => {
    const made = [];
    for (const p of list) {
      while (made.length > 1 && left(made.at(-2), made.at(-1), p) <= 0) made.pop();
      made.push(p);
    }
    return made.slice(0, -1);
  };
  return sorted.length < 3 ? sorted : [...half(sorted), ...half(sorted.reverse())];
}

/** base + Σ of the parts of the heads that are on: the logits of one answer. */
export const logits = (base, parts, off) =>
  base.map((b, v) => parts.reduce((sum, part, h) => (off.includes(h) ? sum : sum + decode(part[v])), decode(b)));
