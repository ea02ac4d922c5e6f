// Text with `code` and $formulas$ in it, which Python has cut into segments.
import { html } from "lit-html";
import { formula } from "./mathml.js";

export const rich = (segments) =>
  segments.map((s) =>
    s.code !== undefined ? html`<code>${s.code}</code>` : s.math !== undefined ? formula(s.math) : s.text,
  );
