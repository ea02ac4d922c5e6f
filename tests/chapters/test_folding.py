"""Which cells fold to one line: found from their code, overruled by a tag."""

import jupytext
import pytest

from tools import execute
from tools.folding import EXERCISE, OPEN, Fold, fold

CHAPTERS = sorted((execute.ROOT / "chapters").glob("[0-9][0-9]_*.md"))
SET_UP = """\
import math
import os

import torch
from qkv.claims import claim

os.environ["KINETO_LOG_LEVEL"] = "99"
seed = int(os.environ.get("QKV_SEED", "0"))
torch.manual_seed(seed)
"""
CLAIMS = """\
lost = -math.log10(left["GRU"][-1])
claim("lost", lost, at_least=4)
claim("left", accuracy(model, exam), at_least=0.05)
"""
FIGURE = """\
steps = list(range(1, 41))
curves(
    {"GRU": (steps, right)},
    title="Who was asleep?",
)
"""
EQUALITY = """\
theirs = nn.RNNCell(2, 2)
x, h = torch.randn(2), torch.randn(2)
ours = rnn_step(x, h, theirs.weight_ih)
torch.testing.assert_close(ours, theirs(x, h))
"""
LOOP = """\
for name, bound in bounds.items():
    claim(name, found[name], at_least=bound)
"""
EXPERIMENT = """\
torch.manual_seed(seed)
model = train(Reader())
claim("right", share(model), at_least=0.6)
"""
MEASURED = FIGURE.replace("list(range(1, 41))", "measure(model)")


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (
            SET_UP,
            Fold("set-up", "Imports `math`, `os`, `torch`, `qkv`, and sets the seed"),
        ),
        (CLAIMS, Fold("claim", "Measures 2 claims")),
        (CLAIMS.splitlines()[1], Fold("claim", "Measures a claim")),
        (LOOP, Fold("claim", "Measures claims")),
        (FIGURE, Fold("figure", "Draws “Who was asleep?”")),
        (FIGURE.replace("title", "label"), Fold("figure", "Draws a figure")),
        (EQUALITY, Fold("equality", "Checks that `ours` and `theirs(x, h)` agree")),
        (
            EQUALITY.replace("theirs(x", "theirs.forward_in_batches(of_some_size, x"),
            Fold("equality", "Checks that both agree"),
        ),
        (f"# by hand\n{FIGURE}", Fold("figure", "By hand")),
    ],
)
def test_what_a_cell_does_is_said_in_one_line(source: str, found: Fold) -> None:
    assert fold(source) == found


@pytest.mark.parametrize(
    "source",
    [
        EXPERIMENT,
        MEASURED,
        "from qkv.training import fit",  # as short as the line that would stand for it
        SET_UP + "print(seed)",
        CLAIMS + "print(lost)",
        FIGURE + "right",
        f"def both(x):\n    return x\n\n\n{EQUALITY}",
        "%pip install nothing\nimport math\nimport os\nimport torch",
        "",
    ],
)
def test_what_a_chapter_teaches_stays_open(source: str) -> None:
    assert fold(source) is None


def test_a_tag_overrules_what_is_found() -> None:
    assert fold(FIGURE, [OPEN]) is None
    assert fold(MEASURED, ["fold"]) == Fold("other", "Draws “Who was asleep?”")
    assert fold(EXPERIMENT, ["fold"]) == Fold("other", "A step on the way")
    assert fold("def a():\n    ...", ["fold"]) == Fold("other", "Defines `a`")


@pytest.mark.parametrize("source", [FIGURE, EXPERIMENT])
def test_an_exercise_is_never_folded(source: str) -> None:
    assert fold(source, [f"{EXERCISE}3.1", "fold"]) is None


def test_each_chapter_begins_with_a_line_and_keeps_its_exercises_open() -> None:
    assert CHAPTERS
    for path in CHAPTERS:
        cells = execute.code_cells(jupytext.read(path))
        folds = [fold(c.source, c.metadata.get("tags", ())) for c in cells]
        assert getattr(folds[0], "kind", None) == "set-up", path
        asked = [f for c, f in zip(cells, folds, strict=True) if 'check("' in c.source]
        assert len(asked) > 3
        assert not any(asked), path
