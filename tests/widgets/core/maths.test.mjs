import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, peak, softmax, weightedSum } from "../../../src/qkv/widgets/core/maths.js";

const near = (a, b) => a.forEach((x, i) => assert.ok(Math.abs(x - b[i]) < 1e-12, `${a} is not ${b}`));

test("softmax of a case done by hand", () => near(softmax([0, Math.log(3)]), [0.25, 0.75]));

test("softmax does not overflow", () => near(softmax([1000, 1000]), [0.5, 0.5]));

test("a masked score has no weight, and a row of them gives zeros", () => {
  near(softmax([1, null, 1, "-inf"]), [0.5, 0, 0.5, 0]);
  assert.deepEqual(softmax([null, "-inf"]), [0, 0]);
});

test("infinite scores share the weight; NaN stays NaN", () => {
  assert.deepEqual(softmax(["inf", 1, "inf"]), [0.5, 0, 0.5]);
  assert.ok(softmax(["nan", 1]).every(Number.isNaN));
});

test("a weighted sum by hand", () =>
  near(
    weightedSum(
      [0.25, 0.75],
      [
        [4, 0],
        [0, 8],
      ],
    ),
    [1, 6],
  ));

test("a state of weight zero adds nothing, whatever it holds", () =>
  assert.deepEqual(
    weightedSum(
      [0, 1],
      [
        ["nan", "inf"],
        [1, 2],
      ],
    ),
    [1, 2],
  ));

test("decode", () => {
  assert.equal(decode(null), -Infinity);
  assert.equal(decode("inf"), Infinity);
  assert.ok(Number.isNaN(decode("nan")));
  assert.equal(decode(0.5), 0.5);
});

test("the peak of a row is its largest finite value", () => {
  assert.equal(peak([null, 1, "nan", 3, 2]), 3);
  assert.equal(peak([null, "nan"]), -1);
});
