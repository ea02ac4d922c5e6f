"""Tensors as nested lists for a widget's front end, rounded.

A number has four significant digits. What is not finite is a word, ``"nan"``, ``"inf"``
or ``"-inf"``; ``None`` is a cell that may not be attended to.
"""

import math
import re
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from qkv.widgets.shared.tex import mathml

LIMIT = 64
"""The most positions of an axis that are shown; a note says what is cut off."""

_RICH = re.compile(r"`([^`]+)`|\$([^$]+)\$")


def number(value: float, digits: int = 4) -> float | int | str:
    """Return a number for the front end.

    Examples
    --------
    >>> number(2 / 3), number(3.0), number(float("-inf"))
    (0.6667, 3, '-inf')
    """
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return rounded(value, digits)


def rounded(value: float, digits: int = 4) -> float | int:
    """Return a finite number with that many significant digits, whole if it is whole.

    Examples
    --------
    >>> rounded(2 / 3), rounded(3.0)
    (0.6667, 3)
    """
    short = float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 1e6 else short


def listed(value: Tensor, digits: int = 4) -> Any:
    """Return a tensor as nested lists of :func:`number`."""

    def walk(part: Any) -> Any:
        if isinstance(part, list):
            return [walk(inner) for inner in part]
        return number(part, digits)

    return walk(value.double().tolist())


def crop(
    value: Tensor, axes: Sequence[str], limits: Sequence[int]
) -> tuple[Tensor, str]:
    """Cut each axis to its limit and return the note that says so, or "".

    Examples
    --------
    >>> import torch
    >>> crop(torch.zeros(3, 5), ("query", "key"), (4, 4))[1]
    'Cropped: the first 4 of 5 key positions are shown.'
    """
    cut = [
        f"the first {limit} of {size} {axis} positions"
        for axis, size, limit in zip(axes, value.shape, limits, strict=True)
        if size > limit
    ]
    shown = value[tuple(slice(limit) for limit in limits)]
    return shown, f"Cropped: {' and '.join(cut)} are shown." if cut else ""


def visible(token: str) -> str:
    """Return a token as it is drawn: a blank has a sign of its own.

    Examples
    --------
    >>> visible("a b"), visible("")
    ('a␣b', '∅')
    """
    signs = {" ": "␣", "\n": "⏎", "\t": "⇥"}
    return "".join(signs.get(letter, letter) for letter in token) or "∅"


def segments(text: str) -> list[dict[str, str]]:
    """Cut text into plain parts, ``code`` in backticks and formulas between dollars.

    A formula that :func:`~qkv.widgets.shared.tex.mathml` can't draw stays as it is.

    Examples
    --------
    >>> segments("Is `h` large?")
    [{'text': 'Is '}, {'code': 'h'}, {'text': ' large?'}]
    """
    parts, at = [], 0
    for found in _RICH.finditer(text):
        parts.append({"text": text[at : found.start()]})
        parts.append(_special(found))
        at = found.end()
    parts.append({"text": text[at:]})
    return [part for part in parts if part.get("text", "-")]


def _special(found: re.Match) -> dict[str, str]:
    if found[1]:
        return {"code": found[1]}
    try:
        inline = mathml(found[2]).replace(' display="block"', "", 1)
    except ValueError:
        return {"code": found[2]}
    return {"math": inline, "plain": found[2]}
