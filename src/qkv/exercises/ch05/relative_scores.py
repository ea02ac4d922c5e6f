"""Chapter 3's scores, with a learned number for each distance."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.sentences import BY_D_HEAD, NOT_SCALED, WEIGHTS_ALREADY


def relative_scores(
    q: Float[Tensor, "batch query d_head"],
    k: Float[Tensor, "batch key d_head"],
    bias: Float[Tensor, " distance"],
    *,
    scale: float | None = None,
) -> Float[Tensor, "batch query key"]:
    reach = len(bias) // 2
    return _scaled(q, k, scale) + bias[_ahead(q, k).clamp(-reach, reach) + reach]


def _scaled(q: Tensor, k: Tensor, scale: float | None = None) -> Tensor:
    return q @ k.mT / (scale or q.shape[-1] ** 0.5)


def _ahead(q: Tensor, k: Tensor) -> Tensor:
    """How far the key is ahead of the query; negative where it is behind."""
    return torch.arange(k.shape[1]) - torch.arange(q.shape[1])[:, None]


def _far_ones_without(q, k, bias):
    reach = len(bias) // 2
    near = _ahead(q, k).abs() <= reach
    return torch.where(near, relative_scores(q, k, bias), _scaled(q, k))


def _from_the_end(q, k, bias):
    """A negative index counts from the end of the table."""
    reach = len(bias) // 2
    return _scaled(q, k) + bias[_ahead(q, k).clamp(-reach, reach)]


def _around(q, k, bias):
    """Distances that are too far begin again at the other end of the table."""
    reach = len(bias) // 2
    return _scaled(q, k) + bias[(_ahead(q, k) + reach) % len(bias)]


def _by_distance_alone(q, k, bias):
    reach = len(bias) // 2
    return _scaled(q, k) + bias[_ahead(q, k).abs().clamp(max=reach) + reach]


def _divided_too(q, k, bias):
    return relative_scores(q, k, bias / q.shape[-1] ** 0.5)


def _times(q, k, bias):
    reach = len(bias) // 2
    return _scaled(q, k) * bias[_ahead(q, k).clamp(-reach, reach) + reach]


def _asked(batch: int, token: int, d_head: int, reach: int) -> tuple:
    return draw.normals(
        (batch, token, d_head), (batch, token, d_head), (2 * reach + 1,)
    )


EXERCISE = Exercise(
    id="5.7",
    title="Something older: a number for each distance",
    minutes=8,
    difficulty=2,
    reference=relative_scores,
    cases={
        "eleven tokens, reach 3": partial(_asked, 2, 11, 5, 3),
        "no two tokens farther apart than the reach": partial(_asked, 3, 4, 7, 5),
        "only before, here and after": partial(_asked, 1, 5, 2, 1),
        "a single token": partial(_asked, 2, 1, 3, 2),
    },
    mistakes={
        "mirrored": Mistake(
            "the distance has the wrong sign: query − key. bias[reach + 1] belongs to "
            "the token after the query's, which has key − query = 1",
            lambda q, k, bias: relative_scores(q, k, bias.flip(0)),
        ),
        "near and far alike": Mistake(
            "the sign of the distance is lost: a token before the query and one after "
            "it get the same number. The table has a half for each",
            _by_distance_alone,
        ),
        "from the end": Mistake(
            "the distance itself has been used as the index: −1 then means the last "
            "number of the table, which is that of the farthest key ahead. Add reach, "
            "so that distance 0 finds the middle",
            _from_the_end,
        ),
        "around": Mistake(
            "distances beyond the reach begin again at the other end of the table; "
            "they all get the number of the farthest one that there is",
            _around,
        ),
        "far ones without": Mistake(
            "keys beyond the reach get nothing added; they get the number of the "
            "farthest distance that there is",
            _far_ones_without,
        ),
        "divided too": Mistake(
            "the bias has been divided by √d_k as well. Only the product is: it grows "
            "with the number of features, the bias does not",
            _divided_too,
        ),
        "not scaled": Mistake(NOT_SCALED, partial(relative_scores, scale=1)),
        "divided by d_head": Mistake(
            BY_D_HEAD, lambda q, k, bias: relative_scores(q, k, bias, scale=q.shape[-1])
        ),
        "times": Mistake(
            "the scores have been multiplied by the bias; it is added", _times
        ),
        "no bias": Mistake(
            "these are chapter 3's scores: bias has not been used",
            lambda q, k, bias: _scaled(q, k),
        ),
        "weights already": Mistake(
            WEIGHTS_ALREADY, lambda *given: relative_scores(*given).softmax(-1)
        ),
    },
    hints=(
        "the scores are chapter 3's, q @ k.mT / √d_k. What is new is one number for "
        "each pair of places, added to them.",
        "places = torch.arange(length); places − places[:, None] has key − query in "
        "every cell. clamp(−reach, reach) keeps it on the table.",
        "a tensor of whole numbers may be an index: bias[distances + reach] has the "
        "shape of distances.",
    ),
    trained=True,
)
