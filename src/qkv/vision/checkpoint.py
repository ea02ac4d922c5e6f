"""Checkpoints: a trained Vision Transformer in one file, with its config."""

from functools import partial
from math import prod
from os import PathLike
from typing import Any

from qkv._files import write
from qkv.transformer.checkpoint import filled, read, settings
from qkv.vision.models import KIND, VisionConfig, VisionTransformer


def save(model: VisionTransformer, path: str | PathLike[str]) -> None:
    """Write a model to a file in the safetensors format, in half the space.

    The weights are rounded to float16, to about three decimal digits; the model keeps
    its own. A file that was there is replaced in one step.

    Raises
    ------
    ValueError
        If a weight is NaN or too large for float16.
    OSError
        If the file cannot be written; one that was there is as it was.
    """
    write(path, model.to_bytes())


def load(source: str | PathLike[str]) -> VisionTransformer:
    """Read what :func:`save` wrote, or the package's own checkpoint of that name.

    Parameters
    ----------
    source : a path, or a name such as ``"digits"``, which is not one: it has no folder
        and no ending.

    Returns
    -------
    the model, in evaluation mode, its weights in float32, rounded to float16.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or no checkpoint of that name.
    OSError
        If the file cannot be read.
    ValueError
        If the file is damaged, is no checkpoint of this kind, or its weights are not
        those of its config.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "small.safetensors")
    ...     save(VisionTransformer(VisionConfig(image=(8, 12), patch=4)), file)
    ...     model = load(file)
    >>> model.config.image
    (8, 12)
    """
    config, weights, path = read(source, KIND, _told)
    made = partial(VisionTransformer, config)
    return filled(made, weights, path, computed=prod(config.grid) * config.d_model)


def _told(told: Any) -> VisionConfig:
    return settings(VisionConfig, told["config"])
