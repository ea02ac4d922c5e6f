"""An encoder layer, wired from its parts."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw

Part = Callable[[Tensor], Tensor]


def _pre_norm(x: Tensor, attention: Part, network: Part, norm: Part) -> Tensor:
    x = x + attention(norm(x))
    return x + network(norm(x))


def encoder_layer(
    x: Float[Tensor, "batch token d_model"],
    W: Float[Tensor, "three d_model d_model"],
    W_1: Float[Tensor, "d_ff d_model"],
    b_1: Float[Tensor, " d_ff"],
    W_2: Float[Tensor, "d_model d_ff"],
    b_2: Float[Tensor, " d_model"],
    *,
    wire: Callable[[Tensor, Part, Part, Part], Tensor] = _pre_norm,
    bend: Part = torch.relu,
) -> Float[Tensor, "batch token d_model"]:
    """The layer, with the parts wired in one way or another."""

    def norm(x):
        return F.layer_norm(x, x.shape[-1:])

    def attention(x):
        q, k, v = x @ W.mT.unsqueeze(1)
        return F.scaled_dot_product_attention(q, k, v)

    def network(x):
        return F.linear(bend(F.linear(x, W_1, b_1)), W_2, b_2)

    return wire(x, attention, network, norm)


def _post_norm(x, attention, network, norm):
    x = norm(x + attention(x))
    return norm(x + network(x))


def _no_way_around_attention(x, attention, network, norm):
    x = attention(norm(x))
    return x + network(norm(x))


def _no_way_around_the_network(x, attention, network, norm):
    x = x + attention(norm(x))
    return network(norm(x))


def _overwritten(x, attention, network, norm):
    x = norm(x)
    x = x + attention(x)
    x = norm(x)
    return x + network(x)


def _from_the_first_x(x, attention, network, norm):
    return x + network(norm(x + attention(norm(x))))


def _side_by_side(x, attention, network, norm):
    z = norm(x)
    return x + attention(z) + network(z)


def _one_norm(x, attention, network, norm):
    x = x + attention(norm(x))
    return x + network(x)


def _network_first(x, attention, network, norm):
    x = x + network(norm(x))
    return x + attention(norm(x))


def _layer(*, batch: int, token: int, d_model: int, d_ff: int) -> tuple:
    shapes = (batch, token, d_model), (3, d_model, d_model), (d_ff, d_model), (d_ff,)
    x, W, W_1, b_1, W_2, b_2 = draw.normals(*shapes, (d_model, d_ff), (d_model,))
    return 3 * x + 1, W, W_1, b_1, W_2, b_2


EXERCISE = Exercise(
    id="7.3",
    title="An encoder layer",
    minutes=8,
    difficulty=2,
    reference=encoder_layer,
    cases={
        "as wide inside as outside": partial(
            _layer, batch=2, token=3, d_model=5, d_ff=5
        ),
        "every size different": partial(_layer, batch=2, token=3, d_model=5, d_ff=11),
        "a batch of one and one token": partial(
            _layer, batch=1, token=1, d_model=3, d_ff=7
        ),
    },
    mistakes={
        "post-norm": Mistake(
            "this is post-norm, with the norm around each sum; here the sum stays as "
            "it is, and only what goes into a sub-layer is normalised",
            partial(encoder_layer, wire=_post_norm),
        ),
        "no way around the attention": Mistake(
            "nothing goes around the attention: what it does not say again is lost. "
            "Add its result to the x that was there before",
            partial(encoder_layer, wire=_no_way_around_attention),
        ),
        "no way around the network": Mistake(
            "nothing goes around the network: what it does not say again is lost. Add "
            "its result to the x that was there before",
            partial(encoder_layer, wire=_no_way_around_the_network),
        ),
        "x overwritten by the norm": Mistake(
            "what goes around is LN(x) and not x. (x = norm(x) overwrites what the "
            "next line adds.) Give the norm a name of its own, or none",
            partial(encoder_layer, wire=_overwritten),
        ),
        "the first x added twice": Mistake(
            "around the network goes the x from before the attention; what the "
            "attention found reaches the result through the network alone",
            partial(encoder_layer, wire=_from_the_first_x),
        ),
        "side by side": Mistake(
            "attention and network are both told the same x, side by side. (Some "
            "large models do this.) Here the network works on what the attention has "
            "brought",
            partial(encoder_layer, wire=_side_by_side),
        ),
        "one norm": Mistake(
            "the network is told x without a norm; each sub-layer has one of its own",
            partial(encoder_layer, wire=_one_norm),
        ),
        "network first": Mistake(
            "the network comes first and the attention second; it is the other way "
            "round",
            partial(encoder_layer, wire=_network_first),
        ),
        "no ReLU": Mistake(
            "nothing stands between the two matrices of the network, so that they are "
            "one matrix: max(0, ·) comes between them",
            partial(encoder_layer, bend=lambda h: h),
        ),
        "b_1 forgotten": Mistake(
            "b_1 is not used: it decides from where on a unit of the network answers",
            lambda x, W, W_1, b_1, *rest: encoder_layer(x, W, W_1, 0 * b_1, *rest),
        ),
        "b_2 forgotten": Mistake(
            "b_2 is not used: it is added to what the network says",
            lambda x, W, W_1, b_1, W_2, b_2: encoder_layer(
                x, W, W_1, b_1, W_2, 0 * b_2
            ),
        ),
    },
    hints=(
        "it has two sub-layers, so two lines of the form x = x + sub-layer(norm(x)).",
        "the first sub-layer is attention(...), the second the network: "
        "torch.relu(z @ W_1.T + b_1) @ W_2.T + b_2 of the normalised z.",
        "x = x + attention(norm(x)), and then the network on norm of this new x, "
        "added to this new x.",
    ),
)
