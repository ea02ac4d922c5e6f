"""Attention rollout."""

from functools import partial, reduce

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


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


EXERCISE = Exercise(
    id="8.5",
    title="Attention rollout",
    minutes=8,
    difficulty=2,
    reference=rollout,
    cases={
        "as many layers, heads and tokens": partial(_attention, 3, 3, 3),
        "every size different": partial(_attention, 2, head=3, token=5),
        "more layers than tokens": partial(_attention, 7, head=2, token=3),
        "one layer": partial(_attention, 1, head=2, token=5),
    },
    mistakes={
        "sum over the heads, halved": Mistake(
            "the heads have been added up, not averaged: the rows do not come to 1, "
            "and grow from layer to layer",
            lambda weights: _later_first(_with_residual(weights.sum(1))),
        ),
        "order of the product": Mistake(
            "the matrices have been multiplied the wrong way round, A_1 A_2 …. A "
            "later layer looks at what the earlier ones have made, so it stands to "
            "the left: A_L … A_2 A_1. With one layer both are the same",
            lambda weights: _first_first(_with_residual(weights.mean(1))),
        ),
        "no identity": Mistake(
            "the residual connection is missing: half of what a layer hands on is "
            "the token itself, and that is the identity in the formula. (Left out at "
            "first by one who asked in google-research/vision_transformer #18.)",
            lambda weights: _later_first(weights.mean(1)),
        ),
        "not halved": Mistake(
            "the rows do not come to 1 but to 2, 4, 8, …, twice as much with each "
            "layer: A + I must be halved",
            lambda weights: _later_first(_plus_identity(weights.mean(1))),
        ),
        "identity once": Mistake(
            "the identity has been mixed in once, at the end; every layer has its "
            "own residual connection",
            lambda weights: _with_residual(_later_first(weights.mean(1))),
        ),
        "max over the heads": Mistake(
            "the largest of the heads has been taken, not their mean. It is another "
            "method, which draws sharper pictures, and each row has to be brought "
            "back to 1 in it",
            lambda weights: _later_first(_rows_to_one(_plus_identity(weights.amax(1)))),
        ),
        "max over the heads, halved": Mistake(
            "the largest of the heads has been taken, not their mean: so the rows do "
            "not come to 1, and grow from layer to layer",
            lambda weights: _later_first(_with_residual(weights.amax(1))),
        ),
        "sum over the heads": Mistake(
            "the heads have been added up, and only then the identity: so it counts "
            "as little as one head. Their mean and the identity have equal parts",
            lambda weights: _later_first(_rows_to_one(_plus_identity(weights.sum(1)))),
        ),
        "over the layers": Mistake(
            "you have taken the mean over the layers, and the product over the "
            "heads: it is the other way round (dim=1 are the heads)",
            lambda weights: _later_first(_with_residual(weights.mean(0))),
        ),
        "each head alone": Mistake(
            "each head has been followed through all layers by itself. But head 2 "
            "of a layer does not look at head 2 of the layer below, it looks at all "
            "of them: the mean is taken in each layer",
            _each_head_alone,
        ),
        "columns to 1": Mistake(
            "the columns have been brought to 1, not the rows: a query's weights are "
            "in a row (dim=-1, with keepdim=True; jacobgil/vit-explain #16 is about "
            "this line)",
            _columns_to_one,
        ),
        "mean of the layers": Mistake(
            "you have taken the mean of the layers; what goes through one after the "
            "other is a product of matrices",
            lambda weights: _with_residual(weights.mean(1)).mean(0),
        ),
        "element by element": Mistake(
            "the layers have been multiplied element by element (*): that asks which "
            "pairs are linked in every layer. The way through several layers is a "
            "matrix product (@)",
            lambda weights: _with_residual(weights.mean(1)).prod(0),
        ),
        "first layer missing": Mistake(
            "the first layer is missing in the product: begin with it, or with the "
            "identity before it",
            _without_the_first,
        ),
        "last layer alone": Mistake(
            "this is the last layer alone: what its tokens had gathered in the "
            "layers before is not seen in it",
            lambda weights: _with_residual(weights[-1].mean(0)),
        ),
    },
    hints=(
        "first one matrix for each layer: the mean over its heads, and the identity, "
        "half and half. Do the rows still come to 1?",
        "then follow the way up: rollout = layer @ rollout, beginning with the "
        "identity (torch.eye) and going from the first layer to the last.",
    ),
    trained=False,
)
