"""One call of a function: what it returned, or what it raised, and in which line."""

import contextlib
import io
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import EllipsisType
from typing import Any

import torch
from torch import Tensor

from qkv.checking.exercise import Case


@dataclass(frozen=True)
class Run:
    """What came of one call: a value, or what was raised.

    ``gradients`` are those that reached the arguments, where they were asked for.
    """

    value: Any = None
    raised: Exception | None = None
    gradients: tuple[Tensor | None, ...] = ()

    @property
    def seen(self) -> Any:
        """All that is compared: the value, and the gradients where they are asked."""
        return (self.value, *self.gradients) if self.gradients else self.value

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been written yet."""
        if self.raised is not None:
            return _is_left_open(self.raised)
        return isinstance(self.value, (type(None), EllipsisType))


@contextlib.contextmanager
def as_in_the_book() -> Iterator[None]:
    """Compute on the CPU in single precision, whatever default the reader has set.

    An input of another device or dtype would make right answers wrong, and hide wrong
    ones that show only in single precision.
    """
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with torch.device("cpu"):
            yield
    finally:
        torch.set_default_dtype(dtype)


@contextlib.contextmanager
def _as_it_was() -> Iterator[None]:
    """Take back the settings of PyTorch that a function has changed."""
    dtype, grad = torch.get_default_dtype(), torch.is_grad_enabled()
    device = torch.get_default_device()
    try:
        yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)
        if torch.get_default_device() != device:
            torch.set_default_device(None if device.type == "cpu" else device)


def call(
    function: Callable, case: Case, *, loud: bool = False, backward: bool = False
) -> Run:
    """Run on fresh arguments, so that nothing the function does to them matters."""
    out = (
        contextlib.nullcontext() if loud else contextlib.redirect_stdout(io.StringIO())
    )
    with torch.random.fork_rng(devices=[]), _as_it_was(), out:
        torch.manual_seed(0)
        try:
            return _run_back(function, case) if backward else _run(function, case)
        except Exception as error:
            return Run(raised=error)


def learns(value: Any) -> bool:
    """Whether a gradient can reach it."""
    return isinstance(value, Tensor) and value.requires_grad


def with_gradient(argument: Any) -> Any:
    """Let a gradient reach an argument, if it is one of real numbers."""
    if isinstance(argument, Tensor) and argument.is_floating_point():
        return argument.requires_grad_()
    return argument


def readers_line(error: Exception) -> str | None:
    """The innermost line of the traceback that is not in a library."""
    libraries = {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}
    ours = str(Path(__file__).parents[1])
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        inside = frame.filename.startswith((ours, "<frozen", *libraries))
        if not inside and frame.line:
            return frame.line
    return None


def _run(function: Callable, case: Case) -> Run:
    return Run(value=_detached(function(*case())))


def _run_back(function: Callable, case: Case) -> Run:
    """Forward, and back with slopes of 1, 2, 3, … so that no two places are alike."""
    with torch.enable_grad():
        given = tuple(map(with_gradient, case()))
        # What is handed over is no leaf, so that it may be written into.
        value = function(*(v * 1 if learns(v) else v for v in given))
        several = value if isinstance(value, (list, tuple)) else (value,)
        total = sum(map(_counted, filter(learns, several)), torch.zeros(()))
    leaves = {n: v for n, v in enumerate(given) if learns(v)}
    found = dict(zip(leaves, _reaching(total, list(leaves.values())), strict=True))
    return Run(_detached(value), gradients=tuple(map(found.get, range(len(given)))))


def _counted(value: Tensor) -> Tensor:
    slopes = torch.arange(1, value.numel() + 1).view(value.shape)
    return (value * slopes).sum()


def _reaching(total: Tensor, leaves: list[Tensor]) -> tuple[Tensor, ...]:
    """The gradients of the leaves: zeros where none comes."""
    if not learns(total):
        return tuple(map(torch.zeros_like, leaves))
    return torch.autograd.grad(total, leaves, materialize_grads=True)


def _detached(value: Any) -> Any:
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        return value.to_dense() if value.is_sparse else value
    if type(value) in (tuple, list):
        return type(value)(map(_detached, value))
    return value


def _is_left_open(error: Exception) -> bool:
    """Whether the reader raised NotImplementedError; PyTorch's own says more."""
    if not isinstance(error, NotImplementedError):
        return False
    return not str(error) or (readers_line(error) or "").startswith("raise")
