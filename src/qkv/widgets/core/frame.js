// What every widget shares: drawing when the state changes, keys, messages, and the strip
// of all its steps for print.
import { html, render as lit } from "lit-html";

let count = 0;
const keys = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", Home: "home", End: "end" };

function rootFor(el, name) {
  const root = document.createElement("section");
  root.className = `qkv-w qkv-${name}`;
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", `${name} widget`);
  // JupyterLab must not take the arrow keys for its own while the reader is in here.
  root.dataset.lmSuppressShortcuts = "true";
  el.append(root);
  return root;
}

function world(name, model, root, extra) {
  return {
    get: (key) => model.get(key),
    // Each module counts for itself: the widget's name keeps their ids apart.
    id: `qkv-${name}-${++count}`,
    kernel: model.widget_manager !== undefined,
    root,
    keys: {},
    local: {},
    still: false,
    ...extra,
  };
}

/** Draw `view`, or say why it cannot be drawn. Never leaves an empty box. */
function paint(w, missing, view) {
  let trouble;
  try {
    trouble = missing(w);
    if (!trouble) {
      lit(view(w), w.stage);
      return follow(w);
    }
  } catch (error) {
    console.warn("qkv widget:", error);
    trouble = `its state does not fit together (${error.message})`;
  }
  w.stage.replaceChildren();
  delete w.stage._$litPart$;
  w.keys = {};
  const message = html`<p class="qkv-trouble" role="alert">
    This widget cannot be drawn: ${trouble}. Run its cell again to make it anew.
  </p>`;
  return lit(message, w.stage);
}

/** Scroll the part that is meant sideways into sight, and never the page. */
function follow(w) {
  if (w.still) return;
  for (const box of w.stage.querySelectorAll("[data-follow]")) {
    const now = box.querySelector(box.dataset.follow);
    if (!now || box.scrollWidth <= box.clientWidth) continue;
    const [a, b] = [box.getBoundingClientRect(), now.getBoundingClientRect()];
    const middle = (b.left + b.right - a.left - a.right) / 2;
    if (b.left < a.left + 40 || b.right > a.right - 40) box.scrollLeft += middle;
  }
}

function onKey(w, event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const at = event.target;
  // A slider's or a list's arrows are its own: JupyterLab would go to another cell.
  if (at.matches("input, select")) return event.stopPropagation();
  const act = w.keys[keys[event.key]];
  if (!act) return;
  const sideways = /Left|Right/.test(event.key);
  if (sideways && at.matches(".qkv-scroll") && at.scrollWidth > at.clientWidth) return;
  event.preventDefault();
  act();
}

/**
 * Make a front-end module from
 * `missing(w)`: what is wrong with the state, or "";
 * `view(w)`: the picture;
 * `stills(w)`: for print, [{caption, state}] with the traits that differ.
 */
export function widget(name, { missing, view, stills, begin }) {
  function render({ model, el }) {
    const root = rootFor(el, name);
    const w = world(name, model, root);
    w.stage = document.createElement("div");
    root.append(w.stage);
    let held = false;
    w.draw = () => {
      if (!held) paint(w, missing, view);
    };
    w.set = (changes) => {
      held = true;
      for (const [key, value] of Object.entries(changes)) model.set(key, value);
      model.save_changes();
      held = false;
      w.draw();
    };
    const key = (event) => onKey(w, event);
    root.addEventListener("keydown", key);
    model.on("change", w.draw);
    const end = begin?.(w, model);
    w.draw();
    return () => {
      model.off("change", w.draw);
      end?.();
    };
  }

  function strip({ model, el }) {
    const root = rootFor(el, name);
    root.classList.add("qkv-strip");
    const probe = world(name, model, root, { still: true });
    let frames;
    try {
      frames = missing(probe) ? [] : stills(probe);
    } catch {
      frames = [];
    }
    for (const { caption, state } of frames.length ? frames : [{ state: {} }]) {
      const figure = document.createElement("figure");
      const stage = document.createElement("div");
      const words = document.createElement("figcaption");
      words.textContent = caption ?? "";
      figure.append(...(caption ? [words] : []), stage);
      root.append(figure);
      const get = (key) => (key in state ? state[key] : model.get(key));
      paint(world(name, model, root, { get, stage, still: true, set() {}, draw() {} }), missing, view);
    }
  }
  return { render, strip };
}
