"""Widgets to step through computations, with a kernel or without.

They draw traces (:mod:`qkv.trace`), whoever made them: no widget knows a model. All
state is in traits; what happens when a reader steps happens in the browser.

Each widget is a folder: ``NAME/NAME.py`` with its class, ``NAME/NAME.js`` with its
front end. A widget is loaded when it is asked for, and no other with it.
"""

import importlib
import re
from pathlib import Path
from typing import Any

_CLASS = re.compile(r"^class ([A-Z]\w*)", re.MULTILINE)


def _found() -> dict[str, str]:
    """Return each widget's class and the module that has it, found and not loaded."""
    found = {}
    for file in Path(__file__).parent.glob("*/*.py"):
        named = _CLASS.search(file.read_text("utf-8"))
        if named and file.stem == file.parent.name:
            found[named[1]] = f"{__name__}.{file.stem}.{file.stem}"
    return dict(sorted(found.items()))


_MODULES = _found()


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(
            f"module {__name__} has no {name}; its widgets are {', '.join(_MODULES)}"
        )
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return __all__


# The files are read above: a checker that runs nothing can't know the names.
__all__ = list(_MODULES)  # pyrefly: ignore[unresolvable-dunder-all]
