"""What each of ALiBi's heads still sees."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake


def in_sight(heads: int, length: int, share: float) -> Bool[Tensor, "head query key"]:
    return _biases(heads, length).exp() >= share


def _slopes(heads: int) -> Tensor:
    return 2.0 ** (-8 * _numbers(heads) / heads)


def _numbers(heads: int) -> Tensor:
    return torch.arange(1, heads + 1)


def _behind(length: int) -> Tensor:
    """How far the key is behind the query; negative where it is ahead."""
    places = torch.arange(length)
    return places[:, None] - places


def _biases(
    heads: int,
    length: int,
    slopes: Callable[[int], Tensor] = _slopes,
    distance: Callable[[Tensor], Tensor] = torch.abs,
) -> Tensor:
    return -slopes(heads)[:, None, None] * distance(_behind(length))


def _with_slopes(slopes: Callable[[int], Tensor]) -> Callable:
    return lambda heads, length, share: _biases(heads, length, slopes).exp() >= share


def _judged(judge: Callable[[Tensor, float], Tensor]) -> Callable:
    """What is in sight by another rule for the biases."""
    return lambda heads, length, share: judge(_biases(heads, length), share)


def _authors_slopes(heads: int) -> Tensor:
    """As in the authors' program, which wants a power of two and fills up the rest."""
    power = 2 ** int(math.log2(heads))
    between = _slopes(2 * power)[0::2]
    return torch.cat([_slopes(power), between[: heads - power]])


EXERCISE = Exercise(
    id="5.5",
    title="How far a head sees",
    minutes=8,
    difficulty=2,
    reference=in_sight,
    cases={
        "eight heads, as in the paper": lambda: (8, 23, 0.1),
        "three heads": lambda: (3, 53, 0.3),
        "one head, and nearly all the weight": lambda: (1, 5, 0.99),
        "a single token": lambda: (2, 1, 0.5),
    },
    mistakes={
        "the authors' slopes": Mistake(
            "right for 1, 2, 4, 8, … heads. For other numbers these are the slopes of "
            "the authors' program, which takes those of the next smaller power of two "
            "and fills up; the formula here serves every number",
            _with_slopes(_authors_slopes),
        ),
        "base two": Mistake(
            "the weights have been taken to fall by powers of 2. The slopes are such "
            "powers; but a softmax takes e to the power of a score, so a penalty of "
            "m · distance makes a weight e^(−m · distance) times as large",
            _judged(lambda bias, share: 2**bias >= share),
        ),
        "penalty off the weight": Mistake(
            "the penalty has been taken off the weight, 1 − m · distance. It is taken "
            "off the score, before the softmax: there, e to the power of it becomes a "
            "factor",
            _judged(lambda bias, share: 1 + bias >= share),
        ),
        "score for weight": Mistake(
            "the penalty itself has been compared with the share. The penalty belongs "
            "to the score; the share is one of weights, and the softmax, with its e to "
            "the power of a score, stands between the two",
            _judged(lambda bias, share: -bias <= share),
        ),
        "of all the weight": Mistake(
            "each weight has been compared with the share of the whole row, which "
            "sums to one: then what is in sight depends on how many keys there are. "
            "Compare it with the weight of the query's own token",
            _judged(lambda bias, share: bias.softmax(-1) >= share),
        ),
        "inverted": Mistake(
            "it is True for the keys that have less than the share: those are out of "
            "sight",
            _judged(lambda bias, share: bias.exp() < share),
        ),
        "ahead free": Mistake(
            "every key ahead of the query is in sight. They cost what keys as far "
            "behind it cost: |i − j| has no sign",
            lambda heads, length, share: (
                _biases(heads, length, distance=lambda n: n).exp() >= share
            ),
        ),
        "ahead hidden": Mistake(
            "no key ahead of the query is in sight. The paper always adds a causal "
            "mask too; here the two are kept apart, and we look both ways",
            lambda heads, length, share: (
                in_sight(heads, length, share) & (_behind(length) >= 0)
            ),
        ),
        "heads from 0": Mistake(
            "the heads are counted from 0, so that the first one has slope 1; they "
            "count from 1, and the first slope is 2^(−8 / heads)",
            _with_slopes(lambda heads: 2.0 ** (-8 * (_numbers(heads) - 1) / heads)),
        ),
        "always eight heads": Mistake(
            "the slopes are ½, ¼, ⅛, … whatever the number of heads; that is right "
            "for 8 of them. The last slope is always 2^−8",
            _with_slopes(lambda heads: 2.0 ** -_numbers(heads)),
        ),
        "without the 8": Mistake(
            "the 8 is missing from the exponent: the slopes run from nearly 1 to ½ "
            "only, and no head sees far",
            _with_slopes(lambda heads: 2.0 ** (-_numbers(heads) / heads)),
        ),
        "heads turned round": Mistake(
            "the heads stand in the wrong order: the first has the steepest slope and "
            "sees the least, the last has 2^−8",
            _with_slopes(lambda heads: _slopes(heads).flip(0)),
        ),
    },
    hints=(
        "two keys have the same score, and one of them is lowered by x. The softmax "
        "takes e to the power of both: by which factor do their weights differ?",
        "so a key is in sight where e^(−m · distance) ≥ share. Distances: "
        "places = torch.arange(length), and places[:, None] − places has all i − j.",
        "the slopes are one number for each head: 2.0 ** (−8 h / heads) for "
        "h = 1 … heads. slopes[:, None, None] has axes for query and key.",
    ),
)
