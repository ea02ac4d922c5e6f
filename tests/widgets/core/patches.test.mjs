import assert from "node:assert/strict";
import { test } from "node:test";
import { blank, dab, stroke, walk } from "../../../src/qkv/widgets/core/pad.js";
import { normal, patches, rollout } from "../../../src/qkv/widgets/core/vision.js";

test("patches come as one reads; within one channel, row, column", () => {
  const image = [0, 100].map((channel) =>
    Array.from({ length: 4 }, (_, i) => Array.from({ length: 6 }, (_, j) => channel + 10 * i + j)),
  );
  const cut = patches(image, 2).map((patch) => [...patch]);
  assert.equal(cut.length, 6);
  assert.deepEqual(cut[1], [2, 3, 12, 13, 102, 103, 112, 113]);
  assert.deepEqual(cut[3], [20, 21, 30, 31, 120, 121, 130, 131]);
});

test("the normal distribution, by known values", () => {
  for (const [x, p] of [
    [0, 0.5],
    [1, 0.8413447461],
    [-1, 0.1586552539],
    [2.5, 0.9937903347],
    [-6, 1e-9],
  ])
    assert.ok(Math.abs(normal(x) - p) < 2e-7, `${x}`);
});

test("a rollout by hand: half of each token comes by the residual connection", () => {
  const first = [
    [
      [1, 0],
      [1, 0],
    ],
  ];
  assert.deepEqual(rollout([first, first]), [
    [1, 0],
    [0.75, 0.25],
  ]);
  const heads = [
    [
      [1, 0],
      [0, 1],
    ],
    [
      [0, 1],
      [1, 0],
    ],
  ]; // on average each looks at both alike
  assert.deepEqual(rollout([heads]), [
    [0.75, 0.25],
    [0.25, 0.75],
  ]);
});

test("a pixel painted twice with one brightness is dark again", () => {
  const once = dab(blank(3, 5), 1, 4, 0.5);
  assert.equal(once[1][4], 0.5);
  assert.equal(once.flat().filter(Boolean).length, 1);
  assert.equal(dab(once, 1, 4, 1)[1][4], 1);
  assert.equal(dab(once, 1, 4, 0.5)[1][4], 0);
  assert.equal(dab(once, 1, 4, 0)[1][4], 0);
});

test("a pen is soft: full where it is, less beside it; ink is never taken off by ink", () => {
  const made = stroke(blank(5, 5), [2.5, 2.5], [2.5, 2.5], 1);
  assert.deepEqual([made[2][2], made[2][1], made[2][0], made[1][1]], [1, 0.375, 0, 0]);
  assert.deepEqual(stroke(made, [2.5, 2.5], [2.5, 2.5], 0.5)[2], made[2]);
  for (const x of made.flat()) assert.equal(x * 16, Math.round(x * 16));
});

test("a fast stroke leaves no gap, and an eraser takes the pixels it is on", () => {
  const line = stroke(blank(3, 9), [0.5, 1.5], [8.5, 1.5], 1);
  assert.ok(line[1].every((x) => x === 1));
  assert.ok(line[0].every((x) => x > 0.3 && x < 0.4));
  const erased = stroke(line, [4.5, 1.5], [4.5, 1.5], 0);
  assert.equal(erased[1][4], 0);
  assert.equal(erased[1][6], 1);
  assert.equal(erased[0][4], line[0][4]);
});

test("arrow keys stay inside, and other keys lead nowhere", () => {
  const from = (key, at, more = {}) => walk({ key, ...more }, at, [3, 5]);
  assert.deepEqual(from("ArrowRight", [0, 4]), [0, 4]);
  assert.deepEqual(from("ArrowDown", [0, 4]), [1, 4]);
  assert.deepEqual(from("ArrowUp", [0, 2]), [0, 2]);
  assert.deepEqual(from("End", [2, 0]), [2, 4]);
  assert.deepEqual(from("Home", [2, 3]), [2, 0]);
  assert.equal(from("Enter", [0, 0]), undefined);
  assert.equal(from("ArrowLeft", [0, 1], { ctrlKey: true }), undefined);
});
