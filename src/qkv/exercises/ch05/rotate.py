"""Rotary positions."""

from functools import partial

import torch

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch05.shared import (
    encoded,
    halves_turned,
    mirrored,
    overwritten,
    rates,
    rotate,
    turned,
    unwoven,
    woven,
)


def _two_layouts(x, positions):
    angles = positions[:, None] * rates(x.shape[-1])
    angles = torch.cat([angles, angles], dim=-1)
    across = woven(-x[..., 1::2], x[..., 0::2])
    return x * angles.cos() + across * angles.sin()


def _other_two_layouts(x, positions):
    angles = positions[:, None] * rates(x.shape[-1])
    angles = angles.repeat_interleave(2, -1)
    first, second = x.chunk(2, dim=-1)
    return x * angles.cos() + torch.cat([-second, first], dim=-1) * angles.sin()


def _queries(batch: int, d_head: int, positions: tuple[int, ...]) -> tuple:
    return draw.normal(batch, len(positions), d_head), torch.tensor(positions)


EXERCISE = Exercise(
    id="5.4",
    title="Turn the queries and the keys",
    minutes=10,
    difficulty=2,
    reference=rotate,
    cases={
        "as many sequences as tokens": partial(_queries, 5, 6, (0, 1, 2, 3, 4)),
        "positions that are not 0, 1, 2, …": partial(
            _queries, 2, 10, (3, 0, 1, 17, 5, 40, 41)
        ),
        "a batch of one, one pair": partial(_queries, 1, 2, (11, 12, 13)),
    },
    mistakes={
        "rates upside down": Mistake(
            "a minus is missing in the exponent: the rates grow from pair to pair, up "
            "to thousands of radians a position. They fall, 10000^(−2i / d_head)",
            lambda x, positions: turned(
                x, positions[:, None] * rates(x.shape[-1], power=-1.0)
            ),
        ),
        "wrong way": Mistake(
            "the pairs are turned the other way round. A model could be trained so "
            "just as well; but the formula has the minus in the first of each pair",
            lambda x, positions: rotate(x, -positions),
        ),
        "halves": Mistake(
            "feature i has been paired with feature i + d_head / 2. Many models do "
            "so, and with their own weights they are right; here a pair stands side "
            "by side, features 2i and 2i + 1. Weights trained one way are useless "
            "the other",
            lambda x, positions: halves_turned(
                x, positions[:, None] * rates(x.shape[-1])
            ),
        ),
        "two layouts": Mistake(
            "the pairs stand side by side, but the angles are laid out for halves, "
            "[θ, θ]: the two features of a pair are turned by different angles. Each "
            "angle is wanted twice in a row (repeat_interleave)",
            _two_layouts,
        ),
        "the other two layouts": Mistake(
            "the angles are laid out for pairs that stand side by side, [θ₀, θ₀, θ₁, "
            "θ₁, …], but feature i has been paired with feature i + d_head / 2: the "
            "two features of a pair are turned by different angles. Pair neighbours",
            _other_two_layouts,
        ),
        "put side by side": Mistake(
            "each pair is turned rightly, but the first ones of all pairs come first, "
            "and then the second ones; they are to take turns, as they did "
            "(torch.stack on a last axis, then flatten)",
            lambda x, positions: unwoven(rotate(x, positions)),
        ),
        "overwritten": Mistake(
            "the second of each pair has been made of the new first: the line before "
            "has overwritten what it needs. Keep the old one, or write into another "
            "tensor",
            lambda x, positions: overwritten(
                x, positions[:, None] * rates(x.shape[-1])
            ),
        ),
        "positions not used": Mistake(
            "the tokens have been taken to stand at 0, 1, 2, …; where they stand is "
            "in positions",
            lambda x, positions: rotate(x, torch.arange(x.shape[1])),
        ),
        "one further": Mistake(
            "every token is turned as if it stood one further on: position 0 is not "
            "turned at all",
            lambda x, positions: rotate(x, positions + 1),
        ),
        "along the batch": Mistake(
            "the angles go along the batch: each sequence is turned as a whole, and "
            "its tokens alike. It fails in sight only where tokens and sequences "
            "differ in number",
            lambda x, positions: turned(
                x, positions[:, None, None] * rates(x.shape[-1])
            ),
        ),
        "i for 2i": Mistake(
            "the exponent is i / d_head where the formula has 2i / d_head: the slow "
            "pairs are not slow enough",
            lambda x, positions: turned(
                x, positions[:, None] * rates(x.shape[-1], power=0.5)
            ),
        ),
        "sign lost": Mistake(
            "a minus is missing: (x₀ cos − x₁ sin, x₀ sin + x₁ cos). With a plus it "
            "is no rotation, and the vectors change their length",
            lambda x, positions: mirrored(x, positions[:, None] * rates(x.shape[-1])),
        ),
        "added": Mistake(
            "the sinusoids have been added to x; here nothing is added, x is turned",
            lambda x, positions: x + encoded(positions, x.shape[-1]),
        ),
    },
    hints=(
        "the angles are a table (token, d_head / 2), as for the sinusoids: "
        "positions[:, None] times a row of rates.",
        "x[..., 0::2] and x[..., 1::2] are the first and the second of all pairs; "
        "both have the axes of the angles, with the batch in front.",
        "a point (a, b) turned by θ is (a cos θ − b sin θ, a sin θ + b cos θ); "
        "then put the two side by side again: torch.stack(…, dim=-1).flatten(-2).",
    ),
    tolerance=1e-4,
)
