"""Checkpoints: a trained Transformer in one file, with all that is needed to use it.

A file is in the safetensors format: its weights as float16, and in its metadata the
model's config, the two vocabularies and a checksum of all that. Reading one runs no
code that is in it, and notices where a bit is no more what it was.

What does not depend on the kind of model, :func:`read`, :func:`filled` and
:func:`serialised`, serves others too.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as in_safetensors
from torch import Tensor, nn

from qkv._files import write
from qkv.data import Vocabulary
from qkv.transformer.models import Transformer, TransformerConfig

KIND = "qkv.transformer.Transformer, 1"  # the one name in a checkpoint's metadata
_NAMED = Path(__file__).parents[1] / "checkpoints"
_Told = TypeVar("_Told")
_Model = TypeVar("_Model", bound=nn.Module)
_CHECKSUM = "sha256"  # beside what is told; files of before there was one have none
_TIED = "output.weight"  # with tied embeddings the same numbers as the target's


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A model and the vocabularies that it was trained with.

    Attributes
    ----------
    model : in evaluation mode, its weights in float32, rounded to float16.
    source_vocab, target_vocab : what its tokens are called.
    """

    model: Transformer
    source_vocab: Vocabulary
    target_vocab: Vocabulary

    def __repr__(self) -> str:
        """Say how large the model is."""
        parameters = sum(p.numel() for p in self.model.parameters())
        config = self.model.config
        return (
            f"Checkpoint of a Transformer with {parameters:,} parameters: "
            f"d_model {config.d_model}, {config.heads} heads, {config.layers[0]} + "
            f"{config.layers[1]} layers, {len(self.source_vocab)} source and "
            f"{len(self.target_vocab)} target tokens"
        )

    def to_bytes(self) -> bytes:
        """Return what :func:`save` writes.

        Raises
        ------
        ValueError
            As :func:`save`.
        """
        config = self.model.config
        _same_sizes(config, self.source_vocab, self.target_vocab)
        weights = self.model.state_dict()
        if config.tied:
            del weights[_TIED]
        told = {
            "config": asdict(config),
            "source_vocab": self.source_vocab.tokens,
            "target_vocab": self.target_vocab.tokens,
        }
        return serialised(weights, KIND, told)


def save(
    model: Transformer,
    path: str | PathLike[str],
    source_vocab: Vocabulary,
    target_vocab: Vocabulary,
) -> None:
    """Write a model and its vocabularies to a file, in half the space.

    The weights are rounded to float16, to about three decimal digits; the model keeps
    its own. Tied weights are written once. A file that was there is replaced in one
    step.

    Raises
    ------
    ValueError
        If a vocabulary has another number of tokens than the model, or a weight is NaN
        or too large for float16.
    OSError
        If the file cannot be written; one that was there is as it was.
    """
    write(path, Checkpoint(model, source_vocab, target_vocab).to_bytes())


def load(source: str | PathLike[str]) -> Checkpoint:
    """Read what :func:`save` wrote, or the package's own checkpoint of that name.

    Parameters
    ----------
    source : a path, or a name such as ``"english_korean"``, which is not one: it has
        no folder and no ending.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or no checkpoint of that name.
    OSError
        If the file cannot be read.
    ValueError
        If the file is damaged, is no checkpoint, or its weights are not those of its
        config.

    Examples
    --------
    >>> import tempfile
    >>> model = Transformer(TransformerConfig(n_source=5, n_target=4))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "small.safetensors")
    ...     save(model, file, Vocabulary(["I", "go"]), Vocabulary(["가"]))
    ...     checkpoint = load(file)
    >>> checkpoint.source_vocab.tokens[3:]
    ('I', 'go')
    """
    (config, *vocabularies), weights, path = read(source, KIND, _told)
    if config.tied and "target_embedding.weight" in weights:
        weights[_TIED] = weights["target_embedding.weight"]
    return Checkpoint(filled(Transformer(config), weights, path), *vocabularies)


def read(
    source: str | PathLike[str], kind: str, understand: Callable[[Any], _Told]
) -> tuple[_Told, dict[str, Tensor], Path]:
    """Return what a file of one kind tells of its model, its weights, and its path.

    Parameters
    ----------
    source : a path, or the name of one of the package's checkpoints.
    kind : the name in the metadata under which the model is told of.
    understand : makes of what is told all that is needed to make the model, and raises
        KeyError, TypeError or ValueError where it can't.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or no checkpoint of that name.
    OSError
        If the file cannot be read.
    ValueError
        If the file is damaged, of another kind, or what it tells is not understood.
    """
    path = _find(source)
    path.open("rb").close()  # who may not read it would hear that there is no file
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"{path} is damaged, or is no safetensors file ({error}); save it again"
        ) from None
    if kind not in metadata:
        found = ", ".join(map(repr, metadata)) or "nothing"
        raise ValueError(
            f"{path} is a safetensors file, but not a checkpoint of this kind: its "
            f"metadata have {found}, and not {kind!r}"
        )
    try:
        told = json.loads(metadata[kind])
        checksum = told.pop(_CHECKSUM, None)
        understood = understand(told)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: its metadata make no model: {error!r}") from None
    if checksum not in (None, _checksum(weights, told)):
        raise ValueError(
            f"{path} is damaged: what it holds is not what was saved (another "
            "checksum); save it again"
        )
    return understood, weights, path


def filled(
    model: _Model, weights: dict[str, Tensor], source: str | PathLike[str]
) -> _Model:
    """Return the model with these weights, ready for use.

    Raises
    ------
    ValueError
        If they are not this model's; the message begins with where they are from.
    """
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        said = " ".join(str(error).split())
        raise ValueError(f"{source}: its weights are not its model's: {said}") from None
    return model.eval()


def serialised(weights: dict[str, Tensor], kind: str, told: dict[str, Any]) -> bytes:
    """Return the file of a model: its weights in float16, and what is told of it.

    Raises
    ------
    ValueError
        If a weight is NaN or too large for float16.
    """
    rounded = {
        name: value.detach().cpu().to(torch.float16).contiguous()
        for name, value in weights.items()
    }
    for name, value in rounded.items():
        if not value.isfinite().all():
            raise ValueError(
                f"{name} holds NaN, or a number that float16 is too small for; there "
                "is nothing to use in such a model"
            )
    told = told | {_CHECKSUM: _checksum(rounded, told)}
    # Under one name: safetensors keeps no order of several, and a file would differ
    # from one that is made again.
    return in_safetensors(rounded, {kind: json.dumps(told, ensure_ascii=False)})


def _checksum(weights: dict[str, Tensor], told: dict[str, Any]) -> str:
    """Return what differs where a bit of the weights, or of what is told, does."""
    digest = hashlib.sha256(json.dumps(told).encode())
    for name, value in sorted(weights.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()


def _find(source: str | PathLike[str]) -> Path:
    path = Path(source)
    if path.suffix or len(path.parts) != 1:
        try:
            path.stat()  # one that may not be looked at raises what it is
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFoundError(f"there is no file {path}") from None
        return path
    named = _NAMED / f"{path}.safetensors"
    if not named.is_file():
        found = sorted(file.stem for file in _NAMED.glob("*.safetensors"))
        there = ", ".join(map(repr, found)) or "none"
        raise FileNotFoundError(
            f"there is no checkpoint named {str(path)!r}; the package has {there}. "
            "A file's path ends in .safetensors"
        )
    return named


def _told(told: Any) -> tuple[TransformerConfig, Vocabulary, Vocabulary]:
    settings = told["config"]
    config = TransformerConfig(**settings | {"layers": tuple(settings["layers"])})
    source, target = (
        Vocabulary(told[name][3:]) for name in ("source_vocab", "target_vocab")
    )
    _same_sizes(config, source, target)
    return config, source, target


def _same_sizes(
    config: TransformerConfig, source_vocab: Vocabulary, target_vocab: Vocabulary
) -> None:
    for side, size, vocabulary in (
        ("source", config.n_source, source_vocab),
        ("target", config.n_target, target_vocab),
    ):
        if size != len(vocabulary):
            raise ValueError(
                f"the model has {size} {side} tokens, but the {side} vocabulary has "
                f"{len(vocabulary)}; give the one that it was trained with"
            )
