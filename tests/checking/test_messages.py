"""The messages are whole templates, each in use, so that they can be translated."""

import string
from pathlib import Path

import pytest

import qkv
from qkv.checking import messages

TEMPLATES = {name: text for name, text in vars(messages).items() if name.isupper()}
SOURCES = [
    path.read_text("utf-8")
    for part in ("checking", "exercises")
    for path in (Path(qkv.__file__).parent / part).glob("*.py")
]


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_hole_has_a_name(name: str) -> None:
    holes = [hole for _, hole, _, _ in string.Formatter().parse(TEMPLATES[name])]
    assert all(hole is None or hole.isidentifier() for hole in holes)


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_message_is_said_somewhere(name: str) -> None:
    assert any(f"messages.{name}" in source for source in SOURCES)
