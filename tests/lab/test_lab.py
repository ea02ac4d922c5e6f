"""The book's chapters as `make lab` opens them: before they are run, and one run whole.

What a kernel and a widget say to each other is tried on a small notebook, in
test_notebook.py.
"""

import json
import re
import urllib.error
import urllib.request
from pathlib import Path

import jupytext
import pytest

from tests.browser import watched_page
from tests.lab.reader import Notebook, errors_of_ours, opened, step_by_mouse
from tools import lab as tool

CHAPTER_1 = "01_seq2seq_bottleneck.ipynb"
CHAPTER_2 = "02_bahdanau_attention.ipynb"
VIEW = "application/vnd.jupyter.widget-view+json"


def cost(chapter: Path) -> int:
    return jupytext.read(chapter).metadata["book"]["cpu_seconds"]


# They all have widgets and exercises.
QUICKEST = min((tool.ROOT / "chapters").glob("[0-9][0-9]_*.md"), key=cost)
COPY, NUMBER = f"{QUICKEST.stem}.ipynb", int(QUICKEST.name[:2])
FIRST = f"{NUMBER}.1"
MINE = f"""
def mine(*what_i_was_given): ...
check("{FIRST}", mine)
"""


@pytest.fixture(scope="module")
def chapter(browser, lab):
    with opened(browser, lab, COPY) as notebook:
        notebook.run_all()
        yield notebook
        assert notebook.page.seen.foreign == []
        assert errors_of_ours(notebook.page) == []


@pytest.fixture(scope="module")
def twin():
    return json.loads(QUICKEST.with_suffix(".ipynb").read_text("utf-8"))["cells"]


def test_without_the_token_nothing_is_given_out(lab):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{lab.server}/api/contents")
    with refused.value as answer:
        assert answer.code == 403


def test_the_printed_address_opens_chapter_1(browser, lab):
    assert lab.url.startswith(f"{lab.server}/lab/tree/{CHAPTER_1}?token=")
    with watched_page(browser) as page:
        page.goto(lab.url)
        Notebook(page)
        assert page.title().startswith("01_seq2seq")
        page.wait_for_timeout(3000)
        assert page.locator(".Toastify__toast, .jp-toast-body").count() == 0
        assert page.seen.foreign == []


@pytest.fixture(scope="class", params=[CHAPTER_1, CHAPTER_2])
def unrun(request, browser, lab):
    """A chapter that is opened once for a class of tests, and closed again after."""
    with opened(browser, lab, request.param) as notebook:
        yield notebook, request.param


class TestBeforeAnythingIsRun:
    """Trusted copies need no kernel to be stepped through."""

    def test_stored_widgets_live(self, unrun):
        notebook, chapter = unrun
        stepped = {CHAPTER_1: ["Unrolled"], CHAPTER_2: ["Stepper", "Alignment"]}
        for kind in stepped[chapter]:
            step_by_mouse(notebook.stored_widget(kind))
        assert notebook.page.seen.foreign == []
        assert errors_of_ours(notebook.page) == []

    def test_a_stored_widget_does_not_look_broken(self, unrun):
        """Lab marks what has no kernel; a widget that needs none is not marked."""
        notebook, chapter = unrun
        kind = {CHAPTER_1: "Unrolled", CHAPTER_2: "Predict"}[chapter]
        around = notebook.stored_widget(kind).locator("xpath=..")
        assert "jupyter-widgets-disconnected" in around.get_attribute("class")
        mark = "element => getComputedStyle(element, '::before').content"
        assert around.evaluate(mark) == "none"


def test_a_stored_widget_comes_to_a_page_that_is_short_of_time(browser, lab):
    """Timers that come late must not cost a reader the widget.

    jupyterlab_widgets 3.0.17 looks for a model every 100 ms and gives up after 2 s. If
    the stored models come after its last look, it says "model not found" for good.
    """
    late = """{
        const inTime = window.setTimeout;
        window.setTimeout = (call, wait, ...rest) =>
            inTime(call, wait === 100 ? 2100 : wait, ...rest);
    }"""
    with opened(browser, lab, CHAPTER_1, script=late) as notebook:
        step_by_mouse(notebook.widget("Unrolled"))


def test_a_chapter_runs_from_top_to_bottom_and_draws_its_widgets(chapter, twin):
    assert chapter.errors() == []
    outputs = [out for cell in twin for out in cell.get("outputs", ())]
    chapter.until_widgets(sum(VIEW in out.get("data", {}) for out in outputs))


def test_an_unsolved_exercise_stops_nobody(chapter, twin):
    check = rf'check\("({NUMBER}\.\d)"'
    asked = re.findall(check, json.dumps(twin).replace('\\"', '"'))
    assert len(asked) >= 5
    for exercise in asked:
        own = re.compile(
            rf"^\s*○ {re.escape(exercise)} "
        )  # progress lists it further on
        said = chapter.page.locator(".jp-OutputArea", has_text=own)
        assert said.count() == 1, exercise


def test_a_saved_answer_survives_the_next_make_lab(chapter, lab):
    """What the reader wrote in the browser is what the next start finds and keeps."""
    chapter.answer(FIRST, MINE)
    chapter.save()
    tool.refresh(tool.ROOT / "chapters", lab.work)
    cells = json.loads((lab.work / COPY).read_text())["cells"]
    assert any("what_i_was_given" in "".join(cell["source"]) for cell in cells)
