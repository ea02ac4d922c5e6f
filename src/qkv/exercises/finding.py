"""Where the exercises are: found by their numbers, and imported when asked for.

An exercise is one file in the folder of its chapter, ``ch03/scaled_scores.py``, which
defines ``EXERCISE``. Its number stands in the file, and is read there: no list of all
exercises has to be kept, and none but the one that is asked for is imported.
"""

import re
from importlib import import_module
from pathlib import Path

from qkv.checking import messages
from qkv.checking.exercise import Exercise

FOLDER = Path(__file__).parent
NUMBER = re.compile(r'^    id="(\d+\.\d+)",$', flags=re.MULTILINE)


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
    paths = FOLDER.glob(f"ch{chapter:02}/*.py")
    return {
        id: path for path in paths for id in NUMBER.findall(path.read_text("utf-8"))
    }


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
    number = id.partition(".")[0]
    chapter = int(number) if number.isdecimal() else None
    file = None if chapter is None else files(chapter).get(id)
    if file is None:
        raise ValueError(_say_unknown(id, chapter))
    return import_module(f"{_package(chapter)}.{file.stem}").EXERCISE


def _package(chapter: int) -> str:
    return f"{__package__}.ch{chapter:02}"


def _say_unknown(id: str, chapter: int | None) -> str:
    if chapter not in chapters():
        return messages.UNKNOWN_EXERCISE.format(id=id)
    known = ", ".join(ids(chapter))
    return messages.UNKNOWN_IN_CHAPTER.format(id=id, chapter=chapter, ids=known)
