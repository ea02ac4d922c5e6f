"""The exercises of chapter 7: the parts of a Transformer, and a layer put together."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.exercises import draw
from qkv.exercises.ch07_words import BEAM_STEP, LEARNING_RATE, NUCLEUS, SMOOTHED_LOSS
from qkv.exercises.machinery import Exercise, Mistake

NUMBER = 7
TITLE = "The Transformer"


# --------------------------------------------------------------------- 7.1 feed-forward


def feed_forward(
    x: Float[Tensor, "*batch token d_model"],
    W_1: Float[Tensor, "d_ff d_model"],
    b_1: Float[Tensor, " d_ff"],
    W_2: Float[Tensor, "d_model d_ff"],
    b_2: Float[Tensor, " d_model"],
) -> Float[Tensor, "*batch token d_model"]:
    return _through(F.relu, x, W_1, b_1, W_2, b_2)


def _through(bend, x, W_1, b_1, W_2, b_2):
    return F.linear(bend(F.linear(x, W_1, b_1)), W_2, b_2)


def _bias_behind_relu(x, W_1, b_1, W_2, b_2):
    return F.linear(F.relu(x @ W_1.mT) + b_1, W_2, b_2)


def _straight(h):
    return h


def _network(*batch: int, token: int, d_model: int, d_ff: int) -> tuple:
    shapes = (*batch, token, d_model), (d_ff, d_model), (d_ff,), (d_model, d_ff)
    return draw.normals(*shapes, (d_model,))


FEED_FORWARD = Exercise(
    id="7.1",
    title="Work on each token alone",
    minutes=4,
    takes={
        "x": "*batch token d_model",
        "W_1": "d_ff d_model",
        "b_1": "d_ff",
        "W_2": "d_model d_ff",
        "b_2": "d_model",
    },
    returns={"output": "*batch token d_model"},
    reference=feed_forward,
    cases={
        "as wide inside as outside": partial(_network, 2, token=3, d_model=5, d_ff=5),
        "every size different": partial(_network, 2, token=3, d_model=5, d_ff=11),
        "a batch of one and one token": partial(
            _network, 1, token=1, d_model=3, d_ff=7
        ),
        "no batch": partial(_network, token=7, d_model=5, d_ff=2),
    },
    mistakes=(
        Mistake(
            "W not transposed",
            "the matrices have been used the wrong way round: with tokens in rows, "
            "W x is written x @ W.T. It fails in sight only where d_ff and d_model "
            "differ",
            lambda x, W_1, b_1, W_2, b_2: feed_forward(x, W_1.mT, b_1, W_2.mT, b_2),
        ),
        Mistake(
            "no ReLU",
            "nothing stands between the two layers, and two linear layers in a row "
            "are one linear layer: the width d_ff is wasted",
            partial(_through, _straight),
        ),
        Mistake(
            "ReLU last",
            "the ReLU comes after the second layer; it belongs between the two. So "
            "they are one layer, and the result could never be negative",
            lambda *given: _through(_straight, *given).relu(),
        ),
        Mistake(
            "two ReLUs",
            "there is a ReLU after the second layer, too: so the network could only "
            "ever add to a feature, never take from it",
            lambda *given: feed_forward(*given).relu(),
        ),
        Mistake(
            "b_1 after the ReLU",
            "b_1 has been added after the ReLU; it is what decides from where on a "
            "unit answers, and stands inside",
            _bias_behind_relu,
        ),
        Mistake(
            "no biases",
            "the biases are not used",
            lambda x, W_1, b_1, W_2, b_2: feed_forward(x, W_1, 0 * b_1, W_2, 0 * b_2),
        ),
        Mistake(
            "GELU",
            "this is a GELU, as in GPT and BERT; the first Transformer has the "
            "plainer max(0, ·)",
            partial(_through, F.gelu),
        ),
        Mistake(
            "x added",
            "x has been added to the result: the residual connection is exercise "
            "7.3; here the network alone is wanted",
            lambda x, *given: x + feed_forward(x, *given),
        ),
    ),
    hints=(
        "two lines: h = x W_1 + b_1 with its negative numbers set to 0, then "
        "h W_2 + b_2.",
        "the matrices have the outputs in their rows, as nn.Linear does: x @ W_1.T. "
        "torch.relu or clamp(min=0) is max(0, ·).",
    ),
)


# ----------------------------------------------------------------------- 7.2 layer norm


def layer_norm(
    x: Float[Tensor, "*batch token d_model"],
    weight: Float[Tensor, " d_model"],
    bias: Float[Tensor, " d_model"],
    eps: float,
) -> Float[Tensor, "*batch token d_model"]:
    return F.layer_norm(x, x.shape[-1:], weight, bias, eps)


def _normalised(x, weight, bias, eps, *, over=-1, correction=0):
    mean = x.mean(over, keepdim=True)
    variance = x.var(over, correction=correction, keepdim=True)
    return (x - mean) / (variance + eps).sqrt() * weight + bias


def _no_keepdim(x, weight, bias, eps):
    mean, variance = x.mean(-1), x.var(-1, correction=0)
    return (x - mean) / (variance + eps).sqrt() * weight + bias


def _by_deviation(x, weight, bias, eps, *, correction=0):
    deviation = x.std(-1, correction=correction, keepdim=True)
    return (x - x.mean(-1, keepdim=True)) / (deviation + eps) * weight + bias


def _by_variance(x, weight, bias, eps):
    variance = x.var(-1, correction=0, keepdim=True)
    return (x - x.mean(-1, keepdim=True)) / (variance + eps) * weight + bias


def _not_centred(x, weight, bias, eps):
    return x / (x.square().mean(-1, keepdim=True) + eps).sqrt() * weight + bias


def _bias_scaled(x, weight, bias, eps):
    return weight * (_normalised(x, 1.0, 0.0, eps) + bias)


def _features(*batch: int, token: int, d_model: int, eps: float) -> tuple:
    """Features that are not around 0, in tokens of different spread."""
    shapes = (*batch, token, d_model), (*batch, token, 1), (d_model,), (d_model,)
    x, spread, weight, bias = draw.normals(*shapes)
    return x * spread.exp() + 1, weight, bias, eps


def _with_a_token_of_zeros() -> tuple:
    x, weight, bias, eps = _features(2, token=5, d_model=3, eps=1e-3)
    x[:, 0] = 0
    return x, weight, bias, eps


LAYER_NORM = Exercise(
    id="7.2",
    title="Layer norm",
    minutes=6,
    takes={
        "x": "*batch token d_model",
        "weight": "d_model",
        "bias": "d_model",
        "eps": "",
    },
    returns={"output": "*batch token d_model"},
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
    },
    mistakes=(
        Mistake(
            "no keepdim",
            "the means have lost their last axis, and what is subtracted from "
            "feature i of a token is the mean of token i: keepdim=True. It fails in "
            "sight only where d_model differs from the number of tokens",
            _no_keepdim,
        ),
        Mistake(
            "unbiased",
            "the variance has been divided by d − 1, as torch.var does by default "
            "(correction=1). Here it is the plain mean of the squares, divided by d",
            partial(_normalised, correction=1),
        ),
        Mistake(
            "ε outside",
            "ε has been added to the standard deviation; it belongs to the variance, "
            "inside the root",
            _by_deviation,
        ),
        Mistake(
            "std",
            "x.std() is not the root that is wanted, twice: it divides by d − 1, and "
            "ε comes to stand outside of it. (The Annotated Transformer does just "
            "this, and torch.nn.LayerNorm does not.)",
            partial(_by_deviation, correction=1),
        ),
        Mistake(
            "no ε",
            "ε is missing: a token whose features are all equal has variance 0, and "
            "0 / 0 is NaN",
            lambda x, weight, bias, eps: _normalised(x, weight, bias, 0.0),
        ),
        Mistake(
            "another ε",
            "ε is 1e-5, whatever was given as eps: F.layer_norm takes that if it is "
            "not told",
            lambda x, weight, bias, eps: layer_norm(x, weight, bias, 1e-5),
        ),
        Mistake(
            "variance",
            "you divide by the variance; divide by its root",
            _by_variance,
        ),
        Mistake(
            "over the tokens",
            "mean and variance run over the tokens of a sentence: so a token would "
            "know of those to come. Each token has its own, over its features "
            "(dim=-1)",
            partial(_normalised, over=-2),
        ),
        Mistake(
            "over the batch",
            "mean and variance run over the first axis (dim=0): that is batch norm, "
            "in which a sentence changes with the company that it is in",
            partial(_normalised, over=0),
        ),
        Mistake(
            "over the sentence",
            "each sentence has one mean and one variance for all of its tokens; each "
            "token has its own",
            partial(_normalised, over=(-2, -1)),
        ),
        Mistake(
            "not centred",
            "the mean has not been subtracted: this is RMS norm, a later and simpler "
            "relative",
            _not_centred,
        ),
        Mistake(
            "weight and bias unused",
            "weight and bias are not used: the norm takes away each token's scale, "
            "and they give each feature one again",
            lambda x, weight, bias, eps: _normalised(x, 1.0, 0.0, eps),
        ),
        Mistake(
            "bias scaled",
            "the bias has been added before the weight multiplies: it comes last",
            _bias_scaled,
        ),
    ),
    hints=(
        "all of it is about one token: its mean over the features is x.mean(dim=-1, "
        "keepdim=True). What does keepdim do for the subtraction?",
        "the variance is the mean of (x − mean)²; add ε, take the root, divide.",
        "weight and bias have one number for each feature, which is the last axis, "
        "so they may be multiplied and added as they are.",
    ),
)


# -------------------------------------------------------------- 7.3 where the norm goes


def post_and_pre_norm(
    x: Float[Tensor, "*batch token d_model"],
    W: Float[Tensor, "d_model d_model"],
    weight: Float[Tensor, " d_model"],
    bias: Float[Tensor, " d_model"],
) -> tuple[
    Float[Tensor, "*batch token d_model"], Float[Tensor, "*batch token d_model"]
]:
    return _wired()(x, W, weight, bias)


def _post(x, f, norm):
    return norm(x + f(x))


def _pre(x, f, norm):
    return x + f(norm(x))


def _wired(post=_post, pre=_pre, *, over=-1):
    """Both wirings, each told x, the sub-layer f and the norm."""

    def both(x, W, weight, bias):
        def f(x):
            return torch.tanh(x @ W.mT)

        def norm(x):
            return _normalised(x, weight, bias, 1e-5, over=over)

        return post(x, f, norm), pre(x, f, norm)

    return both


def _normed_past(x, f, norm):
    return norm(x) + f(norm(x))


def _plain_norm(x, W, weight, bias):
    return _wired()(x, W, torch.ones_like(weight), torch.zeros_like(bias))


def _stream(*batch: int, token: int, d_model: int) -> tuple:
    shapes = (*batch, token, d_model), (d_model, d_model), (d_model,), (d_model,)
    x, W, weight, bias = draw.normals(*shapes)
    return 3 * x + 1, W, weight, bias


POST_AND_PRE_NORM = Exercise(
    id="7.3",
    title="Two ways round a sub-layer",
    minutes=7,
    takes={
        "x": "*batch token d_model",
        "W": "d_model d_model",
        "weight": "d_model",
        "bias": "d_model",
    },
    returns={"post": "*batch token d_model", "pre": "*batch token d_model"},
    reference=post_and_pre_norm,
    cases={
        "as many tokens as features": partial(_stream, 2, token=5, d_model=5),
        "every size different": partial(_stream, 2, token=3, d_model=7),
        "a batch of one and one token": partial(_stream, 1, token=1, d_model=5),
        "no batch": partial(_stream, token=7, d_model=3),
    },
    mistakes=(
        Mistake(
            "exchanged",
            "the two are exchanged: post-norm is the one of the paper, with the norm "
            "around the sum. (Text and code of a famous tutorial differ in just "
            "this.)",
            _wired(_pre, _post),
        ),
        Mistake(
            "post: norm of f alone",
            "post: only what the sub-layer says has been normalised, and then added "
            "to x. The norm goes around the whole sum",
            _wired(post=lambda x, f, norm: x + norm(f(x))),
        ),
        Mistake(
            "post: two norms",
            "post: the sub-layer has been told LN(x), as in pre-norm; here it is "
            "told x as it is, and only the sum is normalised",
            _wired(post=lambda x, f, norm: norm(x + f(norm(x)))),
        ),
        Mistake(
            "post: no residual",
            "post: x has not been added; LN(f(x)) forgets all that the sub-layer "
            "does not say again",
            _wired(post=lambda x, f, norm: norm(f(x))),
        ),
        Mistake(
            "pre: LN(x) added",
            "pre: what goes by is LN(x), not x. (x = norm(x), x = x + f(x) does "
            "this: the first line overwrites what the second needs.) x itself must "
            "go by untouched, and with it the gradient",
            _wired(pre=_normed_past),
        ),
        Mistake(
            "pre: no residual",
            "pre: x has not been added; f(LN(x)) forgets all that the sub-layer does "
            "not say again",
            _wired(pre=lambda x, f, norm: f(norm(x))),
        ),
        Mistake(
            "pre: two norms",
            "pre: the sum has been normalised as well; in pre-norm nothing touches "
            "it. (One last norm stands at the end of the whole stack.)",
            _wired(pre=lambda x, f, norm: norm(x + f(norm(x)))),
        ),
        Mistake(
            "pre: no norm",
            "pre: nothing has been normalised; the sub-layer is told LN(x)",
            _wired(pre=lambda x, f, norm: x + f(x)),
        ),
        Mistake(
            "no residuals",
            "x has been added in neither of them: without it a deep stack hardly "
            "learns",
            _wired(lambda x, f, norm: norm(f(x)), lambda x, f, norm: f(norm(x))),
        ),
        Mistake(
            "over the tokens",
            "the wiring is right, but mean and variance run over the tokens: each "
            "token has its own, over its features (dim=-1)",
            _wired(over=-2),
        ),
        Mistake(
            "weight and bias unused",
            "the wiring is right, but the norm does not use weight and bias",
            _plain_norm,
        ),
    ),
    hints=(
        "each of the two is one line: a sum, a norm and the sub-layer, in another "
        "order.",
        "post: first the sum x + sublayer(x), then the norm of it. pre: first the "
        "norm of x, which only the sub-layer gets to see; then x is added.",
    ),
)


# ----------------------------------------------------- 7.8 bug hunt: three in one layer


def decoder_layer(
    x: Float[Tensor, "batch target d_model"],
    memory: Float[Tensor, "batch source d_model"],
    W_self: Float[Tensor, "four d_model d_model"],
    W_cross: Float[Tensor, "four d_model d_model"],
    W_1: Float[Tensor, "d_ff d_model"],
    W_2: Float[Tensor, "d_model d_ff"],
    heads: int,
) -> Float[Tensor, "batch target d_model"]:
    return _layer(x, memory, W_self, W_cross, W_1, W_2, heads)


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


def _layer(
    x,
    memory,
    W_self,
    W_cross,
    W_1,
    W_2,
    heads,
    *,
    ahead=0,
    cross_ahead=None,
    divisor=_root_of_d_head,
    past_cross=lambda x, y: y,
):
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

DECODER_LAYER = Exercise(
    id="7.8",
    title="Bug hunt: three in one layer",
    minutes=15,
    takes={
        "x": "batch target d_model",
        "memory": "batch source d_model",
        "W_self": "four d_model d_model",
        "W_cross": "four d_model d_model",
        "W_1": "d_ff d_model",
        "W_2": "d_model d_ff",
        "heads": "",
    },
    returns={"output": "batch target d_model"},
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
    mistakes=(
        Mistake(
            "two left: scale and residual",
            "one of three is mended, no token sees the future any more. Two are "
            "left: with more heads than one the weights are too nearly equal; and "
            "something that was found out gets lost on the way through the layer",
            partial(_layer, **_FLAT, **_FROM_X),
        ),
        Mistake(
            "two left: mask and residual",
            "one of three is mended, the scores are of the right size for any number "
            "of heads. Two are left: a change in the last token is noticed by one "
            "before it; and something that was found out gets lost on the way "
            "through the layer",
            partial(_layer, **_AHEAD, **_FROM_X),
        ),
        Mistake(
            "two left: mask and scale",
            "one of three is mended, each sub-layer adds to what the one before it "
            "has left. Two are left: a change in the last token is noticed by one "
            "before it; and with more heads than one the weights are too nearly "
            "equal",
            partial(_layer, **_AHEAD, **_FLAT),
        ),
        Mistake(
            "one left: mask",
            "two of three are mended. One is left: change a feature of the last "
            "token of x, and the row before it changes, too. A token still sees the "
            "one that it is to predict",
            partial(_layer, **_AHEAD),
        ),
        Mistake(
            "one left: scale",
            "two of three are mended. One is left: with heads = 1 all is right, with "
            "more the weights are too nearly equal. How many products is the score "
            "of one head the sum of?",
            partial(_layer, **_FLAT),
        ),
        Mistake(
            "one left: residual",
            "two of three are mended. One is left: set W_cross to 0, and what the "
            "self-attention has found out is gone. What does the cross-attention "
            "add to?",
            partial(_layer, **_FROM_X),
        ),
        Mistake(
            "present hidden",
            "now a token may not attend to itself, and the first one has nothing "
            "left: its row is NaN. The diagonal is allowed, what is above it is not",
            partial(_layer, ahead=-1),
        ),
        Mistake(
            "no mask",
            "the scale and the residual are right; but now all of the future is seen",
            partial(_layer, ahead=10**6),
        ),
        Mistake(
            "cross-attention masked",
            "the cross-attention is masked, too, now: the source is known from end "
            "to end before the first token is written, nothing in it is future",
            partial(_layer, cross_ahead=0),
        ),
        Mistake(
            "divided by d_head",
            "the scores are divided by all of d_head; its root is wanted",
            partial(_layer, divisor=lambda d_model, heads: d_model / heads),
        ),
        Mistake(
            "not scaled",
            "the mask and the residual are right; but now the scores are not divided "
            "by anything",
            partial(_layer, divisor=lambda d_model, heads: 1),
        ),
        Mistake(
            "no residual",
            "the cross-attention is not added to anything now: what came before it "
            "is lost, x included",
            partial(_layer, past_cross=lambda x, y: 0),
        ),
        Mistake(
            "norm(y) added",
            "what goes past the cross-attention is norm(y) now; in pre-norm it is y "
            "itself, untouched",
            partial(_layer, past_cross=lambda x, y: _norm(y)),
        ),
    ),
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


EXERCISES = (
    FEED_FORWARD,
    LAYER_NORM,
    POST_AND_PRE_NORM,
    SMOOTHED_LOSS,
    LEARNING_RATE,
    BEAM_STEP,
    NUCLEUS,
    DECODER_LAYER,
)
