"""What is stored with a saved notebook: the widgets that its outputs still name."""

import base64
import copy
import json
from types import SimpleNamespace

import pytest

from tools import widget_states
from tools.widget_states import STATE, VIEW, Seen, complete, stored


def model(name, **state):
    """Return a widget's stored state."""
    return {
        "model_name": "AnyModel",
        "model_module": "anywidget",
        "model_module_version": "~0.11.*",
        "state": {"name": name, **state},
    }


def view(id):
    return {
        "output_type": "display_data",
        "data": {"text/plain": "Widget()", VIEW: {"model_id": id}},
        "metadata": {},
    }


def notebook(*shown, **states):
    """Return a notebook whose cells show some widgets, and that stores some states."""
    cells = [{"cell_type": "code", "outputs": [view(id)]} for id in shown]
    cells.insert(0, {"cell_type": "markdown", "source": "# A chapter"})
    widgets = {STATE: {"version_major": 2, "version_minor": 0, "state": states}}
    return {"cells": cells, "metadata": {"widgets": widgets} if states else {}}


def opened(id, *, target="jupyter.widget", buffers=(), paths=(), **state):
    """Return what a kernel says when it makes a widget."""
    kind = {"_model_name": "AnyModel", "_model_module": "anywidget"}
    kind["_model_module_version"] = "~0.11.*"
    data = {"state": {**kind, **state}, "buffer_paths": [*paths]}
    return {
        "header": {"msg_type": "comm_open"},
        "content": {"comm_id": id, "target_name": target, "data": data},
        "buffers": [*buffers],
    }


def updated(id, method="update", *, buffers=(), paths=(), **state):
    data = {"method": method, "state": state, "buffer_paths": [*paths]}
    return {
        "header": {"msg_type": "comm_msg"},
        "content": {"comm_id": id, "data": data},
        "buffers": [*buffers],
    }


def saved(sent, file=None, seen=None):
    """Return the ids that are stored after a notebook was completed."""
    sent = copy.deepcopy(sent)
    complete(sent, stored(file or {}), stored(sent), seen or {})
    return stored(sent)


def test_a_widget_that_lab_forgot_is_taken_from_the_file():
    file = notebook("a", "b", a=model("A"), b=model("B"))
    assert saved(notebook("a", "b"), file) == {"a": model("A"), "b": model("B")}


def test_one_cell_run_again_leaves_the_others_theirs():
    """Lab, told to store states, sends those of the kernel's widgets alone."""
    file = notebook("a", "b", a=model("A"), b=model("B"))
    sent = notebook("new", "b", new=model("N"))
    assert saved(sent, file) == {"new": model("N"), "b": model("B")}


def test_what_no_output_names_is_dropped():
    file = notebook("a", a=model("A"), b=model("B"))
    assert saved(notebook("a"), file) == {"a": model("A")}


def test_a_notebook_without_widgets_stays_without():
    sent = notebook()
    complete(sent, {"a": model("A")})
    assert sent == notebook()


def test_cleared_outputs_take_the_states_with_them_and_nothing_else():
    sent = notebook(a=model("A"))
    sent["metadata"]["widgets"]["mine"] = 1
    complete(sent, stored(sent))
    assert sent["metadata"]["widgets"] == {"mine": 1}


def test_a_widget_made_of_widgets_keeps_its_parts():
    parts = {"layout": "IPY_MODEL_l", "children": ["IPY_MODEL_c", "IPY_MODEL_gone"]}
    inside = {"outputs": [view("deep")]}
    there = {
        "box": model("box", **parts),
        "l": model("layout"),
        "c": model("output", **inside),
        "deep": model("deep", back="IPY_MODEL_box"),
        "other": model("other"),
    }
    assert list(saved(notebook("box"), seen=there)) == ["box", "l", "c", "deep"]


def test_the_kernel_knows_best_then_lab_then_the_file():
    file = notebook("a", "b", "c", a=model(1), b=model(1), c=model(1))
    sent = notebook("a", "b", "c", a=model(2), b=model(2))
    found = saved(sent, file, {"a": model(3)})
    assert [found[id]["state"]["name"] for id in "abc"] == [3, 2, 1]


def test_a_style_sheet_outlives_the_widget_that_held_it():
    """A twin's sheet lies with its first widget, which the reader makes anew."""
    file = notebook("a", "b", a=model("A", _css=".q {}"), b=model("B", _css=""))
    found = saved(notebook("b"), file)
    assert found["b"]["state"]["_css"] == ".q {}"
    again = saved(notebook("new", "b"), file, {"new": model("N", _css=".q {}")})
    assert again["b"]["state"]["_css"] == ""


def test_a_kernels_widget_is_stored_as_lab_would():
    seen = Seen()
    seen.note(opened("a", step=0, pixels=1))
    seen.note(updated("a", step=3))
    seen.note(updated("a", "echo_update", pixels=2))
    seen.note(updated("a", "custom", step=9))
    assert seen["a"]["model_name"] == "AnyModel"
    assert seen["a"]["model_module"] == "anywidget"
    assert seen["a"]["model_module_version"] == "~0.11.*"
    assert seen["a"]["state"]["step"] == 3
    assert seen["a"]["state"]["pixels"] == 2
    assert "buffers" not in seen["a"]


def test_arrays_are_stored_until_they_change():
    seen = Seen()
    seen.note(opened("a", buffers=[b"one"], paths=[["x"]]))
    seen.note(updated("a", step=1))
    one = {"path": ["x"], "encoding": "base64", "data": "b25l"}
    assert seen["a"]["buffers"] == [one]
    seen.note(updated("a", buffers=[memoryview(b"two")], paths=[["x"]]))
    (two,) = seen["a"]["buffers"]
    assert base64.b64decode(two["data"]) == b"two"
    seen.note(updated("a", x=None))
    assert "buffers" not in seen["a"]


def test_what_is_no_widget_is_not_noted():
    seen = Seen()
    seen.note(opened("a", target="jupyter.widget.control"))
    seen.note(updated("b", step=1))
    assert seen == {}


def test_the_latest_are_remembered(monkeypatch):
    monkeypatch.setattr(widget_states, "MOST", 2)
    seen = Seen()
    for id in ("a", "b", "c"):
        seen.note(opened(id))
        seen.note(updated("a", step=1))
    assert list(seen) == ["c", "a"]


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Return the parts of JupyterLab's server that the extension meets."""
    monkeypatch.setattr(widget_states.atexit, "register", lambda *_: None)
    hooks = []
    contents = SimpleNamespace(
        root_dir=str(tmp_path), register_pre_save_hook=hooks.append
    )
    return SimpleNamespace(
        root_dir=str(tmp_path),
        contents_manager=contents,
        event_logger=SimpleNamespace(add_listener=lambda listener: None),
        hooks=hooks,
    )


def save(server, content, type="notebook"):
    (hook,) = server.hooks
    model = {"type": type, "content": content}
    hook(model=model, path="mine.ipynb", contents_manager=server.contents_manager)
    return model["content"]


@pytest.mark.parametrize("text", [None, "", "[1", "[]"])
def test_a_first_save_or_a_broken_file_is_no_trouble(server, tmp_path, text):
    widget_states._load_jupyter_server_extension(server)
    if text is not None:
        (tmp_path / "mine.ipynb").write_text(text)
    sent = notebook("a", a=model("A"))
    assert stored(save(server, sent)) == {"a": model("A")}


def test_the_file_on_the_disk_is_looked_into(server, tmp_path):
    widget_states._load_jupyter_server_extension(server)
    file = notebook("a", a=model("나"))
    (tmp_path / "mine.ipynb").write_text(json.dumps(file), "utf-8")
    assert stored(save(server, notebook("a"))) == {"a": model("나")}


def test_other_files_are_saved_as_they_are(server):
    widget_states._load_jupyter_server_extension(server)
    assert save(server, "text", type="file") == "text"
    assert save(server, None, type="directory") is None


def test_what_was_never_saved_waits_for_the_next_server(server, tmp_path):
    widget_states._leave(tmp_path, Seen(a=model("A")))
    widget_states._load_jupyter_server_extension(server)
    assert stored(save(server, notebook("a"))) == {"a": model("A")}
