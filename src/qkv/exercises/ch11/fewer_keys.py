"""Keys and values of squares, and all the queries."""

from collections.abc import Callable
from functools import partial

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch11.shared import attended, over_keys, picture, places


def read_pooled(
    q: Float[Tensor, "batch d_k row column"],
    k: Float[Tensor, "batch d_k row column"],
    v: Float[Tensor, "batch d_v row column"],
    pool: int,
) -> Float[Tensor, "batch d_v row column"]:
    return _read(q, F.max_pool2d(k, pool), F.max_pool2d(v, pool))


def _read(q, k, v, weigh: Callable = over_keys):
    read, _ = attended(places(q), places(k), places(v), weigh)
    return picture(read, q)


def _average(q, k, v, pool):
    return _read(q, F.avg_pool2d(k, pool), F.avg_pool2d(v, pool))


def _queries_too(q, k, v, pool):
    """Pooled queries, each answer for all places of its square."""
    few = read_pooled(F.max_pool2d(q, pool), k, v, pool)
    return few.repeat_interleave(pool, 2).repeat_interleave(pool, 3)


def _nothing_pooled(q, k, v, pool):
    return _read(q, k, v)


def _first_of_each(q, k, v, pool):
    return _read(q, k[..., ::pool, ::pool], v[..., ::pool, ::pool])


def _steps_of_one(q, k, v, pool):
    return _read(q, F.max_pool2d(k, pool, stride=1), F.max_pool2d(v, pool, stride=1))


def _values_averaged(q, k, v, pool):
    return _read(q, F.max_pool2d(k, pool), F.avg_pool2d(v, pool))


def _keys_averaged(q, k, v, pool):
    return _read(q, F.avg_pool2d(k, pool), F.max_pool2d(v, pool))


def _result_pooled(q, k, v, pool):
    few = F.max_pool2d(_read(q, k, v), pool)
    return few.repeat_interleave(pool, 2).repeat_interleave(pool, 3)


def _over_queries(q, k, v, pool):
    return _read(
        q, F.max_pool2d(k, pool), F.max_pool2d(v, pool), lambda s: s.softmax(1)
    )


def _not_scaled(q, k, v, pool):
    return read_pooled(q * q.shape[1] ** 0.5, k, v, pool)


def _viewed_back(q, k, v, pool):
    read = places(read_pooled(q, k, v, pool))
    return read.reshape(len(q), -1, *q.shape[2:])


def _given(
    pool: int, batch: int, row: int, column: int, d_k: int, d_v: int
) -> tuple[Tensor | int, ...]:
    of_keys = (batch, d_k, row * pool, column * pool)
    q, k, v = draw.normals(of_keys, of_keys, (batch, d_v, *of_keys[2:]))
    return q, k, v, pool


EXERCISE = Exercise(
    id="11.7",
    title="Fewer keys",
    minutes=9,
    difficulty=2,
    reference=read_pooled,
    cases={
        "squares of 2 × 2": partial(_given, 2, 2, 2, 2, 3, 3),
        "every size different": partial(_given, 2, 5, 3, 1, 7, 11),
        "squares of 3 × 3": partial(_given, 3, 2, 2, 1, 5, 7),
        "a batch of one": partial(_given, 2, 1, 1, 3, 2, 5),
    },
    mistakes={
        "queries pooled too": Mistake(
            "the queries have been pooled, too, so that all places of a square read "
            "the same (asked in facebookresearch/video-nonlocal-net #79). Every place "
            "keeps its own query: only keys and values become fewer",
            _queries_too,
        ),
        "nothing pooled": Mistake(
            "nothing has been pooled: there are as many keys as places",
            _nothing_pooled,
        ),
        "average": Mistake(
            "keys and values have been averaged; here each square keeps its largest "
            "number, channel by channel: F.max_pool2d",
            _average,
        ),
        "values averaged": Mistake(
            "the values have been averaged, the keys not: both keep their largest "
            "numbers",
            _values_averaged,
        ),
        "keys averaged": Mistake(
            "the keys have been averaged, the values not: both keep their largest "
            "numbers",
            _keys_averaged,
        ),
        "first of each": Mistake(
            "each square is represented by the place at its top left, [::pool]; it is "
            "the largest number of all of them that stays",
            _first_of_each,
        ),
        "steps of one": Mistake(
            "the squares overlap, because the pooling takes steps of 1: there are "
            "nearly as many keys as before. F.max_pool2d(x, pool) takes steps of pool",
            _steps_of_one,
        ),
        "the result pooled": Mistake(
            "every place has read with all keys, and what was read has been pooled: "
            "that saves nothing, since the n² scores are there by then",
            _result_pooled,
        ),
        "over the queries": Mistake(
            "the softmax runs over the queries: the weights of each place sum to 1 "
            "over the keys, dim=-1",
            _over_queries,
        ),
        "not scaled": Mistake(
            "the scores are not divided by the root of d_k",
            _not_scaled,
        ),
        "viewed back": Mistake(
            "what was read has been viewed as a picture while its numbers were last: "
            "exchange the two axes first, .mT",
            _viewed_back,
        ),
    },
    hints=(
        "F.max_pool2d(k, pool) is a smaller picture of keys. How many rows and columns "
        "has the map then?",
        "lay out queries, keys and values, each with its own number of places: "
        "x.flatten(2).mT.",
        "there is one result for each query: unflatten it to the rows and columns of "
        "q.",
    ),
    instead=("scaled_dot_product_attention",),
)
