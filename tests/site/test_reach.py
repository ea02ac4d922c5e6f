"""What is in sight in a window of each size, and what moves for whom."""

import pytest

from tests.browser import watched_page

# ------------------------------------------------------------------------ the window


CONTENTS = """() => {
  const box = document.querySelector(".toc-tree").getBoundingClientRect();
  return box.width > 100 && box.left >= 0 && box.right <= innerWidth;
}"""
WIDEST = """() => Math.max(...[...document.querySelectorAll(".qkv-widget")].map(
    (widget) => widget.getBoundingClientRect().width))"""
COLUMN = """() => {
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const text = [...document.querySelectorAll("article section > p:not([class])")];
  return Math.max(...text.map((p) => p.offsetWidth / rem));
}"""


@pytest.mark.parametrize("width", [1200, 1280, 1920])
def test_from_1200_pixels_on_the_contents_of_a_page_are_in_sight(browser, site, width):
    window = {"width": width, "height": 900}
    with watched_page(browser, viewport=window) as page:
        page.goto(f"{site.address}/chapters/02_bahdanau_attention.html")
        page.evaluate("window.qkvHost.ready")
        assert page.evaluate(CONTENTS)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(COLUMN) < 44.1, "rem: the text stays a column"
        assert page.evaluate(WIDEST) >= {1200: 680, 1280: 760, 1920: 1000}[width]


@pytest.mark.parametrize(
    ("motion", "way"), [("reduce", "auto"), ("no-preference", "smooth")]
)
def test_a_page_scrolls_at_once_for_those_who_want_no_motion(
    browser, site, motion, way
):
    with watched_page(browser, reduced_motion=motion) as page:
        page.goto(f"{site.address}/claims.html")
        for box in ("html", ".sidebar-scroll", ".toc-scroll"):
            style = "box => getComputedStyle(box).scrollBehavior"
            assert page.locator(box).first.evaluate(style) == way


# ---------------------------------------------------------------------- for the ears


def test_a_chart_is_read_once(browser, site):
    with watched_page(browser) as page:
        page.goto(f"{site.address}/chapters/03_scaled_dot_product.html")
        asking = page.context.new_cdp_session(page)
        tree = asking.send("Accessibility.getFullAXTree")["nodes"]
        figure = page.locator("figure[role=img]").first
        label = figure.get_attribute("aria-label")
        named = [n for n in tree if n.get("name", {}).get("value", "") == label]
        assert len(named) == 1
        inside = page.locator("figure[role=img] > svg:not([aria-hidden=true])")
        assert inside.count() == 0


# --------------------------------------------------------------------- nowhere at all


@pytest.mark.parametrize("depth", ["", "a/", "chapters/solutions/deeper/"])
def test_the_page_for_no_page_finds_the_way_home(browser, site, depth):
    body = (site.folder / "404.html").read_text("utf-8")
    with watched_page(browser) as page:
        lost = f"{site.address}/{depth}nothing.html"
        page.route(lost, lambda route: route.fulfill(status=404, body=body))
        page.goto(lost)
        page.locator("base").wait_for(state="attached")
        page.get_by_role("link", name="Attention, Step by Step").click()
        page.wait_for_url(f"{site.address}/index.html")


def test_the_proof_readers_tables_are_not_in_the_side_bar(site):
    home = (site.folder / "index.html").read_text("utf-8")
    assert "korean_forms.html" not in home
    glossary = (site.folder / "glossary.html").read_text("utf-8")
    assert 'href="korean_forms.html"' in glossary
