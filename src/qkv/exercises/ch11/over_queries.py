"""Bug hunt: a softmax over the queries, which no loss shows."""

from collections.abc import Callable
from functools import partial

from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch11.shared import attended as _attended


def attended(
    q: Float[Tensor, "batch place d_k"],
    k: Float[Tensor, "batch place d_k"],
    v: Float[Tensor, "batch place d_v"],
) -> tuple[Float[Tensor, "batch place d_v"], Float[Tensor, "batch query key"]]:
    return _attended(q, k, v)


def _over_queries(q, k, v):
    return _attended(q, k, v, lambda scores: scores.softmax(1))


def _with(weigh: Callable, q, k, v):
    return _attended(q, k, v, weigh)


def _both(scores):
    return scores.flatten(1).softmax(1).view_as(scores)


def _brought_to_one(scores):
    weights = scores.softmax(1)
    return weights / weights.sum(-1, keepdim=True)


def _turned_over(scores):
    return scores.softmax(1).mT


def _halfway(scores):
    return (scores.softmax(1) + scores.softmax(-1)) / 2


def _twice(scores):
    return scores.softmax(1).softmax(-1)


def _shown_right(q, k, v):
    """The map that is returned is right; what is read is as it was."""
    return _over_queries(q, k, v)[0], attended(q, k, v)[1]


def _batch(scores):
    return scores.softmax(0)


def _not_scaled(q, k, v):
    return attended(q * q.shape[-1] ** 0.5, k, v)


def _given(batch: int, place: int, d_k: int, d_v: int) -> tuple[Tensor, ...]:
    return draw.normals((batch, place, d_k), (batch, place, d_k), (batch, place, d_v))


EXERCISE = Exercise(
    id="11.6",
    title="Bug hunt: the loss falls, and the map is wrong",
    minutes=12,
    difficulty=3,
    reference=attended,
    results=("what is read", "the map"),
    cases={
        "as many places as numbers": partial(_given, 3, 3, 3, 3),
        "every size different": partial(_given, 2, 7, 3, 5),
        "a batch of one": partial(_given, 1, 5, 2, 3),
        "one place": partial(_given, 5, 1, 3, 2),
    },
    mistakes={
        "the sender's map": Mistake(
            "the map has been turned over after the same softmax: its rows sum to 1 "
            "now, but row i says how place i is *asked*, not what it asks for. Take "
            "the softmax over the keys instead",
            partial(_with, _turned_over),
        ),
        "brought to 1": Mistake(
            "the rows have been divided by their sums, after the same softmax: they "
            "sum to 1, and each weight still depends on what the other queries ask. "
            "Take the softmax over the keys instead",
            partial(_with, _brought_to_one),
        ),
        "over all": Mistake(
            "the softmax runs over queries and keys together: all weights of a picture "
            "sum to 1, not those of each row",
            partial(_with, _both),
        ),
        "half of each": Mistake(
            "this is the mean of the two softmaxes: a row sums to 1 only with the one "
            "over the keys alone",
            partial(_with, _halfway),
        ),
        "a second softmax": Mistake(
            "a second softmax, over the keys, has been put after the first: weights "
            "between 0 and 1 come out nearly even. One is enough, over the keys",
            partial(_with, _twice),
        ),
        "only shown": Mistake(
            "the map that is returned is right now, but what is read is still made "
            "with the old one: it is the reading that has to be mended",
            _shown_right,
        ),
        "over the pictures": Mistake(
            "the softmax runs over the pictures of the batch: a place would then share "
            "its weights with places of other pictures",
            partial(_with, _batch),
        ),
        "no longer scaled": Mistake(
            "the softmax is right now; the division by the root of d_k is gone, and "
            "was right as it was",
            _not_scaled,
        ),
    },
    hints=(
        "what do you know of every row of a map, whatever the scores are? Ask for it: "
        "weights.sum(-1).",
        "the axes are (batch, query, key). Over which of them must the weights of one "
        "query sum to 1, and what does softmax(1) do?",
    ),
    given=_over_queries,
)
