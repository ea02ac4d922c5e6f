"""Other right answers to "An encoder layer"."""

import torch
from torch import nn
from torch.nn import functional as F

from qkv.transformer.blocks import EncoderLayer


def wired_by_hand(x, W, W_1, b_1, W_2, b_2):
    z = F.layer_norm(x, x.shape[-1:])
    q, k, v = z @ W[0].T, z @ W[1].T, z @ W[2].T
    weights = (q @ k.mT / W.shape[-1] ** 0.5).softmax(-1)
    y = weights @ v + x
    hidden = (F.layer_norm(y, y.shape[-1:]) @ W_1.T + b_1).clamp(min=0)
    return hidden @ W_2.T + b_2 + y


def the_packages(x, W, W_1, b_1, W_2, b_2):
    d_model = x.shape[-1]
    layer = EncoderLayer(d_model, 1, len(W_1))
    attention, network = layer.self_attn, layer.feed_forward
    with torch.no_grad():
        attention.in_proj_weight.copy_(W.flatten(0, 1))
        attention.in_proj_bias.zero_()
        attention.out_proj.weight.copy_(torch.eye(d_model))
        attention.out_proj.bias.zero_()
        network.linear1.weight.copy_(W_1)
        network.linear1.bias.copy_(b_1)
        network.linear2.weight.copy_(W_2)
        network.linear2.bias.copy_(b_2)
        return layer(x)


def pytorchs(x, W, W_1, b_1, W_2, b_2):
    d_model = x.shape[-1]
    layer = nn.TransformerEncoderLayer(
        d_model, 1, len(W_1), 0.0, batch_first=True, norm_first=True
    )
    with torch.no_grad():
        layer.self_attn.in_proj_weight.copy_(W.flatten(0, 1))
        layer.self_attn.in_proj_bias.zero_()
        layer.self_attn.out_proj.weight.copy_(torch.eye(d_model))
        layer.self_attn.out_proj.bias.zero_()
        layer.linear1.weight.copy_(W_1)
        layer.linear1.bias.copy_(b_1)
        layer.linear2.weight.copy_(W_2)
        layer.linear2.bias.copy_(b_2)
        return layer(x)


ALTERNATIVES = (wired_by_hand, the_packages, pytorchs)
