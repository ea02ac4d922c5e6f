"""Figures and drawings are dark in a dark JupyterLab, whatever the system is."""

import io
import shutil

import nbformat
import pytest
from PIL import Image

from tests.lab.reader import ROOT, opened, running_lab
from tools.execute import KERNEL

NAME = "mine.ipynb"
DRAWING = sorted((ROOT / "chapters" / "figures").iterdir())[0]
CELL = """
from IPython.display import display
from qkv.plot import bars
from qkv.widgets import Predict

display(bars({"GRU": 880, "attention": 430}, ylabel="steps", title="Cost"))
Predict("Which?", {"this": "It is.", "that": "It is not."}, right=0, name="which")
"""
SHOWN = (".jp-RenderedSVG img", ".jp-MarkdownCell img")


@pytest.fixture(scope="module")
def notebook(browser, tmp_path_factory):
    """Return a notebook that has run, with a drawing, a figure and a widget."""
    folder = tmp_path_factory.mktemp("reader")
    cells = [
        nbformat.v4.new_markdown_cell(f"![A drawing](figures/{DRAWING.name})"),
        nbformat.v4.new_code_cell(CELL.strip()),
    ]
    mine = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
    (folder / "work" / "figures").mkdir(parents=True)
    shutil.copy(DRAWING, folder / "work" / "figures")
    nbformat.write(mine, folder / "work" / NAME)
    with running_lab(folder) as lab, opened(browser, lab, NAME) as notebook:
        notebook.run_all()
        assert notebook.errors() == []
        yield notebook


def brightness(notebook, selector):
    """Return how bright an image's ground is, near its upper edge, from 0 to 255."""
    shot = notebook.page.locator(selector).first.screenshot()
    image = Image.open(io.BytesIO(shot)).convert("L")
    return image.getpixel((image.width // 3, 4))


@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize(("theme", "is_dark"), [("Light", False), ("Dark", True)])
def test_an_image_is_as_dark_as_jupyterlab(notebook, system, theme, is_dark):
    page = notebook.page
    page.emulate_media(color_scheme=system)
    change = (
        "theme => { jupyterapp.commands.execute('apputils:change-theme', {theme}) }"
    )
    page.evaluate(change, f"JupyterLab {theme}")
    changed = f"body[data-jp-theme-light={str(not is_dark).lower()}]"
    page.wait_for_selector(changed, state="attached")
    found = {selector: brightness(notebook, selector) for selector in SHOWN}
    dark = {selector: shade < 60 for selector, shade in found.items()}
    assert dark == dict.fromkeys(SHOWN, is_dark), found
