"""Many heads: how numbers are dealt to them, and what each is worth."""

import itertools
from collections.abc import Sequence
from typing import Any

import traitlets
from jaxtyping import Bool, Float, Int
from torch import Tensor

from qkv.widgets.shared.base import Widget, module
from qkv.widgets.shared.encode import crop, listed, number, visible
from qkv.widgets.shared.html import named, page, table

__all__ = ["Heads"]

_LIMIT = 32  # tokens: thousands of numbers are stored for each of them and each head
_OUTPUTS = 64
_DIGITS = 8  # the front end computes the predictions from these, to a millionth

_Parts = Float[Tensor, "head token answer vocab"]
_Base = Float[Tensor, "token answer vocab"]
_Right = Int[Tensor, "token answer"]


class Heads(Widget):
    r"""Split and merge number by number; a trained model's heads, to be switched off.

    The prediction for a token is
    :math:`\mathrm{softmax}(\text{base} + \sum_{\text{heads on}} \text{parts})`, which
    the front end computes as heads are switched.

    Parameters
    ----------
    weights : what each head attends to, ``"head query key"``; queries and keys are the
        same tokens.
    tokens : their names.
    parts : what each head adds to the logits, ``"head token vocab"``, or
        ``"head token answer vocab"`` where several things are asked of a token.
    base : the rest of the logits, of the same shape without heads. What a head adds can
        only be told where nothing but sums stands between the heads and the logits.
    answers : names of what is asked: ``("3 back", "1 ahead")``.
    vocabulary : names of the outputs.
    truth : the right outputs, ``"token answer"`` or ``"token"``, as numbers of the
        vocabulary; 0 is padding: nothing is asked there.

    Raises
    ------
    ValueError
        If weights, tokens, parts, base, names and truth do not fit together, or the
        weights are not those of averages.

    Notes
    -----
    More than 32 tokens are cropped, and the widget says so. ``tab`` chooses what is
    shown first: ``"split"`` or ``"heads"``. Heads, features and positions are counted
    from 1 where they are shown.

    Examples
    --------
    >>> import torch
    >>> weights = torch.stack([torch.eye(3), torch.eye(3).roll(1, 0)])
    >>> Heads(weights, ["a", "b", "c"])
    The attention of 2 heads over 3 tokens, a b c. Head 1 looks at itself (1.00 of its weight), head 2 looks 1 back (0.67).
    """  # noqa: E501

    _esm = module("heads")
    tab = traitlets.Enum(["split", "heads"], "split").tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    follow = traitlets.Unicode("").tag(sync=True)
    weights = traitlets.List().tag(sync=True)
    tokens = traitlets.List().tag(sync=True)
    looks = traitlets.List().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    head = traitlets.Int(0).tag(sync=True)
    token = traitlets.Int(0).tag(sync=True)
    off = traitlets.List().tag(sync=True)
    parts = traitlets.List().tag(sync=True)
    base = traitlets.List().tag(sync=True)
    answers = traitlets.List().tag(sync=True)
    vocabulary = traitlets.List().tag(sync=True)
    truth = traitlets.List().tag(sync=True)

    def __init__(
        self,
        weights: Float[Tensor, "head query key"],
        tokens: Sequence[str],
        *,
        parts: Tensor | None = None,
        base: Tensor | None = None,
        answers: Sequence[str] | None = None,
        vocabulary: Sequence[str] | None = None,
        truth: Tensor | None = None,
    ):
        weights, tokens = weights.detach().cpu(), [str(token) for token in tokens]
        _check(weights, tokens)
        state, worth = {}, []
        if parts is not None or base is not None:
            parts, base = _logits(weights, parts, base)
            names = _names(parts, answers, vocabulary)
            right = None if truth is None else _right(parts, truth)
            worth = [] if right is None else _worth(parts, base, right)
            state = _encode(parts, base, right) | names
        elif any(x is not None for x in (answers, vocabulary, truth)):
            raise ValueError(
                "answers, vocabulary and truth describe predictions, and there are "
                "none: give parts and base, too"
            )
        shown, note = crop(
            weights, ("head", "query", "key"), (len(weights), *[_LIMIT] * 2)
        )
        looks = [_look(head) for head in weights]
        super().__init__(
            weights=listed(shown),
            tokens=tokens[:_LIMIT],
            looks=[[_offset(k), number(share)] for k, share in looks],
            note=note,
            token=min(len(tokens), _LIMIT) // 2,
            alt=_sentence(tokens, looks, worth),
            **state,
        )
        self._worth = worth
        self._weights = weights

    def fallback(self) -> str:
        """Return how much weight each head has where, and what is right without it."""
        looks = [_look(head) for head in self._weights]
        offsets = sorted({k for k, _ in looks})
        names = [named(f"head {i + 1}") for i in range(len(looks))]
        shares = [[_share(head, k) for k in offsets] for head in self._weights]
        shown = table(shares, names, [named(_offset(k)) for k in offsets])
        if not self._worth:
            return page(self.alt, shown)
        rows = [named("all heads"), *(named(f"without {name}") for name in names)]
        right = table(self._worth, rows, list(map(named, self.answers)))
        return page(self.alt, shown, "<p>The share of right answers:</p>", right)


def _check(weights: Tensor, tokens: list[str]) -> None:
    heads, queries, keys = weights.shape
    if not heads or queries != keys or queries != len(tokens) or not tokens:
        raise ValueError(
            f"{heads} heads of {queries} queries × {keys} keys, but {len(tokens)} "
            "tokens: each token is a query and a key"
        )
    sums = weights.sum(-1)
    if not ((weights >= 0).all() and ((sums - 1).abs().minimum(sums) < 1e-3).all()):
        raise ValueError(
            "weights are positive and sum to 1 over the keys, or to 0 where nothing "
            "may be attended to; give the weights and not the scores"
        )


def _logits(
    weights: Tensor, parts: Tensor | None, base: Tensor | None
) -> tuple[_Parts, _Base]:
    """Return parts and base with an answer axis, if they fit."""
    if parts is None or base is None:
        missing = "parts" if parts is None else "base"
        raise ValueError(f"logits are base and parts together; {missing} is missing")
    given = tuple(parts.shape)
    fits = parts.ndim in (3, 4) and given[:2] == weights.shape[:2]
    if not fits or given[1:] != tuple(base.shape):
        raise ValueError(
            f"parts {given} and base {tuple(base.shape)} do not fit "
            f"{weights.shape[0]} heads of {weights.shape[1]} tokens: parts are "
            "head × token × (answer ×) vocab, base the same without heads"
        )
    if not 0 < given[-1] <= _OUTPUTS:
        raise ValueError(f"the widget shows 1 to {_OUTPUTS} outputs, not {given[-1]}")
    parts, base = (x.detach().cpu().double() for x in (parts, base))
    return (parts, base) if parts.ndim == 4 else (parts[:, :, None], base[:, None])


def _names(
    parts: _Parts,
    answers: Sequence[str] | None,
    vocabulary: Sequence[str] | None,
) -> dict[str, list[str]]:
    """Return the names of answers and outputs, made up where none are given."""
    *_, count, size = parts.shape
    usual = ["answer"] if count == 1 else [f"answer {i + 1}" for i in range(count)]
    names = {
        "answers": [str(x) for x in (usual if answers is None else answers)],
        "vocabulary": [
            str(x) for x in (range(size) if vocabulary is None else vocabulary)
        ],
    }
    for (what, found), wanted in zip(names.items(), (count, size), strict=True):
        if len(found) != wanted:
            raise ValueError(f"{what} has {len(found)} names, but parts {wanted}")
    return names


def _right(parts: _Parts, truth: Tensor) -> _Right:
    _, tokens, count, size = parts.shape
    right = truth.detach().cpu().reshape(len(truth), -1)
    if right.shape != (tokens, count) or right.is_floating_point():
        raise ValueError(
            f"truth {tuple(truth.shape)} does not fit {tokens} tokens × {count} "
            "answers: it holds the number of the right output for each"
        )
    if right.numel() and int(right.max()) >= size:
        raise ValueError(
            f"truth names the output {int(right.max())}, but there are {size}, "
            "counted from 0"
        )
    return right.long()


def _encode(
    parts: _Parts,
    base: _Base,
    right: _Right | None,
) -> dict[str, Any]:
    return {
        "parts": listed(parts[:, :_LIMIT], _DIGITS),
        "base": listed(base[:_LIMIT], _DIGITS),
        "truth": [] if right is None else right[:_LIMIT].tolist(),
    }


def _worth(
    parts: _Parts,
    base: _Base,
    right: _Right,
) -> list[list[float]]:
    """Return the share right of each answer: with all heads, then without each."""
    asked: Bool[Tensor, "token answer"] = right > 0
    logits = base + parts.sum(0)
    without = [logits, *(logits - part for part in parts)]
    counts = asked.sum(0).clamp(min=1)
    return [
        (((x.argmax(-1) == right) & asked).sum(0) / counts).tolist() for x in without
    ]


def _share(weights: Float[Tensor, "query key"], offset: int) -> float:
    """Return how much of all weight lies `offset` keys after the query."""
    total = float(weights.sum())
    return float(weights.diagonal(offset).sum()) / total if total else 0.0


def _look(weights: Float[Tensor, "query key"]) -> tuple[int, float]:
    """Return the offset with most of the weight, and its share."""
    offsets = range(1 - len(weights), len(weights))
    # Of equal shares the nearest is named.
    nearest = sorted(offsets, key=abs)
    best = max(nearest, key=lambda k: round(_share(weights, k), 6))
    return best, _share(weights, best)


def _offset(k: int) -> str:
    return f"{-k} back" if k < 0 else f"{k} ahead" if k else "at itself"


def _sentence(
    tokens: list[str], looks: list[tuple[int, float]], worth: list[list[float]]
) -> str:
    first = itertools.islice(tokens, 24)
    names = " ".join(map(visible, first)) + (" …" if len(tokens) > 24 else "")
    count, heads = len(tokens), len(looks)
    opening = (
        f"The attention of 1 head over {count} tokens, {names}."
        if heads == 1
        else f"The attention of {heads} heads over {count} tokens, {names}."
    )
    (k, share), *others = looks
    said = [f"Head 1 looks {_offset(k)} ({share:.2f} of its weight)"]
    said += [
        f"head {i} looks {_offset(k)} ({share:.2f})"
        for i, (k, share) in enumerate(others, 2)
    ]
    sentences = [opening, f"{', '.join(said)}."]
    return " ".join([*sentences, _ablation(worth)] if worth else sentences)


def _ablation(worth: list[list[float]]) -> str:
    means = [f"{sum(row) / len(row):.2f}" for row in worth]
    without = ", ".join(f"without head {i} {m}" for i, m in enumerate(means[1:], 1))
    return f"Share of answers right: with all heads {means[0]}, {without}."
