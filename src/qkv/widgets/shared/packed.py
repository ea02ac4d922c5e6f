"""Tensors in few bytes: two a number, none for what can be computed from others.

A packed tensor is kept as whole numbers of a ``grain``, two letters each, and what the
front end can compute from others it is told how to: ``of: ["sum", "a", "b"]``. The
recipe is stored only where it gives the right numbers, from the packed ones.
"""

import math
import string
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

LEVELS = 2_044
"""The most grains of a packed number: two letters are 12 bits, and marks take a few."""

_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
_MIDDLE = 2_048
_MARKS = {"nan": 2_046, "inf": 2_045, "-inf": -2_045}
_MASKED = -2_048
_SHARES = (2_000, 2_040)  # of the largest: brightness in sixteenths, or 255 steps
_TOLERANCE = 1e-3
_EPSILON = 1e-5


def _average(weights: Tensor, values: Tensor) -> Tensor:
    return weights.nan_to_num() @ values


def _hide(scores: Tensor, may: Tensor) -> Tensor:
    return scores.masked_fill(may == 0, -torch.inf)


def _weigh(masked: Tensor) -> Tensor:
    return masked.softmax(-1).nan_to_num()


def _variance(x: Tensor) -> Tensor:
    return x.var(-1, correction=0, keepdim=True)


def _normal(x: Tensor) -> Tensor:
    return (x - x.mean(-1, keepdim=True)) / (_variance(x) + _EPSILON).sqrt()


RECIPES: dict[str, Callable[..., Tensor]] = {
    "same": lambda x: x,
    "sum": torch.add,
    "relu": lambda x: x.clamp(min=0),
    "mean": lambda x: x.mean(-1, keepdim=True),
    "variance": _variance,
    "normal": _normal,
    "scale": lambda x, gain, shift: gain * x + shift,
    "times": lambda x, factor: x * factor,
    "compare": lambda queries, keys: queries @ keys.mT,
    "hide": _hide,
    "weigh": _weigh,
    "average": _average,
    "merge": lambda x: x.transpose(-3, -2).flatten(-2),
}


def packed(value: Tensor, hidden: Tensor | None = None) -> tuple[dict, Tensor]:
    """Return a tensor as the front end reads it, and the numbers that it will read.

    ``hidden`` is True where a cell may not be attended to; it is read as NaN here and as
    ``null`` in the front end.

    Examples
    --------
    >>> packed(torch.tensor([0.5, -2.0]))
    ({'size': [2], 'grain': 0.001, 'data': 'n0Aw'}, tensor([ 0.5000, -2.0000], dtype=torch.float64))
    """  # noqa: E501
    value = value.double()
    grain = _grain(value[value.isfinite()])
    levels = (value / grain).round().nan_to_num(0, 0, 0).int()
    read = torch.where(value.isfinite(), levels.double() * grain, value)
    for name, mark in _MARKS.items():
        levels[value.isnan() if name == "nan" else value == float(name)] = mark
    if hidden is not None:
        levels[hidden] = _MASKED
        read = read.masked_fill(hidden, torch.nan)
    pairs = (divmod(x + _MIDDLE, 64) for x in levels.flatten().tolist())
    data = "".join(_LETTERS[high] + _LETTERS[low] for high, low in pairs)
    return {"size": list(value.shape), "grain": grain, "data": data}, read


def _grain(numbers: Tensor) -> float:
    """Return the step from one packed number to the next.

    An odd share of .01 where the largest allows it: a number halfway between two that
    are read the same in two decimals is then halfway between two packed ones as well,
    so that packing changes no decimal that is shown.
    """
    limit = float(numbers.abs().max()) if numbers.numel() else 0.0
    if limit == 0:
        return 1.0
    for shares in _SHARES:
        parts = numbers / limit * shares
        if torch.allclose(parts, parts.round(), rtol=0, atol=1e-4):
            return limit / shares
    share = math.floor(0.01 * LEVELS / limit)
    return 0.01 / (share - 1 + share % 2) if share else limit / LEVELS


class Store:
    """Tensors by name, for the front end; each only once and as short as can be."""

    def __init__(self) -> None:
        self.entries: dict[str, dict[str, Any]] = {}
        self._read: dict[str, Tensor] = {}
        self._first: dict[str, str] = {}

    def put(
        self,
        name: str,
        value: Tensor,
        recipe: tuple[Any, ...] = (),
        hidden: Tensor | None = None,
    ) -> None:
        """Keep a tensor, by its recipe if that gives the same numbers."""
        if recipe and (read := self._made(recipe)) is not None and _near(read, value):
            entry = {"size": list(value.shape), "of": list(recipe)}
        else:
            entry, read = packed(value, hidden)
            first = self._first.setdefault(entry["data"], name)
            if first != name and self.entries[first] == entry:
                entry = {"size": entry["size"], "of": ["same", first]}
        self.entries[name], self._read[name] = entry, read

    def _made(self, recipe: tuple[Any, ...]) -> Tensor | None:
        what, *given = recipe
        values = [self._read.get(x) if isinstance(x, str) else x for x in given]
        if any(x is None for x in values):
            return None
        try:
            return RECIPES[what](*values)
        except RuntimeError:  # what was cropped fits nothing any more
            return None


def _near(made: Tensor, value: Tensor) -> bool:
    value = value.double()
    if made.shape != value.shape:
        return False
    finite = value[value.isfinite()]
    limit = float(finite.abs().max()) if finite.numel() else 0.0
    return torch.allclose(made, value, rtol=0, atol=_TOLERANCE * limit)


def sizes(parameters: Mapping[str, Any]) -> dict[str, int]:
    """Return how many numbers each parameter has; a tensor named twice counts once.

    Examples
    --------
    >>> table = torch.zeros(7, 3)
    >>> sizes({"embedding": table, "output": table, "bias": (7,), "rest": 5})
    {'embedding': 21, 'output': 0, 'bias': 7, 'rest': 5}
    """
    seen: set[tuple] = set()
    counts = {}
    for name, given in parameters.items():
        if isinstance(given, Tensor):
            key = (given.data_ptr(), tuple(given.shape))
            counts[name] = 0 if key in seen and given.numel() else given.numel()
            seen.add(key)
        elif isinstance(given, int):
            counts[name] = given
        else:
            counts[name] = int(torch.Size(given).numel())
    return counts
