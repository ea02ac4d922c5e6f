"""How far the shares of the codes are from even: a KL divergence."""

import math
from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.sentences import BITS


def _shares(logits):
    return logits.softmax(-1), logits.log_softmax(-1)


def _divergence(q, log_q):
    return (q * (log_q + math.log(q.shape[-1]))).sum(-1)


def kl_to_uniform(
    logits: Float[Tensor, "*batch code"],
    *,
    shares: Callable = _shares,
    divergence: Callable = _divergence,
) -> Float[Tensor, ""]:
    return divergence(*shares(logits)).mean()


def _entropy(q, log_q):
    return -(q * log_q).sum(-1)


def _reversed(q, log_q):
    return -log_q.mean(-1) - math.log(q.shape[-1])


def _usage(logits):
    """The shares of the codes over all patches: one row."""
    q = logits.softmax(-1).flatten(0, -2).mean(0)
    return q, q.log()


def _logarithm_of_the_shares(logits):
    q = logits.softmax(-1)
    return q, q.log()


def _library_reversed(logits):
    even = torch.full_like(logits, 1 / logits.shape[-1])
    return F.kl_div(logits.log_softmax(-1), even, reduction="none").mean()


def _library_of_shares(logits):
    even = torch.full_like(logits, 1 / logits.shape[-1])
    return F.kl_div(logits.softmax(-1), even, reduction="batchmean")


def _by_the_first_axis(divergence, logits):
    """The sum, divided by the size of the first axis: reduction="batchmean"."""
    return divergence(*_shares(logits)).sum() / len(logits)


def _logits(scale: float, *shape: int) -> Callable:
    return lambda: (scale * draw.normal(*shape),)


def _sure() -> tuple[Tensor]:
    logits = draw.normal(3, 5)
    logits[1, 2] = 300
    return (logits,)


EXERCISE = Exercise(
    id="13.2",
    title="How far from even?",
    minutes=6,
    difficulty=1,
    reference=kl_to_uniform,
    cases={
        "as many patches as codes": _logits(2.0, 5, 5),
        "a grid of patches": _logits(1.0, 2, 3, 5, 7),
        "one patch": _logits(3.0, 1, 11),
        "one patch is quite sure": _sure,
    },
    mistakes={
        "0 · ln 0": Mistake(
            "right until a share is so small that it is 0 in single precision: its "
            "logarithm is −∞, and 0 · −∞ is NaN. log_softmax never takes the logarithm "
            "of a 0",
            partial(kl_to_uniform, shares=_logarithm_of_the_shares),
        ),
        "sign": Mistake(
            "the sign is wrong: a KL divergence is never negative, and 0 only where "
            "all codes are equally likely",
            lambda logits: -kl_to_uniform(logits),
        ),
        "ln K left out": Mistake(
            "ln K is missing: this is minus the entropy. Its gradient is right, but it "
            "is negative, and 0 where a patch is quite sure, not where all codes are "
            "equally likely",
            partial(kl_to_uniform, divergence=lambda q, log_q: -_entropy(q, log_q)),
        ),
        "entropy": Mistake(
            "this is the entropy of the shares: largest where they are even. The KL "
            "divergence is ln K minus the entropy",
            partial(kl_to_uniform, divergence=_entropy),
        ),
        "ln K added": Mistake(
            "entropy and ln K have been added up; they are to be subtracted: "
            "ln K − entropy",
            partial(
                kl_to_uniform,
                divergence=lambda q, log_q: _entropy(q, log_q) + math.log(q.shape[-1]),
            ),
        ),
        "reversed": Mistake(
            "this is KL(uniform ‖ q): the logarithms have been averaged evenly over "
            "the codes. In KL(q ‖ uniform) each counts by its share q. The reversed "
            "one grows without bound where a patch is sure; the right one is never "
            "above ln K",
            partial(kl_to_uniform, divergence=_reversed),
        ),
        "F.kl_div": Mistake(
            "F.kl_div(input, target) is KL(target ‖ exp(input)), the other way round "
            "than it reads, and its mean is also over the codes, so that it is K times "
            "too small",
            _library_reversed,
        ),
        "F.kl_div, batchmean": Mistake(
            "F.kl_div(input, target) is KL(target ‖ exp(input)), the other way round "
            "than it reads, and batchmean divides by the size of the first axis alone",
            partial(_by_the_first_axis, _reversed),
        ),
        "batchmean": Mistake(
            "the sum has been divided by the size of the first axis alone, as "
            "batchmean does; the mean is over all patches of all pictures",
            partial(_by_the_first_axis, _divergence),
        ),
        "mean over the codes": Mistake(
            "the mean has been taken over the codes; a KL divergence is their sum. The "
            "mean is over the patches alone",
            partial(
                kl_to_uniform,
                divergence=lambda q, log_q: _divergence(q, log_q) / q.shape[-1],
            ),
        ),
        "sum over the patches": Mistake(
            "the patches have been added up; their mean is wanted",
            lambda logits: kl_to_uniform(logits) * logits[..., 0].numel(),
        ),
        "shares averaged first": Mistake(
            "the shares have been averaged over the patches first. That asks whether "
            "all codes are used by some patch; the ELBO asks it of each patch: first "
            "the divergence, then the mean",
            partial(kl_to_uniform, shares=_usage),
        ),
        "shares averaged over the first axis": Mistake(
            "the shares have been averaged over the first axis before the logarithm. "
            "Each patch has a divergence of its own; their mean comes last",
            partial(
                kl_to_uniform,
                shares=lambda logits: (
                    logits.softmax(-1).mean(0),
                    logits.softmax(-1).mean(0).log(),
                ),
            ),
        ),
        "ln K subtracted": Mistake(
            "ln K has the wrong sign: ln(q / (1/K)) is ln q + ln K. This one is never "
            "above −ln K",
            partial(
                kl_to_uniform,
                divergence=lambda q, log_q: -_entropy(q, log_q) - math.log(q.shape[-1]),
            ),
        ),
        "K of the first axis": Mistake(
            "K has been taken from the first axis (len): that is the number of patches "
            "or pictures. The codes are the last axis, logits.shape[-1]",
            lambda logits: (
                kl_to_uniform(logits) + math.log(len(logits) / logits.shape[-1])
            ),
        ),
        "dim=1": Mistake(
            "right for two axes, but with more of them dim=1 is the rows of a picture: "
            "the codes are the last axis, dim=-1",
            partial(
                kl_to_uniform,
                shares=lambda logits: (logits.softmax(1), logits.log_softmax(1)),
            ),
        ),
        "F.kl_div of shares": Mistake(
            "F.kl_div wants a logarithm as its first argument, and has got shares "
            "(and it is KL(target ‖ exp(input)), the other way round than it reads)",
            _library_of_shares,
        ),
        "another axis": Mistake(
            "the softmax runs over the first axis; the codes of one patch compete: "
            "dim=-1",
            partial(
                kl_to_uniform,
                shares=lambda logits: (logits.softmax(0), logits.log_softmax(0)),
            ),
        ),
        "no softmax": Mistake(
            "the logits have been taken for logarithms of shares: their powers do not "
            "sum to 1. log_softmax makes them do so",
            partial(kl_to_uniform, shares=lambda logits: (logits.exp(), logits)),
        ),
        "1/K for ln K": Mistake(
            "q has been compared with 1/K without a logarithm: the divergence adds up "
            "q · (ln q − ln(1/K))",
            partial(
                kl_to_uniform,
                divergence=lambda q, log_q: (q * (log_q - 1 / q.shape[-1])).sum(-1),
            ),
        ),
        "bits": Mistake(BITS, lambda logits: kl_to_uniform(logits) / math.log(2)),
    },
    hints=(
        "KL(q ‖ p) is the sum over the codes of q · (ln q − ln p). Here p is 1/K for "
        "each code.",
        "ln q is logits.log_softmax(-1), and −ln(1/K) is ln K: math.log(logits.shape"
        "[-1]). Sum over the codes, then the mean over all patches.",
    ),
    instead=("kl_divergence",),
)
