// What is said of a state of the router, and of the way that one token takes through it.
import { chance, counted, exact } from "../core/text.js";

/** @typedef {import("./routing.js").Route} Route */

/** Numbers of experts, counted from 1: "2, 3 and 4". */
export function listed(all) {
  const names = all.map((i) => i + 1);
  const last = names.pop();
  return names.length ? `${names.join(", ")} and ${last}` : String(last);
}

const experts = (all) => `${all.length === 1 ? "expert" : "experts"} ${listed(all)}`;
const sum = (xs) => xs.reduce((x, y) => x + y, 0);
const indices = (all, is) => all.flatMap((x, i) => (is(x) ? [i] : []));
const upper = (text) => text[0].toUpperCase() + text.slice(1);
const topicsOf = ({ firsts }) => firsts.filter((n) => n > 0).length;

/** Who has several topics, or that nobody has. */
function topics({ shares }) {
  const many = shares.experts.map(topicsOf);
  const most = Math.max(...many);
  const purity = `purity ${chance(shares.purity)}`;
  return most < 2
    ? `each expert that is chosen has tokens of one topic: ${purity}`
    : `expert ${many.indexOf(most) + 1} is the first choice for tokens of ${most} topics: ${purity}`;
}

/** Are the loads within a quarter of equal ones? */
const even = ({ shares, k }) => shares.experts.every(({ f }) => Math.abs((f * shares.experts.length) / k - 1) <= 0.25);

function state(a) {
  const idle = indices(a.shares.experts, ({ count }) => !count);
  if (a.run.renormalised && a.k === 1)
    return `every weight is p ÷ p = 1, so the error has no gradient for the router. The loads are ${even(a) ? "nearly even" : "uneven"}, and ${topics(a)}`;
  if (!idle.length) return topics(a);
  const rest = idle.length > 1 ? "their logits are never" : "its logit is never";
  const then = idle.length > 1 ? "they do nothing and learn" : "it does nothing and learns";
  return `no token goes to ${experts(idle)}: ${rest} ${a.k > 1 ? "among the two largest" : "the largest"}, so ${then} nothing. ${upper(topics(a))}`;
}

function crowd({ capacity, room, shares }) {
  if (capacity === null) return "";
  const full = indices(shares.experts, ({ dropped }) => dropped);
  if (!full.length) return ` All find one of the ${room} places.`;
  return ` ${upper(experts(full))} ${full.length > 1 ? "have" : "has"} more tokens than ${room} places: the last ${shares.dropped} are dropped.`;
}

/** What is to be seen at a step of the training. */
export const ofAll = (a) => `${a.steps ? `After ${a.steps} steps` : "Before training"} ${state(a)}.${crowd(a)}`;

/* ------------------------------------------------------------------ one token */

const signed = (x) => (x < 0 ? `(${exact(x)})` : exact(x));

function logit({ x, rows, own }) {
  const i = own.chosen[0];
  const worked = rows[i].map((r, c) => `${signed(+r.toFixed(3))} × ${signed(x[c])}`).join(" + ");
  const equal = indices(own.logits, (z) => z === own.logits[i]).filter((j) => j !== i);
  const said = `row ${i + 1} · x = ${worked} = ${exact(+own.logits[i].toFixed(2))}`;
  return equal.length
    ? `${said}, and as much at ${experts(equal)}: of equals the lower number is taken.`
    : `${said}, the largest logit, because row ${i + 1} reaches furthest in the token's direction.`;
}

function chances({ own }) {
  const i = own.chosen[0];
  // Of large logits the largest is taken off first, as softmax allows: e to the 900 is no number.
  const by = Math.abs(own.logits[i]) > 9 ? own.logits[i] : 0;
  const [top, all] = [[own.logits[i]], own.logits].map((zs) =>
    exact(+sum(zs.map((z) => Math.exp(z - by))).toPrecision(3)),
  );
  const less = by ? ", less the largest logit," : "";
  return `e to the ${exact(+(own.logits[i] - by).toFixed(2))}${less} is ${top}, of ${all} for all experts: expert ${i + 1} has probability ${chance(own.probabilities[i])}.`;
}

function choose({ own, k, rows }) {
  const rest = rows.length - k;
  const others = rest ? ` ${counted(rest, "The other one does nothing.", "The other {n} do nothing.")}` : "";
  return `k = ${k}: the most probable, ${experts(own.chosen)}, ${k > 1 ? "work" : "works"} on it.${others}`;
}

function dropped({ own, places, shares, room, mine }) {
  const lost = own.chosen.filter((_, c) => !places[c]);
  if (!lost.length) return "";
  const all = lost.length === own.chosen.length;
  const who = mine ? "and it comes last" : "and others come before";
  const zero = all ? "the output is 0, and the residual connection alone remains" : "the other expert's part stays";
  return `${experts(lost)}: ${shares.experts[lost[0]].count} tokens for ${room} places, ${who}. It is dropped there: ${zero}.`;
}

function weigh({ own, run, k }) {
  const p = own.chosen.map((i) => chance(own.probabilities[i]));
  if (!run.renormalised)
    return `what ${experts(own.chosen)} ${k > 1 ? "say" : "says"} is multiplied by the probability, ${p.join(" and ")}: through it the error's gradient reaches the router.`;
  return k > 1
    ? `${p[0]} ÷ (${p.join(" + ")}) = ${chance(own.weights[0])}, and ${chance(own.weights[1])}: they come to 1, and still depend on the router.`
    : `${p[0]} ÷ ${p[0]} = 1, whatever the router says: no gradient of the error reaches it.`;
}

const parts = [logit, chances, choose, (a) => dropped(a) || weigh(a)];

/** Why a token goes where it goes, at one part of its way. */
export const ofToken = (a, part) => `${a.name}: ${parts[part](a)}`;
