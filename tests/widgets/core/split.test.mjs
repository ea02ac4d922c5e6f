import assert from "node:assert/strict";
import { test } from "node:test";
import { logits } from "../../../src/qkv/widgets/core/maths.js";
import { flat, merge, split, splitByView, swap, view } from "../../../src/qkv/widgets/core/split.js";

const x = [
  ["a1", "a2", "a3", "a4"],
  ["b1", "b2", "b3", "b4"],
  ["c1", "c2", "c3", "c4"],
];

test("split deals every token's features to the heads", () =>
  assert.deepEqual(split(x, 2), [
    [
      ["a1", "a2"],
      ["b1", "b2"],
      ["c1", "c2"],
    ],
    [
      ["a3", "a4"],
      ["b3", "b4"],
      ["c3", "c4"],
    ],
  ]));

test("the bug deals the first half of memory to head 1", () =>
  assert.deepEqual(splitByView(x, 2), [
    [
      ["a1", "a2"],
      ["a3", "a4"],
      ["b1", "b2"],
    ],
    [
      ["b3", "b4"],
      ["c1", "c2"],
      ["c3", "c4"],
    ],
  ]));

test("merge undoes split, and not the bug", () => {
  assert.deepEqual(merge(split(x, 2)), x);
  assert.deepEqual(merge(splitByView(x, 2)), [
    ["a1", "a2", "b3", "b4"],
    ["a3", "a4", "c1", "c2"],
    ["b1", "b2", "c3", "c4"],
  ]);
});

test("merging by a view alone hides the bug", () => assert.deepEqual(view(flat(splitByView(x, 2)), [3, 4]), x));

test("with one head both ways are one", () => assert.deepEqual(split(x, 1), splitByView(x, 1)));

test("swapping twice is nothing", () => assert.deepEqual(swap(swap(x)), x));

test("a head that is off adds nothing", () => {
  const parts = [
    [1, 2],
    [10, 20],
    [100, "-inf"],
  ];
  assert.deepEqual(logits([0.5, 0], parts, []), [111.5, -Infinity]);
  assert.deepEqual(logits([0.5, 0], parts, [0, 2]), [10.5, 20]);
});
