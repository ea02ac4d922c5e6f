"""The page of progress: all there is to do, what is remembered of it, and forgotten."""

import re

import pytest

from tests.browser import watched_page
from tests.site.conftest import CHAPTERS, tags
from tests.site.test_exercises import anchors, classed

PAGE = "progress.html"
SOURCES = sorted(CHAPTERS.glob("[0-9][0-9]_*.md"))
SUM = re.compile(
    r"You have done (\d+) of (\d+) exercises, and answered (\d+) of (\d+) "
    r"predictions, (\d+) of them right."
)
REMEMBERED = {
    "done.3-1": "1",
    "done.open-3": "1",
    "by-hand.3.a": "{}",
    "predict.03-scale": "1",
    "predict.03-shuffle": "0",
    "shown.03-race": "1",
}


def listed(built, name) -> list[dict]:
    """Return the links of the page that have an attribute."""
    return [each for tag, each in tags(built / PAGE) if tag == "a" and name in each]


def test_it_lists_every_exercise_and_prediction_of_the_book(built):
    done = [each["data-done"] for each in listed(built, "data-done")]
    asked = [each["data-predict"] for each in listed(built, "data-predict")]
    pages = [built / "chapters" / f"{source.stem}.html" for source in SOURCES]
    boxes = [id for page in pages for id in dict.fromkeys(anchors(page, "exercise-"))]
    assert [f"exercise-{each}" for each in done] == boxes
    covers = [
        each["data-predict"] for page in pages for each in classed(page, "book-answer")
    ]
    assert asked == list(dict.fromkeys(covers))
    chapters = [each for _, each in tags(built / PAGE) if "data-chapter" in each]
    numbers = [int(source.stem[:2]) for source in SOURCES]
    assert [int(each["data-chapter"]) for each in chapters] == numbers


def test_its_links_lead_to_places(built):
    for link in listed(built, "data-title"):
        page, _, place = link["href"].partition("#")
        assert place in anchors(built / page, place)


@pytest.fixture
def page(browser, site):
    """Return the page from a disk, with something remembered."""
    with watched_page(browser, viewport={"width": 360, "height": 800}) as page:
        page.goto((site.folder / PAGE).as_uri())
        page.evaluate(
            "known => { for (const [key, text] of Object.entries(known))"
            " localStorage.setItem(`qkv.${key}`, text);"
            " localStorage.setItem('other', '1'); }",
            REMEMBERED,
        )
        page.reload()
        yield page
        assert page.seen.foreign + page.seen.errors + page.seen.console == []


def state(page, selector) -> str:
    return page.locator(f".book-progress [data-{selector}]").get_attribute("data-state")


def sums(page) -> list[int]:
    found = SUM.fullmatch(page.locator(".book-sum").inner_text())
    assert found is not None
    return [int(each) for each in found.groups()]


def test_it_sums_what_is_remembered_and_says_what_to_review(page):
    done, exercises, answered, predictions, right = sums(page)
    assert (done, answered, right) == (2, 2, 1)
    assert exercises > 90
    assert predictions > 30
    assert state(page, "done='3-1'") == "done"
    assert state(page, "done='3-a'") == "begun"
    assert state(page, "done='3-2'") == ""
    assert state(page, "predict='03-scale'") == "right"
    assert state(page, "predict='03-shuffle'") == "wrong"
    assert state(page, "predict='03-race'") == "shown"
    review = page.locator(".book-review li").all_inner_texts()
    assert len(review) == 3
    assert "We shuffle the tokens" in review[0]
    assert "begun, not finished" in review[1]
    assert review[2].startswith("Still open in chapter 3: 3.2, ")
    wrong = page.get_by_role("link", name="Prediction 3 of chapter 3: not right")
    assert wrong.inner_text() == "3 ✗"
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_it_asks_before_it_forgets_by_keyboard(page):
    button = page.get_by_role("button", name="Forget all of this")
    question = page.get_by_role("dialog")
    button.press("Enter")
    assert "Forget 2 ticks and 4 answers in this browser?" in question.inner_text()
    page.keyboard.press("Enter")  # the focus is where nothing is lost
    question.wait_for(state="hidden")
    assert sums(page)[0] == 2
    button.press("Enter")
    page.keyboard.press("Escape")
    question.wait_for(state="hidden")
    assert sums(page)[0] == 2
    button.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    question.wait_for(state="hidden")
    page.wait_for_function("document.activeElement.className === 'book-sum'")
    assert not button.is_visible()
    assert page.evaluate("Object.keys(localStorage)") == ["other"]
    page.reload()
    assert sums(page)[0] == 0


def test_what_is_ticked_on_a_page_counts(page, site):
    page.goto(
        (site.folder / "chapters" / SOURCES[3].with_suffix(".html").name).as_uri()
    )
    page.locator("#exercise-3-2 .book-done input").check()
    page.go_back()
    assert sums(page)[0] == 3


def test_without_scripts_it_says_so_and_lists_what_there_is(browser, site):
    with watched_page(browser, java_script_enabled=False) as page:
        page.goto(f"{site.address}/{PAGE}")
        assert "switched off" in page.locator(".book-without-scripts").inner_text()
        for each in (".book-sum", ".book-forget", ".book-review", "dialog"):
            assert not page.locator(each).is_visible()
        assert page.locator("[data-done='3-1']").is_visible()
