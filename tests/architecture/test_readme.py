"""README fits on a screen or two, and its numbers are those of the claims page."""

import re
from pathlib import Path

import pytest

from tools.claims import read

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
# Each row of README's table of results: its beginning, and the claims it rounds.
CLAIMED = {
    "20 dictated digits": (
        "with the fixed vector twenty digits are not",
        "with attention twenty digits are right",
    ),
    "recall of one pair in 16": (
        "share of questions that a GRU answers, 16 pairs, 600 steps",
        "share of questions that one head of attention answers",
    ),
    "four neighbours named, linear read-out": (
        "share of neighbours named, 1 head",
        "share of neighbours named, 4 heads split rightly",
    ),
    "16 tokens reversed, one layer": (
        "reversal, rotary",
        "reversal, learned positions",
    ),
    "English to Korean": (
        "held-out sentences, GRU with attention",
        "held-out sentences translated exactly",
    ),
    "handwritten digits": ("CNN, 1,297 digits", "ViT, 1,297 digits"),
}


def results() -> dict[str, tuple[str, ...]]:
    """Return README's rows of results by what they begin with."""
    table = README.partition("nearest to its bound")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| ([^:|]+):.* \| (\S+) \| (\S+) \|$", table, flags=re.M)
    return {name: values for name, *values in rows}


@pytest.mark.parametrize("name", CLAIMED)
def test_a_result_is_that_of_the_claims_page(name):
    rows = [
        row for table in read(ROOT / "book" / "claims.md").values() for row in table
    ]
    worst = {row.statement: float(row.worst) for row in rows}
    for said, statement in zip(results()[name], CLAIMED[name], strict=True):
        digits = len(said.partition(".")[2])
        assert float(said) == pytest.approx(worst[statement], abs=0.5001 * 10**-digits)


def test_every_row_of_results_is_held():
    assert results().keys() == CLAIMED.keys()


def test_readme_is_short():
    assert len(README.splitlines()) <= 80
