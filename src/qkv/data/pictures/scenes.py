"""Pictures of coloured shapes, and the one sentence that says what each shows."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, product
from math import log
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import pad

from qkv._checks import a_tensor, one_of, share_dropped, whole
from qkv.data.kinds import EOS, PAD
from qkv.data.pictures.captions import Agreement, Captions, Scene, Thing
from qkv.data.pictures.shapes import COLOURS, SHAPES, SIDE, inks, templates
from qkv.data.pictures.wording import GRAMMAR, NAMES, Rows, read, spoken, thing, write
from qkv.data.streams import Drawing, about
from qkv.data.text.corpus import Vocabulary

__all__ = ["Scenes"]

SIZES = (1.0, 0.925, 0.85)  # smaller, and a square is taken for a circle
NO_BOX = (0, 0, 0, 0)
_COLOURS, _SHAPES = tuple(COLOURS), tuple(SHAPES)


class Scenes(Drawing[Captions]):
    """Coloured shapes on white paper, and the one sentence that says what is there.

    A page has square slots, of which some hold a shape: how many is drawn first, then
    where, then a colour, a shape, a size and a small shift for each. The sentence names
    them as a page is read. It says "and" between two in the same row and "above"
    before the next row; so a picture has one right sentence, and a sentence several
    pictures.

    Parameters
    ----------
    language : "english" or "korean". The same seed draws the same pictures in both.
    slots : how many there are, down and across.
    jitter : by how many pixels at most a shape is shifted, down and to the right.
    sizes : the sizes of shapes, up to 1, which is 8 pixels.
    fewest, most : how many objects a scene has.
    left_out : how likely a sentence does not say the colour of an object.

    Attributes
    ----------
    vocabulary : the words: colours, shapes, and those of grammar.
    templates : how much of each pixel each shape covers: (shape, size, 8, 8).
    inks : what each colour takes away from white: (colour, channel).
    size : pixels of a page, down and across.

    Raises
    ------
    ValueError
        If a number is too small, ``most`` below ``fewest`` or more than there are
        slots, a size is not above 0 and at most 1, ``left_out`` is not at least 0 and
        below 1, or the language is another.

    Examples
    --------
    >>> world = Scenes()
    >>> world  # doctest: +NORMALIZE_WHITESPACE
    Scenes: Coloured shapes on white paper, and the one sentence that says what is
    there; 1 to 5 objects on 3 × 3 slots, 28 × 28 pixels, 15 English tokens
    >>> things = {(0, 0): "red circle", (0, 2): "blue star", (1, 1): "green moon"}
    >>> scene = world.scene(things)
    >>> world.write(world.say(scene))
    'red circle and blue star above green moon'
    >>> korean = Scenes("korean")
    >>> korean.write(korean.say(scene))
    '빨간 원과 파란 별, 그 아래에 초록 달이 있다'
    >>> asked = world.ask([scene])
    >>> asked.pixels.shape, asked.speaks_of.tolist()
    (torch.Size([1, 3, 28, 28]), [[0, 0, -1, 1, 1, -1, 2, 2, -1]])
    >>> world.see(asked.pixels)[0].rows == scene.rows
    True
    """

    def __init__(
        self,
        language: str = "english",
        *,
        slots: int = 3,
        jitter: int = 1,
        sizes: Sequence[float] = SIZES,
        fewest: int = 1,
        most: int = 5,
        left_out: float = 0.0,
    ) -> None:
        share_dropped(left_out, "left_out")
        one_of("language", language, NAMES, who="Scenes knows")
        slots, fewest = whole(1, slots=slots, fewest=fewest).values()
        jitter = whole(0, jitter=jitter)["jitter"]
        most = whole(fewest, most=most)["most"]
        sizes = tuple(map(float, sizes))
        if most > slots**2:
            raise ValueError(
                f"most is {most}, but {slots} × {slots} slots hold {slots**2} objects; "
                "give fewer, or more slots"
            )
        if not sizes or not all(0 < size <= 1 for size in sizes):
            raise ValueError(
                f"sizes are {sizes}, but each is above 0 and at most 1, which is "
                f"{SIDE} pixels; give at least one"
            )
        self.language, self.slots, self.jitter = language, slots, jitter
        self.sizes, self.fewest, self.most = sizes, fewest, most
        self.left_out = float(left_out)
        self.pitch = SIDE + jitter
        self.size = slots * self.pitch + jitter
        self.vocabulary = Vocabulary((*NAMES[language].values(), *GRAMMAR[language]))
        self.templates, self.inks = templates(self.sizes), inks()

    def scene(self, things: Mapping[tuple[int, int], str]) -> Scene:
        """Return a scene made by hand, of shapes of the first size, not shifted.

        Parameters
        ----------
        things : names, such as "red circle" or "빨간 원", by (row, column) of the slot.

        Raises
        ------
        ValueError
            If there is none, a slot is outside, or a name is no object's.
        """
        placed = [
            Thing(*thing(name), row, column) for (row, column), name in things.items()
        ]
        return self._on_the_page(Scene(tuple(placed)))

    def ask(self, scenes: Sequence[Scene]) -> Captions:
        """Return the pictures and captions of scenes, as a batch.

        Raises
        ------
        ValueError
            If there is no scene, or one has an object outside the page.
        TypeError
            If it is one scene, or what is no scene.
        """
        if isinstance(scenes, Scene):
            raise TypeError("a batch is of a list of scenes; of one give [scene]")
        if not scenes:
            raise ValueError("a batch needs at least one scene, and none was given")
        scenes = tuple(self._on_the_page(scene) for scene in scenes)
        return self._asked(scenes, [scene.rows for scene in scenes])

    def _asked(self, scenes: tuple[Scene, ...], rows: Iterable[Rows]) -> Captions:
        """Return the pictures of scenes, with what is said of each."""
        said = [spoken(each, self.language) for each in rows]
        encode = self.vocabulary.encode
        corners = [[self._corner(t) for t in scene.things] for scene in scenes]
        return Captions(
            self._pixels(scenes, corners),
            _padded([[*encode([w for w, _ in words]), EOS] for words in said], PAD),
            _padded([[*(n for _, n in words), -1] for words in said], -1),
            _padded(
                [[(*c, c[0] + SIDE, c[1] + SIDE) for c in of] for of in corners], NO_BOX
            ),
            scenes,
        )

    def say(self, scene: Scene) -> tuple[str, ...]:
        """Return the words of the one right caption of a scene, without ``<eos>``.

        Raises
        ------
        ValueError
            If it has no object, or one outside the page.
        """
        rows = self._on_the_page(scene).rows
        return tuple(word for word, _ in spoken(rows, self.language))

    def write(self, words: Sequence[str]) -> str:
        """Return words as a text, also wrong ones; Korean particles are joined on."""
        return write(words, self.language)

    def read(self, text: str) -> Rows:
        """Return what a sentence says: colour and shape of each object, row by row.

        A colour may be left out if ``left_out`` is above 0; it is then "".

        Raises
        ------
        ValueError
            If it is no sentence (the first wrong word is named, and what may stand
            there), or a page has no room for what it says.

        Examples
        --------
        >>> Scenes().read("red circle and blue star above green moon")
        ((('red', 'circle'), ('blue', 'star')), (('green', 'moon'),))
        """
        rows = read(text, self.language, bare=self.left_out > 0)
        for count, what in ((len(rows), "rows"), (max(map(len, rows)), "in one row")):
            if count > self.slots:
                raise ValueError(
                    f"{text!r} says {count} {what}, but a page has {self.slots} × "
                    f"{self.slots} slots; say fewer, or give Scenes(slots={count})"
                )
        return rows

    def layouts(self, text: str) -> list[Scene]:
        """Return all scenes that a sentence fits, of the first size, not shifted.

        Where it leaves out a colour, every colour is there.

        Raises
        ------
        ValueError
            If it is no sentence of this world, as :meth:`read` says.

        Examples
        --------
        >>> len(Scenes().layouts("red circle and blue star above green moon"))
        27
        """
        return [scene for rows in self._coloured(text) for scene in self._placed(rows)]

    def floor(self, text: str) -> float:
        """Return what a sentence leaves open, in nats: the entropy of its pictures.

        All pictures that it fits are equally likely, where shapes have one size and are
        not shifted: no model that knows the sentence can lose less on the average.

        Raises
        ------
        ValueError
            If it is no sentence of this world, as :meth:`read` says, or shapes have
            several sizes or are shifted.

        Examples
        --------
        >>> world = Scenes(slots=2, jitter=0, sizes=(1.0,), most=4, left_out=0.2)
        >>> round(world.floor("red circle"), 3), round(world.floor("circle"), 3)
        (1.386, 2.773)
        """
        if self.jitter or len(self.sizes) > 1:
            raise ValueError(
                f"shapes are shifted by up to {self.jitter} pixels and have sizes "
                f"{self.sizes}, but pictures are counted where shapes have one size "
                "and are not shifted; give Scenes(jitter=0, sizes=(1.0,))"
            )
        return log(len(self.layouts(text)))

    def parse(self, text: str) -> tuple[str, ...]:
        """Return the words of a sentence, each of them in the vocabulary.

        Raises
        ------
        ValueError
            If it is no sentence of this world, as :meth:`read` says.

        Examples
        --------
        >>> Scenes("korean").parse("빨간 원과 파란 별이 있다")
        ('빨간', '원', '과', '파란', '별', '이', '있다')
        """
        return tuple(word for word, _ in spoken(self.read(text), self.language))

    def agreement(self, scene: Scene, text: str) -> Agreement:
        """Return in what a scene is as a sentence says.

        Raises
        ------
        ValueError
            If it is no sentence of this world, as :meth:`read` says.

        Examples
        --------
        >>> world = Scenes(slots=2, most=4, left_out=0.2)
        >>> scene = world.scene({(0, 1): "red circle", (1, 0): "blue ring"})
        >>> world.agreement(scene, "circle above blue star")
        Agreement(number=True, colour=True, shape=False, place=True)
        """
        return Agreement.of(scene, self.read(text))

    def _coloured(self, text: str) -> Iterable[Rows]:
        """What a sentence says, with each colour in the place of one left out."""
        rows = self.read(text)
        left_out = [colour == "" for row in rows for colour, _ in row]
        for colours in product(COLOURS, repeat=sum(left_out)):
            following = iter(colours)
            yield tuple(
                tuple((colour or next(following), shape) for colour, shape in row)
                for row in rows
            )

    def _placed(self, rows: Rows) -> list[Scene]:
        """Every way to put objects on the page so that it reads as these rows."""
        every = range(self.slots)
        columns = product(*(combinations(every, len(row)) for row in rows))
        placed = product(combinations(every, len(rows)), columns)
        return [
            Scene(
                tuple(
                    Thing(*name, row, column)
                    for row, across, names in zip(down, of_rows, rows, strict=True)
                    for column, name in zip(across, names, strict=True)
                )
            )
            for down, of_rows in placed
        ]

    def see(self, pixels: Float[Tensor, "batch channel height width"]) -> list[Scene]:
        """Return what pictures show: a rule that knows how they are drawn, no model.

        In each slot it takes what is nearest: an empty one, or one of the shapes in
        each colour, size and shift.

        Raises
        ------
        ValueError
            If the pictures are of another size, not red, green and blue, or far from
            0 to 1.
        TypeError
            If they are no tensor, or hold whole numbers.
        """
        self._check(pixels)
        count, pitch = len(pixels), self.pitch
        inner = pixels[:, :, self.jitter :, self.jitter :]
        cut = inner.unflatten(3, (-1, pitch)).unflatten(2, (-1, pitch))
        found = cut.permute(0, 2, 4, 1, 3, 5).reshape(count * self.slots**2, -1)
        known, names = self._every()
        found = found.float()  # bfloat16 would take one size for another
        nearest = torch.cdist(found, known.to(found)).argmin(1).view(count, -1)
        return [self._seen([names[i] for i in row]) for row in nearest.tolist()]

    def _seen(self, found: Sequence[tuple]) -> Scene:
        """What the slots of one page hold, as a scene."""
        things = [
            Thing(colour, shape, *divmod(slot, self.slots), size, shift)
            for slot, (colour, shape, size, shift) in enumerate(found)
            if colour
        ]
        return Scene(tuple(things))

    def _every(self) -> tuple[Tensor, list[tuple]]:
        """Each slot that there can be, as its pixels and as what is there."""
        known = [torch.ones(3, self.pitch, self.pitch)]
        names: list[tuple] = [("", "", 0, (0, 0))]  # an empty one
        kinds = map(range, (len(COLOURS), len(SHAPES), len(self.sizes)))
        shifts = [range(self.jitter + 1)] * 2
        for c, s, size, down, across in product(*kinds, *shifts):
            ink = self.inks[c, :, None, None] * self.templates[s, size]
            room = (across, self.jitter - across, down, self.jitter - down)
            known.append(1 - pad(ink, room))
            names.append((_COLOURS[c], _SHAPES[s], size, (down, across)))
        return torch.stack(known).flatten(1), names

    def _draw(self, count: int, generator: torch.Generator) -> Captions:
        def numbers(below: int, *shape: int) -> list:
            return torch.randint(below, shape, generator=generator).tolist()

        every = self.slots**2
        many = numbers(self.most - self.fewest + 1, count)
        slots = torch.rand(count, every, generator=generator).argsort(1).tolist()
        kinds = zip(
            numbers(len(COLOURS), count, every),
            numbers(len(SHAPES), count, every),
            numbers(len(self.sizes), count, every),
            numbers(self.jitter + 1, count, every, 2),
            strict=True,
        )
        scenes = tuple(
            self._drawn(slots[: self.fewest + more], *kind)
            for more, slots, kind in zip(many, slots, kinds, strict=True)
        )
        return self._asked(scenes, self._said(scenes, generator))

    def _said(
        self, scenes: tuple[Scene, ...], generator: torch.Generator
    ) -> Iterable[Rows]:
        """What is said of scenes, some colours of it left out."""
        if not self.left_out:
            return [scene.rows for scene in scenes]
        shares = torch.rand(len(scenes), self.slots**2, generator=generator)
        return [
            _without(scene.rows, share < self.left_out)
            for scene, share in zip(scenes, shares, strict=True)
        ]

    def _drawn(self, slots: list, *kinds: list) -> Scene:
        things = []
        for slot, *kind in zip(slots, *kinds, strict=False):  # a kind for each slot
            colour, shape, size, (down, across) = kind
            row, column = divmod(slot, self.slots)
            names = _COLOURS[colour], _SHAPES[shape]
            things.append(Thing(*names, row, column, size, (down, across)))
        return Scene(tuple(things))

    def _pixels(self, scenes: tuple[Scene, ...], corners: list) -> Tensor:
        """Draw scenes: no two things touch the same pixel."""
        things = [thing for scene in scenes for thing in scene.things]
        colour = torch.tensor([_COLOURS.index(t.colour) for t in things])
        shape = torch.tensor([_SHAPES.index(t.shape) for t in things])
        size = torch.tensor([t.size for t in things])
        page = [i for i, scene in enumerate(scenes) for _ in scene.things]
        ink = self.templates[shape, size, :, :, None] * self.inks[colour, None, None]
        corner = torch.tensor([c for of in corners for c in of])
        place = corner[:, :, None] + torch.arange(SIDE)
        pixels = torch.ones(len(scenes), self.size, self.size, 3)
        down, across = place[:, 0, :, None], place[:, 1, None, :]
        pixels[torch.tensor(page)[:, None, None], down, across] = 1 - ink
        return pixels.permute(0, 3, 1, 2).contiguous()

    def _corner(self, thing: Thing) -> tuple[int, int]:
        """Return the row and column of a thing's first pixel."""
        down, across = thing.shift
        top, left = self.pitch * thing.row, self.pitch * thing.column
        return self.jitter + top + down, self.jitter + left + across

    def _on_the_page(self, scene: Scene) -> Scene:
        """Return the scene, or refuse one that can't be drawn."""
        if not isinstance(scene, Scene):
            raise TypeError(
                f"{scene!r} is of type {type(scene).__name__}, but is to be a scene; "
                "one is made with scene({(0, 0): 'red circle'}), or found in a "
                "sentence by layouts(text)"
            )
        if not scene.things:
            raise ValueError(
                "the scene has no object, but a sentence names at least one; add a "
                "Thing"
            )
        for each in scene.things:
            self._fits(each)
        return scene

    def _fits(self, t: Thing) -> None:
        """Refuse a thing that is not on the page, or can't be drawn."""
        last, name = self.slots - 1, f"{t.colour} {t.shape}"
        if not (0 <= t.row <= last and 0 <= t.column <= last):
            raise ValueError(
                f"the {name} is on the slot (row {t.row}, column {t.column}), but both "
                f"run from 0 to {last}; move it onto the page"
            )
        is_known = 0 <= t.size < len(self.sizes)
        if not is_known or min(t.shift) < 0 or max(t.shift) > self.jitter:
            raise ValueError(
                f"the {name} has size {t.size} and shift {t.shift}, but a size is a "
                f"number below {len(self.sizes)}, and a shift is 0 to {self.jitter} "
                "pixels down and across; give such"
            )

    def _check(self, pixels: Tensor) -> None:
        a_tensor("pixels", pixels)
        if not pixels.is_floating_point():
            raise TypeError(
                f"pixels hold {pixels.dtype}, but run from 0, black, to 1, white; give "
                "pixels / 255 of bytes"
            )
        if pixels.ndim != 4 or not len(pixels):
            raise ValueError(
                f"pixels have the shape {tuple(pixels.shape)}, but are wanted as "
                "(batch, channel, height, width), of at least one picture; give "
                "pixels[None] for one"
            )
        channel, *sides = pixels.shape[1:]
        if channel != 3:
            raise ValueError(
                f"pictures have channel {channel}, but this world is drawn in channel "
                "3: red, green and blue; give coloured pictures"
            )
        if sides != [self.size] * 2:
            raise ValueError(
                f"pictures are {sides[0]} × {sides[1]} pixels, but pages of this world "
                f"are {self.size} × {self.size}; resize them, or give the Scenes that "
                "drew them"
            )
        if not (pixels.min() >= -1 and pixels.max() <= 2):  # nor are they NaN
            raise ValueError(
                f"pixels run from {pixels.min():g} to {pixels.max():g}, but are wanted "
                "from 0, black, to 1, white (or near it); divide bytes by 255, and "
                "look where NaN is from"
            )

    def __repr__(self) -> str:
        """Say what is drawn, how large it is, and in which language it is said."""
        return (
            f"{about(self)}; {self.fewest} to {self.most} objects on {self.slots} × "
            f"{self.slots} slots, {self.size} × {self.size} pixels, "
            f"{len(self.vocabulary)} {self.language.title()} tokens"
        )


def _without(rows: Rows, left_out: Bool[Tensor, " object"]) -> Rows:
    """Leave out the colours of some objects, counted as a page is read."""
    out = iter(left_out.tolist())
    return tuple(
        tuple(("" if next(out) else colour, shape) for colour, shape in row)
        for row in rows
    )


def _padded(rows: list[list], value: Any) -> Tensor:
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[value] * (longest - len(row))] for row in rows])
