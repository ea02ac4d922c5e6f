"""What several exercises of chapter 10 are made of."""

import torch
from jaxtyping import Float
from torch import Tensor

COLUMNS_FIRST = (
    "the places go down the first column, then the second; they are to be read as a "
    "page is, row by row. On a square grid every shape is the same, and each map is "
    "drawn transposed"
)
ONE_AXIS_MOVED = (
    "the channels have been moved past the rows alone: what a place gets is a strip of "
    "one row, of several channels. They go to the end, behind rows and columns"
)
OVER_EACH_ROW = (
    "the softmax runs over each row of the grid alone, so that every row sums to 1. "
    "All cells compete, of all rows and columns together"
)
OVER_EACH_COLUMN = (
    "the softmax runs over each column of the grid alone, so that every column sums "
    "to 1. All cells compete, of all rows and columns together"
)
OVER_THE_PICTURES = (
    "the softmax runs over the pictures of the batch (dim=0); the places of one "
    "picture compete"
)
EVENLY = (
    "the context is the plain mean of the cells, whatever the weights are: that is the "
    "average which was to be taken away"
)
ANOTHER_ORDER = (
    "the weights are right, but the cells have been put into another order than the "
    "weights, column by column: each cell has got the weight of another one"
)


def by_place(features: Float[Tensor, "*batch channel row column"]) -> Tensor:
    """The cells in the order in which a page is read, each with its channels."""
    return features.flatten(-2).mT


def viewed(features: Tensor) -> Tensor:
    """The numbers as they stand in memory: channels that act as places."""
    batch, channels = features.shape[:2]
    return features.reshape(batch, -1, channels)


def columns_first(features: Tensor) -> Tensor:
    return features.mT.flatten(-2).mT


def one_axis_moved(features: Tensor) -> Tensor:
    batch, channels = features.shape[:2]
    return features.transpose(1, 2).reshape(batch, -1, channels)


def additive(s: Tensor, grid: Tensor, W: Tensor, U: Tensor, v: Tensor) -> Tensor:
    """The score of each place; s has an axis for the places, of size 1."""
    return torch.tanh(s @ W.mT + grid @ U.mT) @ v
