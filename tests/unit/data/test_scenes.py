"""Scenes: what is drawn, what is said of it, and that both can be read back."""

import unicodedata
from itertools import islice, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qkv.data import EOS, PAD, Asked, Captions, Scene, Scenes, Thing
from qkv.data.pictures.shapes import COLOURS, SHAPES
from qkv.data.text.grammar.hangul import final_consonant

few = settings(max_examples=15, deadline=None)
seeds = st.integers(0, 2**63 - 1)
WORLD, KOREAN = Scenes(), Scenes("korean")
SMALL = Scenes(slots=2, jitter=0, sizes=(1.0,), most=4)
FULL = Scenes("korean", fewest=9, most=9)
WORLDS = [WORLD, KOREAN, SMALL, FULL]
THREE = {(0, 0): "red circle", (0, 2): "blue star", (2, 1): "green moon"}


# ----------------------------------------------------------------------- what is drawn


@few
@given(seeds, st.sampled_from(WORLDS))
def test_the_judge_sees_all_that_was_drawn(seed, world):
    asked = world.sample(7, seed=seed)
    assert world.see(asked.pixels) == [*asked.scenes]


@few
@given(seeds, st.sampled_from(WORLDS))
def test_ink_is_in_the_boxes_and_nowhere_else(seed, world):
    asked = world.sample(5, seed=seed)
    for pixels, boxes, scene in zip(
        asked.pixels, asked.boxes.tolist(), asked.scenes, strict=True
    ):
        left = pixels.clone()
        for (top, start, bottom, end), thing in zip(boxes, scene.things, strict=False):
            inside = left[:, top:bottom, start:end]
            assert inside.shape[1:] == (8, 8)
            darkest = inside.flatten(1).min(1).values
            wanted = torch.tensor(COLOURS[thing.colour])
            torch.testing.assert_close(darkest, wanted)
            left[:, top:bottom, start:end] = 1
        assert (left == 1).all()
        assert not any(map(any, boxes[len(scene.things) :]))


def test_the_templates_are_told_apart_in_every_size():
    """Circle and square of equal area were taken for each other."""
    flat = WORLD.templates.flatten(2)
    for one, other in product(range(len(SHAPES)), repeat=2):
        if one != other:
            assert torch.cdist(flat[one], flat[other]).min() > 1.6


def test_templates_are_exact_and_smaller_in_smaller_sizes():
    assert WORLD.templates.shape == (6, 3, 8, 8)
    assert torch.equal(WORLD.templates * 256, (WORLD.templates * 256).round())
    areas = WORLD.templates.sum((2, 3))
    assert (areas.diff() < 0).all()
    circle, square = areas[0, 0].item(), areas[3, 0].item()
    assert circle == pytest.approx(16 * torch.pi * 0.8**2, rel=0.01)
    assert square == pytest.approx((8 * 0.94) ** 2, rel=0.01)


def test_a_triangle_points_up_a_moon_opens_to_the_right_and_five_are_mirrored():
    circle, star, moon, square, triangle, ring = WORLD.templates[:, 0]
    rows = triangle.sum(1)
    assert (rows.diff()[:6] > 0).all()
    assert moon[:, :4].sum() > 3 * moon[:, 4:].sum()
    assert star[:4].sum(0).argmax().item() in (3, 4)
    assert ring[3:5, 3:5].sum() == 0
    for shape in (circle, star, square, triangle, ring):
        torch.testing.assert_close(shape, shape.flip(1), atol=0.05, rtol=0)


def test_a_picture_by_hand_has_each_thing_on_its_slot():
    asked = WORLD.ask([WORLD.scene(THREE)])
    assert asked.boxes.tolist() == [[[1, 1, 9, 9], [1, 19, 9, 27], [19, 10, 27, 18]]]
    assert asked.pixels[0, :, 5, 5].tolist() == pytest.approx(COLOURS["red"])


# --------------------------------------------------------------------------- batches


def test_batches_are_the_same_for_the_same_seed_and_fresh():
    def drawn(seed):
        return [b.pixels for b in islice(WORLD.batches(batch_size=5, seed=seed), 2)]

    one, other = drawn(0), drawn(0)
    assert all(map(torch.equal, one, other))
    assert not torch.equal(one[0], one[1])
    assert not torch.equal(one[0], drawn(1)[0])


def test_both_languages_speak_of_the_same_pictures():
    one, other = WORLD.sample(7, seed=3), KOREAN.sample(7, seed=3)
    assert torch.equal(one.pixels, other.pixels)
    assert one.scenes == other.scenes


def test_every_number_of_objects_slot_colour_and_shape_is_drawn_as_often():
    scenes = WORLD.sample(1500, seed=0).scenes
    counts = torch.tensor([len(s.things) for s in scenes]).bincount(minlength=6)
    assert counts[0] == 0
    assert (counts[1:] / 1500 - 1 / 5).abs().max() < 0.03
    things = [t for s in scenes for t in s.things]
    slots = torch.tensor([3 * t.row + t.column for t in things]).bincount()
    assert (slots / len(things) - 1 / 9).abs().max() < 0.02
    kinds = torch.tensor(
        [[*COLOURS].index(t.colour) * 6 + [*SHAPES].index(t.shape) for t in things]
    ).bincount()
    assert (kinds / len(things) - 1 / 24).abs().max() < 0.01
    assert {t.size for t in things} == {0, 1, 2}
    assert {t.shift for t in things} == {(0, 0), (0, 1), (1, 0), (1, 1)}


@few
@given(seeds, st.sampled_from(WORLDS))
def test_a_batch_is_asked_word_by_word(seed, world):
    asked = world.sample(5, seed=seed)
    assert isinstance(asked, Asked)
    assert len(asked) == 5
    pixels, target_in = asked.inputs
    assert pixels is asked.pixels
    assert target_in[:, 0].tolist() == [1] * 5
    assert torch.equal(target_in[:, 1:], asked.target[:, :-1])
    decode = world.vocabulary.decode
    for row, scene in zip(asked.target, asked.scenes, strict=True):
        assert decode(row) == world.say(scene)
        assert (row == EOS).sum() == 1
        assert (row[row.tolist().index(EOS) + 1 :] == PAD).all()


@few
@given(seeds, st.sampled_from(WORLDS))
def test_a_word_speaks_of_the_thing_that_has_its_colour_or_shape(seed, world):
    asked = world.sample(5, seed=seed)
    english = (*COLOURS, *SHAPES)  # both languages have them first, in this order
    for target, speaks_of, scene in zip(
        asked.target.tolist(), asked.speaks_of.tolist(), asked.scenes, strict=True
    ):
        spoken_of = [n for n in speaks_of if n >= 0]
        assert spoken_of == [n for n in range(len(scene.things)) for _ in range(2)]
        for token, number in zip(target, speaks_of, strict=True):
            is_of_the_picture = 3 <= token < 13
            assert is_of_the_picture == (number >= 0)
            if is_of_the_picture:
                thing = scene.things[number]
                assert english[token - 3] in (thing.colour, thing.shape)


def test_a_word_covers_the_cells_whose_centre_lies_in_its_box():
    asked = WORLD.ask([WORLD.scene(THREE), WORLD.scene({(2, 2): "red ring"})])
    covers = asked.covers(7)
    assert covers.shape == (2, 9, 49)
    # red: rows and columns 1 to 8, so that the centres are 2 and 6
    assert covers[0, 0].nonzero().flatten().tolist() == [0, 1, 7, 8]
    # moon: rows 19 to 26, columns 10 to 17: centres 22, 26 and 10, 14
    moon = covers[0, 7].view(7, 7).nonzero().tolist()
    assert moon == [[5, 2], [5, 3], [6, 2], [6, 3]]
    assert not covers[0, [2, 5, 8]].any()
    assert not covers[1, 2:].any()
    beside = asked.covers(7, beside=1)[0, 0]
    assert beside.view(7, 7).nonzero().amax(0).tolist() == [2, 2]
    assert beside.sum() == 9


@few
@given(seeds, st.sampled_from(WORLDS), st.integers(1, 9), st.integers(0, 2))
def test_cells_are_covered_as_two_loops_would_find(seed, world, cells, beside):
    asked = world.sample(3, seed=seed)
    covers = asked.covers(cells, beside=beside).view(3, -1, cells, cells)
    centres = [(n + 0.5) * world.size / cells for n in range(cells)]
    for picture, word in product(range(3), range(covers.shape[1])):
        number = asked.speaks_of[picture, word].item()
        top, left, bottom, right = asked.boxes[picture, number].tolist()
        rows = [i for i, y in enumerate(centres) if top <= y < bottom]
        columns = [i for i, x in enumerate(centres) if left <= x < right]
        for i, j in product(range(cells), repeat=2):
            near = any(abs(i - r) <= beside for r in rows) and any(
                abs(j - c) <= beside for c in columns
            )
            assert covers[picture, word, i, j] == (near and number >= 0)


def test_chance_is_four_cells_of_49():
    asked = WORLD.sample(200, seed=0)
    assert (asked.covers(7)[asked.speaks_of >= 0].sum(-1) == 4).all()


# ------------------------------------------------------------------------- what is said


@few
@given(seeds, st.sampled_from(WORLDS))
def test_a_sentence_is_read_back_and_its_layouts_hold_the_scene(seed, world):
    for scene in world.sample(2, seed=seed).scenes:
        text = world.write(world.say(scene))
        assert world.read(text) == scene.rows
        layouts = world.layouts(text)
        where = {tuple((t.row, t.column) for t in one.things) for one in layouts}
        assert len(where) == len(layouts)
        assert tuple((t.row, t.column) for t in scene.things) in where
        assert all(one.rows == scene.rows for one in layouts)


@pytest.mark.parametrize(
    ("world", "text", "count"),
    [
        (WORLD, "red circle", 9),
        (SMALL, "red circle", 4),
        (SMALL, "red circle above red circle", 4),
        (SMALL, "red circle and red circle", 2),
        (WORLD, "red ring and red star and blue moon", 3),
        (WORLD, "red ring above red star above blue moon", 27),
    ],
)
def test_the_number_of_layouts_a_sentence_leaves_open(world, text, count):
    assert len(world.layouts(text)) == count


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ("circle", "원과 이"),
        ("star", "별과 이"),
        ("moon", "달과 이"),
        ("square", "네모와 가"),
        ("triangle", "세모와 가"),
        ("ring", "고리와 가"),
    ],
)
def test_korean_particles_fit_the_shape(shape, said):
    scene = KOREAN.scene({(1, 0): f"red {shape}", (1, 1): f"blue {shape}"})
    words = KOREAN.say(scene)
    assert f"{words[1]}{words[2]} {words[5]}" == said
    assert bool(final_consonant(words[1])) == (words[2] == "과")


def test_korean_is_spelt_with_particles_joined_on():
    text = KOREAN.write(KOREAN.say(KOREAN.scene(THREE)))
    assert text == "빨간 원과 파란 별, 그 아래에 초록 달이 있다"
    in_words = "빨간 원 과 파란 별 그 아래에 초록 달 이 있다."
    assert KOREAN.read(in_words) == KOREAN.read(text) == KOREAN.scene(THREE).rows


def test_wrong_words_that_a_model_wrote_are_written_too():
    assert KOREAN.write(["과", "원", "그 아래에", "이"]) == "과 원, 그 아래에이"
    assert WORLD.write([]) == KOREAN.write([]) == ""


def test_a_name_by_hand_may_be_korean():
    assert WORLD.scene({(0, 0): "빨간 원"}) == WORLD.scene({(0, 0): " Red  circle"})


# --------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("world", "text", "told"),
    [
        (WORLD, "red circle an blue star", "word 3 is 'an', where 'and', 'above' or "),
        (WORLD, "red circle an blue star", "mean 'red circle and blue star'"),
        (
            WORLD,
            "red circle blue star",
            "word 3 is 'blue'.* 'red circle and blue star'",
        ),
        (WORLD, "a red circle", "word 1 is 'a'.* mean 'red circle'"),
        (WORLD, "circle red", "word 1 is 'circle'.* mean 'red circle'"),
        (WORLD, "red circle and", "it ends, where 'red', 'yellow', 'green' or 'blue'"),
        (WORLD, "red crcle", "word 2 is 'crcle', .* mean 'red circle'"),
        (WORLD, "", "it ends"),
        (
            WORLD,
            " the cat sat on the mat",
            r"'red', 'yellow', 'green' or 'blue' may stand$",
        ),
        (
            KOREAN,
            "빨간 원와 파란 별이 있다",
            r"원 ends in a consonant.*'빨간 원과 파란 별이 있다'",
        ),
        (
            KOREAN,
            "빨간 고리이 있다",
            r"word 3 is '이'.*고리 ends in a vowel.*'빨간 고리가 있다'",
        ),
        (KOREAN, "빨간 원과 파란 별", "it ends.* mean '빨간 원과 파란 별이 있다'"),
        (
            KOREAN,
            "빨간 별 아래에 초록 달이 있다",
            "mean '빨간 별, 그 아래에 초록 달이 있다'",
        ),
        (
            SMALL,
            "red ring and red ring and red ring",
            "says 3 in one row.* 2 × 2 slots",
        ),
        (SMALL, "red ring above red ring above red ring", "says 3 rows, .*slots=3"),
    ],
)
def test_what_is_no_sentence_is_refused_with_the_nearest(world, text, told):
    with pytest.raises(ValueError, match=told):
        world.read(text)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: Scene((Thing("red", "star", 0, 0), Thing("blue", "ring", 0, 0))),
         r"red star and blue ring are both on the slot \(row 0, column 0\); move"),
        (lambda: WORLD.scene({(0, 3): "red star"}), "column 3.*0 to 2; move it onto"),
        (lambda: WORLD.ask([Scene((Thing("red", "star", -1, 0),))]), "row -1"),
        (lambda: SMALL.ask([WORLD.scene(THREE)]), r"0 to 1"),
        (lambda: SMALL.ask([Scene((Thing("red", "star", 0, 0, 1),))]), "size 1"),
        (lambda: SMALL.ask([Scene((Thing("red", "star", 0, 0, 0, (0, 1)),))]), "shift"),
        (lambda: Thing("pink", "star", 0, 0), "colour is 'pink'.*'red', 'yellow'"),
        (lambda: Thing("red", "heart", 0, 0), "shape is 'heart'.*'circle', 'star'"),
        (lambda: WORLD.scene({(0, 0): "red stair"}), "'red stair' is no.*'red star'"),
        (lambda: WORLD.scene({(0, 0): "42"}), "such as 'red circle'"),
        (lambda: WORLD.scene({}), "no object"),
        (lambda: WORLD.say(Scene(())), "no object"),
        (lambda: WORLD.ask([]), "at least one scene"),
        (lambda: WORLD.see(torch.ones(2, 3, 16, 16)), "16 × 16 .* 28 × 28; resize"),
        (lambda: WORLD.see(torch.ones(2, 1, 28, 28)), "channel 1.*channel 3"),
        (lambda: WORLD.see(torch.ones(3, 28, 28)), r"pixels\[None\]"),
        (lambda: WORLD.see(torch.ones(0, 3, 28, 28)), "at least one picture"),
        (lambda: Scenes("german"), "'german', but Scenes knows 'english', 'korean'"),
        (lambda: Scenes(most=10), "most is 10.* hold 9"),
        (lambda: Scenes(fewest=3, most=2), "most must be at least 3"),
        (lambda: Scenes(fewest=0), "fewest must be at least 1"),
        (lambda: Scenes(jitter=-1), "jitter must be at least 0"),
        (lambda: Scenes(sizes=()), "at least one"),
        (lambda: Scenes(sizes=(1.2,)), "above 0 and at most 1"),
        (lambda: WORLD.sample(0, seed=0), "count must be at least 1"),
        (lambda: WORLD.sample(1, seed=0).covers(0), "cells must be at least 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_the_remedy(as_readers_run_it, wrong, told):
    with pytest.raises(ValueError, match=told):
        wrong()


def test_a_list_is_no_picture_and_neither_are_bytes(as_readers_run_it):
    with pytest.raises(TypeError, match="pixels"):
        WORLD.see([[1.0]])
    with pytest.raises(TypeError, match=r"uint8.* pixels / 255"):
        WORLD.see(torch.zeros(1, 3, 28, 28, dtype=torch.uint8))


def test_what_is_no_scene_is_refused_by_its_kind(as_readers_run_it):
    with pytest.raises(TypeError, match=r"of one give \[scene\]"):
        WORLD.ask(WORLD.scene(THREE))
    with pytest.raises(TypeError, match="type str, but is to be a scene"):
        WORLD.say("red circle")


@pytest.mark.parametrize(
    "where", [("0", 0), (0.0, 1), (0, 0, 0.5), (0, 0, 0, 1), (0, 0, 0, (0, 0.5))]
)
def test_a_place_a_size_and_a_shift_are_whole(as_readers_run_it, where):
    """Half a slot was taken, and the drawing raised something else."""
    with pytest.raises(TypeError, match="but all are whole numbers"):
        Thing("red", "star", *where)


def test_a_third_number_of_a_slot_is_not_a_size(as_readers_run_it):
    with pytest.raises(ValueError, match="too many values"):
        WORLD.scene({(0, 0, 1): "red star"})


@pytest.mark.parametrize("sizes", [torch.tensor([1.0, 0.5]), np.array([1.0, 0.5])])
def test_sizes_may_be_a_tensor_or_an_array(as_readers_run_it, sizes):
    assert Scenes(sizes=sizes).sizes == (1.0, 0.5)


def test_true_is_the_number_one(as_readers_run_it):
    assert "1 × 1 slots" in repr(Scenes(slots=True, most=1))


@pytest.mark.parametrize("wrong", [torch.nan, 255.0, -torch.inf])
def test_pixels_that_are_not_seen_are_refused(wrong):
    """Bytes by their numbers were seen as empty paper, and so was NaN."""
    pixels = WORLD.sample(2, seed=0).pixels
    pixels[1, 2, 3, 4] = wrong
    with pytest.raises(ValueError, match=r"from 0, black, .* divide bytes by 255"):
        WORLD.see(pixels)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_pictures_of_any_precision_are_seen(dtype):
    asked = WORLD.sample(20, seed=0)
    assert WORLD.see(asked.pixels.to(dtype)) == [*asked.scenes]


@pytest.mark.parametrize(
    ("world", "text", "told"),
    [
        (KOREAN, "red circle", r"Scenes\('english'\) reads English$"),
        (WORLD, "빨간 원이 있다", r"Scenes\('korean'\) reads Korean$"),
    ],
)
def test_a_sentence_in_the_other_language_is_sent_there(world, text, told):
    with pytest.raises(ValueError, match=told):
        world.read(text)


@pytest.mark.parametrize(
    "text",
    [
        unicodedata.normalize("NFD", "빨간 원과 파란 별, 그 아래에 초록 달이 있다"),
        "빨간  원 과  파란 별,그 아래에 초록 달 이 있다 .",
        "빨간 원과, 파란 별 그 아래에 초록 달이 있다,",
    ],
)
def test_korean_is_read_however_it_is_typed(text):
    rows = (("red", "circle"), ("blue", "star")), (("green", "moon"),)
    assert KOREAN.read(text) == rows


def test_each_says_what_it_is():
    assert repr(KOREAN).endswith(
        "1 to 5 objects on 3 × 3 slots, 28 × 28 pixels, 19 Korean tokens"
    )
    assert repr(SMALL.sample(3, seed=0)) == "Captions(3 of 3 × 16 × 16)"
    assert isinstance(SMALL.sample(3, seed=0), Captions)
