"""A folder of one's own images: what is read, and what is said of what is not."""

import os
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import EpsImagePlugin, Image, ImageFile

from qkv.data import load_images, own


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
        put(tmp_path, f"own/cat/{grey:03}.png", grey=grey)
    for grey in range(7):
        put(tmp_path, f"own/dog/{grey}.png", grey=100 + grey)
    return tmp_path / "own"


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


FRACTIONS = np.tile(np.float32([0, 0.2, 1]), (4, 1))
WORDS = np.tile(np.uint16([0, 13107, 65535]), (4, 1))


def only(folder, name, content=b"", **saved):
    """Read a folder of one image: its first row of greys."""
    file = folder / "a" / name
    file.parent.mkdir(exist_ok=True)
    if isinstance(content, np.ndarray):
        Image.fromarray(content).save(file, **saved)
    else:
        file.write_bytes(content)
    (image,) = load_images(folder, patch=1, held_out=0.0).train.pixels
    return (image[0, 0] * 255).round().int().tolist()


def tiff(pixels, bits, *, kind=1, white_is_zero=False):
    """Write a TIFF of one strip by hand; Pillow writes not all that it reads."""
    height, width = pixels.shape
    data = pixels.tobytes() if bits != 12 else packed_in_12_bits(pixels)
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: int(not white_is_zero)}
    tags |= {273: 8, 277: 1, 278: height, 279: len(data), 339: kind}
    head = b"II*\0" + (8 + len(data)).to_bytes(4, "little") + data
    entries = (struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return head + struct.pack("<H", len(tags)) + b"".join(entries) + bytes(4)


def packed_in_12_bits(pixels):
    rows = ("".join(f"{pixel:012b}" for pixel in row) for row in pixels.tolist())
    return b"".join(
        int(f"{row:0<{-len(row) % 8 + len(row)}}", 2).to_bytes(-(-len(row) // 8))
        for row in rows
    )


def test_what_is_black_and_white_is_what_the_file_says(tmp_path):
    wanted = [0, 51, 255]
    assert only(tmp_path, "1.tif", FRACTIONS) == wanted
    assert only(tmp_path, "1.tif", tiff(FRACTIONS, 32, kind=3)) == wanted
    assert only(tmp_path, "1.tif", tiff(WORDS, 16)) == wanted
    assert only(tmp_path, "1.tif", tiff(WORDS >> 4, 12)) == wanted
    turned = tiff(1 - FRACTIONS, 32, kind=3, white_is_zero=True)
    assert only(tmp_path, "1.tif", turned) == wanted
    turned = tiff(65535 - WORDS, 16, white_is_zero=True)
    assert only(tmp_path, "1.tif", turned) == wanted
    (tmp_path / "a/1.tif").unlink()
    wide = b"P5 3 4 65535\n" + WORDS.astype(">u2").tobytes()
    assert only(tmp_path, "1.pgm", wide) == wanted
    assert only(tmp_path, "1.pgm", FRACTIONS) == wanted  # which is a PFM
    (tmp_path / "a/1.pgm").unlink()
    assert only(tmp_path, "1.png", WORDS) == wanted
    assert only(tmp_path, "1.png", WORDS, transparency=13107) == [0, 255, 255]


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (FRACTIONS * 255, "run from 0 to 255, not from 0 to 1; scale them"),
        (FRACTIONS - 0.5, r"run from -0\.5 to 0\.5, not from 0 to 1"),
        (FRACTIONS * np.float32(np.nan), "run from nan to nan, not"),
        (WORDS.astype(np.int32), "32 bits or a sign, .*; save it with 8 or 16 bits"),
    ],
    ids=["to 255", "negative", "NaN", "32 bits"],
)
def test_what_does_not_say_what_is_white_is_refused(folder, pixels, said):
    Image.fromarray(pixels).save(folder / "dog" / "1.tif")
    with pytest.raises(ValueError, match=rf"dog/1\.tif: its .*{said}"):
        load_images(folder, patch=4)


@pytest.mark.skipif(os.name == "nt", reason="a program there is no script")
@pytest.mark.parametrize("name", ["1.png", "1.eps"])
def test_no_program_is_started_to_read_a_file(folder, monkeypatch, name):
    program, mark = folder.parent / "gs", folder.parent / "was-started"
    program.write_text(f"#!/bin/sh\n: > {mark}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)  # not yet looked for
    (folder / "cat" / name).write_text(
        "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 12 8\n%%EndComments\n%%EOF\n"
    )
    with pytest.raises(ValueError, match=rf"{name}: no AVIF, BMP, .* or WEBP image"):
        load_images(folder, patch=4)
    assert not mark.exists()


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
    said = r"notes\.txt, \S*3\.png, \S*empty\.png: no AVIF, BMP, .* cut short; mend"
    with pytest.raises(ValueError, match=said):
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


def bomb(file, side):
    """Write the head of a PNG of so many pixels, and nothing after it."""
    head = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    file.write_bytes(
        b"\x89PNG\r\n\x1a\n\0\0\0\r" + head + struct.pack(">I", zlib.crc32(head))
        + b"\0\0\0\x04IDATabcd" + struct.pack(">I", zlib.crc32(b"IDATabcd"))
    )  # fmt: skip


@pytest.mark.filterwarnings("default")  # as where a reader runs it
@pytest.mark.parametrize("side", [13_000, 100_000])
def test_a_bomb_is_refused_before_it_is_decoded(folder, side):
    bomb(folder / "cat" / "bomb.png", side)
    bomb(folder / "cat" / "small.png", 8)
    said = r"bomb\.png: more than 89,478,485 pixels, which .*MAX_IMAGE_PIXELS\); \S*"
    said += r"cat/small\.png: no AVIF"  # and not the bomb, too, which was not decoded
    with pytest.raises(ValueError, match=said):
        load_images(folder, patch=4, size=(8, 8))


@pytest.mark.parametrize(
    ("sizes", "advised"),
    [
        ([(900, 900), (8, 8)], r"\(8, 8\)"),
        ([(600, 800), (800, 600), (600, 800)], r"\(192, 256\)"),
        ([(1023, 511), (1023, 511), (9, 9)], r"\(256, 124\)"),
        ([(2, 2), (2, 2), (3, 3)], r"\(4, 4\)"),
    ],
)
def test_the_size_that_is_advised_makes_sense_and_is_not_refused(
    tmp_path, sizes, advised
):
    for i, size in enumerate(sizes):
        put(tmp_path, f"a/{i}.png", size=size)
    with pytest.raises(ValueError, match=rf"resize them to, such as size={advised}$"):
        load_images(tmp_path, patch=4)


def test_more_than_there_is_room_for_is_refused_before_it_is_read(folder, monkeypatch):
    monkeypatch.setattr(ImageFile.ImageFile, "load", None)
    said = (
        r"18 images of up to 400000 × 400000 pixels, height × width, are "
        r"2,880,000,000,000 numbers, but at most 1,073,741,824 are read.*; give a "
        r"smaller size, such as size=\(256, 256\)"
    )
    with pytest.raises(ValueError, match=said):
        load_images(folder, patch=4, size=(400000, 400000))
    monkeypatch.setattr(own, "MOST_PIXELS", 1000)
    with pytest.raises(ValueError, match=r"18 images of up to 8 × 12 .* size=\(4, 8\)"):
        load_images(folder, patch=4)


def test_a_file_that_cannot_be_opened_is_not_said_to_be_no_image(folder, monkeypatch):
    (folder / "cat" / "gone.png").symlink_to(folder / "nowhere")
    said = r"cat/gone\.png: not readable \(No such file or directory\); mend these"
    with pytest.raises(ValueError, match=said):
        load_images(folder, patch=4)


def test_where_memory_ends_no_file_is_blamed(folder, monkeypatch):
    def end(*_):
        raise MemoryError

    monkeypatch.setattr(Image.Image, "convert", end)
    with pytest.raises(MemoryError):
        load_images(folder, patch=4)


@pytest.mark.skipif(os.name == "nt", reason="there are no such pipes")
def test_a_pipe_is_not_waited_for(folder):
    os.mkfifo(folder / "cat" / "pipe.png")
    with pytest.raises(ValueError, match=r"pipe\.png: no file but a device or a pipe"):
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
