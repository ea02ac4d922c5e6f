"""How many pixels a place of the last layer sees."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake


def receptive_field(layers: Int[Tensor, "layer 3"]) -> int:
    return _grown(layers, _wide)


def _wide(kernel, dilation):
    return dilation * (kernel - 1)


def _as_it_was(sees, apart, stride):
    return sees, apart * stride


def _grown(layers: Tensor, wide: Callable, then: Callable = _as_it_was) -> int:
    """How much each layer adds, and how far apart its places are."""
    sees, apart = 1, 1
    for kernel, stride, dilation in layers.tolist():
        sees += wide(kernel, dilation) * apart
        sees, apart = then(sees, apart, stride)
    return sees


def _from_zero(layers):
    return receptive_field(layers) - 1


def _own_stride_first(layers):
    sees, apart = 1, 1
    for kernel, stride, dilation in layers.tolist():
        apart *= stride
        sees += dilation * (kernel - 1) * apart
    return sees


def _without_pools(layers):
    is_pool = (layers[:, 0] == layers[:, 1]) & (layers[:, 1] > 1)
    return receptive_field(layers[~is_pool])


def _pools_only_halve(layers):
    sees, apart = 1, 1
    for kernel, stride, dilation in layers.tolist():
        if stride == 1:
            sees += dilation * (kernel - 1) * apart
        apart *= stride
    return sees


def _backwards(layers):
    return receptive_field(layers.flip(0))


def _padding(layers):
    return _grown(layers, lambda kernel, dilation: 2 * dilation * (kernel - 1))


def _layers(*rows: tuple[int, int, int]) -> tuple[Tensor]:
    return (torch.tensor(rows),)


EXERCISE = Exercise(
    id="11.1",
    title="How far does it see?",
    minutes=8,
    difficulty=2,
    reference=receptive_field,
    cases={
        "one convolution of 5": partial(_layers, (5, 1, 1)),
        "two convolutions": partial(_layers, (3, 1, 1), (5, 1, 1)),
        "the trunk of this chapter": partial(
            _layers, (3, 1, 1), (2, 2, 1), (3, 1, 1), (2, 2, 1), (3, 1, 1)
        ),
        "dilations of 1, 2 and 3": partial(_layers, (3, 1, 1), (3, 1, 2), (3, 1, 3)),
        "strides of 3 and 2": partial(_layers, (7, 3, 1), (5, 2, 3), (3, 1, 2)),
    },
    mistakes={
        "strides forgotten": Mistake(
            "each layer adds its own kernel − 1, however far apart its places are: "
            "after a stride of 2 they are 2 pixels apart, after two of them 4. "
            "Multiply by all strides before this layer",
            partial(_grown, wide=_wide, then=lambda sees, apart, stride: (sees, 1)),
        ),
        "strides not multiplied up": Mistake(
            "only the stride of the layer just before has been used: after two pools "
            "of 2 the places are 4 pixels apart, not 2. Strides multiply up",
            partial(
                _grown, wide=_wide, then=lambda sees, apart, stride: (sees, stride)
            ),
        ),
        "strides added up": Mistake(
            "the strides have been added up: they multiply, 2 after 2 makes 4, and 1 "
            "changes nothing",
            partial(
                _grown,
                wide=_wide,
                then=lambda sees, apart, stride: (sees, apart + stride),
            ),
        ),
        "own stride first": Mistake(
            "a layer's own stride has been used for its own kernel: it moves the "
            "kernel, and does not spread it. It counts from the next layer on",
            _own_stride_first,
        ),
        "kernel for kernel − 1": Mistake(
            "each layer adds its whole kernel: of 3 places one was there already, so "
            "that it adds 2",
            partial(_grown, wide=lambda kernel, dilation: dilation * kernel),
        ),
        "from 0": Mistake(
            "one pixel is missing: without any layer a place sees itself, so begin "
            "with 1",
            _from_zero,
        ),
        "dilation forgotten": Mistake(
            "the dilation has not been used: with 2 there is a gap of one place "
            "between two of the kernel, and it reaches twice as far",
            partial(_grown, wide=lambda kernel, dilation: kernel - 1),
        ),
        "dilation · kernel − 1": Mistake(
            "the kernel has been taken for dilation · kernel wide; its places are "
            "dilation apart, so that from first to last it is dilation · (kernel − 1)",
            partial(_grown, wide=lambda kernel, dilation: dilation * kernel - 1),
        ),
        "pools left out": Mistake(
            "the pools have been left out: a pool sees a square of pixels, as a "
            "convolution does, and it takes steps",
            _without_pools,
        ),
        "pools only halve": Mistake(
            "layers with a stride only change the distance here: they also see a "
            "kernel of their own",
            _pools_only_halve,
        ),
        "from the other end": Mistake(
            "the layers have been read from the last one to the first, with the "
            "strides of those behind. What spreads a layer's places is the strides of "
            "those *before* it",
            _backwards,
        ),
        "counted on both sides": Mistake(
            "each layer has been counted twice: kernel − 1 is what it adds on both "
            "sides together",
            _padding,
        ),
    },
    hints=(
        "without a layer a place sees 1 pixel. How many more does it see with one 3 × "
        "3 convolution, and with a second one?",
        "keep two numbers while you go through the layers: how many pixels are seen, "
        "and how far apart in pixels two neighbouring places are.",
        "a layer adds dilation · (kernel − 1) times that distance; then its stride "
        "multiplies the distance.",
    ),
    trained=False,
)
