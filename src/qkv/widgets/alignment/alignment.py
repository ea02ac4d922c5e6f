"""How each output token looks back at the source."""

from collections.abc import Sequence
from typing import Any

import torch
import traitlets
from torch import Tensor

from qkv.trace import Recording
from qkv.widgets.shared.attending import looks, softmax
from qkv.widgets.shared.base import module
from qkv.widgets.shared.encode import LIMIT, crop, listed, visible
from qkv.widgets.shared.html import page, table
from qkv.widgets.shared.recorded import Recorded, field, fits, likely, same, steps_of

__all__ = ["Alignment"]

_FALLBACK = 32
_CUT = f"The first {_FALLBACK} tokens are shown."
_SCORE_DIGITS = 7  # the front end computes the weights from these


class Alignment(Recorded):
    """Scores, softmax, weighted sum for one output token; the whole alignment beside.

    Reads of the traces in a recording: ``encoder_states``, ``attention.scores``,
    ``attention.weights``, ``probabilities``. The front end computes the weights and the
    context from the scores and the states. The recording's ``truth`` is outlined.

    Examples
    --------
    >>> from qkv.data import DictatedNumbers
    >>> from qkv.decoding import record
    >>> from qkv.recurrent import AttentionSeq2Seq
    >>> numbers = DictatedNumbers()
    >>> model = AttentionSeq2Seq(len(numbers.source_vocab), len(numbers.target_vocab))
    >>> widget = Alignment(lambda text: record(model, numbers, text), ["739"])
    >>> [len(row) for row in widget.recordings[0]["forced"]["scores"]]
    [3, 3, 3, 3]
    """

    _esm = module("alignment")
    token = traitlets.Int(0).tag(sync=True)

    def encode(self, recording: Recording) -> dict[str, Any]:
        """Return a recording as the front end reads it."""
        forced = steps_of(recording.forced)
        states = fits(
            field(forced, "encoder_states"), recording.source, "encoder_states"
        )
        shown, note = crop(states, ("source", "hidden"), (LIMIT, LIMIT))
        free = None if same(recording) else steps_of(recording.free)
        return {
            "source": list(recording.source[:LIMIT]),
            "target": list(recording.target[:LIMIT]),
            "note": note,
            "states": listed(shown),
            "forced": _run(forced, recording.target, recording),
            "free": free and _run(free, recording.produced, recording),
            "truth": _truth(recording),
        }

    def sentence(self, recordings: list[dict[str, Any]]) -> str:
        """Say where each output token looks most, and whether rightly."""
        first = recordings[0]
        run, source = first["forced"], first["source"]
        weights = _weights(run["scores"])
        peaks = weights.argmax(-1).tolist()
        said = looks(weights, run["tokens"], source)
        sentences = [
            f"The alignment of “{first['input']}” with "
            f"{' '.join(map(visible, run['tokens']))}.",
            f"{', '.join(said)}.",
        ]
        if first["truth"] is not None:
            sentences.append(_agreement(first["truth"], peaks))
        return " ".join(sentences)

    def fallback(self) -> str:
        """Return the first input's alignment as a table."""
        first = self.recordings[0]
        run = first["forced"]
        scores = run["scores"][:_FALLBACK]
        rows = [
            [
                None if score == "-inf" else round(weight, 4)
                for score, weight in zip(row, weights, strict=True)
            ][:_FALLBACK]
            for row, weights in zip(scores, _weights(scores).tolist(), strict=True)
        ]
        shown = table(rows, run["tokens"][:_FALLBACK], first["source"][:_FALLBACK])
        long = max(len(run["tokens"]), len(first["source"])) > _FALLBACK
        return page(self.alt, shown, f"<p>{_CUT}</p>" if long else "")


def _run(
    values: dict[str, Tensor], tokens: Sequence[str], recording: Recording
) -> dict[str, Any]:
    scores = fits(field(values, "attention.scores"), tokens, "attention.scores")
    fits(scores.mT, recording.source, "attention.scores, its keys")
    _consistent(scores, field(values, "attention.weights"))
    p = fits(field(values, "probabilities"), tokens, "probabilities")[:LIMIT]
    return {
        "tokens": list(tokens[:LIMIT]),
        "scores": listed(scores[:LIMIT, :LIMIT], _SCORE_DIGITS),
        "top": likely(p, recording.vocabulary, 3),
    }


def _consistent(scores: Tensor, weights: Tensor) -> None:
    """Refuse weights that are not the softmax of the scores: the picture would lie."""
    again = softmax(scores.double())
    if not torch.allclose(again, weights.double(), atol=1e-4, equal_nan=True):
        raise ValueError(
            "attention.weights are not the softmax of attention.scores over the keys; "
            "keys that may not be attended to must score -inf"
        )


def _truth(recording: Recording) -> list[list[int]] | None:
    if recording.truth is None:
        return None
    rows = recording.truth.int()
    wanted = len(recording.target)
    # The end token, which data leaves out of the truth, is aligned with nothing.
    if len(rows) == wanted - 1:
        rows = torch.cat([rows, rows.new_zeros(1, rows.shape[1])])
    fits(rows, recording.target, "truth")
    fits(rows.mT, recording.source, "truth, its source")
    return rows[:LIMIT, :LIMIT].tolist()


def _weights(scores: Sequence[Sequence[float | int | str]]) -> Tensor:
    numbers = [[float(score) for score in row] for row in scores]
    return softmax(torch.tensor(numbers, dtype=torch.float64))


def _agreement(truth: list[list[int]], peaks: list[int]) -> str:
    placed = [row[j] for row, j in zip(truth, peaks, strict=True) if any(row)]
    return f"{sum(placed)} of {len(placed)} tokens with a true place look most there."
