// What takes long is made once, and kept.

/**
 * `make(key, ...)`, made once for each key. Where there are to be no more than `most`, the oldest is given up.
 * @template T
 * @param {(key: any, ...given: any[]) => T} make
 * @returns {(key: any, ...given: any[]) => T}
 */
export function once(make, most = Infinity) {
  /** @type {Map<any, T>} */
  const made = new Map();
  return (key, ...given) => {
    if (!made.has(key)) {
      if (made.size >= most) made.delete(made.keys().next().value);
      made.set(key, make(key, ...given));
    }
    return /** @type {T} */ (made.get(key));
  };
}
