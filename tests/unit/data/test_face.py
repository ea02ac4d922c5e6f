"""The face of qkv.data: every name is there, and loads its own subject alone."""

import subprocess
import sys
from pathlib import Path

import pytest

import qkv.data
from qkv._faces import _LISTED

FOLDER = Path(qkv.data.__file__).parent
SUBJECTS = {path.name for path in FOLDER.iterdir() if path.is_dir()} | {"own"}
SUBJECTS |= {"text.grammar", "text.dates", "text.numbers", "text.language"}
OF_ONE = {
    "DictatedNumbers": {"text", "text.numbers"},
    "KoreanDates": {"text", "text.dates"},
    "DateLanguage": {"text", "text.dates", "text.language"},
    "EnglishKorean": {"text", "text.grammar"},
    "Reversal": {"symbols"},
    "Digits": {"pictures"},
    "Seasons": {"series"},
    "co2": {"series"},
    "load_pairs": {"own", "pictures", "text"},
    "PAD": set(),
}


PROGRAM = """
import sys, torch
from importlib import import_module
for name in sys.argv[1:]:
    getattr(import_module("qkv.data"), name)
    print(name, *sys.modules)
    for module in [m for m in sys.modules if m.startswith("qkv")]:
        del sys.modules[module]
"""


def test_a_name_loads_its_own_subject_and_no_other():
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, *OF_ONE],
        capture_output=True,
        text=True,
        check=True,
    )
    for line in ran.stdout.splitlines():
        name, *loaded = line.split()
        found = {s for s in SUBJECTS if f"qkv.data.{s}" in loaded}
        assert found == OF_ONE[name], name
        assert not {"sklearn", "PIL", "babel", "matplotlib"} & set(loaded), name


@pytest.mark.parametrize("name", qkv.data.__all__)
def test_every_name_that_a_module_lists_is_there(name):
    thing = getattr(qkv.data, name)
    assert getattr(thing, "__name__", name) == name
    assert name in dir(qkv.data)


def test_no_name_is_listed_twice():
    listed = [
        name
        for file in FOLDER.rglob("*.py")
        if (found := _LISTED.search(file.read_text("utf-8")))
        and file.name != "__init__.py"
        for name in found[1].replace('"', "").replace(",", " ").split()
    ]
    assert sorted(listed) == qkv.data.__all__


def test_an_unknown_name_is_said_to_be_one():
    with pytest.raises(AttributeError, match=r"'qkv\.data' has no attribute 'Nothing'"):
        qkv.data.Nothing  # noqa: B018
