// The keyboard's focus: what is drawn anew keeps it.

/** @typedef {import("./frame.js").World} W */

/**
 * Give the focus to what `selector` finds.
 * @param {W} w
 * @param {FocusOptions} [options]
 */
export const focus = (w, selector, options) =>
  /** @type {HTMLElement | null} */ (w.root.querySelector(selector))?.focus(options);

/**
 * Has one of these the focus?
 * @param {W} w
 */
export const hasFocus = (w, selector) =>
  w.root.contains(document.activeElement) && !!document.activeElement?.matches(selector);
