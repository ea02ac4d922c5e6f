"""Sub-layers for writing token by token, with every weight at hand.

For one token, what ``nn.Module`` does around a call costs as much as the arithmetic in
it. Here the weights are looked up once, when writing begins; what is returned holds
them (the very tensors, not copies) and does what the module does.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qkv.attention import MultiHeadAttention, merge_heads, split_heads
from qkv.layers import LayerNorm
from qkv.transformer.cache import TransformerState

# Each takes the newest tokens "batch token d_model", and where there are several the
# mask "token key" of what they may look at: all layers', or, knowing which, one's.
Advance = Callable[[Tensor, TransformerState, Tensor | None], Tensor]
AdvanceLayer = Callable[[Tensor, int, TransformerState, Tensor | None], Tensor]


def normalising(norm: LayerNorm) -> Callable[[Tensor], Tensor]:
    """Return the layer norm."""
    shape, weight, bias, eps = (norm.d_model,), norm.weight, norm.bias, norm.eps
    return lambda x: torch.layer_norm(x, shape, weight, bias, eps)


def working(linear1: nn.Linear, linear2: nn.Linear) -> Callable[[Tensor], Tensor]:
    """Return the feed-forward network."""
    W1, b1 = linear1.weight, linear1.bias
    W2, b2 = linear2.weight, linear2.bias
    return lambda x: F.linear(torch.relu(F.linear(x, W1, b1)), W2, b2)


def looking_back(attention: MultiHeadAttention) -> AdvanceLayer:
    """Return attention from the newest tokens to all that are kept, and to be kept."""
    heads = attention.heads
    W, b = attention.in_proj_weight, attention.in_proj_bias
    W_out, b_out = attention.out_proj.weight, attention.out_proj.bias

    def look(x, layer, state, mask):
        projected = split_heads(F.linear(x, W, b), 3 * heads)
        queries = projected.narrow(1, 0, heads)
        pairs = projected.narrow(1, heads, 2 * heads)
        keys, values = state.cache.append(layer, pairs)
        found = F.scaled_dot_product_attention(queries, keys, values, mask)
        return F.linear(merge_heads(found), W_out, b_out)

    return look


def looking_across(
    attention: MultiHeadAttention,
) -> Callable[[Tensor, int, TransformerState], Tensor]:
    """Return attention to a source whose keys and values are already projected."""
    heads, end = attention.heads, attention.d_model
    W, b = attention.in_proj_weight[:end], attention.in_proj_bias[:end]
    W_out, b_out = attention.out_proj.weight, attention.out_proj.bias

    def look(x, layer, state):
        queries = split_heads(F.linear(x, W, b), heads)
        keys, values = state.source[layer]
        bias = state.source_bias
        found = F.scaled_dot_product_attention(queries, keys, values, bias)
        return F.linear(merge_heads(found), W_out, b_out)

    return look
