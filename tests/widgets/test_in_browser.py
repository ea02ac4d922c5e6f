"""The widgets in a real Chromium, mounted by the host as on the site."""

import json
import re
from dataclasses import replace

import pytest
import torch

from qkv.attention import attend
from qkv.widgets import Alignment, Predict, Stepper, Unrolled
from tests.browser import watched_page
from tests.widgets.pages import (
    EVIL,
    HARM,
    HOST,
    barriers,
    definition,
    live,
    page_of,
    payload,
    says_what_is_wrong,
    script,
    slot,
)
from tests.widgets.sample import dictation, dictation_looking_back

KINDS = ("stepper", "unrolled", "alignment", "predict")


def stepper(**shape):
    rows, columns = shape.get("rows", 3), shape.get("columns", 4)
    scores = torch.linspace(-2, 2, rows * columns).reshape(rows, columns)
    mask = torch.ones(rows, columns, dtype=torch.bool)
    mask[0, -1] = False
    names = {"query": [EVIL, *(f"q{i}" for i in range(1, rows))]}
    return Stepper(attend(scores, torch.eye(columns), mask), names)


def predict(name="t"):
    options = {"Two $x_1$": "Yes, `2`.", "Three": "One too many.", "Four": "No."}
    return Predict("How many?", options, right=0, name=name)


def everything():
    return [
        stepper(),
        Unrolled(dictation, ["7 3", "1 2 3 4"]),
        Alignment(dictation_looking_back, ["7 3", "1 2 3"]),
        predict(),
    ]


@pytest.fixture(scope="module")
def made():
    return everything()


ONWARD = "document.querySelectorAll('[data-act=next]').forEach((b) => b.click())"


def say(page, i=0):
    return page.locator(f"[data-qkv-widget=w{i}] .qkv-say").inner_text()


def test_all_stand_from_disk_without_a_kernel(show, made):
    page = show(*made)
    for i, kind in enumerate(KINDS):
        place = page.locator(f"[data-qkv-widget=w{i}]")
        assert place.get_attribute("data-mounted") == "1"
        assert place.locator(f".qkv-{kind}").count() == 1
        assert place.locator("[data-fallback]").count() == 0
        assert page.evaluate(f"performance.getEntriesByName('qkv-mounted:w{i}').length")
    assert page.seen.console == []


@pytest.mark.parametrize(("i", "last"), [(0, 3), (1, 6), (2, 12)])
def test_stepping_by_mouse(show, made, i, last):
    page = show(*made)
    place = page.locator(f"[data-qkv-widget=w{i}]")
    said = [say(page, i)]
    for _ in range(last - 1):
        place.locator("[data-act=next]").click()
        said.append(say(page, i))
    assert len(set(said)) == last
    assert place.locator("[data-act=next]").get_attribute("aria-disabled") == "true"
    place.locator("[data-act=back]").click()
    assert say(page, i) == said[-2]


@pytest.mark.parametrize("i", [0, 1, 2])
def test_stepping_by_keyboard(show, made, i):
    page = show(*made)
    place = page.locator(f"[data-qkv-widget=w{i}]")
    first = say(page, i)
    place.locator("[data-act=next]").focus()
    page.keyboard.press("ArrowRight")
    second = say(page, i)
    assert second != first
    page.keyboard.press("End")
    assert say(page, i) not in (first, second)
    page.keyboard.press("Home")
    assert say(page, i) == first
    page.keyboard.press("ArrowLeft")
    assert say(page, i) == first
    place.locator("input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    assert say(page, i) == second


def test_focus_is_visible_and_the_sentence_is_announced(show, made):
    page = show(*made)
    page.keyboard.press("Tab")
    width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert width == "3px"
    assert page.locator(".qkv-say[aria-live=polite]").count() == 3


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(show, made, theme):
    page = show(*made, theme=theme)
    for _ in range(4):
        assert barriers(page) == []
        page.evaluate(ONWARD)
    page.locator("input[name$=options]").nth(1).check()
    page.locator("[data-act=check]").click()
    assert barriers(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_every_coloured_cell(show, theme):
    page = show(stepper(rows=11, columns=13), theme=theme)
    page.evaluate("document.querySelector('.qkv-w [data-act=next]').focus()")
    least = []
    for _ in range(3):
        least.append(page.evaluate(CONTRAST))
        page.keyboard.press("ArrowRight")
    assert min(least) >= 4.5


CONTRAST = """() => {
    const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
    const light = (c) => c.map((v) => v / 255)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const cells = [...document.querySelectorAll(".qkv-matrix td[style*=background]")];
    for (const cell of cells) cell.style.transition = "none";
    return Math.min(...cells.map((cell) => {
        const style = getComputedStyle(cell);
        const [a, b] = [light(rgb(style.color)), light(rgb(style.backgroundColor))];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    }));
}"""


def test_the_colours_follow_the_page(show):
    page = show(stepper(), theme="dark")
    ground = "getComputedStyle(document.querySelector('.qkv-w')).backgroundColor"
    dark = page.evaluate(ground)
    page.evaluate("document.body.dataset.theme = 'light'")
    light = page.evaluate(ground)
    assert dark != light
    page.evaluate("document.body.removeAttribute('data-theme')")
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    assert page.evaluate(ground) == dark
    page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    assert page.evaluate(ground) == light
    page.evaluate("document.body.removeAttribute('data-jp-theme-light')")
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) == dark


def test_a_picture_is_drawn_again_when_the_page_turns_dark(show):
    page = show(stepper(rows=30, columns=30), theme="light")
    page.locator("canvas").wait_for()
    light = page.evaluate("document.querySelector('canvas').toDataURL()")
    page.evaluate("document.body.dataset.theme = 'dark'")
    page.wait_for_function(
        "(before) => document.querySelector('canvas').toDataURL() !== before", arg=light
    )


def test_nothing_moves_for_those_who_asked_for_it(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page_of(stepper(rows=30, columns=30)), "utf-8")
    took = (
        "getComputedStyle(document.querySelector('.qkv-canvas i')).transitionDuration"
    )
    for wish, seconds in (("no-preference", "0.12s"), ("reduce", "0s")):
        with watched_page(browser, reduced_motion=wish) as page:
            page.goto(path.as_uri())
            page.evaluate("qkvHost.ready")
            assert page.evaluate(took) == seconds


def test_a_small_screen_scrolls_inside_not_across(browser, tmp_path, made):
    long = Alignment(dictation_looking_back, [" ".join("1234567890" * 3)])
    wide = Unrolled(dictation, [" ".join("1234567890" * 3)])
    path = tmp_path / "page.html"
    path.write_text(page_of(*made, long, wide, stepper(rows=20, columns=40)), "utf-8")
    with watched_page(browser, viewport={"width": 360, "height": 740}) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        for _ in range(3):
            page.evaluate(ONWARD)
            assert page.evaluate("document.documentElement.scrollWidth") == 360
        scrolling = page.evaluate("""[...document.querySelectorAll(".qkv-scroll")]
            .filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.tabIndex)""")
        assert scrolling
        assert set(scrolling) == {0}
        assert page.seen.errors == []


def test_the_moment_shown_is_scrolled_into_sight(show):
    page = show(Unrolled(dictation, [" ".join("1234567890" * 3)]))
    page.locator("input[type=range]").focus()
    page.keyboard.press("End")
    inside = page.evaluate("""() => {
        const time = document.querySelector(".qkv-time");
        const box = time.parentElement.getBoundingClientRect();
        const now = time.querySelector(".qkv-now:last-child");
        const at = now.getBoundingClientRect();
        return at.left >= box.left && at.right <= box.right;
    }""")
    assert inside


@pytest.mark.parametrize("width", [736, 1000])
@pytest.mark.parametrize("digits", [3, 20])
def test_an_input_of_any_length_is_in_sight_and_nothing_jumps(
    browser, tmp_path, width, digits
):
    text = " ".join("1234567890" * 2)[: 2 * digits - 1]
    widgets = Unrolled(dictation, [text]), Alignment(dictation_looking_back, [text])
    path = tmp_path / "page.html"
    path.write_text(page_of(*widgets, width=f"{width}px"), "utf-8")
    with watched_page(browser, viewport={"width": 1280, "height": 900}) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        page.add_style_tag(path="book/_static/book.css")
        for i in range(len(widgets)):
            heights = []
            box = page.locator(f"[data-qkv-widget=w{i}] .qkv-w")
            for _ in range(2 * digits + 3):
                box.locator("[data-act=next]").press("Enter")
                heights.append(box.bounding_box()["height"])
            assert max(heights) <= 700
            assert max(heights) - min(heights) < 6


class TestStepper:
    def test_a_token_that_is_a_script_is_drawn_not_run(self, show):
        page = show(stepper())
        assert page.locator(".qkv-row").first.inner_text() == EVIL
        assert page.evaluate(HARM) == []

    def test_rows_by_click_and_by_arrow(self, show):
        page = show(stepper())
        page.locator("tbody td").nth(5).click()
        assert page.locator(".qkv-row[aria-pressed=true]").inner_text() == "q1"
        page.locator(".qkv-row[aria-pressed=true]").focus()
        page.keyboard.press("ArrowDown")
        pressed = page.locator(".qkv-row[aria-pressed=true]")
        assert pressed.inner_text() == "q2"
        assert pressed.evaluate("(e) => e === document.activeElement")
        assert say(page).endswith("For “q2” the largest is 2, at “3”.")

    def test_each_step_is_said_as_a_teacher_would(self, show):
        page = show(stepper())
        assert say(page).startswith(
            "Step 1 of 3. Score every key for every query: a row for each query, "
            "a column for each key. For “"
        )
        page.locator("[data-act=next]").click()
        page.locator("tbody tr").nth(2).click()
        assert say(page).endswith("“q2” gives its largest weight to “3”: 0.3977.")
        page.locator("[data-act=next]").click()
        assert "4 numbers for each query. Those of “q2” reach from" in say(page)
        assert "_" not in say(page)

    def test_what_a_step_reads_is_marked(self, show):
        page = show(stepper())
        page.get_by_role("button", name="weights").click()
        assert page.locator(".qkv-now").inner_text() == "weights"
        assert "scores" in page.locator("button.qkv-read").inner_text()
        assert page.locator("math mfrac").count() == 1

    def test_masked_cells_and_infinities_have_marks(self, show):
        page = show(stepper())
        assert page.locator("td.qkv-down").inner_text() == "−∞"
        page.locator("[data-act=next]").click()
        assert page.locator("td.qkv-mask").inner_text() == "masked"
        assert "may not be attended" in page.locator(".qkv-legend").inner_text()

    def test_a_leading_axis_is_chosen(self, show):
        scores = torch.stack([torch.zeros(2, 2), torch.full((2, 2), 5.0)])
        page = show(Stepper(attend(scores, torch.ones(2, 2, 2))))
        page.get_by_label("batch").select_option("1")
        assert page.locator("tbody td").first.inner_text() == "5"

    def test_a_large_matrix_is_a_picture_and_a_table_of_one_row(self, show):
        page = show(stepper(rows=64, columns=64))
        assert page.locator("canvas").get_attribute("aria-label").startswith("scores")
        assert page.locator(".qkv-matrix tbody tr").count() == 1
        page.locator("canvas").click(position={"x": 200, "y": 500})
        row = int(page.locator(".qkv-row[aria-pressed=true]").get_attribute("data-row"))
        assert 30 < row < 45
        assert page.locator(".qkv-matrix tbody th").inner_text() == f"q{row}"

    def test_thin_rows_are_gone_through_by_buttons_that_can_be_hit(self, show):
        page = show(stepper(rows=64, columns=64))
        assert page.locator(".qkv-row").first.bounding_box()["height"] < 24
        row = page.locator(".qkv-row[aria-pressed=true]")
        before = page.get_by_role("button", name="Row before")
        after = page.get_by_role("button", name="Row after")
        at = int(row.get_attribute("data-row"))
        for button, wanted in ((after, at + 1), (after, at + 2), (before, at + 1)):
            box = button.bounding_box()
            assert min(box["height"], box["width"]) >= 24
            button.press("Enter")
            assert int(row.get_attribute("data-row")) == wanted
        assert page.locator(".qkv-matrix tbody th").inner_text() == f"q{at + 1}"

    def test_a_crop_is_noted(self, show):
        page = show(Stepper(attend(torch.zeros(70, 3), torch.eye(3))))
        assert "the first 64 of 70 query" in page.locator(".qkv-crop").inner_text()


class TestUnrolled:
    def test_wrong_tokens_are_marked_by_sign_and_in_words(self, show, made):
        page = show(made[1])
        page.get_by_label("Input").select_option("1")
        page.get_by_label("its own output").check()
        page.locator("input[type=range]").focus()
        page.keyboard.press("End")
        assert page.locator(".qkv-tok.qkv-wrong").all_inner_texts() == ["✗이"]
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        assert "it says “이” (0.93): wrong: it should be “삼”" in say(page)
        rows = page.locator(".qkv-probs tbody tr").all_inner_texts()
        assert any("✗ chosen" in row and row.startswith("이") for row in rows)
        assert any("✓ right" in row and row.startswith("삼") for row in rows)
        assert page.locator(".qkv-score").inner_text() == "4 of 5 tokens right"

    def test_the_state_in_numbers(self, show, made):
        page = show(made[1])
        page.locator("summary").click()
        cells = page.locator("details td").all_inner_texts()
        assert len(cells) == 5
        assert cells[0] == "0.64"

    def test_a_column_is_a_button(self, show, made):
        page = show(made[1])
        page.get_by_role("button", name="the context vector").click()
        assert "all the decoder will ever know" in say(page)


class TestAlignment:
    def test_stages_and_tokens(self, show, made):
        page = show(made[2])
        assert "scores every encoder state" in say(page)
        page.locator("[data-act=next]").click()
        assert "0.84 of them on “7”, a true place" in say(page)
        page.locator("[data-act=down]").click()
        assert "0.84 of them on “3”" in say(page)
        page.keyboard.press("ArrowDown")
        assert "which has no true place" in say(page)
        page.keyboard.press("ArrowUp")
        page.locator(".qkv-align tbody tr").first.locator("td").nth(1).click()
        assert "0.84 of them on “7”" in say(page)

    def test_next_goes_on_to_the_next_token(self, show, made):
        page = show(made[2])
        for _ in range(3):
            page.locator("[data-act=next]").click()
        assert "the context for “칠”" in say(page)
        page.locator("[data-act=next]").click()
        assert say(page).startswith("To write “삼”")
        assert page.locator(".qkv-row[aria-pressed=true]").inner_text() == "삼"
        page.locator("[data-act=back]").click()
        assert "the context for “칠”" in say(page)

    def test_what_is_shown_is_what_attention_gives(self, show, made):
        page = show(made[2])
        page.keyboard.press("Tab")
        page.locator("[data-act=next]").click()
        shown = page.locator(".qkv-steps .qkv-val").all_inner_texts()
        weights = dictation_looking_back("7 3").forced.attention.weights[0, 0]
        assert shown == [f"{w:.2f}" for w in weights.tolist()]

    def test_the_truth_is_outlined(self, show, made):
        page = show(made[2])
        assert page.locator(".qkv-align td.qkv-true").count() == 2
        assert page.locator(".qkv-diamond").count() == 1

    def test_masked_keys(self, show):
        def masked(text):
            made = dictation_looking_back(text)
            keep = torch.tensor([True, True, False]).expand(1, 4, 3)
            look = made.forced.attention
            scores = look.scores.masked_fill(~keep, -torch.inf)
            look = replace(look, scores=scores, weights=scores.softmax(-1))
            trace = replace(made.forced, attention=look)
            return replace(made, forced=trace, free=trace)

        page = show(Alignment(masked, ["1 2 3"]))
        assert page.locator(".qkv-align td.qkv-mask").count() == 4
        assert page.locator(".qkv-steps .qkv-down").inner_text() == "−∞"


class TestPredict:
    def test_an_answer_is_judged_explained_and_remembered(self, show):
        page = show(predict(), predict("other"))
        first = page.locator("[data-qkv-widget=w0]")
        assert first.locator(".qkv-why").count() == 0
        first.get_by_label("Three").check()
        assert first.locator(".qkv-why").count() == 0
        first.locator("[data-act=check]").click()
        assert first.locator(".qkv-why").inner_text() == "One too many."
        assert "✗ no" in first.locator(".qkv-option.qkv-bad").inner_text()
        announced = first.locator(".qkv-vh[aria-live]").inner_text()
        assert announced == "Not so. One too many."
        page.reload()
        page.evaluate("qkvHost.ready")
        assert first.locator(".qkv-why").inner_text() == "One too many."
        assert page.locator("[data-qkv-widget=w1] .qkv-why").count() == 0
        first.locator("[data-act=reset]").click()
        assert first.locator("input:checked").count() == 0
        page.reload()
        page.evaluate("qkvHost.ready")
        assert first.locator(".qkv-why").count() == 0

    def test_by_keyboard(self, show):
        page = show(predict())
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        assert page.locator("input:checked").count() == 1
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.locator(".qkv-option b").inner_text() in {"✓ right", "✗ no"}
        assert page.locator(".qkv-why").count() == 1
        assert page.evaluate("document.activeElement.dataset.act") == "check"
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.locator(".qkv-why").count() == 0
        assert page.evaluate("document.activeElement.dataset.act") is None

    def test_a_reader_keeps_an_order_that_others_have_not(self, browser, tmp_path):
        path = tmp_path / "page.html"
        path.write_text(page_of(predict()), "utf-8")
        seen = set()
        for _ in range(12):
            with watched_page(browser) as page:
                orders = []
                for _ in range(2):
                    page.goto(path.as_uri())
                    page.evaluate("qkvHost.ready")
                    words = page.locator(".qkv-option").all_inner_texts()
                    orders.append(tuple(words))
                assert orders[0] == orders[1]
                seen.add(orders[0])
        assert len(seen) > 1

    def test_on_paper_the_options_stand_as_they_were_written(self, show):
        page = show(predict(), query="?print")
        words = page.locator(".qkv-option").all_inner_texts()
        assert [text.split()[0] for text in words] == ["Two", "Three", "Four"]


def corrupted():
    recorded = Unrolled(dictation, ["7 3"])
    short = payload(recorded)
    short["state"]["recordings"][0]["encoder"].pop()
    rows = payload(Alignment(dictation_looking_back, ["7 3"]))
    rows["state"]["recordings"][0]["forced"]["scores"][0].pop()
    wreck = payload(Alignment(dictation_looking_back, ["7 3"]))
    wreck["state"]["recordings"][0]["forced"]["top"] = 3
    wreck["state"]["recordings"][0]["states"] = [7, 7]
    return [
        (payload(stepper(), steps=[]), "it holds no trace"),
        (payload(stepper(), step=9), "it has 3 steps, and not number 9"),
        (payload(recorded, recordings=[]), "no input is recorded"),
        (payload(recorded, chosen=4), "not number 4"),
        (short, "the number of source tokens is 2, but that of encoder states is 1"),
        (rows, "a row of scores does not fit the source"),
        (wreck, "its state does not fit together"),
        (payload(predict(), options=[]), "fewer than two options"),
        (payload(predict(), right=7), "none of its options is right"),
    ]


def test_a_broken_state_says_what_is_wrong(show, made):
    says_what_is_wrong(show, made, corrupted())


@pytest.mark.parametrize(
    ("widget", "trait", "broken"), [(predict, "right", 9), (stepper, "step", 9)]
)
def test_a_state_that_is_mended_is_drawn_again(show, widget, trait, broken):
    page = live(show, widget())
    drawn = page.locator("#live2").inner_text()
    change = "([trait, value]) => { model.set(trait, value); model.save_changes(); }"
    page.evaluate(change, [trait, broken])
    assert page.locator("#live2 .qkv-trouble").count() == 1
    page.evaluate(change, [trait, 0])
    assert page.locator("#live2").inner_text() == drawn


def test_an_empty_trace_says_so(show):
    page = show(Stepper(attend(torch.zeros(0, 2), torch.eye(2))))
    assert "step “scores” is empty" in page.locator(".qkv-trouble").inner_text()


class TestHost:
    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (
                {"module": "nobody", "state": {}},
                "its module nobody is not on this page",
            ),
            ({"module": "bad", "state": {}}, "could not start"),
            ({"module": "throws", "state": {}}, "no such thing"),
        ],
    )
    def test_a_failure_leaves_the_fallback_and_says_why(self, show, made, data, words):
        modules = script(
            "qkvHost.define('bad', 'export default {');"
            "qkvHost.define('throws',"
            "'export default {render() {throw new Error(\"no such thing\")}}')"
        )
        page = show(made[0], body=slot("x", data) + modules)
        place = page.locator("[data-qkv-widget=x]")
        assert words in place.locator("[role=alert]").inner_text()
        assert place.locator("[data-fallback]").inner_text() == "fallback"
        assert place.get_attribute("data-mounted") is None
        assert page.locator("[data-qkv-widget=w0]").get_attribute("data-mounted") == "1"

    def test_a_slot_without_state_says_so(self, show, made):
        lone = '<div data-qkv-widget="x"><div data-fallback>f</div></div>'
        page = show(made[0], body=lone)
        assert "not on this page" in page.locator("[role=alert]").inner_text()

    def test_two_views_of_one_model_stay_together(self, show, made):
        page = show(made[0], body=slot("twin", payload(made[0])))
        page.locator("[data-qkv-widget=w0] [data-act=next]").click()
        count = page.locator("[data-qkv-widget=twin] .qkv-count").inner_text()
        assert count == "2 / 3"

    def test_buffers_arrive_and_listeners_are_told(self, show, made):
        page = show(made[0])
        seen = page.evaluate("""() => {
            const m = qkvHost.makeModel({a: 1, deep: {b: null}}, [{path: ["deep", "b"], data: "AQI="}]);
            const told = [];
            const note = (_, value) => told.push(value);
            m.on("change:a", note);
            m.on("change", () => told.push("any"));
            m.set("a", 1); m.set({a: 2}); m.off("change:a", note); m.set("a", 3);
            return [told, m.get("deep").b.getUint8(1), m.get("a"), m.widget_manager === undefined];
        }""")  # noqa: E501
        assert seen == [[2, "any", "any"], 2, 3, True]

    def test_it_works_wherever_its_scripts_stand(self, page, tmp_path, made):
        host = script(HOST.read_text("utf-8"))
        slots = slot("w0", payload(made[0])) + slot("w1", payload(made[3]))
        path = tmp_path / "late.html"
        modules = definition(made[0]) + definition(made[3])
        path.write_text(
            f"<!doctype html><body>{slots}{host}{modules}{host}</body>", "utf-8"
        )
        page.goto(path.as_uri())
        page.wait_for_selector("[data-qkv-widget=w1][data-mounted]")
        assert page.locator(".qkv-w").count() == 2


class TestPrint:
    def test_every_step_stands_on_paper(self, show, made):
        page = show(*made, query="?print")
        assert page.locator("[data-qkv-widget=w0] figure").count() == 3
        assert page.locator("button, input, select").count() == 0
        assert page.locator("[data-qkv-widget=w1] figure").count() == 5
        assert page.locator("[data-qkv-widget=w3] .qkv-why").count() == 3
        assert page.evaluate("document.documentElement.scrollWidth") <= 1300

    def test_the_attribute_does_the_same(self, page, tmp_path, made):
        path = tmp_path / "page.html"
        text = page_of(*made).replace("<html ", "<html data-print ")
        path.write_text(text, "utf-8")
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        assert page.locator(".qkv-print").count() == 4

    def test_printing_any_page_swaps_the_strips_in_and_out(self, show, made):
        page = show(*made)
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator(".qkv-print").count() == 4
        assert not page.locator(".qkv-w:not(.qkv-print)").first.is_visible()
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator(".qkv-print").count() == 0
        assert page.locator(".qkv-w").first.is_visible()

    def test_a_long_trace_prints_at_most_eight_steps(self, show):
        one = payload(stepper())
        steps = one["state"]["steps"]
        one["state"]["steps"] = [{**steps[0], "path": f"s{i}"} for i in range(20)]
        page = show(stepper(), body=slot("long", one), query="?print")
        assert page.locator("[data-qkv-widget=long] figure").count() == 8


# A kernel is played by a model that has a widget manager, and answers requests or not.
KERNEL = """async ([state, answering]) => {
    const source = document.querySelector("script[data-esm]").textContent;
    const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
    const {default: widget} = await import(url);
    const model = qkvHost.makeModel(state);
    model.widget_manager = {};
    window.model = model;
    if (answering) model.on("change:request", () => setTimeout(() => {
        const {id, text} = model.get("request");
        if (text === "bad") return model.set("answer", {id, error: "unknown token <b>bad</b>"});
        const made = {...model.get("recordings")[0], input: text};
        model.set({recordings: [...model.get("recordings"), made], chosen: 2});
        model.set("answer", {id, error: ""});
    }, 20));
    const el = document.createElement("div");
    el.id = "live";
    document.querySelector("main").append(el);
    widget.render({model, el});
}"""  # noqa: E501


@pytest.fixture
def lab(show, made):
    def opened(answering):
        text = made[1]._esm.replace("</script", "<\\/script")
        esm = f'<script type="text/plain" data-esm>{text}</script>'
        page = show(made[3], body=esm)
        state = json.loads(json.dumps(payload(made[1])["state"]))
        page.evaluate(KERNEL, [state, answering])
        return page

    return opened


class TestWithAKernel:
    def test_without_one_there_is_no_box(self, show, made):
        page = show(*made)
        assert page.locator("input[name=text]").count() == 0
        text = page.locator("[data-qkv-widget=w1]").inner_text()
        assert "In JupyterLab you can type your own." in text

    def test_an_input_is_asked_for_and_shown(self, lab):
        page = lab(True)
        page.get_by_label("Type your own").fill("7 3 9")
        page.keyboard.press("Enter")
        page.wait_for_function("model.get('chosen') === 2")
        assert page.locator("#live select").input_value() == "2"
        assert not page.locator("#live .qkv-note").is_visible()

    def test_an_error_is_shown_and_nothing_is_lost(self, lab):
        page = lab(True)
        page.get_by_label("Type your own").fill("bad")
        page.get_by_role("button", name="Show").click()
        page.get_by_text("unknown token <b>bad</b>").wait_for()
        assert page.locator("#live option").count() == 2
        assert page.get_by_label("Type your own").input_value() == "bad"
        page.keyboard.press("Tab")

    def test_enter_is_kept_from_jupyter_and_ends_a_korean_letter_first(self, lab):
        page = lab(True)
        page.evaluate("window.reached = 0")
        page.evaluate("addEventListener('keydown', () => window.reached++)")
        page.get_by_label("Type your own").fill("7")
        page.evaluate("""document.querySelector("#live [name=text]").dispatchEvent(
            new KeyboardEvent("keydown",
                {key: "Enter", isComposing: true, bubbles: true, cancelable: true})
        )""")
        assert page.evaluate("model.get('request')") == {}
        page.keyboard.press("Enter")
        first = page.evaluate("model.get('request')")
        page.keyboard.press("Enter")
        second = page.evaluate("model.get('request')")
        assert first["text"] == second["text"] == "7"
        assert first["id"] != second["id"]
        assert page.evaluate("window.reached") == 0

    def test_silence_is_explained(self, lab):
        page = lab(False)
        page.clock.install()
        page.get_by_label("Type your own").fill("7")
        page.keyboard.press("Enter")
        page.get_by_text("Asking the kernel").wait_for()
        page.clock.fast_forward(10_000)
        page.get_by_text("No kernel answered: run the cells above first.").wait_for()

    def test_the_kernel_moves_the_widget(self, lab):
        page = lab(True)
        page.evaluate("model.set('step', 2)")
        assert (
            "The encoder has read all 2" in page.locator("#live .qkv-say").inner_text()
        )
        page.locator("#live [data-act=next]").click()
        assert page.evaluate("model.get('step')") == 3


def test_a_formula_can_hold_nothing_but_a_formula(show):
    one = payload(stepper())
    one["state"]["steps"][0]["formula"] = (
        '<math><mi onclick="window.pwned=1">x</mi><script>window.pwned=2</script>'
        '<mtext><img src="x" onerror="window.pwned=3"/></mtext></math>'
    )
    page = show(stepper(), body=slot("evil", one))
    drawn = page.locator("[data-qkv-widget=evil] math").evaluate("(e) => e.outerHTML")
    assert (
        re.sub(r' xmlns="[^"]*"', "", drawn) == "<math><mi>x</mi><mtext></mtext></math>"
    )
    assert page.evaluate("window.pwned") is None
