"""What is loaded for one exercise: its chapter's package, its file, and no other."""

import subprocess
import sys

import pytest

SHARED = {"", ".draw", ".finding", ".report", ".sentences"}


def loaded(call: str) -> set[str]:
    """Return the modules of qkv that a fresh session has after ``call``."""
    program = f"import sys\nfrom qkv.exercises import check, hint, progress\n{call}\n"
    program += "print(*(name for name in sys.modules if name.startswith('qkv')))"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(ran.stdout.splitlines()[-1].split())


def exercises(modules: set[str]) -> set[str]:
    """Return those of qkv.exercises, but what all exercises share."""
    own = {m.removeprefix("qkv.exercises") for m in modules if "qkv.exercises" in m}
    return own - SHARED


def test_an_import_loads_no_exercise() -> None:
    assert not exercises(loaded(""))


@pytest.mark.parametrize(
    "call",
    [
        'check("3.2", None)',
        'check("3.2", lambda q, k: q @ k.mT / q.shape[-1] ** 0.5)',
        'hint("3.2")',
    ],
)
def test_one_exercise_is_loaded_alone(call: str) -> None:
    modules = loaded(call)
    assert exercises(modules) == {".ch03", ".ch03.shared", ".ch03.scaled_scores"}
    assert not [name for name in modules if "checkpoint" in name]


def test_the_progress_of_a_chapter_loads_this_chapter_alone() -> None:
    chapters = {name.split(".")[1] for name in exercises(loaded("progress(3)"))}
    assert chapters == {"ch03"}
