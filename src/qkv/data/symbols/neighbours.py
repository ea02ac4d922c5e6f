"""Each token is asked for the four around it."""

import torch

from qkv._checks import whole
from qkv.data.kinds import PAD, Questions
from qkv.data.tasks import Task

__all__ = ["FourNeighbours"]

NEIGHBOURS = (-3, -1, 1, 3)


class FourNeighbours(Task):
    """For each token, name those 3 before, 1 before, 1 after and 3 after it.

    Near an end some of the four do not exist; they are 0, and are not asked. Whoever
    sees only one of the four has to guess the others, right once in ``symbols`` times.

    Parameters
    ----------
    length : how many tokens a sequence has.
    symbols : how many different ones there are, each as likely as any other.

    Raises
    ------
    ValueError
        If ``length`` is below 2, so that no token has a neighbour, or ``symbols``
        below 1.

    Examples
    --------
    >>> asked = FourNeighbours(length=5).sample(1, seed=0)
    >>> asked.source
    tensor([[ 5, 10,  4,  1,  4]])
    >>> asked.target[0, 1]
    tensor([0, 5, 4, 4])
    """

    def __init__(self, length: int = 16, symbols: int = 10) -> None:
        whole(2, length=length)
        whole(1, symbols=symbols)
        self.length, self.symbols = length, symbols
        self.n_source = self.n_target = symbols + 1

    def _draw(self, count: int, generator: torch.Generator) -> Questions:
        size = (count, self.length)
        source = torch.randint(1, self.symbols + 1, size, generator=generator)
        edge = max(NEIGHBOURS)
        padded = torch.nn.functional.pad(source, (edge, edge), value=PAD)
        there = [padded[:, edge + n : edge + n + self.length] for n in NEIGHBOURS]
        return Questions(source, target=torch.stack(there, dim=-1))

    def _sizes(self) -> str:
        return f"{self.length} tokens of {self.symbols} symbols"
