"""Two learners on a real hub: each in their own copies, told apart by their grades."""

import sys
from contextlib import ExitStack

import pytest

from tests.classroom.learners import CHAPTER, NAMED, RIGHT
from tests.lab.reader import PATIENCE, errors_of_ours
from tools.classroom import confine, grades

ANSWERS = {"ada": RIGHT, "민지": NAMED}
SAYS = {"ada": "✓ 3.2", "민지": "the scores are not divided by √d_k"}
ABOUT = """
import os, resource, torch
most = resource.getrlimit(resource.RLIMIT_DATA)[0]
print(os.getcwd(), torch.get_num_threads(), most)
"""


@pytest.fixture(scope="module", params=[*ANSWERS])
def learner(request, browser, classroom):
    """Somebody who signs in, answers an exercise of chapter 3 and saves."""
    with classroom.logged_in(browser, request.param) as notebook:
        page = notebook.page
        first = page.url
        page.goto(f"{first.partition('/tree/')[0]}/tree/{CHAPTER}?reset")
        notebook = type(notebook)(page).ready()
        code = f"from qkv.exercises import check\n{ANSWERS[request.param]}"
        said = notebook.answer("3.2", code)
        notebook.save()
        yield request.param, notebook, first, said


def test_a_learner_lands_in_chapter_1_of_their_own(learner, classroom):
    _, notebook, first, _ = learner
    assert first.startswith(f"{classroom.url}/user/")
    assert first.endswith("/lab/tree/01_seq2seq_bottleneck.ipynb")
    assert errors_of_ours(notebook.page) == []


def test_a_learner_runs_a_cell_and_is_judged(learner, classroom):
    name, notebook, _, said = learner
    assert SAYS[name] in said
    work = classroom.homes / name / "work"
    where, threads, most = notebook.ask(ABOUT).split()
    assert (where, threads) == (str(work), "1")
    assert int(most) == 2 * 2**30 or sys.platform != "linux"


def test_what_is_saved_is_in_their_own_home(learner, classroom):
    name, _, _, _ = learner
    copy = classroom.homes / name / "work" / CHAPTER
    [mine] = grades.exercises(grades.read(copy))["3.2"]
    assert mine.endswith(ANSWERS[name])


def test_solutions_are_there_unless_they_are_held_back(learner, classroom):
    name, _, _, _ = learner
    solutions = classroom.homes / name / "work" / "solutions"
    assert len([*solutions.glob("*.ipynb")]) == len([*grades.CHAPTERS.glob("*.ipynb")])


def test_nobody_comes_in_at_the_door_of_another(browser, classroom):
    """Both are signed in, and each has a server that runs."""
    with ExitStack() as both:
        pages = {
            name: both.enter_context(classroom.logged_in(browser, name)).page
            for name in ANSWERS
        }
        for page in pages.values():
            page.wait_for_url("**/lab/tree/**", timeout=PATIENCE * 1000)
        for name, page in pages.items():
            for owner in ANSWERS:
                url = f"{classroom.url}/user/{owner}/api/contents"
                status = page.context.request.get(url).status
                assert status == 200 if owner == name else status in (403, 404)


def test_grades_tell_them_apart(classroom):
    """After both: pytest runs the tests of each learner before this one."""
    if not all((classroom.homes / name).exists() for name in ANSWERS):
        pytest.skip("nobody has answered: the tests before this one were not run")
    settings = grades.Settings(confined=confine.means() is not None)
    for name, verdict in {"ada": grades.RIGHT, "민지": grades.MISTAKE}.items():
        home = classroom.homes / name
        found = grades.of_chapter(grades.CHAPTERS / CHAPTER, home, settings)
        assert found["3.2"][0] == verdict
        assert found["3.1"][0] == grades.OPEN


def test_a_wrong_password_opens_nothing(browser, classroom):
    page = browser.new_page()
    page.goto(classroom.url)
    page.fill("#username_input", "eve")
    page.fill("#password_input", "a guess")
    page.click("#login_submit")
    page.wait_for_selector(".login_error")
    assert not (classroom.homes / "eve").exists()
    password = classroom.homes / ".hub" / "password"
    assert password.stat().st_mode & 0o077 == 0
    page.close()
