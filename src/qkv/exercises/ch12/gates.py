"""The k best experts of each token, and their weights."""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch12.shared import best


def gates(
    logits: Float[Tensor, "*batch expert"], k: int
) -> tuple[Float[Tensor, "*batch choice"], Int[Tensor, "*batch choice"]]:
    return best(logits, k)


def _by(weigh, logits, k):
    """The right experts, weighed in another way."""
    chosen = logits.topk(k).indices
    return weigh(logits).gather(-1, chosen), chosen


def _renormalised(logits, k):
    scores, chosen = logits.topk(k)
    return scores.softmax(-1), chosen


def _out_of_step(logits, k):
    weights, chosen = best(logits, k)
    return weights, chosen.sort(-1).values


def _in_the_experts_order(logits, k):
    chosen = logits.topk(k).indices.sort(-1).values
    return logits.softmax(-1).gather(-1, chosen), chosen


def _first_axis(logits, k):
    return logits.softmax(0).topk(k)


def _of_others(choose, logits, k):
    chosen = choose(logits).topk(k).indices
    return logits.softmax(-1).gather(-1, chosen), chosen


def _scores(k: int, *shape: int) -> tuple[Tensor, int]:
    return 2 * draw.normal(*shape), k


EXERCISE = Exercise(
    id="12.1",
    title="The k best, and their weights",
    minutes=8,
    difficulty=1,
    reference=gates,
    results=("weights", "chosen"),
    cases={
        "as many tokens as experts, all of them chosen": partial(_scores, 3, 3, 3),
        "every size different": partial(_scores, 3, 5, 7),
        "one expert a token": partial(_scores, 1, 11, 5),
        "sentences of tokens": partial(_scores, 2, 2, 7, 5),
        "a batch of one token": partial(_scores, 2, 1, 3),
    },
    mistakes={
        "over the tokens": Mistake(
            "the softmax runs over the first axis, the tokens: so a token's weights "
            "depend on its company. It runs over the experts, dim=-1",
            _first_axis,
        ),
        "softmax of the chosen": Mistake(
            "the k best have been chosen first, and then a softmax taken over their "
            "logits alone. For k = 2 Mixtral does just that; but here the weights are "
            "probabilities over all experts. (For k = 1 yours is 1, whatever the "
            "logit is, and no gradient reaches the router.)",
            _renormalised,
        ),
        "out of step": Mistake(
            "the numbers of the experts have been sorted, and the weights have not: "
            "each weight now belongs to another expert than the one beside it",
            _out_of_step,
        ),
        "in the experts' order": Mistake(
            "the right experts with the right weights, but in the order of their "
            "numbers: the best one is to come first",
            _in_the_experts_order,
        ),
        "the worst": Mistake(
            "these are the k smallest: topk takes the largest unless it is told "
            "otherwise, sort begins with the smallest",
            partial(_of_others, torch.neg),
        ),
        "by size": Mistake(
            "the logits that are farthest from 0 have been chosen: a very negative one "
            "says very unlikely, not very important",
            partial(_of_others, torch.abs),
        ),
        "the first": Mistake(
            "the first k experts have been taken, not the best k",
            partial(
                _of_others, lambda logits: -torch.arange(logits.shape[-1]) + 0 * logits
            ),
        ),
        "logits": Mistake(
            "the weights are the logits themselves, and may be negative: a softmax "
            "over the experts makes probabilities of them",
            partial(_by, lambda logits: logits),
        ),
        "twice": Mistake(
            "a softmax has been taken of a softmax. The order stays, but the weights "
            "are far too alike: a softmax wants logits, not probabilities",
            partial(_by, lambda logits: logits.softmax(-1).softmax(-1)),
        ),
        "sigmoid": Mistake(
            "each expert has got a probability of its own, by a sigmoid. Later models "
            "do so (DeepSeek-V3); here they share 1, by a softmax",
            partial(_by, torch.sigmoid),
        ),
        "squares": Mistake(
            "the probabilities have been squared: they are the weights as they are",
            partial(_by, lambda logits: logits.softmax(-1).square()),
        ),
        "logarithms": Mistake(
            "these are logarithms of the probabilities: log_softmax. Weights are "
            "multiplied with what experts say",
            partial(_by, lambda logits: logits.log_softmax(-1)),
        ),
    },
    hints=(
        "two steps: a softmax over all experts (dim=-1), then the k largest of it.",
        "tensor.topk(k) returns the k largest along the last axis, the largest first, "
        "and their places.",
    ),
)
