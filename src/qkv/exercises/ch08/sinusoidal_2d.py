"""Positions in two dimensions."""

import torch

from qkv.checking.exercise import Exercise, Mistake
from qkv.positions import sinusoidal
from qkv.vision import sinusoidal_2d


def _of_the_grid(rows, columns, width, *, start=0):
    """The vectors of each patch's row and of its column, row by row."""
    of_rows = sinusoidal(rows, width, start=start).repeat_interleave(columns, 0)
    of_columns = sinusoidal(columns, width, start=start).repeat(rows, 1)
    return of_rows, of_columns


def _beside(one, other):
    return torch.cat([one, other], dim=-1)


def _exchanged(rows, columns, d_model):
    of_rows, of_columns = _of_the_grid(rows, columns, d_model // 2)
    return _beside(of_columns, of_rows)


def _columns_first(rows, columns, d_model):
    of_columns, of_rows = _of_the_grid(columns, rows, d_model // 2)
    return _beside(of_rows, of_columns)


def _added(rows, columns, d_model):
    of_rows, of_columns = _of_the_grid(rows, columns, d_model)
    return of_rows + of_columns


def _cut_short(rows, columns, d_model):
    of_rows, of_columns = _of_the_grid(rows, columns, d_model)
    return _beside(of_rows[:, : d_model // 2], of_columns[:, : d_model // 2])


def _continued(rows, columns, d_model):
    of_rows, of_columns = _of_the_grid(rows, columns, d_model)
    return _beside(of_rows[:, : d_model // 2], of_columns[:, d_model // 2 :])


def _repeated(rows, columns, d_model):
    _, of_columns = _of_the_grid(rows, columns, d_model // 2)
    return _beside(sinusoidal(rows, d_model // 2).repeat(columns, 1), of_columns)


def _interleaved(rows, columns, d_model):
    of_rows, _ = _of_the_grid(rows, columns, d_model // 2)
    return _beside(
        of_rows, sinusoidal(columns, d_model // 2).repeat_interleave(rows, 0)
    )


def _of_columns_twice(rows, columns, d_model):
    _, of_columns = _of_the_grid(rows, columns, d_model // 2)
    return _beside(of_columns, of_columns)


def _of_rows_twice(rows, columns, d_model):
    of_rows, _ = _of_the_grid(rows, columns, d_model // 2)
    return _beside(of_rows, of_rows)


EXERCISE = Exercise(
    id="8.4",
    title="Something older: positions of a picture",
    minutes=7,
    difficulty=2,
    reference=sinusoidal_2d,
    cases={
        "a square picture": lambda: (5, 5, 8),
        "every size different": lambda: (3, 7, 12),
        "one row": lambda: (1, 5, 8),
        "one column": lambda: (3, 1, 4),
    },
    mistakes={
        "halves exchanged": Mistake(
            "the first half tells the column and the second the row: the other way "
            "round. Any order will do, as long as it is kept; but one who loads your "
            "weights must know it (facebookresearch/mae #18, where the names and the "
            "numbers differ)",
            _exchanged,
        ),
        "columns first": Mistake(
            "the vectors belong to patches that go down the columns; the patches go "
            "row by row. In a square picture this is the same as exchanging the "
            "halves, and so it stays unseen until someone has a wide one "
            "(huggingface/transformers, pull request 41380)",
            _columns_first,
        ),
        "rows and columns exchanged": Mistake(
            "rows and columns have changed places: in a square picture all is right, "
            "in a wide one the patches get the positions of a tall one",
            lambda rows, columns, d_model: _beside(
                *_of_the_grid(columns, rows, d_model // 2)
            ),
        ),
        "one dimension": Mistake(
            "the patches are numbered one after the other, as words are: so the patch "
            "below is as far away as a whole row is long, and the last of a row is "
            "next to the first of the row below",
            lambda rows, columns, d_model: sinusoidal(rows * columns, d_model),
        ),
        "added": Mistake(
            "the two have been added, each of the full width: so row 1, column 2 and "
            "row 2, column 1 get the same vector. They stand side by side",
            _added,
        ),
        "frequencies of the full width": Mistake(
            "each half is the beginning of a vector of the full width: so the slow "
            "hands are missing. Each half is complete in itself, with d_model / 2 in "
            "the place of d_model",
            _cut_short,
        ),
        "fast rows, slow columns": Mistake(
            "the row has got the fast hands and the column the slow ones of one and "
            "the same vector: so neighbouring columns are hardly told apart. Each "
            "half is complete in itself, with d_model / 2 in the place of d_model",
            _continued,
        ),
        "alternating": Mistake(
            "features of the row and of the column alternate; the first half of the "
            "vector is for the row, the second for the column",
            lambda rows, columns, d_model: torch.stack(
                _of_the_grid(rows, columns, d_model // 2), -1
            ).flatten(1),
        ),
        "rows twice": Mistake(
            "both halves tell the row: all patches of a row get the same vector",
            _of_rows_twice,
        ),
        "columns twice": Mistake(
            "both halves tell the column: all patches of a column get the same vector",
            _of_columns_twice,
        ),
        "never repeated one by one": Mistake(
            "the second half is right. In the first the list of all rows comes again "
            "and again, a b a b; but the patches of a row stand together, so each "
            "row's vector comes as often as there are columns, a a b b: "
            "repeat_interleave",
            _repeated,
        ),
        "never repeated as a whole": Mistake(
            "the first half is right. In the second each column's vector comes several "
            "times in a row, a a b b; but in each row of patches all columns follow "
            "each other, a b a b: repeat",
            _interleaved,
        ),
        "counted from 1": Mistake(
            "rows and columns count from 0 here, as everywhere in this book",
            lambda rows, columns, d_model: _beside(
                *_of_the_grid(rows, columns, d_model // 2, start=1)
            ),
        ),
    },
    hints=(
        "sinusoidal(rows, d_model // 2) has one vector for each row. Every patch of "
        "a row needs it, so each must be repeated, one after the other, as often as "
        "there are columns.",
        "repeat_interleave(n, dim=0) gives a a b b, and repeat(n, 1) gives a b a b. "
        "One is for the rows, the other for the columns; then torch.cat(..., "
        "dim=-1).",
    ),
)
