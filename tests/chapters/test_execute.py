"""``tools/execute.py``: the same bytes each time, and no more running than needed."""

import json
from pathlib import Path

import nbformat
import pytest

from tools import execute

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
    assert notebook.metadata["made_from"]["modules"] == ["qkv", "qkv.trace"]
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


@pytest.mark.parametrize(
    "change",
    [
        ("print([os", "print( [os"),
        (":tags: [nbval-ignore-output]\n", ":tags: [hide-input]\n"),
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


def test_a_change_in_a_module_that_is_used_counts_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ["__init__.py", "trace.py", "plot.py", "widgets/__init__.py"]
    files += ["widgets/base.py", "widgets/static/a.js", "widgets/js/a.js"]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(file)
    monkeypatch.setattr(execute, "PACKAGE", tmp_path)
    used = ["qkv", "qkv.trace", "qkv.widgets", "qkv.gone"]
    before = execute.package_hash(used)
    for file in ("plot.py", "widgets/base.py", "widgets/js/a.js"):
        (tmp_path / file).write_text("changed")
    assert execute.package_hash(used) == before
    for file in ("__init__.py", "trace.py", "widgets/static/a.js"):
        (tmp_path / file).write_text("changed")
        now = execute.package_hash(used)
        assert now != before
        before = now


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
    assert "the package has changed" in stale(CHAPTER, json.dumps(other))


def test_pages_that_are_no_notebooks_are_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("# Nothing to run\n")
    assert execute.chapters([page]) == []
    with pytest.raises(SystemExit, match="no such chapter"):
        execute.chapters([tmp_path / "missing.md"])
