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

    __torch_dispatch__ = torch._C._disabled_torch_dispatch_impl


class Dispatch(TorchDispatchMode):
    """Compute on the CPU, and bring what comes out to the device of what went in."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        given = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        away = [x for x in given if isinstance(x, Away)]
        to = torch.device(kwargs["device"]) if kwargs.get("device") else None
        if to is not None and to.type == NAME:
            kwargs["device"] = torch.device("cpu")
        if away and to is None and not str(func).startswith(MAY_MEET):
            strangers = [x for x in given if not isinstance(x, Away) and x.ndim]
            if strangers:
                raise RuntimeError(
                    f"{func}: expected all tensors to be on the same device, but one "
                    f"of shape {tuple(strangers[0].shape)} is on the CPU"
                )
        before = {id(x.here): x for x in away}
        made = func(*tree_map(_here, args), **tree_map(_here, kwargs))
        leaves = to.type == NAME if to is not None else bool(away)
        if str(func).startswith("aten.copy_"):
            leaves = isinstance(args[0], Away)

        def brought(x: Any) -> Any:
            if not (isinstance(x, Tensor) and leaves):
                return x
            return before.get(id(x)) or Away(x)

        return tree_map(brought, made)


def _here(x: Any) -> Any:
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
