"""A mask to paint: what each row of weights becomes when a cell is hidden."""

from collections.abc import Sequence
from typing import Any

import torch
import traitlets
from torch import Tensor

from qkv.widgets.shared.attending import peaks, softmax
from qkv.widgets.shared.base import Widget, module
from qkv.widgets.shared.encode import listed, visible
from qkv.widgets.shared.html import page, table

__all__ = ["MaskPainter"]

MOST = 16
"""The most tokens whose mask can be painted."""

_DIGITS = 7  # the front end computes the weights from the scores


class MaskPainter(Widget):
    r"""Paint a mask cell by cell, or by name, and watch each row of weights follow.

    .. math:: \alpha_{ij} = \frac{m_{ij} \exp e_{ij}}{\sum_k m_{ik} \exp e_{ik}}

    with :math:`m_{ij}` one where query i may attend to key j. A row that may attend to
    nothing gets zeros, and the widget says what a plain softmax would give instead. The
    mask is also shown as PyTorch is given it, in either sense of True.

    Parameters
    ----------
    tokens : names of the tokens, 16 at most.
    scores : "query key", a tensor or lists, the scores before masking; zeros if not
        given, so that a row shares its weight evenly.
    lengths : how many of the tokens are no padding; several for several sentences of a
        batch, among which the reader chooses. All of them if not given.

    Raises
    ------
    ValueError
        If the scores don't fit the tokens or are not finite, a length is out of range,
        or there are too many tokens.

    Notes
    -----
    The widget begins with the causal mask or, if ``lengths`` are given, with the causal
    and the padding mask together, at the first row that has keys to choose from. In JupyterLab the trait ``mask`` follows what the
    reader paints: 1 where a query may attend, ``torch.tensor(painter.mask).bool()``.

    Examples
    --------
    >>> MaskPainter(["a", "b", "c"])
    A mask over 3 tokens to paint, now causal: a sees 1 key, b sees 2 keys, c sees 3 keys. a looks most at a (1.00), b looks most at a (0.50), c looks most at a (0.33).
    """  # noqa: E501

    _esm = module("mask_painter")
    tokens = traitlets.List().tag(sync=True)
    scores = traitlets.List().tag(sync=True)
    lengths = traitlets.List().tag(sync=True)
    mask = traitlets.List().tag(sync=True)
    preset = traitlets.Unicode("causal").tag(sync=True)
    length = traitlets.Int(0).tag(sync=True)
    prefix = traitlets.Int(2).tag(sync=True)
    width = traitlets.Int(1).tag(sync=True)
    row = traitlets.Int(0).tag(sync=True)
    column = traitlets.Int(0).tag(sync=True)
    sense = traitlets.Unicode("attend").tag(sync=True)

    def __init__(
        self,
        tokens: Sequence[str],
        scores: Tensor | Sequence[Sequence[float | int]] | None = None,
        *,
        lengths: int | Sequence[int] | None = None,
    ):
        names = [str(token) for token in tokens]
        count = len(names)
        if not 1 <= count <= MOST:
            raise ValueError(f"a MaskPainter has 1 to {MOST} tokens, not {count}")
        sizes = _lengths(lengths, count)
        may = torch.ones(count, count, dtype=torch.bool).tril()
        may &= torch.arange(count) < sizes[0]
        shared = [i for i, row in enumerate(may.sum(-1).tolist()) if row > 1]
        super().__init__(
            tokens=names,
            scores=_square(scores, count),
            lengths=sizes,
            mask=may.int().tolist(),
            preset="causal" if lengths is None else "both",
            length=sizes[0],
            prefix=min(2, count),
            row=shared[0] if shared else 0,
        )
        self._say()

    @traitlets.validate("mask")
    def _square_stays(self, proposal: Any) -> list[list[int]]:
        rows, count = proposal["value"], len(self.tokens)
        if len(rows) != count or any(len(row) != count for row in rows):
            raise ValueError(
                f"mask is a list of {count} rows of {count}, 1 where a query may attend"
            )
        return [[int(bool(cell)) for cell in row] for row in rows]

    @traitlets.observe("mask", "preset")
    def _say(self, change: Any = None) -> None:
        """Say what the mask lets be seen now."""
        if not self.tokens or not self.scores:
            return  # Not all traits are there yet.
        counts = self._may().sum(-1).tolist()
        seen = [
            f"{name} sees 1 key" if n == 1 else f"{name} sees {n} keys"
            for name, n in zip(map(visible, self.tokens), counts, strict=True)
        ]
        what = "painted by hand" if self.preset == "own" else _NAMES[self.preset]
        more = ", …" if len(seen) > _FIRST else ""
        self.alt = (
            f"A mask over {len(self.tokens)} tokens to paint, now {what}: "
            f"{', '.join(seen[:_FIRST])}{more}. "
            f"{peaks(self._weights(), self.tokens, self.tokens)}"
        )

    def _may(self) -> Tensor:
        return torch.tensor(self.mask, dtype=torch.bool)

    def _weights(self) -> Tensor:
        return softmax(torch.tensor(self.scores, dtype=torch.float64), self._may())

    def fallback(self) -> str:
        """Return the weights under the mask as a table."""
        rows = zip(listed(self._weights()), self._may().tolist(), strict=True)
        shown = [
            [weight if may else None for weight, may in zip(*row, strict=True)]
            for row in rows
        ]
        return page(self.alt, table(shown, self.tokens, self.tokens))


_FIRST = 8
_NAMES = {
    "everything": "everything",
    "causal": "causal",
    "padding": "padding",
    "both": "causal and padding",
    "prefix": "a prefix",
    "window": "a window",
}


def _lengths(lengths: int | Sequence[int] | None, count: int) -> list[int]:
    given = [count] if lengths is None else lengths
    sizes = [given] if isinstance(given, int) else [int(size) for size in given]
    if not sizes or not all(0 <= size <= count for size in sizes):
        raise ValueError(
            f"lengths={lengths} must lie in 0 to {count}, the number of tokens"
        )
    return sizes


def _square(scores: Any, count: int) -> list[list[float | int]]:
    if scores is None:
        return [[0] * count for _ in range(count)]
    matrix = torch.as_tensor(scores, dtype=torch.float64).detach().cpu()
    if matrix.shape != (count, count):
        raise ValueError(
            f"scores has shape {tuple(matrix.shape)}, but {count} tokens need "
            f"'query key' = {(count, count)}; give one sentence and one head"
        )
    if not matrix.isfinite().all():
        raise ValueError(
            "scores holds NaN or infinity; give the scores before masking and paint "
            "what is hidden"
        )
    return listed(matrix, _DIGITS)
