// Search over the sections of the book: ranks the rows of search-index.js, and shows them.
//
// The package comes last. Before it, places that have all the words come before those that
// have some. A word counts most where it is introduced, in bold, or stands in a heading; a
// chapter counts more than other pages, and these more than exercises and solutions.
// Korean forms stand for their terms, and so do short forms that the text has not.
(() => {
  /** @typedef {{ title: string, part: string, kind: number, address: string, sections: string[][] }} Page */
  /** @type {{ pages: Page[], forms: Record<string, string> }} */
  const { pages, forms } = globalThis.qkvIndex;
  const IN_TITLE = 5;
  const IN_TITLE_OF_PAGE = 8; // which has all that was asked for
  const IN_BOLD = 8;
  const TOGETHER = 1.6; // words that stand side by side, as they were asked for
  const OF_KIND = [1, 0.8, 0.4, 1]; // chapters, other pages, solutions; the package is last anyway
  const OF_REPEATED = 0.35; // exercises, and the terms of the glossary
  const OF_EVERY_CHAPTER = 0.3; // headings such as "Further reading"
  const PACKAGE = 3;
  const AT_MOST = 40;
  const little = new Set(
    "a an the of to in on is are be it its and or for with as at by do does what why how i my me we our you your not".split(
      " ",
    ),
  );

  // ---------------------------------------------------------------------------- words

  /** A word without the ending that its other forms have, too. */
  function stem(word) {
    if (!/^[a-z]{4,}$/.test(word)) return word;
    const base = word
      .replace(/ies$/, "y")
      .replace(/([^s])s$/, "$1")
      .replace(/(?:ing|ed)$/, "");
    if (base.length < 3) return word;
    return base.replace(/([bdgmnprt])\1$/, "$1").replace(/e$/, "");
  }

  const WORD = /[√\p{L}\p{N}_]+/gu;
  const plain = (text) =>
    text
      .normalize("NFC")
      .toLowerCase()
      .replace(/square root(?: of)?/g, "sqrt")
      .replace(/√/g, "sqrt ");
  const whole = (text) => (plain(text).match(WORD) ?? []).map(stem);
  const wordsOf = (text) => whole(text).flatMap((word) => [word, ...(word.includes("_") ? word.split("_") : [])]);

  const hangul = /[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]/;
  const longestFirst = Object.keys(forms).sort((a, b) => b.length - a.length);

  /** The English terms that Korean words stand for; words that are no term stay. */
  function translated(query) {
    const words = query.normalize("NFC").split(/\s+/);
    const korean = words.filter((word) => hangul.test(word));
    const others = words.filter((word) => !hangul.test(word)).map(spelledOut);
    let rest = korean.join("");
    const found = [];
    for (const form of longestFirst) {
      if (!hangul.test(form) || !rest.includes(form)) continue;
      found.push(forms[form]);
      rest = rest.replace(form, " ");
    }
    return [...others, ...(found.length ? found : korean)].join(" ");
  }

  /** A short form that stands in the list of terms alone is the term: RoPE. */
  const spelledOut = (word) =>
    (spread.get(stem(word.toLowerCase())) ?? 0) < 4 ? (forms[word.toLowerCase()] ?? word) : word;

  // ------------------------------------------------------------------------- the rows

  /** @type {Map<string, number>} */
  const headings = new Map();
  for (const { sections } of pages)
    for (const [, title] of sections) headings.set(title, (headings.get(title) ?? 0) + 1);

  function row(/** @type {Page} */ page, /** @type {string[]} */ section, place) {
    const [anchor, title, text, bold] = section;
    const repeats = Number(section[4]);
    /** @type {Map<string, number>} */
    const times = new Map();
    const words = wordsOf(`${title} ${text}`);
    for (const word of words) times.set(word, (times.get(word) ?? 0) + 1);
    const heading = new Set(wordsOf(title));
    const inBold = bold
      .split("|")
      .map(whole)
      .filter((phrase) => phrase.length);
    const shared = (headings.get(title) ?? 0) > 3 ? OF_EVERY_CHAPTER : 1;
    const weight = OF_KIND[page.kind] * shared * (repeats ? OF_REPEATED : 1);
    const said = ` ${words.join(" ")} `;
    return { page, anchor, title, text, place, times, heading, inBold, weight, said, length: words.length };
  }

  const rows = pages.flatMap((page) => page.sections.map((section, place) => row(page, section, place)));
  /** @typedef {(typeof rows)[number]} Row */
  const meanLength = rows.reduce((sum, row) => sum + row.length, 0) / rows.length;
  /** @type {Map<string, number>} */
  const spread = new Map();
  for (const row of rows) for (const word of row.times.keys()) spread.set(word, (spread.get(word) ?? 0) + 1);

  /** How much a word tells: the fewer places have it, the more. */
  const telling = (word) => Math.log(1 + rows.length / (1 + (spread.get(word) ?? 0)));

  /** The words of the index that a word of the query stands for: itself, or those it begins. */
  function meant(word) {
    if (spread.has(word) || word.length < 3) return [word];
    return [...spread.keys()].filter((other) => other.startsWith(word));
  }

  function worth(/** @type {Row} */ row, word, asked, introduced) {
    const times = row.times.get(word) ?? 0;
    if (!times) return 0;
    const often = times / (times + 0.6 + (0.9 * row.length) / meanLength);
    const isPage = row.place === 0 && asked.every((each) => row.heading.has(each));
    const inTitle = row.heading.has(word) ? (isPage ? IN_TITLE_OF_PAGE : IN_TITLE) : 0;
    return telling(word) * (often * 2.2 + inTitle + (introduced.has(word) ? IN_BOLD : 0));
  }

  /** What a place sets in bold of the words asked for: a term with no others, or a part of one. */
  function introducedIn(/** @type {Row} */ row, asked) {
    const all = new Set(asked);
    const terms = row.inBold.filter(
      (term) => term.every((word) => all.has(word)) || asked.every((word) => term.includes(word)),
    );
    return new Set(terms.flat().filter((word) => all.has(word)));
  }

  const last = ({ row }) => Number(row.page.kind === PACKAGE);

  function search(query) {
    const words = whole(translated(query));
    const asked = [...new Set(words)].map((word) => ({ word, meant: meant(word) }));
    const needed = asked.filter(({ word }) => !little.has(word));
    const counted = needed.length ? needed : asked;
    const phrase = counted.length > 1 ? ` ${counted.map(({ word }) => word).join(" ")} ` : "-";
    const together = (row) => (row.said.includes(phrase) ? TOGETHER : 1);
    const terms = counted.map(({ word }) => word);
    const judged = (row) => {
      const introduced = introducedIn(row, terms);
      const best = ({ meant: all }) => Math.max(0, ...all.map((word) => worth(row, word, terms, introduced)));
      return {
        row,
        covered: counted.filter((each) => best(each) > 0).length,
        score: row.weight * together(row) * asked.reduce((sum, each) => sum + best(each), 0),
        words: asked.flatMap((each) => each.meant),
      };
    };
    return rows
      .map(judged)
      .filter((each) => each.covered > 0)
      .sort((a, b) => last(a) - last(b) || b.covered - a.covered || b.score - a.score)
      .slice(0, AT_MOST);
  }

  // ------------------------------------------------------------------------- the page

  /** Some words around the first that were asked for. */
  function excerpt(text, words) {
    const asked = new Set(words);
    const spots = [...text.matchAll(/[√\p{L}\p{N}_]+/gu)].filter((m) => wordsOf(m[0]).some((word) => asked.has(word)));
    const from = Math.max(0, (spots[0]?.index ?? 0) - 70);
    const start = from ? text.indexOf(" ", from) + 1 : 0;
    const end = text.length > start + 200 ? text.lastIndexOf(" ", start + 200) : text.length;
    const parts = [];
    let at = start;
    for (const m of spots) {
      if (m.index < start || m.index + m[0].length > end) continue;
      parts.push(...said(text.slice(at, m.index)), element("mark", said(m[0])));
      at = m.index + m[0].length;
    }
    parts.push(...said(text.slice(at, end)), end < text.length ? " …" : "");
    return element("p", [start ? "… " : "", ...parts]);
  }

  /** A text whose symbols are typeset, and whose Korean says that it is. */
  const said = (text) =>
    text.split(/((?<!\w)√?[A-Za-zα-ω]_[a-z]+(?!\w)|[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]+)/).map((part, i) => {
      if (i % 2 === 0) return part;
      if (hangul.test(part)) return element("span", [part], { lang: "ko" });
      const [name, index] = part.split("_");
      return element("var", [name, element("sub", [index])]);
    });

  function element(tag, children, attributes = {}) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  function shown({ row, words }) {
    const href = row.page.address + (row.place ? `#${row.anchor}` : "");
    const link = element("a", said(row.title), { href });
    const where = [row.page.part, row.title === row.page.title ? "" : row.page.title].filter(Boolean).join(" · ");
    const place = element("small", where ? said(where) : []);
    return element("li", [element("div", [link, " ", place]), row.text ? excerpt(row.text, words) : ""]);
  }

  const status = /** @type {HTMLElement} */ (document.getElementById("book-search-status"));
  const list = /** @type {HTMLElement} */ (document.getElementById("book-search-found"));
  const inputs = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('input[name="q"]'));

  function answer(query) {
    const found = query.trim() ? search(query) : [];
    list.replaceChildren(...found.map(shown));
    const many = found.length === AT_MOST ? `the best ${AT_MOST} places` : `${found.length} places`;
    const count = found.length === 1 ? "one place" : found.length ? many : "nothing";
    status.textContent = query.trim() ? `Found: ${count}.` : "";
  }

  const query = new URLSearchParams(location.search).get("q") ?? "";
  for (const input of inputs) input.value = query;
  answer(query);
  const own = inputs[inputs.length - 1];
  let waiting = 0;
  own.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      answer(own.value);
      history.replaceState(null, "", `?q=${encodeURIComponent(own.value)}`);
    }, 150);
  });
})();
