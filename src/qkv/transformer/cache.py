"""What a decoder keeps from token to token, so that it never computes the past anew."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

ROOM = 64


class Cache:
    """Keys and values of the tokens read so far, of all layers, written in place.

    In ``store``, "layer batch pair room d_head", the first half of the pairs are the
    heads' keys, the second their values. There is room for more tokens than are
    ``filled``; when it is used up it is doubled, so that a token costs the same however
    many there were before it.
    """

    def __init__(
        self, store: Float[Tensor, "layer batch pair room d_head"], filled: int = 0
    ):
        """Take the memory; what is in it beyond ``filled`` is never read."""
        self.store, self.filled = store, filled
        self._layers = store.unbind(0)

    def reserved(self, start: int, count: int) -> "Cache":
        """Return a cache with room for ``count`` tokens behind the first ``start``.

        It is this one, unless it is too small, or someone else has already written
        behind ``start``: two continuations of one state do not see each other's tokens.
        """
        room = self.store.shape[-2]
        while room < start + count:
            room *= 2
        if self.filled == start and room == self.store.shape[-2]:
            self.filled = start + count
            return self
        layers, batch, pairs, _, d_head = self.store.shape
        store = self.store.new_empty(layers, batch, pairs, room, d_head)
        store[..., :start, :] = self.store[..., :start, :]
        return Cache(store, start + count)

    def append(
        self, layer: int, pairs: Float[Tensor, "batch pair token d_head"]
    ) -> tuple[Tensor, ...]:
        """Write a layer's newest keys and values; return all of them, each apart."""
        tokens, kept = pairs.shape[-2], self._layers[layer]
        kept.narrow(-2, self.filled - tokens, tokens).copy_(pairs)
        return kept.narrow(-2, 0, self.filled).chunk(2, 1)

    def select(self, rows: Int[Tensor, " chosen"], filled: int) -> "Cache":
        """Return a cache of these rows, with memory of its own."""
        layers, _, pairs, room, d_head = self.store.shape
        store = self.store.new_empty(layers, len(rows), pairs, room, d_head)
        store[..., :filled, :] = self.store[..., :filled, :].index_select(1, rows)
        return Cache(store, filled)


@dataclass(frozen=True, eq=False)
class TransformerState:
    """What a Transformer carries from token to token: a ``qkv.recurrent.Selectable``.

    ``advance`` takes new tokens through the decoder's layers (``Decoder.advancing``).
    ``length`` is the number of tokens read so far, ``cache`` their keys and values.
    ``source`` has the keys and values of the source for each layer, projected once, and
    ``source_bias``, to be added to the scores, is 0 at tokens and -∞ at padding; it is
    None where there is no padding, and a model without a source has neither.
    """

    advance: Callable[..., Tensor]
    length: int
    cache: Cache
    source: tuple[tuple[Tensor, ...], ...] = ()
    source_bias: Float[Tensor, "batch 1 1 source"] | None = None

    @property
    def batch(self) -> int:
        """The number of rows."""
        return self.cache.store.shape[1]

    def select(self, rows: Int[Tensor, " chosen"]) -> "TransformerState":
        """Return the state of these rows, in this order, with memory of its own."""
        bias = self.source_bias
        return replace(
            self,
            cache=self.cache.select(rows, self.length),
            source=tuple(
                tuple(kept.index_select(0, rows) for kept in pair)
                for pair in self.source
            ),
            source_bias=None if bias is None else bias.index_select(0, rows),
        )


def empty_cache(
    layers: int, batch: int, heads: int, d_head: int, *, like: Tensor
) -> Cache:
    """Return a cache with nothing in it, of the dtype and device of ``like``."""
    return Cache(like.new_empty(layers, batch, 2 * heads, ROOM, d_head))


def as_bias(may_attend: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """Turn a mask into what to add to the scores: made once, it is not made again."""
    if may_attend is None:
        return None
    bias = torch.zeros_like(may_attend, dtype=dtype)
    return bias.masked_fill(~may_attend, -torch.inf)
