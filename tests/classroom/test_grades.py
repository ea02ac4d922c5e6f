"""Learners' answers are judged by running them, and do no harm when they are run."""

import csv
import json
import os
import shutil

import pytest

from tests.classroom.learners import CHAPTER, NAMED, RIGHT, broken, learner
from tools.classroom import confine, grades
from tools.classroom.grades import CHAPTERS, Settings

SOLUTIONS = CHAPTERS / "solutions"
NUMBER = {path.name: path for path in CHAPTERS.glob("[0-9]*.ipynb")}
HAS_MEANS = confine.means() is not None
confined = pytest.mark.skipif(not HAS_MEANS, reason="the system cannot confine")


def graded(home, chapter=CHAPTER, **settings):
    """Return the rows of one chapter, by exercise."""
    settings = Settings(**{"confined": HAS_MEANS, **settings})
    path = grades.place(home) / chapter
    return grades.of_notebook(path, CHAPTERS / chapter, home, settings)


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


def test_an_answer_without_an_end_costs_the_others_nothing(tmp_path):
    home = learner(
        tmp_path,
        "loop",
        {
            "3.1": "while True: pass",
            "3.2": RIGHT,
            "3.4": "import os\nos._exit(0)",
        },
    )
    assert verdicts(home, seconds=10) == {
        "3.1": grades.LATE,
        "3.2": grades.RIGHT,
        "3.3": grades.OPEN,
        "3.4": grades.ENDED,
        "3.5": grades.OPEN,
        "3.6": grades.OPEN,
        "3.7": grades.OPEN,
    }


def test_what_is_told_in_the_workers_place_is_no_verdict(tmp_path):
    forged = "import os\nfor n in range(3, 64):\n  try: os.write(n, b'{LINE}')\n"
    forged += "  except OSError: pass\nos._exit(0)"
    nonsense = forged.replace("{LINE}", r'null\n7 {\n{"id": 3}\n{"begins": []}\n' * 9)
    home = learner(tmp_path, "forger", {"3.1": nonsense, "3.2": RIGHT})
    found = verdicts(home)
    assert found["3.1"] == grades.ENDED
    assert found["3.2"] == grades.RIGHT


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
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "<td>3.2<td>the scores are not divided" in page
    assert '<td class="n">2<td>&lt;b&gt;bob, 민지' in page
    assert "<b>" not in page
    assert "://" not in page
