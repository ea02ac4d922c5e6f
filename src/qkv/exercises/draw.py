"""Arguments for exercises: the same at each call, whatever the session has drawn."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def normal(*shape: int, seed: int = 0) -> Float[Tensor, "..."]:
    """Numbers around 0, in single precision whatever the session's default is."""
    return torch.randn(shape, generator=_source(seed), dtype=torch.float32)


def normals(*shapes: tuple[int, ...]) -> tuple[Float[Tensor, "..."], ...]:
    """One tensor of each shape, no two of them alike."""
    return tuple(normal(*shape, seed=n) for n, shape in enumerate(shapes))


def uniform(*shape: int, seed: int = 0) -> Float[Tensor, "..."]:
    """Numbers between 0 and 1, in single precision."""
    return torch.rand(shape, generator=_source(seed), dtype=torch.float32)


def ids(*shape: int, high: int, seed: int = 0) -> Int[Tensor, "..."]:
    """Whole numbers from 0 to ``high`` − 1."""
    return torch.randint(high, shape, generator=_source(seed))


def _source(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
