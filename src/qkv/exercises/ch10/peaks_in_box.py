"""How many words look at the object that they speak of."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.sentences import NUMBER_FOR_SHARE

SIDE = 8  # pixels, of each box
EXTENT = torch.tensor([0, 0, 1, 1])  # the second corner alone


def _centres(count: int, cell: int) -> Tensor:
    return (torch.arange(count) + 0.5) * cell


def _inside(weights, boxes, cell, *, at: Callable = _centres) -> Tensor:
    """Which cells lie in which box: (object, row, column)."""
    top, left, bottom, right = boxes.T[..., None]
    y, x = (at(count, cell) for count in weights.shape[1:])
    rows, columns = (top <= y) & (y < bottom), (left <= x) & (x < right)
    return rows[:, :, None] & columns[:, None, :]


def _peaks(weights: Tensor) -> Tensor:
    """1 at the most attended cell of each word."""
    flat = weights.flatten(1)
    best = torch.zeros_like(flat).scatter(1, flat.argmax(1, keepdim=True), 1.0)
    return best.view_as(weights)


def peaks_in_box(
    weights: Float[Tensor, "target row column"],
    speaks_of: Int[Tensor, " target"],
    boxes: Int[Tensor, "object 4"],
    cell: int,
    *,
    peaks: Callable = _peaks,
    inside: Callable = _inside,
) -> float:
    of_picture = speaks_of >= 0
    hits = (peaks(weights) * inside(weights, boxes, cell)[speaks_of]).sum((1, 2))
    return hits[of_picture].mean().item()


def _all_words(grammar: Callable, weights, speaks_of, boxes, cell):
    """The mean over all words, with what those of grammar get."""
    hits = (_peaks(weights) * _inside(weights, boxes, cell)[speaks_of]).sum((1, 2))
    return torch.where(speaks_of >= 0, hits, grammar(hits)).mean().item()


def _shifted(by: int, weights, *given):
    return peaks_in_box(weights.roll(by, 0), *given)


def _by_the_height(weights):
    """The peak's number cut into rows as long as the grid is high."""
    rows, columns = weights.shape[1:]
    place = weights.flatten(1).argmax(1)[:, None, None]
    row, column = place // rows, place % rows
    found = (torch.arange(rows)[:, None] == row) & (torch.arange(columns) == column)
    return found.float()


def _touched(weights, boxes, cell):
    top, left, bottom, right = boxes.T[..., None]
    y, x = (cell * torch.arange(count) for count in weights.shape[1:])
    rows, columns = (y < bottom) & (top < y + cell), (x < right) & (left < x + cell)
    return rows[:, :, None] & columns[:, None, :]


def _with_the_edge(weights, boxes, cell):
    return _inside(weights, boxes + EXTENT, cell)


def _without_the_edge(weights, boxes, cell):
    return _inside(weights, boxes + torch.tensor([1, 1, 0, 0]), cell)


def _height_and_width(weights, boxes, cell):
    """As if a box were its corner and its size."""
    return _inside(weights, boxes + boxes[:, [0, 1, 0, 1]] * EXTENT, cell)


def _left_before_top(weights, boxes, cell):
    return _inside(weights, boxes[:, [1, 0, 3, 2]], cell)


def _number(weights, speaks_of, *given):
    return peaks_in_box(weights, speaks_of, *given) * (speaks_of >= 0).sum().item()


def _any_object(weights, boxes, cell):
    anywhere = _inside(weights, boxes, cell).any(0)
    return anywhere.expand(len(boxes), -1, -1)


def _caption(
    corners: list[tuple[int, int]],
    speaks_of: list[int],
    row: int,
    column: int,
    looks_at: list[int] | None = None,
) -> tuple:
    """Words that look near what they speak of, the others anywhere."""
    cell = 4
    boxes = torch.tensor([(t, left, t + SIDE, left + SIDE) for t, left in corners])
    words = torch.tensor(speaks_of)
    scores = 2 * draw.normal(len(words), row, column)
    y, x = _centres(row, cell)[:, None], _centres(column, cell)
    at = words if looks_at is None else torch.tensor(looks_at)
    middle = (boxes[:, :2] + SIDE / 2)[at][:, :, None, None]
    away = (y - middle[:, 0]).square() + (x - middle[:, 1]).square()
    near = (4 - away / 16) * (at >= 0)[:, None, None]
    weights = (scores + near).flatten(1).softmax(1).view_as(scores)
    return weights, words, boxes, cell


EXERCISE = Exercise(
    id="10.3",
    title="Where does each word look?",
    minutes=10,
    difficulty=2,
    reference=peaks_in_box,
    cases={
        "a square grid": partial(
            _caption,
            [(2, 11), (11, 1), (19, 20)],
            [0, 0, -1, 1, 1, -1, 2, 2, -1],
            7,
            7,
            [0, 0, 1, 2, 1, -1, 0, 2, 2],
        ),
        "wider than high": partial(
            _caption, [(1, 3), (2, 30), (11, 19)], [0, 0, -1, 1, 1, -1, 2, 2, -1], 5, 11
        ),
        "higher than wide": partial(
            _caption,
            [(3, 1), (19, 10), (30, 2), (31, 11)],
            [0, 0, -1, 1, 1, -1, 2, 2, -1, 3, 3, -1, -1],
            11,
            5,
        ),
        "many words": partial(
            _caption,
            [(2, 2), (1, 20), (11, 11), (20, 3), (19, 19), (30, 12)],
            [n // 2 % 7 - 1 for n in range(6, 43)],
            13,
            11,
            [(n // 2 + (n % 5 == 0)) % 7 - 1 for n in range(6, 43)],
        ),
        "one object": partial(_caption, [(10, 10)], [0, 0, -1], 7, 7),
    },
    mistakes={
        "one word late": Mistake(
            "the maps and the words are out of step: each word has got the map of the "
            "word before it. weights[t] is where the network looked when it wrote word "
            "t, not when word t was fed in",
            partial(_shifted, 1),
        ),
        "one word late, the first left out": Mistake(
            "the maps and the words are out of step: the first map has gone to the "
            "second word, and so on, and the first word has none. weights[t] is where "
            "the network looked when it wrote word t; nothing is to be shifted",
            lambda weights, speaks_of, *given: peaks_in_box(
                weights[:-1], speaks_of[1:], *given
            ),
        ),
        "one word early": Mistake(
            "the maps and the words are out of step: each word has got the map of the "
            "word after it. weights[t] is where the network looked when it wrote word "
            "t",
            partial(_shifted, -1),
        ),
        "grammar counts as wrong": Mistake(
            "words that speak of nothing have been counted as wrong. There is no right "
            "place for them: leave them out of the number of words, too",
            partial(_all_words, lambda hits: torch.zeros(())),
        ),
        "grammar counts as right": Mistake(
            "words that speak of nothing have been counted as right. There is no right "
            "place for them: leave them out",
            partial(_all_words, lambda hits: torch.ones(())),
        ),
        "the last object": Mistake(
            "boxes[-1] is the last object's box, and a word that speaks of nothing has "
            "the number −1: it has been asked whether it looks there. Leave such words "
            "out",
            partial(_all_words, lambda hits: hits),
        ),
        "cut by the height": Mistake(
            "the number of the most attended cell has been divided by the number of "
            "rows. A row is as long as there are columns: divide by these. (On a "
            "square grid both are the same.)",
            partial(peaks_in_box, peaks=_by_the_height),
        ),
        "left before top": Mistake(
            "rows and columns have changed places, in the peaks or in the boxes. A box "
            "is (top, left, bottom, right), rows first, as in all our tensors (drawing "
            "programs often begin with x), and divmod(number, columns) gives the row "
            "first",
            partial(peaks_in_box, inside=_left_before_top),
        ),
        "by the corner": Mistake(
            "a cell has been placed by its upper left corner. It belongs where its "
            "centre is, half a cell further down and to the right",
            partial(
                peaks_in_box,
                inside=partial(
                    _inside, at=lambda count, cell: torch.arange(count) * cell
                ),
            ),
        ),
        "the edge too": Mistake(
            "a centre on the lower or right edge has been counted. bottom and right "
            "are just outside the box: y < bottom, as in range(top, bottom)",
            partial(peaks_in_box, inside=_with_the_edge),
        ),
        "the edge left out": Mistake(
            "a centre on the upper or left edge has been left out. top and left belong "
            "to the box: top <= y, as in range(top, bottom)",
            partial(peaks_in_box, inside=_without_the_edge),
        ),
        "height and width": Mistake(
            "the last two numbers of a box have been taken for its height and width. "
            "They are its lower and its right edge",
            partial(peaks_in_box, inside=_height_and_width),
        ),
        "touched": Mistake(
            "a cell has been counted if it touches the box anywhere: that makes the "
            "boxes larger, and chance with them. Its centre decides",
            partial(peaks_in_box, inside=_touched),
        ),
        "cells for pixels": Mistake(
            "boxes are in pixels, and the row and the column of a cell have been "
            "compared with them as they are: a cell is `cell` pixels high and wide",
            partial(
                peaks_in_box,
                inside=partial(
                    _inside, at=lambda count, cell: torch.arange(count) + 0.5
                ),
            ),
        ),
        "any object": Mistake(
            "a peak has been counted in whatever box it lies; it has to be the box of "
            "the object that this word speaks of",
            partial(peaks_in_box, inside=_any_object),
        ),
        "mass": Mistake(
            "this is how much of the attention lies in the box; the share of words "
            "whose most attended cell lies in it was asked",
            partial(peaks_in_box, peaks=lambda weights: weights),
        ),
        "number": Mistake(NUMBER_FOR_SHARE, _number),
    },
    hints=(
        "speaks_of >= 0 are the words that are asked; only they are counted.",
        "alpha.argmax() gives the number of a cell, counted along the rows; "
        "divmod(number, columns) its row and its column.",
        "the centre of cell (row, column) is ((row + 0.5) * cell, (column + 0.5) * "
        "cell); it is in the box if top <= y < bottom and left <= x < right.",
    ),
    trained=False,
)
