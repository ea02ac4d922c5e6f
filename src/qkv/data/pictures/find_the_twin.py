"""Every black digit has a coloured twin somewhere: what colour is it?"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv._checks import one_of, two_whole, whole
from qkv.data.kinds import Images
from qkv.data.pictures.digits import DIGIT, Digits, square
from qkv.data.pictures.shapes import COLOURS, inks
from qkv.data.pictures.twins import BLACK, CELL, Twins
from qkv.data.streams import Drawing, about

__all__ = ["FindTheTwin", "Piece"]

SLOTS = 3  # a row and a column of them
PITCH = DIGIT + 1  # from a slot to the next: a digit may be shifted by a pixel


@dataclass(frozen=True)
class Piece:
    """A digit of a scene that is made by hand.

    Parameters
    ----------
    digit : its class, 0 to 9.
    colour : "black", or one of the task's colours.
    slot : (row, column) of its slot, counted from 0.
    writing : which of the handwritten ones of this class, counted from 0.
    shift : (down, right), 0 or 1 pixel each.
    """

    digit: int
    colour: str
    slot: tuple[int, int]
    writing: int = 0
    shift: tuple[int, int] = (0, 0)


class FindTheTwin(Drawing[Twins]):
    """Say of every black digit which colour its twin has, wherever that is.

    Handwritten digits lie in 3 × 3 slots of a white picture, each shifted by a pixel or
    not: black ones of different classes, and as many of the same classes in different
    colours. No two of a picture are the same drawing. Guessing is right once in 4
    times; who knows which colours are there, and no more, once in ``pairs`` times.

    Parameters
    ----------
    kinds : how many classes there are, from ``pairs`` to 10: 0, 1, ….
    pairs : how many black digits a picture has, 1 to 4.

    Attributes
    ----------
    digits : the handwriting, of which some is held out.
    colours : the names of the colours, in the order of their numbers.
    inks : "colour 3", what each of them takes away of white: red, green and blue.
    size : pixels, high and wide.
    grid : cells, high and wide, of ``cell`` pixels each.

    Raises
    ------
    ValueError
        If there are not 1 to 4 pairs, or there are fewer kinds than pairs, or more than
        10.
    TypeError
        If a number is not whole.

    Examples
    --------
    >>> task = FindTheTwin()
    >>> task  # doctest: +NORMALIZE_WHITESPACE
    FindTheTwin: Say of every black digit which colour its twin has, wherever that is;
    3 pairs of 10 kinds, 4 colours, 28 × 28 pixels
    >>> twins = task.sample(5, seed=0, held_out=True)
    >>> [task.colours[number] for number in twins.answers[0]]
    ['blue', 'green', 'red']
    """

    colours = tuple(COLOURS)
    inks = 1 - torch.tensor([*COLOURS.values()])
    size = SLOTS * PITCH + 1
    cell = CELL
    grid = size // CELL

    def __init__(self, kinds: int = 10, *, pairs: int = 3) -> None:
        kinds, pairs = whole(1, kinds=kinds, pairs=pairs).values()
        self.digits = Digits()
        most = len(COLOURS), len(self.digits.names)
        if not pairs <= most[0]:
            raise ValueError(
                f"pairs = {pairs}, but the twins of a picture have different colours, "
                f"and there are {most[0]}; choose 1 to {most[0]}"
            )
        if not pairs <= kinds <= most[1]:
            raise ValueError(
                f"kinds = {kinds}, but {pairs} pairs need as many different kinds, and "
                f"there are {most[1]}; choose {pairs} to {most[1]}"
            )
        self.kinds, self.pairs = kinds, pairs
        self.names = self.digits.names[:kinds]

    def sample(self, count: int, *, seed: int, held_out: bool = False) -> Twins:
        """Return ``count`` pictures, the same for the same seed.

        With ``held_out`` they are of held-out handwriting alone, else of the other.

        Raises
        ------
        ValueError
            If ``count`` is below 1.
        """
        whole(1, count=count)
        generator = torch.Generator().manual_seed(seed)
        return self._of(self._writing(held_out), count, generator)

    def scene(self, pieces: Sequence[Piece], *, held_out: bool = False) -> Twins:
        """Return one picture that is made by hand.

        A black digit may have no twin, or several: it has no answer then, and is not
        asked.

        Raises
        ------
        ValueError
            If two lie in one slot, none is black, or a slot, colour, digit, handwriting
            or shift is none that there is.
        TypeError
            If one of their numbers is not whole.

        Examples
        --------
        >>> task = FindTheTwin()
        >>> asks, twin = Piece(3, "black", (0, 0)), Piece(3, "blue", (2, 1), writing=7)
        >>> twins = task.scene([asks, twin, Piece(5, "red", (1, 1))])
        >>> twins, [task.colours[number] for number in twins.answers[0]]
        (Twins(1 of 3 × 28 × 28, 1 question each), ['blue'])
        """
        writing = self._writing(held_out)
        taken: dict[tuple[int, int], Piece] = {}
        for piece in (self._fitting(piece, writing) for piece in pieces):
            if piece.slot in taken:
                raise ValueError(
                    f"slot {piece.slot} has the {_called(taken[piece.slot])} and the "
                    f"{_called(piece)}; there is room for one digit, so move one of "
                    "them to another slot"
                )
            taken[piece.slot] = piece
        if not any(piece.colour == "black" for piece in taken.values()):
            raise ValueError(
                "no digit is black, so that nothing is asked; make at least one black"
            )
        return self._made([*taken.values()], writing)

    def _fitting(self, piece: Piece, writing: Images) -> Piece:
        """Return a piece in Python's own numbers; refuse one that cannot be drawn."""
        one_of("colour", piece.colour, ("black", *COLOURS), who="the digits have")
        digit = _below(len(self.names), "digit", piece.digit)
        there = int((writing.labels == digit).sum())
        which = _below(there, f"writing of digit {digit}", piece.writing)
        slot = two_whole("slot", piece.slot, "(row, column)", least=0)
        shift = two_whole("shift", piece.shift, "(down, right)", least=0)
        for way, at, by in zip(("row", "column"), slot, shift, strict=True):
            _below(SLOTS, f"{way} of a slot", at)
            _below(2, f"shift of the {way}", by)
        return Piece(digit, piece.colour, slot, which, shift)

    def _made(self, pieces: list[Piece], writing: Images) -> Twins:
        numbers = {name: number for number, name in enumerate(COLOURS)}
        pieces = sorted(pieces, key=lambda piece: piece.colour != "black")
        kinds = torch.tensor([[piece.digit for piece in pieces]])
        places = torch.tensor([[piece.slot for piece in pieces]])
        shifts = torch.tensor([[piece.shift for piece in pieces]])
        colours = [[numbers.get(piece.colour, BLACK) for piece in pieces]]
        which = torch.tensor([[piece.writing for piece in pieces]])
        order, starts, _ = _by_class(writing.labels)
        ink = writing.pixels[order[starts[kinds] + which]]
        corners = PITCH * places + shifts
        return self._drawn(ink, corners, kinds, torch.tensor(colours))

    def _draw(self, count: int, generator: torch.Generator) -> Twins:
        return self._of(self.digits.train, count, generator)

    def _writing(self, held_out: bool) -> Images:
        return self.digits.held_out if held_out else self.digits.train

    def _of(self, writing: Images, count: int, generator: torch.Generator) -> Twins:
        def some_of(total: int, chosen: int) -> Tensor:
            shuffled = torch.rand(count, total, generator=generator).argsort(1)
            return shuffled[:, :chosen]

        kinds = some_of(self.kinds, self.pairs)
        colours = some_of(len(COLOURS), self.pairs)
        slots = some_of(SLOTS**2, 2 * self.pairs)
        places = torch.stack([slots // SLOTS, slots % SLOTS], -1)
        shifts = torch.randint(2, places.shape, generator=generator)
        ink = writing.pixels[_two_of_each(kinds, writing.labels, generator)]
        return self._drawn(
            ink,
            PITCH * places + shifts,
            kinds.repeat(1, 2),
            torch.cat([torch.full_like(colours, BLACK), colours], 1),
        )

    def _drawn(
        self,
        ink: Float[Tensor, "image digit 1 8 8"],
        corners: Int[Tensor, "image digit 2"],
        kinds: Int[Tensor, "image digit"],
        colours: Int[Tensor, "image digit"],
    ) -> Twins:
        taken = torch.cat([inks(), torch.ones(1, 3)])[colours]  # BLACK: the last row
        paint = taken[..., None] * ink.flatten(2).unsqueeze(2)
        there = square(corners, DIGIT, self.size)[:, :, None].expand_as(paint)
        paper = torch.ones(len(ink), 3, self.size**2)
        paint, there = (x.transpose(1, 2).flatten(2) for x in (1 - paint, there))
        pixels = paper.scatter(2, there, paint).unflatten(2, (self.size, self.size))
        return Twins(pixels, corners, kinds, colours)

    def __repr__(self) -> str:
        """Say what is asked, and of what."""
        pairs = "1 pair" if self.pairs == 1 else f"{self.pairs} pairs"
        return (
            f"{about(self)}; {pairs} of {self.kinds} kinds, {len(COLOURS)} colours, "
            f"{self.size} × {self.size} pixels"
        )


def _by_class(
    labels: Int[Tensor, " writing"],
) -> tuple[Int[Tensor, " writing"], Int[Tensor, " kind"], Int[Tensor, " kind"]]:
    """Return an order by class, and in it where each class starts and its number."""
    counts = labels.bincount()
    return labels.argsort(stable=True), counts.cumsum(0) - counts, counts


def _two_of_each(
    kinds: Int[Tensor, "image pair"],
    labels: Int[Tensor, " writing"],
    generator: torch.Generator,
) -> Int[Tensor, "image digit"]:
    """Return one drawing of each kind, then another one of each."""
    order, starts, counts = _by_class(labels)

    def below(numbers: Tensor) -> Tensor:
        # in float64, where a number below 1 times n is below n
        drawn = torch.rand(kinds.shape, generator=generator, dtype=torch.float64)
        return (drawn * numbers).long()

    first = below(counts[kinds])
    other = (first + 1 + below(counts[kinds] - 1)) % counts[kinds]
    return order[starts[kinds].repeat(1, 2) + torch.cat([first, other], 1)]


def _below(total: int, name: str, given: int) -> int:
    (number,) = whole(0, **{name: given}).values()
    if number >= total:
        raise ValueError(
            f"the {name} is {number}, but there are {total}, counted from 0; choose 0 "
            f"to {total - 1}"
        )
    return number


def _called(piece: Piece) -> str:
    return f"{piece.colour} {piece.digit}"
