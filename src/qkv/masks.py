"""Masks: which keys each query may attend to.

A mask is a boolean tensor, "*batch query key" or broadcast to it, and **True means may
attend**, in every function of the book. PyTorch itself knows two senses: True is *may
attend* in ``F.scaled_dot_product_attention``, and *hidden* in the ``key_padding_mask``
and ``attn_mask`` of ``nn.MultiheadAttention``.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from qkv._checks import a_tensor, indices, whole, whole_batch


def causal(
    query: int,
    key: int | None = None,
    *,
    window: int | None = None,
    device: torch.device | str | None = None,
) -> Bool[Tensor, "query key"]:
    r"""Let every token attend to itself and to those before it.

    .. math:: M_{ij} = [\, i' - w < j \le i' \,], \qquad i' = i + n_{key} - n_{query}

    Parameters
    ----------
    query : the number of queries.
    key : the number of keys, as many as queries if not given. Where there are more,
        the queries are the *last* of them, as in a decoder that keeps the keys of the
        tokens it has read.
    window : w, how many of them each token may attend to, itself the last; all if not
        given.

    Raises
    ------
    ValueError
        If there are fewer keys than queries, or less than none, or a window below 1.
    TypeError
        If a number is not whole.

    Notes
    -----
    Vaswani et al. (2017), section 3.2.3; Beltagy et al. (2020) for the window.

    Examples
    --------
    >>> causal(3).int()
    tensor([[1, 0, 0],
            [1, 1, 0],
            [1, 1, 1]], dtype=torch.int32)
    >>> causal(1, 3)
    tensor([[True, True, True]])
    >>> causal(3, window=2).int()
    tensor([[1, 0, 0],
            [1, 1, 0],
            [0, 1, 1]], dtype=torch.int32)
    """
    key = query if key is None else key
    whole(0, query=query, key=key)
    if key < query:
        raise ValueError(
            f"causal wants the queries to be the last of the keys, but there are "
            f"query = {query} and key = {key}; give all the keys, those of the queries "
            "among them"
        )
    everything = torch.ones(query, key, dtype=torch.bool, device=device)
    past = everything.tril(key - query)
    if window is None:
        return past
    whole(1, window=window)
    return past.triu(key - query - window + 1)


def padding(lengths: Int[Tensor, " batch"], key: int) -> Bool[Tensor, "batch 1 key"]:
    r"""Hide from all queries what stands after the end of each sequence.

    .. math:: M_{b1j} = [\, j < \mathrm{length}_b \,]

    Parameters
    ----------
    lengths : how many tokens of each sequence are real; 0 hides them all.
    key : how many there are with the padding, the same for the whole batch.

    Raises
    ------
    ValueError
        If a length is more than ``key``, or negative, or ``lengths`` has not one axis.
    TypeError
        If ``lengths`` does not hold integers.

    Examples
    --------
    >>> padding(torch.tensor([1, 3]), 3)
    tensor([[[ True, False, False]],
    <BLANKLINE>
            [[ True,  True,  True]]])
    """
    if isinstance(lengths, Tensor) and (
        lengths.dtype is torch.bool or lengths.is_floating_point()
    ):
        raise TypeError(
            f"padding wants integers, one length a sequence, but lengths holds "
            f"{lengths.dtype}; from tokens: (tokens != pad).sum(-1)"
        )
    whole(0, key=key)
    indices("lengths", lengths, "lengths of sequences")
    if lengths.ndim != 1:
        raise ValueError(
            f"lengths has shape {tuple(lengths.shape)}, but is one length a sequence, "
            "of a batch: give lengths.flatten()"
        )
    wrong = lengths[(lengths < 0) | (lengths > key)]
    if len(wrong):
        raise ValueError(
            f"a sequence of key = {key} tokens, padding included, cannot have a length "
            f"of {wrong[0].item()}; lengths go from 0 to {key}"
        )
    places = torch.arange(key, device=lengths.device)
    return (places < lengths[:, None]).unsqueeze(-2)


def real_tokens(
    source: Int[Tensor, "batch source"],
    source_lengths: Int[Tensor, " batch"],
    side: str = "source",
) -> Bool[Tensor, "batch source"]:
    """Check the lengths; return True where a source has a token, not padding.

    ``side`` is what errors call it, "source" or "prompt".

    Raises
    ------
    ValueError
        If there is no source, or no batch axis; if there is not one length for each
        source, a length is below 1, or one is more than the source has tokens.
    TypeError
        If the source or the lengths are no tensor of integers.

    Examples
    --------
    >>> real_tokens(torch.tensor([[4, 5, 0]]), torch.tensor([2]))
    tensor([[ True,  True, False]])
    """
    indices(side, source)
    whole_batch(side, source, f"batch {side}")
    indices(f"{side}_lengths", source_lengths, f"lengths of {side}s")
    batch, tokens = source.shape
    if source_lengths.shape != (batch,):
        raise ValueError(
            f"{side} has batch = {batch}, but {side}_lengths has shape "
            f"{tuple(source_lengths.shape)}; give one length for each {side}"
        )
    shortest, longest = (bound.item() for bound in source_lengths.aminmax())
    if shortest < 1:
        raise ValueError(
            f"a {side} has length {shortest}, but a model needs at least 1 token to "
            f"read; leave empty {side}s out of the batch"
        )
    if longest > tokens:
        raise ValueError(
            f"{side}_lengths has {longest}, but {side} has only {side} = {tokens} "
            "tokens; count the tokens before padding"
        )
    return torch.arange(tokens, device=source.device) < source_lengths.unsqueeze(1)


def combined(first: Bool[Tensor, "..."], *others: Bool[Tensor, "..."]) -> Tensor:
    """Let a query attend to what every one of the masks lets it attend to.

    Raises
    ------
    ValueError
        If the masks' shapes do not broadcast to each other.
    TypeError
        If a mask is not boolean.

    Examples
    --------
    >>> combined(causal(3), padding(torch.tensor([2]), 3)).int()
    tensor([[[1, 0, 0],
             [1, 1, 0],
             [1, 1, 0]]], dtype=torch.int32)
    """
    _boolean(first)
    for other in others:
        _boolean(other)
        try:
            first = first & other
        except RuntimeError:
            raise ValueError(
                f"masks of shapes {tuple(first.shape)} and {tuple(other.shape)} do not "
                "broadcast to each other; every mask is '*batch query key', with 1 for "
                "an axis along which it is the same: mask.unsqueeze(-2) for a padding "
                "mask 'batch key'"
            ) from None
    return first


def fitting(mask: Tensor, scores_shape: Sequence[int]) -> Bool[Tensor, "..."]:
    """Check that a mask fits scores of that shape, and return it.

    Raises
    ------
    ValueError
        If it does not broadcast to ``scores_shape``, ``"*batch query key"``.
    TypeError
        If it is not boolean: a mask of numbers has a sense of its own, to be added to
        the scores (0 and -∞) or to be made boolean (1 and 0), and the error says which.
        Or if it is no tensor, or a sparse one.

    Examples
    --------
    >>> fitting(causal(3), (2, 3, 3)).shape
    torch.Size([3, 3])
    """
    _boolean(mask)
    try:
        mask.expand(scores_shape)
    except RuntimeError:
        raise ValueError(
            f"mask has shape {tuple(mask.shape)} and does not broadcast to scores "
            f"'*batch query key' = {tuple(scores_shape)}; a padding mask 'batch key' "
            "needs a query axis: mask.unsqueeze(-2)"
        ) from None
    return mask


def _boolean(mask: Tensor) -> None:
    a_tensor("mask", mask)
    if mask.layout is not torch.strided:
        raise TypeError(
            f"mask is sparse, {mask.layout}, but scores have a place for every key; "
            "give mask.to_dense()"
        )
    if mask.dtype is torch.bool:
        return
    if mask.isneginf().any():
        found = "0 and -inf, to be added to the scores; write mask == 0"
    elif ((mask == 0) | (mask == 1)).all():
        found = "0 and 1; write mask.bool(), or ~mask.bool() if 1 marks the hidden"
    else:
        found = "other numbers than 0 and 1: a bias, which belongs to the scores"
    raise TypeError(
        f"mask holds {mask.dtype}, but a mask is torch.bool, True where a query may "
        f"attend; this one holds {found}"
    )
