"""What the widgets with a mask share: reading one, and weights under one."""

from collections.abc import Sequence

import torch
from torch import Tensor

from qkv.widgets.shared.encode import visible

_NAMED = 8


def may_attend(mask: Tensor, tokens: int) -> Tensor:
    """Return a mask as Bool "query key", or say what is wrong with it.

    Examples
    --------
    >>> may_attend(torch.tensor([True, False]), 2)
    tensor([[ True, False],
            [ True, False]])
    """
    if mask.dtype is not torch.bool:
        raise TypeError(
            f"mask holds {mask.dtype}, but a mask is torch.bool, True where a query "
            "may attend; write mask.bool(), or ~mask.bool() if yours marks the hidden"
        )
    try:
        return mask.detach().cpu().expand(tokens, tokens)
    except RuntimeError:
        raise ValueError(
            f"mask has shape {tuple(mask.shape)} and does not broadcast to 'query key' "
            f"= {(tokens, tokens)}"
        ) from None


def softmax(scores: Tensor, may: Tensor | None = None) -> Tensor:
    """Return the softmax over the keys; a row with nothing left is zeros, never NaN.

    Without a mask, what scores minus infinity is what may not be attended to.

    Examples
    --------
    >>> softmax(torch.zeros(2, 2), torch.tensor([[True, True], [False, False]]))
    tensor([[0.5000, 0.5000],
            [0.0000, 0.0000]])
    """
    hidden = scores.isneginf() if may is None else ~may
    return scores.masked_fill(hidden, -torch.inf).softmax(-1).masked_fill(hidden, 0.0)


def look(query: str, key: str, share: float) -> str:
    """Say where a query looks most.

    Examples
    --------
    >>> look("a", "d", 0.75)
    'a looks most at d (0.75)'
    """
    return f"{query} looks most at {key} ({share:.2f})"


def looks(weights: Tensor, queries: Sequence[str], keys: Sequence[str]) -> list[str]:
    """Say of each query where it looks most.

    Examples
    --------
    >>> looks(torch.tensor([[0.25, 0.75], [0.0, 0.0]]), ["a", "b"], ["c", "d"])
    ['a looks most at d (0.75)', 'b may attend to nothing']
    """
    names = [visible(key) for key in keys]
    return [
        look(query, names[int(row.argmax())], float(row.max()))
        if row.any()
        else f"{query} may attend to nothing"
        for query, row in zip(map(visible, queries), weights, strict=True)
    ]


def peaks(weights: Tensor, queries: Sequence[str], keys: Sequence[str]) -> str:
    """Say where the first queries look most.

    Examples
    --------
    >>> peaks(torch.tensor([[0.25, 0.75], [0.0, 0.0]]), ["a", "b"], ["c", "d"])
    'a looks most at d (0.75), b may attend to nothing.'
    """
    said = looks(weights, queries, keys)
    return f"{', '.join(said[:_NAMED])}{', …' if len(said) > _NAMED else '.'}"
