// Covers what follows a prediction until it is answered, or waved through.
//
//   <div class="book-answer" data-predict="03-scale"><script>qkvCover()</script> … </div>
//
// A page may have several of one name; a bar stands before the first of them. It runs
// while the page is read, so that nothing is seen before it is covered. What is covered
// can be found by a search in the page, and by a link to a place in it, where the browser
// can do that (hidden="until-found"); both take the cover off.
(() => {
  const groups = new Map(); // the name of a prediction → its parts, its bar

  const { recall, remember } = globalThis.qkvMemory;
  const answered = (name) => [`qkv.predict.${name}`, `qkv.shown.${name}`].some((key) => recall(key) !== null);
  const onPaper = new URLSearchParams(location.search).has("print");

  function bar(name) {
    const line = document.createElement("p");
    line.className = "book-cover";
    line.textContent = "What came out stands here. It is covered until you have answered. ";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Show without answering";
    button.addEventListener("click", () => {
      remember(`qkv.shown.${name}`, "1");
      const [first] = groups.get(name).parts;
      uncover(name);
      first.tabIndex = -1; // the button is gone: go on where it led to
      first.focus({ preventScroll: true });
    });
    line.append(button);
    return line;
  }

  function cover(name) {
    const group = groups.get(name);
    if (!group || group.bar) return;
    group.bar = bar(name);
    group.parts[0].before(group.bar);
    for (const each of group.parts) each.setAttribute("hidden", "until-found");
  }

  function uncover(name) {
    const group = groups.get(name);
    if (!group?.bar) return;
    group.bar.remove();
    group.bar = null;
    for (const each of group.parts) each.removeAttribute("hidden");
    dispatchEvent(new Event("resize")); // what scrolls sideways is measured again
  }

  /** Called within each part, while the page is read. */
  window.qkvCover = () => {
    const box = document.currentScript?.parentElement;
    if (!box || onPaper) return;
    const name = box.dataset.predict ?? "";
    const group = groups.get(name) ?? { parts: [], bar: null };
    groups.set(name, group);
    group.parts.push(box);
    box.addEventListener("beforematch", () => uncover(name));
    if (answered(name)) return;
    if (group.bar) box.setAttribute("hidden", "until-found");
    else cover(name);
  };

  /** A link leads to a place that is covered. */
  function arrive() {
    const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const box = place?.closest(".book-answer[hidden]");
    if (!(box instanceof HTMLElement)) return;
    uncover(box.dataset.predict ?? "");
    place?.scrollIntoView();
  }

  addEventListener("hashchange", arrive);
  addEventListener("DOMContentLoaded", arrive); // alone: an address that is none may end it
  addEventListener("DOMContentLoaded", () => {
    window.qkvHost?.onMount(({ model }) => {
      const name = model.get("name");
      if (!groups.has(name)) return;
      model.on("change:answer", () => (model.get("answer") < 0 ? cover(name) : uncover(name)));
    });
  });
})();
