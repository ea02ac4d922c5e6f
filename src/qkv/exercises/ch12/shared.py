"""What several exercises of chapter 12 are made of."""

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from qkv.exercises import draw
from qkv.experts import places


def best(logits: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The weights of the k best of each row, and which they are."""
    weights, chosen = logits.softmax(-1).topk(k)
    return weights, chosen


def mix(x, weights, chosen, up, down, *, activate=torch.relu):
    """What the chosen networks say, each by its weight, added up in their loop."""
    output = torch.zeros_like(x)
    for number in range(len(up)):
        token, choice = (chosen == number).nonzero(as_tuple=True)
        said = activate(x[token] @ up[number]) @ down[number]
        output = output.index_add(0, token, weights[token, choice, None] * said)
    return output


def networks(expert: int, d_model: int, d_ff: int) -> tuple[Tensor, Tensor]:
    """The two weights of each expert, up to d_ff and down again."""
    up = draw.normal(expert, d_model, d_ff, seed=3)
    return up, draw.normal(expert, d_ff, d_model, seed=4)


def shares(chosen: Tensor, experts: int) -> Tensor:
    """How often each expert is chosen, a token: over all axes but the first."""
    return one_hot(chosen, experts).float().sum(-2).flatten(1, -2).mean(1)


def room(tokens: int, experts: int, capacity: float) -> int:
    """How many tokens each expert takes, rounded up and no further."""
    return places(tokens, experts, capacity=capacity)
