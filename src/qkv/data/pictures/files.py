"""What is read of an image file: grey values from 0, black, to 255, white."""

import os
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

# Pictures of pixels. What Pillow also opens, such as PostScript, it hands to a program.
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
NO_IMAGE = f"no {', '.join(FORMATS[:-1])} or {FORMATS[-1]} image, or one cut short"
BITS, WHITE_IS_ZERO = 258, 262  # tags of a TIFF: BitsPerSample, and 0 where it is so


class Unsuitable(Exception):
    """An image whose pixels say not what is black and what is white."""


def endings() -> set[str]:
    """Return what the names of image files end in.

    Examples
    --------
    >>> {".jpg", ".png"} <= endings(), ".eps" in endings()
    (True, False)
    """
    from PIL import Image

    known = Image.registered_extensions().items()
    return {ending for ending, format in known if format in FORMATS}


def size_in_head(file: Path) -> tuple[int, int]:
    """Return (height, width) without a pixel; (0, 0) of what is no image.

    A photograph that is shown turned may have the two the other way around.
    """
    try:
        with _opened(file) as image:
            return image.height, image.width
    except Exception:  # what is wrong with it is said where it is read
        return 0, 0


def read_greys(
    files: list[Path], size: tuple[int, int] | None
) -> dict[Path, np.ndarray]:
    """Return the grey values of every file, resized to ``size``: (height, width).

    Raises
    ------
    ValueError
        If one can't be read: the message names all that can't, and why.
    """
    read, failed = {}, defaultdict(list)
    for file in files:
        try:
            read[file] = _grey(file, size)
        except MemoryError:
            raise
        except Exception as error:  # what a broken file makes Pillow raise is its own
            failed[_why(error)].append(str(file))
    if failed:
        said = (f"{', '.join(paths)}: {why}" for why, paths in failed.items())
        raise ValueError(f"{'; '.join(said)}; mend these, or take them away")
    return read


def _why(error: Exception) -> str:
    from PIL import Image

    if isinstance(error, Unsuitable):
        return str(error)
    if isinstance(error, Image.DecompressionBombWarning | Image.DecompressionBombError):
        return (
            f"more than {Image.MAX_IMAGE_PIXELS:,} pixels, which is what Pillow takes "
            "to be safe (PIL.Image.MAX_IMAGE_PIXELS)"
        )
    if isinstance(error, OSError) and error.errno:  # not Pillow's, which have none
        return f"not readable ({os.strerror(error.errno)})"
    return NO_IMAGE


@contextmanager
def _opened(file: Path) -> "Iterator[Picture]":
    """Open an image, of which nothing is decoded yet, and refuse a bomb."""
    from PIL import Image

    if file.exists() and not file.is_file():
        raise Unsuitable("no file but a device or a pipe")
    with warnings.catch_warnings():
        # Up to twice its limit Pillow only warns.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file, formats=FORMATS) as opened:
            yield opened


def _grey(file: Path, size: tuple[int, int] | None) -> np.ndarray:
    from PIL import ImageOps

    with _opened(file) as opened:
        upright = ImageOps.exif_transpose(opened)  # a telephone's says how it was held
        image = _bytes(upright, _ends(opened)).convert("L")
        return np.array(image.resize((size[1], size[0])) if size else image)


def _ends(opened: "Picture") -> tuple[int, int] | None:
    """Return the numbers that are black and white in a file, if it says so."""
    tags = getattr(opened, "tag_v2", {})  # a TIFF's
    if opened.mode == "F":
        white = 1
    elif opened.mode.startswith("I;16"):
        white = 2 ** tags.get(BITS, (16,))[0] - 1  # of a TIFF's 16, 12 may be in use
    elif opened.format == "PPM":  # Pillow has scaled it
        white = 65535
    else:
        return None
    return (white, 0) if tags.get(WHITE_IS_ZERO) == 0 else (0, white)


def _bytes(image: "Picture", ends: tuple[int, int] | None) -> "Picture":
    """Return an image of bytes, with white where it is transparent."""
    from PIL import Image

    if image.mode[0] not in "IF":
        return _on_white(image) if image.has_transparency_data else image
    if ends is None:
        raise Unsuitable(
            "its whole numbers have 32 bits or a sign, which says not what is white; "
            "save it with 8 or 16 bits"
        )
    (black, white), pixels = ends, np.asarray(image)
    least, most = pixels.min(), pixels.max()
    if not min(ends) <= least <= most <= max(ends):  # NaN is nowhere
        raise Unsuitable(
            f"its pixels run from {least:g} to {most:g}, not from {min(ends)} to "
            f"{max(ends)}; scale them"
        )
    if "transparency" in image.info:  # where Pillow would cut at 255
        pixels = np.where(pixels == image.info["transparency"], white, pixels)
    greys = (pixels - np.float32(black)) * np.float32(255 / (white - black))
    return Image.fromarray(np.rint(greys).astype(np.uint8))


def _on_white(image: "Picture") -> "Picture":
    from PIL import Image

    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
