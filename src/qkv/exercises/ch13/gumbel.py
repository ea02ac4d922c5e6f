"""A soft draw: logits, noise made of uniform numbers, and a temperature."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def _noise(u):
    return -(-u.log()).log()


def _softened(logits, g, tau):
    return ((logits + g) / tau).softmax(-1)


def gumbel(
    logits: Float[Tensor, "*batch code"],
    u: Float[Tensor, "*batch code"],
    tau: float,
    *,
    noise: Callable = _noise,
    soften: Callable = _softened,
) -> Float[Tensor, "*batch code"]:
    return soften(logits, noise(u), tau)


def _one_hot(logits, g, tau):
    return F.one_hot((logits + g).argmax(-1), logits.shape[-1]).float()


def _exponential_of(logits, g, tau):
    return ((logits + g) / tau).exp()


def _libraries(logits, u, tau):
    return F.gumbel_softmax(logits, tau=tau)


def _own_numbers(logits, u, tau):
    return gumbel(logits, torch.rand(logits.shape), tau)


def _given(tau: float, *shape: int) -> Callable:
    def case() -> tuple[Tensor, Tensor, float]:
        u = 0.01 + 0.98 * draw.uniform(*shape, seed=1)
        return 2 * draw.normal(*shape), u, tau

    return case


EXERCISE = Exercise(
    id="13.1",
    title="A draw with a gradient",
    minutes=8,
    difficulty=2,
    reference=gumbel,
    cases={
        "as many patches as codes": _given(0.5, 5, 5),
        "a grid of patches": _given(2.0, 2, 3, 5, 7),
        "τ of 1": _given(1.0, 7, 3),
        "one patch": _given(0.1, 1, 11),
    },
    mistakes={
        "exponential": Mistake(
            "one logarithm is missing: −ln u is exponential noise. Gumbel noise is "
            "−ln(−ln u), with two logarithms and two signs",
            partial(gumbel, noise=lambda u: -u.log()),
        ),
        "sign of the noise": Mistake(
            "the sign of the noise is wrong: ln(−ln u) has its long tail on the other "
            "side, and drawn with it the codes do not come as often as the softmax "
            "says. A minus stands in front: −ln(−ln u)",
            partial(gumbel, noise=lambda u: -_noise(u)),
        ),
        "a logarithm of u": Mistake(
            "ln u has been added: one logarithm and both signs are missing. Gumbel "
            "noise is −ln(−ln u)",
            partial(gumbel, noise=torch.log),
        ),
        "uniform noise": Mistake(
            "the uniform numbers have been added as they are. Only with −ln(−ln u) the "
            "largest sum falls on each code as often as the softmax says",
            partial(gumbel, noise=lambda u: u),
        ),
        "sign inside": Mistake(
            "−ln(ln u) is NaN: ln u is negative, and a negative number has no "
            "logarithm. Take −ln u first, then −ln of that",
            partial(gumbel, noise=lambda u: -u.log().log()),
        ),
        "no noise": Mistake(
            "there is no noise: this is the softmax itself, at temperature τ, and the "
            "same at each draw",
            partial(gumbel, noise=torch.zeros_like),
        ),
        "τ multiplied": Mistake(
            "the sums have been multiplied by τ: a small τ then makes the shares even. "
            "Divide by τ, and they become sharp",
            partial(
                gumbel, soften=lambda logits, g, tau: (tau * (logits + g)).softmax(-1)
            ),
        ),
        "τ on the logits": Mistake(
            "only the logits have been divided by τ, and the noise was added "
            "afterwards. Then τ changes how often each code comes. Add first, then "
            "divide the sum",
            partial(
                gumbel, soften=lambda logits, g, tau: (logits / tau + g).softmax(-1)
            ),
        ),
        "τ on the noise": Mistake(
            "only the noise has been divided by τ. Add first, then divide the sum: "
            "(logits + noise) / τ",
            partial(
                gumbel, soften=lambda logits, g, tau: (logits + g / tau).softmax(-1)
            ),
        ),
        "no τ": Mistake(
            "τ is missing: divide the sums by it",
            partial(gumbel, soften=lambda logits, g, tau: (logits + g).softmax(-1)),
        ),
        "noise after the softmax": Mistake(
            "the noise has been added to probabilities, after the softmax: the shares "
            "do not sum to 1, and some are negative. It is added to the logits",
            partial(
                gumbel, soften=lambda logits, g, tau: (logits / tau).softmax(-1) + g
            ),
        ),
        "noise between two softmaxes": Mistake(
            "the noise has been added to probabilities: first a softmax, then the "
            "noise, then another softmax. Probabilities lie between 0 and 1, so the "
            "noise decides nearly alone. Add it to the logits themselves",
            partial(
                gumbel,
                soften=lambda logits, g, tau: _softened(logits.softmax(-1), g, tau),
            ),
        ),
        "one-hot": Mistake(
            "this is the draw itself, all on the code with the largest sum. An arg max "
            "has no gradient; the softmax of the sums, divided by τ, has one",
            partial(gumbel, soften=_one_hot),
        ),
        "not divided by the sum": Mistake(
            "these are powers of e, not yet divided by their sum: the shares of a "
            "patch sum to 1",
            partial(gumbel, soften=_exponential_of),
        ),
        "logarithm": Mistake(
            "these are logarithms of the shares (log_softmax); the decoder mixes its "
            "code vectors by the shares themselves",
            partial(
                gumbel,
                soften=lambda logits, g, tau: ((logits + g) / tau).log_softmax(-1),
            ),
        ),
        "τ after the softmax": Mistake(
            "the shares have been divided by τ, after the softmax: they do not sum to "
            "1 any more. Divide the sums by τ, before the softmax",
            partial(
                gumbel, soften=lambda logits, g, tau: _softened(logits, g, 1) / tau
            ),
        ),
        "1 − u": Mistake(
            "the noise has been made from 1 − u. That is uniform, too, but it is "
            "another draw; with u itself the draw can be repeated",
            partial(gumbel, noise=lambda u: _noise(1 - u)),
        ),
        "dim=1": Mistake(
            "right for two axes, but with more of them dim=1 is the rows of a picture: "
            "the codes are the last axis, dim=-1",
            partial(
                gumbel, soften=lambda logits, g, tau: ((logits + g) / tau).softmax(1)
            ),
        ),
        "another axis": Mistake(
            "the softmax runs over the first axis, so that patches or pictures "
            "compete. The codes of one patch compete: the last axis, dim=-1",
            partial(
                gumbel, soften=lambda logits, g, tau: ((logits + g) / tau).softmax(0)
            ),
        ),
        "sums": Mistake(
            "these are the sums of logits and noise, divided by τ; the softmax over "
            "the codes is missing",
            partial(gumbel, soften=lambda logits, g, tau: (logits + g) / tau),
        ),
        "numbers of your own": Mistake(
            "u has not been used: uniform numbers have been drawn anew. Take those "
            "that are given, then the draw can be repeated",
            _own_numbers,
        ),
        "normal noise": Mistake(
            "normal numbers have been added (randn). Only with Gumbel noise, "
            "−ln(−ln u), the largest sum falls on each code as often as the softmax "
            "says. Make it from the u that is given",
            lambda logits, u, tau: _softened(logits, torch.randn(logits.shape), tau),
        ),
        "the library's own": Mistake(
            "u has not been used: F.gumbel_softmax draws numbers of its own. Write the "
            "formula with those that are given, then the draw can be repeated",
            _libraries,
        ),
    },
    hints=(
        "three lines: the noise from u, the sum with the logits, the softmax of the "
        "sum divided by τ.",
        "the noise is −ln(−ln u): u.log() is negative, so put a minus in front before "
        "the second logarithm, and another in front of all.",
    ),
    instead=("gumbel_softmax",),
)
