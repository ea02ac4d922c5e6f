"""What reaches the gate and the matrix behind it in the first step."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def gradients(
    o: Float[Tensor, "batch place d_v"],
    W_o: Float[Tensor, "channel d_v"],
    gamma: float,
    slope: Float[Tensor, "batch place channel"],
) -> tuple[Float[Tensor, ""], Float[Tensor, "channel d_v"]]:
    return (slope * (o @ W_o.mT)).sum(), gamma * _of_matrix(o, slope)


def _of_matrix(o, slope):
    """The gradient of the matrix if the gate were 1."""
    return torch.einsum("bpc,bpd->cd", slope, o)


def _always_zero(o, W_o, gamma, slope):
    d_gamma, d_W_o = gradients(o, W_o, gamma, slope)
    return gamma * d_gamma, d_W_o


def _all(o, W_o, gamma, slope):
    return gradients(o, W_o, gamma, slope)[0], _of_matrix(o, slope)


def _gate_itself(o, W_o, gamma, slope):
    d_gamma, _ = gradients(o, W_o, gamma, slope)
    return d_gamma, _of_matrix(o, slope) * (1 + gamma)


def _without_matrix(o, W_o, gamma, slope):
    d_gamma = (slope.sum(-1) * o.sum(-1)).sum()
    return d_gamma, gamma * _of_matrix(o, slope)


def _mean(o, W_o, gamma, slope):
    d_gamma, d_W_o = gradients(o, W_o, gamma, slope)
    count = slope.shape[0] * slope.shape[1]
    return d_gamma / count, d_W_o / count


def _sum_of_each(o, W_o, gamma, slope):
    said = o @ W_o.mT
    return slope.sum() * said.sum(), gamma * _of_matrix(o, slope)


def _no_slope(o, W_o, gamma, slope):
    said = o @ W_o.mT
    return said.sum(), gamma * _of_matrix(o, torch.ones_like(slope))


def _one_picture(o, W_o, gamma, slope):
    return gradients(o[:1], W_o, gamma, slope[:1])


def _given(
    gamma: float, batch: int, place: int, channel: int, d_v: int
) -> tuple[Tensor | float, ...]:
    o, W_o, slope = draw.normals(
        (batch, place, d_v), (channel, d_v), (batch, place, channel)
    )
    return o, W_o, gamma, slope


EXERCISE = Exercise(
    id="11.4",
    title="The first step",
    minutes=8,
    difficulty=2,
    reference=gradients,
    results=("the gradient of gamma", "the gradient of W_o"),
    cases={
        "a gate of 0, and as many channels as values": partial(_given, 0.0, 2, 5, 3, 3),
        "a gate of 0.5": partial(_given, 0.5, 2, 5, 7, 3),
        "a negative gate": partial(_given, -0.25, 3, 7, 2, 11),
        "a batch of one": partial(_given, 2.0, 1, 3, 5, 2),
    },
    mistakes={
        "none": Mistake(
            "with γ = 0 nothing gets a gradient here, not even γ, so that it would "
            "stay 0 for ever (asked in sdoria/SimpleSelfAttention #3). The slope of "
            "γ · s with respect to γ is s, whatever γ is",
            _always_zero,
        ),
        "all": Mistake(
            "W_o gets a gradient also where γ is 0: but what it makes is multiplied by "
            "γ, and so is its gradient",
            _all,
        ),
        "1 + gamma": Mistake(
            "the residual connection has been counted as a gate of 1: x goes around "
            "W_o, and has no part in its gradient. The factor is γ alone",
            _gate_itself,
        ),
        "W_o forgotten": Mistake(
            "γ multiplies o W_oᵀ, and not o: the matrix belongs into its gradient",
            _without_matrix,
        ),
        "mean": Mistake(
            "the gradients have been averaged over the places: γ and W_o are the same "
            "at each of them, so that what comes from all adds up",
            _mean,
        ),
        "sums multiplied": Mistake(
            "slope and o W_oᵀ have been added up first and multiplied then: multiply "
            "place by place and channel by channel, then add up",
            _sum_of_each,
        ),
        "slope forgotten": Mistake(
            "the slope of the loss is missing: this is how y changes, not how the loss "
            "does",
            _no_slope,
        ),
        "one picture": Mistake(
            "only the first picture of the batch has been used: add up over all",
            _one_picture,
        ),
    },
    hints=(
        "write s = o W_oᵀ, so that y = x + γ s. How much does one number of y change "
        "where γ does?",
        "one number for the whole block: multiply slope and s, number by number, and "
        "add up over everything.",
        "for W_o the factor γ stays: γ times the sum over pictures and places of slope "
        "⊗ o, torch.einsum('bpc,bpd->cd', slope, o).",
    ),
)
