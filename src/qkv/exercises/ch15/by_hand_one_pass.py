"""The softmax in one pass, by hand: four scores in two tiles."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table
from qkv.checking.exercise import Mistake

POWERS = torch.tensor([2.0, 4, 8, 2])  # e to the power of each score
VALUES = torch.tensor([4.0, 2, 8, 4])
KEYS, TILES = ("k₁", "k₂", "k₃", "k₄"), ("after tile 1", "after tile 2")
LARGEST = torch.tensor([4.0, 8])  # so far, after each tile


def _held(
    *,
    taken: Tensor = LARGEST,
    shrink: float = 0.5,
    total_shrinks: bool = True,
    output_shrinks: bool = True,
    divided: bool = False,
) -> dict[str, Tensor]:
    """What is held after each tile, and what comes of it."""
    weights = (POWERS.view(2, 2) / taken[:, None]).flatten()
    total = weights.view(2, 2).sum(1)
    read = (weights * VALUES).view(2, 2).sum(1)
    if divided:
        read[0] /= total[0]
    total[1] += total[0] * (shrink if total_shrinks else 1.0)
    read[1] += read[0] * (shrink if output_shrinks else 1.0)
    if divided:
        read[1] /= total[1]
    return {
        "powers": POWERS,
        "values": VALUES,
        "maximum": LARGEST,
        "shrink": torch.tensor([0.0, shrink]),
        "weights": weights,
        "total": total,
        "held": read,
        "output": read[1] if divided else read[1] / total[1],
    }


def _wrong(*names: str, made: Callable) -> dict[str, Tensor]:
    """Those numbers of a computation that its author would fill in."""
    return {name: value for name, value in made().items() if name in names}


HOLDING = ("total", "held", "output")


def _mean_of_softmaxes() -> dict[str, Tensor]:
    tiles = POWERS.view(2, 2) / POWERS.view(2, 2).sum(1, keepdim=True)
    return {"output": (tiles * VALUES.view(2, 2)).sum(1).mean()}


def _tiles_alone() -> dict[str, Tensor]:
    alone = _held(shrink=0.0)
    return {**{name: alone[name] for name in HOLDING}}


BY_HAND = ByHand(
    id="15.a",
    title="Four scores in two tiles",
    minutes=8,
    difficulty=2,
    task="A query has four scores, which come in two tiles of two. Here are the powers "
    "$e^{s_j}$ of the scores, and the values. The scores themselves are not needed: "
    r"$e^{s_j - m} = e^{s_j} / e^m$. Read tile 1, then tile 2, and go back to neither. "
    "Where the running maximum rises, multiply what is held by "
    r"$e^{m_{\text{old}} - m_{\text{new}}}$. Divide once, at the end.",
    compute=_held,
    tables={
        "powers": Table("$e^{s_j}$; tile 1 is k₁ and k₂", columns=KEYS),
        "values": Table("Values $v_j$", columns=KEYS),
        "maximum": Table(
            "$e^m$, the largest power so far",
            columns=TILES,
            blanks=...,
            look="the largest of all powers up to this tile.",
        ),
        "weights": Table(
            "$e^{s_j} / e^m$, with the maximum after its own tile",
            columns=KEYS,
            blanks=...,
            look="divide each power by the largest one so far, after its own tile.",
        ),
        "shrink": Table(
            "What is held is multiplied by (0 in tile 1: nothing is held)",
            columns=TILES,
            blanks=((0, 1),),
            look="the largest power before tile 2, divided by the largest after it.",
        ),
        "total": Table(
            "Running sum $l$",
            columns=TILES,
            blanks=...,
            look="what was held, shrunk, and the two numbers of this tile.",
        ),
        "held": Table(
            "Running output, not yet divided",
            columns=TILES,
            blanks=...,
            look="what was held, shrunk, and the two values of this tile, each by its "
            "number.",
        ),
        "output": Table(
            "Output",
            columns=("of all four",),
            blanks=...,
            look="the running output divided by the running sum.",
        ),
    },
    mistakes={
        "not rescaled": Mistake(
            "the numbers of tile 1 were made with the old maximum: shrink them before "
            "you add those of tile 2",
            partial(
                _wrong,
                *HOLDING,
                made=partial(_held, total_shrinks=False, output_shrinks=False),
            ),
        ),
        "output not rescaled": Mistake(
            "the running sum has been shrunk, and the running output has not: both "
            "were made with the old maximum",
            partial(
                _wrong, "held", "output", made=partial(_held, output_shrinks=False)
            ),
        ),
        "upside down": Mistake(
            "this is the new largest power divided by the old one: what is held would "
            "grow. It shrinks when the maximum rises",
            partial(_wrong, "shrink", *HOLDING, made=partial(_held, shrink=2.0)),
        ),
        "divided inside": Mistake(
            "the output has been divided by the sum after each tile: what was divided "
            "is held, and divided again. Divide once, at the end",
            partial(_wrong, "held", "output", made=partial(_held, divided=True)),
        ),
        "no maximum": Mistake(
            "these are the powers as they are; each is to be divided by the largest "
            "one so far. (Without it the output is the same here. But the powers of "
            "large scores are infinite on a computer)",
            partial(
                _wrong,
                "weights",
                "shrink",
                "total",
                "held",
                made=partial(_held, taken=torch.ones(2), shrink=1.0),
            ),
        ),
        "the last maximum": Mistake(
            "the largest power of all four has been used from the start. But while "
            "tile 1 is read, tile 2 is not yet known",
            partial(
                _wrong,
                "weights",
                "total",
                "held",
                made=partial(_held, taken=torch.tensor([8.0, 8]), shrink=1.0),
            ),
        ),
        "this tile alone": Mistake(
            "this is tile 2 alone; what is held of tile 1, shrunk, must be added",
            _tiles_alone,
        ),
        "mean of tiles": Mistake(
            "each tile has had a softmax of its own, and the two results have been "
            "averaged. There is one softmax, over all four",
            _mean_of_softmaxes,
        ),
        "never divided": Mistake(
            "this is the running output; divide it by the running sum",
            lambda: {"output": _held()["held"][1]},
        ),
    },
)
