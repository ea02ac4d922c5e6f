"""One step of a GRU."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def gru_step(
    x: Float[Tensor, "batch d_in"],
    h: Float[Tensor, "batch d_hidden"],
    W_r: Float[Tensor, "d_hidden d_in"],
    U_r: Float[Tensor, "d_hidden d_hidden"],
    W_z: Float[Tensor, "d_hidden d_in"],
    U_z: Float[Tensor, "d_hidden d_hidden"],
    W_n: Float[Tensor, "d_hidden d_in"],
    U_n: Float[Tensor, "d_hidden d_hidden"],
) -> Float[Tensor, "batch d_hidden"]:
    r = torch.sigmoid(x @ W_r.mT + h @ U_r.mT)
    z = torch.sigmoid(x @ W_z.mT + h @ U_z.mT)
    n = torch.tanh(x @ W_n.mT + r * (h @ U_n.mT))
    return (1 - z) * n + z * h


def _gates(x, h, W_r, U_r, W_z, U_z) -> tuple[Tensor, Tensor]:
    reset = torch.sigmoid(x @ W_r.mT + h @ U_r.mT)
    return reset, torch.sigmoid(x @ W_z.mT + h @ U_z.mT)


def _swapped_update(x, h, W_r, U_r, W_z, U_z, W_n, U_n):
    r, z = _gates(x, h, W_r, U_r, W_z, U_z)
    return z * torch.tanh(x @ W_n.mT + r * (h @ U_n.mT)) + (1 - z) * h


def _reset_before(x, h, W_r, U_r, W_z, U_z, W_n, U_n):
    r, z = _gates(x, h, W_r, U_r, W_z, U_z)
    return (1 - z) * torch.tanh(x @ W_n.mT + (r * h) @ U_n.mT) + z * h


def _only_U_not_transposed(x, h, W_r, U_r, W_z, U_z, W_n, U_n):
    return gru_step(x, h, W_r, U_r.mT, W_z, U_z.mT, W_n, U_n.mT)


def _no_tanh(x, h, W_r, U_r, W_z, U_z, W_n, U_n):
    r, z = _gates(x, h, W_r, U_r, W_z, U_z)
    return (1 - z) * (x @ W_n.mT + r * (h @ U_n.mT)) + z * h


def _sigmoid_candidate(x, h, W_r, U_r, W_z, U_z, W_n, U_n):
    r, z = _gates(x, h, W_r, U_r, W_z, U_z)
    return (1 - z) * torch.sigmoid(x @ W_n.mT + r * (h @ U_n.mT)) + z * h


def _no_reset(x, h, W_r, U_r, W_z, U_z, W_n, U_n):
    _, z = _gates(x, h, W_r, U_r, W_z, U_z)
    return (1 - z) * torch.tanh(x @ W_n.mT + h @ U_n.mT) + z * h


def _reset_word(x, h, W_r, U_r, W_z, U_z, W_n, U_n):
    r, z = _gates(x, h, W_r, U_r, W_z, U_z)
    return (1 - z) * torch.tanh(r * (x @ W_n.mT + h @ U_n.mT)) + z * h


def _old_state_lost(x, h, W_r, U_r, W_z, U_z, W_n, U_n):
    r, z = _gates(x, h, W_r, U_r, W_z, U_z)
    return (1 - z) * torch.tanh(x @ W_n.mT + r * (h @ U_n.mT))


def _gru_inputs(batch: int, d_in: int, d_hidden: int) -> tuple:
    word, state = (d_hidden, d_in), (d_hidden, d_hidden)
    shapes = [(batch, d_in), (batch, d_hidden), *[word, state] * 3]
    return draw.normals(*shapes)


EXERCISE = Exercise(
    id="0.6",
    title="One step of the GRU",
    minutes=8,
    difficulty=2,
    reference=gru_step,
    cases={
        "words as wide as the state": partial(_gru_inputs, 3, 5, 5),
        "words narrower than the state": partial(_gru_inputs, 5, 3, 7),
        "a batch of one": partial(_gru_inputs, 1, 2, 3),
    },
    mistakes={
        "U not transposed": Mistake(
            "the W are used the right way round, and the U are not: with states in "
            "rows, U h is written h @ U.T. U is square, so nothing fails in sight",
            _only_U_not_transposed,
        ),
        "update gate swapped": Mistake(
            "z and 1 − z have changed places: where z is 1, the old state stays. "
            "(Some papers write it your way round; PyTorch and this chapter do not.)",
            _swapped_update,
        ),
        "reset before the product": Mistake(
            "the reset gate acts on h before U_n does. That is Cho's original GRU, "
            "not wrong in itself; here, as in PyTorch, it acts on U_n h",
            _reset_before,
        ),
        "gates swapped": Mistake(
            "the reset and the update gate have got each other's weights",
            lambda x, h, W_r, U_r, W_z, U_z, W_n, U_n: gru_step(
                x, h, W_z, U_z, W_r, U_r, W_n, U_n
            ),
        ),
        "no tanh": Mistake(
            "the candidate has not gone through tanh: it is not bounded, and neither "
            "is the state",
            _no_tanh,
        ),
        "sigmoid candidate": Mistake(
            "the candidate goes through a sigmoid; only gates do. A state that can "
            "never be negative is half a state",
            _sigmoid_candidate,
        ),
        "no reset": Mistake(
            "the reset gate is computed and then not used: the candidate sees all of "
            "the past",
            _no_reset,
        ),
        "reset on the word": Mistake(
            "the reset gate also acts on W_n x; it decides about the past only, U_n h",
            _reset_word,
        ),
        "old state lost": Mistake(
            "the part z of the old state is missing from the new one",
            _old_state_lost,
        ),
        "not transposed": Mistake(
            "the W have been used the wrong way round: with x in rows, W x is "
            "written x @ W.T",
            lambda x, h, W_r, U_r, W_z, U_z, W_n, U_n: gru_step(
                x, h, W_r.mT, U_r, W_z.mT, U_z, W_n.mT, U_n
            ),
        ),
        "none transposed": Mistake(
            "the W and U have been used the wrong way round: with x and h in rows, "
            "W x is written x @ W.T, and U h is h @ U.T",
            lambda x, h, W_r, U_r, W_z, U_z, W_n, U_n: gru_step(
                x, h, W_r.mT, U_r.mT, W_z.mT, U_z.mT, W_n.mT, U_n.mT
            ),
        ),
    },
    hints=(
        "take the four lines of the formula in their order: r, z, n, the new state.",
        "each sentence is a row of x, and a row is multiplied by W as x @ W.T.",
        "the products with r, z and 1 − z go number by number: *, not @.",
    ),
    instead=("gru_cell",),
)
