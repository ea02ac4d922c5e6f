"""Whether two results are the same, and which mistake gives those of an attempt."""

import math
from contextlib import suppress
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qkv.checking.exercise import Exercise
from qkv.checking.running import Run, call


def named_mistake(exercise: Exercise, runs: list[Run], right: list[Run]) -> str | None:
    """The name of the mistake that gives these very values, on every case.

    Cases in which the attempt raised are left out: the others can still tell. Where no
    mistake fits, cases in which one gives NaN may be left out, too, and those in which
    the attempt does: what fills the masked scores, −∞ or −1e9, shows only there.
    """
    came = [n for n, run in enumerate(runs) if run.raised is None]
    cases = list(exercise.cases.values())
    results = {
        name: {
            n: call(mistake.wrong, cases[n], backward=exercise.backward) for n in came
        }
        for name, mistake in exercise.mistakes.items()
    }
    for counts in (_always, _finite):
        for name, wrong in results.items():
            kept = [n for n in came if wrong[n].raised is None]
            kept = [n for n in kept if counts(wrong[n].seen) and counts(runs[n].seen)]
            pairs = [(runs[n].seen, wrong[n].seen, right[n].seen) for n in kept]
            if _explains(pairs, exercise.tolerance):
                return name
    return None


def _explains(values: list[tuple[Any, Any, Any]], tolerance: float) -> bool:
    """Whether what is given is what is wrong everywhere, and not right everywhere."""
    telling = any(not close(wrong, right, tolerance) for _, wrong, right in values)
    return telling and all(close(given, wrong, tolerance) for given, wrong, _ in values)


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
        return _equal(got, want)
    if not (is_plain(got) if isinstance(got, Tensor) else is_number(got)):
        return False
    got, want = _double(got), _double(want)
    return got.shape == want.shape and torch.allclose(
        got, want, rtol=tolerance, atol=tolerance, equal_nan=True
    )


def as_float(value: Any) -> float:
    """Return a number as a float; one that is too large for it is infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def is_number(value: Any) -> bool:
    """Whether this is one number, on its own or in a tensor without axes."""
    single = isinstance(value, Tensor) and value.ndim == 0
    return single or isinstance(value, (Real, np.bool_))


def is_plain(tensor: Tensor) -> bool:
    """Whether its values can be compared one by one."""
    return not (tensor.is_nested or tensor.is_complex() or tensor.is_quantized)


def _double(value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value.double()
    return torch.tensor(as_float(value), dtype=torch.float64)


def _equal(got: Any, want: Any) -> bool:
    """Equal as Python sees it; what cannot be compared is not."""
    with suppress(Exception):
        return bool(got == want)
    return False


def _always(value: Any) -> bool:
    return True


def _finite(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_finite, value))
    return not isinstance(value, Tensor) or bool(value.isfinite().all())


def _alike(one: Run, other: Run, tolerance: float) -> bool:
    if one.raised is not None or other.raised is not None:
        return type(one.raised) is type(other.raised)
    return close(one.seen, other.seen, tolerance)
