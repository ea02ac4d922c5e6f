"""Learners' answers are judged by running them, and do no harm when they are run."""

import csv
import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.classroom.learners import CHAPTER, NAMED, RIGHT, broken, learner
from tools.classroom import confine, grades, page
from tools.classroom.grades import CHAPTERS, Settings

SOLUTIONS = CHAPTERS / "solutions"
NUMBER = {path.name: path for path in CHAPTERS.glob("[0-9]*.ipynb")}
HAS_MEANS = confine.means() is not None
confined = pytest.mark.skipif(not HAS_MEANS, reason="the system cannot confine")


def graded(home, chapter=CHAPTER, **settings):
    """Return the rows of one chapter, by exercise."""
    settings = Settings(**{"confined": HAS_MEANS, **settings})
    return grades.of_chapter(CHAPTERS / chapter, home, settings)


def verdicts(home, **settings):
    return {id: found[0] for id, found in graded(home, **settings).items()}


# The proofs of the exercises hold each solution; here it is how they are run: one after
# the other, with what the chapter imports.
@pytest.mark.parametrize("chapter", [n for n in NUMBER if n[:2] in ("03", "08")])
def test_solutions_are_right(chapter, tmp_path):
    home = broken(tmp_path, "solver", (SOLUTIONS / chapter).read_bytes(), chapter)
    found = graded(home, chapter)
    assert {row[0] for row in found.values()} == {grades.RIGHT}, found
    assert [*found] == [*grades.exercises(grades.read(CHAPTERS / chapter))]


@pytest.mark.parametrize("chapter", [*NUMBER])
def test_no_stub_is_right_and_none_is_run(chapter, tmp_path, monkeypatch):
    monkeypatch.setattr(grades, "run", None)
    found = graded(learner(tmp_path, "idle", chapter=chapter), chapter)
    assert {row[0] for row in found.values()} == {grades.OPEN}


def test_each_kind_of_answer_has_its_row(tmp_path):
    home = learner(
        tmp_path,
        "mixed",
        {
            "3.1": "def rebuild(x, basis):\n    ...  # later\n\ncheck('3.1', rebuild)",
            "3.2": NAMED,
            "3.3": "def attention(q, k, v):\n    scores = scaled_scores(q, k)\n"
            "    return (scores / q.shape[-1] ** 0.5).softmax(-1) @ v",
            "3.4": "import sys\nsys.exit()",
            "3.5": "def entropy(weights):\n    sys.exit()\ncheck('3.5', entropy)",
            "3.6": "def attend_to_self(:",
            "3.7": "def additive_for_all(q, k, W, U, v):\n    return q + k",
        },
    )
    found = graded(home)
    assert {id: row[0] for id, row in found.items()} == {
        "3.1": grades.OPEN,
        "3.2": grades.MISTAKE,
        "3.3": grades.RIGHT,  # by its name, without a check, on the answer before it
        "3.4": grades.RAISED,
        "3.5": grades.RAISED,
        "3.6": grades.RAISED,
        "3.7": grades.WRONG,
    }
    assert found["3.2"][1:] == ("not scaled", found["3.2"][2])
    assert found["3.2"][2].startswith("the scores are not divided by √d_k")
    assert found["3.4"][2] == "raised SystemExit"
    assert "SyntaxError" in found["3.6"][2]


def test_an_answer_without_an_end_is_stopped(tmp_path):
    """A second is enough for it, on any machine: it ends by this limit alone."""
    found = verdicts(learner(tmp_path, "loop", {"3.1": "while True: pass"}), seconds=1)
    assert found.pop("3.1") == grades.LATE
    assert set(found.values()) == {grades.OPEN}


def test_an_answer_that_is_lost_costs_the_others_nothing(tmp_path):
    ends = "import os\nos._exit(0)"
    found = verdicts(
        learner(tmp_path, "ends", {"3.1": ends, "3.2": RIGHT, "3.4": ends})
    )
    assert (found["3.1"], found["3.4"]) == (grades.ENDED, grades.ENDED)
    assert found["3.2"] == grades.RIGHT
    assert found["3.3"] == grades.OPEN


FORGED = """import os
for n in range(3, 64):
  try: os.write(n, {line!r})
  except OSError: pass
"""
EXIT = "os._exit(0)"
NONSENSE = b'null\n7 {\n{"id": 3}\n{"begins": []}\n{"ready": true}\n' * 9 + b"[" * 9999


def forged(line, end=EXIT):
    return FORGED.format(line=line + b"\n") + end


def test_nonsense_in_the_workers_place_is_no_verdict(tmp_path):
    answers = {"3.1": forged(NONSENSE), "3.2": RIGHT}
    answers["3.4"] = forged(b'{"ended": "right", "said": 3}\n{"ended": "<script>"}')
    answers["3.5"] = forged(b'{"id": "3.5"}')
    found = verdicts(learner(tmp_path, "forger", answers))
    assert found["3.2"] == grades.RIGHT
    assert {found[id] for id in ("3.1", "3.4", "3.5")} == {grades.ENDED}


def test_an_answer_can_forge_its_own_verdict_and_no_other(tmp_path):
    """It runs beside the check: book/teaching.md says so."""
    line = b'{"id": "3.1", "stage": "SOLVED"}\n{"id": "3.2", "stage": "SOLVED"}'
    found = verdicts(learner(tmp_path, "forger", {"3.1": forged(line), "3.2": NAMED}))
    assert found["3.1"] == grades.RIGHT
    assert found["3.2"] == grades.MISTAKE


@pytest.fixture
def pipe():
    reads, writes = os.pipe()
    with open(reads, "rb"), open(writes, "wb", buffering=0) as out:
        yield reads, out


READY = b'{"ready": true}\n'
BEGINS = b'{"begins": "3.1"}\n'


def test_lines_that_are_not_due_do_not_buy_time(pipe, monkeypatch):
    reads, out = pipe
    now = iter(range(0, 10**6, 10))
    monkeypatch.setattr(grades.time, "monotonic", lambda: next(now))
    out.write(READY + BEGINS)
    lines = grades._lines(reads, ["3.1"], 100)
    assert [next(lines), next(lines)] == [{"ready": True}, {"begins": "3.1"}]

    def flood(*_):
        assert next(now) < 1000, "it is waited for without an end"
        out.write(BEGINS)
        return [reads], [], []

    monkeypatch.setattr(grades.select, "select", flood)
    assert [*lines] == [grades.End(grades.LATE, "not after 100 s")]


def test_a_line_without_an_end_is_not_kept(pipe, monkeypatch):
    reads, out = pipe
    out.write(READY + BEGINS)
    lines = grades._lines(reads, ["3.1"], 600)
    assert [next(lines), next(lines)] == [{"ready": True}, {"begins": "3.1"}]
    read = iter([b"x" * 2**16] * 100)
    monkeypatch.setattr(grades.select, "select", lambda *_: ([reads], [], []))
    monkeypatch.setattr(grades.os, "read", lambda *_: next(read))
    [end] = lines
    assert end.verdict == grades.ENDED
    assert len([*read]) > 80


def test_more_answers_than_were_asked_for_end_the_waiting(pipe):
    reads, out = pipe
    out.write(READY + BEGINS + b'{"id": "3.1"}\n' * 5)
    assert len([*grades._lines(reads, ["3.1"], 600)]) == 3


def test_what_is_said_fits_any_table(tmp_path):
    raises = "raise ValueError({!r} + chr(0xD800) + 'x' * 300_000)"
    home = learner(tmp_path, os.fsdecode(b"=ada\xff"), {"3.1": raises.format("\n=1")})
    told = graded(home)["3.1"]
    row = grades.Row(*map(grades.plain, (home.name, "3.1", *told)), "2026-01-01")
    assert len(row.said) == grades.LONGEST
    assert row.said.startswith("raised ValueError: =1?xxx")
    evil = grades.Row("@ada", "3.1", "<script>", "=1", "=HYPERLINK(1)", row.date)
    grades.write([row, evil], tmp_path / "out")
    with open(tmp_path / "out" / "grades.csv", encoding="utf-8-sig") as file:
        first, second = csv.reader(list(file)[1:])
    assert first[0] == "'=ada?"
    assert second[:5] == ["'@ada", "3.1", "<script>", "'=1", "'=HYPERLINK(1)"]
    assert "<script>" not in (tmp_path / "out" / "index.html").read_text("utf-8")


@pytest.mark.parametrize(
    "content",
    [b"", b'{"cells": [', b"\xff\xfe\x00", b"[]", b'{"cells": [3]}', b'{"cells": {}}'],
)
def test_a_broken_notebook_has_its_rows(content, tmp_path):
    found = graded(broken(tmp_path, "broken", content))
    kinds = {row[0] for row in found.values()}
    assert kinds == {grades.NO_CELL if content == b'{"cells": {}}' else grades.BROKEN}
    assert len(found) == 7


def test_a_notebook_that_is_no_file_is_not_opened(tmp_path):
    home = learner(tmp_path, "pipe")
    (home / "work" / CHAPTER).unlink()
    assert set(verdicts(home).values()) == {grades.NONE}
    os.mkfifo(home / "work" / CHAPTER)
    assert set(verdicts(home).values()) == {grades.BROKEN}


def test_a_home_that_may_not_be_read_has_its_rows(tmp_path, monkeypatch):
    def refused(_):
        raise PermissionError(13, "Permission denied", "home")

    monkeypatch.setattr(grades.os, "listdir", refused)
    found = graded(learner(tmp_path, "shut"))
    assert {row[0] for row in found.values()} == {grades.BROKEN}
    assert "Permission denied" in found["3.1"][2]


def test_each_learner_is_one_folder_with_a_name(tmp_path, monkeypatch, capsys):
    for name in ("a/ada", "b/ada", "b/bob"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "b" / "notes").touch()
    monkeypatch.chdir(tmp_path / "b" / "bob")
    [bob] = grades.of_learners([grades.Path(), tmp_path / "b" / "notes"])
    assert bob.name == "bob"
    assert "notes is not a folder" in capsys.readouterr().out
    for named, said in (
        (["a/ada", "b/ada"], "more than one folder has the name ada"),
        (["a/eve", "a/ada"], "there is no .*eve"),
        (["b/notes"], "no folder of a learner"),
    ):
        with pytest.raises(SystemExit, match=said):
            grades.of_learners([tmp_path / name for name in named])


def test_windows_is_told_plainly():
    loads = "import concurrent.futures, csv, os, runpy, select, subprocess, tempfile\n"
    runs = f"runpy.run_path({grades.__file__!r}, run_name='__main__')"
    command = [sys.executable, "-c", f"{loads}os.name = 'nt'\n{runs}"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.stderr == (
        "error: answers are run on Linux or macOS. On Windows, grade in WSL.\n"
    )


def rows_of(*verdicts):
    return [
        grades.Row(str(n), "3.2", verdict, "", f"said {n}", "2026-01-01")
        for n, verdict in enumerate(verdicts)
    ]


def test_what_is_no_answer_makes_no_exercise_hard():
    lost = (grades.BROKEN, grades.NO_CELL, grades.NO_ANSWER, grades.NONE, grades.OPEN)
    assert page.share(rows_of(grades.RIGHT, *lost)) == 1
    assert page.share(rows_of(grades.RIGHT, grades.LATE, grades.RAISED)) == 1 / 3
    assert page.share(rows_of(*lost)) > 1


def test_what_was_said_needs_no_mouse():
    made = page.page(rows_of(grades.RIGHT, grades.WRONG))
    assert "title=" not in made
    assert '<summary aria-label="3.2 wrong">✗</summary>wrong said 1</details>' in made
    assert '<meter value="0.500" aria-label="1 of 2 right">' in made
    assert "<th>" not in made


def test_nobody_is_graded_on_the_work_of_another(tmp_path):
    solver = learner(tmp_path, "solver", {"3.2": RIGHT})
    home = learner(tmp_path, "lender")
    (home / "work" / CHAPTER).unlink()
    (home / "work" / CHAPTER).symlink_to(solver / "work" / CHAPTER)
    found = graded(home)
    assert found["3.2"] == (
        grades.BROKEN,
        "",
        "a link leads out of the learner's folder",
    )


def test_a_cell_that_was_deleted_or_split_is_known(tmp_path):
    home = learner(tmp_path, "editor", {"3.2": RIGHT})
    path = home / "work" / CHAPTER
    notebook = json.loads(path.read_bytes())
    tagged = [c for c in notebook["cells"] if c["metadata"].get("tags")]
    first, second = (
        next(c for c in tagged if f"exercise-3.{n}" in c["metadata"]["tags"])
        for n in (1, 2)
    )
    notebook["cells"].remove(first)
    body, _, end = second["source"].partition("\n\n\n")
    place = notebook["cells"].index(second)
    notebook["cells"][place : place + 1] = [
        {**second, "source": body},
        {**second, "source": end},
    ]
    path.write_text(json.dumps(notebook))
    found = verdicts(home)
    assert found["3.1"] == grades.NO_CELL
    assert found["3.2"] == grades.RIGHT


WRITES = """
import os, pathlib, subprocess, torch
home, other = pathlib.Path({home!r}), pathlib.Path({other!r})
ways = [
    lambda p: (p / "new").write_text("x"),
    lambda p: (p / "work" / {chapter!r}).write_text("x"),
    lambda p: (p / "work" / {chapter!r}).unlink(),
    lambda p: os.truncate(p / "work" / {chapter!r}, 0),
    lambda p: os.rename(p / "work", p / "gone"),
    lambda p: torch.save(torch.ones(1), p / "tensor"),
    lambda p: subprocess.run(["cp", "/dev/null", p / "copied"], check=True),
    lambda p: (p / "folder").mkdir(),
    lambda p: (p / "link").symlink_to("/"),
]
came_through = []
for place in (home, other):
    for n, way in enumerate(ways):
        try:
            way(place)
            came_through.append((place.name, n))
        except (OSError, RuntimeError, subprocess.CalledProcessError):
            pass
pathlib.Path("scratch").write_text("here it may")
assert pathlib.Path.home() == pathlib.Path.cwd()
raise RuntimeError(f"came through: {{came_through}}")
"""


@confined
def test_nothing_of_a_learner_writes_outside_its_folder(tmp_path):
    other = learner(tmp_path, "other", {"3.2": RIGHT})
    home = tmp_path / "writer"
    told = {"home": str(home), "other": str(other), "chapter": CHAPTER}
    learner(tmp_path, "writer", {"3.1": WRITES.format(**told)})
    before = contents(tmp_path)
    assert graded(home)["3.1"][2] == "raised RuntimeError: came through: []"
    assert contents(tmp_path) == before
    assert verdicts(other)["3.2"] == grades.RIGHT


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def test_where_nothing_can_confine_nothing_is_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(confine, "means", lambda: None)
    monkeypatch.setattr(grades, "run", None)
    learner(tmp_path, "ada")
    with pytest.raises(SystemExit, match="add --unconfined"):
        grades.main([str(tmp_path / "ada")])


def test_the_table_and_the_page(tmp_path, capsys):
    homes = tmp_path / "homes"
    for name in ("ada", "민지", "<b>bob"):
        learner(homes, name, {"3.2": RIGHT if name == "ada" else NAMED})
    shutil.copy(homes / "ada" / "work" / CHAPTER, homes / "notes.ipynb")
    (homes / "민지" / "work" / "progress.json").write_text('{"solved": ["3.1"]}')
    folders = [str(path) for path in sorted(homes.iterdir())]
    options = ["--jobs=1"] + ["--unconfined"] * (not HAS_MEANS)
    grades.main([*folders, "--to", str(tmp_path / "out"), *options])
    assert "ada: 1 of " in capsys.readouterr().out
    with open(tmp_path / "out" / "grades.csv", encoding="utf-8-sig") as file:
        rows = [*csv.DictReader(file)]
    assert [*rows[0]] == ["who", "exercise", "verdict", "mistake", "said", "date"]
    count = sum(len(grades.exercises(grades.read(path))) for path in NUMBER.values())
    assert len(rows) == 3 * count
    of_3_2 = {row["who"]: row["mistake"] for row in rows if row["exercise"] == "3.2"}
    assert of_3_2 == {"ada": "", "민지": "not scaled", "<b>bob": "not scaled"}
    [trusted] = [r for r in rows if (r["who"], r["exercise"]) == ("민지", "3.1")]
    assert trusted["verdict"] == grades.OPEN, "the progress file is not trusted"
    made = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "<td>3.2<td>the scores are not divided" in made
    assert '<td class="n">2<td>&lt;b&gt;bob, 민지' in made
    assert "<b>" not in made
    assert "://" not in made
