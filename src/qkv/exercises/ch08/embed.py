"""The embedding of patches as a convolution."""

from collections.abc import Callable
from functools import partial

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def _as_kernel(weight, channels, patch):
    return weight.reshape(-1, channels, patch, patch)


def _as_tokens(features, bias):
    return features.flatten(2).mT + bias


def embed(
    images: Float[Tensor, "batch channel height width"],
    weight: Float[Tensor, "d_model pixel"],
    bias: Float[Tensor, " d_model"],
    patch: int,
    *,
    kernel: Callable = _as_kernel,
    tokens: Callable = _as_tokens,
) -> Float[Tensor, "batch patch d_model"]:
    """The embedding, with another kernel, or its result otherwise put in order."""
    convolved = F.conv2d(images, kernel(weight, images.shape[1], patch), stride=patch)
    return tokens(convolved, bias)


def _pixels_first(weight, channels, patch):
    return weight.T.reshape(len(weight), channels, patch, patch)


def _channel_last(weight, channels, patch):
    return weight.reshape(-1, patch, patch, channels).permute(0, 3, 1, 2)


def _reshaped(features, bias):
    batch, d_model = features.shape[:2]
    return (features + bias[:, None, None]).reshape(batch, -1, d_model)


def _projection(
    batch: int, channel: int, height: int, width: int, d_model: int, patch: int
) -> tuple:
    pixel = channel * patch**2
    shapes = (batch, channel, height, width), (d_model, pixel), (d_model,)
    images, weight, bias = draw.normals(*shapes)
    return images, weight * pixel**-0.5, bias, patch


EXERCISE = Exercise(
    id="8.2",
    title="The same as a convolution",
    minutes=8,
    difficulty=2,
    reference=embed,
    cases={
        "as many patches as features": partial(_projection, 2, 3, 6, 6, 9, patch=2),
        "every size different": partial(_projection, 2, 5, 9, 21, 11, patch=3),
        "a batch of one, one channel": partial(_projection, 1, 1, 4, 6, 5, patch=2),
        "one patch": partial(_projection, 3, 2, 2, 2, 7, patch=2),
    },
    mistakes={
        "reshaped": Mistake(
            "the convolution gives (batch, d_model, rows, columns), and you have "
            "reshaped it: so a token has got one feature of many patches. Flatten "
            "rows and columns, and transpose",
            partial(embed, tokens=_reshaped),
        ),
        "columns first": Mistake(
            "each token is right, but they go down the columns of the picture; they "
            "are to go row by row",
            partial(embed, tokens=lambda features, bias: _as_tokens(features.mT, bias)),
        ),
        "kernel transposed": Mistake(
            "rows and columns of the kernel are exchanged: weight has its pixels "
            "row by row, in the order in which reshape wants them",
            partial(embed, kernel=lambda *given: _as_kernel(*given).mT),
        ),
        "channel last": Mistake(
            "the pixels have been read with the channels of each together; in weight "
            "the channel comes first, then the row, then the column: just the order "
            "of a convolution's weight",
            partial(embed, kernel=_channel_last),
        ),
        "W transposed": Mistake(
            "weight has been transposed before the reshape: d_model comes first in "
            "it, and in the kernel of F.conv2d as well",
            partial(embed, kernel=_pixels_first),
        ),
        "flipped": Mistake(
            "the kernel has been turned by half a circle, as the convolution of the "
            "mathematicians wants; PyTorch's does not turn it",
            partial(embed, kernel=lambda *given: _as_kernel(*given).flip(-2, -1)),
        ),
        "not transposed": Mistake(
            "the features come first and the patches last, as the convolution gives "
            "them; a token is a row: exchange the two with .mT. It fails in sight only "
            "where there are not as many patches as features",
            partial(
                embed, tokens=lambda features, bias: features.flatten(2) + bias[:, None]
            ),
        ),
        "no bias": Mistake(
            "the bias has not been added",
            partial(embed, tokens=lambda features, bias: features.flatten(2).mT),
        ),
        "a bias for each patch": Mistake(
            "the bias has been added along the patches; it has one number for each "
            "feature. It fails in sight only where there are not as many patches as "
            "features",
            partial(
                embed, tokens=lambda features, bias: (features.flatten(2) + bias).mT
            ),
        ),
    },
    hints=(
        "a convolution multiplies a small window with a weight and moves on. The "
        "windows are the patches if it moves by a whole patch each time: stride.",
        "F.conv2d wants its weight as (d_model, channel, patch, patch). weight has "
        "the same numbers, in the same order.",
        "F.conv2d(images, kernel, bias, stride=patch) has the axes (batch, d_model, "
        "rows, columns): flatten(2) makes one axis of the last two, and .mT "
        "exchanges it with d_model.",
    ),
)
