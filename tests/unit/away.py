"""A device that is not here: its tensors are the CPU's, but refuse to meet the CPU's.

So code that would fail on a graphics card, because it leaves a tensor behind or makes
one on the CPU, fails here too. What a card computes in another way is not shown.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "away"
MAY_MEET = ("aten._to_copy", "aten.copy_", "aten.index.Tensor", "aten.index_put_")


class Away(Tensor):
    """A tensor of the other device."""

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> "Away":
        made = Tensor._make_wrapper_subclass(
            cls,
            here.shape,
            strides=here.stride(),
            storage_offset=here.storage_offset(),
            dtype=here.dtype,
            device=torch.device(NAME, 0),
        )
        made.here = here
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        """A file holds numbers and their device, and is read to the CPU anyway."""
        return self.here.__reduce_ex__(protocol)

    def tolist(self) -> Any:
        """Return the numbers, as tensors on any device do."""
        return self.here.tolist()

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        with Dispatch():
            return func(*args, **(kwargs or {}))


class Dispatch(TorchDispatchMode):
    """Compute on the CPU, and bring what comes out to the device of what went in."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        given = tree_leaves((args, kwargs))
        away = [x for x in given if isinstance(x, Away)]
        to = next((x for x in given if isinstance(x, torch.device)), None)
        if away and to is None and not str(func).startswith(MAY_MEET):
            tensors = [x for x in given if isinstance(x, Tensor)]
            strangers = [x for x in tensors if not isinstance(x, Away) and x.ndim]
            if strangers:
                raise RuntimeError(
                    f"{func}: expected all tensors to be on the same device, but one "
                    f"of shape {tuple(strangers[0].shape)} is on the CPU"
                )
        before = {id(x.here): x for x in away}
        made = func(*tree_map(_here, args), **tree_map(_here, kwargs or {}))
        leaves = to.type == NAME if to is not None else bool(away)
        if str(func).startswith("aten.copy_"):
            leaves = isinstance(args[0], Away)

        def brought(x: Any) -> Any:
            if not (isinstance(x, Tensor) and leaves):
                return x
            return before[id(x)] if id(x) in before else Away(x)

        return tree_map(brought, made)


def _here(x: Any) -> Any:
    if isinstance(x, torch.device) and x.type == NAME:
        return torch.device("cpu")
    return x.here if isinstance(x, Away) else x


@cache
def _register() -> None:
    _setup_privateuseone_for_python_backend(NAME)


@contextmanager
def another_device() -> Iterator[Callable[[Any], Any]]:
    """Give a way to bring a model or a tensor to the other device."""
    _register()
    with Dispatch():
        yield lambda what: what.to(NAME)
