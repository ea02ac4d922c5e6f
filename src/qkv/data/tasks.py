"""A stream of questions that needs no text, and the true answers."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import torch

from qkv._checks import whole
from qkv.data.kinds import Questions
from qkv.data.streams import about, endless

__all__ = ["Task"]


class Task(ABC):
    """A stream of questions whose answers are known.

    ``n_source`` and ``n_target`` are how many different numbers occur, 0 among them:
    the sizes of an embedding and of the logits. Where a token has parts, ``n_source``
    has a size for each.
    """

    n_source: int | tuple[int, ...]
    n_target: int

    @abstractmethod
    def _draw(self, count: int, generator: torch.Generator) -> Questions:
        """Return ``count`` fresh questions."""

    def sample(self, count: int, *, seed: int) -> Questions:
        """Return ``count`` questions, the same for the same seed.

        Raises
        ------
        ValueError
            If ``count`` is below 1.
        """
        whole(1, count=count)
        return self._draw(count, torch.Generator().manual_seed(seed))

    def batches(self, *, batch_size: int, seed: int) -> Iterator[Questions]:
        """Return an endless stream of fresh questions, the same for the same seed.

        Raises
        ------
        ValueError
            If ``batch_size`` is below 1.
        """
        whole(1, batch_size=batch_size)
        return endless(lambda generator: self._draw(batch_size, generator), seed=seed)

    def __repr__(self) -> str:
        """Say what is asked, and of what."""
        return f"{about(self)}; {self._sizes()}"

    @abstractmethod
    def _sizes(self) -> str:
        """Say how large the task is."""
