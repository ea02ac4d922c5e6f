// MaskPainter: paint who may attend to whom; every row of weights follows.

import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { cellStyle } from "../core/colours.js";
import { choice, sentence } from "../core/controls.js";
import { fieldNote, numberField } from "../core/fields.js";
import { focus } from "../core/focus.js";
import { widget } from "../core/frame.js";
import { marked } from "../core/korean.js";
import { allowed, inverted, literal, named } from "../core/masks.js";
import { hide, peak, softmax } from "../core/maths.js";
import { scroll } from "../core/scroll.js";
import { chance, counted, shown } from "../core/text.js";

/**
 * @typedef {object} State
 * @property {string[]} tokens
 * @property {number[][]} scores
 * @property {number[]} lengths
 * @property {number[][]} mask 1 where a query may attend
 * @property {string} preset the name of the mask, or "own"
 * @property {number} length
 * @property {number} prefix
 * @property {number} width
 * @property {number} row
 * @property {number} column
 * @property {"attend" | "hidden"} sense
 */
/** @typedef {{ brush: { i?: number, j?: number, value: number } }} Brush where a press began, and what it paints */
/** @typedef {Brush & import("../core/fields.js").Typing} Local */
/** @typedef {import("../core/frame.js").World<State, Local>} W */

// name: what its button says, the trait with its number, what that number is, what the mask is for.
const presets = {
  everything: { title: "everything", use: "Every query may attend to every key: an encoder without padding." },
  causal: { title: "causal", use: "Only itself and what came before: nobody sees the future." },
  padding: {
    title: "padding",
    size: "length",
    ask: "real tokens",
    use: "The keys that only fill up the row are hidden from everyone.",
  },
  both: { title: "causal + padding", size: "length", ask: "real tokens", use: "Allowed is what both allow." },
  prefix: {
    title: "prefix",
    size: "prefix",
    ask: "prefix length",
    use: "The prefix is open to everyone; after it, causal.",
  },
  window: {
    title: "window",
    size: "width",
    ask: "reach to each side",
    use: "Only the neighbours, so many to each side.",
  },
};

/** @param {W} w */
function missing(w) {
  const n = w.get("tokens")?.length ?? 0;
  if (!n) return "it has no tokens";
  for (const name of /** @type {const} */ (["mask", "scores"])) {
    const rows = w.get(name) ?? [];
    if (rows.length !== n || rows.some((row) => row.length !== n))
      return counted(n, `{n} token but ${name} is not ${n} × ${n}`, `{n} tokens but ${name} is not ${n} × ${n}`);
  }
  return "";
}

/* ------------------------------------------------------------------ choosing */

/** @param {W} w */
function preset(w, name, sizes = {}) {
  const size = sizes[presets[name].size] ?? w.get(presets[name].size);
  w.set({ ...sizes, preset: name, mask: named(name, w.get("tokens").length, size) });
}

/** @param {W} w */
function number(w) {
  const { size, ask } = presets[w.get("preset")] ?? {};
  if (!size) return nothing;
  const n = w.get("tokens").length;
  const put = (x) => preset(w, w.get("preset"), { [size]: x });
  const lengths = w.get("lengths");
  const sentences = html`<label>sentence
    <select @change=${(e) => put(lengths[+e.target.value])} .value=${live(String(lengths.indexOf(w.get("length"))))}>
      <option value="-1" hidden>of your own</option>
      ${lengths.map((length, i) => html`<option value=${i} ?selected=${length === w.get("length")}>${i + 1}, of ${length}</option>`)}
    </select></label>`;
  return html`${size === "length" && lengths.length > 1 ? sentences : nothing}
    <label>${ask} ${numberField(w, { id: size, value: w.get(size), label: ask, min: 0, max: n, step: 1, whole: true, put })}</label>`;
}

/** @param {W} w */
function choosing(w) {
  const now = w.get("preset");
  if (w.still) return html`<p class="qkv-input">Mask: <b>${presets[now]?.title ?? "painted by hand"}</b></p>`;
  return html`<div class="qkv-outputs" role="group" aria-label="Masks by name">
      ${Object.entries(presets).map(
        ([name, { title }]) =>
          html`<button type="button" class="qkv-pick" data-preset=${name} aria-pressed=${name === now} @click=${() => preset(w, name)}>${title}</button>`,
      )}
      <button type="button" data-act="invert" @click=${() => w.set({ preset: "own", mask: inverted(w.get("mask")) })}>Swap allowed and hidden</button>
    </div>
    <div class="qkv-inputs qkv-sizes">${number(w)}<span class="qkv-hint">${presets[now]?.use ?? "Painted by hand."}</span></div>
    ${fieldNote(w, `Type a whole number from 0 to ${w.get("tokens").length}.`)}`;
}

/* ------------------------------------------------------------------ painting */

/** @param {W} w */
function paint(w, i, j, value) {
  const mask = w.get("mask");
  w.set({
    preset: "own",
    row: i,
    column: j,
    mask: mask.map((row, r) => (r === i ? row.map((x, c) => (c === j ? value : x)) : row)),
  });
}

/**
 * Move the focus by arrows, as in a spreadsheet.
 * @param {W} w
 */
function walk(w, event, i, j) {
  const n = w.get("tokens").length;
  const { key } = event;
  const to = {
    ArrowUp: [i - 1, j],
    ArrowDown: [i + 1, j],
    ArrowLeft: [i, j - 1],
    ArrowRight: [i, j + 1],
    Home: [i, 0],
    End: [i, n - 1],
  }[key];
  if (!to || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation();
  const [row, column] = to.map((x) => Math.min(Math.max(x, 0), n - 1));
  w.set({ row, column });
  focus(w, `[data-cell="${row}-${column}"]`);
}

const cellText = (weight) =>
  weight === 0 ? "0" : weight > 0.995 && weight < 1 ? ">.99" : weight < 0.005 ? "<.01" : weight.toFixed(2);

/** @param {W} w */
function cell(w, a, i, j) {
  const may = a.mask[i][j];
  const weight = a.weights[i][j];
  const style = may ? cellStyle(weight, "unit", 1) : "";
  const text = may ? cellText(weight) : "–";
  if (w.still) return html`<td class=${may ? "" : "qkv-mask"} style=${style}>${text}</td>`;
  // A press paints when it ends; a press that moves on paints every cell it comes through.
  const down = (e) => (w.local.brush = e.pointerType === "mouse" ? { i, j, value: 1 - may } : undefined);
  const enter = (e) => {
    const brush = w.local.brush;
    if (!brush || !(e.buttons & 1) || (brush.i === i && brush.j === j)) return;
    if (brush.i !== undefined) paint(w, brush.i, brush.j, brush.value);
    w.local.brush = { value: brush.value };
    paint(w, i, j, brush.value);
  };
  const label = `query ${a.tokens[i]}, key ${a.tokens[j]}: ${may ? `may attend, weight ${chance(weight)}` : "hidden"}`;
  return html`<td><button
    type="button" class="qkv-dab ${may ? "" : "qkv-mask"}" style=${style} data-cell="${i}-${j}" aria-label=${label} aria-pressed=${may ? "true" : "false"}
    tabindex=${i === a.row && j === a.column ? 0 : -1}
    @click=${() => paint(w, i, j, 1 - w.get("mask")[i][j])} @keydown=${(e) => walk(w, e, i, j)} @pointerdown=${down} @pointerenter=${enter}
  >${text}</button></td>`;
}

/** The letters of the longest name, a Hangul syllable being wider: every column has room for it. */
const longest = (tokens) => Math.max(...tokens.map((t) => [...t].reduce((n, c) => n + (c < "\u1100" ? 1 : 1.7), 0)));

/** @param {W} w */
function grid(w, a) {
  const sum = (i) => (allowed(a.mask[i]) ? "1" : "0");
  return html`${scroll(
    w,
    "The mask and its weights",
    html`<table class="qkv-paint" style="--wide:${longest(a.tokens)}" role=${w.still ? nothing : "grid"} aria-label="Weights: each query a row, each key a column">
    <thead><tr><th scope="col" class="qkv-corner">query ↓<br />key →</th>${a.tokens.map((t) => html`<th scope="col"><span>${marked(t)}</span></th>`)}<th scope="col">sum</th></tr></thead>
    <tbody>${a.tokens.map(
      (token, i) => html`<tr class=${i === a.row && !w.still ? "qkv-asks" : ""}>
        <th scope="row">${marked(token)}</th>${a.tokens.map((_, j) => cell(w, a, i, j))}
        <td class="qkv-sum ${sum(i) === "0" ? "qkv-lost" : ""}">${sum(i)}</td>
      </tr>`,
    )}</tbody>
  </table>`,
  )}
  <p class="qkv-legend"><span class="qkv-key qkv-mask">–</span> hidden: scores −∞, weighs 0${w.still ? nothing : html`<span class="qkv-hint">Click or drag to paint; or arrow keys, then Enter.</span>`}</p>`;
}

function words(a) {
  const { row, mask, weights, tokens } = a;
  const n = allowed(mask[row]);
  const token = `“${tokens[row]}”`;
  if (!n) return `${token} may attend to nothing: its weights are all zero.`;
  const [best, all] = [peak(weights[row]), tokens.length];
  const share = chance(weights[row][best]);
  if (n === 1)
    return `${token} may attend to 1 of ${all} keys: all its weight goes to “${tokens[best]}”, and the row sums to 1.`;
  const most = tokens.filter((_, j) => Math.abs(weights[row][j] - weights[row][best]) < 1e-9);
  if (most.length === n)
    return `${token} may attend to ${n} of ${all} keys: each gets ${share}, and the row sums to 1.`;
  return most.length === 1
    ? `${token} may attend to ${n} of ${all} keys: most goes to “${tokens[best]}” (${share}), and the row sums to 1.`
    : `${token} may attend to ${n} of ${all} keys: ${most.map((t) => `“${t}”`).join(" and ")} get most, ${share} each, and the row sums to 1.`;
}

/**
 * What happens in rows with nothing left, here and with a plain softmax.
 * @param {W} w
 */
function lost(w, a) {
  const empty = a.tokens.filter((_, i) => !allowed(a.mask[i]));
  if (!empty.length) return nothing;
  const names = empty.map((t) => `“${t}”`).join(", ");
  const n = a.tokens.length;
  const row = (words, value) =>
    html`<tr><th scope="row">${words}</th>${a.tokens.map(() => html`<td class=${value === "NaN" ? "qkv-nan" : ""}>${value}</td>`)}</tr>`;
  return html`<div class="qkv-nothing" role="note">
    <div class="qkv-h">Nothing left for ${marked(names)}</div>
    ${scroll(
      w,
      "A row with nothing left",
      html`<table>
      <tbody>${row("here", "0")}${row("torch.softmax", "NaN")}</tbody>
    </table>`,
    )}
    <p>All ${n} scores are −∞. A softmax divides by the sum of their exponentials, and e to the −∞ is 0: it computes 0 / 0, which is NaN (not a number). PyTorch's softmax gives that NaN; one layer later it has spread to every token, because 0 × NaN is NaN too. This book gives such a row zeros, and gradients of zero: its output is 0, and nothing spreads.</p>
  </div>`;
}

/* ------------------------------------------------------------------ two senses of True */

const senses = [
  ["attend", "True = may attend"],
  ["hidden", "True = hidden"],
];
const users = {
  attend: "This book's sense, and that of F.scaled_dot_product_attention (attn_mask).",
  hidden: "The sense of nn.MultiheadAttention (below: attention), for its attn_mask and its key_padding_mask.",
};

/** @param {W} w */
function asPython(w, a) {
  const sense = w.get("sense") === "hidden" ? "hidden" : "attend";
  return html`<div class="qkv-python">
    <div class="qkv-h">The same mask for PyTorch <small>1 is True</small></div>
    ${w.still ? html`<p>${Object.fromEntries(senses)[sense]}</p>` : choice(w, { legend: "Written with", name: "sense", options: senses, chosen: sense, pick: (s) => w.set({ sense: s }) })}
    <p class="qkv-hint">${users[sense]} Read in the other sense, it hides what it should show.</p>
    <pre class="qkv-code" tabindex=${w.still ? nothing : 0} aria-label="The mask as Python">${literal(a.mask, sense)}</pre>
  </div>`;
}

/* ------------------------------------------------------------------ all of it */

/** @param {W} w */
function follow(w) {
  const tokens = w.get("tokens").map(shown);
  const mask = w.get("mask");
  const within = (x) => Math.min(Math.max(x, 0), tokens.length - 1);
  const weights = hide(w.get("scores"), mask).map(softmax);
  return { tokens, mask, weights, row: within(w.get("row")), column: within(w.get("column")) };
}

/** @param {W} w */
function view(w) {
  const a = follow(w);
  return html`${choosing(w)}
    <div class="qkv-two ${a.tokens.length < 8 ? "qkv-masking" : ""}">
      <div class="qkv-map">${grid(w, a)}${sentence(w, words(a))}${lost(w, a)}</div>
      ${asPython(w, a)}
    </div>`;
}

/** @param {W} w */
function stills(w) {
  const a = follow(w);
  return [
    {
      caption: a.tokens
        .map((_, row) => words({ ...a, row }))
        .slice(0, 4)
        .join(" "),
      state: {},
    },
  ];
}

export default widget("mask-painter", { missing, view, stills });
