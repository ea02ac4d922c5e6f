"""Attention with numbers that can be edited: what follows from them, at once."""

from collections.abc import Sequence
from typing import Any

import torch
import traitlets
from torch import Tensor

from qkv.widgets.shared.attending import may_attend, peaks, softmax
from qkv.widgets.shared.base import Widget, module
from qkv.widgets.shared.encode import listed
from qkv.widgets.shared.html import page, table
from qkv.widgets.shared.tex import mathml

__all__ = ["AttentionLab"]

MOST = 16
"""The most tokens, and the most numbers in a query or value, that can be edited."""

_FORMULAS = {
    "scores": r"s_{ij} = q_i \cdot k_j = \sum_c q_{ic} \, k_{jc}",
    "scaled": r"z_{ij} = \frac{s_{ij}}{\sqrt{d_k}}",
    "unscaled": r"z_{ij} = s_{ij}",
    "masked": r"z_{ij} \leftarrow -\infty \quad \text{unless} \; m_{ij}",
    "weights": r"\alpha_{ij} = \frac{\exp z_{ij}}{\sum_m \exp z_{im}}",
    "output": r"o_i = \sum_j \alpha_{ij} \, v_j",
}


class AttentionLab(Widget):
    r"""Scaled dot-product attention whose numbers the reader edits.

    .. math:: o_i = \sum_j \alpha_{ij} v_j, \qquad
              \alpha_{i\cdot} = \mathrm{softmax}_j\, \frac{q_i \cdot k_j}{\sqrt{d_k}}

    Scores, scaling, mask, softmax and average are stepped through for one query at a
    time. Where a query has two numbers, it and the keys are also drawn as arrows; where
    a value has two, the values and their average are points of a plane. A panel beside
    shows how the softmax hardens as vectors grow wider, with and without √d_k.

    Parameters
    ----------
    tokens : names of the tokens, 16 at most.
    q, k : "token d_k", tensors or lists; d_k at most 16.
    v : "token d_v", d_v at most 16.
    mask : Bool "query key", True where a query *may attend*, or what broadcasts to it.

    Raises
    ------
    ValueError
        If the shapes don't fit each other or the tokens, a number is not finite, or
        there are too many to edit.
    TypeError
        If ``mask`` is not boolean.

    Notes
    -----
    Vaswani et al. (2017), equation 1. Numbers are kept to four significant digits.
    In JupyterLab the traits ``q``, ``k`` and ``v`` follow what the reader edits.

    Examples
    --------
    >>> eye = [[1, 0], [0, 1]]
    >>> AttentionLab(["a", "b"], eye, eye, [[4, 0], [0, 4]])
    Scaled dot-product attention over 2 tokens, d_k = 2, d_v = 2, in steps whose numbers can be edited. a looks most at a (0.67), b looks most at b (0.67).
    """  # noqa: E501

    _esm = module("attention_lab")
    tokens = traitlets.List().tag(sync=True)
    q = traitlets.List().tag(sync=True)
    k = traitlets.List().tag(sync=True)
    v = traitlets.List().tag(sync=True)
    mask = traitlets.List().tag(sync=True)
    given = traitlets.Dict().tag(sync=True)
    formulas = traitlets.Dict().tag(sync=True)
    scaled = traitlets.Bool(True).tag(sync=True)
    masking = traitlets.Unicode("none").tag(sync=True)
    query = traitlets.Int(0).tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    exponent = traitlets.Int(6).tag(sync=True)
    draw = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        tokens: Sequence[str],
        q: Tensor | Sequence[Sequence[float | int]],
        k: Tensor | Sequence[Sequence[float | int]],
        v: Tensor | Sequence[Sequence[float | int]],
        *,
        mask: Tensor | None = None,
    ):
        names = [str(token) for token in tokens]
        if not 1 <= len(names) <= MOST:
            raise ValueError(
                f"an AttentionLab has 1 to {MOST} tokens, not {len(names)}"
            )
        given = {
            name: _editable(name, value, names)
            for name, value in (("q", q), ("k", k), ("v", v))
        }
        d_k = [len(given[name][0]) for name in "qk"]
        if d_k[0] != d_k[1]:
            raise ValueError(
                f"q has d_k = {d_k[0]}, but k has d_k = {d_k[1]}; a dot product needs "
                "the two to agree"
            )
        super().__init__(
            tokens=names,
            **given,
            given=given,
            mask=[] if mask is None else may_attend(mask, len(names)).int().tolist(),
            masking="none" if mask is None else "given",
            formulas={name: mathml(tex) for name, tex in _FORMULAS.items()},
        )
        self._say()

    @traitlets.validate("q", "k", "v")
    def _shape_stays(self, proposal: Any) -> list[list[float | int]]:
        name, rows = proposal["trait"].name, proposal["value"]
        wanted = [len(row) for row in self.given[name]]
        if [len(row) for row in rows] != wanted:
            raise ValueError(
                f"{name} is a list of {len(wanted)} rows of {wanted[0]} numbers; make "
                "a new AttentionLab for another shape"
            )
        return rows

    @traitlets.observe("q", "k", "v", "scaled", "masking", "mask")
    def _say(self, change: Any = None) -> None:
        """Say what the numbers give now."""
        if not self.formulas:
            return  # Not all traits are there yet.
        weights = self._weights()
        kind = "Scaled dot-product" if self.scaled else "Dot-product"
        self.alt = (
            f"{kind} attention over "
            f"{len(self.tokens)} tokens, d_k = {len(self.q[0])}, "
            f"d_v = {len(self.v[0])}, in steps whose numbers can be edited. "
            f"{peaks(weights, self.tokens, self.tokens)}"
        )

    def _weights(self) -> Tensor:
        q, k = (torch.tensor(rows, dtype=torch.float64) for rows in (self.q, self.k))
        scores = q @ k.T / (len(self.q[0]) ** 0.5 if self.scaled else 1.0)
        return softmax(scores, self._may())

    def _may(self) -> Tensor:
        if self.masking == "given":
            return torch.tensor(self.mask, dtype=torch.bool)
        may = torch.ones(len(self.tokens), len(self.tokens), dtype=torch.bool)
        return may.tril() if self.masking == "causal" else may

    def fallback(self) -> str:
        """Return the weights of all queries, and their outputs, as tables."""
        weights, may = self._weights(), self._may()
        shown = [
            [w if m else None for w, m in zip(row, allowed, strict=True)]
            for row, allowed in zip(listed(weights), may.tolist(), strict=True)
        ]
        output = weights @ torch.tensor(self.v, dtype=torch.float64)
        limit = float(output.abs().max())
        entries = [f"o{c + 1}" for c in range(output.shape[1])]
        return page(
            self.alt,
            table(shown, self.tokens, self.tokens),
            table(listed(output), self.tokens, entries, scale="diverging", limit=limit),
        )


def _editable(name: str, value: Any, tokens: list[str]) -> list[list[float | int]]:
    """Return a matrix as lists, or say why it can't be edited."""
    axis = "d_v" if name == "v" else "d_k"
    matrix = torch.as_tensor(value, dtype=torch.float64).detach().cpu()
    if matrix.ndim != 2 or len(matrix) != len(tokens):
        raise ValueError(
            f"{name} has shape {tuple(matrix.shape)}, but {len(tokens)} tokens need "
            f"'token {axis}' with token = {len(tokens)}; give one sentence and one head"
        )
    if not 1 <= matrix.shape[1] <= MOST:
        raise ValueError(f"{name} has {axis} = {matrix.shape[1]}, not 1 to {MOST}")
    if not matrix.isfinite().all():
        raise ValueError(f"{name} holds NaN or infinity; only numbers can be edited")
    return listed(matrix)
