"""Heat maps: a matrix as coloured cells."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from jaxtyping import Bool, Num
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from torch import Tensor

from qkv._colours import readable_on
from qkv.plot.alt_text import say_heatmap
from qkv.plot.figure import Figure
from qkv.plot.numbers import Number, array, cell_text, digits_of, say
from qkv.plot.style import INK, STYLE, WIDTH, canvas_of
from qkv.plot.svg import finish

__all__ = ["heatmap"]


def heatmap(
    matrix: Num[Tensor, "row column"] | Sequence[Sequence[Number]] | np.ndarray,
    *,
    rows: Sequence[Any],
    columns: Sequence[Any],
    title: str,
    axes: tuple[str, str] = ("row", "column"),
    outline: Bool[Tensor, "row column"] | None = None,
    mask: Bool[Tensor, "row column"] | None = None,
    limits: tuple[Number, Number] | None = None,
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
    values = array(matrix)
    rows, columns = list(map(_label, rows)), list(map(_label, columns))
    _check_labels(values, rows, columns)
    allowed = _marked(mask, values, "mask", default=True)
    framed = _marked(outline, values, "outline", default=False)
    scale = _Scale.of(values[allowed], limits)
    side = _cell_side(values.shape[1])
    with matplotlib.rc_context(STYLE):
        canvas, ax = canvas_of(WIDTH, side * len(rows) + 100)
        _draw_cells(ax, values, allowed, scale, room=side >= 30)
        _draw_frames(ax, framed)
        _label_cells(ax, rows, columns, axes, title)
        _draw_key(ax, scale, *values.shape, box=24 / side)
    return finish(
        canvas, say_heatmap(values, (rows, columns), title, axes, allowed, framed)
    )


@dataclass(frozen=True)
class _Scale:
    """From a value to its colour."""

    low: float
    high: float
    colours: Any

    @classmethod
    def of(cls, values: np.ndarray, limits: tuple[Number, Number] | None) -> "_Scale":
        finite = values[np.isfinite(values)]
        least, most = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
        if limits is None and least < 0:
            limits = (-max(-least, most), max(-least, most))
        elif limits is None:
            limits = (0.0, 1.0 if most <= 1 else most)
        name = "PuOr" if limits[0] < 0 else "cividis"
        return cls(float(limits[0]), float(limits[1]), matplotlib.colormaps[name])

    def __call__(self, value: float) -> str:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return matplotlib.colors.to_hex(self.colours(min(max(share, 0.0), 1.0)))

    def text_on(self, value: float) -> str:
        return readable_on(matplotlib.colors.to_rgb(self(value)))


def _cell_side(columns: int) -> float:
    return min(44.0, (WIDTH - 150) / max(columns, 1))


def _draw_cells(
    ax: Axes, values: np.ndarray, allowed: np.ndarray, scale: _Scale, room: bool
) -> None:
    digits = digits_of(values)
    for (row, column), value in np.ndenumerate(values):
        look = _cell_look(value, bool(allowed[row, column]), scale)
        ax.add_patch(Rectangle((column, row), 1, 1, clip_on=False, **look))
        if allowed[row, column] and (room or not np.isfinite(value)):
            colour = scale.text_on(value) if np.isfinite(value) else INK
            text, middle = cell_text(value, digits), {"ha": "center", "va": "center"}
            ax.text(column + 0.5, row + 0.5, text, color=colour, fontsize=9, **middle)


def _cell_look(value: float, allowed: bool, scale: _Scale) -> dict[str, Any]:
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


def _draw_key(ax: Axes, scale: _Scale, rows: int, columns: int, box: float) -> None:
    """The colour scale as five boxes beside the matrix; ``box`` is a side in cells."""
    left, height = columns + box, min(box, rows / 5)
    for place, share in enumerate((1, 0.75, 0.5, 0.25, 0)):
        value, top = scale.low + share * (scale.high - scale.low), place * height
        look = {"facecolor": scale(value), "linewidth": 0, "clip_on": False}
        ax.add_patch(Rectangle((left, top), box * 0.7, height, **look))
        middle = top + height / 2
        ax.text(left + box, middle, say(value), fontsize=8, va="center")
    ax.set(xlim=(0, columns), ylim=(rows, 0), aspect="equal", anchor="W")
    ax.spines[:].set_visible(False)


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
