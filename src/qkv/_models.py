"""What is done with any model: its tensors are brought to it, its mode is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class Model(Protocol):
    """What every ``nn.Module`` has, and is asked of any model here."""

    training: bool

    def train(self, mode: bool = True) -> Any:
        """Switch to training, or to evaluation."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield what is learned."""


def beside(model: Model, *tensors: Tensor) -> tuple[Tensor, ...]:
    """Return the tensors on the device of the model's parameters.

    Where a model has no parameter they stay where they are.

    Examples
    --------
    >>> import torch
    >>> model = nn.Linear(2, 3, device="meta")
    >>> [x.device.type for x in beside(model, torch.ones(5, 2), torch.ones(5))]
    ['meta', 'meta']
    """
    weight = next(model.parameters(), None)
    return tensors if weight is None else tuple(x.to(weight.device) for x in tensors)


@contextmanager
def in_mode(model: Model, *, training: bool) -> Iterator[None]:
    """Put a model into a mode, and then back into the one it was in."""
    before = model.training
    model.train(training)
    try:
        yield
    finally:
        model.train(before)
