"""Run a notebook in a kernel of its own, and tell which files of qkv it has read.

The kernel gets the package of this tree, one thread, an IPython folder that nobody else
has, and nothing of the environment that would change a result.
"""

import inspect
import os
import resource
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "qkv"
NAME = "python3"
SECONDS_PER_CELL = 900
JOBS = min(2, os.cpu_count() or 1)  # how many kernels run at a time, unless told
_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


class KernelError(Exception):
    """A cell failed; the message says which, and how."""


@dataclass(frozen=True)
class Ran:
    """What a kernel has read of the package, relative to it, and what it has cost."""

    files: tuple[str, ...]
    cpu_seconds: float


def run(notebook: NotebookNode, path: Path, **told: str) -> Ran:
    """Fill in the outputs of the notebook at ``path``.

    Parameters
    ----------
    notebook : what is run; its outputs and the state of its widgets are put into it.
    path : where it comes from: its folder is the kernel's, and errors name it.
    told : what the kernel finds in its environment besides.

    Raises
    ------
    KernelError
        If a cell raises, or the kernel dies.
    """
    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        kernel_name=NAME,
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    before = _children_cpu()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as noise:
        used = _hear_what_is_used(Path(folder))
        # the kernel's own warnings (about its sockets) are nobody's output
        try:
            client.execute(env=environment(folder) | told, stderr=noise)
        except CellExecutionError as error:
            raise KernelError(_say_where(notebook, path, str(error))) from None
        except DeadKernelError:
            noise.seek(0)
            last = noise.read().decode(errors="replace")
            raise KernelError(f"{path}: the kernel died\n{last}") from None
        files = of_package(used.read_text("utf-8").splitlines())
    return Ran(files, _children_cpu() - before)


def environment(folder: str) -> dict[str, str]:
    """The reader's environment less what would change a result from run to run."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("QKV_")}
    fixed = {"QKV_QUIET": "1", "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}
    paths = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    ours = {"IPYTHONDIR": folder, "PYTHONPATH": os.pathsep.join(paths)}
    return inherited | fixed | ours


def in_parallel(
    task: Callable[[_Given], _Made], given: Sequence[_Given], jobs: int
) -> Iterator[_Made]:
    """Yield what ``task`` makes of each, in their order, in up to ``jobs`` processes.

    The processes are new ones, not forks: what a kernel costs is told by the children
    that a process has had.
    """
    if min(jobs, len(given)) < 2:
        yield from map(task, given)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(task, given)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# ------------------------------------------------------------- what the kernel has used


def of_package(used: list[str]) -> tuple[str, ...]:
    """The files of the package among those used, by their paths in it."""
    files = {Path(file).resolve() for file in set(used)}
    ours = {file for file in files if file.is_relative_to(PACKAGE) and file.is_file()}
    return tuple(sorted(file.relative_to(PACKAGE).as_posix() for file in ours))


def _hear_what_is_used(folder: Path) -> Path:
    """Make an IPython folder whose kernels write to a file what they run and open."""
    record = folder / "used"
    record.touch()
    startup = folder / "profile_default" / "startup" / "listen.py"
    startup.parent.mkdir(parents=True)
    code = f"{inspect.getsource(listen)}\n\nlisten({str(record)!r})\ndel listen\n"
    startup.write_text(code, "utf-8")
    return record


def listen(record: str) -> None:
    """Write down the files that are used: this runs in the kernel, before its cells.

    Python tells of all code that it runs, compiled before or not, and of each file that
    it opens. A module that is opened is not run by that: who looks for a class or a
    number in the sources does not depend on them. The checkpoints are opened by Rust,
    which tells nobody: it is said in its place.
    """
    import os
    import sys
    from typing import Any

    import safetensors

    written = os.open(record, os.O_WRONLY | os.O_APPEND)

    def hear(event: str, told: tuple) -> None:
        if event == "exec":
            write_down(getattr(told[0], "co_filename", ""))
        elif event == "open" and isinstance(told[0], str | bytes | os.PathLike):
            path = os.fsdecode(told[0])
            if not path.endswith((".py", ".pyc")):
                write_down(path)

    def write_down(path: str) -> None:
        os.write(written, f"{os.path.abspath(path)}\n".encode(errors="replace"))

    def safe_open(filename: str | os.PathLike[str], *more: Any, **named: Any):
        sys.audit("open", filename, "rb", 0)
        return in_rust(filename, *more, **named)

    in_rust = safetensors.safe_open
    vars(safetensors)["safe_open"] = safe_open  # a function now, and no longer a class
    sys.addaudithook(hear)


# -------------------------------------------------------------------------- what failed


def _say_where(notebook: NotebookNode, path: Path, error: str) -> str:
    failed = next(
        cell
        for cell in notebook.cells
        if any(out.output_type == "error" for out in cell.get("outputs", ()))
        and "raises-exception" not in cell.metadata.get("tags", ())
    )
    raised = next(out for out in failed.outputs if out.output_type == "error")
    trace = "\n".join(raised.traceback) or error
    first = failed.source.strip().partition("\n")[0]
    return f"{path}: the cell that begins\n    {first}\nfailed:\n{trace}"
