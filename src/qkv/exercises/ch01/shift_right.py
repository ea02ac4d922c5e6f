"""The decoder's input."""

from functools import partial

import torch
from jaxtyping import Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def shift_right(
    target: Int[Tensor, "batch target"], bos: int
) -> Int[Tensor, "batch target"]:
    first = torch.full_like(target[:, :1], bos)
    return torch.cat([first, target[:, :-1]], dim=1)


def _overwritten(target, bos):
    target = target.clone()
    target[:, 0] = bos
    return target


def _targets(batch: int, target: int, bos: int) -> tuple:
    return draw.ids(batch, target, high=90) + 20, bos


EXERCISE = Exercise(
    id="1.2",
    title="What the decoder is fed",
    minutes=3,
    difficulty=1,
    reference=shift_right,
    cases={
        "three sentences": partial(_targets, 3, 5, 1),
        "another start token": partial(_targets, 2, 7, 11),
        "a batch of one": partial(_targets, 1, 3, 5),
    },
    mistakes={
        "not shifted": Mistake(
            "the target is not shifted: the decoder is fed the very token that it "
            "must predict, and will only learn to copy",
            lambda target, bos: target.clone(),
        ),
        "rolled": Mistake(
            "the last token has come round to the front; the start token belongs "
            "there (torch.roll goes in a circle)",
            lambda target, bos: target.roll(1, dims=1),
        ),
        "shifted left": Mistake(
            "the target has moved to the left: the decoder sees the token after the "
            "one that it must predict",
            lambda target, bos: torch.cat(
                [target[:, 1:], torch.full_like(target[:, :1], bos)], dim=1
            ),
        ),
        "overwritten": Mistake(
            "the start token has taken the first token's place, and the rest has not "
            "moved: from the second step on the decoder is fed what it must predict",
            _overwritten,
        ),
        "shifted down": Mistake(
            "the sentences have moved, not the tokens: the batch is axis 0, the "
            "tokens are axis 1",
            lambda target, bos: torch.cat(
                [torch.full_like(target[:1], bos), target[:-1]]
            ),
        ),
        "bos at the end": Mistake(
            "the start token stands at the end and has replaced the last token; it "
            "belongs in front",
            lambda target, bos: shift_right(target.flip(1), bos).flip(1).roll(-1, 1),
        ),
        "bos written in": Mistake(
            "the start token is always 1; use the id that was given as bos",
            lambda target, bos: shift_right(target, 1),
        ),
    },
    hints=(
        "at its first step the decoder knows nothing yet, so it is fed bos; at its "
        "second, the target's first token; and the target's last token is never fed.",
        "torch.cat puts two tensors side by side along dim=1: a column of bos, and "
        "the target without its last column.",
    ),
)
