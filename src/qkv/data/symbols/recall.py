"""A key is asked for, and its value is to be found."""

import torch

from qkv._checks import whole
from qkv.data.kinds import Questions
from qkv.data.tasks import Task

__all__ = ["AssociativeRecall"]


class AssociativeRecall(Task):
    """Find the pair that a key is in, and name its value.

    A token is a pair, (key, value); the last token is the question, (key, 0). The keys
    of a sequence differ, the values are drawn freely, and every pair is as likely to
    be asked for. Guessing is right once in ``values`` times.

    Parameters
    ----------
    pairs : how many pairs come before the question.
    keys, values : how many different ones there are.

    Raises
    ------
    ValueError
        If a size is below 1, or there are fewer keys than pairs.

    Examples
    --------
    >>> recall = AssociativeRecall(pairs=3, keys=5, values=4)
    >>> asked = recall.sample(1, seed=2)
    >>> asked.source
    tensor([[[2, 4],
             [4, 3],
             [1, 4],
             [1, 0]]])
    >>> asked.target
    tensor([4])
    """

    def __init__(self, pairs: int = 16, keys: int = 64, values: int = 16) -> None:
        whole(1, pairs=pairs, keys=keys, values=values)
        if pairs > keys:
            raise ValueError(
                f"{pairs} pairs need as many different keys, and there are {keys}; "
                "give more keys, or fewer pairs"
            )
        self.pairs, self.keys, self.values = pairs, keys, values
        self.n_source = (keys + 1, values + 1)
        self.n_target = values + 1

    def _draw(self, count: int, generator: torch.Generator) -> Questions:
        order = torch.rand(count, self.keys, generator=generator).argsort(dim=1)
        keys = order[:, : self.pairs] + 1
        values = torch.randint(
            1, self.values + 1, order[:, : self.pairs].shape, generator=generator
        )
        asked = torch.randint(self.pairs, (count, 1), generator=generator)
        question = torch.stack([keys.gather(1, asked), torch.zeros_like(asked)], dim=-1)
        source = torch.cat([torch.stack([keys, values], dim=-1), question], dim=1)
        return Questions(source, target=values.gather(1, asked).squeeze(1))

    def _sizes(self) -> str:
        return f"{self.pairs} pairs of {self.keys} keys and {self.values} values"
