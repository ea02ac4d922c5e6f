import assert from "node:assert/strict";
import { test } from "node:test";
import { allowed, inverted, literal, named } from "../../../src/qkv/widgets/core/masks.js";

test("masks by name, by hand", () => {
  assert.deepEqual(named("everything", 2), [
    [1, 1],
    [1, 1],
  ]);
  assert.deepEqual(named("causal", 3), [
    [1, 0, 0],
    [1, 1, 0],
    [1, 1, 1],
  ]);
  assert.deepEqual(named("padding", 3, 2), [
    [1, 1, 0],
    [1, 1, 0],
    [1, 1, 0],
  ]);
  assert.deepEqual(named("both", 3, 2), [
    [1, 0, 0],
    [1, 1, 0],
    [1, 1, 0],
  ]);
  assert.deepEqual(named("prefix", 3, 2), [
    [1, 1, 0],
    [1, 1, 0],
    [1, 1, 1],
  ]);
  assert.deepEqual(named("window", 3, 1), [
    [1, 1, 0],
    [1, 1, 1],
    [0, 1, 1],
  ]);
});

test("swapped twice is the mask itself", () => {
  const mask = named("window", 5, 1);
  assert.deepEqual(inverted(inverted(mask)), mask);
  assert.deepEqual(inverted(mask).map(allowed), [3, 2, 2, 2, 3]);
});

test("one sense holds 1 where the other holds 0", () => {
  const mask = named("causal", 2);
  assert.match(literal(mask, "attend"), /\[1, 0\],\n {4}\[1, 1\],/);
  assert.match(literal(mask, "hidden"), /\[0, 1\],\n {4}\[0, 0\],/);
});
