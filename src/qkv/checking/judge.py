"""How far an attempt got: the verdict on it, and why.

An attempt is run on several inputs, and compared with the reference. The verdict is
the first that applies: not attempted, raised, wrong type, wrong shape, right, equal to
a mistake that has a name, and else the place where it is furthest off.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Any

from torch import Tensor

from qkv.checking import messages
from qkv.checking.annotations import axis_names
from qkv.checking.comparing import named_mistake, same
from qkv.checking.exercise import Exercise
from qkv.checking.faults import bad_shape, bad_type, bad_values, kind
from qkv.checking.notes import notes
from qkv.checking.running import Run, as_in_the_book, call, readers_line


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
    """What :func:`judge` says of an attempt.

    ``mistake`` is its name where it has one, ``case`` the input on which it failed, and
    ``notes`` are said of an attempt that is right.
    """

    stage: Stage
    message: str
    mistake: str | None = None
    case: str | None = None
    notes: tuple[str, ...] = ()


@as_in_the_book()
def judge(exercise: Exercise, attempt: Any) -> Verdict:
    """Compare ``attempt`` with the exercise's reference on all its cases."""
    if attempt is None or attempt is ...:
        return _untouched(exercise, messages.NOT_ATTEMPTED)
    if not callable(attempt):
        return _not_a_function(exercise, attempt)
    cases = exercise.cases.values()
    run = partial(call, backward=exercise.backward)
    runs = [run(attempt, case, loud=n == 0) for n, case in enumerate(cases)]
    if runs[0].is_empty:
        return _untouched(exercise, messages.NOT_ATTEMPTED)
    if _is_as_given(exercise, runs):
        return _untouched(exercise, messages.NOT_MENDED)
    right = [run(exercise.reference, case) for case in cases]
    return _first_fault(exercise, runs, right) or _solved(exercise, attempt)


def _untouched(exercise: Exercise, message: str) -> Verdict:
    said = message.format(call=exercise.call, minutes=exercise.minutes, id=exercise.id)
    return Verdict(Stage.UNTOUCHED, said)


def _not_a_function(exercise: Exercise, attempt: Any) -> Verdict:
    given = {"kind": kind(attempt), "id": exercise.id, "name": exercise.name}
    return Verdict(Stage.TYPE, messages.NO_FUNCTION.format(**given))


def _is_as_given(exercise: Exercise, runs: list[Run]) -> bool:
    if exercise.given is None:
        return False
    run = partial(call, exercise.given, backward=exercise.backward)
    given = list(map(run, exercise.cases.values()))
    return same(runs, given, tolerance=exercise.tolerance)


def _solved(exercise: Exercise, attempt: Callable) -> Verdict:
    count = len(exercise.cases)
    message = messages.RIGHT_ON_ONE if count == 1 else messages.RIGHT
    said = notes(exercise, attempt)
    return Verdict(Stage.SOLVED, message.format(count=count), notes=said)


def _first_fault(
    exercise: Exercise, runs: list[Run], right: list[Run]
) -> Verdict | None:
    for case, run, expected in zip(exercise.cases, runs, right, strict=True):
        fault = _fault(exercise, run, expected, case)
        if fault is None:
            continue
        if fault.stage in (Stage.VALUES, Stage.RAISED) and (
            name := named_mistake(exercise, runs, right)
        ):
            return _named(exercise, name, fault, case)
        return replace(fault, message=_with_input(exercise, fault, case), case=case)
    return None


def _named(exercise: Exercise, name: str, fault: Verdict, case: str) -> Verdict:
    says = exercise.mistakes[name].says
    if fault.stage is Stage.RAISED:
        told = {"says": says, "case": case, "raised": fault.message}
        says = messages.NAMED_AND_RAISED.format(**told)
    return Verdict(Stage.MISTAKE, says, name, case)


def _with_input(exercise: Exercise, fault: Verdict, case: str) -> str:
    """What is wrong, and for which input: numbers at once, tensors where asked for."""
    given = exercise.cases[case]()
    plain = all(isinstance(value, (int, float, str)) for value in given)
    call = f"{exercise.name}({', '.join(map(repr, given))})"
    shown = call if plain else messages.SHOW_INPUT.format(id=exercise.id)
    first = case == next(iter(exercise.cases))
    message = messages.IN_THE_FIRST_CASE if first else messages.IN_A_LATER_CASE
    return message.format(fault=fault.message, case=case, input=shown)


def _fault(exercise: Exercise, run: Run, expected: Run, case: str) -> Verdict | None:
    if run.raised is not None:
        return Verdict(Stage.RAISED, _say_raised(exercise, run.raised))
    several = len(exercise.returns) > 1
    given, wanted = (r.value if several else (r.value,) for r in (run, expected))
    if not isinstance(given, (tuple, list)) or len(given) != len(wanted):
        return Verdict(Stage.TYPE, _say_results(exercise, run.value))
    sizes = _sizes(exercise, case, wanted)
    bad = _bad_result(exercise, given, wanted, sizes)
    return bad or _bad_gradient(exercise, run.gradients, expected.gradients)


def _bad_result(
    exercise: Exercise, given: Any, wanted: Any, sizes: Mapping[int, str]
) -> Verdict | None:
    """The first stage at which any of the results falls."""
    tests = {
        Stage.TYPE: bad_type,
        Stage.SHAPE: partial(bad_shape, sizes=sizes),
        Stage.VALUES: partial(bad_values, tolerance=exercise.tolerance),
    }
    for stage, test in tests.items():
        results = zip(given, wanted, exercise.returns, strict=True)
        for place, result in enumerate(results):
            if not (fault := test(*result)):
                continue
            if exercise.results:
                name = exercise.results[place]
                fault = messages.OF_ONE_RESULT.format(result=name, fault=fault)
            return Verdict(stage, fault)
    return None


def _bad_gradient(exercise: Exercise, given: tuple, wanted: tuple) -> Verdict | None:
    """The first argument that gets another gradient, where gradients are asked for."""
    if not wanted:
        return None
    each = zip(exercise.takes.items(), given, wanted, strict=True)
    for (name, axes), got, want in each:
        if want is not None and (
            fault := bad_values(got, want, axes, exercise.tolerance)
        ):
            told = messages.OF_A_GRADIENT.format(argument=name, fault=fault)
            return Verdict(Stage.VALUES, told)
    return None


def _sizes(exercise: Exercise, case: str, wanted: Any) -> dict[int, str]:
    """Which axis a size belongs to, for sizes that only one axis has."""
    names = (*exercise.takes.values(), *exercise.returns)
    owners: dict[int, set[str]] = {}
    for axes, value in zip(names, (*exercise.cases[case](), *wanted), strict=True):
        if isinstance(value, Tensor):
            named = axis_names(axes, value.ndim)
            for axis, size in zip(named, value.shape, strict=True):
                owners.setdefault(size, set()).add(axis)
    return {size: axes.pop() for size, axes in owners.items() if len(axes) == 1}


def _say_results(exercise: Exercise, value: Any) -> str:
    return messages.WANTED_RESULTS.format(
        kind=kind(value),
        count=len(exercise.results),
        results=", ".join(exercise.results),
    )


def _say_raised(exercise: Exercise, error: Exception) -> str:
    said = ""
    with suppress(Exception):  # an exception may fail to say what it is
        said = str(error).strip().partition("\n")[0]
    said = re.sub(r"\b0x[0-9a-fA-F]{6,}", "0x…", said)
    said = said if len(said) <= 200 else said[:199] + "…"
    message = messages.ERROR if said else messages.SILENT_ERROR
    what = message.format(type=type(error).__name__, said=said)
    line = readers_line(error)
    if line:
        return messages.RAISED_IN_LINE.format(error=what, line=line)
    return messages.RAISED.format(error=what, call=exercise.call)
