"""What the chosen experts say, each by its weight, added up."""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch12.shared import best, mix, networks


def mixed(
    x: Float[Tensor, "token d_model"],
    weights: Float[Tensor, "token choice"],
    chosen: Int[Tensor, "token choice"],
    up: Float[Tensor, "expert d_model d_ff"],
    down: Float[Tensor, "expert d_ff d_model"],
) -> Float[Tensor, "token d_model"]:
    return mix(x, weights, chosen, up, down)


def _said(x, up, down):
    """What every expert says of every token, also those that nobody asked."""
    return torch.stack([(x @ u).relu() @ d for u, d in zip(up, down, strict=True)], 1)


def _asked_all(x, weights, chosen, up, down):
    gate = torch.zeros(len(x), len(up)).scatter(1, chosen, weights)
    return (gate[..., None] * _said(x, up, down)).sum(1)


def _last_alone(x, weights, chosen, up, down):
    output = torch.zeros_like(x)
    for number in range(len(up)):
        token, choice = (chosen == number).nonzero(as_tuple=True)
        said = (x[token] @ up[number]).relu() @ down[number]
        output[token] = weights[token, choice, None] * said
    return output


def _experts_column(x, weights, chosen, up, down):
    output = torch.zeros_like(x)
    for number in range(len(up)):
        token, _ = (chosen == number).nonzero(as_tuple=True)
        said = (x[token] @ up[number]).relu() @ down[number]
        output = output.index_add(0, token, weights[token, number, None] * said)
    return output


def _first_rows(x, weights, chosen, up, down):
    output = torch.zeros_like(x)
    for number in range(len(up)):
        token, choice = (chosen == number).nonzero(as_tuple=True)
        said = (x[: len(token)] @ up[number]).relu() @ down[number]
        output = output.index_add(0, token, weights[token, choice, None] * said)
    return output


def _first_choice(x, weights, chosen, up, down):
    return mix(x, weights[:, :1], chosen[:, :1], up, down)


def _routed(k: int, token: int, expert: int, d_model: int, d_ff: int) -> tuple:
    weights, chosen = best(draw.normal(token, expert, seed=1), k)
    x = draw.normal(token, d_model)
    return x, weights, chosen, *networks(expert, d_model, d_ff)


def _diverged() -> tuple:
    """No token has chosen expert 2, and its weights are NaN."""
    x, weights, _, up, down = _routed(2, 5, 3, 7, 11)
    chosen = torch.tensor([[0, 1], [1, 0], [1, 0], [0, 1], [1, 0]])
    up[2] = torch.nan
    return x, weights, chosen, up, down


EXERCISE = Exercise(
    id="12.2",
    title="Ask only those who were chosen",
    minutes=12,
    difficulty=2,
    reference=mixed,
    cases={
        "as many tokens, features and experts, all chosen": partial(
            _routed, 3, 3, 3, 3, 3
        ),
        "every size different": partial(_routed, 2, 7, 5, 3, 11),
        "one expert a token": partial(_routed, 1, 11, 5, 3, 7),
        "an expert that nobody chose has diverged": _diverged,
        "a batch of one token": partial(_routed, 2, 1, 5, 3, 7),
    },
    mistakes={
        "asked all": Mistake(
            "every expert has worked on every token, and those that were not chosen "
            "got a weight of 0. That costs as much as the dense layer; where one has "
            "diverged, 0 · NaN is NaN. Give each expert its own tokens alone",
            _asked_all,
        ),
        "weights forgotten": Mistake(
            "what the experts say has been added up without their weights. No "
            "gradient would reach the router",
            lambda x, weights, *rest: mix(x, torch.ones_like(weights), *rest),
        ),
        "last one alone": Mistake(
            "where a token has several experts, only the one with the highest number "
            "is left: output[token] = … overwrites what an earlier one said. Add to it",
            _last_alone,
        ),
        "first choice alone": Mistake(
            "each token has been worked on by its first choice alone: look for the "
            "expert's number in all columns of chosen",
            _first_choice,
        ),
        "the expert's column": Mistake(
            "the weight has been read from column 0 for expert 0, column 1 for expert "
            "1, …. The columns of weights are choices, best one first: read it where "
            "the expert's number stands in chosen",
            _experts_column,
        ),
        "the first rows": Mistake(
            "each expert has got as many tokens as chose it, but the first ones of "
            "the batch, not those: index x with their numbers",
            _first_rows,
        ),
        "mean": Mistake(
            "the sum has been divided by the number of choices: the weights say "
            "already how much each counts",
            lambda x, weights, *rest: mix(x, weights / weights.shape[1], *rest),
        ),
        "brought to 1": Mistake(
            "the weights have been brought to a sum of 1 once more. What to do with "
            "them is the gate's business: take them as they are given",
            lambda x, weights, *rest: mix(
                x, weights / weights.sum(1, keepdim=True), *rest
            ),
        ),
        "no ReLU": Mistake(
            "there is no ReLU between the two layers of an expert: so it is one "
            "linear map, as wide as it may be",
            lambda *given: mix(*given, activate=lambda hidden: hidden),
        ),
        "residual": Mistake(
            "x itself has been added: the residual connection is around the "
            "sub-layer, not in it (chapter 7)",
            lambda x, *rest: x + mix(x, *rest),
        ),
    },
    hints=(
        "begin with zeros, like x, and go through the experts. Which tokens have "
        "chosen this one, and in which column?",
        "(chosen == number).nonzero(as_tuple=True) returns two tensors of the same "
        "length: the rows and the columns where it is true.",
        "output.index_add(0, token, weights[token, choice, None] * said) adds row "
        "after row to the tokens' own rows.",
    ),
)
