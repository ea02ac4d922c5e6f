// Korean in what lit-html draws: elements that say in which language their text is.
import { html, nothing } from "lit-html";
import { byLanguage, isKorean } from "./language.js";

/** The attribute `lang` of an element that holds this text, where it is not the page's. */
export const korean = (text) => (isKorean(text) ? "ko" : nothing);

/** A text whose Korean words say that they are Korean. */
export const marked = (text) =>
  isKorean(text) ? byLanguage(text).map((part, i) => (i % 2 ? html`<span lang="ko">${part}</span>` : part)) : text;
