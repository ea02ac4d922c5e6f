"""Any trace, step by step."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
import traitlets
from torch import Tensor

from qkv.trace import Step, walk
from qkv.widgets.shared.base import Widget, module
from qkv.widgets.shared.encode import LIMIT, crop, listed, visible
from qkv.widgets.shared.html import page, table
from qkv.widgets.shared.trace_steps import drawn, resolved

__all__ = ["Stepper"]

_LEADING = 8
_FALLBACK = 16


class Stepper(Widget):
    """Step through a trace: what is computed from what, its formula, shape and values.

    Parameters
    ----------
    trace : a trace, as :func:`qkv.trace.walk` reads it.
    labels : names of the positions of an axis, by the axis' name:
        ``{"key": ["the", "cat"]}``. Axes without labels are numbered.

    Raises
    ------
    TypeError
        If ``trace`` is no trace.
    ValueError
        If the trace is empty, or labels name an axis that it has not or of another size.

    Notes
    -----
    Axes longer than 64 are cropped, leading axes to 8, and the widget says so.

    Examples
    --------
    >>> import torch
    >>> from qkv.attention import attend
    >>> trace = attend(torch.tensor([[0.0, 2.0]]), torch.eye(2))
    >>> Stepper(trace, labels={"query": ["a"], "key": ["b", "c"]})
    Step by step: scores (query 1 × key 2), weights (query 1 × key 2), context (query 1 × d_v 2). In weights, a is largest at c (0.88).
    """  # noqa: E501

    _esm = module("stepper")
    steps = traitlets.List().tag(sync=True)
    labels = traitlets.Dict().tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    row = traitlets.Int(0).tag(sync=True)
    at = traitlets.List().tag(sync=True)

    def __init__(self, trace: Any, labels: Mapping[str, Sequence[str]] | None = None):
        steps = [replace(s, value=s.value.detach().cpu()) for s in walk(trace)]
        if not steps:
            raise ValueError("the trace has no step; give it at least one field")
        names = {
            axis: [str(x) for x in given] for axis, given in (labels or {}).items()
        }
        _check(names, steps)
        super().__init__(
            steps=_encode(steps),
            labels={axis: given[:LIMIT] for axis, given in names.items()},
            alt=_sentence(steps, names),
        )

    def fallback(self) -> str:
        """Return the step whose rows are easiest to read as a plain table."""
        chosen = next((s for s in self.steps if s["scale"] == "unit"), self.steps[-1])
        values = chosen["values"]
        for _ in chosen["shape"][:-2]:
            values = values[0]
        rows = [[values]] if not chosen["shape"] else values
        rows = [rows] if len(chosen["shape"]) == 1 else rows
        rows = [row[:_FALLBACK] for row in rows[:_FALLBACK]]
        axes = ["", "", *chosen["axes"]][-2:]
        return page(
            f"{self.alt} Shown here: {chosen['path']}, {chosen['title']}.",
            table(
                rows,
                self._names(axes[0], len(rows)),
                self._names(axes[1], len(rows[0]) if rows else 0),
                scale=chosen["scale"],
                limit=chosen["limit"],
            ),
        )

    def _names(self, axis: str, count: int) -> list[str]:
        return self.labels.get(axis, [str(i) for i in range(count)])[:count]


def _check(labels: Mapping[str, list[str]], steps: list[Step]) -> None:
    axes = sorted({axis for step in steps for axis in step.axes})
    for axis, names in labels.items():
        if axis not in axes:
            raise ValueError(f"labels name the axis {axis!r}; the trace has {axes}")
        for step in steps:
            size = step.shape.get(axis, len(names))
            if size != len(names):
                raise ValueError(
                    f"axis {axis!r} of {step.path!r} has {size} positions but "
                    f"{len(names)} labels: give one label for each"
                )


def _encode(steps: list[Step]) -> list[dict[str, Any]]:
    paths = [step.path for step in steps]
    values = {step.path: step.value for step in steps}
    encoded = []
    for step in steps:
        reads = [resolved(name, step.path, paths) for name in step.reads]
        hidden = _hidden(step.value, [values[r] for r in reads if r in values])
        encoded.append(_encode_step(step, reads, hidden))
    return encoded


def _encode_step(step: Step, reads: list[str], hidden: Tensor) -> dict[str, Any]:
    leading = max(len(step.axes) - 2, 0)
    limits = [_LEADING] * leading + [LIMIT] * (len(step.axes) - leading)
    shown, note = crop(step.value, step.axes, limits)
    finite = step.value[step.value.isfinite()].double()
    low, high = (finite.min(), finite.max()) if finite.numel() else (0.0, 0.0)
    return {
        "path": step.path,
        "title": step.title,
        "formula": drawn(step.formula),
        "reads": list(dict.fromkeys(reads)),
        "axes": list(step.axes),
        "size": list(step.value.shape),
        "shape": list(shown.shape),
        "scale": "unit" if low >= 0 and high <= 1 else "diverging",
        "limit": float(f"{max(abs(float(low)), abs(float(high))):.4g}"),
        "note": note,
        "values": _masked(listed(shown), crop(hidden, step.axes, limits)[0]),
    }


def _hidden(value: Tensor, read: list[Tensor]) -> Tensor:
    """Return where a weight is zero because the score it comes from is −∞."""
    hidden = torch.zeros(value.shape, dtype=torch.bool)
    for source in read:
        if source.shape == value.shape and source.is_floating_point():
            hidden |= (source == -torch.inf) & (value == 0)
    return hidden


def _masked(values: Any, hidden: Tensor) -> Any:
    if not hidden.any():
        return values
    if hidden.ndim == 0:
        return None
    return [_masked(v, h) for v, h in zip(values, hidden, strict=True)]


def _sentence(steps: list[Step], labels: Mapping[str, list[str]]) -> str:
    shapes = (
        f"{s.path} ({' × '.join(f'{a} {n}' for a, n in s.shape.items()) or 'a number'})"
        for s in steps
    )
    return f"Step by step: {', '.join(shapes)}.{_peaks(steps, labels)}"


def _peaks(steps: list[Step], labels: Mapping[str, list[str]]) -> str:
    """Say where each row of the last matrix of weights is largest."""
    for step in reversed(steps):
        if not _is_weights(step):
            continue
        rows = step.value[(0,) * (step.value.ndim - 2)]
        said = [
            f"{_name(labels, step.axes[-2], i)} is largest at "
            f"{_name(labels, step.axes[-1], int(row.argmax()))} "
            f"({float(row.max()):.2f})"
            for i, row in enumerate(itertools.islice(rows, 6))
        ]
        return f" In {step.path}, {', '.join(said)}{', …' if len(rows) > 6 else ''}."
    return ""


def _is_weights(step: Step) -> bool:
    """Return whether every row holds the weights of an average, or nothing."""
    value = step.value
    if value.ndim < 2 or not value.is_floating_point() or not value.numel():
        return False
    sums = value.sum(-1)
    whole = bool((value >= 0).all() and ((sums - 1).abs().minimum(sums) < 1e-3).all())
    return whole and not step.axes[-1].startswith("d_")


def _name(labels: Mapping[str, list[str]], axis: str, i: int) -> str:
    return visible(labels[axis][i]) if axis in labels else f"{axis} {i}"
