"""The nucleus of a distribution."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def nucleus(
    probabilities: Float[Tensor, "batch vocab"], p: float
) -> Float[Tensor, "batch vocab"]:
    return _only(probabilities, _likelier(probabilities) < p)


def _only(probabilities, kept):
    left = probabilities * kept
    return left / left.sum(-1, keepdim=True)


def _ranked(probabilities, descending=True):
    """Sorted, the mass before each in that order, and the places they came from."""
    ranked, order = probabilities.sort(dim=-1, descending=descending)
    return ranked, ranked.cumsum(-1) - ranked, order


def _likelier(probabilities, descending=True):
    """How much mass is likelier than each token; the other way round, less likely."""
    _, before, order = _ranked(probabilities, descending)
    return torch.empty_like(before).scatter(-1, order, before)


def _too_few_but_the_first(probabilities, p):
    kept = _likelier(probabilities) + probabilities <= p
    return _only(probabilities, kept | (_rank(probabilities) == 0))


def _all_below_p_and_the_first(probabilities, p):
    kept = _likelier(probabilities) + probabilities < p
    return _only(probabilities, kept | (_rank(probabilities) == 0))


def _gathered(probabilities, p):
    _, before, order = _ranked(probabilities)
    return _only(probabilities, (before < p).gather(-1, order))


def _left_sorted(probabilities, p):
    ranked, before, _ = _ranked(probabilities)
    return _only(ranked, before < p)


def _first_rows_number(probabilities, p):
    number = (_likelier(probabilities) < p).sum(-1)[0]
    return _only(probabilities, _rank(probabilities) < number)


def _rank(probabilities):
    return probabilities.argsort(dim=-1, descending=True).argsort(dim=-1)


def _softmax_of_the_kept(probabilities, p):
    kept = _likelier(probabilities) < p
    return probabilities.masked_fill(~kept, -torch.inf).softmax(-1)


def _share_of_the_vocabulary(probabilities, p):
    number = max(1, int(p * probabilities.shape[-1]))
    return _only(probabilities, _rank(probabilities) < number)


def _distributions(batch: int, vocab: int, p: float, scale: float = 1.5) -> tuple:
    return (scale * draw.normal(batch, vocab)).softmax(-1), p


def _in_sixteenths(p: float) -> tuple:
    """Numbers that binary fractions hold exactly, so that no rounding decides."""
    return torch.tensor([[3.0, 8.0, 1.0, 4.0]]) / 16, p


EXERCISE = Exercise(
    id="7.7",
    title="The nucleus of a distribution",
    minutes=8,
    difficulty=3,
    reference=nucleus,
    cases={
        "as many rows as tokens": partial(_distributions, 5, 5, 0.8),
        "every size different": partial(_distributions, 3, 11, 0.6),
        "a batch of one, and a mass of exactly p": partial(_in_sixteenths, 0.75),
        "tokens that are nearly certain": partial(_distributions, 2, 7, 0.3, 6.0),
        "p = 1": partial(_in_sixteenths, 1.0),
    },
    mistakes={
        "gather for scatter": Mistake(
            "gather has been used where scatter is wanted: order says where each "
            "sorted token came from, so the mask must be written back to those places, "
            "not read from them",
            _gathered,
        ),
        "one too few": Mistake(
            "the token that takes the mass over p is missing: what is kept has less "
            "than p, and where the likeliest alone has more, nothing is left, and "
            "0 / 0 is NaN",
            lambda probabilities, p: _only(
                probabilities, _likelier(probabilities) + probabilities <= p
            ),
        ),
        "all below p": Mistake(
            "only tokens with which the mass stays below p are kept, so it never "
            "reaches it; and where the likeliest alone does, nothing is left, and "
            "0 / 0 is NaN. The token that takes the mass to p belongs in",
            lambda probabilities, p: _only(
                probabilities, _likelier(probabilities) + probabilities < p
            ),
        ),
        "one too few but the first": Mistake(
            "the likeliest is always kept; but of the others, the one that takes the "
            "mass over p is missing, so that the set has less than p",
            _too_few_but_the_first,
        ),
        "all below p and the first": Mistake(
            "the likeliest is always kept; but of the others, the one that takes the "
            "mass to p is missing, so that the set has less than p",
            _all_below_p_and_the_first,
        ),
        "one too many": Mistake(
            "where the mass comes to exactly p, one token more than needed is kept: "
            "the set is the smallest with a mass of at least p",
            lambda probabilities, p: _only(
                probabilities, _likelier(probabilities) <= p
            ),
        ),
        "not renormalised": Mistake(
            "what is left sums to less than one: divide by its sum",
            lambda probabilities, p: probabilities * (_likelier(probabilities) < p),
        ),
        "left sorted": Mistake(
            "the result is still in sorted order, so that it says token 0 where it "
            "means the likeliest: it must go back to where it came from (scatter)",
            _left_sorted,
        ),
        "mask left sorted": Mistake(
            "the mask is in sorted order and the probabilities are not: it keeps the "
            "first tokens of the vocabulary instead of the likeliest",
            lambda probabilities, p: _only(
                probabilities, _ranked(probabilities)[1] < p
            ),
        ),
        "least likely": Mistake(
            "the sum begins with the least likely tokens: sort in descending order",
            lambda probabilities, p: _only(
                probabilities, _likelier(probabilities, descending=False) < p
            ),
        ),
        "not sorted": Mistake(
            "the probabilities have been added up in the order of the vocabulary; "
            "sort them first, the likeliest in front",
            lambda probabilities, p: _only(
                probabilities, probabilities.cumsum(-1) - probabilities < p
            ),
        ),
        "first row's number": Mistake(
            "every row keeps as many tokens as the first one; how many are needed is "
            "for each row to say",
            _first_rows_number,
        ),
        "softmax": Mistake(
            "what is left has gone through a softmax once more, which makes it "
            "nearly equal: to bring probabilities to a sum of one, divide",
            _softmax_of_the_kept,
        ),
        "share of the vocabulary": Mistake(
            "p has been taken as a share of the tokens: this is top-k, with the same "
            "number for each row. It is a share of the probability",
            _share_of_the_vocabulary,
        ),
        "each against p": Mistake(
            "each token has been compared with 1 − p by itself; the smallest set is "
            "found by adding up, from the likeliest on",
            lambda probabilities, p: _only(probabilities, probabilities >= 1 - p),
        ),
    },
    hints=(
        "probabilities.sort(dim=-1, descending=True) gives the sorted ones and where "
        "each came from; cumsum(dim=-1) adds them up.",
        "a token is needed if those before it, without it, do not reach p: "
        "cumulated − own < p. So the first is always kept.",
        "torch.zeros_like(probabilities).scatter(-1, order, kept) puts them back in "
        "their places; then divide by the sum.",
    ),
    trained=False,
)
