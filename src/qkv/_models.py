"""What is done with any model: its tensors are brought to it, its mode is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class Model(Protocol):
    """What every ``nn.Module`` has, and is asked of any model here."""

    def modules(self) -> Iterator[nn.Module]:
        """Yield the model and all modules in it."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield what is learned."""


def beside(model: Model, *tensors: Tensor) -> tuple[Tensor, ...]:
    """Return the tensors on the device of the model's parameters.

    Where a model has no parameter they stay where they are.

    Raises
    ------
    TypeError
        If one is a list, an array, or anything else that cannot be brought.

    Examples
    --------
    >>> import torch
    >>> model = nn.Linear(2, 3, device="meta")
    >>> [x.device.type for x in beside(model, torch.ones(5, 2), torch.ones(5))]
    ['meta', 'meta']
    """
    for place, x in enumerate(tensors):
        if not hasattr(x, "to"):
            raise TypeError(
                f"input {place} of the model is of type {type(x).__name__}, but is to "
                "be a tensor: torch.tensor(...)"
            )
    weight = next(model.parameters(), None)
    return tensors if weight is None else tuple(x.to(weight.device) for x in tensors)


@contextmanager
def in_mode(model: Model, *, training: bool) -> Iterator[None]:
    """Put a model into a mode, and then each of its modules into its own again.

    Examples
    --------
    >>> model = nn.Sequential(nn.Dropout(), nn.Dropout().eval())
    >>> with in_mode(model, training=False):
    ...     print([module.training for module in model])
    [False, False]
    >>> [module.training for module in model]
    [True, False]
    """
    others = [module for module in model.modules() if module.training is not training]
    for module in others:
        module.training = training
    try:
        yield
    finally:
        for module in others:
            module.training = not training
