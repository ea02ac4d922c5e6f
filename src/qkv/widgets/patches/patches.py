"""A Vision Transformer at work: what it looks at, what it does without, your digit."""

from collections.abc import Sequence
from typing import Any

import torch
import traitlets
from torch import Tensor

from qkv.vision import rollout
from qkv.widgets.shared.attending import look
from qkv.widgets.shared.base import module
from qkv.widgets.shared.encode import listed, visible
from qkv.widgets.shared.html import named, page, table
from qkv.widgets.shared.packed import packed
from qkv.widgets.shared.served import Served, mean_of_heads, rounded

__all__ = ["Patches"]

MOST = 12
"""The most images that are recorded."""

MOST_DRAWN = 16
"""The most pixels on a side of an image that a reader can draw."""

_DECIMALS = 4  # of a weight; the front end shows two


class Patches(Served):
    r"""An image as a sentence of patches: where each token looks, and what is seen.

    A reader chooses the class token or a patch, a layer and a head, or the rollout over
    all layers, and sees over the image and in a table where it looks; hides patches, so
    that no token may attend to them, and sees what the model then says; and draws a
    digit. What is recorded is where the class token looks in the given images. For all
    else the model runs in the browser, on weights that are loaded when they are needed,
    from the kernel, or on the site from ``_static/checkpoints/NAME.js``. They are not
    stored in the notebook.

    Parameters
    ----------
    model : a ``qkv.vision.VisionTransformer``; recorded is what it does with weights
        rounded to float16, as a checkpoint keeps them and the browser is given them.
    images : a ``qkv.data.Images``, 12 at most. Where they have ``places``, the true
        place is outlined.
    checkpoint : what the model is called on the site, such as ``"digits"``. Without
        it the site has only what is recorded; JupyterLab has all.
    draw : whether a reader may draw; by default where an image has one channel and
        at most 16 pixels on a side.
    names : of the classes; their numbers if not given.
    extent : the side of the square of pixels that begins at a place.

    Raises
    ------
    ValueError
        If there are no images or too many, they don't fit the model, the names are not
        as many as the classes, or an image is too large to draw.

    Notes
    -----
    The rollout is that of Abnar and Zuidema (2020), :func:`qkv.vision.rollout`. In
    JupyterLab the trait ``drawn`` holds what the reader draws, rows of pixels from 0
    to 1. ``layer`` and ``head`` count from 0; a head of -1 is the mean of all.

    Examples
    --------
    >>> from qkv.data import Images
    >>> from qkv.vision import VisionConfig, VisionTransformer
    >>> model = VisionTransformer(VisionConfig(image=(4, 4), classes=3))
    >>> two = Images(torch.rand(2, 1, 4, 4), torch.tensor([2, 0]))
    >>> widget = Patches(model, two, names=["cat", "dog", "owl"])
    >>> len(widget.found[0]["looks"]), len(widget.found[0]["rollout"])
    (2, 5)
    """

    _esm = module("patches")
    pixels = traitlets.Dict().tag(sync=True)
    labels = traitlets.List().tag(sync=True)
    places = traitlets.List().tag(sync=True)
    extent = traitlets.Int(8).tag(sync=True)
    found = traitlets.List().tag(sync=True)
    names = traitlets.List().tag(sync=True)
    patch = traitlets.Int(1).tag(sync=True)
    chosen = traitlets.Int(0).tag(sync=True)
    query = traitlets.Int(0).tag(sync=True)
    layer = traitlets.Int(0).tag(sync=True)
    head = traitlets.Int(-1).tag(sync=True)
    mode = traitlets.Enum(["attention", "rollout"], "attention").tag(sync=True)
    click = traitlets.Enum(["asks", "hides"], "asks").tag(sync=True)
    hidden = traitlets.List().tag(sync=True)
    draw = traitlets.Bool(False).tag(sync=True)
    drawn = traitlets.List().tag(sync=True)

    def __init__(
        self,
        model: Any,
        images: Any,
        *,
        checkpoint: str | None = None,
        draw: bool | None = None,
        names: Sequence[str] | None = None,
        extent: int = 8,
    ):
        config = model.config
        if not 1 <= len(images) <= MOST:
            raise ValueError(f"Patches records 1 to {MOST} images, not {len(images)}")
        kept = rounded(model)
        found = _look(kept, images.pixels)
        named = list(map(str, range(config.classes) if names is None else names))
        _fitting(config, images.labels, named)
        places = None if images.places is None else images.places.tolist()
        super().__init__(
            kept,
            checkpoint or "",
            pixels=packed(images.pixels)[0],
            labels=images.labels.tolist(),
            places=places or [],
            extent=extent,
            found=found,
            names=named,
            patch=config.patch,
            layer=config.layers - 1,
            draw=_drawable(config, draw),
            alt=_sentence(config, found, images.labels.tolist(), named),
        )

    def fallback(self) -> str:
        """Return what is said of each image, and where the first is looked at."""
        which = [named(f"{i}: ") + self.names[k] for i, k in enumerate(self.labels, 1)]
        said = table([run["probabilities"] for run in self.found], which, self.names)
        looks = mean_of_heads(self.found[0]["looks"][-1])
        *_, height, width = self.pixels["size"]
        rows, columns = height // self.patch, width // self.patch
        grid = [looks[1 + r * columns : 1 + (r + 1) * columns] for r in range(rows)]
        where = table(
            grid,
            [named(f"row {r}") for r in range(1, rows + 1)],
            [named(f"column {c}") for c in range(1, columns + 1)],
        )
        caption = f"<p>Image 1: where the class token looks, {_LAST}</p>"
        return page(self.alt, said, caption, where)


def _look(model: Any, pixels: Tensor) -> list[dict[str, Any]]:
    """Return what the model says of each image, and where its class token looks."""
    with torch.no_grad():
        trace = model.trace(pixels)
        weights = [layer.attention.attention.weights for layer in trace.encoder]
        flow = rollout(weights)[:, 0]
    looks = torch.stack(weights, 1)[..., 0, :]
    return [
        {
            "probabilities": listed(trace.probabilities[i]),
            "looks": listed(looks[i].double().round(decimals=_DECIMALS)),
            "rollout": listed(flow[i].double().round(decimals=_DECIMALS)),
        }
        for i in range(len(pixels))
    ]


def _fitting(config: Any, labels: Tensor, names: Sequence[str]) -> None:
    if len(names) != config.classes:
        raise ValueError(
            f"the model has {config.classes} classes, but there are {len(names)} "
            "names; give one for each class"
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= config.classes:
        raise ValueError(
            f"labels run from {low} to {high}, but the model's classes from 0 to "
            f"{config.classes - 1}"
        )


def _drawable(config: Any, draw: bool | None) -> bool:
    fits = config.channels == 1 and max(config.image) <= MOST_DRAWN
    if draw and not fits:
        raise ValueError(
            f"images of channel = {config.channels}, height = {config.image[0]} and "
            f"width = {config.image[1]} cannot be drawn here: one channel and "
            f"{MOST_DRAWN} pixels on a side are the most"
        )
    return fits if draw is None else draw


_LAST = "in the last layer, mean of its heads"


def _sentence(
    config: Any, found: list[dict[str, Any]], labels: list[int], names: list[str]
) -> str:
    (height, width), side = config.image, config.patch
    rows, columns = height // side, width // side
    says = [
        max(range(len(names)), key=run["probabilities"].__getitem__) for run in found
    ]
    right = sum(a == b for a, b in zip(says, labels, strict=True))
    recorded = (
        "1 image is recorded"
        if len(found) == 1
        else f"{len(found)} images are recorded"
    )
    looks = mean_of_heads(found[0]["looks"][-1])[1:]
    at = max(range(len(looks)), key=looks.__getitem__)
    patch = f"patch {at + 1}, row {at // columns + 1}, column {at % columns + 1}"
    sure = found[0]["probabilities"][says[0]]
    return (
        f"A Vision Transformer reads images of {height} × {width} pixels as a class "
        f"token and {rows * columns} patches of {side} × {side}; {recorded}, and "
        f"it is right about {right}. The first, a “{visible(names[labels[0]])}”, it "
        f"calls “{visible(names[says[0]])}” ({sure:.2f}); "
        f"{look('the class token', patch, looks[at])}, {_LAST}."
    )
