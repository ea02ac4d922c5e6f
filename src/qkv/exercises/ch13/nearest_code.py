"""The number of the code vector that is nearest to each vector of a grid."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def _by_place(z):
    """The channels of each place last: (batch, row, column, d_code)."""
    return z.permute(0, 2, 3, 1)


def _distance(z, codes):
    """The squared distance of each vector to each code vector."""
    return (z[..., None, :] - codes).square().sum(-1)


def _nearest(
    z: Tensor,
    codes: Tensor,
    *,
    laid_out: Callable = _by_place,
    far: Callable = _distance,
) -> Tensor:
    return far(laid_out(z), codes).argmin(-1)


def nearest_code(
    z: Float[Tensor, "batch d_code row column"], codes: Float[Tensor, "code d_code"]
) -> Int[Tensor, "batch row column"]:
    return _nearest(z, codes)


def _viewed(z):
    """The numbers as they stand in memory, so that one channel's places are mixed."""
    batch, d_code, row, column = z.shape
    return z.reshape(batch, row, column, d_code)


def _row_of_a_channel(z):
    return z.transpose(1, 2).reshape(_viewed(z).shape)


def _products(z, codes):
    return -(z @ codes.mT)


def _angle(z, codes):
    return -(z @ (codes / codes.norm(dim=-1, keepdim=True)).mT)


def _without_two(z, codes):
    return codes.square().sum(-1) - z @ codes.mT


def _plus(z, codes):
    return codes.square().sum(-1) + 2 * z @ codes.mT


def _lengths(z, codes):
    return (z.norm(dim=-1, keepdim=True) - codes.norm(dim=-1)).abs()


def _means(z, codes):
    """The distance between the means of the numbers, not of the vectors."""
    return (z.mean(-1, keepdim=True) - codes.mean(-1)).abs()


def _differences(z, codes):
    return (z[..., None, :] - codes).sum(-1)


def _grid(batch: int, d_code: int, row: int, column: int, code: int) -> tuple:
    """Code vectors of very different lengths: then a product is no distance."""
    z = draw.normal(batch, d_code, row, column)
    lengths = torch.linspace(0.3, 1.7, code)[:, None]
    return z, lengths * draw.normal(code, d_code, seed=1)


EXERCISE = Exercise(
    id="13.3",
    title="The nearest code",
    minutes=8,
    difficulty=2,
    reference=nearest_code,
    cases={
        "as many numbers as rows and columns": partial(_grid, 5, 5, 5, 5, 7),
        "every size different": partial(_grid, 3, 2, 7, 5, 11),
        "one picture": partial(_grid, 1, 3, 5, 7, 13),
        "one number a code": partial(_grid, 2, 1, 5, 3, 7),
    },
    mistakes={
        "view": Mistake(
            "the grid has been reshaped, and the channels were not moved first. A "
            "reshape moves no number: each vector now holds neighbouring places of one "
            "channel, not all channels of one place. Put the channels last, with "
            "permute(0, 2, 3, 1) (asked about in nakosung/VQ-VAE #7 and "
            "zalandoresearch/pytorch-vq-vae #8)",
            partial(_nearest, laid_out=_viewed),
        ),
        "one axis moved": Mistake(
            "the channels have been moved past the rows alone, and then the grid was "
            "reshaped: a vector holds several places of one row. They go behind rows "
            "and columns: permute(0, 2, 3, 1)",
            partial(_nearest, laid_out=_row_of_a_channel),
        ),
        "rows and columns exchanged": Mistake(
            "rows and columns have changed places, as transpose(1, 3) does. Each "
            "picture is mirrored at its diagonal, and on a square grid no shape tells. "
            "permute(0, 2, 3, 1) keeps their order",
            partial(_nearest, laid_out=lambda z: z.transpose(1, 3)),
        ),
        "the farthest": Mistake(
            "this is the code vector that is farthest away: the smallest distance is "
            "wanted, argmin",
            partial(_nearest, far=lambda z, codes: -_distance(z, codes)),
        ),
        "dot product": Mistake(
            "the code vector with the largest dot product has been taken. It favours "
            "long code vectors, also those that are far away. The squared distance is "
            "‖z‖² − 2 z·e + ‖e‖², and ‖e‖² differs from code to code",
            partial(_nearest, far=_products),
        ),
        "smallest product": Mistake(
            "the code vector with the smallest dot product has been taken: it points "
            "away from z. A small distance is wanted, and the squared distance is "
            "‖z‖² − 2 z·e + ‖e‖²",
            partial(_nearest, far=lambda z, codes: z @ codes.mT),
        ),
        "largest angle": Mistake(
            "the code vector that points most away from z has been taken: the cosine "
            "is smallest there. A small distance is wanted, which is no angle",
            partial(_nearest, far=lambda z, codes: -_angle(z, codes)),
        ),
        "angle": Mistake(
            "the code vector that points most in the direction of z has been taken "
            "(cosine). The distance counts the length of a vector, too",
            partial(_nearest, far=_angle),
        ),
        "2 forgotten": Mistake(
            "the 2 in ‖z‖² − 2 z·e + ‖e‖² is missing: this favours short code vectors",
            partial(_nearest, far=_without_two),
        ),
        "plus for minus": Mistake(
            "the sign of the dot product is wrong: the squared distance is "
            "‖z‖² − 2 z·e + ‖e‖², with a minus",
            partial(_nearest, far=_plus),
        ),
        "lengths": Mistake(
            "only the lengths of the vectors have been compared. Subtract the vectors "
            "first, then take the length of the difference",
            partial(_nearest, far=_lengths),
        ),
        "means": Mistake(
            "only the means of the numbers have been compared. Subtract the vectors "
            "number by number, square, and then add up",
            partial(_nearest, far=_means),
        ),
        "not squared": Mistake(
            "the differences have been added up with their signs, so that they cancel "
            "out. Square each one first",
            partial(_nearest, far=_differences),
        ),
        "city blocks": Mistake(
            "the absolute differences have been added up. That is another distance; "
            "here the squares are added up",
            partial(
                _nearest, far=lambda z, codes: (z[..., None, :] - codes).abs().sum(-1)
            ),
        ),
        "largest difference": Mistake(
            "only the largest difference of each vector counts here; all numbers of a "
            "vector count, so add up their squares",
            partial(
                _nearest, far=lambda z, codes: (z[..., None, :] - codes).abs().amax(-1)
            ),
        ),
        "counted from 1": Mistake(
            "the codes have been counted from 1; tokens count from 0, like rows of the "
            "table",
            lambda z, codes: nearest_code(z, codes) + 1,
        ),
    },
    hints=(
        "each place of the grid has one vector: its numbers lie along axis 1. Bring "
        "this axis to the end; the batch, the rows and the columns keep their order.",
        "z[..., None, :] − codes has, for each place and each code, the difference of "
        "two vectors. How large is it? Which code has the smallest one?",
        "torch.cdist(z, codes) gives all distances between the rows of two matrices; "
        "argmin(-1) says which one is smallest.",
    ),
    trained=False,
)
