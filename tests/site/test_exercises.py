"""Exercises, predictions, folded cells and claims, as the site's readers use them."""

import re

import nbformat
import pytest

from qkv.exercises import finding
from tests.browser import watched_page
from tests.site.conftest import CHAPTERS, tags
from tools.folding import fold

SOURCES = sorted(CHAPTERS.glob("[0-9][0-9]_*.md"))
EXERCISE = re.compile(r"^\*\*Exercise (\d+\.\w+)", flags=re.MULTILINE)
OPEN_ONE = re.compile(r"^\*\*(?:An o|O)pen experiment\*\*", flags=re.MULTILINE)
PAGE = "chapters/03_scaled_dot_product.html"
BOX, PREDICTION = "exercise-3-5", "03-scale"
ANSWER = f".book-answer[data-predict='{PREDICTION}']"
COVER = ".book-cover"


def twin_of(source):
    """Return what the site is made from, which may be older than the source."""
    return nbformat.read(source.with_suffix(".ipynb"), as_version=4)


def prose_of(source) -> str:
    cells = twin_of(source).cells
    return "\n\n".join(c.source for c in cells if c.cell_type == "markdown")


def classed(path, name) -> list[dict]:
    """Return the attributes of each element of a page that has a class."""
    return [each for _, each in tags(path) if name in (each.get("class") or "").split()]


def linked(path) -> set[str]:
    return {each.get("href") or "" for tag, each in tags(path) if tag == "a"}


def anchors(path, beginning) -> list[str]:
    ids = [each.get("id") or "" for _, each in tags(path)]
    return [id for id in ids if id.startswith(beginning)]


@pytest.fixture
def page(browser, site):
    """Return a page of chapter 3, from the server, with nothing done or answered."""
    with watched_page(browser, viewport={"width": 1300, "height": 1000}) as page:
        page.goto(f"{site.address}/{PAGE}")
        page.evaluate("qkvHost.ready")
        yield page
        assert page.seen.foreign + page.seen.errors + page.seen.console == []


# --------------------------------------------------------------------- exercises


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_each_exercise_is_a_place_with_its_hints_and_its_solution(built, source):
    text, number = prose_of(source), int(source.stem[:2])
    ids = EXERCISE.findall(text)
    wanted = [f"exercise-{id.replace('.', '-')}" for id in ids]
    wanted += [f"exercise-open-{number}"] * len(OPEN_ONE.findall(text))
    path = built / "chapters" / f"{source.stem}.html"
    solutions = path.parent / "solutions" / path.name
    assert len(wanted) > 5
    assert anchors(path, "exercise-") == wanted
    assert {f"#{place}" for place in wanted} <= linked(path), "not in the contents"
    in_code = [id for id in ids if id in finding.ids(number)]
    hints = [len(finding.find(id).hints) for id in in_code]
    assert len(classed(path, "book-hint")) == sum(hints)
    assert len(classed(path, "book-solution")) == len(wanted)
    for place in wanted:
        solution = place.replace("exercise", "solution")
        assert f"solutions/{path.name}#{solution}" in linked(path)
        assert f"../{path.name}#{place}" in linked(solutions)
        assert anchors(solutions, solution) == [solution]


def test_what_is_done_is_remembered_also_from_a_disk(browser, site):
    with watched_page(browser) as page:
        page.goto((site.folder / PAGE).as_uri())
        tick = page.locator(f"#{BOX} .book-done input")
        assert not tick.is_checked()
        tick.focus()
        page.keyboard.press("Space")
        page.reload()
        assert tick.is_checked()
        assert page.locator(".book-done input:checked").count() == 1
        entry = page.locator(f".toc-tree a[href='#{BOX}']")
        assert "book-is-done" in entry.get_attribute("class")
        tick.uncheck()
        page.reload()
        assert page.locator(".book-done input:checked").count() == 0
        assert page.seen.foreign + page.seen.errors + page.seen.console == []


def test_hints_come_one_by_one_and_the_solution_opens_without_scripts(browser, site):
    with watched_page(browser, java_script_enabled=False) as page:
        page.goto(f"{site.address}/{PAGE}")
        box = page.locator(f"#{BOX}")
        assert box.locator("pre").first.is_visible(), "the stub is to be read"
        hints = box.locator(".book-hint")
        for number in range(hints.count()):
            shown = [hint.locator("> p").is_visible() for hint in hints.all()]
            assert sum(shown) == number
            hints.nth(number).locator("> summary").click()
        assert hints.count() == 3
        solution = box.locator(".book-solution")
        assert not solution.locator("pre").first.is_visible()
        solution.locator("summary").focus()
        page.keyboard.press("Enter")
        assert solution.locator("pre").first.is_visible()
        assert page.locator(COVER).count() == 0
        assert page.locator(f"{ANSWER} .book-figure").first.is_visible(), (
            "it stays covered"
        )


def test_what_is_worked_out_in_the_page_is_done(page):
    box = page.locator("#exercise-3-a")
    page.evaluate(
        """box => qkvHost.onMount(({ slot, model }) => {
            if (box.contains(slot)) model.set("solved", true);
        })""",
        box.element_handle(),
    )
    assert box.locator(".book-done input").is_checked()


# ----------------------------------------------------------- what is covered


def test_an_answer_is_covered_until_the_reader_has_given_theirs(page):
    figure = page.locator(f"{ANSWER} .book-figure").first
    assert not figure.is_visible()
    asked = page.locator(".qkv-predict", has_text="16 random keys")
    asked.locator("input").first.focus()
    page.keyboard.press("Space")
    asked.locator("[data-act=check]").press("Enter")
    assert figure.is_visible()
    page.reload()
    page.evaluate("qkvHost.ready")
    assert figure.is_visible(), "it is not remembered"
    others = page.locator(COVER).count()
    asked.locator("[data-act=reset]").click()
    assert page.locator(COVER).count() == others + 1
    assert not figure.is_visible()


def test_an_answer_is_shown_to_who_waves_it_through(page):
    figure = page.locator(f"{ANSWER} .book-figure").first
    asked = page.locator(".qkv-predict", has_text="16 random keys")
    asked.locator("input").last.focus()
    for _ in range(9):
        page.keyboard.press("Tab")
        if page.evaluate(f"document.activeElement.closest('{COVER}') !== null"):
            break
    page.keyboard.press("Enter")
    assert figure.is_visible()
    assert page.evaluate("document.activeElement.className") == "book-answer"
    page.reload()
    assert figure.is_visible(), "it is not remembered"


def test_what_is_covered_is_printed_and_can_be_linked_to(page):
    figure = page.locator(f"{ANSWER} .book-figure").first
    claim = page.locator(f"{ANSWER} [id^=claim-]").first
    page.emulate_media(media="print")
    assert figure.is_visible()
    page.emulate_media(media="screen")
    assert not figure.is_visible()
    page.evaluate("id => { location.hash = id; }", claim.get_attribute("id"))
    figure.wait_for()
    assert claim.is_visible()


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_each_prediction_covers_what_came_out(built, source):
    code = "\n".join(c.source for c in twin_of(source).cells)
    names = re.findall(r'^    name="(\d\d-[\w-]+)",$', code, flags=re.MULTILINE)
    path = built / "chapters" / f"{source.stem}.html"
    covered = [each["data-predict"] for each in classed(path, "book-answer")]
    assert list(dict.fromkeys(covered)) == names


# --------------------------------------------------------- what is folded, claims


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_cells_that_fold_are_folded(built, source):
    code = [c for c in twin_of(source).cells if c.cell_type == "code"]
    folds = [f for c in code if (f := fold(c.source, c.metadata.get("tags", ())))]
    path = built / "chapters" / f"{source.stem}.html"
    kinds = [each["class"].split()[-1] for each in classed(path, "book-fold")]
    assert kinds == [f"book-fold-{each.kind}" for each in folds]


def test_a_folded_cell_says_what_it_did_and_opens_by_keyboard(page):
    figure = page.locator(".book-fold-figure").first
    line = figure.locator("summary")
    assert line.inner_text() == "Draws “Where three questions look”"
    code = figure.locator("pre")
    assert not code.is_visible()
    line.focus()
    page.keyboard.press("Enter")
    assert code.is_visible()


def test_a_claim_leads_to_its_row_and_back(site, browser):
    with watched_page(browser) as page:
        page.goto(f"{site.address}/{PAGE}")
        claim = page.locator("[id^=claim-3]").first
        name = claim.get_attribute("id")
        said = re.fullmatch(r"✓ (.*): measured .*", claim.inner_text())[1]
        page.locator(f"#{name} a").click()
        row = page.locator(f"tr[id={name}]")
        assert page.url.endswith(f"claims.html#{name}")
        assert row.locator("td").first.inner_text().replace("’", "'") == said
        row.locator("a").click()
        assert page.url.endswith(f"{PAGE}#{name}")


def test_each_row_of_the_claims_belongs_to_a_claim_in_its_chapter(built):
    rows = anchors(built / "claims.html", "claim-")
    pages = [built / "chapters" / f"{source.stem}.html" for source in SOURCES]
    assert len(rows) > 200
    assert sorted(rows) == sorted(
        id for page in pages for id in anchors(page, "claim-")
    )
