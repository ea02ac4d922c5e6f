// How numbers are dealt to heads and gathered again: reshaping, as tensors do it.

/** The numbers of a nested list in the order in which memory holds them. */
export const flat = (nested) => nested.flat(Infinity);

/** Read numbers in their order as a nested list of these sizes; none moves in memory. */
export function view(numbers, sizes) {
  const [size, ...rest] = sizes;
  if (!rest.length) return numbers;
  const inner = numbers.length / size;
  return Array.from({ length: size }, (_, i) => view(numbers.slice(i * inner, (i + 1) * inner), rest));
}

/** Swap the first two axes. */
export const swap = (nested) => nested[0].map((_, j) => nested.map((row) => row[j]));

/** "token d_model" → "head token d_head". */
export const split = (x, heads) => swap(view(flat(x), [x.length, heads, x[0].length / heads]));

/** The bug: the shape is right, and numbers of different tokens are mixed. */
export const splitByView = (x, heads) => view(flat(x), [heads, x.length, x[0].length / heads]);

/** "head token d_head" → "token d_model". */
export const merge = (parts) => view(flat(swap(parts)), [parts[0].length, parts.length * parts[0][0].length]);
