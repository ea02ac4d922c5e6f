"""Shapes on a page, and a captioner that says them word by word, looking."""

from collections.abc import Collection, Mapping, Sequence
from html import escape
from typing import Any

import torch
import traitlets

from qkv.decoding import greedy
from qkv.vision import folded
from qkv.widgets.shared.attending import look
from qkv.widgets.shared.base import Widget, module
from qkv.widgets.shared.encode import listed
from qkv.widgets.shared.html import named, page, table
from qkv.widgets.shared.recorded import likely
from qkv.widgets.shared.scenes import scenes
from qkv.widgets.shared.served import rounded, serve
from qkv.widgets.shared.texts import texts

__all__ = ["SayWhatYouSee"]

MOST_WORDS = 32
"""The most words of a caption: nine objects need 29 in Korean, with their end."""

OBJECTS = {(0, 0): "red circle", (0, 2): "blue star", (2, 1): "green moon"}
"""What is on the page if nothing else is given."""

_CANDIDATES = 5
_DIGITS = 6  # of a probability or a weight: what is nearly 1 is not 1
_SPECIAL = 3  # tokens before the words: padding, beginning, end

Place = tuple[int, int]


def _rows(objects: Mapping[Place, str], _: Any = None) -> list[list]:
    """Return objects as the front end reads them: row, column, name."""
    return [[*slot, name] for slot, name in objects.items()]


class SayWhatYouSee(Widget):
    r"""A page to put shapes on, and a captioner that says what is there, looking.

    .. math:: \alpha_{t,ij} = \mathrm{softmax}_{ij}\, a(s_{t-1}, h_{ij}), \qquad
              c_t = \sum_{ij} \alpha_{t,ij} h_{ij}

    A reader puts coloured shapes on the page, and hears the caption word by word: where
    over the picture each word looks, what else it could have been, and whether it is
    right. Places can be hidden; then no word may look there, and the caption is said
    anew. What is recorded is the page that it opens with. For any other the captioner
    runs in the browser, on weights that are loaded when they are needed: from the
    kernel, or on the site from ``_static/checkpoints/NAME.js``. They are not stored in
    the notebook.

    Parameters
    ----------
    speakers : for each checkpoint's name on the site, the world that its words are of
        (:class:`qkv.data.Scenes`), and the captioner. Each speaks another language, and
        all see the same pages. Recorded is what they do with weights rounded to
        float16, as a checkpoint keeps them.
    objects : what is on the page: names, such as "red circle", by the (row, column) of
        their slots, from 0, as ``Scenes.scene`` takes them.
    language : which of them speaks first; the first one if not given.
    step : the word that it opens at, from 0.
    hidden : the (row, column) of the places that no word may look at, from 0.

    Raises
    ------
    ValueError
        If there is no speaker, two speak the same language or see other pages, a
        captioner does not fit its world or has no additive score; or what is on the
        page, the language, the step or a hidden place is none.
    TypeError
        If a captioner's encoder is no ``GridEncoder``, or objects are no mapping.

    Notes
    -----
    In JupyterLab the traits follow the reader, and can be set: ``view.objects``,
    ``view.language``, ``view.step``, ``view.hidden``; ``view.caption`` is what is said
    of them. After the last word ``step`` stays there. Rows and columns count from 1 in
    the picture, and from 0 in the traits.

    Examples
    --------
    >>> from qkv.data import Scenes
    >>> from qkv.vision import Captioner, GridEncoder
    >>> world = Scenes()
    >>> model = Captioner(GridEncoder(), len(world.vocabulary))
    >>> view = SayWhatYouSee({"mine": (world, model)}, {(1, 2): "blue ring"})
    >>> view.objects = {**view.objects, (0, 0): "빨간 별"}
    >>> view.objects
    {(0, 0): 'red star', (1, 2): 'blue ring'}
    """

    _esm = module("say_what_you_see")
    _speakers: Mapping[str, tuple[Any, Any]] = {}  # by language; none without a kernel
    objects = traitlets.Any({}).tag(sync=True, to_json=_rows)
    language = traitlets.Unicode().tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    hidden = traitlets.List().tag(sync=True)
    page = traitlets.Dict().tag(sync=True)
    voices = traitlets.List().tag(sync=True)
    most = traitlets.Int(MOST_WORDS).tag(sync=True)
    recorded = traitlets.Dict().tag(sync=True)
    opening = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        speakers: Mapping[str, tuple[Any, Any]],
        objects: Mapping[Place, str] = OBJECTS,
        *,
        language: str | None = None,
        step: int = 1,
        hidden: Collection[Place] = (),
    ):
        if not speakers:
            raise ValueError(
                "speakers is empty; give at least one: {name: (world, captioner)}"
            )
        sizes = {name: len(model.to_bytes()) for name, (_, model) in speakers.items()}
        for name, (world, model) in speakers.items():
            _fitting(name, world, model)
        worlds = [world for world, _ in speakers.values()]
        _alike(worlds)
        self._speakers = {
            world.language: (world, _as_kept(model))
            for world, model in speakers.values()
        }
        super().__init__(
            page=_page(worlds[0], next(iter(speakers.values()))[1]),
            voices=[
                {
                    "language": world.language,
                    "words": list(world.vocabulary.tokens),
                    "name": name,
                    "size": sizes[name],
                }
                for name, (world, _) in speakers.items()
            ],
            objects=objects,
            language=worlds[0].language if language is None else language,
            step=step,
            hidden=[list(place) for place in hidden],
        )
        self._hear()
        state = {"language": self.language, "step": self.step, "hidden": self.hidden}
        self.opening = {"objects": _rows(self.objects), **state}
        serve(self, {name: model for name, (_, model) in speakers.items()})

    @property
    def caption(self) -> str:
        """What is said of the page, with what is hidden, as a text."""
        said = self.recorded["said"][self.language]
        return self._world().write([t for t in said["tokens"] if t != self._end()])

    @traitlets.validate("objects")
    def _on_the_page(self, proposal: Any) -> dict[Place, str]:
        objects = _by_slot(proposal["value"])
        if not objects or not self._speakers:
            return objects
        scene = self._world().scene(objects)
        return {(t.row, t.column): f"{t.colour} {t.shape}" for t in scene.things}

    @traitlets.validate("language")
    def _spoken(self, proposal: Any) -> str:
        known = [voice["language"] for voice in self.voices]
        if proposal["value"] not in known:
            raise ValueError(
                f"language is {proposal['value']!r}, but here is spoken: "
                f"{', '.join(known)}"
            )
        return proposal["value"]

    @traitlets.validate("step")
    def _within(self, proposal: Any) -> int:
        if not 0 <= proposal["value"] < self.most:
            raise ValueError(
                f"step is {proposal['value']}, but is to be the number of a word: 0 to "
                f"{self.most - 1}; after the last word it stays there"
            )
        return proposal["value"]

    @traitlets.validate("hidden")
    def _places(self, proposal: Any) -> list[list[int]]:
        given, grid = proposal["value"], self.page["grid"]
        for place in given:
            pair = isinstance(place, list | tuple) and len(place) == 2
            if not pair or not all(type(x) is int and 0 <= x < grid for x in place):
                raise ValueError(
                    f"hidden names the place {place!r}, but a place is a (row, column) "
                    f"of whole numbers from 0 to {grid - 1}"
                )
        return [list(place) for place in sorted(set(map(tuple, given)))]

    @traitlets.observe("objects", "hidden")
    def _hear(self, _: Any = None) -> None:
        """Record what all who speak say of the page now."""
        if not self._speakers or not self.page:
            return
        self.recorded = {
            "objects": _rows(self.objects),
            "hidden": self.hidden,
            "said": {
                language: self._said(world, model)
                for language, (world, model) in self._speakers.items()
            },
        }

    @traitlets.observe("recorded", "language", "step")
    def _say(self, _: Any = None) -> None:
        """Say what is on the page, and what is said of it."""
        if self.recorded and self._speakers:
            self.alt = _sentence(self)

    def _world(self) -> Any:
        """Return the world of the words that are spoken now, or any of them."""
        any_of = next(iter(self._speakers.values()))
        return self._speakers.get(self.language, any_of)[0]

    def _end(self) -> str:
        voice = next(v for v in self.voices if v["language"] == self.language)
        return voice["words"][_SPECIAL - 1]

    def _said(self, world: Any, model: Any) -> dict[str, Any]:
        """Let a captioner say the page, and return what it did, word by word."""
        pixels = torch.ones(1, 3, world.size, world.size)
        if self.objects:
            pixels = world.ask([world.scene(self.objects)]).pixels
        pixels = pixels.double()
        visible = torch.ones(1, *model.encoder.grid, dtype=torch.bool)
        for row, column in self.hidden:
            visible[0, row, column] = False
        written = greedy(model, pixels, visible, max_length=self.most)
        fed = torch.cat([torch.ones_like(written[:, :1]), written[:, :-1]], 1)
        with torch.no_grad():
            trace = model.trace(pixels, visible, fed)
        names = world.vocabulary.tokens
        return {
            "tokens": [names[i] for i in written[0].tolist()],
            "top": likely(trace.probabilities[0], names, _CANDIDATES, _DIGITS),
            "weights": listed(trace.weights[0].round(decimals=_DIGITS), _DIGITS),
        }

    def fallback(self) -> str:
        """Return the page and the caption as tables, and where one word looks."""
        said = self.recorded["said"][self.language]
        at = min(self.step, len(said["tokens"]) - 1)
        sides = range(1, self.page["grid"] + 1)
        looks = table(
            said["weights"][at],
            [named(f"row {r}") for r in sides],
            [named(f"column {c}") for c in sides],
        )
        token = escape(said["tokens"][at])
        where = f"<p>Word {at + 1}, “{token}”: where it looks</p>"
        return page(self.alt, _board(self), _words(said), where, looks)


def _by_slot(given: Any) -> dict[Place, str]:
    """Return objects by their slots, also as the page sends them: row, column, name."""
    if isinstance(given, list) and all(
        isinstance(put, list | tuple) and len(put) == 3 for put in given
    ):
        given = {(row, column): name for row, column, name in given}
    if not isinstance(given, Mapping):
        raise TypeError(
            f"objects is {given!r}, but is to be a dict of names by slots: "
            "{(0, 0): 'red circle', (2, 1): 'green moon'}"
        )
    for slot, name in given.items():
        if not isinstance(slot, tuple) or list(map(type, slot)) != [int, int]:
            raise ValueError(
                f"objects names the slot {slot!r}, but a slot is a (row, column) of "
                "whole numbers, such as (0, 2)"
            )
        if not isinstance(name, str):
            raise TypeError(
                f"objects has {name!r} on the slot {slot}, but a name is a text, such "
                "as 'red circle'"
            )
    return dict(given)


def _fitting(name: str, world: Any, model: Any) -> None:
    """Refuse a captioner that does not speak this world's words of its pages."""
    known, words = model.output.out_features, len(world.vocabulary)
    if known != words:
        raise ValueError(
            f"the captioner {name!r} knows {known} words, but its world, "
            f"{world.language}, has {words}; give the Scenes that it was trained on"
        )
    if model.score_name != "additive":
        raise ValueError(
            f"the captioner {name!r} has the score {model.score_name!r}, but the page "
            "runs one with an additive score"
        )
    config = model.encoder.config
    if config.image != (world.size, world.size):
        raise ValueError(
            f"the captioner {name!r} sees images of {config.image}, but pages of its "
            f"world have {world.size} × {world.size} pixels; give the Scenes that it "
            "was trained on"
        )


def _alike(worlds: Sequence[Any]) -> None:
    """Refuse worlds of one language, or of different pages."""
    first = worlds[0]
    languages = [world.language for world in worlds]
    if len(set(languages)) < len(languages):
        raise ValueError(
            f"the speakers' languages are {', '.join(languages)}; give one of each"
        )
    for world in worlds[1:]:
        if (world.slots, world.size) != (first.slots, first.size):
            raise ValueError(
                f"{first.language} has pages of {first.slots} × {first.slots} slots, "
                f"{first.size} pixels wide, {world.language} of {world.slots} × "
                f"{world.slots}, {world.size} wide; give worlds of the same pages"
            )


def _as_kept(model: Any) -> Any:
    """Return a captioner as its checkpoint has it: folded, in float16's numbers.

    It reckons in float64, as the browser does.
    """
    made = rounded(model)
    made.encoder = rounded(folded(model.encoder))
    return made.double()


def _page(world: Any, model: Any) -> dict[str, Any]:
    """Return what the front end draws pages with."""
    return scenes(world) | {"grid": model.encoder.grid[0], "learnt": world.most}


def _sentence(view: SayWhatYouSee) -> str:
    """Say what is on the page, what is said of it, and where one word looks."""
    world, said = view._world(), view.recorded["said"][view.language]
    right = world.say(world.scene(view.objects)) if view.objects else ()
    there = "; ".join(
        f"{name} in row {row + 1}, column {column + 1}"
        for (row, column), name in view.objects.items()
    )
    spoken = tuple(said["tokens"]) == (*right, view._end()) and bool(right)
    at = min(view.step, len(said["tokens"]) - 1)
    grid = view.page["grid"]
    hidden = f", {len(view.hidden)} hidden," if view.hidden else ""
    return (
        f"A captioner looks at {grid} × {grid} places{hidden} of a page with "
        f"{there or 'nothing on it'}. In {view.language.title()} it says "
        f"“{view.caption}”, and that is {'right' if spoken else 'wrong'}. Word "
        f"{at + 1}, {_looks(said, at)}."
    )


def _looks(said: Mapping[str, Any], at: int) -> str:
    """Say how likely a word is, and where it looks."""
    (token, p), weights = said["top"][at][0], said["weights"][at]
    share, place = max(
        (share, (-row, -column))
        for row, shares in enumerate(weights)
        for column, share in enumerate(shares)
    )
    where = f"row {1 - place[0]}, column {1 - place[1]}"
    if not share:
        return f"“{token}” ({p:.2f}), looks at nothing: all is hidden"
    return f"{look(f'“{token}” ({p:.2f})', where, share).replace(' looks', ', looks')}"


def _board(view: SayWhatYouSee) -> str:
    """Return the page as a table of names."""
    sides = range(view.page["slots"])
    objects = {(row, column): name for row, column, name in view.recorded["objects"]}
    return texts(
        ["", *(f"column {c + 1}" for c in sides)],
        [[f"row {r + 1}", *(objects.get((r, c), "") for c in sides)] for r in sides],
    )


def _words(said: Mapping[str, Any]) -> str:
    """Return a table of the words: how likely, where they look, the next likeliest."""
    rows = [
        (
            str(at + 1),
            _looks(said, at),
            ", ".join(f"{token} {p:.2f}" for token, p in top[1:3]),
        )
        for at, top in enumerate(said["top"])
    ]
    return texts(("", "word", "next likeliest"), rows)
