"""Sequences and images to translate or to ask about, each task with a known truth.

:class:`DictatedNumbers` reads digits in English and writes them in Korean;
:class:`KoreanDates` does the same with dates, whose alignment is known by field;
:func:`load_pairs` reads a file of your own. These are a :class:`Corpus`: two
vocabularies, examples, and an endless stream of batches that a seed decides.

:class:`AssociativeRecall`, :class:`FourNeighbours`, :class:`Reversal`,
:class:`TokenBack` and :class:`DateLanguage` need no text: they draw :class:`Questions`,
tokens and the true answers.

:class:`Digits` and :class:`FindTheDigit` draw :class:`Images`, and the class of each;
:func:`load_images` reads a folder of your own.

A name is loaded when it is asked for, so that who works with numbers loads no images.
It is found where a module below lists it in ``__all__``: a new file is all that a new
task needs.
"""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

LISTED = re.compile(r"^__all__ = \[(.*?)\]", flags=re.M | re.S)


def _places() -> dict[str, str]:
    """Return the module of each public name, read from the sources: none is loaded."""
    here, places = Path(__file__).parent, {}
    for file in here.rglob("*.py"):
        if file.name == "__init__.py":
            continue
        listed = LISTED.search(file.read_text("utf-8"))
        module = ".".join(file.relative_to(here).with_suffix("").parts)
        for name in re.findall(r'"(\w+)"', listed[1] if listed else ""):
            places[name] = f"{__name__}.{module}"
    return places


_MODULES = _places()
# The files are read above: a checker that runs nothing can't know the names.
__all__ = sorted(_MODULES)  # pyrefly: ignore[unresolvable-dunder-all]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return __all__
