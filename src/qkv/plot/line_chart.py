"""Line charts: how one quantity goes with another."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator
from torch import Tensor

from qkv.plot.alt_text import say_curves
from qkv.plot.figure import Figure
from qkv.plot.numbers import Number, array, say_tick
from qkv.plot.style import DASHES, INK, LINES, MARKERS, STYLE, WIDTH, canvas_of
from qkv.plot.svg import finish

__all__ = ["curves"]

Values = Sequence[Number] | np.ndarray | Tensor


def curves(
    series: Mapping[str, tuple[Values, ...]],
    *,
    xlabel: str,
    ylabel: str,
    title: str,
    marks: Mapping[str, Number] | None = None,
    shaded: tuple[Number, Number, str] | None = None,
    log_x: bool = False,
    log_y: bool = False,
) -> Figure:
    """Draw lines: each a name and its (x, y), or (x, y, low, high) with its spread.

    Parameters
    ----------
    series : the lines by name.
    xlabel, ylabel : the quantity of each axis, with its unit.
    title : what is compared.
    marks : horizontal lines by name: chance, ceiling.
    shaded : a range of x to shade and what it is: ``(1, 20, "trained lengths")``.
    log_x, log_y : draw that axis with a logarithmic scale.

    Raises
    ------
    ValueError
        If there is no series, or one is not two or four sequences of one length.

    Examples
    --------
    >>> curves({"GRU": ([1, 10, 20], [1.0, 0.5, 0.0])}, xlabel="digits",
    ...        ylabel="exact match", title="A fixed vector", marks={"chance": 0.1},
    ...        shaded=(1, 20, "trained lengths"))
    Line chart: A fixed vector. exact match against digits (1 to 20). GRU: from 1 at 1 \
to 0 at 20, half-way (0.50) near 10, meets chance near 18. Marked: chance 0.10. \
Shaded: trained lengths, 1 to 20.
    """
    lines = {name: _line(name, given) for name, given in series.items()}
    if not lines:
        raise ValueError("curves needs at least one line")
    marks = dict(marks or {})
    with matplotlib.rc_context(STYLE):
        canvas, ax = canvas_of(WIDTH, 330)
        ax.locator_params("x", integer=_whole(lines))
        for place, (name, line) in enumerate(lines.items()):
            _draw_line(ax, name, line, place % len(LINES))
        _use_logarithms(ax, "x" * log_x + "y" * log_y)
        if log_x:
            _tick_where_measured(ax, lines)
        _draw_range(ax, shaded)
        _draw_marks(ax, marks)
        ax.set(xlabel=xlabel, ylabel=ylabel)
        ax.set_title(title, wrap=True)
        canvas.legend(loc="outside lower center", ncols=2)
    return finish(canvas, say_curves(lines, (xlabel, ylabel), title, marks, shaded))


def _line(name: str, given: tuple[Values, ...]) -> tuple[np.ndarray, ...]:
    line = tuple(array(part) for part in given)
    if len(line) not in (2, 4) or len({part.shape for part in line}) != 1:
        raise ValueError(
            f"series {name!r} must be (x, y) or (x, y, low, high), all of one length, "
            f"not {len(line)} of lengths {[len(part) for part in line]}"
        )
    if line[0].size == 0:
        raise ValueError(f"series {name!r} has no points")
    return line


def _whole(lines: dict[str, tuple[np.ndarray, ...]]) -> bool:
    """Whether x counts something: then no tick stands between two of them."""
    return all((x % 1 == 0).all() for x, *_ in lines.values())


def _use_logarithms(ax: Axes, axes: str) -> None:
    for axis in axes:
        ax.set(**{f"{axis}scale": "log"})
        ticks = getattr(ax, f"{axis}axis")
        low, high = ticks.get_data_interval()
        between = (1, 2, 5) if high < low * 1e4 else (1,)  # matplotlib draws none else
        ticks.set_major_locator(LogLocator(subs=between))
        ticks.set_minor_locator(NullLocator())
        ticks.set_major_formatter(FuncFormatter(say_tick))


def _tick_where_measured(ax: Axes, lines: dict[str, tuple[np.ndarray, ...]]) -> None:
    """Ticks of a logarithmic x at the points themselves, where each has room."""
    points = np.unique(np.concatenate([x for x, *_ in lines.values()]))
    gaps = np.diff(np.log(points))
    if len(gaps) and gaps.min() * 12 >= gaps.sum():  # then their labels keep apart
        ax.xaxis.set_major_locator(FixedLocator(points.tolist()))


def _draw_range(ax: Axes, shaded: tuple[Number, Number, str] | None) -> None:
    if shaded:
        low, high, label = shaded
        look = {"color": "#8a8a8a", "alpha": 0.16, "linewidth": 0, "zorder": 0}
        ax.axvspan(low, high, label=label, **look)


def _draw_line(ax: Axes, name: str, line: tuple[np.ndarray, ...], place: int) -> None:
    x, y, *spread = line
    few = len(x) <= 30
    ax.plot(
        x,
        y,
        color=LINES[place],
        linestyle=DASHES[place],
        marker=MARKERS[place],
        markersize=5,
        markevery=1 if few else len(x) // 15,
        linewidth=1.8,
        label=name,
    )
    if spread:
        low, high = spread
        ax.fill_between(x, low, high, color=LINES[place], alpha=0.2, lw=0)


def _draw_marks(ax: Axes, marks: Mapping[str, Number]) -> None:
    for name, height in marks.items():
        ax.axhline(height, color=INK, linestyle=(0, (2, 3)), linewidth=1)
        place = {"xycoords": ax.get_yaxis_transform(), "textcoords": "offset points"}
        ax.annotate(name, (1, height), (4, 0), va="center", fontsize=9, **place)
