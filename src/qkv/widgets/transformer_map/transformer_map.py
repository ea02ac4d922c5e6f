"""The whole Transformer as a map: walk a sentence through it, place by place."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from qkv.trace import Step, walk
from qkv.widgets.shared.base import Widget, module
from qkv.widgets.shared.encode import crop, listed, visible
from qkv.widgets.shared.html import named, page, table
from qkv.widgets.shared.packed import RECIPES, Store, sizes
from qkv.widgets.shared.recorded import likely, steps_of
from qkv.widgets.shared.trace_steps import drawn, resolved

MOST = 32
"""The most tokens of a sentence that is walked through the map."""

_WIDTH = 128  # features that are stored
_COLUMNS = 48  # tokens of the vocabulary whose scores are stored
_TOP = 5
_NEEDS = ("source_placed", "encoder", "memory", "target_placed", "decoder", "logits")

_LABELS = {
    "source_embedded": "Input embedding",
    "source_placed": "Add positions",
    "memory": "Norm",
    "target_embedded": "Output embedding",
    "target_placed": "Add positions",
    "decoded": "Norm",
    "logits": "Linear",
    "probabilities": "Softmax",
    "encoder.attention": "Multi-head self-attention",
    "decoder.attention": "Masked multi-head self-attention",
    "decoder.cross": "Multi-head cross-attention",
    "feed_forward": "Feed-forward",
}
_KINDS = {
    "source_embedded": "embedding",
    "source_placed": "position",
    "target_embedded": "embedding",
    "target_placed": "position",
    "attention": "attention",
    "cross": "attention",
    "feed_forward": "feed",
    "logits": "linear",
    "probabilities": "softmax",
}
_OWNERS = {
    "attention": "self_attn",
    "cross": "multihead_attn",
    "feed_forward": "linear",
    "source_embedded": "source_embedding",
    "target_embedded": "target_embedding",
    "memory": "encoder.norm",
    "decoded": "decoder.norm",
    "logits": "output",
}

_PARTS = (
    (r"^source_embedding", "embedding", "source embedding"),
    (r"^target_embedding", "embedding", "target embedding"),
    (r"^positions\b", "embedding", "learned positions"),
    (r"^encoder\b.*\bself_attn", "attention", "encoder self-attention"),
    (r"^decoder\b.*\bself_attn", "attention", "decoder self-attention"),
    (r"\bmultihead_attn", "attention", "cross-attention"),
    (r"^encoder\b.*\blinear", "feed", "encoder feed-forward"),
    (r"^decoder\b.*\blinear", "feed", "decoder feed-forward"),
    (r"\bnorm\d?\.", "norm", "layer norms"),
    (r"^output\b", "linear", "output layer"),
)


class TransformerMap(Widget):
    r"""The model as the paper draws it, with a sentence on its way through.

    Each box of the figure is a place to go to. At a place stand its formula, shapes and
    numbers, and what goes around it: x, what the sub-layer adds, and their sum. A place
    opens into its own steps. A second view draws each part of the model with an area
    that is proportional to its number of parameters.

    Parameters
    ----------
    trace : what a model of encoder and decoder did with one sentence, in pre- or
        post-norm: a :class:`qkv.transformer.TransformerTrace`.
    source : the source's tokens.
    target : the tokens that the decoder is fed, from the start token on.
    vocabulary : names of the outputs; their numbers if not given.
    parameters : the model's ``state_dict()``, or the count or shape of each part by its
        name. A tensor that has two names is counted at the first.

    Raises
    ------
    TypeError
        If ``trace`` is no trace of an encoder and a decoder.
    ValueError
        If the trace holds several sentences, or tokens or names do not fit it.

    Notes
    -----
    Vaswani et al. (2017), figure 1. Numbers are kept to 1/32,000 of the largest of their
    matrix, and what follows from others is computed in the browser. Features after the
    first 128 are cropped, and the widget says so.

    ``place`` is the place shown, of ``len(widget.places)``; ``inside`` the step within
    it, or −1; ``show`` is "walk" or "parameters".

    Examples
    --------
    >>> import torch
    >>> from qkv.transformer import Transformer, TransformerConfig
    >>> _ = torch.manual_seed(0)
    >>> model = Transformer(TransformerConfig(7, 11, d_model=8, heads=2, layers=(1, 1)))
    >>> tokens = torch.tensor([[3, 4, 5]]), torch.tensor([3]), torch.tensor([[1, 6]])
    >>> trace = model.trace(*tokens)
    >>> widget = TransformerMap(trace, ["I", "love", "cats"], ["<bos>", "나"])
    >>> widget.alt[:93]
    'A Transformer in pre-norm with 1 encoder layer and 1 decoder layer, d_model 8, 2 heads, drawn'
    >>> [place["label"] for place in widget.places][:3]
    ['Input embedding', 'Add positions', 'Norm']
    """  # noqa: E501

    _esm = module("transformer_map")
    tokens = traitlets.Dict().tag(sync=True)
    words = traitlets.List().tag(sync=True)
    steps = traitlets.Dict().tag(sync=True)
    places = traitlets.List().tag(sync=True)
    columns = traitlets.List().tag(sync=True)
    top = traitlets.List().tag(sync=True)
    notes = traitlets.Dict().tag(sync=True)
    parts = traitlets.List().tag(sync=True)
    place = traitlets.Int(0).tag(sync=True)
    inside = traitlets.Int(-1).tag(sync=True)
    head = traitlets.Int(0).tag(sync=True)
    row = traitlets.Int(0).tag(sync=True)
    show = traitlets.Enum(["walk", "parameters"], "walk").tag(sync=True)

    def __init__(
        self,
        trace: Any,
        source: Sequence[str],
        target: Sequence[str],
        *,
        vocabulary: Sequence[str] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ):
        _check(trace)
        values = steps_of(trace)
        tokens = _tokens(values, source, target)
        names = _names(values, vocabulary)
        counts = sizes(parameters or {})
        words = _Words()
        places = list(_places(trace, values, words, counts))
        shown = _shown(values["probabilities"])
        store, steps = Store(), {}
        for step in walk(trace):
            steps[step.path] = _step(step, words)
        _read_within(places, steps)
        all_values = _with_learned(_with_positions(values, places), places)
        _keep(store, all_values, places, shown)
        top = likely(values["probabilities"], names, _TOP)
        super().__init__(
            tokens=tokens,
            words=words.found,
            steps={p: steps.get(p, {}) | store.entries[p] for p in store.entries},
            places=places,
            columns=[names[i] for i in shown],
            top=top,
            notes=_notes(values, shown),
            parts=_parts(counts),
            alt=_sentence(trace, values, tokens, top, _parts(counts)),
        )
        self._weights = _cross(values)

    def fallback(self) -> str:
        """Return the last cross-attention, the next tokens, and the parameters."""
        source, target = self.tokens["source"], self.tokens["target"]
        best = [[row[0][1]] for row in self.top]
        said = [
            f"{visible(name)} → {visible(row[0][0])}"
            for name, row in zip(target, self.top, strict=True)
        ]
        shares = [[part["share"]] for part in self.parts]
        labels = [named(f"{part['name']} {part['count']:,}") for part in self.parts]
        counted = table(shares, labels, ["share"]) if labels else ""
        return page(
            self.alt,
            "<p>What the last decoder layer looks at, a mean over its heads:</p>",
            table(listed(self._weights), target, source),
            "<p>The likeliest next tokens:</p>",
            table(best, list(map(named, said)), ["probability"]),
            f"<p>Where the parameters are:</p>{counted}" if counted else "",
        )


class _Words:
    """Titles and formulas, each once: layers say the same things."""

    def __init__(self) -> None:
        self.found: list[list[str]] = []

    def at(self, title: str, formula: str) -> int:
        pair = [title, drawn(formula)]
        if pair not in self.found:
            self.found.append(pair)
        return self.found.index(pair)


def _check(trace: Any) -> None:
    known = {f.name for f in fields(trace)} if is_dataclass(trace) else set()
    if missing := [name for name in _NEEDS if name not in known]:
        raise TypeError(
            "trace is that of an encoder and a decoder, as Transformer.trace returns "
            f"it; {type(trace).__name__} has no {', no '.join(missing)}"
        )


def _tokens(
    values: dict[str, Tensor], source: Sequence[str], target: Sequence[str]
) -> dict[str, list[str]]:
    given = {"source": list(map(str, source)), "target": list(map(str, target))}
    for side, names in given.items():
        size = len(values[f"{side}_placed"])
        if size != len(names):
            raise ValueError(
                f"{side} has {len(names)} tokens, but the trace {size} {side} "
                "positions; the target's tokens are those that the decoder is fed"
            )
        if not 1 <= size <= MOST:
            raise ValueError(f"the map takes 1 to {MOST} {side} tokens, not {size}")
    return given


def _names(values: dict[str, Tensor], vocabulary: Sequence[str] | None) -> list[str]:
    size = values["logits"].shape[-1]
    names = [str(x) for x in (range(size) if vocabulary is None else vocabulary)]
    if len(names) != size:
        raise ValueError(f"vocabulary has {len(names)} names, but the logits {size}")
    return names


def _shown(probabilities: Float[Tensor, "target vocab"]) -> list[int]:
    """Return the outputs that are among the likeliest somewhere."""
    count = min(_TOP, probabilities.shape[-1])
    found = set(probabilities.topk(count).indices.flatten().tolist())
    best = probabilities.max(0).values.tolist()
    return sorted(sorted(found, key=lambda i: -best[i])[:_COLUMNS])


# ------------------------------------------------------------------------ the places


def _places(
    trace: Any, values: dict[str, Tensor], words: _Words, counts: dict[str, int]
) -> Iterator[dict[str, Any]]:
    """Yield the boxes of the figure in the order of the walk."""
    stream = {}
    for part in fields(trace):
        found = getattr(trace, part.name)
        side = "source" if part.name in _SOURCE else "target"
        if isinstance(found, tuple):
            for index, layer in enumerate(found):
                yield from _layer(part.name, index, layer, stream, words, counts)
            continue
        before = stream.get(side, "")
        stream[side] = part.name
        if before and torch.equal(values[before], values[part.name]):
            continue  # no positions, or no norm after the last layer
        place = {
            "id": part.name,
            "stack": side if part.name in _ENDS else "end",
            "side": side,
            "label": _LABELS[part.name],
            "kind": _KINDS.get(part.name, "norm"),
            "words": words.at(part.metadata["title"], part.metadata["formula"]),
            "path": part.name,
        }
        if place["kind"] == "position":
            place["stream"] = [before, f"{part.name}.position", part.name]
        if place["kind"] == "norm":
            place["before"] = before
        yield place | _count(part.name, None, part.name, counts)


_SOURCE = ("source_embedded", "source_placed", "encoder", "memory")
_ENDS = ("source_embedded", "source_placed", "target_embedded", "target_placed")


def _layer(
    stack: str,
    index: int,
    layer: Any,
    stream: dict[str, str],
    words: _Words,
    counts: dict[str, int],
) -> Iterator[dict[str, Any]]:
    side = "source" if stack == "encoder" else "target"
    parts = {part.name: part for part in fields(layer)}
    first = next(iter(parts)).endswith("_normalised")
    prefix = f"{stack}.{index}."
    subs = [name for name in parts if f"{name}_added" in parts]
    for which, sub in enumerate(subs, 1):
        before = stream[side]
        added, normal = f"{sub}_added", f"{sub}_normalised"
        stream[side] = f"{prefix}{added if first else f'{normal}.output'}"
        ways = [before, f"{prefix}{sub}.output", f"{prefix}{added}"]
        shared = {
            "stack": stack,
            "layer": index,
            "side": side,
            "sub": sub,
            "stream": ways if first else [*ways, stream[side]],
        }
        norm = {"label": "Norm", "kind": "norm", "path": f"{prefix}{normal}.output"}
        norm |= _inner(prefix, (normal,), layer)
        norm |= _count(stack, index, f"norm{which}", counts)
        label = _LABELS.get(sub) or _LABELS[f"{stack}.{sub}"]
        work = {"label": label, "kind": _KINDS[sub], "path": f"{prefix}{sub}.output"}
        work |= _inner(prefix, (sub,), layer) | _count(stack, index, sub, counts)
        if work["kind"] == "attention":
            work["keys"] = "source" if sub == "cross" else side
        sum_ = {"label": "Add", "kind": "add", "path": f"{prefix}{added}"}
        both = norm | {"label": "Add & norm", "kind": "add"}
        both |= _inner(prefix, (added, normal), layer)
        order = [(normal, norm), (sub, work), (added, sum_)]
        for name, place in order if first else [(sub, work), (normal, both)]:
            said = parts[name].metadata
            title = said["title"]
            if place is both:
                title = f"{parts[added].metadata['title']}, and normalise"
            said = {"words": words.at(title, said["formula"])}
            yield {"id": f"{prefix}{name}"} | shared | place | said


def _inner(prefix: str, names: tuple[str, ...], layer: Any) -> dict[str, list[str]]:
    """Return the steps that a place opens into."""
    paths = []
    for name in names:
        found = getattr(layer, name)
        if isinstance(found, Tensor):
            paths.append(f"{prefix}{name}")
        else:
            paths += [step.path for step in walk(found, f"{prefix}{name}.")]
    return {"inner": paths}


def _count(
    stack: str, index: int | None, name: str, counts: dict[str, int]
) -> dict[str, int]:
    """Return how many parameters a place has, where names tell."""
    owner = _OWNERS.get(name, name)
    start = owner if index is None else f"{stack}.layers.{index}.{owner}"
    own = [count for given, count in counts.items() if given.startswith(start)]
    return {"count": sum(own)} if own else {}


# ----------------------------------------------------------------------- the numbers


def _step(step: Step, words: _Words) -> dict[str, Any]:
    return {
        "full": list(step.value.shape[1:]),
        "words": words.at(step.title, step.formula),
        "axes": list(step.axes[1:]),
        "reads": list(step.reads),
    }


def _read_within(places: list[dict[str, Any]], steps: dict[str, dict]) -> None:
    """Name what a step reads by the steps of its own place; the rest are inputs."""
    for place in places:
        inner = place.get("inner", [])
        for path in inner:
            reads = [resolved(name, path, inner) for name in steps[path]["reads"]]
            steps[path]["reads"] = list(dict.fromkeys(reads))


def _keep(
    store: Store,
    values: dict[str, Tensor],
    places: list[dict[str, Any]],
    shown: list[int],
) -> None:
    """Store all values, those from which others follow first.

    Beside each masked step stands which cells may be attended to, 1 or 0.
    """
    recipes = dict(_residuals(places, values))
    for path, value in values.items():
        if path in ("logits", "probabilities"):
            store.put(path, value[:, shown])
            continue
        hidden = None
        if path.endswith(".masked"):
            may = (value != -float("inf")).float()
            store.put(path.replace(".masked", ".may"), may)
        elif path.endswith(".weights"):
            hidden = values[path.replace(".weights", ".masked")] == -float("inf")
        recipe = recipes.get(path) or _recipe(path, values)
        store.put(path, value[..., :_WIDTH], recipe, hidden)


def _residuals(
    places: list[dict[str, Any]], values: dict[str, Tensor]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield how sums and norms follow from what goes around."""
    for place in places:
        if "before" in place:
            yield f"{place['path']}.normalised", ("normal", place["before"])
        if not (ways := place.get("stream")):
            continue
        yield ways[2], ("sum", *ways[:2])
        told = ways[0] if place["kind"] == "norm" else ways[2]
        for path in place.get("inner", ()):
            if (name := path.rpartition(".")[2]) in _NORM:
                yield path, (_NORM[name], told)


_NORM = {"mean": "mean", "variance": "variance", "normalised": "normal"}


def _recipe(path: str, values: dict[str, Tensor]) -> tuple[Any, ...]:
    """Return how a step within a sub-layer may follow from others, by their names."""
    scope, _, name = path.rpartition(".")
    outer = scope.rpartition(".")[0]
    norm = path if f"{path}.gain" in values else scope
    if norm == path or (name == "output" and f"{scope}.gain" in values):
        return ("scale", f"{norm}.normalised", f"{norm}.gain", f"{norm}.shift")
    if name == "scores":
        return ("compare", f"{outer}.queries", f"{outer}.keys")
    if name == "scaled":
        factor = values[f"{outer}.queries"].shape[-1] ** -0.5
        return ("times", f"{scope}.scores", round(factor, 8))
    if name == "masked":
        return ("hide", f"{scope}.scaled", f"{scope}.may")
    if name == "weights":
        return ("weigh", f"{scope}.masked")
    if name == "output" and f"{scope}.weights" in values:
        return ("average", f"{scope}.weights", f"{outer}.values")
    if name == "merged":
        return ("merge", f"{scope}.attention.output")
    return ("relu", f"{scope}.hidden") if name == "activated" else ()


def _with_positions(
    values: dict[str, Tensor], places: list[dict[str, Any]]
) -> dict[str, Tensor]:
    """Return the values and, before each sum with positions, the positions."""
    added = {p["path"]: p["stream"] for p in places if p["kind"] == "position"}
    found = {}
    for path, value in values.items():
        if path in added:
            before, position, _ = added[path]
            found[position] = value - values[before]
        found[path] = value
    return found


def _with_learned(
    values: dict[str, Tensor], places: list[dict[str, Any]]
) -> dict[str, Tensor]:
    """Return the values and, before what a norm gives, its scale and shift.

    For a sentence of some tokens these are fewer numbers than what follows from them.
    """
    last = {p["path"]: p["before"] for p in places if "before" in p}
    found = {}
    for path, value in values.items():
        norm = path if path in last else path.removesuffix(".output")
        if path in last:
            found[f"{norm}.normalised"] = RECIPES["normal"](values[last[path]])
        normal = found.get(f"{norm}.normalised")
        if normal is not None and path != f"{norm}.normalised" and len(value) > 2:
            found[f"{norm}.gain"], found[f"{norm}.shift"] = _line(normal, value)
        found[path] = value
    return found


def _line(
    x: Float[Tensor, "token d_model"], y: Float[Tensor, "token d_model"]
) -> tuple[Float[Tensor, " d_model"], Float[Tensor, " d_model"]]:
    """Return the scale and shift of each feature with which y follows from x."""
    x, y = x.double(), y.double()
    gain = (x * (y - y.mean(0))).mean(0) / x.var(0, correction=0).clamp(min=1e-12)
    return gain, y.mean(0) - gain * x.mean(0)


def _notes(values: dict[str, Tensor], shown: list[int]) -> dict[str, str]:
    notes = {}
    for path, value in values.items():
        axes = [*[""] * (value.ndim - 1), "feature"]
        limits = [*value.shape[:-1], _WIDTH]
        notes[path] = crop(value, axes, limits)[1]
    size = values["logits"].shape[-1]
    notes["logits"] = notes["probabilities"] = ""
    if len(shown) < size:
        notes["logits"] = notes["probabilities"] = (
            f"{len(shown)} of {size} outputs are shown: those that are among the "
            f"{_TOP} likeliest of some position."
        )
    return {path: note for path, note in notes.items() if note}


def _parts(counts: dict[str, int]) -> list[dict[str, Any]]:
    """Return the parts of the model with their counts, in the order of the walk."""
    found: dict[tuple[str, str], int] = {}
    for name, count in counts.items():
        known = ((g, part) for rule, g, part in _PARTS if re.search(rule, name))
        key = next(known, ("other", name))
        found[key] = found.get(key, 0) + count
    order = [(group, part) for _, group, part in _PARTS]
    keys = sorted(found, key=lambda k: order.index(k) if k in order else len(order))
    total = sum(found.values()) or 1
    return [
        {"group": g, "name": part, "count": count, "share": round(count / total, 6)}
        for g, part in keys
        if (count := found[g, part])
    ]


# ------------------------------------------------------------------------- the words


def _cross(values: dict[str, Tensor]) -> Tensor:
    """Return what the last decoder layer looks at, a mean over its heads."""
    last = [path for path in values if path.endswith("cross.attention.weights")][-1]
    return values[last].mean(0)


def _sentence(
    trace: Any,
    values: dict[str, Tensor],
    tokens: dict[str, list[str]],
    top: list,
    parts: list[dict[str, Any]],
) -> str:
    encoder, decoder = len(trace.encoder), len(trace.decoder)
    first = next(iter(fields(trace.encoder[0]))).name
    kind = "pre-norm" if first.endswith("_normalised") else "post-norm"
    heads = values["encoder.0.attention.attention.weights"].shape[0]
    source, target = (" ".join(map(visible, tokens[side])) for side in tokens)
    return (
        f"A Transformer in {kind} with {_many(encoder, 'encoder layer')} and "
        f"{_many(decoder, 'decoder layer')}, d_model "
        f"{values['source_placed'].shape[-1]}, {_many(heads, 'head')}, drawn as a map "
        f"to walk through. The encoder reads {source}; the decoder is fed {target}. In "
        f"the last decoder layer's cross-attention, a mean over the heads, "
        f"{_peaks(values, tokens)} Most likely next: {_next(tokens, top)}."
        f"{_shares(parts)}"
    )


def _peaks(values: dict[str, Tensor], tokens: dict[str, list[str]]) -> str:
    names = [visible(token) for token in tokens["source"]]
    said = [
        f"{visible(name)} looks most at {names[int(row.argmax())]} "
        f"({float(row.max()):.2f})"
        for name, row in zip(tokens["target"], _cross(values), strict=True)
    ]
    return f"{', '.join(said[:_SAID])}{', …' if len(said) > _SAID else '.'}"


_SAID = 8


def _next(tokens: dict[str, list[str]], top: list) -> str:
    said = [
        f"after {visible(name)} {visible(row[0][0])} ({float(row[0][1]):.2f})"
        for name, row in zip(tokens["target"], top, strict=True)
    ]
    return ", ".join(said[:_SAID]) + (", …" if len(said) > _SAID else "")


def _shares(parts: list[dict[str, Any]]) -> str:
    if not parts:
        return ""
    groups: dict[str, float] = {}
    for part in parts:
        name = _GROUPS.get(part["group"], part["name"])
        groups[name] = groups.get(name, 0.0) + part["share"]
    said = ", ".join(f"{_percent(share)} {name}" for name, share in groups.items())
    return f" Of {sum(p['count'] for p in parts):,} parameters, {said}."


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"


_GROUPS = {
    "embedding": "embeddings",
    "attention": "attention",
    "feed": "feed-forward",
    "norm": "layer norms",
    "linear": "output layer",
}


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
