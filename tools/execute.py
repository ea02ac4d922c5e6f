"""Run the chapters and write their twins: the same notebooks with what they printed.

usage: python tools/execute.py [--check] [--all] [--jobs N] [chapter.md ...]

A chapter's Markdown is the only file anyone edits. Its twin beside it, NN_slug.ipynb,
holds the cells, their outputs and the state of their widgets. Two runs give the same
bytes. A chapter runs again when its code has changed, or a file of the package that its
kernel has read, be it a module, a checkpoint or other data; when only its prose has,
the outputs of the last run are kept. So are, in any case, those of cells tagged
`shows-seconds`, until what they measure has changed: no two runs take the same time.
The JavaScript and CSS of its widgets is stored, not run: where they have changed, they
are put into the twin, and nothing runs. Nor does it where only tags have: which cells
fold in JupyterLab (tools/folding.py) is written into the twin each time.

    --all     run every chapter given, changed or not
    --check   write nothing; name the twins that are not up to date, and fail if any is
    --jobs N  run N chapters at a time, each in one thread (2, where there are 2 cores)
"""

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]  # this tree's, wherever it is installed

from tools import kernel  # noqa: E402
from tools.folding import fold  # noqa: E402

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3", "language": "python", "name": kernel.NAME}
LANGUAGE = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "pygments_lexer": "ipython3",
}
FRONT_ENDS = (".js", ".css")  # read by the kernel, and stored as they are
SECONDS, MAY_RAISE = "shows-seconds", "raises-exception"
UNCHANGED, PROSE, MODULES = "unchanged", "prose renewed", "modules renewed"


@dataclass(frozen=True)
class Outcome:
    """What became of one chapter: its twin's text, and what making it cost."""

    text: str
    action: str
    cpu_seconds: float = 0.0


@dataclass(frozen=True)
class Report:
    """Whether all is well with one chapter, and what is said of it."""

    good: bool
    line: str


# ------------------------------------------------------------------ reading and keeping


def chapters(paths: list[Path]) -> list[Path]:
    """The sources to run: those given, or every chapter and its solutions."""
    found = paths or sorted((ROOT / "chapters").glob("**/*.md"))
    for path in found:
        if not path.is_file():
            raise SystemExit(f"{path}: no such chapter")
    return [path for path in found if "kernelspec" in jupytext.read(path).metadata]


def code_of(notebook: NotebookNode) -> list[tuple[str, bool]]:
    """What decides the outputs: the code cells, and which of them may raise."""
    return [
        (cell.source, MAY_RAISE in cell.metadata.get("tags", ()))
        for cell in code_cells(notebook)
    ]


def hash_of(files: Iterable[str]) -> str:
    """One hash over files of the package, by their paths in it; some may be gone."""
    digest = hashlib.sha256()
    for name in sorted(files):
        file = kernel.PACKAGE / name
        digest.update(name.encode() + b"\0")
        digest.update(file.read_bytes() + b"\0" if file.is_file() else b"")
    return digest.hexdigest()[:16]


def read_twin(twin: Path) -> NotebookNode | None:
    """The twin as it is, or None where there is none that can be read."""
    try:
        return nbformat.read(twin, as_version=4)
    except (OSError, ValueError, nbformat.reader.NotJSONError):
        return None


def last_run(source: NotebookNode, twin: Path) -> NotebookNode | None:
    """The twin, when running ``source`` again would give its outputs, else None."""
    old = read_twin(twin)
    if old is None or code_of(old) != code_of(source):
        return None
    made = old.metadata.get("made_from", {})
    return old if made.get("hash") == hash_of(made.get("files", ())) else None


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def keep_seconds(notebook: NotebookNode, old: NotebookNode) -> None:
    """Put the last run's outputs where a cell shows how long something took."""
    for cell, before in zip(code_cells(notebook), code_cells(old), strict=True):
        if SECONDS in cell.metadata.get("tags", ()):
            cell.outputs = before.outputs


def carry_over(source: NotebookNode, old: NotebookNode) -> NotebookNode:
    """The new prose with the outputs of the last run."""
    for cell, before in zip(code_cells(source), code_cells(old), strict=True):
        cell.outputs, cell.execution_count = before.outputs, before.execution_count
    for key in ("widgets", "made_from"):
        if key in old.metadata:
            source.metadata[key] = old.metadata[key]
    return source


# -------------------------------------------------------------------------- running


def run(notebook: NotebookNode, path: Path) -> float:
    """Fill in the outputs and what they were made from; return the CPU seconds.

    Raises
    ------
    KernelError
        If a cell raises, or the kernel dies.
    """
    ran = kernel.run(notebook, path)
    files = [name for name in ran.files if not name.endswith(FRONT_ENDS)]
    notebook.metadata["made_from"] = {"hash": hash_of(files), "files": files}
    return ran.cpu_seconds


# ------------------------------------------------------------------------ front ends


def front_ends(notebook: NotebookNode) -> list[dict[str, str]]:
    """The JavaScript and CSS that are stored for the package's widgets."""
    return [
        {key: state[key] for key in ("_esm", "_css") if key in state}
        for state in _of_our_widgets(notebook)
    ]


def renew_front_ends(notebook: NotebookNode) -> None:
    """Put today's JavaScript and CSS into the stored state of the widgets."""
    for state in _of_our_widgets(notebook):
        today = front_end(state["_anywidget_id"])
        state.update({key: text for key, text in today.items() if key in state})


def _of_our_widgets(notebook: NotebookNode) -> list[dict]:
    every = _states(notebook)
    return [s for s in every if s.get("_anywidget_id", "").startswith("qkv.")]


@cache
def front_end(name: str) -> dict[str, str]:
    """What a widget's class, by its full name, has to send to a browser today."""
    module, _, class_name = name.rpartition(".")
    widget = getattr(import_module(module), class_name)
    return {key: str(getattr(widget, key, "")) for key in ("_esm", "_css")}


# --------------------------------------------------------------------- canonical form


def canonical(notebook: NotebookNode, name: str) -> NotebookNode:
    """The same notebook with nothing in it that differs from one run to the next."""
    notebook = _name_widgets(notebook, name)
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        said = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()
        turn = seen[said] = seen.get(said, 0) + 1
        cell["id"] = said[:12] if turn == 1 else f"{said[:12]}-{turn}"
        cell.metadata.pop("execution", None)
        _fold(cell)
    metadata = notebook.metadata
    metadata.pop("jupytext", None)  # a reader's Lab must not pair the copy
    metadata["kernelspec"], metadata["language_info"] = KERNEL, LANGUAGE
    notebook["nbformat"], notebook["nbformat_minor"] = 4, 5
    return notebook


def _fold(cell: NotebookNode) -> None:
    """Let JupyterLab show the first line alone of a cell that folds."""
    tags = cell.metadata.get("tags", ())
    if cell.cell_type == "code" and fold(cell.source, tags):
        cell.metadata.setdefault("jupyter", {})["source_hidden"] = True


def _name_widgets(notebook: NotebookNode, name: str) -> NotebookNode:
    """Give widget models ids by the order of their first use, and drop the rest."""
    stored = notebook.metadata.pop("widgets", {}).get(STATE, {})
    models = {key: _bare(model) for key, model in stored.get("state", {}).items()}
    order = _reachable(notebook, models)
    if not order:
        return notebook
    _keep_one_sheet([models[key]["state"] for key in order])
    state = {**stored, "state": {key: models[key] for key in order}}
    notebook.metadata["widgets"] = {STATE: state}
    new = {
        key: hashlib.md5(f"{name}:{n}".encode()).hexdigest()
        for n, key in enumerate(order)
    }
    text = re.sub("|".join(order), lambda m: new[m[0]], nbformat.writes(notebook))
    return nbformat.reads(text, as_version=4)


def _bare(model: dict) -> dict:
    """An anywidget model without its layout model, which only holds defaults."""
    if model.get("model_module") != "anywidget":
        return model
    return {**model, "state": {**model["state"], "layout": None}}


def _keep_one_sheet(states: list[dict]) -> None:
    """Leave the widgets' style sheet to the first of them: a page needs it once."""
    seen: set[str] = set()
    for state in states:
        sheet = state.get("_css")
        if sheet in seen:
            state["_css"] = ""
        elif sheet:
            seen.add(sheet)


def _reachable(notebook: NotebookNode, models: dict[str, dict]) -> list[str]:
    shown = json.dumps([cell.get("outputs", []) for cell in notebook.cells])
    order, waiting = [], re.findall(r'"model_id": "([0-9a-f]{32})"', shown)
    while waiting:
        key = waiting.pop(0)
        if key in models and key not in order:
            order.append(key)
            inside = json.dumps(models[key])
            waiting += re.findall(r"IPY_MODEL_([0-9a-f]{32})", inside)
    return order


def to_text(notebook: NotebookNode) -> str:
    """The twin's bytes: keys sorted, Korean as Korean, one newline at the end.

    Each trait of a widget stands on one line: with a line and its indent for each of
    their numbers and words, a sixth of the largest twin was white space.
    """
    nbformat.validate(notebook)
    document = json.loads(nbformat.writes(notebook))
    traits: list[str] = []
    for state in _states(document):
        for name, value in state.items():
            state[name] = f"\0{len(traits)}"
            traits.append(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    text = json.dumps(document, ensure_ascii=False, indent=1)
    return re.sub(r'"\\u0000(\d+)"', lambda m: traits[int(m[1])], text) + "\n"


def _states(notebook: dict) -> list[dict]:
    stored = notebook["metadata"].get("widgets", {}).get(STATE, {}).get("state", {})
    return [model["state"] for model in stored.values()]


# ------------------------------------------------------------------------- the command


def make_twin(path: Path, *, always: bool = False) -> Outcome:
    """Bring the twin of one chapter up to date, running it only where it must."""
    notebook, twin = jupytext.read(path), path.with_suffix(".ipynb")
    name = "/".join(path.resolve().with_suffix("").parts[-2:])
    old = last_run(notebook, twin)
    if old is not None and not always:
        return _without_running(notebook, old, name, twin)
    cpu_seconds = run(notebook, path)
    if old is not None:
        keep_seconds(notebook, old)
    return Outcome(to_text(canonical(notebook, name)), "run", cpu_seconds)


def _without_running(
    notebook: NotebookNode, old: NotebookNode, name: str, twin: Path
) -> Outcome:
    stored = front_ends(old)
    notebook = carry_over(notebook, old)
    renew_front_ends(notebook)
    notebook = canonical(notebook, name)
    text = to_text(notebook)
    if text == twin.read_text(encoding="utf-8"):
        return Outcome(text, UNCHANGED)
    return Outcome(text, PROSE if front_ends(notebook) == stored else MODULES)


def stale(path: Path) -> str | None:
    """Why the twin of ``path`` is not up to date, or None where it is."""
    notebook, twin = jupytext.read(path), path.with_suffix(".ipynb")
    old = read_twin(twin)
    if old is None:
        return "has no twin yet, or none that can be read"
    if code_of(old) != code_of(notebook):
        return "its code differs from the twin's"
    if last_run(notebook, twin) is None:
        return "a file that it reads of the package has changed"
    return {
        UNCHANGED: None,
        PROSE: "its prose differs from the twin's, or its tags",
        MODULES: "the JavaScript or CSS of its widgets differs from the twin's",
    }[make_twin(path).action]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--jobs", type=int, default=kernel.JOBS)
    options = parser.parse_args(arguments)
    task = check if options.check else partial(write, always=options.all)
    done = []
    for report in kernel.in_parallel(task, chapters(options.paths), options.jobs):
        where = sys.stdout if report.good or options.check else sys.stderr
        if report.line:
            print(report.line, file=where, flush=True)
        done.append(report.good)
    if options.check and not all(done):
        print("run `make notebooks` to bring them up to date")
    return 0 if all(done) else 1


def check(path: Path) -> Report:
    """Say why a twin is not up to date, where it is not."""
    why = stale(path)
    return Report(why is None, f"{_shown(path)}: {why}" if why else "")


def write(path: Path, *, always: bool) -> Report:
    """Bring a twin up to date, and say what that took; a failure leaves it as it is."""
    try:
        outcome = make_twin(path, always=always)
    except kernel.KernelError as error:
        return Report(False, f"{error}\nthe old twin is kept")
    if outcome.action != UNCHANGED:
        path.with_suffix(".ipynb").write_text(outcome.text, encoding="utf-8")
    cost = f", {outcome.cpu_seconds:.1f} CPU s" if outcome.action == "run" else ""
    size = len(outcome.text.encode()) / 1000
    return Report(True, f"{_shown(path)}: {outcome.action}{cost}, {size:.0f} kB")


def _shown(path: Path) -> Path:
    full = path.resolve()
    return full.relative_to(ROOT) if full.is_relative_to(ROOT) else path


if __name__ == "__main__":
    sys.exit(main())
