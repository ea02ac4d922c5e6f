"""Encoder and decoder layers, each in three forms: forward, advancing and trace.

What a layer does to each token alone is a feed-forward network, or any other module
from d_model to d_model whose ``trace`` returns a dataclass that ends in ``output``.

A ``state_dict`` has the names and shapes of ``torch.nn.Transformer``'s, whose weights
can be loaded, and the other way round.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from qkv._checks import share_dropped
from qkv.attention import MultiHeadAttention, split_heads
from qkv.layers import FeedForward, LayerNorm, residual
from qkv.transformer.advancing import (
    Advance,
    AdvanceLayer,
    advancing,
    looking_across,
    looking_back,
)
from qkv.transformer.traces import (
    DecoderLayerTrace,
    EncoderLayerTrace,
    PostNormDecoderTrace,
    PostNormEncoderTrace,
    PreNormDecoderTrace,
    PreNormEncoderTrace,
)

Sublayer = Callable[[Tensor], Tensor]


class _PositionWise(Protocol):
    """What is asked of the module that works on each token alone."""

    def trace(self, x: Tensor) -> Any:
        """Return its steps, the last of them ``output``."""


def made(feed_forward: Callable[[], nn.Module] | None) -> nn.Module | None:
    """Make the position-wise module of one more layer, where one is wanted.

    Raises
    ------
    TypeError
        If a module is given: all layers would share it.
    """
    if isinstance(feed_forward, nn.Module):
        raise TypeError(
            "feed_forward is a module, but every layer is to have one of its own; give "
            f"what makes one: lambda: {type(feed_forward).__name__}(...)"
        )
    return None if feed_forward is None else feed_forward()


class _Layer(nn.Module):
    """What both kinds have: attention to oneself, a position-wise module, residuals."""

    feed_forward: nn.Module

    def __init__(
        self,
        d_model: int,
        heads: int,
        d_ff: int,
        *,
        norm_first: bool,
        dropout: float,
        activation: str = "relu",
        feed_forward: nn.Module | None = None,
        kv_heads: int | None = None,
        window: int | None = None,
    ):
        super().__init__()
        share_dropped(dropout)
        self.norm_first, self.dropout = norm_first, dropout
        self.self_attn = MultiHeadAttention(
            d_model, heads, kv_heads=kv_heads, window=window
        )
        self.feed_forward = feed_forward or FeedForward(d_model, d_ff, activation)
        if isinstance(self.feed_forward, FeedForward):
            self.register_state_dict_post_hook(_saved_as_torchs)
            self.register_load_state_dict_pre_hook(_loaded_as_torchs)

    def _around(self, x: Tensor, sublayer: Sublayer, norm: LayerNorm) -> Tensor:
        if self.dropout and self.training:
            return residual(
                x,
                lambda x: F.dropout(sublayer(x), self.dropout),
                norm,
                norm_first=self.norm_first,
            )
        return residual(x, sublayer, norm, norm_first=self.norm_first)

    def _trace_around(
        self, x: Tensor, trace: Callable[[Tensor], Any], norm: LayerNorm
    ) -> tuple[tuple[Any, ...], Tensor]:
        """Return the three steps of a sub-layer in their order, and its result."""
        if self.norm_first:
            normalised = norm.trace(x)
            inner = trace(normalised.output)
            added = x + inner.output
            return (normalised, inner, added), added
        inner = trace(x)
        added = x + inner.output
        normalised = norm.trace(added)
        return (inner, added, normalised), normalised.output

    def _trace_fed(self, x: Tensor, norm: LayerNorm) -> tuple[Any, ...]:
        """Return the three steps of the last sub-layer, whose module has a trace."""
        work = cast(_PositionWise, self.feed_forward)
        return self._trace_around(x, work.trace, norm)[0]

    def advancing(self) -> AdvanceLayer:
        """Return a call for the newest tokens alone, on keys kept in a cache."""
        raise NotImplementedError


def _saved_as_torchs(layer: _Layer, state: dict, prefix: str, _: Any) -> None:
    """Give the feed-forward network's parameters torch's names: without its own."""
    own = f"{prefix}feed_forward."
    for name, value in list(state.items()):  # all anew, to keep their order
        del state[name]
        shown = prefix + name.removeprefix(own) if name.startswith(own) else name
        state[shown] = value


def _loaded_as_torchs(layer: _Layer, state: dict, prefix: str, *_: Any) -> None:
    """Find them again under those names."""
    for name in layer.feed_forward.state_dict():
        if f"{prefix}{name}" in state:
            state[f"{prefix}feed_forward.{name}"] = state.pop(f"{prefix}{name}")


class EncoderLayer(_Layer):
    r"""Self-attention over all tokens, then a feed-forward network on each.

    .. math:: x' = x + \mathrm{SelfAttention}(\mathrm{LN}(x)), \qquad
              y = x' + \mathrm{FFN}(\mathrm{LN}(x'))

    in pre-norm; in post-norm LN(x + f(x)) stands for x + f(LN(x)) in both places.

    Notes
    -----
    Vaswani et al. (2017), section 3.1; see :func:`qkv.layers.residual` for the norm.
    A module given as ``feed_forward`` stands in the place of the feed-forward network;
    ``kv_heads`` and ``window`` are as in :class:`~qkv.attention.MultiHeadAttention`.

    Examples
    --------
    >>> import torch
    >>> layer = EncoderLayer(d_model=6, heads=2, d_ff=11)
    >>> layer(torch.ones(3, 5, 6)).shape
    torch.Size([3, 5, 6])
    """

    def __init__(
        self,
        d_model: int,
        heads: int,
        d_ff: int,
        *,
        norm_first: bool = True,
        dropout: float = 0.0,
        activation: str = "relu",
        eps: float = 1e-5,
        feed_forward: nn.Module | None = None,
        kv_heads: int | None = None,
        window: int | None = None,
    ):
        """Make the two sub-layers and a norm for each."""
        super().__init__(
            d_model,
            heads,
            d_ff,
            norm_first=norm_first,
            dropout=dropout,
            activation=activation,
            feed_forward=feed_forward,
            kv_heads=kv_heads,
            window=window,
        )
        self.norm1 = LayerNorm(d_model, eps)
        self.norm2 = LayerNorm(d_model, eps)

    def forward(
        self,
        x: Float[Tensor, "*batch token d_model"],
        *,
        mask: Bool[Tensor, "..."] | None = None,
        causal: bool = False,
    ) -> Float[Tensor, "*batch token d_model"]:
        """Both sub-layers; masks as in :class:`~qkv.attention.MultiHeadAttention`.

        A causal encoder layer is a decoder layer without cross-attention.
        """
        x = self._around(
            x, lambda x: self.self_attn(x, mask=mask, causal=causal), self.norm1
        )
        return self._around(x, self.feed_forward, self.norm2)

    def first(
        self,
        x: Float[Tensor, "*batch token d_model"],
        count: int,
        *,
        mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch first d_model"]:
        """Return the first ``count`` tokens of a call's result; compute no others."""
        seen = self.norm1(x) if self.norm_first else x
        mask = None if mask is None else mask[..., :count, :]
        x = self._around(
            x[..., :count, :],
            lambda asking: self.self_attn(asking, seen, mask=mask),
            self.norm1,
        )
        return self._around(x, self.feed_forward, self.norm2)

    def advancing(self) -> AdvanceLayer:
        """Return a causal call for the newest tokens alone, on keys kept in a cache."""
        back, norm1 = looking_back(self.self_attn), self.norm1.advancing()
        work, norm2 = advancing(self.feed_forward), self.norm2.advancing()
        first = self.norm_first

        def advance(x, layer, state, mask):
            def look_back(x):
                return back(x, layer, state, mask)

            x = residual(x, look_back, norm1, norm_first=first)
            return residual(x, work, norm2, norm_first=first)

        return advance

    def trace(
        self,
        x: Float[Tensor, "*batch token d_model"],
        *,
        mask: Bool[Tensor, "..."] | None = None,
        causal: bool = False,
    ) -> EncoderLayerTrace:
        """Return the steps of :meth:`forward`, without dropout, one by one."""
        attention, x = self._trace_around(
            x,
            lambda x: self.self_attn.trace(x, mask=mask, causal=causal),
            self.norm1,
        )
        fed = self._trace_fed(x, self.norm2)
        kind = PreNormEncoderTrace if self.norm_first else PostNormEncoderTrace
        return kind(*attention, *fed)


class DecoderLayer(_Layer):
    r"""Causal self-attention, cross-attention, a feed-forward network on each token.

    .. math:: x' = x + \mathrm{SelfAttention}(\mathrm{LN}(x)), \qquad
              x'' = x' + \mathrm{Attention}(\mathrm{LN}(x'), m, m), \qquad
              y = x'' + \mathrm{FFN}(\mathrm{LN}(x''))

    in pre-norm. The queries of the second attention are the decoder's, its keys and
    values come from the encoder's result m, the *memory*: all of it, where the first
    looks back through a ``window``. Both have ``kv_heads`` heads of keys and values.

    Notes
    -----
    Vaswani et al. (2017), sections 3.1 and 3.2.3.

    Examples
    --------
    >>> import torch
    >>> layer = DecoderLayer(d_model=6, heads=2, d_ff=11)
    >>> layer(torch.ones(3, 5, 6), torch.ones(3, 7, 6)).shape
    torch.Size([3, 5, 6])
    """

    def __init__(
        self,
        d_model: int,
        heads: int,
        d_ff: int,
        *,
        norm_first: bool = True,
        dropout: float = 0.0,
        feed_forward: nn.Module | None = None,
        kv_heads: int | None = None,
        window: int | None = None,
    ):
        """Make the three sub-layers and a norm for each."""
        super().__init__(
            d_model,
            heads,
            d_ff,
            norm_first=norm_first,
            dropout=dropout,
            feed_forward=feed_forward,
            kv_heads=kv_heads,
            window=window,
        )
        self.multihead_attn = MultiHeadAttention(d_model, heads, kv_heads=kv_heads)
        self.norm1 = LayerNorm(d_model)
        self.norm2 = LayerNorm(d_model)
        self.norm3 = LayerNorm(d_model)

    def forward(
        self,
        x: Float[Tensor, "*batch target d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        *,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch target d_model"]:
        """Apply the three sub-layers; no token sees a later one."""
        x = self._around(x, lambda x: self.self_attn(x, causal=True), self.norm1)
        x = self._around(
            x, lambda x: self.multihead_attn(x, memory, mask=memory_mask), self.norm2
        )
        return self._around(x, self.feed_forward, self.norm3)

    def advancing(self) -> AdvanceLayer:
        """Return a call for the newest tokens alone, on keys kept in a cache."""
        back, norm1 = looking_back(self.self_attn), self.norm1.advancing()
        across, norm2 = looking_across(self.multihead_attn), self.norm2.advancing()
        work, norm3 = advancing(self.feed_forward), self.norm3.advancing()
        first = self.norm_first

        def advance(x, layer, state, mask):
            def look_back(x):
                return back(x, layer, state, mask)

            def look_across(x):
                return across(x, layer, state)

            x = residual(x, look_back, norm1, norm_first=first)
            x = residual(x, look_across, norm2, norm_first=first)
            return residual(x, work, norm3, norm_first=first)

        return advance

    def trace(
        self,
        x: Float[Tensor, "*batch target d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        *,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> DecoderLayerTrace:
        """Return the steps of :meth:`forward`, without dropout, one by one."""
        attention, x = self._trace_around(
            x, lambda x: self.self_attn.trace(x, causal=True), self.norm1
        )
        cross, x = self._trace_around(
            x,
            lambda x: self.multihead_attn.trace(x, memory, mask=memory_mask),
            self.norm2,
        )
        fed = self._trace_fed(x, self.norm3)
        kind = PreNormDecoderTrace if self.norm_first else PostNormDecoderTrace
        return kind(*attention, *cross, *fed)


_Kind = TypeVar("_Kind", bound=_Layer)


class _Stack(nn.Module, Generic[_Kind]):
    """Layers, one on the other, and a norm after the last where there is to be one."""

    def __init__(self, layers: list[_Kind], norm: LayerNorm | None):
        super().__init__()
        # a list of modules does not say of which kind they are
        self.layers = cast(Sequence[_Kind], nn.ModuleList(layers))
        self.norm = norm

    def finish(
        self, x: Float[Tensor, "*batch token d_model"]
    ) -> Float[Tensor, "*batch token d_model"]:
        """Apply the norm after the last layer, if there is one: pre-norm has it."""
        return x if self.norm is None else self.norm(x)

    def advancing(self) -> Advance:
        """Return a call for the newest tokens alone, through all layers."""
        layers = [layer.advancing() for layer in self.layers]
        norm = None if self.norm is None else self.norm.advancing()

        def advance(x, state, mask):
            for index, layer in enumerate(layers):
                x = layer(x, index, state, mask)
            return x if norm is None else norm(x)

        return advance


class Encoder(_Stack[EncoderLayer]):
    """A stack of :class:`EncoderLayer`."""

    def forward(
        self,
        x: Float[Tensor, "*batch token d_model"],
        *,
        mask: Bool[Tensor, "..."] | None = None,
        causal: bool = False,
    ) -> Float[Tensor, "*batch token d_model"]:
        """Apply all layers, then the last norm."""
        for layer in self.layers:
            x = layer(x, mask=mask, causal=causal)
        return self.finish(x)

    def first(
        self,
        x: Float[Tensor, "*batch token d_model"],
        count: int,
        *,
        mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch first d_model"]:
        """Return the first tokens of what a call returns.

        The last layer makes no others: who reads one token of many saves most of it.
        """
        *layers, last = self.layers
        for layer in layers:
            x = layer(x, mask=mask)
        return self.finish(last.first(x, count, mask=mask))

    def trace(
        self,
        x: Float[Tensor, "*batch token d_model"],
        *,
        mask: Bool[Tensor, "..."] | None = None,
        causal: bool = False,
    ) -> tuple[tuple[EncoderLayerTrace, ...], Tensor]:
        """Return the trace of each layer, and the result."""
        traces = []
        for layer in self.layers:
            traces.append(layer.trace(x, mask=mask, causal=causal))
            x = traces[-1].output
        return tuple(traces), self.finish(x)


class Decoder(_Stack[DecoderLayer]):
    """A stack of :class:`DecoderLayer`, all of which look at the same memory."""

    def forward(
        self,
        x: Float[Tensor, "*batch target d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        *,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch target d_model"]:
        """Apply all layers, then the last norm."""
        for layer in self.layers:
            x = layer(x, memory, memory_mask=memory_mask)
        return self.finish(x)

    def project(
        self, memory: Float[Tensor, "batch source d_model"]
    ) -> tuple[tuple[Tensor, ...], ...]:
        """Return the keys and values of the source for each layer: once, not a step.

        Batch and kv_head are one axis of them.
        """
        pairs = []
        for layer in self.layers:
            attention = layer.multihead_attn
            W, b = attention.in_proj_weight, attention.in_proj_bias
            start = attention.d_model
            both = F.linear(memory, W[start:], None if b is None else b[start:])
            parts = split_heads(both, 2 * attention.kv_heads).chunk(2, 1)
            pairs.append(tuple(part.flatten(0, 1) for part in parts))
        return tuple(pairs)

    def trace(
        self,
        x: Float[Tensor, "*batch target d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        *,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> tuple[tuple[DecoderLayerTrace, ...], Tensor]:
        """Return the trace of each layer, and the result."""
        traces = []
        for layer in self.layers:
            traces.append(layer.trace(x, memory, memory_mask=memory_mask))
            x = traces[-1].output
        return tuple(traces), self.finish(x)
