"""Every page of the site as people meet it, in a real Chromium."""

import gzip
import re

import pytest

from tests.browser import watched_page
from tests.site.conftest import CHAPTERS, ROOT, widgets_in_twins

DESKTOP = {"width": 1300, "height": 1000}
PHONE = {"width": 360, "height": 740}
AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
SETTLED = """async () => {
  await window.qkvHost?.ready;
  await document.fonts.ready;
  return [...document.querySelectorAll("[data-qkv-widget]:not([data-mounted])")]
    .map((slot) => slot.dataset.error ?? "not mounted");
}"""
VIOLATIONS = """async () => {
  const found = await axe.run({ resultTypes: ["violations"] });
  return found.violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 150)}`));
}"""


def visit(page, address):
    """Open a page; return what went wrong while it loaded."""
    bad = []
    page.on(
        "response", lambda r: bad.append(f"{r.status} {r.url}") if r.status > 399 else 0
    )
    page.goto(address)
    unmounted = page.evaluate(SETTLED)
    seen = page.seen
    return bad + unmounted + seen.foreign + seen.errors + seen.console


def test_pages_load_without_a_foreign_request_or_an_error(browser, site):
    wrong = {}
    for name in site.pages:
        with watched_page(browser, viewport=DESKTOP) as page:
            wrong[name] = visit(page, f"{site.address}/{name}")
    assert len(wrong) > 10
    assert {name: trouble for name, trouble in wrong.items() if trouble} == {}


def test_pages_open_from_disk(browser, site):
    wrong = {}
    for name in ["index.html", "glossary.html", *site.chapters]:
        with watched_page(browser, viewport=DESKTOP) as page:
            wrong[name] = visit(page, (site.folder / name).as_uri())
    assert {name: trouble for name, trouble in wrong.items() if trouble} == {}


def test_no_page_is_wider_than_a_phone(browser, site):
    wide = {}
    with watched_page(browser, viewport=PHONE) as page:
        for name in site.pages:
            page.goto(f"{site.address}/{name}")
            page.evaluate(SETTLED)
            wide[name] = page.evaluate("document.documentElement.scrollWidth")
    assert {name: width for name, width in wide.items() if width > 360} == {}


@pytest.mark.parametrize(("width", "drawn"), [(1300, 672), (480, 448), (360, 420)])
def test_figures_shrink_with_the_page_while_they_can_be_read(
    browser, site, width, drawn
):
    widths = "svgs => svgs.map(svg => svg.getBoundingClientRect().width)"
    with watched_page(browser, viewport={"width": width, "height": 740}) as page:
        page.goto(f"{site.address}/chapters/02_bahdanau_attention.html")
        assert set(page.locator(".book-figure > svg").evaluate_all(widths)) == {drawn}


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_axe_finds_nothing(browser, site, size, scheme):
    found = {}
    options = {"viewport": size, "color_scheme": scheme, "reduced_motion": "reduce"}
    with watched_page(browser, **options) as page:
        for name in site.pages:
            page.goto(f"{site.address}/{name}")
            page.evaluate(SETTLED)
            page.evaluate(AXE)
            found[name] = page.evaluate(VIOLATIONS)
    assert {name: each for name, each in found.items() if each} == {}


# ------------------------------------------------------------------------- widgets


def position(widget):
    """What a widget says of its step, to eye and ear."""
    said = widget.locator("[aria-live=polite]").first.inner_text()
    return said, widget.locator(".qkv-count").first.inner_text()


def step_by_mouse(widget):
    """Click to the last step; return what was said on the way."""
    said = [position(widget)]
    following = widget.locator("[data-act=next]").first
    while following.get_attribute("aria-disabled") != "true":
        following.click()
        said.append(position(widget))
        assert said[-1] not in said[:-1], f"nothing new is said after {said[-2]}"
    return said


def step_by_keys(page, widget, steps):
    """Go back to the first step and through all of them with keys alone."""
    widget.locator("[data-act=next]").first.focus()
    page.keyboard.press("Home")
    said = [position(widget)]
    for _ in range(steps - 1):
        page.keyboard.press("ArrowRight")
        said.append(position(widget))
    return said


def predict(page, widget):
    """Choose each option in turn by keyboard, and read its explanation."""
    options = widget.locator("input[type=radio]")
    for i in range(options.count()):
        options.nth(i).focus()
        page.keyboard.press("Space")
        widget.locator("[data-act=check]").click()
        why = widget.locator(".qkv-why")
        assert why.count() == 1
        assert why.inner_text().strip()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_widgets_step_by_mouse_and_by_keyboard(browser, site, size):
    tried = {}
    for name in ["index.html", *site.chapters]:
        with watched_page(browser, viewport=size) as page:
            assert visit(page, f"{site.address}/{name}") == []
            widgets = page.locator("[data-qkv-widget][data-mounted]").all()
            for widget in widgets:
                if widget.locator("[data-act=next]").count():
                    said = step_by_mouse(widget)
                    assert len(said) > 1
                    assert step_by_keys(page, widget, len(said)) == said
                elif widget.locator("[data-act=check]").count():
                    predict(page, widget)
            tried[name] = len(widgets)
            assert page.seen.errors == page.seen.console == page.seen.foreign == []
    home = tried.pop("index.html")
    expected = widgets_in_twins()
    assert tried == expected
    assert home == bool(expected.get("chapters/02_bahdanau_attention.html"))


def test_without_scripts_the_tables_stand_in_the_widgets_place(browser, site):
    for name, count in widgets_in_twins().items():
        with watched_page(browser, java_script_enabled=False) as page:
            page.goto(f"{site.address}/{name}")
            tables = page.locator("[data-qkv-widget] [data-fallback]")
            assert tables.count() == count
            for table in tables.all():
                assert table.is_visible()
                assert table.inner_text().strip()


# ------------------------------------------------------------------ search, weight


@pytest.mark.parametrize("where", ["served", "disk"])
def test_search_finds_a_word(browser, site, where):
    base = site.address if where == "served" else site.folder.as_uri()
    with watched_page(browser, viewport=DESKTOP) as page:
        page.goto(f"{base}/index.html")
        page.locator("input[name=q]").fill("scheduled sampling")
        page.keyboard.press("Enter")
        first = page.locator("#search-results li a").first
        first.wait_for(timeout=10_000)
        titles = page.locator("#search-results li a").all_inner_texts()
        assert "Glossary" in " ".join(titles)
        assert page.seen.foreign == page.seen.errors == []


def test_a_chapter_weighs_little_before_its_figures(browser, site):
    weights = {}
    for name in [*site.chapters, "notation.html"]:
        with watched_page(browser, viewport=DESKTOP) as page:
            asked = set()
            page.on("request", lambda request, asked=asked: asked.add(request.url))
            page.goto(f"{site.address}/{name}")
            page.evaluate(SETTLED)
            page.wait_for_load_state("networkidle")
        files = {file_of(site, url) for url in asked if url.startswith(site.address)}
        weights[name] = sum(weight(file) for file in files) / 1000
    assert all(each > 30 for each in weights.values()), "nothing was weighed"
    assert {name: each for name, each in weights.items() if each > 250} == {}


def file_of(site, url):
    return site.folder / url.removeprefix(f"{site.address}/").partition("?")[0]


def weight(file) -> int:
    """Bytes over the wire, compressed, without the drawings in the page."""
    body = file.read_bytes()
    if file.suffix == ".woff2":
        return len(body)
    figure = rb'<figure class="book-figure.*?</figure>'
    return len(gzip.compress(re.sub(figure, b"", body, flags=re.S)))


def test_a_chapter_can_be_downloaded_as_it_was_run(browser, site):
    for name in site.chapters:
        with watched_page(browser, viewport=DESKTOP) as page:
            page.goto(f"{site.address}/{name}")
            with page.expect_download() as downloading:
                page.locator(".book-download").click()
            twin = (CHAPTERS.parent / name).with_suffix(".ipynb")
            assert downloading.value.path().read_bytes() == twin.read_bytes()


def test_a_choice_of_theme_is_kept(browser, site):
    with watched_page(browser, viewport=DESKTOP, color_scheme="light") as page:
        page.goto(f"{site.address}/index.html")
        ground = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(ground)
        page.evaluate("localStorage.setItem('theme', 'dark')")
        page.goto(f"{site.address}/glossary.html")
        assert page.evaluate(ground) != light
