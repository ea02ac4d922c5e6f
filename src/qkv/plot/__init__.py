"""Figures that can be read without seeing them.

Three kinds, one look: :func:`heatmap`, :func:`curves`, :func:`bars`. Each returns a
:class:`Figure`, an SVG whose text is text and whose alternative text is computed from
the data. Colours are safe for colour-blind readers and never the only cue. Each is
loaded when it is first asked for.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Figure": "figure",
    "bars": "bar_chart",
    "curves": "line_chart",
    "heatmap": "heat_map",
}
__all__ = ["Figure", "bars", "curves", "heatmap"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
