"""What a computation did, as a value: named, titled steps with axis names.

A *trace* is a frozen dataclass whose fields are the intermediate values of one
computation, in order, the last one its result. The annotation of a field that is a
tensor names its axes: ``Float[Tensor, "*batch token"]``, or in a notebook the names
alone, ``"*batch token"``. Fields that are traces themselves
make a tree. Nothing is stored on a model; a trace is returned, like any other value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from jaxtyping import Bool
from torch import Tensor


@dataclass(frozen=True)
class Place:
    """What a map of a model must know of a step.

    Parameters
    ----------
    part : its kind: "embedding", "position", "norm", "attention", "cross-attention",
        "feed-forward", "add", "linear" or "softmax".
    label : what its box says: "Multi-head self-attention".
    called : what a sentence calls it: "self-attention"; the label if not given.
    counted : the name under which its parameters are counted.
    """

    part: str = ""
    label: str = ""
    called: str = ""
    counted: str = ""


def step(
    title: str,
    *,
    formula: str = "",
    reads: tuple[str, ...] = (),
    axes: tuple[str, ...] = (),
    by: tuple[str, ...] = (),
    owner: str = "",
    place: Place = Place(),
) -> Any:
    r"""Declare one step of a trace.

    Parameters
    ----------
    title : what happens, in a few words: "Compare every query with every key".
    formula : the step as TeX, without dollar signs: ``r"e = q K^\top"``.
    reads : names of the fields of the same trace, or of inputs, it is computed from.
    axes : for a step that is a trace: what this one calls the last of the axes that
        the inner one knows as ``*batch``: ``("head",)``.
    by : how a widget may compute it: an operation of ``qkv.widgets.packed``, and the
        names of what it takes: ``("compare", "queries", "keys")``.
    owner : the module that has its parameters, as the module that is traced calls it:
        ``"self_attn"``.
    place : what a map of the model must know of it. The last step of a trace may
        declare it for the whole; what it leaves empty is said by the step around.

    Examples
    --------
    >>> from jaxtyping import Float
    >>> @dataclass(frozen=True)
    ... class Doubled:
    ...     twice: Float[Tensor, " token"] = step("Double", formula="2x", reads=("x",))
    """
    return field(
        metadata={
            "title": title,
            "formula": formula,
            "reads": reads,
            "axes": axes,
            "by": by,
            "owner": owner,
            "place": place,
        }
    )


def given() -> Any:
    """Declare what steps of a trace take and none makes, such as learned numbers.

    It is no step: :func:`walk` hands it over with each step of its trace.
    """
    return field(metadata={"given": True})


@dataclass(frozen=True)
class Step:
    """One step of a trace, as :func:`walk` yields it.

    ``path`` is the dotted name from the root (``"attention.weights"``), ``axes`` the
    axis names read from the annotation, one for each axis of ``value``. ``given`` is
    what its trace was given, by name; the rest is as :func:`step` declares it.
    """

    path: str
    title: str
    formula: str
    reads: tuple[str, ...]
    axes: tuple[str, ...]
    value: Tensor
    by: tuple[str, ...] = ()
    owner: str = ""
    given: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def shape(self) -> dict[str, int]:
        """The size of each axis by its name."""
        return dict(zip(self.axes, self.value.shape, strict=True))


def walk(trace: Any, prefix: str = "", axes: tuple[str, ...] = ()) -> Iterator[Step]:
    """Yield the steps of ``trace`` in order, descending into traces within it.

    ``prefix`` begins each path, and ``axes`` names the last axes of every ``*batch``.

    Raises
    ------
    TypeError
        If ``trace``, or a field of it, is neither a tensor nor a trace.

    Examples
    --------
    >>> import torch
    >>> from jaxtyping import Float
    >>> @dataclass(frozen=True)
    ... class Doubled:
    ...     twice: Float[Tensor, " token"] = step("Double", formula="2x")
    >>> [(s.path, s.shape) for s in walk(Doubled(torch.ones(3)))]
    [('twice', {'token': 3})]
    """
    if not is_dataclass(trace) or isinstance(trace, type):
        raise TypeError(f"a trace is a dataclass instance, not {type(trace).__name__}")
    given = {f.name: getattr(trace, f.name) for f in fields(trace) if _given(f)}
    for part in fields(trace):
        if _given(part):
            continue
        value = getattr(trace, part.name)
        path = f"{prefix}{part.name}"
        within = (*axes, *part.metadata.get("axes", ()))
        if isinstance(value, Tensor):
            named = _axes(part, value, axes)
            yield Step(path, **_words(part), axes=named, value=value, given=given)
        elif isinstance(value, tuple):
            for index, inner in enumerate(value):
                yield from walk(inner, f"{path}.{index}.", within)
        elif is_dataclass(value):
            yield from walk(value, f"{path}.", within)
        else:
            raise TypeError(
                f"step {path!r} holds a {type(value).__name__}; a step is a tensor, "
                "a trace, or a tuple of traces"
            )


def place_of(trace: Any, name: str) -> Place:
    """Return the place of a step: what its own trace declares goes before the rest.

    A label of its own is also what it is called.

    Examples
    --------
    >>> from jaxtyping import Float
    >>> @dataclass(frozen=True)
    ... class Inner:
    ...     output: Float[Tensor, " token"] = step("Mix", place=Place(label="Experts"))
    >>> @dataclass(frozen=True)
    ... class Layer:
    ...     inner: Inner = step("Work", place=Place("feed-forward", "Feed-forward"))
    >>> place_of(Layer(Inner(Tensor(3))), "inner")
    Place(part='feed-forward', label='Experts', called='', counted='')
    """
    declared = {f.name: f.metadata.get("place", Place()) for f in fields(trace)}
    around, value = declared[name], getattr(trace, name)
    if not is_dataclass(value):
        return around
    *_, last = fields(value)
    own = last.metadata.get("place", Place())
    if own.label:
        around = replace(around, called="")
    return replace(around, **{key: said for key, said in vars(own).items() if said})


def _given(part: Any) -> bool:
    return part.metadata.get("given", False)


def _words(part: Any) -> dict[str, Any]:
    return {
        "title": part.metadata.get("title", part.name),
        "formula": part.metadata.get("formula", ""),
        "reads": part.metadata.get("reads", ()),
        "by": part.metadata.get("by", ()),
        "owner": part.metadata.get("owner", ""),
    }


def _axes(part: Any, value: Tensor, known: tuple[str, ...]) -> tuple[str, ...]:
    said = part.type if isinstance(part.type, str) else part.type.dim_str
    words = [w for w in said.split() if not w.startswith(("*", "..."))]
    leading = value.ndim - len(words)
    known = known[max(0, len(known) - leading) :]
    unknown = ["batch", *(f"batch{i}" for i in range(1, leading))]
    return (*unknown[: leading - len(known)], *known, *words)


@dataclass(frozen=True)
class Recording:
    """What a model did with one example: all that a widget needs to show it.

    ``target`` is the truth and ``produced`` what the model wrote when fed its own
    output, both ending in the end token where there is one. ``forced`` is the trace
    of the model fed the truth (teacher forcing), ``free`` of the model fed
    ``produced``; both have a batch of one. ``vocabulary`` names the model's outputs.
    ``truth`` is the true alignment where one is known.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    produced: tuple[str, ...]
    vocabulary: tuple[str, ...]
    forced: Any
    free: Any
    truth: Bool[Tensor, "target source"] | None = None
