import assert from "node:assert/strict";
import { test } from "node:test";
import { meanPeaks, normal, sizes, uniform, vectors, weightsAt } from "../../../src/qkv/widgets/core/gauss.js";

const known = vectors();
const mean = (xs) => xs.reduce((a, b) => a + b, 0) / xs.length;

test("the same numbers every time", () => {
  assert.deepEqual(normal(7, uniform(1)), normal(7, uniform(1)));
  assert.notDeepEqual(normal(7, uniform(1)), normal(7, uniform(2)));
  assert.deepEqual(vectors().keys[0], known.keys[0]);
});

test("mean zero, variance one, and the fourth moment of a normal", () => {
  const all = [...known.queries, ...known.keys].flatMap((v) => [...v]);
  assert.equal(all.length, (sizes.draws + sizes.keys) * 1024);
  assert.ok(Math.abs(mean(all)) < 0.01);
  assert.ok(Math.abs(mean(all.map((x) => x * x)) - 1) < 0.02);
  assert.ok(Math.abs(mean(all.map((x) => x ** 4)) - 3) < 0.1);
});

test("the softmax hardens as vectors grow, and does not once divided", () => {
  const [narrow, middle, wide] = [2, 6, 10].map((exponent) => meanPeaks(known, exponent));
  assert.ok(narrow[0] < 0.5 && middle[0] > 0.7 && wide[0] > 0.9, `${[narrow, middle, wide]}`);
  for (const [, divided] of [narrow, middle, wide]) assert.ok(divided > 0.1 && divided < 0.25, `${divided}`);
});

test("at width 1 dividing changes nothing", () => {
  const { hard, soft } = weightsAt(known.queries[0], known.keys, 0);
  assert.deepEqual(hard, soft);
  assert.equal(hard.length, sizes.keys);
});
