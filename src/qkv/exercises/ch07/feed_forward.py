"""The feed-forward network."""

from collections.abc import Callable
from functools import partial

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def feed_forward(
    x: Float[Tensor, "*batch token d_model"],
    W_1: Float[Tensor, "d_ff d_model"],
    b_1: Float[Tensor, " d_ff"],
    W_2: Float[Tensor, "d_model d_ff"],
    b_2: Float[Tensor, " d_model"],
    *,
    bend: Callable[[Tensor], Tensor] = F.relu,
) -> Float[Tensor, "*batch token d_model"]:
    return F.linear(bend(F.linear(x, W_1, b_1)), W_2, b_2)


def _straight(h):
    return h


def _network(*batch: int, token: int, d_model: int, d_ff: int) -> tuple:
    shapes = (*batch, token, d_model), (d_ff, d_model), (d_ff,), (d_model, d_ff)
    return draw.normals(*shapes, (d_model,))


EXERCISE = Exercise(
    id="7.1",
    title="Work on each token alone",
    minutes=4,
    difficulty=1,
    reference=feed_forward,
    cases={
        "as wide inside as outside": partial(_network, 2, token=3, d_model=5, d_ff=5),
        "every size different": partial(_network, 2, token=3, d_model=5, d_ff=11),
        "a batch of one and one token": partial(
            _network, 1, token=1, d_model=3, d_ff=7
        ),
        "no batch": partial(_network, token=7, d_model=5, d_ff=2),
    },
    mistakes={
        "no b_1": Mistake(
            "b_1 is not used: every unit bends at 0",
            lambda x, W_1, b_1, W_2, b_2: feed_forward(x, W_1, 0 * b_1, W_2, b_2),
        ),
        "no b_2": Mistake(
            "b_2 is not used; the second layer has a bias, too",
            lambda x, W_1, b_1, W_2, b_2: feed_forward(x, W_1, b_1, W_2, 0 * b_2),
        ),
        "W not transposed": Mistake(
            "the matrices have been used the wrong way round: with tokens in rows, "
            "W x is written x @ W.T. It fails in sight only where d_ff and d_model "
            "differ",
            lambda x, W_1, b_1, W_2, b_2: feed_forward(x, W_1.mT, b_1, W_2.mT, b_2),
        ),
        "no ReLU": Mistake(
            "nothing stands between the two layers, and two linear layers in a row "
            "are one linear layer: the width d_ff is wasted",
            partial(feed_forward, bend=_straight),
        ),
        "ReLU last": Mistake(
            "the ReLU comes after the second layer; it belongs between the two. So "
            "they are one layer, and the result could never be negative",
            lambda *given: feed_forward(*given, bend=_straight).relu(),
        ),
        "two ReLUs": Mistake(
            "there is a ReLU after the second layer, too: so the network could only "
            "ever add to a feature, never take from it",
            lambda *given: feed_forward(*given).relu(),
        ),
        "b_1 after the ReLU": Mistake(
            "b_1 has been added after the ReLU; it is what decides from where on a "
            "unit answers, and stands inside",
            lambda x, W_1, b_1, W_2, b_2: F.linear(F.relu(x @ W_1.mT) + b_1, W_2, b_2),
        ),
        "no biases": Mistake(
            "the biases are not used",
            lambda x, W_1, b_1, W_2, b_2: feed_forward(x, W_1, 0 * b_1, W_2, 0 * b_2),
        ),
        "GELU": Mistake(
            "this is a GELU, as in GPT and BERT; the first Transformer has the "
            "plainer max(0, ·)",
            partial(feed_forward, bend=F.gelu),
        ),
        "x added": Mistake(
            "x has been added to the result: the residual connection is exercise "
            "7.3; here the network alone is wanted",
            lambda x, *given: x + feed_forward(x, *given),
        ),
    },
    hints=(
        "two lines: h = x W_1 + b_1 with its negative numbers set to 0, then "
        "h W_2 + b_2.",
        "the matrices have the outputs in their rows, as nn.Linear does: x @ W_1.T. "
        "torch.relu or clamp(min=0) is max(0, ·).",
    ),
)
