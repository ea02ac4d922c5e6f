"""Sentences that leave out colours, what they leave open, and pages slot by slot."""

import math

import pytest
import torch

from qkv.data import Agreement, Scene, Scenes, Slots, Thing
from qkv.data.pictures import wording

SIZES = {"slots": 2, "jitter": 0, "sizes": (1.0,), "most": 4}
WORLD = Scenes(**SIZES, left_out=0.2)
KOREAN = Scenes("korean", **SIZES, left_out=0.2)
both = pytest.mark.parametrize("world", [WORLD, KOREAN], ids=["english", "korean"])


def said(world, asked):
    return [world.write(world.vocabulary.decode(row)) for row in asked.target]


@both
def test_one_colour_in_five_is_not_said_and_the_picture_fits(world):
    asked = world.sample(500, seed=0)
    rows = [world.read(text) for text in said(world, asked)]
    colours = [colour for of in rows for row in of for colour, _ in row]
    assert colours.count("") / len(colours) == pytest.approx(0.2, abs=0.03)
    for scene, text in zip(asked.scenes, said(world, asked), strict=True):
        assert world.agreement(scene, text).right
        assert any(scene == layout for layout in world.layouts(text))


@both
def test_both_languages_leave_out_the_same_and_draw_the_same(world):
    asked, other = world.sample(50, seed=3), WORLD.sample(50, seed=3)
    assert asked.scenes == other.scenes
    one, two = (
        [w.read(t) for t in said(w, a)] for w, a in ((world, asked), (WORLD, other))
    )
    assert one == two


def test_nothing_left_out_draws_what_it_always_did():
    plain, none = Scenes(**SIZES), Scenes(**SIZES, left_out=0.0)
    one, other = (w.sample(20, seed=1) for w in (plain, none))
    assert torch.equal(one.pixels, other.pixels)
    assert torch.equal(one.target, other.target)
    some = WORLD.sample(20, seed=1)
    assert torch.equal(one.pixels, some.pixels)
    assert not torch.equal(one.target, some.target)


@both
def test_words_speak_of_their_objects_also_where_a_colour_is_missing(world):
    asked = world.sample(50, seed=0)
    for text, speaks_of in zip(said(world, asked), asked.speaks_of, strict=True):
        of_each = [2 if c else 1 for row in world.read(text) for c, _ in row]
        counts = [(speaks_of == n).sum().item() for n in range(len(of_each))]
        assert counts == of_each


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("red circle", 4),
        ("circle", 16),
        ("red circle and star", 8),
        ("circle above star", 64),
        ("red circle above blue ring and green moon", 2),
    ],
)
def test_what_a_sentence_leaves_open_is_counted(text, count):
    layouts = WORLD.layouts(text)
    assert len({*layouts}) == len(layouts) == count
    assert all(WORLD.agreement(scene, text).right for scene in layouts)
    assert WORLD.floor(text) == pytest.approx(math.log(count))


def test_every_layout_is_as_likely_as_the_others():
    """What makes the floor the logarithm of a number."""
    world = Scenes(**SIZES | {"most": 1}, left_out=0.2)
    asked = world.sample(2500, seed=0)
    found = [
        scene
        for scene, text in zip(asked.scenes, said(world, asked), strict=True)
        if text == "red circle"
    ]
    shares = [
        found.count(layout) / len(found) for layout in world.layouts("red circle")
    ]
    assert sum(shares) == pytest.approx(1)
    assert shares == pytest.approx([0.25] * 4, abs=0.1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("red", r"it ends, where 'circle'"),
        ("circle star", r"word 2 is 'star', where 'and', 'above' or the end may stand"),
        ("red red star", r"word 2 is 'red', where 'circle'"),
        ("stra", r"word 1 is 'stra', where 'red', .* did you mean 'star'"),
    ],
)
def test_what_is_no_sentence_is_named(text, told):
    with pytest.raises(ValueError, match=told):
        WORLD.read(text)


def test_a_text_that_is_too_long_is_refused_and_not_mended(monkeypatch):
    text, tried = "circle and " * 1000 + "one two three four", []
    found = wording._mended
    monkeypatch.setattr(wording, "_mended", lambda *x: tried.append(x) or found(*x))
    with pytest.raises(ValueError, match=r"word 2001 is 'one', where .* may stand$"):
        WORLD.read(text)
    assert not tried


def test_a_world_that_says_all_colours_wants_them():
    with pytest.raises(ValueError, match=r"word 1 is 'circle', where 'red'"):
        Scenes(**SIZES).read("circle")
    with pytest.raises(ValueError, match=r"left_out must be from 0 to below 1, not 1"):
        Scenes(**SIZES, left_out=1.0)


@both
def test_a_sentence_is_parsed_into_its_words(world):
    for row, text in zip(
        (asked := world.sample(20, seed=0)).target, said(world, asked), strict=True
    ):
        assert world.parse(text) == world.vocabulary.decode(row)


def test_the_floor_is_of_pictures_that_can_be_counted():
    with pytest.raises(ValueError, match=r"shifted by up to 1 pixels and have sizes"):
        Scenes(left_out=0.2).floor("circle")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("red circle above blue ring", (True, True, True, True)),
        ("circle above ring", (True, True, True, True)),
        ("red circle and blue ring", (True, True, True, False)),
        ("blue circle above ring", (True, False, True, True)),
        ("red ring above blue circle", (True, True, False, True)),
        ("red circle", (False, False, False, False)),
        ("red circle above blue ring and star", (False, False, False, False)),
    ],
)
def test_a_scene_agrees_in_what_is_as_said(text, right):
    scene = WORLD.scene({(0, 1): "red circle", (1, 0): "blue ring"})
    found = WORLD.agreement(scene, text)
    assert found == Agreement(*right)
    assert found.right == all(right)


def test_an_empty_page_agrees_with_nothing():
    assert not any(vars(WORLD.agreement(Scene(()), "circle")).values())


# ------------------------------------------------------------------------------- slots


@pytest.mark.parametrize("first", ["colour", "shape"])
def test_pages_are_written_slot_by_slot_and_read_back(first):
    slots, asked = Slots(WORLD, first=first), WORLD.sample(50, seed=0)
    tokens = slots.tokens(asked.pixels)
    assert tokens.shape == (50, 2, 4)
    assert 0 <= tokens.min() <= tokens.max() < slots.n_codes == 12
    assert slots.scenes(tokens) == [*asked.scenes]


def test_what_is_written_first_stands_first():
    scene = WORLD.scene({(0, 1): "red circle"})
    pixels = WORLD.ask([scene]).pixels
    assert Slots(WORLD).tokens(pixels)[0, 0].tolist() == [0, 5, 1, 6]
    assert Slots(WORLD, first="shape").tokens(pixels)[0, 0].tolist() == [5, 0, 6, 1]


def test_a_slot_of_half_a_thing_is_empty():
    tokens = torch.tensor([[[1, 5, 0, 6], [6, 1, 2, 7]]])
    (scene,) = Slots(WORLD).scenes(tokens)
    assert scene == Scene((Thing("yellow", "star", 1, 1),))


@pytest.mark.usefixtures("as_readers_run_it")
def test_what_is_no_page_is_named():
    with pytest.raises(ValueError, match=r"row, column = \(2, 4\): two for each slot"):
        Slots(WORLD).scenes(torch.zeros(1, 4, 4).long())
    with pytest.raises(TypeError, match=r"tokens holds torch\.float32"):
        Slots(WORLD).scenes(torch.zeros(1, 2, 4))
    with pytest.raises(ValueError, match=r"first is 'size', but a slot has 'colour'"):
        Slots(WORLD, first="size")
