"""The whole Transformer as a map: walk a sentence through it, place by place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
import traitlets
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.trace import Place, Step, place_of, walk
from qkv.widgets.shared.attending import peaks
from qkv.widgets.shared.base import Widget, module
from qkv.widgets.shared.encode import crop, listed, number, visible
from qkv.widgets.shared.html import named, page, table
from qkv.widgets.shared.packed import Store, sizes
from qkv.widgets.shared.recorded import likely, steps_of
from qkv.widgets.shared.trace_steps import drawn, resolved

__all__ = ["TransformerMap"]

MOST = 32
"""The most tokens of a sentence that is walked through the map."""

_WIDTH = 128  # features that are stored
_COLUMNS = 48  # tokens of the vocabulary whose scores are stored
_TOP = 5
_SIDES = ("source", "target")  # the two columns of the figure, and their axes
# Parts that are drawn alike, and the groups of parameters from left to right.
_KINDS = {"cross-attention": "attention", "feed-forward": "feed"}
_GROUPS = {
    "embedding": "embeddings",
    "attention": "attention",
    "feed": "feed-forward",
    "norm": "layer norms",
    "linear": "output layer",
}


class TransformerMap(Widget):
    r"""The model as the paper draws it, with a sentence on its way through.

    Each box of the figure is a place to go to. At a place stand its formula, shapes and
    numbers, why it is there, and what goes around it: x, what the sub-layer adds, and
    their sum. A place opens into its own steps. A second view draws each part of the
    model with an area that is proportional to its number of parameters.

    One question is followed from box to box: which word does a token that is written
    come from, and where does it become the answer? So a row of the decoder is named by
    the token that it writes, as a heat map of cross-attention names it.

    Parameters
    ----------
    trace : what a model of encoder and decoder did with one sentence, in pre- or
        post-norm: a :class:`qkv.transformer.TransformerTrace`.
    source : the source's tokens.
    target : the tokens that the decoder is fed, from the start token on.
    vocabulary : names of the outputs; their numbers if not given.
    parameters : the model's ``state_dict()``, or the count or shape of each part by its
        name. A tensor that has two names is counted at the first.
    follow : the token whose writing is followed; the first that is written if not
        given.

    Raises
    ------
    TypeError
        If ``trace`` is no trace of an encoder and a decoder.
    ValueError
        If the trace holds several sentences, tokens or names do not fit it, or the
        token to follow is not written.

    Notes
    -----
    Vaswani et al. (2017), figure 1. With a ``state_dict()`` and the names of the
    outputs, each vector of the decoder is also read by the last norm and the output
    layer, as if the model stopped there ("logit lens"). Numbers are kept to about
    1/2,000 of the largest of their matrix, so that two decimals are right; what follows
    from others is computed in the browser. Features after the first 128 are cropped,
    and the widget says so.

    ``place`` is the place shown, of ``len(widget.places)``; ``inside`` the step within
    it, or −1; ``row`` and ``word`` are the decoder's and the encoder's row in focus;
    ``show`` is "walk" or "parameters".

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
    ['Source embedding', 'Add positions', 'Norm']
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
    word = traitlets.Int(0).tag(sync=True)
    show = traitlets.Enum(["walk", "parameters"], "walk").tag(sync=True)

    def __init__(
        self,
        trace: Any,
        source: Sequence[str],
        target: Sequence[str],
        *,
        vocabulary: Sequence[str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        follow: str | None = None,
    ):
        _check(trace)
        values = steps_of(trace)
        words, counts = _Words(), _Counts(parameters or {})
        places = list(_places(trace, values, words, counts))
        tokens = _tokens(places, values, source, target)
        softmax = _last(places, "softmax")["path"]
        names = _names(values[softmax], vocabulary)
        shown = _shown(values[softmax])
        store = _stored(trace, values, places, shown)
        steps = {step.path: _step(step, words) for step in walk(trace)}
        steps[softmax]["unit"] = True
        _read_within(places, steps)
        top = likely(values[softmax], names, _TOP)
        tokens["written"] = [*tokens["target"][1:], top[-1][0][0]]
        lens = _lens(trace, places, values, parameters or {})
        if lens and set(tokens["written"]) <= set(names):
            _read(lens, places, values, tokens["written"], names)
        row = _followed(tokens["written"], follow)
        super().__init__(
            tokens=tokens,
            words=words.found,
            steps={p: steps.get(p, {}) | store.entries[p] for p in store.entries},
            places=places,
            columns=[names[i] for i in shown],
            top=top,
            notes=_notes(values, places, shown),
            parts=counts.parts(),
            row=row,
            word=int(_cross(values, places)[row].argmax()),
            alt=_sentence(values, places, tokens, top, counts.parts()),
        )
        self._weights = _cross(values, places)

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
            "<p>What the last decoder layer looks at to write each token, a mean over "
            "its heads:</p>",
            table(listed(self._weights), self.tokens["written"], source),
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


class _Counts:
    """How many parameters each place has, and under which name they are counted."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.sizes = sizes(parameters)
        self.known: dict[str, tuple[str, str]] = {}

    def of(self, owners: Sequence[str], kind: str, name: str) -> dict[str, int]:
        """Return how many the modules have, where there are any, and remember them."""
        own = [p for p in self.sizes if any(p.startswith(f"{o}.") for o in owners)]
        group = "embedding" if kind == "position" else kind
        self.known |= dict.fromkeys(own, (group, name))
        return {"count": sum(self.sizes[p] for p in own)} if own else {}

    def parts(self) -> list[dict[str, Any]]:
        """Return the parts of the model: group by group, in the order of the walk."""
        found = dict.fromkeys(self.known.values(), 0)
        for name, count in self.sizes.items():
            key = self.known.get(name, ("other", name))
            found[key] = found.get(key, 0) + count
        order = [*_GROUPS, "other"]
        total = sum(found.values()) or 1
        return [
            {"group": g, "name": name, "count": n, "share": round(n / total, 6)}
            for (g, name), n in sorted(
                found.items(), key=lambda f: order.index(f[0][0])
            )
            if n
        ]


def _check(trace: Any) -> None:
    known = fields(trace) if is_dataclass(trace) else ()
    sides = {_side(part) for part in known}
    if missing := [side for side in _SIDES if side not in sides]:
        raise TypeError(
            "trace is that of an encoder and a decoder, as Transformer.trace returns "
            f"it; {type(trace).__name__} has no {' and no '.join(missing)}"
        )


def _side(part: Any) -> str:
    """Return whose tokens a step is of, by its axes: "" if no one's."""
    axes = getattr(part.type, "dim_str", "").split()
    return next((side for side in _SIDES if side in axes), "")


def _last(places: list[dict[str, Any]], part: str) -> dict[str, Any]:
    """Return the last place of this part."""
    return [place for place in places if place["part"] == part][-1]


def _tokens(
    places: list[dict[str, Any]],
    values: dict[str, Tensor],
    source: Sequence[str],
    target: Sequence[str],
) -> dict[str, list[str]]:
    given = {"source": list(map(str, source)), "target": list(map(str, target))}
    for side, names in given.items():
        first = next(place["path"] for place in places if place["side"] == side)
        size = len(values[first])
        if size != len(names):
            raise ValueError(
                f"{side} has {len(names)} tokens, but the trace {size} {side} "
                "positions; the target's tokens are those that the decoder is fed"
            )
        if not 1 <= size <= MOST:
            raise ValueError(f"the map takes 1 to {MOST} {side} tokens, not {size}")
    return given


def _names(
    probabilities: Float[Tensor, "target vocab"], vocabulary: Sequence[str] | None
) -> list[str]:
    size = probabilities.shape[-1]
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
    trace: Any, values: dict[str, Tensor], words: _Words, counts: _Counts
) -> Iterator[dict[str, Any]]:
    """Yield the boxes of the figure in the order of the walk."""
    sides, stream = {}, {}  # whose a step is; where each side's tokens have come to
    for part in fields(trace):
        found = getattr(trace, part.name)
        sides[part.name] = side = _side(part) or sides[part.metadata["reads"][0]]
        if isinstance(found, tuple):
            for index, layer in enumerate(found):
                at = _Layer(part, index, side, sides)
                yield from at.places(layer, stream, words, counts)
            continue
        before, stream[side] = stream.get(side, ""), part.name
        if before and torch.equal(values[before], values[part.name]):
            continue  # no positions, or no norm after the last layer
        said = place_of(trace, part.name)
        place = _box(said, words, part.metadata["title"], part.metadata["formula"])
        place |= {"id": part.name, "path": part.name, "side": side}
        place["stack"] = side if said.part in ("embedding", "position") else "end"
        if said.part == "position":
            place["stream"] = [before, f"{part.name}.position", part.name]
        if said.part == "norm":
            place["before"] = before
        yield place | counts.of([part.metadata["owner"]], place["kind"], said.counted)


def _box(said: Place, words: _Words, title: str, formula: str) -> dict[str, Any]:
    return {
        "part": said.part,
        "kind": _kind(said),
        "label": said.label,
        "called": said.called or said.label.lower(),
        "words": words.at(title, formula),
    }


def _kind(said: Place) -> str:
    return _KINDS.get(said.part, said.part)


class _Layer:
    """One layer of a stack: where its steps are, and whose tokens they are of."""

    def __init__(self, part: Any, index: int, side: str, sides: dict[str, str]):
        self.name, self.index, self.side, self.sides = part.name, index, side, sides
        self.prefix = f"{part.name}.{index}."
        self.module = f"{part.metadata['owner']}.{index}"

    def places(
        self, layer: Any, stream: dict[str, str], words: _Words, counts: _Counts
    ) -> Iterator[dict[str, Any]]:
        """Yield the boxes of each sub-layer: the norm, its work, and the sum."""
        parts = list(fields(layer))
        pre_norm = _pre_norm(layer)
        for three in zip(*[iter(parts)] * 3, strict=True):
            norm, work, add = three if pre_norm else (three[2], *three[:2])
            paths = [stream[self.side], *(self._path(layer, p) for p in (work, add))]
            stream[self.side] = self._path(layer, add if pre_norm else norm)
            shared = {
                "stack": self.name,
                "layer": self.index,
                "side": self.side,
                "sub": work.name,
                "stream": paths if pre_norm else [*paths, stream[self.side]],
            }
            said = place_of(layer, work.name)
            shared["called"] = said.called or said.label.lower()
            shared["serves"] = said.part
            for part in three if pre_norm else (work,):
                yield self._box(layer, part, words, counts) | shared
            if not pre_norm:
                yield self._sum_and_norm(layer, add, norm, words, counts) | shared

    def _box(
        self, layer: Any, part: Any, words: _Words, counts: _Counts
    ) -> dict[str, Any]:
        said = place_of(layer, part.name)
        place = _box(said, words, part.metadata["title"], part.metadata["formula"])
        return place | self._inner(layer, part) | self._where(layer, part, counts)

    def _sum_and_norm(
        self, layer: Any, add: Any, norm: Any, words: _Words, counts: _Counts
    ) -> dict[str, Any]:
        """Return the one box of both in post-norm."""
        first, then = (place_of(layer, part.name) for part in (add, norm))
        label = f"{first.label} & {then.label.lower()}"
        title = f"{add.metadata['title']}, and normalise"
        place = _box(first, words, title, norm.metadata["formula"]) | {"label": label}
        place["inner"] = [
            self._path(layer, add),
            *self._inner(layer, norm)["inner"],
        ]
        return place | self._where(layer, norm, counts)

    def _where(self, layer: Any, part: Any, counts: _Counts) -> dict[str, Any]:
        """Return the name of a place, where its result is, and its parameters."""
        said = place_of(layer, part.name)
        owners = [f"{self.module}.{owner}" for owner in self._owners(layer, part)]
        name = {"id": f"{self.prefix}{part.name}", "path": self._path(layer, part)}
        return name | counts.of(owners, _kind(said), said.counted)

    def _path(self, layer: Any, part: Any) -> str:
        """Return where the result of a step is."""
        value = getattr(layer, part.name)
        last = "" if isinstance(value, Tensor) else f".{fields(value)[-1].name}"
        return f"{self.prefix}{part.name}{last}"

    def _inner(self, layer: Any, part: Any) -> dict[str, Any]:
        """Return the steps that a place opens into, and what is looked at in them."""
        value, path = getattr(layer, part.name), f"{self.prefix}{part.name}"
        if isinstance(value, Tensor):
            return {}
        steps = list(walk(value, f"{path}."))
        found: dict[str, Any] = {"inner": [step.path for step in steps]}
        for what, name in (("weigh", "weights"), ("relu", "active")):
            made = [step.path for step in steps if step.by[:1] == (what,)]
            if len(made) == 1:
                found[name] = made[0]
        if "weights" in found:
            sides = [self.sides.get(name, self.side) for name in part.metadata["reads"]]
            found["keys"] = sides[-1]
        return found

    def _owners(self, layer: Any, part: Any) -> list[str]:
        """Return the modules that have its parameters, as their layer may call them."""
        value = getattr(layer, part.name)
        within = [] if isinstance(value, Tensor) else [s.owner for s in walk(value)]
        return [owner for owner in (part.metadata["owner"], *within) if owner]


def _pre_norm(layer: Any) -> bool:
    return place_of(layer, fields(layer)[0].name).part == "norm"


# ----------------------------------------------------------------------- the numbers


def _step(step: Step, words: _Words) -> dict[str, Any]:
    entry = {
        "full": list(step.value.shape[1:]),
        "words": words.at(step.title, step.formula),
        "axes": list(step.axes[1:]),
        "reads": list(step.reads),
    }
    return entry | ({"unit": True} if step.by[:1] == ("weigh",) else {})


def _read_within(places: list[dict[str, Any]], steps: dict[str, dict]) -> None:
    """Name what a step reads by the steps of its own place; the rest are inputs."""
    for place in places:
        inner = place.get("inner", [])
        for path in inner:
            reads = [resolved(name, path, inner) for name in steps[path]["reads"]]
            steps[path]["reads"] = list(dict.fromkeys(reads))


def _stored(
    trace: Any,
    values: dict[str, Tensor],
    places: list[dict[str, Any]],
    shown: list[int],
) -> Store:
    """Store all values, those from which others follow first.

    Beside what is hidden from some stands which cells may be attended to, 1 or 0.
    """
    store, steps = Store(), {step.path: step for step in walk(trace)}
    recipes = dict(_recipes(places, steps, values))
    whole = {_last(places, part)["path"] for part in ("linear", "softmax")}
    positions = {p["path"]: p["stream"] for p in places if p["part"] == "position"}
    for path, value in values.items():
        if path in whole:
            store.put(path, value[:, shown])
            continue
        if path in positions:
            before, position, _ = positions[path]
            store.put(position, (value - values[before])[..., :_WIDTH])
        recipe, hidden = recipes.get(path, ()), None
        if recipe[:1] == ("hide",):
            store.put(recipe[2], (value != -torch.inf).float())
        elif recipe[:1] == ("weigh",):
            hidden = values[recipe[1]] == -torch.inf
        elif recipe[:1] == ("scale",):
            for name, numbers in steps[path].given.items():
                store.put(_beside(path, name), numbers.detach().cpu()[:_WIDTH])
        store.put(path, value[..., :_WIDTH], recipe, hidden)
    return store


def _beside(path: str, name: str) -> str:
    return f"{path.rpartition('.')[0]}.{name}"


def _recipes(
    places: list[dict[str, Any]], steps: dict[str, Step], values: dict[str, Tensor]
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield how sums follow from the residual stream, and other steps as they say."""
    for place in places:
        if "stream" not in place:
            continue
        before, _, added, *_ = place["stream"]
        yield added, ("sum", *place["stream"][:2])
        told = before if place["part"] == "norm" else added
        for path in place.get("inner", ()):
            if steps[path].by:
                what, *names = steps[path].by
                taken = [_taken(n, steps[path], place["inner"], told) for n in names]
                yield path, _recipe(what, taken, path, values)


def _taken(name: str, step: Step, inner: Sequence[str], told: str) -> str:
    """Return where it is: beside the step, in its place, or what the place was told."""
    if name in step.given:
        return _beside(step.path, name)
    found = resolved(name, step.path, inner)
    return found if found in inner else told


def _recipe(
    what: str, taken: list[str], path: str, values: dict[str, Tensor]
) -> tuple[Any, ...]:
    if what == "hide":
        return (what, *taken, f"{path}.may")
    if what == "root":
        divided, by = taken
        return ("times", divided, round(values[by].shape[-1] ** -0.5, 8))
    return (what, *taken)


@dataclass(frozen=True)
class _Lens:
    """The last norm and the output layer, to read a vector before the model's end."""

    norms: list[tuple[Tensor | None, Tensor | None]]
    table: Tensor
    bias: Tensor | None

    def __call__(self, x: Tensor) -> Float[Tensor, "target vocab"]:
        """Return what the model would write if its layers ended with x."""
        for gain, shift in self.norms:
            x = F.layer_norm(x, x.shape[-1:], gain, shift)
        return F.linear(x, self.table, self.bias).softmax(-1)


def _lens(
    trace: Any,
    places: list[dict[str, Any]],
    values: dict[str, Tensor],
    parameters: Mapping[str, Any],
) -> _Lens | None:
    """Return it where the parameters make one that reads the end as the model does."""
    owners = {f.name: f.metadata["owner"] for f in fields(trace)}
    of = {p["id"]: _numbers(parameters, owners[p["id"]]) for p in places if _ends(p)}
    norms = [of[p["id"]] for p in places if _ends(p) and p["part"] == "norm"]
    made, embedded = (_last(places, part)["id"] for part in ("linear", "embedding"))
    end = values[[p["stream"][-1] for p in places if "layer" in p][-1]]
    right = values[_last(places, "softmax")["path"]]
    # Where one table serves both ends, it is kept as that of the embedding.
    for rows in (of[made][0], _numbers(parameters, owners[embedded])[0]):
        if rows is None or rows.shape != (right.shape[-1], end.shape[-1]):
            continue
        lens = _Lens(norms, rows, of[made][1])
        if torch.allclose(lens(end), right, atol=1e-4):
            return lens
    return None


def _ends(place: dict[str, Any]) -> bool:
    return place["stack"] == "end" and place["side"] == "target"


def _read(
    lens: _Lens,
    places: list[dict[str, Any]],
    values: dict[str, Tensor],
    written: Sequence[str],
    names: Sequence[str],
) -> None:
    """Note at each sum of the decoder what the model would write, row by row."""
    ids = torch.tensor([[names.index(token)] for token in written])
    for place in places:
        sums = place["part"] in ("embedding", "position", "add")
        if place["side"] != "target" or not sums:
            continue
        chances = lens(values[place.get("stream", [place["path"]])[-1]])
        own = chances.gather(-1, ids)[:, 0].tolist()
        place["read"] = [
            [number(p), *best[0]]
            for p, best in zip(own, likely(chances, names, 1), strict=True)
        ]


def _numbers(
    parameters: Mapping[str, Any], owner: str
) -> tuple[Tensor | None, Tensor | None]:
    """Return the weight and the bias of a module, where they are given as tensors."""
    found = (parameters.get(f"{owner}.{name}") for name in ("weight", "bias"))
    kept = [x.detach().cpu() if isinstance(x, Tensor) else None for x in found]
    return kept[0], kept[1]


def _followed(written: Sequence[str], follow: str | None) -> int:
    if follow is not None and follow not in written:
        raise ValueError(
            f"follow={follow!r} is not written; what is written is {list(written)}"
        )
    return 0 if follow is None else list(written).index(follow)


def _notes(
    values: dict[str, Tensor], places: list[dict[str, Any]], shown: list[int]
) -> dict[str, str]:
    notes = {}
    for path, value in values.items():
        axes = [*[""] * (value.ndim - 1), "feature"]
        limits = [*value.shape[:-1], _WIDTH]
        notes[path] = crop(value, axes, limits)[1]
    for part in ("linear", "softmax"):
        path = _last(places, part)["path"]
        size = values[path].shape[-1]
        notes[path] = (
            ""
            if len(shown) == size
            else (
                f"{len(shown)} of {size} outputs are shown: those that are among the "
                f"{_TOP} likeliest of some position."
            )
        )
    return {path: note for path, note in notes.items() if note}


# ------------------------------------------------------------------------- the words


def _cross(values: dict[str, Tensor], places: list[dict[str, Any]]) -> Tensor:
    """Return what the last decoder layer looks at, a mean over its heads."""
    return values[_last(places, "cross-attention")["weights"]].mean(0)


def _sentence(
    values: dict[str, Tensor],
    places: list[dict[str, Any]],
    tokens: dict[str, list[str]],
    top: list,
    parts: list[dict[str, Any]],
) -> str:
    layers = [place for place in places if "layer" in place]
    encoder, decoder = (
        1 + max(place["layer"] for place in layers if place["side"] == side)
        for side in _SIDES
    )
    kind = "pre-norm" if layers[0]["part"] == "norm" else "post-norm"
    heads = len(values[_last(places, "attention")["weights"]])
    source, target = (" ".join(map(visible, tokens[side])) for side in _SIDES)
    d_model = values[places[0]["path"]].shape[-1]
    read = "1 encoder layer" if encoder == 1 else f"{encoder} encoder layers"
    written = "1 decoder layer" if decoder == 1 else f"{decoder} decoder layers"
    split = "1 head" if heads == 1 else f"{heads} heads"
    looked = peaks(_cross(values, places), tokens["written"], tokens["source"])
    sentences = [
        f"A Transformer in {kind} with {read} and {written}, d_model {d_model}, "
        f"{split}, drawn as a map to walk through.",
        f"The encoder reads {source}; the decoder is fed {target}.",
        "In the last decoder layer's cross-attention, a mean over the heads, named by "
        f"what is written, {looked}",
        f"Most likely next: {_next(tokens, top)}.",
    ]
    return " ".join([*sentences, _shares(parts)] if parts else sentences)


_SAID = 8


def _next(tokens: dict[str, list[str]], top: list) -> str:
    said = [
        f"after {visible(name)} {visible(row[0][0])} ({float(row[0][1]):.2f})"
        for name, row in zip(tokens["target"], top, strict=True)
    ]
    return ", ".join(said[:_SAID]) + (", …" if len(said) > _SAID else "")


def _shares(parts: list[dict[str, Any]]) -> str:
    groups: dict[str, float] = {}
    for part in parts:
        name = _GROUPS.get(part["group"], part["name"])
        groups[name] = groups.get(name, 0.0) + part["share"]
    said = ", ".join(f"{_percent(share)} {name}" for name, share in groups.items())
    return f"Of {sum(p['count'] for p in parts):,} parameters, {said}."


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"
