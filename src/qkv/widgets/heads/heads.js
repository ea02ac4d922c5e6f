// Heads: each number's way through split, attend, merge; and what each head is worth.

import { html, nothing } from "lit-html";
import { guard } from "lit-html/directives/guard.js";
import { live } from "lit-html/directives/live.js";
import { cellStyle } from "../core/colours.js";
import { choice, controls, sentence } from "../core/controls.js";
import { focus, hasFocus } from "../core/focus.js";
import { widget } from "../core/frame.js";
import { logits, peak, softmax } from "../core/maths.js";
import { scroll } from "../core/scroll.js";
import { flat, merge, view as reshape, split, splitByView, swap } from "../core/split.js";
import { dHead, dModel } from "../core/symbols.js";
import { chance, counted, shown } from "../core/text.js";
import { thumbs } from "../core/thumb.js";

/**
 * @typedef {object} State
 * @property {"split" | "heads"} tab
 * @property {number} step
 * @property {string} follow the number that is followed
 * @property {number[][][]} weights head query key
 * @property {string[]} tokens
 * @property {[string, number][]} looks where each head looks, and how much
 * @property {string} note
 * @property {number} head
 * @property {number} token
 * @property {number[]} off
 * @property {number[][][][]} parts head token answer vocab
 * @property {number[][][]} base
 * @property {string[]} answers
 * @property {string[]} vocabulary
 * @property {number[][]} truth
 */
/** @typedef {import("../core/frame.js").World<State>} W */

// ---- split and merge: x of 3 tokens with 4 features each, in 2 heads

const [names, width, heads] = [["a", "b", "c"], 4, 2];
const size = width / heads;
const x = names.map((token) => Array.from({ length: width }, (_, k) => `${token}${k + 1}`));
const headOf = (number) => Math.floor((number.slice(1) - 1) / size);
const headNames = Array.from({ length: heads }, (_, h) => `head ${h + 1}`);
const tokenNames = names.map((token) => `token ${token}`);

const dealt = { right: split(x, heads), bug: splitByView(x, heads) };
const merged = { right: merge(dealt.right), bug: merge(dealt.bug) };

/**
 * @typedef {object} Picture
 * @property {string} code
 * @property {string[][][]} blocks along the outermost axis
 * @property {string[][][]} want
 * @property {string[]} names
 * @property {string[]} rows
 * @property {unknown} shape
 * @property {string[]} [strip] the names of what view cuts memory into
 */

/**
 * One way at one step: the code, its blocks (outermost axis), rows, and what is right.
 * @returns {Picture}
 */
function picture(way, step) {
  const bug = way === "bug";
  const byHead = {
    blocks: dealt[way],
    want: dealt.right,
    names: headNames,
    rows: names,
    shape: html`head 2 × token 3 × ${dHead()} 2`,
  };
  const whole = { names: [""], rows: names, shape: html`token 3 × ${dModel()} 4` };
  return [
    { code: "x", blocks: [x], want: [x], ...whole },
    bug
      ? { code: "x.view(heads, token, d_head)", ...byHead, strip: headNames }
      : {
          code: "x.view(token, heads, d_head)",
          blocks: swap(dealt.right),
          want: swap(dealt.right),
          names: tokenNames,
          rows: headNames,
          shape: html`token 3 × head 2 × ${dHead()} 2`,
          strip: tokenNames,
        },
    { code: bug ? "(nothing: the shape is right)" : ".transpose(-3, -2)", ...byHead },
    { code: "attend(…): here each token to itself", ...byHead },
    { code: ".transpose(-3, -2).reshape(token, d_model)", blocks: [merged[way]], want: [merged.right], ...whole },
  ][step];
}

const titles = ["x", "split: view", "split: transpose", "attend", "merge"];

/** Which rows hold numbers of another token: ["row b numbers of a", …]. */
function strangers(rows) {
  return rows.flatMap((row, i) => {
    const others = [...new Set(row.map((n) => n[0]))].filter((token) => token !== names[i]);
    return others.length
      ? [`row ${names[i]} holds ${row.filter((n) => n[0] !== names[i]).join(" ")} of token ${others.join(" and ")}`]
      : [];
  });
}

const wrongIn = (p) => flat(p.blocks).filter((n, i) => n !== flat(p.want)[i]).length;

/** The tokens that a list of rows mixes up: "a with b, b with c". */
const mixed = (rows) =>
  rows
    .map((row) => [...new Set(row.map((n) => n[0]))])
    .filter((tokens) => tokens.length > 1)
    .map((tokens) => tokens.join(" with "))
    .join(", ");

const splitWords = [
  () =>
    `x has 3 tokens a, b, c with 4 features each. Head 1 is to get features 1 and 2 of every token, head 2 features 3 and 4.`,
  () =>
    `A view moves no number; it only says where to cut the row of numbers in memory. Right: at the tokens, then each token into its 2 heads. The bug asks for heads first, so the first six numbers become head 1: the cut runs through token b.`,
  () =>
    `The transpose makes head the first axis: now each head has a row for every token. The bug has the same shape already, so no shape test finds it, but ${wrongIn(picture("bug", 2))} of 12 numbers are wrong: in ${dealt.bug.map((rows, h) => `head ${h + 1} ${strangers(rows).join(", ")}`).join("; in ")}.`,
  () =>
    `Each head attends on its own; here every token looks at itself only, so that all numbers stay. With the bug, what head 1 takes for token b is a3 a4, the other half of token a.`,
  () =>
    `Merge: tokens first again, and the heads' numbers side by side. Right: all are back. The bug has mixed token ${mixed(merged.bug)}: ${wrongIn(picture("bug", 4))} of 12 numbers are wrong. (Merging by a view alone would put all of them back: a round trip proves nothing.)`,
];

function trail(number, step) {
  const at = (way) => {
    const p = picture(way, step);
    const places = p.blocks.flatMap((rows, b) =>
      rows.flatMap((row, i) =>
        row.includes(number)
          ? [`${p.names[b] ? `${p.names[b]}, ` : ""}${p.rows[i].length > 1 ? "" : "row "}${p.rows[i]}`]
          : [],
      ),
    );
    return places[0];
  };
  const [right, bug] = [at("right"), at("bug")];
  return right === bug ? `${number} is in ${right} both ways.` : `${number} is in ${right}; with the bug in ${bug}.`;
}

/** @param {W} w */
function number(w, n, want, follow) {
  const cls = `qkv-n qkv-h${headOf(n) + 1} ${n !== want ? "qkv-bad" : ""} ${n === follow ? "qkv-me" : ""}`;
  const pick = () => w.still || w.set({ follow: n === follow ? "" : n });
  return html`<td class=${cls} @click=${pick}>${n}${n !== want ? html`<i aria-hidden="true">✗</i><span class="qkv-vh"> wrong</span>` : nothing}</td>`;
}

/** @param {W} w */
function block(w, p, b, follow) {
  const [rows, want] = [p.blocks[b], p.want[b]];
  // Three blocks fit beside each other on a phone where only the first shows its rows' names.
  const hidden = b && p.blocks.length > 2 ? "qkv-vh" : "";
  return html`<table class="qkv-block">
    <caption class=${/head/.test(p.names[b]) ? `qkv-c${b + 1}` : ""}>${p.names[b] || nothing}</caption>
    <tbody>${rows.map((row, i) => html`<tr><th scope="row" class=${hidden}>${p.rows[i]}</th>${row.map((n, k) => number(w, n, want[i][k], follow))}</tr>`)}</tbody>
  </table>`;
}

/** The numbers as memory holds them, with a gap where view cuts. */
const strip = (p, follow) => html`<div class="qkv-memory">
  <span class="qkv-hint">in memory</span>
  ${p.strip.map(
    (name, i) =>
      html`<span class="qkv-cut"><small>${name}</small><span>${reshape(flat(x), [
        p.strip.length,
        flat(x).length / p.strip.length,
      ])[i].map(
        (n) => html`<b class="qkv-n qkv-h${headOf(n) + 1} ${n === follow ? "qkv-me" : ""}">${n}</b>`,
      )}</span></span>`,
  )}
</div>`;

/** @param {W} w */
function side(w, way, step) {
  const p = picture(way, step);
  const follow = w.get("follow");
  const count = wrongIn(p);
  return html`<div class="qkv-part qkv-way" role="group" aria-label=${way === "bug" ? "The bug" : "The right way"}>
    <div class="qkv-h">${way === "bug" ? "The bug: view only" : "The right way"} ${count ? html`<span class="qkv-tag qkv-bad">✗ ${count} wrong</span>` : html`<span class="qkv-tag qkv-good">✓</span>`}</div>
    <p><code>${p.code}</code></p>
    <p class="qkv-shape">${p.shape}</p>
    ${p.strip ? strip(p, follow) : nothing}
    <div class="qkv-blocks">${p.blocks.map((_, b) => block(w, p, b, follow))}</div>
  </div>`;
}

/** @param {W} w */
function splitView(w) {
  const step = Math.min(w.get("step"), titles.length - 1);
  const follow = flat(x).includes(w.get("follow")) ? w.get("follow") : "";
  const said = splitWords[step]() + (follow ? ` ${trail(follow, step)}` : "");
  return html`<div class="qkv-inputs">
      <span class="qkv-legend"><span><span class="qkv-n qkv-h1 qkv-key">a1</span> token a, feature 1: for head 1</span> <span><span class="qkv-n qkv-h2 qkv-key">a3</span> for head 2</span> <span><span class="qkv-n qkv-h2 qkv-key qkv-bad">a3<i aria-hidden="true">✗</i></span> in a wrong place</span></span>
      ${
        w.still
          ? nothing
          : html`<label>Follow the number
            <select .value=${live(follow)} @change=${(e) => w.set({ follow: e.target.value })}>
              <option value="">none</option>
              ${flat(x).map((n) => html`<option value=${n} ?selected=${n === follow}>${n}</option>`)}
            </select></label>`
      }
    </div>
    ${controls(w, { at: step, count: titles.length, what: "Step", said: titles[step], go: (to) => w.set({ step: to }) })}
    ${sentence(w, said)}
    <div class="qkv-ways">${side(w, "right", step)}${side(w, "bug", step)}</div>`;
}

// ---- a trained model's heads

/** @param {W} w */
const isOn = (w, h) => !w.get("off").includes(h);

/** @param {W} w */
function flip(w, h) {
  const off = w.get("off");
  w.set({ off: isOn(w, h) ? [...off, h].sort((a, b) => a - b) : off.filter((o) => o !== h) });
}

/** @param {W} w */
const looks = (w, h) => {
  const [where, share] = w.get("looks")[h];
  return `${where} ${chance(share)}`;
};

/** @param {W} w */
function grid(w, now) {
  const weights = w.get("weights");
  const ablates = w.get("parts").length > 0;
  thumbs(w, ".qkv-head canvas", weights);
  const face = (h) =>
    html`<canvas aria-hidden="true"></canvas><span><b>head ${h + 1}</b> <small>${looks(w, h)}</small></span>`;
  return html`<div class="qkv-all" role="group" aria-label="The heads">
    ${weights.map(
      (_, h) => html`<div class="qkv-head ${isOn(w, h) ? "" : "qkv-off"}">
        ${
          w.still
            ? html`<div class="qkv-face">${face(h)}</div>`
            : html`<button type="button" class="qkv-face" data-head=${h} tabindex=${h === now ? 0 : -1} aria-pressed=${h === now} @click=${() => w.set({ head: h })}>${face(h)}</button>`
        }
        ${
          ablates && !w.still
            ? html`<label><input type="checkbox" .checked=${live(isOn(w, h))} @change=${() => flip(w, h)} /><span class="qkv-vh">head ${h + 1} </span>${isOn(w, h) ? "on" : "off"}</label>`
            : nothing
        }
      </div>`,
    )}
  </div>`;
}

/** A row's cells at once; they hold numbers only. A weight below half a per cent is not written. */
function cells(row) {
  const holder = document.createElement("template");
  holder.innerHTML = row
    .map((weight) => {
      const percent = Math.round(weight * 100);
      return percent ? `<td style="${cellStyle(weight, "unit", 1)}">${percent}</td>` : `<td class="qkv-zero">0</td>`;
    })
    .join("");
  return holder.content;
}

/** @param {W} w */
function large(w, h, t) {
  const [rows, tokens] = [w.get("weights")[h], w.get("tokens")];
  const to = (token, event) => {
    const next = Math.min(Math.max(token, 0), tokens.length - 1);
    const had = event || hasFocus(w, ".qkv-row");
    w.set({ token: next });
    if (had) focus(w, `.qkv-row[data-row="${next}"]`);
  };
  Object.assign(w.keys, { up: () => to(t - 1), down: () => to(t + 1) });
  const long = tokens.some((token) => shown(token).length > 2);
  const numbered = tokens.map((token, i) => html`<span>${shown(token)}<sub>${i + 1}</sub></span>`);
  return html`<div class="qkv-map">
    <div class="qkv-h">Head ${h + 1} <small>each row looks at the columns, in per cent; choose a row</small></div>
    ${scroll(
      w,
      `The weights of head ${h + 1}`,
      html`<table class="qkv-align ${long ? "qkv-long" : ""} ${tokens.length > 20 ? "qkv-tight" : ""}">
      ${guard([tokens], () => html`<thead><tr><td></td>${numbered.map((n) => html`<th scope="col">${n}</th>`)}</tr></thead>`)}
      <tbody>
        ${tokens.map(
          (_, i) => html`<tr class=${i === t ? "qkv-on" : ""} @click=${() => w.still || w.set({ token: i })}>
            <th scope="row">${w.still ? numbered[i] : html`<button type="button" class="qkv-row" data-row=${i} tabindex=${i === t ? 0 : -1} aria-pressed=${i === t}>${numbered[i]}</button>`}</th>
            ${guard([rows, i], () => cells(rows[i]))}
          </tr>`,
        )}
      </tbody>
    </table>`,
    )}
  </div>`;
}

/**
 * The probabilities of answer a of token t with these heads off.
 * @param {W} w
 */
const predicted = (w, t, a, off) =>
  softmax(
    logits(
      w.get("base")[t][a],
      w.get("parts").map((head) => head[t][a]),
      off,
    ),
  );

/** @param {W} w */
const truthOf = (w, t, a) => w.get("truth")[t]?.[a] ?? 0;

/**
 * How many of a token's answers, or of all, are right.
 * @param {W} w
 */
function tally(w, tokens, off) {
  const found = { right: 0, asked: 0 };
  for (const t of tokens)
    w.get("answers").forEach((_, a) => {
      const truth = truthOf(w, t, a);
      if (truth <= 0) return;
      found.asked += 1;
      if (peak(predicted(w, t, a, off)) === truth) found.right += 1;
    });
  return found;
}

/** Three outputs: the likeliest now, that with all heads on, and the right one; where these are one, the next. */
function candidates(now, all, truth) {
  const order = now.map((_, v) => v).sort((a, b) => now[b] - now[a]);
  const kept = [...new Set([peak(now), peak(all), ...(truth > 0 ? [truth] : []), ...order])].slice(0, 3);
  return order.filter((v) => kept.includes(v));
}

/** @param {W} w */
function card(w, t, a) {
  const [vocabulary, truth, answer] = [w.get("vocabulary"), truthOf(w, t, a), w.get("answers")[a]];
  if (w.get("truth").length && truth <= 0)
    return html`<div class="qkv-card"><div class="qkv-h">${answer}</div><p class="qkv-hint">Nothing is asked here.</p></div>`;
  const [all, now] = [predicted(w, t, a, []), predicted(w, t, a, w.get("off"))];
  const best = peak(now);
  const verdict = truth > 0 ? (best === truth ? ["good", "✓ right"] : ["bad", "✗ wrong"]) : null;
  return html`<table class="qkv-card">
    <caption>${answer} ${verdict ? html`<span class="qkv-tag qkv-${verdict[0]}">${verdict[1]}</span>` : nothing}</caption>
    <thead><tr><th scope="col">output</th><th scope="col" colspan="2">now</th><th scope="col">all on</th></tr></thead>
    <tbody>
      ${candidates(now, all, truth).map(
        (v) => html`<tr class=${v === best ? "qkv-best" : ""}>
          <th scope="row">${v === truth && truth > 0 ? html`<span class="qkv-diamond" aria-hidden="true">◆</span><span class="qkv-vh">right: </span>` : nothing}${shown(vocabulary[v])}</th>
          <td><span class="qkv-meter" aria-hidden="true"><i style="width:${Math.round(now[v] * 1000) / 10}%"></i><u style="left:${Math.round(all[v] * 1000) / 10}%"></u></span></td>
          <td class="qkv-num">${chance(now[v])}</td>
          <td class="qkv-num qkv-was">${chance(all[v])}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

/** @param {W} w */
function prediction(w, t) {
  const off = w.get("off");
  const everywhere = w.get("tokens").map((_, i) => i);
  const known = w.get("truth").length > 0;
  const [now, all] = known ? [off, []].map((heads) => tally(w, everywhere, heads)) : [];
  return html`<div class="qkv-work">
    <div class="qkv-h">For ${shown(w.get("tokens")[t])}<sub>${t + 1}</sub>,
      <small>${off.length ? counted(off.length, "with {n} head off", "with {n} heads off") : "with all heads on"}</small></div>
    ${
      known
        ? html`<p class="qkv-score">All tokens: ${now.right} of ${now.asked} right <small>(all on: ${all.right})</small></p>`
        : nothing
    }
    <div class="qkv-cards">${w.get("answers").map((_, a) => card(w, t, a))}</div>
    <p class="qkv-legend"><span class="qkv-meter" aria-hidden="true"><i style="width:40%"></i><u style="left:80%"></u></span> bar: now; line: all on
      ${known ? html`<span><span class="qkv-diamond" aria-hidden="true">◆</span>the right output</span>` : nothing}</p>
  </div>`;
}

/**
 * What switching heads off changes for this token.
 * @param {W} w
 */
function change(w, t) {
  const off = w.get("off");
  if (!w.get("parts").length) return "";
  if (!off.length) return w.still ? "" : " All heads are on: switch some off and see what the prediction loses.";
  const named = off.map((h) => h + 1).join(", ");
  const asked = w
    .get("answers")
    .map((name, a) => ({ name, a }))
    .filter(({ a }) => !w.get("truth").length || truthOf(w, t, a) > 0);
  const moved = asked.flatMap(({ name, a }) => {
    const [was, is] = [predicted(w, t, a, []), predicted(w, t, a, off)];
    const [b, c] = [peak(was), peak(is)];
    const word = (v) => `“${shown(w.get("vocabulary")[v])}”`;
    return b === c ? [] : [`${name}: ${word(c)} (${chance(is[c])}) instead of ${word(b)}`];
  });
  const now = moved.length ? moved.join(", ") : asked.length ? "the same first choices" : "nothing is asked here";
  return off.length > 1 ? ` Without heads ${named}: ${now}.` : ` Without head ${named}: ${now}.`;
}

/** @param {W} w */
function headWords(w, h, t) {
  const tokens = w.get("tokens");
  const row = w.get("weights")[h][t];
  const best = peak(row);
  const [where, share] = w.get("looks")[h];
  const name = (i) => `“${shown(tokens[i])}” (${i + 1})`;
  const there =
    row[best] > 0
      ? `from ${name(t)} it looks most at ${name(best)}: ${chance(row[best])}`
      : `${name(t)} may look at nothing`;
  return `Head ${h + 1} has ${chance(share)} of its weight ${where}; ${there}.${change(w, t)}`;
}

/** @param {W} w */
function hint(w) {
  const ablates = w.get("parts").length > 0;
  return html`<span class="qkv-hint">Choose a head to enlarge (← →)</span>
    ${ablates ? html`<button type="button" data-act="all" aria-disabled=${!w.get("off").length} @click=${() => w.set({ off: [] })}>All heads on</button>` : nothing}`;
}

/** @param {W} w */
function headsView(w) {
  const weights = w.get("weights");
  const h = Math.min(w.get("head"), weights.length - 1);
  const t = Math.min(w.get("token"), w.get("tokens").length - 1);
  const to = (head) => {
    const next = Math.min(Math.max(head, 0), weights.length - 1);
    const had = hasFocus(w, ".qkv-face");
    w.set({ head: next });
    if (had) focus(w, `.qkv-face[data-head="${next}"]`);
  };
  Object.assign(w.keys, {
    left: () => to(h - 1),
    right: () => to(h + 1),
    home: () => to(0),
    end: () => to(weights.length - 1),
  });
  const ablates = w.get("parts").length > 0;
  return html`${grid(w, h)}
    ${sentence(w, headWords(w, h, t))}
    ${w.get("note") ? html`<p class="qkv-crop">${w.get("note")}</p>` : nothing}
    <div class="qkv-two">${large(w, h, t)}${ablates ? prediction(w, t) : nothing}</div>`;
}

// ---- both

/** @param {W} w */
function missing(w) {
  const [weights, tokens] = [w.get("weights") ?? [], w.get("tokens") ?? []];
  const [parts, base] = [w.get("parts") ?? [], w.get("base") ?? []];
  if (!weights.length || !tokens.length) return "it holds no attention weights";
  const n = tokens.length;
  if (weights.some((head) => head.length !== n || head.some((row) => row.length !== n)))
    return counted(n, "a head does not fit the {n} token", "a head does not fit the {n} tokens");
  if (w.get("looks")?.length !== weights.length) return "it does not say where each head looks";
  if (!parts.length) return "";
  if (parts.length !== weights.length)
    return counted(weights.length, `{n} head but parts of ${parts.length}`, `{n} heads but parts of ${parts.length}`);
  const [answers, outputs] = [w.get("answers").length, w.get("vocabulary").length];
  const fits = (tokens) =>
    tokens.length === n && tokens.every((t) => t.length === answers && t.every((a) => a.length === outputs));
  return fits(base) && parts.every(fits)
    ? ""
    : "what the heads add to the logits does not fit the tokens, answers and outputs";
}

/** @param {W} w */
const tabs = (w) => [
  ["split", "Split and merge"],
  ["heads", w.get("parts").length ? "A trained model’s heads" : "The heads’ weights"],
];

/** @param {W} w */
function view(w) {
  const tab = w.get("tab") === "heads" ? "heads" : "split";
  const show = () =>
    choice(w, { legend: "Show", name: "tab", options: tabs(w), chosen: tab, pick: (to) => w.set({ tab: to }) });
  return html`${w.still ? nothing : html`<div class="qkv-tabs">${show()}${tab === "heads" ? hint(w) : nothing}</div>`}
    ${tab === "heads" ? headsView(w) : splitView(w)}`;
}

/** @param {W} w */
function stills(w) {
  const steps = titles.map((_, step) => ({ caption: splitWords[step](), state: { tab: "split", step } }));
  const h = Math.min(w.get("head"), w.get("weights").length - 1);
  const t = Math.min(w.get("token"), w.get("tokens").length - 1);
  const shots = w.get("parts").length ? [[], [h]] : [[]];
  const pictures = shots.map((off) => {
    const state = { tab: "heads", off };
    /** @type {W["get"]} */
    const get = (key) => /** @type {Partial<State>} */ (state)[key] ?? w.get(key);
    const caption = headWords({ ...w, get }, h, t);
    return { caption, state };
  });
  return [...steps, ...pictures];
}

export default widget("heads", { missing, view, stills });
