"""Which exercises a reader has solved, kept beside the reader's own copies.

``make lab`` marks the reader's folder with a file ``.qkv-work``; the list stands in
``progress.json`` beside it. Elsewhere (in the book's own chapters, in a notebook
somewhere else) it lives as long as the session.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from qkv._files import write
from qkv.checking import messages

MARKER = ".qkv-work"
FILE = "progress.json"
LOCK = ".progress.lock"
PATIENCE = 10  # seconds: what another notebook has to write takes a thousandth of one


@dataclass
class Solved:
    """The ids of the solved exercises, in a file or for this session only.

    Attributes
    ----------
    session : the ids solved since the kernel started.
    note : what the reader should know about the file, or nothing.
    """

    session: set[str] = field(default_factory=set)
    note: str = ""

    def ids(self) -> set[str]:
        """All that is known to be solved."""
        file = find_file()
        return self.session | ((file and self._read(file)) or set())

    def add(self, id: str) -> None:
        """Keep ``id`` as solved; what others wrote in the meantime is kept, too."""
        self.session.add(id)
        file = find_file()
        if file is None:
            return
        try:
            with _alone_with(file):
                known = self._read(file)
                if known is not None and id not in known:
                    write(file, _as_json(known | self.session))
        except OSError as error:
            self.note = messages.UNWRITABLE.format(file=file.name, reason=_why(error))

    def _read(self, file: Path) -> set[str] | None:
        """The ids in the file, or None where it is there and cannot be opened."""
        try:
            return _parsed(file)
        except OSError as error:
            self.note = messages.UNREADABLE.format(file=file.name, reason=_why(error))
            return None
        except (ValueError, TypeError, KeyError):
            return self._set_aside(file)

    def _set_aside(self, file: Path) -> set[str] | None:
        """Move a file that makes no sense out of the way, without losing it."""
        try:
            with _alone_with(file):
                return self._move(file)
        except OSError as error:
            reason = _why(error)
            self.note = messages.NOT_UNDERSTOOD.format(file=file.name, reason=reason)
            return None

    def _move(self, file: Path) -> set[str]:
        try:
            return _parsed(file)  # another notebook may have been here before
        except (ValueError, TypeError, KeyError):
            pass
        number = 1
        while (aside := file.with_name(f"{file.stem}.broken-{number}.json")).exists():
            number += 1
        file.rename(aside)
        self.note = messages.SET_ASIDE.format(file=file.name, aside=aside.name)
        return set()


session = Solved()
"""What this session knows: checks write into it, and widgets that are solved."""


def _alone_with(file: Path) -> FileLock:
    """Return a lock that the same thread may take again, and no other at the time."""
    return FileLock(file.with_name(LOCK), timeout=PATIENCE, is_singleton=True)


def _parsed(file: Path) -> set[str]:
    try:
        solved = json.loads(file.read_text(encoding="utf-8"))["solved"]
    except FileNotFoundError:
        return set()
    if not all(isinstance(id, str) for id in solved):
        raise TypeError("ids are strings")
    return set(solved)


def _as_json(ids: set[str]) -> bytes:
    return (json.dumps({"solved": sorted(ids)}, indent=1) + "\n").encode()


def _why(error: OSError) -> str:
    return error.strerror or str(error)


def find_file() -> Path | None:
    """Where the list is kept: looked for from here upward; None for no such place."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / MARKER).exists():
            return folder / FILE
    return None
