import assert from "node:assert/strict";
import { test } from "node:test";
import { half, readCheckpoint } from "../../../src/qkv/widgets/core/safetensors.js";
import { beamTree, EOS, greedy, largest, logSoftmax } from "../../../src/qkv/widgets/core/search.js";
import { edits, nearest, wordsOf } from "../../../src/qkv/widgets/core/spelling.js";

test("float16 by its bits", () => {
  const known = [
    [0x3c00, 1],
    [0xc000, -2],
    [0x3555, 0.333251953125],
    [0x7bff, 65504],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0, 0],
  ];
  for (const [bits, value] of known) assert.equal(half(bits), value);
});

function file(header, data = []) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes.buffer;
}

test("a file that is cut, or of another kind, is named", () => {
  const kind = "qkv.transformer.Transformer, 1";
  const told = JSON.stringify({ config: { heads: 1 }, source_vocab: ["a"], target_vocab: ["가"] });
  const tensor = { dtype: "F16", shape: [1], data_offsets: [0, 2] };
  const whole = file({ __metadata__: { [kind]: told }, x: tensor }, [0, 0x3c]);
  assert.deepEqual(readCheckpoint(whole).target, ["가"]);
  assert.deepEqual([...readCheckpoint(whole).weights.x.data], [1]);
  for (const cut of [0, 7, 20, whole.byteLength - 1])
    assert.throws(() => readCheckpoint(whole.slice(0, cut)), /damaged/);
  assert.throws(() => readCheckpoint(file({})), /another kind/);
});

/** A model whose next logits are a function of the tokens so far. */
const said = (next) => ({
  start: () => ({ tokens: [] }),
  step: (token, { tokens }) => ({
    logits: next([...tokens, token].slice(1)),
    state: { tokens: [...tokens, token], cross: [] },
  }),
});

test("of equal values the first is the largest", () => {
  assert.deepEqual(largest([1, 3, 3, 2], 3), [1, 2, 3]);
  const [a, b] = logSoftmax([1000, 1000]);
  assert.ok(Math.abs(a + Math.LN2) < 1e-12 && a === b);
});

test("greed is beaten by a beam, and neither writes for ever", () => {
  // Tokens 3 and 4 of 5: 3 is likelier at first, but only 4 is followed by a sure end.
  const model = said(
    (tokens) =>
      [
        [-9, -9, -9, 1, 0.9],
        [-9, -9, 0, 0.5, 0.5],
        [-9, -9, 9, -9, -9],
      ][tokens.length === 0 ? 0 : tokens[0] === 3 ? 1 : 2],
  );
  assert.deepEqual(
    greedy(model, [], { most: 4 }).map((s) => s.token),
    [3, 3, 3, 3],
  );
  const { nodes, best } = beamTree(model, [], { most: 4, width: 2, alpha: 0 });
  assert.deepEqual([nodes[best].token, nodes[nodes[best].parent].token, nodes[best].fate], [EOS, 4, "ended"]);
});

test("a beam that ends nowhere returns its likeliest, and one without a chance says so", () => {
  const endless = said(() => [0, 0, -Infinity, 1, 0]);
  const { nodes, best } = beamTree(endless, [], { most: 3, width: 2, alpha: 0.6 });
  assert.deepEqual([nodes[best].token, nodes[best].fate], [3, "kept"]);
  assert.throws(
    () =>
      beamTree(
        said(() => [0, 0, -Infinity]),
        [],
        { most: 3, width: 2, alpha: 0 },
      ),
    /probability above 0/,
  );
});

test("edits and nearest words", () => {
  for (const [a, b, n] of [
    ["cat", "cat", 0],
    ["kat", "cat", 1],
    ["act", "cat", 1],
    ["", "cat", 3],
    ["cats", "at", 2],
    ["kitten", "sitting", 3],
  ])
    assert.equal(edits(a, b), n);
  assert.deepEqual(nearest("kats", ["dogs", "cats", "hat", "eats"], 2), ["cats", "eats"]);
  assert.equal(nearest("CATS", ["dogs", "cats"])[0], "cats");
});

test("typed text as the words that are known", () => {
  const known = ["I", "do", "not", "love", "cats", "don't!"];
  assert.deepEqual(wordsOf(" i LOVE  cats. ", known), ["I", "love", "cats"]);
  assert.deepEqual(wordsOf("I don’t love Kats!", known), ["I", "do", "not", "love", "Kats"]);
  assert.deepEqual(wordsOf("  ", known), []);
  assert.deepEqual(wordsOf("cafe\u0301", ["caf\u00e9"]), ["caf\u00e9"]);
});
