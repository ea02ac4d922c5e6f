"""A picture of four places looks at itself, by hand."""

from functools import partial

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table
from qkv.checking.exercise import Mistake

X = torch.tensor([0.0, 1, 2, 1])
PLACES = ("a", "b", "c", "d")
GATE = 0.5


def _looked(
    axis: int = 1, gate: float = GATE, residual: bool = True
) -> dict[str, Tensor]:
    powers = 2 ** (X[:, None] * X)
    weights = powers / powers.sum(axis, keepdim=True)
    return _read(powers, weights, weights @ X, gate, residual)


def _read(
    powers: Tensor,
    weights: Tensor,
    read: Tensor,
    gate: float = GATE,
    residual: bool = True,
) -> dict[str, Tensor]:
    return {
        "x": X.view(2, 2),
        "powers": powers,
        "weights": weights,
        "read": read,
        "y": residual * X + gate * read,
    }


def _not_divided() -> dict[str, Tensor]:
    powers = _looked()["powers"]
    return _read(powers, powers, powers @ X)


def _added(scores: Tensor) -> dict[str, Tensor]:
    powers = 2**scores
    weights = powers / powers.sum(1, keepdim=True)
    return _read(powers, weights, weights @ X)


def _by_scores() -> dict[str, Tensor]:
    scores = X[:, None] * X
    total = scores.sum(1, keepdim=True)
    weights = torch.where(total > 0, scores / total, 0.0)
    return _read(scores, weights, weights @ X)


def _best_one() -> dict[str, Tensor]:
    right = _looked()
    return _read(right["powers"], right["weights"], right["weights"].amax(1) * X.amax())


BY_HAND = ByHand(
    id="11.b",
    title="Four places look at each other",
    minutes=6,
    difficulty=2,
    decimals=3,
    task="A picture of 2 × 2 places and one channel. Its queries are $q_i = x_i$, its "
    "keys $k_j = x_j \\ln 2$, its values $v_j = x_j$, and $W_o = 1$. So the power of a "
    "score, $e^{q_i k_j}$, is $2^{x_i x_j}$. The gate is $\\gamma = \\frac12$. What "
    "are the weights, what does each place read, and what is $y = x + \\gamma o$? (The "
    "places are laid out row by row: a and b above, c and d below.)",
    compute=_looked,
    tables={
        "x": Table("$x$", ("above", "below"), ("left", "right")),
        "powers": Table(
            "$2^{x_i x_j}$, a row for each place that looks",
            PLACES,
            PLACES,
            blanks=((1, 1), (1, 2), (2, 1), (2, 2)),
            look="2 to the power of the product of the two numbers; 2⁰ is 1.",
        ),
        "weights": Table(
            "The map: weights, a row for each place that looks",
            PLACES,
            PLACES,
            blanks=((0, 2), (1, 2), (2, 1), (2, 2)),
            look="divide each power by the sum of its *row*.",
        ),
        "read": Table(
            "What each place reads, $o$",
            columns=PLACES,
            blanks=...,
            look="the values, averaged by the place's row of weights.",
        ),
        "y": Table(
            "$y = x + \\gamma o$",
            columns=PLACES,
            blanks=...,
            look="half of what was read, added to what was there.",
        ),
    },
    mistakes={
        "over the queries": Mistake(
            "each power has been divided by the sum of its column: the weights of one "
            "*row* sum to 1",
            partial(_looked, axis=0),
        ),
        "not divided": Mistake(
            "these are the powers, not divided by the sum of their row",
            _not_divided,
        ),
        "scores for powers": Mistake(
            "the products themselves have been taken for their powers: 2 to the power "
            "of 0 is 1, and of 4 is 16",
            _by_scores,
        ),
        "sums for products": Mistake(
            "the two numbers have been added up: a score is their product",
            partial(_added, X[:, None] + X),
        ),
        "no residual": Mistake(
            "x itself is missing: y is x and half of what was read",
            partial(_looked, residual=False),
        ),
        "no gate": Mistake(
            "what was read has been added as it is: γ lets half of it through",
            partial(_looked, gate=1.0),
        ),
        "the largest alone": Mistake(
            "only the value with the largest weight has been read: all four count, "
            "each by its weight",
            _best_one,
        ),
    },
)
