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

/** The index of the largest value, or −1 where there is no finite one. */
export function peak(row) {
  let best = -1;
  row.forEach((x, i) => {
    if (typeof x === "number" && (best < 0 || x > row[best])) best = i;
  });
  return best;
}
