"""All Korean text of the site says to browsers and screen readers that it is."""

import re

import pytest

from tests.browser import watched_page
from tests.site.conftest import ROOT  # first: it finds book/_ext

# isort: split
from site_korean import HANGUL, mark
from site_twins import digest

# What a twin shows with an older module of a widget is left to the test of the twins.
SILENT = """(current) => {
  const hangul = /[\\u1100-\\u11ff\\u3130-\\u318f\\uac00-\\ud7a3]/;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const { parentElement: parent, data } = texts.currentNode;
    if (!hangul.test(data) || parent.closest("script, style, template")) continue;
    if (parent.closest("[lang]").getAttribute("lang") === "ko") continue;
    if (parent.closest("title, desc, option") && /[a-z]/i.test(data)) continue; // mixed
    const slot = parent.closest("[data-qkv-widget]");
    const uid = slot?.dataset.qkvWidget;
    const stored = document.querySelector(`[data-for="${uid}"]`);
    if (stored && !current.includes(JSON.parse(stored.textContent).module)) continue;
    found.push(parent.outerHTML.slice(0, 160));
  }
  return found;
}"""


@pytest.mark.parametrize(
    ("written", "marked"),
    [
        (
            "<p>the cat is 고양이.</p>",
            '<p>the cat is <span lang="ko">고양이</span>.</p>',
        ),
        (
            "<td>나는 너를, 우리는</td>",
            '<td><span lang="ko">나는 너를, 우리는</span></td>',
        ),
        (
            "<svg><text>팔</text></svg>",
            '<svg><text><tspan lang="ko">팔</tspan></text></svg>',
        ),
        (
            "<svg><title>팔</title><desc>the 팔</desc></svg>",
            '<svg><title lang="ko">팔</title><desc>the 팔</desc></svg>',
        ),
        ('<b lang="ko"><i>팔</i></b>', '<b lang="ko"><i>팔</i></b>'),
        ("<script>'팔'</script>a", "<script>'팔'</script>a"),
        ("<img alt='팔'><!-- 팔 --> none", "<img alt='팔'><!-- 팔 --> none"),
        (
            "<br>팔 and 구",
            '<br><span lang="ko">팔</span> and <span lang="ko">구</span>',
        ),
    ],
)
def test_korean_words_are_marked_where_they_stand(written, marked):
    assert mark(written) == marked


def test_every_korean_text_says_that_it_is_korean(browser, site):
    modules = (ROOT / "src/qkv/widgets/static").glob("*.js")
    current = [digest(path.read_text("utf-8")) for path in modules]
    found = {}
    for name in site.pages:
        if not re.search(f"[{HANGUL}]", (site.folder / name).read_text("utf-8")):
            continue
        with watched_page(browser) as page:
            page.goto(f"{site.address}/{name}")
            page.evaluate("window.qkvHost?.ready")
            if silent := page.evaluate(SILENT, current):
                found[name] = silent[:5]
    assert found == {}
