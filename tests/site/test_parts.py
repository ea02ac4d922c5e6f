"""The parts of the book: home page, side bar, README and how to read show the same."""

import json
import re

import pytest
import yaml

from tests.browser import watched_page
from tests.site.conftest import CHAPTERS, ROOT, build, copy_book

# isort: split
from site_chapters import Chapter, in_parts, span, typeset

EDITION = yaml.safe_load((ROOT / "book" / "edition.yaml").read_text("utf-8"))
NUMBERS = sorted(int(path.name[:2]) for path in CHAPTERS.glob("[0-9]*.md"))
PAGES = {
    "index": """# Home

```{start-links}
```
```{book-route}
```
```{chapter-cards}
```
```{chapter-toctree} chapters
```
```{toctree}
how_to_read
```
""",
    "how_to_read": "# How to read\n\n```{book-parts}\n```\n",
}


def chapter(number: int, title="A title", able="") -> Chapter:
    return Chapter(f"chapters/{number:02}_a", number, title, able, 60)


def shown(numbers) -> list[tuple[str, list[int]]]:
    parts = in_parts([chapter(each) for each in numbers], EDITION)
    return [(part.name, [each.number for each in part.chapters]) for part in parts]


def test_a_chapter_belongs_to_the_part_that_begins_before_it():
    assert shown([0, 1, 8, 9, 12]) == [("Part I", [0, 1, 8]), ("Part II", [9, 12])]


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([9], "chapter 9"),
        ([9, 12], "chapters 9 and 12"),
        (range(9), "chapters 0 to 8"),
        ([9, 12, 14], "chapters 9, 12 and 14"),
    ],
)
def test_the_chapters_of_a_part_are_said_with_their_gaps(numbers, words):
    (part,) = in_parts([chapter(each) for each in numbers], EDITION)
    assert span(part) == words


@pytest.mark.parametrize(("numbers", "names"), [([1, 8], ["Part I"]), ([], [])])
def test_a_part_without_chapters_is_not_shown(numbers, names):
    assert [name for name, _ in shown(numbers)] == names


def test_symbols_are_typeset_and_the_rest_is_escaped():
    made = typeset("divided by √d_k, a < b, by `split_heads`")
    assert "√<var>d<sub>k</sub></var>" in made
    assert "a &lt; b" in made
    assert "split_heads" in made


# ------------------------------------------------------------- a book with both parts


def notebook(number: int, title: str) -> str:
    about = {"chapter": number, "able": "do √d_k", "minutes": 60}
    cell = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": f"# {title}"}
    language = {"name": "python", "pygments_lexer": "ipython3"}
    metadata = {"book": about, "language_info": language}
    made = {"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(made)


@pytest.fixture(scope="module")
def two_parts(tmp_path_factory):
    """The folder of a small site with chapters in both parts, not all of them there."""
    folder = tmp_path_factory.mktemp("parts")
    book, chapters = copy_book(folder, "*.md"), folder / "chapters"
    chapters.mkdir()
    for name, text in PAGES.items():
        (book / f"{name}.md").write_text(text)
    for number in (0, 8, 9, 12, 14):
        path = chapters / f"{number:02}_a.ipynb"
        path.write_text(notebook(number, f"Title {number}: of it"))
    options = ["-D", f"qkv_chapters={chapters}", "-D", "exclude_patterns=_*,api*"]
    done = build(book, folder / "out", *options)
    assert done.returncode == 0, done.stderr
    return folder / "out"


def test_home_groups_the_cards_by_part(two_parts):
    home = (two_parts / "index.html").read_text("utf-8")
    groups = home.partition('class="book-cards"')[2].split('class="book-cards"')
    cards = [re.findall(r"Chapter (\d+)<", group) for group in groups]
    assert cards == [["0", "8"], ["9", "12", "14"]]
    assert "√<var>d<sub>k</sub></var>" in home
    assert "CPU" not in home


def test_the_route_joins_the_chapters_that_are_read_in_order(two_parts):
    home = (two_parts / "index.html").read_text("utf-8")
    lists = re.findall(r'<ol aria-label="([^"]*)"( class="book-apart")?>', home)
    one, two = (f"{part['name']}: {part['title']}" for part in EDITION["parts"])
    assert lists == [(one, ""), (two, ' class="book-apart"')]


def test_the_side_bar_names_the_parts(two_parts):
    home = (two_parts / "index.html").read_text("utf-8")
    captions = re.findall(r'class="caption-text">([^<]*)<', home)
    named = [f"{part['name']}: {part['title']}" for part in EDITION["parts"]]
    assert captions[:2] == named


def test_how_to_read_says_what_each_part_is(two_parts):
    page = (two_parts / "how_to_read.html").read_text("utf-8")
    for part, chapters in zip(
        EDITION["parts"], ("0 and 8", "9, 12 and 14"), strict=True
    ):
        assert f"{part['name']}: {part['title']} (chapters {chapters})" in page
        assert part["says"] in page


def test_the_end_of_a_part_tells_of_the_next(two_parts):
    ends = {
        path.stem: "book-next-part" in path.read_text("utf-8")
        for path in (two_parts / "chapters").glob("*.html")
    }
    assert [name for name, told in ends.items() if told] == ["08_a"]
    assert len(ends) == 5


def test_next_leads_over_a_gap(two_parts):
    page = (two_parts / "chapters" / "09_a.html").read_text("utf-8")
    assert re.findall(r'class="next-page" href="([^"]*)"', page) == ["12_a.html"]


# ------------------------------------------------------------------------- this book


def test_readme_lists_every_chapter_under_its_part():
    readme = (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| (?:\*\*(Part \w+: .+?)\*\*|\[(\d+) )", readme, flags=re.M)
    wanted = []
    for part in in_parts([chapter(number) for number in NUMBERS], EDITION):
        wanted.append((part.heading, ""))
        wanted += [("", str(each.number)) for each in part.chapters]
    assert rows == wanted


def test_home_shows_the_twelve_digits_at_their_last_step_and_moves_once(browser, site):
    state = """() => {
      const rows = [...document.querySelectorAll(".qkv-alignment .qkv-row")];
      return [rows.findIndex((row) => row.ariaPressed === "true"), rows.length];
    }"""
    with watched_page(browser, reduced_motion="reduce") as page:
        page.goto(f"{site.address}/index.html")
        page.evaluate("window.qkvHost.ready")
        page.locator("[data-plays]").first.scroll_into_view_if_needed()
        assert page.evaluate(state) == [12, 13]
        page.wait_for_timeout(700)
        assert page.evaluate(state) == [12, 13]
    pressed = """addEventListener("click", ({ target }) => {
      const row = target.closest(".qkv-row");
      if (row) (window.pressed ??= []).push(Number(row.dataset.row));
    }, { capture: true })"""
    with watched_page(browser, reduced_motion="no-preference") as page:
        page.add_init_script(pressed)
        page.goto(f"{site.address}/index.html")
        page.locator("[data-plays]").first.scroll_into_view_if_needed()
        page.wait_for_function("window.pressed?.length === 13")
        page.wait_for_timeout(700)
        assert page.evaluate("pressed") == list(range(13)), "once, one after the other"
        assert page.evaluate(state) == [12, 13]


PAINTED = """() => [...document.querySelectorAll(".qkv-paint-a-sentence [data-cell]")]
    .findIndex((cell) => cell.ariaCurrent === "step")"""


def test_home_paints_a_picture_once_and_loads_no_model_for_it(browser, site):
    home = f"{site.address}/index.html"
    with watched_page(browser, reduced_motion="no-preference") as page:
        loads = []
        page.on("request", lambda request: loads.append(request.url))
        page.goto(home)
        page.locator("[data-plays]").nth(1).scroll_into_view_if_needed()
        page.wait_for_function(f"({PAINTED})() === 0")
        page.wait_for_function(f"({PAINTED})() === 15")
        assert [url for url in loads if "checkpoints" in url] == []
    with watched_page(browser, reduced_motion="reduce") as page:
        page.goto(home)
        page.locator("[data-plays]").nth(1).scroll_into_view_if_needed()
        page.evaluate("qkvHost.ready")
        page.wait_for_timeout(700)
        assert page.evaluate(PAINTED) == 15
        page.locator(".qkv-paint-a-sentence [data-act=again]").click()
        page.get_by_text("The model is here").first.wait_for()
        assert page.evaluate(PAINTED) == 15
