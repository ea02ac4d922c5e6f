import assert from "node:assert/strict";
import { test } from "node:test";
import { cellStyle, ink, luminance, place, sample } from "../../../src/qkv/widgets/core/colours.js";

const contrast = (a, b) => {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
};
const grid = Array.from({ length: 201 }, (_, i) => i / 200);

for (const ramp of ["unit", "light", "dark"])
  test(`text is readable on every colour of ${ramp}`, () => {
    for (const x of grid) {
      const ground = sample(ramp, x);
      const text = ink(ground) === "#000" ? [0, 0, 0] : [255, 255, 255];
      assert.ok(contrast(ground, text) >= 4.5, `${ramp} at ${x}`);
    }
  });

test("cividis grows lighter all the way, so that it reads without colour", () => {
  const light = grid.map((x) => luminance(sample("unit", x)));
  light.slice(1).forEach((y, i) => assert.ok(y >= light[i] - 1e-3));
});

test("a diverging map is even around zero", () => {
  for (const ramp of ["light", "dark"])
    for (const x of [0.1, 0.25, 0.4]) {
      const gap = luminance(sample(ramp, 0.5 - x)) - luminance(sample(ramp, 0.5 + x));
      assert.ok(Math.abs(gap) < 0.12, `${ramp} ${x}: ${gap}`);
    }
});

test("zero stands in the middle, and beyond the ends is the end", () => {
  assert.equal(place(0, "diverging", 3), 0.5);
  assert.equal(place(0, "diverging", 0), 0.5);
  assert.deepEqual(sample("unit", 7), sample("unit", 1));
});

test("no number, no colour: a hatch marks it instead", () => {
  assert.equal(cellStyle(null, "unit", 1), "");
  assert.equal(cellStyle("nan", "diverging", 1), "");
  assert.match(cellStyle(1, "diverging", 1), /^background:light-dark\(rgb/);
});
