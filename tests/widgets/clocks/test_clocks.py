"""Positions: what it says, its maths in JavaScript, and how it stands."""

import json

import pytest
import torch

from qkv.attention import attend
from qkv.positions import alibi, rotate, shift, sinusoidal
from qkv.widgets import Positions
from tests.browser import watched_page
from tests.widgets.pages import (
    barriers,
    page_of,
    payload,
    says_what_is_wrong,
    script,
    state_of,
)
from tests.widgets.test_front_end import CORE, STATIC, run


@pytest.fixture(scope="module", autouse=True)
def exact():
    """Compare in double precision: sines of large angles lose digits in single."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


class TestWhatItSays:
    def test_it_is_computed(self):
        said = repr(Positions(6, 40, trained=20, heads=4))
        assert "3 clock hands" in said
        codes = sinusoidal(40, 6)
        assert f"PE(p)·PE(p+7) is {float(codes[5] @ codes[12]):.2f}" in said
        assert "ALiBi takes 0.25 to 0.0039 times the distance off." in said
        assert "Distances of 20 or more are beyond training." in said
        assert "beyond" not in repr(Positions(6, 40, trained=40))

    def test_it_follows_the_sliders(self):
        widget = Positions()
        widget.position, widget.offset = 2, 9
        assert "From position 2 to 11, by 9," in repr(widget)

    def test_the_same_words_and_state_each_time(self):
        data, _ = Positions()._repr_mimebundle_()
        assert data["text/plain"] == repr(Positions())
        assert data["text/html"] == Positions().fallback()
        assert state_of(Positions()) == state_of(Positions())

    def test_the_fallback_holds_encodings_and_distances(self):
        text = Positions(6, 40).fallback().replace("\N{NO-BREAK SPACE}", " ")
        assert text.count("<table>") == 2
        assert f">{float(sinusoidal(4, 6)[3, 2]):.2f}</td>" in text
        assert '<th scope="col">k = 32</th>' in text

    @pytest.mark.parametrize("sizes", [(2, 2, 1, 1), (64, 512, 600, 32)])
    def test_the_smallest_and_the_largest(self, sizes):
        d_model, length, trained, heads = sizes
        widget = Positions(d_model, length, trained=trained, heads=heads)
        assert widget.offset < length
        assert "<table>" in widget.fallback()

    @pytest.mark.parametrize(
        ("sizes", "words"),
        [
            ({"d_model": 7}, "d_model=7 is odd"),
            ({"d_model": 66}, "d_model=66: the widget shows 2 to 64"),
            ({"length": 1}, "length=1: the widget shows 2 to 512"),
            ({"trained": 0}, "trained=0: the widget shows 1 to 10000"),
            ({"heads": 0}, "heads=0: the widget shows 1 to 32"),
        ],
    )
    def test_other_sizes_are_refused(self, sizes, words):
        with pytest.raises(ValueError, match=words):
            Positions(**sizes)


def asked(expression, cases):
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import * as maths from "{CORE}/maths.js";
        import * as places from "{CORE}/places.js";
        const m = {{ ...maths, ...places }};
        const cases = JSON.parse(readFileSync(0, "utf8"));
        console.log(JSON.stringify(cases.map((c) => {expression})));
    """
    return json.loads(run("--input-type=module", "-e", source, text=json.dumps(cases)))


def close(got, wanted):
    got = torch.tensor(got, dtype=torch.float64)
    torch.testing.assert_close(got, wanted, atol=1e-6, rtol=0)


class TestTheMathsIsPythons:
    def test_sinusoids_and_their_rotation(self):
        cases = [(2, 0, 1), (6, 17, 5), (16, 40, 63), (22, 499, 7)]
        expression = """(() => {
            const [width, p, k] = c, angles = m.thetas(width, 10000);
            const code = m.sinusoids(p, angles);
            return [code, m.shift(code, k, angles)];
        })()"""
        for (width, p, k), (code, turned) in zip(
            cases, asked(expression, cases), strict=True
        ):
            wanted = sinusoidal(1, width, start=p)
            close(code, wanted[0])
            close(turned, shift(wanted, k)[0])
            close(turned, sinusoidal(1, width, start=p + k)[0])

    def test_rotary(self):
        generator = torch.Generator().manual_seed(0)
        cases = [
            (torch.randn(w, generator=generator), p) for w, p in ((6, 11), (14, 97))
        ]
        got = asked(
            "m.rotate(c[0], c[1], m.thetas(c[0].length, 10000))",
            [(x.tolist(), p) for x, p in cases],
        )
        for (x, p), turned in zip(cases, got, strict=True):
            close(turned, rotate(x[None], start=p)[0])

    def test_the_rotary_example_by_qkv(self):
        (scores,) = asked(
            """(() => {
            const angles = m.thetas(...c), {query, key} = m.pair(angles, 3);
            return [query, key, [...Array(20).keys()].map((k) =>
                m.dot(m.rotate(query, k, angles), key))];
        })()""",
            [(10, 10_000)],
        )
        query, key, curve = (torch.tensor(x).double() for x in scores)
        turned = rotate(query.expand(20, 10))
        close(curve.tolist(), turned @ rotate(key[None])[0])
        assert int(curve.argmax()) == 3

    @pytest.mark.parametrize("heads", [1, 5, 8])
    def test_alibi(self, heads):
        (slopes,) = asked("m.slopes(c)", [heads])
        wanted = alibi(heads, 13)[:, -1].flip(-1)
        close([[-m * k for k in range(13)] for m in slopes], wanted.double())


class TestTheFourWords:
    def test_what_the_page_computes_is_attention(self):
        cases = [(6, None), (16, (5, 12)), (10, (0, 63)), (8, (4, 4))]
        source = f"""
            import {{ readFileSync }} from "node:fs";
            import {{ thetas }} from "{CORE}/places.js";
            import {{ letters, summed, WORDS }} from "{CORE}/../clocks/words.js";
            const cases = JSON.parse(readFileSync(0, "utf8"));
            console.log(JSON.stringify(cases.map(([width, places]) => [letters(width),
                WORDS.map((w) =>
                    summed(w, thetas(width, 10000), places ?? undefined))])));
        """
        made = json.loads(
            run("--input-type=module", "-e", source, text=json.dumps(cases))
        )
        for (width, places), (letters, sums) in zip(cases, made, strict=True):
            for word, got in zip(("AA", "AB", "BA", "BB"), sums, strict=True):
                x = torch.tensor([letters[letter] for letter in word])
                if places:
                    x = x + sinusoidal(80, width)[list(places)]
                close(got, attend(x @ x.mT / width**0.5, x).context.sum(0))

    def test_without_positions_two_are_equal_and_with_them_none(self, show):
        page = show(Positions())
        pictures = page.locator(".qkv-four svg").evaluate_all(
            "(all) => all.map((e) => e.getAttribute('aria-label'))"
        )
        equal = [alt for alt in pictures if "the same as" in alt]
        assert equal == [
            "AB without positions: the same as BA",
            "BA without positions: the same as AB",
        ]
        far = repr(Positions()).rpartition("they are ")[2].split()[0]
        said = page.locator(".qkv-four-say")
        assert f"{float(far):.1f}" in said.inner_text()
        assert float(far) > 0.1
        page.get_by_label("offset k").fill("0")
        assert "both letters stand at one place" in said.inner_text()
        assert page.locator(".qkv-four .qkv-best").count() == 4


SITE = STATIC.parents[3] / "book/_static"  # what the site adds to a widget's page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_the_site_says_that_the_clocks_scroll(browser, tmp_path, scheme):
    style, code = ((SITE / f"book.{kind}").read_text("utf-8") for kind in ("css", "js"))
    body = f"<style>{style}</style>{script(code)}"
    path = tmp_path / "page.html"
    path.write_text(page_of(Positions(16, 64), body=body, theme=scheme), "utf-8")
    hint = "box => getComputedStyle(box, '::after').content"
    with watched_page(browser, viewport={"width": 360, "height": 740}) as page:
        page.goto(path.as_uri())
        clocks = page.locator(".qkv-scroll:has(.qkv-clocks)")
        clocks.and_(page.locator("[data-more=right]")).wait_for()
        assert "more →" in clocks.evaluate(hint)
        clocks.evaluate("box => { box.scrollLeft = 1e6; }")
        clocks.and_(page.locator("[data-more=left]")).wait_for()
        assert "← more" in clocks.evaluate(hint)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        page.set_viewport_size({"width": 1280, "height": 740})
        page.wait_for_function("!document.querySelector('[data-more]')")


def say(page):
    return page.locator(".qkv-say").inner_text()


BROKEN = [
    ({"d_model": 5}, "each clock takes two numbers"),
    ({"length": None}, "length is no number"),
    ({"position": 64}, "position 64 is not one of 0 to 63"),
    ({"heads": 0}, "its number of heads is too small"),
]


class TestInTheBrowser:
    def test_the_turns_stay_when_the_position_moves(self, show):
        page = show(Positions())
        turns = page.locator(".qkv-turn td")
        before, hands = turns.all_inner_texts(), page.locator(".qkv-clock").count()
        assert hands == 16
        assert before[0] == "1 turn + 41°"
        page.get_by_label("position p").fill("23")
        assert "From position 23 to 30" in say(page)
        assert turns.all_inner_texts() == before
        page.get_by_label("offset k").fill("3")
        assert turns.all_inner_texts()[0] == "172°"

    def test_by_keyboard_alone(self, show):
        page = show(Positions())
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        assert "From position 6 to 13" in say(page)
        page.keyboard.press("Tab")
        page.keyboard.press("End")
        assert "From position 6 to 69" in say(page)
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
        assert "From position 6 to 68" in say(page)
        page.keyboard.press("Home")
        assert "From position 0 to 62" in say(page)
        width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert width == "3px"
        assert page.locator(".qkv-say[aria-live=polite]").count() == 1

    def test_the_keys_of_a_slider_stay_with_it(self, show):
        page = show(Positions())
        page.evaluate(
            "() => { window.left = []; "
            "document.addEventListener('keydown', e => left.push(e.key)); }"
        )
        page.get_by_label("offset k").focus()
        for key in ("ArrowLeft", "ArrowUp", "Home", "Escape", "Control+s"):
            page.keyboard.press(key)
        assert page.evaluate("left") == ["Control", "s"], "JupyterLab would hear them"
        assert "From position 5 to 5" in say(page)

    def test_what_is_shown_is_what_python_computes(self, show):
        page = show(Positions(6, 40))
        codes = sinusoidal(13, 6)
        assert f"PE(5)·PE(12) = {float(codes[5] @ codes[12]):.2f}." in say(page)
        page.locator("summary").click()
        rows = page.locator(".qkv-more tbody tr").all_inner_texts()
        numbers = [row.replace("−", "-").split("\t")[1:] for row in rows]
        assert numbers[1] == numbers[2]
        assert numbers[2] == [f"{v:.2f}" for v in codes[12].tolist()]

    def test_what_lies_beyond_training_is_shaded_and_said(self, show):
        page = show(Positions())
        assert page.locator(".qkv-shade").count() == 3
        assert page.locator(".qkv-beyond").count() == 0
        page.get_by_label("offset k").fill("32")
        assert page.locator(".qkv-beyond").count() == 1
        assert "has never met this distance" in say(page)
        page = show(Positions(trained=64))
        assert page.locator(".qkv-shade").count() == 0

    def test_each_picture_has_words(self, show):
        page = show(Positions())
        alts = page.locator(".qkv-chart").evaluate_all(
            "(all) => all.map((e) => e.getAttribute('aria-label'))"
        )
        assert alts[0].startswith("Sinusoidal: 8 at distance 0, 5.892 at 7")
        assert "highest at distance 3" in alts[1]
        assert "head 8" in alts[2]
        clock = page.locator(".qkv-clock").first.get_attribute("aria-label")
        assert clock == "clock 1: sine −0.9589, cosine 0.2837"

    def test_the_smallest(self, show):
        page = show(Positions(2, 2, trained=1, heads=1))
        assert page.locator(".qkv-clock").count() == 2
        assert "NaN" not in page.locator(".qkv-positions").inner_html()

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_axe_finds_nothing(self, show, theme):
        page = show(Positions(), theme=theme)
        page.get_by_label("offset k").fill("40")
        page.locator("summary").click()
        assert barriers(page) == []

    def test_a_small_screen_scrolls_inside_not_across(self, browser, tmp_path):
        path = tmp_path / "page.html"
        path.write_text(page_of(Positions(), Positions(64, 512)), "utf-8")
        with watched_page(browser, viewport={"width": 360, "height": 740}) as page:
            page.goto(path.as_uri())
            page.evaluate("qkvHost.ready")
            assert page.evaluate("document.documentElement.scrollWidth") == 360
            assert page.seen.errors == []
            assert page.seen.foreign == []

    def test_on_paper_the_charts_stand_once(self, show):
        page = show(Positions(), query="?print")
        assert page.locator("figure > figcaption + div").count() == 3
        assert page.locator(".qkv-chart").count() == 3
        assert page.locator("button, input").count() == 0

    def test_a_broken_state_says_what_is_wrong(self, show):
        broken = [(payload(Positions(), **changes), words) for changes, words in BROKEN]
        says_what_is_wrong(show, [Positions()], broken)


@pytest.mark.parametrize("width", [736, 1000])
def test_what_changes_together_is_in_sight_and_nothing_jumps(browser, tmp_path, width):
    path = tmp_path / "page.html"
    path.write_text(page_of(Positions(), width=f"{width}px"), "utf-8")
    with watched_page(browser, viewport={"width": 1280, "height": 900}) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        parts = page.locator(".qkv-four-words, .qkv-distance")
        for _ in range(2 if width < 900 else 1):
            heights = []
            for slider in ["offset k", "position p"] * 12:
                page.get_by_label(slider).press("ArrowRight")
                heights.append(page.locator(".qkv-w").bounding_box()["height"])
            assert max(heights) <= 700
            assert max(heights) - min(heights) < 6
            shown = [part.is_visible() for part in parts.all()]
            assert sum(shown) == (1 if width < 900 else 2)
            if width < 900:
                page.get_by_label("what distance does").check()
        assert parts.last.is_visible()
