import assert from "node:assert/strict";
import { test } from "node:test";
import { ticks } from "../../../src/qkv/widgets/core/chart.js";
import { dot } from "../../../src/qkv/widgets/core/maths.js";
import { pair, rotate, shift, sinusoids, slopes, thetas } from "../../../src/qkv/widgets/core/places.js";

const near = (a, b) => a.forEach((x, i) => assert.ok(Math.abs(x - b[i]) < 1e-9, `${a} is not ${b}`));
const angles = thetas(6, 10_000);

test("the first hand turns by one radian, the others ever more slowly", () =>
  near(angles, [1, 10_000 ** (-1 / 3), 10_000 ** (-2 / 3)]));

test("position 0 points up: sine 0, cosine 1", () => assert.deepEqual(sinusoids(0, angles), [0, 1, 0, 1, 0, 1]));

test("turning by k goes from p to p + k, whatever p", () => {
  for (const p of [0, 3, 41]) near(shift(sinusoids(p, angles), 7, angles), sinusoids(p + 7, angles));
});

test("a rotary score depends on the distance alone", () => {
  const [q, k] = [
    [1, 2, -1, 0.5, 3, 1],
    [0.2, -1, 2, 2, 1, -3],
  ];
  const score = (m, n) => dot(rotate(q, m, angles), rotate(k, n, angles));
  near([score(9, 4)], [score(105, 100)]);
});

test("the example's score is highest at its distance", () => {
  const { query, key } = pair(angles, 3);
  const scores = Array.from({ length: 20 }, (_, d) => dot(rotate(query, d, angles), key));
  assert.equal(scores.indexOf(Math.max(...scores)), 3);
  near([scores[3]], [3]);
});

test("ALiBi's slopes for eight heads halve each time", () =>
  near(
    slopes(8),
    [1, 2, 3, 4, 5, 6, 7, 8].map((h) => 2 ** -h),
  ));

test("ticks are round, within the range, and few", () => {
  assert.deepEqual(ticks(0, 63), [0, 20, 40, 60]);
  assert.deepEqual(ticks(-31.5, 0), [-30, -20, -10, 0]);
  assert.deepEqual(ticks(0, 1), [0, 0.5, 1]);
});
