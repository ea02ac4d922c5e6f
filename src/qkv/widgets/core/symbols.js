// The book's symbols, typeset.
import { html } from "lit-html";

export const dk = () => html`<math><msub><mi>d</mi><mi>k</mi></msub></math>`;
export const rootDk = () => html`<math><msqrt><msub><mi>d</mi><mi>k</mi></msub></msqrt></math>`;
export const dModel = () => html`<math><msub><mi>d</mi><mtext>model</mtext></msub></math>`;
export const dHead = () => html`<math><msub><mi>d</mi><mtext>head</mtext></msub></math>`;
