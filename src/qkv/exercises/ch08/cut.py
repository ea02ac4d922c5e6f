"""A picture cut into patches."""

from functools import partial

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def cut(
    image: Float[Tensor, "channel height width"],
    patch: int,
    *,
    order: tuple[int, ...] = (1, 3, 0, 2, 4),
) -> Float[Tensor, "patch pixel"]:
    """Cut, with what the two split sides give in this order.

    0 is the channel, 1 the row of patches, 2 the row in a patch, 3 the column of
    patches, 4 the column in a patch.
    """
    split = image.unflatten(2, (-1, patch)).unflatten(1, (-1, patch))
    return split.permute(order).reshape(-1, len(image) * patch**2)


def _sides_exchanged(image, patch):
    channels, width, height = image.shape
    image = image.reshape(channels, height, width)
    return cut(image, patch)


def _every_nth(image, patch):
    split = image.unflatten(2, (patch, -1)).unflatten(1, (patch, -1))
    return split.permute(2, 4, 0, 1, 3).reshape(-1, len(image) * patch**2)


def _unfold_reshaped(image, patch):
    columns = F.unfold(image[None], patch, stride=patch)
    return columns.reshape(-1, len(image) * patch**2)


def _picture(channel: int, height: int, width: int, patch: int) -> tuple:
    return draw.normal(channel, height, width), patch


EXERCISE = Exercise(
    id="8.1",
    title="Cut a picture into patches",
    minutes=8,
    difficulty=2,
    reference=cut,
    cases={
        "a square picture": partial(_picture, 3, 6, 6, patch=2),
        "every size different": partial(_picture, 5, 6, 14, patch=2),
        "one channel": partial(_picture, 1, 15, 6, patch=3),
        "one patch": partial(_picture, 2, 3, 3, patch=3),
        "patches of one pixel": partial(_picture, 2, 3, 5, patch=1),
    },
    mistakes={
        "not transposed": Mistake(
            "the numbers have been taken as they stand in memory, one row of the "
            "picture after the other: these are strips, not squares. A reshape never "
            "moves a number; between two of them the axes must change places. (It "
            "has passed for a solution, and trains: duoan/TorchCode #21.)",
            lambda image, patch: image.reshape(-1, len(image) * patch**2),
        ),
        "columns first": Mistake(
            "the patches are the right ones, but go down the first column, then the "
            "second; they are to be read as a page is, row by row",
            partial(cut, order=(3, 1, 0, 2, 4)),
        ),
        "pixels: columns first": Mistake(
            "the patches are in order, but each of them has been transposed: within "
            "a patch, too, the pixels go row by row",
            partial(cut, order=(1, 3, 0, 4, 2)),
        ),
        "height and width exchanged": Mistake(
            "the picture has been cut as if it lay on its side: height and width have "
            "changed places, among the patches and within each. A model can be "
            "trained on this, which is why it stays unseen: exercise 8.7",
            partial(cut, order=(3, 1, 0, 4, 2)),
        ),
        "width before height": Mistake(
            "the axes are channel, height, width, and have been taken for channel, "
            "width, height: in a square picture nobody notices, in a wide one the "
            "pieces come from several places",
            _sides_exchanged,
        ),
        "channel last": Mistake(
            "within a patch the channel comes first, then the row, then the column; "
            "here the channels of one pixel stand together. Both are in use, and "
            "weights learned with the one are of no use with the other",
            partial(cut, order=(1, 3, 2, 4, 0)),
        ),
        "channels apart": Mistake(
            "a token is made of pieces of one channel from different places: the "
            "channel has been left in front of the patches. A patch has all channels "
            "of its place. (It does not show in grey pictures. Found in "
            "gupta-abhay/pytorch-vit #7.)",
            partial(cut, order=(0, 1, 3, 2, 4)),
        ),
        "every nth pixel": Mistake(
            "each row is a small copy of the whole picture, of every patch-th pixel, "
            "and no patch of it: a height of (rows · patch) must be split in that "
            "order, (rows, patch). (The two were taken for the same in "
            "arogozhnikov/einops #384.)",
            _every_nth,
        ),
        "F.unfold reshaped": Mistake(
            "F.unfold cuts rightly, but it has the patches in its last axis: "
            "transpose, do not reshape",
            _unfold_reshaped,
        ),
    },
    hints=(
        "a height is so many rows of patches, times so many pixels: split it into "
        "two axes, (height // patch, patch), and the width likewise. Nothing has "
        "moved yet.",
        "there are five axes now: channel, row of patches, row in the patch, column "
        "of patches, column in the patch. In which order should they stand, if the "
        "first two are to become one axis and the last three another?",
        "image.reshape(channel, height // patch, patch, width // patch, patch), then "
        "permute(1, 3, 0, 2, 4), then a last reshape.",
    ),
)
