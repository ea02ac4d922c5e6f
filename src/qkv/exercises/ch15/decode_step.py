"""Bug hunt: one step of decoding with a cache, in tiles, with shared keys."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw

LEAST = -1e9  # the running maximum of nothing: no difference to it is NaN


def decode_step(
    q: Float[Tensor, "batch head query d_k"],
    k: Float[Tensor, "batch kv_head key d_k"],
    v: Float[Tensor, "batch kv_head key d_v"],
    size: int,
) -> Float[Tensor, "batch head query d_v"]:
    return _step(q, k, v, size)


def _three_bugs(q, k, v, size):
    group = q.shape[1] // k.shape[1]
    k, v = (x.repeat(1, group, 1, 1) for x in (k, v))
    query, key = q.shape[2], k.shape[2]
    may_attend = torch.ones(query, key, dtype=torch.bool).tril()
    m = torch.full_like(q[..., :1], -1e9)
    total, held = torch.zeros_like(m), 0.0
    for tile in torch.arange(key).split(size):
        s = q @ k[:, :, tile].mT / q.shape[-1] ** 0.5
        s = s.masked_fill(~may_attend[:, tile], -torch.inf)
        own = s.amax(-1, keepdim=True).clamp(min=-1e9)
        new = torch.maximum(m, own)
        p, shrink = (s - own).exp(), (m - new).exp()
        total = total * shrink + p.sum(-1, keepdim=True)
        held, m = held * shrink + p @ v[:, :, tile], new
    return held / total


class Maxima(NamedTuple):
    """What is subtracted from a tile, what from what is held, and what is kept."""

    of_tile: Tensor
    of_held: Tensor
    kept: Tensor


def _the_larger(m: Tensor, own: Tensor) -> Maxima:
    new = torch.maximum(m, own)
    return Maxima(new, new, new)


def _own(m: Tensor, own: Tensor) -> Maxima:
    new = torch.maximum(m, own)
    return Maxima(own, new, new)


def _fallen(m: Tensor, own: Tensor) -> Maxima:
    return Maxima(own, own, own)


def _nothing_shrinks(m: Tensor, own: Tensor) -> Maxima:
    return Maxima(torch.maximum(m, own), m, torch.maximum(m, own))


def _all_own(m: Tensor, own: Tensor) -> Maxima:
    return Maxima(own, m, own)


def _nothing_taken(m: Tensor, own: Tensor) -> Maxima:
    nothing = torch.zeros_like(m)
    return Maxima(nothing, m, m)


def _neighbours(x: Tensor, heads: int) -> Tensor:
    return x.repeat_interleave(heads // x.shape[1], 1)


def _in_turn(x: Tensor, heads: int) -> Tensor:
    return x.repeat(1, heads // x.shape[1], 1, 1)


def _the_first(x: Tensor, heads: int) -> Tensor:
    return x[:, :1].expand(-1, heads, -1, -1)


def _last_of_the_keys(query: int, key: int) -> int:
    return key - query


def _step(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    size: int,
    *,
    share: Callable = _neighbours,
    share_values: Callable | None = None,
    before: Callable = _last_of_the_keys,
    maxima: Callable = _the_larger,
) -> Tensor:
    """The step, whose parts may be wrong; ``before`` is the mask's diagonal."""
    k, v = share(k, q.shape[1]), (share_values or share)(v, q.shape[1])
    query, key = q.shape[2], k.shape[2]
    may_attend = torch.ones(query, key, dtype=torch.bool).tril(before(query, key))
    m = torch.full_like(q[..., :1], LEAST)
    total, held = torch.zeros_like(m), torch.zeros_like(q[..., :1])
    for tile in torch.arange(key).split(size):
        s = q @ k[:, :, tile].mT / q.shape[-1] ** 0.5
        s = s.masked_fill(~may_attend[:, tile], -torch.inf)
        own = s.amax(-1, keepdim=True).clamp(min=LEAST)
        taken = maxima(m, own)
        p, shrink = (s - taken.of_tile).exp(), (m - taken.of_held).exp()
        total = total * shrink + p.sum(-1, keepdim=True)
        held, m = held * shrink + p @ v[:, :, tile], taken.kept
    return held / total


_MASK = {"before": lambda query, key: 0}


_HEADS = {"share": _in_turn}


_MAXIMUM = {"maxima": _own}


def _written(
    batch: int,
    head: int,
    kv_head: int,
    query: int,
    key: int,
    d_k: int,
    d_v: int,
    size: int,
) -> tuple:
    shapes = (batch, kv_head, key, d_k), (batch, kv_head, key, d_v)
    q, k, v = draw.normals((batch, head, query, d_k), *shapes)
    return 2 * q, k, v, size


def _large() -> tuple:
    """Scores in steps of 60 that fall from tile to tile, and one that rises."""
    falling = 60 * torch.tensor([[9, 8, 6, 5, 3, 1, 0], [0, 1, 3, 4, 6, 7, 9]])
    q = (falling + draw.normal(2, 7)).view(1, 2, 1, 7)
    k = 7**0.5 * torch.eye(7)
    return q, k[None, None], draw.normal(1, 1, 7, 3, seed=1), 2


EXERCISE = Exercise(
    id="15.8",
    title="Bug hunt: three in one step of decoding",
    minutes=15,
    difficulty=3,
    reference=decode_step,
    cases={
        "one new token": partial(_written, 2, 4, 2, 1, 11, 3, 5, 4),
        "three new tokens": partial(_written, 2, 6, 2, 3, 7, 5, 3, 2),
        "as many queries as keys": partial(_written, 3, 6, 3, 5, 5, 2, 7, 3),
        "one key head, scores × 60": _large,
        "a batch of one, and a key head each": partial(
            _written, 1, 3, 3, 2, 13, 5, 2, 5
        ),
    },
    mistakes={
        "two left: heads and maximum": Mistake(
            "one of three is mended, each query sees itself and all before it. Two are "
            "left: a query head reads the keys of another group; and tiles are added "
            "up that were not made with the same maximum",
            partial(_step, **_HEADS, **_MAXIMUM),
        ),
        "two left: mask and maximum": Mistake(
            "one of three is mended, neighbouring query heads share a key head. Two "
            "are left: with one query, the output is the value of the first token "
            "alone; and tiles are added up that were not made with the same maximum",
            partial(_step, **_MASK, **_MAXIMUM),
        ),
        "two left: mask and heads": Mistake(
            "one of three is mended, all tiles are made with the running maximum. Two "
            "are left: with one query, the output is the value of the first token "
            "alone; and a query head reads the keys of another group",
            partial(_step, **_MASK, **_HEADS),
        ),
        "one left: mask": Mistake(
            "two of three are mended. One is left: with one query the output is the "
            "value of the first token. At which place of the keys does the first query "
            "stand?",
            partial(_step, **_MASK),
        ),
        "one left: heads": Mistake(
            "two of three are mended. One is left: with one key head all is right, "
            "with two it is not. With 4 query heads and 2 key heads, which does query "
            "head 1 use?",
            partial(_step, **_HEADS),
        ),
        "one left: maximum": Mistake(
            "two of three are mended. One is left: with a single tile all is right, "
            "with two it is not. With which maximum was what is held made, and with "
            "which the new tile?",
            partial(_step, **_MAXIMUM),
        ),
        "no mask": Mistake(
            "two of three are mended, and with one query all is right. But now the "
            "mask is gone: of several new tokens the first one sees the others, which "
            "come after it",
            partial(_step, before=lambda query, key: key),
        ),
        "one ahead": Mistake(
            "heads and maximum are right, and with one query all is. But of several "
            "new tokens each now sees the one after it",
            partial(_step, before=lambda query, key: key - query + 1),
        ),
        "itself hidden": Mistake(
            "heads and maximum are right; but now a token does not see itself. The "
            "last query stands at the last key",
            partial(_step, before=lambda query, key: key - query - 1),
        ),
        "values in turn": Mistake(
            "mask and maximum are right, and so are the keys; but the values are still "
            "dealt out in turn",
            partial(_step, share_values=_in_turn),
        ),
        "keys in turn": Mistake(
            "mask and maximum are right, and so are the values; but the keys are still "
            "dealt out in turn",
            partial(_step, share=_in_turn, share_values=_neighbours),
        ),
        "the first for all": Mistake(
            "mask and maximum are right; but now all query heads use key head 0",
            partial(_step, share=_the_first),
        ),
        "the maximum may fall": Mistake(
            "right for small scores. But now the running maximum is the tile's own, "
            "even where that is smaller: with scores × 60, exp(m − new) is infinite, "
            "and the result NaN. Subtract the larger of the two, from both",
            partial(_step, maxima=_fallen),
        ),
        "nothing shrinks": Mistake(
            "mask and heads are right. But now what is held is not rescaled when the "
            "maximum rises: multiply it by exp(m − new), where m is the maximum before",
            partial(_step, maxima=_nothing_shrinks),
        ),
        "never brought together": Mistake(
            "mask and heads are right. But now each tile is made with its own maximum, "
            "and nothing is rescaled: all must be brought to the running maximum",
            partial(_step, maxima=_all_own),
        ),
        "no maximum": Mistake(
            "mask and heads are right, and so is all for small scores. But now no "
            "maximum is subtracted: with scores × 60, exp is infinite, and the result "
            "NaN",
            partial(_step, maxima=_nothing_taken),
        ),
    },
    hints=(
        "make the case small until a bug is alone: one key head, and a single tile. "
        "With one query, what should it see, and what does it see? Then two key heads, "
        "then two tiles.",
        "print may_attend for one query and five keys. Print range(2) repeated, and "
        "repeat_interleaved: which query heads are neighbours?",
        "s − own and m − new: what is added up must be divided by e to the power of "
        "the same maximum.",
    ),
    given=_three_bugs,
)
