"""Black digits that ask for their coloured twins: what is asked, cell by cell."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from qkv._checks import whole
from qkv.data.kinds import OfClasses, Rows, some_rows
from qkv.data.pictures.digits import DIGIT, square
from qkv.data.streams import passes

__all__ = ["Cells", "Twins"]

CELL = 4  # pixels, high and wide: what one place of the grid stands for
BLACK = -1  # the colours are counted from 0
COLOURS = 4
NOT_ASKED = -100  # torch's own


@dataclass(frozen=True, eq=False)
class Cells(OfClasses):
    """Pictures or grids, and what is asked about some of their cells: a batch.

    A target of -100 is not asked. A model answers with a row of logits for each cell.

    Raises
    ------
    ValueError
        If there is not one grid of answers for each picture.

    Examples
    --------
    >>> cells = Cells(torch.zeros(5, 48, 7, 7), torch.zeros(5, 7, 7).long())
    >>> cells, len(next(cells.batches(batch_size=2, seed=0)))
    (Cells(5 of 48 × 7 × 7), 2)
    """

    x: Float[Tensor, "image channel height width"]
    target: Int[Tensor, "image row column"]

    ignored: ClassVar[int] = NOT_ASKED

    def __post_init__(self) -> None:
        """Check that there are as many grids of answers as pictures."""
        if len(self.x) != len(self.target):
            raise ValueError(
                f"x has image {len(self.x)} and target has image {len(self.target)}; "
                "give one grid of answers for each picture"
            )

    @property
    def inputs(self) -> tuple[Float[Tensor, "image channel height width"]]:
        """What a model is called with."""
        return (self.x,)

    def batches(self, *, batch_size: int = 64, seed: int) -> Iterator["Cells"]:
        """Return an endless stream of these, in an order shuffled anew for each pass.

        Raises
        ------
        ValueError
            If ``batch_size`` is below 1.
        """
        whole(1, batch_size=batch_size)
        drawn = passes(len(self), batch_size=batch_size, seed=seed)
        return (self[rows] for rows in drawn)

    def __len__(self) -> int:
        """How many pictures there are."""
        return len(self.x)

    def __getitem__(self, rows: Rows) -> "Cells":
        """Return some of them: those of a slice, or of a tensor of indices.

        Raises
        ------
        TypeError
            If one number is given: one picture is no batch.
        """
        rows = some_rows(rows)
        return Cells(self.x[rows], self.target[rows])

    def __repr__(self) -> str:
        """Say how many there are, and of what size."""
        return f"Cells({len(self)} of {' × '.join(map(str, self.x.shape[1:]))})"


@dataclass(frozen=True, eq=False)
class Twins(OfClasses):
    """Pictures of handwritten digits, black and coloured, and all that is true of them.

    Asked is, at the cell that holds the centre of a black digit: which colour has the
    digit of the same class? A cell is 4 × 4 pixels.

    Attributes
    ----------
    pixels : red, green and blue, from 0 to 1; the paper is white.
    corners : (row, column) of each digit's top left pixel; the black ones come first.
    kinds : the class of each digit.
    colours : the number of its colour; -1 is black.
    questions : how many digits are black, in each picture alike.

    Raises
    ------
    ValueError
        If there is not one row of everything for each picture, or the black digits do
        not come first, as many in each picture.

    Examples
    --------
    >>> from qkv.data import FindTheTwin
    >>> twins = FindTheTwin().sample(5, seed=0)
    >>> twins
    Twins(5 of 3 × 28 × 28, 3 questions each)
    >>> twins.cells[0].tolist(), twins.answers[0].tolist()
    ([[5, 3], [1, 1], [1, 3]], [3, 2, 0])
    """

    pixels: Float[Tensor, "image channel height width"]
    corners: Int[Tensor, "image digit 2"]
    kinds: Int[Tensor, "image digit"]
    colours: Int[Tensor, "image digit"]

    ignored: ClassVar[int] = NOT_ASKED

    def __post_init__(self) -> None:
        """Check that all is said of each picture, and that the black digits lead."""
        for name in ("corners", "kinds", "colours"):
            rows = getattr(self, name)
            if len(rows) != len(self.pixels):
                raise ValueError(
                    f"pixels has image {len(self.pixels)} and {name} has image "
                    f"{len(rows)}; give one row of {name} for each picture"
                )
        black = self.colours == BLACK
        if not (black == (torch.arange(black.shape[1]) < self.questions)).all():
            raise ValueError(
                "the black digits do not come first, as many in each picture; put "
                "them before the coloured ones"
            )

    @property
    def questions(self) -> int:
        """How many digits of a picture are black."""
        return int((self.colours[:1] == BLACK).sum())

    @property
    def inputs(self) -> tuple[Float[Tensor, "image channel height width"]]:
        """What a model is called with."""
        return (self.pixels,)

    @property
    def twins(self) -> Int[Tensor, "image question"]:
        """Which digit each black one asks for; -1 where there is none, or several."""
        same = self.kinds[:, : self.questions, None] == self.kinds[:, None]
        same &= (self.colours != BLACK)[:, None]
        return torch.where(same.sum(-1) == 1, same.int().argmax(-1), -1)

    @property
    def answers(self) -> Int[Tensor, "image question"]:
        """The number of the twin's colour; -100 where there is no one twin."""
        colours = self.colours.gather(1, self.twins.clamp(min=0))
        return colours.masked_fill(self.twins < 0, self.ignored)

    @property
    def cells(self) -> Int[Tensor, "image question 2"]:
        """(row, column) of the cell that holds the centre of each black digit."""
        return self._centres[:, : self.questions]

    @property
    def _centres(self) -> Int[Tensor, "image digit 2"]:
        return (self.corners + DIGIT // 2) // CELL

    @property
    def target(self) -> Int[Tensor, "image row column"]:
        """The answers at the asked cells; -100, not asked, at all others."""
        return self._said_at(self.cells, self.answers)

    def naming(self) -> Cells:
        """Ask of every digit what it is, at the cell of its centre, and nothing else.

        The answer is one number for its class and its colour, 5 · class + colour, where
        0 is black and 1 to 4 are the colours.
        """
        said = (COLOURS + 1) * self.kinds + self.colours + 1
        return Cells(self.pixels, self._said_at(self._centres, said))

    def on(self, grids: Float[Tensor, "image channel row column"]) -> Cells:
        """Ask the same about grids, such as what a frozen network makes of the pixels.

        Raises
        ------
        ValueError
            If there is not one grid of the right size for each picture.
        """
        wanted = self.target.shape
        if (len(grids), *grids.shape[2:]) != wanted:
            raise ValueError(
                f"grids has image, row, column = {(len(grids), *grids.shape[2:])}, but "
                f"the questions have {tuple(wanted)}; give one grid for each picture"
            )
        return Cells(grids, self.target)

    def at_asked(
        self, x: Shaped[Tensor, "image row column *rest"]
    ) -> Shaped[Tensor, "image question *rest"]:
        """Return what a grid holds at the asked cells.

        Examples
        --------
        >>> from qkv.data import FindTheTwin
        >>> twins = FindTheTwin().sample(5, seed=0)
        >>> bool((twins.at_asked(twins.target) == twins.answers).all())
        True
        """
        row, column = self.cells.unbind(-1)
        return x[torch.arange(len(x))[:, None], row, column]

    def covers(self) -> Bool[Tensor, "image question row column"]:
        """Return the cells whose centre lies in the box of the twin that is asked for.

        They are 2 × 2, so that a cell chosen blindly is one of them 4 times in 49.
        """
        rows, columns = self.target.shape[1:]
        there = self.twins.clamp(min=0)[..., None].expand(-1, -1, 2)
        first = self.corners.gather(1, there)[..., None]
        centres = CELL * torch.arange(max(rows, columns)) + CELL // 2
        within = (first <= centres) & (centres < first + DIGIT)
        row, column = within.unbind(2)
        box = row[..., :rows, None] & column[..., None, :columns]
        return box & (self.twins >= 0)[..., None, None]

    def hiding(self, *, another: bool = False) -> Cells:
        """Ask each question alone, of a copy of its picture with its twin painted over.

        With ``another`` it is another coloured digit that is painted over in white, the
        next one after the twin: a control. Copies of one picture follow each other.

        Raises
        ------
        ValueError
            If a twin is missing, or there is no other coloured digit.
        """
        coloured = self.colours.shape[1] - self.questions
        if (self.twins < 0).any() or coloured < 1 + another:
            raise ValueError(
                f"of {coloured} coloured digits {'another' if another else 'the twin'} "
                "is to be hidden, but there is none; give pictures that sample draws, "
                "of 2 pairs or more"
            )
        hidden = self.questions + (self.twins - self.questions + another) % coloured
        corners = self.corners.gather(1, hidden[..., None].expand(-1, -1, 2))
        size = self.pixels.shape[-1]
        copies = self.pixels.repeat_interleave(self.questions, 0).flatten(2)
        there = square(corners.flatten(0, 1), DIGIT, size)[:, None].expand(-1, 3, -1)
        white = copies.scatter(2, there, 1.0).unflatten(2, (-1, size))
        alone = self._said_at(self.cells[..., None, :], self.answers[..., None])
        return Cells(white, alone.flatten(0, 1))

    def _said_at(
        self, cells: Int[Tensor, "*image said 2"], said: Int[Tensor, "*image said"]
    ) -> Int[Tensor, "*image row column"]:
        """Return a grid that says this at these cells, and -100 at all others."""
        rows, columns = (side // CELL for side in self.pixels.shape[-2:])
        grid = said.new_full((*said.shape[:-1], rows * columns), self.ignored)
        row, column = cells.unbind(-1)
        return grid.scatter(-1, row * columns + column, said).unflatten(
            -1, (rows, columns)
        )

    def __len__(self) -> int:
        """How many pictures there are."""
        return len(self.pixels)

    def __getitem__(self, rows: Rows) -> "Twins":
        """Return some of the pictures: those of a slice, or of a tensor of indices.

        Raises
        ------
        TypeError
            If one number is given: one picture is no batch.
        """
        rows = some_rows(rows)
        told = self.corners[rows], self.kinds[rows], self.colours[rows]
        return Twins(self.pixels[rows], *told)

    def __repr__(self) -> str:
        """Say how many pictures there are, of what size, and what is asked."""
        size = " × ".join(map(str, self.pixels.shape[1:]))
        asked = "1 question" if self.questions == 1 else f"{self.questions} questions"
        return f"Twins({len(self)} of {size}, {asked} each)"
