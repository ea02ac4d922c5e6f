"""Checks of arguments: tensors, kinds of numbers, axes, whole numbers, choices.

Each looks at a type, a shape, a dtype or a Python number alone, and costs a call a
microsecond or less; :func:`finite` alone reads all that is in a tensor, once.
"""

from collections.abc import Iterable
from math import isfinite
from operator import index

import torch
from torch import Tensor

INDICES = (torch.int64, torch.int32)  # the kinds that an embedding reads


def a_tensor(name: str, x: object, what: str = "") -> None:
    """Refuse lists, arrays and numbers where there is to be a tensor.

    Raises
    ------
    TypeError
        If ``x`` is none.

    Examples
    --------
    >>> a_tensor("source", [3, 4, 5], "the numbers of tokens")
    Traceback (most recent call last):
        ...
    TypeError: source is of type list, but is to be a tensor of the numbers of tokens:
    torch.tensor(source)
    """
    if not isinstance(x, Tensor):
        raise TypeError(
            f"{name} is of type {type(x).__name__}, but is to be a tensor"
            f"{f' of {what}' if what else ''}: torch.tensor({name})"
        )


def same_dtype(**tensors: Tensor) -> None:
    """Refuse tensors that hold different kinds of numbers, or whole ones.

    Raises
    ------
    TypeError
        If they do, or one is no tensor: PyTorch would say so too, but not which.

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
    a_tensor(first, x)
    for name, y in others:
        a_tensor(name, y)
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
        If it is of another, or no tensor.
    """
    a_tensor(name, x)
    if x.dtype is not weight.dtype and not torch.is_autocast_enabled(x.device.type):
        advice = advice or f"give {name}.to({weight.dtype}), or model.to({x.dtype})"
        raise TypeError(
            f"{name} holds {x.dtype}, but the weights are {weight.dtype}; {advice}"
        )


def pixels_like(images: Tensor, weight: Tensor) -> None:
    """Refuse pixels of another kind of numbers than the weights that they meet.

    Raises
    ------
    TypeError
        If they are of another, or no tensor.
    """
    advice = ""
    if isinstance(images, Tensor) and not images.is_floating_point():
        advice = "give images.float() / 255, so that pixels run from 0 to 1"
    like_the_weights("images", images, weight, advice)


def indices(name: str, x: Tensor, what: str = "the numbers of tokens") -> None:
    """Refuse what cannot be looked up in a table, or counted.

    Raises
    ------
    TypeError
        If ``x`` is no tensor, or does not hold int64 or int32.

    Examples
    --------
    >>> indices("lengths", torch.ones(3, dtype=torch.uint8), "the numbers of tokens")
    Traceback (most recent call last):
        ...
    TypeError: lengths holds torch.uint8, but the numbers of tokens are torch.int64 or
    torch.int32; give lengths.long()
    """
    a_tensor(name, x, what)
    if x.dtype not in INDICES:
        raise TypeError(
            f"{name} holds {x.dtype}, but {what} are torch.int64 or torch.int32; give "
            f"{name}.long()"
        )


def boolean(name: str, x: Tensor) -> None:
    """Refuse what does not say true or false of each.

    Raises
    ------
    TypeError
        If ``x`` is no tensor, or holds other numbers.

    Examples
    --------
    >>> boolean("visible", torch.ones(2, 3))
    Traceback (most recent call last):
        ...
    TypeError: visible is torch.float32, but must be boolean; give visible.bool(), or
    what it is compared with, visible > 0.5
    """
    a_tensor(name, x)
    if x.dtype is not torch.bool:
        raise TypeError(
            f"{name} is {x.dtype}, but must be boolean; give {name}.bool(), or what it "
            f"is compared with, {name} > 0.5"
        )


def whole_batch(name: str, x: Tensor, axes: str) -> None:
    """Refuse what has no batch axis, another number of axes, or nothing in it.

    ``axes`` are the names of those it is to have: "batch source".

    Raises
    ------
    ValueError
        If it has others, or an axis is empty.
    TypeError
        If ``x`` is no tensor.

    Examples
    --------
    >>> whole_batch("source", torch.tensor([3, 4, 5]), "batch source")
    Traceback (most recent call last):
        ...
    ValueError: source has shape (3,), but its axes are to be 'batch source'; the batch
    axis is missing: one alone is a batch of 1, source.unsqueeze(0)
    """
    a_tensor(name, x)
    wanted = axes.count(" ") + 1
    if x.ndim != wanted:
        advice = "give one axis for each of them"
        if x.ndim == wanted - 1:
            advice = (
                "the batch axis is missing: one alone is a batch of 1, "
                f"{name}.unsqueeze(0)"
            )
        raise ValueError(
            f"{name} has shape {tuple(x.shape)}, but its axes are to be '{axes}'; "
            f"{advice}"
        )
    if 0 in x.shape:
        sizes = zip(axes.split(), x.shape, strict=True)
        axis = next(axis for axis, size in sizes if not size)
        raise ValueError(
            f"{name} has {axis} = 0, but a model needs at least 1 to read; leave out "
            "what is empty"
        )


def axes_at_least(name: str, x: Tensor, axes: str) -> None:
    """Refuse fewer axes than there are names; more may stand where there is a ``*``.

    Raises
    ------
    ValueError
        If there are fewer.
    TypeError
        If ``x`` is no tensor.

    Examples
    --------
    >>> axes_at_least("x", torch.ones(6), "*batch token d_model")
    Traceback (most recent call last):
        ...
    ValueError: x has shape (6,), but its axes are to be '*batch token d_model', at
    least 2
    """
    a_tensor(name, x)
    least = axes.count(" ")  # the axes before the first may be none
    if x.ndim < least:
        raise ValueError(
            f"{name} has shape {tuple(x.shape)}, but its axes are to be '{axes}', at "
            f"least {least}"
        )


def same_batch(source: Tensor, target_in: Tensor) -> None:
    """Refuse another number of targets than of sources.

    Raises
    ------
    ValueError
        If there is not one target for each source.
    TypeError
        If ``target_in`` is no tensor of integers.
    """
    indices("target_in", target_in)
    whole_batch("target_in", target_in, "batch target")
    if len(source) != len(target_in):
        raise ValueError(
            f"source has batch = {len(source)}, but target_in has batch = "
            f"{len(target_in)}; give one target for each source"
        )


def one_token_each(token: Tensor, batch: int) -> None:
    """Refuse anything but one token for each row of a decoder's state.

    Raises
    ------
    ValueError
        If there is another number, or another axis.
    TypeError
        If ``token`` is no tensor.

    Examples
    --------
    >>> one_token_each(torch.tensor([[5], [7]]), 2)
    Traceback (most recent call last):
        ...
    ValueError: token has shape (2, 1), but the state has batch = 2; give one token for
    each row, of shape (2,)
    """
    a_tensor("token", token, "the numbers of tokens")
    if token.shape != (batch,):
        raise ValueError(
            f"token has shape {tuple(token.shape)}, but the state has batch = {batch}; "
            f"give one token for each row, of shape ({batch},)"
        )


def finite(name: str, x: Tensor) -> None:
    """Refuse NaN and infinities in what attention reads.

    Only on a CPU: where another device computes, nothing waits for such a look.

    Raises
    ------
    FloatingPointError
        If there is one.

    Examples
    --------
    >>> finite("key", torch.tensor([[1.0, 2.0], [torch.nan, 0.0]]))
    Traceback (most recent call last):
        ...
    FloatingPointError: key has nan at [1, 0], which attention would spread or lose: a
    weight of 0 times nan is NaN, and the kernel makes 0 of a row of NaN. Put 0 where a
    mask hides it, and else look for where it is from: too large a learning rate, a
    division by 0
    """
    # One number tells of all: a sum of NaN, or of an infinity, is not finite.
    if x.device.type != "cpu" or isfinite(x.detach().sum()):
        return
    wrong = ~x.isfinite()
    if wrong.any():  # and the sum was not only too large
        found, place = x[wrong][0].item(), wrong.nonzero()[0].tolist()
        raise FloatingPointError(
            f"{name} has {found} at {place}, which attention would spread or lose: a "
            f"weight of 0 times {found} is NaN, and the kernel makes 0 of a row of "
            "NaN. Put 0 where a mask hides it, and else look for where it is from: "
            "too large a learning rate, a division by 0"
        )


def whole(least: int, **numbers: int) -> dict[str, int]:
    """Return the numbers as Python's own; refuse one that is not whole, or too small.

    Raises
    ------
    TypeError
        If it is not whole.
    ValueError
        If it is below ``least``.

    Examples
    --------
    >>> whole(1, heads=torch.tensor(3))
    {'heads': 3}
    >>> whole(1, patch=2.0)
    Traceback (most recent call last):
        ...
    TypeError: patch is 2.0, but must be a whole number
    """
    for name, number in numbers.items():
        try:
            numbers[name] = int(index(number))  # True is 1
        except TypeError:
            raise TypeError(
                f"{name} is {number!r}, but must be a whole number"
            ) from None
        if number < least:
            raise ValueError(f"{name} must be at least {least}, not {number}")
    return numbers


def settle(config: object, **settings: object) -> None:
    """Give the fields of a frozen dataclass these values: checked ones, in plain kinds.

    What is written to a file is read again only where it is of Python's own kinds.
    """
    for name, value in settings.items():
        object.__setattr__(config, name, value)


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


def kv_heads_divide(heads: int, kv_heads: int | None) -> int:
    """Return how many heads of keys and values there are: ``heads`` if not given.

    Raises
    ------
    ValueError
        If ``kv_heads`` does not divide ``heads``, or is below 1.
    TypeError
        If it is not whole.

    Examples
    --------
    >>> kv_heads_divide(8, None), kv_heads_divide(8, 2)
    (8, 2)
    """
    if kv_heads is None:
        return heads
    kv_heads = whole(1, kv_heads=kv_heads)["kv_heads"]
    if heads % kv_heads:
        fitting = ", ".join(str(n) for n in range(1, heads + 1) if heads % n == 0)
        raise ValueError(
            f"kv_heads = {kv_heads} does not divide heads = {heads}: each head of keys "
            "and values serves the same number of heads that ask; choose one of "
            f"{fitting}"
        )
    return kv_heads


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


def share_dropped(share: float, name: str = "dropout") -> None:
    """Refuse a share of numbers to drop that leaves none, or less than none.

    Raises
    ------
    ValueError
        If ``share`` is not a probability below 1.
    """
    if not 0 <= share < 1:
        raise ValueError(f"{name} must be from 0 to below 1, not {share}")


def height_and_width(**sizes: tuple[int, int]) -> dict[str, tuple[int, int]]:
    """Return the sizes in Python's own numbers; refuse what is not two whole ones.

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
    return {
        name: two_whole(name, size, "(height, width)") for name, size in sizes.items()
    }


def two_whole(
    name: str, given: tuple[int, int], which: str, *, least: int = 1
) -> tuple[int, int]:
    """Return two numbers as Python's own, or refuse them; ``which`` they are.

    Raises
    ------
    TypeError
        If it is one number, or one of the two is not whole.
    ValueError
        If there are not two, or one is below ``least``.

    Examples
    --------
    >>> two_whole("layers", 3, "(of the encoder, of the decoder)")
    Traceback (most recent call last):
        ...
    TypeError: layers is 3, but is two numbers, (of the encoder, of the decoder); write
    layers=(3, 3)
    """
    try:
        numbers = tuple(given)
    except TypeError:
        raise TypeError(
            f"{name} is {given}, but is two numbers, {which}; write "
            f"{name}=({given}, {given})"
        ) from None
    if len(numbers) != 2:
        raise ValueError(f"{name} is {given}, but is two numbers, {which}")
    try:
        first, second = map(index, numbers)
    except TypeError:
        raise TypeError(f"{name} is {given}, but both must be whole numbers") from None
    if min(first, second) < least:
        raise ValueError(f"{name} is {given}, but both must be at least {least}")
    return first, second
