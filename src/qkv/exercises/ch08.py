"""The exercises of chapter 8: from a picture to a sentence of patches."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.exercises import draw
from qkv.exercises.ch08_looking import DELETION_CURVE, ROLLOUT, SMALL_VIT
from qkv.exercises.machinery import Exercise, Mistake
from qkv.positions import sinusoidal

NUMBER = 8
TITLE = "An image is a sentence of patches"


# ----------------------------------------------------------------- 8.1 cut into patches


def cut(
    image: Float[Tensor, "channel height width"], patch: int
) -> Float[Tensor, "patch pixel"]:
    return _in_order(1, 3, 0, 2, 4)(image, patch)


def _in_order(*axes):
    """Cut, with what the two split sides give in this order.

    0 is the channel, 1 the row of patches, 2 the row in a patch, 3 the column of
    patches, 4 the column in a patch.
    """

    def cut_in_order(image, patch):
        split = image.unflatten(2, (-1, patch)).unflatten(1, (-1, patch))
        return split.permute(axes).reshape(-1, len(image) * patch**2)

    return cut_in_order


def _not_permuted(image, patch):
    return image.reshape(-1, len(image) * patch**2)


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


CUT = Exercise(
    id="8.1",
    title="Cut a picture into patches",
    minutes=8,
    takes={"image": "channel height width", "patch": ""},
    returns={"patches": "patch pixel"},
    reference=cut,
    cases={
        "a square picture": partial(_picture, 3, 6, 6, patch=2),
        "every size different": partial(_picture, 5, 6, 14, patch=2),
        "one channel": partial(_picture, 1, 15, 6, patch=3),
        "one patch": partial(_picture, 2, 3, 3, patch=3),
        "patches of one pixel": partial(_picture, 2, 3, 5, patch=1),
    },
    mistakes=(
        Mistake(
            "not transposed",
            "the numbers have been taken as they stand in memory, one row of the "
            "picture after the other: these are strips, not squares. A reshape never "
            "moves a number; between two of them the axes must change places. (It "
            "has passed for a solution, and trains: duoan/TorchCode #21.)",
            _not_permuted,
        ),
        Mistake(
            "columns first",
            "the patches are the right ones, but go down the first column, then the "
            "second; they are to be read as a page is, row by row",
            _in_order(3, 1, 0, 2, 4),
        ),
        Mistake(
            "pixels: columns first",
            "the patches are in order, but each of them has been transposed: within "
            "a patch, too, the pixels go row by row",
            _in_order(1, 3, 0, 4, 2),
        ),
        Mistake(
            "height and width exchanged",
            "the picture has been cut as if it lay on its side: height and width have "
            "changed places, among the patches and within each. A model can be "
            "trained on this, which is why it stays unseen: exercise 8.7",
            _in_order(3, 1, 0, 4, 2),
        ),
        Mistake(
            "width before height",
            "the axes are channel, height, width, and have been taken for channel, "
            "width, height: in a square picture nobody notices, in a wide one the "
            "pieces come from several places",
            _sides_exchanged,
        ),
        Mistake(
            "channel last",
            "within a patch the channel comes first, then the row, then the column; "
            "here the channels of one pixel stand together. Both are in use, and "
            "weights learned with the one are of no use with the other",
            _in_order(1, 3, 2, 4, 0),
        ),
        Mistake(
            "channels apart",
            "a token is made of pieces of one channel from different places: the "
            "channel has been left in front of the patches. A patch has all channels "
            "of its place. (It does not show in grey pictures. Found in "
            "gupta-abhay/pytorch-vit #7.)",
            _in_order(0, 1, 3, 2, 4),
        ),
        Mistake(
            "every nth pixel",
            "each row is a small copy of the whole picture, of every patch-th pixel, "
            "and no patch of it: a height of (rows · patch) must be split in that "
            "order, (rows, patch). (The two were taken for the same in "
            "arogozhnikov/einops #384.)",
            _every_nth,
        ),
        Mistake(
            "F.unfold reshaped",
            "F.unfold cuts rightly, but it has the patches in its last axis: "
            "transpose, do not reshape",
            _unfold_reshaped,
        ),
    ),
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


# ---------------------------------------------------- 8.2 an embedding is a convolution


def embed(
    images: Float[Tensor, "batch channel height width"],
    weight: Float[Tensor, "d_model pixel"],
    bias: Float[Tensor, " d_model"],
    patch: int,
) -> Float[Tensor, "batch patch d_model"]:
    return _embedded()(images, weight, bias, patch)


def _as_kernel(weight, channels, patch):
    return weight.reshape(-1, channels, patch, patch)


def _as_tokens(features, bias):
    return features.flatten(2).mT + bias


def _embedded(kernel=_as_kernel, tokens=_as_tokens):
    """The embedding, with another kernel, or its result otherwise put in order."""

    def embed(images, weight, bias, patch):
        convolved = F.conv2d(
            images, kernel(weight, images.shape[1], patch), stride=patch
        )
        return tokens(convolved, bias)

    return embed


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


EMBED = Exercise(
    id="8.2",
    title="The same as a convolution",
    minutes=8,
    takes={
        "images": "batch channel height width",
        "weight": "d_model pixel",
        "bias": "d_model",
        "patch": "",
    },
    returns={"embedded": "batch patch d_model"},
    reference=embed,
    cases={
        "as many patches as features": partial(_projection, 2, 3, 6, 6, 9, patch=2),
        "every size different": partial(_projection, 2, 5, 9, 21, 11, patch=3),
        "a batch of one, one channel": partial(_projection, 1, 1, 4, 6, 5, patch=2),
        "one patch": partial(_projection, 3, 2, 2, 2, 7, patch=2),
    },
    mistakes=(
        Mistake(
            "reshaped",
            "the convolution gives (batch, d_model, rows, columns), and you have "
            "reshaped it: so a token has got one feature of many patches. Flatten "
            "rows and columns, and transpose",
            _embedded(tokens=_reshaped),
        ),
        Mistake(
            "columns first",
            "each token is right, but they go down the columns of the picture; they "
            "are to go row by row",
            _embedded(tokens=lambda features, bias: _as_tokens(features.mT, bias)),
        ),
        Mistake(
            "kernel transposed",
            "rows and columns of the kernel are exchanged: weight has its pixels "
            "row by row, in the order in which reshape wants them",
            _embedded(lambda *given: _as_kernel(*given).mT),
        ),
        Mistake(
            "channel last",
            "the pixels have been read with the channels of each together; in weight "
            "the channel comes first, then the row, then the column: just the order "
            "of a convolution's weight",
            _embedded(_channel_last),
        ),
        Mistake(
            "W transposed",
            "weight has been transposed before the reshape: d_model comes first in "
            "it, and in the kernel of F.conv2d as well",
            _embedded(_pixels_first),
        ),
        Mistake(
            "flipped",
            "the kernel has been turned by half a circle, as the convolution of the "
            "mathematicians wants; PyTorch's does not turn it",
            _embedded(lambda *given: _as_kernel(*given).flip(-2, -1)),
        ),
        Mistake(
            "not transposed",
            "the features come first and the patches last, as the convolution gives "
            "them; a token is a row: exchange the two with .mT. It fails in sight only "
            "where there are not as many patches as features",
            _embedded(
                tokens=lambda features, bias: features.flatten(2) + bias[:, None]
            ),
        ),
        Mistake(
            "no bias",
            "the bias has not been added",
            _embedded(tokens=lambda features, bias: features.flatten(2).mT),
        ),
        Mistake(
            "a bias for each patch",
            "the bias has been added along the patches; it has one number for each "
            "feature. It fails in sight only where there are not as many patches as "
            "features",
            _embedded(tokens=lambda features, bias: (features.flatten(2) + bias).mT),
        ),
    ),
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


# ------------------------------------------------------------------ 8.3 the class token


def add_class_token(
    embedded: Float[Tensor, "batch patch d_model"],
    class_token: Float[Tensor, " d_model"],
    positions: Float[Tensor, "token d_model"],
) -> Float[Tensor, "batch token d_model"]:
    return _joined(_each(class_token, embedded), embedded) + positions


def _each(class_token, embedded):
    return class_token.expand(len(embedded), 1, -1)


def _joined(*parts):
    return torch.cat(parts, dim=1)


def _at_the_end(embedded, class_token, positions):
    return _joined(embedded, _each(class_token, embedded)) + positions


def _moved_to_the_end(embedded, class_token, positions):
    return add_class_token(embedded, class_token, positions).roll(-1, dims=1)


def _patches_get(rows: slice):
    """Positions for the patches alone, before the class token comes."""

    def added(embedded, class_token, positions):
        return _joined(_each(class_token, embedded), embedded + positions[rows])

    return added


def _with_positions(change):
    def added(embedded, class_token, positions):
        tokens = _joined(_each(class_token, embedded), embedded)
        return tokens + change(positions)

    return added


def _with_the_mean(embedded, class_token, positions):
    return _joined(embedded.mean(1, keepdim=True), embedded) + positions


def _scaled(embedded, class_token, positions):
    return add_class_token(embedded * embedded.shape[-1] ** 0.5, class_token, positions)


def _rows(batch: int, patch: int, d_model: int) -> tuple:
    return draw.normals((batch, patch, d_model), (d_model,), (patch + 1, d_model))


ADD_CLASS_TOKEN = Exercise(
    id="8.3",
    title="A token that stands for the whole",
    minutes=6,
    takes={
        "embedded": "batch patch d_model",
        "class_token": "d_model",
        "positions": "token d_model",
    },
    returns={"tokens": "batch token d_model"},
    reference=add_class_token,
    cases={
        "as many pictures as tokens": partial(_rows, 5, patch=4, d_model=3),
        "every size different": partial(_rows, 2, patch=6, d_model=5),
        "a batch of one": partial(_rows, 1, patch=4, d_model=2),
        "one patch": partial(_rows, 3, patch=1, d_model=5),
    },
    mistakes=(
        Mistake(
            "at the end",
            "the class token stands behind the patches, and every patch has got the "
            "position of the one before it. It comes first: tokens[:, 0] is what the "
            "classifier reads",
            _at_the_end,
        ),
        Mistake(
            "moved to the end",
            "each vector is right, but the class token stands behind the patches; "
            "it comes first: tokens[:, 0] is what the classifier reads",
            _moved_to_the_end,
        ),
        Mistake(
            "positions first",
            "the positions have been added before the class token was there: each "
            "patch has got the position of the one before it, the class token none, "
            "and the last position is not used",
            _patches_get(slice(None, -1)),
        ),
        Mistake(
            "class token without a position",
            "the patches are right, but the class token has not got positions[0]; in "
            "the paper it has one like all the others. (Mended in labml.ai's "
            "annotated papers, pull request 221.)",
            _patches_get(slice(1, None)),
        ),
        Mistake(
            "no positions",
            "the positions have not been added: so the patches could stand anywhere",
            _with_positions(torch.zeros_like),
        ),
        Mistake(
            "one position for all",
            "all tokens have got the same position, the last: positions[n] is one "
            "row, positions[:n] are n of them. (labml.ai's annotated papers, issue "
            "133. It trained.)",
            _with_positions(lambda positions: positions[-1]),
        ),
        Mistake(
            "a position for each picture",
            "the positions run along the batch: all tokens of one picture have got "
            "the same one. It fails in sight only where there are not as many "
            "pictures as tokens",
            _with_positions(lambda positions: positions[:, None]),
        ),
        Mistake(
            "the mean in front",
            "what stands in front is the mean of the patches; class_token is a "
            "learned vector, the same for every picture",
            _with_the_mean,
        ),
        Mistake(
            "scaled",
            "the patches have been multiplied by √d_model, as chapter 7 did with its "
            "embeddings; the Vision Transformer does not",
            _scaled,
        ),
    ),
    hints=(
        "torch.cat wants both parts with the same axes: one vector must become "
        "(batch, 1, d_model). expand makes it so without a copy.",
        "cat along the axis of the tokens, dim=1, the class token first; and only "
        "then add the positions, of which there is one more than patches.",
    ),
)


# ------------------------------------------------------ 8.4 positions in two dimensions


def sinusoidal_2d(
    rows: int, columns: int, d_model: int
) -> Float[Tensor, "patch d_model"]:
    return _beside(*_of_the_grid(rows, columns, d_model // 2))


def _of_the_grid(rows, columns, width, *, start=0):
    """The vectors of each patch's row and of its column, row by row."""
    of_rows = sinusoidal(rows, width, start=start).repeat_interleave(columns, 0)
    of_columns = sinusoidal(columns, width, start=start).repeat(rows, 1)
    return of_rows, of_columns


def _beside(one, other):
    return torch.cat([one, other], dim=-1)


def _exchanged(rows, columns, d_model):
    of_rows, of_columns = _of_the_grid(rows, columns, d_model // 2)
    return _beside(of_columns, of_rows)


def _columns_first(rows, columns, d_model):
    of_columns, of_rows = _of_the_grid(columns, rows, d_model // 2)
    return _beside(of_rows, of_columns)


def _both_turned(rows, columns, d_model):
    return _beside(*_of_the_grid(columns, rows, d_model // 2))


def _added(rows, columns, d_model):
    of_rows, of_columns = _of_the_grid(rows, columns, d_model)
    return of_rows + of_columns


def _cut_short(rows, columns, d_model):
    of_rows, of_columns = _of_the_grid(rows, columns, d_model)
    return _beside(of_rows[:, : d_model // 2], of_columns[:, : d_model // 2])


def _continued(rows, columns, d_model):
    of_rows, of_columns = _of_the_grid(rows, columns, d_model)
    return _beside(of_rows[:, : d_model // 2], of_columns[:, d_model // 2 :])


def _alternating(rows, columns, d_model):
    return torch.stack(_of_the_grid(rows, columns, d_model // 2), -1).flatten(1)


def _repeated(rows, columns, d_model):
    _, of_columns = _of_the_grid(rows, columns, d_model // 2)
    return _beside(sinusoidal(rows, d_model // 2).repeat(columns, 1), of_columns)


def _interleaved(rows, columns, d_model):
    of_rows, _ = _of_the_grid(rows, columns, d_model // 2)
    return _beside(
        of_rows, sinusoidal(columns, d_model // 2).repeat_interleave(rows, 0)
    )


def _of_columns_twice(rows, columns, d_model):
    _, of_columns = _of_the_grid(rows, columns, d_model // 2)
    return _beside(of_columns, of_columns)


def _of_rows_twice(rows, columns, d_model):
    of_rows, _ = _of_the_grid(rows, columns, d_model // 2)
    return _beside(of_rows, of_rows)


SINUSOIDAL_2D = Exercise(
    id="8.4",
    title="Positions of a picture",
    minutes=7,
    takes={"rows": "", "columns": "", "d_model": ""},
    returns={"positions": "patch d_model"},
    reference=sinusoidal_2d,
    cases={
        "a square picture": lambda: (5, 5, 8),
        "every size different": lambda: (3, 7, 12),
        "one row": lambda: (1, 5, 8),
        "one column": lambda: (3, 1, 4),
    },
    mistakes=(
        Mistake(
            "halves exchanged",
            "the first half tells the column and the second the row: the other way "
            "round. Any order will do, as long as it is kept; but one who loads your "
            "weights must know it (facebookresearch/mae #18, where the names and the "
            "numbers differ)",
            _exchanged,
        ),
        Mistake(
            "columns first",
            "the vectors belong to patches that go down the columns; the patches go "
            "row by row. In a square picture this is the same as exchanging the "
            "halves, and so it stays unseen until someone has a wide one "
            "(huggingface/transformers, pull request 41380)",
            _columns_first,
        ),
        Mistake(
            "rows and columns exchanged",
            "rows and columns have changed places: in a square picture all is right, "
            "in a wide one the patches get the positions of a tall one",
            _both_turned,
        ),
        Mistake(
            "one dimension",
            "the patches are numbered one after the other, as words are: so the patch "
            "below is as far away as a whole row is long, and the last of a row is "
            "next to the first of the row below",
            lambda rows, columns, d_model: sinusoidal(rows * columns, d_model),
        ),
        Mistake(
            "added",
            "the two have been added, each of the full width: so row 1, column 2 and "
            "row 2, column 1 get the same vector. They stand side by side",
            _added,
        ),
        Mistake(
            "frequencies of the full width",
            "each half is the beginning of a vector of the full width: so the slow "
            "hands are missing. Each half is complete in itself, with d_model / 2 in "
            "the place of d_model",
            _cut_short,
        ),
        Mistake(
            "fast rows, slow columns",
            "the row has got the fast hands and the column the slow ones of one and "
            "the same vector: so neighbouring columns are hardly told apart. Each "
            "half is complete in itself, with d_model / 2 in the place of d_model",
            _continued,
        ),
        Mistake(
            "alternating",
            "features of the row and of the column alternate; the first half of the "
            "vector is for the row, the second for the column",
            _alternating,
        ),
        Mistake(
            "rows twice",
            "both halves tell the row: all patches of a row get the same vector",
            _of_rows_twice,
        ),
        Mistake(
            "columns twice",
            "both halves tell the column: all patches of a column get the same vector",
            _of_columns_twice,
        ),
        Mistake(
            "never repeated one by one",
            "the second half is right. In the first the list of all rows comes again "
            "and again, a b a b; but the patches of a row stand together, so each "
            "row's vector comes as often as there are columns, a a b b: "
            "repeat_interleave",
            _repeated,
        ),
        Mistake(
            "never repeated as a whole",
            "the first half is right. In the second each column's vector comes several "
            "times in a row, a a b b; but in each row of patches all columns follow "
            "each other, a b a b: repeat",
            _interleaved,
        ),
        Mistake(
            "counted from 1",
            "rows and columns count from 0 here, as everywhere in this book",
            lambda rows, columns, d_model: _beside(
                *_of_the_grid(rows, columns, d_model // 2, start=1)
            ),
        ),
    ),
    hints=(
        "sinusoidal(rows, d_model // 2) has one vector for each row. Every patch of "
        "a row needs it, so each must be repeated, one after the other, as often as "
        "there are columns.",
        "repeat_interleave(n, dim=0) gives a a b b, and repeat(n, 1) gives a b a b. "
        "One is for the rows, the other for the columns; then torch.cat(..., "
        "dim=-1).",
    ),
)


EXERCISES = (
    CUT,
    EMBED,
    ADD_CLASS_TOKEN,
    SINUSOIDAL_2D,
    ROLLOUT,
    DELETION_CURVE,
    SMALL_VIT,
)
