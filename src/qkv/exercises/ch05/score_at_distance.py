"""A rotary score, by the distance alone."""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch05.shared import (
    encoded,
    halves_turned,
    mirrored,
    overwritten,
    rates,
    turned,
    unwoven,
    woven,
)


def score_at_distance(
    q: Float[Tensor, "batch d_head"],
    k: Float[Tensor, "batch d_head"],
    distances: Int[Tensor, " distance"],
) -> Float[Tensor, "batch distance"]:
    return _score(q, k, distances)


def _score(q, k, distances, *, turn=turned, power: float = 1.0):
    """The dot products after the key alone has been turned, by every distance."""
    angles = distances[:, None] * rates(q.shape[-1], power=power)
    return (q[:, None] * turn(k[:, None], angles)).sum(-1)


def _two_layouts(x, angles):
    angles = torch.cat([angles, angles], dim=-1)
    across = woven(-x[..., 1::2], x[..., 0::2])
    return x * angles.cos() + across * angles.sin()


def _other_two_layouts(x, angles):
    angles = angles.repeat_interleave(2, -1)
    first, second = x.chunk(2, dim=-1)
    return x * angles.cos() + torch.cat([-second, first], dim=-1) * angles.sin()


def _put_side_by_side(x, angles):
    return unwoven(turned(x, angles))


def _over_written(x, angles):
    return overwritten(x.expand(-1, len(angles), -1), angles)


def _every_key(q, k, distances):
    return q @ turned(k, distances[:, None] * rates(q.shape[-1])).mT


def _one_angle(q, k, distances):
    angles = distances[:, None].expand(-1, q.shape[-1] // 2)
    return (q[:, None] * turned(k[:, None], angles)).sum(-1)


def _both_turned(q, k, distances):
    angles = distances[:, None] * rates(q.shape[-1])
    return (turned(q[:, None], angles) * turned(k[:, None], angles)).sum(-1)


def _added(q, k, distances):
    return (q[:, None] * (k[:, None] + encoded(distances, k.shape[-1]))).sum(-1)


def _pair(batch: int, d_head: int, distances: tuple[int, ...]) -> tuple:
    q, k = draw.normals((batch, d_head), (batch, d_head))
    return q, k, torch.tensor(distances)


EXERCISE = Exercise(
    id="5.4",
    title="Only how far apart",
    minutes=10,
    difficulty=2,
    reference=score_at_distance,
    cases={
        "as many pairs as distances": partial(_pair, 5, 6, (0, 1, 2, 3, 4)),
        "on both sides": partial(_pair, 2, 10, (3, 0, -1, 17, 5, -40, 41)),
        "a batch of one, two features": partial(_pair, 1, 2, (11, 12, -13)),
    },
    mistakes={
        "wrong way": Mistake(
            "the key stands on the wrong side: at distance 3 it is three places "
            "further on than the query, so it is the key that is turned further. "
            "Turn the key by the distance, or the query by minus the distance",
            lambda q, k, distances: _score(q, k, -distances),
        ),
        "no side": Mistake(
            "the sign of the distance has been taken away: three on and three back "
            "are two places, and rotary positions tell them apart",
            lambda q, k, distances: _score(q, k, distances.abs()),
        ),
        "both turned": Mistake(
            "query and key are both turned by the distance: that is a query and a key "
            "at the same place, and their score is q · k at every distance",
            _both_turned,
        ),
        "one angle": Mistake(
            "all pairs have been turned by the same angle, the distance; pair i turns "
            "by the distance times 10000^(−2i / d_head): each hand has its own pace",
            _one_angle,
        ),
        "rates upside down": Mistake(
            "a minus is missing in the exponent: the rates grow from pair to pair, up "
            "to thousands of radians a position. They fall, 10000^(−2i / d_head)",
            partial(_score, power=-1.0),
        ),
        "i for 2i": Mistake(
            "the exponent is i / d_head where the formula has 2i / d_head: the slow "
            "pairs are not slow enough",
            partial(_score, power=0.5),
        ),
        "halves": Mistake(
            "feature i has been paired with feature i + d_head / 2. Many models do "
            "so, and with their own weights they are right; here a pair stands side "
            "by side, features 2i and 2i + 1. Weights trained one way are useless "
            "the other",
            partial(_score, turn=halves_turned),
        ),
        "two layouts": Mistake(
            "the pairs stand side by side, but the angles are laid out for halves, "
            "[θ, θ]: the two features of a pair are turned by different angles. Each "
            "angle is wanted twice in a row (repeat_interleave)",
            partial(_score, turn=_two_layouts),
        ),
        "the other two layouts": Mistake(
            "the angles are laid out for pairs that stand side by side, [θ₀, θ₀, θ₁, "
            "θ₁, …], but feature i has been paired with feature i + d_head / 2: the "
            "two features of a pair are turned by different angles. Pair neighbours",
            partial(_score, turn=_other_two_layouts),
        ),
        "put side by side": Mistake(
            "each pair of the key is turned rightly, but then the first ones of all "
            "pairs come first, and do not meet their own features of the query; they "
            "are to take turns, as they did (torch.stack on a last axis, then flatten)",
            partial(_score, turn=_put_side_by_side),
        ),
        "overwritten": Mistake(
            "the second of each pair has been made of the new first: the line before "
            "has overwritten what it needs. Keep the old one, or write into another "
            "tensor",
            partial(_score, turn=_over_written),
        ),
        "sign lost": Mistake(
            "a minus is missing: (x₀ cos − x₁ sin, x₀ sin + x₁ cos). With a plus it "
            "is no rotation, and the vectors change their length",
            partial(_score, turn=mirrored),
        ),
        "distances not used": Mistake(
            "the distances have been taken to be 0, 1, 2, …; they are in distances, "
            "in any order, and negative where the key stands before the query",
            lambda q, k, distances: _score(q, k, torch.arange(len(distances))),
        ),
        "with other pairs' keys": Mistake(
            "every query has met the keys of the others: the distances went along the "
            "batch. It fails in sight only where the two differ in number. Give q and "
            "k an axis for the distances, q[:, None]",
            _every_key,
        ),
        "scaled": Mistake(
            "the scores have been divided by √d_head. A model does that; here the dot "
            "product alone is asked for, and at distance 0 it is q · k",
            lambda q, k, distances: _score(q, k, distances) / q.shape[-1] ** 0.5,
        ),
        "added": Mistake(
            "the sinusoids have been added to the key; here nothing is added, the key "
            "is turned",
            _added,
        ),
    },
    hints=(
        "the formula above says that q̃ · k̃ is q · R(j − i) k. So which of the two "
        "must be turned, and by how much?",
        "the angles are a table (distance, d_head / 2): distances[:, None] times a "
        "row of rates. k[:, None, 0::2] and k[:, None, 1::2] are the first and the "
        "second of all pairs, with an axis for the distances.",
        "a point (a, b) turned by θ is (a cos θ − b sin θ, a sin θ + b cos θ). "
        "Multiply with q's features 0::2 and 1::2, and sum over the pairs.",
    ),
    tolerance=1e-4,
)
