"""Bug hunt: three bugs in a decoder layer."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.sentences import BY_D_HEAD


def _norm(x):
    return F.layer_norm(x, x.shape[-1:])


def _root_of_d_head(d_model, heads):
    return (d_model / heads) ** 0.5


def _root_of_d_model(d_model, heads):
    return d_model**0.5


def _attend(told, to, W, heads, *, divisor, ahead=None):
    """Attention in heads; with ``ahead``, only up to so many keys after the query."""
    q, k, v = (
        (t @ m.mT).unflatten(-1, (heads, -1)).transpose(1, 2)
        for t, m in zip((told, to, to), W[:3], strict=True)
    )
    scores = q @ k.mT / divisor(told.shape[-1], heads)
    if ahead is not None:
        may_attend = torch.ones_like(scores, dtype=torch.bool).tril(ahead)
        scores = scores.masked_fill(~may_attend, -torch.inf)
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2) @ W[3].mT


def decoder_layer(
    x: Float[Tensor, "batch target d_model"],
    memory: Float[Tensor, "batch source d_model"],
    W_self: Float[Tensor, "four d_model d_model"],
    W_cross: Float[Tensor, "four d_model d_model"],
    W_1: Float[Tensor, "d_ff d_model"],
    W_2: Float[Tensor, "d_model d_ff"],
    heads: int,
    *,
    ahead: int = 0,
    cross_ahead: int | None = None,
    divisor: Callable[[int, int], float] = _root_of_d_head,
    past_cross: Callable[[Tensor, Tensor], Tensor | int] = lambda x, y: y,
) -> Float[Tensor, "batch target d_model"]:
    """A decoder layer whose parts may be wrong; ``past_cross`` is what is added."""
    given = _norm(x)
    y = x + _attend(given, given, W_self, heads, divisor=divisor, ahead=ahead)
    seen = _attend(_norm(y), memory, W_cross, heads, divisor=divisor, ahead=cross_ahead)
    y = past_cross(x, y) + seen
    return y + F.relu(_norm(y) @ W_1.mT) @ W_2.mT


def _three_bugs(x, memory, W_self, W_cross, W_1, W_2, heads):
    def norm(x):
        return F.layer_norm(x, x.shape[-1:])

    def split(x):
        return x.unflatten(-1, (heads, -1)).transpose(1, 2)

    def attend(q, k, v, W_o, causal):
        scores = split(q) @ split(k).mT / q.shape[-1] ** 0.5
        if causal:
            may_attend = torch.ones_like(scores, dtype=torch.bool).tril(1)
            scores = scores.masked_fill(~may_attend, -torch.inf)
        heard = scores.softmax(dim=-1) @ split(v)
        return heard.transpose(1, 2).flatten(2) @ W_o.T

    W_q, W_k, W_v, W_o = W_self
    z = norm(x)
    y = x + attend(z @ W_q.T, z @ W_k.T, z @ W_v.T, W_o, causal=True)

    W_q, W_k, W_v, W_o = W_cross
    q, k, v = norm(y) @ W_q.T, memory @ W_k.T, memory @ W_v.T
    y = x + attend(q, k, v, W_o, causal=False)

    hidden = torch.relu(norm(y) @ W_1.T)
    return y + hidden @ W_2.T


def _decoding(
    batch: int, target: int, source: int, heads: int, d_head: int, d_ff: int
) -> tuple:
    d = heads * d_head
    shapes = (batch, target, d), (batch, source, d), (4, d, d), (4, d, d)
    x, memory, W_self, W_cross, W_1, W_2 = draw.normals(*shapes, (d_ff, d), (d, d_ff))
    scale = d**-0.5
    return x, memory, *(m * scale for m in (W_self, W_cross, W_1, W_2)), heads


_AHEAD = {"ahead": 1}


_FLAT = {"divisor": _root_of_d_model}


_FROM_X = {"past_cross": lambda x, y: x}


EXERCISE = Exercise(
    id="7.8",
    title="Bug hunt: three in one layer",
    minutes=15,
    difficulty=3,
    reference=decoder_layer,
    cases={
        "a longer source": partial(_decoding, 2, 5, 7, heads=2, d_head=3, d_ff=11),
        "as many tokens on both sides": partial(
            _decoding, 3, 5, 5, heads=3, d_head=2, d_ff=7
        ),
        "a batch of one and one head": partial(
            _decoding, 1, 3, 2, heads=1, d_head=5, d_ff=7
        ),
        "the first token alone": partial(
            _decoding, 2, 1, 3, heads=2, d_head=5, d_ff=13
        ),
    },
    mistakes={
        "two left: scale and residual": Mistake(
            "one of three is mended, no token sees the future any more. Two are "
            "left: with more heads than one the weights are too nearly equal; and "
            "something that was found out gets lost on the way through the layer",
            partial(decoder_layer, **_FLAT, **_FROM_X),
        ),
        "two left: mask and residual": Mistake(
            "one of three is mended, the scores are of the right size for any number "
            "of heads. Two are left: a change in the last token is noticed by one "
            "before it; and something that was found out gets lost on the way "
            "through the layer",
            partial(decoder_layer, **_AHEAD, **_FROM_X),
        ),
        "two left: mask and scale": Mistake(
            "one of three is mended, each sub-layer adds to what the one before it "
            "has left. Two are left: a change in the last token is noticed by one "
            "before it; and with more heads than one the weights are too nearly "
            "equal",
            partial(decoder_layer, **_AHEAD, **_FLAT),
        ),
        "one left: mask": Mistake(
            "two of three are mended. One is left: change a feature of the last "
            "token of x, and the row before it changes, too. A token still sees the "
            "one that it is to predict",
            partial(decoder_layer, **_AHEAD),
        ),
        "one left: scale": Mistake(
            "two of three are mended. One is left: with heads = 1 all is right, with "
            "more the weights are too nearly equal. How many products is the score "
            "of one head the sum of?",
            partial(decoder_layer, **_FLAT),
        ),
        "one left: residual": Mistake(
            "two of three are mended. One is left: set W_cross to 0, and what the "
            "self-attention has found out is gone. What does the cross-attention "
            "add to?",
            partial(decoder_layer, **_FROM_X),
        ),
        "present hidden": Mistake(
            "now a token may not attend to itself, and the first one has nothing "
            "left: its row is NaN. The diagonal is allowed, what is above it is not",
            partial(decoder_layer, ahead=-1),
        ),
        "no mask": Mistake(
            "the scale and the residual are right; but now all of the future is seen",
            partial(decoder_layer, ahead=10**6),
        ),
        "cross-attention masked": Mistake(
            "the cross-attention is masked, too, now: the source is known from end "
            "to end before the first token is written, nothing in it is future",
            partial(decoder_layer, cross_ahead=0),
        ),
        "divided by d_head": Mistake(
            BY_D_HEAD,
            partial(decoder_layer, divisor=lambda d_model, heads: d_model / heads),
        ),
        "not scaled": Mistake(
            "the mask and the residual are right; but now the scores are not divided "
            "by anything",
            partial(decoder_layer, divisor=lambda d_model, heads: 1),
        ),
        "no residual": Mistake(
            "the cross-attention is not added to anything now: what came before it "
            "is lost, x included",
            partial(decoder_layer, past_cross=lambda x, y: 0),
        ),
        "norm(y) added": Mistake(
            "what goes past the cross-attention is norm(y) now; in pre-norm it is y "
            "itself, untouched",
            partial(decoder_layer, past_cross=lambda x, y: _norm(y)),
        ),
    },
    hints=(
        "shapes will not help; change something and see what follows. Change one "
        "feature of the last token of x (a norm takes away what you add to all of "
        "them): which rows of the output may change? Set W_cross to 0: what should "
        "the layer still do?",
        "compare heads = 1 with heads = 2: the score of one head is a sum over how "
        "many features, and how many has q before it is split? And tril(n) keeps n "
        "diagonals above the main one.",
        "each sub-layer adds what it says to what the one before it has left. Follow "
        "x and y from the top to the bottom: where is one taken for the other?",
    ),
    given=_three_bugs,
)
