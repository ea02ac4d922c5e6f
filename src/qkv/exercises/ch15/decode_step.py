"""Bug hunt: one step of decoding with a cache, in tiles, with shared keys."""

from collections.abc import Callable
from functools import partial
from itertools import product
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


def _one_for_all(m: Tensor, own: Tensor) -> Maxima:
    new = torch.maximum(m, own.max())
    return Maxima(new, new, new)


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


def _from_the_first(query: int, key: int) -> int:
    return 0


def _open(query: int, key: int) -> int:
    return key


def _open_for_one(query: int, key: int) -> int:
    return key if query == 1 else 0


class Part(NamedTuple):
    """A part of the code that is still wrong: how it is made, and what is said of it.

    ``alone`` is said where nothing else is wrong.
    """

    made: dict[str, Callable]
    beside: str
    alone: str


MASKS = {
    "mask": Part(
        {"before": _from_the_first},
        "with one query, the output is the value of the first token alone",
        "with one query the output is the value of the first token. At which place of "
        "the keys does the first query stand?",
    ),
    "no mask": Part(
        {"before": _open},
        "the mask is gone: of several new tokens, the first one sees those after it",
        "with one query all is right. But the mask is gone: of several new tokens, the "
        "first one sees those that come after it",
    ),
    "mask for several": Part(
        {"before": _open_for_one},
        "with several new tokens after old ones, the first one sees one key alone",
        "with one query, and with a query for every key, all is right. But of three "
        "new tokens after four old ones, the first one sees one key alone. At which "
        "place of the keys does it stand?",
    ),
}


HEADS = {
    "heads": Part(
        {"share": _in_turn},
        "a query head reads the keys of another group",
        "with one key head all is right, with two it is not. With 4 query heads and 2 "
        "key heads, which one does query head 1 use?",
    ),
}


MAXIMA = {
    "maximum": Part(
        {"maxima": _own},
        "tiles are added up that were not made with the same maximum",
        "with a single tile all is right, with two it is not. With which maximum was "
        "what is held made, and with which the new tile?",
    ),
    "falling maximum": Part(
        {"maxima": _fallen},
        "with scores × 60 the result is NaN, because the running maximum may fall",
        "with small scores all is right. But the running maximum is now the tile's "
        "own, even where that is smaller: with scores × 60, exp(m − new) is infinite, "
        "and the result NaN. Take the larger of the two, and subtract it from both",
    ),
}


COUNTED = (
    "",
    "one of three bugs is left",
    "two of three bugs are left",
    "all three bugs are left, one of them in another form",
)


def _still_wrong() -> dict[str, Mistake]:
    """Each choice of what is still wrong, but for the code as it was given."""
    mistakes = {}
    for names in product(*({"": None, **each} for each in (MASKS, HEADS, MAXIMA))):
        known = {**MASKS, **HEADS, **MAXIMA}
        left = [name for name in names if name]
        if left and left != ["mask", "heads", "maximum"]:
            parts = [known[name] for name in left]
            name = f"{len(left)} left: {', '.join(left)}"
            mistakes[name] = Mistake(_said(parts), _with(parts))
    return mistakes


def _said(parts: list[Part]) -> str:
    count = COUNTED[len(parts)]
    if len(parts) == 1:
        return f"{count}: {parts[0].alone}"
    return f"{count}: {'; and '.join(part.beside for part in parts)}"


def _with(parts: list[Part]) -> Callable:
    made = {name: value for part in parts for name, value in part.made.items()}
    return partial(_step, **made)


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
    """Scores in steps of 60 that fall from tile to tile, that rise, that stay."""
    rows = [[9, 8, 6, 5, 3, 1, 0], [0, 1, 3, 4, 6, 7, 9], [0, 0, 0, 0, 0, 0, 0]]
    q = (60 * torch.tensor(rows) + draw.normal(3, 7)).view(1, 3, 1, 7)
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
        **_still_wrong(),
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
        "moved the wrong way": Mistake(
            "heads and maximum are right; but now the mask has been moved to the left, "
            "where it belongs to the right, by as many keys as stand before the first "
            "query: one query sees nothing at all",
            partial(_step, before=lambda query, key: query - key),
        ),
        "values in turn": Mistake(
            "mask and maximum are right, and so are the keys; but the values still "
            "stand in the order 0 1 0 1",
            partial(_step, share_values=_in_turn),
        ),
        "keys in turn": Mistake(
            "mask and maximum are right, and so are the values; but the keys still "
            "stand in the order 0 1 0 1",
            partial(_step, share=_in_turn, share_values=_neighbours),
        ),
        "the first for all": Mistake(
            "mask and maximum are right; but now all query heads use key head 0",
            partial(_step, share=_the_first),
        ),
        "nothing shrinks": Mistake(
            "mask and heads are right. But now what is held is not rescaled when the "
            "maximum rises: multiply it by exp(m − new), where m is the maximum before",
            partial(_step, maxima=_nothing_shrinks),
        ),
        "one for all queries": Mistake(
            "mask and heads are right, and so is all for small scores. But one maximum "
            "has been taken for all queries: with scores × 60 some rows lie so far "
            "below it that all their powers are 0, and 0 / 0 is NaN",
            partial(_step, maxima=_one_for_all),
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
        "print may_attend for one query and five keys. Compare "
        "torch.arange(2).repeat(2) with torch.arange(2).repeat_interleave(2): in which "
        "of them do neighbours share?",
        "s − own and m − new: what is added up must be divided by e to the power of "
        "the same maximum.",
    ),
    tolerance=1e-4,  # scores of 540 are rounded by that much
    given=_three_bugs,
)
