// Unrolled: an encoder and a decoder over time, with one context vector between them.
import { html, nothing } from "lit-html";
import { bars, numbers, reach } from "../core/bars.js";
import { controls, sentence } from "../core/controls.js";
import { widget } from "../core/frame.js";
import { feeding, inputs, listen, missingRecording, run } from "../core/inputs.js";
import { likely } from "../core/recurrent.js";
import { scroll } from "../core/scroll.js";
import { spread } from "../core/spread.js";
import { chance, counted, shown } from "../core/text.js";

/**
 * @typedef {object} Run
 * @property {string[]} tokens
 * @property {string[]} fed
 * @property {number[][]} decoder
 * @property {number[][]} context
 * @property {[string, number][][]} top
 * @property {(number | null)[]} expected the probability of the right token
 */
/** @typedef {import("../core/inputs.js").Recorded<Run, { units: number, encoder: number[][] }>} Recorded */
/** @typedef {Recorded["recordings"][number]} Recording */
/** @typedef {import("../core/details.js").Opened & import("../core/inputs.js").Asking} Local */
/** @typedef {import("../core/frame.js").World<Recorded, Local>} W */

function check(r) {
  const f = r.forced ?? {};
  if (!r.source?.length || r.encoder?.length !== r.source.length)
    return `the number of source tokens is ${r.source?.length ?? 0}, but that of encoder states is ${r.encoder?.length ?? 0}`;
  if (!f.tokens?.length || f.decoder?.length !== f.tokens.length || f.top?.length !== f.tokens.length)
    return `the number of output tokens is ${f.tokens?.length ?? 0}, but that of decoder states is ${f.decoder?.length ?? 0}`;
  if (f.context?.length !== 1 && f.context?.length !== f.tokens.length) return "it has no context vector";
  return "";
}

/** @param {W} w */
const missing = (w) => missingRecording(w, check);

/** Where in time: {part: "encoder" | "context" | "decoder", t}. */
export function place(step, recording, shownRun) {
  const n = recording.source.length;
  if (step < n) return { part: "encoder", t: step };
  if (step === n) return { part: "context", t: 0 };
  return { part: "decoder", t: Math.min(step - n - 1, shownRun.tokens.length - 1) };
}

/** What the model says at step t, and whether the truth agrees. */
function verdict(r, f, t) {
  const said = f.top[t][0][0];
  const truth = r.target[t];
  return { said, truth, right: said === truth };
}

/**
 * @param {number[]} values
 * @param {number} limit
 * @param {{
 *   w: W, name: string, now: boolean, past: boolean, wrong?: boolean, pick: () => void, top?: unknown, bottom?: unknown,
 * }} drawn
 */
function state(values, limit, { name, now, past, top, bottom, pick, w, wrong }) {
  const body = html`
    <span class="qkv-tok ${wrong ? "qkv-wrong" : ""}">${top ?? nothing}</span>
    ${past ? bars(values, limit) : html`<span class="qkv-yet"></span>`}
    <span class="qkv-tok">${bottom ?? nothing}</span>`;
  const cls = `qkv-cell ${now ? "qkv-now" : ""} ${past ? "" : "qkv-later"}`;
  if (w.still) return html`<div class=${cls}>${body}</div>`;
  return html`<button type="button" class=${cls} aria-current=${now ? "step" : nothing} @click=${pick}>
    <span class="qkv-vh">${name}</span>${body}
  </button>`;
}

/** @param {W} w */
function timeline(w, r, f, here) {
  const n = r.source.length;
  const at = w.get("step");
  const limit = reach([...r.encoder, ...f.decoder, ...f.context]);
  const go = (step) => () => w.set({ step });
  const many = f.context.length > 1;
  const doorAt = many && here.part === "decoder" ? here.t : 0;
  const hidden = (text) => html`<span aria-hidden="true">${text}</span>`;
  const parts = html`<div class="qkv-time ${r.source.length + f.tokens.length > 14 ? "qkv-tight" : ""}">
    <div class="qkv-part"><div class="qkv-h">encoder</div><div class="qkv-cells">
      ${r.encoder.map((h, i) =>
        state(h, limit, {
          w,
          name: `encoder reads ${shown(r.source[i])}`,
          now: at === i,
          past: at >= i,
          bottom: hidden(shown(r.source[i])),
          pick: go(i),
        }),
      )}
    </div></div>
    <div class="qkv-part qkv-context"><div class="qkv-h">${many ? "contexts" : "context"}</div><div class="qkv-cells">
      ${state(f.context[doorAt], limit, {
        w,
        name: "the context vector",
        now: at === n || (many && at > n),
        past: at >= n,
        top: hidden("▶"),
        bottom: hidden(many && at > n ? `c${doorAt + 1}` : "c"),
        pick: go(n),
      })}
    </div></div>
    <div class="qkv-part"><div class="qkv-h">decoder</div><div class="qkv-cells">
      ${f.decoder.map((s, t) => {
        const { said, right } = verdict(r, f, t);
        const past = at > n + t;
        return state(s, limit, {
          w,
          name: `decoder, step ${t + 1}${past ? `: ${shown(said)}, ${right ? "right" : "wrong"}` : ""}`,
          now: at === n + 1 + t,
          past,
          wrong: past && !right,
          top: past ? hidden(`${right ? "" : "✗"}${shown(said)}`) : nothing,
          bottom: past ? hidden(shown(f.fed[t])) : nothing,
          pick: go(n + 1 + t),
        });
      })}
    </div></div>
  </div>`;
  return scroll(w, "The network over time", parts, ".qkv-now");
}

function probabilities(r, f, t) {
  const { said, truth } = verdict(r, f, t);
  const rows = [...f.top[t]];
  if (truth !== undefined && f.expected[t] !== null && !rows.some(([token]) => token === truth))
    rows.push([truth, f.expected[t], true]);
  return html`<table class="qkv-probs">
    <caption>Next token, by probability</caption>
    <thead><tr><th scope="col">token</th><th scope="col">p</th><td></td></tr></thead>
    <tbody>
      ${rows.map(
        ([token, p, below]) => html`<tr class=${below ? "qkv-below" : ""}>
          <th scope="row">${shown(token)}</th>
          <td>${chance(p)}</td>
          <td>
            <span class="qkv-meter" aria-hidden="true"><i style="width:${Math.round(p * 1000) / 10}%"></i></span>
            ${token === said && token !== truth ? html`<span class="qkv-tag qkv-bad">✗ chosen</span>` : nothing}
            ${token === truth ? html`<span class="qkv-tag qkv-good">✓ ${token === said ? "chosen, right" : "right"}</span>` : nothing}
          </td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

/** @param {W} w */
function fedSentence(w, f, t) {
  const [at, all] = [t + 1, f.tokens.length];
  const fed = f.fed[t] === "<bos>" ? "the start sign" : `“${shown(f.fed[t])}”`;
  const [said, p] = [shown(f.top[t][0][0]), chance(f.top[t][0][1])];
  if (t === 0) return `Decoder step ${at} of ${all}: fed ${fed}, it says “${said}” (${p})`;
  return w.get("fed") === "free"
    ? `Decoder step ${at} of ${all}: fed ${fed}, its own output, it says “${said}” (${p})`
    : `Decoder step ${at} of ${all}: fed ${fed}, the truth, it says “${said}” (${p})`;
}

function judged({ truth, right }) {
  if (right) return "right";
  return truth === undefined ? "wrong: the truth has ended" : `wrong: it should be “${shown(truth)}”`;
}

/** @param {W} w */
function words(w, r, f, { part, t }) {
  const n = r.source.length;
  const units = counted(r.units, "{n} number", "{n} numbers");
  if (part === "encoder")
    return `The encoder reads “${shown(r.source[t])}” (${t + 1} of ${n}) and rewrites its state of ${units}.`;
  if (part === "context")
    return f.context.length > 1
      ? "The encoder has read all. The decoder will get a new context at each step, an average of all these states."
      : `The encoder has read all ${n}. These ${units}, the context vector, are all the decoder will ever know of them.`;
  return `${fedSentence(w, f, t)}: ${judged(verdict(r, f, t))}.`;
}

/** @param {W} w */
function panel(w, r, f, here) {
  const { part, t } = here;
  const values = part === "encoder" ? r.encoder[t] : part === "context" ? f.context[0] : f.decoder[t];
  const name =
    part === "encoder" ? `Encoder state ${t + 1}` : part === "context" ? "Context vector" : `Decoder state ${t + 1}`;
  return html`<div class="qkv-panel">
    <div class="qkv-big">
      <div class="qkv-h">${name} <small>${r.units} units, full height ${reach([values]).toPrecision(2)}</small></div>
      ${bars(values, reach([values]), { label: `${name} as ${values.length} bars`, kind: "qkv-wide" })}
      ${numbers(w, values, name)}
    </div>
    ${part === "decoder" ? probabilities(r, f, t) : nothing}
  </div>`;
}

function score(r, f) {
  const right = f.tokens.filter((_, t) => verdict(r, f, t).right).length;
  return counted(f.tokens.length, `${right} of {n} token right`, `${right} of {n} tokens right`);
}

/** What the network did in the page, as Python would have recorded it. */
function made(recorded, names) {
  const { input, source, target, states, forced, free } = recorded;
  const expected = (row, t) => (t < target.length ? row.p[names.indexOf(target[t])] : null);
  const run = ({ tokens, rows }) => ({
    tokens,
    fed: [names[1], ...tokens.slice(0, -1)],
    context: rows[0].scores ? rows.map((row) => row.context) : [rows[0].context],
    decoder: rows.map((row) => row.hidden),
    top: rows.map((row) => likely(row.p, names, 5)),
    expected: rows.map(expected),
  });
  const units = states[0].length;
  return { input, source, target, units, note: "", encoder: states, forced: run(forced), free: free && run(free) };
}

/** @param {W} w */
function view(w) {
  const r = w.get("recordings")[w.get("chosen")];
  const f = run(w, r);
  const count = r.source.length + 1 + f.tokens.length;
  const at = Math.min(w.get("step"), count - 1);
  const here = place(at, r, f);
  const said = words(w, r, f, here);
  const go = (step) => w.set({ step });
  return html`${inputs(w, (recorded) => made(recorded, w.get("network").target))}
    <div class="qkv-feeds">${feeding(w)}<span class="qkv-score">${score(r, f)}</span></div>
    ${controls(w, { at, count, what: "Time", said, go })}
    ${sentence(w, said)}
    ${r.note ? html`<p class="qkv-crop">${r.note}</p>` : nothing}
    ${timeline(w, r, f, here)}
    ${panel(w, r, f, here)}`;
}

/**
 * For print: the end of the encoder, the context, and the decoder's steps.
 * @param {W} w
 */
function stills(w) {
  const r = w.get("recordings")[w.get("chosen")];
  const f = run(w, r);
  const n = r.source.length;
  const steps = [0, n, ...spread(f.tokens.length, 4).map((t) => n + 1 + t)];
  return [...new Set(steps)].map((step) => ({ caption: words(w, r, f, place(step, r, f)), state: { step } }));
}

export default widget("unrolled", { missing, view, stills, begin: listen });
