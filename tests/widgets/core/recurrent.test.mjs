import assert from "node:assert/strict";
import test from "node:test";
import { digitsOf, likely } from "../../../src/qkv/widgets/core/recurrent.js";

const names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const network = { digits: names.map((name) => [name, name]) };

test("digits and their names are read, as Python reads them", () => {
  assert.deepEqual(digitsOf("739", network), [7, 3, 9]);
  assert.deepEqual(digitsOf(" 7 39 ", network), [7, 3, 9]);
  assert.deepEqual(digitsOf("Seven three", network), [7, 3]);
});

test("what cannot be read is said", () => {
  assert.throws(() => digitsOf("", network), /type digits/);
  assert.throws(() => digitsOf("seven tree", network), /“tree” is no digit/);
  assert.throws(() => digitsOf("1".repeat(61), network), /61 digits are more than the 60/);
});

test("the likeliest come first", () => {
  assert.deepEqual(likely([0.1, 0.7, 0.2], ["a", "b", "c"], 2), [
    ["b", 0.7],
    ["c", 0.2],
  ]);
});
