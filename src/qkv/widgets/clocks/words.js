// The four words of two letters through attention: what is equal without positions, and what differs with them.
import { attention } from "../core/maths.js";
import { sinusoids } from "../core/places.js";

export const WORDS = ["AA", "AB", "BA", "BB"];

/** The vectors of the letters: always the same, about as long as an encoding. */
export const letters = (width) => ({
  A: Array.from({ length: width }, (_, i) => Math.cos(1 + 2 * i)),
  B: Array.from({ length: width }, (_, i) => Math.sin(1 + 3 * i)),
});

/**
 * Attention whose tokens are queries, keys and values at once; the sum of what comes out. Letters stand at
 * these places, or nowhere.
 * @param {number[]} angles of the clocks
 * @param {number[]} [places]
 */
export function summed(word, angles, places) {
  const alphabet = letters(2 * angles.length);
  const tokens = [...word].map((letter, i) => {
    const code = places ? sinusoids(places[i], angles) : [];
    return alphabet[letter].map((x, j) => x + (code[j] ?? 0));
  });
  const { output } = attention(tokens, tokens, tokens, undefined, Math.sqrt(2 * angles.length));
  return output[0].map((x, j) => x + output[1][j]);
}

/** How far two vectors are apart. */
export const apart = (a, b) => Math.hypot(...a.map((x, i) => x - b[i]));
