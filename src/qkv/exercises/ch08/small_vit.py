"""Bug hunt: a picture on its side."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.sentences import OVER_QUERIES


def _permuted(*axes):
    """Cut, with the axes of the split picture in this order.

    0 is the batch, 1 the channel, 2 the row of patches, 3 the row in a patch, 4 the
    column of patches, 5 the column in a patch.
    """

    def cut(images, patch):
        split = images.unflatten(3, (-1, patch)).unflatten(2, (-1, patch))
        pixel = images.shape[1] * patch**2
        return split.permute(axes).reshape(len(images), -1, pixel)

    return cut


def _strips(images, patch):
    return images.reshape(len(images), -1, images.shape[1] * patch**2)


def _every_nth(images, patch):
    split = images.unflatten(3, (patch, -1)).unflatten(2, (patch, -1))
    pixel = images.shape[1] * patch**2
    return split.permute(0, 3, 5, 1, 2, 4).reshape(len(images), -1, pixel)


def _row_by_row(seen, rows, columns):
    return seen.unflatten(1, (rows, columns))


def _column_by_column(seen, rows, columns):
    return seen.unflatten(1, (columns, rows)).mT


_CUT = _permuted(0, 2, 4, 1, 3, 5)


_AS_GIVEN = _permuted(0, 4, 2, 1, 5, 3)


def _turned_over(seen, rows, columns):
    return _row_by_row(seen, rows, columns).mT


def _scores(q, k):
    return q @ k.mT / q.shape[-1] ** 0.5


def _weigh(q, k):
    return _scores(q, k).softmax(-1)


def _from_the_class_token(weights):
    return weights[:, 0, 1:]


def _to_the_class_token(weights):
    return weights[:, 1:, 0]


def small_vit(
    images: Float[Tensor, "batch channel height width"],
    patch: int,
    W_e: Float[Tensor, "d_model pixel"],
    class_token: Float[Tensor, " d_model"],
    positions: Float[Tensor, "token d_model"],
    W: Float[Tensor, "four d_model d_model"],
    W_out: Float[Tensor, "classes d_model"],
    *,
    cut: Callable = _CUT,
    lay_out: Callable = _row_by_row,
    weigh: Callable = _weigh,
    look: Callable = _from_the_class_token,
) -> tuple[Float[Tensor, "batch classes"], Float[Tensor, "batch row column"]]:
    """The model, with the picture cut otherwise, or another attention.

    ``weigh`` makes the weights of queries and keys, ``look`` takes from them what is
    to be seen, and ``lay_out`` gives that its rows and columns.
    """
    x = cut(images, patch) @ W_e.mT
    x = torch.cat([class_token.expand(len(x), 1, -1), x], 1) + positions
    q, k, v = (_norm(x) @ m.mT for m in W[:3])
    weights = weigh(q, k)
    x = x + weights @ v @ W[3].mT
    rows, columns = (side // patch for side in images.shape[2:])
    return _norm(x[:, 0]) @ W_out.mT, lay_out(look(weights), rows, columns)


def _norm(x):
    return F.layer_norm(x, x.shape[-1:])


def _of_the_attention(name, says, **change):
    """One wrong change of the attention, with the cut mended and as it was given."""
    return {
        name: Mistake(
            f"the cut is right now; but {says}. It was right",
            partial(small_vit, **change),
        ),
        f"{name}, cut as given": Mistake(
            f"{says}. It was right: what is wrong is how the picture is cut",
            partial(small_vit, cut=_AS_GIVEN, **change),
        ),
    }


def _on_its_side(images, patch, W_e, class_token, positions, W, W_out):
    batch, channels, height, width = images.shape
    rows, columns = height // patch, width // patch
    x = images.reshape(batch, channels, rows, patch, columns, patch)
    x = x.permute(0, 4, 2, 1, 5, 3)
    x = x.reshape(batch, rows * columns, channels * patch * patch)

    first = class_token.expand(batch, 1, -1)
    tokens = torch.cat([first, x @ W_e.T], dim=1) + positions

    z = F.layer_norm(tokens, tokens.shape[-1:])
    W_q, W_k, W_v, W_o = W
    scores = (z @ W_q.T) @ (z @ W_k.T).mT / z.shape[-1] ** 0.5
    weights = scores.softmax(dim=-1)
    tokens = tokens + weights @ (z @ W_v.T) @ W_o.T

    logits = F.layer_norm(tokens[:, 0], tokens.shape[-1:]) @ W_out.T
    seen = weights[:, 0, 1:].reshape(batch, rows, columns)
    return logits, seen


def _looking(
    batch: int, channel: int, height: int, width: int, patch: int, d_model: int
) -> tuple:
    pixel, token = channel * patch**2, height * width // patch**2 + 1
    shapes = (batch, channel, height, width), (d_model, pixel), (d_model,)
    more = (token, d_model), (4, d_model, d_model), (3, d_model)
    images, W_e, class_token, positions, W, W_out = draw.normals(*shapes, *more)
    W_e, W, W_out = W_e * pixel**-0.5, W * d_model**-0.5, W_out * d_model**-0.5
    return images, patch, W_e, class_token, positions, W, W_out


EXERCISE = Exercise(
    id="8.7",
    title="Bug hunt: it looks the wrong way",
    minutes=12,
    difficulty=3,
    reference=small_vit,
    results=("logits", "seen"),
    cases={
        "a square picture": partial(_looking, 2, 1, 6, 6, patch=2, d_model=5),
        "every size different": partial(_looking, 5, 3, 6, 14, patch=2, d_model=11),
        "a batch of one": partial(_looking, 1, 2, 9, 6, patch=3, d_model=7),
        "one patch": partial(_looking, 2, 3, 2, 2, patch=2, d_model=5),
    },
    mistakes={
        "half left: the pixels": Mistake(
            "half of it is mended, the patches go row by row. But within each patch "
            "the pixels still go column by column: each is transposed",
            partial(small_vit, cut=_permuted(0, 2, 4, 1, 5, 3)),
        ),
        "half left: the patches": Mistake(
            "half of it is mended, the pixels of a patch go row by row. But the "
            "patches themselves still go down the columns: so each gets the position "
            "of another, and seen is transposed",
            partial(small_vit, cut=_permuted(0, 4, 2, 1, 3, 5)),
        ),
        "only the map": Mistake(
            "you have turned the map of what is seen, and it fits the picture now; "
            "but the patches are cut as before, so that pixels and positions still "
            "meet other weights than those that were meant for them",
            partial(small_vit, cut=_AS_GIVEN, lay_out=_column_by_column),
        ),
        "map turned, patches not": Mistake(
            "the pixels are mended and the map has been turned; but the patches "
            "still go down the columns and get the positions of others. Mend the "
            "cut, and the map is right as it was",
            partial(
                small_vit, cut=_permuted(0, 4, 2, 1, 3, 5), lay_out=_column_by_column
            ),
        ),
        "map turned as well": Mistake(
            "the cut is right now; but then the map was right, too, as it was: "
            "do not turn it",
            partial(small_vit, lay_out=_column_by_column),
        ),
        **_of_the_attention(
            "map turned over",
            "seen has been transposed, so that a wide picture has a tall map",
            lay_out=_turned_over,
        ),
        **_of_the_attention(
            "queries and keys swapped",
            "queries and keys have changed places, so that the scores are transposed: "
            "each token is given what others ask of it, not what it asks",
            weigh=lambda q, k: _weigh(k, q),
        ),
        **_of_the_attention(
            "weights transposed",
            "the weights have been transposed: rows belong to the queries and sum to "
            "one, and the class token's row says what it looks at",
            weigh=lambda q, k: _weigh(q, k).mT,
        ),
        **_of_the_attention(
            "over the queries",
            OVER_QUERIES,
            weigh=lambda q, k: _scores(q, k).softmax(-2),
        ),
        **_of_the_attention(
            "column for row",
            "seen is a column of the weights, [:, 1:, 0]: how much each patch looks "
            "at the class token. What the class token looks at is its row",
            look=_to_the_class_token,
        ),
        "channel last": Mistake(
            "rows and columns are right now, but the channel has gone to the end; "
            "within a patch it comes first, as in 8.1",
            partial(small_vit, cut=_permuted(0, 2, 4, 3, 5, 1)),
        ),
        "channels apart": Mistake(
            "rows and columns are right now, but the channel stands before the "
            "patches: so a token has pieces of one channel from several places",
            partial(small_vit, cut=_permuted(0, 1, 2, 4, 3, 5)),
        ),
        "not permuted": Mistake(
            "without permute the tokens are strips, and no patches: the axes of the "
            "split picture must change places, only otherwise",
            partial(small_vit, cut=_strips),
        ),
        "every nth pixel": Mistake(
            "the sides are split as (patch, rows) now, and that gives every patch-th "
            "pixel of the whole picture; (rows, patch) was right",
            partial(small_vit, cut=_every_nth),
        ),
    },
    hints=(
        "trust no loss: make a picture that tells. Let each pixel be its own number, "
        "torch.arange(24.).reshape(1, 1, 4, 6), with patch = 2, and print x after "
        "each of the first lines.",
        "write a name to each of the six axes after the first reshape: batch, "
        "channel, row of patches, … What does permute make of them?",
        "both pairs are the wrong way round: row and column of the patches, and row "
        "and column within a patch.",
    ),
    given=_on_its_side,
)
