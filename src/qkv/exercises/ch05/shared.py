"""What several exercises of chapter 5 are made of."""

import torch
from jaxtyping import Float, Int, Real
from torch import Tensor


def rates(width: int, *, power: float = 1.0) -> Tensor:
    """How far each pair of features turns from one position to the next."""
    return 10000 ** (-power * torch.arange(0, width, 2) / width)


def woven(even: Tensor, odd: Tensor) -> Tensor:
    """The two in turns: the first of ``even``, the first of ``odd``, and so on."""
    return torch.stack([even, odd], dim=-1).flatten(-2)


def turned(x: Tensor, angles: Tensor) -> Tensor:
    """Each pair of neighbouring features turned by its angle."""
    even, odd = x[..., 0::2], x[..., 1::2]
    cos, sin = angles.cos(), angles.sin()
    return woven(even * cos - odd * sin, even * sin + odd * cos)


def halves_turned(x: Tensor, angles: Tensor) -> Tensor:
    """The same with feature i and feature i + width / 2 as a pair."""
    first, second = x.chunk(2, dim=-1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


def overwritten(x: Tensor, angles: Tensor) -> Tensor:
    """The same in place: the second of a pair is made of the new first."""
    x, cos, sin = x.clone(), angles.cos(), angles.sin()
    x[..., 0::2] = x[..., 0::2] * cos - x[..., 1::2] * sin
    x[..., 1::2] = x[..., 0::2] * sin + x[..., 1::2] * cos
    return x


def unwoven(x: Tensor) -> Tensor:
    """The first of every pair, and then the second of every pair."""
    return torch.cat([x[..., 0::2], x[..., 1::2]], dim=-1)


def mirrored(x: Tensor, angles: Tensor) -> Tensor:
    """A pair of sines and cosines after one sign has been lost."""
    even, odd = x[..., 0::2], x[..., 1::2]
    cos, sin = angles.cos(), angles.sin()
    return woven(even * cos + odd * sin, even * sin + odd * cos)


def encoded(
    positions: Real[Tensor, " token"], width: int
) -> Float[Tensor, "token d_model"]:
    angles = positions[:, None] * rates(width)
    return woven(angles.sin(), angles.cos())


def rotate(
    x: Float[Tensor, "batch token d_head"], positions: Int[Tensor, " token"]
) -> Float[Tensor, "batch token d_head"]:
    return turned(x, positions[:, None] * rates(x.shape[-1]))
