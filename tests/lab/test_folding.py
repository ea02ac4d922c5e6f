"""A cell that folds shows its first line and its output in JupyterLab, and opens."""

import nbformat
import pytest

from tests.lab.reader import opened, running_lab
from tools import execute

NAME = "folded.ipynb"
CLAIM = 'claim("it reads", 0.95, at_least=0.9)\nclaim("it writes", 1, at_least=0.9)'
EXERCISE = "def both(x):\n    ...\n\n\nassert both(1) is None"
FIGURE = (
    'bars(\n    {"GRU": 880, "attention": 430},\n    title="Cost",\n    ylabel="s",\n)'
)


@pytest.fixture(scope="module")
def notebook(browser, tmp_path_factory):
    """Return a twin, made as tools/execute.py makes one, open in JupyterLab."""
    folder = tmp_path_factory.mktemp("reader")
    cells = [nbformat.v4.new_code_cell(source) for source in (CLAIM, EXERCISE, FIGURE)]
    cells[0].outputs = [nbformat.v4.new_output("stream", text="✓ it reads")]
    cells[1].metadata["tags"] = ["exercise-1.1"]
    twin = execute.canonical(nbformat.v4.new_notebook(cells=cells), "made/folded")
    (folder / "work").mkdir()
    nbformat.write(twin, folder / "work" / NAME)
    with running_lab(folder) as lab, opened(browser, lab, NAME) as notebook:
        yield notebook


def test_what_folds_shows_its_first_line_and_what_came_out(notebook):
    claim, exercise, figure = (notebook.cells.nth(n) for n in range(3))
    claim.locator(".jp-OutputArea", has_text="✓ it reads").wait_for()
    for cell, line in ((claim, 'claim("it reads", 0.95'), (figure, "bars(")):
        line_shown = cell.locator(".jp-Placeholder-content")
        assert line_shown.inner_text().startswith(line)
        assert not cell.locator(".cm-content").is_visible()
    assert exercise.locator(".cm-content").is_visible()
    assert exercise.locator(".jp-Placeholder-content").count() == 0


def test_what_folds_opens_by_a_click(notebook):
    claim = notebook.cells.first
    claim.locator(".jp-Placeholder-content").click()
    assert "it writes" in claim.locator(".cm-content").inner_text()
