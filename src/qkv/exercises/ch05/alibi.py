"""ALiBi's bias."""

import math
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake


def alibi(heads: int, length: int) -> Float[Tensor, "head query key"]:
    return _bias(2.0 ** (-8 * _head_numbers(heads) / heads), _distances(length).abs())


def _bias(slopes: Tensor, distances: Tensor) -> Tensor:
    return -slopes[:, None, None] * distances


def _head_numbers(heads: int) -> Tensor:
    return torch.arange(1, heads + 1)


def _distances(length: int) -> Tensor:
    """How far the key is behind the query; negative where it is ahead."""
    places = torch.arange(length)
    return places[:, None] - places


def _authors_slopes(heads: Tensor, count: int) -> Tensor:
    """As in the authors' program, which wants a power of two and fills up the rest."""
    power = 2 ** int(math.log2(count))
    own = 2.0 ** (-8 * heads[:power] / power)
    between = 2.0 ** (-8 * torch.arange(1, 2 * power + 1) / (2 * power))
    return torch.cat([own, between[0::2][: count - power]])


def _with_slopes(slopes, heads, length):
    return _bias(slopes(_head_numbers(heads), heads), _distances(length).abs())


def _with_distances(distances, heads, length):
    slopes = 2.0 ** (-8 * _head_numbers(heads) / heads)
    return _bias(slopes, distances(_distances(length)))


EXERCISE = Exercise(
    id="5.5",
    title="The price of distance",
    minutes=7,
    difficulty=2,
    reference=alibi,
    cases={
        "eight heads, as in the paper": lambda: (8, 5),
        "three heads": lambda: (3, 7),
        "one head": lambda: (1, 3),
        "a single token": lambda: (2, 1),
    },
    mistakes={
        "the authors' slopes": Mistake(
            "right for 1, 2, 4, 8, … heads. For other numbers these are the slopes of "
            "the authors' program, which takes those of the next smaller power of two "
            "and fills up; the formula here serves every number",
            partial(_with_slopes, _authors_slopes),
        ),
        "rewarded": Mistake(
            "the sign is missing: far keys are rewarded. What is added to a score "
            "must grow smaller with the distance, so it is negative",
            lambda heads, length: -alibi(heads, length),
        ),
        "signed distance": Mistake(
            "the distance has a sign here: keys ahead of the query are rewarded for "
            "being far. |i − j| has none",
            partial(_with_distances, lambda behind: behind),
        ),
        "future free": Mistake(
            "keys ahead of the query cost nothing; they cost what keys as far "
            "behind it cost. (With a causal mask it makes no difference, and that "
            "mask is another matter.)",
            partial(_with_distances, lambda behind: behind.clamp(min=0)),
        ),
        "future hidden": Mistake(
            "keys ahead of the query are hidden with −∞. The paper always adds a "
            "causal mask too; here the two are kept apart, and a bias hides nothing",
            lambda heads, length: alibi(heads, length).masked_fill(
                _distances(length) < 0, -torch.inf
            ),
        ),
        "heads from 0": Mistake(
            "the heads are counted from 0, so that the first one has slope 1; they "
            "count from 1, and the first slope is 2^(−8 / heads)",
            partial(_with_slopes, lambda h, heads: 2.0 ** (-8 * (h - 1) / heads)),
        ),
        "always eight heads": Mistake(
            "the slopes are ½, ¼, ⅛, … whatever the number of heads; that is right "
            "for 8 of them. The last slope is always 2^−8",
            partial(_with_slopes, lambda h, heads: 2.0**-h),
        ),
        "without the 8": Mistake(
            "the 8 is missing from the exponent: the slopes run from nearly 1 to ½ "
            "only, and no head sees far",
            partial(_with_slopes, lambda h, heads: 2.0 ** (-h / heads)),
        ),
    },
    hints=(
        "places = torch.arange(length); places[:, None] − places has all i − j.",
        "the slopes are one number for each head: 2.0 ** (−8 h / heads) for "
        "h = 1 … heads. slopes[:, None, None] has axes for query and key.",
    ),
)
