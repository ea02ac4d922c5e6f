// In which order a reader sees the options: each in one of their own, always the same.
import { recall, remember } from "../core/memory.js";

/** A number of 32 bits from a text: FNV-1a, then stirred so that near texts lie far apart. */
function hash(text) {
  let h = 0x811c9dc5;
  for (const letter of text) h = Math.imul(h ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The places 0 to count − 1 of the options of a question, as this reader sees them. */
export function order(reader, question, count) {
  const drawn = Array.from({ length: count }, (_, i) => [hash(`${reader} ${question} ${i}`), i]);
  return drawn.sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, i]) => i);
}

const forThisPage = String(Math.random());

/** Who reads: drawn once, and remembered; where nothing is remembered, for this page. */
export function reader() {
  const known = recall("qkv.reader") ?? forThisPage;
  remember("qkv.reader", known);
  return known;
}
