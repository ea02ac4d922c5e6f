"""How batches are drawn, the same for the same seed, and what a task says of itself."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import torch
from jaxtyping import Int
from torch import Tensor

from qkv._checks import whole

_Drawn = TypeVar("_Drawn")


class Drawing(ABC, Generic[_Drawn]):
    """What is drawn anew each time, the same for the same seed: a base class."""

    @abstractmethod
    def _draw(self, count: int, generator: torch.Generator) -> _Drawn:
        """Return ``count`` fresh ones, as one batch."""

    def sample(self, count: int, *, seed: int) -> _Drawn:
        """Return a batch of ``count``, the same for the same seed.

        Raises
        ------
        ValueError
            If ``count`` is below 1.
        """
        whole(1, count=count)
        return self._draw(count, torch.Generator().manual_seed(seed))

    def batches(self, *, batch_size: int, seed: int) -> Iterator[_Drawn]:
        """Return an endless stream of fresh batches, the same for the same seed.

        Raises
        ------
        ValueError
            If ``batch_size`` is below 1.
        """
        whole(1, batch_size=batch_size)
        return endless(lambda generator: self._draw(batch_size, generator), seed=seed)


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
