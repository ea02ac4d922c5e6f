// Masks by name. True, or 1, means that the query (row) may attend to the key (column).
const square = (n, rule) =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (rule(i, j) ? 1 : 0)));

/** What each named mask lets query i see of key j; `size` is the number it needs, if any. */
const rules = {
  everything: () => true,
  causal: (i, j) => j <= i,
  padding: (_, j, size) => j < size,
  both: (i, j, size) => j <= i && j < size,
  prefix: (i, j, size) => j <= i || j < size,
  window: (i, j, size) => Math.abs(i - j) <= size,
};

export const named = (name, n, size = 0) => square(n, (i, j) => rules[name](i, j, size));

export const inverted = (mask) => mask.map((row) => row.map((x) => 1 - x));

/** How many of a row are allowed. */
export const allowed = (row) => row.reduce((sum, x) => sum + (x ? 1 : 0), 0);

/** Python's literal of the mask in a sense, and how PyTorch is given it. */
export function literal(mask, sense) {
  const cells = sense === "attend" ? mask : inverted(mask);
  const rows = cells.map((row) => `    [${row.join(", ")}],`).join("\n");
  const same = mask.every((row) => row.join() === mask[0].join());
  const call =
    sense === "attend"
      ? "F.scaled_dot_product_attention(\n    q, k, v, attn_mask=mask)"
      : same && mask.length > 1
        ? "attention(x, x, x, attn_mask=mask)\n# Its rows are alike, so one will do:\nattention(x, x, x,\n    key_padding_mask=mask[:1])"
        : "attention(x, x, x, attn_mask=mask)";
  return `mask = torch.tensor([\n${rows}\n]).bool()\n${call}`;
}
