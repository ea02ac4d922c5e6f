"""Handwritten digits, which come with scikit-learn: nothing is downloaded."""

from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from qkv.data.kinds import Images
from qkv.data.pictures.collection import ImageCollection, taking_turns

__all__ = ["Digits"]

DIGIT = 8  # pixels, high and wide
HELD_OUT = 500


class Digits(ImageCollection):
    """Handwritten digits, from scikit-learn.

    500 of the 1,797, 50 of each class, are held out: the same ones always. The others
    are in an order in which the classes take turns, so that the first 100 have 10 of
    each class, and the first 1,000 have 100.

    Notes
    -----
    The test set of E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten
    Digits" (1998), UCI Machine Learning Repository. Who wrote which digit is not known,
    so that a writer may be on both sides of the split.

    Examples
    --------
    >>> digits = Digits()
    >>> digits  # doctest: +NORMALIZE_WHITESPACE
    Digits: Handwritten digits, from scikit-learn; 10 classes, 8 × 8 pixels;
    1,297 images to train on, 500 held out
    >>> digits.held_out.labels.bincount()
    tensor([50, 50, 50, 50, 50, 50, 50, 50, 50, 50])
    >>> next(digits.batches(batch_size=7, seed=0))
    Images(7 of 1 × 8 × 8)
    """

    def __init__(self) -> None:
        from sklearn.datasets import load_digits  # takes a second, and few need it

        found: Any = load_digits()  # a Bunch, whose fields have no types
        pixels = torch.from_numpy(found.images).float().unsqueeze(1) / 16
        every = Images(pixels, torch.from_numpy(found.target).long())
        order, turns = taking_turns(every.labels)
        every = every[order[turns.argsort(stable=True)]]
        names = map(str, found.target_names)
        super().__init__(tuple(names), every[HELD_OUT:], every[:HELD_OUT])


def square(
    corners: Int[Tensor, "*batch 2"], side: int, width: int
) -> Int[Tensor, "*batch pixel"]:
    """Return the indices of a square's pixels in an image flattened by rows."""
    offsets = torch.arange(side)
    within = (offsets[:, None] * width + offsets).flatten()
    row, column = corners.unbind(-1)
    return (row * width + column)[..., None] + within
