"""A 1 × 1 convolution as the linear layer that it is."""

from functools import partial

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def everywhere(
    x: Float[Tensor, "batch channel row column"],
    weight: Float[Tensor, "out channel 1 1"],
    bias: Float[Tensor, " out"],
) -> Float[Tensor, "batch out row column"]:
    return F.linear(x.movedim(1, -1), weight.flatten(1), bias).movedim(-1, 1)


def _transposed(x, weight, bias):
    return everywhere(x, weight.transpose(0, 1), bias)


def _channels_last(x, weight, bias):
    return F.linear(x.movedim(1, -1), weight.flatten(1), bias)


def _viewed_back(x, weight, bias):
    said = F.linear(x.movedim(1, -1), weight.flatten(1), bias)
    return said.reshape(len(x), -1, *x.shape[2:])


def _viewed_in(x, weight, bias):
    rows = x.reshape(len(x), -1, x.shape[1])
    said = F.linear(rows, weight.flatten(1), bias)
    return said.mT.reshape(len(x), -1, *x.shape[2:])


def _columns_first(x, weight, bias):
    said = F.linear(x.permute(0, 3, 2, 1), weight.flatten(1), bias)
    return said.movedim(-1, 1)


def _of_the_mean(x, weight, bias):
    mean = x.mean((2, 3), keepdim=True).expand_as(x)
    return everywhere(mean, weight, bias)


def _picture(
    out: int, batch: int, channel: int, row: int, column: int
) -> tuple[Tensor, ...]:
    return draw.normals((batch, channel, row, column), (out, channel, 1, 1), (out,))


EXERCISE = Exercise(
    id="11.2",
    title="One by one",
    minutes=5,
    difficulty=2,
    reference=everywhere,
    cases={
        "as many channels, rows and columns": partial(_picture, 3, 2, 3, 3, 3),
        "every size different": partial(_picture, 11, 2, 3, 5, 7),
        "a batch of one": partial(_picture, 7, 1, 5, 3, 2),
        "one channel": partial(_picture, 5, 3, 1, 2, 7),
    },
    mistakes={
        "transposed": Mistake(
            "the matrix is transposed: nn.Conv2d keeps its weight as (out, channel, "
            "1, 1), nn.Linear as (out, channel), and F.linear takes that as it is",
            _transposed,
        ),
        "channels last": Mistake(
            "the result has its channels last: move them back to the place of the "
            "picture's channels, movedim(-1, 1)",
            _channels_last,
        ),
        "viewed back": Mistake(
            "the result has been viewed as a picture while its channels were last: "
            "that mixes channels with places. Move the axis back, movedim(-1, 1)",
            _viewed_back,
        ),
        "viewed in": Mistake(
            "the picture has been reshaped to rows of channels: in memory all places "
            "of one channel follow each other. Move the axis, movedim(1, -1)",
            _viewed_in,
        ),
        "rows and columns exchanged": Mistake(
            "rows and columns have changed places: permute(0, 3, 2, 1) turns the "
            "picture over. movedim(1, -1) leaves their order",
            _columns_first,
        ),
        "no bias": Mistake(
            "the bias is missing: each of the results has one, the same at every place",
            lambda x, weight, bias: everywhere(x, weight, 0 * bias),
        ),
        "of the mean": Mistake(
            "the layer has been given the mean of all places: each place is mapped on "
            "its own",
            _of_the_mean,
        ),
    },
    hints=(
        "at one place there is a vector of channels. What does the convolution make "
        "of it?",
        "F.linear maps the last axis: bring the channels there, x.movedim(1, -1), and "
        "bring the result back.",
        "weight.flatten(1) has the shape (out, channel), also where there is one "
        "channel; squeeze() would lose that axis.",
    ),
    instead=("conv2d",),
)
