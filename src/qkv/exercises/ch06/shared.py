"""What several exercises of chapter 6 are made of."""

import torch
from jaxtyping import Bool
from torch import Tensor

ZERO_TIMES_INFINITY = (
    "0 · (−∞) is NaN, so that the open places are spoilt by the hidden ones' "
    "infinity. Choose with masked_fill or torch.where; do not multiply"
)


def causal_mask(length: int) -> Bool[Tensor, "query key"]:
    return torch.ones(length, length, dtype=torch.bool).tril()


def band(length: int, *, behind: int, ahead: int) -> Bool[Tensor, "query key"]:
    """True from so many keys behind the query to so many ahead of it."""
    everything = torch.ones(length, length, dtype=torch.bool)
    return everything.tril(ahead).triu(-behind)


def real_keys(lengths: Tensor, key: int) -> Bool[Tensor, "batch key"]:
    """True where a sentence has a token, False in its padding."""
    return torch.arange(key) < lengths[:, None]
