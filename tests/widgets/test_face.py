"""`from qkv.widgets import …`: widgets are found, and each is loaded alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import qkv.widgets

FOLDER = Path(qkv.widgets.__file__).parent
ALONE = """
import json, sys
read = []
sys.addaudithook(lambda event, given: event == "open" and read.append(str(given[0])))
from qkv.widgets import {name}
print(json.dumps([list(sys.modules), read, {name}.__module__]))
"""


def loaded(name):
    """Return the modules that importing a widget loads, the files it reads, its own."""
    program = ["-c", ALONE.format(name=name)]
    ran = subprocess.run(
        [sys.executable, *program], capture_output=True, text=True, check=True
    )
    return json.loads(ran.stdout)


@pytest.mark.parametrize("name", qkv.widgets.__all__)
def test_a_widget_is_loaded_alone(name):
    modules, read, own = loaded(name)
    folder = own.rpartition(".")[0]
    mine = {"qkv.widgets", folder, own}
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
