"""``tools/execute.py``: the same bytes each time, and no more running than needed."""

import json
from pathlib import Path

import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell
from safetensors.torch import save_file

from tools import execute, kernel

ROOT = Path(__file__).resolve().parents[2]
HEAD = """---
jupytext:
  formats: md:myst,ipynb
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

"""
CHAPTER = """# A chapter

```{code-cell} python3
import os
import sys

import qkv.trace
from anywidget import AnyWidget


class Counter(AnyWidget):
    _esm = "export default { render() {} }"

    def __repr__(self):
        return "Counter"


never_shown, first, second = Counter(), Counter(), Counter()
print("noise", file=sys.stdout)
second
```

Prose, 칠 삼 구.

```{code-cell} python3
:tags: [nbval-ignore-output]

first
```

```{code-cell} python3
names = ["QKV_QUIET", "PYTHONHASHSEED", "OMP_NUM_THREADS", "QKV_SEED"]
print([os.environ.get(name) for name in names], os.path.basename(os.getcwd()))
```

```{code-cell} python3
:tags: [nbval-ignore-output, shows-seconds]

import time

time.time()
```

```{code-cell} python3
second
```
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A chapter that has been run once, and its twin's text."""
    path = tmp_path_factory.mktemp("chapters") / "01_made.md"
    path.write_text(HEAD + CHAPTER, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QKV_SEED", "7")
        patch.setenv("OMP_NUM_THREADS", "7")
        assert execute.main([str(path)]) == 0
    return path, path.with_suffix(".ipynb").read_text(encoding="utf-8")


@pytest.fixture
def chapter(made: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of it to play with; its ids come from the folder's and the file's name."""
    folder = tmp_path / made[0].parent.name
    folder.mkdir()
    path = folder / made[0].name
    path.write_text(HEAD + CHAPTER, encoding="utf-8")
    path.with_suffix(".ipynb").write_text(made[1], encoding="utf-8")
    return path


@pytest.fixture
def no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> float:
        raise AssertionError("a kernel was started")

    monkeypatch.setattr(execute, "run", refuse)


def twin(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path.with_suffix(".ipynb"), as_version=4)


def text(path: Path) -> str:
    return path.with_suffix(".ipynb").read_text(encoding="utf-8")


def test_running_again_gives_the_same_bytes(
    chapter: Path, capfd: pytest.CaptureFixture
) -> None:
    before = text(chapter)
    assert execute.main(["--all", str(chapter)]) == 0
    said = capfd.readouterr()
    assert "01_made.md: run, " in said.out
    assert " CPU s, " in said.out
    assert said.err == "", "the kernel's own warnings are nobody's"
    assert text(chapter) == before


def test_the_kernel_gets_a_plain_environment_and_the_chapters_folder(
    made: tuple[Path, str],
) -> None:
    printed = twin(made[0]).cells[4].outputs[0].text
    assert printed == f"['1', '0', '1', None] {made[0].parent.name}\n"


def test_only_widgets_that_are_shown_are_stored_without_their_layout(
    made: tuple[Path, str],
) -> None:
    notebook = twin(made[0])
    state = notebook.metadata["widgets"][execute.STATE]["state"]
    shown = [
        output.data[execute.VIEW]["model_id"]
        for cell in execute.code_cells(notebook)
        for output in cell.outputs
        if execute.VIEW in output.get("data", {})
    ]
    assert len(shown) == 3
    assert shown[0] == shown[2] != shown[1]
    assert set(shown) == set(state)
    assert [model["state"]["layout"] for model in state.values()] == [None, None]


def test_the_widgets_sheet_is_kept_once() -> None:
    states = [{"_css": "a{}"}, {"_css": "b{}"}, {"_css": "a{}"}, {}]
    execute._keep_one_sheet(states)
    assert [state.get("_css") for state in states] == ["a{}", "b{}", "", None]


def test_a_twin_keeps_no_pairing_no_timing_and_no_version(
    made: tuple[Path, str],
) -> None:
    notebook = twin(made[0])
    assert "jupytext" not in notebook.metadata
    assert "version" not in notebook.metadata["language_info"]
    assert not any("execution" in cell.metadata for cell in notebook.cells)
    assert notebook.metadata["made_from"]["files"] == ["__init__.py", "trace.py"]
    assert not any(
        output.get("name") == "stderr"
        for cell in execute.code_cells(notebook)
        for output in cell.outputs
    )
    assert "칠 삼 구" in made[1]


@pytest.mark.usefixtures("no_run")
def test_what_has_not_changed_is_not_run(
    chapter: Path, capsys: pytest.CaptureFixture
) -> None:
    written = chapter.with_suffix(".ipynb").stat().st_mtime_ns
    assert execute.main([str(chapter)]) == 0
    assert "unchanged" in capsys.readouterr().out
    assert chapter.with_suffix(".ipynb").stat().st_mtime_ns == written


@pytest.mark.usefixtures("no_run")
def test_new_prose_is_taken_over_without_running(chapter: Path) -> None:
    before = twin(chapter)
    chapter.write_text(HEAD + CHAPTER.replace("Prose,", "Better,"), encoding="utf-8")
    assert execute.main([str(chapter)]) == 0
    after = twin(chapter)
    assert after.cells[2].source == "Better, 칠 삼 구."
    del before.cells[2], after.cells[2]
    assert after == before


@pytest.mark.usefixtures("no_run")
def test_a_cell_is_folded_without_running(chapter: Path) -> None:
    plain, folded = ":tags: [nbval-ignore-output]\n", ":tags: [fold]\n"
    assert CHAPTER.count(plain) == 1
    hidden = []
    for tag in (folded, plain):
        chapter.write_text(HEAD + CHAPTER.replace(plain, tag), encoding="utf-8")
        assert execute.main(["--check", str(chapter)]) == 1
        assert execute.main([str(chapter)]) == 0
        cell = twin(chapter).cells[3]
        hidden.append(cell.metadata.get("jupyter", {}).get("source_hidden"))
    assert hidden == [True, None]


@pytest.mark.parametrize(
    "change",
    [
        ("print([os", "print( [os"),
        (":tags: [nbval-ignore-output]\n", ":tags: [raises-exception]\n"),
        ("second\n```\n\nProse", "second;\n```\n\nProse"),
    ],
)
def test_new_code_is_run(
    chapter: Path, change: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []
    monkeypatch.setattr(execute, "run", lambda notebook, path: ran.append(path) or 0.0)
    assert CHAPTER.count(change[0]) == 1
    chapter.write_text(HEAD + CHAPTER.replace(*change), encoding="utf-8")
    execute.main([str(chapter)])
    assert ran == [chapter]


def test_what_a_kernel_reads_of_the_package_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Modules that ran, compiled before or not; data, what Rust opens too."""
    package = tmp_path / "qkv"
    monkeypatch.setattr(kernel, "PACKAGE", package)
    (package / "inner").mkdir(parents=True)
    for module in ("__init__", "used", "unused", "inner/__init__", "inner/late"):
        (package / f"{module}.py").write_text("from pathlib import Path\n")
    for data in ("read.json", "not_read.json", "sheet.css"):
        (package / data).write_text("{}")
    save_file({"weight": torch.zeros(2)}, package / "read.safetensors")
    save_file({"weight": torch.zeros(2)}, package / "not_read.safetensors")
    cells = [
        "import qkv.used",
        "from pathlib import Path\nhere = Path(qkv.__file__).parent",
        "names = ('read.json', 'sheet.css', 'unused.py')",
        "texts = [(here / name).read_text() for name in names]",
        "from safetensors.torch import load_file\nimport qkv.inner.late",
        "weights = load_file(here / 'read.safetensors')",
    ]
    made = []
    for _ in range(2):
        notebook = nbformat.v4.new_notebook(cells=[*map(new_code_cell, cells)])
        execute.run(notebook, tmp_path / "01_made.md")
        made.append(notebook.metadata["made_from"])
    assert made[1] == made[0]
    inner = ["inner/__init__.py", "inner/late.py"]
    read = ["read.json", "read.safetensors", "used.py"]
    assert made[0]["files"] == ["__init__.py", *inner, *read]


def test_a_change_in_a_file_that_was_read_counts_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in ("a.py", "b.json", "c.py"):
        (tmp_path / file).write_text(file)
    monkeypatch.setattr(kernel, "PACKAGE", tmp_path)
    before = execute.hash_of(["b.json", "a.py"])
    assert before == execute.hash_of(["a.py", "b.json"])
    (tmp_path / "c.py").write_text("changed")
    assert execute.hash_of(["a.py", "b.json"]) == before
    (tmp_path / "a.py").write_text("changed")
    changed = execute.hash_of(["a.py", "b.json"])
    (tmp_path / "b.json").unlink()
    assert len({before, changed, execute.hash_of(["a.py", "b.json"])}) == 3


@pytest.mark.usefixtures("no_run")
def test_new_front_ends_are_put_into_the_twin_without_running(
    chapter: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """Those of the package; a widget made in the chapter keeps its own."""
    notebook = twin(chapter)
    stored = notebook.metadata["widgets"][execute.STATE]["state"]
    ours, own = (model["state"] for model in stored.values())
    ours |= {"_anywidget_id": "qkv.widgets.Made", "_esm": "old", "_css": "old{}"}
    file = chapter.with_suffix(".ipynb")
    file.write_text(execute.to_text(notebook), encoding="utf-8")
    today = {"_esm": "new", "_css": "new{}"}
    monkeypatch.setattr(execute, "front_end", {"qkv.widgets.Made": today}.get)
    assert execute.main(["--check", str(chapter)]) == 1
    assert "the JavaScript or CSS of its widgets" in capsys.readouterr().out
    assert execute.main([str(chapter)]) == 0
    assert "01_made.md: modules renewed, " in capsys.readouterr().out
    renewed = twin(chapter)
    ours |= today
    assert renewed == notebook
    assert own["_esm"].startswith("export default")
    assert execute.main(["--check", str(chapter)]) == 0


def test_todays_front_end_is_that_of_the_class() -> None:
    known = [line for line in execute.front_end("qkv.widgets.Predict").values() if line]
    static = ROOT / "src" / "qkv" / "widgets" / "static"
    assert known[0] == (static / "predict.js").read_text(encoding="utf-8")


def test_chapters_run_two_at_a_time_and_are_told_of_in_their_order(
    tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    paths = [tmp_path / f"0{n}_made.md" for n in (1, 2)]
    waits = "```{code-cell} python3\nimport time\n\ntime.sleep(2)\n```\n"
    fails = "```{code-cell} python3\n1 / 0\n```\n"
    for path, cell in zip(paths, (waits, fails), strict=True):
        path.write_text(HEAD + cell, encoding="utf-8")
    assert execute.main(["--jobs", "2", *map(str, paths)]) == 1
    said = capfd.readouterr()
    assert "01_made.md: run, " in said.out
    assert "02_made.md: the cell that begins" in said.err
    assert paths[0].with_suffix(".ipynb").is_file()
    assert not paths[1].with_suffix(".ipynb").exists()


def test_a_failing_cell_is_named_and_the_old_twin_is_kept(
    chapter: Path, capsys: pytest.CaptureFixture
) -> None:
    before = text(chapter)
    broken = "```{code-cell} python3\n# what fails\n\n1 / 0\n```\n"
    chapter.write_text(HEAD + broken, encoding="utf-8")
    assert execute.main([str(chapter)]) == 1
    said = capsys.readouterr().err
    assert f"{chapter}: the cell that begins\n    # what fails\n" in said
    assert "ZeroDivisionError" in said
    assert "the old twin is kept" in said
    assert text(chapter) == before


def test_a_kernel_that_dies_is_reported(
    chapter: Path, capsys: pytest.CaptureFixture
) -> None:
    deadly = "```{code-cell} python3\nimport os\n\nos._exit(3)\n```\n"
    chapter.write_text(HEAD + deadly, encoding="utf-8")
    assert execute.main([str(chapter)]) == 1
    assert f"{chapter}: the kernel died" in capsys.readouterr().err


@pytest.mark.usefixtures("no_run")
def test_check_says_what_is_stale_and_writes_nothing(
    chapter: Path, capsys: pytest.CaptureFixture
) -> None:
    def stale(source: str, notebook: str | None) -> str:
        chapter.write_text(HEAD + source, encoding="utf-8")
        file = chapter.with_suffix(".ipynb")
        file.unlink(missing_ok=True)
        if notebook is not None:
            file.write_text(notebook, encoding="utf-8")
        status = execute.main(["--check", str(chapter)])
        said = capsys.readouterr().out
        assert bool(said) == bool(status)
        assert file.is_file() == (notebook is not None)
        return said

    now = text(chapter)
    other = json.loads(now)
    other["metadata"]["made_from"]["hash"] = "0"
    assert stale(CHAPTER, now) == ""
    assert "no twin yet" in stale(CHAPTER, None)
    assert "none that can be read" in stale(CHAPTER, now[:100])
    assert "its code differs" in stale(CHAPTER.replace("noise", "sound"), now)
    assert "its prose differs" in stale(CHAPTER.replace("Prose", "Verse"), now)
    assert "of the package has changed" in stale(CHAPTER, json.dumps(other))


def test_pages_that_are_no_notebooks_are_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("# Nothing to run\n")
    assert execute.chapters([page]) == []
    with pytest.raises(SystemExit, match="no such chapter"):
        execute.chapters([tmp_path / "missing.md"])
