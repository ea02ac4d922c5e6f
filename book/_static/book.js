// What scrolls sideways must be reachable by keyboard, and must be seen to: give it a tab
// stop, and say in data-more on which sides there is more (book.css draws that).
(() => {
  const scrolling = "pre, .math, .table-wrapper, .output, .book-figure, .katex-display, .qkv-scroll";
  const own = ".qkv-w *"; // the widgets make their own tab stops
  const more = (box) => {
    const left = box.scrollLeft > 2;
    const right = box.scrollLeft + box.clientWidth < box.scrollWidth - 2;
    box.dataset.more = [left && "left", right && "right"].filter(Boolean).join(" ");
  };
  const mark = (box) => {
    const overflows = box.scrollWidth > box.clientWidth + 1;
    const scrolls = getComputedStyle(box).overflowX !== "visible";
    if (overflows && scrolls) {
      if (!box.matches(own)) box.tabIndex = 0;
      box.dataset.scrolls = "";
      more(box);
    } else if ("scrolls" in box.dataset) {
      if (!box.matches(own)) box.removeAttribute("tabindex");
      delete box.dataset.scrolls;
      delete box.dataset.more;
    }
  };
  const all = () => document.querySelectorAll(scrolling).forEach(mark);
  let waiting = 0;
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(all, 150);
  };
  addEventListener("resize", soon);
  addEventListener("toggle", soon, { capture: true }); // what was folded has its width only now
  const scrolled = ({ target }) => {
    if (target instanceof HTMLElement && "scrolls" in target.dataset) more(target);
  };
  addEventListener("scroll", scrolled, { capture: true, passive: true });
  const redrawn = new MutationObserver(soon);
  document
    .querySelectorAll("[data-qkv-widget]")
    .forEach((slot) => redrawn.observe(slot, { childList: true, subtree: true }));
  all();
  document.fonts?.ready.then(all);
})();
