"""Widgets whose front end runs a trained model, on weights that it asks for."""

from typing import Any

import torch
import traitlets

from qkv.widgets.shared.base import Widget


class Served(Widget):
    """A widget that gives its front end a model's weights, when they are asked for.

    They are not stored in the notebook. On the site they come from the file
    ``_static/checkpoints/NAME.js``.

    Parameters
    ----------
    checkpoint : what has a ``to_bytes``, as a checkpoint's file holds them.
    name : what the file is called on the site.
    state : the other traits.
    """

    name = traitlets.Unicode().tag(sync=True)
    size = traitlets.Int(0).tag(sync=True)

    def __init__(self, checkpoint: Any, name: str, **state: Any):
        self._checkpoint = checkpoint
        super().__init__(name=name, size=len(checkpoint.to_bytes()), **state)
        self.on_msg(self._on_message)

    def _on_message(self, _: Any, content: Any, buffers: Any) -> None:
        if content.get("type") != "weights":
            return
        answer = {"type": "weights", "id": content.get("id")}
        self.send(answer | {"type": "coming"})
        try:
            weights = self._checkpoint.to_bytes()
        except ValueError as error:
            self.send(answer | {"error": str(error)})
        else:
            self.send(answer, [weights])


def mean_of_heads(weights: list[list[float | int]]) -> list[float]:
    """Return the mean of heads' weights, "head key", number by number.

    Examples
    --------
    >>> mean_of_heads([[1, 0], [0.5, 0.5]])
    [0.75, 0.25]
    """
    return torch.tensor(weights, dtype=torch.float64).mean(0).tolist()
