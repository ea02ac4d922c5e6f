"""Each exercise is proven: right answers pass, wrong ones are called by their names."""

import importlib
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jupytext
import pytest
import torch
from beartype import beartype
from jaxtyping import config, jaxtyped
from torch import nn
from torch.nn import functional as F

import qkv.exercises
from qkv.checking.comparing import close
from qkv.checking.exercise import Exercise
from qkv.checking.judge import Stage, judge
from qkv.exercises import finding

CHAPTERS = Path(__file__).parents[2] / "chapters"
SOLUTIONS = CHAPTERS / "solutions"
PAGES = sorted(CHAPTERS.glob("**/[0-9][0-9]_*.md"))
TITLE = r"^\*\*Exercise (\d+\.\d+)\b"
CHECK = r'^check\("(\d+\.\d+)", '
FILES = {id: file for c in finding.chapters() for id, file in finding.files(c).items()}
EXERCISES = {id: finding.find(id) for c in finding.chapters() for id in finding.ids(c)}
WRITTEN = [
    (path, id)
    for id in EXERCISES
    for path in sorted(CHAPTERS.glob(f"**/{int(id.partition('.')[0]):02}_*.md"))
]
TASKS = [(path, id) for path, id in WRITTEN if path.parent == CHAPTERS]
every_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
every_mistake = pytest.mark.parametrize(
    ("exercise", "name"),
    [
        pytest.param(exercise, name, id=f"{exercise.id} {name}")
        for exercise in EXERCISES.values()
        for name in exercise.mistakes
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


@pytest.mark.parametrize(("path", "id"), TASKS, ids=[id for _, id in TASKS])
def test_the_text_gives_the_minutes_and_the_difficulty(path: Path, id: str) -> None:
    exercise = EXERCISES[id]
    [line] = re.findall(
        rf"^\*\*Exercise {re.escape(id)}\b.*$", path.read_text("utf-8"), re.MULTILINE
    )
    told = f"({exercise.minutes} minutes, {exercise.stars})."
    assert told in line, f"{path.name} says {line}, wanted {told}"


def alternatives(id: str) -> tuple[Callable, ...]:
    """Return the answers of the file of this name in the chapter's folder here."""
    of_chapter = f"tests.exercises.{FILES[id].parent.name}.{FILES[id].stem}"
    return importlib.import_module(of_chapter).ALTERNATIVES


@every_exercise
def test_right_answers_written_in_other_ways_pass(exercise: Exercise) -> None:
    answers = alternatives(exercise.id)
    assert len(answers) >= 2
    for answer in (exercise.reference, *answers):
        verdict = judge(exercise, answer)
        assert verdict.stage is Stage.SOLVED, (answer.__name__, verdict.message)


@every_mistake
def test_a_mistake_is_rejected_by_its_own_name(exercise: Exercise, name: str) -> None:
    mistake = exercise.mistakes[name]
    verdict = judge(exercise, mistake.wrong)
    assert verdict.stage is Stage.MISTAKE, verdict.message
    assert verdict.mistake == name
    assert verdict.message == mistake.says


@every_exercise
def test_mistakes_are_many_and_are_told_apart(exercise: Exercise) -> None:
    assert len(exercise.mistakes) >= 5
    said = [mistake.says for mistake in exercise.mistakes.values()]
    assert len(set(said)) == len(said)


@every_exercise
def test_an_exercise_helps_and_is_asked_with_several_inputs(exercise: Exercise) -> None:
    assert 2 <= len(exercise.hints) <= 3
    assert 1 <= exercise.minutes <= 20
    assert exercise.difficulty in {1, 2, 3}
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
def test_the_axes_of_the_annotations_are_those_of_the_cases(exercise: Exercise) -> None:
    """Readers are told these axes, and run no checks of shapes."""
    config.update("jaxtyping_disable", False)
    checked = jaxtyped(exercise.reference, typechecker=beartype)
    for case in exercise.cases.values():
        checked(*case())
    has_several = len(exercise.returns) > 1
    assert len(exercise.results) == (len(exercise.returns) if has_several else 0)


@every_exercise
def test_cases_are_fresh_and_the_same_at_each_call(exercise: Exercise) -> None:
    for case in exercise.cases.values():
        torch.manual_seed(torch.seed())
        once, spoilt = case(), case()
        for argument in spoilt:
            if isinstance(argument, torch.Tensor):
                argument.zero_()
        assert close(once, case(), 0.0)


@pytest.mark.parametrize("chapter", finding.chapters())
def test_each_file_of_a_chapter_has_one_exercise_which_is_found(chapter: int) -> None:
    files = {**finding.files(chapter), **finding.by_hand(chapter)}
    paths = (finding.FOLDER / f"ch{chapter:02}").glob("*.py")
    exercises = [p for p in paths if p.stem not in ("__init__", "shared")]
    assert sorted(files.values()) == sorted(exercises), "a file has no number, or two"
    for id, path in files.items():
        by_hand = id in finding.by_hand(chapter)
        made = "= ByHand(" if by_hand else "= Exercise("
        assert path.read_text("utf-8").count(made) == 1
        found = finding.find_by_hand(id) if by_hand else finding.find(id)
        assert found.id == id


@pytest.mark.parametrize("chapter", finding.chapters())
def test_a_chapter_has_the_title_of_its_text(chapter: int) -> None:
    text = next(CHAPTERS.glob(f"{chapter:02}_*.md")).read_text(encoding="utf-8")
    assert f"\n# {finding.title(chapter)}\n" in text


@pytest.mark.parametrize("chapter", finding.chapters())
def test_a_chapter_ends_with_its_own_progress(chapter: int) -> None:
    text = next(CHAPTERS.glob(f"{chapter:02}_*.md")).read_text(encoding="utf-8")
    assert text.count("\nprogress(") == 1
    assert f"\nprogress({chapter})\n" in text


@pytest.mark.parametrize("chapter", finding.chapters())
def test_a_chapter_has_four_exercises_to_code_and_a_bug_hunt(chapter: int) -> None:
    own = [EXERCISES[id] for id in finding.ids(chapter)]
    assert [e.id for e in own] == [f"{chapter}.{n + 1}" for n in range(len(own))]
    hunts = [e for e in own if e.given is not None]
    assert len(own) - len(hunts) >= 4
    assert len(hunts) >= 1


@every_exercise
def test_the_code_of_a_bug_hunt_is_wrong_and_is_none_of_the_mistakes(
    exercise: Exercise,
) -> None:
    if exercise.given is None:
        return
    verdict = judge(replace(exercise, given=None), exercise.given)
    assert verdict.stage is Stage.VALUES, verdict.message


@pytest.mark.parametrize(
    ("id", "attempt", "name"),
    [
        ("1.1", lambda s, n: s[torch.arange(len(s)), n], "one too far"),
        ("3.2", lambda q, k: q @ k.mT / q.shape[-1] ** 1 / 2, "d ** 1 / 2"),
        ("3.2", lambda q, k: q @ k.mT / (q.shape[-1] ** 1 / 2), "(d ** 1 / 2)"),
    ],
)
def test_a_slip_is_named_as_people_write_it(
    id: str, attempt: Callable, name: str
) -> None:
    """Also where it raises on some inputs: on the others it can be told."""
    verdict = judge(EXERCISES[id], attempt)
    assert verdict.mistake == name, verdict.message
