"""A reader comes back on another day: the first cell, then the exercise, no more."""

from collections.abc import Iterator
from pathlib import Path

import jupytext
import pytest

from tools import execute

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("[0-9][0-9]_*.md"))


def exercises(cells: list) -> Iterator[tuple[str, str]]:
    """Yield the number of each exercise, and the code of its cell."""
    for cell in cells:
        for tag in cell.metadata.get("tags", ()):
            if tag.startswith("exercise-"):
                yield tag.removeprefix("exercise-"), cell.source


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_an_exercise_needs_the_first_cell_alone(
    chapter: Path, capsys: pytest.CaptureFixture
) -> None:
    first, *others = execute.code_cells(jupytext.read(chapter))
    begun: dict = {}
    exec(first.source, begun)
    found = list(exercises(others))
    assert found
    for number, code in found:
        exec(code, dict(begun))
        assert capsys.readouterr().out.startswith(f"○ {number} "), "not attempted yet"
