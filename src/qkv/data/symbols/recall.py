"""A name is asked for, and its drawer is to be found."""

import torch

from qkv._checks import whole
from qkv.data.kinds import Questions
from qkv.data.tasks import Task

__all__ = ["AssociativeRecall"]


class AssociativeRecall(Task):
    """Find the pair that a name is in, and say its drawer.

    A token is a pair, (name, drawer): where a thing is kept. The last token is the
    question, (name, 0). The names of a sequence differ, the drawers are drawn freely,
    and every pair is as likely to be asked for. Guessing is right once in ``drawers``
    times.

    Parameters
    ----------
    pairs : how many pairs come before the question.
    names, drawers : how many different ones there are.

    Raises
    ------
    ValueError
        If a size is below 1, or there are fewer names than pairs.

    Examples
    --------
    >>> recall = AssociativeRecall(pairs=3, names=5, drawers=4)
    >>> asked = recall.sample(1, seed=2)
    >>> asked.source
    tensor([[[2, 4],
             [4, 3],
             [1, 4],
             [1, 0]]])
    >>> asked.target
    tensor([4])
    """

    def __init__(self, pairs: int = 16, names: int = 64, drawers: int = 16) -> None:
        whole(1, pairs=pairs, names=names, drawers=drawers)
        if pairs > names:
            raise ValueError(
                f"{pairs} pairs need as many different names, and there are {names}; "
                "give more names, or fewer pairs"
            )
        self.pairs, self.names, self.drawers = pairs, names, drawers
        self.n_source = (names + 1, drawers + 1)
        self.n_target = drawers + 1

    def _draw(self, count: int, generator: torch.Generator) -> Questions:
        order = torch.rand(count, self.names, generator=generator).argsort(dim=1)
        names = order[:, : self.pairs] + 1
        drawers = torch.randint(1, self.drawers + 1, names.shape, generator=generator)
        asked = torch.randint(self.pairs, (count, 1), generator=generator)
        question = torch.stack(
            [names.gather(1, asked), torch.zeros_like(asked)], dim=-1
        )
        source = torch.cat([torch.stack([names, drawers], dim=-1), question], dim=1)
        return Questions(source, target=drawers.gather(1, asked).squeeze(1))

    def _sizes(self) -> str:
        return f"{self.pairs} pairs of {self.names} names and {self.drawers} drawers"
