// Greedy decoding and beam search, as qkv.decoding does them, on a model's start and step.
export const [PAD, BOS, EOS] = [0, 1, 2];

/** log softmax in double precision. */
export function logSoftmax(logits) {
  const top = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const total = Math.log(logits.reduce((sum, x) => sum + Math.exp(x - top), 0));
  return Array.from(logits, (x) => x - top - total);
}

/** The places of the largest values, largest first; of equal ones the first. */
export function largest(values, count) {
  const order = values.map((_, i) => i);
  return order.sort((a, b) => values[b] - values[a] || a - b).slice(0, count);
}

/** The likeliest token at each step, with the likeliest candidates and what it looked at. */
export function greedy(model, source, { most, candidates = 6 }) {
  const steps = [];
  let [token, state] = [BOS, model.start(source)];
  while (steps.length < most && token !== EOS) {
    const next = model.step(token, state);
    state = next.state;
    const chances = logSoftmax(next.logits);
    const best = largest(chances, candidates);
    token = best[0];
    steps.push({ token, candidates: best.map((id) => [id, Math.exp(chances[id])]), cross: state.cross });
  }
  return steps;
}

const penalty = (length, alpha) => ((5 + length) / 6) ** alpha;

/** The likeliest next tokens of each hypothesis; padding and the start are never written. */
function extended(model, beams, width) {
  return beams.flatMap((beam) => {
    const { logits, state } = model.step(beam.token, beam.state);
    const chances = logSoftmax(logits).map((x, id) => (id < EOS ? -Infinity : x));
    return largest(chances, width)
      .filter((token) => chances[token] > -Infinity)
      .map((token) => ({ parent: beam.at, token, state, own: chances[token], total: beam.total + chances[token] }));
  });
}

/**
 * Beam search: {nodes, best}, as qkv.decoding.beam_tree returns it. A node is {parent,
 * token, own, total, score, fate}; `fate` is "kept", "ended" or "dropped".
 */
export function beamTree(model, source, { most, width, alpha }) {
  const nodes = [];
  let beams = [{ at: null, token: BOS, state: model.start(source), total: 0 }];
  let [ended, best, top] = [0, null, -Infinity];
  for (let length = 1; length <= most && beams.length; length++) {
    const tried = extended(model, beams, width);
    const room = width - ended;
    const kept = largest(
      tried.map((t) => t.total),
      room,
    ).map((i) => tried[i]);
    for (const t of tried) {
      t.at = nodes.length;
      t.score = t.total / penalty(length, alpha);
      t.fate = !kept.includes(t) ? "dropped" : t.token === EOS ? "ended" : "kept";
      nodes.push({ parent: t.parent, token: t.token, own: t.own, total: t.total, score: t.score, fate: t.fate });
    }
    ended += kept.filter((t) => t.fate === "ended").length;
    const complete = kept.filter((t) => t.fate === "ended" || (length === most && !ended));
    for (const t of complete) if (t.score > top) [best, top] = [t.at, t.score];
    // No total rises, and no penalty is larger than that of the greatest length.
    const going = kept.filter((t) => t.fate === "kept");
    const reach = Math.max(...going.map((t) => t.total)) / penalty(most, alpha);
    beams = reach > top ? going : [];
  }
  if (best === null) throw new Error("no translation has a probability above 0");
  return { nodes, best };
}
