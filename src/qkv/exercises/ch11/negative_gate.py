"""A block with a negative gate, as the same block with a positive one."""

from functools import partial

from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def turned(
    gamma: float,
    W_o: Float[Tensor, "channel d_v"],
    b_o: Float[Tensor, " channel"],
) -> tuple[float, Float[Tensor, "channel d_v"], Float[Tensor, " channel"]]:
    sign = -1.0 if gamma < 0 else 1.0
    return sign * gamma, sign * W_o, sign * b_o


def _size_alone(gamma, W_o, b_o):
    return abs(gamma), 1 * W_o, 1 * b_o


def _bias_forgotten(gamma, W_o, b_o):
    gate, W, _ = turned(gamma, W_o, b_o)
    return gate, W, 1 * b_o


def _bias_alone(gamma, W_o, b_o):
    gate, _, b = turned(gamma, W_o, b_o)
    return gate, 1 * W_o, b


def _always(gamma, W_o, b_o):
    return abs(gamma), -W_o, -b_o


def _exchanged_signs(gamma, W_o, b_o):
    return -gamma, -W_o, -b_o


def _sign_of_zero(gamma, W_o, b_o):
    sign = (gamma > 0) - (gamma < 0)
    return abs(gamma), sign * W_o, sign * b_o


def _cut_off(gamma, W_o, b_o):
    return max(gamma, 0.0), 1 * W_o, 1 * b_o


def _into_the_matrix(gamma, W_o, b_o):
    return 1.0, gamma * W_o, gamma * b_o


def _gate_stays(gamma, W_o, b_o):
    _, W, b = turned(gamma, W_o, b_o)
    return 1 * gamma, W, b


def _sizes(gamma, W_o, b_o):
    if gamma < 0:
        return -gamma, W_o.abs(), b_o.abs()
    return 1 * gamma, 1 * W_o, 1 * b_o


def _given(gamma: float, channel: int, d_v: int) -> tuple[Tensor | float, ...]:
    return gamma, *draw.normals((channel, d_v), (channel,))


EXERCISE = Exercise(
    id="11.5",
    title="A negative gate",
    minutes=6,
    difficulty=1,
    reference=turned,
    results=("gamma", "W_o", "b_o"),
    cases={
        "a gate of −0.21": partial(_given, -0.21, 5, 3),
        "a gate of 0.23": partial(_given, 0.23, 3, 7),
        "a gate of 0": partial(_given, 0.0, 2, 5),
        "one channel": partial(_given, -0.5, 1, 3),
    },
    mistakes={
        "|γ| alone": Mistake(
            "the gate has become positive and all else is as it was: what was taken "
            "away is added now, which is another function (proposed in "
            "heykeetae/Self-Attention-GAN #60)",
            _size_alone,
        ),
        "bias forgotten": Mistake(
            "W_o has been turned, and its bias not: γ multiplies both of them",
            _bias_forgotten,
        ),
        "bias alone": Mistake(
            "the bias has been turned, and W_o not: γ multiplies both of them",
            _bias_alone,
        ),
        "turned always": Mistake(
            "W_o and b_o have been turned where the gate was positive, too: nothing "
            "was to change there",
            _always,
        ),
        "a positive gate turned": Mistake(
            "where the gate was positive it has become negative: only a negative one "
            "is to be turned, with W_o and b_o",
            _exchanged_signs,
        ),
        "the sign of 0": Mistake(
            "where the gate is 0, W_o and b_o have become 0 as well, because the sign "
            "of 0 is 0. Then nothing is left to be learnt: with γ = 0 and W_o = 0 no "
            "gradient reaches either of them",
            _sign_of_zero,
        ),
        "cut off": Mistake(
            "a negative gate has been set to 0: the block does nothing any more. A "
            "negative one has learnt as much as a positive one",
            _cut_off,
        ),
        "into the matrix": Mistake(
            "γ has been multiplied into W_o, and is 1 now: the function is the same, "
            "but the gate was to keep its size",
            _into_the_matrix,
        ),
        "gate stays": Mistake(
            "W_o and b_o have been turned, and the gate has its sign still: so the "
            "block takes away what it has added. Turn both",
            _gate_stays,
        ),
        "all without a sign": Mistake(
            "every number of W_o and b_o has lost its sign: each is to change it, the "
            "negative ones become positive and the positive ones negative",
            _sizes,
        ),
    },
    hints=(
        "γ · (W_o o + b_o): which two factors may change their sign together?",
        "only where the gate is negative: return −γ, −W_o and −b_o there.",
    ),
)
