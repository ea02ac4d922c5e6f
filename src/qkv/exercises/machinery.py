"""What an exercise is, and how an attempt at it is judged.

An attempt is run on several inputs, and compared with the reference. The verdict is
the first that applies: not attempted, raised, wrong type, wrong shape, right, equal to
a mistake that has a name, and else the place where it is furthest off.
"""

import contextlib
import io
import re
import sysconfig
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from numbers import Real
from pathlib import Path
from types import EllipsisType
from typing import Any

import numpy as np
import torch
from torch import Tensor

Case = Callable[[], tuple]


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people really give.

    Attributes
    ----------
    name : two or three words, unique within its exercise.
    says : what the reader is told: what is wrong, and how it shows.
    wrong : the wrong answer itself, called like the right one.
    """

    name: str
    says: str
    wrong: Callable


@dataclass(frozen=True)
class Exercise:
    """A task with a known answer, and the wrong answers that have names.

    Attributes
    ----------
    id : chapter and number, "1.2".
    title : what is to be written, in a few words.
    minutes : how long it may take.
    takes : the axes of each argument by its name: ``{"ids": "batch token"}``; the
        names, in order, are the signature. ``*batch`` in front is any number of axes.
    returns : the axes of each result by its name; several make a tuple.
    reference : a right answer.
    cases : arguments by a description of them. Each call makes fresh ones, always
        the same. Sizes are different primes unless a mistake shows only where two
        are equal; such a case comes first.
    mistakes : at least five, told apart by the cases.
    hints : from a nudge to nearly the answer.
    given : in a bug hunt, the code to be mended.
    tolerance : how far a number may be off.
    """

    id: str
    title: str
    minutes: int
    takes: Mapping[str, str]
    returns: Mapping[str, str]
    reference: Callable
    cases: Mapping[str, Case]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    given: Callable | None = None
    tolerance: float = 1e-5

    @property
    def signature(self) -> str:
        """The call, as the reader writes it."""
        return f"{self.reference.__name__}({', '.join(self.takes)})"


class Stage(Enum):
    """How far an attempt got."""

    UNTOUCHED = "○"
    RAISED = "✗ raised"
    TYPE = "✗ type"
    SHAPE = "✗ shape"
    MISTAKE = "✗ mistake"
    VALUES = "✗ values"
    SOLVED = "✓"

    @property
    def mark(self) -> str:
        """The sign that stands before the message."""
        return self.value[0]


@dataclass(frozen=True)
class Verdict:
    """What :func:`judge` says of an attempt; ``mistake`` where it has a name."""

    stage: Stage
    message: str
    mistake: str | None = None


@dataclass(frozen=True)
class _Run:
    """What came of one call: a value, or what was raised."""

    value: Any = None
    raised: Exception | None = None


# ------------------------------------------------------------------------------ judging


def judge(exercise: Exercise, attempt: Any) -> Verdict:
    """Compare ``attempt`` with the exercise's reference on all its cases."""
    if attempt is None or attempt is ...:
        return _untouched(exercise)
    if not callable(attempt):
        return _not_a_function(exercise, attempt)
    runs = [
        _call(attempt, case, loud=n == 0) for n, case in enumerate(_cases(exercise))
    ]
    if _returns_nothing(runs[0]) or _is_as_given(exercise, runs):
        return _untouched(exercise, empty=_returns_nothing(runs[0]))
    right = [_call(exercise.reference, case).value for case in _cases(exercise)]
    for place, (run, expected) in enumerate(zip(runs, right, strict=True)):
        fault = _fault(exercise, run, expected, place)
        if fault is not None:
            named = fault.stage is Stage.VALUES and _named(exercise, runs, right)
            return named or fault
    return Verdict(Stage.SOLVED, f"right, on {_inputs(len(runs))}")


def _cases(exercise: Exercise) -> Iterator[Case]:
    return iter(exercise.cases.values())


def _inputs(count: int) -> str:
    return "one input" if count == 1 else f"{count} different inputs"


def _call(function: Callable, case: Case, *, loud: bool = False) -> _Run:
    """Run on fresh arguments, so that nothing the function does to them matters."""
    silence = contextlib.nullcontext() if loud else _silence()
    with torch.random.fork_rng(devices=[]), silence:
        torch.manual_seed(0)
        try:
            return _Run(value=_detached(function(*case())))
        except Exception as error:
            return _Run(raised=error)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _detached(value: Any) -> Any:
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        return value.to_dense() if value.is_sparse else value
    if type(value) in (tuple, list):
        return type(value)(map(_detached, value))
    return value


def _untouched(exercise: Exercise, *, empty: bool = True) -> Verdict:
    why = f"{exercise.signature} returns nothing yet"
    if exercise.given and not empty:
        why = "its results are still those of the code as it was given, bug and all"
    help = f'about {exercise.minutes} minutes; hint("{exercise.id}") helps'
    what = "not attempted" if empty else "not mended"
    return Verdict(Stage.UNTOUCHED, f"{what}: {why} ({help})")


def _returns_nothing(run: _Run) -> bool:
    if run.raised is not None:
        return _is_left_open(run.raised)
    return isinstance(run.value, (type(None), EllipsisType))


def _is_left_open(error: Exception) -> bool:
    """Raised by the reader's own line: PyTorch has the error, too, and means more."""
    if not isinstance(error, NotImplementedError):
        return False
    return not str(error) or (_readers_line(error) or "").startswith("raise")


def _is_as_given(exercise: Exercise, runs: list[_Run]) -> bool:
    if exercise.given is None:
        return False
    given = [_call(exercise.given, case) for case in _cases(exercise)]
    return _same(runs, given, tolerance=exercise.tolerance)


def _not_a_function(exercise: Exercise, attempt: Any) -> Verdict:
    name = exercise.reference.__name__
    return Verdict(
        Stage.TYPE,
        f"the check needs the function itself, not {_kind(attempt)}: "
        f'check("{exercise.id}", {name})',
    )


# ----------------------------------------------------------------- one case, one fault


def _fault(exercise: Exercise, run: _Run, expected: Any, place: int) -> Verdict | None:
    if run.raised is not None:
        stage, message = Stage.RAISED, _say_raised(exercise, run.raised)
    else:
        sizes = _sizes(exercise, place, expected)
        stage, message = _compare(exercise, run.value, expected, sizes)
    if not message:
        return None
    if place > 0:
        message += f" (with {list(exercise.cases)[place]}; before that it was right)"
    return Verdict(stage, message)


def _compare(
    exercise: Exercise, value: Any, expected: Any, sizes: Mapping[int, str]
) -> tuple[Stage, str]:
    """The first stage at which a result falls, and why; no reason when it is right."""
    several = len(exercise.returns) > 1
    given, wanted = (value, expected) if several else ((value,), (expected,))
    if not isinstance(given, (tuple, list)) or len(given) != len(wanted):
        names = _list(list(exercise.returns))
        return Stage.TYPE, f"returned {_kind(value)}; wanted {len(wanted)}: {names}"
    tests = {
        Stage.TYPE: _bad_type,
        Stage.SHAPE: partial(_bad_shape, sizes=sizes),
        Stage.VALUES: partial(_bad_values, tolerance=exercise.tolerance),
    }
    for stage, test in tests.items():
        for name, got, want in zip(exercise.returns, given, wanted, strict=True):
            message = test(got, want, _axes(exercise.returns[name], want))
            if message:
                return stage, f"{name}: {message}" if several else message
    return Stage.SOLVED, ""


def _say_raised(exercise: Exercise, error: Exception) -> str:
    said = str(error).strip().partition("\n")[0]
    said = re.sub(r"\b0x[0-9a-fA-F]{6,}", "0x…", said)
    said = said if len(said) <= 200 else said[:199] + "…"
    what = f"raised {type(error).__name__}" + (f": {said}" if said else "")
    line = _readers_line(error)
    if line:
        return f"{what}\n  in your line: {line}"
    return f"{what}\n  the check calls {exercise.signature}"


def _readers_line(error: Exception) -> str | None:
    """The innermost line of the traceback that is not in a library."""
    libraries = {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}
    ours = str(Path(__file__).parents[1])
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        inside = frame.filename.startswith((ours, "<frozen", *libraries))
        if not inside and frame.line:
            return frame.line
    return None


def _bad_type(got: Any, want: Any, axes: list[str]) -> str:
    if isinstance(got, Tensor) and not _is_plain(got):
        if got.is_nested:
            return "returned a nested tensor; wanted a plain one"
        return f"returned a tensor of {_dtype(got)}; wanted real numbers"
    if _is_number(want):
        if _is_number(got) or isinstance(got, Tensor):
            return ""
        return f"returned {_kind(got)}; wanted one number"
    if isinstance(want, Tensor):
        if not isinstance(got, Tensor):
            return f"returned {_kind(got)}; wanted a tensor of axes ({_list(axes)})"
        if want.dtype == torch.bool != got.dtype:
            return f"returned a tensor of {_dtype(got)}; wanted True and False"
        if got.is_floating_point() and not want.is_floating_point():
            return f"returned a tensor of {_dtype(got)}; wanted whole numbers"
        return ""
    accepted = (list, tuple) if isinstance(want, (list, tuple)) else type(want)
    if isinstance(got, accepted):
        return ""
    return f"returned {_kind(got)}; wanted {_kind(want)}"


def _is_number(value: Any) -> bool:
    single = isinstance(value, Tensor) and value.ndim == 0
    return single or isinstance(value, (Real, np.bool_))


def _is_plain(tensor: Tensor) -> bool:
    return not (tensor.is_nested or tensor.is_complex())


def _bad_shape(
    got: Any, want: Any, axes: list[str], *, sizes: Mapping[int, str]
) -> str:
    if isinstance(want, (list, tuple)):
        if len(got) == len(want):
            return ""
        return f"returned {len(got)} items; wanted {len(want)}"
    if not isinstance(got, Tensor) or got.shape == torch.as_tensor(want).shape:
        return ""
    if _is_number(want):
        return f"returned a tensor of axes {_axes_of(got, sizes)}; wanted one number"
    wanted = ", ".join(f"{a} {n}" for a, n in zip(axes, want.shape, strict=True))
    message = f"returned axes {_axes_of(got, sizes)}; wanted ({wanted})"
    reordered = sorted(got.shape) == sorted(want.shape)
    return message + ": the same axes in another order" if reordered else message


def _axes_of(tensor: Tensor, sizes: Mapping[int, str]) -> str:
    names = [f"{sizes.get(n, '')} {n}".strip() for n in tensor.shape]
    return f"({', '.join(names)})"


def _sizes(exercise: Exercise, place: int, expected: Any) -> dict[int, str]:
    """Which axis a size belongs to, for sizes that only one axis has."""
    given = list(exercise.cases.values())[place]()
    wanted = expected if len(exercise.returns) > 1 else (expected,)
    names = [*exercise.takes.values(), *exercise.returns.values()]
    owners: dict[int, set[str]] = {}
    for axes, argument in zip(names, (*given, *wanted), strict=True):
        if isinstance(argument, Tensor):
            for axis, size in zip(_axes(axes, argument), argument.shape, strict=True):
                owners.setdefault(size, set()).add(axis)
    return {size: axes.pop() for size, axes in owners.items() if len(axes) == 1}


def _bad_values(got: Any, want: Any, axes: list[str], *, tolerance: float) -> str:
    if _close(got, want, tolerance):
        return ""
    if _is_number(want):
        return f"returned {_say(got)}; wanted {_say(want)}"
    if not isinstance(want, Tensor):
        return _say_items(got, want)
    off = (got.double() - want.double()).abs()
    wrong = ~(off <= tolerance * (1 + want.double().abs()))
    worst = np.unravel_index(int(off.nan_to_num(torch.inf).argmax()), off.shape)
    spot = ", ".join(f"{axis} {n}" for axis, n in zip(axes, worst, strict=True))
    count = f"{int(wrong.sum())} of {wrong.numel()} values are off"
    return f"{count}, most at {spot}: {_say(got[worst])}, wanted {_say(want[worst])}"


def _say_items(got: Any, want: Any) -> str:
    if not isinstance(want, (list, tuple)):
        return f"returned {got!r}; wanted {want!r}"
    place = next(n for n, (g, w) in enumerate(zip(got, want, strict=True)) if g != w)
    return f"item {place} is {got[place]!r}; wanted {want[place]!r}"


# ------------------------------------------------------------------------- comparisons


def _named(exercise: Exercise, runs: list[_Run], right: list[Any]) -> Verdict | None:
    """The verdict of the mistake that gives these very values, on every case.

    Where none does, cases in which a mistake gives NaN may be left out: what fills
    the masked scores, −∞ or −1e9, shows only there.
    """
    cases = list(_cases(exercise))
    results = [[_call(m.wrong, case) for case in cases] for m in exercise.mistakes]
    for test in (_same, partial(_same_where_finite, right=right)):
        for mistake, wrong in zip(exercise.mistakes, results, strict=True):
            if test(runs, wrong, tolerance=exercise.tolerance):
                return Verdict(Stage.MISTAKE, mistake.says, mistake.name)
    return None


def _same(runs: list[_Run], wrong: list[_Run], *, tolerance: float) -> bool:
    pairs = zip(runs, wrong, strict=True)
    return all(w.raised is not None or _alike(r, w, tolerance) for r, w in pairs)


def _same_where_finite(
    runs: list[_Run], wrong: list[_Run], *, tolerance: float, right: list[Any]
) -> bool:
    kept = [n for n, w in enumerate(wrong) if w.raised is None and _finite(w.value)]
    telling = any(not _close(wrong[n].value, right[n], tolerance) for n in kept)
    return telling and all(_alike(runs[n], wrong[n], tolerance) for n in kept)


def _finite(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_finite, value))
    return not isinstance(value, Tensor) or bool(value.isfinite().all())


def _alike(one: _Run, other: _Run, tolerance: float) -> bool:
    if one.raised is not None or other.raised is not None:
        return type(one.raised) is type(other.raised)
    return _close(one.value, other.value, tolerance)


def _close(got: Any, want: Any, tolerance: float) -> bool:
    """Equal, up to the tolerance in numbers; NaN is equal to NaN."""
    if isinstance(want, (tuple, list)):
        same = isinstance(got, (tuple, list)) and len(got) == len(want)
        return same and all(
            _close(g, w, tolerance) for g, w in zip(got, want, strict=True)
        )
    if not (isinstance(want, Tensor) or _is_number(want)):
        return bool(got == want)
    if not (_is_plain(got) if isinstance(got, Tensor) else _is_number(got)):
        return False
    got, want = (torch.as_tensor(v, dtype=torch.float64) for v in (got, want))
    return got.shape == want.shape and torch.allclose(
        got, want, rtol=tolerance, atol=tolerance, equal_nan=True
    )


# ----------------------------------------------------------------------------- in words


def _list(axes: list[str]) -> str:
    return ", ".join(axes)


def _axes(names: str, value: Any) -> list[str]:
    """One name for each axis: ``*batch`` in front is all that the others leave."""
    if not names.startswith("*"):
        return names.split()
    first, *rest = names.removeprefix("*").split()
    return [first] * (value.ndim - len(rest)) + rest


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _kind(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, Tensor):
        return "a tensor"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' or name == 'ndarray' else 'a'} {name}"


def _say(value: Any) -> str:
    if isinstance(value, Tensor) and value.dtype == torch.bool:
        return str(bool(value))
    number = float(value) + 0.0  # no −0
    if number != number:
        return "NaN"
    return f"{number:.0f}" if number.is_integer() else f"{number:.4f}"
