// The kernel-less host: mounts the book's widgets from their stored state.
//
// A classic script without imports, so that a page also works from file://. It asks nobody
// for anything: modules come from classic scripts in the page.
//
//   <div data-qkv-widget="ID"><div data-fallback>…</div></div>
//   <script type="application/vnd.qkv-widget+json" data-for="ID">
//     {"module": MODULE_ID, "model_id": "…", "state": {…}, "buffers": [{"path", "data"}], "css_id": CSS_ID}
//   </script>
//   qkvHost.define(MODULE_ID, esmText)    once per page for each module, before or after this page is read
//   qkvHost.style(CSS_ID, cssText)        once per page for each sheet
//
// WEIGHTS of a trained model come when a widget asks: `await qkvHost.checkpoint(NAME)` adds
// the script checkpoints/NAME.js beside this one, which calls
//   qkvHost.keep(NAME, base64)
//
// After mounting, the div has data-mounted="1", and performance.mark("qkv-mounted:ID") is
// set. If anything fails, the fallback stays, a message says why, and data-error is set.
//
// `qkvHost.onMount(f)` calls f({ slot, model }) for each widget of the page when it is mounted,
// and for those that are mounted already.
//
// PRINT. The print view of each widget, with all steps, takes the place of the widget
//   - for good, if the address has ?print, or <html> has the attribute data-print;
//   - while the page is being printed (beforeprint … afterprint), on any page.
// `await qkvHost.ready` resolves when every widget of the page is mounted or has failed:
// wait for it before page.pdf().
(() => {
  if (window.qkvHost) return void window.qkvHost.mountAll();

  const modules = new Map(); // module id → text, then the promise of the module
  const waiting = new Map(); // module id → those who wait for its definition
  const models = new Map();
  const checkpoints = new Map(); // name → the promise of its bytes
  const arrived = new Map(); // name → its base64, until it is taken
  const own = document.currentScript;
  const beside = (own instanceof HTMLScriptElement && own.src) || document.baseURI;
  const mounted = [];
  const told = []; // who wants to know what is mounted
  const printing = () =>
    new URLSearchParams(location.search).has("print") || document.documentElement.hasAttribute("data-print");

  function define(id, text) {
    if (modules.has(id)) return;
    modules.set(id, text);
    waiting.get(id)?.forEach((go) => go());
    waiting.delete(id);
  }

  function style(id, text) {
    if (document.querySelector(`style[data-qkv-css="${CSS.escape(id)}"]`)) return;
    const sheet = document.createElement("style");
    sheet.dataset.qkvCss = id;
    sheet.textContent = text;
    document.head.append(sheet);
  }

  /** The scripts that define modules may stand after this one: wait until the page is loaded. */
  function defined(id) {
    if (modules.has(id)) return Promise.resolve();
    if (document.readyState === "complete") return Promise.reject(new Error(`its module ${id} is not on this page`));
    return new Promise((resolve, reject) => {
      waiting.set(id, [...(waiting.get(id) ?? []), resolve]);
      addEventListener("load", () => setTimeout(() => reject(new Error(`its module ${id} is not on this page`))));
    });
  }

  async function load(id) {
    await defined(id);
    if (typeof modules.get(id) === "string") {
      const url = URL.createObjectURL(new Blob([modules.get(id)], { type: "text/javascript" }));
      modules.set(
        id,
        import(url).finally(() => URL.revokeObjectURL(url)),
      );
    }
    const found = (await modules.get(id)).default;
    return typeof found === "function" ? found() : found;
  }

  function bytes(base64) {
    const text = atob(base64);
    return new DataView(Uint8Array.from(text, (c) => c.charCodeAt(0)).buffer);
  }

  /** A script, because a page from disk may load one, but may not fetch. */
  function fetchCheckpoint(name) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      const missing = () => reject(new Error(`its file checkpoints/${name}.js could not be loaded`));
      script.src = new URL(`checkpoints/${encodeURIComponent(name)}.js`, beside).href;
      script.onerror = missing;
      script.onload = () => {
        script.remove();
        if (!arrived.has(name)) return missing();
        resolve(bytes(arrived.get(name)).buffer);
        return arrived.delete(name);
      };
      document.head.append(script);
    });
  }

  /** Fetched once, and again after a failure. */
  function checkpoint(name) {
    if (!checkpoints.has(name)) {
      const promise = fetchCheckpoint(name);
      checkpoints.set(name, promise);
      promise.catch(() => checkpoints.delete(name));
    }
    return checkpoints.get(name);
  }

  const keep = (name, base64) => arrived.set(name, base64);

  /** The part of Jupyter's model that front-end modules use; widget_manager is undefined here. */
  function makeModel(state, buffers = []) {
    const traits = structuredClone(state);
    for (const { path, data } of buffers) {
      const holder = path.slice(0, -1).reduce((at, key) => at[key], traits);
      holder[path.at(-1)] = bytes(data);
    }
    const listeners = new Map();
    const emit = (name, ...args) => [...(listeners.get(name) ?? [])].forEach((f) => f(...args));
    const names = (text) => text.split(/\s+/).filter(Boolean);
    const model = {
      get: (key) => traits[key],
      set(key, value) {
        const changes = Object.entries(typeof key === "string" ? { [key]: value } : key);
        const real = changes.filter(([name, next]) => traits[name] !== next);
        for (const [name, next] of real) traits[name] = next;
        for (const [name, next] of real) emit(`change:${name}`, model, next);
        if (real.length) emit("change", model);
      },
      on(events, listener) {
        for (const name of names(events)) listeners.set(name, (listeners.get(name) ?? new Set()).add(listener));
      },
      off(events, listener) {
        if (events == null) return listeners.clear();
        for (const name of names(events)) listener ? listeners.get(name)?.delete(listener) : listeners.delete(name);
      },
      save_changes() {},
      send() {},
      widget_manager: undefined,
    };
    return model;
  }

  /** Two views of one model share it, as they do in Jupyter. */
  async function modelOf(widget, { model_id: id = Symbol("model"), state, buffers }) {
    if (!models.has(id)) {
      const model = makeModel(state, buffers);
      models.set(
        id,
        Promise.resolve(widget.initialize?.({ model })).then(() => model),
      );
    }
    return models.get(id);
  }

  async function mount(slot, data) {
    const widget = await load(data.module);
    const model = await modelOf(widget, data);
    const el = document.createElement("div");
    slot.append(el);
    try {
      if (printing() && widget.printView) widget.printView({ model, el });
      else await widget.render({ model, el, experimental: {} });
    } catch (error) {
      el.remove();
      throw error;
    }
    slot.querySelector("[data-fallback]")?.remove();
    slot.dataset.mounted = "1";
    const view = { slot, el, widget, model };
    mounted.push(view);
    told.forEach((tell) => tell(view));
    performance.mark(`qkv-mounted:${slot.dataset.qkvWidget}`);
  }

  function onMount(tell) {
    told.push(tell);
    mounted.forEach((view) => tell(view));
  }

  function fail(slot, error) {
    console.error("qkvHost:", error);
    slot.dataset.error = String(error?.message ?? error);
    const message = document.createElement("p");
    message.className = "qkv-host-error";
    message.setAttribute("role", "alert");
    message.textContent = `This widget could not start: ${slot.dataset.error}.`;
    if (slot.querySelector("[data-fallback]")) message.textContent += " Its values stand below.";
    slot.prepend(message);
  }

  async function take(slot) {
    const script = document.querySelector(`script[data-for="${CSS.escape(slot.dataset.qkvWidget)}"]`);
    try {
      if (!script) throw new Error("its state is not on this page");
      await mount(slot, JSON.parse(script.textContent));
    } catch (error) {
      fail(slot, error);
    }
  }

  function mountAll() {
    const open = /** @type {NodeListOf<HTMLElement>} */ (
      document.querySelectorAll("[data-qkv-widget]:not([data-claimed])")
    );
    const slots = [...open];
    for (const slot of slots) slot.dataset.claimed = "1"; // at once: nobody mounts it twice
    return Promise.all(slots.map(take));
  }

  addEventListener("beforeprint", () => {
    if (printing()) return;
    for (const view of mounted) {
      if (!view.widget.printView) continue;
      view.paper = document.createElement("div");
      view.widget.printView({ model: view.model, el: view.paper });
      view.slot.append(view.paper);
      view.el.hidden = true;
    }
  });
  addEventListener("afterprint", () => {
    for (const view of mounted) {
      view.paper?.remove();
      view.el.hidden = false;
    }
  });

  let settle;
  const ready = new Promise((resolve) => (settle = resolve));
  window.qkvHost = { define, style, checkpoint, keep, mountAll, makeModel, onMount, ready };
  const begin = () => mountAll().then(settle);
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
  else begin();
})();
