"""Who may import whom, read from the sources.

Arrows point from who imports to what is imported:

- chapters → qkv, torch and the standard library; their solutions likewise
- book → the chapters' twins and the widgets' JavaScript, as files; no Python of qkv
- exercises → checking, the model modules
- training, decoding → the model modules, data
- transformer, vision, series → attention, positions, masks, layers
- recurrent → attention; experts → layers
- attention → tiles; tiles, masks, positions, layers, subwords, patching, plot, widgets
  → trace
- all of them → _checks, what is asked of arguments, _colours, what is readable, and
  _faces, how a package finds its names
- training, transformer, vision, checking → _files, how a file is written
- training → _processes, what changes where several train one model
- src → nothing of chapters, book, tests, tools or benchmarks

Fourteen arrows go further, each for what would otherwise be written twice:

- widgets → decoding, since the translator draws a beam search, whose tree
  (``beam_tree``) is the search itself and not a step of any trace, and since
  SayWhatYouSee writes the caption of any page that a reader makes;
- widgets → checking and exercises, since a prediction and what is worked out by hand
  are exercises: they are judged by the same mistakes, and kept in the same list;
- widgets → attention, for ``attend``: the head that LearnToLook trains is chapter 3's;
- widgets → vision, for ``rollout``: the sum that the patches show must be chapter 8's;
  for ``folded``: what is recorded is what a checkpoint would say; and for
  ``receptive_field``: what a cell of LookUp sees without attention is chapter 11's;
- widgets → subwords: the merges that MergePad shows without a script are chapter 9's;
- widgets → series: the ridge regression and the look-up that ForecastPad shows without
  a script are chapter 14's;
- widgets → experts, likewise: the routing that RouterMap says is chapter 12's;
- widgets → patching, likewise: the run that PatchBoard shows is chapter 16's;
- book → ``qkv.exercises.finding``, for the hints, which stand in the exercises alone;
- transformer → data, for ``Vocabulary``: a checkpoint keeps the two that its numbers
  were learnt with;
- vision → data, for ``Vocabulary``, too, and for ``Drawing``: the sentences that a
  painter is trained on are drawn as all others are;
- vision → decoding, for ``sample``: a picture's tokens are drawn as a text's are;
- subwords → data, for ``composed``: what looks the same is the same to both;
- series → data, for ``Series``: a forecast is judged on the parts that it has.

vision → transformer is chapter 8's own subject, the same encoder for images, vision →
recurrent chapter 10's, chapter 2's decoder for images, and series → transformer chapter
14's. The book
asks two tools when it is built (``site_elements.tool``): ``folding``, which cells fold
on the site as in JupyterLab, and ``claims``, for the rows of its page of claims. Its
reference has the docstrings of qkv from Sphinx, which imports what it describes; its
translator and its reader of pictures have the numbers of ``src/qkv/checkpoints``, as
files.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "qkv"

# What each part of the package may import of the others.
MODEL = {
    "attention",
    "masks",
    "tiles",
    "positions",
    "layers",
    "recurrent",
    "transformer",
    "vision",
    "experts",
}
BELOW = {"attention", "masks", "layers", "trace"}
LEAVES = {"_checks", "_colours", "_faces"}
MAY_IMPORT = {
    **{leaf: set() for leaf in LEAVES},
    "_files": set(),
    "_models": set(),
    "_processes": set(),
    "trace": set(),
    "data": set(),
    "claims": set(),
    "attention": {"masks", "tiles", "trace"},
    "tiles": {"trace"},
    "masks": {"trace"},
    "positions": {"trace"},
    "layers": {"trace"},
    "subwords": {"data", "trace"},
    "experts": {"layers", "trace"},
    "recurrent": {"attention", "masks", "layers", "trace"},
    "transformer": {*BELOW, "_files", "positions", "data"},
    "vision": {
        *{*BELOW, "_files", "_models", "positions", "transformer", "recurrent"},
        *{"data", "decoding"},
    },
    "series": {*BELOW, "positions", "transformer", "data"},
    "training": {*MODEL, "_files", "_models", "_processes", "data", "trace"},
    "decoding": {*MODEL - {"vision"}, "_models", "data", "trace"},
    "patching": {"trace"},
    "plot": {"trace"},
    "widgets": {
        *{"trace", "attention", "decoding", "vision", "subwords", "experts"},
        *{"series", "patching", "checking", "exercises"},
    },
    "checking": {"_files"},
    "exercises": {*MODEL, "checking"},
}
# What costs a reader seconds, and is needed by few.
HEAVY = {"matplotlib", "anywidget", "ipywidgets", "IPython", "babel", "tqdm", "sympy"}
HEAVY |= {"sklearn", "scipy", "PIL"}
LIGHT = ("trace", "masks", "tiles", "attention", "positions", "layers", "recurrent")
LIGHT += ("transformer", "vision", "subwords", "experts", "series", "data", "patching")
LIGHT += ("decoding", "claims", "plot", "checking", "exercises")


def imports(file: Path, root: Path = SOURCE) -> Iterator[str]:
    """Yield the full name of all that a file imports, wherever in it."""
    package = file.relative_to(root).parts[:-1]
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def parts_imported(file: Path) -> set[str]:
    """Return the parts of the package that a file imports."""
    names = (name.split(".") for name in imports(file))
    return {name[1] for name in names if name[0] == "qkv" and len(name) > 1}


def part_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_imports_go_one_way(file):
    part = part_of(file)
    if part == "__init__":
        assert not parts_imported(file), "importing qkv itself loads nothing"
        return
    assert part in MAY_IMPORT, f"say in MAY_IMPORT what qkv.{part} may import"
    real = {name for name in parts_imported(file) if is_part(name)}
    assert real - {part, *LEAVES} <= MAY_IMPORT[part]


def is_part(name: str) -> bool:
    return (PACKAGE / f"{name}.py").exists() or (PACKAGE / name).is_dir()


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_the_package_knows_nothing_of_what_is_built_on_it(file):
    above = {"chapters", "book", "tests", "tools", "benchmarks"}
    assert above.isdisjoint(name.split(".")[0] for name in imports(file))


CHAPTERS = sorted((ROOT / "chapters").rglob("*.md"))
CELL = re.compile(r"^```\{code-cell\}.*?$(.*?)^```$", flags=re.M | re.S)
IMPORT = re.compile(r"^ *(?:from +([\w.]+) +import|import +([\w.]+))", flags=re.M)


def imported_in(chapter: Path) -> set[str]:
    """Return the modules that a chapter's cells import, wherever in them."""
    cells = "\n".join(CELL.findall(chapter.read_text("utf-8")))
    return {one or other for one, other in IMPORT.findall(cells)}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda f: f"{f.parent.name}/{f.name}")
def test_chapters_stand_on_the_package_alone(chapter):
    named = imported_in(chapter)
    assert any(name.split(".")[0] == "qkv" for name in named)
    others = {name.split(".")[0] for name in named} - {"qkv", "torch", "IPython"}
    assert others <= sys.stdlib_module_names
    assert not [name for name in named if "._" in name], "a private module is no lesson"


BOOK = sorted((ROOT / "book").rglob("*.py"))
HINTS = {"qkv.exercises", "qkv.exercises.finding"}


@pytest.mark.parametrize("file", BOOK, ids=lambda f: f.name)
def test_the_book_reads_twins_and_scripts_and_no_code_of_the_package(file):
    """A page must not depend on what a model would say today: it shows what was run."""
    own = {path.stem for path in BOOK}
    imported = set(imports(file, ROOT)) - HINTS
    names = {name.split(".")[0] for name in imported}
    assert names.isdisjoint(
        {"qkv", "torch", "chapters", "tests", "tools", "benchmarks"}
    )
    assert {name for name in names if name.startswith("site_")} <= own


def test_directions_have_no_circle():
    done: set[str] = set()
    while len(done) < len(MAY_IMPORT):
        ready = {part for part, needs in MAY_IMPORT.items() if needs <= done} - done
        assert ready, f"a circle among {sorted(set(MAY_IMPORT) - done)}"
        done |= ready


def test_an_import_loads_nothing_heavy():
    program = "import importlib, sys, torch\n" + "\n".join(
        f"before = set(sys.modules); importlib.import_module('qkv.{part}')\n"
        f"print('{part}', *(set(sys.modules) - before))"
        for part in LIGHT
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    for line in ran.stdout.splitlines():
        part, *loaded = line.split()
        heavy = sorted({name.split(".")[0] for name in loaded} & HEAVY)
        assert not heavy, f"import qkv.{part} loads {heavy}; import them where used"
