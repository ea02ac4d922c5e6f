// In which language a text is: a page in English has Korean words.
import { html, nothing } from "lit-html";

const word = "[\\u1100-\\u11ff\\u3130-\\u318f\\uac00-\\ud7a3]+";
const words = new RegExp(`(${word}(?:[\\s,.?!]+${word})*)`);

/** The attribute `lang` of an element that holds this text, where it is not the page's. */
export const korean = (text) => (words.test(text) ? "ko" : nothing);

/** A text whose Korean words say that they are Korean. */
export const marked = (text) =>
  words.test(text) ? text.split(words).map((part, i) => (i % 2 ? html`<span lang="ko">${part}</span>` : part)) : text;
