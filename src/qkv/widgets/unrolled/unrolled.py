"""An encoder and a decoder over time, with one context vector between them."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from qkv.trace import Recording
from qkv.widgets.shared.base import module
from qkv.widgets.shared.encode import LIMIT, crop, listed, visible
from qkv.widgets.shared.html import page, table
from qkv.widgets.shared.recorded import (
    START,
    Recorded,
    expected,
    field,
    fits,
    likely,
    same,
    steps_of,
)

__all__ = ["Unrolled"]


class Unrolled(Recorded):
    """The network unrolled in time: states as bars, the context, the next token.

    Reads of the traces in a recording: ``encoder_states``, ``context`` (or
    ``attention.context``, one for each step), ``decoder_states``, ``probabilities``.

    Examples
    --------
    >>> from qkv.data import DictatedNumbers
    >>> from qkv.decoding import record
    >>> from qkv.recurrent import Seq2Seq
    >>> numbers = DictatedNumbers()
    >>> model = Seq2Seq(len(numbers.source_vocab), len(numbers.target_vocab))
    >>> widget = Unrolled(lambda text: record(model, numbers, text), ["739"])
    >>> widget.recordings[0]["source"]
    ['seven', 'three', 'nine']
    """

    _esm = module("unrolled")

    def encode(self, recording: Recording) -> dict[str, Any]:
        """Return a recording as the front end reads it."""
        forced = steps_of(recording.forced)
        states = field(forced, "encoder_states")
        shown, note = crop(
            fits(states, recording.source, "encoder_states"),
            ("source", "hidden"),
            (LIMIT, LIMIT),
        )
        free = None if same(recording) else steps_of(recording.free)
        return {
            "source": list(recording.source[:LIMIT]),
            "target": list(recording.target),
            "units": states.shape[-1],
            "note": note,
            "encoder": listed(shown),
            "forced": _run(forced, recording.target, recording),
            "free": free and _run(free, recording.produced, recording),
        }

    def sentence(self, recordings: list[dict[str, Any]]) -> str:
        """Say what the model reads and writes, and what of it is wrong."""
        first = recordings[0]
        run = first["free"] or first["forced"]
        marks = [a == b for a, b in zip(run["tokens"], first["target"], strict=False)]
        right = sum(marks)
        count = len(run["tokens"])
        return (
            f"The network unrolled over time. “{first['input']}”: the encoder reads "
            f"{len(first['source'])} tokens into {first['units']} numbers; fed its own "
            f"output, the decoder writes {' '.join(map(visible, run['tokens']))}, "
            f"{'all' if right == count else f'{right} of {count}'} right. "
            f"{len(recordings)} inputs are recorded."
        )

    def fallback(self) -> str:
        """Return the first input's output as a table: the most likely tokens."""
        first = self.recordings[0]
        run = first["free"] or first["forced"]
        top = [row[:3] for row in run["top"]]
        rows = [[p for _, p in row] for row in top]
        labels = [
            f"{t + 1}. {' / '.join(token for token, _ in row)}"
            for t, row in enumerate(top)
        ]
        places = ["first", "second", "third"][: len(rows[0])]
        return page(self.alt, table(rows, labels, places))


def _run(
    values: dict[str, Tensor], tokens: Sequence[str], recording: Recording
) -> dict[str, Any]:
    states = fits(field(values, "decoder_states"), tokens, "decoder_states")[:LIMIT]
    context = field(values, "context", "attention.context")
    context = context[None] if context.ndim == 1 else context[:LIMIT]
    p = fits(field(values, "probabilities"), tokens, "probabilities")[:LIMIT]
    tokens = tuple(tokens)[:LIMIT]
    return {
        "tokens": list(tokens),
        "fed": [START, *tokens[:-1]],
        "context": listed(context[:, :LIMIT]),
        "decoder": listed(states[:, :LIMIT]),
        "top": likely(p, recording.vocabulary, 5),
        "expected": expected(p, recording.vocabulary, recording.target),
    }
