// The order of a question's options: any of them, and always the same for a reader.
import assert from "node:assert/strict";
import { test } from "node:test";
import { order } from "../../../src/qkv/widgets/predict/order.js";

const readers = Array.from({ length: 600 }, (_, i) => String(i));

test("each option stands once", () => {
  for (const n of [2, 3, 4, 7])
    assert.deepEqual(
      order("a", "01-gates", n).sort((a, b) => a - b),
      Array.from({ length: n }, (_, i) => i),
    );
});

test("a reader's order is always the same", () => {
  assert.deepEqual(order("a", "01-gates", 4), order("a", "01-gates", 4));
});

test("an option stands at each place as often as at others", () => {
  for (const question of ["01-gates", "05-reversal"])
    for (let option = 0; option < 3; option++) {
      const at = [0, 0, 0];
      for (const reader of readers) at[order(reader, question, 3).indexOf(option)]++;
      for (const count of at) assert.ok(count > 150 && count < 250, `${question} ${option}: ${at}`);
    }
});

test("one reader finds the same option at other places in other questions", () => {
  const places = new Set(readers.map((question) => order("a", question, 3).indexOf(1)));
  assert.equal(places.size, 3);
});
