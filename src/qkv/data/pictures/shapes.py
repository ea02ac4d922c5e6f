"""Coloured shapes as numbers: how much of each pixel is covered, and of what ink."""

from collections.abc import Callable, Sequence
from math import pi

import torch
from jaxtyping import Bool, Float
from torch import Tensor

SIDE = 8  # pixels, high and wide
FINE = 16  # points a pixel, down and across, of which each lies inside or outside

# what each colour leaves of white paper: red, green, blue
COLOURS = {
    "red": (0.85, 0.15, 0.15),
    "yellow": (0.95, 0.80, 0.10),
    "green": (0.10, 0.60, 0.30),
    "blue": (0.15, 0.35, 0.85),
}

# True where a point lies inside. x runs from -1 at the left to 1, y from -1 at the top.
# They differ in more than corners: a square no larger than the circle is taken for one.
_Inside = Callable[[Tensor, Tensor], Bool[Tensor, "y x"]]


def _circle(x: Tensor, y: Tensor) -> Tensor:
    return torch.hypot(x, y) <= 0.80


def _star(x: Tensor, y: Tensor) -> Tensor:
    outer, inner, tenth = 1.05, 0.48, torch.tensor(pi / 5)
    r, angle = torch.hypot(x, y), torch.atan2(x, -y)  # from the top
    angle = (angle.remainder(2 * tenth) - tenth).abs()  # 0 halfway between two points
    across, along = r * angle.sin(), r * angle.cos()
    # the side runs from the notch (0, inner) to the point (tip, foot)
    tip, foot = outer * tenth.sin(), outer * tenth.cos()
    return tip * (along - inner) <= across * (foot - inner)


def _moon(x: Tensor, y: Tensor) -> Tensor:
    return (torch.hypot(x, y) <= 0.92) & (torch.hypot(x - 0.42, y) > 0.72)


def _square(x: Tensor, y: Tensor) -> Tensor:
    return torch.maximum(x.abs(), y.abs()) <= 0.94


def _triangle(x: Tensor, y: Tensor) -> Tensor:
    return (y <= 0.85) & (x.abs() <= 0.55 * (y + 0.90))


def _ring(x: Tensor, y: Tensor) -> Tensor:
    r = torch.hypot(x, y)
    return (r >= 0.50) & (r <= 0.95)


SHAPES: dict[str, _Inside] = {
    "circle": _circle,
    "star": _star,
    "moon": _moon,
    "square": _square,
    "triangle": _triangle,
    "ring": _ring,
}


def templates(sizes: Sequence[float]) -> Float[Tensor, "shape size height width"]:
    """Return how much of each pixel each shape covers, from 0 to 1.

    Examples
    --------
    >>> circle = templates([1.0])[0, 0]
    >>> circle.shape, circle[0, 0].item(), circle[3, 3].item()
    (torch.Size([8, 8]), 0.0, 1.0)
    """
    points = (torch.arange(SIDE * FINE) + 0.5) / (SIDE * FINE) * 2 - 1
    y, x = torch.meshgrid(points, points, indexing="ij")
    fine = [[inside(x / s, y / s) for s in sizes] for inside in SHAPES.values()]
    every = torch.stack([torch.stack(of_shape) for of_shape in fine]).float()
    return every.unflatten(3, (SIDE, FINE)).unflatten(2, (SIDE, FINE)).mean((3, 5))


def inks() -> Float[Tensor, "colour channel"]:
    """Return what each colour takes away from white."""
    return 1 - torch.tensor([*COLOURS.values()])
