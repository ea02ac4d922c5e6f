"""`from qkv.widgets import …`: widgets are found, and each is loaded alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import qkv.widgets

FOLDER = Path(qkv.widgets.__file__).parent
# Imports each widget as a fresh session does: nothing is left of the package before it.
# What the package stands on, torch above all, is loaded once: it takes seconds.
ALONE = """
import importlib, json, sys
read, told = [], {}
sys.addaudithook(lambda event, given: event == "open" and read.append(str(given[0])))
for name in sys.argv[1:]:
    for module in [m for m in sys.modules if m.partition(".")[0] == "qkv"]:
        del sys.modules[module]
    read.clear()
    widget = getattr(importlib.import_module("qkv.widgets"), name)
    modules = [m for m in sys.modules if m.partition(".")[0] == "qkv"]
    told[name] = modules, list(read), widget.__module__
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def loaded():
    """Return what importing each widget loads, the files it reads, and its module."""
    program = [sys.executable, "-c", ALONE, *qkv.widgets.__all__]
    ran = subprocess.run(program, capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


@pytest.mark.parametrize("name", qkv.widgets.__all__)
def test_a_widget_is_loaded_alone(loaded, name):
    modules, read, own = loaded[name]
    folder = own.rpartition(".")[0]
    mine = {"qkv.widgets", folder, own}
    assert mine <= set(modules)
    others = {m for m in modules if m.startswith("qkv.widgets")} - mine
    assert [m for m in others if not m.startswith("qkv.widgets.shared")] == []
    bundles = {Path(file).name for file in read if file.endswith(".js")}
    assert bundles == {f"{folder.rpartition('.')[2]}.js"}


def test_each_folder_is_a_widget_or_shared():
    named = {path.parent.name for path in FOLDER.glob("*/*.py")} - {"shared"}
    classes = {name: getattr(qkv.widgets, name) for name in qkv.widgets.__all__}
    assert {c.__module__.split(".")[2] for c in classes.values()} == named
    assert all(name == c.__name__ for name, c in classes.items())


def test_each_widget_has_a_bundle():
    bundles = {path.stem for path in (FOLDER / "static").glob("*.js")}
    assert bundles == {path.parent.name for path in FOLDER.glob("*/*.py")} - {"shared"}


def test_the_face_names_its_widgets():
    assert dir(qkv.widgets) == qkv.widgets.__all__
    with pytest.raises(
        AttributeError, match=r"no attribute .Nothing.; it has Alignment"
    ):
        _ = qkv.widgets.Nothing
