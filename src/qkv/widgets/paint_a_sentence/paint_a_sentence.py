"""A sentence, and the picture that a model paints of it, token by token."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import traitlets
from torch import Tensor

from qkv.widgets.shared.attending import look
from qkv.widgets.shared.base import module
from qkv.widgets.shared.encode import listed
from qkv.widgets.shared.html import page
from qkv.widgets.shared.scenes import scenes
from qkv.widgets.shared.served import Served, reckoned_there, rounded
from qkv.widgets.shared.texts import texts
from qkv.widgets.shared.uniforms import uniforms

__all__ = ["PaintASentence"]

HOTTEST, MOST_GUIDANCE, MOST_SEED = 1.5, 2.0, 9_999

SENTENCE = "red circle above blue ring"
"""What is painted if nothing else is given."""

_CANDIDATES = 8
_DIGITS = 3  # of a probability or a weight
_DRAWN_BY = ("sentence", "temperature", "seed", "guidance", "overruled")


def _pairs(overruled: Mapping[int, int], _: Any = None) -> list[list[int]]:
    """Return overruled cells as the front end reads them: cell, code."""
    return [list(pair) for pair in sorted(overruled.items())]


class PaintASentence(Served):
    r"""A sentence to type, and a model that paints it, token by token.

    .. math:: t_i \sim p(t_i \mid \text{words}, t_1, \dots, t_{i-1})

    A reader types a sentence about coloured shapes, or presses its words, and sees the
    picture grow: of each cell the likeliest tokens, painted where they would stand,
    what the sentence and the cells before it leave open, where the cell looks, and in
    the end what a judge reads in the picture. Another token can be chosen; then the
    rest of the picture follows from it. What is recorded is the picture that it opens
    with. For any other the model runs in the browser, on weights that are loaded when
    they are needed: from the kernel, or on the site from its file
    ``_static/checkpoints/NAME.js``. They are not stored in the notebook.

    Parameters
    ----------
    painter : what paints (:class:`qkv.vision.Painter`). Recorded is what it does with
        weights rounded to float16, as a checkpoint keeps them.
    worlds : whose sentences it reads (:class:`qkv.data.Scenes`), one for each language.
    sentence : what is painted first; its letters say in which language it is.
    name : what the checkpoint is called on the site.
    temperature : how boldly it draws, from 0, the likeliest token, to 1.5.
    seed : which random numbers it draws by, 0 to 9,999.
    guidance : how much more it listens to the sentence than it has learnt to, 0 to 2.
    overruled : codes that are taken in place of the model's own, by cell.
    step : the cell that it opens at, from 0; the last one if not given.
    layer, head : whose attention is shown, from 0; head -1 is the mean of all. The
        last layer if not given.

    Raises
    ------
    ValueError
        If a sentence is none of these worlds, there is no world, two have the same
        language or other pages, the painter has other words, other pictures, shared
        keys or a window, or a number is out of its range.
    TypeError
        If ``overruled`` is no mapping, or the painter's tokenizer paints no pictures.

    Notes
    -----
    In JupyterLab the traits follow the reader, and can be set: ``view.sentence``,
    ``view.temperature``, ``view.seed``, ``view.guidance``, ``view.overruled``,
    ``view.step``. ``view.tokens`` and ``view.picture`` are what is painted,
    ``view.reads`` what the judge reads in it. Rows, columns and cells count from 1 in
    the picture, and cells from 0 in the traits.

    Examples
    --------
    >>> from qkv.data import Scenes
    >>> from qkv.transformer import LanguageModel, TransformerConfig
    >>> from qkv.vision import DiscreteVAE, JointVocabulary, Painter
    >>> world = Scenes(slots=2, jitter=0, sizes=(1.0,), most=4, left_out=0.2)
    >>> both = JointVocabulary(world.vocabulary)
    >>> model = LanguageModel(TransformerConfig(1, len(both)))
    >>> view = PaintASentence(Painter(model, DiscreteVAE(), both), [world])
    >>> view.sentence = "star and moon"
    >>> view.tokens.shape, view.picture.shape
    (torch.Size([4, 4]), torch.Size([3, 16, 16]))
    """

    _esm = module("paint_a_sentence")
    _painter: Any = None  # none without a kernel
    _worlds: Sequence[Any] = ()
    _tokens: Tensor
    _made = False  # all that is given is there
    sentence = traitlets.Unicode().tag(sync=True)
    temperature = traitlets.Float(0.5).tag(sync=True)
    seed = traitlets.Int(1).tag(sync=True)
    guidance = traitlets.Float(0.0).tag(sync=True)
    overruled = traitlets.Any({}).tag(sync=True, to_json=_pairs)
    step = traitlets.Int(0).tag(sync=True)
    layer = traitlets.Int(0).tag(sync=True)
    head = traitlets.Int(-1).tag(sync=True)
    page = traitlets.Dict().tag(sync=True)
    voices = traitlets.List().tag(sync=True)
    places = traitlets.Int(0).tag(sync=True)
    recorded = traitlets.Dict().tag(sync=True)
    opening = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        painter: Any,
        worlds: Any,
        sentence: str = SENTENCE,
        *,
        name: str = "painter",
        temperature: float = 0.5,
        seed: int = 1,
        guidance: float = 0.0,
        overruled: Mapping[int, int] | None = None,
        step: int | None = None,
        layer: int | None = None,
        head: int = -1,
    ):
        worlds = list(worlds) if isinstance(worlds, list | tuple) else [worlds]
        _fitting(painter, worlds)
        reckoned_there(painter.model.config)
        self._painter, self._worlds = rounded(painter), worlds
        self._painter.model.double()  # the browser reckons in float64, too
        layers = painter.model.config.layers[1]
        super().__init__(
            painter,
            name,
            page=_page(self._painter, worlds[0]),
            voices=[
                {"language": world.language, "words": list(world.vocabulary.tokens)}
                for world in worlds
            ],
            places=painter.vocabulary.text,
            sentence=sentence,
            temperature=temperature,
            seed=seed,
            guidance=guidance,
            overruled=dict(overruled or {}),
            step=painter.vocabulary.cells - 1 if step is None else step,
            layer=layers - 1 if layer is None else layer,
            head=head,
        )
        self._made = True
        self._paint()
        opened = {name: getattr(self, name) for name in (*_DRAWN_BY, "step")}
        self.opening = opened | {"overruled": _pairs(self.overruled)}

    @property
    def tokens(self) -> Tensor:
        """The codes of the picture, "row column"."""
        return self._tokens

    @property
    def picture(self) -> Tensor:
        """The picture, "channel height width"."""
        return self._painter.pictures(self._tokens[None])[0]

    @property
    def reads(self) -> str:
        """What the judge reads in the picture, as a sentence; "" where nothing is."""
        world = self._world()
        scene = self._seen()
        return world.write(world.say(scene)) if scene.things else ""

    @traitlets.validate("sentence")
    def _of_a_world(self, proposal: Any) -> str:
        text = proposal["value"]
        if not self._worlds:
            return text
        world = self._world(text)
        return world.write(world.parse(text))

    @traitlets.validate("temperature", "guidance", "seed")
    def _in_its_range(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        ends = {"temperature": HOTTEST, "guidance": MOST_GUIDANCE, "seed": MOST_SEED}
        if not 0 <= value <= ends[name]:
            raise ValueError(f"{name} is {value}, but is to be from 0 to {ends[name]}")
        return value

    @traitlets.validate("overruled")
    def _of_cells(self, proposal: Any) -> dict[int, int]:
        given = proposal["value"]
        given = dict(given) if isinstance(given, list) else given
        if not isinstance(given, Mapping):
            raise TypeError(
                f"overruled is {given!r}, but is to be a dict of codes by cells, such "
                "as {5: 17}"
            )
        if not self._painter:
            return dict(given)
        ends = (self._painter.vocabulary.cells, self._painter.vocabulary.codes)
        for pair in given.items():
            if not all(
                type(x) is int and 0 <= x < end
                for x, end in zip(pair, ends, strict=True)
            ):
                raise ValueError(
                    f"overruled has {pair[0]!r}: {pair[1]!r}, but cells are 0 to "
                    f"{ends[0] - 1}, and codes 0 to {ends[1] - 1}"
                )
        return dict(sorted(given.items()))

    @traitlets.validate("step", "layer", "head")
    def _there(self, proposal: Any) -> int:
        name, value = proposal["trait"].name, proposal["value"]
        if not self._painter:
            return value
        config = self._painter.model.config
        ends = {
            "step": (0, self._painter.vocabulary.cells - 1),
            "layer": (0, config.layers[1] - 1),
            "head": (-1, config.heads - 1),
        }
        first, last = ends[name]
        if not first <= value <= last:
            raise ValueError(f"{name} is {value}, but is to be from {first} to {last}")
        return value

    @traitlets.observe(*_DRAWN_BY)
    def _paint(self, _: Any = None) -> None:
        """Record the picture that is painted now."""
        if not self._made:
            return
        self.recorded = self._record()

    @traitlets.observe("recorded", "step")
    def _say(self, _: Any = None) -> None:
        """Say what is painted, and what the judge reads."""
        if self.recorded and self._painter:
            self.alt = _sentence(self)

    def _world(self, text: str | None = None) -> Any:
        """Return the world whose letters a sentence is in."""
        text = self.sentence if text is None else text
        korean = any("가" <= letter <= "힣" for letter in text)
        for world in self._worlds:
            if (world.language == "korean") == korean:
                return world
        return self._worlds[0]

    def _record(self) -> dict[str, Any]:
        """Paint, and return what the front end shows of each token."""
        painter, both = self._painter, self._painter.vocabulary
        said, tokens = self._drawn()
        logits = painter.logits(said, tokens, guidance=self.guidance)[0]
        chances = (logits / (self.temperature or 1)).softmax(-1)
        top = chances.topk(min(_CANDIDATES, both.codes)).indices
        looks = painter.attention(said, tokens)[:, 0]
        left = self._left_open(tokens.flatten())
        frames, patches = _painted(painter.tokenizer, tokens[0], top, self._paper())
        self._tokens = tokens[0]
        return {
            "of": _drawn_by(self),
            "steps": [
                {
                    "code": code,
                    "p": _short(chances[cell, code]),
                    "top": _likely(chances[cell], top[cell]),
                    "looks": listed(looks[:, :, cell, : both.text + cell], _DIGITS),
                    "open": left[cell],
                }
                for cell, code in enumerate(tokens.flatten().tolist())
            ],
            "frames": _bytes(frames),
            "patches": _bytes(patches),
            "slots": self._slots(self._seen()),
        }

    def _paper(self) -> Tensor:
        """Return the codes of a blank page, which a cell has until it is drawn."""
        return torch.tensor(self.page["paper"])

    def _left_open(self, tokens: Tensor) -> list[dict[str, Any]]:
        """Return what the sentence, and the tokens before, leave open in each cell.

        The pages that the sentence fits are all equally likely. How many of those that
        have the tokens before are left; and, of each code that they have in the cell,
        their share, and what it is a part of.
        """
        world, side = self._world(), self.page["size"] // self.page["side"]
        scenes_ = world.layouts(self.sentence)
        codes = self._painter.tokenizer.tokens(world.ask(scenes_).pixels).flatten(1)
        slots = [self._slots(scene) for scene in scenes_]
        fits, left = torch.ones(len(codes), dtype=torch.bool), []
        for cell, drawn in enumerate(tokens):
            row, column = divmod(cell, side)
            slot = self._slot(row, column)
            found: dict[int, list[int]] = {}
            for page_ in fits.nonzero().flatten().tolist():
                found.setdefault(int(codes[page_, cell]), []).append(slots[page_][slot])
            count = int(fits.sum())
            left.append(
                {
                    "count": count,
                    "codes": [
                        [code, round(len(names) / count, _DIGITS + 3), _each(names)]
                        for code, names in found.items()
                    ],
                }
            )
            fits &= codes[:, cell] == drawn
        return left

    def _slot(self, row: int, column: int) -> int:
        """Return the number of the slot that a cell is of."""
        side, pitch = self.page["side"], self.page["pitch"]
        return row * side // pitch * self.page["slots"] + column * side // pitch

    def _seen(self) -> Any:
        """Return what the judge sees in the picture, as an eye would: 0 to 1."""
        (scene,) = self._world().see(self.picture[None].clamp(0, 1))
        return scene

    def _drawn(self) -> tuple[list[Any], Tensor]:
        """Return the words of the sentence, and the tokens of its picture."""
        both = self._painter.vocabulary
        said = [self._world().parse(self.sentence)]
        return said, self._painter.draw(
            said,
            uniform=uniforms(self.seed, 0, both.cells)[None],
            temperature=self.temperature,
            guidance=self.guidance,
            fixed=self.overruled,
        )

    def _slots(self, scene: Any) -> list[int]:
        """Return what each slot holds: colour × shapes + shape, -1 for nothing."""
        colours, shapes = self.page["colours"], self.page["shapes"]
        there = {
            (t.row, t.column): colours.index(t.colour) * len(shapes)
            + shapes.index(t.shape)
            for t in scene.things
        }
        sides = range(self.page["slots"])
        return [there.get((row, column), -1) for row in sides for column in sides]

    def fallback(self) -> str:
        """Return the picture's slots and the tokens as tables."""
        return page(self.alt, _board(self), _cells(self))


def _fitting(painter: Any, worlds: Sequence[Any]) -> None:
    """Refuse worlds that the painter has not learnt to paint."""
    if not worlds:
        raise ValueError(
            "worlds is empty; give the Scenes that the painter learnt from"
        )
    languages = [world.language for world in worlds]
    if len(set(languages)) < len(languages):
        raise ValueError(
            f"the worlds' languages are {', '.join(languages)}; give one of each"
        )
    if not hasattr(painter.tokenizer, "pictures"):
        raise TypeError(
            f"the painter's tokenizer is of type {type(painter.tokenizer).__name__}, "
            "but the page shows what a DiscreteVAE paints; give a painter with one"
        )
    known = set(painter.vocabulary.words.tokens)
    for world in worlds:
        lost = [word for word in world.vocabulary.tokens if word not in known]
        if lost:
            raise ValueError(
                f"the painter does not know {len(lost)} words of {world.language}, "
                f"such as {lost[0]!r}; give one whose vocabulary has them"
            )
        image = painter.tokenizer.config.image
        if image != (world.size, world.size):
            raise ValueError(
                f"the painter paints pictures of {image}, but pages of "
                f"{world.language} have {world.size} × {world.size} pixels; give the "
                "Scenes that it was trained on"
            )
        if world.jitter or len(world.sizes) > 1 or not world.left_out:
            raise ValueError(
                f"shapes of {world.language} have {len(world.sizes)} sizes and are "
                f"shifted by up to {world.jitter} pixels, and it leaves out "
                f"{world.left_out} of the colours; give Scenes(slots={world.slots}, "
                "jitter=0, sizes=(1.0,), most=4, left_out=0.2), whose layouts can be "
                "counted"
            )


def _drawn_by(view: PaintASentence) -> list[Any]:
    """Return all that a picture follows from, as the front end compares it."""
    values = [getattr(view, name) for name in _DRAWN_BY]
    return [_pairs(x) if isinstance(x, dict) else x for x in values]


def _page(painter: Any, world: Any) -> dict[str, Any]:
    """Return what the front end draws pages with."""
    blank = torch.ones(1, 3, world.size, world.size)
    return scenes(world) | {
        "side": painter.tokenizer.config.patch,
        "paper": painter.tokenizer.tokens(blank).flatten().tolist(),
    }


def _each(names: Sequence[int]) -> list[int]:
    """Return names, each once, in their order."""
    return list(dict.fromkeys(names))


def _short(probability: Tensor) -> float:
    """Return a probability in few digits; what is hardly likely is not 0."""
    return float(f"{probability.item():.4g}")


def _likely(chances: Tensor, codes: Tensor) -> list[list[Any]]:
    """Return codes with how likely they are."""
    return [[code, _short(chances[code])] for code in codes.tolist()]


def _painted(
    tokenizer: Any, tokens: Tensor, top: Tensor, paper: Tensor
) -> tuple[Tensor, Tensor]:
    """Return what is there once each cell is drawn, and each candidate in its place.

    A cell that is not drawn yet is that of a blank page.
    """
    (cells, choices), grid = top.shape, tokens.shape
    drawn = torch.ones(cells, cells, dtype=torch.bool).tril()
    until = torch.where(drawn, tokens.flatten(), paper)  # step cell
    tried = until[:, None].repeat(1, choices, 1)
    at = torch.arange(cells)
    tried[at, :, at] = top
    pictures = tokenizer.pictures(tried.view(-1, *grid))
    side = tokenizer.config.patch
    cut = pictures.unfold(2, side, side).unfold(3, side, side).flatten(2, 3)
    cut = cut.unflatten(0, (cells, choices))[at, :, :, at]
    return tokenizer.pictures(until.view(-1, *grid)), cut.flatten(0, 1)


def _bytes(pictures: Tensor) -> str:
    """Return pictures as bytes from 0, black, to 255."""
    numbers = (255 * pictures.clamp(0, 1)).round().to(torch.uint8)
    return b64encode(numbers.contiguous().numpy().tobytes()).decode()


def _named(view: PaintASentence, name: int) -> str:
    """Return what a slot holds."""
    colours, shapes = view.page["colours"], view.page["shapes"]
    if name < 0:
        return ""
    return f"{colours[name // len(shapes)]} {shapes[name % len(shapes)]}"


def _sentence(view: PaintASentence) -> str:
    """Say what is painted of which sentence, and what the judge reads in it."""
    reads, scene = view.reads, view._seen()
    right = view._world().agreement(scene, view.sentence).right
    judged = "that is what the sentence says" if right else "the sentence is missed"
    at = view.step
    return (
        f"A model paints “{view.sentence}” in {view.tokens.numel()} tokens, at "
        f"temperature {view.temperature:g}. A judge reads "
        f"{f'“{reads}”' if reads else 'no object'} in the picture: {judged}. Token "
        f"{at + 1}, {_looks(view, at)}."
    )


def _looks(view: PaintASentence, at: int) -> str:
    """Say how likely a token was, and where its cell looks."""
    drawn = view.recorded["steps"][at]
    weights = torch.tensor(drawn["looks"][view.layer])
    weights = weights[view.head] if view.head >= 0 else weights.mean(0)
    share, place = weights.max(0)
    words = ["<bos>", *view._world().parse(view.sentence), "<eos>"]
    padding, across = view.places - len(words), view.tokens.shape[1]
    row, column = divmod(int(place) - view.places, across)
    where = f"cell row {row + 1}, column {column + 1}"
    if place < view.places:
        where = "padding" if place < padding else f"“{words[int(place) - padding]}”"
    what = f"code {drawn['code']} ({drawn['p']:.2f})"
    return look(what, where, share.item()).replace(" looks", ", looks")


def _board(view: PaintASentence) -> str:
    """Return the page as a table of what the judge sees."""
    side = view.page["slots"]
    names = [_named(view, name) for name in view.recorded["slots"]]
    return texts(
        ["", *(f"column {c + 1}" for c in range(side))],
        [[f"row {r + 1}", *names[r * side : (r + 1) * side]] for r in range(side)],
    )


def _cells(view: PaintASentence) -> str:
    """Return a table of the tokens: how likely, where they look, the next likeliest."""
    rows = [
        (
            str(at + 1),
            _looks(view, at),
            ", ".join(f"code {code} {p:.2f}" for code, p in drawn["top"][:3]),
        )
        for at, drawn in enumerate(view.recorded["steps"])
    ]
    return texts(("", "token", "likeliest"), rows)
