"""Run the chapters and write their twins: the same notebooks with what they printed.

usage: python tools/execute.py [--check] [--all] [chapter.md ...]

A chapter's Markdown is the only file anyone edits. Its twin beside it, NN_slug.ipynb,
holds the cells, their outputs and the state of their widgets. Two runs give the same
bytes. A chapter runs again when its code, or a file of the package that it imports,
has changed; when only its prose has, the outputs of the last run are kept. So are, in
any case, those of cells tagged `shows-seconds`, until what they measure has changed:
no two runs take the same time.

    --all    run every chapter given, changed or not
    --check  write nothing; name the twins that are not up to date, and fail if any is
"""

import argparse
import hashlib
import json
import os
import re
import resource
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "qkv"
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "pygments_lexer": "ipython3",
}
LIST_MODULES = (
    "import sys; print(*sorted(m for m in sys.modules if m.split('.')[0] == 'qkv'))"
)
SECONDS = "shows-seconds"
TIMEOUT = 900


class ChapterError(Exception):
    """A cell failed; the message says which, and how."""


@dataclass(frozen=True)
class Outcome:
    """What became of one chapter: its twin's text, and what making it cost."""

    text: str
    action: str
    cpu_seconds: float = 0.0


# ------------------------------------------------------------------ reading and keeping


def chapters(paths: list[Path]) -> list[Path]:
    """The sources to run: those given, or every chapter and its solutions."""
    found = paths or sorted((ROOT / "chapters").glob("**/*.md"))
    for path in found:
        if not path.is_file():
            raise SystemExit(f"{path}: no such chapter")
    return [path for path in found if "kernelspec" in jupytext.read(path).metadata]


def code_of(notebook: NotebookNode) -> list[tuple[str, tuple[str, ...]]]:
    """What decides the outputs: the code cells, each with its tags."""
    return [
        (cell.source, tuple(cell.metadata.get("tags", ())))
        for cell in code_cells(notebook)
    ]


def package_hash(modules: list[str]) -> str:
    """One hash over the files of the package's ``modules`` and the data beside them."""
    digest = hashlib.sha256()
    for file in sorted(set().union(*map(_files_of, modules))):
        digest.update(file.relative_to(PACKAGE).as_posix().encode() + b"\0")
        digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _files_of(module: str) -> set[Path]:
    base = PACKAGE.joinpath(*module.split(".")[1:])
    if not base.is_dir():
        source = base.with_suffix(".py")
        return {source} if source.is_file() else set()
    beside = {f for f in (base / "static").rglob("*") if f.is_file()}
    return {base / "__init__.py"} | beside


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
    made = old.metadata.get("made_from")
    return old if made and made["hash"] == package_hash(made["modules"]) else None


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


def environment(folder: str) -> dict[str, str]:
    """The reader's environment less what would change a result from run to run."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("QKV_")}
    fixed = {"QKV_QUIET": "1", "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}
    return inherited | fixed | {"IPYTHONDIR": folder}


def run(notebook: NotebookNode, path: Path) -> float:
    """Fill in the outputs; return the CPU seconds it took.

    Raises
    ------
    ChapterError
        If a cell raises, or the kernel dies.
    """
    notebook.cells.append(nbformat.v4.new_code_cell(LIST_MODULES))
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name=KERNEL["name"],
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    before = _children_cpu()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as noise:
        # the kernel's own warnings (about its sockets) are nobody's output
        try:
            client.execute(env=environment(folder), stderr=noise)
        except CellExecutionError as error:
            raise ChapterError(_say_where(notebook, path, str(error))) from None
        except DeadKernelError:
            noise.seek(0)
            raise ChapterError(f"{path}: the kernel died\n{noise.read()}") from None
    listed = notebook.cells.pop().outputs[0].text.split()
    notebook.metadata["made_from"] = {"hash": package_hash(listed), "modules": listed}
    return _children_cpu() - before


def _say_where(notebook: NotebookNode, path: Path, error: str) -> str:
    failed = next(
        cell
        for cell in notebook.cells
        if any(out.output_type == "error" for out in cell.get("outputs", ()))
        and "raises-exception" not in cell.metadata.get("tags", ())
    )
    raised = next(out for out in failed.outputs if out.output_type == "error")
    trace = "\n".join(raised.traceback) or error
    return f"{path}: the cell that begins\n    {_first_line(failed)}\nfailed:\n{trace}"


def _first_line(cell: NotebookNode) -> str:
    return cell.source.strip().partition("\n")[0]


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


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
    metadata = notebook.metadata
    metadata.pop("jupytext", None)  # a reader's Lab must not pair the copy
    metadata["kernelspec"], metadata["language_info"] = KERNEL, LANGUAGE
    notebook["nbformat"], notebook["nbformat_minor"] = 4, 5
    return notebook


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
        if sheet and sheet in seen:
            state["_css"] = ""
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
    """The twin's bytes: keys sorted, Korean as Korean, one newline at the end."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


# ------------------------------------------------------------------------- the command


def make_twin(path: Path, *, always: bool = False) -> Outcome:
    """Bring the twin of one chapter up to date, running it only where it must."""
    notebook, twin = jupytext.read(path), path.with_suffix(".ipynb")
    name = "/".join(path.resolve().with_suffix("").parts[-2:])
    old = last_run(notebook, twin)
    if old is not None and not always:
        text = to_text(canonical(carry_over(notebook, old), name))
        kept = text == twin.read_text(encoding="utf-8")
        return Outcome(text, "unchanged" if kept else "prose renewed")
    cpu_seconds = run(notebook, path)
    if old is not None:
        keep_seconds(notebook, old)
    return Outcome(to_text(canonical(notebook, name)), "run", cpu_seconds)


def stale(path: Path) -> str | None:
    """Why the twin of ``path`` is not up to date, or None where it is."""
    notebook, twin = jupytext.read(path), path.with_suffix(".ipynb")
    old = read_twin(twin)
    if old is None:
        return "has no twin yet, or none that can be read"
    if code_of(old) != code_of(notebook):
        return "its code differs from the twin's"
    if last_run(notebook, twin) is None:
        return "the package has changed since the twin was made"
    if make_twin(path).action != "unchanged":
        return "its prose differs from the twin's"
    return None


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    results = [
        _check(path) if options.check else _write(path, options.all)
        for path in chapters(options.paths)
    ]
    if options.check and not all(results):
        print("run `make notebooks` to bring them up to date")
    return 0 if all(results) else 1


def _check(path: Path) -> bool:
    why = stale(path)
    if why:
        print(f"{_shown(path)}: {why}")
    return why is None


def _write(path: Path, always: bool) -> bool:
    try:
        outcome = make_twin(path, always=always)
    except ChapterError as error:
        print(f"{error}\nthe old twin is kept", file=sys.stderr, flush=True)
        return False
    if outcome.action != "unchanged":
        path.with_suffix(".ipynb").write_text(outcome.text, encoding="utf-8")
    cost = f", {outcome.cpu_seconds:.1f} CPU s" if outcome.action == "run" else ""
    size = len(outcome.text.encode()) / 1000
    print(f"{_shown(path)}: {outcome.action}{cost}, {size:.0f} kB", flush=True)
    return True


def _shown(path: Path) -> Path:
    full = path.resolve()
    return full.relative_to(ROOT) if full.is_relative_to(ROOT) else path


if __name__ == "__main__":
    sys.exit(main())
