"""A question to answer before running."""

from collections.abc import Mapping
from typing import Any

import traitlets

from qkv.checking import solved
from qkv.widgets.shared.base import Widget, module
from qkv.widgets.shared.encode import segments
from qkv.widgets.shared.html import plain

__all__ = ["Predict"]


class Predict(Widget):
    """A question with options; each explains itself once it is chosen.

    The answer is remembered by ``name``, in the page and in ``answer`` (-1 before), and
    counts in the reader's progress. Each reader sees the options in an order of their
    own.

    Parameters
    ----------
    question, options : text in which ```code``` and ``$formulas$`` are set as such;
        ``options`` maps each option to what is said when it is chosen.
    right : the place of the right option, counted from 0.
    name : unique in the book: ``"01-gates"``.

    Raises
    ------
    ValueError
        If there are fewer than two options, or none of them is the right one.

    Examples
    --------
    >>> options = {"Yes": "It is 2.", "No": "Halve it."}
    >>> Predict("Is 1 + 1 even?", options, right=0, name="00-even")
    A question to answer before running on: Is 1 + 1 even? Options: Yes; No.
    """

    _esm = module("predict")
    question = traitlets.List().tag(sync=True)
    options = traitlets.List().tag(sync=True)
    right = traitlets.Int().tag(sync=True)
    name = traitlets.Unicode().tag(sync=True)
    answer = traitlets.Int(-1).tag(sync=True)

    def __init__(
        self, question: str, options: Mapping[str, str], *, right: int, name: str
    ):
        if len(options) < 2:
            raise ValueError(
                f"a prediction needs two options or more, not {len(options)}"
            )
        if not 0 <= right < len(options):
            raise ValueError(
                f"right={right} is none of the {len(options)} options, counted from 0"
            )
        super().__init__(
            question=segments(question),
            options=[
                {"text": segments(text), "why": segments(why)}
                for text, why in options.items()
            ],
            right=right,
            name=name,
            alt=f"A question to answer before running on: {question} "
            f"Options: {'; '.join(text.rstrip('.') for text in options)}.",
        )
        self.observe(self._keep, "answer")

    def fallback(self) -> str:
        """Return the question; each option opens to what would be said of it."""
        parts = [
            f"<details><summary>{plain(option['text'])}</summary>"
            f"<p>{'Right' if i == self.right else 'Not so'}: {plain(option['why'])}</p>"
            "</details>"
            for i, option in enumerate(self.options)
        ]
        return (
            f"<div><p><strong>{plain(self.question)}</strong></p>{''.join(parts)}</div>"
        )

    def _keep(self, change: Any) -> None:
        if change["new"] >= 0:
            solved.session.add(self.name)
