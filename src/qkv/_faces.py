"""Faces of packages: a public name is found in its module, and loaded when asked for.

A module says what it offers in ``__all__``, as strings in double quotes. A new file is
all that a new dataset, widget or figure needs: its package lists nothing. Who asks for
one name loads its module and no other.
"""

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

_LISTED = re.compile(r"^__all__ = \[(.*?)\]", flags=re.M | re.S)


def face(
    package: str, file: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return a package's ``__getattr__``, ``__dir__`` and ``__all__`` (PEP 562).

    Parameters
    ----------
    package : the package's ``__name__``.
    file : its ``__file__``; the modules in its folder, and below it, are read, not run.

    Examples
    --------
    >>> import qkv.plot
    >>> _, names, _ = face("qkv.plot", qkv.plot.__file__)
    >>> names()
    ['Figure', 'bars', 'curves', 'heatmap', 'pictures']
    """
    modules = _found(package, Path(file).parent)
    names = sorted(modules)

    def load(name: str) -> Any:
        if name not in modules:
            raise AttributeError(
                f"module {package!r} has no attribute {name!r}; it has "
                f"{', '.join(names)}"
            )
        return getattr(import_module(modules[name]), name)

    return load, lambda: names, names


def _found(package: str, folder: Path) -> dict[str, str]:
    """Return the module of each public name."""
    found = {}
    for file in folder.rglob("*.py"):
        listed = _LISTED.search(file.read_text("utf-8"))
        if file.name == "__init__.py" or not listed:
            continue
        path = ".".join(file.relative_to(folder).with_suffix("").parts)
        found |= dict.fromkeys(re.findall(r'"(\w+)"', listed[1]), f"{package}.{path}")
    return found
