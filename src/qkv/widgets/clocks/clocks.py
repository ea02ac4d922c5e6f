"""Positions: clock hands, and what distance does to three schemes."""

import math
from typing import Any

import torch
import traitlets
from torch import Tensor

from qkv.widgets.shared.base import Widget, module
from qkv.widgets.shared.html import named, page, table

__all__ = ["Positions"]

_BASE = 10_000.0
_BACK = 3  # the distance that the rotary example is tuned to
_ROWS = 8


class Positions(Widget):
    r"""Sinusoidal positions as clock hands; how three schemes see a distance.

    Each pair :math:`(\sin p\theta_i, \cos p\theta_i)` with
    :math:`\theta_i = 10000^{-2i/d_\mathrm{model}}` is the tip of a clock's hand. From
    position :math:`p` to :math:`p+k` it turns by :math:`k\theta_i`, whatever :math:`p`.
    Beside them stand the four words AA, AB, BA and BB, put through attention with and
    without positions: without, AB and BA are the same.

    Parameters
    ----------
    d_model : numbers in an encoding, two for each clock.
    length : how many positions and distances can be chosen.
    trained : the length that a model was trained on; what lies beyond is shaded.
    heads : heads of the ALiBi example, with the slopes :math:`2^{-8h/\text{heads}}`.

    Raises
    ------
    ValueError
        If ``d_model`` is odd, or a size is out of range.

    Notes
    -----
    ``position`` and ``offset`` are what the sliders choose. The rotary example is the
    score of one fixed query and key that fit best at a distance of 3.

    Examples
    --------
    >>> Positions(4, 16, trained=8, heads=2)
    Positions as 2 clock hands: the fastest turns by 1 rad a position, the slowest by 0.01. From position 5 to 12, by 7, they turn by 7 to 0.07 rad, whatever the first position. PE(p)·PE(p+7) is 1.75, and 2.00 at distance 0. The rotary score is highest at distance 3. ALiBi takes 0.0625 to 0.0039 times the distance off. Distances of 8 or more are beyond training. Of the words AA, AB, BA and BB attention without positions gives AB and BA the same sum; with positions 5 and 12 they are 0.43 apart.
    """  # noqa: E501

    _esm = module("clocks")
    d_model = traitlets.Int().tag(sync=True)
    length = traitlets.Int().tag(sync=True)
    trained = traitlets.Int().tag(sync=True)
    heads = traitlets.Int().tag(sync=True)
    back = traitlets.Int().tag(sync=True)
    base = traitlets.Float().tag(sync=True)
    position = traitlets.Int().tag(sync=True)
    offset = traitlets.Int().tag(sync=True)

    def __init__(
        self, d_model: int = 16, length: int = 64, *, trained: int = 32, heads: int = 8
    ):
        _check(d_model, length, trained, heads)
        back = min(_BACK, length - 1)
        super().__init__(
            d_model=d_model,
            length=length,
            trained=trained,
            heads=heads,
            back=back,
            base=_BASE,
            position=min(5, length - 1),
            offset=min(7, length - 1),
        )
        self._say()

    @traitlets.observe("position", "offset")
    def _say(self, _: Any = None) -> None:
        self.alt = self._sentence(self.position, self.offset)

    def _sentence(self, position: int, offset: int) -> str:
        thetas, slopes = _thetas(self.d_model), _slopes(self.heads)
        fast, slow = thetas[0], thetas[-1]
        steep, flat = f"{slopes[0]:.4g}", f"{slopes[-1]:.2g}"
        count = "1 clock hand" if len(thetas) == 1 else f"{len(thetas)} clock hands"
        said = [
            f"Positions as {count}: the fastest turns by {fast:g} rad a position, the "
            f"slowest by {slow:.2g}.",
            f"From position {position} to {position + offset}, by {offset}, they turn "
            f"by {offset * fast:.3g} to {offset * slow:.2g} rad, whatever the first "
            "position.",
            f"PE(p)·PE(p+{offset}) is {_similar(thetas, offset):.2f}, and "
            f"{len(thetas):.2f} at distance 0.",
            f"The rotary score is highest at distance {self.back}.",
            f"ALiBi takes {steep} times the distance off."
            if self.heads == 1
            else f"ALiBi takes {steep} to {flat} times the distance off.",
        ]
        if self.trained < self.length:
            said += [f"Distances of {self.trained} or more are beyond training."]
        far = _apart(thetas, position, offset)
        said += [
            "Of the words AA, AB, BA and BB attention without positions gives AB and "
            f"BA the same sum; with positions {position} and {position + offset} they "
            f"are {far:.2f} apart."
        ]
        return " ".join(said)

    def fallback(self) -> str:
        """Return the first encodings, and what some distances do, as tables."""
        thetas, slopes = _thetas(self.d_model), _slopes(self.heads)
        rows = [
            [f(p * theta) for theta in thetas for f in (math.sin, math.cos)]
            for p in range(min(_ROWS, self.length))
        ]
        first = table(
            rows,
            [named(f"position {p}") for p in range(len(rows))],
            [str(i) for i in range(self.d_model)],
            scale="diverging",
        )
        far = sorted({k for k in (0, 1, 2, 3, 4, 8, 16, 32, 64) if k < self.length})
        schemes = [
            [_similar(thetas, k) for k in far],
            [_similar(thetas, k - self.back) for k in far],
            *([-m * k for k in far] for m in (slopes[0], slopes[-1])),
        ]
        names = ["PE(p)·PE(p+k)", "rotary score", "ALiBi, head 1"]
        names.append(f"ALiBi, head {self.heads}")
        second = table(
            schemes,
            list(map(named, names)),
            [named(f"k = {k}") for k in far],
            scale="diverging",
            limit=float(len(thetas)),
        )
        return page(self.alt, first, second)


def _check(d_model: int, length: int, trained: int, heads: int) -> None:
    if d_model % 2:
        raise ValueError(
            f"d_model={d_model} is odd: each frequency takes two numbers, a sine and a "
            "cosine"
        )
    sizes = {"d_model": d_model, "length": length, "trained": trained, "heads": heads}
    bounds = {"d_model": (2, 64), "length": (2, 512), "heads": (1, 32)}
    bounds["trained"] = (1, 10_000)
    for name, size in sizes.items():
        low, high = bounds[name]
        if not low <= size <= high:
            raise ValueError(f"{name}={size}: the widget shows {low} to {high}")


def _thetas(d_model: int) -> list[float]:
    return [_BASE ** (-i / d_model) for i in range(0, d_model, 2)]


def _letters(width: int) -> dict[str, Tensor]:
    """Return the vectors of the two letters, as the front end has them."""
    i = torch.arange(width, dtype=torch.float64)
    return {"A": (1 + 2 * i).cos(), "B": (1 + 3 * i).sin()}


def _summed(word: str, thetas: list[float], places: tuple[int, int] | None) -> Tensor:
    """Return the sum over two tokens that are queries, keys and values at once."""
    letters = _letters(2 * len(thetas))
    x = torch.stack([letters[letter] for letter in word])
    if places is not None:
        turns = torch.tensor(places)[:, None] * torch.tensor(thetas).double()
        x = x + torch.stack([turns.sin(), turns.cos()], -1).flatten(1)
    weights = (x @ x.mT / x.shape[-1] ** 0.5).softmax(-1)
    return (weights @ x).sum(0)


def _apart(thetas: list[float], position: int, offset: int) -> float:
    """Return how far AB and BA are apart, with positions."""
    places = position, position + offset
    one, other = (_summed(word, thetas, places) for word in ("AB", "BA"))
    return float((one - other).norm())


def _slopes(heads: int) -> list[float]:
    return [2 ** (-8 * h / heads) for h in range(1, heads + 1)]


def _similar(thetas: list[float], offset: int) -> float:
    """Return the dot product of the encodings of two positions `offset` apart."""
    return sum(math.cos(offset * theta) for theta in thetas)
