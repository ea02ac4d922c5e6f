r"""Attention tile by tile: the softmax in one pass, with no row of weights ever whole.

The scores of some queries and some keys, a *tile*, are all that is held at a time. What
a query has read so far is its running maximum :math:`m`, the running sum :math:`\ell`
of its weights, and the running sum :math:`o` of its values, not yet divided. With the
scores :math:`s_j` of one more tile

.. math:: m' = \max(m, \max_j s_j), \quad
          \ell' = e^{m - m'} \ell + \sum_j e^{s_j - m'}, \quad
          o' = e^{m - m'} o + \sum_j e^{s_j - m'} v_j

and after the last tile the output is :math:`o / \ell`. The backward pass computes the
scores again, from :math:`m + \ln \ell`, the one number that is kept of each query.

:func:`~qkv.attention.scaled_dot_product_attention` does this where it is given a
``tile``; :func:`trace_row` shows it for one query.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from qkv._checks import same_dtype, whole
from qkv.trace import step

_ONCE = (
    "create_graph=True asks for the gradient of a gradient, but attention in tiles has "
    "only the first; leave create_graph out, or attend without tile: "
    "trace_scaled_dot_product(...).output has both"
)


class _Read(NamedTuple):
    """What queries have read so far: m, ℓ and o."""

    maximum: Tensor
    total: Tensor
    held: Tensor


def _nothing(query: Tensor, d_v: int) -> _Read:
    none = query.new_zeros(*query.shape[:-1], 1)
    return _Read(none - torch.inf, none, query.new_zeros(*query.shape[:-1], d_v))


def _take_in(read: _Read, scores: Tensor, values: Tensor) -> tuple[_Read, Tensor, Any]:
    """Read one tile more; return how much of the old is kept, and the new weights."""
    maximum = torch.maximum(read.maximum, scores.amax(-1, keepdim=True))
    # where all was hidden so far the maximum is -∞, and -∞ - (-∞) is NaN
    least = maximum.masked_fill(maximum.isneginf(), 0.0)
    shrink, weights = (read.maximum - least).exp(), (scores - least).exp()
    total = read.total * shrink + weights.sum(-1, keepdim=True)
    return _Read(maximum, total, read.held * shrink + weights @ values), shrink, weights


def _divided(read: _Read) -> Tensor:
    return read.held / read.total.masked_fill(read.total == 0, 1.0)


@dataclass(frozen=True)
class Seen:
    """What queries may attend to, to be asked tile by tile.

    ``before`` is how many keys there are before the first query's own.
    """

    mask: Tensor | None
    causal: bool
    window: int | None
    before: int

    def tiles(self, rows: slice, keys: int, tile: int) -> Iterator[slice]:
        """Yield the tiles of keys of which some may be seen by these queries."""
        first = 0
        if self.causal:
            keys = rows.stop + self.before
            if self.window is not None:
                first = max(0, rows.start + self.before - self.window + 1)
        for start in range(first - first % tile, keys, tile):
            yield slice(start, min(start + tile, keys))

    def hidden(self, rows: slice, columns: slice) -> Tensor | None:
        """Return True where a key of the tile is hidden; None where none is."""
        hidden = None if self.mask is None else ~self.mask[..., rows, columns]
        if not self.causal or self._all_past(rows, columns):
            return hidden
        own = torch.arange(rows.start, rows.stop)[:, None] + self.before
        back = own - torch.arange(columns.start, columns.stop)
        beyond = back < 0
        if self.window is not None:
            beyond |= back >= self.window
        return beyond if hidden is None else hidden | beyond.to(hidden.device)

    def _all_past(self, rows: slice, columns: slice) -> bool:
        first, last = rows.start + self.before, rows.stop - 1 + self.before
        near = self.window is None or last - columns.start < self.window
        return columns.stop - 1 <= first and near

    def hide(self, scores: Tensor, rows: slice, columns: slice) -> Tensor:
        """Return the scores of a tile with -∞ where a key is hidden."""
        hidden = self.hidden(rows, columns)
        if hidden is None:
            return scores
        return scores.masked_fill(hidden.to(scores.device), -torch.inf)

    def nothing(self, queries: int, keys: int, tile: int) -> bool:
        """Say whether no query may attend to any key."""
        return all(
            hidden is not None and bool(hidden.all())
            for rows in slices(queries, tile)
            for columns in self.tiles(rows, keys, tile)
            for hidden in [self.hidden(rows, columns)]
        )


def attend_in_tiles(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    seen: Seen,
    tile: int,
) -> Float[Tensor, "*batch query d_v"]:
    """Attend tile by tile, with what is known to fit."""
    scaled = query * query.shape[-1] ** -0.5
    return _Tiled.apply(scaled, key, value, seen, tile)


class _Tiled(torch.autograd.Function):
    """Forward and backward pass, each in tiles; the scores are never kept."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, seen: Seen, tile: int
    ) -> Tensor:
        output = query.new_empty(*query.shape[:-1], value.shape[-1])
        logarithm = query.new_empty(*query.shape[:-1], 1)
        for rows in slices(query.shape[-2], tile):
            asked = query[..., rows, :]
            read = _nothing(asked, value.shape[-1])
            for columns in seen.tiles(rows, key.shape[-2], tile):
                scores = seen.hide(asked @ key[..., columns, :].mT, rows, columns)
                read, _, _ = _take_in(read, scores, value[..., columns, :])
            output[..., rows, :] = _divided(read)
            logarithm[..., rows, :] = _log_of_sum(read)
        # Saved so, a mask that is changed before the backward pass is noticed.
        ctx.save_for_backward(query, key, value, output, logarithm, seen.mask)
        ctx.seen, ctx.tile = replace(seen, mask=None), tile
        return output

    @staticmethod
    def backward(  # pyrefly: ignore[bad-override]
        ctx: Any, pull: Tensor
    ) -> tuple[Tensor | None, ...]:
        # once_differentiable lets a part of the second gradient be lost unseen
        if torch.is_grad_enabled():
            raise RuntimeError(_ONCE)
        query, key, value, output, logarithm, mask = ctx.saved_tensors
        seen = replace(ctx.seen, mask=mask)
        to_query, to_key, to_value = map(torch.zeros_like, (query, key, value))
        pulled = (pull * output).sum(-1, keepdim=True)
        for rows in slices(query.shape[-2], ctx.tile):
            asked, back = query[..., rows, :], pull[..., rows, :]
            for columns in seen.tiles(rows, key.shape[-2], ctx.tile):
                k, v = key[..., columns, :], value[..., columns, :]
                scores = seen.hide(asked @ k.mT, rows, columns)
                weights = (scores - logarithm[..., rows, :]).exp()
                to_value[..., columns, :] += weights.mT @ back
                to_scores = weights * (back @ v.mT - pulled[..., rows, :])
                to_query[..., rows, :] += to_scores @ k
                to_key[..., columns, :] += to_scores.mT @ asked
        return to_query, to_key, to_value, None, None


def _log_of_sum(read: _Read) -> Tensor:
    """Return m + ln ℓ; 0 where nothing was seen, so that its weights stay 0."""
    empty = read.total == 0
    both = read.maximum + read.total.masked_fill(empty, 1.0).log()
    return both.masked_fill(empty, 0.0)


def slices(length: int, tile: int) -> Iterator[slice]:
    """Yield the tiles of an axis; the last may be shorter."""
    for start in range(0, length, tile):
        yield slice(start, min(start + tile, length))


@dataclass(frozen=True, eq=False)
class TileTrace:
    """What one query does with one tile of keys."""

    scores: Float[Tensor, " tile"] = step(
        "The scores of this tile",
        formula=r"s_j",
        reads=("scores",),
    )
    maximum: Float[Tensor, ""] = step(
        "The largest score so far",
        formula=r"m' = \max(m, \max_j s_j)",
        reads=("scores",),
    )
    shrink: Float[Tensor, ""] = step(
        "How much of what is held remains",
        formula=r"e^{m - m'}",
        reads=("maximum",),
    )
    weights: Float[Tensor, " tile"] = step(
        "The weights of this tile, not yet divided",
        formula=r"e^{s_j - m'}",
        reads=("scores", "maximum"),
    )
    total: Float[Tensor, ""] = step(
        "The sum of the weights so far",
        formula=r"\ell' = e^{m - m'} \ell + \sum_j e^{s_j - m'}",
        reads=("shrink", "weights"),
    )
    held: Float[Tensor, " d_v"] = step(
        "The sum of the values so far",
        formula=r"o' = e^{m - m'} o + \sum_j e^{s_j - m'} v_j",
        reads=("shrink", "weights", "values"),
    )


@dataclass(frozen=True, eq=False)
class RowTrace:
    """One row of attention, tile by tile."""

    tiles: tuple[TileTrace, ...] = step("Read tile by tile", reads=("scores", "values"))
    output: Float[Tensor, " d_v"] = step(
        "Divide once, at the end",
        formula=r"\frac{o}{\ell}",
        reads=("tiles",),
    )


def trace_row(
    scores: Float[Tensor, " key"], values: Float[Tensor, "key d_v"], tile: int
) -> RowTrace:
    r"""Average the values by the softmax of one row of scores, tile by tile.

    Parameters
    ----------
    scores : how well each key matches the query; -∞ where it is hidden.
    values : what there is to read, one for each key.
    tile : how many keys are read at a time; the last tile may have fewer.

    Raises
    ------
    ValueError
        If there is not one value for each score, or ``tile`` is below 1.
    TypeError
        If scores and values do not hold one kind of floating-point numbers, or
        ``tile`` is not whole.

    Notes
    -----
    Milakov and Gimelshein (2018), algorithm 3, for the sum; Dao et al. (2022) for the
    values.

    Examples
    --------
    >>> values = torch.tensor([[2.0], [4.0], [9.0]])
    >>> trace = trace_row(torch.zeros(3), values, tile=2)
    >>> [(part.total.item(), part.held.item()) for part in trace.tiles]
    [(2.0, 6.0), (3.0, 15.0)]
    >>> trace.output
    tensor([5.])
    """
    same_dtype(scores=scores, values=values)
    whole(1, tile=tile)
    if scores.ndim != 1 or values.ndim != 2 or len(scores) != len(values):
        raise ValueError(
            f"scores has shape {tuple(scores.shape)} and values "
            f"{tuple(values.shape)}, but a row is 'key' and 'key d_v', one value for "
            "each score"
        )
    read, tiles = _nothing(values.new_zeros(1, 1), values.shape[-1]), []
    for columns in slices(len(scores), tile):
        row = scores[None, columns]
        read, shrink, weights = _take_in(read, row, values[columns])
        maximum, total, held = (x[0] for x in read)
        tiles.append(
            TileTrace(row[0], maximum[0], shrink[0, 0], weights[0], total[0], held)
        )
    return RowTrace(tuple(tiles), _divided(read)[0])
