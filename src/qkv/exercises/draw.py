"""Arguments for exercises: the same at each call, whatever the session has drawn."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def normal(*shape: int, seed: int = 0) -> Float[Tensor, "..."]:
    """Numbers around 0, in single precision whatever the session's default is."""
    source = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=source, dtype=torch.float32)


def ids(*shape: int, high: int, seed: int = 0) -> Int[Tensor, "..."]:
    """Whole numbers from 0 to ``high`` − 1."""
    source = torch.Generator().manual_seed(seed)
    return torch.randint(high, shape, generator=source)
