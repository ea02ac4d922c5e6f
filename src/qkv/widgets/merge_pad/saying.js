// What is said of a step: why this pair, and what it makes of the new word.
import { html } from "lit-html";
import { marked } from "../core/korean.js";
import { counted } from "../core/text.js";
import { drawn, few, seen } from "./drawing.js";

/** @typedef {import("./merging.js").Learnt} Learnt */
/** @typedef {import("./merging.js").Merge} Merge */

export const unitNames = {
  character: { one: "character", many: "characters" },
  jamo: { one: "jamo", many: "jamo" },
  byte: { one: "byte", many: "bytes" },
};

/** A token in a sentence. */
const named = (learnt, id) => {
  const { text, whole } = drawn(learnt.tokens[id], learnt.by);
  return html`<b>${marked(few(text, learnt.by))}</b>${whole ? html` (${marked(whole)})` : ""}`;
};

/** @param {Learnt} learnt @param {number[]} pair */
const joined = (learnt, [a, b]) => html`${named(learnt, a)} + ${named(learnt, b)}`;

/** @param {Learnt} learnt @param {Merge} merge */
function reason(learnt, { count, equal, rival }) {
  const times = counted(count, "it stands once", "it stands {n} times");
  if (!rival) return html`because ${times}, more often than any other pair`;
  const pair = joined(learnt, rival);
  return equal === 1
    ? html`because ${times}, as often as ${pair}, and its ids are lower`
    : html`because ${times}, as often as ${pair} and ${counted(equal - 1, "{n} other pair", "{n} other pairs")}, and its ids are the lowest`;
}

/** What has become of the new word. */
function fate({ word, order, before }) {
  const name = marked(seen(word));
  const n = order.length;
  if (before && before.length !== n)
    return n === 1 ? html`; ${name} is now a single token` : html`; ${name} is now ${n} tokens`;
  if (before) return n === 1 ? html`; ${name} stays a single token` : html`; ${name} stays at ${n} tokens`;
  return n === 1 ? html`; ${name} is a single token` : html`; ${name} is ${n} tokens`;
}

/**
 * @param {Learnt} learnt
 * @param {{ k: number, word: string, order: number[], before: number[] | undefined }} now before: under one merge less
 */
export function saying(learnt, { k, word, order, before }) {
  const { merges, by } = learnt;
  const merge = merges[k - 1];
  const end = word ? fate({ word, order, before }) : "";
  const last = k === merges.length ? " No pair is left: each word of the text is one token." : "";
  if (merge)
    return html`Merge ${k}: ${joined(learnt, [merge.a, merge.b])} → ${named(learnt, merge.id)}, ${reason(learnt, merge)}${end}.${last}`;
  if (!merges.length) return html`No merge is possible: each word of the text is one ${unitNames[by].one}${end}.`;
  const next = merges[0];
  return html`No merge yet: each token is one ${unitNames[by].one}${end}. The first will be ${joined(learnt, [next.a, next.b])}, ${reason(learnt, next)}.`;
}
