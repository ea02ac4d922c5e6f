import assert from "node:assert/strict";
import test from "node:test";
import { areas, figure, WIDTH } from "../../../src/qkv/widgets/core/figure.js";

const work = {
  attention: { kind: "attention", part: "attention" },
  cross: { kind: "attention", part: "cross-attention" },
  feed_forward: { kind: "feed", part: "feed-forward" },
};
const layer = (stack, side, index, subs) =>
  subs.flatMap((sub) => [
    { stack, side, layer: index, sub, kind: "norm" },
    { stack, side, layer: index, sub, ...work[sub] },
    { stack, side, layer: index, sub, kind: "add" },
  ]);
const ends = (side) => ["embedding", "position"].map((kind) => ({ stack: side, side, kind }));
const places = [
  ...ends("source"),
  ...[0, 1].flatMap((i) => layer("encoder", "source", i, ["attention", "feed_forward"])),
  { stack: "end", side: "source", kind: "norm" },
  ...ends("target"),
  ...[0, 1].flatMap((i) => layer("decoder", "target", i, ["attention", "cross", "feed_forward"])),
  ...["norm", "linear", "softmax"].map((kind) => ({ stack: "end", side: "target", kind })),
];
const plan = figure(places, { encoder: 1, decoder: 0 });

test("one layer of each stack is shown, and all outside the layers", () => {
  const shown = plan.boxes.map((b) => b.place);
  assert.equal(shown.length, 9 + 14);
  assert.deepEqual([...new Set(shown.filter((p) => p.stack === "encoder").map((p) => p.layer))], [1]);
  assert.deepEqual([...new Set(shown.filter((p) => p.stack === "decoder").map((p) => p.layer))], [0]);
});

test("boxes stand inside and apart, in the order of the walk from below", () => {
  for (const side of ["source", "target"]) {
    const boxes = plan.boxes.filter((b) => b.place.side === side);
    boxes.slice(1).forEach((box, i) => assert.ok(box.top + box.height <= boxes[i].top - 6));
  }
  for (const b of plan.boxes) {
    assert.ok(b.left >= 0 && b.left + b.width <= WIDTH);
    assert.ok(b.top >= 0 && b.top + b.height <= plan.height);
    assert.ok(b.height >= 24); // large enough for a finger
  }
});

test("each sub-layer has a residual connection, which ends at its sum", () => {
  const ways = plan.ways.filter((w) => w.kind === "residual");
  assert.equal(ways.length, 5);
  const sums = plan.boxes.filter((b) => b.place.kind === "add");
  for (const { points } of ways) {
    const [x, y] = points.at(-1);
    assert.ok(sums.some((b) => y === b.top + b.height / 2 && (x === b.left || x === b.left + b.width)));
    assert.ok(points[0][1] > y);
  }
});

test("the memory goes from the top of the encoder to the cross-attention", () => {
  const [{ points }] = plan.ways.filter((w) => w.kind === "memory");
  const cross = plan.boxes.find((b) => b.place.sub === "cross" && b.place.kind === "attention");
  assert.deepEqual(points.at(-1), [cross.left, cross.top + cross.height / 2]);
  assert.equal(points[0][1], Math.min(...plan.boxes.filter((b) => b.place.side === "source").map((b) => b.top)));
});

test("areas are proportional, and fill the square", () => {
  const parts = [
    ["a", 5],
    ["b", 30],
    ["b", 60],
    ["c", 5],
  ].map(([group, count]) => ({ group, count }));
  const made = areas(parts);
  made.forEach(({ part, width, height }) => assert.ok(Math.abs(width * height - part.count / 100) < 1e-12));
  assert.deepEqual(
    made.map((m) => Math.round(100 * m.left)),
    [0, 5, 5, 95],
  );
  assert.ok(Math.abs(made[2].top - 1 / 3) < 1e-12);
});
