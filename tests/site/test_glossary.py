"""Terms are linked at their first use, and say what they mean."""

import re

import pytest
from docutils import nodes

from tests.browser import watched_page
from tests.site.conftest import ROOT  # noqa: F401 -- first: it finds book/_ext

# isort: split
from site_elements import details
from site_glossary import Term, _link_first

TERMS = ".book-term"


def term(*names: str, introduced=None) -> Term:
    return Term(list(names), ["말"], "what it means", "term-a", introduced)


def linked(doctree, *args) -> str:
    """The text, with what is linked in brackets."""
    _link_first(doctree, *args, "g.html")
    for link in doctree.findall(nodes.reference):
        link.children[0] = nodes.Text(f"[{link.astext()}]")
    return doctree.astext()


def page(*children) -> nodes.Element:
    return nodes.section("", *children)


def words(text: str) -> nodes.paragraph:
    return nodes.paragraph("", text)


def test_the_first_use_is_linked_and_no_other():
    doctree = page(words("A remask, then masks and a mask."), words("A mask."))
    assert linked(doctree, term("mask"), 6) == (
        "A remask, then [masks] and a mask.\n\nA mask."
    )


def test_a_term_is_one_also_where_its_line_ends():
    assert linked(page(words("A causal\nmask.")), term("causal mask"), 6) == (
        "A [causal\nmask]."
    )


def test_headings_code_links_and_formulas_stay_as_they_are():
    left = [
        nodes.title("", "A mask"),
        nodes.paragraph("", "", nodes.literal("", "mask")),
        nodes.paragraph("", "", nodes.reference("", "mask", refuri="a")),
        nodes.paragraph("", "", nodes.math("", "mask")),
        nodes.literal_block("", "mask"),
    ]
    assert not _link_first(page(*left), term("mask"), 6, "g.html")


def test_a_use_in_a_folded_solution_is_not_the_first():
    folded = details("book-solution", "A solution", words("A mask."))
    said = linked(page(folded, words("A mask.")), term("mask"), 6)
    assert said.count("[") == 1
    assert said.endswith("A [mask].")


def test_where_a_chapter_introduces_a_term_in_bold_that_is_linked():
    bold = nodes.paragraph("", "", nodes.strong("", "mask"))
    doctree = page(words("A mask."), bold)
    assert linked(doctree, term("mask", introduced=6), 6) == "A mask.\n\n[mask]"


def test_a_single_word_is_no_term_before_it_is_introduced():
    assert not term("key", introduced=3).is_linked_in(2)
    assert term("key", introduced=3).is_linked_in(4)
    assert term("padding mask", introduced=6).is_linked_in(1)


# ------------------------------------------------------------------------ on the pages


def test_a_chapter_links_a_term_once(site):
    for name in (name for name in site.chapters if "solutions" not in name):
        text = (site.folder / name).read_text("utf-8")
        anchors = re.findall(r'class="book-term[^>]*#(term-[^"]+)"', text)
        assert len(anchors) > 8, name
        assert len(anchors) == len(set(anchors)), name
        told = re.findall(r'data-term="([^"]+)"', text)
        assert sorted(told) == sorted(anchors), name


@pytest.fixture
def chapter(browser, site):
    with watched_page(browser, viewport={"width": 360, "height": 740}) as page:
        page.goto(f"{site.address}/chapters/06_masking.html")
        page.evaluate("window.qkvHost?.ready")
        yield page
        assert page.seen.errors == []


def overhang(page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


def test_a_term_says_what_it_means_to_the_keyboard(chapter):
    link, tip = chapter.locator(TERMS).first, chapter.locator("#book-tip")
    chapter.keyboard.press("Tab")  # so that what is focused next was by keyboard
    link.focus()
    assert tip.is_visible()
    assert link.get_attribute("aria-describedby") == "book-tip"
    assert tip.locator('[lang="ko"]').count() >= 1
    chapter.keyboard.press("Escape")
    assert tip.is_hidden()
    assert link.evaluate("link => link === document.activeElement")


def test_a_term_says_what_it_means_to_the_pointer_and_stays(chapter):
    link, tip = chapter.locator(TERMS).first, chapter.locator("#book-tip")
    link.hover()
    tip.wait_for(state="visible")
    tip.hover()
    chapter.wait_for_timeout(600)
    assert tip.is_visible(), "it stays while the pointer is on it"
    chapter.locator("h1").hover()
    tip.wait_for(state="hidden")


def test_no_meaning_hangs_over_the_edge_of_a_phone(chapter):
    for link in chapter.locator(TERMS).all():
        link.focus()
        assert overhang(chapter) == 0
        box = chapter.locator("#book-tip").bounding_box()
        if box:
            assert 0 <= box["x"] <= 360 - box["width"]
