"""Checkpoints: a trained model in one file, with all that is needed to make it."""

from functools import partial
from math import prod
from os import PathLike
from typing import Any

from qkv._checks import whole
from qkv._files import write
from qkv.transformer import LanguageModel, TransformerConfig
from qkv.transformer.checkpoint import filled, read, settings, vocabulary
from qkv.vision.captioning import CAPTIONER, Captioner
from qkv.vision.grids import GridConfig, GridEncoder
from qkv.vision.look_up import LOOK_UP, LookUpConfig, LookUpNetwork
from qkv.vision.models import KIND, VisionConfig, VisionTransformer
from qkv.vision.painting import PAINTER, JointVocabulary, Painter
from qkv.vision.tokens import DiscreteVAE, DiscreteVAEConfig


def save(
    model: VisionTransformer | Captioner | LookUpNetwork | Painter,
    path: str | PathLike[str],
) -> None:
    """Write a model to a file in the safetensors format, in half the space.

    The weights are rounded to float16, to about three decimal digits; the model keeps
    its own. The batch norm of a captioner, or of a network that looks up, is written
    folded into its convolutions. A file that was there is replaced in one step.

    Raises
    ------
    ValueError
        If a weight is NaN or too large for float16.
    TypeError
        If the model is another, a captioner's encoder no
        :class:`~qkv.vision.GridEncoder`, or a painter's tokenizer no
        :class:`~qkv.vision.DiscreteVAE`.
    OSError
        If the file cannot be written; one that was there is as it was.
    """
    if not isinstance(model, VisionTransformer | Captioner | LookUpNetwork | Painter):
        raise TypeError(
            f"the model is of type {type(model).__name__}, but checkpoints are of a "
            "VisionTransformer, a Captioner, a LookUpNetwork or a Painter; keep "
            "another's weights with torch.save(model.state_dict(), path)"
        )
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


def load_captioner(source: str | PathLike[str]) -> Captioner:
    """Read the captioner of a file that :func:`save` wrote, or of the package's own.

    Parameters
    ----------
    source : a path, or a name such as ``"caption_english"``.

    Returns
    -------
    the model, in evaluation mode, without batch norm, its weights in float32, rounded
    to float16. Its words are those of the vocabulary that it was trained with.

    Raises
    ------
    FileNotFoundError, OSError, ValueError
        As :func:`load`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> encoder = GridEncoder(GridConfig(image=(12, 20), widths=(4, 8, 16)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "small.safetensors")
    ...     save(Captioner(encoder, n_target=7), file)
    ...     model = load_captioner(file)
    >>> model.encoder.grid, model.encoder.config.norm
    ((3, 5), False)
    """
    (config, sizes), weights, path = read(source, CAPTIONER, _told_of_captioner)

    def made() -> Captioner:
        return Captioner(GridEncoder(config), **sizes)

    return filled(made, weights, path, computed=prod(config.grid) * config.d_hidden)


def load_look_up(source: str | PathLike[str]) -> LookUpNetwork:
    """Read the network of a file that :func:`save` wrote, or of the package's own.

    Parameters
    ----------
    source : a path, or a name such as ``"look_up"``.

    Returns
    -------
    the network, in evaluation mode, without batch norm, its weights in float32, rounded
    to float16.

    Raises
    ------
    FileNotFoundError, OSError, ValueError
        As :func:`load`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "small.safetensors")
    ...     save(LookUpNetwork(LookUpConfig(classes=7)), file)
    ...     model = load_look_up(file)
    >>> model.config.classes, model.config.norm
    (7, False)
    """
    config, weights, path = read(source, LOOK_UP, _told_of_look_up)
    return filled(partial(LookUpNetwork, config), weights, path, computed=0)


def load_painter(source: str | PathLike[str]) -> Painter:
    """Read the painter of a file that :func:`save` wrote, or of the package's own.

    Parameters
    ----------
    source : a path, or a name such as ``"painter"``.

    Returns
    -------
    the painter, in evaluation mode, its weights in float32, rounded to float16.

    Raises
    ------
    FileNotFoundError, OSError, ValueError
        As :func:`load`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from qkv.data import Vocabulary
    >>> both = JointVocabulary(Vocabulary(["red", "star"]), text=4)
    >>> model = LanguageModel(TransformerConfig(1, len(both)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "small.safetensors")
    ...     save(Painter(model, DiscreteVAE(), both), file)
    ...     painter = load_painter(file)
    >>> painter.vocabulary.words.tokens[3:], painter.tokenizer.grid
    (('red', 'star'), (4, 4))
    """
    (config, codes, both), weights, path = read(source, PAINTER, _told_of_painter)

    def made() -> Painter:
        return Painter(LanguageModel(config), DiscreteVAE(codes), both)

    return filled(made, weights, path, computed=config.d_model)


def _told(told: Any) -> VisionConfig:
    return settings(VisionConfig, told["config"])


def _told_of_captioner(told: Any) -> tuple[GridConfig, dict[str, Any]]:
    sizes = {name: told[name] for name in ("n_target", "d_embedding")}
    return settings(GridConfig, told["grid"]), whole(1, **sizes) | {
        "score": told["score"]
    }


def _told_of_look_up(told: Any) -> LookUpConfig:
    return settings(LookUpConfig, told["config"])


def _told_of_painter(
    told: Any,
) -> tuple[TransformerConfig, DiscreteVAEConfig, JointVocabulary]:
    codes = settings(DiscreteVAEConfig, told["tokenizer"])
    both = JointVocabulary(
        vocabulary(told["words"]), codes=codes.codes, grid=codes.grid, text=told["text"]
    )
    return settings(TransformerConfig, told["model"]), codes, both
