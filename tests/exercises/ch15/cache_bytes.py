"""Other right answers to "How large is the cache?"."""

import torch


def bytes_of_tensors(batch, tokens, layers, heads, kv_heads, d_model, bits):
    shape = (batch, kv_heads, tokens, d_model // heads)
    keys = torch.empty(shape, dtype=torch.uint8, device="meta")
    return layers * (keys.numel() + keys.numel()) * bits / 8


def bytes_of_a_share(batch, tokens, layers, heads, kv_heads, d_model, bits):
    as_many_heads = batch * tokens * layers * 2 * d_model * bits / 8
    return as_many_heads * kv_heads / heads


def bytes_token_by_token(batch, tokens, layers, heads, kv_heads, d_model, bits):
    head = [bits] * (d_model // heads)
    layer = kv_heads * (sum(head) + sum(head))
    return sum(layer * layers for _ in range(tokens)) * batch // 8


def bytes_in_a_tensor(batch, tokens, layers, heads, kv_heads, d_model, bits):
    d_head = d_model // heads
    each = torch.tensor([2, batch, tokens, layers, kv_heads, d_head, bits])
    return each.prod() // 8


ALTERNATIVES = (
    bytes_of_tensors,
    bytes_of_a_share,
    bytes_token_by_token,
    bytes_in_a_tensor,
)
