"""The reader's own copies: added, refreshed, kept, and never overwritten."""

import errno
import json
import os
import re
import shutil

import nbformat
import pytest
from nbformat.sign import NotebookNotary
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import lab
from tools.execute import canonical

CHAPTER = "01_first.ipynb"
PICTURE = "figures/drawing.svg"


def write_twin(path, *sources, output="2"):
    """Write a chapter's twin as tools/execute.py leaves it."""
    cells = [new_markdown_cell("# A chapter"), *map(twin_cell, sources)]
    for cell in cells[1:]:
        if cell.cell_type == "code":
            cell.outputs = [new_output("stream", text=output)]
    notebook = canonical(new_notebook(cells=cells), path.name)
    notebook.metadata["jupytext"] = {"formats": "md:myst,ipynb"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def twin_cell(source):
    """Return a cell: a section where it begins so, an exercise where it checks one."""
    if source.startswith("#"):
        return new_markdown_cell(source)
    tags = [f"exercise-{number}" for number in re.findall(r'check\("(.+?)"', source)]
    return new_code_cell(source, metadata={"tags": tags} if tags else {})


def edit(path, change):
    """Do to a notebook what a reader does in JupyterLab: change it and save."""
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


def answer(notebook):
    notebook.cells[1].source = "mine = 3"


def run_cells(notebook):
    notebook.cells[1].outputs = [new_output("stream", text="the reader's run")]
    notebook.cells[1].execution_count = 7
    notebook.cells.append(new_code_cell(""))


@pytest.fixture(autouse=True)
def jupyter_data(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))


@pytest.fixture
def chapters(tmp_path):
    folder = tmp_path / "chapters"
    write_twin(folder / CHAPTER, "1 + 1")
    write_twin(folder / "solutions" / CHAPTER, "solved = 2")
    (folder / "figures").mkdir()
    (folder / PICTURE).write_text("<svg/>")
    (folder / "01_first.md").write_text("# the source")
    (folder / ".hidden").write_text("not the book's")
    return folder


def test_what_jupyter_keeps_beside_a_notebook_is_not_copied(chapters, tmp_path):
    """A chapter that an author has opened has a second notebook in a hidden folder."""
    for folder in (chapters, chapters / "solutions"):
        write_twin(folder / ".ipynb_checkpoints" / "01_first-checkpoint.ipynb", "old")
        (folder / "__pycache__").mkdir()
        (folder / "__pycache__" / "made.pyc").write_bytes(b"")
    lab.refresh(chapters, tmp_path / "copies")
    copied = {path.name for path in (tmp_path / "copies").rglob("*")}
    assert "01_first.ipynb" in copied
    assert not copied & {".ipynb_checkpoints", "01_first-checkpoint.ipynb", "made.pyc"}


@pytest.fixture
def work(tmp_path, chapters):
    """Return a folder of copies as a first `make lab` leaves it."""
    folder = tmp_path / "work"
    lab.refresh(chapters, folder)
    return folder


def files(folder):
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in paths}


def test_a_first_run_adds_chapters_solutions_and_pictures(chapters, tmp_path):
    lines = lab.refresh(chapters, tmp_path / "work")
    copies = {CHAPTER, PICTURE, f"solutions/{CHAPTER}"}
    assert files(tmp_path / "work") == {*copies, lab.RECORD}
    assert {line.split(maxsplit=1)[1] for line in lines} == copies
    assert all(line.startswith("added") for line in lines)


def test_a_copy_is_no_longer_tied_to_the_markdown(work):
    assert "jupytext" not in nbformat.read(work / CHAPTER, as_version=4).metadata


def test_a_second_run_changes_nothing_and_says_nothing(chapters, work):
    before = {name: (work / name).read_bytes() for name in files(work)}
    assert lab.refresh(chapters, work) == []
    assert {name: (work / name).read_bytes() for name in files(work)} == before


def test_a_new_chapter_is_added_to_the_others(chapters, work):
    write_twin(chapters / "02_second.ipynb", "2 + 2")
    assert lab.refresh(chapters, work) == ["added      02_second.ipynb"]
    assert (work / "02_second.ipynb").exists()


def test_the_copies_are_trusted(work):
    notebook = nbformat.read(work / CHAPTER, as_version=4)
    with NotebookNotary() as notary:
        assert notary.check_signature(notebook)
        notebook.cells[1].outputs[0].text = "something foreign"
        assert not notary.check_signature(notebook)


def test_an_untouched_copy_is_trusted_again_on_another_machine(
    chapters, work, tmp_path, monkeypatch
):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "another"))
    lab.refresh(chapters, work)
    with NotebookNotary() as notary:
        assert notary.check_signature(nbformat.read(work / CHAPTER, as_version=4))


def test_what_the_reader_changed_is_not_trusted_on_their_behalf(
    chapters, work, tmp_path, monkeypatch
):
    edit(work / CHAPTER, answer)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "another"))
    lab.refresh(chapters, work)
    with NotebookNotary() as notary:
        assert not notary.check_signature(nbformat.read(work / CHAPTER, as_version=4))


def test_an_untouched_copy_is_refreshed_when_the_book_moves_on(chapters, work):
    write_twin(chapters / CHAPTER, "1 + 1", "a new cell")
    assert lab.refresh(chapters, work) == [f"refreshed  {CHAPTER}"]
    assert "a new cell" in (work / CHAPTER).read_text()


def test_an_untouched_copy_takes_the_books_new_outputs(chapters, work):
    write_twin(chapters / CHAPTER, "1 + 1", output="two")
    assert lab.refresh(chapters, work) == [f"refreshed  {CHAPTER}"]
    assert "two" in (work / CHAPTER).read_text()


def test_running_a_chapter_is_no_edit(chapters, work):
    edit(work / CHAPTER, run_cells)
    write_twin(chapters / CHAPTER, "1 + 1", "a new cell")
    assert lab.refresh(chapters, work) == [f"refreshed  {CHAPTER}"]


def test_a_readers_own_outputs_stay_while_the_cells_are_the_same(chapters, work):
    edit(work / CHAPTER, run_cells)
    write_twin(chapters / CHAPTER, "1 + 1", output="the book's new run")
    assert lab.refresh(chapters, work) == []
    assert "the reader's run" in (work / CHAPTER).read_text()


def test_an_edited_copy_is_kept_in_silence_while_the_book_is_the_same(chapters, work):
    edit(work / CHAPTER, answer)
    mine = (work / CHAPTER).read_bytes()
    assert lab.refresh(chapters, work) == []
    assert (work / CHAPTER).read_bytes() == mine


def test_an_edited_copy_is_kept_and_the_newer_version_named(chapters, work):
    edit(work / CHAPTER, answer)
    mine = (work / CHAPTER).read_bytes()
    write_twin(chapters / CHAPTER, "1 + 1", "a new cell")
    for _ in range(2):
        (line,) = lab.refresh(chapters, work)
        assert "New or changed cells: A chapter (1)." in line
        assert '--begin-again 01_first.ipynb"' in line
        assert '--carry-over 01_first.ipynb"' in line
        assert line.startswith(f"kept       {CHAPTER}: you changed it.")
        assert str(chapters / CHAPTER) in line
        assert (work / CHAPTER).read_bytes() == mine


def test_a_picture_pasted_into_a_note_is_an_edit(chapters, work):
    def paste(notebook):
        notebook.cells[0].attachments = {"mine.png": {"image/png": "aGVsbG8="}}

    edit(work / CHAPTER, paste)
    write_twin(chapters / CHAPTER, "1 + 1", "a new cell")
    (line,) = lab.refresh(chapters, work)
    assert line.startswith("kept")


def test_an_edit_taken_back_is_no_edit(chapters, work):
    edit(work / CHAPTER, answer)
    lab.refresh(chapters, work)
    edit(work / CHAPTER, lambda notebook: notebook.cells[1].update(source="1 + 1"))
    write_twin(chapters / CHAPTER, "1 + 1", "a new cell")
    assert lab.refresh(chapters, work) == [f"refreshed  {CHAPTER}"]


def test_a_deleted_copy_comes_back_as_the_books(chapters, work):
    (work / CHAPTER).unlink()
    assert lab.refresh(chapters, work) == [f"added      {CHAPTER}"]


def test_a_renamed_copy_stays_beside_the_books(chapters, work):
    edit(work / CHAPTER, answer)
    (work / CHAPTER).rename(work / "01_mine.ipynb")
    lab.refresh(chapters, work)
    assert "mine = 3" in (work / "01_mine.ipynb").read_text()
    assert "mine = 3" not in (work / CHAPTER).read_text()


def test_a_chapter_that_left_the_book_stays_with_the_reader(chapters, work):
    (chapters / CHAPTER).unlink()
    mine = (work / CHAPTER).read_bytes()
    (line,) = lab.refresh(chapters, work)
    assert line == f"kept       {CHAPTER}: it is no longer in the book. Yours stays."
    assert (work / CHAPTER).read_bytes() == mine
    assert lab.refresh(chapters, work) == []


def test_a_renamed_chapter_is_said_once(chapters, work):
    edit(work / CHAPTER, answer)
    (chapters / CHAPTER).rename(chapters / "02_renamed.ipynb")
    assert lab.refresh(chapters, work) == [
        f"kept       {CHAPTER}: it is now 02_renamed.ipynb. Yours stays.",
        "added      02_renamed.ipynb",
    ]
    assert lab.refresh(chapters, work) == []


def test_a_new_line_at_the_end_of_a_cell_is_no_edit(chapters, work):
    edit(work / CHAPTER, lambda notebook: notebook.cells[1].update(source="1 + 1\n"))
    write_twin(chapters / CHAPTER, "1 + 1", "a new cell")
    assert lab.refresh(chapters, work) == [f"refreshed  {CHAPTER}"]


def test_what_the_book_changed_is_named_by_its_sections(chapters, work):
    edit(work / CHAPTER, answer)
    write_twin(chapters / CHAPTER, "1 + 1", "## Why?", "2 + 2", "3", "# End", "4")
    (line,) = lab.refresh(chapters, work)
    assert "New or changed cells: Why? (3); End (2)." in line


def test_what_the_book_left_out_is_said(chapters, work):
    edit(work / CHAPTER, answer)
    write_twin(chapters / CHAPTER)
    (line,) = lab.refresh(chapters, work)
    assert "The book has left out some of its cells." in line


STUBS = ('def f(): ...\ncheck("1.1", f)', 'def g(): ...\ncheck("1.2", g)')
NEW_STUBS = (
    "# new",
    'def f(x): ...\ncheck("1.1", f)',
    'def g(x): ...\ncheck("1.2", g)',
)


@pytest.fixture
def answered(chapters, work):
    """Let the reader answer the first of two exercises, and the book move on."""
    write_twin(chapters / CHAPTER, *STUBS)
    lab.refresh(chapters, work)
    edit(work / CHAPTER, lambda notebook: notebook.cells[1].update(source="mine = 3"))
    write_twin(chapters / CHAPTER, *NEW_STUBS)
    return (work / CHAPTER).read_bytes()


def sources(path):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells]


def test_exercises_are_carried_over_and_the_old_copy_kept(chapters, work, answered):
    (line,) = lab.begin_again("01", chapters, work, carry=True)
    assert line == (
        f"new        {CHAPTER}, with your exercises 1.1; "
        f"yours is beside it: yours-1-{CHAPTER}"
    )
    assert sources(work / CHAPTER) == ["# A chapter", "# new", "mine = 3", NEW_STUBS[2]]
    assert (work / f"yours-1-{CHAPTER}").read_bytes() == answered
    with NotebookNotary() as notary:
        assert notary.check_signature(nbformat.read(work / CHAPTER, as_version=4))
    assert lab.refresh(chapters, work) == []


def test_an_answer_without_a_place_is_said_to_be_in_the_old_copy(
    chapters, work, answered
):
    write_twin(chapters / CHAPTER, NEW_STUBS[2])
    (line,) = lab.begin_again("01", chapters, work, carry=True)
    assert line.endswith(f"yours-1-{CHAPTER} (1.1 only there: the book's has none)")
    assert sources(work / CHAPTER) == ["# A chapter", NEW_STUBS[2]]


def test_what_was_carried_over_is_an_edit_like_any_other(chapters, work, answered):
    lab.begin_again("01", chapters, work, carry=True)
    write_twin(chapters / CHAPTER, *NEW_STUBS, "5")
    (line,) = lab.refresh(chapters, work)
    assert line.startswith(f"kept       {CHAPTER}: you changed it.")
    assert "New or changed cells: new (1)." in line


def test_a_chapter_is_begun_again_and_the_old_copy_kept(chapters, work, answered):
    for n in (1, 2):
        (line,) = lab.begin_again(CHAPTER, chapters, work, carry=False)
        assert line == f"new        {CHAPTER}; yours is beside it: yours-{n}-{CHAPTER}"
        assert sources(work / CHAPTER) == ["# A chapter", *NEW_STUBS]
    assert (work / f"yours-1-{CHAPTER}").read_bytes() == answered
    assert lab.refresh(chapters, work) == []
    write_twin(chapters / CHAPTER, *NEW_STUBS, output="another run")
    assert lab.refresh(chapters, work) == [f"refreshed  {CHAPTER}"]


@pytest.mark.parametrize("name", ["", "9", "no such chapter"])
def test_a_chapter_must_be_named_as_one(chapters, work, name):
    before = files(work)
    with pytest.raises(lab.Failure, match=rf"not one: .*{CHAPTER}"):
        lab.begin_again(name, chapters, work, carry=False)
    assert files(work) == before


def test_a_copy_that_is_no_notebook_can_be_begun_again(chapters, work):
    (work / CHAPTER).write_text("[1")
    with pytest.raises(lab.Failure, match="cannot be read"):
        lab.begin_again("01", chapters, work, carry=True)
    lab.begin_again("01", chapters, work, carry=False)
    assert sources(work / CHAPTER) == ["# A chapter", "1 + 1"]
    assert (work / f"yours-1-{CHAPTER}").read_text() == "[1"


def test_files_of_the_readers_own_are_left_alone(chapters, work):
    (work / "progress.json").write_text('{"1.1": true}')
    (work / "notes.ipynb").write_text("not even JSON")
    assert lab.refresh(chapters, work) == []
    assert (work / "progress.json").read_text() == '{"1.1": true}'
    assert (work / "notes.ipynb").read_text() == "not even JSON"


RECORDS = [
    pytest.param(b"", id="empty"),
    pytest.param(b'{"copies": {"01_first', id="truncated"),
    pytest.param(b"\xff\xfe\x00", id="not text"),
    pytest.param(b"[]", id="a list"),
    pytest.param(b'{"copies": [1]}', id="copies are a list"),
    pytest.param(b'{"copies": {"01_first.ipynb": {"content": "x"}}}', id="half a copy"),
    pytest.param(b'{"copies": {"01_first.ipynb": "x"}}', id="an older form"),
]


@pytest.mark.parametrize("record", RECORDS)
def test_a_broken_record_overwrites_nothing(chapters, work, record):
    edit(work / CHAPTER, answer)
    mine = (work / CHAPTER).read_bytes()
    (work / lab.RECORD).write_bytes(record)
    lost, *kept = lab.refresh(chapters, work)
    assert "cannot be read" in lost
    assert [line.split(":")[0] for line in kept] == [f"kept       {CHAPTER}"]
    assert (work / CHAPTER).read_bytes() == mine


@pytest.mark.parametrize("record", RECORDS)
def test_after_a_broken_record_untouched_copies_are_known_again(chapters, work, record):
    (work / lab.RECORD).write_bytes(record)
    lab.refresh(chapters, work)
    write_twin(chapters / CHAPTER, "1 + 1", "a new cell")
    assert lab.refresh(chapters, work) == [f"refreshed  {CHAPTER}"]


def test_a_lost_record_overwrites_nothing(chapters, work):
    edit(work / CHAPTER, answer)
    (work / lab.RECORD).unlink()
    (line,) = lab.refresh(chapters, work)
    assert line.startswith(f"kept       {CHAPTER}")
    assert "mine = 3" in (work / CHAPTER).read_text()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"cells": [', id="truncated"),
        pytest.param(b"\xff\xfe\x00", id="not text"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"cells": 3}', id="cells are a number"),
        pytest.param(b'{"cells": [{"source": "x"}]}', id="a cell without a type"),
        pytest.param(b'{"cells": [{"cell_type": "code", "source": 3}]}', id="no text"),
    ],
)
def test_a_copy_that_is_no_notebook_is_kept(chapters, work, content):
    (work / CHAPTER).write_bytes(content)
    (line,) = lab.refresh(chapters, work)
    assert line.startswith(f"kept       {CHAPTER}: it cannot be read.")
    assert (work / CHAPTER).read_bytes() == content


def test_a_folder_in_a_copys_place_is_kept(chapters, work):
    (work / CHAPTER).unlink()
    (work / CHAPTER).mkdir()
    (line,) = lab.refresh(chapters, work)
    assert line.startswith(f"kept       {CHAPTER}: it cannot be read.")


@pytest.mark.parametrize("where", ["elsewhere.ipynb", CHAPTER], ids=["gone", "a loop"])
def test_a_link_that_leads_nowhere_is_kept(chapters, work, where):
    (work / CHAPTER).unlink()
    (work / CHAPTER).symlink_to(where)
    (line,) = lab.refresh(chapters, work)
    assert line.startswith("kept")
    assert (work / CHAPTER).is_symlink()


def test_a_link_in_the_book_is_not_followed_out_of_it(chapters, work, tmp_path):
    (tmp_path / "secret").mkdir()
    write_twin(tmp_path / "secret" / "02_mine.ipynb", "my key")
    (chapters / "02_file.ipynb").symlink_to(tmp_path / "secret" / "02_mine.ipynb")
    (chapters / "folder").symlink_to(tmp_path / "secret")
    (chapters / "03_again.ipynb").symlink_to(CHAPTER)
    assert lab.refresh(chapters, work) == ["added      03_again.ipynb"]
    assert not [file for file in files(work) if "my key" in (work / file).read_text()]


def test_a_link_in_work_is_not_followed_out_of_it(chapters, work, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    (work / "solutions").rename(elsewhere)
    (work / "solutions").symlink_to(elsewhere)
    (work / CHAPTER).rename(elsewhere / "mine.ipynb")
    (work / CHAPTER).symlink_to(elsewhere / "mine.ipynb")
    before = {path: path.read_bytes() for path in elsewhere.iterdir()}
    for twin in (CHAPTER, f"solutions/{CHAPTER}"):
        write_twin(chapters / twin, "1 + 1", "a new cell")
    assert lab.refresh(chapters, work) == [
        f"kept       {name}: {lab.LEADS_OUT.format(work)}"
        for name in (CHAPTER, f"solutions/{CHAPTER}")
    ]
    with pytest.raises(lab.Failure, match="a link leads out of"):
        lab.begin_again(f"solutions/{CHAPTER}", chapters, work, carry=False)
    assert {path: path.read_bytes() for path in elsewhere.iterdir()} == before


def test_work_itself_may_be_a_link(chapters, work, tmp_path):
    (tmp_path / "another disk").symlink_to(work)
    write_twin(chapters / CHAPTER, "1 + 1", "a new cell")
    assert lab.refresh(chapters, tmp_path / "another disk") == [f"refreshed  {CHAPTER}"]


def test_a_read_only_copy_is_kept(chapters, work):
    (work / CHAPTER).chmod(0o444)
    write_twin(chapters / CHAPTER, "1 + 1", "a new cell")
    (line,) = lab.refresh(chapters, work)
    assert line.startswith(f"kept       {CHAPTER}: it is read-only")
    assert "a new cell" not in (work / CHAPTER).read_text()


def disk_full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_copy_whole(chapters, work, monkeypatch, where):
    before = (work / CHAPTER).read_bytes()
    write_twin(chapters / CHAPTER, "1 + 1", "a new cell")
    monkeypatch.setattr(os, where, disk_full)
    with pytest.raises(lab.Failure, match=r"the disk is full.*\nMake room"):
        lab.refresh(chapters, work)
    assert (work / CHAPTER).read_bytes() == before
    assert not list(work.rglob(".copying-*"))


def test_after_a_full_disk_the_next_run_goes_on(chapters, work, monkeypatch):
    write_twin(chapters / CHAPTER, "1 + 1", "a new cell")
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", disk_full)
        with pytest.raises(lab.Failure):
            lab.refresh(chapters, work)
    assert lab.refresh(chapters, work) == [f"refreshed  {CHAPTER}"]


def test_a_crash_before_the_record_is_written_loses_no_track(
    chapters, work, monkeypatch
):
    write_twin(chapters / CHAPTER, "1 + 1", "a new cell")
    with monkeypatch.context() as crash:
        crash.setattr(lab, "_write_record", disk_full)
        with pytest.raises(OSError, match="No space"):
            lab.refresh(chapters, work)
    assert lab.refresh(chapters, work) == []
    write_twin(chapters / CHAPTER, "1 + 1", "another")
    assert lab.refresh(chapters, work) == [f"refreshed  {CHAPTER}"]


def test_a_file_in_the_place_of_the_folder_is_named(chapters, tmp_path):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(lab.Failure, match=r"taken could not be written: File exists"):
        lab.refresh(chapters, tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_copy_can_be_written_by_its_reader(work):
    assert os.stat(work / CHAPTER).st_mode & 0o777 == 0o644


def test_the_record_is_plain_json_that_says_what_it_is(work):
    record = json.loads((work / lab.RECORD).read_text())
    assert "tools/lab.py" in record["about"]
    assert set(record["copies"]) == {CHAPTER, PICTURE, f"solutions/{CHAPTER}"}


def test_the_books_own_chapters_can_be_copied(tmp_path):
    """Holds for every twin there is, whatever it contains."""
    lab.refresh(lab.ROOT / "chapters", tmp_path / "work")
    shutil.copytree(tmp_path / "work", tmp_path / "again")
    assert lab.refresh(lab.ROOT / "chapters", tmp_path / "again") == []
    chapters = lab.ROOT / "chapters"
    originals = [*chapters.rglob("*.ipynb"), *chapters.glob("figures/*.svg")]
    names = {path.relative_to(chapters).as_posix() for path in originals}
    assert names <= files(tmp_path / "work")


def test_a_drawing_is_refreshed_unless_the_reader_changed_it(chapters, work):
    (chapters / PICTURE).write_text("<svg><title>A door</title></svg>")
    assert lab.refresh(chapters, work) == [f"refreshed  {PICTURE}"]
    (work / PICTURE).write_text("<svg>mine</svg>")
    (chapters / PICTURE).write_text("<svg><title>A window</title></svg>")
    (line,) = lab.refresh(chapters, work)
    assert line.startswith(f"kept       {PICTURE}: you changed it.")
    assert (work / PICTURE).read_text() == "<svg>mine</svg>"
