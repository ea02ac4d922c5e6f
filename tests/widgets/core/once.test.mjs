import assert from "node:assert/strict";
import { test } from "node:test";
import { once } from "../../../src/qkv/widgets/core/once.js";

test("what is asked for again is not made again", () => {
  const made = [];
  const twice = once((key, x) => made.push(key) && 2 * x);
  assert.deepEqual([twice("a", 1), twice("b", 5), twice("a", 7)], [2, 10, 2]);
  assert.deepEqual(made, ["a", "b"]);
});

test("also what is undefined", () => {
  let count = 0;
  const nothing = once(() => {
    count += 1;
  });
  nothing("a");
  nothing("a");
  assert.equal(count, 1);
});

test("of many the oldest is given up", () => {
  const made = [];
  const few = once((key) => made.push(key), 2);
  for (const key of ["a", "b", "a", "c", "b", "a"]) few(key);
  assert.deepEqual(made, ["a", "b", "c", "a"]);
});

test("what fails is tried again", () => {
  let count = 0;
  const at = once(() => {
    count += 1;
    if (count === 1) throw new Error("not yet");
    return count;
  });
  assert.throws(() => at("a"), /not yet/);
  assert.equal(at("a"), 2);
});
