// Byte pair encoding. Tests hold it equal to qkv.subwords, merge for merge and token for token.
//
// A token is a string here; one of bytes has a character of code 0 to 255 for each. Its id is its place in
// `tokens`: the units that the text is made of, by code point (of bytes all 256), then what each merge made.

/** @typedef {"character" | "jamo" | "byte"} By what is merged at first */
/** @typedef {{ unit: string[], count: number, text: string }} Word its units, how often it stands, how it is written */
/** @typedef {{ ids: number[], count: number }} Row a word as ids */
/** @typedef {{ a: number, b: number, id: number, count: number, equal: number, rival: number[] | undefined }} Merge equal: how many other pairs stand as often; rival: the first of them, if any */
/** @typedef {{ by: By, words: Word[], units: number, tokens: string[], merges: Merge[], ranks: Map<number, number>, kept: number[][][] }} Learnt units: how many tokens are none of a merge; kept: the words after every 50 merges */

const encoder = new TextEncoder();
const forms = { character: "NFC", jamo: "NFD", byte: "" };

/** A text in one form, so that what looks equal is equal; bytes are those that stand there. */
const formed = (text, by) => (forms[by] ? text.normalize(forms[by]) : text);

/**
 * What is merged at first: characters, jamo or bytes.
 * @param {string} text
 * @param {By} by
 */
export const units = (text, by) =>
  by === "byte" ? Array.from(encoder.encode(text), (b) => String.fromCharCode(b)) : [...formed(text, by)];

const marked = /^(.+)[×*]([1-9]\d{0,4})$/su;

/**
 * The words of a text, each with how often it stands there; able×5 counts five times.
 * @param {string} text
 * @param {By} by
 * @returns {Word[]}
 */
export function words(text, by) {
  const counts = new Map();
  for (const written of text.split(/\s+/).filter(Boolean)) {
    const [, word = written, times = "1"] = marked.exec(written) ?? [];
    const key = formed(word, by);
    counts.set(key, (counts.get(key) ?? 0) + Number(times));
  }
  return [...counts].map(([word, count]) => ({ unit: units(word, by), count, text: word.normalize("NFC") }));
}

/* ------------------------------------------------------------------ one merge */

// A pair of ids as one number, to be the key of a map: no text here has 65,536 tokens.
const key = (a, b) => a * 65536 + b;
const pairOf = (k) => [Math.floor(k / 65536), k % 65536];

/** Count the pairs of a word into `counts`, `times` over. */
function count(counts, { ids }, times) {
  for (let i = 1; i < ids.length; i++) {
    const k = key(ids[i - 1], ids[i]);
    const n = (counts.get(k) ?? 0) + times;
    if (n) counts.set(k, n);
    else counts.delete(k);
  }
}

/**
 * How often each pair stands in the words: [count, a, b], the most frequent first, and of equals that of lower ids.
 * @param {Row[]} rows
 * @returns {number[][]}
 */
export function pairs(rows) {
  const counts = new Map();
  for (const row of rows) count(counts, row, row.count);
  return [...counts].sort((x, y) => y[1] - x[1] || x[0] - y[0]).map(([k, n]) => [n, ...pairOf(k)]);
}

/**
 * Put a pair together wherever it stands, from left to right.
 * @param {number[]} ids
 * @param {Merge} merge
 */
export function merged(ids, { a, b, id }) {
  const made = [];
  for (let i = 0; i < ids.length; i++) {
    const joins = ids[i] === a && ids[i + 1] === b;
    made.push(joins ? id : ids[i]);
    if (joins) i++;
  }
  return made;
}

/** Does the pair stand in the word? */
function has(ids, a, b) {
  for (let i = ids.indexOf(a); i >= 0; i = ids.indexOf(a, i + 1)) if (ids[i + 1] === b) return true;
  return false;
}

/* ------------------------------------------------------------------ all of them */

/** The pair that stands most often, of equals that of the lowest ids; and how many others stand as often. */
function most(counts) {
  let [count, first, second, equal] = [0, 0, Infinity, 0];
  for (const [k, n] of counts)
    if (n > count) [count, first, second, equal] = [n, k, Infinity, 0];
    else if (n === count) {
      equal++;
      if (k < first) [first, second] = [k, first];
      else second = Math.min(second, k);
    }
  return { first, count, equal, rival: equal ? pairOf(second) : undefined };
}

const byCodePoint = (x, y) => (x.codePointAt(0) ?? 0) - (y.codePointAt(0) ?? 0);

/**
 * The units that are numbered first: of bytes all, else those of the words.
 * @param {Word[]} found
 * @param {By} by
 */
const alphabet = (found, by) =>
  by === "byte"
    ? Array.from({ length: 256 }, (_, b) => String.fromCharCode(b))
    : [...new Set(found.flatMap(({ unit }) => unit))].sort(byCodePoint);

const every = 50; // merges between two states of the words that are kept

/**
 * Learn every merge, until no pair is left. A merge changes the counts of the words that it stands in, and no others.
 * @param {string} text
 * @param {By} by
 * @returns {Learnt}
 */
export function learn(text, by) {
  const found = words(text, by);
  const tokens = alphabet(found, by);
  const units = tokens.length;
  const id = new Map(tokens.map((token, i) => [token, i]));
  const rows = found.map(({ unit, count }) => ({ ids: unit.map((u) => id.get(u) ?? -1), count }));
  const counts = new Map();
  for (const row of rows) count(counts, row, row.count);
  /** @type {Merge[]} */
  const merges = [];
  const ranks = new Map();
  const kept = [rows.map(({ ids }) => ids)];
  while (counts.size) {
    const { first, ...how } = most(counts);
    const [a, b] = pairOf(first);
    const token = tokens[a] + tokens[b];
    // Two merges may make the same token, aa + a and a + aa; it has one id.
    if (!id.has(token)) id.set(token, tokens.push(token) - 1);
    const merge = { a, b, id: id.get(token) ?? -1, ...how };
    if (!ranks.has(first)) ranks.set(first, merges.length);
    merges.push(merge);
    for (const row of rows) {
      if (!has(row.ids, a, b)) continue;
      count(counts, row, -row.count);
      row.ids = merged(row.ids, merge);
      count(counts, row, row.count);
    }
    if (merges.length % every === 0) kept.push(rows.map(({ ids }) => ids));
  }
  return { by, words: found, units, tokens, merges, ranks, kept };
}

/**
 * The words as they are after k merges.
 * @param {Learnt} learnt
 * @param {number} k
 * @returns {Row[]}
 */
export function rowsAfter({ words, merges, kept }, k) {
  const from = Math.floor(k / every);
  const steps = merges.slice(from * every, k);
  return kept[from].map((ids, i) => ({
    ids: steps.reduce((now, merge) => (has(now, merge.a, merge.b) ? merged(now, merge) : now), ids),
    count: words[i].count,
  }));
}

/* ------------------------------------------------------------------ encoding */

/**
 * Ids after the first k merges, in the order in which they were learnt, the leftmost of equals first.
 * @param {Learnt} learnt
 * @param {number[]} ids
 * @param {number} k
 */
export function encoded({ merges, ranks }, ids, k) {
  const made = [...ids];
  for (;;) {
    let [rank, at] = [k, 0];
    for (let i = 1; i < made.length; i++) {
      const r = ranks.get(key(made[i - 1], made[i])) ?? k;
      if (r < rank) [rank, at] = [r, i - 1];
    }
    if (rank === k) return made;
    made.splice(at, 2, merges[rank].id);
  }
}

/**
 * The longest token that stands at the beginning, again and again, as WordPiece does.
 * Nothing where a part of the word is no token.
 * @param {string[]} unit those of the word
 * @param {Map<string, number>} ids of the tokens that are known
 * @param {number} reach how many units the longest of them can have
 * @returns {number[] | undefined}
 */
export function longestMatch(unit, ids, reach) {
  const made = [];
  for (let start = 0; start < unit.length; ) {
    const tries = [];
    for (const u of unit.slice(start, start + reach)) tries.push((tries[tries.length - 1] ?? "") + u);
    while (tries.length && !ids.has(tries[tries.length - 1])) tries.pop();
    if (!tries.length) return undefined;
    made.push(ids.get(tries[tries.length - 1]) ?? -1);
    start += tries.length;
  }
  return made;
}

/** @typedef {{ from: number, to: number, order: number[], match: number[] | undefined }} Stretch merges from … to */

/**
 * A new word under every vocabulary, from no merge to all: stretches of merges that encode it alike.
 * A unit that is no token, the i-th of the word, is −1 − i.
 * @param {Learnt} learnt
 * @param {string[]} unit
 * @returns {Stretch[]}
 */
export function everySize(learnt, unit) {
  const known = new Map(learnt.tokens.slice(0, learnt.units).map((token, i) => [token, i]));
  const whole = unit.join("");
  let order = unit.map((u, i) => known.get(u) ?? -1 - i);
  let [match, reach] = [longestMatch(unit, known, 1), 1];
  const found = [{ from: 0, to: 0, order, match }];
  learnt.merges.forEach(({ a, b, id }, i) => {
    const [token, before, was] = [learnt.tokens[id], order, match];
    if (has(order, a, b)) order = encoded(learnt, order, i + 1);
    // Only a token that stands in the word can change what matches.
    if (whole.includes(token)) {
      reach = Math.max(reach, token.length);
      match = longestMatch(unit, known.set(token, id), reach);
    }
    if (order !== before || match?.join() !== was?.join()) found.push({ from: i + 1, to: i + 1, order, match });
    else found[found.length - 1].to = i + 1;
  });
  return found;
}
