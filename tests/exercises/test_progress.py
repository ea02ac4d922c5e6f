"""What is solved stays solved, beside the reader's copies and nowhere else."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest

from qkv.checking import solved
from qkv.checking.solved import Solved
from qkv.exercises import check, finding, progress
from qkv.exercises.report import Report
from qkv.widgets import Predict, WorkItOut

RIGHT = finding.find("0.1").reference


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reader's folder, with the session somewhere inside it."""
    (tmp_path / ".qkv-work").touch()
    (tmp_path / "chapters").mkdir()
    monkeypatch.chdir(tmp_path / "chapters")
    start_again(monkeypatch)
    return tmp_path


def start_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solved, "session", Solved())


def said(capsys: pytest.CaptureFixture) -> str:
    return capsys.readouterr().out


def listed(folder: Path) -> list[str]:
    return json.loads((folder / "progress.json").read_text(encoding="utf-8"))["solved"]


def test_a_solved_exercise_is_kept_for_the_next_session(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    check("0.1", RIGHT)
    assert listed(work) == ["0.1"]
    start_again(monkeypatch)
    said(capsys)
    progress()
    table = said(capsys)
    assert "Chapter 0, Words, vectors, memory: 1 of 8 solved" in table
    assert "  ✓ 0.1  Look up a batch of words (3 min, ★)" in table
    assert "  ○ 0.6  One step of the GRU (8 min, ★★)" in table
    assert "this session only" not in table


def test_what_was_solved_stays_solved_when_it_is_broken_again(work: Path) -> None:
    check("0.1", RIGHT)
    check("0.1", lambda ids, table: table[ids - 1])
    assert listed(work) == ["0.1"]


def test_a_wrong_answer_is_not_written_down(work: Path) -> None:
    check("0.1", lambda ids, table: None)
    assert not (work / "progress.json").exists()


def test_what_another_notebook_has_solved_is_kept(work: Path) -> None:
    (work / "progress.json").write_text('{"solved": ["2.2", "7.9"]}')
    check("0.1", RIGHT)
    assert listed(work) == ["0.1", "2.2", "7.9"]


@pytest.mark.parametrize(
    "content", ["", "{", '{"solved": 3}', '["0.1"]', '{"solved": [1]}', "\xff\xfe"]
)
def test_a_file_that_makes_no_sense_is_set_aside_not_lost(
    work: Path, content: str, capsys: pytest.CaptureFixture
) -> None:
    (work / "progress.json").write_bytes(content.encode("latin-1"))
    (work / "progress.broken-1.json").write_text("an earlier one")
    check("0.1", RIGHT)
    assert "it is kept as progress.broken-2.json" in said(capsys)
    aside = work / "progress.broken-2.json"
    assert aside.read_bytes() == content.encode("latin-1")
    assert listed(work) == ["0.1"]
    progress()
    assert "kept as" not in said(capsys)


def test_a_file_that_cannot_be_opened_is_said_and_left_alone(
    work: Path, capsys: pytest.CaptureFixture
) -> None:
    (work / "progress.json").mkdir()
    check("0.1", RIGHT)
    assert "progress.json cannot be read" in said(capsys)
    progress()
    assert "1 of 8 solved" in said(capsys)
    assert (work / "progress.json").is_dir()


def test_a_folder_that_cannot_be_written_is_said(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    check("0.1", RIGHT)
    assert "(progress.json cannot be written: Permission denied)" in said(capsys)
    assert not list(work.glob("*.part")), "the draft is left behind"


MANY = """
import sys
from qkv.checking import solved
from qkv.checking.solved import Solved
solved = Solved()
sys.stdin.read(1)
for number in range(20):
    solved.add(f"{sys.argv[1]}.{number}")
print(solved.note)
"""


def test_what_four_notebooks_solve_at_once_is_kept(work: Path) -> None:
    run = [sys.executable, "-c", MANY]
    books = [
        subprocess.Popen([*run, str(i)], stdin=PIPE, stdout=PIPE) for i in range(4)
    ]
    for book in books:
        book.stdin.write(b".")
        book.stdin.flush()
    assert [book.communicate()[0].strip() for book in books] == [b""] * 4
    assert set(listed(work)) == {f"{i}.{n}" for i in range(4) for n in range(20)}


def test_thirty_threads_do_not_break_the_file(work: Path) -> None:
    (work / "progress.json").write_text("{")
    books = [Solved() for _ in range(30)]
    threads = [
        threading.Thread(target=book.add, args=(f"1.{i}",))
        for i, book in enumerate(books)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(listed(work)) == {f"1.{i}" for i in range(30)}
    assert sorted(filter(None, (book.note for book in books))) == [
        "progress.json could not be understood; it is kept as progress.broken-1.json"
    ]


def test_without_the_readers_folder_it_is_for_this_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    start_again(monkeypatch)
    check("0.1", RIGHT)
    progress()
    table = said(capsys)
    assert "1 of 8 solved" in table
    assert "for this session only; `make lab` keeps it" in table
    assert not list(tmp_path.iterdir())


def test_of_one_chapter_it_lists_this_one_and_counts_the_others(
    work: Path, capsys: pytest.CaptureFixture
) -> None:
    (work / "progress.json").write_text('{"solved": ["0.1", "2.2", "12.1", "13.9"]}')
    progress(0)
    first, *exercises, last = said(capsys).splitlines()
    assert first == "Chapter 0, Words, vectors, memory: 1 of 8 solved"
    assert [line[4:7] for line in exercises] == [*finding.ids(0), *finding.by_hand(0)]
    assert last == "In other chapters: 3 solved; progress() shows the whole book."


def test_of_the_whole_book_it_lists_all(
    work: Path, capsys: pytest.CaptureFixture
) -> None:
    progress()
    table = said(capsys)
    chapters = finding.chapters()
    assert table.count("Chapter ") == len(chapters)
    assert all(f" {id}  " in table for c in chapters for id in finding.ids(c))
    assert "other chapters" not in table


def test_what_was_tried_is_to_be_reviewed_until_it_is_solved(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    check("0.1", lambda ids, table: table[ids - 1])
    check("0.2", lambda *_: ...)  # not begun
    start_again(monkeypatch)
    said(capsys)
    progress(0)
    table = said(capsys)
    assert "  △ 0.1  Look up" in table
    assert "  ○ 0.2  " in table
    assert "To review, tried and not yet solved: 0.1\n" in table
    check("0.1", RIGHT)
    said(capsys)
    progress(0)
    assert "To review" not in said(capsys)


def test_a_notebook_shows_chapters_by_exercises() -> None:
    report = Report(finding.chapters(), {"0.1", "3.a"}, {"0.2"})
    table = report._repr_html_()
    assert table.count("<tr>") == len(finding.chapters())
    assert '<th scope="row">0 Words, vectors, memory</th><td>1 of 8</td>' in table
    assert '(3 min, ★)">✓&nbsp;0.1</td>' in table
    assert ">△&nbsp;0.2<" in table
    assert "<p>To review, tried and not yet solved: 0.2<br>✓ solved, △ tried" in table


@pytest.mark.parametrize("chapter", [99, -1, "3", "all", 3.0, True])
def test_a_chapter_that_is_none_is_refused(work: Path, chapter: Any) -> None:
    with pytest.raises(ValueError, match="no exercises of a chapter"):
        progress(chapter)


def test_what_widgets_have_kept_is_listed(
    work: Path, capsys: pytest.CaptureFixture
) -> None:
    options = {"this": "It is.", "that": "It is not."}
    question = Predict("Which?", options, right=0, name="03-which")
    question.answer = 1
    question.answer = -1
    hand = WorkItOut("3.a")
    hand.solved = True
    assert listed(work) == ["03-which", "3.a"]
    progress(3)
    table = said(capsys)
    assert ": 1 of 9 solved" in table
    assert "  ✓ 3.a  Another query, the same keys (6 min, ★, by hand)" in table
    assert "  ✓ predictions answered: 1" in table
    assert "In other chapters: 0 solved" in table
    progress(1)
    table = said(capsys)
    assert "predictions" not in table
    assert "In other chapters: 1 solved" in table
