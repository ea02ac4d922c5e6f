"""An edit touches only what depends on it: which twins it makes stale, and no others.

Each edit is made in a copy of the package. What a twin was made from is what its kernel
read; what an edit should touch is found in another way: from what the chapters say,
from what their import lines load, from the modules that their widgets store.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import jupytext
import nbformat
import pytest
import torch
from nbformat import NotebookNode
from safetensors.torch import save_file

from tools import execute, kernel

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "chapters"
SOURCES = {
    p.relative_to(CHAPTERS).as_posix(): p for p in sorted(CHAPTERS.glob("**/*.md"))
}
NUMBERS = sorted({path.name[:2] for path in SOURCES.values()})
PACKAGE = ROOT / "src" / "qkv"
CHECKPOINTS = sorted((PACKAGE / "checkpoints").iterdir())
BUNDLES = [
    file
    for file in sorted((PACKAGE / "widgets" / "static").iterdir())
    if file.suffix in execute.FRONT_ENDS
]
EXERCISE = re.compile(r"\b(?:check|hint|example)\(\"([\w.]+)\"")


@cache
def code(name: str) -> str:
    cells = execute.code_cells(jupytext.read(SOURCES[name]))
    return "\n\n".join(cell.source for cell in cells)


@cache
def twin(name: str) -> NotebookNode:
    return nbformat.read(SOURCES[name].with_suffix(".ipynb"), as_version=4)


def files_of(name: str) -> list[str]:
    """The files of the package that a twin was made from."""
    return twin(name).metadata.get("made_from", {}).get("files", [])


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    package = tmp_path_factory.mktemp("src") / "qkv"
    left_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, package, ignore=left_out)
    return package


def hashes() -> dict[str, str]:
    return {name: execute.hash_of(files_of(name)) for name in SOURCES}


@pytest.fixture(scope="module")
def untouched(copied: Path) -> dict[str, str]:
    """The hashes before any edit; each test leaves the copy as it was."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "PACKAGE", copied)
        return hashes()


@pytest.fixture
def stale(
    copied: Path, untouched: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Path], set[str]]:
    """Return the twins that an edit of one file makes stale; it is taken back."""
    monkeypatch.setattr(kernel, "PACKAGE", copied)

    def after(edited: Path) -> set[str]:
        file = copied / edited.relative_to(PACKAGE)
        text = file.read_bytes()
        file.write_bytes(text + b"\n")
        changed = {name for name, made in hashes().items() if made != untouched[name]}
        file.write_bytes(text)
        return changed

    return after


# ------------------------------------------------------------------------ the real book


@pytest.mark.parametrize("name", SOURCES)
def test_a_twin_was_made_from_files_that_are_there(name: str) -> None:
    assert files_of(name), "run `make notebooks`"
    gone = [file for file in files_of(name) if not (PACKAGE / file).is_file()]
    assert not gone, "run `make notebooks`"


@pytest.mark.parametrize("number", NUMBERS)
def test_an_exercise_touches_its_chapter_and_the_solutions(
    number: str, stale: Callable[[Path], set[str]]
) -> None:
    """With a hint or a mistake of its own: whatever stands in its file."""
    theirs = {name for name, path in SOURCES.items() if path.name.startswith(number)}
    for file in exercises(number):
        assert stale(file) == theirs, file.name


def exercises(number: str) -> list[Path]:
    found = [
        file
        for file in (PACKAGE / "exercises").glob(f"ch{number}/*.py")
        if "hints=" in file.read_text("utf-8")
    ]
    assert found, f"no exercise in qkv.exercises of chapter {number}"
    return found


@pytest.mark.parametrize("file", CHECKPOINTS, ids=lambda file: file.stem)
def test_a_checkpoint_touches_the_chapters_that_load_it(
    file: Path, stale: Callable[[Path], set[str]]
) -> None:
    call = re.compile(rf'load\w*\("{file.stem}"\)')
    named = {name for name in SOURCES if call.search(code(name))}
    assert named, f"no chapter loads {file.stem}"
    assert stale(file) == named


@pytest.fixture(scope="module")
def imported() -> dict[str, set[str]]:
    """The modules that each chapter has after its imports and its exercises' hints."""
    said = {
        name: {
            "imports": [
                ast.unparse(node)
                for node in ast.walk(ast.parse(code(name)))
                if isinstance(node, ast.Import | ast.ImportFrom)
            ],
            "exercises": sorted(set(EXERCISE.findall(code(name)))),
        }
        for name in SOURCES
    }
    ran = subprocess.run(
        [sys.executable, "-c", LOADED],
        input=json.dumps(said),
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    return {name: set(found) for name, found in json.loads(ran.stdout).items()}


LOADED = """
import contextlib, io, json, sys

def modules():
    return [name for name in sys.modules if name.partition(".")[0] == "qkv"]

loaded = {}
for name, said in json.load(sys.stdin).items():
    for module in modules():
        del sys.modules[module]
    for line in said["imports"]:
        exec(line, {})
    from qkv.exercises import hint
    with contextlib.redirect_stdout(io.StringIO()):
        for exercise in said["exercises"]:
            hint(exercise)
    loaded[name] = modules()
print(json.dumps(loaded))
"""


@pytest.mark.parametrize("part", ["positions", "recurrent", "vision", "training"])
def test_a_comment_in_a_model_module_touches_those_that_import_it(
    part: str, stale: Callable[[Path], set[str]], imported: dict[str, set[str]]
) -> None:
    named = {name for name, modules in imported.items() if f"qkv.{part}" in modules}
    assert named
    file = PACKAGE / f"{part}.py"
    assert stale(file if file.is_file() else PACKAGE / part / "__init__.py") == named


@pytest.mark.parametrize("file", BUNDLES, ids=lambda file: file.name)
def test_a_widgets_javascript_and_css_run_nothing(
    file: Path, stale: Callable[[Path], set[str]]
) -> None:
    assert stale(file) == set()


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all that makes the twins, and of the twins."""
    root = tmp_path_factory.mktemp("book")
    left_out = shutil.ignore_patterns("__pycache__")
    for folder in ("src", "tools", "chapters"):
        shutil.copytree(ROOT / folder, root / folder, ignore=left_out)
    assert checked(root) == {}, "run `make notebooks`"
    return root


@pytest.mark.parametrize("kind", execute.FRONT_ENDS)
def test_a_widgets_javascript_and_css_are_renewed_where_they_are_stored(
    kind: str, book: Path
) -> None:
    bundle = next(f for f in BUNDLES if f.suffix == kind and any(stored_in(f).values()))
    copy = book / bundle.relative_to(ROOT)
    text = copy.read_text("utf-8")
    copy.write_text(f"{text}\n", "utf-8")
    asked = few(stored_in(bundle))
    assert checked(book, *asked) == {
        n: RENEWED for n, stored in asked.items() if stored
    }
    copy.write_text(text, "utf-8")


RENEWED = "the JavaScript or CSS of its widgets differs from the twin's"


def stored_in(bundle: Path) -> dict[str, bool]:
    text = bundle.read_text("utf-8")
    return {
        f"chapters/{name}": any(
            text in front.values() for front in execute.front_ends(twin(name))
        )
        for name in SOURCES
    }


def few(stored: dict[str, bool]) -> dict[str, bool]:
    """Two twins of either sort: to check all of them takes half a minute."""
    sorts = (
        [n for n, is_there in stored.items() if is_there is sort]
        for sort in (True, False)
    )
    return {name: stored[name] for names in sorts for name in (names[0], names[-1])}


def checked(root: Path, *names: str) -> dict[str, str]:
    """What ``--check`` says of the twins named, or of each."""
    program = [sys.executable, str(root / "tools" / "execute.py"), "--check"]
    program += [str(root / name) for name in names]
    ran = subprocess.run(program, capture_output=True, text=True)
    assert not ran.stderr, ran.stderr
    lines = ran.stdout.splitlines()
    return dict(line.split(": ", 1) for line in lines if ": " in line)


# ------------------------------------------------------------------------- a small book


PARTS = {
    "__init__.py": "",
    "positions.py": "",
    "attention.py": "import qkv.positions",
    "exercises/__init__.py": "",
    "exercises/ch01/shift.py": "hints = ('one',)",
    "exercises/ch02/look.py": "hints = ('two',)",
    "static/sheet.css": "a {}",
}
MODEL = "model.safetensors"
CELLS = {
    "01_a": ["import qkv.attention", "import qkv.exercises.ch01.shift"],
    "02_b": [
        "import qkv.exercises.ch02.look",
        "from pathlib import Path\nhere = Path(qkv.__file__).parent",
        "sheet = (here / 'static/sheet.css').read_text()",
        "from safetensors.torch import load_file",
        f"weights = load_file(here / '{MODEL}')",
    ],
    "03_c": ["import qkv.positions"],
}
HEAD = """\
---
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """Three chapters and a package of their own, all of it run once."""
    root = tmp_path_factory.mktemp("small")
    for name, text in PARTS.items():
        (root / "qkv" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "qkv" / name).write_text(text)
    save_file({"weight": torch.zeros(2)}, root / "qkv" / MODEL)
    paths = [root / f"{name}.md" for name in CELLS]
    for path, cells in zip(paths, CELLS.values(), strict=True):
        fenced = [f"```{{code-cell}} python3\n{cell}\n```\n" for cell in cells]
        path.write_text("\n".join([HEAD, *fenced]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "PACKAGE", root / "qkv")
        assert execute.main(["--jobs", "1", *map(str, paths)]) == 0
        yield paths


@pytest.mark.parametrize(
    ("edited", "touched"),
    [
        ("__init__.py", {"01_a", "02_b", "03_c"}),
        ("positions.py", {"01_a", "03_c"}),
        ("attention.py", {"01_a"}),
        ("exercises/__init__.py", {"01_a", "02_b"}),
        ("exercises/ch02/look.py", {"02_b"}),
        (MODEL, {"02_b"}),
        ("static/sheet.css", set()),
    ],
)
def test_in_a_small_book_an_edit_touches_what_depends_on_it(
    edited: str, touched: set[str], small: list[Path]
) -> None:
    file = kernel.PACKAGE / edited
    before = file.read_bytes()
    file.write_bytes(before + b"\n")
    assert {path.stem for path in small if execute.stale(path)} == touched
    file.write_bytes(before)
    assert not any(map(execute.stale, small))
