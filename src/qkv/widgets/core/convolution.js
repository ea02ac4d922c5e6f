// A convolutional network's steps for one picture, held equal to torch's by tests. Its batch norm is folded into the
// convolutions before it is saved.

/**
 * A picture of patterns: "channel row column", flat, as torch keeps it.
 * @typedef {{ shape: number[], data: Float32Array }} Maps
 */
/** @typedef {{ weight: Maps, bias?: { data: Float32Array } }} Convolution weight: "out in row column", an odd side */

/** What a picture with these sizes holds before anything is in it. */
const empty = (shape) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b)) });

/**
 * A picture of nested lists "channel row column", flat.
 * @param {number[][][]} image
 * @returns {Maps}
 */
export const maps = (image) => ({
  shape: [image.length, image[0].length, image[0][0].length],
  data: Float32Array.from(image.flat(2)),
});

/**
 * Convolve with stride 1; around the picture stand zeros, so that it keeps its size. A side of 1 is a linear layer
 * at each place.
 * @param {Maps} picture
 * @param {Convolution} convolution
 * @returns {Maps}
 */
export function convolve({ shape: [, rows, columns], data }, { weight, bias }) {
  const [out, channels, side] = weight.shape;
  const [half, size] = [(side - 1) / 2, rows * columns];
  const made = empty([out, rows, columns]);
  const sums = new Float64Array(size);
  for (let o = 0; o < out; o++) {
    sums.fill(bias ? bias.data[o] : 0);
    for (let k = 0, at = o * channels * side * side; k < channels * side * side; k++, at++) {
      const [from, i, j] = [
        Math.floor(k / side / side) * size,
        (Math.floor(k / side) % side) - half,
        (k % side) - half,
      ];
      for (let r = Math.max(0, -i); r < Math.min(rows, rows - i); r++)
        for (let c = Math.max(0, -j); c < Math.min(columns, columns - j); c++)
          sums[r * columns + c] += weight.data[at] * data[from + (r + i) * columns + c + j];
    }
    made.data.set(sums, o * size);
  }
  return made;
}

/**
 * The largest of each square of `side` × `side`; what is left over at the end of a row or column is not looked at.
 * @param {Maps} picture
 * @returns {Maps}
 */
export function maxPool({ shape: [channels, rows, columns], data }, side = 2) {
  const [high, wide] = [rows, columns].map((n) => Math.floor(n / side));
  const made = empty([channels, high, wide]);
  made.data.forEach((_, at) => {
    const [channel, r, c] = [Math.floor(at / high / wide), Math.floor(at / wide) % high, at % wide];
    let most = -Infinity;
    for (let i = 0; i < side; i++)
      for (let j = 0; j < side; j++)
        most = Math.max(most, data[(channel * rows + r * side + i) * columns + c * side + j]);
    made.data[at] = most;
  });
  return made;
}

/** @param {Maps} picture @returns {Maps} */
export const relu = ({ shape, data }) => ({ shape, data: data.map((x) => Math.max(0, x)) });

/**
 * The places of a picture in the order in which one reads, each the numbers that its channels hold there.
 * @param {Maps} picture
 */
export function placesOf({ shape: [channels, rows, columns], data }) {
  const size = rows * columns;
  return Array.from({ length: size }, (_, p) => Float32Array.from({ length: channels }, (_, c) => data[c * size + p]));
}
