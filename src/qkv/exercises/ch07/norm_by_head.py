"""Layer norm of each head by itself."""

from collections.abc import Callable
from functools import partial

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch07.shared import normalised


def norm_by_head(
    x: Float[Tensor, "batch token d_model"],
    heads: int,
    weight: Float[Tensor, " d_head"],
    bias: Float[Tensor, " d_head"],
    eps: float,
) -> Float[Tensor, "batch token d_model"]:
    return _in_heads(_norm, x, heads, weight, bias, eps)


def _norm(parts, weight, bias, eps):
    return F.layer_norm(parts, parts.shape[-1:], weight, bias, eps)


def _in_heads(norm, x, heads, weight, bias, eps):
    """What a norm does that is given (batch, token, head, d_head)."""
    return norm(x.unflatten(-1, (heads, -1)), weight, bias, eps).flatten(-2)


def _with(norm: Callable, **how) -> Callable:
    return partial(_in_heads, partial(norm, **how))


def _no_keepdim(x, weight, bias, eps):
    mean, variance = x.mean(-1), x.var(-1, correction=0)
    return (x - mean) / (variance + eps).sqrt() * weight + bias


def _by_deviation(x, weight, bias, eps, *, correction=0):
    deviation = x.std(-1, correction=correction, keepdim=True)
    return (x - x.mean(-1, keepdim=True)) / (deviation + eps) * weight + bias


def _by_variance(x, weight, bias, eps):
    variance = x.var(-1, correction=0, keepdim=True)
    return (x - x.mean(-1, keepdim=True)) / (variance + eps) * weight + bias


def _by_root_mean_square(x, weight, bias, eps):
    return x / (x.square().mean(-1, keepdim=True) + eps).sqrt() * weight + bias


def _squares_first(x, weight, bias, eps):
    mean = x.mean(-1, keepdim=True)
    variance = x.square().mean(-1, keepdim=True) - mean.square()
    return (x - mean) / (variance + eps).sqrt() * weight + bias


def _bias_scaled(x, weight, bias, eps):
    return weight * (normalised(x, 1.0, 0.0, eps) + bias)


def _another_epsilon(x, weight, bias, eps):
    return _norm(x, weight, bias, 1e-5)


def _put_side_by_side(x, weight, bias, eps):
    return _norm(x, weight, bias, eps).mT


def _dealt_out(x, heads, weight, bias, eps):
    parts = x.unflatten(-1, (-1, heads)).mT
    return _norm(parts, weight, bias, eps).mT.flatten(-2)


def _features(
    batch: int, token: int, heads: int, d_head: int, eps: float
) -> tuple[Tensor, int, Tensor, Tensor, float]:
    """Features that are not around 0, in heads of different spread."""
    shapes = (batch, token, heads, d_head), (batch, token, heads, 1)
    x, spread, weight, bias = draw.normals(*shapes, (d_head,), (d_head,))
    return (x * spread.exp() + 1).flatten(-2), heads, weight, bias, eps


def _far_from_zero() -> tuple:
    """Far enough for squares to lose the digits that tell, and no further."""
    x, weight, bias = draw.normals((3, 5, 14), (7,), (7,))
    return x + 50, 2, weight, bias, 0.01


def _with_a_head_of_zeros() -> tuple:
    x, heads, weight, bias, eps = _features(2, 5, 3, 7, 1e-3)
    x[:, 0, :7] = 0
    return x, heads, weight, bias, eps


EXERCISE = Exercise(
    id="7.1",
    title="Layer norm, head by head",
    minutes=8,
    difficulty=2,
    reference=norm_by_head,
    cases={
        "as many sentences, tokens, heads and features of a head": partial(
            _features, 5, 5, 5, 5, 0.01
        ),
        "every size different": partial(_features, 2, 3, 5, 7, 0.1),
        "a batch of one and one token": partial(_features, 1, 1, 3, 5, 0.01),
        "a single head": partial(_features, 3, 5, 1, 11, 1e-5),
        "a head of zeros": _with_a_head_of_zeros,
        "features far from 0": _far_from_zero,
    },
    mistakes={
        "the whole token": Mistake(
            "right for a single head; with several, each token has had one mean and "
            "one variance for all of its heads. Split the features into heads first "
            "(chapter 4), and take both over the features of one head",
            _with(normalised, over=(-2, -1)),
        ),
        "over the heads": Mistake(
            "the features are split into heads, but mean and variance run over the "
            "heads, where they are to run over the features of each head (dim=-1)",
            _with(normalised, over=-2),
        ),
        "dealt out": Mistake(
            "right for a single head; but with several the features have been dealt "
            "out in turns, as cards are: a head is d_head features side by side",
            _dealt_out,
        ),
        "put side by side": Mistake(
            "every head has its norm, but the result has the features in another "
            "order: first the first ones of all heads. Merge (head, d_head) as it was",
            _with(_put_side_by_side),
        ),
        "E[x²] − E[x]²": Mistake(
            "right for features around 0; but the mean of the squares less the square "
            "of the mean is a small difference of two large numbers where the mean is "
            "large, and its digits are lost. Subtract the mean first, then square",
            _with(_squares_first),
        ),
        "batch norm": Mistake(
            "each feature has been normalised over all tokens of the batch: that is "
            "batch norm. Each head of a token is normalised over its own features",
            _with(normalised, over=(0, 1)),
        ),
        "no weight": Mistake(
            "weight is not used: it gives each feature of a head a scale again",
            _with(lambda x, weight, bias, eps: normalised(x, 1.0, bias, eps)),
        ),
        "no bias": Mistake(
            "bias is not used: it comes last, and shifts each feature of a head",
            _with(lambda x, weight, bias, eps: normalised(x, weight, 0.0, eps)),
        ),
        "no keepdim": Mistake(
            "the means have lost their last axis, and what is subtracted from "
            "feature i of a head is the mean of head i: keepdim=True. It fails in "
            "sight only where the sizes differ",
            _with(_no_keepdim),
        ),
        "unbiased": Mistake(
            "the variance has been divided by d − 1, as torch.var does by default "
            "(correction=1). Here it is the plain mean of the squares, divided by d",
            _with(normalised, correction=1),
        ),
        "ε outside": Mistake(
            "ε has been added to the standard deviation; it belongs to the variance, "
            "inside the root",
            _with(_by_deviation),
        ),
        "std": Mistake(
            "x.std() is not the root that is wanted, twice: it divides by d − 1, and "
            "ε comes to stand outside of it. (The Annotated Transformer does just "
            "this, and torch.nn.LayerNorm does not.)",
            _with(_by_deviation, correction=1),
        ),
        "no ε": Mistake(
            "ε is missing: where all features are equal the variance is 0, and "
            "0 / 0 is NaN",
            _with(lambda x, weight, bias, eps: normalised(x, weight, bias, 0.0)),
        ),
        "another ε": Mistake(
            "ε is 1e-5, whatever was given as eps: F.layer_norm takes that if it is "
            "not told",
            _with(_another_epsilon),
        ),
        "variance": Mistake(
            "you divide by the variance; divide by its root", _with(_by_variance)
        ),
        "over the tokens": Mistake(
            "mean and variance run over the tokens of a sentence: so a token would "
            "know of those to come. Each has its own, over the features (dim=-1)",
            _with(normalised, over=1),
        ),
        "over the batch": Mistake(
            "mean and variance run over the first axis (dim=0): that is batch norm, "
            "in which a sentence changes with the company that it is in",
            _with(normalised, over=0),
        ),
        "not centred": Mistake(
            "the mean has not been subtracted: this is RMS norm, a later and simpler "
            "relative",
            _with(_by_root_mean_square),
        ),
        "weight and bias unused": Mistake(
            "weight and bias are not used: the norm takes away the scale, and they "
            "give each feature one again",
            _with(lambda x, weight, bias, eps: normalised(x, 1.0, 0.0, eps)),
        ),
        "bias scaled": Mistake(
            "the bias has been added before the weight multiplies: it comes last",
            _with(_bias_scaled),
        ),
    },
    hints=(
        "chapter 4 cut d_model into heads: x.unflatten(-1, (heads, -1)) has the axes "
        "(batch, token, head, d_head). Over which of them run mean and variance?",
        "the mean is parts.mean(dim=-1, keepdim=True), and keepdim makes each head "
        "lose its own; the variance is the mean of (parts − mean)². Add ε, take the "
        "root, divide.",
        "weight and bias have one number for each feature of a head, which is the "
        "last axis, so they multiply and add as they are; flatten(-2) merges again.",
    ),
)
