"""A small notebook with a widget of each sort and an exercise, run by a kernel."""

import re

import nbformat
import pytest
import torch

from qkv.data import BOS, EOS, PAD, Digits
from qkv.decoding import greedy
from qkv.transformer import load as load_translator
from qkv.vision import load as load_vision
from tests.lab.reader import errors_of_ours, opened, says, step_by_mouse
from tools.execute import KERNEL

NAME = "small.ipynb"
HIDDEN = [11, 9, 10, 6]  # without these the model is undecided
CELLS = (
    """
import torch

from qkv.attention import attend
from qkv.widgets import Stepper

Stepper(attend(torch.eye(2), torch.eye(2)))
""",
    """
from qkv.data import DictatedNumbers
from qkv.decoding import record
from qkv.recurrent import AttentionSeq2Seq
from qkv.widgets import Alignment

numbers = DictatedNumbers()
sizes = len(numbers.source_vocab), len(numbers.target_vocab)
looking = AttentionSeq2Seq(*sizes)

Alignment(lambda text: record(looking, numbers, text), inputs=["739", "40251"])
""",
    """
from qkv.recurrent import Seq2Seq
from qkv.widgets import Unrolled

model = Seq2Seq(*sizes)

Unrolled(lambda text: record(model, numbers, text), inputs=["739", "40251"])
""",
    """
from qkv.widgets import Translator
from qkv.transformer import load

Translator(load("english_korean"), ["I love cats"])
""",
    """
from qkv.data import Digits
from qkv.vision import load
from qkv.widgets import Patches

digits = Digits()
Patches(load("digits"), digits.held_out[:3], checkpoint="digits", names=digits.names)
""",
    """
from qkv.exercises import check

check("2.2", ...)
""",
)
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


@pytest.fixture(scope="module")
def notebook(browser, lab):
    cells = [nbformat.v4.new_code_cell(cell.strip()) for cell in CELLS]
    metadata = {"kernelspec": KERNEL}  # without one, JupyterLab asks which
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata=metadata), lab.work / NAME
    )
    with opened(browser, lab, NAME) as notebook:
        notebook.run_all()
        assert notebook.errors() == []
        yield notebook


@pytest.fixture(autouse=True)
def nothing_leaves_this_machine(notebook):
    yield
    assert notebook.page.seen.foreign == []
    assert errors_of_ours(notebook.page) == []


def latest(kind):
    """Return code that names the kernel's widget of a kind, as a cell shows it."""
    return f"[x for x in Out.values() if type(x).__name__ == {kind!r}][-1]"


# --------------------------------------------------------------- kernel and widget


@pytest.mark.parametrize("kind", ["Stepper", "Alignment"])
def test_a_widget_steps_by_mouse_and_the_kernel_follows(notebook, kind):
    widget = notebook.widget(kind)
    step_by_mouse(widget)
    widget.locator("[data-act=next]").first.click()
    widget.locator("[data-act=next]").first.click()
    # The kernel answers when its message has come, which the click does not wait for.
    notebook.until_the_kernel_says("2", f"print({latest(kind)}.step)")


@pytest.mark.parametrize("kind", ["Stepper", "Alignment"])
def test_the_kernel_steps_and_the_widget_follows(notebook, kind):
    widget = notebook.widget(kind)
    notebook.ask(f"{latest(kind)}.step = 1")
    widget.locator(".qkv-count", has_text="2 /").first.wait_for()
    notebook.ask(f"{latest(kind)}.step = 0")
    widget.locator(".qkv-count", has_text="1 /").first.wait_for()


def test_arrow_keys_step_the_widget_and_leave_the_notebook_alone(notebook):
    widget = notebook.widget("Stepper")
    active = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    widget.locator("[data-act=next]").first.focus()
    before = notebook.page.evaluate(active)
    notebook.page.keyboard.press("End")
    count = says(widget)[0].split(" / ")
    assert count[0] == count[1]
    notebook.page.keyboard.press("Home")
    assert says(widget)[0].startswith("1 / ")
    assert notebook.page.evaluate(active) == before


def test_a_number_typed_into_the_unrolled_network_is_shown(notebook):
    widget = notebook.widget("Unrolled")
    widget.get_by_label("Type your own").fill("5 0 2 4")
    widget.get_by_role("button", name="Show").click()
    chosen = widget.locator("select option:checked", has_text="5 0 2 4")
    chosen.wait_for(state="attached")
    widget.locator("[data-act=next]").first.click()
    assert "zero" in says(widget)[1]
    typed = f"print({latest('Unrolled')}.recordings[-1]['input'])"
    assert notebook.ask(typed) == "5 0 2 4"


def test_what_the_model_cannot_read_is_answered_in_the_widget(notebook):
    widget = notebook.widget("Unrolled")
    before = widget.locator("select option").first.text_content()
    widget.get_by_label("Type your own").fill("<script>alert(1)</script>")
    widget.get_by_role("button", name="Show").click()
    widget.locator(".qkv-note", has_text="script").wait_for()
    assert widget.locator("script").count() == 0
    assert widget.locator("select option").first.text_content() == before


# ------------------------------- widgets that run a model, its weights from the kernel


def test_a_typed_sentence_is_translated_as_the_kernel_would(notebook):
    widget = notebook.widget("Translator")
    widget.locator("[name=text]").fill("the dog saw the cat")
    widget.locator("[data-act=translate]").click()
    widget.get_by_text("The model is here").wait_for()
    widget.locator(".qkv-bar input[type=range]").focus()
    notebook.page.keyboard.press("End")
    tokens = widget.locator(".qkv-written .qkv-tok:not(.qkv-later)").all_inner_texts()
    assert [t.replace("␣", " ") for t in tokens] == by_python("the dog saw the cat")


def by_python(text):
    trained = load_translator("english_korean")
    source = torch.tensor([trained.source_vocab.encode(text.split())])
    lengths = torch.tensor([source.shape[1]])
    ids = greedy(trained.model, source, lengths, max_length=40)[0].tolist()
    names = {BOS: "<bos>", EOS: "<eos>", PAD: "<pad>"}
    return [names.get(i, trained.target_vocab.tokens[i]) for i in ids]


def test_hidden_patches_change_what_the_model_says_as_the_kernel_would(notebook):
    widget = notebook.widget("Patches")
    widget.get_by_label("hides it").check()
    for at in HIDDEN:
        widget.locator(f"[data-patch='{at}']").click()
    widget.get_by_text("The model is here").wait_for()
    says = widget.locator(".qkv-says .qkv-num").all_inner_texts()

    image = Digits().held_out[:1].pixels
    visible = image.new_ones(1, 16).bool()
    visible[0, HIDDEN] = False
    probabilities = load_vision("digits").eval()(image, visible).softmax(-1)
    assert says == [shown(p) for p in probabilities[0].tolist()]


def shown(p):
    return "<0.01" if 0 < p < 0.005 else ">0.99" if 0.995 <= p < 1 else f"{p:.2f}"


# ----------------------------------------------------------------------- an exercise


def test_a_wrong_answer_is_told_its_mistake_and_a_right_one_is_right(notebook):
    wrong = notebook.answer("2.2", WRONG)
    assert wrong.startswith("✗ 2.2")
    assert "padding" in wrong
    assert notebook.answer("2.2", RIGHT).startswith("✓ 2.2")


def test_what_is_solved_is_kept_beside_the_copies(notebook, lab):
    assert notebook.answer("2.2", RIGHT).startswith("✓ 2.2")
    assert "2.2" in (lab.work / "progress.json").read_text()
    said = notebook.ask("from qkv.exercises import progress; progress(2)")
    assert re.search(r"✓ 2\.2 ", said)
    assert re.search(r"○ 2\.1 ", said)
