// Colours of values. `unit` is cividis, for 0…1; the diverging maps go from blue through
// the page's own ground to orange, one for light and one for dark pages. No red–green.
import anchors from "./anchors.json" with { type: "json" };

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const ramps = Object.fromEntries(Object.entries(anchors).map(([name, stops]) => [name, stops.map(rgb)]));

/** The colour of `x` in [0, 1] on a ramp, as [red, green, blue]. */
export function sample(ramp, x) {
  const stops = ramps[ramp];
  const at = Math.min(Math.max(x, 0), 1) * (stops.length - 1);
  const i = Math.min(Math.floor(at), stops.length - 2);
  return stops[i].map((v, k) => Math.round(v + (at - i) * (stops[i + 1][k] - v)));
}

/** Relative luminance as WCAG defines it. */
export function luminance(colour) {
  const [r, g, b] = colour.map((v) => {
    const c = v / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Black or white, whichever stands out more: at least 4.58 : 1 on any ground. */
export const ink = (colour) => (luminance(colour) > 0.179 ? "#000" : "#fff");

const css = (colour) => `rgb(${colour.join(" ")})`;

/** Where a value stands on its ramp: 0…1. A diverging ramp has zero in its middle. */
export function place(value, scale, limit) {
  if (scale === "unit") return value;
  return limit > 0 ? 0.5 + value / (2 * limit) : 0.5;
}

/** The background of a value for a canvas, which must know whether the page is dark. */
export function fill(value, scale, limit, dark) {
  const ramp = scale === "unit" ? "unit" : dark ? "dark" : "light";
  return css(sample(ramp, place(value, scale, limit)));
}

/** Background and text colour of a cell, for light and dark pages at once. */
export function cellStyle(value, scale, limit) {
  if (typeof value !== "number") return "";
  const at = place(value, scale, limit);
  if (scale === "unit") {
    const colour = sample("unit", at);
    return `background:${css(colour)};color:${ink(colour)}`;
  }
  const [a, b] = [sample("light", at), sample("dark", at)];
  return `background:light-dark(${css(a)},${css(b)});` + `color:light-dark(${ink(a)},${ink(b)})`;
}
