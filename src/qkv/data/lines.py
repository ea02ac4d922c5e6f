"""The lines of a reader's text file, whatever the system that it was written on."""

from collections.abc import Iterator
from pathlib import Path

from qkv.data.kinds import composed

LONGEST_LINE = 1_000_000  # bytes


def read_lines(path: Path, *, folder: str, line: str) -> Iterator[str]:
    """Yield the lines of a UTF-8 file, composed, without their ends.

    Parameters
    ----------
    path : the file.
    folder : what is said after "is a folder," where it is one.
    line : what is said of a line that is too long: what it is not, and the remedy.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IsADirectoryError
        If it is a folder.
    ValueError
        If a line is not UTF-8, or has no end.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, {folder}")
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file")
    number = 0
    with path.open("rb") as file:
        while read := file.readline(LONGEST_LINE + 1):
            where = f"{path}, line {number + 1}"
            if len(read) > LONGEST_LINE:
                raise ValueError(f"{where} has over {LONGEST_LINE:,} bytes, and {line}")
            for text in _decoded(read, where).split("\r"):
                number += 1
                # where Windows' text files begin
                yield composed(text.removeprefix("\ufeff"))


def _decoded(read: bytes, where: str) -> str:
    try:
        line = read.decode()
    except UnicodeDecodeError:
        line = "\0"
    if "\0" in line:  # as in UTF-16, which may be all that differs
        raise ValueError(f"{where} is not UTF-8; save the file in that encoding")
    return line.removesuffix("\n").removesuffix("\r")
