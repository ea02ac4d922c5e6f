// In which language a text is: a page in English has Korean words.
const words = /(\p{Script=Hangul}+(?:[\s,.?!]+\p{Script=Hangul}+)*)/u;

export const isKorean = (text) => words.test(text);

/** A text cut where its language changes: every second part is Korean. */
export const byLanguage = (text) => text.split(words);
