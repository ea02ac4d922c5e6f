"""How far a place sees: by arithmetic, and by what its gradient reaches."""

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from qkv._checks import height_and_width, two_whole, whole
from qkv._models import in_mode


def receptive_field(layers: Sequence[tuple[int, ...]]) -> int:
    r"""Return how many pixels, in a row, one place of the last layer sees.

    .. math:: r_l = r_{l-1} + d_l (k_l - 1) \prod_{m < l} s_m, \qquad r_0 = 1

    Padding makes a picture larger, and a place sees no more for it.

    Parameters
    ----------
    layers : (kernel, stride) of each layer, the first first, or (kernel, stride,
        dilation). A pooling is one like any other: (2, 2).

    Raises
    ------
    ValueError
        If a layer is not of two or three numbers, or one is below 1.
    TypeError
        If a number is not whole.

    Notes
    -----
    A pool with a stride as large as its kernel sees each pixel once; where a stride is
    larger than what is seen, some pixels between are seen by nobody.

    Examples
    --------
    >>> receptive_field([(3, 1), (2, 2), (3, 1), (2, 2), (3, 1)])
    18
    >>> receptive_field([(3, 1, 1), (3, 1, 2), (3, 1, 3)])
    13
    """
    sees, apart = 1, 1
    for layer in layers:
        sizes = tuple(layer) if isinstance(layer, Iterable) else (layer,)
        if len(sizes) not in (2, 3):
            raise ValueError(
                f"a layer is {layer}, but is (kernel, stride) or (kernel, stride, "
                "dilation)"
            )
        named = zip(("kernel", "stride", "dilation"), (*sizes, 1), strict=False)
        kernel, stride, dilation = whole(1, **dict(named)).values()
        sees += dilation * (kernel - 1) * apart
        apart *= stride
    return sees


def seen_by(
    module: nn.Module,
    size: tuple[int, int],
    place: tuple[int, int],
    *,
    channels: int = 3,
    draws: int = 16,
) -> Bool[Tensor, "height width"]:
    """Return the pixels that can change what a module says at one place.

    They are those that a gradient from there reaches, in one of several random
    pictures: where a ReLU or the largest of a square lets nothing pass in one, it does
    in another. (What lets nothing pass in any of them is not found.) The module is in
    evaluation mode: in training a batch norm shows every place all pixels.

    Parameters
    ----------
    module : any that maps "batch channel height width" to "batch channel row column".
    size : height and width of a picture.
    place : row and column in what it returns.
    channels : the channels of a picture.
    draws : how many pictures are tried.

    Raises
    ------
    ValueError
        If the module returns no pictures, or has no such place.
    TypeError
        If a number is not whole.

    Examples
    --------
    >>> seen = seen_by(nn.Conv2d(1, 1, 3, padding=1), (5, 6), (0, 2), channels=1)
    >>> seen.int()
    tensor([[0, 1, 1, 1, 0, 0],
            [0, 1, 1, 1, 0, 0],
            [0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0]], dtype=torch.int32)
    >>> extent(seen)
    (0, 1, 2, 4)
    """
    height_and_width(size=size)
    whole(1, channels=channels, draws=draws)
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randn(draws, channels, *size, generator=generator)
    pictures = pictures.to(next(module.parameters(), pictures))
    pictures.requires_grad_()
    with in_mode(module, training=False), torch.enable_grad():
        said = _at(module(pictures), place)
        weights = torch.randn(said.shape, generator=generator).to(said)
        (gradient,) = torch.autograd.grad((weights * said).sum(), pictures)
    return (gradient != 0).any(0).any(0)


def extent(seen: Bool[Tensor, "height width"]) -> tuple[int, int, int, int]:
    """Return the box around what is seen: (top, left, bottom, right).

    Bottom and right are the first row and column below it and beside it.

    Raises
    ------
    ValueError
        If nothing is seen.
    """
    if not seen.any():
        raise ValueError("no pixel is seen, so that there is no box around them")
    rows, columns = (seen.any(axis).nonzero().flatten() for axis in (1, 0))
    first, last = (int(rows[0]), int(columns[0])), (int(rows[-1]), int(columns[-1]))
    return *first, last[0] + 1, last[1] + 1


def _at(output: Tensor, place: tuple[int, int]) -> Tensor:
    """Return what is said at a place of all pictures."""
    if output.ndim != 4:
        raise ValueError(
            f"the module returns {tuple(output.shape)}, but is to return pictures, "
            "'batch channel row column'; leave out what comes after them"
        )
    rows, columns = output.shape[-2:]
    row, column = two_whole("place", place, "(row, column)", least=0)
    if not (0 <= row < rows and 0 <= column < columns):
        raise ValueError(
            f"place is {place}, but the module returns {rows} rows and {columns} "
            "columns, counted from 0"
        )
    return output[..., row, column]
