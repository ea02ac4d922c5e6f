// The page of progress: marks what this browser remembers of the exercises and predictions
// that are listed there, sums it, says what to review, and forgets it when asked to.
(() => {
  const page = document.querySelector(".book-progress");
  if (!page) return;
  const { recall, remember, keys } = globalThis.qkvMemory;
  const OWN = /^qkv\.(done|by-hand|predict|shown)\./;
  const WORDS = { done: "done", begun: "begun", right: "right", wrong: "not right", shown: "shown without an answer" };
  const MARKS = { done: " ✓", begun: " …", right: " ✓", wrong: " ✗", shown: " –" };

  /** @param {string} selector */
  const all = (selector, within = page) => /** @type {HTMLElement[]} */ ([...within.querySelectorAll(selector)]);
  const one = (selector) => all(selector)[0];
  const review = one(".book-review");
  const sum = one(".book-sum");
  const asking = /** @type {HTMLDialogElement} */ (one("dialog"));

  /** What is known of a link's exercise or prediction: one of WORDS, or "". */
  function state({ dataset }) {
    const known = (kind, name) => recall(`qkv.${kind}.${name}`);
    if (dataset.done) {
      if (known("done", dataset.done) !== null) return "done";
      return known("by-hand", dataset.byHand) === null ? "" : "begun";
    }
    const answer = known("predict", dataset.predict);
    if (answer !== null) return answer === dataset.right ? "right" : "wrong";
    return known("shown", dataset.predict) === null ? "" : "shown";
  }

  function mark(link) {
    const known = state(link);
    link.dataset.label ??= link.textContent;
    link.textContent = link.dataset.label + (MARKS[known] ?? "");
    link.dataset.state = known;
    link.ariaLabel = [link.dataset.title, WORDS[known]].filter(Boolean).join(": ");
    return known;
  }

  const how = (links, ...states) => links.filter(({ dataset }) => states.includes(dataset.state)).length;
  const of = (n, links, one, other) => `${n} of ${links.length} ${links.length === 1 ? one : other}`;

  /** "Prediction 2 of chapter 3", and what it asks. */
  function entry(link, words) {
    const line = document.createElement("li");
    const again = document.createElement("a");
    again.href = link.href;
    again.textContent = link.dataset.title;
    line.append(again, words ?? ": ");
    for (const each of link.nextElementSibling?.childNodes ?? []) line.append(each.cloneNode(true));
    return line;
  }

  /** The exercises that are open in a chapter that was begun. */
  function left(row) {
    const links = all("[data-done]", row);
    const open = links.filter(({ dataset }) => !dataset.state);
    if (open.length === links.length || !open.length) return [];
    const line = document.createElement("li");
    line.append(`Still open in chapter ${row.dataset.chapter}: `);
    open.forEach((link, i) => {
      const again = document.createElement("a");
      again.href = /** @type {HTMLAnchorElement} */ (link).href;
      again.textContent = link.dataset.label ?? "";
      again.ariaLabel = link.dataset.title ?? "";
      line.append(i ? ", " : "", again);
    });
    return [line];
  }

  function draw() {
    const links = all("[data-done], [data-predict]");
    links.forEach(mark);
    const [exercises, questions] = [all("[data-done]"), all("[data-predict]")];
    const done = of(how(exercises, "done"), exercises, "exercise", "exercises");
    const answered = of(how(questions, "right", "wrong"), questions, "prediction", "predictions");
    const right = how(questions, "right");
    sum.textContent = `You have done ${done}, and answered ${answered}, ${right} of them right.`;
    for (const row of all("[data-chapter]")) {
      const [inRow, asked] = [all("[data-done]", row), all("[data-predict]", row)];
      const count = `${how(inRow, "done")} of ${inRow.length} done`;
      all(".book-count", row)[0].textContent = asked.length
        ? `${count}, ${how(asked, "right")} of ${asked.length} right`
        : count;
    }
    const again = links.filter(({ dataset }) => dataset.state === "wrong").map((link) => entry(link));
    again.push(
      ...links.filter(({ dataset }) => dataset.state === "begun").map((link) => entry(link, ": begun, not finished")),
      ...all("[data-chapter]").flatMap(left),
    );
    all("ul", review)[0].replaceChildren(...again);
    review.hidden = !again.length;
    one(".book-forget").hidden = !how(links, ...Object.keys(WORDS));
  }

  function ask() {
    const links = all("[data-done], [data-predict]");
    const ticks = how(links, "done");
    const answers = how(links, "right", "wrong", "begun", "shown");
    one("#book-ask").textContent =
      `Forget ${ticks === 1 ? "1 tick" : `${ticks} ticks`} and ${answers === 1 ? "1 answer" : `${answers} answers`} ` +
      "in this browser? They cannot be brought back.";
    asking.returnValue = "";
    asking.showModal();
  }

  one(".book-forget button").addEventListener("click", ask);
  asking.addEventListener("close", () => {
    if (asking.returnValue !== "forget") return;
    for (const key of keys()) if (OWN.test(key)) remember(key, null);
    draw();
    sum.focus(); // the button is gone: go on at what it changed
  });
  addEventListener("storage", draw); // another tab has ticked something
  addEventListener("pageshow", draw); // also when one comes back to this page
  one(".book-without-scripts").hidden = true;
  for (const each of [sum, one(".book-key")]) each.hidden = false;
})();
