"""`make pdf`: the chapters on paper, each widget in its print view."""

import re
import shutil
import subprocess
import sys

import pytest

from tests.site.conftest import ROOT, widgets_in_twins
from tools.pdf import build_page, opened, press


@pytest.fixture(scope="module")
def paper(browser, tmp_path_factory):
    """Return the whole book in a browser, ready to be printed: opened once for all."""
    return opened(browser, build_page(tmp_path_factory.mktemp("paper")))


def test_the_book_is_printed_with_its_text(paper, tmp_path):
    out = tmp_path / "book.pdf"
    press(paper, out)
    data = out.read_bytes()
    assert data.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", data)) > 5
    if shutil.which("pdftotext"):
        read = subprocess.run(
            ["pdftotext", str(out), "-"], capture_output=True, text=True, check=True
        )
        assert "Attention, Step by Step" in read.stdout
        assert "어텐션" in read.stdout


def test_every_widget_is_a_strip_with_all_of_its_steps(paper):
    strips = paper.locator("[data-qkv-widget] .qkv-print")
    assert strips.count() == sum(widgets_in_twins().values())
    for strip in strips.all():
        assert strip.locator("figure").count() >= 1
        assert strip.locator("button:visible, input:visible").count() == 0


def test_nothing_is_covered_folded_or_given_away_on_paper(paper):
    assert paper.locator(".book-exercise").count() > 80
    taken = ".book-answer, .book-fold, .book-hint, .book-solution"
    assert paper.locator(taken).count() == 0


# In a process of its own: Playwright runs once in a process, and the fixture has it.
PRINT = """
import sys
from pathlib import Path
from tools.pdf import print_page
print_page(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_a_widget_that_cannot_be_drawn_stops_the_press(tmp_path):
    page = tmp_path / "paper.html"
    page.write_text('<div data-qkv-widget="a" data-error="no state"></div>', "utf-8")
    command = [sys.executable, "-c", PRINT, str(page), str(tmp_path / "book.pdf")]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode
    assert "no state" in done.stderr
    assert not (tmp_path / "book.pdf").exists()
