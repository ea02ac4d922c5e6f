// Text with `code` and $formulas$ in it, which Python has cut into segments.
import { h } from "./elements.js";
import { byLanguage } from "./language.js";
import { formula } from "./mathml.js";

/** @typedef {{ text?: string, code?: string, math?: string, plain?: string }} Segment one of them; plain is what math was */

/** A text whose Korean words say that they are Korean. */
const marked = (text) => byLanguage(text).map((part, i) => (i % 2 ? h("span", { lang: "ko" }, part) : part));

/**
 * The same as plain text, to be said.
 * @param {Segment[]} segments
 */
export const plain = (segments) => segments.map((s) => s.text ?? s.code ?? s.plain ?? "").join("");

/** @param {Segment[]} segments */
export const rich = (segments) =>
  segments.map((s) =>
    s.code !== undefined ? h("code", {}, s.code) : s.math !== undefined ? formula(s.math) : marked(s.text),
  );
