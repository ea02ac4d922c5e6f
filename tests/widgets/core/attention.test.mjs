import assert from "node:assert/strict";
import { test } from "node:test";
import { attention, dot, encode, hull } from "../../../src/qkv/widgets/core/maths.js";
import { axes } from "../../../src/qkv/widgets/core/plane.js";

const near = (a, b) => a.flat().forEach((x, i) => assert.ok(Math.abs(x - b.flat()[i]) < 1e-12, `${a} is not ${b}`));
const third = Math.log(3);

test("every step, by hand", () => {
  const made = attention(
    [[2, 0]],
    [
      [third, 5],
      [0, 7],
    ],
    [
      [4, 0],
      [0, 8],
    ],
    undefined,
    2,
  );
  near(made.scores, [[2 * third, 0]]);
  near(made.scaled, [[third, 0]]);
  near(made.weights, [[0.75, 0.25]]);
  near(made.output, [[3, 2]]);
});

test("what may not be attended to weighs nothing; a row without anything is zeros", () => {
  const one = [[1], [1]];
  const made = attention(
    one,
    one,
    [[2], [6]],
    [
      [1, 0],
      [0, 0],
    ],
    1,
  );
  assert.deepEqual(made.masked, [
    [1, -Infinity],
    [-Infinity, -Infinity],
  ]);
  assert.deepEqual(made.weights, [
    [1, 0],
    [0, 0],
  ]);
  assert.deepEqual(made.output, [[2], [0]]);
});

test("a short vector is multiplied with the beginning of a long one", () => assert.equal(dot([1, 2], [3, 4, 5]), 11));

test("what is not finite travels as a word", () =>
  assert.deepEqual([1.5, NaN, Infinity, -Infinity].map(encode), [1.5, "nan", "inf", "-inf"]));

test("the hull leaves out what lies inside or on an edge", () => {
  const corners = hull([
    [0, 0],
    [2, 0],
    [1, 1],
    [2, 2],
    [0, 2],
    [1, 0],
  ]);
  assert.deepEqual(corners, [
    [0, 0],
    [2, 0],
    [2, 2],
    [0, 2],
  ]);
  assert.deepEqual(hull([[3, 1]]), [[3, 1]]);
  assert.deepEqual(
    hull([
      [1, 1],
      [0, 0],
    ]),
    [
      [0, 0],
      [1, 1],
    ],
  );
});

test("the axes of a plane hold every point between round numbers", () => {
  for (const most of [0, 0.03, 0.9, 1, 3, 47, 900]) {
    const { limit, line } = axes([[most, -most / 2]]);
    assert.ok(limit >= most && limit <= Math.max(1, 2.2 * most), `${most}: ${limit}`);
    assert.ok(Math.abs(limit / line - Math.round(limit / line)) < 1e-9);
    assert.ok(limit / line <= 6, `${most}: ${limit / line}`);
  }
});
