"""Widgets that run a model in the browser have its weights from the kernel."""

import nbformat
import pytest
import torch

from qkv.data import BOS, EOS, PAD, Digits
from qkv.decoding import greedy
from qkv.transformer import load as load_translator
from qkv.vision import load as load_vision
from tests.lab.reader import opened
from tools.execute import KERNEL

NAME = "models.ipynb"
HIDDEN = [11, 9, 10, 6]  # without these the model is undecided
CELLS = (
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
)


@pytest.fixture(scope="module")
def notebook(browser, lab):
    cells = [nbformat.v4.new_code_cell(cell.strip()) for cell in CELLS]
    metadata = {"kernelspec": KERNEL}  # without one, JupyterLab asks which
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata=metadata), lab.work / NAME
    )
    with opened(browser, lab, NAME) as notebook:
        notebook.run_all(240)
        assert notebook.errors() == []
        yield notebook


def test_a_typed_sentence_is_translated_as_the_kernel_would(notebook):
    widget = notebook.widget("Translator")
    widget.locator("[name=text]").fill("the dog saw the cat")
    widget.locator("[data-act=translate]").click()
    widget.get_by_text("The model is here").wait_for(timeout=60_000)
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
    widget.get_by_text("The model is here").wait_for(timeout=60_000)
    says = widget.locator(".qkv-says .qkv-num").all_inner_texts()

    image = Digits().held_out[:1].pixels
    visible = image.new_ones(1, 16).bool()
    visible[0, HIDDEN] = False
    probabilities = load_vision("digits").eval()(image, visible).softmax(-1)
    assert says == [shown(p) for p in probabilities[0].tolist()]


def shown(p):
    return "<0.01" if 0 < p < 0.005 else ">0.99" if 0.995 <= p < 1 else f"{p:.2f}"
