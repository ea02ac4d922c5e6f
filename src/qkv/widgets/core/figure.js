// Where the boxes of the paper's figure 1 stand, and the lines between them. Nothing is
// drawn here: y grows upward from the inputs, and is turned over at the end.

/** @typedef {{ left: number, y: number, width: number, height: number }} Box */
/** @typedef {{ kind: string, points: number[][], tip?: boolean }} Way the last point has an arrow's tip, or not */
/** @typedef {{ boxes: (Box & { place: any })[], ways: Way[], frame: Box | null, chooser: Box | null }} Column */

export const WIDTH = 308;
const BOX = 126;
const GAP = 9;
const WORD = 14; // a gap in which a word stands
const ENTRY = 17; // below a sub-layer, where its residual connection branches off
const columns = { source: { left: 16, lane: 6 }, target: { left: WIDTH - 16 - BOX, lane: WIDTH - 6 } };
const middle = WIDTH / 2;

const heightOf = (place) => (place.kind === "attention" ? 37 : 25);

/** One column: its boxes, the frame around the layers, and the residual connections. */
function column(places, side, layer) {
  const { left, lane } = columns[side];
  const center = left + BOX / 2;
  /** @type {Column} */
  const out = { boxes: [], ways: [], frame: null, chooser: null };
  let y = 20; // above the names of the tokens
  const put = (place) => {
    const height = heightOf(place);
    const box = { place, left, y, width: BOX, height };
    out.boxes.push(box);
    y += height;
    return box;
  };
  const line = (from, to) =>
    to - from > 3 &&
    out.ways.push({
      kind: "flow",
      points: [
        [center, from],
        [center, to],
      ],
      tip: true,
    });
  let top = 14;
  const add = (place, gap) => {
    y = top + gap;
    const box = put(place);
    line(top, box.y);
    top = box.y + box.height;
    return box;
  };
  for (const place of places.filter((p) => p.stack === side)) add(place, top === 14 ? 6 : GAP);
  const inner = places.filter((p) => p.layer === layer);
  if (inner.length) {
    const floor = top + 6;
    for (const sub of [...new Set(inner.map((p) => p.sub))]) {
      const group = inner.filter((p) => p.sub === sub);
      const from = top + ENTRY - 9;
      const gap = (place) => (place.part === "cross-attention" ? WORD : GAP);
      group.forEach((place, i) => add(place, i ? gap(place) : ENTRY));
      const sum = out.boxes[out.boxes.length - 1];
      const y2 = sum.y + sum.height / 2;
      const edge = side === "source" ? left : left + BOX;
      out.ways.push({
        kind: "residual",
        points: [
          [center, from],
          [lane, from],
          [lane, y2],
          [edge, y2],
        ],
        tip: true,
      });
    }
    out.chooser = { left, y: top + 7, width: BOX, height: 26 };
    out.frame = { left: Math.min(lane, left) - 4, y: floor, width: BOX + 18, height: top + 38 - floor };
    const above = top;
    top += 38;
    out.ways.push({
      kind: "flow",
      points: [
        [center, above],
        [center, top],
      ],
    });
  }
  for (const place of places.filter((p) => p.stack === "end")) add(place, GAP);
  return { ...out, top, center };
}

/**
 * The figure for the chosen layer of each stack: {boxes, ways, frames, choosers, height}.
 * A way is a list of points; the last has an arrow's tip where `tip` is set.
 */
export function figure(places, layers) {
  const [encoder, decoder] = [
    ["source", layers.encoder],
    ["target", layers.decoder],
  ].map(([side, layer]) =>
    column(
      places.filter((p) => p.side === side),
      side,
      layer,
    ),
  );
  const height = Math.max(encoder.top, decoder.top) + 24;
  const ways = [...encoder.ways, ...decoder.ways];
  const across = decoder.boxes.find((b) => b.place.part === "cross-attention");
  /** @type {{ words: string, x: number, y: number }[]} */
  const marks = [];
  if (across) {
    const y = across.y + across.height / 2;
    const over = encoder.top + 12;
    ways.push({
      kind: "memory",
      tip: true,
      points: [
        [encoder.center, encoder.top],
        [encoder.center, over],
        [middle, over],
        [middle, y],
        [across.left, y],
      ],
    });
    marks.push({ words: "keys, values", x: encoder.center + 5, y: over + 4 });
    marks.push({ words: "queries", x: decoder.center + 6, y: across.y - 10 });
  }
  ways.push({
    kind: "flow",
    tip: true,
    points: [
      [decoder.center, decoder.top],
      [decoder.center, decoder.top + 10],
    ],
  });
  const turn = (box) => ({ ...box, top: height - box.y - box.height });
  return {
    height,
    boxes: [...encoder.boxes, ...decoder.boxes].map(turn),
    frames: [encoder.frame, decoder.frame].filter((frame) => frame !== null).map(turn),
    choosers: { encoder: encoder.chooser && turn(encoder.chooser), decoder: decoder.chooser && turn(decoder.chooser) },
    ways: ways.map((way) => ({ ...way, points: way.points.map(([x, y]) => [x, height - y]) })),
    marks: marks.map((mark) => ({ ...mark, y: height - mark.y })),
    result: { left: columns.target.left, top: height - decoder.top - 25, width: BOX },
  };
}

/**
 * Areas in the unit square, one column for each group and one row for each of its parts,
 * all proportional: [{part, left, top, width, height}] in shares of 1.
 */
export function areas(parts) {
  const total = parts.reduce((sum, p) => sum + p.count, 0);
  const groups = [...new Set(parts.map((p) => p.group))];
  let left = 0;
  return groups.flatMap((group) => {
    const own = parts.filter((p) => p.group === group);
    const count = own.reduce((sum, p) => sum + p.count, 0);
    const width = count / total;
    let top = 0;
    const made = own.map((part) => {
      const height = part.count / count;
      top += height;
      return { part, left, top: top - height, width, height };
    });
    left += width;
    return made;
  });
}
