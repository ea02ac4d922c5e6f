"""A sequence is to be said backwards."""

import torch

from qkv._checks import whole
from qkv.data.kinds import Questions
from qkv.data.tasks import Task

__all__ = ["Reversal"]


class Reversal(Task):
    """Say a sequence backwards.

    Every token of the answer depends on where a token stands, and on nothing else.

    Parameters
    ----------
    length : how many tokens a sequence has.
    symbols : how many different ones there are, each as likely as any other.

    Raises
    ------
    ValueError
        If a size is below 1.

    Examples
    --------
    >>> asked = Reversal(length=5).sample(1, seed=0)
    >>> asked.source, asked.target
    (tensor([[ 5, 10,  4,  1,  4]]), tensor([[ 4,  1,  4, 10,  5]]))

    Who sees which symbols there are, but not where, does best by always naming the
    most frequent one. With 16 tokens of 10 symbols that is right so often:

    >>> source = Reversal().sample(100_000, seed=0).source
    >>> most = torch.nn.functional.one_hot(source).sum(dim=1).amax(dim=1)
    >>> f"{most.float().mean() / 16:.3f}"
    '0.236'
    """

    def __init__(self, length: int = 16, symbols: int = 10) -> None:
        whole(1, length=length, symbols=symbols)
        self.length, self.symbols = length, symbols
        self.n_source = self.n_target = symbols + 1

    def _draw(self, count: int, generator: torch.Generator) -> Questions:
        size = (count, self.length)
        source = torch.randint(1, self.symbols + 1, size, generator=generator)
        return Questions(source, target=source.flip(1))

    def _sizes(self) -> str:
        return f"{self.length} tokens of {self.symbols} symbols"
