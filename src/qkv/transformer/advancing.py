"""Sub-layers for decoding token by token, their weights looked up once.

For one token, what ``nn.Module`` does around a call costs as much as the arithmetic in
it. Here the weights are looked up when decoding begins; the function that is returned
holds them (the very tensors, not copies) and does what the module does. A position-wise
module may offer such a function itself, as its method ``advancing``; else it is called.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from qkv._checks import finite
from qkv.attention import MultiHeadAttention, merge_heads
from qkv.transformer.cache import TransformerState

# Each takes the newest tokens of all rows, "batch·token d_model", and where there are
# several of a row the mask "1 token key" of what they may look at: all layers', or,
# knowing which, one's.
Advance = Callable[[Tensor, TransformerState, Tensor | None], Tensor]
AdvanceLayer = Callable[[Tensor, int, TransformerState, Tensor | None], Tensor]
# Queries "batch head token d_head", keys and values "batch·kv_head key d_head", and
# what to add to the scores or a mask; returns "batch·token d_model".
Attend = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]


def advancing(sublayer: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return what a call of a position-wise module does, as fast as it can be had."""
    return sublayer.advancing() if hasattr(sublayer, "advancing") else sublayer


def looking_back(attention: MultiHeadAttention) -> AdvanceLayer:
    """Return self-attention as a function: it extends the cache, and reads it all."""
    attend, d_model = attending(attention), attention.d_model
    heads, kv_heads = attention.heads, attention.kv_heads
    d_head, widths = d_model // heads, (d_model, sum(attention.widths[1:]))
    W, b = attention.in_proj_weight, attention.in_proj_bias
    W_out, b_out = attention.out_proj.weight, attention.out_proj.bias

    def look(x, layer, state, mask):
        asked, kept = F.linear(x, W, b).split(widths, -1)
        queries = asked.view(state.batch, -1, heads, d_head).transpose(1, 2)
        newest = _split(kept, state.batch, 2, kv_heads)
        keys, values = state.cache.append(layer, newest)
        return F.linear(attend(queries, keys, values, mask), W_out, b_out)

    return look


def looking_across(
    attention: MultiHeadAttention,
) -> Callable[[Tensor, int, TransformerState], Tensor]:
    """Return cross-attention as a function, to keys and values already projected."""
    heads, attend, end = attention.heads, attending(attention), attention.d_model
    W, b = attention.in_proj_weight[:end], attention.in_proj_bias
    b = None if b is None else b[:end]
    W_out, b_out = attention.out_proj.weight, attention.out_proj.bias

    def look(x, layer, state):
        queries = _split(F.linear(x, W, b), state.batch, 1, heads).select(0, 0)
        keys, values = state.source[layer]
        found = attend(queries, keys, values, state.source_bias)
        return F.linear(found, W_out, b_out)

    return look


def attending(attention: MultiHeadAttention) -> Attend:
    """Return scaled dot-product attention, for one token a row or for several.

    The weights of one token are a row for each head: two plain products, which with 32
    rows take two thirds of the fused kernel's time. Heads that share a key are rows of
    one product. The weights of several tokens would be a matrix for each head, which
    the kernel never holds.
    """
    d_model, d_head = attention.d_model, attention.d_model // attention.heads
    scale = attention.in_proj_weight.new_full((), d_head**-0.5)

    def attend(queries, keys, values, mask):
        if queries.shape[2] > 1:
            return _attend_fused(queries, keys, values, mask)
        query = (queries * scale).view(len(keys), -1, d_head)
        if mask is None:
            scores = torch.bmm(query, keys.mT)
        else:
            scores = torch.baddbmm(mask, query, keys.mT)
        return torch.bmm(scores.softmax(-1), values).view(-1, d_model)

    return attend


def _attend_fused(
    queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None
) -> Tensor:
    for name, x in (("query", queries), ("key", keys), ("value", values)):
        finite(name, x)
    asked = queries.reshape(len(keys), -1, *queries.shape[2:]).transpose(0, 1)
    sharing = len(asked)  # heads to each one of keys: the kernel's batch
    found = F.scaled_dot_product_attention(
        asked,
        keys.expand(sharing, -1, -1, -1),
        values.expand(sharing, -1, -1, -1),
        None if mask is None else mask[None],
    )
    return merge_heads(found.transpose(0, 1).reshape(queries.shape)).flatten(0, 1)


def _split(x: Tensor, batch: int, parts: int, heads: int) -> Tensor:
    """Return "part batch head token d_head" of "batch·token part·d_model"."""
    d_head = x.shape[-1] // (parts * heads)
    return x.view(batch, -1, parts, heads, d_head).permute(2, 0, 3, 1, 4)
