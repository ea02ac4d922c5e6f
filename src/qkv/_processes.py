"""What changes where several processes train one model: DistributedDataParallel's.

Each process has the model and batches of its own, and after each step the mean of all
gradients. A model in one process alone is a company of one: nothing is sent.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

_Found = TypeVar("_Found")


def bare(model: nn.Module) -> nn.Module:
    """Return the model itself, which DistributedDataParallel wraps.

    Examples
    --------
    >>> model = nn.Linear(2, 3)
    >>> bare(model) is model
    True
    """
    return model.module if isinstance(model, DistributedDataParallel) else model


def processes(model: nn.Module) -> int:
    """Return how many processes train the model."""
    if not isinstance(model, DistributedDataParallel):
        return 1
    return dist.get_world_size(model.process_group)


def rank(model: nn.Module) -> int:
    """Return which of the processes this is, from 0."""
    if not isinstance(model, DistributedDataParallel):
        return 0
    return dist.get_rank(model.process_group)


def weighted(model: nn.Module, loss: Tensor, asked: Tensor) -> Tensor:
    r"""Return the loss of this process, weighted by how much its batch asks.

    .. math:: L_r \cdot \frac{n_r \, R}{\sum_{r'} n_{r'}}

    :math:`L_r` is a mean over the :math:`n_r` targets of process r, of R in all. The
    mean of the weighted losses, and so of their gradients, is the mean over all
    targets, as in one process with all batches in one. The mean of the means is not,
    where one asks more than another.
    """
    if processes(model) == 1:
        return loss
    total = asked.to(loss)
    _sum(model, total)
    return loss * asked * processes(model) / total


def mean(model: nn.Module, value: Tensor) -> Tensor:
    """Return the mean of the processes' values: the same in each of them."""
    if processes(model) == 1:
        return value
    total = value.clone()
    _sum(model, total)
    return total / processes(model)


def gathered(model: nn.Module, own: Any) -> list[Any]:
    """Return what each of the processes gives, in their order."""
    given: list[Any] = [own] * processes(model)
    if isinstance(model, DistributedDataParallel):
        dist.all_gather_object(given, own, group=model.process_group)
    return given


def told(model: nn.Module, find: Callable[[], _Found]) -> _Found:
    """Return what the first process finds, which alone looks, and tells the others."""
    if not isinstance(model, DistributedDataParallel):
        return find()
    found: list[Any] = [find() if rank(model) == 0 else None]
    dist.broadcast_object_list(found, group=model.process_group, group_src=0)
    return found[0]


def _sum(model: nn.Module, value: Tensor) -> None:
    if isinstance(model, DistributedDataParallel):
        dist.all_reduce(value, group=model.process_group)
