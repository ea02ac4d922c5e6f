"""Checkpoints: a trained Transformer in one file, with all that is needed to use it.

A file is in the safetensors format: its weights as float16, and in its metadata the
model's config, the two vocabularies and a checksum of all that. Reading one runs no
code that is in it, and notices where a bit is no more what it was.

What does not depend on the kind of model, :func:`read`, :func:`settings`,
:func:`vocabulary`, :func:`filled` and :func:`serialised`, serves others too.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from inspect import formatannotation
from os import PathLike
from pathlib import Path
from reprlib import repr as shortened
from threading import get_ident
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as in_safetensors
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from qkv._files import write
from qkv.data import Vocabulary
from qkv.transformer.models import Transformer, TransformerConfig

KIND = "qkv.transformer.Transformer, 1"  # the one name in a checkpoint's metadata
_NAMED = Path(__file__).parents[1] / "checkpoints"
_Told = TypeVar("_Told")
_Model = TypeVar("_Model", bound=nn.Module)
_Config = TypeVar("_Config")
_NOT_UNDERSTOOD = (  # what values of the wrong kind, size or depth raise
    AttributeError,
    LookupError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
)
_MOST_COMPUTED = 2**26  # which take 256 MB
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
        If the file is there, but cannot be read.
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
    made = partial(Transformer, config)
    model = filled(made, weights, path, computed=config.d_model)
    return Checkpoint(model, *vocabularies)


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
        If the file is there, but cannot be read, or is a folder.
    ValueError
        If the file is damaged, of another kind, or what it tells is not understood.
    """
    path = _find(source)
    path.open("rb").close()  # safetensors says of what it may not read: no such file
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
        same = checksum is None or checksum == _checksum(weights, told)
    except _NOT_UNDERSTOOD as error:
        raise ValueError(f"{path}: its metadata make no model: {error!r}") from None
    if not same:
        raise ValueError(
            f"{path} is damaged: what it holds is not what was saved (another "
            "checksum); save it again"
        )
    return understood, weights, path


def settings(kind: type[_Config], told: dict[str, Any]) -> _Config:
    """Return a config of what is told of it, each value of the kind declared.

    Raises
    ------
    TypeError
        If one is of another: in Python True counts as 1, and "no" as true.
    """
    given = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in told.items()
    }
    for name, declared in get_type_hints(kind).items():
        if name in given and not _is_a(declared, given[name]):
            wanted, found = formatannotation(declared), shortened(given[name])
            raise TypeError(f"{name} is {found}, but must be {wanted}")
    return kind(**given)


def _is_a(declared: Any, value: Any) -> bool:
    if get_origin(declared) is tuple:
        kinds = get_args(declared)
        return (
            isinstance(value, tuple)
            and len(value) == len(kinds)
            and all(map(_is_a, kinds, value))
        )
    choices = get_args(declared) or (declared,)
    return type(value) in choices or (float in choices and type(value) is int)


def filled(
    make: Callable[[], _Model],
    weights: dict[str, Tensor],
    source: str | PathLike[str],
    *,
    computed: int,
) -> _Model:
    """Return the model that ``make`` makes with these weights, ready for use.

    A file may tell of a model that no machine has room for. It is made no further than
    to twice what the file holds, and not at all where ``computed``, the numbers that it
    is to compute of its positions, are too many.

    Raises
    ------
    ValueError
        If they are not this model's; the message begins with where they are from.
    """
    if computed > _MOST_COMPUTED:
        raise ValueError(
            f"{source}: its metadata make no model: it is to compute {computed:,} "
            f"numbers of its positions, and at most {_MOST_COMPUTED:,} are"
        )
    try:
        with _no_larger_than(weights):
            model = make()
        model.load_state_dict(weights)
    except _NOT_UNDERSTOOD as error:
        said = " ".join(str(error).split())
        raise ValueError(f"{source}: its weights are not its model's: {said}") from None
    return model.eval()


@contextmanager
def _no_larger_than(weights: dict[str, Tensor]) -> Iterator[None]:
    """Stop the making of a model once it is larger than the weights for it.

    What is tied is made twice, hence twice as large. PyTorch asks before it fills a
    weight with numbers: until then the largest takes no memory.

    Raises
    ------
    ValueError
        If it is larger.
    """
    most = sum(weight.numel() for weight in weights.values())
    made, thread = 0, get_ident()

    def weigh(_: nn.Module, name: str, parameter: Tensor | None) -> None:
        nonlocal made
        if parameter is None or get_ident() != thread:
            return
        made += parameter.numel()
        if made > 2 * most:
            raise ValueError(
                f"the file has {most:,} numbers, but the model is to have {made:,}, "
                "and more to come"
            )

    asked = register_module_parameter_registration_hook(weigh)
    try:
        yield
    finally:
        asked.remove()


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
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _find(source: str | PathLike[str]) -> Path:
    path = Path(source)
    if path.suffix or len(path.parts) != 1:
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder, and a checkpoint is a file")
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
    config = settings(TransformerConfig, told["config"])
    source, target = (
        vocabulary(told[name]) for name in ("source_vocab", "target_vocab")
    )
    _same_sizes(config, source, target)
    return config, source, target


def vocabulary(tokens: Any) -> Vocabulary:
    """Return a vocabulary of all its tokens, the special ones first.

    Raises
    ------
    TypeError
        If they are no list of texts.
    ValueError
        If the special ones are not first, or a token occurs twice.
    """
    if not isinstance(tokens, list) or not all(isinstance(t, str) for t in tokens):
        raise TypeError("a vocabulary is to be a list of texts")
    made = Vocabulary(tokens[3:])
    if made.tokens != tuple(tokens):
        raise ValueError(
            f"a vocabulary begins with {made.tokens[:3]}, not {tokens[:3]}"
        )
    return made


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
