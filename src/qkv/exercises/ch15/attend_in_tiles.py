"""Attention with the keys in tiles: a maximum, a sum and an output are held."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.sentences import CAUSAL_UNASKED, OVER_QUERIES

HIDDEN = -torch.inf


class Held(NamedTuple):
    """What is kept of all tiles so far, for each query."""

    maximum: Tensor
    total: Tensor
    read: Tensor


def attend_in_tiles(
    q: Float[Tensor, "batch query d_k"],
    k: Float[Tensor, "batch key d_k"],
    v: Float[Tensor, "batch key d_v"],
    size: int,
) -> Float[Tensor, "batch query d_v"]:
    return _in_tiles(q, k, v, size)


def _rescaled(held: Held, s: Tensor, v: Tensor) -> Held:
    new = torch.maximum(held.maximum, s.amax(-1, keepdim=True))
    return _brought_to(new, held, s, v)


def _brought_to(new: Tensor, held: Held, s: Tensor, v: Tensor) -> Held:
    p, shrink = (s - new).exp(), (held.maximum - new).exp()
    total = held.total * shrink + p.sum(-1, keepdim=True)
    return Held(new, total, held.read * shrink + p @ v)


def _divided(held: Held) -> Tensor:
    return held.read / held.total


def _in_tiles(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    size: int,
    *,
    step: Callable = _rescaled,
    end: Callable = _divided,
    start: float = HIDDEN,
    scale: Callable = lambda d_k, tile: d_k**-0.5,
) -> Tensor:
    m = torch.full_like(q[..., :1], start)
    held = Held(m, torch.zeros_like(m), q.new_zeros(*q.shape[:-1], v.shape[-1]))
    tiles = zip(k.split(size, 1), v.split(size, 1), strict=True)
    for n, (keys, values) in enumerate(tiles):
        held = step(held, q @ keys.mT * scale(q.shape[-1], n), values)
    return end(held)


def _divided_inside(held, s, v):
    new = _rescaled(held, s, v)
    return new._replace(read=new.read / new.total)


def _output_not_rescaled(held, s, v):
    new = _rescaled(held, s, v)
    return new._replace(read=held.read + (s - new.maximum).exp() @ v)


def _sum_not_rescaled(held, s, v):
    new = _rescaled(held, s, v)
    p = (s - new.maximum).exp()
    return new._replace(total=held.total + p.sum(-1, keepdim=True))


def _neither_rescaled(held, s, v):
    new = _sum_not_rescaled(held, s, v)
    return new._replace(read=held.read + (s - new.maximum).exp() @ v)


def _own_maximum(held, s, v):
    """What is held is rescaled to the running maximum, the tile to its own."""
    own = s.amax(-1, keepdim=True)
    new = torch.maximum(held.maximum, own)
    p, shrink = (s - own).exp(), (held.maximum - new).exp()
    total = held.total * shrink + p.sum(-1, keepdim=True)
    return Held(new, total, held.read * shrink + p @ v)


def _never_together(held, s, v):
    own = s.amax(-1, keepdim=True)
    p = (s - own).exp()
    return Held(own, held.total + p.sum(-1, keepdim=True), held.read + p @ v)


def _may_fall(held, s, v):
    return _brought_to(s.amax(-1, keepdim=True), held, s, v)


def _no_maximum(held, s, v):
    return _brought_to(torch.zeros_like(held.maximum), held, s, v)


def _one_for_all(held, s, v):
    return _brought_to(torch.maximum(held.maximum, s.max()), held, s, v)


def _upside_down(held, s, v):
    new = torch.maximum(held.maximum, s.amax(-1, keepdim=True))
    p, grow = (s - new).exp(), (new - held.maximum).exp()
    total = held.total * grow + p.sum(-1, keepdim=True)
    return Held(new, total, held.read * grow + p @ v)


def _the_last_alone(held, s, v):
    return _rescaled(Held(*(torch.zeros_like(part) for part in held)), s, v)


def _softmaxes_added(held, s, v):
    return Held(held.maximum, held.total + 1, held.read + s.softmax(-1) @ v)


def _all_rescaled(held, s, v):
    """The new tile shrinks together with what was held."""
    new = _neither_rescaled(held, s, v)
    shrink = (held.maximum - new.maximum).exp()
    return Held(new.maximum, new.total * shrink, new.read * shrink)


def _divided_as_it_comes(held, s, v):
    new = _rescaled(held, s, v)
    shrink = (held.maximum - new.maximum).exp()
    part = (s - new.maximum).exp() @ v / new.total
    return new._replace(read=held.read * shrink + part)


def _tile_as_it_is(held, s, v):
    new = _rescaled(held, s, v)
    shrink, p = (held.maximum - new.maximum).exp(), s.exp()
    total = held.total * shrink + p.sum(-1, keepdim=True)
    return Held(new.maximum, total, held.read * shrink + p @ v)


def _mean_in_a_tile(held, s, v):
    new = _rescaled(held, s, v)
    shrink, p = (held.maximum - new.maximum).exp(), (s - new.maximum).exp()
    return new._replace(total=held.total * shrink + p.mean(-1, keepdim=True))


def _output_not_added(held, s, v):
    new = _rescaled(held, s, v)
    return new._replace(read=(s - new.maximum).exp() @ v)


def _sum_not_added(held, s, v):
    new = _rescaled(held, s, v)
    return new._replace(total=(s - new.maximum).exp().sum(-1, keepdim=True))


def _whole_tiles(q, k, v, size):
    """Only the tiles that are full; where there is none, 0 / 0."""
    whole = k.shape[1] // size * size
    if not whole:
        return q.new_full((*q.shape[:-1], v.shape[-1]), torch.nan)
    return _in_tiles(q, k[:, :whole], v[:, :whole], size)


def _at_once(q, k, v, size, *, weigh: Callable):
    return weigh(q @ k.mT * q.shape[-1] ** -0.5) @ v


def _causal(scores):
    hidden = torch.ones_like(scores, dtype=torch.bool).triu(1)
    return scores.masked_fill(hidden, -torch.inf).softmax(-1)


def _by_d_v(q, k, v, size):
    return _in_tiles(q, k, v, size, scale=lambda d_k, tile: v.shape[-1] ** -0.5)


def _tensors(
    batch: int, query: int, key: int, d_k: int, d_v: int, size: int
) -> tuple[Tensor, Tensor, Tensor, int]:
    shapes = (batch, query, d_k), (batch, key, d_k), (batch, key, d_v)
    q, k, v = draw.normals(*shapes)
    return 2 * q, k, v, size


def _large() -> tuple[Tensor, Tensor, Tensor, int]:
    """Scores in steps of 60: keys are the axes, so that q holds the scores."""
    rows = [
        [0, 1, 2, 3, 4, 5, 6],
        [6, 5, 4, 3, 2, 1, 0],
        [-4, -5, -4, -6, -5, -4, -7],
        [0, 0, 0, 0, 0, 0, 0],
        [1, -2, 3, 0, -1, 2, -3],
    ]
    scores = 60 * torch.tensor(rows) + draw.normal(5, 7)
    k = 7**0.5 * torch.eye(7)
    return scores[None], k[None], draw.normal(1, 7, 3, seed=1), 2


EXERCISE = Exercise(
    id="15.5",
    title="Attention that never holds all scores",
    minutes=12,
    difficulty=3,
    reference=attend_in_tiles,
    cases={
        "as many queries as keys": partial(_tensors, 2, 6, 6, 3, 3, 2),
        "a short last tile": partial(_tensors, 3, 5, 11, 2, 7, 4),
        "scores × 60": _large,
        "tiles of one key": partial(_tensors, 2, 3, 5, 7, 11, 1),
        "a batch of one, and one tile": partial(_tensors, 1, 2, 5, 3, 7, 13),
    },
    mistakes={
        "divided inside": Mistake(
            "the output has been divided by the sum inside the loop, and so what was "
            "divided is held, and divided again in the next round. Divide once, after "
            "the last tile",
            partial(_in_tiles, step=_divided_inside, end=lambda held: held.read),
        ),
        "divided inside and at the end": Mistake(
            "the output has been divided by the sum in each round, and once more at "
            "the end. Divide once, after the last tile",
            partial(_in_tiles, step=_divided_inside),
        ),
        "output not rescaled": Mistake(
            "the sum has been rescaled and the output has not: it was made with the "
            "old maximum, too. Multiply both by exp(m_old − m_new)",
            partial(_in_tiles, step=_output_not_rescaled),
        ),
        "sum not rescaled": Mistake(
            "the output has been rescaled and the sum has not: it was made with the "
            "old maximum, too. Multiply both by exp(m_old − m_new)",
            partial(_in_tiles, step=_sum_not_rescaled),
        ),
        "neither rescaled": Mistake(
            "what is held was made with the old maximum, and the new tile with the new "
            "one. Multiply the sum and the output by exp(m_old − m_new) before adding",
            partial(_in_tiles, step=_neither_rescaled),
        ),
        "own maximum": Mistake(
            "what is held has been rescaled to the running maximum, and the new tile's "
            "powers were made with the tile's own. Where that one is smaller they come "
            "out too large: subtract the running maximum from the tile, too",
            partial(_in_tiles, step=_own_maximum),
        ),
        "never brought together": Mistake(
            "each tile's powers were made with its own maximum, and they were added "
            "up. Powers of different maxima cannot be added: bring all to the running "
            "maximum first",
            partial(_in_tiles, step=_never_together),
        ),
        "the maximum may fall": Mistake(
            "right for small scores, even exactly. But the running maximum has been "
            "replaced by the tile's own, even where that is smaller: exp(m_old − "
            "m_new) is then larger than 1, and with scores × 60 it is infinite, and "
            "the result NaN. Take the larger of the two, torch.maximum",
            partial(_in_tiles, step=_may_fall),
        ),
        "no maximum": Mistake(
            "right for small scores, but with scores × 60 exp is infinite, or 0 for a "
            "whole row, and the result NaN: subtract the running maximum before exp",
            partial(_in_tiles, step=_no_maximum, start=0.0),
        ),
        "one for all queries": Mistake(
            "right for small scores, but one maximum has been taken for all queries: "
            "with scores × 60 some rows lie so far below it that all their powers are "
            "0, and 0 / 0 is NaN. Each query has its own, amax(-1, keepdim=True)",
            partial(_in_tiles, step=_one_for_all),
        ),
        "from 0": Mistake(
            "right for small scores, but the maximum begins with 0 and cannot become "
            "negative: in a row of scores around −240 all powers are 0, and 0 / 0 is "
            "NaN. Begin with −∞",
            partial(_in_tiles, start=0.0),
        ),
        "upside down": Mistake(
            "everything is NaN, from the first tile on, where m is still −∞. Perhaps "
            "what is held is multiplied by exp(m_new − m_old), or the old maximum is "
            "subtracted from the new tile: both are infinite there. What is held "
            "shrinks by exp(m_old − m_new), and the tile's powers are exp(s − m_new)",
            partial(_in_tiles, step=_upside_down),
        ),
        "all rescaled": Mistake(
            "the new tile has been multiplied by exp(m_old − m_new) as well: its "
            "powers were made with the new maximum already. Shrink what was held, then "
            "add",
            partial(_in_tiles, step=_all_rescaled),
        ),
        "mean of tiles": Mistake(
            "each tile has had a softmax of its own, and the results have been "
            "averaged, so that each tile counts as much as any other. A tile of large "
            "scores must count more: there is one softmax, over all keys",
            partial(_in_tiles, step=_softmaxes_added),
        ),
        "sum of tiles": Mistake(
            "each tile has had a softmax of its own, and the results have been added "
            "up: the weights of a query then sum to the number of tiles. There is one "
            "softmax, over all keys",
            partial(_in_tiles, step=_softmaxes_added, end=lambda held: held.read),
        ),
        "divided as it comes": Mistake(
            "each tile has been divided by the sum so far before it was added: the "
            "sum grows, so that the tiles are divided by different numbers. Divide "
            "once, after the last tile",
            partial(_in_tiles, step=_divided_as_it_comes, end=lambda held: held.read),
        ),
        "tile as it is": Mistake(
            "nothing has been subtracted from the new tile, exp(s): what is held was "
            "made with the running maximum, so subtract it from the tile, too",
            partial(_in_tiles, step=_tile_as_it_is),
        ),
        "mean in a tile": Mistake(
            "the powers of a tile have been averaged for the running sum; add them up",
            partial(_in_tiles, step=_mean_in_a_tile),
        ),
        "output not added": Mistake(
            "the running sum holds all tiles, and the output only the last one: the "
            "output so far, shrunk, has not been added",
            partial(_in_tiles, step=_output_not_added),
        ),
        "sum not added": Mistake(
            "the running output holds all tiles, and the sum only the last one: the "
            "sum so far, shrunk, has not been added",
            partial(_in_tiles, step=_sum_not_added),
        ),
        "first tile alone": Mistake(
            "this is the first tile's result alone: does the loop return, or end, "
            "after one round?",
            lambda q, k, v, size: _in_tiles(q, k[:, :size], v[:, :size], size),
        ),
        "the last tile alone": Mistake(
            "this is the last tile's result alone: what is held has not been kept "
            "from one round to the next",
            partial(_in_tiles, step=_the_last_alone),
        ),
        "short tile dropped": Mistake(
            "the last tile is missing where it is shorter than the others: "
            "k.split(size, 1) has it, and so has range(0, keys, size)",
            _whole_tiles,
        ),
        "never divided": Mistake(
            "the output has not been divided by the sum: the weights of a query do "
            "not sum to 1",
            partial(_in_tiles, end=lambda held: held.read),
        ),
        "scaled twice": Mistake(
            "the scores have been divided by √d_k twice, perhaps once in q and once in "
            "the product",
            partial(_in_tiles, scale=lambda d_k, tile: 1 / d_k),
        ),
        "scaled in every round": Mistake(
            "the queries are divided by √d_k inside the loop, and so once more with "
            "each tile: the first tile is right, the second is divided twice. Divide "
            "before the loop, or divide the product",
            partial(_in_tiles, scale=lambda d_k, tile: d_k ** (-0.5 * (tile + 1))),
        ),
        "not scaled": Mistake(
            "the scores are not divided by √d_k",
            partial(_in_tiles, scale=lambda d_k, tile: 1.0),
        ),
        "scaled by d_v": Mistake(
            "the scores are divided by the root of d_v, the width of the values; a "
            "score is a sum of d_k products: divide by √d_k",
            _by_d_v,
        ),
        "over the queries": Mistake(
            OVER_QUERIES,
            partial(_at_once, weigh=lambda scores: scores.softmax(-2)),
        ),
        "causal": Mistake(CAUSAL_UNASKED, partial(_at_once, weigh=_causal)),
    },
    hints=(
        "it is exercise 15.4 with a third thing to hold: the sum of exp(s − m) v, not "
        "yet divided. Whatever happens to the sum happens to it.",
        "in each round: s = q @ keys.mT / √d_k; the new maximum; p = exp(s − m_new); "
        "shrink = exp(m − m_new); sum and output are multiplied by shrink, and p and p "
        "@ values are added.",
        "keep the last axis, amax(-1, keepdim=True), so that m and l are (batch, "
        "query, 1). Divide once, after the loop.",
    ),
    tolerance=1e-4,  # scores of 360 are rounded by that much
    instead=("scaled_dot_product_attention",),
)
