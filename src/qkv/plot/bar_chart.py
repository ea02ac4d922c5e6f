"""Bar charts: one number for each name."""

from collections.abc import Mapping

import matplotlib
from matplotlib.axes import Axes

from qkv.plot.alt_text import say_bars
from qkv.plot.figure import Figure
from qkv.plot.numbers import Number, say
from qkv.plot.style import INK, LINES, STYLE, WIDTH, canvas_of
from qkv.plot.svg import finish

__all__ = ["bars"]

Point = Number | tuple[Number, Number, Number]


def bars(
    values: Mapping[str, Point],
    *,
    ylabel: str,
    title: str,
    marks: Mapping[str, Number] | None = None,
) -> Figure:
    """Draw one bar for each name; a value may be (value, low, high) with its spread.

    Examples
    --------
    >>> bars({"GRU": (0.5, 0.4, 0.6), "attention": 1.0}, ylabel="exact match",
    ...      title="Ten digits", marks={"chance": 0.1})
    Bar chart: Ten digits. exact match: GRU 0.50 (0.40 to 0.60, smallest); attention 1 \
(largest). Marked: chance 0.10.
    """
    points = {name: _point(value) for name, value in values.items()}
    if not points:
        raise ValueError("bars needs at least one value")
    marks = dict(marks or {})
    with matplotlib.rc_context(STYLE):
        canvas, ax = canvas_of(WIDTH, 34 * len(points) + 90 + 20 * bool(marks))
        _draw_bars(ax, points, marks)
        ax.set(xlabel=ylabel)
        ax.set_title(title, wrap=True)
    return finish(canvas, say_bars(points, ylabel, title, marks))


def _point(value: Point) -> tuple[float, float, float]:
    if isinstance(value, tuple):
        middle, low, high = value
        return float(middle), float(low), float(high)
    return (float(value),) * 3


def _draw_bars(
    ax: Axes,
    points: Mapping[str, tuple[float, float, float]],
    marks: Mapping[str, Number],
) -> None:
    for place, (value, low, high) in enumerate(points.values()):
        ax.barh(place, value, height=0.62, color=LINES[0])
        if low != high:
            ax.plot([low, high], [place] * 2, color=INK, linewidth=1.5, marker="|")
        end = (max(value, high, 0), place)
        ax.annotate(say(value), end, (5, 0), textcoords="offset points", va="center")
    for name, height in marks.items():
        ax.axvline(height, color=INK, linestyle=(0, (2, 3)), linewidth=1)
        place = {"textcoords": "offset points", "fontsize": 9, "va": "bottom"}
        ax.annotate(name, (height, -0.6), (4, 0), **place)
    ax.set_yticks(range(len(points)), list(points))
    ax.set_ylim(len(points) - 0.5, -0.5 - 0.6 * bool(marks))
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.12)
