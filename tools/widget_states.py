"""Keep in a saved notebook the state of every widget that its outputs still name.

An extension of JupyterLab's server, which tools/lab.py starts. JupyterLab itself stores
no states, or, told to, those alone that live in the kernel at that moment: what was run
yesterday, or before the kernel was restarted, would read "model not found". This reads
along what kernels say of their widgets, and completes each notebook before it is
written: from the kernels, from what Lab sends, and from the file as it was.
"""

import atexit
import base64
import json
import os
from contextlib import suppress
from pathlib import Path

from jupyter_client.session import Session

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
REFERENCE = "IPY_MODEL_"
MOST = 1000  # that are remembered: a reader makes some 100 in a day


# --------------------------------------------------------------------- what is stored


def complete(notebook: dict, *known: dict[str, dict]) -> None:
    """Store in a notebook the states that its outputs name, and no others.

    Each of `known` holds states by their ids, as the notebook itself does; the later
    ones are the newer ones.
    """
    there = {id: state for states in known for id, state in states.items()}
    outputs = [cell.get("outputs", []) for cell in notebook.get("cells", [])]
    kept = _closure(named(outputs), there)
    _dress(kept, there)
    widgets = {**notebook.get("metadata", {}).pop("widgets", {})}
    widgets.pop(STATE, None)
    if kept:
        widgets[STATE] = {"version_major": 2, "version_minor": 0, "state": kept}
    if widgets:
        notebook["metadata"]["widgets"] = widgets


def stored(notebook: dict) -> dict[str, dict]:
    """Return the states that a notebook holds, by their ids."""
    widgets = notebook.get("metadata", {}).get("widgets", {})
    return widgets.get(STATE, {}).get("state", {})


def named(tree) -> list[str]:
    """Return the ids of the models that outputs, or another model's state, name."""
    if isinstance(tree, str):
        return [tree.removeprefix(REFERENCE)] * tree.startswith(REFERENCE)
    if isinstance(tree, list):
        return [id for part in tree for id in named(part)]
    if isinstance(tree, dict):
        view = tree.get(VIEW)
        shown = (
            [view["model_id"]] if isinstance(view, dict) and "model_id" in view else []
        )
        return shown + named([*tree.values()])
    return []


def _closure(ids, there):
    """Return the states of some ids, and of all that these name in turn."""
    kept, waiting = {}, ids[::-1]
    while waiting:
        id = waiting.pop()
        if id in there and id not in kept:
            kept[id] = there[id]
            waiting += named(there[id]["state"])[::-1]
    return kept


def _dress(kept, there):
    """Hand the style sheets of those that go on to those that stay without any.

    A chapter's twin stores each sheet once, with the first widget that needs it.
    """
    sheets = {model["state"].get("_css") for model in there.values()}
    sheets -= {model["state"].get("_css") for model in kept.values()} | {None, ""}
    bare = (id for id, model in kept.items() if model["state"].get("_css") == "")
    for sheet, id in zip(sorted(sheets), bare, strict=False):
        kept[id] = {**kept[id], "state": {**kept[id]["state"], "_css": sheet}}


# ------------------------------------------------------------------ what kernels say


class Seen(dict):
    """The states of the widgets that kernels have made, by their ids, as last told."""

    def note(self, message: dict) -> None:
        """Take in what a kernel says, if it is about a widget."""
        content = message["content"]
        data = content.get("data", {})
        opened = (
            message["header"]["msg_type"] == "comm_open"
            and content.get("target_name") == "jupyter.widget"
        )
        told = data.get("method") in ("update", "echo_update")
        if opened or (told and content["comm_id"] in self):
            self._take(content["comm_id"], data, message.get("buffers", []))

    def _take(self, id, data, buffers):
        model = self.pop(id, {"state": {}})
        new = data.get("state", {})
        state = {**model["state"], **new}
        binary = _encoded(data.get("buffer_paths", []), buffers)
        changed = {*new, *(each["path"][0] for each in binary)}
        binary += [
            each for each in model.get("buffers", []) if each["path"][0] not in changed
        ]
        self[id] = {
            "model_name": state.get("_model_name"),
            "model_module": state.get("_model_module"),
            "model_module_version": state.get("_model_module_version"),
            "state": state,
            **({"buffers": binary} if binary else {}),
        }
        while len(self) > MOST:
            del self[next(iter(self))]


def _encoded(paths, buffers):
    return [
        {
            "path": path,
            "encoding": "base64",
            "data": base64.b64encode(buffer).decode(),
        }
        for path, buffer in zip(paths, buffers, strict=True)
    ]


# --------------------------------------------------------------- JupyterLab's server


def _jupyter_server_extension_points():
    return [{"module": __name__}]


def _load_jupyter_server_extension(server):
    seen = Seen(_left(server.root_dir))
    atexit.register(_leave, server.root_dir, seen)
    server.contents_manager.register_pre_save_hook(
        lambda model, path, contents_manager: _before_saving(
            model, Path(contents_manager.root_dir, path), seen
        )
    )

    async def listen(logger, schema_id, data):
        if data.get("action") == "start" and data.get("kernel_id"):
            _read_along(server.kernel_manager.get_kernel(data["kernel_id"]), seen)

    server.event_logger.add_listener(listener=listen)


def _before_saving(model, path, seen):
    if model.get("type") == "notebook" and isinstance(model.get("content"), dict):
        sent = stored(model["content"])
        complete(model["content"], _stored_in(path), sent, seen)


def _stored_in(path):
    """Return the states in a file; none where it is new, or no notebook."""
    with suppress(AttributeError):
        return stored(_read(path))
    return {}


def _read_along(kernel, seen):
    """Note what a kernel says of its widgets, for as long as it lives."""
    session = Session(config=kernel.session.config, key=kernel.session.key)

    def take(parts):
        _, parts = session.feed_identities(parts)
        message = session.deserialize(parts, content=False)
        if message["header"]["msg_type"] in ("comm_open", "comm_msg"):
            message["content"] = session.unpack(message["content"])
            seen.note(message)

    kernel.connect_iopub().on_recv(take)


def _read(path):
    with suppress(OSError, ValueError):
        return json.loads(path.read_text("utf-8"))
    return {}


# A page may stay open while its server ends and begins again, with outputs that were
# never saved: their widgets wait here.
def _left(folder):
    return _read(Path(folder, ".jupyter", "widgets.json"))


def _leave(folder, seen):
    path = Path(folder, ".jupyter", "widgets.json")
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps(seen), "utf-8")
        os.replace(beside, path)
