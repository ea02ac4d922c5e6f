"""Other right answers to "Count the parameters"."""

from torch import nn


def count_library(d_model, heads, bias):
    module = nn.MultiheadAttention(d_model, heads, bias=bias)
    return sum(p.numel() for p in module.parameters())


def count_by_head(d_model, heads, bias):
    d_head = d_model // heads
    of_one = 3 * (d_model * d_head + (d_head if bias else 0))
    return heads * of_one + d_model * d_model + (d_model if bias else 0)


def count_linear(d_model, heads, bias):
    layers = [nn.Linear(d_model, d_model, bias) for _ in range(4)]
    return sum(p.numel() for layer in layers for p in layer.parameters())


ALTERNATIVES = (count_library, count_by_head, count_linear)
