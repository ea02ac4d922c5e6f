"""Exercises that say what is wrong, and why.

A chapter ends each exercise with ``check("1.1", embed)``. The check prints one message:
that nothing has been written yet, what was raised and where, a wrong type or shape in
words, the mistake by its name, or that all is right. ``hint("1.1")`` gives one hint
more at each call, and ``progress()`` lists what is solved.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from qkv.exercises import ch01, ch02, ch03, ch04, ch05, ch06, ch07, ch08
from qkv.exercises.machinery import Exercise, Stage, judge
from qkv.exercises.solved import Solved, find_file

__all__ = ["EXERCISES", "check", "hint", "progress"]

_CHAPTERS = (ch01, ch02, ch03, ch04, ch05, ch06, ch07, ch08)

EXERCISES: Mapping[str, Exercise] = MappingProxyType(
    {exercise.id: exercise for ch in _CHAPTERS for exercise in ch.EXERCISES}
)

_solved = Solved()
_hints_given: dict[str, int] = {}


def check(id: str, attempt: Any) -> None:
    """Say whether ``attempt`` solves exercise ``id``, and what is wrong if not.

    Parameters
    ----------
    id : the exercise's number, "1.1".
    attempt : the reader's function. It may do what it likes to its arguments.

    Raises
    ------
    ValueError
        If there is no such exercise.

    Examples
    --------
    >>> check("1.1", lambda ids, table: table[ids])
    ✓ 1.1 Look up a batch of words: right, on 3 different inputs
    >>> check("1.1", lambda ids, table: table[ids - 1])
    ✗ 1.1 Look up a batch of words: each word has got the row before its own: ids \
count from 0, and so do rows
    """
    exercise = _find(id)
    verdict = judge(exercise, attempt)
    if verdict.stage is Stage.SOLVED:
        _solved.add(id)
    print(f"{verdict.stage.mark} {id} {exercise.title}: {verdict.message}")
    _say_note()


def hint(id: str) -> None:
    """Print the next hint to exercise ``id``, and how many are left.

    Examples
    --------
    >>> hint("1.1")
    Hint 1 of 2 to 1.1: the table has one row for each word of the vocabulary, and an \
id is the number of a row. (one more hint)
    """
    exercise = _find(id)
    total = len(exercise.hints)
    number = min(_hints_given.get(id, 0) + 1, total)
    _hints_given[id] = number
    left = total - number
    more = {0: "no more hints; the solutions have it worked out", 1: "one more hint"}
    rest = more.get(left, f"{left} more hints")
    print(f"Hint {number} of {total} to {id}: {exercise.hints[number - 1]} ({rest})")


def progress() -> None:
    """Print which exercises of which chapters are solved.

    The list is kept beside the reader's own copies of the chapters (see
    :mod:`qkv.exercises.solved`), elsewhere for this session only.
    """
    solved = _solved.ids()
    for chapter in _CHAPTERS:
        done = sum(e.id in solved for e in chapter.EXERCISES)
        total = len(chapter.EXERCISES)
        print(f"Chapter {chapter.NUMBER}, {chapter.TITLE}: {done} of {total} solved")
        for e in chapter.EXERCISES:
            mark = Stage.SOLVED.mark if e.id in solved else Stage.UNTOUCHED.mark
            print(f"  {mark} {e.id}  {e.title} ({e.minutes} min)")
    if find_file() is None:
        print("(Remembered for this session only; `make lab` keeps it for good.)")
    _say_note()


def _find(id: str) -> Exercise:
    if id not in EXERCISES:
        known = ", ".join(EXERCISES)
        raise ValueError(f"there is no exercise {id!r}; there are {known}")
    return EXERCISES[id]


def _say_note() -> None:
    if _solved.note:
        print(f"({_solved.note})")
        _solved.note = ""
