// Plain elements, for the small widgets that stand many times on a page: a notebook stores
// a module with each of them, and lit-html would be half of it.
import { framed } from "./bare.js";

/** @typedef {Node | string | number | undefined | false | Content[]} Content */

/** @type {WeakMap<Node, { [name: string]: unknown }>} */
const properties = new WeakMap();

/**
 * An element. `traits` are its attributes; functions, and what has a dot before its name, are properties. What is
 * undefined or false is left out.
 * @param {string} name
 * @param {{ [name: string]: unknown }} traits
 * @param {...Content} content
 */
export function h(name, traits, ...content) {
  const made = document.createElement(name);
  /** @type {{ [name: string]: unknown }} */
  const own = {};
  for (const [key, value] of Object.entries(traits)) {
    if (value === undefined || value === false) continue;
    if (key[0] === "." || typeof value === "function") own[key.replace(".", "")] = value;
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  properties.set(made, own);
  Object.assign(made, own);
  made.append(.../** @type {any[]} */ (content.flat(9)).filter((part) => part !== undefined && part !== false));
  made.normalize();
  return made;
}

const alike = (now, next) => now.nodeName === next.nodeName && now.dataset?.act === next.dataset?.act;

/** Make `now` what `next` is. It stays in its place, with the focus and what is being typed. */
function become(now, next) {
  if (!now.attributes) {
    now.data = next.data;
    return;
  }
  for (const { name } of [...now.attributes]) if (!next.hasAttribute(name)) now.removeAttribute(name);
  for (const { name, value } of next.attributes) if (now.getAttribute(name) !== value) now.setAttribute(name, value);
  const own = properties.get(next) ?? {};
  for (const key in properties.get(now)) if (!(key in own)) now[key] = null;
  for (const key in own) if (now[key] !== own[key]) now[key] = own[key];
  properties.set(now, own);
  fill(now, [...next.childNodes]);
}

/** Give an element these children; those that are there and of the same kind stay. */
function fill(parent, wanted) {
  wanted.forEach((next, i) => {
    const now = parent.childNodes[i];
    if (!now) parent.append(next);
    else if (alike(now, next)) become(now, next);
    else now.replaceWith(next);
  });
  while (parent.childNodes.length > wanted.length) parent.lastChild.remove();
}

/** @type {import("./bare.js").Hand} */
const hand = { draw: (view, stage) => fill(stage, [...h("div", {}, view).childNodes]), forget() {} };

/**
 * A front-end module whose view is such elements.
 * @template State, Local
 * @param {string} name
 * @param {Parameters<typeof framed<State, Local>>[2]} parts
 */
export const widget = (name, parts) => framed(hand, name, parts);
