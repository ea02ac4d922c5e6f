"""Open the book in JupyterLab, on the reader's own copies of the chapters.

usage: python tools/lab.py [--work FOLDER] [JupyterLab's options, e.g. --no-browser]

The copies lie in work/, with a record of what was copied. Chapters that are not yet
there are added, those whose cells are as they were copied are refreshed when the book
moves on, and those the reader edited are kept. Nothing a reader wrote is overwritten;
to begin a chapter anew, rename or delete the copy.
"""

import argparse
import errno
import hashlib
import json
import os
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
LOUDNESS = ("--debug", "--log-level", "--ServerApp.log_level")
SETTINGS = ROOT / "tools" / "jupyter"


class Failure(Exception):
    """What stands in the way, and what to do about it."""


# ---------------------------------------------------------------- the reader's copies


@dataclass(frozen=True)
class Copied:
    """What the record holds of one copy: what the reader could see, and the bytes."""

    content: str
    bytes: str


def refresh(chapters: Path, work: Path) -> list[str]:
    """Bring the reader's copies up to date; return a line on each that needs one."""
    with _explained(work):
        work.mkdir(parents=True, exist_ok=True)
    record, lines = _read_record(work)
    with NotebookNotary() as notary:
        for source in _originals(chapters):
            name = source.relative_to(chapters).as_posix()
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
        and not any(
            part.startswith((".", "__")) for part in path.relative_to(chapters).parts
        )
    ]


def _refresh_one(source, copy, name, record, notary):
    """Add, refresh or keep one copy; return the line to say about it, if any."""
    text = _as_copied(source)
    new = Copied(_content(text, source), _digest(text))
    if not os.path.lexists(copy):
        _copy(text, copy, name, record, new, notary)
        return f"added      {name}"
    mine = _look_at(copy)
    if mine is None:
        return f"kept       {name}: it cannot be read. {_newer(source)}"
    old = record.get(name)
    if mine.content == new.content and (old is None or old.content != new.content):
        old = record[name] = new  # the record was lost, or a run ended before it
    if old is None or mine.content != old.content:
        moved_on = old is None or old.content != new.content
        return f"kept       {name}: you changed it. {_newer(source)}" * moved_on
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


def _newer(source):
    where = source.relative_to(ROOT) if source.is_relative_to(ROOT) else source
    return (
        f"The book's version is newer: {where}. "
        "To have it, rename yours and run make lab again."
    )


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
    the end.
    """
    if path.suffix != ".ipynb":
        return _digest(text)
    written = [
        [cell["cell_type"], "".join(cell["source"]), cell.get("attachments", {})]
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
            + ", then run make lab again."
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


# ----------------------------------------------------------------------- JupyterLab


def command(work: Path, options: list[str]) -> list[str]:
    """Return the options with which JupyterLab opens at the first chapter.

    Where keys can be had, what kernels and server say to each other is encrypted: a
    kernel would otherwise warn on the terminal that it is not.
    """
    first = next((path.name for path in sorted(work.glob("[0-9]*.ipynb"))), None)
    if first is None:
        raise Failure("There is no chapter yet: chapters/ holds no .ipynb to copy.")
    loud = any(option.startswith(LOUDNESS) for option in options)
    return [
        f"--ServerApp.root_dir={work}",
        f"--LabApp.default_url=/lab/tree/{first}",
        *([] if loud else ["--log-level=WARN"]),
        *(["--allow-root"] if _is_root() else []),
        *(["--KernelManager.transport_encryption=auto"] if zmq.has("curve") else []),
        *_port(options),
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
    parser.add_argument("--work", type=Path, default=ROOT / "work")
    parser.add_argument("--chapters", type=Path, default=ROOT / "chapters")
    folders, options = parser.parse_known_args(arguments)
    work = folders.work.resolve()
    try:
        for line in refresh(folders.chapters.resolve(), work):
            print(line)
        launch = command(work, options)
    except Failure as failure:
        sys.exit(f"error: {failure}")
    print(f"Your copies are in {work}. Ctrl-C here ends the session.", flush=True)
    os.environ.update(environment(work))
    from jupyterlab.labapp import LabApp  # reads the environment when it is loaded

    LabApp.launch_instance(launch)


if __name__ == "__main__":
    main(sys.argv[1:])
