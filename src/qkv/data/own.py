"""A reader's own files: pairs of sentences, and images in folders."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from math import ceil, isqrt, prod
from os import PathLike
from pathlib import Path

import numpy as np
import torch

from qkv._checks import height_and_width, whole
from qkv.data.kinds import Example, Images, composed
from qkv.data.lines import read_lines
from qkv.data.pictures.collection import ImageCollection, taking_turns
from qkv.data.pictures.files import endings, read_greys, size_in_head
from qkv.data.text.corpus import SPECIAL, PairCorpus

__all__ = ["load_images", "load_pairs"]

MOST_PIXELS = 2**30
LONGEST_SIDE = 256  # of an image that is read on a laptop: 256 patches of 16 × 16
LEFT_BY_SYSTEMS = {"thumbs.db", "desktop.ini", "__macosx", "@eadir"}


def load_pairs(
    path: str | PathLike[str],
    *,
    held_out: float = 0.1,
    tokenize: Callable[[str], Sequence[str]] = str.split,
) -> PairCorpus:
    r"""Read a tab-separated file of pairs: source, target, and more that is ignored.

    Parameters
    ----------
    path : a UTF-8 file, one pair a line; blank lines are skipped.
    held_out : the share of the different sources that is kept from training; 0 keeps
        none. Pairs of the same source stay on one side, so that nothing held out has
        been seen.
    tokenize : how a text becomes tokens: words by default, ``list`` for characters.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IsADirectoryError
        If it is a folder.
    ValueError
        If the file is empty or not UTF-8, if a line has fewer than two columns, or if
        a side of it is empty: the message names the file and the line. Or if
        ``held_out`` is a share of which too few sources make none.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "pairs.tsv")
    ...     _ = file.write_text("I go\t나는 간다\nyou go\t너는 간다\n", "utf-8")
    ...     pairs = load_pairs(file, held_out=0.0)
    >>> pairs.train[1].target
    ('너는', '간다')
    """
    _check_share(held_out)
    examples = [
        _read_pair(line, f"{path}, line {number}", tokenize)
        for number, line in enumerate(_lines_of_pairs(Path(path)), start=1)
        if line.strip(" ")
    ]
    if not examples:
        raise ValueError(f"{path} is empty: one pair a line is needed")
    return PairCorpus(*_split(examples, held_out), tokenize=tokenize)


def _check_share(held_out: float) -> None:
    if not 0 <= held_out < 1:
        raise ValueError(f"held_out is a share from 0 to below 1, not {held_out}")


def share_of(count: int, share: float, things: str) -> int:
    """Return how many of ``count`` things a share is, rounded down.

    Raises
    ------
    ValueError
        If it is none, and the share is not 0.

    Examples
    --------
    >>> share_of(25, 0.1, "images")
    2
    >>> share_of(6, 0.1, "images")
    Traceback (most recent call last):
        ...
    ValueError: held_out = 0.1 of 6 images is none; give at least 0.17 to hold one out,
    0 to hold out none, or more images
    """
    part = int(share * count)
    if share and not part:
        least = ceil(100 / count) / 100
        advice = f"at least {least:g} to hold one out, " if count > 1 else ""
        raise ValueError(
            f"held_out = {share:g} of {count} {things} is none; give {advice}0 to hold "
            f"out none, or more {things}"
        )
    return part


def _lines_of_pairs(path: Path) -> Iterator[str]:
    return read_lines(
        path,
        folder="and pairs are read from a file; load_images reads a folder, of images",
        line="is no pair of sentences; put one pair a line",
    )


def _read_pair(
    line: str, where: str, tokenize: Callable[[str], Sequence[str]]
) -> Example:
    columns = line.split("\t")
    if len(columns) < 2:
        raise ValueError(
            f"{where}: 1 column where a source and a target, with a tab between them, "
            "are needed"
        )
    source, target = (tuple(tokenize(column.strip())) for column in columns[:2])
    for side, tokens in (("source", source), ("target", target)):
        if not tokens:
            raise ValueError(f"{where}: the {side} is empty")
        reserved = next((token for token in tokens if token in SPECIAL), None)
        if reserved:
            raise ValueError(f"{where}: the token {reserved!r} is reserved")
    return Example(source, target)


def _split(
    examples: list[Example], share: float
) -> tuple[list[Example], list[Example]]:
    sources = list(dict.fromkeys(example.source for example in examples))
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(sources), generator=generator).tolist()
    kept_apart = {sources[i] for i in order[: share_of(len(sources), share, "sources")]}
    train = [e for e in examples if e.source not in kept_apart]
    return train, [e for e in examples if e.source in kept_apart]


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
    folder : its sub-folders, in the order of their names, are the classes. What
        systems leave behind, hidden files and folders and ``__MACOSX``, is passed over.
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
        If it has no sub-folder, or one of them no image; if files are no images of
        the common formats, are cut short, do not say what is white or lie elsewhere
        than in a class (all are named); if the images are of different sizes, of one
        that ``patch`` does not divide, or too many for a laptop; or if ``held_out`` is
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
    _check_share(held_out)
    patch = whole(1, patch=patch)["patch"]
    if size is not None:
        size = height_and_width(size=size)["size"]
        _check_divides(patch, size)
    classes = _files(Path(folder))
    every = _shuffled(classes, list(_greys(classes, patch, size).values()))
    apart = share_of(len(every), held_out, "images")
    return ImageCollection(tuple(classes), every[apart:], every[:apart])


def _greys(
    classes: dict[str, list[Path]], patch: int, size: tuple[int, int] | None
) -> dict[Path, np.ndarray]:
    """Return the grey values of every image, of one size that patches divide."""
    files = [file for files in classes.values() for file in files]
    _check_room([size or size_in_head(file) for file in files], patch)
    read = read_greys(files, size)
    _check_one_size(read, patch)
    _check_divides(patch, next(iter(read.values())).shape)
    return read


def _shuffled(classes: dict[str, list[Path]], greys: list[np.ndarray]) -> Images:
    """Return the images in an order, always the same, with all classes all along."""
    counts = torch.tensor([len(files) for files in classes.values()])
    labels = torch.arange(len(counts)).repeat_interleave(counts)
    order, turns = taking_turns(labels)
    shares = (turns - 0.5) / counts[labels[order]]
    order = order[shares.argsort(stable=True)]
    pixels = torch.from_numpy(np.stack([greys[i] for i in order.tolist()]))
    return Images(pixels.unsqueeze(1).float().div_(255), labels[order])


def _files(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each class."""
    if folder.is_file():
        raise NotADirectoryError(
            f"{folder} is a file, and images are read from a folder that has one for "
            "each class"
        )
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: there is no such folder")
    inside = _listed(folder)
    classes: dict[str, list[Path]] = {}
    for path in filter(Path.is_dir, inside):
        classes.setdefault(composed(path.name), []).extend(_listed(path))
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
    image = endings()
    lost = [path for path in inside if path.is_file() and path.suffix.lower() in image]
    lost += [path for files in classes.values() for path in files if path.is_dir()]
    if lost:
        raise ValueError(
            f"{_named(lost)}: an image lies in the folder of its class, directly; move "
            "these there, or away"
        )
    return classes


def _listed(folder: Path) -> list[Path]:
    inside = (
        path
        for path in folder.iterdir()
        if not path.name.startswith(".") and path.name.lower() not in LEFT_BY_SYSTEMS
    )
    return sorted(inside, key=lambda path: composed(path.name))


def _check_one_size(read: dict[Path, np.ndarray], patch: int) -> None:
    files = defaultdict(list)
    for file, grey in read.items():
        files[grey.shape].append(file)
    if len(files) > 1:
        by_number = sorted(files.items(), key=lambda item: (-len(item[1]), item[0]))
        sizes = (
            f"{_by(shape)} ({len(those)}, such as {those[0]})"
            for shape, those in by_number
        )
        raise ValueError(
            f"the images are of {len(files)} sizes, height × width: "
            f"{', '.join(sizes)}; give a size to resize them to, such as "
            f"size={_for_use(by_number[0][0], len(read), patch)}"
        )


def _check_room(sizes: list[tuple[int, int]], patch: int) -> None:
    """Refuse more pixels than a laptop has room for, before any is read."""
    pixels = sum(height * width for height, width in sizes)
    if pixels > MOST_PIXELS:
        largest = max(sizes, key=prod)
        raise ValueError(
            f"{len(sizes):,} images of up to {_by(largest)} pixels, height × width, "
            f"are {pixels:,} numbers, but at most {MOST_PIXELS:,} are read, in 4 GiB; "
            f"give a smaller size, such as size={_for_use(largest, len(sizes), patch)}"
        )


def _for_use(size: tuple[int, int], count: int, patch: int) -> tuple[int, int]:
    """Return a size of about the same form for which there is room and time."""
    longest = max(size)
    room = isqrt(MOST_PIXELS * longest**2 // (count * prod(size)))
    most = min(longest, LONGEST_SIDE, room)
    height, width = (max(1, side * most // longest // patch) * patch for side in size)
    return height, width


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
