"""Each exercise by hand is proven: the right numbers pass, wrong ones have names.

What the widget says is asked of its JavaScript, in one run for all of them.
"""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from qkv.checking.by_hand import ByHand, Hole, Table
from qkv.checking.exercise import Mistake
from qkv.exercises import finding
from qkv.widgets import WorkItOut
from tests.widgets.pages import state_of
from tests.widgets.test_front_end import run

CHAPTERS = Path(__file__).parents[2] / "chapters"
WIDGET = (finding.FOLDER.parent / "widgets/work_it_out").as_uri()
IDS = [id for chapter in finding.chapters() for id in finding.by_hand(chapter)]
EXERCISES = {id: finding.find_by_hand(id) for id in IDS}
every = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)


def rounded(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}" if math.isfinite(value) else str(value)


def told(exercise: ByHand, typed: list[list[str]]) -> list[list[dict[str, Any]]]:
    """Return what the widget says to each hole, for each way of filling all of them."""
    state = state_of(WorkItOut(exercise.id))
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ judge }} from "{WIDGET}/judging.js";
        const [holes, typed, decimals] = JSON.parse(readFileSync(0, "utf8"));
        console.log(JSON.stringify(typed.map((texts) =>
            holes.map((_, i) => judge(holes, texts, i, decimals)))));
    """
    asked = [state["holes"], typed, state["decimals"]]
    return json.loads(run("--input-type=module", "-e", source, text=json.dumps(asked)))


@every
def test_right_numbers_pass_as_a_hand_rounds_them(exercise: ByHand) -> None:
    holes = exercise.holes()
    ways = [exercise.decimals + more for more in (0, 1, 6)]
    fewer = exercise.decimals - 1
    ways += [fewer] if fewer >= 0 else []
    typed = [[rounded(hole.right, d) for hole in holes] for d in ways]
    for texts, verdicts in zip(typed, told(exercise, typed), strict=True):
        for hole, text, verdict in zip(holes, texts, verdicts, strict=True):
            right = hole.accepts(float(text))
            assert (verdict["kind"] == "right") == right, (hole, text, verdict)
            assert right or texts is typed[-1], (hole, text)


@every
def test_each_wrong_number_is_told_by_its_name(exercise: ByHand) -> None:
    holes, names = exercise.holes(), list(exercise.mistakes)
    typed = [
        [rounded(hole.wrong[name], exercise.decimals) for hole in holes]
        for name in names
    ]
    for name, verdicts in zip(names, told(exercise, typed), strict=True):
        shows = [hole for hole in holes if tells(hole, name)]
        assert shows, f"{name} gives right numbers only"
        for hole, verdict in zip(holes, verdicts, strict=True):
            if hole in shows:
                assert verdict["kind"] == "mistake", (name, hole, verdict)
                assert names[verdict["mistake"]] == name, (hole, names, verdict)


@every
def test_a_wrong_number_is_right_or_far_from_it(exercise: ByHand) -> None:
    """Else a hand's rounding could make the right one look like the mistake."""
    for hole in exercise.holes():
        for name, value in hole.wrong.items():
            if not math.isnan(value) and not hole.accepts(value):
                assert abs(value - hole.right) > 2 * hole.slack, (name, hole)


@every
def test_mistakes_are_at_least_three_and_are_told_apart(exercise: ByHand) -> None:
    assert len(exercise.mistakes) >= 3
    said = [mistake.says for mistake in exercise.mistakes.values()]
    assert len(set(said)) == len(said)
    results = [
        [round(hole.wrong[name], 6) for hole in exercise.holes()]
        for name in exercise.mistakes
    ]
    assert len({str(numbers) for numbers in results}) == len(results)


@every
def test_a_wrong_number_without_a_name_is_told_where_to_look(exercise: ByHand) -> None:
    for name, table in exercise.tables.items():
        assert bool(table.places()) == bool(table.look), name
        assert not re.search(r"-\d|\d\.\d", table.look), "the answer is not told"


@every
def test_no_word_is_stressed_by_stars(exercise: ByHand) -> None:
    """The widget knows `code` and formulas, and shows a star as a star."""
    for text in (exercise.task, *(m.says for m in exercise.mistakes.values())):
        assert not re.search(r"\*\w+( \w+)*\*", text), text


@every
def test_labels_are_letters_that_can_be_heard(exercise: ByHand) -> None:
    for table in exercise.tables.values():
        for labels in (table.rows, table.columns):
            assert not re.search(r"[$_]", "".join(labels))
            assert all(labels) or labels == ("",), "some have a name, and some none"


@every
def test_it_is_small_enough_for_a_hand(exercise: ByHand) -> None:
    assert 2 <= len(exercise.holes()) <= 16
    assert 1 <= exercise.minutes <= 15
    assert exercise.difficulty in {1, 2, 3}
    assert exercise.decimals in {0, 1, 2, 3}


@pytest.mark.parametrize("chapter", finding.chapters())
def test_letters_come_in_their_order(chapter: int) -> None:
    ids = list(finding.by_hand(chapter))
    assert ids == [f"{chapter}.{letter}" for letter in "abcdef"[: len(ids)]]


@pytest.mark.parametrize("chapter", finding.chapters())
def test_a_chapter_asks_for_them_and_its_solutions_work_them_out(chapter: int) -> None:
    text = next(CHAPTERS.glob(f"{chapter:02}_*.md")).read_text("utf-8")
    worked = next(CHAPTERS.glob(f"solutions/{chapter:02}_*.md")).read_text("utf-8")
    ids = list(finding.by_hand(chapter))
    used = re.findall(r'^WorkItOut\("(\d+\.[a-z])"\)$', text, re.MULTILINE)
    assert used == ids
    assert len(ids) >= 2
    for exercise in map(finding.find_by_hand, used):
        told = f"({exercise.minutes} minutes, {exercise.stars}, by hand)."
        assert f"\n**Exercise {exercise.id}** {told} " in text
        assert f"\n## {exercise.id} {exercise.title}\n" in worked


def tells(hole: Hole, name: str) -> bool:
    return not math.isnan(hole.wrong[name]) and not hole.accepts(hole.wrong[name])


def halved(**changes: Any) -> ByHand:
    parts = {
        "id": "9.a",
        "title": "Halve",
        "minutes": 1,
        "difficulty": 1,
        "task": "Halve $x$.",
        "compute": lambda: {"x": torch.tensor([3.0, 5.0]), "half": [1.5, 2.5]},
        "tables": {
            "x": Table("x", columns=("1", "2")),
            "half": Table("half", columns=("1", "2"), blanks=...),
        },
        "mistakes": {"doubled": Mistake("doubled", lambda: {"half": [6.0, 10.0]})},
    }
    return ByHand(**parts | changes)


def test_holes_are_all_of_a_table_or_those_that_are_named() -> None:
    assert [(hole.row, hole.column) for hole in halved().holes()] == [(0, 0), (0, 1)]
    tables = dict(halved().tables, half=Table("half", ("",), ("1", "2"), ((0, 1),)))
    [hole] = halved(tables=tables).holes()
    assert (hole.right, hole.wrong, hole.slack) == (2.5, {"doubled": 10.0}, 0.01)


def test_tables_that_do_not_fit_are_refused() -> None:
    wide = dict(halved().tables, x=Table("x", columns=("1", "2", "3")))
    with pytest.raises(ValueError, match="'x' has 1 rows and 2 columns, but 1 and 3 l"):
        halved(tables=wide).holes()
    with pytest.raises(ValueError, match="computes x, half, and its tables are half:"):
        halved(tables={"half": Table("half")}).numbers()


def test_an_exercise_that_is_none_is_refused_with_those_there_are() -> None:
    for id in ("3.1", "3.z", "99.a", "look"):
        with pytest.raises(ValueError, match=rf"no exercise '{id}' to work .* 3\.a"):
            finding.find_by_hand(id)
