"""Exercises that say what is wrong, and why.

A chapter ends each exercise with ``check("0.1", embed)``. The check prints one message:
that nothing has been written yet, what was raised and where, a wrong type or shape in
words, the mistake by its name, or that all is right. ``example("0.1")`` shows an input,
that on which the last attempt failed; ``hint("0.1")`` gives one hint more at each call;
and ``progress(0)`` lists what is solved of chapter 0.
"""

import os
from pathlib import Path
from typing import Any

from qkv.checking import messages, solved
from qkv.checking.judge import Stage, judge
from qkv.checking.running import as_in_the_book, call
from qkv.exercises import finding
from qkv.exercises.report import Report

__all__ = ["check", "example", "hint", "progress"]

_MISSING = object()

_hints_given: dict[str, int] = {}
_failed: dict[str, str | None] = {}  # the case on which the last attempt failed


def check(id: str, attempt: Any = _MISSING) -> None:
    """Say whether ``attempt`` solves exercise ``id``, and what is wrong if not.

    Parameters
    ----------
    id : the exercise's number, "0.1".
    attempt : the reader's function. It may do what it likes to its arguments.

    Raises
    ------
    ValueError
        If there is no such exercise.

    Examples
    --------
    >>> check("0.1", lambda ids, table: table[ids])
    ✓ 0.1 Look up a batch of words: right, on 3 different inputs
    >>> check("0.1", lambda ids, table: table[ids - 1])
    ✗ 0.1 Look up a batch of words: each word has got the row before its own: ids \
count from 0, and so do rows
    """
    if not isinstance(id, str):
        print(_say_misplaced(id, attempt))
        return
    if _is_by_hand(id):
        print(messages.BY_HAND.format(id=id))
        return
    exercise = finding.find(id)
    if attempt is _MISSING:
        print(messages.FUNCTION_MISSING.format(id=id, name=exercise.name))
        return
    verdict = judge(exercise, attempt)
    _failed[id] = verdict.case
    if verdict.stage is Stage.SOLVED:
        solved.session.add(id)
    elif verdict.stage is not Stage.UNTOUCHED:
        solved.session.add_tried(id)
    told = {"id": id, "title": exercise.title, "verdict": verdict.message}
    print(messages.LINE.format(mark=verdict.stage.mark, **told))
    for note in verdict.notes:
        print(messages.ALSO.format(note=note))
    _say_note()


@as_in_the_book()
def example(id: str) -> tuple | None:
    """Return the input on which the last attempt at ``id`` failed, or the first one.

    What is wanted for it is printed. Try it yourself: ``f(*example("0.1"))``.

    Raises
    ------
    ValueError
        If there is no such exercise.

    Examples
    --------
    >>> example("4.4")
    count_parameters(d_model, heads, bias) with three heads with biases, wanted: 960
    (15, 3, True)
    """
    if not isinstance(id, str):
        print(messages.EXAMPLE_NOT_IN_QUOTES.format(id=id))
        return None
    if _is_by_hand(id):
        print(messages.BY_HAND.format(id=id))
        return None
    exercise = finding.find(id)
    case = _failed.get(id) or next(iter(exercise.cases))
    wanted = call(exercise.reference, exercise.cases[case]).value
    told = {"call": exercise.call, "case": case, "wanted": wanted}
    print(messages.EXAMPLE.format(**told))
    return exercise.cases[case]()


def hint(id: str) -> None:
    """Print the next hint to exercise ``id``, and how many are left.

    Examples
    --------
    >>> hint("0.1")
    Hint 1 of 2 to 0.1: the table has one row for each word of the vocabulary, and an \
id is the number of a row. (one more hint)
    """
    if not isinstance(id, str):
        print(messages.HINT_NOT_IN_QUOTES.format(id=id))
        return
    if _is_by_hand(id):
        print(messages.BY_HAND.format(id=id))
        return
    hints = finding.find(id).hints
    total = len(hints)
    number = min(_hints_given.get(id, 0) + 1, total)
    _hints_given[id] = number
    left = total - number
    last = {0: messages.LAST_HINT, 1: messages.LAST_HINT_BUT_ONE}
    told = {"number": number, "total": total, "hint": hints[number - 1], "left": left}
    told["place"] = _place_of_solutions(id) if left == 0 else ""
    print(last.get(left, messages.HINT).format(id=id, **told))


def progress(chapter: int | None = None) -> None:
    """Show which exercises are solved, of one chapter or of the whole book.

    Of the whole book a notebook shows a table, chapters by exercises. △ marks what was
    tried and is not yet solved: that is to be reviewed. Exercises by hand are solved in
    their widgets, and predictions answered in theirs. The list is kept beside the
    reader's own copies of the chapters (see :mod:`qkv.checking.solved`), elsewhere for
    this session only.

    Raises
    ------
    ValueError
        If there is no such chapter.
    """
    known = finding.chapters()
    if chapter is not None and (type(chapter) is not int or chapter not in known):
        raise ValueError(messages.UNKNOWN_CHAPTER.format(chapter=chapter))
    done, tried = solved.session.ids(), solved.session.open_ids()
    if chapter is None:
        _show(Report(known, done, tried))
    else:
        print(Report([chapter], done, tried))
        others = [id for id in done if finding.chapter_of(id) not in (chapter, None)]
        print(messages.OF_OTHER_CHAPTERS.format(count=len(others)))
    if solved.find_file() is None:
        print(messages.SESSION_ONLY)
    _say_note()


def _show(report: Report) -> None:
    from IPython.display import display  # heavy, and there wherever a table can be seen

    display(report)


def _is_by_hand(id: str) -> bool:
    chapter = finding.chapter_of(id)
    return chapter is not None and id in finding.by_hand(chapter)


def _place_of_solutions(id: str) -> str:
    """The notebook with the chapter's solutions, as seen from here."""
    here = Path.cwd()
    name = f"solutions/{finding.chapter_of(id) or 0:02}_*.ipynb"
    found = [*here.glob(name), *here.glob(f"chapters/{name}"), *here.parent.glob(name)]
    if not found:
        return messages.THE_SOLUTIONS
    return os.path.relpath(found[0], here).replace(os.sep, "/")


def _say_misplaced(id: Any, attempt: Any) -> str:
    """What the check says where the number does not come first, in quotes."""
    if not callable(id):
        return messages.NOT_IN_QUOTES.format(id=id, name=_name(attempt))
    if isinstance(attempt, (str, float)):
        return messages.EXCHANGED.format(id=attempt, name=_name(id))
    return messages.NUMBER_MISSING.format(name=_name(id))


def _name(function: Any) -> str:
    """How the reader calls the function, if it has a name."""
    name = getattr(function, "__name__", "")
    return name if name.isidentifier() else messages.YOUR_FUNCTION


def _say_note() -> None:
    if solved.session.note:
        print(messages.NOTE.format(note=solved.session.note))
        solved.session.note = ""
