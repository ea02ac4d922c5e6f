/** At most `most` of 0…n−1, evenly spread, the first and the last among them. */
export function spread(n, most = 8) {
  if (n <= most) return Array.from({ length: n }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (n - 1)) / (most - 1)));
}
