"""What all widgets share: their front end, their words, and their fallback."""

from typing import Any

import anywidget
import traitlets

from qkv.widgets.shared.html import STATIC


def module(name: str) -> str:
    """Return the text of a bundled front-end module."""
    return (STATIC / f"{name}.js").read_text("utf-8")


class Widget(anywidget.AnyWidget):
    """A widget whose whole state is in its traits, so that it lives without a kernel.

    ``alt`` says in a sentence what is to be seen, computed from the data. It is also
    the widget's ``repr`` and, before a table, its fallback in HTML.
    """

    _css = (STATIC / "widgets.css").read_text("utf-8")
    alt = traitlets.Unicode().tag(sync=True)

    def __repr__(self) -> str:
        """Return the sentence that says what is to be seen."""
        return self.alt

    def fallback(self) -> str:
        """Return plain HTML that stands here where no script runs."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict]:
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {
            **data,
            "text/plain": repr(self),
            "text/html": self.fallback(),
        }, metadata
