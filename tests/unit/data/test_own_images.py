"""A folder of one's own images: what is read, and what is said of what is not."""

import numpy as np
import pytest
import torch
from PIL import Image

from qkv.data import load_images


def put(folder, name, size=(8, 12), mode="L", grey=0):
    """Write an image of one grey; size is height, width."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size[::-1], grey).save(file)
    return file


@pytest.fixture
def folder(tmp_path):
    """Two classes: the greys 0 to 10 of cat, 100 to 106 of dog."""
    for grey in range(11):
        put(tmp_path, f"cat/{grey:03}.png", grey=grey)
    for grey in range(7):
        put(tmp_path, f"dog/{grey}.png", grey=100 + grey)
    return tmp_path


def greys(images):
    return (images.pixels[:, 0, 0, 0] * 255).round().int().tolist()


def test_each_image_is_read_once_with_its_class(folder):
    images = load_images(folder, patch=4, held_out=0.3)
    assert images.names == ("cat", "dog")
    assert (len(images.train), len(images.held_out)) == (13, 5)
    assert images.train.pixels.shape == (13, 1, 8, 12)
    found = greys(images.train) + greys(images.held_out)
    assert sorted(found) == [*range(11), *range(100, 107)]
    for part in (images.train, images.held_out):
        assert part.labels.tolist() == [int(grey >= 100) for grey in greys(part)]
    assert images.held_out.labels.bincount().tolist() == [3, 2]
    assert repr(images).endswith(
        "2 classes, 8 × 12 pixels; 13 images to train on, 5 held out"
    )


def test_the_same_images_are_held_out_whenever_it_is_read(folder):
    one, same = (load_images(str(folder), patch=2) for _ in range(2))
    assert greys(one.train) == greys(same.train)
    assert greys(one.held_out) == greys(same.held_out)
    assert len(load_images(folder, patch=4, held_out=0.0).train) == 18


def test_a_rare_class_is_not_all_held_out(folder):
    put(folder, "owl/1.png", grey=200)
    images = load_images(folder, patch=4, held_out=0.4)
    assert 2 in images.train.labels


def test_batches_are_drawn_from_it(folder):
    batch = next(load_images(folder, patch=4).batches(batch_size=5, seed=0))
    assert batch.pixels.shape == (5, 1, 8, 12)


def test_pixels_run_from_black_0_to_white_1_and_are_not_turned(tmp_path):
    ramp = np.arange(0, 252, 42, dtype=np.uint8).reshape(2, 3)
    (tmp_path / "a").mkdir()
    Image.fromarray(ramp).save(tmp_path / "a" / "ramp.png")
    (image,) = load_images(tmp_path, patch=1, held_out=0.0).train.pixels
    assert torch.equal(image[0], torch.from_numpy(ramp).float() / 255)


@pytest.mark.parametrize(
    ("mode", "colour", "grey"),
    [
        ("RGB", (255, 0, 0), 76),  # ITU-R 601-2: 0.299 of red
        ("RGBA", (0, 0, 0, 0), 255),  # nothing there: white shows
        ("RGBA", (0, 0, 0, 255), 0),
        ("LA", (0, 0), 255),
        ("1", 1, 255),
        ("I;16", 128 * 256 + 3, 128),
    ],
)
def test_every_mode_becomes_grey(tmp_path, mode, colour, grey):
    put(tmp_path, "a/1.png", mode=mode, grey=colour)
    assert greys(load_images(tmp_path, patch=4, held_out=0.0).train) == [grey]


def test_a_photograph_is_the_way_up_it_was_taken(tmp_path):
    file = put(tmp_path, "a/1.jpg", size=(4, 8))
    orientation = Image.Exif()
    orientation[0x0112] = 6  # turned by a quarter
    Image.new("L", (8, 4)).save(file, exif=orientation)
    assert load_images(tmp_path, patch=4, held_out=0.0).train.pixels.shape == (
        1,
        1,
        8,
        4,
    )


def test_size_is_height_and_width(folder):
    put(folder, "cat/large.jpg", size=(31, 17), grey=7)
    images = load_images(folder, patch=3, size=(6, 9), held_out=0.0)
    assert images.train.pixels.shape == (19, 1, 6, 9)
    assert sorted(greys(images.train))[:11] == [0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9]


def test_what_systems_leave_is_passed_over(folder):
    for name in (
        ".DS_Store",
        "Thumbs.db",
        "cat/Thumbs.db",
        ".git/config",
        "labels.csv",
    ):
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"no image")
    images = load_images(folder, patch=4)
    assert images.names == ("cat", "dog")
    assert len(images.train) + len(images.held_out) == 18


# --------------------------------------------------------------------------- refused


def test_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere: there is no such folder"):
        load_images(tmp_path / "nowhere", patch=4)
    file = put(tmp_path, "1.png")
    with pytest.raises(NotADirectoryError, match=r"1\.png is a file, and images are"):
        load_images(file, patch=4)


def test_a_share_of_too_few_images_is_none(folder):
    for grey in range(8):
        (folder / "cat" / f"{grey:03}.png").unlink()
    for grey in range(3, 7):
        (folder / "dog" / f"{grey}.png").unlink()
    said = r"held_out = 0\.1 of 6 images is none; give at least 0\.17 to hold one out"
    with pytest.raises(ValueError, match=said):
        load_images(folder, patch=4)
    assert len(load_images(folder, patch=4, held_out=0.17).held_out) == 1


def test_no_class(tmp_path):
    put(tmp_path, "1.png")
    with pytest.raises(ValueError, match="has no sub-folder; make one for each class"):
        load_images(tmp_path, patch=4)


def test_no_image_in_a_class(folder):
    for name in ("ant", "bee"):
        (folder / name).mkdir()
    with pytest.raises(ValueError, match=r"ant, .*bee: there is no image"):
        load_images(folder, patch=4)


def test_all_unreadable_files_are_named(folder):
    (folder / "cat" / "notes.txt").write_text("not an image")
    (folder / "dog" / "empty.png").touch()
    cut = (folder / "dog" / "3.png").read_bytes()[:-20]
    (folder / "dog" / "3.png").write_bytes(cut)
    with pytest.raises(
        ValueError, match=r"notes\.txt, \S*3\.png, \S*empty\.png: no image that Pillow"
    ):
        load_images(folder, patch=4)


def test_all_images_in_no_class_are_named(folder):
    put(folder, "loose.PNG")
    put(folder, "cat/kittens/1.png")
    with pytest.raises(ValueError, match=r"loose\.PNG, \S*kittens: an image lies in"):
        load_images(folder, patch=4)


def test_all_sizes_are_named(folder):
    put(folder, "cat/large.png", size=(31, 17))
    said = (
        r"of 2 sizes, height × width: 8 × 12 \(18, such as \S*cat/000\.png\), "
        r"31 × 17 \(1, such as \S*large\.png\); give a size .* size=\(8, 12\)"
    )
    with pytest.raises(ValueError, match=said):
        load_images(folder, patch=4)


@pytest.mark.parametrize(
    ("patch", "size", "said"),
    [
        (5, None, r"patches of 5 × 5 .* 8 × 12, .* size=\(10, 10\)"),
        (8, None, r"patches of 8 × 8 .* 8 × 12, .* size=\(8, 16\)"),
        (40, None, r"patches of 40 × 40 .* 8 × 12, .* size=\(40, 40\)"),
        (4, (9, 30), r"patches of 4 × 4 .* 9 × 30, .* size=\(8, 32\)"),
    ],
)
def test_a_size_that_patches_divide_is_named(folder, patch, size, said):
    with pytest.raises(ValueError, match=said):
        load_images(folder, patch=patch, size=size)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"patch": 0}, "patch must be at least 1, not 0"),
        ({"size": (0, 4)}, r"size is \(0, 4\), but both must be at least 1"),
        ({"held_out": 1.0}, "held_out is a share from 0 to below 1, not 1.0"),
    ],
)
def test_settings_that_cannot_be_are_refused(folder, wrong, said):
    with pytest.raises(ValueError, match=said):
        load_images(folder, **{"patch": 4, **wrong})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"size": 8},
            r"size is 8, .*\(height, width\); write size=\(8, 8\)",
        ),
        ({"size": (8.0, 8)}, r"size is \(8\.0, 8\), but both must be whole numbers"),
        ({"patch": 2.0}, r"patch is 2\.0, but must be a whole number"),
    ],
)
@pytest.mark.usefixtures("as_readers_run_it")
def test_settings_that_are_no_whole_numbers_are_refused(folder, wrong, said):
    with pytest.raises(TypeError, match=said):
        load_images(folder, **{"patch": 4, **wrong})


@pytest.mark.usefixtures("as_readers_run_it")
def test_a_size_is_of_two_numbers(folder):
    with pytest.raises(
        ValueError, match=r"size is \(8, 8, 1\), but is two numbers, \(he"
    ):
        load_images(folder, patch=4, size=(8, 8, 1))
