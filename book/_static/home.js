// Lets a widget move once when it comes into sight: presses the buttons that data-plays
// names, one after the other. Not for those who want no motion, and never again once a
// reader has touched it: it ends as it was stored, at its last state.
(() => {
  const PAUSE = 450; // ms
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  function play(/** @type {HTMLElement} */ stage) {
    const buttons = /** @type {HTMLElement[]} */ ([...stage.querySelectorAll(stage.dataset.plays ?? "")]);
    const spoken = [...stage.querySelectorAll("[aria-live]")];
    const stop = () => {
      clearInterval(moving);
      for (const each of spoken) each.setAttribute("aria-live", "polite");
    };
    for (const each of spoken) each.setAttribute("aria-live", "off"); // nobody asked for it
    let next = 0;
    const moving = setInterval(() => {
      if (next < buttons.length) buttons[next++].click();
      else stop();
    }, PAUSE);
    for (const touch of ["pointerdown", "keydown", "focusin"]) stage.addEventListener(touch, stop, { once: true });
  }

  async function watch() {
    await window.qkvHost?.ready;
    if (still.matches) return;
    const seen = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) {
          if (!isIntersecting) continue;
          seen.unobserve(target);
          play(/** @type {HTMLElement} */ (target));
        }
      },
      { threshold: 0.5 },
    );
    document.querySelectorAll("[data-plays]").forEach((stage) => seen.observe(stage));
  }

  addEventListener("load", () => setTimeout(watch));
})();
