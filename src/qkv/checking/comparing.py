"""Whether two results are the same, and which mistake gives those of an attempt."""

from functools import partial
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qkv.checking.exercise import Exercise
from qkv.checking.running import Run, call


def named_mistake(exercise: Exercise, runs: list[Run], right: list[Any]) -> str | None:
    """The name of the mistake that gives these very values, on every case.

    Where none does, cases in which a mistake gives NaN may be left out: what fills
    the masked scores, −∞ or −1e9, shows only there.
    """
    cases = exercise.cases.values()
    results = {
        name: [call(mistake.wrong, case) for case in cases]
        for name, mistake in exercise.mistakes.items()
    }
    for test in (same, partial(_same_where_finite, right=right)):
        for name, wrong in results.items():
            if test(runs, wrong, tolerance=exercise.tolerance):
                return name
    return None


def same(runs: list[Run], wrong: list[Run], *, tolerance: float) -> bool:
    """Whether the values are those of ``wrong`` wherever it has any."""
    pairs = zip(runs, wrong, strict=True)
    return all(w.raised is not None or _alike(r, w, tolerance) for r, w in pairs)


def close(got: Any, want: Any, tolerance: float) -> bool:
    """Equal, up to the tolerance in numbers; NaN is equal to NaN."""
    if isinstance(want, (tuple, list)):
        fits = isinstance(got, (tuple, list)) and len(got) == len(want)
        return fits and all(
            close(g, w, tolerance) for g, w in zip(got, want, strict=True)
        )
    if not (isinstance(want, Tensor) or is_number(want)):
        return bool(got == want)
    if not (is_plain(got) if isinstance(got, Tensor) else is_number(got)):
        return False
    got, want = (torch.as_tensor(v, dtype=torch.float64) for v in (got, want))
    return got.shape == want.shape and torch.allclose(
        got, want, rtol=tolerance, atol=tolerance, equal_nan=True
    )


def is_number(value: Any) -> bool:
    """Whether this is one number, on its own or in a tensor without axes."""
    single = isinstance(value, Tensor) and value.ndim == 0
    return single or isinstance(value, (Real, np.bool_))


def is_plain(tensor: Tensor) -> bool:
    """Whether its values can be compared one by one."""
    return not (tensor.is_nested or tensor.is_complex())


def _same_where_finite(
    runs: list[Run], wrong: list[Run], *, tolerance: float, right: list[Any]
) -> bool:
    kept = [n for n, w in enumerate(wrong) if w.raised is None and _finite(w.value)]
    telling = any(not close(wrong[n].value, right[n], tolerance) for n in kept)
    return telling and all(_alike(runs[n], wrong[n], tolerance) for n in kept)


def _finite(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_finite, value))
    return not isinstance(value, Tensor) or bool(value.isfinite().all())


def _alike(one: Run, other: Run, tolerance: float) -> bool:
    if one.raised is not None or other.raised is not None:
        return type(one.raised) is type(other.raised)
    return close(one.value, other.value, tolerance)
