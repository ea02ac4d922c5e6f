"""Writing a file whole or not at all: every file that the package writes."""

import os
import shutil
import threading
from contextlib import suppress
from os import PathLike
from pathlib import Path

_ONE_AT_A_TIME = threading.Lock()  # threads of one process would share the name beside


def write(path: str | PathLike[str], content: bytes | memoryview) -> None:
    """Replace a file in one step: killed or out of space, the old one stays whole.

    The new content is written beside it, as ``.NAME.PID.part``, and takes its place
    when it is safe on the disk. What processes that were killed have left of such files
    is cleared. A link stays a link: the file it leads to is replaced.

    Raises
    ------
    OSError
        If it cannot be written; the error names ``path``.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write(Path(folder, "names"), b"Ada")
    ...     write(Path(folder, "names"), b"Emmy")
    ...     [(file.name, file.read_bytes()) for file in Path(folder).iterdir()]
    [('names', b'Emmy')]
    """
    target, beside = _places(path)
    try:
        with _ONE_AT_A_TIME:
            _clear(target)
            _write_beside(beside, target, content)
    except OSError as error:
        said = error.strerror or str(error)
        raise OSError(
            error.errno, said, os.fspath(path)
        ) from None  # not the one beside


def refuse_unwritable(path: str | PathLike[str]) -> None:
    """Find out in time what :func:`write` could not do: before hours of work.

    Raises
    ------
    OSError
        If nothing can be written in the folder, or not under such a name.
    """
    _, beside = _places(path)
    try:
        with _ONE_AT_A_TIME:
            beside.open("wb").close()
            beside.unlink()
    except OSError as error:
        said = error.strerror or str(error)
        raise OSError(
            error.errno,
            f"{said}, found out before any work; name another file, in a folder that "
            "may be written",
            os.fspath(path),
        ) from None


def _places(path: str | PathLike[str]) -> tuple[Path, Path]:
    """Return where a path leads to, and what is written first, beside it."""
    target = Path(os.path.realpath(path))
    return target, target.with_name(f".{target.name}.{os.getpid()}.part")


def _write_beside(beside: Path, target: Path, content: bytes | memoryview) -> None:
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, beside)
        os.replace(beside, target)
    finally:
        with suppress(OSError):  # it is in its place, or what went wrong is told
            beside.unlink()


def _clear(target: Path) -> None:
    """Remove what dead processes have left beside a file."""
    begins, ends = f".{target.name}.", ".part"
    for file in target.parent.iterdir():
        if file.name.startswith(begins) and file.name.endswith(ends):
            pid = file.name[len(begins) : -len(ends)]
            if pid.isdecimal() and not _is_running(int(pid)):
                with suppress(OSError):
                    file.unlink()


def _is_running(pid: int) -> bool:
    if os.name == "nt":
        return False  # where a file that is still open cannot be removed anyway
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's; a number that is no process's
        pass
    return True
