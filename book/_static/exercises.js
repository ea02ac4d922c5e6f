// A tick for each exercise, "done", which the page remembers. The contents show it, too.
(() => {
  const key = (id) => `qkv.done.${id}`;
  const { recall, remember } = globalThis.qkvMemory;

  const ticks = new Map(); // what an exercise is called, "3-1" → how its tick is set

  function show(box, done) {
    box.classList.toggle("book-is-done", done);
    for (const link of document.querySelectorAll(`.toc-tree a[href="#${CSS.escape(box.id)}"]`))
      link.classList.toggle("book-is-done", done);
  }

  function add(box) {
    const id = box.id.replace("exercise-", "");
    const label = document.createElement("label");
    label.className = "book-done";
    const tick = document.createElement("input");
    tick.type = "checkbox";
    label.append(tick, " done");
    const set = (done) => {
      tick.checked = done;
      remember(key(id), done ? "1" : null);
      show(box, done);
    };
    tick.addEventListener("change", () => set(tick.checked));
    tick.checked = recall(key(id)) !== null;
    show(box, tick.checked);
    box.querySelector(".book-effort")?.append(label);
    ticks.set(id, set);
  }

  document.querySelectorAll(".book-exercise").forEach(add);

  // what is worked out in the page is done when its last number is right
  window.qkvHost?.onMount(({ slot, model }) => {
    const box = slot.closest(".book-exercise");
    const solved = () => model.get("solved") === true && ticks.get(box?.id.replace("exercise-", ""))?.(true);
    if (box) model.on("change:solved", solved);
  });

  // code that is folded is printed all the same
  const folded = () => document.querySelectorAll("details.book-fold:not([open])");
  addEventListener("beforeprint", () => {
    for (const each of folded())
      if (each instanceof HTMLDetailsElement) {
        each.open = true;
        each.dataset.opened = "";
      }
  });
  addEventListener("afterprint", () => {
    for (const each of document.querySelectorAll("details[data-opened]"))
      if (each instanceof HTMLDetailsElement) {
        each.open = false;
        delete each.dataset.opened;
      }
  });
})();
