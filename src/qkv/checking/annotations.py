"""The axes of arguments and results, read from a function's annotations."""

import inspect
from collections.abc import Callable
from typing import Any, get_args, get_origin


def axes_taken(function: Callable) -> dict[str, str]:
    """Return the axes of each argument that must be given, by its name.

    Examples
    --------
    >>> from jaxtyping import Float, Int
    >>> from torch import Tensor
    >>> def embed(
    ...     ids: Int[Tensor, "batch token"], table: Float[Tensor, "vocab d"], scale=1
    ... ) -> Float[Tensor, "batch token d"]: ...
    >>> axes_taken(embed)
    {'ids': 'batch token', 'table': 'vocab d'}
    """
    given = inspect.signature(function).parameters.values()
    return {p.name: _axes(p.annotation) for p in given if _is_asked_for(p)}


def axes_returned(function: Callable) -> tuple[str, ...]:
    """Return the axes of each result, of one or of a tuple of several.

    Examples
    --------
    >>> from jaxtyping import Bool
    >>> from torch import Tensor
    >>> def masks(length: int) -> tuple[float, Bool[Tensor, "batch query=1 key"]]: ...
    >>> axes_returned(masks)
    ('', 'batch query key')
    """
    result = inspect.signature(function).return_annotation
    several = get_origin(result) is tuple
    return tuple(map(_axes, get_args(result) if several else (result,)))


def axis_names(axes: str, ndim: int) -> list[str]:
    """Return a name for each axis: ``*batch`` in front is all that the others leave.

    Examples
    --------
    >>> axis_names("*batch query key", 4)
    ['batch', 'batch', 'query', 'key']
    """
    if not axes.startswith("*"):
        return axes.split()
    first, *rest = axes.removeprefix("*").split()
    return [first] * (ndim - len(rest)) + rest


def _is_asked_for(parameter: inspect.Parameter) -> bool:
    required = parameter.default is inspect.Parameter.empty
    return required and parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD


def _axes(annotation: Any) -> str:
    """The words of a tensor's shape; of ``query=1``, the name alone."""
    words = getattr(annotation, "dim_str", "").split()
    return " ".join(word.partition("=")[0] for word in words)
