"""The class token and the positions."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


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


def _scaled(embedded, class_token, positions):
    return add_class_token(embedded * embedded.shape[-1] ** 0.5, class_token, positions)


def _rows(batch: int, patch: int, d_model: int) -> tuple:
    return draw.normals((batch, patch, d_model), (d_model,), (patch + 1, d_model))


EXERCISE = Exercise(
    id="8.3",
    title="A token that stands for the whole",
    minutes=6,
    difficulty=1,
    reference=add_class_token,
    cases={
        "as many pictures as tokens": partial(_rows, 5, patch=4, d_model=3),
        "every size different": partial(_rows, 2, patch=6, d_model=5),
        "a batch of one": partial(_rows, 1, patch=4, d_model=2),
        "one patch": partial(_rows, 3, patch=1, d_model=5),
    },
    mistakes={
        "at the end": Mistake(
            "the class token stands behind the patches, and every patch has got the "
            "position of the one before it. It comes first: tokens[:, 0] is what the "
            "classifier reads",
            lambda embedded, class_token, positions: (
                _joined(embedded, _each(class_token, embedded)) + positions
            ),
        ),
        "moved to the end": Mistake(
            "each vector is right, but the class token stands behind the patches; "
            "it comes first: tokens[:, 0] is what the classifier reads",
            lambda embedded, class_token, positions: add_class_token(
                embedded, class_token, positions
            ).roll(-1, dims=1),
        ),
        "positions first": Mistake(
            "the positions have been added before the class token was there: each "
            "patch has got the position of the one before it, the class token none, "
            "and the last position is not used",
            _patches_get(slice(None, -1)),
        ),
        "class token without a position": Mistake(
            "the patches are right, but the class token has not got positions[0]; in "
            "the paper it has one like all the others. (Mended in labml.ai's "
            "annotated papers, pull request 221.)",
            _patches_get(slice(1, None)),
        ),
        "no positions": Mistake(
            "the positions have not been added: so the patches could stand anywhere",
            _with_positions(torch.zeros_like),
        ),
        "one position for all": Mistake(
            "all tokens have got the same position, the last: positions[n] is one "
            "row, positions[:n] are n of them. (labml.ai's annotated papers, issue "
            "133. It trained.)",
            _with_positions(lambda positions: positions[-1]),
        ),
        "a position for each picture": Mistake(
            "the positions run along the batch: all tokens of one picture have got "
            "the same one. It fails in sight only where there are not as many "
            "pictures as tokens",
            _with_positions(lambda positions: positions[:, None]),
        ),
        "the mean in front": Mistake(
            "what stands in front is the mean of the patches; class_token is a "
            "learned vector, the same for every picture",
            lambda embedded, class_token, positions: (
                _joined(embedded.mean(1, keepdim=True), embedded) + positions
            ),
        ),
        "scaled": Mistake(
            "the patches have been multiplied by √d_model, as chapter 7 did with its "
            "embeddings; the Vision Transformer does not",
            _scaled,
        ),
    },
    hints=(
        "torch.cat wants both parts with the same axes: one vector must become "
        "(batch, 1, d_model). expand makes it so without a copy.",
        "cat along the axis of the tokens, dim=1, the class token first; and only "
        "then add the positions, of which there is one more than patches.",
    ),
)
