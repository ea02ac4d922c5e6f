"""Images of known classes, some of them held out."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn.functional import one_hot

from qkv._checks import whole
from qkv.data.kinds import Images
from qkv.data.streams import about, passes

__all__ = ["ImageCollection"]


class ImageCollection:
    """Images of known classes, some of them held out.

    ``train`` is what :meth:`batches` draws from, in an order shuffled anew for each
    pass; ``held_out`` is never drawn. ``names`` says what each class is called.
    """

    def __init__(self, names: Sequence[str], train: Images, held_out: Images) -> None:
        self.names, self.train, self.held_out = tuple(names), train, held_out

    def batches(
        self, *, batch_size: int = 64, seed: int, count: int | None = None
    ) -> Iterator[Images]:
        """Return an endless stream of batches of ``train``, the same for the same seed.

        The last batch of a pass is smaller where ``batch_size`` does not divide. With
        ``count`` only the first so many images of ``train`` are drawn.

        Raises
        ------
        ValueError
            If ``batch_size`` is below 1, or ``count`` not from 1 to the number there
            are.
        """
        there = len(self.train)
        count = there if count is None else count
        whole(1, batch_size=batch_size)
        whole(0, count=count)
        if not 1 <= count <= there:
            raise ValueError(f"count is {count}, but runs from 1 to {there}")
        drawn = passes(count, batch_size=batch_size, seed=seed)
        return (self.train[rows] for rows in drawn)

    def __repr__(self) -> str:
        """Say what the images are, and how many."""
        size = " × ".join(map(str, self.train.pixels.shape[2:]))
        return (
            f"{about(self)}; {len(self.names)} classes, "
            f"{size} pixels; {len(self.train):,} images to train on, "
            f"{len(self.held_out):,} held out"
        )


def taking_turns(
    labels: Int[Tensor, " image"],
) -> tuple[Int[Tensor, " image"], Int[Tensor, " image"]]:
    """Return an order, always the same, and each one's turn among its class, from 1."""
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(labels), generator=generator)
    shuffled = labels[order]
    turns = one_hot(shuffled).cumsum(0).gather(1, shuffled[:, None]).squeeze(1)
    return order, turns
