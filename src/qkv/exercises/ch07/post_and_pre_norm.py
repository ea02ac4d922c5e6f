"""Post-norm and pre-norm."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch07.shared import normalised


def _post(x, f, norm):
    return norm(x + f(x))


def _pre(x, f, norm):
    return x + f(norm(x))


def post_and_pre_norm(
    x: Float[Tensor, "*batch token d_model"],
    W: Float[Tensor, "d_model d_model"],
    weight: Float[Tensor, " d_model"],
    bias: Float[Tensor, " d_model"],
    *,
    post: Callable = _post,
    pre: Callable = _pre,
    over: int = -1,
) -> tuple[
    Float[Tensor, "*batch token d_model"], Float[Tensor, "*batch token d_model"]
]:
    """Both ways, each told x, the sub-layer f and the norm."""

    def f(x):
        return torch.tanh(x @ W.mT)

    def norm(x):
        return normalised(x, weight, bias, 1e-5, over=over)

    return post(x, f, norm), pre(x, f, norm)


def _normed_past(x, f, norm):
    return norm(x) + f(norm(x))


def _written_over(x, W, weight, bias):
    """The first of the two is right, and the second begins where it ended."""
    post, _ = post_and_pre_norm(x, W, weight, bias)
    summed = x + torch.tanh(x @ W.mT)
    return post, post_and_pre_norm(summed, W, weight, bias)[1]


def _stream(*batch: int, token: int, d_model: int) -> tuple:
    shapes = (*batch, token, d_model), (d_model, d_model), (d_model,), (d_model,)
    x, W, weight, bias = draw.normals(*shapes)
    return 3 * x + 1, W, weight, bias


EXERCISE = Exercise(
    id="7.2",
    title="Two ways round a sub-layer",
    minutes=7,
    difficulty=2,
    reference=post_and_pre_norm,
    results=("post", "pre"),
    cases={
        "as many tokens as features": partial(_stream, 2, token=5, d_model=5),
        "every size different": partial(_stream, 2, token=3, d_model=7),
        "a batch of one and one token": partial(_stream, 1, token=1, d_model=5),
        "no batch": partial(_stream, token=7, d_model=3),
    },
    mistakes={
        "x += f(x)": Mistake(
            "x += f(x) has written the sum into x itself: post is right, but pre "
            "begins with what post has left. Write x + f(x), into a new name",
            _written_over,
        ),
        "exchanged": Mistake(
            "the two are exchanged: post-norm is the one of the paper, with the norm "
            "around the sum. (Text and code of a famous tutorial differ in just "
            "this.)",
            partial(post_and_pre_norm, post=_pre, pre=_post),
        ),
        "post: norm of f alone": Mistake(
            "post: only what the sub-layer says has been normalised, and then added "
            "to x. The norm goes around the whole sum",
            partial(post_and_pre_norm, post=lambda x, f, norm: x + norm(f(x))),
        ),
        "post: two norms": Mistake(
            "post: the sub-layer has been told LN(x), as in pre-norm; here it is "
            "told x as it is, and only the sum is normalised",
            partial(post_and_pre_norm, post=lambda x, f, norm: norm(x + f(norm(x)))),
        ),
        "post: no residual": Mistake(
            "post: x has not been added; LN(f(x)) forgets all that the sub-layer "
            "does not say again",
            partial(post_and_pre_norm, post=lambda x, f, norm: norm(f(x))),
        ),
        "pre: LN(x) added": Mistake(
            "pre: what goes by is LN(x), not x. (x = norm(x), x = x + f(x) does "
            "this: the first line overwrites what the second needs.) x itself must "
            "go by untouched, and with it the gradient",
            partial(post_and_pre_norm, pre=_normed_past),
        ),
        "pre: no residual": Mistake(
            "pre: x has not been added; f(LN(x)) forgets all that the sub-layer does "
            "not say again",
            partial(post_and_pre_norm, pre=lambda x, f, norm: f(norm(x))),
        ),
        "pre: two norms": Mistake(
            "pre: the sum has been normalised as well; in pre-norm nothing touches "
            "it. (One last norm stands at the end of the whole stack.)",
            partial(post_and_pre_norm, pre=lambda x, f, norm: norm(x + f(norm(x)))),
        ),
        "pre: no norm": Mistake(
            "pre: nothing has been normalised; the sub-layer is told LN(x)",
            partial(post_and_pre_norm, pre=lambda x, f, norm: x + f(x)),
        ),
        "no residuals": Mistake(
            "x has been added in neither of them: without it a deep stack hardly "
            "learns",
            partial(
                post_and_pre_norm,
                post=lambda x, f, norm: norm(f(x)),
                pre=lambda x, f, norm: f(norm(x)),
            ),
        ),
        "over the tokens": Mistake(
            "the wiring is right, but mean and variance run over the tokens: each "
            "token has its own, over its features (dim=-1)",
            partial(post_and_pre_norm, over=-2),
        ),
        "weight and bias unused": Mistake(
            "the wiring is right, but the norm does not use weight and bias",
            lambda x, W, weight, bias: post_and_pre_norm(
                x, W, torch.ones_like(weight), torch.zeros_like(bias)
            ),
        ),
    },
    hints=(
        "each of the two is one line: a sum, a norm and the sub-layer, in another "
        "order.",
        "post: first the sum x + sublayer(x), then the norm of it. pre: first the "
        "norm of x, which only the sub-layer gets to see; then x is added.",
    ),
)
