"""Each exercise is proven: right answers pass, wrong ones are called by their names."""

import math
import re
from collections.abc import Callable
from pathlib import Path

import jupytext
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import qkv.exercises
from qkv.exercises import EXERCISES
from qkv.exercises.machinery import Exercise, Mistake, Stage, judge
from tests.exercises.alternatives_ch01 import ALTERNATIVES as CH01
from tests.exercises.alternatives_ch02 import ALTERNATIVES as CH02
from tests.exercises.alternatives_ch03 import ALTERNATIVES as CH03
from tests.exercises.alternatives_ch04 import ALTERNATIVES as CH04
from tests.exercises.alternatives_ch05 import ALTERNATIVES as CH05
from tests.exercises.alternatives_ch06 import ALTERNATIVES as CH06
from tests.exercises.alternatives_ch07 import ALTERNATIVES as CH07
from tests.exercises.alternatives_ch08 import ALTERNATIVES as CH08

CHAPTERS = Path(__file__).parents[2] / "chapters"
ALTERNATIVES = CH01 | CH02 | CH03 | CH04 | CH05 | CH06 | CH07 | CH08
SOLUTIONS = CHAPTERS / "solutions"
PAGES = sorted(CHAPTERS.glob("**/[0-9][0-9]_*.md"))
TITLE = r"^\*\*Exercise (\d+\.\d+)\b"
CHECK = r'^check\("(\d+\.\d+)", '
NUMBERS = sorted({id.partition(".")[0] for id in EXERCISES})
WRITTEN = [
    (path, id)
    for id in EXERCISES
    for path in sorted(CHAPTERS.glob(f"**/{int(id.partition('.')[0]):02}_*.md"))
]
every_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
every_mistake = pytest.mark.parametrize(
    ("exercise", "mistake"),
    [
        pytest.param(exercise, mistake, id=f"{exercise.id} {mistake.name}")
        for exercise in EXERCISES.values()
        for mistake in exercise.mistakes
    ],
)


def attempt_in(path: Path, id: str, monkeypatch: pytest.MonkeyPatch) -> Callable:
    """What the cell tagged with the exercise hands to ``check``."""
    tag = f"exercise-{id}"
    cells = [c for c in jupytext.read(path).cells if tag in c.metadata.get("tags", ())]
    assert len(cells) == 1, f"{path.name} has {len(cells)} cells tagged {tag}"
    handed = {}
    monkeypatch.setattr(qkv.exercises, "check", handed.__setitem__)
    known = {
        "torch": torch,
        "nn": nn,
        "F": F,
        "math": math,
        "check": handed.__setitem__,
    }
    exec(cells[0].source, known)
    assert list(handed) == [id], f"the cell must end with check({id!r}, ...)"
    return handed[id]


@pytest.mark.parametrize(
    ("path", "id"), WRITTEN, ids=[f"{p.parent.name} {i}" for p, i in WRITTEN]
)
def test_the_chapters_stub_is_open_and_its_solution_is_right(
    path: Path, id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Stage.SOLVED if path.parent.name == "solutions" else Stage.UNTOUCHED
    verdict = judge(EXERCISES[id], attempt_in(path, id, monkeypatch))
    assert verdict.stage is wanted, verdict.message
    if EXERCISES[id].given and wanted is Stage.UNTOUCHED:
        assert "as it was given" in verdict.message, "the chapter must show the bug"


@pytest.mark.parametrize(
    "path", PAGES, ids=[f"{p.parent.name} {p.stem}" for p in PAGES]
)
def test_exercises_come_in_the_order_of_their_numbers(path: Path) -> None:
    """In the text's headings, and in the cells that stand below them."""
    text = path.read_text(encoding="utf-8")
    expected = [id for id in EXERCISES if id.startswith(f"{int(path.stem[:2])}.")]
    titles = r"^## (\d+\.\d+) " if path.parent == SOLUTIONS else TITLE
    for what in (titles, r"^:tags: \[.*?\bexercise-(\d+\.\d+)", CHECK):
        found = re.findall(what, text, re.MULTILINE)
        assert found == expected, f"{what} finds {found}"


@every_exercise
def test_right_answers_written_in_other_ways_pass(exercise: Exercise) -> None:
    answers = ALTERNATIVES[exercise.id]
    assert len(answers) >= 2
    for answer in (exercise.reference, *answers):
        verdict = judge(exercise, answer)
        assert verdict.stage is Stage.SOLVED, (answer.__name__, verdict.message)


@every_mistake
def test_a_mistake_is_rejected_by_its_own_name(
    exercise: Exercise, mistake: Mistake
) -> None:
    verdict = judge(exercise, mistake.wrong)
    assert verdict.stage is Stage.MISTAKE, verdict.message
    assert verdict.mistake == mistake.name
    assert verdict.message == mistake.says


@every_exercise
def test_mistakes_are_many_and_are_told_apart(exercise: Exercise) -> None:
    assert len(exercise.mistakes) >= 5
    for words in ("name", "says"):
        said = [getattr(mistake, words) for mistake in exercise.mistakes]
        assert len(set(said)) == len(said)


@every_exercise
def test_an_exercise_helps_and_is_asked_with_several_inputs(exercise: Exercise) -> None:
    assert 2 <= len(exercise.hints) <= 3
    assert 1 <= exercise.minutes <= 20
    assert len(exercise.cases) >= 3
    for case in exercise.cases.values():
        assert len(case()) == len(exercise.takes)
    sizes = [
        {len(a) for a in case() if isinstance(a, torch.Tensor)}
        for case in exercise.cases.values()
    ]
    has_one = any(1 in of_case for of_case in sizes)
    assert has_one or not any(sizes), "no case has a batch of one"


@every_exercise
def test_cases_are_fresh_and_the_same_at_each_call(exercise: Exercise) -> None:
    for case in exercise.cases.values():
        torch.manual_seed(torch.seed())
        once, spoilt = case(), case()
        for argument in spoilt:
            if isinstance(argument, torch.Tensor):
                argument.zero_()
        for one, other in zip(once, case(), strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_chapter_has_four_exercises_to_code_and_a_bug_hunt(number: str) -> None:
    own = [e for e in EXERCISES.values() if e.id.partition(".")[0] == number]
    assert [e.id for e in own] == [f"{number}.{n + 1}" for n in range(len(own))]
    hunts = [e for e in own if e.given is not None]
    assert len(own) - len(hunts) >= 4
    assert len(hunts) >= 1


@every_exercise
def test_the_code_of_a_bug_hunt_is_wrong_and_is_none_of_the_mistakes(
    exercise: Exercise,
) -> None:
    if exercise.given is None:
        return
    blind = Exercise(**{**vars(exercise), "given": None})
    verdict = judge(blind, exercise.given)
    assert verdict.stage is Stage.VALUES, verdict.message
