// What every widget shares, whatever draws it: drawing when the state changes, keys,
// messages, and the print view, which has all its steps.

/**
 * What is behind a widget: ipywidgets' model in JupyterLab, the host's on the site.
 * @typedef {object} Model
 * @property {(key: string) => any} get
 * @property {(key: string, value: unknown) => void} set
 * @property {() => void} save_changes
 * @property {(event: string, act: (...given: any[]) => void) => void} on
 * @property {(event: string, act: (...given: any[]) => void) => void} off
 * @property {(message: object) => void} send
 * @property {unknown} [widget_manager] there is a kernel, or was
 */

/** @typedef {"left" | "right" | "up" | "down" | "home" | "end"} Key */

/**
 * What every part of a widget draws with: `State` are its traits, as its Python names them; `Local` is what
 * this page alone knows of it. Nothing else is kept on it.
 * @template [State=any], [Local=any]
 * @typedef {{
 *   get<K extends keyof State & string>(key: K): State[K],
 *   set(changes: Partial<State>): void,
 *   draw(): void,
 *   readonly id: string,
 *   readonly kernel: boolean,
 *   readonly model: Model,
 *   readonly root: HTMLElement,
 *   readonly stage: HTMLElement,
 *   readonly still: boolean,
 *   keys: { [key in Key]?: () => void },
 *   local: Partial<Local>,
 * }} World
 */

/** @typedef {World} W */

let count = 0;
/** @type {{ [key: string]: Key }} */
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

/**
 * @param {string} name
 * @param {Model} model
 * @param {HTMLElement} root
 * @param {Partial<W>} extra
 * @returns {W}
 */
function world(name, model, root, extra) {
  return {
    get: (key) => model.get(key),
    set() {},
    draw() {},
    // Each module counts for itself: the widget's name keeps their ids apart.
    id: `qkv-${name}-${++count}`,
    kernel: model.widget_manager !== undefined,
    model,
    root,
    stage: document.createElement("div"),
    keys: {},
    local: {},
    still: false,
    ...extra,
  };
}

/**
 * Draw `view`, or say why it cannot be drawn. Never leaves an empty box.
 * @param {W} w
 * @param {Hand} hand
 */
function paint(w, hand, missing, view) {
  let trouble;
  try {
    trouble = missing(w);
    if (!trouble) {
      if (w.stage.querySelector(":scope > .qkv-trouble")) w.stage.replaceChildren();
      hand.draw(view(w), w.stage);
      return follow(w);
    }
  } catch (error) {
    console.warn("qkv widget:", error);
    trouble = `its state does not fit together (${/** @type {Error} */ (error).message})`;
  }
  const message = document.createElement("p");
  message.className = "qkv-trouble";
  message.setAttribute("role", "alert");
  message.textContent = `This widget cannot be drawn: ${trouble}. Run its cell again to make it anew.`;
  w.stage.replaceChildren(message);
  hand.forget(w.stage);
  w.keys = {};
  return undefined;
}

/** How far a box must scroll so that `now` is not at its rim, along one axis. */
const far = (box, now, least, most) =>
  now[least] < box[least] + 40 || now[most] > box[most] - 40
    ? (now[least] + now[most] - box[least] - box[most]) / 2
    : 0;

/**
 * Scroll the part that is meant into sight within its box, and never the page.
 * @param {W} w
 */
function follow(w) {
  if (w.still) return;
  for (const box of /** @type {NodeListOf<HTMLElement>} */ (w.stage.querySelectorAll("[data-follow]"))) {
    const now = box.querySelector(box.dataset.follow ?? "");
    if (!now) continue;
    const [a, b] = [box.getBoundingClientRect(), now.getBoundingClientRect()];
    if (box.scrollWidth > box.clientWidth) box.scrollLeft += far(a, b, "left", "right");
    if (box.scrollHeight > box.clientHeight) box.scrollTop += far(a, b, "top", "bottom");
  }
}

/**
 * A key in a widget is the widget's: JupyterLab would insert a cell at "a", and cut this one at "x". What runs a cell,
 * and keys with Ctrl and the like, are JupyterLab's.
 * @param {W} w
 */
function onKey(w, event) {
  const runs = event.shiftKey && event.key === "Enter";
  if (runs || event.altKey || event.ctrlKey || event.metaKey) return;
  if (!/^(Tab|Shift)$/.test(event.key)) event.stopPropagation();
  const at = event.target;
  if (event.shiftKey || at.matches("input, select")) return;
  const act = w.keys[keys[event.key]];
  if (!act) return;
  const sideways = /Left|Right/.test(event.key);
  if (sideways && at.matches(".qkv-scroll") && at.scrollWidth > at.clientWidth) return;
  event.preventDefault();
  act();
}

/**
 * What draws: `draw` puts what a view gives into its place, `forget` is told that its children are gone.
 * @typedef {{ draw(view: any, stage: HTMLElement): void, forget(stage: HTMLElement): void }} Hand
 */

/**
 * Make a front-end module from what draws it,
 * `missing(w)`: what is wrong with the state, or "";
 * `view(w)`: the picture;
 * `stills(w)`: for print, [{caption, state}] with the traits that differ.
 * @template State, Local
 * @param {Hand} hand
 * @param {string} name
 * @param {{
 *   missing: (w: World<State, Local>) => string,
 *   view: (w: World<State, Local>) => unknown,
 *   stills: (w: World<State, Local>) => { caption?: string, state: { [key: string]: unknown } }[],
 *   begin?: (w: World<State, Local>) => void | (() => void),
 * }} parts
 */
export function framed(hand, name, { missing, view, stills, begin }) {
  /** @param {{ model: Model, el: HTMLElement }} given */
  function render({ model, el }) {
    const root = rootFor(el, name);
    let held = false;
    const draw = () => {
      if (!held) paint(w, hand, missing, view);
    };
    const set = (changes) => {
      held = true;
      for (const [key, value] of Object.entries(changes)) model.set(key, value);
      model.save_changes();
      held = false;
      draw();
    };
    const w = world(name, model, root, { draw, set });
    root.append(w.stage);
    const key = (event) => onKey(w, event);
    root.addEventListener("keydown", key);
    model.on("change", w.draw);
    const end = begin?.(w);
    w.draw();
    return () => {
      model.off("change", w.draw);
      if (end) end();
    };
  }

  /** @param {{ model: Model, el: HTMLElement }} given */
  function printView({ model, el }) {
    const root = rootFor(el, name);
    root.classList.add("qkv-print");
    const probe = world(name, model, root, { still: true });
    /** @type {{ caption?: string, state: { [key: string]: unknown } }[]} */
    let frames;
    try {
      frames = missing(probe) ? [] : stills(probe);
    } catch {
      frames = [];
    }
    for (const { caption, state } of frames.length ? frames : [{ state: {} }]) {
      const figure = document.createElement("figure");
      const words = document.createElement("figcaption");
      words.textContent = caption ?? "";
      const get = (key) => (key in state ? state[key] : model.get(key));
      const w = world(name, model, root, { get, still: true });
      figure.append(...(caption ? [words] : []), w.stage);
      root.append(figure);
      paint(w, hand, missing, view);
    }
  }
  return { render, printView };
}
