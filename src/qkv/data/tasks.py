"""A stream of questions that needs no text, and the true answers."""

from abc import abstractmethod

from qkv.data.kinds import Questions
from qkv.data.streams import Drawing, about

__all__ = ["Task"]


class Task(Drawing[Questions]):
    """A stream of questions whose answers are known.

    ``n_source`` and ``n_target`` are how many different numbers occur, 0 among them:
    the sizes of an embedding and of the logits. Where a token has parts, ``n_source``
    has a size for each.
    """

    n_source: int | tuple[int, ...]
    n_target: int

    def __repr__(self) -> str:
        """Say what is asked, and of what."""
        return f"{about(self)}; {self._sizes()}"

    @abstractmethod
    def _sizes(self) -> str:
        """Say how large the task is."""
