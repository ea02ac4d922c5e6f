"""The softmax of one row in one pass, tile by tile, on numbers that can be edited."""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import torch
import traitlets
from torch import Tensor

from qkv._checks import one_of
from qkv.widgets.shared.attending import softmax
from qkv.widgets.shared.base import Widget, module
from qkv.widgets.shared.encode import listed
from qkv.widgets.shared.html import named, page, table

__all__ = ["OneRow"]

MOST_KEYS = 12
MOST = 1000  # the largest number that can be typed; the front end has the same
FACTOR = 60  # of scores that are large; online.js has the same
MAXIMA = ("running", "own", "none")

_FLOAT32 = torch.finfo(torch.float32)


@dataclass(frozen=True)
class Held:
    """What is held when a tile has been read."""

    maximum: float
    shrink: float
    total: float
    weighted: float
    output: float


def read(
    scores: Tensor,
    values: Tensor,
    tile: int,
    *,
    maximum: str = "running",
    rescale: bool = True,
) -> list[Held]:
    """Read a row tile by tile, rightly or in one of the ways that go wrong.

    The digits are float64's and the range is float32's: what that cannot hold is an
    infinity, or zero. A score of minus infinity is a key that is not looked at.

    Examples
    --------
    >>> last = read(torch.tensor([1.0, 3.0, 5.0]), torch.tensor([0.0, 0.0, 8.0]), 2)[-1]
    >>> last.maximum, round(last.shrink, 3), round(last.output, 3)
    (5.0, 0.135, 6.935)
    """
    scores, values = scores.double(), values.double()
    top = torch.tensor(0.0 if maximum == "none" else -math.inf).double()
    total = weighted = torch.zeros(()).double()
    tiles = []
    for s, v in zip(scores.split(tile), values.split(tile), strict=True):
        new = {"running": torch.maximum(top, s.max()), "own": s.max(), "none": top}
        old, top = top, new[maximum]
        shrink = _fit((old - top).exp()) if old != top else torch.ones(()).double()
        p = _fit((s - top).exp()).where(s > -math.inf, 0.0)
        kept = shrink if rescale else 1.0
        total = _fit(_fit(total * kept) + _fit(p.sum()))
        weighted = _fit(_fit(weighted * kept) + _fit(_fit(p * v).sum()))
        output = weighted / total
        if scores[: len(tiles) * tile + len(s)].isneginf().all():
            output = torch.zeros(())
        tiles.append(Held(*map(float, (top, shrink, total, weighted, output))))
    return tiles


def _fit(x: Tensor) -> Tensor:
    """Return numbers as float32 has room for them."""
    x = torch.where(x.abs() > _FLOAT32.max, x.sign() * math.inf, x)
    return torch.where(x.abs() < _FLOAT32.smallest_normal * _FLOAT32.eps, 0.0, x)


class OneRow(Widget):
    r"""The softmax of one row in one pass: what is held after each tile.

    .. math:: m' = \max(m, \max_j s_j), \qquad
              \ell' = \ell e^{m - m'} + \sum_j e^{s_j - m'}, \qquad
              a' = a e^{m - m'} + \sum_j e^{s_j - m'} v_j

    The scores of one query, and a number as the value of each key, are read tile by
    tile; after the last the output is :math:`a / \ell`. A reader types over the
    numbers, hides keys, chooses the size of the tiles, and takes parts of the method
    away: the rescaling of what is held, the running maximum. Scores times 60 show what
    the maximum is for. Beside each output stands what the text-book, which holds all
    scores at once, says of the same keys.

    Parameters
    ----------
    scores : "key", 2 to 12 numbers from -1000 to 1000, a tensor or a list; minus
        infinity for a key that may not be attended to.
    values : "key", as many numbers from -1000 to 1000.
    tile : how many scores are read at once.

    Raises
    ------
    ValueError
        If there are too few or too many scores, another number of values, a number that
        cannot be edited, or a tile, a step or a maximum that is none.

    Notes
    -----
    Milakov and Gimelshein (2018), algorithm 3; Dao et al. (2022), section 3.1. The
    traits follow the reader: ``step`` is the tile, from 0; ``maximum`` is
    ``"running"``, ``"own"`` (each tile's) or ``"none"``; ``rescale`` and ``large`` (×
    60) are on or off; ``scores``, ``values`` and ``seen`` are the numbers, kept to four
    significant digits. The page counts with float64's digits and float32's range.

    Examples
    --------
    >>> OneRow([1, 3, 5], [0, 0, 8], tile=2)
    The softmax of one row of 3 scores in one pass: 2 tiles of up to 2, whose numbers can be edited. The maximum is 3, 5; what was held is multiplied by 0.1353. The output is 6.935, as the text-book says.
    """  # noqa: E501

    _esm = module("one_row")
    scores = traitlets.List().tag(sync=True)
    values = traitlets.List().tag(sync=True)
    seen = traitlets.List().tag(sync=True)
    given = traitlets.Dict().tag(sync=True)
    tile = traitlets.Int(2).tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    maximum = traitlets.Unicode("running").tag(sync=True)
    rescale = traitlets.Bool(True).tag(sync=True)
    large = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        scores: Tensor | Sequence[float | int],
        values: Tensor | Sequence[float | int],
        *,
        tile: int = 2,
    ):
        row, seen = _scores(scores)
        given = {"scores": row, "values": _values(values, len(row)), "seen": seen}
        _tile(tile, len(row))
        super().__init__(**given, given=given, tile=tile)
        self._say()

    @traitlets.validate("scores", "values", "seen")
    def _length_stays(self, proposal: Any) -> list[float | int]:
        name, row = proposal["trait"].name, proposal["value"]
        if (wanted := len(self.given.get("scores", row))) != len(row):
            raise ValueError(
                f"{name} is a list of {wanted} numbers, one a key, not of {len(row)}; "
                "make a new OneRow for another length"
            )
        return row

    @traitlets.validate("tile", "step", "maximum")
    def _one_that_there_is(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        if name == "maximum":
            one_of("maximum", value, MAXIMA, who="there are")
        elif self.scores and name == "tile":
            _tile(value, len(self.scores))
        elif self.scores and not 0 <= value <= self._last():
            raise ValueError(
                f"step is {value}, but the tiles are counted from 0 to {self._last()}"
            )
        return value

    @traitlets.observe(
        "scores", "values", "seen", "tile", "maximum", "rescale", "large"
    )
    def _say(self, _: Any = None) -> None:
        """Say what the numbers give now."""
        if not self.given:
            return  # Not all traits are there yet.
        self.step = min(self.step, self._last())
        tiles = self._tiles()
        count = "1 tile" if len(tiles) == 1 else f"{len(tiles)} tiles"
        self.alt = (
            f"The softmax of one row of {len(self.scores)} scores in one pass: {count} "
            f"of up to {self.tile}, whose numbers can be edited. {self._way(tiles)} "
            f"{self._end(tiles[-1].output)}"
        )

    def _last(self) -> int:
        """Return the number of the last tile, from 0."""
        return math.ceil(len(self.scores) / self.tile) - 1

    def _row(self) -> Tensor:
        scores = torch.tensor(self.scores, dtype=torch.float64)
        scores = scores * (FACTOR if self.large else 1)
        return scores.masked_fill(~torch.tensor(self.seen).bool(), -math.inf)

    def _tiles(self) -> list[Held]:
        values = torch.tensor(self.values, dtype=torch.float64)
        how = {"maximum": self.maximum, "rescale": self.rescale}
        return read(self._row(), values, self.tile, **how)

    def _book(self) -> list[float]:
        """Return what the text-book says of the keys up to the end of each tile."""
        ends = range(self.tile, len(self.scores) + self.tile, self.tile)
        values = torch.tensor(self.values, dtype=torch.float64)
        row = self._row()
        return [float(softmax(row[:to]) @ values[:to]) for to in ends]

    def _way(self, tiles: list[Held]) -> str:
        if self.maximum == "none":
            return "No maximum is subtracted."
        name = "maximum" if self.maximum == "running" else "tile's own maximum"
        goes = f"The {name} is {', '.join(_said(t.maximum) for t in tiles)}"
        if not self.rescale:
            return f"{goes}; what was held is not rescaled."
        shrinks = ", ".join(_said(t.shrink) for t in tiles[1:])
        return f"{goes}; what was held is multiplied by {shrinks or 'nothing'}."

    def _end(self, output: float) -> str:
        book = self._book()[-1]
        if math.isclose(output, book, rel_tol=1e-9, abs_tol=1e-9):
            return f"The output is {_said(output)}, as the text-book says."
        return f"The output is {_said(output)}, but the text-book says {_said(book)}."

    def fallback(self) -> str:
        """Return the row, and what is held after each tile, as two tables."""
        values = torch.tensor(self.values, dtype=torch.float64)
        row = listed(torch.stack([self._row(), values]))
        held = [
            [*astuple(tile), book]
            for tile, book in zip(self._tiles(), self._book(), strict=True)
        ]
        names = ("maximum", "shrink", "sum", "weighted sum", "output", "text-book")
        limit = max(1.0, *(abs(x) for part in row for x in part if x != "-inf"))
        return page(
            self.alt,
            table(
                row,
                ["score", "value"],
                [named(f"key {j + 1}") for j in range(len(values))],
                scale="diverging",
                limit=limit,
            ),
            table(
                listed(torch.tensor(held, dtype=torch.float64)),
                [named(f"tile {i + 1}") for i in range(len(held))],
                list(map(named, names)),
                scale="diverging",
                limit=limit,
            ),
        )


def _said(x: float) -> str:
    """Return a number in a sentence, as the front end says it."""
    if not math.isfinite(x):
        return "NaN" if math.isnan(x) else "+∞" if x > 0 else "−∞"
    return f"{x:.4g}".replace("-", "−")


def _axis(name: str, numbers: Any) -> Tensor:
    row = torch.as_tensor(numbers, dtype=torch.float64).detach().cpu()
    if row.ndim != 1:
        raise ValueError(
            f"{name} has shape {tuple(row.shape)}, but it is of one row: 'key'; choose "
            "one query of one head"
        )
    return row


def _scores(scores: Any) -> tuple[list[float | int], list[int]]:
    """Return scores that can be edited, and which keys may be attended to."""
    row = _axis("scores", scores)
    if not 2 <= len(row) <= MOST_KEYS:
        raise ValueError(f"a OneRow reads 2 to {MOST_KEYS} scores, not {len(row)}")
    seen = ~row.isneginf()
    _editable("scores", row[seen], ", or -inf for a key that may not be attended to")
    return listed(row.masked_fill(~seen, 0.0)), seen.int().tolist()


def _values(values: Any, keys: int) -> list[float | int]:
    row = _axis("values", values)
    if len(row) != keys:
        raise ValueError(
            f"values has {len(row)} numbers, but there are {keys} scores; give one "
            "number for each key"
        )
    _editable("values", row)
    return listed(row)


def _editable(name: str, row: Tensor, also: str = "") -> None:
    if not (row.abs() <= MOST).all():
        worst = float(row[~(row.abs() <= MOST)][0])
        raise ValueError(
            f"{name} holds {worst:g}; what can be edited is -{MOST} to {MOST}{also}"
        )


def _tile(tile: int, keys: int) -> None:
    if not 1 <= tile <= keys:
        raise ValueError(
            f"tile = {tile}, but a tile of this row has 1 to {keys} scores"
        )
