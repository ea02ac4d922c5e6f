"""WorkItOut: its words and its fallback, and filling it in, in Chromium."""

import json

import pytest
import torch

from qkv.checking import solved
from qkv.checking.by_hand import ByHand, Table
from qkv.checking.exercise import Mistake
from qkv.checking.solved import Solved
from qkv.exercises import finding
from qkv.widgets import WorkItOut
from tests.browser import watched_page
from tests.widgets.pages import barriers, live, page_of, payload, slot, state_of

EVIL = "<script>window.pwned=1</script>"
RIGHT = ["1", "1/2", "0", ".51", "0,31", ".19", "6.93", "4.94"]


def evil():
    return ByHand(
        id="9.a",
        title=EVIL,
        minutes=1,
        difficulty=2,
        task=f"반으로 나누세요 {EVIL}",
        compute=lambda: {
            "x": torch.tensor([3.0, 5.0]),
            "half": torch.tensor([1.5, -torch.inf]),
        },
        tables={
            "x": Table(f"x {EVIL}", ("나는",), ("1", EVIL)),
            "half": Table("half", columns=("1", "2"), blanks=..., look=EVIL),
        },
        mistakes={"doubled": Mistake(EVIL, lambda: {"half": torch.tensor([6.0, 0])})},
    )


@pytest.fixture
def made():
    return WorkItOut("3.a")


@pytest.fixture
def evil_one(monkeypatch):
    monkeypatch.setattr(finding, "find_by_hand", lambda id: evil())
    return WorkItOut("9.a")


def holes(page, i=0):
    return page.locator(f"[data-qkv-widget=w{i}] [data-hole]")


def fill(page, texts, i=0):
    for n, text in enumerate(texts):
        holes(page, i).nth(n).fill(text)
        holes(page, i).nth(n).press("Enter")


def notes(page):
    return page.locator(".qkv-note").all_inner_texts()


def reload(page):
    page.reload()
    page.evaluate("qkvHost.ready")


class TestInPython:
    def test_it_says_what_it_is_and_the_same_each_time(self, made):
        data, _ = made._repr_mimebundle_()
        again = WorkItOut("3.a")
        assert repr(made) == repr(again) == data["text/plain"]
        assert data["text/html"] == again.fallback()
        assert state_of(made) == state_of(again)
        json.dumps(state_of(made), allow_nan=False)

    def test_the_fallback_has_the_holes_and_then_the_numbers(self, made):
        open_, _, whole = made.fallback().partition("<details>")
        assert '<th scope="row">' in open_
        assert open_.count("<td>?</td>") == len(made.holes) == 8
        assert "<td>?</td>" not in whole
        assert "<td>0.5065</td>" in whole
        assert "0.5065" not in open_

    def test_symbols_in_sentences_of_the_checks_are_typeset(self, made):
        said = [part for mistake in made.mistakes for part in mistake]
        assert not any("d_k" in part.get("text", "") for part in said)
        roots = [part["math"] for part in said if "msqrt" in part.get("math", "")]
        assert len(roots) >= 2
        assert all("<mi>k</mi>" in root for root in roots)

    def test_its_labels_are_escaped(self, evil_one):
        assert "<script" not in evil_one.fallback()
        assert "<td>−∞</td>" in evil_one.fallback()

    def test_what_is_solved_in_the_page_is_kept(self, made, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(solved, "session", Solved())
        made.typed = ["1"]
        assert solved.session.ids() == set()
        made.solved = True
        assert solved.session.ids() == {"3.a"}


class TestInThePage:
    def test_each_number_is_judged_at_once(self, show, made):
        page = show(made)
        holes(page).nth(0).fill("2")
        assert notes(page) == [], "it is still being written"
        holes(page).nth(0).press("Enter")
        assert "q, k₁" in notes(page)[0]
        assert "q, k₁: the scores are not divided by" in notes(page)[0]
        assert page.locator(".qkv-note msqrt").count() == 1
        assert holes(page).nth(0).get_attribute("aria-invalid") == "true"
        described = holes(page).nth(0).get_attribute("aria-describedby")
        assert page.locator(f"#{described}").count() == 1
        assert "not divided by √d_k" in page.locator(".qkv-vh").inner_text()
        holes(page).nth(0).fill("1")
        holes(page).nth(0).blur()
        assert notes(page) == []
        assert page.locator(".qkv-vh").inner_text() == "Right."

    def test_a_wrong_number_without_a_name_is_told_where_to_look(self, show, made):
        page = show(made)
        fill(page, ["9", "-.5", "zero", ".9", ".31", ".19", "7"])
        first, sign, none, weight = notes(page)[:4]
        assert "not yet: multiply place by place" in first
        assert "look at the sign" in sign
        assert "no number that can be read" in none
        assert "not yet: take e to the power" in weight
        assert "2 decimals are wanted" in notes(page)[4]

    def test_a_sentence_of_several_numbers_is_said_once(self, show, made):
        page = show(made)
        fill(page, ["2", "1"])
        [note] = notes(page)
        assert note.startswith("q, k₁; q, k₂: ")

    def test_all_right_and_remembered(self, show, made):
        page = show(made)
        fill(page, RIGHT)
        assert page.locator(".qkv-score").inner_text() == "✓ All of them are right."
        assert page.locator("[data-act=show]").count() == 0
        reload(page)
        assert [h.input_value() for h in holes(page).all()] == RIGHT
        assert page.locator(".qkv-score").count() == 1
        page.locator("[data-act=reset]").click()
        reload(page)
        assert {h.input_value() for h in holes(page).all()} == {""}

    def test_what_is_half_written_is_not_lost_either(self, show, made):
        page = show(made)
        holes(page).nth(3).press_sequentially("2/")
        reload(page)
        assert holes(page).nth(3).input_value() == "2/"

    def test_it_is_given_up_after_a_try_only(self, show, made):
        page = show(made)
        fill(page, ["1"])
        assert page.locator("[data-act=show]").count() == 0
        fill(page, ["1", "5"])
        page.locator("[data-act=show]").click()
        focus = page.evaluate("document.activeElement.dataset.act")
        assert focus is None, "a second Enter would start again"
        shown = page.locator(".qkv-shown").all_inner_texts()
        assert shown == ["0.5", "0", "0.5065", "0.3072", "0.1863", "6.928", "4.935"]
        assert notes(page) == []
        reload(page)
        assert page.locator(".qkv-shown").count() == 7
        page.locator("[data-act=reset]").click()
        assert holes(page).count() == 8

    def test_by_keyboard_alone(self, show, made):
        page = show(made)
        for _ in range(10):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.dataset.hole") == "0":
                break
        for text in RIGHT:
            page.keyboard.type(text)
            page.keyboard.press("Enter")
        assert page.locator(".qkv-score").count() == 1

    def test_a_script_is_drawn_and_korean_is_marked(self, show, evil_one):
        page = show(evil_one)
        fill(page, ["6", "0"])
        assert page.locator(".qkv-note").inner_text().endswith(EVIL)
        fill(page, ["7", "−∞"])
        assert EVIL in page.locator(".qkv-note").inner_text()
        assert page.evaluate("window.pwned") is None
        assert page.locator("th [lang=ko]").inner_text() == "나는"
        assert page.locator("p [lang=ko]").inner_text() == "반으로 나누세요"

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_axe_finds_nothing(self, show, made, theme):
        page = show(made, WorkItOut("1.a"), theme=theme)
        for act in (
            lambda: None,
            lambda: fill(page, ["2", "-.5", "zero", ".51", ".7"]),
            lambda: page.locator("[data-act=show]").click(),
        ):
            act()
            assert barriers(page) == []

    def test_a_small_screen_scrolls_inside_not_across(self, browser, tmp_path, made):
        path = tmp_path / "page.html"
        path.write_text(page_of(made), "utf-8")
        with watched_page(browser, viewport={"width": 360, "height": 740}) as page:
            page.goto(path.as_uri())
            page.evaluate("qkvHost.ready")
            fill(page, ["2", "-.5", "zero"])
            assert page.evaluate("document.documentElement.scrollWidth") == 360
            assert page.seen.errors == []

    def test_on_paper_the_holes_are_open(self, show, made):
        page = show(made, query="?print")
        assert page.locator(".qkv-open").count() == 8
        assert page.locator("[data-hole], button").count() == 0

    @pytest.mark.parametrize(
        ("change", "words"),
        [({"holes": []}, "no computation"), ({"tables": [1]}, "does not fit")],
    )
    def test_a_broken_state_says_what_is_wrong(self, show, made, change, words):
        page = show(made, body=slot("broken", payload(WorkItOut("3.a"), **change)))
        text = page.locator("[data-qkv-widget=broken]").inner_text()
        assert "This widget cannot be drawn" in text
        assert words in text


class TestWithAKernel:
    def test_the_kernel_hears_of_what_is_typed_and_solved(self, show, made):
        page = live(show, made)
        inputs = page.locator("#live2 [data-hole]")
        for n, text in enumerate(RIGHT):
            inputs.nth(n).fill(text)
            inputs.nth(n).press("Enter")
        assert page.locator("#live2 .qkv-score").count() == 1
        assert page.evaluate("model.get('typed')") == RIGHT
        assert page.evaluate("model.get('solved')") is True

    def test_what_was_given_up_is_not_solved(self, show, made):
        page = live(show, made)
        page.locator("#live2 [data-hole]").nth(0).fill("7")
        page.locator("#live2 [data-hole]").nth(0).blur()
        page.locator("#live2 [data-act=show]").click()
        assert page.evaluate("model.get('solved')") is False
