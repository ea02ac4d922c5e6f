// Formulas arrive as MathML text. It is rebuilt element by element from a list of those
// that are allowed, so that a formula can hold nothing but a formula.
const NS = "http://www.w3.org/1998/Math/MathML";
const elements = new Set(
  "math mrow mi mn mo mtext mspace mfrac msqrt msub msup msubsup mover munder munderover".split(" "),
);
const attributes = new Set("display mathvariant width stretchy fence accent movablelimits form".split(" "));

function copy(node) {
  if (node.nodeType === 3) return document.createTextNode(node.data);
  if (node.nodeType !== 1 || !elements.has(node.localName)) return null;
  const made = document.createElementNS(NS, node.localName);
  for (const { name, value } of node.attributes) if (attributes.has(name)) made.setAttribute(name, value);
  for (const child of node.childNodes) {
    const part = copy(child);
    if (part) made.append(part);
  }
  return made;
}

const made = new Map();

/** A fresh <math> element, or the text itself where it is no MathML. */
export function formula(text) {
  if (!made.has(text)) {
    const root = new DOMParser().parseFromString(text, "application/xml").documentElement;
    made.set(text, root.localName === "math" ? copy(root) : null);
  }
  return made.get(text)?.cloneNode(true) ?? text;
}
