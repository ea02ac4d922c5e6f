"""Who may import whom: design.md's directions, read from the sources."""

import ast
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
    "positions",
    "layers",
    "recurrent",
    "transformer",
    "vision",
}
MAY_IMPORT = {
    "trace": set(),
    "data": set(),
    "claims": set(),
    "attention": {"masks", "trace"},
    "masks": {"trace"},
    "positions": {"trace"},
    "layers": {"trace"},
    "recurrent": {"attention", "masks", "layers", "trace"},
    "transformer": {"attention", "positions", "masks", "layers", "trace", "data"},
    "vision": {"attention", "positions", "masks", "layers", "transformer", "trace"},
    "training": {*MODEL, "data", "trace"},
    "decoding": {*MODEL, "data", "trace"},
    "plot": {"trace"},
    "widgets": {"trace", "decoding", "vision"},
    "exercises": {*MODEL, "trace"},
}
# What costs a reader seconds, and is needed by few.
HEAVY = {"matplotlib", "anywidget", "ipywidgets", "IPython", "babel", "tqdm", "sympy"}
HEAVY |= {"sklearn", "scipy", "PIL"}
LIGHT = ("trace", "masks", "attention", "positions", "layers", "recurrent")
LIGHT += ("transformer", "vision", "data", "decoding", "claims")


def imports(file: Path) -> Iterator[str]:
    """Yield the full name of all that a file imports, wherever in it."""
    package = file.relative_to(SOURCE).parts[:-1]
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
    assert real - {part} <= MAY_IMPORT[part]


def is_part(name: str) -> bool:
    return (PACKAGE / f"{name}.py").exists() or (PACKAGE / name).is_dir()


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_the_package_knows_nothing_of_what_is_built_on_it(file):
    above = {"chapters", "book", "tests", "tools", "benchmarks"}
    assert above.isdisjoint(name.split(".")[0] for name in imports(file))


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
