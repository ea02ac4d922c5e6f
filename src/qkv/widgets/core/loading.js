// A trained model's weights, fetched when a reader asks for them: from the kernel, or from
// a file of the site. They are in no notebook.
import { html, nothing } from "lit-html";
import { patience } from "./inputs.js";
import { readCheckpoint } from "./safetensors.js";

/** @typedef {{ net: any, loading: boolean, note: string }} Loading the network, once it is here */
/** @typedef {{ name: string, size: number }} Loaded what the file is called on the site, and its bytes */
/** @typedef {import("./frame.js").World<any, Loading>} W */

/** @type {WeakMap<object, Map<string, Promise<any>>>} */
const loaded = new WeakMap(); // a widget's model → by name the promises of its networks
let turn = 0;

/** @param {W} w */
function fromKernel(w, name) {
  return new Promise((resolve, reject) => {
    const id = `${w.id}-${Date.now().toString(36)}-${++turn}`;
    const done = (settle, value) => {
      clearTimeout(timer);
      w.model.off("msg:custom", answered);
      settle(value);
    };
    const answered = (message, buffers) => {
      if (message?.id !== id) return;
      if (message.type === "coming") return clearTimeout(timer); // a slow line is no silence
      if (message.error) return done(reject, new Error(message.error));
      const { buffer, byteOffset, byteLength } = buffers[0];
      return done(resolve, buffer ? buffer.slice(byteOffset, byteOffset + byteLength) : buffers[0]);
    };
    const timer = setTimeout(
      () => done(reject, new Error("no kernel answered; run the cells above first, or wait until it is idle")),
      patience,
    );
    w.model.on("msg:custom", answered);
    try {
      w.model.send({ type: "weights", id, name });
    } catch {
      done(reject, new Error("its kernel was started anew; run its cell again"));
    }
  });
}

function fromSite(name) {
  const host = globalThis.qkvHost;
  if (!name) return Promise.reject(new Error("this page has not its file; run the chapter in JupyterLab"));
  return host?.checkpoint ? host.checkpoint(name) : Promise.reject(new Error("this page has no such file"));
}

/**
 * The network that `make` makes of a checkpoint; asked for once, and again after a failure.
 * @param {W} w
 */
function network(w, make, name) {
  const mine = loaded.get(w.model) ?? new Map();
  loaded.set(w.model, mine);
  if (!mine.has(name)) {
    const bytes = w.kernel ? fromKernel(w, name) : fromSite(name);
    const made = bytes.then((buffer) => {
      const checkpoint = readCheckpoint(buffer);
      return { ...checkpoint, ...make(checkpoint) };
    });
    mine.set(name, made);
    made.catch(() => mine.delete(name));
  }
  return mine.get(name);
}

export const size = (bytes) =>
  bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1e3))} kB`;

/**
 * Where the model runs, or what is said `before` it is here.
 * @param {W} w
 * @param {string} before
 * @param {unknown} [net] of a widget of several the one that is meant
 */
export const modelHint = (w, before, net = w.local.net) =>
  net ? "The model is here: it runs in your browser." : before;

/**
 * Where the model is, or what is the matter with it: always one line, with a button where what is `wanted` waits for it.
 * @param {W} w
 * @param {{ wanted: boolean, load: () => void, bytes?: number, net?: unknown }} of
 */
export function modelStatus(w, { wanted, load, bytes = w.get("size"), net = w.local.net }) {
  const { note, loading } = w.local;
  const asks = wanted && !loading;
  const hint = modelHint(w, `Change something, and the model is loaded: ${size(bytes)}, once.`, net);
  return html`<div role="status" class="qkv-model ${note || asks ? "qkv-note" : ""}">
    ${note ? html`<p>${note}</p>` : nothing}
    ${asks ? html`<p><button type="button" data-act="load" @click=${load}>Load the model, ${size(bytes)}</button></p>` : nothing}
    ${note || asks ? nothing : html`<p class="qkv-hint">${hint}</p>`}
  </div>`;
}

/**
 * Load the network if it is not there yet, then do this with it. Failures are said, and what is there `without` it.
 * A widget of several networks says which `file` is meant; `net` is then the one that came last.
 * @param {W} w
 * @param {Loaded} [file]
 */
export function withNetwork(w, make, act, without, file = { name: w.get("name"), size: w.get("size") }) {
  if (w.local.loading) return;
  w.local.loading = true;
  w.local.note = w.local.net ? "" : `Loading the model, ${size(file.size)} …`;
  w.draw();
  network(w, make, file.name)
    .then((net) => {
      w.local.loading = false;
      w.local.net = net;
      w.local.note = "";
      act(net);
    })
    .catch((error) => {
      w.local.loading = false;
      w.local.note = `The model could not be used: ${error.message}. ${without}`;
    })
    .finally(() => w.draw());
}
