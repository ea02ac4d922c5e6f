"""Layer norm."""

from functools import partial

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch07.shared import normalised


def layer_norm(
    x: Float[Tensor, "*batch token d_model"],
    weight: Float[Tensor, " d_model"],
    bias: Float[Tensor, " d_model"],
    eps: float,
) -> Float[Tensor, "*batch token d_model"]:
    return F.layer_norm(x, x.shape[-1:], weight, bias, eps)


def _no_keepdim(x, weight, bias, eps):
    mean, variance = x.mean(-1), x.var(-1, correction=0)
    return (x - mean) / (variance + eps).sqrt() * weight + bias


def _by_deviation(x, weight, bias, eps, *, correction=0):
    deviation = x.std(-1, correction=correction, keepdim=True)
    return (x - x.mean(-1, keepdim=True)) / (deviation + eps) * weight + bias


def _by_variance(x, weight, bias, eps):
    variance = x.var(-1, correction=0, keepdim=True)
    return (x - x.mean(-1, keepdim=True)) / (variance + eps) * weight + bias


def _features(*batch: int, token: int, d_model: int, eps: float) -> tuple:
    """Features that are not around 0, in tokens of different spread."""
    shapes = (*batch, token, d_model), (*batch, token, 1), (d_model,), (d_model,)
    x, spread, weight, bias = draw.normals(*shapes)
    return x * spread.exp() + 1, weight, bias, eps


def _squares_first(x, weight, bias, eps):
    mean = x.mean(-1, keepdim=True)
    variance = x.square().mean(-1, keepdim=True) - mean.square()
    return (x - mean) / (variance + eps).sqrt() * weight + bias


def _far_from_zero() -> tuple:
    """Far enough for squares to lose the digits that tell, and no further."""
    x, weight, bias = draw.normals((3, 5, 7), (7,), (7,))
    return x + 50, weight, bias, 0.01


def _batch_norm(x, weight, bias, eps):
    return normalised(x, weight, bias, eps, over=tuple(range(x.ndim - 1)))


def _with_a_token_of_zeros() -> tuple:
    x, weight, bias, eps = _features(2, token=5, d_model=3, eps=1e-3)
    x[:, 0] = 0
    return x, weight, bias, eps


EXERCISE = Exercise(
    id="7.1",
    title="Layer norm",
    minutes=6,
    difficulty=1,
    reference=layer_norm,
    cases={
        "as many sentences, tokens and features": partial(
            _features, 5, token=5, d_model=5, eps=0.01
        ),
        "every size different": partial(_features, 2, token=3, d_model=7, eps=0.1),
        "a batch of one and one token": partial(
            _features, 1, token=1, d_model=5, eps=0.01
        ),
        "no batch": partial(_features, token=5, d_model=11, eps=1e-5),
        "a token of zeros": _with_a_token_of_zeros,
        "features far from 0": _far_from_zero,
    },
    mistakes={
        "E[x²] − E[x]²": Mistake(
            "right for features around 0; but the mean of the squares less the square "
            "of the mean is a small difference of two large numbers where the mean is "
            "large, and its digits are lost. Subtract the mean first, then square",
            _squares_first,
        ),
        "batch norm": Mistake(
            "each feature has been normalised over all tokens of the batch: that is "
            "batch norm. Each token is normalised over its own features (dim=-1)",
            _batch_norm,
        ),
        "no weight": Mistake(
            "weight is not used: it gives each feature a scale again",
            lambda x, weight, bias, eps: normalised(x, 1.0, bias, eps),
        ),
        "no bias": Mistake(
            "bias is not used: it comes last, and shifts each feature",
            lambda x, weight, bias, eps: normalised(x, weight, 0.0, eps),
        ),
        "no keepdim": Mistake(
            "the means have lost their last axis, and what is subtracted from "
            "feature i of a token is the mean of token i: keepdim=True. It fails in "
            "sight only where d_model differs from the number of tokens",
            _no_keepdim,
        ),
        "unbiased": Mistake(
            "the variance has been divided by d − 1, as torch.var does by default "
            "(correction=1). Here it is the plain mean of the squares, divided by d",
            partial(normalised, correction=1),
        ),
        "ε outside": Mistake(
            "ε has been added to the standard deviation; it belongs to the variance, "
            "inside the root",
            _by_deviation,
        ),
        "std": Mistake(
            "x.std() is not the root that is wanted, twice: it divides by d − 1, and "
            "ε comes to stand outside of it. (The Annotated Transformer does just "
            "this, and torch.nn.LayerNorm does not.)",
            partial(_by_deviation, correction=1),
        ),
        "no ε": Mistake(
            "ε is missing: a token whose features are all equal has variance 0, and "
            "0 / 0 is NaN",
            lambda x, weight, bias, eps: normalised(x, weight, bias, 0.0),
        ),
        "another ε": Mistake(
            "ε is 1e-5, whatever was given as eps: F.layer_norm takes that if it is "
            "not told",
            lambda x, weight, bias, eps: layer_norm(x, weight, bias, 1e-5),
        ),
        "variance": Mistake(
            "you divide by the variance; divide by its root",
            _by_variance,
        ),
        "over the tokens": Mistake(
            "mean and variance run over the tokens of a sentence: so a token would "
            "know of those to come. Each token has its own, over its features "
            "(dim=-1)",
            partial(normalised, over=-2),
        ),
        "over the batch": Mistake(
            "mean and variance run over the first axis (dim=0): that is batch norm, "
            "in which a sentence changes with the company that it is in",
            partial(normalised, over=0),
        ),
        "over the sentence": Mistake(
            "each sentence has one mean and one variance for all of its tokens; each "
            "token has its own",
            partial(normalised, over=(-2, -1)),
        ),
        "not centred": Mistake(
            "the mean has not been subtracted: this is RMS norm, a later and simpler "
            "relative",
            lambda x, weight, bias, eps: (
                x / (x.square().mean(-1, keepdim=True) + eps).sqrt() * weight + bias
            ),
        ),
        "weight and bias unused": Mistake(
            "weight and bias are not used: the norm takes away each token's scale, "
            "and they give each feature one again",
            lambda x, weight, bias, eps: normalised(x, 1.0, 0.0, eps),
        ),
        "bias scaled": Mistake(
            "the bias has been added before the weight multiplies: it comes last",
            lambda x, weight, bias, eps: weight * (normalised(x, 1.0, 0.0, eps) + bias),
        ),
    },
    hints=(
        "all of it is about one token: its mean over the features is x.mean(dim=-1, "
        "keepdim=True). What does keepdim do for the subtraction?",
        "the variance is the mean of (x − mean)²; add ε, take the root, divide.",
        "weight and bias have one number for each feature, which is the last axis, "
        "so they may be multiplied and added as they are.",
    ),
)
