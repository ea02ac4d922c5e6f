"""What is wrong with one result: its type, its shape in axis words, or its values."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qkv.checking import messages
from qkv.checking.annotations import axis_names
from qkv.checking.comparing import as_float, close, is_number, is_plain

FIXED, MOST = 4, 17  # decimals as a rule, and the digits that any two floats differ in


def bad_type(got: Any, want: Any, axes: str) -> str:
    """Say which type was returned in place of which, or nothing."""
    if isinstance(got, Tensor) and not is_plain(got):
        nested = messages.WANTED_PLAIN
        return nested if got.is_nested else _of_dtype(messages.WANTED_REAL, got)
    if is_number(want):
        right = is_number(got) or isinstance(got, Tensor)
        return "" if right else messages.WANTED_NUMBER.format(kind=kind(got))
    if isinstance(want, Tensor):
        return _no_such_tensor(got, want, axes)
    accepted = (list, tuple) if isinstance(want, (list, tuple)) else type(want)
    if isinstance(got, accepted):
        return ""
    return messages.WANTED_KIND.format(kind=kind(got), wanted=kind(want))


def bad_shape(got: Any, want: Any, axes: str, sizes: Mapping[int, str]) -> str:
    """Say which axes were returned in place of which, or nothing."""
    if not isinstance(got, Tensor) or got.shape == torch.as_tensor(want).shape:
        return ""
    given = _listed([f"{sizes.get(n, '')} {n}".strip() for n in got.shape])
    if is_number(want):
        return messages.WANTED_NO_AXES.format(given=given)
    named = zip(axis_names(axes, want.ndim), want.shape, strict=True)
    reordered = sorted(got.shape) == sorted(want.shape)
    message = messages.WANTED_ORDER if reordered else messages.WANTED_AXES
    return message.format(given=given, wanted=_listed([f"{a} {n}" for a, n in named]))


def bad_values(got: Any, want: Any, axes: str, tolerance: float) -> str:
    """Say where a result is furthest off, or nothing."""
    if close(got, want, tolerance):
        return ""
    if is_number(want):
        value, wanted = _told_apart(got, want)
        return messages.OTHER_VALUE.format(value=value, wanted=wanted)
    if isinstance(want, Tensor):
        return _of_another_kind(got, want, _furthest_off(got, want, axes, tolerance))
    if not isinstance(want, (list, tuple)):
        return messages.OTHER_VALUE.format(value=repr(got), wanted=repr(want))
    if len(got) != len(want):  # of a list no shape: how many there are is its value
        return messages.WANTED_ITEMS.format(count=len(got), wanted=len(want))
    pairs = enumerate(zip(got, want, strict=True))
    place = next(n for n, (g, w) in pairs if not close(g, w, tolerance))
    value, wanted = repr(got[place]), repr(want[place])
    return messages.OTHER_ITEM.format(place=place, value=value, wanted=wanted)


def kind(value: Any) -> str:
    """What a value is, in words."""
    if isinstance(value, Tensor):
        return messages.A_TENSOR
    name = type(value).__name__
    if isinstance(value, (tuple, list)):
        return messages.A_SEQUENCE.format(type=name, length=len(value))
    return messages.A_VALUE.format(type=name)


def _no_such_tensor(got: Any, want: Tensor, axes: str) -> str:
    if not isinstance(got, Tensor):
        named = _listed(axis_names(axes, want.ndim))
        return messages.WANTED_TENSOR.format(kind=kind(got), axes=named)
    if want.dtype == torch.bool != got.dtype:
        return _of_dtype(messages.WANTED_BOOLEAN, got)
    if got.is_floating_point() and not want.is_floating_point():
        return _of_dtype(messages.WANTED_WHOLE, got)
    return ""


def _furthest_off(got: Tensor, want: Tensor, axes: str, tolerance: float) -> str:
    off = (got.double() - want.double()).abs()
    wrong = ~(off <= tolerance * (1 + want.double().abs()))
    worst = np.unravel_index(int(off.nan_to_num(torch.inf).argmax()), off.shape)
    place = zip(axis_names(axes, want.ndim), worst, strict=True)
    value, wanted = _told_apart(got[worst], want[worst])
    return messages.OFF.format(
        count=int(wrong.sum()),
        total=wrong.numel(),
        place=_listed([f"{axis} {n}" for axis, n in place]),
        value=value,
        wanted=wanted,
    )


def _of_another_kind(got: Tensor, want: Tensor, fault: str) -> str:
    """The fault, and the dtype where it may be the cause."""
    if not want.is_floating_point() or got.dtype in (torch.float32, torch.float64):
        return fault
    return _of_dtype(messages.OF_ANOTHER_DTYPE, got, fault=fault)


def _of_dtype(message: str, tensor: Tensor, **told: str) -> str:
    return message.format(dtype=str(tensor.dtype).removeprefix("torch."), **told)


def _listed(items: list[str]) -> str:
    return ", ".join(items)


def _told_apart(got: Any, want: Any) -> tuple[str, str]:
    """The two numbers, with as many decimals as it takes to see that they differ."""
    one, other = _number(got), _number(want)
    for digits in range(FIXED + 1, MOST + 1):
        if one != other:
            break
        one, other = (f"{as_float(v):.{digits}g}" for v in (got, want))
    return one, other


def _number(value: Any) -> str:
    if isinstance(value, Tensor) and value.dtype == torch.bool:
        return str(bool(value))
    number = as_float(value) + 0.0  # no −0
    if number != number:
        return "NaN"
    return f"{number:.0f}" if number.is_integer() else f"{number:.{FIXED}f}"
