"""What a claim prints, records and refuses."""

import json
import re

import pytest
import torch

from qkv.claims import claim, in_words


@pytest.fixture(autouse=True)
def unrecorded(monkeypatch):
    monkeypatch.delenv("QKV_CLAIMS", raising=False)


@pytest.mark.parametrize(
    ("value", "bounds", "line"),
    [
        (0.9537, {"at_least": 0.9}, "measured 0.954, at least 0.900"),
        (2, {"at_most": 3}, "measured 2.000, at most 3.000"),
        (
            0.5,
            {"at_least": 0.5, "at_most": 0.5},
            "measured 0.500, between 0.500 and 0.500",
        ),
        (torch.tensor(0.25), {"at_least": 0.0}, "measured 0.250, at least 0.000"),
        (float("inf"), {"at_least": 0.0}, "measured inf, at least 0.000"),
        (0.95001, {"at_least": 0.95}, "measured 0.95001, at least 0.95000"),
        (
            0.5,
            {"at_least": 0.49996, "at_most": 1},
            "measured 0.50000, between 0.49996 and 1.00000",
        ),
        (0.95, {"at_least": 0.95}, "measured 0.950, at least 0.950"),
    ],
)
def test_a_claim_that_holds_prints_one_line(capsys, value, bounds, line):
    claim("20 digits are copied", value, **bounds)
    assert capsys.readouterr().out == f"✓ 20 digits are copied: {line}\n"


@pytest.mark.parametrize(
    ("value", "bounds"),
    [
        (0.8, {"at_least": 0.9}),
        (0.8, {"at_most": 0.7}),
        (0.3, {"at_least": 0.4, "at_most": 0.7}),
        (0.8, {"at_least": 0.4, "at_most": 0.7}),
        (float("nan"), {"at_least": 0.0}),
        (float("nan"), {"at_most": 0.0}),
        (float("nan"), {"at_least": 0.0, "at_most": 1.0}),
    ],
)
def test_a_claim_that_does_not_hold_raises_the_same_words(capsys, value, bounds):
    with pytest.raises(AssertionError, match=f"^✗ s: measured {value:.3f}, "):
        claim("s", value, **bounds)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("value", "bounds", "said"),
    [
        (0.9499999, {"at_least": 0.95}, "measured 0.9499999, at least 0.9500000"),
        (0.9504, {"at_most": 0.95}, "measured 0.9504, at most 0.9500"),
        (
            0.70001,
            {"at_least": 0.4, "at_most": 0.7},
            "measured 0.70001, between 0.40000 and 0.70000",
        ),
        (
            0.95 - 2e-17 - 1e-16,
            {"at_least": 0.95},
            "measured 0.9499999999999998, at least 0.9500000000000000",
        ),
    ],
)
def test_there_are_as_many_decimals_as_tell_a_value_from_its_bound(value, bounds, said):
    with pytest.raises(AssertionError, match=f"^✗ s: {re.escape(said)}$"):
        claim("s", value, **bounds)


def test_a_bound_on_its_own_has_three_decimals():
    assert in_words(0.9499999, None) == "at least 0.950"
    assert in_words(None, 2.0) == "at most 2.000"
    assert in_words(0.1, 2.0) == "between 0.100 and 2.000"


def test_numbers_that_no_decimals_tell_apart_come_to_an_end():
    with pytest.raises(
        AssertionError, match=r"measured 0\.00000000000000000, at least"
    ):
        claim("s", 0.0, at_least=1e-99)


def test_a_claim_without_a_bound_is_refused():
    with pytest.raises(ValueError, match="a claim needs a bound"):
        claim("s", 1.0)


def test_bounds_that_nothing_keeps_are_refused():
    with pytest.raises(ValueError, match=r"no value is at least 2\.0 and at most 1\.0"):
        claim("s", 1.5, at_least=2, at_most=1)


@pytest.mark.parametrize("statement", ["", "  ", "two\nlines"])
def test_a_statement_is_one_line(statement):
    with pytest.raises(ValueError, match="a claim is a statement on one line"):
        claim(statement, 1.0, at_least=0.0)


def test_recorded_claims_are_kept_and_never_raise(tmp_path, monkeypatch, capsys):
    file = tmp_path / "claims.jsonl"
    monkeypatch.setenv("QKV_CLAIMS", str(file))
    claim("한국어", 0.5, at_least=0.4)
    claim("fails", torch.tensor(2), at_most=1)
    first, second = map(json.loads, file.read_text("utf-8").splitlines())
    assert first == {
        "statement": "한국어",
        "at_least": 0.4,
        "at_most": None,
        "value": 0.5,
        "held": True,
    }
    assert second["held"] is False
    assert second["value"] == 2.0
    assert capsys.readouterr().out.splitlines()[1].startswith("✗ fails: measured 2.000")


@pytest.mark.parametrize("bound", [float("inf"), float("-inf"), float("nan")])
@pytest.mark.parametrize("name", ["at_least", "at_most"])
def test_a_bound_that_nothing_or_everything_keeps_is_refused(name, bound):
    with pytest.raises(ValueError, match=f"{name} is .*give a finite one"):
        claim("s", 1.0, **{name: bound})
