"""Other right answers to "The same as a convolution"."""

import torch
from torch import nn
from torch.nn import functional as F

from tests.exercises.ch08.cut import cut_by_slices


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


ALTERNATIVES = (
    embedded_by_cutting,
    embedded_by_a_convolution,
    embedded_in_a_module,
    embedded_one_by_one,
)
