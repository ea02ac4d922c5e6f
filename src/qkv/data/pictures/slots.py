"""A page written slot by slot, as a colour and a shape: tokens that nobody learns."""

from collections.abc import Sequence
from itertools import product

import torch
from jaxtyping import Int
from torch import Tensor

from qkv._checks import indices, one_of
from qkv.data.pictures.captions import Scene, Thing
from qkv.data.pictures.scenes import Scenes
from qkv.data.pictures.shapes import COLOURS, SHAPES

__all__ = ["Slots"]

ORDERS = ("colour", "shape")
_COLOURS, _SHAPES = ("", *COLOURS), ("", *SHAPES)


class Slots:
    """Write what stands in each slot as two tokens, a colour and a shape.

    It is the control to tokens that are learned: the same pages, but each token means
    one thing. A picture is read by the rule of :meth:`Scenes.see`. The tokens of a slot
    stand beside each other: there are twice as many columns as slots.

    Parameters
    ----------
    world : whose pages they are.
    first : which of the two is written first.

    Attributes
    ----------
    n_codes : how many tokens there are; the first of the colours, and of the shapes, is
        that of an empty slot.
    grid : rows and columns of tokens.

    Raises
    ------
    ValueError
        If ``first`` is neither "colour" nor "shape".

    Examples
    --------
    >>> slots = Slots(Scenes(slots=2, jitter=0, sizes=(1.0,), most=4))
    >>> scene = slots.world.scene({(0, 1): "red circle"})
    >>> tokens = slots.tokens(slots.world.ask([scene]).pixels)
    >>> tokens.tolist()
    [[[0, 5, 1, 6], [0, 5, 0, 5]]]
    >>> slots.scenes(tokens)[0] == scene
    True
    """

    n_codes = len(_COLOURS) + len(_SHAPES)

    def __init__(self, world: Scenes, *, first: str = "colour") -> None:
        """Keep the world, and what is written first."""
        one_of("first", first, ORDERS, who="a slot has")
        self.world, self.first = world, first
        self.grid = world.slots, 2 * world.slots
        self._meant = {self._pair(*name): name for name in product(COLOURS, SHAPES)}

    def tokens(self, pixels: Tensor) -> Int[Tensor, "batch row column"]:
        """Return the tokens of pictures.

        Raises
        ------
        ValueError, TypeError
            As :meth:`Scenes.see`.
        """
        return torch.tensor([self._written(scene) for scene in self.world.see(pixels)])

    def scenes(self, tokens: Int[Tensor, "batch row column"]) -> list[Scene]:
        """Return what tokens say; a slot of which one is empty, or astray, is empty.

        Raises
        ------
        ValueError
            If there are not two tokens for each slot.
        TypeError
            If tokens are no tensor of whole numbers.
        """
        indices("tokens", tokens)
        if tokens.ndim != 3 or tuple(tokens.shape[1:]) != self.grid:
            raise ValueError(
                f"tokens have the shape {tuple(tokens.shape)}, but are wanted as "
                f"(batch, row, column) with row, column = {self.grid}: two for each "
                "slot"
            )
        return [self._read(rows) for rows in tokens.unflatten(2, (-1, 2)).tolist()]

    def _written(self, scene: Scene) -> list[list[int]]:
        empty, every = self._pair("", ""), range(self.world.slots)
        there = {(t.row, t.column): self._pair(t.colour, t.shape) for t in scene.things}
        return [[x for c in every for x in there.get((r, c), empty)] for r in every]

    def _pair(self, colour: str, shape: str) -> tuple[int, ...]:
        pair = _COLOURS.index(colour), len(_COLOURS) + _SHAPES.index(shape)
        return pair if self.first == "colour" else pair[::-1]

    def _read(self, rows: Sequence[Sequence[Sequence[int]]]) -> Scene:
        return Scene(
            tuple(
                Thing(*self._meant[tuple(pair)], row, column)
                for row, pairs in enumerate(rows)
                for column, pair in enumerate(pairs)
                if tuple(pair) in self._meant
            )
        )
