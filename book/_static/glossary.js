// What a term means, shown while its link is pointed at or has the focus. It stays while
// the pointer is on it, and Escape puts it away (WCAG 1.4.13). Without this script the
// links lead to the glossary.
(() => {
  const told = /** @type {HTMLTemplateElement | null} */ (document.getElementById("book-terms"));
  if (!told) return;
  const tip = document.createElement("div");
  tip.className = "book-tip";
  tip.id = "book-tip";
  tip.role = "tooltip";
  tip.hidden = true;
  (document.querySelector("[role=main]") ?? document.body).append(tip);

  /** @type {HTMLAnchorElement | null} */
  let shown = null;
  let waiting = 0;

  const termAt = (target) => (target instanceof Element ? target.closest(".book-term") : null);

  /** Below the link, or above where there is no room; within the window. */
  function place(link) {
    const [first] = link.getClientRects();
    const [width, height] = [tip.offsetWidth, tip.offsetHeight];
    const room = document.documentElement.clientWidth - width - 8;
    const below = first.bottom + height + 8 < innerHeight || first.top < height + 8;
    const origin = (tip.offsetParent ?? document.body).getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(first.left, room)) - origin.left}px`;
    tip.style.top = `${(below ? first.bottom + 4 : first.top - height - 4) - origin.top}px`;
  }

  function show(link) {
    clearTimeout(waiting);
    if (shown === link) return;
    hide();
    const anchor = link.hash.slice(1);
    const meaning = told?.content.querySelector(`[data-term="${CSS.escape(anchor)}"]`);
    if (!meaning) return;
    tip.replaceChildren(...meaning.cloneNode(true).childNodes);
    tip.hidden = false;
    link.setAttribute("aria-describedby", tip.id);
    shown = link;
    place(link);
  }

  function hide() {
    clearTimeout(waiting);
    shown?.removeAttribute("aria-describedby");
    shown = null;
    tip.hidden = true;
  }

  const soon = (act, ms) => {
    clearTimeout(waiting);
    waiting = setTimeout(act, ms);
  };

  document.addEventListener("pointerover", ({ target, pointerType }) => {
    const link = termAt(target);
    if (pointerType === "touch") return;
    if (link) soon(() => show(link), 250);
    else if (target instanceof Node && tip.contains(target)) clearTimeout(waiting);
    else if (shown && document.activeElement !== shown) soon(hide, 300);
    else if (!shown) clearTimeout(waiting);
  });
  document.addEventListener("focusin", ({ target }) => {
    const link = termAt(target);
    if (link?.matches(":focus-visible")) show(link);
    else hide();
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") hide();
  });
  addEventListener("resize", hide);
})();
