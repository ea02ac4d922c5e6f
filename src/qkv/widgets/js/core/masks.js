// Masks by name. True, or 1, means that the query (row) may attend to the key (column).
const square = (n, rule) => Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (rule(i, j) ? 1 : 0)));

/** What each named mask lets query i see of key j; `size` is the number it needs, if any. */
const rules = {
  everything: () => true,
  causal: (i, j) => j <= i,
  padding: (i, j, size) => j < size,
  both: (i, j, size) => j <= i && j < size,
  prefix: (i, j, size) => j <= i || j < size,
  window: (i, j, size) => Math.abs(i - j) <= size,
};

export const named = (name, n, size = 0) => square(n, (i, j) => rules[name](i, j, size));

export const inverted = (mask) => mask.map((row) => row.map((x) => 1 - x));

/** How many of a row are allowed. */
export const allowed = (row) => row.reduce((sum, x) => sum + (x ? 1 : 0), 0);
