// The book's symbols, typeset; where only letters can stand, with a raised or lowered letter.
import { html } from "lit-html";

export const dk = () => html`<math><msub><mi>d</mi><mi>k</mi></msub></math>`;
export const rootDk = () => html`<math><msqrt><msub><mi>d</mi><mi>k</mi></msub></msqrt></math>`;
