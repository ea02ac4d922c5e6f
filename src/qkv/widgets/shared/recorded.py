"""Widgets that show what a model did with an input, and can ask for another."""

from collections.abc import Callable, Sequence
from typing import Any

import traitlets
from torch import Tensor

from qkv.trace import Recording, Step, walk
from qkv.widgets.shared.base import Widget
from qkv.widgets.shared.encode import number
from qkv.widgets.shared.network import network

START = "<bos>"


class Recorded(Widget):
    """A widget over recordings of a model; the reader chooses one, or types another.

    Parameters
    ----------
    record : makes the recording of an input, for example
        ``lambda text: record(model, corpus, text)``. A :exc:`ValueError` that it
        raises is shown to the reader who typed the input.
    inputs : what to record now, so that the widget shows it without a kernel.
    model, corpus : what ``record`` records, if the page is to read the reader's own
        digits itself: its weights, rounded to float16, go with the widget, and the site
        loads them when they are asked for. Without them a kernel must be there.

    Raises
    ------
    ValueError
        If there is no input, or a recording does not fit together.
    """

    recordings = traitlets.List().tag(sync=True)
    chosen = traitlets.Int(0).tag(sync=True)
    fed = traitlets.Enum(["forced", "free"], "forced").tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    request = traitlets.Dict().tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)
    network = traitlets.Dict().tag(sync=True)
    weights = traitlets.Bytes(None, allow_none=True).tag(sync=True)

    def __init__(
        self,
        record: Callable[[str], Recording],
        inputs: Sequence[str],
        *,
        model: Any = None,
        corpus: Any = None,
    ):
        if isinstance(inputs, str) or not len(inputs):
            raise ValueError(
                f"inputs is a list of at least one text to record, not {inputs!r}"
            )
        self._record = record
        made = [{"input": text, **self.encode(record(text))} for text in inputs]
        said, weights = network(model, corpus) if model is not None else ({}, None)
        super().__init__(
            recordings=made, alt=self.sentence(made), network=said, weights=weights
        )

    def encode(self, recording: Recording) -> dict[str, Any]:
        """Return a recording as the front end reads it."""
        raise NotImplementedError

    def sentence(self, recordings: list[dict[str, Any]]) -> str:
        """Say what is to be seen."""
        raise NotImplementedError

    @traitlets.observe("request")
    def _on_request(self, change: Any) -> None:
        asked = change["new"]
        text = asked.get("text")
        if not isinstance(text, str):
            return
        try:
            made = {"input": text, **self.encode(self._record(text))}
        except ValueError as error:
            self.answer = {"id": asked.get("id"), "error": str(error)}
        except Exception as error:
            # The reader sees this in the widget; a traceback would go to the log.
            said = f"{type(error).__name__}: {error}"
            self.answer = {"id": asked.get("id"), "error": said}
        else:
            self._add(made)
            self.answer = {"id": asked.get("id"), "error": ""}

    def _add(self, made: dict[str, Any]) -> None:
        """Show a new recording, in place of the one of the same input, if any."""
        texts = [r["input"] for r in self.recordings]
        at = texts.index(made["input"]) if made["input"] in texts else len(texts)
        with self.hold_sync():
            self.recordings = [*self.recordings[:at], made, *self.recordings[at + 1 :]]
            self.chosen, self.step = at, 0


def steps_of(trace: Any) -> dict[str, Tensor]:
    """Return the values of a trace of one example by path, without the batch axis.

    Raises
    ------
    ValueError
        If the trace holds more than one example.
    """
    return {step.path: _only(step).detach().cpu() for step in walk(trace)}


def _only(step: Step) -> Tensor:
    if not step.axes or step.axes[0] != "batch":
        return step.value
    if step.value.shape[0] != 1:
        raise ValueError(
            f"a recording shows one example; the batch axis of {step.path!r} has "
            f"{step.value.shape[0]}"
        )
    return step.value[0]


def field(values: dict[str, Tensor], *names: str) -> Tensor:
    """Return the first of the named values that a trace has.

    Raises
    ------
    ValueError
        If it has none of them.
    """
    for name in names:
        if name in values:
            return values[name]
    raise ValueError(f"the trace has no {' or '.join(names)}; it has {list(values)}")


def fits(value: Tensor, tokens: Sequence[str], what: str) -> Tensor:
    """Return a value that has one row for each token.

    Raises
    ------
    ValueError
        If the numbers differ.
    """
    if len(value) != len(tokens):
        raise ValueError(
            f"{what}: {len(value)} positions but {len(tokens)} tokens, {tuple(tokens)}"
        )
    return value


def likely(
    probabilities: Tensor, vocabulary: Sequence[str], count: int, digits: int = 4
) -> list:
    """Return the most likely tokens of each step with their probabilities."""
    if probabilities.shape[-1] != len(vocabulary):
        raise ValueError(
            f"probabilities of {probabilities.shape[-1]} tokens but a vocabulary of "
            f"{len(vocabulary)}"
        )
    top = probabilities.topk(min(count, len(vocabulary)))
    pairs = zip(top.indices.tolist(), top.values.tolist(), strict=True)
    return [
        [[vocabulary[i], number(p, digits)] for i, p in zip(ids, ps, strict=True)]
        for ids, ps in pairs
    ]


def expected(
    probabilities: Tensor, vocabulary: Sequence[str], target: Sequence[str]
) -> list:
    """Return how likely the true token was at each step; None past the truth's end."""
    found = {token: i for i, token in enumerate(vocabulary)}
    return [
        number(float(row[found[target[t]]]))
        if t < len(target) and target[t] in found
        else None
        for t, row in enumerate(probabilities)
    ]


def same(recording: Recording) -> bool:
    """Return whether the model wrote the truth, so that both runs are one."""
    return tuple(recording.produced) == tuple(recording.target)
