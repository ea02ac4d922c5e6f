"""Figures that can be read without seeing them.

Three kinds, one look: :func:`heatmap`, :func:`curves`, :func:`bars`. Each returns a
:class:`Figure`, an SVG whose text is text and whose alternative text is computed from
the data. Colours are safe for colour-blind readers and never the only cue.
"""

import hashlib
import io
import math
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import matplotlib
import numpy as np
from jaxtyping import Bool, Num
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator
from torch import Tensor

INK = "#010203"  # drawn in this, shown in the page's own text colour
LINES = ("#0072b2", "#d55e00", "#008f68", "#b0508a", "#8c6d00", "#4f7f9e")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P")
WIDTH = 560
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "qkv",
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same widths everywhere
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.7,
    "legend.frameon": False,
    **dict.fromkeys(
        ["text.color", "axes.edgecolor", "axes.labelcolor", "axes.titlecolor"], INK
    ),
    **dict.fromkeys(["xtick.color", "ytick.color", "hatch.color"], INK),
}
Point = Real | tuple[Real, Real, Real]
Values = Sequence[Real] | np.ndarray | Tensor


@dataclass(frozen=True)
class Figure:
    """A drawing (``svg``) and the sentence that says what is to be seen (``alt``).

    Examples
    --------
    >>> bars({"fixed vector": 880, "attention": 430}, ylabel="steps", title="Cost")
    Bar chart: Cost. steps: fixed vector 880 (largest); attention 430 (smallest).
    """

    svg: str
    alt: str

    def __repr__(self) -> str:
        """Say what is to be seen."""
        return self.alt

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict:
        return {"image/svg+xml": self.svg, "text/plain": self.alt}


# ---------------------------------------------------------------------------- heat map


def heatmap(
    matrix: Num[Tensor, "row column"] | Sequence[Sequence[Real]] | np.ndarray,
    *,
    rows: Sequence[Any],
    columns: Sequence[Any],
    title: str,
    axes: tuple[str, str] = ("row", "column"),
    outline: Bool[Tensor, "row column"] | None = None,
    mask: Bool[Tensor, "row column"] | None = None,
    limits: tuple[Real, Real] | None = None,
) -> Figure:
    """Draw a matrix as coloured cells, with the number where a cell has room.

    Parameters
    ----------
    matrix : the values; NaN and infinities are written out, not coloured.
    rows, columns : a label for each row and column; any script; a space shows as ␣.
    title : what the matrix is.
    axes : what a row and a column stand for, "output token" and "input token".
    outline : True where the truth lies; these cells get a frame.
    mask : True where attention is allowed; the other cells are hatched.
    limits : the values at the ends of the colour scale; by default 0 and 1 for
        shares, 0 and the maximum for positive values, else the same on both sides
        of zero.

    Raises
    ------
    ValueError
        If labels, outline or mask do not fit the matrix.

    Examples
    --------
    >>> import torch
    >>> heatmap(torch.tensor([[0.9, 0.1], [0.2, 0.8]]), rows="AB", columns="xy",
    ...         title="Weights", axes=("query", "key"))
    Heat map: Weights. 2 rows (query) by 2 columns (key), values 0.10 to 0.90. Largest \
in row A: x (0.90); B: y (0.80). A row is spread over 1.4 to 1.6 columns.
    """
    values = _array(matrix)
    rows, columns = list(map(_label, rows)), list(map(_label, columns))
    _check_labels(values, rows, columns)
    allowed = _marked(mask, values, "mask", default=True)
    framed = _marked(outline, values, "outline", default=False)
    scale = _Scale.of(values[allowed], limits)
    side = _cell_side(values.shape[1])
    with matplotlib.rc_context(STYLE):
        canvas, ax = _canvas(WIDTH, side * len(rows) + 100)
        _draw_cells(ax, values, allowed, scale, room=side >= 30)
        _draw_frames(ax, framed)
        _label_cells(ax, rows, columns, axes, title)
        _draw_key(ax, scale, *values.shape, box=24 / side)
    return _finish(
        canvas, _say_heatmap(values, rows, columns, title, axes, allowed, framed)
    )


@dataclass(frozen=True)
class _Scale:
    """From a value to its colour."""

    low: Real
    high: Real
    colours: Any

    @classmethod
    def of(cls, values: np.ndarray, limits: tuple[Real, Real] | None) -> "_Scale":
        finite = values[np.isfinite(values)]
        least, most = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
        if limits is None and least < 0:
            limits = (-max(-least, most), max(-least, most))
        elif limits is None:
            limits = (0.0, 1.0 if most <= 1 else most)
        name = "PuOr" if limits[0] < 0 else "cividis"
        return cls(float(limits[0]), float(limits[1]), matplotlib.colormaps[name])

    def __call__(self, value: Real) -> str:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return matplotlib.colors.to_hex(self.colours(min(max(share, 0.0), 1.0)))


def _cell_side(columns: int) -> Real:
    return min(44.0, (WIDTH - 150) / max(columns, 1))


def _draw_cells(
    ax: Axes, values: np.ndarray, allowed: np.ndarray, scale: _Scale, room: bool
) -> None:
    digits = _digits(values)
    for (row, column), value in np.ndenumerate(values):
        look = _cell_look(value, bool(allowed[row, column]), scale)
        ax.add_patch(Rectangle((column, row), 1, 1, clip_on=False, **look))
        if allowed[row, column] and (room or not np.isfinite(value)):
            colour = _readable_on(scale(value)) if np.isfinite(value) else INK
            text, middle = _cell_text(value, digits), {"ha": "center", "va": "center"}
            ax.text(column + 0.5, row + 0.5, text, color=colour, fontsize=9, **middle)


def _cell_look(value: Real, allowed: bool, scale: _Scale) -> dict[str, Any]:
    if not allowed:
        return {"facecolor": "none", "linewidth": 0, "hatch": "////"}
    if np.isfinite(value):
        return {"facecolor": scale(value), "linewidth": 0}
    return {"facecolor": "none", "edgecolor": INK, "linewidth": 0.8, "linestyle": ":"}


def _draw_frames(ax: Axes, framed: np.ndarray) -> None:
    """A line around each outlined region, in two colours, so that it shows on any."""
    padded = np.pad(framed, 1)
    upright = np.argwhere(padded[1:-1, :-1] != padded[1:-1, 1:])
    level = np.argwhere(padded[:-1, 1:-1] != padded[1:, 1:-1])
    edges = [((x, y), (x, y + 1)) for y, x in upright]
    edges += [((x, y), (x + 1, y)) for y, x in level]
    if not edges:
        return
    codes = [Path.MOVETO, Path.LINETO] * len(edges)
    around = Path([point for edge in edges for point in edge], codes)
    for colour, width in (("#000000", 4.0), ("#ffd60a", 2.0)):
        line = {"edgecolor": colour, "linewidth": width, "capstyle": "round"}
        ax.add_patch(PathPatch(around, facecolor="none", clip_on=False, **line))


def _label_cells(
    ax: Axes,
    rows: list[str],
    columns: list[str],
    axes: tuple[str, str],
    title: str,
) -> None:
    side = _cell_side(len(columns))
    longest = max(map(len, columns), default=0) * 7
    down = math.ceil(13 / side)  # a line of type; where cells are lower, some go unsaid
    across = math.ceil((longest + 3) / side) if down > 1 else 1
    ax.set_xticks(np.arange(0, len(columns), across) + 0.5, columns[::across])
    ax.set_yticks(np.arange(0, len(rows), down) + 0.5, rows[::down])
    if longest > side * across:
        ax.tick_params(axis="x", rotation=60)
    ax.tick_params(length=0)
    ax.set_title(title, wrap=True)
    ax.set_ylabel(axes[0])
    ax.set_xlabel(axes[1])


def _draw_key(ax: Axes, scale: _Scale, rows: int, columns: int, box: Real) -> None:
    """The colour scale as five boxes beside the matrix; ``box`` is a side in cells."""
    left, height = columns + box, min(box, rows / 5)
    for place, share in enumerate((1, 0.75, 0.5, 0.25, 0)):
        value, top = scale.low + share * (scale.high - scale.low), place * height
        look = {"facecolor": scale(value), "linewidth": 0, "clip_on": False}
        ax.add_patch(Rectangle((left, top), box * 0.7, height, **look))
        middle = top + height / 2
        ax.text(left + box, middle, _say(value), fontsize=8, va="center")
    ax.set(xlim=(0, columns), ylim=(rows, 0), aspect="equal", anchor="W")
    ax.spines[:].set_visible(False)


def _say_heatmap(
    values: np.ndarray,
    rows: list[str],
    columns: list[str],
    title: str,
    axes: tuple[str, str],
    allowed: np.ndarray,
    framed: np.ndarray,
) -> str:
    seen = np.where(allowed, values, np.nan)
    finite = seen[np.isfinite(seen)]
    size = f"{_count(len(rows), 'row')} ({axes[0]}) by {_count(len(columns), 'column')}"
    parts = [f"Heat map: {title}. {size} ({axes[1]})"]
    if finite.size:
        parts[0] += f", values {_say(finite.min())} to {_say(finite.max())}"
        parts.append(_say_peaks(seen, rows, columns))
        parts.append(_say_spread(seen))
    parts.append(_say_truth(seen, framed))
    parts.append(_say_marks(values, allowed))
    return _sentences(parts)


def _say_peaks(seen: np.ndarray, rows: list[str], columns: list[str]) -> str:
    """Where each row is largest, neighbours with the same column said together."""
    runs: list[tuple[int | None, list[str], list[Real]]] = []
    for label, row in zip(rows, seen, strict=True):
        some = np.isfinite(row).any()
        peak = int(np.where(np.isfinite(row), row, -np.inf).argmax()) if some else None
        if not runs or runs[-1][0] != peak:
            runs.append((peak, [], []))
        runs[-1][1].append(label)
        runs[-1][2].append(row[peak] if some else np.nan)
    said = [
        f"{' '.join(labels)}: {'nowhere' if peak is None else columns[peak]}"
        + (f" ({_say_range(values)})" if peak is not None else "")
        for peak, labels, values in runs
    ]
    rest = f"; and {len(said) - 24} more" if len(said) > 24 else ""
    return f"Largest in row {'; '.join(said[:24])}{rest}"


def _say_range(values: list[Real]) -> str:
    low, high = _say(min(values)), _say(max(values))
    return low if low == high else f"{low} to {high}"


def _say_spread(seen: np.ndarray) -> str:
    """The number of columns a row of shares is spread over: e to its entropy."""
    shares = np.nan_to_num(seen, nan=0.0, posinf=0.0, neginf=0.0)
    full = np.abs(shares.sum(1) - 1) < 1e-3
    if (shares < 0).any() or not full.any():
        return ""
    safe = np.where(shares > 0, shares, 1.0)
    spread = np.exp(-(safe * np.log(safe)).sum(1))[full]
    low, high = (f"{n:.1f}".removesuffix(".0") for n in (spread.min(), spread.max()))
    over = low if low == high else f"{low} to {high}"
    return f"A row is spread over {over} column{'' if over == '1' else 's'}"


def _say_truth(seen: np.ndarray, framed: np.ndarray) -> str:
    with_truth = framed.any(1) & np.isfinite(seen).any(1)
    if not with_truth.any():
        return ""
    peaks = np.where(np.isfinite(seen), seen, -np.inf).argmax(1)
    inside = framed[np.arange(len(seen)), peaks] & with_truth
    return (
        f"The largest lies in the outlined truth in {inside.sum()} of "
        f"{with_truth.sum()} rows that have one"
    )


def _say_marks(values: np.ndarray, allowed: np.ndarray) -> str:
    kinds = {
        "masked (hatched)": ~allowed,
        "not a number": allowed & np.isnan(values),
        "+∞": allowed & np.isposinf(values),
        "−∞": allowed & np.isneginf(values),
    }
    said = [f"{_count(int(k.sum()), 'cell')} {n}" for n, k in kinds.items() if k.any()]
    return ", ".join(said)


# ------------------------------------------------------------------------------ curves


def curves(
    series: Mapping[str, tuple[Values, ...]],
    *,
    xlabel: str,
    ylabel: str,
    title: str,
    marks: Mapping[str, Real] | None = None,
    shaded: tuple[Real, Real, str] | None = None,
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
        canvas, ax = _canvas(WIDTH, 330)
        ax.xaxis.get_major_locator().set_params(integer=_whole(lines))
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
    return _finish(canvas, _say_curves(lines, xlabel, ylabel, title, marks, shaded))


def _line(name: str, given: tuple[Values, ...]) -> tuple[np.ndarray, ...]:
    line = tuple(_array(part) for part in given)
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
        ticks.set_major_formatter(FuncFormatter(_say_tick))


def _tick_where_measured(ax: Axes, lines: dict[str, tuple[np.ndarray, ...]]) -> None:
    """Ticks of a logarithmic x at the points themselves, where each has room."""
    points = np.unique(np.concatenate([x for x, *_ in lines.values()]))
    gaps = np.diff(np.log(points))
    if len(gaps) and gaps.min() * 12 >= gaps.sum():  # then their labels keep apart
        ax.xaxis.set_major_locator(FixedLocator(points))


def _say_tick(value: Real, _: int | None = None) -> str:
    if 1e-4 < value < 1e6:
        return f"{value:g}"
    digits, power = f"{value:.0e}".split("e")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{raised}" if digits == "1" else f"{digits}·10{raised}"


def _draw_range(ax: Axes, shaded: tuple[Real, Real, str] | None) -> None:
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
        ax.fill_between(x, *spread, color=LINES[place], alpha=0.2, lw=0)


def _draw_marks(ax: Axes, marks: Mapping[str, Real]) -> None:
    for name, height in marks.items():
        ax.axhline(height, color=INK, linestyle=(0, (2, 3)), linewidth=1)
        place = {"xycoords": ax.get_yaxis_transform(), "textcoords": "offset points"}
        ax.annotate(name, (1, height), (4, 0), va="center", fontsize=9, **place)


def _say_curves(
    lines: Mapping[str, tuple[np.ndarray, ...]],
    xlabel: str,
    ylabel: str,
    title: str,
    marks: Mapping[str, Real],
    shaded: tuple[Real, Real, str] | None,
) -> str:
    least = min(line[0].min() for line in lines.values())
    most = max(line[0].max() for line in lines.values())
    parts = [
        f"Line chart: {title}",
        f"{ylabel} against {xlabel} ({_say(least)} to {_say(most)})",
    ]
    parts += [_say_line(name, line, marks) for name, line in lines.items()]
    if marks:
        said = ", ".join(f"{name} {_say(height)}" for name, height in marks.items())
        parts.append(f"Marked: {said}")
    if shaded:
        parts.append(f"Shaded: {shaded[2]}, {_say(shaded[0])} to {_say(shaded[1])}")
    return _sentences(parts)


def _say_line(
    name: str, line: tuple[np.ndarray, ...], marks: Mapping[str, Real]
) -> str:
    x, y = (part[np.isfinite(line[1])] for part in line[:2])
    if not len(x):
        return f"{name}: no finite value"
    said = (
        f"{name}: from {_say(y[0])} at {_say(x[0])} to {_say(y[-1])} at {_say(x[-1])}"
    )
    for word, place in (("highest", int(y.argmax())), ("lowest", int(y.argmin()))):
        if y[place] not in (y[0], y[-1]):
            said += f", {word} {_say(y[place])} at {_say(x[place])}"
    middle = (y.max() + y.min()) / 2
    for place in _crossings(x, y, middle)[:1]:
        said += f", half-way ({_say(middle)}) near {_say(place)}"
    for mark, height in marks.items():
        for place in _crossings(x, y, height)[:2]:
            said += f", meets {mark} near {_say(place)}"
    return said


def _crossings(x: np.ndarray, y: np.ndarray, height: Real) -> list[Real]:
    above = y - height
    turns = np.flatnonzero((above[:-1] > 0) != (above[1:] > 0))
    share = above[turns] / (above[turns] - above[turns + 1])
    return [float(p) for p in x[turns] + share * (x[turns + 1] - x[turns])]


# -------------------------------------------------------------------------------- bars


def bars(
    values: Mapping[str, Point],
    *,
    ylabel: str,
    title: str,
    marks: Mapping[str, Real] | None = None,
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
        canvas, ax = _canvas(WIDTH, 34 * len(points) + 90 + 20 * bool(marks))
        _draw_bars(ax, points, marks)
        ax.set(xlabel=ylabel)
        ax.set_title(title, wrap=True)
    return _finish(canvas, _say_bars(points, ylabel, title, marks))


def _point(value: Point) -> tuple[Real, Real, Real]:
    if isinstance(value, tuple):
        middle, low, high = value
        return float(middle), float(low), float(high)
    return (float(value),) * 3


def _draw_bars(
    ax: Axes,
    points: Mapping[str, tuple[Real, Real, Real]],
    marks: Mapping[str, Real],
) -> None:
    for place, (value, low, high) in enumerate(points.values()):
        ax.barh(place, value, height=0.62, color=LINES[place % len(LINES)])
        if low != high:
            ax.plot([low, high], [place] * 2, color=INK, linewidth=1.5, marker="|")
        end = (max(value, high, 0), place)
        ax.annotate(_say(value), end, (5, 0), textcoords="offset points", va="center")
    for name, height in marks.items():
        ax.axvline(height, color=INK, linestyle=(0, (2, 3)), linewidth=1)
        place = {"textcoords": "offset points", "fontsize": 9, "va": "bottom"}
        ax.annotate(name, (height, -0.6), (4, 0), **place)
    ax.set_yticks(range(len(points)), list(points))
    ax.set_ylim(len(points) - 0.5, -0.5 - 0.6 * bool(marks))
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.12)


def _say_bars(
    points: Mapping[str, tuple[Real, Real, Real]],
    ylabel: str,
    title: str,
    marks: Mapping[str, Real],
) -> str:
    heights = [value for value, _, _ in points.values()]
    said = []
    for name, (value, low, high) in points.items():
        notes = [f"{_say(low)} to {_say(high)}"] if low != high else []
        if len(set(heights)) > 1 and value == max(heights):
            notes.append("largest")
        if len(set(heights)) > 1 and value == min(heights):
            notes.append("smallest")
        said.append(f"{name} {_say(value)}" + (f" ({', '.join(notes)})" * bool(notes)))
    parts = [f"Bar chart: {title}", f"{ylabel}: {'; '.join(said)}"]
    if marks:
        named = ", ".join(f"{name} {_say(height)}" for name, height in marks.items())
        parts.append(f"Marked: {named}")
    return _sentences(parts)


# ------------------------------------------------------------------ numbers and checks


def _array(values: Any) -> np.ndarray:
    if isinstance(values, Tensor):
        values = values.detach().cpu()
    return np.asarray(values, dtype=float)


def _label(token: Any) -> str:
    return str(token) if str(token).strip() else "␣"


def _check_labels(values: np.ndarray, rows: list[str], columns: list[str]) -> None:
    if values.shape != (len(rows), len(columns)):
        raise ValueError(
            f"the matrix has shape {values.shape}, but there are {len(rows)} row "
            f"labels and {len(columns)} column labels"
        )
    if 0 in values.shape:
        raise ValueError("the matrix has no cells")


def _marked(
    given: Tensor | None, values: np.ndarray, name: str, *, default: bool
) -> np.ndarray:
    if given is None:
        return np.full(values.shape, default)
    if tuple(given.shape) != values.shape:
        raise ValueError(
            f"the {name} has shape {tuple(given.shape)}, the matrix {values.shape}"
        )
    return given.cpu().numpy()


def _sentences(parts: list[str]) -> str:
    return " ".join(
        f"{part}{'' if part[-1] in '?!' else '.'}" for part in parts if part
    )


def _say(value: Real) -> str:
    value = float(value)
    if not np.isfinite(value):
        return _cell_text(value, 2)
    if value == 0 or (abs(value) > 0.5 and abs(value - round(value)) < 1e-6):
        return f"{value:.0f}".replace("-", "−")
    if abs(value) < 1e-4:
        return "≈0"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 20 else 2
    small = abs(value) < 0.005
    return (f"{value:.1g}" if small else f"{value:.{digits}f}").replace("-", "−")


def _digits(values: np.ndarray) -> int:
    finite = values[np.isfinite(values)]
    if (finite == np.round(finite)).all():
        return 0
    return 2 if np.abs(finite).max() < 10 else 1


def _cell_text(value: Real, digits: int) -> str:
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "+∞" if value > 0 else "−∞"
    return f"{value:.{digits}f}".replace("-", "−")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _readable_on(colour: str) -> str:
    """Black or white, whichever contrasts more (WCAG's relative luminance)."""
    share = np.array(matplotlib.colors.to_rgb(colour))
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return "#000000" if linear @ [0.2126, 0.7152, 0.0722] > 0.179 else "#ffffff"


# ------------------------------------------------------- from matplotlib's SVG to ours

SVG = "http://www.w3.org/2000/svg"
LINK = "{http://www.w3.org/1999/xlink}href"
# Alone, as JupyterLab shows it, a drawing is dark on white; in a page, as the page is
LOOK = "svg:root{background:#fff}"


def _canvas(width: Real, height: Real) -> tuple[Canvas, Axes]:
    canvas = Canvas(figsize=(width / 72, height / 72), layout="constrained")
    canvas.patch.set_visible(False)
    ax = canvas.add_subplot()
    ax.patch.set_visible(False)
    return canvas, ax


def _finish(canvas: Canvas, alt: str) -> Figure:
    drawn = io.StringIO()
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        # the reader's own font draws Korean; matplotlib need not have the glyphs
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
        canvas.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    return Figure(_compact(drawn.getvalue(), alt), alt)


def _compact(drawn: str, alt: str) -> str:
    """The same drawing, smaller, in the page's text colour, and named for all."""
    ET.register_namespace("", SVG)
    root = ET.fromstring(drawn)
    key = hashlib.sha256((drawn + alt).encode()).hexdigest()[:8]
    wanted = set(re.findall(r"#([\w-]+)", drawn))
    for element in root.iter():
        _slim(element, wanted, key)
    body = [e for part in root for e in _flatten(part) if not e.tag.endswith("data")]
    for child in list(root):
        root.remove(child)
    head = [ET.Element(f"{{{SVG}}}{tag}", {}) for tag in ("title", "desc", "style")]
    for element, text in zip(head, (alt.split(". ")[0], alt, LOOK), strict=True):
        element.text = text
        element.tail = "\n"
    head[0].set("id", f"t{key}")
    head[1].set("id", f"d{key}")
    root.extend(head + body)
    width, height = root.get("viewBox", "").split()[2:]
    root.attrib = {
        "class": "qkv-plot",
        "role": "img",
        "aria-labelledby": f"t{key}",
        "aria-describedby": f"d{key}",
        "width": width,
        "height": height,
        "viewBox": root.get("viewBox", ""),
        "color": "#1b1b1b",
        "font-family": "system-ui, sans-serif",
        "font-size": "11",
        "stroke-linejoin": "round",
    }
    return ET.tostring(root, encoding="unicode").replace(INK, "currentColor")


def _slim(element: ET.Element, wanted: set[str], key: str) -> None:
    attributes = element.attrib
    name = attributes.pop("id", None)
    if name in wanted:
        attributes["id"] = f"{name}-{key}"
    if LINK in attributes:
        attributes["href"] = f"{attributes.pop(LINK)}-{key}"
    for rule in attributes.pop("style", "").split(";"):
        prop, _, value = (part.strip() for part in rule.partition(":"))
        if prop and prop != "font-family" and (prop, value) != ("font-size", "11px"):
            attributes[prop] = value.removesuffix("px")
    for prop in ("clip-path", "fill", "stroke"):
        if attributes.get(prop, "").startswith("url(#"):
            attributes[prop] = f"{attributes[prop][:-1]}-{key})"
    if attributes.get("transform", "").startswith("rotate(-0 "):
        del attributes["transform"]
    if "d" in attributes:
        attributes["d"] = _short_path(attributes["d"])
    for prop in ("x", "y"):
        if prop in attributes:
            attributes[prop] = _short_number(attributes[prop])
    element.tail = "\n" if element.tag.endswith("}text") else None
    if not (element.text or "").strip():
        element.text = None


def _short_number(number: str) -> str:
    return f"{float(number):.2f}".rstrip("0").rstrip(".") or "0"


def _short_path(path: str) -> str:
    words = [
        word if word.isalpha() else _short_number(word) for word in path.strip().split()
    ]
    return _as_box(re.sub(r" ?([A-Za-z]) ?", r"\1", " ".join(words)))


def _as_box(path: str) -> str:
    """An upright rectangle by its corner and sides: half the bytes of its corners."""
    box = re.fullmatch(r"M(\S+) (\S+)L(\S+) \2L\3 (\S+)L\1 \4z", path)
    if not box:
        return path
    left, top, right, bottom = map(float, box.groups())
    across, down = _short_number(str(right - left)), _short_number(str(bottom - top))
    return f"M{box[1]} {box[2]}h{across}v{down}H{box[1]}z"


def _flatten(element: ET.Element) -> list[ET.Element]:
    """The children of every group that says nothing about them."""
    inner = [e for child in element for e in _flatten(child)]
    for child in list(element):
        element.remove(child)
    element.extend(inner)
    empty = element.tag.endswith(("}g", "}defs", "}style")) and not inner
    if empty:
        return []
    return inner if element.tag.endswith("}g") and not element.attrib else [element]
