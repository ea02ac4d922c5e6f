"""Which exercises a reader has solved, kept beside the reader's own copies.

``make lab`` marks the reader's folder with a file ``.qkv-work``; the list stands in
``progress.json`` beside it. Elsewhere (in the book's own chapters, in a notebook
somewhere else) it lives as long as the session.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from qkv.checking import messages

MARKER = ".qkv-work"
FILE = "progress.json"


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
        known = self._read(file)
        if known is not None and id not in known:
            self._write(file, known | self.session)

    def _read(self, file: Path) -> set[str] | None:
        """The ids in the file, or None where it is there and cannot be opened."""
        try:
            solved = json.loads(file.read_text(encoding="utf-8"))["solved"]
            if not all(isinstance(id, str) for id in solved):
                raise TypeError("ids are strings")
            return set(solved)
        except FileNotFoundError:
            return set()
        except OSError as error:
            self.note = messages.UNREADABLE.format(
                file=file.name, reason=error.strerror
            )
            return None
        except (ValueError, TypeError, KeyError):
            return self._set_aside(file)

    def _set_aside(self, file: Path) -> set[str] | None:
        """Move a file that makes no sense out of the way, without losing it."""
        number = 1
        while (aside := file.with_name(f"{file.stem}.broken-{number}.json")).exists():
            number += 1
        self.note = messages.SET_ASIDE.format(file=file.name, aside=aside.name)
        try:
            file.rename(aside)
        except OSError as error:
            reason = error.strerror
            self.note = messages.NOT_UNDERSTOOD.format(file=file.name, reason=reason)
            return None
        return set()

    def _write(self, file: Path, ids: set[str]) -> None:
        """Replace the file in one step, so that it is never half written."""
        draft = file.with_name(f".progress-{os.getpid()}")
        try:
            draft.write_text(json.dumps({"solved": sorted(ids)}, indent=1) + "\n")
            draft.replace(file)
        except OSError as error:
            draft.unlink(missing_ok=True)
            reason = error.strerror
            self.note = messages.UNWRITABLE.format(file=file.name, reason=reason)


def find_file() -> Path | None:
    """Where the list is kept: looked for from here upward; None for no such place."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / MARKER).exists():
            return folder / FILE
    return None
