"""Exercises of chapter 8 about where a Vision Transformer looks, and its bug hunt."""

from functools import partial, reduce

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.exercises import draw
from qkv.exercises.machinery import Exercise, Mistake

# ---------------------------------------------------------------- 8.5 attention rollout


def rollout(
    weights: Float[Tensor, "layer head query key"],
) -> Float[Tensor, "query key"]:
    return _later_first(_with_residual(weights.mean(1)))


def _with_residual(mixing):
    """Half of what a layer hands on is the token itself."""
    return (mixing + torch.eye(mixing.shape[-1])) / 2


def _rows_to_one(mixing):
    return mixing / mixing.sum(-1, keepdim=True)


def _later_first(layers):
    return reduce(lambda so_far, layer: layer @ so_far, layers)


def _first_first(layers):
    return reduce(torch.matmul, layers)


def _plus_identity(mixing):
    return mixing + torch.eye(mixing.shape[-1])


def _columns_to_one(weights):
    mixing = _plus_identity(weights.mean(1))
    return _later_first(mixing / mixing.sum(-2, keepdim=True))


def _each_head_alone(weights):
    heads = weights.transpose(0, 1)
    return torch.stack([_later_first(_with_residual(h)) for h in heads]).mean(0)


def _without_the_first(weights):
    rest = _with_residual(weights.mean(1))[1:]
    return reduce(
        lambda so_far, layer: layer @ so_far, rest, torch.eye(weights.shape[-1])
    )


def _attention(layer: int, head: int, token: int) -> tuple:
    return ((2 * draw.normal(layer, head, token, token)).softmax(-1),)


ROLLOUT = Exercise(
    id="8.5",
    title="Attention rollout",
    minutes=8,
    takes={"weights": "layer head query key"},
    returns={"rollout": "query key"},
    reference=rollout,
    cases={
        "as many layers, heads and tokens": partial(_attention, 3, 3, 3),
        "every size different": partial(_attention, 2, head=3, token=5),
        "more layers than tokens": partial(_attention, 7, head=2, token=3),
        "one layer": partial(_attention, 1, head=2, token=5),
    },
    mistakes=(
        Mistake(
            "order of the product",
            "the matrices have been multiplied the wrong way round, A_1 A_2 …. A "
            "later layer looks at what the earlier ones have made, so it stands to "
            "the left: A_L … A_2 A_1. With one layer both are the same",
            lambda weights: _first_first(_with_residual(weights.mean(1))),
        ),
        Mistake(
            "no identity",
            "the residual connection is missing: half of what a layer hands on is "
            "the token itself, and that is the identity in the formula. (Left out at "
            "first by one who asked in google-research/vision_transformer #18.)",
            lambda weights: _later_first(weights.mean(1)),
        ),
        Mistake(
            "not halved",
            "the rows do not come to 1 but to 2, 4, 8, …, twice as much with each "
            "layer: A + I must be halved",
            lambda weights: _later_first(_plus_identity(weights.mean(1))),
        ),
        Mistake(
            "identity once",
            "the identity has been mixed in once, at the end; every layer has its "
            "own residual connection",
            lambda weights: _with_residual(_later_first(weights.mean(1))),
        ),
        Mistake(
            "max over the heads",
            "the largest of the heads has been taken, not their mean. It is another "
            "method, which draws sharper pictures, and each row has to be brought "
            "back to 1 in it",
            lambda weights: _later_first(_rows_to_one(_plus_identity(weights.amax(1)))),
        ),
        Mistake(
            "max over the heads, halved",
            "the largest of the heads has been taken, not their mean: so the rows do "
            "not come to 1, and grow from layer to layer",
            lambda weights: _later_first(_with_residual(weights.amax(1))),
        ),
        Mistake(
            "sum over the heads",
            "the heads have been added up, and only then the identity: so it counts "
            "as little as one head. Their mean and the identity have equal parts",
            lambda weights: _later_first(_rows_to_one(_plus_identity(weights.sum(1)))),
        ),
        Mistake(
            "over the layers",
            "you have taken the mean over the layers, and the product over the "
            "heads: it is the other way round (dim=1 are the heads)",
            lambda weights: _later_first(_with_residual(weights.mean(0))),
        ),
        Mistake(
            "each head alone",
            "each head has been followed through all layers by itself. But head 2 "
            "of a layer does not look at head 2 of the layer below, it looks at all "
            "of them: the mean is taken in each layer",
            _each_head_alone,
        ),
        Mistake(
            "columns to 1",
            "the columns have been brought to 1, not the rows: a query's weights are "
            "in a row (dim=-1, with keepdim=True; jacobgil/vit-explain #16 is about "
            "this line)",
            _columns_to_one,
        ),
        Mistake(
            "mean of the layers",
            "you have taken the mean of the layers; what goes through one after the "
            "other is a product of matrices",
            lambda weights: _with_residual(weights.mean(1)).mean(0),
        ),
        Mistake(
            "element by element",
            "the layers have been multiplied element by element (*): that asks which "
            "pairs are linked in every layer. The way through several layers is a "
            "matrix product (@)",
            lambda weights: _with_residual(weights.mean(1)).prod(0),
        ),
        Mistake(
            "first layer missing",
            "the first layer is missing in the product: begin with it, or with the "
            "identity before it",
            _without_the_first,
        ),
        Mistake(
            "last layer alone",
            "this is the last layer alone: what its tokens had gathered in the "
            "layers before is not seen in it",
            lambda weights: _with_residual(weights[-1].mean(0)),
        ),
    ),
    hints=(
        "first one matrix for each layer: the mean over its heads, and the identity, "
        "half and half. Do the rows still come to 1?",
        "then follow the way up: rollout = layer @ rollout, beginning with the "
        "identity (torch.eye) and going from the first layer to the last.",
    ),
)


# --------------------------------------------------------------- 8.6 the deletion curve


def deletion_curve(
    embedded: Float[Tensor, "patch d_model"],
    attention: Float[Tensor, " patch"],
    W: Float[Tensor, "classes d_model"],
    label: int,
) -> Float[Tensor, " step"]:
    return _curve()(embedded, attention, W, label)


def _ranks(attention):
    """0 for the patch that gets the most attention, 1 for the next, ..."""
    return attention.argsort(descending=True).argsort()


def _steps(attention):
    return torch.arange(len(attention) + 1)[:, None]


def _most_attended_hidden(attention):
    return _ranks(attention) >= _steps(attention)


def _of_the_label(probabilities, label):
    return probabilities[:, label]


def _curve(visible=_most_attended_hidden, read=_of_the_label):
    """The curve, with other patches visible, or with something else read off."""

    def curve(embedded, attention, W, label):
        shown = visible(attention).float()
        pooled = shown @ embedded / shown.sum(-1, keepdim=True).clamp(min=1)
        return read((pooled @ W.mT).softmax(-1), label)

    return curve


def _painted_over(embedded, attention, W, label):
    painted = _most_attended_hidden(attention).float() @ embedded / len(attention)
    return (painted @ W.mT).softmax(-1)[:, label]


def _seen(patch: int, d_model: int, classes: int) -> tuple:
    shapes = (patch, d_model), (patch,), (classes, d_model)
    embedded, scores, W = draw.normals(*shapes)
    return 2 * embedded, scores.softmax(0), W, classes - 2


DELETION_CURVE = Exercise(
    id="8.6",
    title="Hide what it looks at",
    minutes=10,
    takes={
        "embedded": "patch d_model",
        "attention": "patch",
        "W": "classes d_model",
        "label": "",
    },
    returns={"curve": "step"},
    reference=deletion_curve,
    cases={
        "as many patches as features": partial(_seen, 7, d_model=7, classes=5),
        "every size different": partial(_seen, 11, d_model=5, classes=3),
        "two patches": partial(_seen, 2, d_model=3, classes=5),
        "one patch": partial(_seen, 1, d_model=5, classes=2),
    },
    mistakes=(
        Mistake(
            "argsort for ranks",
            "argsort tells which patch comes first, second, …; it has been used as if "
            "it told at which place each patch comes. Index with it, or take argsort "
            "of it once more",
            _curve(
                lambda attention: (
                    attention.argsort(descending=True) >= _steps(attention)
                )
            ),
        ),
        Mistake(
            "least attended first",
            "the patches that get the least attention are hidden first: "
            "descending=True. (This is the other half of the test: here the curve "
            "should stay up for long.)",
            _curve(lambda attention: _ranks(-attention) >= _steps(attention)),
        ),
        Mistake(
            "one at a time",
            "at each step one patch is hidden and the one before is shown again; they "
            "are to stay hidden",
            _curve(lambda attention: _ranks(attention) != _steps(attention) - 1),
        ),
        Mistake(
            "inverted",
            "what is to be hidden is all that is shown: True in visible means that "
            "the patch may be seen. (So the patches come one after the other: this is "
            "the insertion curve.)",
            _curve(lambda attention: ~_most_attended_hidden(attention)),
        ),
        Mistake(
            "one too early",
            "the first value is already with one patch hidden; it is to be the "
            "probability with the whole picture in sight",
            _curve(lambda attention: _ranks(attention) > _steps(attention)),
        ),
        Mistake(
            "from the end",
            "the curve runs backwards: it begins with the whole picture in sight and "
            "ends with all of it hidden",
            lambda *given: deletion_curve(*given).flip(0),
        ),
        Mistake(
            "left to right",
            "the patches are hidden in the order in which they stand: attention is "
            "not used",
            _curve(lambda attention: torch.arange(len(attention)) >= _steps(attention)),
        ),
        Mistake(
            "painted over",
            "the vectors of the hidden patches have been set to 0, and the model still "
            "counts them in: a black patch is a patch, too. Take them from sight, with "
            "False in visible",
            _painted_over,
        ),
        Mistake(
            "likeliest class",
            "at each step you have taken the largest probability, whichever class "
            "has it; the question is what becomes of the class label",
            _curve(read=lambda probabilities, label: probabilities.amax(-1)),
        ),
        Mistake(
            "as share of the first",
            "the curve has been divided by its first value; probabilities are wanted "
            "as they are",
            _curve(
                read=lambda probabilities, label: (
                    probabilities[:, label] / probabilities[0, label]
                )
            ),
        ),
    ),
    hints=(
        "there is one step more than there are patches, as nothing hidden is a step, "
        "too. At step n, which patches are still visible?",
        "order = attention.argsort(descending=True) has the patches in the order in "
        "which they are to go: begin with all True, and at each step set one more, "
        "visible[order[n]], to False.",
        "probabilities takes one row of visible or a whole stack of them, and gives "
        "one probability for each class: take that of label.",
    ),
)


# -------------------------------------------------- 8.7 bug hunt: a picture on its side


def small_vit(
    images: Float[Tensor, "batch channel height width"],
    patch: int,
    W_e: Float[Tensor, "d_model pixel"],
    class_token: Float[Tensor, " d_model"],
    positions: Float[Tensor, "token d_model"],
    W: Float[Tensor, "four d_model d_model"],
    W_out: Float[Tensor, "classes d_model"],
) -> tuple[Float[Tensor, "batch classes"], Float[Tensor, "batch row column"]]:
    return _vit()(images, patch, W_e, class_token, positions, W, W_out)


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


def _vit(cut=_CUT, lay_out=_row_by_row, *, weigh=_weigh, look=_from_the_class_token):
    """The model, with the picture cut otherwise, or another attention.

    ``weigh`` makes the weights of queries and keys, ``look`` takes from them what is
    to be seen, and ``lay_out`` gives that its rows and columns.
    """

    def model(images, patch, W_e, class_token, positions, W, W_out):
        x = cut(images, patch) @ W_e.mT
        x = torch.cat([class_token.expand(len(x), 1, -1), x], 1) + positions
        q, k, v = (_norm(x) @ m.mT for m in W[:3])
        weights = weigh(q, k)
        x = x + weights @ v @ W[3].mT
        rows, columns = (side // patch for side in images.shape[2:])
        return _norm(x[:, 0]) @ W_out.mT, lay_out(look(weights), rows, columns)

    return model


def _norm(x):
    return F.layer_norm(x, x.shape[-1:])


def _of_the_attention(name, says, **change):
    """One wrong change of the attention, with the cut mended and as it was given."""
    return (
        Mistake(
            name, f"the cut is right now; but {says}. It was right", _vit(**change)
        ),
        Mistake(
            f"{name}, cut as given",
            f"{says}. It was right: what is wrong is how the picture is cut",
            _vit(_AS_GIVEN, **change),
        ),
    )


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


SMALL_VIT = Exercise(
    id="8.7",
    title="Bug hunt: it looks the wrong way",
    minutes=12,
    takes={
        "images": "batch channel height width",
        "patch": "",
        "W_e": "d_model pixel",
        "class_token": "d_model",
        "positions": "token d_model",
        "W": "four d_model d_model",
        "W_out": "classes d_model",
    },
    returns={"logits": "batch classes", "seen": "batch row column"},
    reference=small_vit,
    cases={
        "a square picture": partial(_looking, 2, 1, 6, 6, patch=2, d_model=5),
        "every size different": partial(_looking, 5, 3, 6, 14, patch=2, d_model=11),
        "a batch of one": partial(_looking, 1, 2, 9, 6, patch=3, d_model=7),
        "one patch": partial(_looking, 2, 3, 2, 2, patch=2, d_model=5),
    },
    mistakes=(
        Mistake(
            "half left: the pixels",
            "half of it is mended, the patches go row by row. But within each patch "
            "the pixels still go column by column: each is transposed",
            _vit(_permuted(0, 2, 4, 1, 5, 3)),
        ),
        Mistake(
            "half left: the patches",
            "half of it is mended, the pixels of a patch go row by row. But the "
            "patches themselves still go down the columns: so each gets the position "
            "of another, and seen is transposed",
            _vit(_permuted(0, 4, 2, 1, 3, 5)),
        ),
        Mistake(
            "only the map",
            "you have turned the map of what is seen, and it fits the picture now; "
            "but the patches are cut as before, so that pixels and positions still "
            "meet other weights than those that were meant for them",
            _vit(_AS_GIVEN, _column_by_column),
        ),
        Mistake(
            "map turned, patches not",
            "the pixels are mended and the map has been turned; but the patches "
            "still go down the columns and get the positions of others. Mend the "
            "cut, and the map is right as it was",
            _vit(_permuted(0, 4, 2, 1, 3, 5), _column_by_column),
        ),
        Mistake(
            "map turned as well",
            "the cut is right now; but then the map was right, too, as it was: "
            "do not turn it",
            _vit(lay_out=_column_by_column),
        ),
        *_of_the_attention(
            "map turned over",
            "seen has been transposed, so that a wide picture has a tall map",
            lay_out=_turned_over,
        ),
        *_of_the_attention(
            "queries and keys swapped",
            "queries and keys have changed places, so that the scores are transposed: "
            "each token is given what others ask of it, not what it asks",
            weigh=lambda q, k: _weigh(k, q),
        ),
        *_of_the_attention(
            "weights transposed",
            "the weights have been transposed: rows belong to the queries and sum to "
            "one, and the class token's row says what it looks at",
            weigh=lambda q, k: _weigh(q, k).mT,
        ),
        *_of_the_attention(
            "over the queries",
            "the softmax runs over the queries: the columns sum to one, the rows do "
            "not. The keys compete for each query (dim=-1)",
            weigh=lambda q, k: _scores(q, k).softmax(-2),
        ),
        *_of_the_attention(
            "column for row",
            "seen is a column of the weights, [:, 1:, 0]: how much each patch looks "
            "at the class token. What the class token looks at is its row",
            look=_to_the_class_token,
        ),
        Mistake(
            "channel last",
            "rows and columns are right now, but the channel has gone to the end; "
            "within a patch it comes first, as in 8.1",
            _vit(_permuted(0, 2, 4, 3, 5, 1)),
        ),
        Mistake(
            "channels apart",
            "rows and columns are right now, but the channel stands before the "
            "patches: so a token has pieces of one channel from several places",
            _vit(_permuted(0, 1, 2, 4, 3, 5)),
        ),
        Mistake(
            "not permuted",
            "without permute the tokens are strips, and no patches: the axes of the "
            "split picture must change places, only otherwise",
            _vit(_strips),
        ),
        Mistake(
            "every nth pixel",
            "the sides are split as (patch, rows) now, and that gives every patch-th "
            "pixel of the whole picture; (rows, patch) was right",
            _vit(_every_nth),
        ),
    ),
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
