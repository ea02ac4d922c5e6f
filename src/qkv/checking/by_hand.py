"""What an exercise by hand is: a computation with holes, and numbers that have names.

Its mistakes are those of the exercises in code, or of their kind: computed in place of
the right numbers, they say what somebody did who fills in such a number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from types import EllipsisType

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake

Numbers = Mapping[str, Tensor]
EPSILON = 1e-9  # a number typed as a fraction is as near as a float can be


@dataclass(frozen=True)
class Table:
    """How one value of the computation is shown, and which of its numbers are holes.

    Attributes
    ----------
    caption : what it is, with ``$formulas$`` and ```code```: how it is computed.
    rows, columns : a label for each, in letters (``k₁``): a formula is no name to those
        who hear the page. An empty one where nothing needs a name.
    blanks : the holes as pairs of row and column; ``...`` makes all of it holes.
    look : what to look at when a number is wrong, and has no name.
    slack : how far a number may be off. If not given, one unit of the last decimal,
        because hands round on the way; nothing where whole numbers are wanted.
    """

    caption: str
    rows: tuple[str, ...] = ("",)
    columns: tuple[str, ...] = ("",)
    blanks: tuple[tuple[int, int], ...] | EllipsisType = ()
    look: str = ""
    slack: float | None = None

    def places(self) -> tuple[tuple[int, int], ...]:
        """Return the holes, row by row."""
        if self.blanks is not ...:
            return self.blanks
        return tuple(product(range(len(self.rows)), range(len(self.columns))))


@dataclass(frozen=True)
class Hole:
    """One number to be filled in: where it stands, what is right, what has a name.

    ``wrong`` has the number of each mistake; ``slack`` is how far one may be off.
    """

    table: str
    row: int
    column: int
    right: float
    wrong: Mapping[str, float]
    slack: float

    def accepts(self, value: float) -> bool:
        """Whether this number is near enough to the right one."""
        return value == self.right or abs(value - self.right) <= self.slack + EPSILON


@dataclass(frozen=True)
class ByHand:
    """A small computation to work out by hand.

    Attributes
    ----------
    id : the chapter's number and a letter, "3.a".
    title : what is worked out, in a few words.
    minutes : how long it may take.
    difficulty : 1, 2 or 3, as of an exercise in code.
    task : what is to be done, with ``$formulas$`` and ```code```.
    compute : the right numbers by name, tensors of at most two axes.
    tables : how each of them is shown, by the same names, in the order of the work:
        what is given, then what is worked out.
    mistakes : at least three by their names. ``wrong`` is called without arguments,
        and returns those numbers that come out otherwise.
    decimals : to how many decimals a number is wanted.

    Raises
    ------
    ValueError
        If numbers have no table or a table no numbers, or it has labels for another
        number of rows or columns.
    """

    id: str
    title: str
    minutes: int
    difficulty: int
    task: str
    compute: Callable[[], Numbers]
    tables: Mapping[str, Table]
    mistakes: Mapping[str, Mistake]
    decimals: int = 2

    @property
    def stars(self) -> str:
        """The difficulty as readers see it, ★ to ★★★."""
        return "★" * self.difficulty

    @property
    def unit(self) -> float:
        """One unit of the last decimal that is wanted; whole numbers have none."""
        return 10.0**-self.decimals if self.decimals else 0.0

    def numbers(self) -> dict[str, Float[Tensor, "row column"]]:
        """Return the right numbers, each as a table, in the tables' order."""
        computed = self.compute()
        if set(computed) != set(self.tables):
            raise ValueError(
                f"{self.id} computes {', '.join(computed)}, and its tables are "
                f"{', '.join(self.tables)}: give each value a table of its name"
            )
        right = {name: _as_table(computed[name]) for name in self.tables}
        for name, value in right.items():
            _check_labels(self, name, value)
        return right

    def holes(self) -> list[Hole]:
        """Return all holes, in the order in which they are filled in."""
        right = self.numbers()
        wrong = {name: _wrong(right, m.wrong()) for name, m in self.mistakes.items()}
        return [
            Hole(
                name,
                row,
                column,
                right[name][row, column].item(),
                {said: w[name][row, column].item() for said, w in wrong.items()},
                self.unit if table.slack is None else table.slack,
            )
            for name, table in self.tables.items()
            for row, column in table.places()
        ]


def as_in(
    exercise: Exercise, *names: str, compute: Callable[..., Numbers]
) -> dict[str, Mistake]:
    """Return mistakes of an exercise in code, made by hand.

    ``compute`` is given the wrong function in place of the right one.

    Examples
    --------
    >>> from qkv.exercises.finding import find
    >>> made = as_in(find("3.2"), "not scaled", compute=lambda score: {"s": score})
    >>> made["not scaled"].says[:40]
    'the scores are not divided by √d_k: the '
    """
    of = {name: exercise.mistakes[name] for name in names}
    return {n: Mistake(m.says, partial(compute, m.wrong)) for n, m in of.items()}


def _as_table(value: Tensor) -> Float[Tensor, "row column"]:
    return torch.atleast_2d(torch.as_tensor(value, dtype=torch.float64).detach())


def _wrong(right: Numbers, wrong: Numbers) -> dict[str, Tensor]:
    """The numbers of a mistake: what it leaves out is right."""
    return {**right, **{name: _as_table(value) for name, value in wrong.items()}}


def _check_labels(exercise: ByHand, name: str, value: Tensor) -> None:
    table = exercise.tables[name]
    labels = (len(table.rows), len(table.columns))
    if labels != tuple(value.shape):
        raise ValueError(
            f"{exercise.id}: {name!r} has {value.shape[0]} rows and {value.shape[1]} "
            f"columns, but {labels[0]} and {labels[1]} labels: give one for each"
        )
