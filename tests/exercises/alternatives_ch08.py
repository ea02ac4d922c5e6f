"""Right answers to chapter 8's exercises, written in other ways than the reference."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from qkv.positions import sinusoidal


def cut_reshaped(image, patch):
    channel, height, width = image.shape
    rows, columns = height // patch, width // patch
    split = image.reshape(channel, rows, patch, columns, patch)
    return split.permute(1, 3, 0, 2, 4).reshape(rows * columns, -1)


def cut_by_slices(image, patch):
    _, height, width = image.shape
    return torch.stack(
        [
            image[:, top : top + patch, left : left + patch].flatten()
            for top in range(0, height, patch)
            for left in range(0, width, patch)
        ]
    )


def cut_unfolded(image, patch):
    windows = image.unfold(1, patch, patch).unfold(2, patch, patch)
    return windows.permute(1, 2, 0, 3, 4).flatten(2).flatten(0, 1)


def cut_f_unfold(image, patch):
    return F.unfold(image[None], patch, stride=patch)[0].T


def joined_in_place(embedded, class_token, positions):
    batch, patch, d_model = embedded.shape
    tokens = torch.empty(batch, patch + 1, d_model)
    tokens[:, 0], tokens[:, 1:] = class_token, embedded
    tokens += positions
    return tokens


def joined_in_two_parts(embedded, class_token, positions):
    first = (class_token + positions[0]).repeat(len(embedded), 1, 1)
    return torch.cat([first, embedded + positions[1:]], dim=1)


def joined_by_padding(embedded, class_token, positions):
    rest = F.pad(positions[1:], (0, 0, 1, 0))
    rest[0] = class_token + positions[0]
    return F.pad(embedded, (0, 0, 1, 0)) + rest


def embedded_by_cutting(images, weight, bias, patch):
    cut = F.unfold(images, patch, stride=patch).transpose(1, 2)
    return F.linear(cut, weight, bias)


def embedded_by_a_convolution(images, weight, bias, patch):
    kernel = weight.unflatten(1, (-1, patch, patch))
    return F.conv2d(images, kernel, bias, patch).flatten(2).transpose(1, 2)


def embedded_in_a_module(images, weight, bias, patch):
    channels = images.shape[1]
    layer = nn.Conv2d(channels, len(weight), patch, stride=patch)
    layer.weight.data = weight.view(-1, channels, patch, patch)
    layer.bias.data = bias
    return layer(images).permute(0, 2, 3, 1).flatten(1, 2)


def embedded_one_by_one(images, weight, bias, patch):
    return torch.stack([cut_by_slices(i, patch) @ weight.T + bias for i in images])


def grid_by_hand(rows, columns, d_model):
    out = torch.zeros(rows, columns, d_model)
    half = d_model // 2
    for row in range(rows):
        for column in range(columns):
            for i in range(half // 2):
                theta = 10000 ** (-2 * i / half)
                for place, start in ((row, 0), (column, half)):
                    out[row, column, start + 2 * i] = math.sin(place * theta)
                    out[row, column, start + 2 * i + 1] = math.cos(place * theta)
    return out.reshape(-1, d_model)


def grid_indexed(rows, columns, d_model):
    places = torch.cartesian_prod(torch.arange(rows), torch.arange(columns))
    table = sinusoidal(max(rows, columns), d_model // 2)
    return table[places].flatten(1)


def grid_expanded(rows, columns, d_model):
    of_rows = sinusoidal(rows, d_model // 2)[:, None].expand(-1, columns, -1)
    of_columns = sinusoidal(columns, d_model // 2)[None].expand(rows, -1, -1)
    return torch.cat([of_rows, of_columns], dim=-1).reshape(-1, d_model)


def grid_in_blocks(rows, columns, d_model):
    angles = torch.arange(0, d_model // 2, 2) * (-2 * math.log(10000) / d_model)
    row, column = torch.meshgrid(
        torch.arange(rows), torch.arange(columns), indexing="ij"
    )
    turned = torch.stack([row, column], -1).flatten(0, 1)[..., None] * angles.exp()
    return torch.stack([turned.sin(), turned.cos()], -1).flatten(1)


def rolled_by_a_loop(weights):
    token = weights.shape[-1]
    result = torch.eye(token)
    for layer in weights:
        result = (layer.mean(0) + torch.eye(token)) / 2 @ result
    return result


def rolled_renormalised(weights):
    mixing = weights.mean(1)
    mixing = mixing + torch.eye(mixing.shape[-1])
    mixing = mixing / mixing.sum(-1, keepdim=True)
    return torch.linalg.multi_dot([*mixing.flip(0), torch.eye(mixing.shape[-1])])


def rolled_down(weights):
    """From the top to the bottom, with the product on the other side."""
    result = torch.eye(weights.shape[-1])
    for layer in weights.flip(0):
        result = 0.5 * result + 0.5 * result @ layer.mean(0)
    return result


def rolled_transposed(weights):
    result = torch.eye(weights.shape[-1])
    for layer in weights.mean(1).mT:
        result = result @ (layer + torch.eye(len(layer))) / 2
    return result.T


def _probabilities(visible, embedded, W):
    shown = visible.float()
    pooled = shown @ embedded / shown.sum(-1, keepdim=True).clamp(min=1)
    return (pooled @ W.T).softmax(-1)


def deleted_one_by_one(embedded, attention, W, label):
    visible = torch.ones(len(attention), dtype=torch.bool)
    curve = [_probabilities(visible, embedded, W)[label]]
    for patch in attention.argsort(descending=True):
        visible[patch] = False
        curve.append(_probabilities(visible, embedded, W)[label])
    return torch.stack(curve)


def deleted_at_once(embedded, attention, W, label):
    order = attention.argsort(descending=True)
    shown = torch.ones(len(order), len(order), dtype=torch.bool).triu()
    visible = torch.zeros(len(order) + 1, len(order), dtype=torch.bool)
    visible[:-1, order] = shown
    return _probabilities(visible, embedded, W)[:, label]


def deleted_by_thresholds(embedded, attention, W, label):
    limits = [math.inf, *attention.sort(descending=True).values]
    masks = torch.stack([attention < limit for limit in limits])
    return _probabilities(masks, embedded, W)[:, label]


def deleted_by_topk(embedded, attention, W, label):
    curve = []
    for n in range(len(attention) + 1):
        visible = torch.ones_like(attention, dtype=torch.bool)
        visible[attention.topk(n).indices] = False
        curve.append(_probabilities(visible, embedded, W)[label].item())
    return torch.tensor(curve)


def _seeing(x, class_token, positions, W, W_out, sides):
    """What is behind the cut, by PyTorch's own attention."""
    tokens = torch.cat([class_token.expand(len(x), 1, -1), x], 1) + positions
    layer = nn.MultiheadAttention(x.shape[-1], 1, bias=False, batch_first=True)
    layer.in_proj_weight.data = W[:3].flatten(0, 1)
    layer.out_proj.weight.data = W[3]
    norm = nn.LayerNorm(x.shape[-1])
    z = norm(tokens)
    heard, weights = layer(z, z, z)
    logits = norm((tokens + heard)[:, 0]) @ W_out.T
    return logits, weights[:, 0, 1:].unflatten(1, sides)


def vit_mended(images, patch, W_e, class_token, positions, W, W_out):
    batch, channels, height, width = images.shape
    rows, columns = height // patch, width // patch
    x = images.reshape(batch, channels, rows, patch, columns, patch)
    x = x.permute(0, 2, 4, 1, 3, 5)
    x = x.reshape(batch, rows * columns, channels * patch * patch)
    return _seeing(x @ W_e.T, class_token, positions, W, W_out, (rows, columns))


def vit_convolved(images, patch, W_e, class_token, positions, W, W_out):
    kernel = W_e.reshape(len(W_e), images.shape[1], patch, patch)
    x = F.conv2d(images, kernel, stride=patch)
    sides = x.shape[2:]
    return _seeing(x.flatten(2).mT, class_token, positions, W, W_out, sides)


def vit_turned_first(images, patch, W_e, class_token, positions, W, W_out):
    """The wrong permutation of a picture that lies on its side is right."""
    batch, channels, width, height = images.mT.shape
    rows, columns = height // patch, width // patch
    x = images.mT.reshape(batch, channels, columns, patch, rows, patch)
    x = x.permute(0, 4, 2, 1, 5, 3).reshape(batch, rows * columns, -1)
    return _seeing(x @ W_e.T, class_token, positions, W, W_out, (rows, columns))


ALTERNATIVES = {
    "8.1": (cut_reshaped, cut_by_slices, cut_unfolded, cut_f_unfold),
    "8.2": (
        embedded_by_cutting,
        embedded_by_a_convolution,
        embedded_in_a_module,
        embedded_one_by_one,
    ),
    "8.3": (joined_in_place, joined_in_two_parts, joined_by_padding),
    "8.4": (grid_by_hand, grid_indexed, grid_expanded, grid_in_blocks),
    "8.5": (rolled_by_a_loop, rolled_renormalised, rolled_down, rolled_transposed),
    "8.6": (
        deleted_one_by_one,
        deleted_at_once,
        deleted_by_thresholds,
        deleted_by_topk,
    ),
    "8.7": (vit_mended, vit_convolved, vit_turned_first),
}
