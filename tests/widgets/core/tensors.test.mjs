import assert from "node:assert/strict";
import test from "node:test";
import { tensors, unpack } from "../../../src/qkv/widgets/core/tensors.js";

const levels = (...numbers) => {
  const bytes = new DataView(new ArrayBuffer(2 * numbers.length));
  numbers.forEach((n, i) => bytes.setInt16(2 * i, n, true));
  return btoa(String.fromCharCode(...new Uint8Array(bytes.buffer)));
};
const pack = (size, limit, ...numbers) => ({ size, limit, data: levels(...numbers) });

test("numbers are shares of the limit, in the order of memory", () => {
  assert.deepEqual(unpack(pack([2, 1, 2], 4, 32000, -16000, 0, 8000)), [[[4, -2]], [[0, 1]]]);
});

test("what is no number has a mark of its own", () => {
  assert.deepEqual(unpack(pack([4], 1, -32768, 32766, 32765, -32765)), [null, "nan", "inf", "-inf"]);
});

const entries = {
  x: pack([2, 2], 4, 32000, 16000, -16000, 0), // 4 2 −2 0
  y: pack([2, 2], 1, 32000, 32000, 0, -32000), // 1 1 0 −1
  weights: pack([1, 2, 2], 1, 32000, -32768, 8000, 24000),
  values: pack([1, 2, 2], 4, 8000, 16000, 24000, 32000), // 1 2 3 4
  scores: pack([1, 2, 2], 2, 32000, 32000, 0, 16000),
  row: pack([2], 4, 24000, -8000), // 3 −1
  may: pack([1, 2, 2], 1, 32000, 0, 32000, 32000),
};
const made = (...of) => tensors({ ...entries, z: { of } })("z");

test("recipes", () => {
  assert.deepEqual(made("same", "x"), [
    [4, 2],
    [-2, 0],
  ]);
  assert.deepEqual(made("sum", "x", "y"), [
    [5, 3],
    [-2, -1],
  ]);
  assert.deepEqual(made("relu", "x"), [
    [4, 2],
    [0, 0],
  ]);
  assert.deepEqual(made("times", "x", 0.5), [
    [2, 1],
    [-1, 0],
  ]);
  assert.deepEqual(made("mean", "x"), [[3], [-1]]);
  assert.deepEqual(made("variance", "x"), [[1], [1]]);
  assert.deepEqual(made("scale", "x", "row", "row"), [
    [15, -3],
    [-3, -1],
  ]);
  assert.deepEqual(made("compare", "values", "values"), [
    [
      [5, 11],
      [11, 25],
    ],
  ]);
  assert.deepEqual(made("compare", "x", "y"), [
    [6, -2],
    [-2, 0],
  ]);
  assert.deepEqual(made("hide", "scores", "may"), [
    [
      [2, "-inf"],
      [0, 1],
    ],
  ]);
  assert.deepEqual(made("average", "weights", "values"), [
    [
      [1, 2],
      [2.5, 3.5],
    ],
  ]);
  assert.deepEqual(made("merge", "values"), [
    [1, 2],
    [3, 4],
  ]);
  const [[a, b]] = made("normal", "x");
  assert.ok(Math.abs(a - 1) < 1e-4 && Math.abs(b + 1) < 1e-4);
});

test("what may not be attended to has no weight, and the rest add up to 1", () => {
  const get = tensors({ ...entries, masked: { of: ["hide", "scores", "may"] }, z: { of: ["weigh", "masked"] } });
  const [[[one, none], [a, b]]] = get("z");
  assert.deepEqual([one, none], [1, null]);
  assert.ok(Math.abs(a + b - 1) < 1e-12 && Math.abs(b / a - Math.E) < 1e-12);
});

test("a recipe may stand on another, and each is made once", () => {
  const get = tensors({ ...entries, a: { of: ["sum", "x", "y"] }, b: { of: ["relu", "a"] } });
  assert.deepEqual(get("b"), [
    [5, 3],
    [0, 0],
  ]);
  assert.equal(get("b"), get("b"));
});

test("sums of what is no number stay what they are", () => {
  const odd = { n: pack([1, 2], 1, 32765, 32766), m: pack([1, 2], 1, 32000, 0) };
  assert.deepEqual(tensors({ ...odd, z: { of: ["sum", "n", "m"] } })("z"), [["inf", "nan"]]);
});
