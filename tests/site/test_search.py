"""Search finds the section that a reader is looking for, in English and in Korean."""

import re

import pytest
from docutils import nodes

from tests.browser import watched_page
from tests.site.conftest import ROOT  # noqa: F401 -- first: it finds book/_ext

# isort: split
from site_search import prose, symbol

# What a reader may type, and what must come first: a page, and a word of the heading. A
# term is found where it is taught: softmax in chapter 0, for those who ask for it.
FIRST = {
    "softmax": ("00", "probabilities"),
    "소프트맥스": ("00", "probabilities"),
    "cross entropy": ("00", "surprise"),
    "skip-gram": ("00", "neighbours"),
    "LSTM": ("00", "LSTM"),
    "vanishing gradient": ("00", "how far back"),
    "teacher forcing": ("01", "two networks"),
    "exposure bias": ("01", "fed the truth"),
    "병목": ("01", "bottleneck"),
    "Bahdanau": ("02", "looking back"),
    "is the alignment true": ("02", "alignment"),
    "why sqrt": ("03", "why divide"),
    "square root of d_k": ("03", "why divide"),
    "split heads": ("04", "ten times ten"),
    "RoPE": ("05", "turning"),
    "ALiBi": ("05", "ALiBi|near"),
    "sinusoidal": ("05", "clocks"),
    "masking": ("06", "masking"),
    "마스킹": ("06", "masking"),
    "마스크": ("06", "masking"),
    "padding mask": ("06", "the padding"),
    "패딩마스크를": ("06", "the padding"),
    "layer norm": ("07", "layer norm"),
    "잔차 연결": ("07", "residual|a way around"),
    "beam search": ("07", "more than one guess"),
    "KV cache": ("07", "cache"),
    "class token": ("08", "who gives"),
    "my own sentences": ("how_to_read", "your own"),
    "graphics card": ("how_to_read", "graphics card"),
    "load_pairs": ("api", "qkv.data.load_pairs"),
}
MARKUP = re.compile(r"\\[a-z]+|[{}$]|katex|<(?:span|div|math|a|b)\b|&\w+;")
FOUND = """() => [...document.querySelectorAll("#book-search-found > li")].map((li) => [
    li.querySelector("a").getAttribute("href"),
    li.querySelector("a").textContent,
    li.querySelector("p")?.textContent ?? "",
])"""


@pytest.fixture(scope="module", params=["served", "disk"])
def searching(request, browser, site):
    """Return a function from a query to what is found, by address, heading, excerpt."""
    base = site.address if request.param == "served" else site.folder.as_uri()
    with watched_page(browser) as page:

        def search(query: str) -> list[list[str]]:
            page.goto(f"{base}/index.html")
            page.locator("input[name=q]").fill(query)
            page.keyboard.press("Enter")
            page.locator("#book-search-status", has_text="Found").wait_for()
            assert page.seen.foreign == page.seen.errors == page.seen.console == []
            return page.evaluate(FOUND)

        yield search


@pytest.fixture(scope="module")
def found(searching) -> dict[str, list[list[str]]]:
    return {query: searching(query) for query in FIRST}


def test_the_first_place_is_where_it_is_taught(found):
    wrong = {}
    for query, (page, heading) in FIRST.items():
        address, first, _ = found[query][0]
        place = address.removeprefix("chapters/")
        if not place.startswith(page) or not re.search(heading, first, flags=re.I):
            wrong[query] = address, first
    assert wrong == {}
    assert len(FIRST) >= 25


def test_other_forms_of_a_word_find_the_same_places(found, searching):
    assert found["마스킹"] == found["마스크"] == found["masking"] == searching("masks")


def test_chapters_come_first_and_the_package_last(found):
    for query, places in found.items():
        addresses = [address for address, *_ in places]
        kinds = [
            "package" if address.startswith("api") else address.partition("/")[0]
            for address in addresses
        ]
        assert kinds[0] != "package" or set(kinds) == {"package"}, query
        if "package" in kinds:
            after = kinds[kinds.index("package") :]
            assert set(after) == {"package"}, query


def test_an_excerpt_is_words_and_no_markup(found):
    for places in found.values():
        for _, heading, said in places:
            assert not MARKUP.search(heading + said)


def test_nothing_is_found_for_what_is_nowhere(searching):
    assert searching("xyzzyplugh") == []


# ------------------------------------------------------------------------- the index


@pytest.mark.parametrize(
    ("tex", "said"),
    [
        (r"\sqrt{d_k}", "√d_k"),
        (r"\alpha_{ij}", "α_ij"),
        (r"d_{\text{model}}", "d_model"),
        (r"\frac{a}{b}", "…"),
        (r"\operatorname{softmax}(QK^\top)", "…"),
    ],
)
def test_of_formulas_only_symbols_are_said(tex, said):
    assert symbol(tex) == said


def test_code_output_and_markup_are_not_prose():
    cell = nodes.container("", nodes.paragraph("", "printed"), classes=["cell"])
    text = nodes.paragraph("", "Words ", nodes.math("", "x"), nodes.Text("."))
    body = [text, nodes.literal_block("", "code"), nodes.raw("", "<b>"), cell]
    assert prose(nodes.container("", *body)).split() == ["Words", "x."]
