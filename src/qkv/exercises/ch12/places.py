"""A layer whose experts have places for so many tokens."""

import math
from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import one_hot

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch12.shared import room


def with_places(
    x: Float[Tensor, "token d_model"],
    said: Float[Tensor, "token d_model"],
    weight: Float[Tensor, " token"],
    chosen: Int[Tensor, " token"],
    experts: int,
    capacity: float,
) -> Float[Tensor, "token d_model"]:
    first = _place(chosen, experts) < room(len(x), experts, capacity)
    return torch.where(first[:, None], weight[:, None] * said, 0.0)


def _place(chosen, experts):
    """How many tokens before this one have chosen the same expert."""
    counts = one_hot(chosen, experts).cumsum(0)
    return counts.gather(1, chosen[:, None])[:, 0] - 1


def _with(first: Callable, x, said, weight, chosen, experts, capacity):
    keeps = first(x, weight, chosen, experts, capacity)
    return (weight * keeps)[:, None] * said


def _rounded_down(x, weight, chosen, experts, capacity):
    return _place(chosen, experts) < math.floor(capacity * len(x) / experts)


def _one_too_many(x, weight, chosen, experts, capacity):
    return _place(chosen, experts) <= room(len(x), experts, capacity)


def _of_all(x, weight, chosen, experts, capacity):
    return torch.arange(len(x)) < room(len(x), experts, capacity)


def _not_shared_out(x, weight, chosen, experts, capacity):
    return _place(chosen, experts) < math.ceil(capacity * len(x))


def _last_ones(x, weight, chosen, experts, capacity):
    place = _place(chosen.flip(0), experts).flip(0)
    return place < room(len(x), experts, capacity)


def _heaviest(x, weight, chosen, experts, capacity):
    order = weight.argsort(descending=True)
    place = torch.empty_like(chosen)
    place[order] = _place(chosen[order], experts)
    return place < room(len(x), experts, capacity)


def _nobody_dropped(x, weight, chosen, experts, capacity):
    return torch.ones_like(weight)


def _own_input(by_weight: bool, x, said, weight, chosen, experts, capacity):
    first = _place(chosen, experts) < room(len(x), experts, capacity)
    instead = weight[:, None] * x if by_weight else x
    return torch.where(first[:, None], weight[:, None] * said, instead)


def _not_weighed(x, said, weight, chosen, experts, capacity):
    return with_places(x, said, torch.ones_like(weight), chosen, experts, capacity)


def _residual(x, *rest):
    return x + with_places(x, *rest)


def _asked(
    token: int, d_model: int, experts: int, capacity: float, *, skew: int = 0
) -> tuple:
    x, said, scores = draw.normals((token, d_model), (token, d_model), (token,))
    chosen = draw.ids(token, high=experts)
    chosen[: token * skew // 4] = 0
    return x, said, scores.sigmoid(), chosen, experts, capacity


EXERCISE = Exercise(
    id="12.7",
    title="No place left",
    minutes=12,
    difficulty=2,
    reference=with_places,
    cases={
        "just enough places for equal loads": partial(_asked, 11, 3, 5, 1.0),
        "a quarter more": partial(_asked, 23, 5, 3, 1.25, skew=2),
        "far too few": partial(_asked, 17, 3, 2, 0.5, skew=3),
        "nearly all choose expert 0": partial(_asked, 13, 2, 7, 1.0, skew=3),
        "places for everybody": partial(_asked, 7, 3, 2, 2.0),
        "a batch of one token": partial(_asked, 1, 5, 3, 1.0),
    },
    mistakes={
        "rounded down": Mistake(
            "the number of places has been rounded down: 11 tokens and 5 experts make "
            "2.2, which is 3 places each. With int() and few tokens there may be no "
            "place at all",
            partial(_with, _rounded_down),
        ),
        "one too many": Mistake(
            "each expert takes one token too many: the first has place 0",
            partial(_with, _one_too_many),
        ),
        "places of the batch": Mistake(
            "the places have been given to the first tokens of the batch, whichever "
            "expert they chose: each expert has as many of its own",
            partial(_with, _of_all),
        ),
        "not shared out": Mistake(
            "each expert has as many places as the whole batch was to share: divide "
            "by the number of experts",
            partial(_with, _not_shared_out),
        ),
        "the last ones": Mistake(
            "each expert takes its last tokens; those that come first keep their place",
            partial(_with, _last_ones),
        ),
        "the heaviest": Mistake(
            "each expert takes the tokens with the largest weights. That is a good "
            "idea (V-MoE calls it batch prioritized routing), but here the first that "
            "come are taken",
            partial(_with, _heaviest),
        ),
        "own input": Mistake(
            "a dropped token gets its own input as a result; and as the residual "
            "connection adds it again, it counts twice. What it gets here is 0",
            partial(_own_input, False),
        ),
        "own input, weighed": Mistake(
            "a dropped token gets its own input times its weight, and the residual "
            "connection adds it again. (So does labml.ai's Switch Transformer; in the "
            "paper such a token passes by the residual alone.) What it gets here is 0",
            partial(_own_input, True),
        ),
        "weight forgotten": Mistake(
            "the right tokens are kept, but what the expert says has not been "
            "multiplied by the weight: no gradient reaches the router",
            _not_weighed,
        ),
        "residual": Mistake(
            "x has been added to all of it: the residual connection is around the "
            "sub-layer, not in it",
            _residual,
        ),
        "nobody dropped": Mistake(
            "nobody has been dropped: count how many tokens before this one have "
            "chosen the same expert",
            partial(_with, _nobody_dropped),
        ),
    },
    hints=(
        "how many tokens before this one have chosen the same expert? one_hot(chosen, "
        "experts).cumsum(0) counts along the batch, for all experts at once.",
        "there are math.ceil(capacity · tokens / experts) places for each expert.",
        "a token without a place gets a row of zeros: multiply by the comparison, or "
        "use torch.where.",
    ),
)
