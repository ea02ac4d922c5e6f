"""Checks of arguments: kinds of numbers, batches, whole numbers, choices.

Each looks at a shape, a dtype or a Python number alone, and costs a call nothing that
could be measured.
"""

from collections.abc import Iterable
from numbers import Integral

import torch
from torch import Tensor

INDICES = (torch.int64, torch.int32)  # the kinds that an embedding reads


def same_dtype(**tensors: Tensor) -> None:
    """Refuse tensors that hold different kinds of numbers, or whole ones.

    Raises
    ------
    TypeError
        If they do: PyTorch would say so too, but not which is which.

    Examples
    --------
    >>> x, y = torch.zeros(2), torch.zeros(2, dtype=torch.float64)
    >>> same_dtype(query=x, key=y)
    Traceback (most recent call last):
        ...
    TypeError: query holds torch.float32, but key holds torch.float64; make them of one
    kind, such as key.to(query.dtype)
    """
    (first, x), *others = tensors.items()
    for name, y in others:
        if y.dtype is not x.dtype and not torch.is_autocast_enabled(y.device.type):
            raise TypeError(
                f"{first} holds {x.dtype}, but {name} holds {y.dtype}; make them of "
                f"one kind, such as {name}.to({first}.dtype)"
            )
    if not x.is_floating_point():
        raise TypeError(
            f"{first} holds {x.dtype}, but what is averaged by weights has fractions; "
            f"give {first}.float()"
        )


def like_the_weights(name: str, x: Tensor, weight: Tensor, advice: str = "") -> None:
    """Refuse a tensor of another kind of numbers than the weights it meets.

    Raises
    ------
    TypeError
        If it is of another.
    """
    if x.dtype is not weight.dtype and not torch.is_autocast_enabled(x.device.type):
        advice = advice or f"give {name}.to({weight.dtype}), or model.to({x.dtype})"
        raise TypeError(
            f"{name} holds {x.dtype}, but the weights are {weight.dtype}; {advice}"
        )


def indices(name: str, x: Tensor, what: str = "the numbers of tokens") -> None:
    """Refuse what cannot be looked up in a table, or counted.

    Raises
    ------
    TypeError
        If ``x`` is no tensor, or does not hold int64 or int32.
    """
    if not isinstance(x, Tensor):
        raise TypeError(
            f"{name} is of type {type(x).__name__}, but is to be a tensor of {what}: "
            f"torch.tensor({name})"
        )
    if x.dtype not in INDICES:
        raise TypeError(
            f"{name} holds {x.dtype}, but {what} are integers; give {name}.long()"
        )


def same_batch(source: Tensor, target_in: Tensor) -> None:
    """Refuse another number of targets than of sources.

    Raises
    ------
    ValueError
        If there is not one target for each source.
    """
    if len(source) != len(target_in):
        raise ValueError(
            f"source has batch = {len(source)}, but target_in has batch = "
            f"{len(target_in)}; give one target for each source"
        )


def whole(least: int, **numbers: int) -> None:
    """Refuse a number that is not whole, or too small.

    Raises
    ------
    TypeError
        If it is not whole.
    ValueError
        If it is below ``least``.

    Examples
    --------
    >>> whole(1, patch=2.0)
    Traceback (most recent call last):
        ...
    TypeError: patch is 2.0, but must be a whole number
    """
    for name, number in numbers.items():
        if not isinstance(number, Integral):
            raise TypeError(f"{name} is {number!r}, but must be a whole number")
        if number < least:
            raise ValueError(f"{name} must be at least {least}, not {number}")


def heads_divide(d_model: int, heads: int) -> None:
    """Refuse a number of heads that can't share the width of a token.

    Raises
    ------
    ValueError
        If ``heads`` does not divide ``d_model``, or one is below 1.
    TypeError
        If one is not whole.
    """
    whole(1, d_model=d_model, heads=heads)
    if d_model % heads:
        raise ValueError(
            f"heads = {heads} does not divide d_model = {d_model}: every head gets "
            "the same number of features; choose another number of heads"
        )


def one_of(name: str, given: str, known: Iterable[str], *, who: str) -> None:
    """Refuse what is not among the choices; ``who`` says whose they are.

    Raises
    ------
    ValueError
        If it is not.

    Examples
    --------
    >>> one_of("activation", "tanh", ("relu", "gelu"), who="the layers know")
    Traceback (most recent call last):
        ...
    ValueError: activation is 'tanh', but the layers know 'relu', 'gelu'
    """
    if given not in (choices := tuple(known)):
        said = ", ".join(map(repr, choices))
        raise ValueError(f"{name} is {given!r}, but {who} {said}")


def share_dropped(dropout: float) -> None:
    """Refuse a share of numbers to drop that leaves none, or less than none.

    Raises
    ------
    ValueError
        If ``dropout`` is not a probability below 1.
    """
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout must be from 0 to below 1, not {dropout}")


def height_and_width(**sizes: tuple[int, int]) -> None:
    """Refuse what is not two whole numbers, each at least 1.

    Raises
    ------
    TypeError
        If it is one number, or one of the two is not whole.
    ValueError
        If there are not two, or one is below 1.

    Examples
    --------
    >>> height_and_width(image=16)
    Traceback (most recent call last):
        ...
    TypeError: image is 16, but is two numbers, (height, width); write image=(16, 16)
    """
    for name, size in sizes.items():
        if isinstance(size, int | float):
            raise TypeError(
                f"{name} is {size}, but is two numbers, (height, width); write "
                f"{name}=({size}, {size})"
            )
        if len(size) != 2:
            raise ValueError(f"{name} is {size}, but is two numbers, (height, width)")
        for side in size:
            if not isinstance(side, Integral):
                raise TypeError(f"{name} is {size}, but both must be whole numbers")
        if min(size) < 1:
            raise ValueError(f"{name} is {size}, but both must be at least 1")
