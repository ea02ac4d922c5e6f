// In which language a text is: a page in English has Korean words.
import { nothing } from "lit-html";

/** The attribute `lang` of an element that holds this text, where it is not the page's. */
export const korean = (text) => (/[\uac00-\ud7a3]/.test(text) ? "ko" : nothing);
