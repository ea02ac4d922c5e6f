import assert from "node:assert/strict";
import test from "node:test";
import { tensors, unpack } from "../../../src/qkv/widgets/core/tensors.js";

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const pair = (n) => letters[(n + 2048) >> 6] + letters[(n + 2048) & 63];
const pack = (size, grain, ...numbers) => ({ size, grain, data: numbers.map(pair).join("") });

test("numbers are whole numbers of a grain, in the order of memory", () => {
  assert.deepEqual(unpack(pack([2, 1, 2], 0.25, 16, -8, 0, 2044)), [[[4, -2]], [[0, 511]]]);
});

test("what is no number has a mark of its own", () => {
  assert.deepEqual(unpack(pack([4], 1, -2048, 2046, 2045, -2045)), [null, "nan", "inf", "-inf"]);
});

const entries = {
  x: pack([2, 2], 1, 4, 2, -2, 0),
  y: pack([2, 2], 1, 1, 1, 0, -1),
  weights: pack([1, 2, 2], 0.25, 4, -2048, 1, 3),
  values: pack([1, 2, 2], 1, 1, 2, 3, 4),
  scores: pack([1, 2, 2], 1, 2, 2, 0, 1),
  row: pack([2], 1, 3, -1),
  may: pack([1, 2, 2], 1, 1, 0, 1, 1),
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
  const odd = { n: pack([1, 2], 1, 2045, 2046), m: pack([1, 2], 1, 1, 0) };
  assert.deepEqual(tensors({ ...odd, z: { of: ["sum", "n", "m"] } })("z"), [["inf", "nan"]]);
});
