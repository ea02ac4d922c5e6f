// Words that a reader typed, and the known ones nearest to them.

/** How many letters must be put in, taken out, changed or swapped to make b of a. */
export function edits(a, b) {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      rows[i][j] = Math.min(change, rows[i - 1][j] + 1, rows[i][j - 1] + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.length][b.length];
}

/** The known words nearest to one, by the share of letters that would have to change. */
export function nearest(word, known, count = 3) {
  const typed = word.toLowerCase();
  const far = (other) => edits(typed, other.toLowerCase()) / Math.max(typed.length, other.length);
  return known
    .map((other) => [far(other), other])
    .sort((a, b) => a[0] - b[0])
    .slice(0, count)
    .map(([, other]) => other);
}

/** Typed text as words: without a full stop, "don't" as "do not", and as the known ones are written. */
export function wordsOf(text, known) {
  const exact = new Set(known);
  const written = new Map(known.map((word) => [word.toLowerCase(), word]));
  const typed = text
    .normalize("NFC") // a letter and its marks as one character, as known words have it
    .replaceAll("’", "'")
    .replace(/[\s.!?]+$/, "")
    .split(/\s+/)
    .filter(Boolean);
  return typed
    .flatMap((word) => (!exact.has(word) && /n't$/i.test(word) ? [word.slice(0, -3), "not"] : [word]))
    .map((word) => (exact.has(word) ? word : (written.get(word.toLowerCase()) ?? word)));
}
