import assert from "node:assert/strict";
import { test } from "node:test";
import { spread } from "../../../src/qkv/widgets/core/spread.js";
import { chance, exact, hatch, shape, short, shown, special } from "../../../src/qkv/widgets/core/text.js";

test("numbers in cells are short, with a true minus sign", () => {
  assert.deepEqual([0, 1, -2, 0.5, -1.234, 12.34, 123.4, 0.00012].map(short), [
    "0",
    "1",
    "−2",
    "0.50",
    "−1.23",
    "12.3",
    "123",
    "1e−4",
  ]);
  assert.equal(exact(1 / 3), "0.3333");
});

test("what is no number has a word and a hatch of its own", () => {
  const odd = [null, "nan", "inf", "-inf"];
  assert.deepEqual(odd.map(short), ["masked", "NaN", "+∞", "−∞"]);
  assert.deepEqual(odd.map(special), odd.map(short));
  assert.equal(new Set(odd.map(hatch)).size, 4);
  assert.equal(hatch(0), "");
});

test("a probability is never rounded to certainty", () => {
  assert.deepEqual([0, 0.001, 0.5, 0.9999, 1].map(chance), ["0.00", "<0.01", "0.50", ">0.99", "1.00"]);
});

test("blank tokens are drawn", () =>
  assert.deepEqual([" ", "", "\n", "a b", 7].map(shown), ["␣", "∅", "⏎", "a␣b", "7"]));

test("shapes in axis words", () => {
  assert.equal(shape(["query", "key"], [2, 3]), "query 2 × key 3");
  assert.equal(shape([], []), "a number");
});

test("a print view keeps the first and the last step", () => {
  assert.deepEqual(spread(3), [0, 1, 2]);
  const many = spread(100);
  assert.deepEqual([many.length, many[0], many.at(-1)], [8, 0, 99]);
});
