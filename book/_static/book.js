// Opened from disk, a page may not read others: search then lists titles without excerpts.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}

// What scrolls sideways must be reachable by keyboard: give it a tab stop, and a name.
(() => {
  const scrolling = "pre, .math, .table-wrapper, .output, .book-figure, .katex-display";
  const mark = (box) => {
    const overflows = box.scrollWidth > box.clientWidth + 1;
    const scrolls = getComputedStyle(box).overflowX !== "visible";
    if (overflows && scrolls) {
      box.tabIndex = 0;
      box.dataset.scrolls = "";
    } else if ("scrolls" in box.dataset) {
      box.removeAttribute("tabindex");
      delete box.dataset.scrolls;
    }
  };
  const all = () => document.querySelectorAll(scrolling).forEach(mark);
  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(all, 150);
  });
  all();
  document.fonts?.ready.then(all);
})();
