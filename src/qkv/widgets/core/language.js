// In which language a text is: a page in English has Korean words.
const word = "[\\u1100-\\u11ff\\u3130-\\u318f\\uac00-\\ud7a3]+";
const words = new RegExp(`(${word}(?:[\\s,.?!]+${word})*)`);

export const isKorean = (text) => words.test(text);

/** A text cut where its language changes: every second part is Korean. */
export const byLanguage = (text) => text.split(words);
