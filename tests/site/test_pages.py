"""Every page of the site as people meet it, in a real Chromium."""

import gzip
import json
import re
from dataclasses import dataclass

import pytest

from tests.browser import watched_page
from tests.site.conftest import CHAPTERS, ROOT, tags, widgets_in_twins

DESKTOP = {"width": 1300, "height": 1000}
PHONE = {"width": 360, "height": 740}
AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
SETTLED = """async () => {
  await window.qkvHost?.ready;
  await document.fonts.ready;
  return [...document.querySelectorAll("[data-qkv-widget]:not([data-mounted])")]
    .map((slot) => slot.dataset.error ?? "not mounted");
}"""
OPEN_ALL = """() => {
  for (const button of document.querySelectorAll(".book-cover button")) button.click();
  for (const each of document.querySelectorAll("article details")) each.open = true;
  return new Promise((done) => setTimeout(done, 300)); // what scrolls is marked then
}"""
VIOLATIONS = """async (rules) => {
  // what it would load, sheets and sounds, is for rules that are off or find none
  const settings = { resultTypes: ["violations"], preload: false, ...rules };
  const found = await axe.run(settings);
  return found.violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 150)}`));
}"""


# What a barrier can depend on the window and the theme for; the rest is the same HTML.
# Targets have 24 px, or are as far from others (WCAG 2.5.8).
OF_THE_WINDOW = ["color-contrast", "scrollable-region-focusable", "target-size"]
# Letters as drawn, also in drawings and in widgets; only those above and below the line
# are small.
SMALL = """() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = new Map();
  while (texts.nextNode()) {
    const { parentElement: at, data } = texts.currentNode;
    if (!data.trim() || !at.checkVisibility()) continue;
    if (at.closest("sub, sup, .sub, .katex, math")) continue;
    const matrix = at.ownerSVGElement && at.getScreenCTM();
    const drawn = matrix ? Math.hypot(matrix.a, matrix.b) : 1; // letters may be turned
    const size = parseFloat(getComputedStyle(at).fontSize) * drawn;
    const inside = at.closest(".qkv-w, figure")?.className ?? "";
    const where = `${inside} ${at.tagName}.${at.getAttribute("class")}`;
    if (size > 0 && size < 11.99) found.set(where, [size, data]);
  }
  return [...found].map(([where, [size, data]]) => `${where}: ${size} ${data.trim()}`);
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

    overhang: int
    violations: list[str]
    widgets: int
    trouble: list[str]
    asked: frozenset[str] = frozenset()
    stuck: tuple[str, ...] = ()
    small: tuple[str, ...] = ()


def overhang(page) -> int:
    """How many pixels of a page lie outside its window."""
    width = page.evaluate("document.documentElement.scrollWidth")
    return max(0, width - page.viewport_size["width"])


def barriers(page, rules=None) -> list[str]:
    page.evaluate(AXE)
    return page.evaluate(VIOLATIONS, {"runOnly": rules} if rules else {})


def widgets_of(page):
    return page.locator("[data-qkv-widget][data-mounted]").all()


def meet_at_a_desk(page, address, weigh) -> Met:
    """Open a page from the server, look at all of it, and use every widget on it."""
    asked = set()
    page.on("request", lambda request: asked.add(request.url))
    trouble = visit(page, address)
    if weigh:
        page.wait_for_load_state("networkidle")
    loaded, wide, found = frozenset(asked), overhang(page), barriers(page)
    page.emulate_media(reduced_motion="no-preference")
    widgets = widgets_of(page)
    stuck = tuple(said for widget in widgets for said in stepped(page, widget))
    stuck += tuple(predicted(page))
    seen = page.seen
    trouble += seen.foreign + seen.errors + seen.console
    return Met(wide, found, len(widgets), trouble, loaded, stuck)


def meet_on_a_phone(page, address, name) -> Met:
    """Open a page from the disk in a narrow, dark window: what only this can break.

    Its widgets are as wide as they get with all of their steps in sight. What is folded
    or covered is open: at a desk it is not.
    """
    trouble = visit(page, address)
    page.evaluate(OPEN_ALL)
    looked_up = name.startswith("api/")  # is not read on a phone
    found = [] if looked_up else barriers(page, OF_THE_WINDOW)
    small = () if looked_up else tuple(page.evaluate(SMALL))
    wide, widgets = overhang(page), widgets_of(page)
    for widget in widgets:
        to_the_last_step(page, widget)
        wide = max(wide, overhang(page))
    seen = page.seen
    trouble += seen.foreign + seen.errors + seen.console
    return Met(wide, found, len(widgets), trouble, small=small)


@pytest.fixture(scope="module")
def at_a_desk(browser, site) -> dict[str, Met]:
    """Every page of the site as it is served, each in a fresh context."""
    options = {"viewport": DESKTOP, "color_scheme": "light", "reduced_motion": "reduce"}
    found = {}
    for name in site.pages:
        with watched_page(browser, **options) as page:
            address, weigh = f"{site.address}/{name}", name in weighed(site)
            found[name] = meet_at_a_desk(page, address, weigh)
    assert len(found) > 10
    return found


@pytest.fixture(scope="module")
def on_a_phone(browser, site) -> dict[str, Met]:
    """Every page of the site as it lies on the disk, each in a fresh context."""
    options = {"viewport": PHONE, "color_scheme": "dark", "reduced_motion": "reduce"}
    found = {}
    for name in site.pages:
        with watched_page(browser, **options) as page:
            address = (site.folder / name).as_uri()
            found[name] = meet_on_a_phone(page, address, name)
    return found


@pytest.fixture(params=["at_a_desk", "on_a_phone"])
def met(request) -> dict[str, Met]:
    return request.getfixturevalue(request.param)


def test_pages_load_without_a_foreign_request_or_an_error(met):
    assert {name: each.trouble for name, each in met.items() if each.trouble} == {}


def test_no_page_is_wider_than_its_window(met):
    assert {name: each.overhang for name, each in met.items() if each.overhang} == {}


def test_axe_finds_nothing(met):
    found = {name: each.violations for name, each in met.items()}
    assert {name: each for name, each in found.items() if each} == {}


def test_letters_can_be_read_on_a_phone(on_a_phone):
    small = {name: each.small for name, each in on_a_phone.items() if each.small}
    assert small == {}


def test_every_widget_of_the_twins_stands_on_its_page(met, site):
    tried = {name: each.widgets for name, each in met.items()}
    expected = widgets_in_twins()
    assert {name: tried[name] for name in site.chapters} == expected
    of_home = "02_bahdanau_attention", "13_sentence_to_picture"
    at_home = [bool(expected[f"chapters/{name}.html"]) for name in of_home]
    assert tried["index.html"] == sum(at_home)


def test_widgets_step_by_mouse_and_by_keyboard(at_a_desk):
    found = {name: each.stuck for name, each in at_a_desk.items()}
    assert {name: each for name, each in found.items() if each} == {}


def weighed(site) -> list[str]:
    return [*site.chapters, "notation.html"]


def test_a_chapter_weighs_little_before_its_figures(at_a_desk, site):
    weights = {}
    for name in weighed(site):
        asked = at_a_desk[name].asked
        files = {file_of(site, url) for url in asked if url.startswith(site.address)}
        weights[name] = sum(weight(file) for file in files) / 1000
    assert all(each > 30 for each in weights.values()), "nothing was weighed"
    assert {name: each for name, each in weights.items() if each > 255} == {}


def test_figures_shrink_with_the_page_while_they_can_be_read(browser, site):
    widths = "svgs => svgs.map(svg => svg.getBoundingClientRect().width)"
    with watched_page(browser) as page:
        page.goto(f"{site.address}/chapters/02_bahdanau_attention.html")
        for width, drawn in [(1300, 672), (660, 628), (360, 612)]:
            page.set_viewport_size({"width": width, "height": 740})
            assert set(page.locator(".book-figure > svg").evaluate_all(widths)) == {
                drawn
            }


# ------------------------------------------------------------------------- widgets


def stepped(page, widget) -> list[str]:
    """Step with keys to the end, then by mouse from the start: the same is said."""
    if not widget.locator("[data-act=next]").count():
        return []
    keyed = step_by_keys(page, widget)
    if len(keyed) < 2 or keyed[-1] in keyed[:-1]:
        return [f"nothing new is said after {keyed[-1]}"]
    page.keyboard.press("Home")
    following = widget.locator("[data-act=next]").first
    clicked = [position(widget)]
    for _ in range(2 if len(keyed) > 2 else 1):
        following.click()
        clicked.append(position(widget))
    return [] if clicked == keyed[: len(clicked)] else [f"{clicked} by mouse, {keyed}"]


def position(widget):
    """What a widget says of its step, to eye and ear."""
    return tuple(widget.evaluate(POSITION))


POSITION = """widget => ["[aria-live=polite]", ".qkv-count"].map(
    part => widget.querySelector(part).innerText)"""
# Goes on to the last step, or to one that says what was said before. What has the focus
# gets the key, as from a keyboard; but nobody waits at each step for the browser to say
# that it is done, which takes ten times as long as the steps.
ON_TO_THE_END = f"""(widget, said) => {{
  const position = {POSITION};
  const last = () => widget.querySelector("[data-act=next]").ariaDisabled === "true";
  const known = new Set(said.map(String));
  for (let fresh = true; fresh && !last(); ) {{
    const options = {{key: "ArrowRight", bubbles: true, cancelable: true}};
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", options));
    said.push(position(widget));
    fresh = !known.has(String(said.at(-1)));
    known.add(String(said.at(-1)));
  }}
  return said;
}}"""


def step_by_keys(page, widget):
    """Press the arrow to the last step, or to one that says what was said before."""
    following = widget.locator("[data-act=next]").first
    following.focus()
    page.keyboard.press("Home")
    said = [position(widget)]
    for _ in range(2):
        if following.get_attribute("aria-disabled") != "true":
            page.keyboard.press("ArrowRight")
            said.append(position(widget))
    return [tuple(each) for each in widget.evaluate(ON_TO_THE_END, said)]


def to_the_last_step(page, widget):
    following = widget.locator("[data-act=next]")
    if following.count():
        following.first.focus()
        page.keyboard.press("End")


# Chooses each option of each prediction; returns what is explained of it, and whether
# nothing lies over its button.
CHOOSE_ALL = """widgets => widgets.map(widget => {
  const options = () => [...widget.querySelectorAll("input[type=radio]")];
  return options().map((_, i) => {
    options()[i].focus();
    document.activeElement.click();
    const button = widget.querySelector("[data-act=check]");
    button.scrollIntoView({block: "center", behavior: "instant"});
    const {left, top, width, height} = button.getBoundingClientRect();
    const there = document.elementFromPoint(left + width / 2, top + height / 2);
    button.click();
    const why = [...widget.querySelectorAll(".qkv-why")].map(each => each.innerText);
    return [why, button.contains(there)];
  });
})"""


def predicted(page) -> list[str]:
    """Choose each option in turn; return those that are not explained.

    The first one of a page by keyboard and mouse: a page of thousands of elements
    answers each of these late.
    """
    asked = page.locator("[data-qkv-widget][data-mounted]:has([data-act=check])")
    if not asked.count():
        return []
    asked.first.locator("input[type=radio]").first.focus()
    page.keyboard.press("Space")
    asked.first.locator("[data-act=check]").click()
    by_hand = asked.first.locator(".qkv-why").all_inner_texts()
    told = [("by hand", "", [by_hand, True])] + [
        (widget, i, each)
        for widget, options in enumerate(asked.evaluate_all(CHOOSE_ALL))
        for i, each in enumerate(options)
    ]
    return [
        f"prediction {widget}, option {i}: explained by {why}, reached: {reached}"
        for widget, i, (why, reached) in told
        if len(why) != 1 or not why[0].strip() or not reached
    ]


def test_without_scripts_the_tables_stand_in_the_widgets_place(browser, site):
    with watched_page(browser, java_script_enabled=False) as page:
        for name, count in widgets_in_twins().items():
            page.goto(f"{site.address}/{name}")
            tables = page.locator("[data-qkv-widget] [data-fallback]")
            assert tables.count() == count
            for table in tables.all():
                assert table.is_visible()
                assert table.inner_text().strip()


# -------------------------------------------------------------------------- weight


def file_of(site, url):
    return site.folder / url.removeprefix(f"{site.address}/").partition("?")[0]


def weight(file) -> int:
    """Bytes over the wire, compressed, without the drawings in the page."""
    body = file.read_bytes()
    if file.suffix == ".woff":
        return len(body)
    figure = rb'<figure class="book-(?:figure|drawing).*?</figure>'
    return len(gzip.compress(re.sub(figure, b"", body, flags=re.S)))


def test_home_begins_at_chapter_1_and_offers_what_comes_before(site):
    home = site.folder / "index.html"
    begin = home.read_text("utf-8").partition('class="book-start"')[2]
    first, before = re.findall(r'href="chapters/(\d\d)_', begin.partition("</p>")[0])
    assert (first, before) == ("01", "00")


def test_a_chapter_can_be_downloaded(browser, site):
    name = site.chapters[0]
    with watched_page(browser, viewport=DESKTOP) as page:
        page.goto(f"{site.address}/{name}")
        with page.expect_download() as downloading:
            page.locator(".book-download").click()
        given = downloading.value.path().read_bytes()
    assert given == offered(site, name).read_bytes()


def offered(site, name):
    """Return the file that a page offers to download."""
    page = site.folder / name
    links = [a["href"] for tag, a in tags(page) if "book-download" in classes(a)]
    assert len(links) == 1
    return page.parent / links[0]


def classes(attributes):
    return (attributes.get("class") or "").split()


def test_what_is_downloaded_is_the_chapter_as_it_was_run(site):
    for name in site.chapters:
        twin = (CHAPTERS.parent / name).with_suffix(".ipynb")
        given = json.loads(offered(site, name).read_bytes())
        wanted = json.loads(twin.read_bytes())
        first, *cells = given.pop("cells")
        assert "pip install" in "".join(first["source"])
        cells = list(zip(cells, wanted.pop("cells"), strict=True))
        assert given == wanted
        changed = [pair for pair in cells if pair[0] != pair[1]]
        assert len(changed) == cells_with_drawings(twin)
        for cell, stored in changed:
            assert cell["cell_type"] == stored["cell_type"] == "markdown"
            assert "](figures/" in "".join(stored["source"])
            assert "data:image/svg+xml" in "".join(cell["source"])


def cells_with_drawings(twin):
    """How many cells name drawings; a download brings these along inside."""
    cells = json.loads(twin.read_bytes())["cells"]
    return sum("](figures/" in "".join(cell["source"]) for cell in cells)


def test_a_choice_of_theme_is_kept(browser, site):
    with watched_page(browser, viewport=DESKTOP, color_scheme="light") as page:
        page.goto(f"{site.address}/index.html")
        ground = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(ground)
        page.evaluate("localStorage.setItem('theme', 'dark')")
        page.goto(f"{site.address}/glossary.html")
        assert page.evaluate(ground) != light
