"""How batches are drawn, the same for the same seed, and what a task says of itself."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from jaxtyping import Int
from torch import Tensor

_Drawn = TypeVar("_Drawn")


def endless(
    draw: Callable[[torch.Generator], _Drawn], *, seed: int
) -> Iterator[_Drawn]:
    """Yield what is drawn, anew each time and without end."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        yield draw(generator)


def passes(
    count: int, *, batch_size: int, seed: int
) -> Iterator[Int[Tensor, " chosen"]]:
    """Yield which of ``count`` things to take, pass after pass, each in a new order.

    The last batch of a pass is smaller where ``batch_size`` does not divide.

    Examples
    --------
    >>> batches = passes(5, batch_size=3, seed=0)
    >>> [len(next(batches)) for _ in range(4)]
    [3, 2, 3, 2]
    """
    generator = torch.Generator().manual_seed(seed)
    while True:
        yield from torch.randperm(count, generator=generator).split(batch_size)


def about(task: object) -> str:
    """Return a task's name and the first line of what is written of it."""
    first = (type(task).__doc__ or "").partition("\n")[0].rstrip(".")
    return f"{type(task).__name__}: {first}"
