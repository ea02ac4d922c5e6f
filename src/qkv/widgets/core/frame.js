// What every widget shares that lit-html draws: see bare.js.
import { render } from "lit-html";
import { framed } from "./bare.js";

/** @typedef {import("./bare.js").Model} Model */
/** @typedef {import("./bare.js").Key} Key */
/**
 * @template [State=any], [Local=any]
 * @typedef {import("./bare.js").World<State, Local>} World
 */

/** @type {import("./bare.js").Hand} */
const lit = {
  draw: render,
  forget: (stage) => delete (/** @type {any} */ (stage)._$litPart$), // its memory of the children
};

/**
 * A front-end module.
 * @template State, Local
 * @param {string} name
 * @param {Parameters<typeof framed<State, Local>>[2]} parts
 */
export const widget = (name, parts) => framed(lit, name, parts);
