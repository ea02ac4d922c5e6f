"""Which exercises a reader has solved or tried, kept beside the reader's own copies.

``make lab`` marks the reader's folder with a file ``.qkv-work``; the lists stand in
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


@dataclass(frozen=True)
class Lists:
    """The ids of the exercises that are solved, and of those that were tried."""

    solved: frozenset[str] = frozenset()
    tried: frozenset[str] = frozenset()

    def __or__(self, other: "Lists") -> "Lists":
        """Both."""
        return Lists(self.solved | other.solved, self.tried | other.tried)


@dataclass
class Solved:
    """What is solved and tried, in a file or for this session only.

    Attributes
    ----------
    session : what was solved and tried since the kernel started.
    note : what the reader should know about the file, or nothing.
    """

    session: Lists = field(default_factory=Lists)
    note: str = ""

    def ids(self) -> set[str]:
        """All that is known to be solved."""
        return set(self._known().solved)

    def open_ids(self) -> set[str]:
        """What was tried, and is not known to be solved."""
        known = self._known()
        return set(known.tried - known.solved)

    def add(self, id: str) -> None:
        """Keep ``id`` as solved."""
        self._keep(Lists(solved=frozenset([id])))

    def add_tried(self, id: str) -> None:
        """Keep ``id`` as tried, and not solved by that."""
        self._keep(Lists(tried=frozenset([id])))

    def _known(self) -> Lists:
        file = find_file()
        return self.session | ((file and self._read(file)) or Lists())

    def _keep(self, new: Lists) -> None:
        """Write down what is new; what others wrote in the meantime is kept, too."""
        self.session |= new
        file = find_file()
        if file is None:
            return
        try:
            with _alone_with(file):
                known = self._read(file)
                if known is not None and known | new != known:
                    write(file, _as_json(known | self.session))
        except OSError as error:
            self.note = messages.UNWRITABLE.format(file=file.name, reason=_why(error))

    def _read(self, file: Path) -> Lists | None:
        """The lists in the file, or None where it is there and cannot be opened."""
        try:
            return _parsed(file)
        except OSError as error:
            self.note = messages.UNREADABLE.format(file=file.name, reason=_why(error))
            return None
        except (ValueError, TypeError, KeyError):
            return self._set_aside(file)

    def _set_aside(self, file: Path) -> Lists | None:
        """Move a file that makes no sense out of the way, without losing it."""
        try:
            with _alone_with(file):
                return self._move(file)
        except OSError as error:
            reason = _why(error)
            self.note = messages.NOT_UNDERSTOOD.format(file=file.name, reason=reason)
            return None

    def _move(self, file: Path) -> Lists:
        try:
            return _parsed(file)  # another notebook may have been here before
        except (ValueError, TypeError, KeyError):
            pass
        number = 1
        while (aside := file.with_name(f"{file.stem}.broken-{number}.json")).exists():
            number += 1
        file.rename(aside)
        self.note = messages.SET_ASIDE.format(file=file.name, aside=aside.name)
        return Lists()


session = Solved()
"""What this session knows: checks write into it, and widgets that are solved."""


def _alone_with(file: Path) -> FileLock:
    """Return a lock that the same thread may take again, and no other at the time."""
    return FileLock(file.with_name(LOCK), timeout=PATIENCE, is_singleton=True)


def _parsed(file: Path) -> Lists:
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Lists()
    solved, tried = read["solved"], read.get("tried", [])
    if not all(isinstance(id, str) for id in [*solved, *tried]):
        raise TypeError("ids are strings")
    return Lists(frozenset(solved), frozenset(tried))


def _as_json(lists: Lists) -> bytes:
    """As JSON; what is solved need no longer be said to be tried."""
    solved, tried = sorted(lists.solved), sorted(lists.tried - lists.solved)
    kept = {"solved": solved} | ({"tried": tried} if tried else {})
    return (json.dumps(kept, indent=1) + "\n").encode()


def _why(error: OSError) -> str:
    return error.strerror or str(error)


def find_file() -> Path | None:
    """Where the list is kept: looked for from here upward; None for no such place."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / MARKER).exists():
            return folder / FILE
    return None
