"""Scenes of coloured shapes, and their captions as a batch."""

from dataclasses import dataclass
from itertools import groupby
from operator import index

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import max_pool2d, pad

from qkv._checks import one_of, settle, whole
from qkv.data.kinds import OfClasses, fed
from qkv.data.pictures.shapes import COLOURS, SHAPES
from qkv.data.pictures.wording import Rows

__all__ = ["Agreement", "Captions", "Scene", "Thing"]


@dataclass(frozen=True)
class Thing:
    """A coloured shape, and where it is.

    Attributes
    ----------
    colour, shape : their English names.
    row, column : of its slot, from 0 at the top left.
    size : which of the world's sizes, counted from 0, the first.
    shift : how many pixels down and to the right of its slot's corner.

    Raises
    ------
    ValueError
        If there is no such colour or shape.
    TypeError
        If a place, a size or a shift is not whole.

    Examples
    --------
    >>> Thing("red", "circle", row=0, column=2)
    Thing(colour='red', shape='circle', row=0, column=2, size=0, shift=(0, 0))
    """

    colour: str
    shape: str
    row: int
    column: int
    size: int = 0
    shift: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        """Check the names, and that all else is whole numbers."""
        one_of("colour", self.colour, COLOURS, who="things have")
        one_of("shape", self.shape, SHAPES, who="things have")
        numbers = {"row": self.row, "column": self.column, "size": self.size}
        try:
            settle(self, **{n: int(index(x)) for n, x in numbers.items()})
            down, across = map(index, self.shift)
        except (TypeError, ValueError):
            raise TypeError(
                f"row, column and size are {(self.row, self.column, self.size)}, and "
                f"the shift is {self.shift!r}, but all are whole numbers; a shift is "
                "two, such as (0, 1)"
            ) from None
        settle(self, shift=(down, across))


@dataclass(frozen=True)
class Scene:
    """Things on paper, in the order in which a page is read.

    Raises
    ------
    ValueError
        If two are on one slot.

    Examples
    --------
    >>> scene = Scene((Thing("red", "star", 2, 0), Thing("blue", "ring", 0, 1)))
    >>> scene.rows
    ((('blue', 'ring'),), (('red', 'star'),))
    """

    things: tuple[Thing, ...]

    def __post_init__(self) -> None:
        """Put the things in order, and check that each has a slot of its own."""
        ordered = tuple(sorted(self.things, key=lambda t: (t.row, t.column)))
        object.__setattr__(self, "things", ordered)
        for (row, column), mine in groupby(ordered, key=lambda t: (t.row, t.column)):
            names = [f"{t.colour} {t.shape}" for t in mine]
            if len(names) > 1:
                raise ValueError(
                    f"{' and '.join(names)} are both on the slot (row {row}, column "
                    f"{column}); move all but one of them to slots that are free"
                )

    @property
    def rows(self) -> Rows:
        """What a sentence says: the colour and shape of each object, row by row."""
        rows = groupby(self.things, key=lambda t: t.row)
        return tuple(tuple((t.colour, t.shape) for t in row) for _, row in rows)


@dataclass(frozen=True)
class Agreement:
    """In what a scene is as a sentence says.

    Attributes
    ----------
    number : of objects.
    colour, shape : of each object, as a page is read. A colour that the sentence leaves
        out is right. Where the number is wrong, so are these.
    place : how many objects are in each row.
    """

    number: bool
    colour: bool
    shape: bool
    place: bool

    @classmethod
    def of(cls, scene: Scene, said: Rows) -> "Agreement":
        """Compare what there is with what is said."""
        shown = scene.rows
        there, named = ([o for row in rows for o in row] for rows in (shown, said))
        pairs, number = list(zip(there, named, strict=False)), len(there) == len(named)
        return cls(
            number=number,
            colour=number and all(n[0] in ("", t[0]) for t, n in pairs),
            shape=number and all(n[1] == t[1] for t, n in pairs),
            place=[*map(len, shown)] == [*map(len, said)],
        )

    @property
    def right(self) -> bool:
        """Whether the scene is all that the sentence says."""
        return self.number and self.colour and self.shape and self.place


@dataclass(frozen=True, eq=False)
class Captions(OfClasses):
    """Pictures of scenes, and the caption of each: a batch.

    ``target`` ends each caption with ``<eos>``. ``speaks_of`` says of each token of it
    which object it speaks of, -1 for none; ``boxes`` are (top, left, bottom, right) of
    each object in pixels, the last two exclusive, and zeros where a scene has fewer.

    Examples
    --------
    >>> from qkv.data import Scenes
    >>> asked = Scenes().sample(5, seed=0)
    >>> asked
    Captions(5 of 3 × 28 × 28)
    >>> pixels, target_in = asked.inputs
    >>> target_in.shape == asked.target.shape == asked.speaks_of.shape
    True
    """

    pixels: Float[Tensor, "batch channel height width"]
    target: Int[Tensor, "batch target"]
    speaks_of: Int[Tensor, "batch target"]
    boxes: Int[Tensor, "batch object 4"]
    scenes: tuple[Scene, ...]

    @property
    def target_in(self) -> Int[Tensor, "batch target"]:
        """What the decoder is fed: ``<bos>``, then the target less its last token."""
        return fed(self.target)

    @property
    def inputs(
        self,
    ) -> tuple[
        Float[Tensor, "batch channel height width"], Int[Tensor, "batch target"]
    ]:
        """What a model is called with: pixels and target_in."""
        return self.pixels, self.target_in

    def covers(
        self, cells: int, *, beside: int = 0
    ) -> Bool[Tensor, "batch target place"]:
        """Return which cells of a grid lie in the box of what each word speaks of.

        Cells are counted along the rows, from the top left; one lies in a box if its
        centre does. A word that speaks of nothing has none. The mean over the other
        words is the chance that a cell chosen blindly is right.

        Parameters
        ----------
        cells : how many the grid has, down and across.
        beside : cells so far from one in the box count, too.

        Examples
        --------
        >>> from qkv.data import Scenes
        >>> asked = Scenes().sample(5, seed=0)
        >>> covers = asked.covers(7)
        >>> covers.shape, covers[asked.speaks_of >= 0].float().mean()
        (torch.Size([5, 15, 49]), tensor(0.0816))
        """
        whole(1, cells=cells)
        whole(0, beside=beside)
        side = self.pixels.shape[-1]
        centre = (torch.arange(cells) + 0.5) * side / cells
        corners = self.boxes[:, :, :, None]
        after, before = corners[:, :, :2] <= centre, centre < corners[:, :, 2:]
        down, across = (after & before).unbind(2)
        inside = (down[..., :, None] & across[..., None, :]).float()
        wider = max_pool2d(inside, 2 * beside + 1, stride=1, padding=beside)
        of_object = pad(wider.flatten(2).bool(), (0, 0, 0, 1))  # the last is nothing
        index = self.speaks_of % of_object.shape[1]
        return of_object.gather(1, index[:, :, None].expand(-1, -1, cells**2))

    def __len__(self) -> int:
        """How many pictures there are."""
        return len(self.pixels)

    def __repr__(self) -> str:
        """Say how many pictures there are, and of what size."""
        return f"Captions({len(self)} of {' × '.join(map(str, self.pixels.shape[1:]))})"
