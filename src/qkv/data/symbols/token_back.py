"""Each token is asked for the one a few places before it."""

import torch

from qkv._checks import whole
from qkv.data.kinds import Questions
from qkv.data.tasks import Task

__all__ = ["TokenBack"]


class TokenBack(Task):
    """For each token, name the one that stood a few places before.

    The first tokens have none: their answer is 0, and is not asked. What is to be
    found depends on a distance alone, so that it means the same at any length.

    Parameters
    ----------
    back : how many places before.
    lengths : the shortest and the longest sequence. The sequences of a batch are of
        one length, which is drawn for each batch: nothing is padded.
    symbols : how many different ones there are, each as likely as any other.

    Raises
    ------
    ValueError
        If ``back`` or ``symbols`` is below 1, or ``lengths`` does not go upwards from
        more than ``back``.

    Examples
    --------
    >>> asked = TokenBack(back=3).sample(1, seed=0, length=5)
    >>> asked.source, asked.target
    (tensor([[ 5, 10,  4,  1,  4]]), tensor([[ 0,  0,  0,  5, 10]]))
    """

    def __init__(
        self, back: int = 3, lengths: tuple[int, int] = (8, 32), symbols: int = 10
    ) -> None:
        whole(1, back=back, symbols=symbols)
        if not back < lengths[0] <= lengths[1]:
            raise ValueError(
                f"lengths run upwards from more than {back}, how far back is asked "
                f"for, not from {lengths[0]} to {lengths[1]}"
            )
        self.back, self.lengths, self.symbols = back, lengths, symbols
        self.n_source = self.n_target = symbols + 1

    def sample(self, count: int, *, seed: int, length: int | None = None) -> Questions:
        """Return ``count`` questions of one length: the longest trained, or any other.

        Raises
        ------
        ValueError
            If ``count`` is below 1, or ``length`` not more than ``back``.
        """
        whole(1, count=count)
        length = self.lengths[1] if length is None else length
        if length <= self.back:
            raise ValueError(
                f"no token has another {self.back} places before it in a sequence of "
                f"length {length}; a length of {self.back + 1} or more is needed"
            )
        return self._draw_one(count, length, torch.Generator().manual_seed(seed))

    def _draw(self, count: int, generator: torch.Generator) -> Questions:
        low, high = self.lengths
        length = int(torch.randint(low, high + 1, (), generator=generator))
        return self._draw_one(count, length, generator)

    def _draw_one(
        self, count: int, length: int, generator: torch.Generator
    ) -> Questions:
        size = (count, length)
        source = torch.randint(1, self.symbols + 1, size, generator=generator)
        target = torch.nn.functional.pad(source[:, : -self.back], (self.back, 0))
        return Questions(source, target)

    def _sizes(self) -> str:
        low, high = self.lengths
        places = "place" if self.back == 1 else "places"
        return f"{self.back} {places}, {low} to {high} tokens of {self.symbols} symbols"
