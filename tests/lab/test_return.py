"""A reader saves, ends everything, and comes back: each widget is there again."""

import nbformat
import pytest

from tests.lab.reader import NO_MODEL, opened, running_lab
from tools.execute import KERNEL

NAME = "mine.ipynb"
CELL = """
from qkv.widgets import Predict

Predict("{0}", {{"this": "It is.", "that": "It is not."}}, right=0, name="{0}")
"""
QUESTIONS = ("Which one?", "And which now?")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder of a reader who wrote a notebook with two widgets."""
    folder = tmp_path_factory.mktemp("reader 공책")
    cells = [nbformat.v4.new_code_cell(CELL.format(q).strip()) for q in QUESTIONS]
    mine = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
    (folder / "work").mkdir()
    nbformat.write(mine, folder / "work" / NAME)
    return folder


@pytest.fixture
def visit(browser, folder):
    """Return a way to open the notebook once more, each time in a new browser."""
    with running_lab(folder) as lab:
        yield lambda: opened(browser, lab, NAME)


def run_one(notebook, index):
    notebook.ready()
    notebook.page.evaluate(
        f"""async () => {{
            window.jupyterapp.shell.currentWidget.content.activeCellIndex = {index};
            await window.jupyterapp.commands.execute('notebook:run-cell');
        }}"""
    )


def restart_kernel(notebook):
    notebook.page.evaluate(
        "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )
    notebook.ready()


def shown(notebook):
    """Return the questions that are drawn, once there are as many as were asked."""
    page = notebook.page
    page.wait_for_function(
        f"""() => document.querySelectorAll('.qkv-w').length === {len(QUESTIONS)}
            || document.body.innerText.includes({NO_MODEL!r})"""
    )
    said = page.locator(".qkv-w").all_inner_texts()
    return [q for q in QUESTIONS if any(q in text for text in said)]


def test_run_but_saved_only_after_the_kernel_was_restarted(visit):
    with visit() as notebook:
        notebook.run_all()
        assert notebook.errors() == []
        restart_kernel(notebook)
        notebook.save()
    with visit() as notebook:
        assert shown(notebook) == [*QUESTIONS]


def test_another_day_without_running_and_with_one_cell_run(visit):
    """After the test above: on a new server, with no kernel that knows the widgets."""
    with visit() as notebook:
        assert shown(notebook) == [*QUESTIONS]
        notebook.save()
    with visit() as notebook:
        assert shown(notebook) == [*QUESTIONS]
        run_one(notebook, 1)
        notebook.save()
        assert shown(notebook) == [*QUESTIONS]
    with visit() as notebook:
        assert shown(notebook) == [*QUESTIONS]


def test_on_the_third_day_both_are_there(visit):
    with visit() as notebook:
        assert shown(notebook) == [*QUESTIONS]
