"""What may be said of a right answer: it is right, and yet it would do harm."""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any

import torch
from torch import Tensor

from qkv.checking import messages
from qkv.checking.comparing import close
from qkv.checking.exercise import Case, Exercise
from qkv.checking.running import call, learns, with_gradient

LIBRARIES = ("torch", "qkv")


def notes(exercise: Exercise, attempt: Callable) -> tuple[str, ...]:
    """Return what is to be said after the ✓."""
    said = []
    if any(_overwrites(attempt, case) for case in exercise.cases.values()):
        said.append(messages.OVERWRITES)
    cases = exercise.cases.values() if exercise.trained else ()
    if any(_cuts(exercise, attempt, case) for case in cases):
        said.append(messages.CUTS_THE_GRADIENT)
    if name := _called(exercise, attempt):
        said.append(messages.CALLS_IT.format(name=name))
    return tuple(said)


def _overwrites(attempt: Callable, case: Case) -> bool:
    given = case()
    call(attempt, lambda: given)
    return not all(map(_unchanged, given, case()))


def _unchanged(given: Any, fresh: Any) -> bool:
    """Whether tensors and lists are as they were; of other things nothing is said."""
    if isinstance(given, (list, tuple)):
        same = len(given) == len(fresh)
        return same and all(map(_unchanged, given, fresh))
    return not isinstance(given, Tensor) or close(given, fresh, 0.0)


def _cuts(exercise: Exercise, attempt: Callable, case: Case) -> bool:
    """Whether an argument gets no gradient that gets one through the reference."""
    return not _reached(exercise.reference, case) <= _reached(attempt, case)


def _reached(function: Callable, case: Case) -> set[int]:
    """The places of the arguments that get a gradient; none where it raised."""
    found: set[int] = set()

    def watched(*given: Any) -> None:
        given = tuple(map(with_gradient, given))
        # What is handed over is no leaf, so that it may be written into.
        value = function(*(v * 1 if learns(v) else v for v in given))
        several = value if isinstance(value, (list, tuple)) else (value,)
        total = sum(v.sum() for v in several if learns(v))
        leaves = {n: v for n, v in enumerate(given) if learns(v)}
        if isinstance(total, Tensor):
            made = torch.autograd.grad(total, [*leaves.values()], allow_unused=True)
            found.update(n for n, g in zip(leaves, made, strict=True) if g is not None)

    with torch.enable_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what a gradient changes, the note tells
        call(watched, case)
    return found


def _called(exercise: Exercise, attempt: Callable) -> str:
    """The name of the library's function that does it all, where it was called."""
    if exercise.given is not None:
        return ""  # a bug may be mended with anything
    names = {exercise.name, *exercise.instead}
    case = next(iter(exercise.cases.values()))
    with _calls() as calls:
        call(attempt, case)
    return next((name for name in calls if name in names), "")


@contextmanager
def _calls() -> Iterator[list[str]]:
    """Collect the names of all functions of the libraries that are called."""
    names: list[str] = []

    def watch(frame: FrameType, event: str, called: Any) -> None:
        if event == "call":
            module = frame.f_globals.get("__name__", "")
            if module.startswith(LIBRARIES) and not module.startswith(_OURS):
                names.append(frame.f_code.co_name)
        elif event == "c_call" and _is_torchs(called):
            names.append(called.__name__)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield names
    finally:
        sys.setprofile(before)


_OURS = ("qkv.exercises", "qkv.checking")


def _is_torchs(function: Any) -> bool:
    owner = getattr(function, "__self__", None)
    kind = owner if isinstance(owner, (type, ModuleType)) else type(owner)
    homes = (getattr(thing, "__module__", None) for thing in (function, kind))
    return any(str(home).startswith("torch") for home in (*homes, kind.__name__))
