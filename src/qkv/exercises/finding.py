"""Where the exercises are: found by their numbers, and imported when asked for.

An exercise is one file in the folder of its chapter, ``ch03/scaled_scores.py``, which
defines ``EXERCISE``; one to work out by hand defines ``BY_HAND``, and its number ends
in a letter. The number stands in the file, and is read there: no list of all exercises
has to be kept, and none but the one that is asked for is imported.
"""

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

from qkv.checking import messages
from qkv.checking.by_hand import ByHand
from qkv.checking.exercise import Exercise

FOLDER = Path(__file__).parent
NUMBER = re.compile(r'^    id="(\d+\.\d+)",$', flags=re.MULTILINE)
LETTER = re.compile(r'^    id="(\d+\.[a-z])",$', flags=re.MULTILINE)


def chapters() -> list[int]:
    """Return the numbers of the chapters that have exercises, in their order."""
    return sorted(int(folder.name[2:]) for folder in FOLDER.glob("ch[0-9][0-9]"))


def title(chapter: int) -> str:
    """Return the title of a chapter.

    Examples
    --------
    >>> title(4)
    'Many heads'
    """
    return import_module(_package(chapter)).TITLE


def ids(chapter: int) -> list[str]:
    """Return the numbers of a chapter's exercises, in their order.

    Examples
    --------
    >>> ids(3)[:3]
    ['3.1', '3.2', '3.3']
    """
    return sorted(files(chapter), key=lambda id: int(id.partition(".")[2]))


def files(chapter: int) -> dict[str, Path]:
    """Return the file of each of a chapter's exercises; they are read and not run.

    Examples
    --------
    >>> files(3)["3.2"].name
    'scaled_scores.py'
    """
    return _with_ids(chapter, NUMBER)


def by_hand(chapter: int) -> dict[str, Path]:
    """Return the file of each of a chapter's exercises by hand, in their order.

    Examples
    --------
    >>> by_hand(3)["3.a"].name
    'by_hand_look_up.py'
    """
    return dict(sorted(_with_ids(chapter, LETTER).items()))


def find(id: str) -> Exercise:
    """Return an exercise by its number, and import no other.

    Raises
    ------
    ValueError
        If there is no such exercise.

    Examples
    --------
    >>> find("3.2").title
    'Compare each query with each key'
    """
    if (module := _module(id, files)) is None:
        raise ValueError(_say_unknown(id, chapter_of(id)))
    return module.EXERCISE


def find_by_hand(id: str) -> ByHand:
    """Return an exercise by hand by its number, and import no other.

    Raises
    ------
    ValueError
        If there is no such exercise.

    Examples
    --------
    >>> find_by_hand("3.a").title
    'Another query, the same keys'
    """
    if (module := _module(id, by_hand)) is None:
        known = ", ".join(id for c in chapters() for id in by_hand(c))
        raise ValueError(messages.UNKNOWN_BY_HAND.format(id=id, ids=known))
    return module.BY_HAND


def chapter_of(id: str) -> int | None:
    """Return the chapter of an exercise by its number; None for what is no exercise.

    Examples
    --------
    >>> chapter_of("3.2"), chapter_of("3.a"), chapter_of("03-recall")
    (3, 3, None)
    """
    number, _, _ = id.partition(".")
    return int(number) if number.isdecimal() else None


def _with_ids(chapter: int, pattern: re.Pattern) -> dict[str, Path]:
    paths = FOLDER.glob(f"ch{chapter:02}/*.py")
    return {
        id: path for path in paths for id in pattern.findall(path.read_text("utf-8"))
    }


def _module(id: str, listed: Callable[[int], dict[str, Path]]) -> ModuleType | None:
    chapter = chapter_of(id)
    if chapter is None or id not in (of_chapter := listed(chapter)):
        return None
    return import_module(f"{_package(chapter)}.{of_chapter[id].stem}")


def _package(chapter: int) -> str:
    return f"{__package__}.ch{chapter:02}"


def _say_unknown(id: str, chapter: int | None) -> str:
    if chapter is None or chapter not in chapters():
        return messages.UNKNOWN_EXERCISE.format(id=id)
    known = ", ".join(ids(chapter))
    return messages.UNKNOWN_IN_CHAPTER.format(id=id, chapter=chapter, ids=known)
