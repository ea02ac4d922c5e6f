"""A gated cell stepped over a sentence: what is kept, what is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from qkv.trace import Step, walk
from qkv.widgets.shared.base import Widget, module
from qkv.widgets.shared.encode import listed, visible
from qkv.widgets.shared.html import named, page, table
from qkv.widgets.shared.trace_steps import drawn

__all__ = ["GatedCell"]

MOST = 16
"""The most units that are shown at once."""

LONGEST = 24
"""The most words of a sentence."""

_DIGITS = 8  # the front end multiplies gates over a whole sentence, to a millionth


@dataclass(frozen=True)
class _Kind:
    """What must be known of a cell: where it keeps, where it writes, and in what.

    ``keep`` is the step that the memory is multiplied with, ``new`` what is offered,
    ``memory`` the step that holds the sum; it writes ``write`` of what is offered, or
    all that it does not keep.
    """

    name: str
    letters: Mapping[str, str]
    keep: str
    new: str
    memory: str
    write: str = ""

    def shares(self, values: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return how much is kept at each word, and how much is written."""
        keep = values[self.keep]
        return keep, values[self.write] if self.write else 1 - keep


_GRU = _Kind(
    "GRU",
    {"reset": "r", "update": "z", "candidate": "n", "hidden": "h′"},
    keep="update",
    new="candidate",
    memory="hidden",
)
_LSTM = _Kind(
    "LSTM",
    {
        "input_gate": "i",
        "forget_gate": "f",
        "candidate": "g",
        "output_gate": "o",
        "cell": "c′",
        "hidden": "h′",
    },
    keep="forget_gate",
    new="candidate",
    memory="cell",
    write="input_gate",
)


class GatedCell(Widget):
    r"""A GRU or an LSTM cell over a sentence, gate by gate and word by word.

    .. math:: h_t = z_t \odot h_{t-1} + (1 - z_t) \odot n_t
              = \sum_{s \le t} \Big(\prod_{s < u \le t} z_u\Big) (1 - z_s)\, n_s

    for a GRU that begins with zeros, each unit by itself; an LSTM's cell likewise, with
    its forget gate for z and its input gate for 1 - z. So the front end computes what
    each word wrote into a unit, and how much of that is still there.

    Parameters
    ----------
    sentences : for each text the traces of the cell, one for each of its words
        (``text.split()``), each from the state that the one before left. They have the
        fields of :class:`~qkv.recurrent.GRUTrace` or of
        :class:`~qkv.recurrent.LSTMTrace`.
    start : the state before the first word, (h,) or (h, c); zeros if not given.
    units : which units are shown, 16 at most; if not given, those that at the first
        sentence's end hold most of a word before its last.
    unit : which of them is looked at first; if not given, the one of them that does.

    Raises
    ------
    ValueError
        If there is no sentence, its words and traces differ in number, the traces don't
        follow from each other, or a unit is not there.

    Notes
    -----
    Units are counted from 0, as they are in ``trace.hidden``.

    Examples
    --------
    >>> from qkv.recurrent import GRUCell
    >>> cell, h, traces = GRUCell(d_in=2, d_hidden=3), torch.zeros(3), []
    >>> for weight in cell.parameters():
    ...     _ = weight.data.fill_(0.5)
    >>> for x in torch.tensor([[2.0, 2.0], [0.0, 0.0]]):
    ...     traces.append(cell.trace(x, h))
    ...     h = traces[-1].hidden
    >>> GatedCell({"not good": traces})
    A GRU cell read “not good”, 2 words, 3 units of it shown. At the end unit 0 holds 0.22: 0.04 from “not”, 1 word ago, and 0.19 from the last word.
    """  # noqa: E501

    _esm = module("gated_cell")
    kind = traitlets.Unicode().tag(sync=True)
    steps = traitlets.List().tag(sync=True)
    sentences = traitlets.List().tag(sync=True)
    units = traitlets.List().tag(sync=True)
    size = traitlets.Int().tag(sync=True)
    chosen = traitlets.Int(0).tag(sync=True)
    unit = traitlets.Int(0).tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        sentences: Mapping[str, Sequence[Any]],
        *,
        start: Sequence[Tensor] | None = None,
        units: Sequence[int] | None = None,
        unit: int | None = None,
    ):
        if not sentences:
            raise ValueError("sentences is empty; give a text and its traces")
        read = {text: _read(text, traces) for text, traces in sentences.items()}
        declared = _declared(next(iter(sentences.values())))
        kind = _kind_of(read)
        states = _start(kind, read, start)
        for text, values in read.items():
            _check_follows(kind, text, values, states)
        first = next(iter(read.values()))
        held = _left(kind, first, states)
        shown = _shown(held, units, unit)
        self._kind, self._held, self._first = kind, held, first
        at = [step.path for step in declared].index(kind.memory)
        super().__init__(
            kind=kind.name,
            steps=_steps(kind, declared),
            sentences=[_encode(t, v, states, shown) for t, v in read.items()],
            units=shown,
            size=held.shape[-1],
            unit=_longest(held, shown) if unit is None else unit,
            # where most can be seen: the last word has been taken in
            step=(len(first["hidden"]) - 1) * len(declared) + at,
        )
        self.alt = self._sentence()

    def _sentence(self) -> str:
        """Say what the first sentence left in the unit that is looked at."""
        words = self.sentences[0]["words"]
        unit = self.unit
        parts = self._held[1:, unit].tolist()
        total = float(self._first[self._kind.memory][-1, unit])
        counted = "1 word" if len(words) == 1 else f"{len(words)} words"
        opening = (
            f"{'An' if self._kind is _LSTM else 'A'} {self._kind.name} cell read "
            f"“{self.sentences[0]['text']}”, {counted}, {len(self.units)} units of it "
            f"shown. At the end unit {unit} holds {_two(total)}"
        )
        if len(words) == 1:
            return f"{opening}."
        ago, best = _oldest(parts)
        return (
            f"{opening}: {_two(best)} from “{visible(words[-1 - ago])}”, {_ago(ago)}, "
            f"and {_two(parts[-1])} from the last word."
        )

    def fallback(self) -> str:
        """Return the gates of the unit in focus, and what it holds, word by word."""
        unit, kind = self.unit, self._kind
        words, values = self.sentences[0]["words"], self._first
        keep, write = (x[:, unit] for x in kind.shares(values))
        memory = [values[name][:, unit] for name in (kind.new, kind.memory)]
        states = torch.stack([*memory, self._held[1:, unit]], -1)
        finite = states[states.isfinite()]
        limit = float(finite.abs().max()) if finite.numel() else 1.0
        heads = ["offered", "holds then", "of it there at the end"]
        gates = table(
            listed(torch.stack([keep, write], -1)), words, ["keeps", "writes"]
        )
        kept = table(
            listed(states),
            words,
            [named(head) for head in heads],
            scale="diverging",
            limit=limit,
        )
        return page(self.alt, gates, kept)


def _two(x: float) -> str:
    """Return a number with two decimals, and no minus before zero."""
    return f"{round(x, 2) + 0.0:.2f}".replace("-", "−")


def _ago(words: int) -> str:
    return "1 word ago" if words == 1 else f"{words} words ago"


def _oldest(parts: list[float]) -> tuple[int, float]:
    """Return how many words ago most was written, the last left out, and how much."""
    *before, _ = parts
    best = max(range(len(before)), key=lambda s: round(abs(before[s]), 6))
    return len(before) - best, before[best]


def _read(text: str, traces: Sequence[Any]) -> dict[str, Float[Tensor, "word unit"]]:
    """Return each step's values, a row for each word, or say what doesn't fit."""
    words = text.split()
    if not 1 <= len(words) <= LONGEST:
        raise ValueError(
            f"a sentence has 1 to {LONGEST} words, but {text!r} has {len(words)}"
        )
    if len(traces) != len(words):
        raise ValueError(
            f"{text!r} has {len(words)} words, but there are {len(traces)} traces; "
            "give one for each word of text.split()"
        )
    rows = [{step.path: _one(step) for step in walk(trace)} for trace in traces]
    names = [list(row) for row in rows]
    if any(other != names[0] for other in names):
        raise ValueError(f"the traces of {text!r} are not all of one kind of cell")
    return {
        name: torch.stack([row[name] for row in rows]).double() for name in names[0]
    }


def _one(step: Step) -> Float[Tensor, " unit"]:
    """Return a step's values without their batch, which holds one example."""
    value = step.value.detach().cpu()
    if value.numel() != value.shape[-1]:
        raise ValueError(
            f"{step.path} has shape {tuple(value.shape)}: a GatedCell shows one "
            "sentence; give traces of one example"
        )
    return value.reshape(-1)


def _declared(traces: Sequence[Any]) -> list[Step]:
    return list(walk(traces[0]))


def _kind_of(read: dict[str, dict[str, Tensor]]) -> _Kind:
    (text, values), *others = read.items()
    found = list(values)
    for other, those in others:
        if list(those) != found:
            raise ValueError(
                f"the traces of {text!r} have the steps {', '.join(found)}, but those "
                f"of {other!r} have {', '.join(those)}; give traces of one kind of cell"
            )
    for kind in (_GRU, _LSTM):
        if set(found) == set(kind.letters):
            return kind
    raise ValueError(
        f"the traces have the steps {', '.join(found)}; a GatedCell draws those of a "
        f"GRU ({', '.join(_GRU.letters)}) or an LSTM ({', '.join(_LSTM.letters)})"
    )


def _steps(kind: _Kind, declared: list[Step]) -> list[dict[str, str]]:
    return [
        {
            "name": step.path,
            "letter": kind.letters[step.path],
            "title": step.title,
            "formula": drawn(step.formula),
        }
        for step in declared
    ]


def _start(
    kind: _Kind, read: dict[str, dict[str, Tensor]], start: Sequence[Tensor] | None
) -> dict[str, Float[Tensor, " unit"]]:
    """Return the states before the first word: h, and an LSTM's c."""
    sizes = {text: values["hidden"].shape[-1] for text, values in read.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"the sentences have different numbers of units: {sizes}")
    size = next(iter(sizes.values()))
    names = ["hidden"] if kind is _GRU else ["hidden", "cell"]
    given = [torch.zeros(size)] * len(names) if start is None else list(start)
    if len(given) != len(names) or any(x.numel() != size for x in given):
        wanted = f"{' and '.join(names)} of {size} units"
        shapes = [tuple(x.shape) for x in given]
        raise ValueError(f"start holds {shapes}, but a {kind.name} needs {wanted}")
    flat = [x.detach().cpu().double().reshape(-1) for x in given]
    return dict(zip(names, flat, strict=True))


def _check_follows(
    kind: _Kind, text: str, values: dict[str, Tensor], states: dict[str, Tensor]
) -> None:
    """Say if a word's memory is not made of what the word before left."""
    memory = values[kind.memory]
    before = torch.cat([states[kind.memory][None], memory[:-1]])
    keep, write = kind.shares(values)
    made = keep * before + write * values[kind.new]
    close = torch.isclose(made, memory, atol=1e-4, rtol=1e-4, equal_nan=True).all(-1)
    if not close.all():
        off = int(close.int().argmin())
        raise ValueError(
            f"the traces of {text!r} don't follow from each other: word {off + 1} does "
            f"not begin with the {kind.memory} that the one before left; feed each the "
            "state of the trace before, and give `start` if the first is not zeros"
        )


def _left(
    kind: _Kind, values: dict[str, Tensor], states: dict[str, Tensor]
) -> Float[Tensor, "word unit"]:
    """Return what is left at the end: of the start, then of what each word wrote."""
    keep, write = kind.shares(values)
    wrote = torch.cat([states[kind.memory][None], write * values[kind.new]])
    since = keep.flip(0).cumprod(0).flip(0)  # kept from this word to the end
    since = torch.cat([since, torch.ones_like(since[:1])])
    return wrote * since


def _shown(held: Tensor, units: Sequence[int] | None, unit: int | None) -> list[int]:
    """Return the units that are shown, in order, if they are there."""
    size = held.shape[-1]
    if units is None:
        most = _lasting(held).topk(min(MOST, size)).indices.tolist()
        if unit is not None and unit not in most:
            most[-1] = unit
        units = sorted(most)
    shown = [int(u) for u in units]
    odd = [u for u in shown if not 0 <= u < size]
    if odd or not 1 <= len(shown) <= MOST or len(set(shown)) < len(shown):
        raise ValueError(
            f"units={shown} must be 1 to {MOST} different ones of 0 to {size - 1}"
        )
    if unit is not None and unit not in shown:
        raise ValueError(f"unit={unit} is none of the units shown, {shown}")
    return shown


def _lasting(held: Tensor) -> Float[Tensor, " unit"]:
    """Return the most that each unit holds of a word before the last."""
    earlier = held[1:-1] if len(held) > 2 else held[1:]
    return earlier.nan_to_num(0).abs().amax(0)


def _longest(held: Tensor, shown: list[int]) -> int:
    lasting = _lasting(held).tolist()
    return max(shown, key=lambda u: round(lasting[u], 6))


def _encode(
    text: str, values: dict[str, Tensor], states: dict[str, Tensor], shown: list[int]
) -> dict[str, Any]:
    """Return a sentence as the front end reads it: values by step, word and unit."""
    return {
        "text": " ".join(text.split()),
        "words": text.split(),
        "values": {k: listed(v[:, shown], _DIGITS) for k, v in values.items()},
        "start": {k: listed(v[shown], _DIGITS) for k, v in states.items()},
    }
