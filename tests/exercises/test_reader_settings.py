"""Checks judge alike whatever default device or dtype a reader has set."""

from collections.abc import Iterator

import pytest
import torch

from qkv.checking.exercise import Exercise
from qkv.checking.judge import Stage, judge
from qkv.exercises import finding
from tests.exercises.test_proofs import alternatives, every_exercise


@pytest.fixture
def _setting() -> Iterator[None]:
    """Set what a reader with a graphics card, or with an eye for digits, sets.

    On the device "meta" nothing has values: what is computed there by mistake shows.
    """
    torch.set_default_device("meta")
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_device(None)
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("_setting")
@every_exercise
def test_right_answers_pass_and_mistakes_have_their_names(exercise: Exercise) -> None:
    answers = (exercise.reference, *alternatives(exercise.id))
    assert {judge(exercise, answer).stage for answer in answers} == {Stage.SOLVED}
    named = {n: judge(exercise, m.wrong).mistake for n, m in exercise.mistakes.items()}
    assert named == {name: name for name in exercise.mistakes}


@pytest.mark.usefixtures("_setting")
def test_what_the_reader_has_set_holds_again_after_the_check() -> None:
    before, seen = torch.ones(1), []

    def embed(ids: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        seen.append(torch.ones(1))
        return table[ids]

    assert judge(finding.find("1.1"), embed).stage is Stage.SOLVED
    assert {(one.device.type, one.dtype) for one in seen} == {("cpu", torch.float32)}
    after = torch.ones(1)
    assert (after.device, after.dtype) == (before.device, before.dtype)
