"""A reader's hour: `make lab`, run a chapter, step its widgets, solve an exercise."""

import json
import re
import urllib.error
import urllib.request

import pytest

from tests.browser import watched_page
from tests.lab.reader import Notebook, opened

CHAPTER_1 = "01_seq2seq_bottleneck.ipynb"
CHAPTER_2 = "02_bahdanau_attention.ipynb"
# Chapters take about 60 CPU seconds; CI's two cores are shared.
PATIENCE = 600
LABS_OWN = "/static/lab/"

WRONG = """
import torch
def masked_softmax(scores, lengths):
    return scores.softmax(dim=-1)
check("2.2", masked_softmax)
"""
RIGHT = """
import torch
def masked_softmax(scores, lengths):
    padded = torch.arange(scores.shape[1]) >= lengths[:, None]
    return scores.masked_fill(padded, -torch.inf).softmax(dim=-1)
check("2.2", masked_softmax)
"""


def latest(kind):
    """Return code that names the kernel's widget of a kind, as a chapter shows it."""
    return f"[x for x in Out.values() if type(x).__name__ == {kind!r}][-1]"


@pytest.fixture(scope="module")
def chapter_1(browser, lab):
    with opened(browser, lab, CHAPTER_1) as notebook:
        notebook.run_all(PATIENCE)
        yield notebook


@pytest.fixture(scope="module")
def chapter_2(browser, lab):
    with opened(browser, lab, CHAPTER_2) as notebook:
        notebook.run_all(PATIENCE)
        yield notebook


@pytest.fixture(autouse=True)
def nothing_leaves_this_machine(request):
    yield
    for name in {"chapter_1", "chapter_2"} & set(request.fixturenames):
        page = request.getfixturevalue(name).page
        assert page.seen.foreign == []
        assert errors_of_ours(page) == []


def errors_of_ours(page):
    """Return the errors thrown in a page, but for those within JupyterLab itself.

    Its cell toolbar throws when a cell changes before the browser is idle; the
    traces of such errors name no file but Lab's own.
    """
    return [error for error in page.seen.errors if set(hosts_of(error)) - {LABS_OWN}]


def hosts_of(error):
    """Return where each line of an error's trace was loaded from."""
    places = re.findall(r"\b(?:http|blob:http)://[^\s)]+", error)
    return [LABS_OWN if LABS_OWN in place else place for place in places] or ["?"]


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


def step_by_mouse(widget):
    """Click to the next step and back, and see what the widget says follow."""
    before = says(widget)
    widget.locator("[data-act=next]").first.click()
    assert all(new != old for new, old in zip(says(widget), before, strict=True))
    widget.locator("[data-act=back]").first.click()
    assert says(widget) == before


def says(widget):
    """Return a widget's count of steps and its sentence."""
    parts = [widget.locator(part).first for part in (".qkv-count", ".qkv-say")]
    return [part.text_content().strip() for part in parts]


def test_chapter_2_runs_from_top_to_bottom(chapter_2):
    assert chapter_2.errors() == []


@pytest.mark.parametrize("kind", ["Stepper", "Alignment"])
def test_a_widget_steps_by_mouse_and_the_kernel_follows(chapter_2, kind):
    widget = chapter_2.widget(kind)
    step_by_mouse(widget)
    widget.locator("[data-act=next]").first.click()
    widget.locator("[data-act=next]").first.click()
    # The kernel answers when its message has come, which the click does not wait for.
    asked = (chapter_2.ask(f"print({latest(kind)}.step)") for _ in range(20))
    assert any(step == "2" or chapter_2.page.wait_for_timeout(250) for step in asked)


@pytest.mark.parametrize("kind", ["Stepper", "Alignment"])
def test_the_kernel_steps_and_the_widget_follows(chapter_2, kind):
    widget = chapter_2.widget(kind)
    chapter_2.ask(f"{latest(kind)}.step = 1")
    widget.locator(".qkv-count", has_text="2 /").first.wait_for(timeout=10_000)
    chapter_2.ask(f"{latest(kind)}.step = 0")
    widget.locator(".qkv-count", has_text="1 /").first.wait_for(timeout=10_000)


def test_arrow_keys_step_the_widget_and_leave_the_notebook_alone(chapter_2):
    widget = chapter_2.widget("Stepper")
    active = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    widget.locator("[data-act=next]").first.focus()
    before = chapter_2.page.evaluate(active)
    chapter_2.page.keyboard.press("End")
    count = says(widget)[0].split(" / ")
    assert count[0] == count[1]
    chapter_2.page.keyboard.press("Home")
    assert says(widget)[0].startswith("1 / ")
    assert chapter_2.page.evaluate(active) == before


def test_an_unsolved_exercise_stops_nobody(chapter_2):
    said = chapter_2.page.locator(".jp-OutputArea", has_text="2.1 ").all_inner_texts()
    assert any("not attempted" in text for text in said)


def test_a_wrong_answer_is_told_its_mistake_and_a_right_one_is_right(chapter_2):
    wrong = chapter_2.answer("2.2", WRONG)
    assert wrong.startswith("✗ 2.2")
    assert "padding" in wrong
    assert chapter_2.answer("2.2", RIGHT).startswith("✓ 2.2")


def test_what_is_solved_is_kept_beside_the_copies(chapter_2, lab):
    assert chapter_2.answer("2.2", RIGHT).startswith("✓ 2.2")
    assert "2.2" in (lab.work / "progress.json").read_text()
    assert "2.2" in chapter_2.ask("from qkv.exercises import progress; progress()")


def test_chapter_1_runs_from_top_to_bottom(chapter_1):
    assert chapter_1.errors() == []


def test_a_number_typed_into_the_unrolled_network_is_shown(chapter_1):
    widget = chapter_1.widget("Unrolled")
    widget.get_by_label("Type your own").fill("5 0 2 4")
    widget.get_by_role("button", name="Show").click()
    chosen = widget.locator("select option:checked", has_text="5 0 2 4")
    chosen.wait_for(state="attached", timeout=30_000)
    widget.locator("[data-act=next]").first.click()
    assert "zero" in says(widget)[1]
    assert chapter_1.ask(f"print({latest('Unrolled')}.recordings[-1]['input'])")


def test_what_the_model_cannot_read_is_answered_in_the_widget(chapter_1):
    widget = chapter_1.widget("Unrolled")
    before = widget.locator("select option").first.text_content()
    widget.get_by_label("Type your own").fill("<script>alert(1)</script>")
    widget.get_by_role("button", name="Show").click()
    note = widget.locator(".qkv-note", has_text="script")
    note.wait_for(timeout=30_000)
    assert widget.locator("script").count() == 0
    assert widget.locator("select option").first.text_content() == before


def test_a_saved_answer_survives_the_next_make_lab(chapter_2, lab):
    """What the reader wrote in the browser is what the next start finds and keeps."""
    from tools import lab as tool

    chapter_2.answer("2.2", RIGHT)
    page = chapter_2.page
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function(
        "() => !window.jupyterapp.shell.currentWidget.context.model.dirty",
        timeout=30_000,
    )
    tool.refresh(tool.ROOT / "chapters", lab.work)
    cells = json.loads((lab.work / CHAPTER_2).read_text())["cells"]
    assert any("masked_fill(padded" in "".join(cell["source"]) for cell in cells)
