"""OneRow: its JavaScript is Python's; what it says; and what a reader does."""

import json
import math

import pytest
import torch

from qkv.attention import attend
from qkv.tiles import trace_row
from qkv.widgets import OneRow
from qkv.widgets.one_row.one_row import MAXIMA, read
from tests.browser import watched_page
from tests.widgets.pages import (
    barriers,
    harm,
    live,
    page_of,
    payload,
    says_what_is_wrong,
    state_of,
    unreadable,
)
from tests.widgets.test_front_end import CORE, ROOT, run

FOLDER = (ROOT / "src/qkv/widgets/one_row").as_uri()
SCORES, VALUES = [1, 3, 0, 1, 5, 4, 7, 6], [1, 2, 0, 3, 6, 4, 9, 8]
HIDDEN = -math.inf


def one_row(**changes):
    """Return the row of the tests, with some traits changed."""
    made = OneRow(SCORES, VALUES, tile=2)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


# ------------------------------------------------------------ JavaScript = Python


def asked(cases, maximum="running", rescale=True):
    """Return what the page holds after each tile of each case, and what keys count."""
    given = [
        {
            "scores": ["-inf" if s == HIDDEN else s for s in scores.tolist()],
            "values": values.tolist(),
            **{"tile": tile, "maximum": maximum, "rescale": rescale},
        }
        for scores, values, tile in cases
    ]
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ decode, encode }} from "{CORE}/maths.js";
        import {{ online }} from "{FOLDER}/online.js";
        const all = (x) => x instanceof Array ? x.map(all) : encode(x);
        console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map((c) =>
            online(c.scores.map(decode), c.values, c).map((t) => all(
                [[t.maximum, t.shrink, t.sum, t.weighted, t.output], t.counts])))));
    """
    return json.loads(run("--input-type=module", "-e", source, text=json.dumps(given)))


def rows(count, seed=0):
    """Yield rows as a reader may type them: small, huge, with hidden keys, hidden."""
    draw = torch.Generator().manual_seed(seed)

    def some(*size, low=0, high=1):
        return (
            torch.rand(*size, generator=draw, dtype=torch.float64) * (high - low) + low
        )

    for i in range(count):
        n = 2 + i % 11
        size = (3.0, 80.0, 1000.0, 60_000.0)[i % 4]
        scores = some(n, low=-size, high=size).round(decimals=i % 3)
        if i % 3 == 2:
            scores[some(n) < (0.3, 0.9, 1.1)[i // 3 % 3]] = HIDDEN
        yield scores, some(n, low=-1000, high=1000).round(decimals=2), 1 + i % n


def near(got, wanted, of=1.0):
    """Hold numbers to 1e-9 of the largest, and what is none to the same word."""
    marks = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
    got = torch.tensor([marks.get(x, x) for x in got], dtype=torch.float64)
    wanted = torch.as_tensor(wanted, dtype=torch.float64)
    torch.testing.assert_close(got, wanted, atol=1e-9 * of, rtol=1e-9, equal_nan=True)


def test_what_the_page_holds_is_what_qkv_holds():
    """Of 600 rows: the running maximum, the shrink, both sums, the output, the book."""
    cases = list(rows(600))
    whole = 0
    for (scores, values, tile), tiles in zip(cases, asked(cases), strict=True):
        trace = trace_row(scores, values[:, None], tile)
        for i, ((held, _), part) in enumerate(zip(tiles, trace.tiles, strict=True)):
            near(held[2:4], [part.total, part.held[0]], of=1000)
            if not scores[: (i + 1) * tile].isneginf().all():
                near(held[:1], [part.maximum])
            if i and part.total > 0 and not scores[: i * tile].isneginf().all():
                near(held[1:2], [part.shrink])
        book = attend(scores[None], values[:, None], ~scores.isneginf()[None])
        near(tiles[-1][0][4:], book.context[0], of=1000)
        near(tiles[-1][0][4:], trace.output, of=1000)
        if scores.isfinite().any():
            counts = torch.tensor(tiles[-1][1], dtype=torch.float64)
            near((counts / counts.sum()).tolist(), book.weights[0])
            whole += 1
    assert 400 < whole < 600


@pytest.mark.parametrize("rescale", [True, False])
@pytest.mark.parametrize("maximum", MAXIMA)
def test_each_way_of_the_page_is_pythons(maximum, rescale):
    cases, how = list(rows(200, seed=1)), {"maximum": maximum, "rescale": rescale}
    answers = asked(cases, **how)
    for (scores, values, tile), tiles in zip(cases, answers, strict=True):
        for (got, _), want in zip(
            tiles, read(scores, values, tile, **how), strict=True
        ):
            near(
                got, [want.maximum, want.shrink, want.total, want.weighted, want.output]
            )


def test_float32_overflows_where_the_page_says():
    """The page has float64's digits: where float32 is lost, so is it."""
    for scores, values, tile in rows(150, seed=2):
        for maximum in ("running", "own", "none"):
            page = read(scores, values, tile, maximum=maximum)[-1].output
            assert math.isfinite(page) == naive(scores, values, tile, maximum)


def naive(scores, values, tile, maximum):
    """Whether torch's own float32 ends with a number, a tile after another."""
    top, total, held = torch.tensor(-torch.inf), torch.tensor(0.0), torch.tensor(0.0)
    top = torch.tensor(0.0) if maximum == "none" else top
    for s, v in zip(
        scores.float().split(tile), values.float().split(tile), strict=True
    ):
        new = {"running": torch.maximum(top, s.max()), "own": s.max(), "none": top}
        old, top = top, new[maximum]
        shrink = torch.tensor(1.0) if old == top else (old - top).exp()
        p = torch.where(s == HIDDEN, 0.0, (s - top).exp())
        total, held = total * shrink + p.sum(), held * shrink + (p * v).sum()
    return bool((held / total).isfinite() | (scores == HIDDEN).all())


# ------------------------------------------------------------ what Python says


class TestWhatItSays:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            (
                {},
                "The maximum is 3, 3, 5, 7; what was held is multiplied by 1, 0.1353,",
            ),
            ({}, "The output is 8.243, as the text-book says."),
            ({"tile": 3}, "3 tiles of up to 3, whose"),
            (
                {"tile": 8},
                "1 tile of up to 8, whose numbers can be edited. The maximum",
            ),
            (
                {"rescale": False},
                "The maximum is 3, 3, 5, 7; what was held is not resc",
            ),
            ({"rescale": False}, "The output is 5.413, but the text-book says 8.243."),
            (
                {"maximum": "own"},
                "tile's own maximum is 3, 1, 5, 7; what was held is m",
            ),
            ({"maximum": "own", "large": True}, "NaN, but the text-book says 9."),
            ({"maximum": "none"}, "No maximum is subtracted. The output is 8.243, as"),
            (
                {"large": True},
                "180, 180, 300, 420; what was held is multiplied by 1, 0",
            ),
            ({"seen": [0] * 8}, "−∞, −∞, −∞, −∞; what was held is multiplied by 1, 1"),
            ({"seen": [0] * 8}, "The output is 0, as the text-book says."),
        ],
    )
    def test_it_is_computed(self, changes, words):
        assert words in repr(one_row(**changes))

    def test_the_same_words_and_state_each_time(self):
        data, _ = one_row()._repr_mimebundle_()
        assert data["text/plain"] == repr(one_row())
        assert data["text/html"] == one_row().fallback()
        assert state_of(one_row()) == state_of(one_row())

    def test_the_fallback_holds_the_row_and_what_is_held(self):
        text = one_row(seen=[0] + [1] * 7).fallback()
        assert harm(text) == []
        assert text.count("<table>") == 2
        assert "<td>−∞</td>" in text
        assert one_row(maximum="own", large=True).fallback().count("NaN") == 8
        last = trace_row(torch.tensor(SCORES).double(), torch.eye(8).double(), 2)
        output = float(last.output @ torch.tensor(VALUES).double())
        assert one_row().fallback().count(f">{output:.2f}</td>") == 2

    def test_a_step_that_there_is_no_more_becomes_the_last(self):
        widget = one_row(step=3)
        widget.tile = 4
        assert widget.step == 1
        widget.set_state({"tile": 1, "step": 7})  # as the page sends it
        assert widget.step == 7

    def test_tensors_and_hidden_keys(self):
        widget = OneRow(torch.tensor([1 / 3, HIDDEN, 2.0]), torch.tensor([1, 2, 3]))
        assert (widget.scores, widget.seen) == ([0.3333, 0, 2], [1, 0, 1])


@pytest.mark.parametrize(
    ("scores", "values", "tile", "words"),
    [
        ([[1, 2]], [1, 2], 1, r"scores has shape \(1, 2\), but it is of one row"),
        ([1], [1], 1, "a OneRow reads 2 to 12 scores, not 1"),
        ([1] * 13, [1] * 13, 1, "a OneRow reads 2 to 12 scores, not 13"),
        ([1, 2], [1, 2, 3], 1, "values has 3 numbers, but there are 2 scores"),
        (
            [1, 1001],
            [1, 2],
            1,
            "scores holds 1001; what can be edited is -1000 to 1000",
        ),
        ([1, math.inf], [1, 2], 1, "scores holds inf; .*, or -inf for a key that may"),
        ([1, math.nan], [1, 2], 1, "scores holds nan"),
        ([1, 2], [1, HIDDEN], 1, "values holds -inf; what can be edited is -1000 to"),
        ([1, 2], [1, 2], 3, "tile = 3, but a tile of this row has 1 to 2 scores"),
        ([1, 2], [1, 2], 0, "tile = 0, but a tile of this row has 1 to 2 scores"),
    ],
)
def test_what_cannot_be_edited_is_refused(scores, values, tile, words):
    with pytest.raises(ValueError, match=words):
        OneRow(scores, values, tile=tile)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("scores", [1, 2], "scores is a list of 8 numbers, one a key, not of 2"),
        ("tile", 9, "tile = 9, but a tile of this row has 1 to 8 scores"),
        ("step", 4, "step is 4, but the tiles are counted from 0 to 3"),
        ("step", -1, "step is -1, but the tiles"),
        (
            "maximum",
            "most",
            "maximum is 'most', but there are 'running', 'own', 'none'",
        ),
    ],
)
def test_a_trait_that_does_not_fit_is_refused(name, value, words):
    widget = one_row()
    with pytest.raises(ValueError, match=words):
        setattr(widget, name, value)
    assert repr(widget) == repr(one_row())


# ------------------------------------------------------------ what a reader does


def say(page):
    return page.locator(".qkv-say").inner_text().replace("\N{NO-BREAK SPACE}", " ")


def kept(page):
    """Return the column of numbers of what is held."""
    return page.locator(".qkv-in-hand td:last-child").all_inner_texts()


def score(page, key):
    return page.locator(f"[data-field=scores-{key - 1}]")


BROKEN = [
    ({"scores": []}, "it has no row of scores"),
    ({"values": [1]}, "the number of scores is 8, but that of values is 1"),
    ({"seen": None}, "the number of scores is 8, but that of seen is 0"),
    ({"scores": [None] * 8}, "one of its scores is no number"),
    ({"tile": 0}, "its tile is 0, and not one of 1 to 8"),
    ({"step": 4}, "it has 4 tiles, and not number 4"),
    ({"maximum": "most"}, "its maximum is most, which is none"),
]


class TestInTheBrowser:
    def test_it_is_stepped_tile_by_tile(self, show):
        page = show(one_row())
        assert say(page) == (
            "Tile 1 of 4: its maximum is 3, and nothing was held before. The output so "
            "far is 1.881, as the text-book says of keys 1 to 2."
        )
        page.locator("[data-act=next]").click()
        assert "the maximum stays 3, so what was held keeps its size." in say(page)
        page.locator("[data-act=next]").click()
        assert say(page).startswith(
            "Tile 3 of 4: the maximum rises from 3 to 5, so what was held shrinks to "
            "0.135, which is e to the 3 − 5."
        )
        assert kept(page) == ["5", "0.135", "1.55", "7.82", "5.053", "5.053", "0"]
        now = page.locator(".qkv-tile-now")
        assert now.locator("th[aria-current=step]").inner_text() == "tile 3"
        assert now.locator("th[scope=row]").all_inner_texts() == ["5", "6"]
        assert page.locator(".qkv-tile-later tr").count() == 2
        page.locator("[data-act=next]").click()
        assert say(page).endswith(
            "The output is 8.243. The text-book, which holds all 8 scores at once, "
            "says the same."
        )
        assert page.locator(".qkv-astray").count() == 0

    def test_without_rescaling_the_error_is_shown(self, show):
        page = show(one_row(step=3))
        page.get_by_label("rescale what is held").uncheck()
        assert say(page) == (
            "Tile 4 of 4: the maximum rises from 5 to 7, but what was held keeps its "
            "size: it counts 7.39 times as much as it should. The output is 5.413, but "
            "the text-book says 8.243: 2.83 too low."
        )
        assert kept(page)[-1] == "−2.83"
        assert page.locator(".qkv-in-hand .qkv-astray").count() == 1
        assert page.locator(".qkv-keys-of .qkv-astray").count() > 4

    def test_large_scores_need_the_running_maximum(self, show):
        page = show(one_row(step=3))
        page.get_by_label("scores × 60").check()
        assert "shrinks to 0: e to the 300 − 420 is too small for float32." in say(page)
        assert kept(page)[-3:] == ["9", "9", "0"]
        page.get_by_label("each tile's own").check()
        assert "The output is lost: NaN ÷ NaN is NaN. The text-book says 9." in say(
            page
        )
        page.keyboard.press("Tab")
        page.locator("[data-act=back]").click(click_count=2)
        assert "grows by e to the 180 − 60, which is more than float32" in say(page)
        page.get_by_label("none", exact=True).check()
        assert "number is e to the 180 = 1.49e+78" not in say(page)
        assert "is e to the 60 = 1.14e+26." in say(page)
        assert "The output so far is lost: +∞ ÷ +∞ is NaN." in say(page)
        page.get_by_label("scores × 60").uncheck()
        assert "as the text-book says of keys 1 to 4." in say(page)
        page.get_by_label("each tile's own").check()
        assert "grows to 7.39 times its size. E to the 3 − 1 has no upper" in say(page)

    def test_the_reader_types_numbers_hides_keys_and_resets(self, show):
        page = show(one_row(step=2))
        score(page, 6).fill("8")
        assert "the maximum rises from 3 to 8" in say(page)
        page.get_by_label("value of key 6").fill("-4.5")
        assert kept(page)[4] == kept(page)[5] == "−3.952"
        page.get_by_label("key 6 may be attended to").uncheck()
        assert "the maximum rises from 3 to 5" in say(page)
        for key in (1, 2, 3, 4):
            page.get_by_label(f"key {key} may be attended to").uncheck()
        page.keyboard.press("Home")  # on a checkbox it is not the widget's
        assert "its maximum is 5, and nothing was held before" in say(page)
        page.locator("[data-act=back]").click()
        assert "all its scores are −∞, and nothing is held yet." in say(page)
        assert "The output so far is 0, as the text-book says" in say(page)
        assert page.locator(".qkv-nan").count() == 0
        page.locator("[data-act=reset]").click()
        page.locator("[data-act=next]").click()
        assert kept(page) == ["5", "0.135", "1.55", "7.82", "5.053", "5.053", "0"]
        assert page.locator("[data-act=reset]").get_attribute("aria-disabled") == "true"

    def test_what_is_no_number_is_said_and_stays_as_it_was_typed(self, show):
        page = show(one_row(step=2))
        before = say(page)
        for wrong in ("5000", "", "1e9"):
            score(page, 5).fill(wrong)
            note = page.locator(".qkv-note")
            assert "Type a number from −1000 to 1000." in note.inner_text()
            assert score(page, 5).input_value() == wrong
            assert score(page, 5).get_attribute("aria-invalid") == "true"
            assert say(page) == before
        score(page, 5).fill("6")
        assert not page.locator(".qkv-note").is_visible()
        assert "the maximum rises from 3 to 6" in say(page)

    def test_another_size_of_tiles_stays_at_the_last_key_read(self, show):
        page = show(one_row(step=2))
        size = page.get_by_label("scores in a tile")
        size.fill("3")
        assert say(page).startswith("Tile 2 of 3: the maximum rises from 3 to 5")
        assert "of keys 1 to 6" in say(page)
        size.fill("8")
        assert say(page).startswith("Tile 1 of 1: its maximum is 7")
        size.fill("1")
        assert say(page).startswith("Tile 8 of 8: the maximum stays 7")
        assert kept(page)[4] == "8.243"

    def test_by_keyboard_alone_and_no_key_leaves_it(self, show):
        page = show(one_row())
        page.evaluate("() => { window.left = []; }")
        page.evaluate("() => addEventListener('keydown', (e) => left.push(e.key))")
        reached = set()
        for _ in range(36):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.outerHTML"))
        assert len(reached) >= 8 + 8 + 8 + 7
        page.evaluate("() => { window.left = []; }")
        page.locator("[data-act=next]").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("ArrowRight")
        assert say(page).startswith("Tile 3 of 4")
        for place in ("[data-act=rescale]", "[data-field=scores-0]", "[data-key='2']"):
            page.locator(place).focus()
            for key in ("ArrowLeft", "End", "ArrowDown"):
                page.keyboard.press(key)
        assert say(page).startswith("Tile 3 of 4")
        page.locator(".qkv-bar input").focus()
        page.keyboard.press("End")
        assert say(page).startswith("Tile 4 of 4")
        page.locator("[data-act=back]").focus()
        page.keyboard.press("Home")
        assert say(page).startswith("Tile 1 of 4")
        for place in ("[data-act=next]", ".qkv-scroll"):  # JupyterLab would cut a cell
            page.locator(place).first.focus()
            for key in ("x", "a", "d", "ArrowDown", "Shift+J", "Enter"):
                page.keyboard.press(key)
        assert {*page.evaluate("left")} == {"Shift"}
        page.keyboard.press("Shift+Enter")  # it runs the cell, as everywhere
        assert page.evaluate("left.at(-1)") == "Enter"
        assert page.locator(".qkv-say[aria-live=polite]").count() == 1

    def test_with_a_kernel_the_numbers_go_both_ways(self, show):
        page = live(show, one_row())
        page.locator("#live2 [data-field=scores-0]").fill("9")
        assert page.evaluate("model.get('scores')[0]") == 9
        page.evaluate("model.set('step', 3)")
        assert page.locator("#live2 .qkv-say").inner_text().startswith("Tile 4 of 4")

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_axe_finds_nothing(self, show, theme):
        page = show(one_row(step=2, maximum="own", large=True), theme=theme)
        page.get_by_label("key 3 may be attended to").uncheck()
        score(page, 1).fill("2000")
        assert barriers(page) == []

    def test_on_paper_each_tile_stands(self, show):
        page = show(one_row(), query="?print")
        assert page.locator("button, input, select").count() == 0
        captions = page.locator("figure > figcaption").all_inner_texts()
        assert [c[:11] for c in captions] == [f"Tile {i} of 4" for i in (1, 2, 3, 4)]
        assert page.locator(".qkv-in-hand").count() == 4

    def test_a_broken_state_says_what_is_wrong(self, show):
        broken = [(payload(one_row(), **changes), words) for changes, words in BROKEN]
        says_what_is_wrong(show, [one_row()], broken)


CUT = """[...document.querySelectorAll(".qkv-scroll")]
    .filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.ariaLabel)"""


# On a phone of 360 pixels the site leaves a widget 328 of them: a page of 344 here.
@pytest.mark.parametrize("width", [344, 768, 1000, 1920])
def test_it_fits_and_nothing_jumps(browser, tmp_path, width):
    """On a phone nothing has to be scrolled sideways either."""
    path = tmp_path / "page.html"
    path.write_text(page_of(one_row(), width="100%"), "utf-8")
    with watched_page(browser, viewport={"width": width, "height": 900}) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        high = set()
        for i in range(8):
            high.add(page.locator(".qkv-w").evaluate("e => e.offsetHeight"))
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert unreadable(page) == []
            assert page.evaluate(CUT) == []
            page.locator("[data-act=next]").press("ArrowRight")
            if i == 3:
                page.get_by_label("rescale what is held").uncheck()
                page.locator("[data-act=next]").press("Home")
        assert len(high) == 1
        assert width == 344 or high.pop() <= 700
        assert page.seen.errors == []
        assert page.seen.foreign == []
