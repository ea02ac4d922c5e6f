// A trained model's weights, fetched when a reader asks for them: from the kernel, or from
// a file of the site. They are in no notebook.
import { readCheckpoint } from "./safetensors.js";
import { transformer } from "./transformer.js";

const patience = 20000;
const loaded = new WeakMap(); // a widget's model → the promise of its network
let turn = 0;

function fromKernel(w, model) {
  return new Promise((resolve, reject) => {
    const id = `${w.id}-${Date.now().toString(36)}-${++turn}`;
    const done = (settle, value) => {
      clearTimeout(timer);
      model.off("msg:custom", answered);
      settle(value);
    };
    const answered = (message, buffers) => {
      if (message?.id !== id) return;
      if (message.error) return done(reject, new Error(message.error));
      const { buffer, byteOffset, byteLength } = buffers[0];
      return done(resolve, buffer ? buffer.slice(byteOffset, byteOffset + byteLength) : buffers[0]);
    };
    const timer = setTimeout(() => done(reject, new Error("no kernel answered; run the cells above first")), w.patience ?? patience);
    model.on("msg:custom", answered);
    model.send({ type: "weights", id });
  });
}

function fromSite(name) {
  const host = globalThis.qkvHost;
  return host?.checkpoint ? host.checkpoint(name) : Promise.reject(new Error("this page has no such file"));
}

/** The network, with its vocabularies; asked for once, and again after a failure. */
export function network(w, model) {
  if (!loaded.has(model)) {
    const bytes = w.kernel ? fromKernel(w, model) : fromSite(w.get("name"));
    const made = bytes.then((buffer) => {
      const checkpoint = readCheckpoint(buffer);
      return { ...checkpoint, ...transformer(checkpoint) };
    });
    loaded.set(model, made);
    made.catch(() => loaded.delete(model));
  }
  return loaded.get(model);
}
