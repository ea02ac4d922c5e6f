"""Search finds the section that a reader is looking for, in English and in Korean."""

import re

import pytest
from docutils import nodes

from tests.browser import watched_page
from tests.site.conftest import ROOT  # noqa: F401 -- first: it finds book/_ext

# isort: split
from site_search import prose, symbol

# What a reader may type, and the place that must come first: page and heading. A term
# is found where it is taught: softmax in chapter 0, which is for those who ask for it.
FIRST = {
    "softmax": ("00", "Scores become probabilities"),
    "소프트맥스": ("00", "Scores become probabilities"),
    "cross entropy": ("00", "How wrong? Surprise"),
    "skip-gram": ("00", "A word is what its neighbours say of it"),
    "LSTM": ("00", "Two vectors: the LSTM"),
    "vanishing gradient": ("00", "How far back does learning reach?"),
    "teacher forcing": ("01", "Two networks and a door"),
    "exposure bias": ("01", "Fed the truth, or left alone"),
    "병목": ("01", "The bottleneck"),
    "Bahdanau": ("02", "Looking back: Bahdanau attention"),
    "is the alignment true": ("02", "Is the alignment true?"),
    "why sqrt": ("03", "Why divide?"),
    "square root of d_k": ("03", "Why divide?"),
    "split heads": ("04", "A hundred is ten times ten"),
    "RoPE": ("05", "Turning the question instead"),
    "ALiBi": ("05", "Or just prefer what is near"),
    "sinusoidal": ("05", "Clocks"),
    "masking": ("06", "What may be seen: masking"),
    "마스킹": ("06", "What may be seen: masking"),
    "마스크": ("06", "What may be seen: masking"),
    "padding mask": ("06", "The padding"),
    "패딩마스크를": ("06", "The padding"),
    "layer norm": ("07", "Layer norm"),
    "잔차 연결": ("07", "A way around"),
    "beam search": ("07", "More than one guess"),
    "KV cache": ("07", "The cache"),
    "class token": ("08", "Who gives the answer?"),
    "my own sentences": ("how_to_read", "Your own sentences and pictures"),
    "graphics card": ("how_to_read", "A graphics card"),
    "load_pairs": ("api", "qkv.data.load_pairs"),
}
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
    first = {query: places[0][:2] for query, places in found.items()}
    wanted = {
        query: [address, heading]
        for query, (address, heading) in first.items()
        if heading == FIRST[query][1]
        and address.removeprefix("chapters/").startswith(FIRST[query][0])
    }
    assert first == wanted
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
        assert "chapters" in kinds or "how_to_read.html#" in addresses[0], query
        if "package" in kinds and not query.count(" "):
            after = kinds[kinds.index("package") :]
            assert set(after) == {"package"}, query


def test_an_excerpt_is_words_and_no_markup(found):
    for places in found.values():
        for _, heading, said in places:
            assert not re.search(r"\\[a-z]+|[{}$]|katex|<\w+|&\w+;", heading + said)


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
