// Positions: clocks, rotation, distance. Tests hold these equal to qkv.positions to 1e-6.

/** How far each pair turns at each position, in radians. */
export const thetas = (width, base) => Array.from({ length: width / 2 }, (_, i) => base ** ((-2 * i) / width));

/** PE(p): sine and cosine of each pair, interleaved. */
export const sinusoids = (p, angles) => angles.flatMap((t) => [Math.sin(p * t), Math.cos(p * t)]);

/** PE(p) → PE(p + k), without knowing p: every pair is turned by kθ. */
export const shift = (encoding, k, angles) =>
  angles.flatMap((t, i) => {
    const [s, c] = [encoding[2 * i], encoding[2 * i + 1]];
    const [sin, cos] = [Math.sin(k * t), Math.cos(k * t)];
    return [s * cos + c * sin, c * cos - s * sin];
  });

/** Rotary: each pair (x, y) of a query or key at position p, turned by pθ. */
export const rotate = (x, p, angles) =>
  angles.flatMap((t, i) => {
    const [sin, cos] = [Math.sin(p * t), Math.cos(p * t)];
    return [x[2 * i] * cos - x[2 * i + 1] * sin, x[2 * i] * sin + x[2 * i + 1] * cos];
  });

/** A key, and the query whose score with it is highest `back` positions later. */
export function pair(angles, back) {
  const key = angles.flatMap(() => [1, 0]);
  return { key, query: rotate(key, -back, angles) };
}

/** The slopes of ALiBi's heads; its bias at distance d is −slope · d. */
export const slopes = (heads) => Array.from({ length: heads }, (_, h) => 2 ** ((-8 * (h + 1)) / heads));
