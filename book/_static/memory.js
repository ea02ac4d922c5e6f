// What the site's pages remember, for all of their scripts. A browser's memory may be
// closed to us (private windows): then nothing is.
(() => {
  const attempt = (act, otherwise) => {
    try {
      return act();
    } catch {
      return otherwise;
    }
  };
  globalThis.qkvMemory = {
    recall: (/** @type {string} */ key) => attempt(() => localStorage.getItem(key), null),
    /** Keep a text, or forget it where it is null. */
    remember: (/** @type {string} */ key, /** @type {string | null} */ text) =>
      attempt(() => (text === null ? localStorage.removeItem(key) : localStorage.setItem(key, text)), undefined),
    /** The keys of all that is remembered. */
    keys: () => attempt(() => Object.keys(localStorage), []),
  };
})();
