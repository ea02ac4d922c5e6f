"""Images: what is drawn, and that a digit is where it is said to be."""

from collections import Counter
from hashlib import sha256
from itertools import islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from qkv.data import Digits, FindTheDigit, Images

few = settings(max_examples=20, deadline=None)
seeds = st.integers(0, 2**63 - 1)
DIGITS = Digits()
EMPTY = FindTheDigit(pieces=0)
CLUTTERED = FindTheDigit()


def equal(one, other):
    return torch.equal(one.pixels, other.pixels) and torch.equal(
        one.labels, other.labels
    )


def known(images):
    """Return the images by their pixels."""
    return {image.numpy().tobytes(): index for index, image in enumerate(images.pixels)}


TRAIN, HELD_OUT = known(DIGITS.train), known(DIGITS.held_out)


# ---------------------------------------------------------------------------- a batch


@pytest.mark.parametrize("rows", [slice(1, 4), torch.tensor([4, 0, 4]), [2]])
def test_some_images_keep_their_labels_and_places(rows):
    pixels, labels = torch.rand(5, 1, 3, 7), torch.arange(5)
    images = Images(pixels, labels, torch.arange(10).view(5, 2))
    some = images[rows]
    assert torch.equal(some.pixels, pixels[rows])
    assert some.labels.tolist() == labels[rows].tolist()
    assert some.places.tolist() == [[2 * n, 2 * n + 1] for n in some.labels.tolist()]
    assert Images(pixels, labels)[rows].places is None


def test_one_image_is_no_batch(as_readers_run_it):
    with pytest.raises(TypeError, match=r"\[2 : 3\] is one of 1"):
        DIGITS.train[2]


def test_images_are_what_a_model_is_called_with_and_asked():
    images = DIGITS.train[:7]
    assert images.inputs[0] is images.pixels
    assert len(images.inputs) == 1
    assert images.target is images.labels
    assert len(images) == 7


@pytest.mark.parametrize(
    ("labels", "places"), [((3,), None), ((5,), (3, 2))], ids=["labels", "places"]
)
def test_images_and_what_is_known_of_them_are_of_one_number(
    as_readers_run_it, labels, places
):
    places = places and torch.zeros(places).long()
    with pytest.raises(ValueError, match=r"pixels has image 5 and \w+ has image 3"):
        Images(torch.zeros(5, 1, 2, 2), torch.zeros(labels).long(), places)


def test_representations_are_the_same_everywhere():
    images = CLUTTERED.sample(3, seed=0)
    assert repr(images) == "Images(3 of 1 × 24 × 24, places known)"
    assert repr(DIGITS.train) == "Images(1297 of 1 × 8 × 8)"
    assert repr(CLUTTERED) == (
        "FindTheDigit: A handwritten digit somewhere among pieces of others; "
        "24 × 24 pixels, 12 pieces of 4 × 4"
    )


# ---------------------------------------------------------------------------- digits


def test_digits_are_all_of_scikit_learns_each_once():
    found = load_digits()
    theirs = Counter(
        (label, tuple(image.astype(int).ravel().tolist()))
        for label, image in zip(found.target.tolist(), found.images, strict=True)
    )
    ours = Counter()
    for part in (DIGITS.train, DIGITS.held_out):
        whole = (part.pixels * 16).round().int().flatten(1).tolist()
        ours.update(zip(part.labels.tolist(), map(tuple, whole), strict=True))
    assert ours == theirs
    assert DIGITS.train.pixels.min() == 0
    assert DIGITS.train.pixels.max() == 1


def test_nothing_held_out_is_trained_on():
    assert (len(DIGITS.train), len(DIGITS.held_out)) == (1297, 500)
    assert not TRAIN.keys() & HELD_OUT.keys()


def test_the_split_is_of_fixed_bits():
    labels = DIGITS.train.labels.numpy().astype("uint8").tobytes()
    pixels = (DIGITS.held_out.pixels * 16).byte().numpy().tobytes()
    assert sha256(labels).hexdigest()[:16] == "5e381490e57b9d66"
    assert sha256(pixels).hexdigest()[:16] == "51be55e41bdd5247"


@pytest.mark.parametrize("count", [10, 100, 300, 1000])
def test_the_first_images_are_of_every_class_alike(count):
    drawn = DIGITS.train.labels[:count].bincount(minlength=10)
    assert drawn.tolist() == [count // 10] * 10
    assert DIGITS.held_out.labels.bincount().tolist() == [50] * 10


@pytest.mark.parametrize(("count", "batch_size"), [(100, 32), (7, 7), (3, 5)])
def test_a_pass_has_each_of_the_first_images_once(count, batch_size):
    stream = DIGITS.batches(batch_size=batch_size, seed=3, count=count)
    passes = [
        [
            at
            for batch in islice(stream, -(-count // batch_size))
            for at in places(batch)
        ]
        for _ in range(2)
    ]
    assert [sorted(each) for each in passes] == [list(range(count))] * 2
    assert count <= 3 or passes[0] != passes[1]


def places(batch):
    """Return where in the training images those of a batch are."""
    at = [TRAIN[image.numpy().tobytes()] for image in batch.pixels]
    assert batch.labels.tolist() == DIGITS.train.labels[at].tolist()
    return at


def test_without_a_count_all_are_drawn():
    batches = islice(DIGITS.batches(seed=0), 21)
    assert sorted(at for batch in batches for at in places(batch)) == [*range(1297)]


def test_digits_are_the_same_for_the_same_seed():
    one, same, other = (next(DIGITS.batches(seed=seed)) for seed in (5, 5, 6))
    assert equal(one, same)
    assert not equal(one, other)


@pytest.mark.parametrize("count", [0, 1298])
def test_as_many_digits_as_there_are(count):
    with pytest.raises(ValueError, match=rf"count is {count}, .* from 1 to 1297"):
        DIGITS.batches(seed=0, count=count)


def test_a_batch_of_nothing_is_refused():
    for task in (DIGITS, CLUTTERED):
        with pytest.raises(ValueError, match="batch_size must be at least 1, not 0"):
            task.batches(batch_size=0, seed=0)
    with pytest.raises(ValueError, match="count must be at least 1, not 0"):
        CLUTTERED.sample(0, seed=0)


# --------------------------------------------------------------------- find the digit


@few
@given(seeds, st.booleans(), st.sampled_from([1, 3, 4]))
def test_the_digit_is_whole_and_where_it_is_said_to_be(seed, held_out, step):
    task = FindTheDigit(23, pieces=11, piece=5, step=step)
    part, there = (DIGITS.held_out, HELD_OUT) if held_out else (DIGITS.train, TRAIN)
    images = task.sample(5, seed=seed, held_out=held_out)
    assert images.pixels.shape == (5, 1, 23, 23)
    for image, label, (row, column) in zip(
        images.pixels, images.labels, images.places.tolist(), strict=True
    ):
        assert row % step == column % step == 0
        digit = image[:, row : row + 8, column : column + 8].contiguous()
        assert part.labels[there[digit.numpy().tobytes()]] == label


def test_every_place_is_as_likely():
    drawn = Counter(map(tuple, EMPTY.sample(5000, seed=0).places.tolist()))
    assert set(drawn) == {(4 * r, 4 * c) for r in range(5) for c in range(5)}
    assert all(abs(count - 200) < 5 * 200**0.5 for count in drawn.values())


def test_without_clutter_there_is_nothing_but_the_digit():
    images = EMPTY.sample(13, seed=1)
    for image, (row, column) in zip(images.pixels, images.places.tolist(), strict=True):
        image[:, row : row + 8, column : column + 8] = 0
        assert not image.any()


@pytest.mark.parametrize("held_out", [False, True])
def test_clutter_is_cut_from_digits_of_the_same_side(held_out):
    task = FindTheDigit(size=16, pieces=1, piece=3, step=8)
    part = DIGITS.held_out if held_out else DIGITS.train
    windows = part.pixels.unfold(2, 3, 1).unfold(3, 3, 1).reshape(-1, 9)
    there = {window.numpy().tobytes() for window in windows}
    whole = 0
    for image, (row, column) in each(task.sample(60, seed=2, held_out=held_out)):
        image[:, row : row + 8, column : column + 8] = 0
        spots = image[0].unfold(0, 3, 1).unfold(1, 3, 1).reshape(-1, 9)
        ink = [spot for spot in spots if spot.sum() == image.sum() > 0]
        # a piece that the digit lies on is cut, and need not be one of a digit's
        whole += any(spot.numpy().tobytes() in there for spot in ink)
    assert whole > 30


def each(images):
    return zip(images.pixels, images.places.tolist(), strict=True)


def test_clutter_is_everywhere():
    task = FindTheDigit(pieces=12, step=17)  # the digit stays at the top left
    inked = (task.sample(2000, seed=0).pixels > 0).float().mean((0, 1))
    assert inked[8:, 8:].min() > 0.005
    assert (inked[11:-3, 11:-3] > 0.2).all()
    assert inked[11:-3, 11:-3].std() < 0.015


def test_of_two_pieces_that_overlap_the_stronger_pixel_shows():
    one = FindTheDigit(size=8, pieces=0).sample(1, seed=0)
    assert one.places.tolist() == [[0, 0]]
    many = FindTheDigit(size=64, pieces=4000, piece=8, step=64).sample(1, seed=0)
    assert many.pixels[:, :, 16:48, 16:48].median() > 0.9


def test_the_same_seed_finds_the_same():
    for one, same, other in zip(
        *(islice(CLUTTERED.batches(batch_size=3, seed=s), 3) for s in (5, 5, 6)),
        strict=True,
    ):
        assert equal(one, same)
        assert not equal(one, other)
    first, second = islice(CLUTTERED.batches(batch_size=3, seed=5), 2)
    assert not equal(first, second)
    assert equal(first, CLUTTERED.sample(3, seed=5))


@few
@given(
    st.sampled_from([1, 2, 3, 4, 6, 8, 12, 24]), st.integers(0, 16), st.integers(0, 16)
)
def test_a_patch_is_covered_where_it_has_a_pixel_of_the_digits(patch, row, column):
    square = torch.zeros(24, 24)
    square[row : row + 8, column : column + 8] = 1
    cells = square.unfold(0, patch, patch).unfold(1, patch, patch)
    covered = CLUTTERED.covers(torch.tensor([[row, column]]), patch)
    assert torch.equal(covered[0], cells.sum((2, 3)).flatten() > 0)


def test_chance_of_a_patch_on_the_digit():
    asked = CLUTTERED.sample(7, seed=0)
    covered = CLUTTERED.covers(asked.places, patch=4)
    assert covered.shape == (7, 36)
    assert covered.sum(1).tolist() == [4] * 7


@pytest.mark.parametrize("patch", [0, 5, 48])
def test_patches_divide_the_image(patch):
    with pytest.raises(ValueError, match=f"patches of {patch} pixels do not divide"):
        CLUTTERED.covers(torch.zeros(1, 2).long(), patch)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"size": 7}, "size is 7, but a digit is 8 pixels high"),
        ({"pieces": -1}, "pieces must be at least 0, not -1"),
        ({"step": 0}, "step must be at least 1, not 0"),
        ({"piece": 0}, "piece is 0, but runs from 1"),
        ({"piece": 9}, "piece is 9, but runs from 1 to a digit's 8"),
    ],
)
def test_a_task_that_cannot_be_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        FindTheDigit(**wrong)


@pytest.mark.usefixtures("as_readers_run_it")
def test_pictures_are_counted_in_whole_numbers():
    with pytest.raises(TypeError, match=r"count is 2\.5, but must be a whole"):
        DIGITS.batches(seed=0, count=2.5)
    for name in ("size", "piece"):
        with pytest.raises(TypeError, match=f"{name} is 7.5, but must be a whole"):
            FindTheDigit(**{name: 7.5})
