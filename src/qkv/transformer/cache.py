"""What a decoder keeps from token to token, so that it never computes the past anew."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from qkv import masks

CAPACITY = 64


class Cache:
    """Keys and values of the tokens read so far, of all layers, written in place.

    A layer of ``store`` has the keys, and then the values: of each row of the batch,
    and each of its heads of keys. Its capacity is in tokens, of which some are
    ``filled``; when it is used up it is doubled, so that a token costs the same however
    many there were before it.
    """

    def __init__(
        self,
        store: Float[Tensor, "layer 2 batch kv_head capacity d_head"],
        filled: int = 0,
    ):
        """Take the memory; what is in it beyond ``filled`` is never read."""
        self.store, self.filled = store, filled
        self._layers = [(pair, *pair.flatten(1, 2)) for pair in store]

    def reserved(self, start: int, count: int) -> "Cache":
        """Return a cache with capacity for ``count`` tokens after the first ``start``.

        It is this one, unless it is too small, or someone else has already written
        after ``start``: two continuations of one state do not see each other's tokens.
        """
        capacity = self.store.shape[-2]
        while capacity < start + count:
            capacity *= 2
        if self.filled == start and capacity == self.store.shape[-2]:
            self.filled = start + count
            return self
        *sizes, _, d_head = self.store.shape
        store = self.store.new_empty(*sizes, capacity, d_head)
        store[..., :start, :] = self.store[..., :start, :]
        return Cache(store, start + count)

    def append(
        self, layer: int, newest: Float[Tensor, "2 batch kv_head token d_head"]
    ) -> tuple[Tensor, Tensor]:
        """Write a layer's newest keys and values; return all of them, each apart.

        Batch and kv_head are one axis of what is returned, as products of matrices
        want.
        """
        tokens, filled = newest.shape[-2], self.filled
        both, keys, values = self._layers[layer]
        both.narrow(-2, filled - tokens, tokens).copy_(newest)
        return keys.narrow(1, 0, filled), values.narrow(1, 0, filled)

    def select(self, rows: Int[Tensor, " chosen"], filled: int) -> "Cache":
        """Return a cache of these rows, with memory of its own."""
        layers, two, _, *sizes = self.store.shape
        store = self.store.new_empty(layers, two, len(rows), *sizes)
        store[..., :filled, :] = self.store[..., :filled, :].index_select(2, rows)
        return Cache(store, filled)


@dataclass(frozen=True, eq=False)
class TransformerState:
    """What a Transformer carries from token to token: a ``qkv.recurrent.Selectable``.

    ``advance`` takes new tokens through the decoder's layers (``Decoder.advancing``).
    ``length`` is the number of tokens read so far, ``cache`` their keys and values.
    ``source`` has the keys and values of the source for each layer, projected once, and
    ``source_bias``, to be added to the scores, is 0 at tokens and -∞ at padding; it is
    None where there is no padding, and a model without a source has neither.

    Where rows of different lengths have been read, ``padding`` says how many of the
    tokens of each row are padding: its next token stands that much before ``length``.
    ``padding_bias`` hides them, as ``source_bias`` does those of the source. Both are
    None where there is none. Batch and kv_head are one axis of keys, values and biases.

    ``window`` is how many tokens each may look at, itself the last; None is all.
    """

    advance: Callable[..., Tensor]
    length: int
    cache: Cache
    source: tuple[tuple[Tensor, ...], ...] = ()
    source_bias: Float[Tensor, "batch_kv_head 1 source"] | None = None
    padding: Int[Tensor, " batch"] | None = None
    padding_bias: Float[Tensor, "batch_kv_head 1 past"] | None = None
    window: int | None = None

    @property
    def batch(self) -> int:
        """The number of rows."""
        return self.cache.store.shape[2]

    @property
    def position(self) -> int | Int[Tensor, " batch"]:
        """Where the next token stands; in rows of different lengths, that of each."""
        return self.length if self.padding is None else self.length - self.padding

    def reserved(self, count: int) -> "TransformerState":
        """Return the state when ``count`` tokens more are read, cache included."""
        bias = self.padding_bias
        return TransformerState(
            advance=self.advance,
            length=self.length + count,
            cache=self.cache.reserved(self.length, count),
            source=self.source,
            source_bias=self.source_bias,
            padding=self.padding,
            padding_bias=None if bias is None else F.pad(bias, (0, count)),
            window=self.window,
        )

    def mask(self, count: int) -> Tensor | None:
        """Return what the last ``count`` tokens may look at; None is everything."""
        if self.window is not None:
            return self._through_window(count, self.window)
        if count == 1:
            return self.padding_bias
        store = self.cache.store
        mask = masks.causal(count, self.length, device=store.device)[None]
        if self.padding_bias is None:
            return mask
        return as_bias(mask, store.dtype) + self.padding_bias

    def _through_window(self, count: int, window: int) -> Tensor:
        """Return a bias that hides what stands too far back: padding does not count."""
        store = self.cache.store
        real = store.new_ones(1, 1, self.length).bool()
        if self.padding_bias is not None:
            real = self.padding_bias == 0
        place = real.cumsum(-1)
        back = place[..., -count:].mT - place
        return as_bias(real & (back >= 0) & (back < window), store.dtype)

    def hiding(self, real: Bool[Tensor, "batch past"]) -> "TransformerState":
        """Return the state in which what is not ``real`` was never read."""
        heads, dtype = self.cache.store.shape[3], self.cache.store.dtype
        bias = as_bias(real.unsqueeze(1).repeat_interleave(heads, 0), dtype)
        return replace(self, padding=(~real).sum(1), padding_bias=bias)

    def select(self, rows: Int[Tensor, " chosen"]) -> "TransformerState":
        """Return the state of these rows, in this order, with memory of its own."""

        def chosen(kept: Tensor | None) -> Tensor | None:
            if kept is None:
                return None
            return kept.unflatten(0, (self.batch, -1))[rows].flatten(0, 1)

        return replace(
            self,
            cache=self.cache.select(rows, self.length),
            source=tuple(tuple(map(chosen, pair)) for pair in self.source),
            source_bias=chosen(self.source_bias),
            padding=chosen(self.padding),
            padding_bias=chosen(self.padding_bias),
        )


def empty_cache(
    layers: int, batch: int, heads: int, d_head: int, *, like: Tensor
) -> Cache:
    """Return a cache with nothing in it, of the dtype and device of ``like``."""
    return Cache(like.new_empty(layers, 2, batch, heads, CAPACITY, d_head))


def as_bias(may_attend: Tensor, dtype: torch.dtype) -> Tensor:
    """Turn a mask into what to add to the scores: made once, it is not made again."""
    bias = torch.zeros_like(may_attend, dtype=dtype)
    return bias.masked_fill(~may_attend, -torch.inf)
