"""Every page of the site as people meet it, in a real Chromium."""

import gzip
import json
import re
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Met:
    """What a page is like in a window of one size: it is opened once for all this."""

    asked: frozenset[str]
    overhang: int
    violations: list[str]
    widgets: int
    stuck: list[str]
    trouble: list[str]


def meet(page, address, weigh) -> Met:
    """Open a page, look at it, and then use every widget on it."""
    asked = set()
    page.on("request", lambda request: asked.add(request.url))
    trouble = visit(page, address)
    if weigh:
        page.wait_for_load_state("networkidle")
    loaded = frozenset(asked)
    width = page.evaluate("document.documentElement.scrollWidth")
    overhang = max(0, width - page.viewport_size["width"])
    page.evaluate(AXE)
    violations = page.evaluate(VIOLATIONS)
    page.emulate_media(reduced_motion="no-preference")
    widgets = page.locator("[data-qkv-widget][data-mounted]").all()
    stuck = [said for widget in widgets for said in use(page, widget)]
    seen = page.seen
    trouble += seen.foreign + seen.errors + seen.console
    return Met(loaded, overhang, violations, len(widgets), stuck, trouble)


@pytest.fixture(
    scope="module",
    params=[(DESKTOP, "light"), (PHONE, "dark")],
    ids=["desktop", "phone"],
)
def met(request, browser, site) -> dict[str, Met]:
    """Every page of the site, each in a fresh context."""
    size, scheme = request.param
    options = {"viewport": size, "color_scheme": scheme, "reduced_motion": "reduce"}
    found = {}
    for name in site.pages:
        with watched_page(browser, **options) as page:
            found[name] = meet(page, f"{site.address}/{name}", name in weighed(site))
    assert len(found) > 10
    return found


def test_pages_load_without_a_foreign_request_or_an_error(met):
    assert {name: each.trouble for name, each in met.items() if each.trouble} == {}


def test_no_page_is_wider_than_its_window(met):
    assert {name: each.overhang for name, each in met.items() if each.overhang} == {}


def test_axe_finds_nothing(met):
    found = {name: each.violations for name, each in met.items()}
    assert {name: each for name, each in found.items() if each} == {}


def test_widgets_step_by_mouse_and_by_keyboard(met, site):
    assert {name: each.stuck for name, each in met.items() if each.stuck} == {}
    tried = {name: each.widgets for name, each in met.items()}
    expected = widgets_in_twins()
    assert {name: tried[name] for name in site.chapters} == expected
    assert tried["index.html"] == bool(expected["chapters/02_bahdanau_attention.html"])


def weighed(site) -> list[str]:
    return [*site.chapters, "notation.html"]


def test_a_chapter_weighs_little_before_its_figures(met, site):
    weights = {}
    for name in weighed(site):
        asked = met[name].asked
        files = {file_of(site, url) for url in asked if url.startswith(site.address)}
        weights[name] = sum(weight(file) for file in files) / 1000
    assert all(each > 30 for each in weights.values()), "nothing was weighed"
    assert {name: each for name, each in weights.items() if each > 250} == {}


def test_pages_open_from_disk(browser, site):
    wrong = {}
    for name in ["index.html", "glossary.html", *site.chapters]:
        with watched_page(browser, viewport=DESKTOP) as page:
            wrong[name] = visit(page, (site.folder / name).as_uri())
    assert {name: trouble for name, trouble in wrong.items() if trouble} == {}


@pytest.mark.parametrize(("width", "drawn"), [(1300, 672), (600, 568), (360, 500)])
def test_figures_shrink_with_the_page_while_they_can_be_read(
    browser, site, width, drawn
):
    widths = "svgs => svgs.map(svg => svg.getBoundingClientRect().width)"
    with watched_page(browser, viewport={"width": width, "height": 740}) as page:
        page.goto(f"{site.address}/chapters/02_bahdanau_attention.html")
        assert set(page.locator(".book-figure > svg").evaluate_all(widths)) == {drawn}


# ------------------------------------------------------------------------- widgets


def use(page, widget) -> list[str]:
    """Use a widget by mouse and by keyboard; return what does not answer."""
    if widget.locator("[data-act=next]").count():
        said = step_by_mouse(widget)
        if len(said) < 2 or said[-1] in said[:-1]:
            return [f"nothing new is said after {said[-1]}"]
        keyed = step_by_keys(page, widget, len(said))
        return [] if keyed == said else [f"by mouse {said}, by keys {keyed}"]
    if widget.locator("[data-act=check]").count():
        return predict(page, widget)
    return []


def position(widget):
    """What a widget says of its step, to eye and ear."""
    said = widget.locator("[aria-live=polite]").first.inner_text()
    return said, widget.locator(".qkv-count").first.inner_text()


def step_by_mouse(widget):
    """Click to the last step, or to one that says what was said before."""
    said = [position(widget)]
    following = widget.locator("[data-act=next]").first
    while following.get_attribute("aria-disabled") != "true":
        following.click()
        said.append(position(widget))
        if said[-1] in said[:-1]:
            break
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
    """Choose each option in turn by keyboard; return those that are not explained."""
    options = widget.locator("input[type=radio]")
    why = widget.locator(".qkv-why")
    mute = []
    for i in range(options.count()):
        options.nth(i).focus()
        page.keyboard.press("Space")
        widget.locator("[data-act=check]").click()
        if why.count() != 1 or not why.inner_text().strip():
            mute.append(f"option {i} is not explained")
    return mute


def test_without_scripts_the_tables_stand_in_the_widgets_place(browser, site):
    with watched_page(browser, java_script_enabled=False) as page:
        for name, count in widgets_in_twins().items():
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
    with watched_page(browser, viewport=DESKTOP) as page:
        for name in site.chapters:
            page.goto(f"{site.address}/{name}")
            with page.expect_download() as downloading:
                page.locator(".book-download").click()
            twin = (CHAPTERS.parent / name).with_suffix(".ipynb")
            given = json.loads(downloading.value.path().read_bytes())
            wanted = json.loads(twin.read_bytes())
            cells = list(zip(given.pop("cells"), wanted.pop("cells"), strict=True))
            assert given == wanted
            changed = [pair for pair in cells if pair[0] != pair[1]]
            assert len(changed) == drawings_in(twin)
            for cell, stored in changed:
                assert cell["cell_type"] == stored["cell_type"] == "markdown"
                assert "](figures/" in "".join(stored["source"])
                assert "data:image/svg+xml" in "".join(cell["source"])


def drawings_in(twin):
    """How many drawings a notebook names; a download brings them along inside."""
    return twin.read_text("utf-8").count("](figures/")


def test_a_choice_of_theme_is_kept(browser, site):
    with watched_page(browser, viewport=DESKTOP, color_scheme="light") as page:
        page.goto(f"{site.address}/index.html")
        ground = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(ground)
        page.evaluate("localStorage.setItem('theme', 'dark')")
        page.goto(f"{site.address}/glossary.html")
        assert page.evaluate(ground) != light
