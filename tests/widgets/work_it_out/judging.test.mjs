// What is said of a number in a hole.
import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "../../../src/qkv/widgets/work_it_out/judging.js";

const hole = (right, ...wrong) => ({ right, wrong, slack: 0.01 });
const one = (right, text, ...wrong) => judge([hole(right, ...wrong)], [text], 0, 2);

test("what a hand rounds is right", () => {
  for (const text of [".6652", ".665", "0.67", ".66", "0,67", "2/3"]) assert.equal(one(0.6652, text).kind, "right");
  for (const text of ["0.68", ".65"]) assert.equal(one(0.6652, text).kind, "wrong");
});

test("too few decimals are said", () => {
  assert.equal(one(0.6652, ".7").kind, "coarse");
  assert.equal(one(0.6652, "1").kind, "coarse");
  assert.equal(one(0.6652, "0").kind, "wrong");
  assert.equal(one(12.34, "12").kind, "coarse");
});

test("the other sign is said, and not where a mistake says it", () => {
  assert.equal(one(2, "-2").kind, "sign");
  assert.deepEqual(one(2, "-2", -2), { kind: "mistake", mistake: 0 });
  assert.equal(one(0, "-0").kind, "right");
});

test("a mistake is named with the rounding of a hand", () => {
  assert.deepEqual(one(2, "4", 3, 4), { kind: "mistake", mistake: 1 });
  assert.deepEqual(one(2, "1/3", 0.3333), { kind: "mistake", mistake: 0 });
  assert.equal(one(2, "4", "nan").kind, "wrong");
});

test("a mistake that gives what is right is none", () => {
  assert.equal(one(2, "2", 2).kind, "right");
  assert.equal(one(2, "2.02", 2.005).kind, "wrong");
});

test("of two mistakes with the same number, that is named which explains the others", () => {
  const holes = [hole(1, 5, 5), hole(2, 6, 7)];
  assert.equal(judge(holes, ["5", ""], 0, 2).mistake, 0);
  assert.equal(judge(holes, ["5", "7"], 0, 2).mistake, 1);
  assert.equal(judge(holes, ["5", "6"], 0, 2).mistake, 0);
});

test("minus infinity is a number like others", () => {
  assert.equal(one("-inf", "−∞").kind, "right");
  assert.equal(one("-inf", "0", 0).kind, "mistake");
  assert.equal(one(0, "-inf").kind, "wrong");
});

test("nothing, and what is no number", () => {
  assert.equal(one(1, "").kind, "empty");
  assert.equal(one(1, "  ").kind, "empty");
  assert.equal(one(1, undefined).kind, "empty");
  assert.equal(one(1, "half").kind, "odd");
});
