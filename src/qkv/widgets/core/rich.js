// Text with `code` and $formulas$ in it, which Python has cut into segments.
import { html } from "lit-html";
import { marked } from "./language.js";
import { formula } from "./mathml.js";

/** @typedef {{ text?: string, code?: string, math?: string, plain?: string }} Segment one of them; plain is what math was */

/** @param {Segment[]} segments */
export const rich = (segments) =>
  segments.map((s) =>
    s.code !== undefined ? html`<code>${s.code}</code>` : s.math !== undefined ? formula(s.math) : marked(s.text),
  );
