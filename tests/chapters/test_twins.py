"""A chapter and its twin say the same, and the twin holds nothing it should not."""

import re
from collections.abc import Iterator
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbformat import NotebookNode

from tools import execute

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "chapters").glob("**/*.md"))
TWINS = sorted((ROOT / "chapters").glob("**/*.ipynb"))
MODULES = {
    p.read_text(encoding="utf-8")
    for p in (ROOT / "src" / "qkv" / "widgets" / "static").glob("*.js")
}
LARGEST = 600_000
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")
TIMING = re.compile(
    r"\d ?(ns|µs|us|ms|s|sec|secs|seconds|it/s)\b|\bCPU s(econds?)?\b|Wall time"
)
OBJECT = re.compile(r"<[\w.]+ .*(object at|size) ")
FRONT_MATTER = {
    "chapter": int,
    "module": str,
    "minutes": int,
    "cpu_seconds": int,
    "needs": str,
    "able": str,
}


def name(path: Path) -> str:
    return path.relative_to(ROOT / "chapters").as_posix()


every_source = pytest.mark.parametrize("source", SOURCES, ids=name)
every_twin = pytest.mark.parametrize("twin", TWINS, ids=name)


def read(twin: Path) -> NotebookNode:
    return nbformat.read(twin, as_version=4)


def text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


def outputs(twin: Path) -> Iterator[tuple[NotebookNode, NotebookNode]]:
    for cell in execute.code_cells(read(twin)):
        for output in cell.outputs:
            yield cell, output


def words(output: NotebookNode) -> str:
    """What an output says to a person: its text, not the drawing of it."""
    if output.output_type == "stream":
        return text(output.text)
    return text(output.get("data", {}).get("text/plain", ""))


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


# --------------------------------------------------------------------------- the source


def test_there_are_chapters() -> None:
    assert SOURCES


@every_source
def test_each_chapter_has_a_twin_with_the_same_cells(source: Path) -> None:
    twin = source.with_suffix(".ipynb")
    assert twin.is_file(), "run `make notebooks`"
    cells = [
        [(c.cell_type, c.source, tags(c)) for c in notebook.cells]
        for notebook in (jupytext.read(source), read(twin))
    ]
    assert cells[1] == cells[0], "run `make notebooks`"


@every_source
def test_lines_of_code_fit_a_page(source: Path) -> None:
    long = [
        line
        for cell in execute.code_cells(jupytext.read(source))
        for line in cell.source.splitlines()
        if len(line) > 79
    ]
    assert not long


@every_source
def test_no_cell_ends_in_a_semicolon(source: Path) -> None:
    for cell in execute.code_cells(jupytext.read(source)):
        assert not cell.source.rstrip().endswith(";"), cell.source


@every_source
def test_no_formula_stands_in_a_heading(source: Path) -> None:
    """The contents of the site are copied from headings before formulas are set."""
    prose = [c.source for c in jupytext.read(source).cells if c.cell_type == "markdown"]
    assert not re.findall(r"^#+ .*\$.*$", "\n".join(prose), flags=re.M)


@every_source
def test_front_matter_is_complete(source: Path) -> None:
    notebook = jupytext.read(source)
    assert notebook.metadata["jupytext"]["text_representation"]["format_name"] == "myst"
    assert notebook.metadata["kernelspec"] == execute.KERNEL
    prose = [c.source for c in notebook.cells if c.cell_type == "markdown"]
    assert prose[0].startswith("# "), "a chapter begins with its title"
    assert len(re.findall(r"^# ", "\n".join(prose), flags=re.M)) == 1
    if source.parent.name == "solutions":
        return
    book = notebook.metadata.get("book", {})
    assert {key: type(value) for key, value in book.items()} == FRONT_MATTER
    assert all(value or key == "chapter" for key, value in book.items())
    assert book["chapter"] == int(source.name[:2])
    module = ROOT.joinpath("src", *book["module"].split("."))
    assert module.is_dir() or module.with_suffix(".py").is_file()


@every_source
def test_what_shows_seconds_is_not_compared(source: Path) -> None:
    for cell in execute.code_cells(jupytext.read(source)):
        if execute.SECONDS in tags(cell):
            assert "nbval-ignore-output" in tags(cell), cell.source


# ----------------------------------------------------------------------------- the twin


@every_twin
def test_a_twin_has_a_source(twin: Path) -> None:
    assert twin.with_suffix(".md").is_file()


@every_twin
def test_a_twin_is_in_canonical_form(twin: Path) -> None:
    label = "/".join(twin.with_suffix("").parts[-2:])
    again = execute.to_text(execute.canonical(read(twin), label))
    assert again == twin.read_text(encoding="utf-8")


@every_twin
def test_a_twin_is_small(twin: Path) -> None:
    assert twin.stat().st_size <= LARGEST


@every_twin
def test_every_cell_was_run_in_order_and_without_complaint(twin: Path) -> None:
    cells = execute.code_cells(read(twin))
    assert [c.execution_count for c in cells] == list(range(1, len(cells) + 1))
    for cell, output in outputs(twin):
        complaint = output.output_type == "error" or output.get("name") == "stderr"
        assert not complaint, f"{cell.source}\n{output}"


@every_twin
def test_pictures_can_be_read_without_being_seen(twin: Path) -> None:
    for cell, output in outputs(twin):
        kinds = set(output.get("data", {}))
        drawn = kinds & {"image/svg+xml", execute.VIEW}
        raster = [k for k in kinds if k.startswith("image/") and k != "image/svg+xml"]
        assert not raster, f"a figure is an SVG: {cell.source}"
        if drawn:
            assert len(words(output)) >= 20, f"no alt text: {cell.source}"
            assert not OBJECT.search(words(output)), f"no alt text: {cell.source}"
        if execute.VIEW in kinds:
            fallback = text(output.data.get("text/html", ""))
            assert fallback, f"nothing stands in for the widget: {cell.source}"


@every_twin
def test_nothing_in_it_changes_from_run_to_run(twin: Path) -> None:
    for cell, output in outputs(twin):
        said = words(output)
        assert not ADDRESS.search(said), f"an address: {cell.source}\n{said}"
        assert str(ROOT) not in said, f"a path of this machine: {cell.source}"
        if execute.SECONDS not in tags(cell):
            assert not TIMING.search(said), f"a timing: {cell.source}\n{said}"


@every_twin
def test_widgets_hold_the_modules_of_today(twin: Path) -> None:
    stored = read(twin).metadata.get("widgets", {}).get(execute.STATE, {})
    for model in stored.get("state", {}).values():
        if model["model_module"] == "anywidget":
            assert model["state"]["_esm"] in MODULES, "run `make notebooks`"


@every_twin
def test_every_widget_shown_is_stored(twin: Path) -> None:
    stored = read(twin).metadata.get("widgets", {}).get(execute.STATE, {})
    for cell, output in outputs(twin):
        view = output.get("data", {}).get(execute.VIEW)
        if view:
            assert view["model_id"] in stored.get("state", {}), cell.source
