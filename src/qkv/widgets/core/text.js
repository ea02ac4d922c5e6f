// Numbers, tokens and lists in words.
const marks = { nan: "NaN", inf: "+∞", "-inf": "−∞" };

/** The mark of a cell without a finite value, or "" for a number. */
export const special = (value) =>
  value === null ? "masked" : typeof value === "string" ? (marks[value] ?? "NaN") : "";

/** A CSS class for the mark's hatch. */
export const hatch = (value) =>
  ({ masked: "qkv-mask", NaN: "qkv-nan", "+∞": "qkv-up", "−∞": "qkv-down" })[special(value)] ?? "";

/** A value in a cell: short, with a true minus sign. */
export function short(value) {
  if (typeof value !== "number") return special(value);
  const size = Math.abs(value);
  const text =
    size >= 1e5 || (size > 0 && size < 0.005)
      ? value.toExponential(0)
      : value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
  return minus(Number.isInteger(value) && size < 1000 ? String(value) : text);
}

/** A value in a sentence: four significant digits. */
export const exact = (value) => (typeof value === "number" ? minus(String(+value.toPrecision(4))) : special(value));

/** A probability: two decimals, never "1.00" or "0.00" where it is not. */
export function chance(p) {
  if (typeof p !== "number") return special(p);
  if (p > 0 && p < 0.005) return "<0.01";
  return p < 1 && p >= 0.995 ? ">0.99" : p.toFixed(2);
}

const minus = (text) => text.replaceAll("-", "−");

/** A token that would be invisible is drawn by a sign of its own. */
export const shown = (token) =>
  String(token) === "" ? "∅" : String(token).replaceAll(" ", "␣").replaceAll("\n", "⏎").replaceAll("\t", "⇥");

/** A token in a sentence. */
export const quoted = (token) => `“${shown(token)}”`;

/** "query 3 × key 5" */
export const shape = (axes, sizes) =>
  axes.length ? axes.map((axis, i) => (axis === "1" ? "1" : `${axis} ${sizes[i]}`)).join(" × ") : "a number";

/** The template for one, or that for any other number; its hole {n} is filled. */
export const counted = (n, one, other) => (n === 1 ? one : other).replace("{n}", n);
