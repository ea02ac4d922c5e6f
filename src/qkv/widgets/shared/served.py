"""Widgets whose front end runs a trained model, on weights that it asks for."""

import copy
from collections.abc import Mapping
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
        super().__init__(name=name, size=len(checkpoint.to_bytes()), **state)
        serve(self, {name: checkpoint})


def serve(widget: Widget, checkpoints: Mapping[str, Any]) -> None:
    """Let a widget answer its front end, which asks for weights by their name.

    Parameters
    ----------
    widget : whose front end asks.
    checkpoints : by name what has a ``to_bytes``, as a checkpoint's file holds them.
    """

    def answer(_: Any, content: Any, buffers: Any) -> None:
        if content.get("type") != "weights":
            return
        said = {"type": "weights", "id": content.get("id")}
        widget.send(said | {"type": "coming"})
        try:
            weights = checkpoints[content.get("name")].to_bytes()
        except KeyError:
            widget.send(said | {"error": f"there is no model {content.get('name')!r}"})
        except ValueError as error:
            widget.send(said | {"error": str(error)})
        else:
            widget.send(said, [weights])

    widget.on_msg(answer)


def reckoned_there(config: Any) -> None:
    """Refuse a Transformer that the front end, core/transformer.js, can't compute.

    Raises
    ------
    ValueError
        If its heads share keys, or it looks through a window.
    """
    if config.kv_heads not in (None, config.heads) or config.window is not None:
        raise ValueError(
            f"the model has heads = {config.heads}, kv_heads = {config.kv_heads} and "
            f"window = {config.window}, but the page computes with keys for every head "
            "and sees all of them; give a model that was trained without kv_heads and "
            "window"
        )


def rounded(model: Any) -> Any:
    """Return a copy with the weights that a checkpoint keeps, as it is loaded."""
    made = copy.deepcopy(model).eval().to("cpu", torch.float32)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(parameter.half())
    return made


def mean_of_heads(weights: list[list[float | int]]) -> list[float]:
    """Return the mean of heads' weights, "head key", number by number.

    Examples
    --------
    >>> mean_of_heads([[1, 0], [0.5, 0.5]])
    [0.75, 0.25]
    """
    return torch.tensor(weights, dtype=torch.float64).mean(0).tolist()
