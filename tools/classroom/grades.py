"""Grade a class: run each learner's answers, and write a table and a page.

usage: python tools/classroom/grades.py FOLDER ... [--to FOLDER] [--seconds N]
                                        [--jobs N] [--unconfined]

Each FOLDER is one learner's: their home, or the copies themselves; its name is theirs.
Of each chapter's notebook the cells with the tag exercise-N.M are run, in a fresh
process, and what they define is judged by the book's own check. What learners have
recorded of their progress is not read. A process is confined to an empty folder: where
the system has no means for that, nothing is run unless --unconfined says so.
"""

import argparse
import ast
import csv
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    if os.name == "nt":
        sys.exit("error: answers are run on Linux or macOS. On Windows, grade in WSL.")
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.classroom import confine

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "chapters"
WORKER = Path(__file__).with_name("worker.py")
LARGEST = 20 * 2**20  # bytes: a chapter with its widgets has one million
TO_BEGIN = 600  # seconds for PyTorch to be loaded, on a machine that has much to do
LONGEST = 500  # characters of what is said of an answer
LONGEST_LINE = 2**20  # bytes that a worker may tell at once; an honest one needs fewer
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a table computes

RIGHT = "right"
OPEN = "not attempted"
MISTAKE = "named mistake"
WRONG = "wrong"
RAISED = "error"
LATE = "no end"
ENDED = "ended Python"
NO_ANSWER = "no answer"
NO_CELL = "no cell"
BROKEN = "broken notebook"
NONE = "no notebook"
# What the book's check calls each, and what the worker adds.
OF_STAGE = {
    "SOLVED": RIGHT,
    "UNTOUCHED": OPEN,
    "MISTAKE": MISTAKE,
    "RAISED": RAISED,
    "NO_ANSWER": NO_ANSWER,
}


@dataclass(frozen=True)
class Row:
    """What one learner has of one exercise, on the day of the grading."""

    who: str
    exercise: str
    verdict: str
    mistake: str
    said: str
    date: str


@dataclass(frozen=True)
class Settings:
    """How cells are run: the seconds that each has, and whether confined."""

    seconds: int = 60
    confined: bool = True


@dataclass(frozen=True)
class End:
    """That a process came to no good end. Only who waits for it can tell this."""

    verdict: str
    said: str = "the process that ran it is gone"


class Unreadable(Exception):
    """What a learner has in a notebook's place; the message says why it is none."""


# --------------------------------------------------------------------------- a learner


def grade(folder: Path, settings: Settings) -> Iterator[Row]:
    """Yield a row for each exercise of the book."""
    who, date = folder.name, datetime.now(UTC).date().isoformat()
    for chapter in sorted(CHAPTERS.glob("[0-9][0-9]_*.ipynb")):
        found = of_chapter(chapter, folder, settings)
        for id, (verdict, mistake, said) in found.items():
            cells = (plain(text) for text in (verdict, mistake, said))
            yield Row(plain(who), id, *cells, date=date)


def plain(text: str) -> str:
    """Return words on one line, of some length, that any file can hold."""
    return " ".join(text.encode("utf-8", "replace").decode().split())[:LONGEST]


def of_chapter(
    chapter: Path, home: Path, settings: Settings
) -> dict[str, tuple[str, str, str]]:
    """Return verdict, mistake and what is said of each exercise of a chapter."""
    try:
        path = place(home) / chapter.name
        there = os.path.lexists(path)
        mine = exercises(of_learner(path, home)) if there else None
    except (OSError, Unreadable) as why:
        return dict.fromkeys(exercises(read(chapter)), (BROKEN, "", str(why)))
    return of_notebook(mine, chapter, home, settings)


def place(folder: Path) -> Path:
    """Return where a learner's copies are: in their home, or the folder itself."""
    os.listdir(folder)  # or the error that says why nobody may
    work = folder / "work"
    return work if work.is_dir() else folder


def of_notebook(
    mine: dict[str, list[str]] | None, chapter: Path, home: Path, settings: Settings
) -> dict[str, tuple[str, str, str]]:
    """Return the same of the cells that a learner has; None is no notebook."""
    book = exercises(read(chapter))
    if mine is None:
        return dict.fromkeys(book, (NONE, "", ""))
    found = {id: (NO_CELL, "", "") for id in book if id not in mine}
    found |= {id: (OPEN, "", "") for id in book if mine.get(id) == book[id]}
    written = {id: cells for id, cells in mine.items() if id in book.keys() - found}
    if written:
        found |= run(written, chapter, home, settings)
    return {id: found[id] for id in book}


def of_learner(path: Path, home: Path) -> dict:
    """Read a notebook that may be anything, or lie anywhere.

    Raises
    ------
    Unreadable
        If it is no notebook, or a link leads out of the learner's folder.
    """
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(home)):
        raise Unreadable("a link leads out of the learner's folder")
    if not path.is_file():
        raise Unreadable("not a file")
    if path.stat().st_size > LARGEST:
        raise Unreadable(f"larger than {LARGEST} bytes")
    try:
        notebook = read(path)
        exercises(notebook)
    except (OSError, ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from None
    except (LookupError, TypeError, AttributeError):
        raise Unreadable("JSON, but not a notebook") from None
    return notebook


def read(path: Path) -> dict:
    return json.loads(path.read_bytes())


def exercises(notebook: dict) -> dict[str, list[str]]:
    """Return the cells of each exercise; one that was split has several."""
    found: dict[str, list[str]] = {}
    for cell in notebook["cells"]:
        for tag in cell.get("metadata", {}).get("tags", ()):
            if tag.startswith("exercise-") and cell["cell_type"] == "code":
                source = "".join(cell["source"]).rstrip()
                found.setdefault(tag.removeprefix("exercise-"), []).append(source)
    return dict(sorted(found.items(), key=lambda each: _number(each[0])))


def _number(id: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in id.split("."))


# ------------------------------------------------------------------------ a notebook


def run(
    written: dict[str, list[str]], chapter: Path, home: Path, settings: Settings
) -> dict[str, tuple[str, str, str]]:
    """Run and judge a notebook's answers, in their order.

    An answer that does not come to an end ends its process. The next one begins
    without it: it runs what came before, whose names a later answer may use, and
    judges the rest.
    """
    found: dict[str, tuple[str, str, str]] = {}
    lost: set[str] = set()
    while left := [id for id in written if id not in found]:
        tried = [id for id in written if id not in lost]
        told = [{"id": id, "cells": written[id], "judged": id in left} for id in tried]
        begun = left[0]
        for answer in process(told, chapter, home, settings):
            if isinstance(answer, End):
                found.setdefault(begun, (answer.verdict, "", answer.said))
                lost.add(begun)
            elif "begins" in answer:
                begun = answer["begins"]
            elif answer["id"] in left and "stage" in answer:
                found[answer["id"]] = verdict(answer)
        if left[0] not in found and not lost.intersection(tried):
            found[left[0]] = (ENDED, "", "what it told made no sense")
    return found


def verdict(answer: dict) -> tuple[str, str, str]:
    """Return what a worker told of an answer; its words may be anything."""
    name = OF_STAGE.get(str(answer["stage"]), WRONG)
    return name, str(answer.get("mistake") or ""), str(answer.get("said", ""))


def process(
    told: list[dict], chapter: Path, home: Path, settings: Settings
) -> Iterator[dict[str, Any] | End]:
    """Yield what a worker tells, and last, if it was stopped or ended, that."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryFile() as noise,
    ):
        reads, writes = os.pipe()
        worker = subprocess.Popen(
            [*confine.prefix(Path(folder)), sys.executable, str(WORKER), str(writes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=noise,
            pass_fds=[writes],
            cwd=folder,
            env=environment(folder),
            start_new_session=True,
            text=True,
            **owner(home, Path(folder)),
        )
        os.close(writes)
        try:
            task = {"names": names(chapter), "exercises": told, **vars(settings)}
            tell(worker, task)
            lines = _lines(reads, [each["id"] for each in told], settings.seconds)
            if isinstance(next(lines), End):
                noise.seek(0)
                raise RuntimeError(f"no answer can be run: {noise.read().decode()}")
            yield from lines
        finally:
            os.close(reads)
            with suppress(ProcessLookupError, PermissionError):  # it is gone: macOS
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


def tell(worker: subprocess.Popen[str], task: dict) -> None:
    """Hand a worker its task; one that has ended already will tell nothing."""
    assert worker.stdin
    with suppress(BrokenPipeError), worker.stdin:
        json.dump(task, worker.stdin)


def _lines(pipe: int, ids: list[str], seconds: int) -> Iterator[dict[str, Any] | End]:
    """Yield each line that a worker has to tell, in time and in its place.

    An answer can write into the pipe, too. So a line that is not the next one counts
    for nothing, and does not move the time at which the next one is due.
    """
    steps = [("ready", True), *((key, id) for id in ids for key in ("begins", "id"))]
    waiting, patience = b"", TO_BEGIN
    due = time.monotonic() + patience
    while steps:
        ready, _, _ = select.select([pipe], [], [], max(0, due - time.monotonic()))
        came = os.read(pipe, 2**16) if ready else b""
        *whole, waiting = (waiting + came).split(b"\n")
        left = len(steps)
        for answer in map(parsed, whole):
            if steps and (key := steps[0][0]) in answer and answer[key] == steps[0][1]:
                yield answer
                del steps[0]
        if len(steps) < left:
            patience = seconds
            due = time.monotonic() + patience
        elif end := _end(came, waiting, bool(ready), patience, due):
            yield end
            return


def _end(
    came: bytes, waiting: bytes, ready: bool, patience: int, due: float
) -> End | None:
    """Return why nothing more is waited for, if that is so."""
    if ready and not came:
        return End(ENDED)
    if len(waiting) > LONGEST_LINE:
        return End(ENDED, f"it told more than {LONGEST_LINE} bytes at once")
    if time.monotonic() >= due:
        return End(LATE, f"not after {patience} s")
    return None


def parsed(line: bytes) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        answer = json.loads(line)
        if isinstance(answer, dict):
            return answer
    return {}


def environment(folder: str) -> dict[str, str]:
    """The environment of a learner's answers: nothing of the instructor's is in it."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    homes = dict.fromkeys(("HOME", "TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR"), folder)
    paths = [str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    fixed = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "QKV_QUIET": "1"}
    return {**kept, **homes, **fixed, "PYTHONPATH": os.pathsep.join(paths)}


def owner(home: Path, scratch: Path) -> dict[str, Any]:
    """Return whose process it is to be: where root grades, the learner's own."""
    learner = home.stat()
    if os.geteuid() != 0 or learner.st_uid == 0:
        return {}
    os.chown(scratch, learner.st_uid, learner.st_gid)
    return {"user": learner.st_uid, "group": learner.st_gid, "extra_groups": []}


@cache
def names(chapter: Path) -> str:
    """Return the code that makes the names which a chapter's cells may use.

    It is the first cell of the book's own notebook, and what the others import.
    """
    first, *others = (
        "".join(cell["source"])
        for cell in read(chapter)["cells"]
        if cell["cell_type"] == "code"
    )
    return "\n".join([first, *(line for cell in others for line in _imports(cell))])


def _imports(source: str) -> Iterator[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic command
        return
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield ast.unparse(node)


# ---------------------------------------------------------------------------- the class


def grade_all(folders: list[Path], settings: Settings, jobs: int) -> list[Row]:
    """Grade several learners at a time; say who is done."""
    with ThreadPoolExecutor(jobs) as pool:
        rows = []
        for each in pool.map(lambda folder: [*grade(folder, settings)], folders):
            right = sum(row.verdict == RIGHT for row in each)
            print(f"{each[0].who}: {right} of {len(each)} right", flush=True)
            rows += each
    return rows


def write(rows: list[Row], folder: Path) -> None:
    """Write the table and the page."""
    from tools.classroom.page import page

    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "grades.csv", "w", newline="", encoding="utf-8-sig") as file:
        table = csv.writer(file)
        table.writerow([field.name for field in fields(Row)])
        table.writerows(map(safe, astuple(row)) for row in rows)
    (folder / "index.html").write_text(page(rows), "utf-8")


def safe(cell: str) -> str:
    """Return a cell that no table program takes for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def of_learners(named: list[Path]) -> list[Path]:
    """Return the learners' folders, each with a name of its own; or say what is wrong.

    A file among them, as homes/* may have, is none and is said to be left out.
    """
    if gone := [str(path) for path in named if not path.exists()]:
        sys.exit(f"error: there is no {', '.join(gone)}.{HOW}")
    folders = [path.resolve() for path in named if path.is_dir()]
    for path in set(named) - {path for path in named if path.is_dir()}:
        print(f"{path} is not a folder: left out.")
    if not folders:
        sys.exit(f"error: no folder of a learner is named.{HOW}")
    count = Counter(folder.name for folder in folders)
    if twice := sorted(name for name, times in count.items() if times > 1):
        sys.exit(
            f"error: more than one folder has the name {', '.join(twice)}. A learner "
            "is known by it: name each once, or grade the classes one after the other."
        )
    return folders


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="make grades", description="Grade a class.")
    parser.add_argument("folders", nargs="+", type=Path, help="one for each learner")
    parser.add_argument("--to", type=Path, default=ROOT / "grades")
    parser.add_argument("--seconds", type=int, default=60, help="that a cell may take")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--unconfined", action="store_true")
    given = parser.parse_args(arguments)
    folders = of_learners(given.folders)
    means = None if given.unconfined else confine.means()
    if not (means or given.unconfined):
        sys.exit(NO_MEANS)
    held = f"by {means} to a folder of its own" if means else "by nothing"
    print(f"{len(folders)} learners; what they wrote runs confined {held}.")
    began = time.monotonic()
    try:
        rows = grade_all(folders, Settings(given.seconds, bool(means)), given.jobs)
    except PermissionError as error:
        sys.exit(f"error: {error}.{NO_ENTRY}")
    write(rows, given.to)
    took = time.monotonic() - began
    print(f"{given.to}/grades.csv and {given.to}/index.html, in {took:.0f} s")


HOW = ' Name one folder for each learner: make grades ARGS="homes/*"'

NO_MEANS = """\
error: this system has no means to keep learners' code from writing outside a folder of
its own (Linux 6.2 or newer with Landlock; macOS). Grade on one that has, or in a
container or virtual machine that holds nothing else, and say so: add --unconfined."""

NO_ENTRY = """
Root grades each learner as the owner of their home, and that owner may not run this
Python: let all read the book's folder and the Python that .venv was made with."""

if __name__ == "__main__":
    main(sys.argv[1:])
