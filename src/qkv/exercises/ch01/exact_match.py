"""The share of sentences that are right as a whole."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises.sentences import NUMBER_FOR_SHARE


def share_right(
    produced: Int[Tensor, "batch token"], target: Int[Tensor, "batch token"], eos: int
) -> float:
    agrees = (produced == target) | ~_counted(target, eos)
    return float(agrees.all(dim=1).float().mean())


def _counted(target: Tensor, eos: int) -> Bool[Tensor, "batch token"]:
    """True up to and including the first eos of each row."""
    ends = target == eos
    return ends.cumsum(1) - ends.long() == 0


def _share(right: Tensor) -> float:
    return float(right.float().mean())


def _without_eos(produced, target, eos):
    counted = _counted(target, eos) & (target != eos)
    return _share(((produced == target) | ~counted).all(1))


def _stops_early(produced, target, eos):
    counted = _counted(produced, eos) & (produced != eos)
    return _share(((produced == target) | ~counted).all(1))


def _to_the_last_eos(produced, target, eos):
    ends = target == eos
    counted = ends.flip(1).cumsum(1).flip(1) > 0
    return _share(((produced == target) | ~(counted | ends)).all(1))


def _one_end_for_all(pick):
    """Every row compared up to the end of one of them."""

    def share(produced, target, eos):
        end = int(pick((target == eos).float().argmax(1)))
        return _share((produced == target)[:, : end + 1].all(1))

    return share


def _ends_at_different_places() -> tuple:
    """A first row that is short, a last one that is long, and a wrong one between."""
    rows = [
        ((6, 2, 8, 8, 8), (6, 2, 0, 0, 0)),
        ((5, 4, 3, 9, 9), (5, 4, 3, 2, 0)),
        ((7, 8, 2, 1, 1), (7, 8, 2, 0, 0)),
        ((7, 7, 7, 2, 5), (7, 7, 7, 2, 0)),
    ]
    produced, target = zip(*rows, strict=True)
    return torch.tensor(produced), torch.tensor(target), 2


def _numbers() -> tuple:
    rows = [
        ((5, 7, 2, 0, 0), (5, 7, 2, 0, 0)),
        ((5, 7, 9, 2, 8), (5, 7, 9, 2, 0)),
        ((4, 6, 8, 2, 0), (4, 6, 2, 0, 0)),
        ((4, 6, 2, 0, 0), (4, 6, 8, 2, 0)),
        ((4, 3, 5, 6, 2), (3, 4, 5, 6, 2)),
        ((8, 2, 0, 0, 0), (9, 2, 0, 0, 0)),
        ((8, 8, 2, 2, 2), (8, 8, 2, 0, 0)),
        ((3, 4, 2, 0, 0), (3, 2, 0, 0, 0)),
        ((6, 5, 4, 2, 7), (6, 5, 4, 2, 0)),
        ((7, 2, 0, 0, 0), (7, 2, 0, 0, 0)),
        ((3, 3, 2, 0, 0), (4, 4, 2, 0, 0)),
    ]
    produced, target = zip(*rows, strict=True)
    return torch.tensor(produced), torch.tensor(target), 2


def _one_number() -> tuple:
    return torch.tensor([[6, 9, 3]]), torch.tensor([[6, 9, 3]]), 3


def _junk_in_the_target() -> tuple:
    rows = [
        ((5, 4, 9, 4, 0, 1, 7), (5, 4, 8, 4, 0, 0, 0)),
        ((6, 6, 4, 1, 1, 1, 1), (6, 6, 4, 4, 4, 4, 4)),
        ((8, 9, 4, 0, 0, 0, 0), (8, 8, 4, 0, 0, 0, 0)),
        ((7, 4, 9, 4, 5, 0, 0), (7, 4, 9, 4, 8, 0, 0)),
    ]
    produced, target = zip(*rows, strict=True)
    return torch.tensor(produced), torch.tensor(target), 4


EXERCISE = Exercise(
    id="1.4",
    title="How many numbers are right?",
    minutes=6,
    difficulty=2,
    reference=share_right,
    cases={
        "eleven numbers": _numbers,
        "a batch of one": _one_number,
        "targets with more behind their end": _junk_in_the_target,
        "ends at different places": _ends_at_different_places,
    },
    mistakes={
        "first row's end": Mistake(
            "every row is compared up to the end of the first one; each has its own",
            _one_end_for_all(lambda ends: ends[0]),
        ),
        "last row's end": Mistake(
            "every row is compared up to the end of the last one; each has its own",
            _one_end_for_all(lambda ends: ends[-1]),
        ),
        "longest row's end": Mistake(
            "every row is compared up to the longest one's end; after its own <eos> "
            "anything may stand",
            _one_end_for_all(lambda ends: ends.max()),
        ),
        "token accuracy": Mistake(
            "this is the share of right tokens; a number with one wrong digit is a "
            "wrong number",
            lambda produced, target, eos: _share(produced == target),
        ),
        "real token accuracy": Mistake(
            "this is the share of right tokens up to <eos>; a number with one wrong "
            "digit is a wrong number",
            lambda produced, target, eos: _share(
                (produced == target)[_counted(target, eos)]
            ),
        ),
        "compared after the end": Mistake(
            "what stands after <eos> is compared, too; anything may stand there",
            lambda produced, target, eos: _share((produced == target).all(1)),
        ),
        "end not compared": Mistake(
            "the <eos> itself is not compared: an output that goes on too long "
            "counts as right",
            _without_eos,
        ),
        "stops early": Mistake(
            "only what was produced is compared: an output that stops too early "
            "counts as right",
            _stops_early,
        ),
        "last end": Mistake(
            "you compare up to the target's last <eos>; its first one is its end",
            _to_the_last_eos,
        ),
        "up to the zeros": Mistake(
            "you leave out where the target is 0, as if nothing else could stand "
            "behind its end; compare up to its first <eos>, whatever comes after it",
            lambda produced, target, eos: _share(
                ((produced == target) | (target == 0)).all(1)
            ),
        ),
        "any": Mistake(
            "a row with any right token counts; all tokens up to <eos> must be right",
            lambda produced, target, eos: _share(
                ((produced == target) & _counted(target, eos)).any(1)
            ),
        ),
        "count": Mistake(
            NUMBER_FOR_SHARE,
            lambda produced, target, eos: (
                share_right(produced, target, eos) * len(target)
            ),
        ),
        "all or nothing": Mistake(
            "one wrong row makes the whole batch wrong; count row by row (dim=1)",
            lambda produced, target, eos: float(
                share_right(produced, target, eos) > 0.999
            ),
        ),
    },
    hints=(
        "mark the positions that count: those up to and including the target's "
        "first <eos>.",
        "(target == eos).cumsum(dim=1) is 0 before the first <eos> and at least 1 "
        "from it on; take the <eos> itself back off it, and 0 says that it counts.",
        "a row is right where each position is equal or does not count: all(dim=1), "
        "then the mean over the rows.",
    ),
)
