"""A block of different symbols, again and again: what follows is known by looking."""

import torch

from qkv._checks import two_whole, whole
from qkv.data.kinds import Questions
from qkv.data.tasks import Task

__all__ = ["RepeatedBlocks"]


class RepeatedBlocks(Task):
    """Name the next token of a sequence that repeats its first block.

    The symbols of a block differ, so that a token and the one after it stand side by
    side once in each copy: *A B … A*, and *B* is right. From the second token of the
    second copy on each token is determined, and is asked for at the token before it.
    Nothing else is asked: the first copy is random, and where it ends is not known.

    Parameters
    ----------
    lengths : the shortest and the longest block; each sequence draws its own.
    symbols : how many different ones there are, each as likely as any other.
    tokens : how long every sequence is; the last copy may be cut.

    Raises
    ------
    ValueError
        If a size is below 1, ``lengths`` does not go upwards from 2 or more to no more
        than ``symbols``, or ``tokens`` leaves nothing to ask after the longest block.
    TypeError
        If a size is not whole, or ``lengths`` is one number and not two.

    Notes
    -----
    By such sequences Olsson et al. (2022) find induction heads.

    Examples
    --------
    >>> asked = RepeatedBlocks((3, 3), symbols=9, tokens=8).sample(1, seed=0)
    >>> asked.source
    tensor([[2, 3, 4, 2, 3, 4, 2, 3]])
    >>> asked.target
    tensor([[0, 0, 0, 3, 4, 2, 3, 4]])
    """

    def __init__(
        self, lengths: tuple[int, int] = (8, 32), symbols: int = 64, tokens: int = 64
    ) -> None:
        low, high = two_whole("lengths", lengths, "(shortest, longest)", least=2)
        whole(1, symbols=symbols, tokens=tokens)
        if not low <= high <= symbols:
            raise ValueError(
                f"lengths run upwards from 2 or more to {symbols}, the number of "
                f"symbols, not from {low} to {high}; give shorter blocks, or more "
                "symbols"
            )
        if tokens <= high:
            raise ValueError(
                f"{tokens} tokens leave nothing to ask for after a block of {high}; "
                f"give {high + 1} or more"
            )
        self.lengths, self.symbols, self.tokens = (low, high), symbols, tokens
        self.n_source = self.n_target = symbols + 1

    def _draw(self, count: int, generator: torch.Generator) -> Questions:
        low, high = self.lengths
        length = torch.randint(low, high + 1, (count, 1), generator=generator)
        order = torch.rand(count, self.symbols, generator=generator).argsort(dim=1)
        place = torch.arange(self.tokens + 1)
        sequence = 1 + order.gather(1, place % length)
        source, following = sequence[:, :-1], sequence[:, 1:]
        return Questions(source, following.where(place[:-1] >= length, 0))

    def _sizes(self) -> str:
        low, high = self.lengths
        return f"blocks of {low} to {high} of {self.symbols} symbols"
