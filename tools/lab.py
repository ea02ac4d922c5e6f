"""Open the book in JupyterLab, on the reader's own copies of the chapters.

usage: python tools/lab.py [--carry-over CHAPTER] [--begin-again CHAPTER]
                           [--work FOLDER] [--without-solutions] [--copies-only]
                           [--hub]
                           [JupyterLab's options, e.g. --no-browser]

The copies lie in work/, with a record of what was copied. Chapters that are not yet
there are added, those whose cells are as they were copied are refreshed when the book
moves on, and those the reader edited are kept. Nothing a reader wrote is overwritten:
--begin-again takes the book's version of a chapter and --carry-over puts the reader's
exercises into it; both keep what was there beside it. A CHAPTER is named by its file's
name or how that begins, as 03.

A JupyterHub starts this with --hub: the copies lie in work/ in the learner's home, and
what is opened is the hub's jupyterhub-singleuser: it knows who may come in, and where.
"""

import argparse
import errno
import hashlib
import json
import os
import re
import shutil
import socket
import stat
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import nbformat
import zmq
from nbformat.sign import NotebookNotary

ROOT = Path(__file__).resolve().parents[1]
RECORD = ".qkv-work"
LOG_LEVEL_OPTIONS = ("--debug", "--log-level", "--ServerApp.log_level")
LEADS_OUT = "a link leads out of {}; take it away to have the book's version"
SETTINGS = ROOT / "tools" / "jupyter"


class Failure(Exception):
    """What stands in the way, and what to do about it."""


# ---------------------------------------------------------------- the reader's copies


@dataclass(frozen=True)
class Copied:
    """What the record holds of one copy: what the reader could see, and the bytes."""

    content: str
    bytes: str


def refresh(chapters: Path, work: Path, *, solutions: bool = True) -> list[str]:
    """Bring the reader's copies up to date; return a line on each that needs one.

    Solutions that are held back are not added; what is there already is kept.
    """
    with _explained(work):
        work.mkdir(parents=True, exist_ok=True)
    record, lines = _read_record(work)
    lines += _left_the_book(chapters, work, record)
    with NotebookNotary() as notary:
        for source in _originals(chapters):
            name = source.relative_to(chapters).as_posix()
            if name.startswith("solutions/") and not solutions:
                continue
            if _leads_out(work / name, work):
                lines.append(f"kept       {name}: {LEADS_OUT.format(work)}")
                continue
            line = _refresh_one(source, work / name, name, record, notary)
            lines += [line] if line else []
    _write_record(work, record)
    return lines


def _originals(chapters):
    """Return every file of the book that a reader works with, twins and pictures."""
    return [
        path
        for path in sorted(chapters.rglob("*"))
        if path.is_file()
        and path.suffix != ".md"
        and not _leads_out(path, chapters)
        and not any(
            part.startswith((".", "__")) for part in path.relative_to(chapters).parts
        )
    ]


def _leads_out(path, folder):
    """Whether a link below a folder would have a file outside it read or written."""
    there = Path(os.path.realpath(path))
    return not there.is_relative_to(os.path.realpath(folder))


def _refresh_one(source, copy, name, record, notary):
    """Add, refresh or keep one copy; return the line to say about it, if any."""
    text = _as_copied(source)
    new = Copied(_content(text, source), _digest(text))
    if not os.path.lexists(copy):
        _copy(text, copy, name, record, new, notary)
        return f"added      {name}"
    mine = _look_at(copy)
    if mine is None:
        return f"kept       {name}: it cannot be read. {_newer(source, name)}"
    old = record.get(name)
    if mine.content == new.content and (old is None or old.content != new.content):
        old = record[name] = new  # the record was lost, or a run ended before it
    if old is None or mine.content != old.content:
        moved_on = old is None or old.content != new.content
        return _kept(source, copy, name) if moved_on else ""
    return _refresh_untouched(text, copy, name, record, mine, new, notary)


def _refresh_untouched(text, copy, name, record, mine, new, notary):
    """Take the book's version, unless only its outputs differ and the reader ran it."""
    as_copied = mine.bytes == record[name].bytes
    if mine.bytes == new.bytes:
        _trust(text, copy, notary)
    elif mine.content != new.content or as_copied:
        if not copy.stat().st_mode & stat.S_IWUSR:
            return f"kept       {name}: it is read-only, and the book's is newer."
        _copy(text, copy, name, record, new, notary)
        return f"refreshed  {name}"
    return ""


def _newer(source, name):
    where = source.relative_to(ROOT) if source.is_relative_to(ROOT) else source
    return (
        f"The book's version is newer: {where}. To have it, and keep yours beside it: "
        f'make lab ARGS="--begin-again {name}"'
    )


def _kept(source, copy, name):
    """Say that an edited copy is kept, what the book has changed, and what to do."""
    line = f"kept       {name}: you changed it. {_newer(source, name)}"
    if source.suffix != ".ipynb":
        return line
    what = _changes(_cells(source), _cells(copy))
    answers = f'With your exercises carried over: make lab ARGS="--carry-over {name}"'
    return "\n".join([line, *(f"           {more}" for more in (what, answers))])


def _changes(new, mine):
    """Say where the book has cells that the reader's copy was not made from.

    A cell of the book is named by a digest of what it says, and keeps that name when a
    reader edits it.
    """
    had = {cell.get("id") for cell in mine}
    section, changed = "its beginning", {}
    for cell in new:
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
            section = (re.findall(r"^#+ (.+)$", text, re.M) or [section])[-1]
        if cell.get("id") not in had:
            changed[section] = changed.get(section, 0) + 1
    if not changed:
        return "The book has left out some of its cells."
    places = "; ".join(f"{place} ({count})" for place, count in changed.items())
    return f"New or changed cells: {places}."


def _cells(path):
    return json.loads(path.read_bytes())["cells"]


def _left_the_book(chapters, work, record):
    """Return a line, said once, on each copy whose chapter was renamed or is gone."""
    lines = []
    for name in [name for name in record if not (chapters / name).exists()]:
        del record[name]
        if name.endswith(".ipynb") and _look_at(work / name):
            now = _successor(chapters, work / name)
            renamed = f"is now {now}" if now else "is no longer in the book"
            lines.append(f"kept       {name}: it {renamed}. Yours stays.")
    return lines


def _successor(chapters, copy):
    """Return the name of the chapter that has most of a copy's cells, if any has."""
    had = {cell.get("id") for cell in _cells(copy)}
    shared = {
        source.relative_to(chapters).as_posix(): len(
            had & {cell.get("id") for cell in _cells(source)}
        )
        for source in _originals(chapters)
        if source.suffix == ".ipynb"
    }
    best = max(shared, key=shared.__getitem__, default=None)
    return best if best and 2 * shared[best] > len(had) else None


def _look_at(copy):
    """Return what a reader's copy holds, or None where it is not what was copied."""
    try:
        text = copy.read_bytes()
        return Copied(_content(text, copy), _digest(text))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _as_copied(source):
    """Return the bytes a reader gets: a notebook without its tie to the Markdown."""
    if source.suffix != ".ipynb":
        return source.read_bytes()
    notebook = nbformat.read(source, as_version=4)
    notebook.metadata.pop("jupytext", None)
    return (nbformat.writes(notebook) + "\n").encode()


def _content(text, path):
    """Return the digest of what a reader writes: of a notebook, cells but no outputs.

    Running a cell is no edit, and neither is the empty cell that Shift-Enter leaves at
    the end, nor a new line at the end of a cell.
    """
    if path.suffix != ".ipynb":
        return _digest(text)
    written = [
        [
            cell["cell_type"],
            "".join(cell["source"]).rstrip(),
            cell.get("attachments", {}),
        ]
        for cell in json.loads(text)["cells"]
    ]
    return _digest(json.dumps([cell for cell in written if cell[1].strip()]).encode())


def _digest(text):
    return hashlib.sha256(text).hexdigest()


def _copy(text, copy, name, record, new, notary):
    _write(copy, text)
    record[name] = new
    _trust(text, copy, notary)


def _trust(text, copy, notary):
    """Let Lab show the stored widgets at once: they are the book's own bytes."""
    if copy.suffix == ".ipynb":
        notary.sign(nbformat.reads(text.decode(), as_version=4))


def _write(path, text):
    """Write the whole file or nothing: what was there stays until the new is done."""
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".copying-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(beside, 0o644)
            os.replace(beside, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(beside)
            raise


@contextmanager
def _explained(path):
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "the disk is full" if full else (error.strerror or str(error))
        raise Failure(
            f"{path} could not be written: {why}. What you wrote is as it was.\n"
            + ("Make room" if full else "Mend that")
            + ", then run the command again."
        ) from error


def _read_record(work):
    """Return what was copied before, and a line if that can no longer be known."""
    path = work / RECORD
    try:
        copies = json.loads(path.read_text(encoding="utf-8"))["copies"]
        return {name: Copied(**copied) for name, copied in copies.items()}, []
    except FileNotFoundError:
        return {}, []
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        lost = f"The record {path} cannot be read: what differs from the book is kept."
        return {}, [lost]


def _write_record(work, record):
    about = "What tools/lab.py copied here, to know what you changed since."
    copies = {name: vars(copied) for name, copied in sorted(record.items())}
    text = json.dumps({"about": about, "copies": copies}, indent=1)
    _write(work / RECORD, text.encode())


# ------------------------------------------------------------ a chapter begun again


def begin_again(given: str, chapters: Path, work: Path, *, carry: bool) -> list[str]:
    """Take the book's version of a chapter; carry the reader's exercises over into it.

    What was there stays beside it. Return the lines to say.
    """
    source = _named(given, chapters)
    name = source.relative_to(chapters).as_posix()
    copy = work / name
    if not copy.exists():
        return []  # it is about to be added
    if _leads_out(copy, work):
        raise Failure(f"{copy}: {LEADS_OUT.format(work)}")
    book = _as_copied(source)
    new = nbformat.reads(book.decode(), as_version=4)
    carried, lost = _carry_over(copy, new) if carry else ([], [])
    aside = _aside(copy)
    with _explained(aside):
        shutil.copy2(copy, aside)
    record, lines = _read_record(work)
    with NotebookNotary() as notary:
        text = (nbformat.writes(new) + "\n").encode() if carried else book
        as_copied = Copied(_content(book, source), _digest(book))
        _copy(text, copy, name, record, as_copied, notary)
    _write_record(work, record)
    told = f", with your exercises {', '.join(carried)}" if carried else ""
    gone = f" ({', '.join(lost)} only there: the book's has none)" if lost else ""
    return [*lines, f"new        {name}{told}; yours is beside it: {aside.name}{gone}"]


def _named(given, chapters):
    """Return the one chapter that a reader means."""
    names = {
        source.relative_to(chapters).as_posix(): source
        for source in _originals(chapters)
        if source.suffix == ".ipynb"
    }
    meant = [name for name in names if name == given] or [
        name for name in names if name.startswith(given)
    ]
    if len(meant) != 1:
        among = ", ".join(meant or names)
        raise Failure(f"{given!r} names {len(meant)} chapters, not one: {among}")
    return names[meant[0]]


def _aside(copy):
    """Return a name beside a copy that is free; no chapter's begins like it."""
    names = (copy.with_name(f"yours-{n}-{copy.name}") for n in range(1, 1000))
    return next(name for name in names if not os.path.lexists(name))


def _carry_over(copy, new):
    """Put the reader's answers into a notebook; return which, and what has no place."""
    try:
        there = _exercises(nbformat.read(copy, as_version=4))
    except Exception as error:  # nbformat has its own for each way to be broken
        raise Failure(f"{copy} cannot be read: {error}") from error
    mine = {id: cell for id, cell in there.items() if not _as_the_book_wrote(cell)}
    places = _exercises(new)
    for id in mine.keys() & places.keys():
        places[id].update(source=mine[id].source, outputs=[], execution_count=None)
    return [id for id in mine if id in places], [id for id in mine if id not in places]


def _as_the_book_wrote(cell):
    """Whether a cell's name is still the digest of what it says: tools/execute.py."""
    said = f"{cell.cell_type}\n{cell.source.rstrip()}".encode()
    return cell.get("id", "").partition("-")[0] == _digest(said)[:12]


def _exercises(notebook):
    """Return the cells that are to be answered, by the exercise's number."""
    return {
        tag.removeprefix("exercise-"): cell
        for cell in notebook.cells
        if cell.cell_type == "code"
        for tag in cell.metadata.get("tags", [])
        if tag.startswith("exercise-")
    }


# ----------------------------------------------------------------------- JupyterLab


def command(work: Path, options: list[str], *, hub: bool = False) -> list[str]:
    """Return the options with which JupyterLab opens at chapter 1.

    Chapter 0 is for those who need it, and chapter 1 sends them there. Where keys can
    be had, what kernels and server say to each other is encrypted: a kernel would
    otherwise warn on the terminal that it is not. A hub says itself on which port.
    """
    names = sorted(path.name for path in work.glob("[0-9]*.ipynb"))
    if not names:
        raise Failure("There is no chapter yet: chapters/ holds no .ipynb to copy.")
    first = next((name for name in names if not name.startswith("00")), names[0])
    log_level = any(option.startswith(LOG_LEVEL_OPTIONS) for option in options)
    return [
        f"--ServerApp.root_dir={work}",
        f"--{'ServerApp' if hub else 'LabApp'}.default_url=/lab/tree/{first}",
        *([] if log_level else ["--log-level=WARN"]),
        *(["--allow-root"] if _is_root() else []),
        *(["--KernelManager.transport_encryption=auto"] if zmq.has("curve") else []),
        *([] if hub else _port(options)),
        *options,
    ]


def _is_root():
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _port(options):
    """Return the options for a free port; refuse one that was asked for and is not."""
    asked = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    asked.add_argument("--port", "--ServerApp.port", type=int)
    asked.add_argument("--ip", "--ServerApp.ip", default="localhost")
    given, _ = asked.parse_known_args(options)
    if given.port is None:
        return _free_port(given.ip)
    if why := _why_not(given.ip, given.port):
        raise Failure(
            f"Port {given.port} cannot be used: {why}. Name another, "
            "or none, and a free one is found: make lab"
        )
    return ["--ServerApp.port_retries=0"]


def _free_port(ip, first=8888):
    ports = range(first, first + 100)
    port = next((port for port in ports if not _why_not(ip, port)), first)
    if port != first:
        print(f"Port {first} is taken (another JupyterLab?): using {port}.")
    return [f"--ServerApp.port={port}"]


def _why_not(ip, port):
    """Return why no server can listen there, or None; a name may have two addresses."""
    if not 0 < port < 2**16:
        return "ports are numbers from 1 to 65535"
    host = None if ip in ("", "*") else ip
    try:
        places = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        return str(error)
    return next(filter(None, (_refusal(*place) for place in places)), None)


def _refusal(family, kind, protocol, _, address):
    try:
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        no_such_address = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
        return None if error.errno in no_such_address else error.strerror
    return None


def environment(work: Path) -> dict[str, str]:
    """Return the environment for this launch: the reader's, with two things added.

    No pop-up that offers news from a foreign host, as a default which the reader's own
    settings overrule; and the open tabs remembered with the copies, not among the
    reader's other work.
    """
    others = os.environ.get("JUPYTER_CONFIG_PATH")
    return {
        **os.environ,
        "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, [str(SETTINGS), others])),
        "JUPYTERLAB_WORKSPACES_DIR": str(work / ".jupyter" / "workspaces"),
    }


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--hub", action="store_true")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--chapters", type=Path, default=ROOT / "chapters")
    parser.add_argument("--carry-over", action="append", default=[])
    parser.add_argument("--begin-again", action="append", default=[])
    parser.add_argument("--without-solutions", action="store_true")
    parser.add_argument("--copies-only", action="store_true")
    given, options = parser.parse_known_args(arguments)
    home = Path.home() if given.hub else ROOT
    chapters, work = given.chapters.resolve(), (given.work or home / "work").resolve()
    try:
        lines = []
        for carry, names in ((True, given.carry_over), (False, given.begin_again)):
            for name in names:
                lines += begin_again(name, chapters, work, carry=carry)
        lines += refresh(chapters, work, solutions=not given.without_solutions)
        print("".join(f"{line}\n" for line in lines if told(line, given.hub)), end="")
        launch = [] if given.copies_only else command(work, options, hub=given.hub)
    except Failure as failure:
        sys.exit(f"error: {failure}")
    if launch:
        open_lab(work, launch, hub=given.hub)


def told(line: str, hub: bool) -> bool:
    """Whether a line is to be said: thirty learners' copies fill the hub's terminal."""
    return not (hub and line.startswith(("added", "refreshed")))


def open_lab(work: Path, launch: list[str], *, hub: bool) -> None:
    """Become JupyterLab's server, or a hub's; it reads the environment when loaded."""
    os.environ.update(environment(work))
    if hub:
        limit_memory(os.environ.get("MEM_LIMIT"))
        from jupyterhub.singleuser.extension import main as launch_instance
    else:
        print(f"Your copies are in {work}. Ctrl-C here ends the session.", flush=True)
        from jupyterlab.labapp import LabApp

        launch_instance = LabApp.launch_instance
    launch_instance(launch)
    # The server has ended and so have its kernels. But a thread that anyio keeps for a
    # task which the server left would hold this process for ever (anyio's issue 321).
    sys.stdout.flush()
    os._exit(0)


def limit_memory(most: str | None) -> None:
    """Hold this process, and each that it starts, to the bytes that the hub allows.

    The hub itself does not, where it starts plain processes. Only Linux counts them: a
    cell that wants more gets an error, and nobody else is disturbed.
    """
    if most and sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (int(most), int(most)))


if __name__ == "__main__":
    main(sys.argv[1:])
