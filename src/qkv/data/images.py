"""Images to classify: handwritten digits, alone and in clutter, or a folder's.

:class:`Images` is a batch of them, and what is asked about each. :class:`Digits` are
scikit-learn's, which come with it: nothing is downloaded. :class:`FindTheDigit` puts
one of them somewhere among pieces of others, and remembers where. :func:`load_images`
reads a folder of your own.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import one_hot

from qkv._checks import height_and_width, whole
from qkv.data.corpus import share_of

DIGIT = 8
HELD_OUT = 500
LEFT_BY_SYSTEMS = {"thumbs.db", "desktop.ini"}


@dataclass(frozen=True, eq=False)
class Images:
    """Images, and the class of each.

    ``pixels`` run from 0 to 1, ``labels`` are classes counted from 0. ``places`` is
    known where an image was composed: (row, column) of the top left corner of what is
    to be found in it.

    Raises
    ------
    ValueError
        If there is not one label, and one place where there are any, for each image.

    Examples
    --------
    >>> images = Images(torch.zeros(3, 1, 8, 8), torch.tensor([7, 0, 4]))
    >>> images
    Images(3 of 1 × 8 × 8)
    >>> images[1:].labels
    tensor([0, 4])
    """

    pixels: Float[Tensor, "image channel height width"]
    labels: Int[Tensor, " image"]
    places: Int[Tensor, "image 2"] | None = None

    ignored: ClassVar[int] = -100  # torch's own: every number from 0 is a class

    def __post_init__(self) -> None:
        """Hold images, labels and places to the same number."""
        for name, rows in (("labels", self.labels), ("places", self.places)):
            if rows is not None and len(rows) != len(self.pixels):
                raise ValueError(
                    f"pixels has image {len(self.pixels)} and {name} has image "
                    f"{len(rows)}; give one row of {name} for each image"
                )

    @property
    def inputs(self) -> tuple[Float[Tensor, "image channel height width"]]:
        """What a model is called with."""
        return (self.pixels,)

    @property
    def target(self) -> Int[Tensor, " image"]:
        """What a model is to predict: the labels."""
        return self.labels

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.pixels)

    def __getitem__(self, rows: slice | Sequence[int] | Tensor) -> "Images":
        """Return some of the images: those of a slice, or of a tensor of indices.

        Raises
        ------
        TypeError
            If one number is given: one image is no batch.
        """
        if isinstance(rows, int):
            raise TypeError(f"[{rows}] is no batch; [{rows} : {rows + 1}] is one of 1")
        places = None if self.places is None else self.places[rows]
        return Images(self.pixels[rows], self.labels[rows], places)

    def __repr__(self) -> str:
        """Say how many images there are, and of what size."""
        size = " × ".join(map(str, self.pixels.shape[1:]))
        known = "" if self.places is None else ", places known"
        return f"Images({len(self)} of {size}{known})"


class ImageCollection:
    """Images of known classes, some of them held out.

    ``train`` is what :meth:`batches` draws from, in an order shuffled anew for each
    pass; ``held_out`` is never drawn. ``names`` says what each class is called.
    """

    def __init__(self, names: Sequence[str], train: Images, held_out: Images) -> None:
        self.names, self.train, self.held_out = tuple(names), train, held_out

    def batches(
        self, *, batch_size: int = 64, seed: int, count: int | None = None
    ) -> Iterator[Images]:
        """Return an endless stream of batches of ``train``, the same for the same seed.

        The last batch of a pass is smaller where ``batch_size`` does not divide. With
        ``count`` only the first so many images of ``train`` are drawn.

        Raises
        ------
        ValueError
            If ``batch_size`` is below 1, or ``count`` not from 1 to the number there
            are.
        """
        whole(1, batch_size=batch_size)
        there = len(self.train)
        count = there if count is None else count
        if not 1 <= count <= there:
            raise ValueError(f"count is {count}, but runs from 1 to {there}")
        generator = torch.Generator().manual_seed(seed)

        def stream() -> Iterator[Images]:
            while True:
                order = torch.randperm(count, generator=generator)
                for rows in order.split(batch_size):
                    yield self.train[rows]

        return stream()

    def __repr__(self) -> str:
        """Say what the images are, and how many."""
        about = (type(self).__doc__ or "").partition("\n")[0].rstrip(".")
        size = " × ".join(map(str, self.train.pixels.shape[2:]))
        return (
            f"{type(self).__name__}: {about}; {len(self.names)} classes, "
            f"{size} pixels; {len(self.train):,} images to train on, "
            f"{len(self.held_out):,} held out"
        )


class Digits(ImageCollection):
    """Handwritten digits, from scikit-learn.

    500 of the 1,797, 50 of each class, are held out: the same ones always. The others
    are in an order in which the classes take turns, so that the first 100 have 10 of
    each class, and the first 1,000 have 100.

    Notes
    -----
    The test set of E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten
    Digits" (1998), UCI Machine Learning Repository. Who wrote which digit is not known,
    so that a writer may be on both sides of the split.

    Examples
    --------
    >>> digits = Digits()
    >>> digits  # doctest: +NORMALIZE_WHITESPACE
    Digits: Handwritten digits, from scikit-learn; 10 classes, 8 × 8 pixels;
    1,297 images to train on, 500 held out
    >>> digits.held_out.labels.bincount()
    tensor([50, 50, 50, 50, 50, 50, 50, 50, 50, 50])
    >>> next(digits.batches(batch_size=7, seed=0))
    Images(7 of 1 × 8 × 8)
    """

    def __init__(self) -> None:
        from sklearn.datasets import load_digits  # takes a second, and few need it

        found = load_digits()
        pixels = torch.from_numpy(found.images).float().unsqueeze(1) / 16
        every = Images(pixels, torch.from_numpy(found.target).long())
        order, turns = _turns(every.labels)
        every = every[order[turns.argsort(stable=True)]]
        names = map(str, found.target_names)
        super().__init__(tuple(names), every[HELD_OUT:], every[:HELD_OUT])


class FindTheDigit:
    """A handwritten digit somewhere among pieces of others.

    The digit is one of :class:`Digits`, and so are those that the pieces are cut from;
    all are held out together. The digit lies on top, its square whole; of two pieces
    that overlap, the stronger pixel shows.

    Parameters
    ----------
    size : height and width of an image.
    pieces : how many pieces there are.
    piece : height and width of each.
    step : the digit's row and column are multiples of it.

    Raises
    ------
    ValueError
        If a digit does not fit, or a piece is none of a digit.

    Examples
    --------
    >>> task = FindTheDigit()
    >>> asked = task.sample(5, seed=0)
    >>> asked
    Images(5 of 1 × 24 × 24, places known)
    >>> task.covers(asked.places, patch=4).shape
    torch.Size([5, 36])
    """

    def __init__(
        self, size: int = 24, *, pieces: int = 12, piece: int = 4, step: int = 4
    ) -> None:
        if size < DIGIT:
            raise ValueError(f"size is {size}, but a digit is {DIGIT} pixels high")
        if pieces < 0 or step < 1:
            raise ValueError(
                f"pieces is {pieces} and step {step}, but they are at least 0 and 1"
            )
        if not 1 <= piece <= DIGIT:
            raise ValueError(f"piece is {piece}, but runs from 1 to a digit's {DIGIT}")
        self.size, self.pieces, self.piece, self.step = size, pieces, piece, step
        self.digits = Digits()
        self.names = self.digits.names

    def sample(self, count: int, *, seed: int, held_out: bool = False) -> Images:
        """Return ``count`` images, the same for the same seed.

        With ``held_out`` they are made of held-out digits alone, else of the others.

        Raises
        ------
        ValueError
            If ``count`` is below 1.
        """
        whole(1, count=count)
        digits = self.digits.held_out if held_out else self.digits.train
        return self._draw(count, digits, torch.Generator().manual_seed(seed))

    def batches(self, *, batch_size: int = 64, seed: int) -> Iterator[Images]:
        """Return an endless stream of fresh images, the same for the same seed.

        Raises
        ------
        ValueError
            If ``batch_size`` is below 1.
        """
        whole(1, batch_size=batch_size)
        generator = torch.Generator().manual_seed(seed)

        def stream() -> Iterator[Images]:
            while True:
                yield self._draw(batch_size, self.digits.train, generator)

        return stream()

    def covers(
        self, places: Int[Tensor, "image 2"], patch: int
    ) -> Bool[Tensor, "image patch"]:
        """Return which patches the square of the digit touches.

        Patches are counted along the rows, from the top left. The mean of the result
        is the chance that a patch chosen blindly is one of them.

        Raises
        ------
        ValueError
            If ``patch`` does not divide the size.
        """
        if patch < 1 or self.size % patch:
            raise ValueError(
                f"patches of {patch} pixels do not divide an image of {self.size}"
            )
        start = torch.arange(0, self.size, patch)
        first = places[:, :, None]
        touched = (start < first + DIGIT) & (first < start + patch)
        rows, columns = touched.unbind(1)
        return (rows[:, :, None] & columns[:, None, :]).flatten(1)

    def _draw(self, count: int, digits: Images, generator: torch.Generator) -> Images:
        def numbers(below: int, *shape: int) -> Tensor:
            return torch.randint(below, shape, generator=generator)

        chosen = numbers(len(digits), count)
        places = self.step * numbers((self.size - DIGIT) // self.step + 1, count, 2)
        others = numbers(len(digits), count, self.pieces)
        corners = numbers(DIGIT - self.piece + 1, count, self.pieces, 2)
        strewn = numbers(self.size - self.piece + 1, count, self.pieces, 2)

        flat = digits.pixels.flatten(1)
        cut = flat[others].gather(2, _square(corners, self.piece, DIGIT))
        at = _square(strewn, self.piece, self.size).flatten(1)
        canvas = torch.zeros(count, self.size**2)
        canvas.scatter_reduce_(1, at, cut.flatten(1), "amax")
        at = _square(places, DIGIT, self.size)
        canvas.scatter_(1, at, flat[chosen])
        pixels = canvas.view(count, 1, self.size, self.size)
        return Images(pixels, digits.labels[chosen], places)

    def __repr__(self) -> str:
        """Say what is asked, and of what."""
        about = (type(self).__doc__ or "").partition("\n")[0].rstrip(".")
        return (
            f"{type(self).__name__}: {about}; {self.size} × {self.size} pixels, "
            f"{self.pieces} pieces of {self.piece} × {self.piece}"
        )


def load_images(
    folder: str | PathLike[str],
    *,
    patch: int,
    size: tuple[int, int] | None = None,
    held_out: float = 0.1,
) -> ImageCollection:
    """Read a folder that has a sub-folder of images for each class, named after it.

    Pixels are grey values, black 0 and white 1; where an image is transparent, white
    shows. All images are to be of one size, which patches of ``patch`` pixels divide.

    Parameters
    ----------
    folder : its sub-folders, in the order of their names, are the classes. Files that
        systems leave in folders, such as hidden ones, are passed over.
    patch : height and width of a patch.
    size : (height, width) to resize every image to.
    held_out : the share of the images, and about that of each class, that is kept from
        training: the same ones always. 0 keeps none.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    NotADirectoryError
        If it is a file.
    TypeError
        If ``size`` is not two whole numbers, or ``patch`` is not one.
    ValueError
        If it has no sub-folder, or one of them no image; if files are no images, are
        cut short or lie elsewhere than in a class (all are named); if the images are of
        different sizes, or of one that ``patch`` does not divide; or if ``held_out`` is
        a share of which too few images make none.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("cat", "dog"):
    ...         Path(folder, name).mkdir()
    ...         Image.new("RGB", (12, 8)).save(Path(folder, name, "1.png"))
    ...     images = load_images(folder, patch=4, held_out=0)
    >>> images.names, images.train
    (('cat', 'dog'), Images(2 of 1 × 8 × 12))
    """
    if not 0 <= held_out < 1:
        raise ValueError(f"held_out is a share from 0 to below 1, not {held_out}")
    whole(1, patch=patch)
    if size is not None:
        height_and_width(size=size)
        _check_divides(patch, size)
    classes = _files(Path(folder))
    read = _read([file for files in classes.values() for file in files], size)
    _check_one_size(read)
    if size is None:
        _check_divides(patch, next(iter(read.values())).shape)
    counts = torch.tensor([len(files) for files in classes.values()])
    labels = torch.arange(len(counts)).repeat_interleave(counts)
    pixels = torch.from_numpy(np.stack(list(read.values()))).unsqueeze(1)
    every = Images(pixels.float() / 255, labels)
    order, turns = _turns(labels)
    shares = (turns - 0.5) / counts[labels[order]]
    every = every[order[shares.argsort(stable=True)]]
    apart = share_of(len(every), held_out, "images")
    return ImageCollection(tuple(classes), every[apart:], every[:apart])


def _square(
    corners: Int[Tensor, "*batch 2"], side: int, width: int
) -> Int[Tensor, "*batch pixel"]:
    """Return the indices of a square's pixels in an image flattened by rows."""
    offsets = torch.arange(side)
    within = (offsets[:, None] * width + offsets).flatten()
    row, column = corners.unbind(-1)
    return (row * width + column)[..., None] + within


def _turns(
    labels: Int[Tensor, " image"],
) -> tuple[Int[Tensor, " image"], Int[Tensor, " image"]]:
    """Return an order, always the same, and each one's turn among its class, from 1."""
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(labels), generator=generator)
    shuffled = labels[order]
    turns = one_hot(shuffled).cumsum(0).gather(1, shuffled[:, None]).squeeze(1)
    return order, turns


def _files(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each class."""
    from PIL import Image

    if folder.is_file():
        raise NotADirectoryError(
            f"{folder} is a file, and images are read from a folder that has one for "
            "each class"
        )
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: there is no such folder")
    inside = _listed(folder)
    classes = {path.name: _listed(path) for path in inside if path.is_dir()}
    if not classes:
        raise ValueError(
            f"{folder} has no sub-folder; make one for each class, named after it, and "
            "put its images in there"
        )
    empty = [str(folder / name) for name, files in classes.items() if not files]
    if empty:
        raise ValueError(
            f"{', '.join(empty)}: there is no image; each class needs one or more"
        )
    image = Image.registered_extensions()
    lost = [path for path in inside if path.is_file() and path.suffix.lower() in image]
    lost += [path for files in classes.values() for path in files if path.is_dir()]
    if lost:
        raise ValueError(
            f"{_named(lost)}: an image lies in the folder of its class, directly; move "
            "these there, or away"
        )
    return classes


def _listed(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith(".") and path.name.lower() not in LEFT_BY_SYSTEMS
    )


def _read(files: list[Path], size: tuple[int, int] | None) -> dict[Path, np.ndarray]:
    """Return the grey values, from 0 to 255, of every file."""
    read, failed = {}, []
    for file in files:
        try:
            read[file] = _grey(file, size)
        except Exception:  # what a broken file makes Pillow raise is not documented
            failed.append(file)
    if failed:
        raise ValueError(
            f"{_named(failed)}: no image that Pillow can read, or one cut short; mend "
            "these, or take them away"
        )
    return read


def _grey(file: Path, size: tuple[int, int] | None) -> np.ndarray:
    from PIL import Image, ImageOps

    with Image.open(file) as opened:
        image = ImageOps.exif_transpose(opened)  # a telephone held upright says so here
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        if image.mode.startswith("I;16"):  # Pillow itself would cut at 255
            image = Image.fromarray((np.asarray(image) // 256).astype(np.uint8))
        image = image.convert("L")
        return np.array(image.resize((size[1], size[0])) if size else image)


def _check_one_size(read: dict[Path, np.ndarray]) -> None:
    files = defaultdict(list)
    for file, grey in read.items():
        files[grey.shape].append(file)
    if len(files) > 1:
        sizes = (
            f"{_by(shape)} ({len(those)}, such as {those[0]})"
            for shape, those in sorted(files.items(), key=lambda item: -len(item[1]))
        )
        most = max(files, key=lambda shape: len(files[shape]))
        raise ValueError(
            f"the images are of {len(files)} sizes, height × width: "
            f"{', '.join(sizes)}; give a size to resize them to, such as size={most}"
        )


def _check_divides(patch: int, size: tuple[int, ...]) -> None:
    if any(side % patch for side in size):
        near = tuple(max(1, (2 * side + patch) // (2 * patch)) * patch for side in size)
        raise ValueError(
            f"patches of {patch} × {patch} pixels do not divide images of {_by(size)}, "
            f"height × width; the nearest size that they do divide is size={near}"
        )


def _by(size: tuple[int, ...]) -> str:
    return " × ".join(map(str, size))


def _named(paths: list[Path]) -> str:
    return ", ".join(map(str, paths))
