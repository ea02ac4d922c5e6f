"""Several query heads share one head of keys and values."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.sentences import CAUSAL_UNASKED, OVER_QUERIES

Share = Callable[[Tensor, int], Tensor]


def grouped_attention(
    q: Float[Tensor, "batch head query d_k"],
    k: Float[Tensor, "batch kv_head key d_k"],
    v: Float[Tensor, "batch kv_head key d_v"],
) -> Float[Tensor, "batch head query d_v"]:
    return _attended(q, k, v)


def _neighbours(x: Tensor, heads: int) -> Tensor:
    """Each key head once for every query head of its group, one after the other."""
    return x.repeat_interleave(heads // x.shape[1], dim=1)


def _over_keys(scores: Tensor) -> Tensor:
    return scores.softmax(-1)


def _attended(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    keys: Share = _neighbours,
    values: Share | None = None,
    divisor: float | None = None,
    weigh: Callable = _over_keys,
) -> Tensor:
    heads, d_k = q.shape[1], q.shape[-1]
    scores = q @ keys(k, heads).mT / (d_k**0.5 if divisor is None else divisor)
    return weigh(scores) @ (values or keys)(v, heads)


def _in_turn(x, heads):
    return x.repeat(1, heads // x.shape[1], 1, 1)


def _tokens_repeated(x, heads):
    """Each token several times, and the row of them cut into the heads."""
    many = x.repeat_interleave(heads // x.shape[1], dim=2)
    return many.reshape(len(x), heads, *x.shape[2:])


def _the_first(x, heads):
    return x[:, :1]


def _the_last_first(x, heads):
    return _neighbours(x, heads).flip(1)


def _averaged(x, heads):
    return x.mean(1, keepdim=True)


def _by_all_heads(q, k, v):
    per_group = q.shape[1] // k.shape[1]
    return _attended(q, k, v, divisor=(per_group * q.shape[-1]) ** 0.5)


def _by_the_group(q, k, v):
    return _attended(q, k, v, divisor=(q.shape[1] * q.shape[-1]) ** 0.5)


def _by_d_v(q, k, v):
    return _attended(q, k, v, divisor=v.shape[-1] ** 0.5)


def _by_d_k(q, k, v):
    return _attended(q, k, v, divisor=q.shape[-1])


def _one_question(q, k, v):
    """A mean query for each group, and its answer for all heads of it."""
    mean = q.unflatten(1, (k.shape[1], -1)).mean(2)
    return _neighbours(_attended(mean, k, v), q.shape[1])


def _first_question(q, k, v):
    """The first query head of each group asks for all of it."""
    first = q.unflatten(1, (k.shape[1], -1))[:, :, 0]
    return _neighbours(_attended(first, k, v), q.shape[1])


def _other_order_back(q, k, v):
    """The heads of a group laid one below another, and read as queries first."""
    kv_heads, queries = k.shape[1], q.shape[2]
    below = q.unflatten(1, (kv_heads, -1)).flatten(2, 3)
    read = _attended(below, k, v).unflatten(2, (queries, -1))
    return read.transpose(2, 3).flatten(1, 2)


def _queries_first(q, k, v):
    """Queries before heads, and cut into as many rows as there are key heads."""
    rows = q.transpose(1, 2).reshape(len(q), k.shape[1], -1, q.shape[-1])
    return _attended(rows, k, v).reshape(*q.shape[:-1], v.shape[-1])


def _over_the_group(q, k, v):
    """One softmax over the keys of all heads of a group."""
    group = q.shape[1] // k.shape[1]

    def weigh(scores):
        heads = scores.unflatten(1, (-1, group)).transpose(2, 3)
        weights = heads.flatten(3).softmax(-1).view_as(heads)
        return weights.transpose(2, 3).flatten(1, 2)

    return _attended(q, k, v, weigh=weigh)


def _group_added(q, k, v):
    read = _attended(q, k, v).unflatten(1, (k.shape[1], -1))
    return read.sum(2, keepdim=True).expand_as(read).flatten(1, 2)


def _causal(scores):
    hidden = torch.ones_like(scores, dtype=torch.bool).triu(1)
    return scores.masked_fill(hidden, -torch.inf).softmax(-1)


def _heads(
    batch: int, head: int, kv_head: int, query: int, key: int, d_k: int, d_v: int
) -> tuple[Tensor, ...]:
    return draw.normals(
        (batch, head, query, d_k),
        (batch, kv_head, key, d_k),
        (batch, kv_head, key, d_v),
    )


EXERCISE = Exercise(
    id="15.2",
    title="Several queries, one key",
    minutes=10,
    difficulty=2,
    reference=grouped_attention,
    cases={
        "two key heads, each for two": partial(_heads, 2, 4, 2, 5, 5, 3, 3),
        "two key heads, each for three": partial(_heads, 5, 6, 2, 3, 7, 11, 13),
        "three key heads, each for two": partial(_heads, 2, 6, 3, 7, 5, 3, 11),
        "one key head for all": partial(_heads, 3, 5, 1, 2, 7, 5, 3),
        "a batch of one, a key head each": partial(_heads, 1, 3, 3, 2, 5, 7, 2),
    },
    mistakes={
        "in turn": Mistake(
            "the key heads stand in the order 0 1 0 1: query head h has got key head h "
            "% kv_heads. Neighbours share one: 0 0 1 1. Use repeat_interleave, not "
            "repeat; with unflatten the key heads come first, (kv_heads, -1). (With "
            "one key head there is no difference, so that a test with one sees "
            "nothing.)",
            partial(_attended, keys=_in_turn),
        ),
        "values in turn": Mistake(
            "the keys are right, but the values stand in the order 0 1 0 1: a query "
            "head looks at the keys of one head and reads the values of another. Use "
            "repeat_interleave for both",
            partial(_attended, values=_in_turn),
        ),
        "keys in turn": Mistake(
            "the values are right, but the keys stand in the order 0 1 0 1: a query "
            "head looks at the keys of one head and reads the values of another. Use "
            "repeat_interleave for both",
            partial(_attended, keys=_in_turn, values=_neighbours),
        ),
        "tokens repeated": Mistake(
            "the tokens, or their numbers, have been repeated, not the heads, and then "
            "been cut into heads: each head has a part of the tokens, and these "
            "several times. The head axis is axis 1",
            partial(_attended, keys=_tokens_repeated),
        ),
        "the first for all": Mistake(
            "all query heads use key head 0; only with one key head is this right",
            partial(_attended, keys=_the_first),
        ),
        "the last first": Mistake(
            "the groups are in the opposite order: the first query heads use the last "
            "key head",
            partial(_attended, keys=_the_last_first),
        ),
        "averaged": Mistake(
            "the key heads have been averaged to one, and the values, too. Each group "
            "of query heads has a key head of its own",
            partial(_attended, keys=_averaged),
        ),
        "one question": Mistake(
            "the queries of a group have been averaged, so that its heads ask the same "
            "thing. Only keys and values are shared; each head keeps its own query",
            _one_question,
        ),
        "first question": Mistake(
            "only the first query head of each group asks, and its answer is given to "
            "the others. Keys and values are shared; each head keeps its own query",
            _first_question,
        ),
        "other order back": Mistake(
            "the heads of a group were put one below another, (head, query), and were "
            "taken apart as (query, head). Take them apart in the order in which they "
            "were put together",
            _other_order_back,
        ),
        "queries first": Mistake(
            "the queries of different heads have been mixed: q was transposed to "
            "(query, head) before it was reshaped into groups. Cut the head axis as it "
            "stands",
            _queries_first,
        ),
        "over the group": Mistake(
            "one softmax runs over the keys of all heads of a group together: each "
            "head needs its own, whose weights sum to 1",
            _over_the_group,
        ),
        "over the queries": Mistake(
            OVER_QUERIES,
            partial(_attended, weigh=lambda scores: scores.softmax(-2)),
        ),
        "over the heads": Mistake(
            "the softmax runs over the heads (dim=1): the keys of one head compete "
            "(dim=-1)",
            partial(_attended, weigh=lambda scores: scores.softmax(1)),
        ),
        "no softmax": Mistake(
            "there is no softmax: the values are added up by the bare scores",
            partial(_attended, weigh=lambda scores: scores),
        ),
        "group added up": Mistake(
            "what the heads of a group have read has been added up: they share keys "
            "and values, and each has a result of its own",
            _group_added,
        ),
        "scaled by the group": Mistake(
            "the scores are divided by √(d_k · heads / kv_heads). A score is a sum of "
            "d_k products, however many heads share the key: divide by √d_k",
            _by_all_heads,
        ),
        "scaled by d_model": Mistake(
            "the scores are divided by the root of all heads' numbers together; a "
            "score is a sum of d_k products: divide by √d_k",
            _by_the_group,
        ),
        "scaled by d_v": Mistake(
            "the scores are divided by the root of d_v, the width of the values; a "
            "score is a sum of d_k products: divide by √d_k",
            _by_d_v,
        ),
        "divided by d_k": Mistake(
            "the scores are divided by all of d_k; its root is wanted",
            _by_d_k,
        ),
        "not scaled": Mistake(
            "the scores are not divided by √d_k",
            partial(_attended, divisor=1.0),
        ),
        "multiplied": Mistake(
            "the scores have been multiplied by √d_k: divide by it",
            lambda q, k, v: _attended(q, k, v, divisor=q.shape[-1] ** -0.5),
        ),
        "causal": Mistake(CAUSAL_UNASKED, partial(_attended, weigh=_causal)),
    },
    hints=(
        "each key head is needed by several query heads. Repeat it, or cut the query "
        "heads into groups, so that axis 1 of both agrees.",
        "k.repeat_interleave(heads // kv_heads, dim=1) makes 0 0 1 1 of the heads 0 1, "
        "and repeat(1, 2, 1, 1) makes 0 1 0 1.",
        "without any copy: q.unflatten(1, (kv_heads, -1)) is (batch, kv_head, group, "
        "query, d_k), and k[:, :, None] meets all heads of its group.",
    ),
    instead=("scaled_dot_product_attention",),
)
