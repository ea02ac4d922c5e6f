"""Heads: what it says and stores, its maths in JavaScript, and how it stands."""

import json

import pytest
import torch

from qkv.widgets import Heads
from tests.browser import watched_page
from tests.widgets.heads.sample import copying
from tests.widgets.pages import (
    EVIL,
    HARM,
    barriers,
    harm,
    page_of,
    payload,
    says_what_is_wrong,
    state_of,
)
from tests.widgets.test_front_end import CORE, run


def trained(**changes):
    widget = Heads(**copying())
    for name, value in ({"tab": "heads"} | changes).items():
        setattr(widget, name, value)
    return widget


def plain(count=3):
    return Heads(torch.eye(count).expand(2, count, count), [EVIL, *"bcdefgh"][:count])


class TestWhatItSays:
    def test_where_each_head_looks_and_what_it_is_worth(self):
        said = repr(trained())
        assert "head 2 looks 1 back (0.92)" in said
        assert "with all heads 1.00, without head 1 0.81" in said
        assert "at itself (1.00 of its weight)" in repr(plain())

    def test_the_same_words_and_state_each_time(self):
        data, _ = trained()._repr_mimebundle_()
        assert data["text/plain"] == repr(trained())
        assert data["text/html"] == trained().fallback()
        assert state_of(trained()) == state_of(trained())
        json.dumps(state_of(trained()), allow_nan=False)

    def test_the_fallback_is_a_table_of_heads_and_one_of_their_worth(self):
        text = trained().fallback().replace("\N{NO-BREAK SPACE}", " ")
        assert text.count("<table>") == 2
        assert '<th scope="row">without head 4</th>' in text
        assert '<th scope="col">3 back</th>' in text
        worth = trained()._worth
        assert worth[0] == [1.0] * 4
        assert worth[1][0] < 0.5
        assert worth[1][1:] == [1.0] * 3

    def test_names_are_escaped(self):
        given = copying() | {"answers": [EVIL, "b", "c", "d"]}
        assert harm(Heads(**given).fallback()) == []
        assert harm(plain()._repr_mimebundle_()[0]["text/html"]) == []

    def test_many_tokens_are_cropped_and_it_says_so(self):
        widget = Heads(**copying(length=37))
        assert "the first 32 of 37 query" in widget.note
        assert len(widget.tokens) == len(widget.weights[0]) == 32
        assert len(widget.parts[0]) == len(widget.base) == len(widget.truth) == 32

    def test_one_answer_needs_no_axis(self):
        weights = torch.eye(5).expand(3, 5, 5)
        widget = Heads(
            weights, list("abcde"), parts=torch.zeros(3, 5, 7), base=torch.zeros(5, 7)
        )
        assert widget.answers == ["answer"]
        assert widget.vocabulary == list("0123456")
        assert len(widget.parts[0][0]) == 1

    def test_gradients_and_rows_that_see_nothing_are_fine(self):
        weights = torch.eye(3).expand(2, 3, 3).clone().requires_grad_()
        masked = (weights * torch.tensor([0.0, 1.0, 1.0])[:, None]).to(torch.float64)
        assert Heads(masked, list("abc")).weights[0][0] == [0, 0, 0]


EYE = torch.eye(3).expand(2, 3, 3)
PARTS, BASE = torch.zeros(2, 3, 5, 7), torch.zeros(3, 5, 7)
LOGITS = {"parts": PARTS, "base": BASE}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"tokens": ["a"]}, "3 queries × 3 keys, but 1 tokens"),
        ({"weights": torch.rand(2, 3, 2).softmax(-1)}, "3 queries × 2 keys"),
        ({"weights": EYE * 2}, "give the weights and not the scores"),
        ({"weights": EYE * torch.nan}, "give the weights and not the scores"),
        ({"parts": PARTS}, "base is missing"),
        ({"base": BASE}, "parts is missing"),
        (LOGITS | {"base": BASE[:, 0]}, r"parts \(2, 3, 5, 7\) and base \(3, 7\)"),
        (LOGITS | {"parts": PARTS[:1]}, "do not fit 2 heads of 3 tokens"),
        (LOGITS | {"answers": ["a"]}, "answers has 1 names, but parts 5"),
        (LOGITS | {"vocabulary": ["a"]}, "vocabulary has 1 names, but parts 7"),
        (LOGITS | {"truth": torch.zeros(3, 2).long()}, r"truth \(3, 2\) does not fit"),
        (LOGITS | {"truth": torch.full((3, 5), 7)}, "the output 7, but there are 7"),
        ({"truth": torch.zeros(3, 5).long()}, "give parts and base, too"),
        ({"parts": torch.zeros(2, 3, 65), "base": torch.zeros(3, 65)}, "1 to 64"),
    ],
)
def test_what_does_not_fit_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        Heads(**({"weights": EYE, "tokens": list("abc")} | given))


def asked(expression, cases):
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import * as maths from "{CORE}/maths.js";
        import * as split from "{CORE}/split.js";
        const m = {{ ...maths, ...split }};
        const cases = JSON.parse(readFileSync(0, "utf8"));
        console.log(JSON.stringify(cases.map((c) => {expression})));
    """
    return json.loads(run("--input-type=module", "-e", source, text=json.dumps(cases)))


def test_split_and_merge_are_pythons():
    sizes = [(3, 2, 2), (5, 3, 7), (1, 2, 11), (7, 1, 3)]
    xs = [torch.arange(t * h * d).reshape(t, h * d) for t, h, d in sizes]
    cases = [[x.tolist(), h] for x, (_, h, _) in zip(xs, sizes, strict=True)]
    expression = """(() => {
        const right = m.split(...c), bug = m.splitByView(...c);
        return [right, bug, m.merge(right), m.merge(bug)];
    })()"""
    for x, (t, h, d), got in zip(xs, sizes, asked(expression, cases), strict=True):
        right = x.view(t, h, d).transpose(0, 1)
        bug = x.view(h, t, d)
        merged = [y.transpose(0, 1).reshape(t, h * d) for y in (right, bug)]
        assert got == [y.tolist() for y in (right, bug, *merged)]


def prediction_cases(seed):
    """Return what the widget stores for a few predictions, and Python's answers."""
    generator = torch.Generator().manual_seed(seed)
    parts = torch.randn(5, 3, 2, 11, generator=generator, dtype=torch.float64) * 6
    base = torch.randn(3, 2, 11, generator=generator, dtype=torch.float64) * 6
    off = [h for h in range(5) if torch.rand((), generator=generator) < 0.4]
    widget = Heads(torch.eye(3).expand(5, 3, 3), list("abc"), parts=parts, base=base)
    cases = [
        [widget.base[t][a], [head[t][a] for head in widget.parts], off]
        for t in range(3)
        for a in range(2)
    ]
    on = [h for h in range(5) if h not in off]
    return cases, (base + parts[on].sum(0)).softmax(-1).reshape(6, 11)


def test_predictions_are_pythons_to_a_millionth_from_the_stored_digits():
    made = [prediction_cases(seed) for seed in range(12)]
    got = asked("m.softmax(m.logits(...c))", [c for cases, _ in made for c in cases])
    wanted = torch.cat([answers for _, answers in made])
    torch.testing.assert_close(
        torch.tensor(got, dtype=torch.float64), wanted, atol=1e-6, rtol=0
    )


def say(page):
    return page.locator(".qkv-say").inner_text()


class TestSplitAndMerge:
    def test_by_keyboard_alone(self, show):
        page = show(trained(tab="split"))
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        said = [say(page)]
        page.locator("[data-act=next]").focus()
        for _ in range(4):
            page.keyboard.press("ArrowRight")
            said.append(say(page))
        assert len(set(said)) == 5
        assert page.locator(".qkv-count").inner_text() == "5 / 5"
        page.keyboard.press("Home")
        assert say(page) == said[0]
        assert page.locator(".qkv-say[aria-live=polite]").count() == 1

    def test_the_bug_is_marked_and_told(self, show):
        page = show(trained(tab="split", step=2))
        wrong = page.locator("td.qkv-bad").all_inner_texts()
        marked = [text.replace("✗", "").split()[0] for text in wrong]
        assert marked == ["a3", "a4", "b1", "b2", "b3", "b4", "c1", "c2"]
        assert "head 1 row b holds a3 a4 of token a" in say(page)
        right = page.get_by_role("group", name="The right way")
        assert right.locator("td.qkv-bad").count() == 0
        page.locator("[data-act=next]").click()
        page.locator("[data-act=next]").click()
        assert "mixed token a with b, a with c, b with c" in say(page)

    def test_a_number_is_followed(self, show):
        page = show(trained(tab="split", step=1))
        page.get_by_label("Follow the number").select_option("b3")
        assert "b3 is in token b, head 2; with the bug in head 2, row a." in say(page)
        assert page.locator("td.qkv-me").count() == 2
        page.locator("td.qkv-me").first.click()
        assert page.locator("td.qkv-me").count() == 0

    def test_the_other_view_is_a_radio_button_away(self, show):
        page = show(trained(tab="split"))
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        assert page.locator(".qkv-face").count() == 4


def rows(page):
    return page.locator(".qkv-row").all()


class TestATrainedModel:
    def test_switching_a_head_off_is_seen_at_once(self, show):
        page = show(trained(token=6))
        assert "All tokens: 56 of 56 right" in page.locator(".qkv-score").inner_text()
        page.get_by_label("head 2").uncheck()
        assert "46 of 56" not in say(page)
        assert "Without head 2: 1 back:" in say(page)
        assert "all on: 56" in page.locator(".qkv-score").inner_text()
        verdicts = page.locator(".qkv-card .qkv-tag").all_inner_texts()
        assert verdicts == ["✓ right", "✗ wrong", "✓ right", "✓ right"]
        page.locator("[data-act=all]").click()
        assert page.locator(".qkv-card .qkv-bad").count() == 0

    def test_what_is_shown_is_what_python_computes(self, show):
        given, t, off = copying(), 6, [1, 2]
        page = show(trained(token=t, off=off))
        on = [h for h in range(4) if h not in off]
        logits = given["base"][t] + given["parts"][on].sum(0)[t]
        best = logits.double().softmax(-1).max(-1)
        shown = page.locator(".qkv-card .qkv-best").all_inner_texts()
        for text, p, v in zip(
            shown, best.values.tolist(), best.indices.tolist(), strict=True
        ):
            assert f"{p:.2f}" in text
            assert given["vocabulary"][v] in text

    def test_heads_and_tokens_by_keyboard(self, show):
        page = show(trained(token=6))
        page.locator(".qkv-face[aria-pressed=true]").focus()
        page.keyboard.press("ArrowRight")
        pressed = page.locator(".qkv-face[aria-pressed=true]")
        assert "head 2" in pressed.inner_text()
        assert pressed.evaluate("(e) => e === document.activeElement")
        assert "Head 2 has 0.92 of its weight 1 back" in say(page)
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        assert "Without head" in say(page)
        page.locator(".qkv-row[aria-pressed=true]").focus()
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.dataset.row") == "7"

    @pytest.mark.parametrize("width", [736, 1000])
    def test_all_of_it_is_in_sight_and_nothing_jumps(self, browser, tmp_path, width):
        path = tmp_path / "page.html"
        path.write_text(page_of(trained(), width=f"{width}px"), "utf-8")
        heights = []
        with watched_page(browser, viewport={"width": 1280, "height": 900}) as page:
            page.goto(path.as_uri())
            page.evaluate("qkvHost.ready")
            for click in [*page.locator(".qkv-head input").all()[:2], *rows(page)]:
                click.click()
                heights.append(page.locator(".qkv-w").bounding_box()["height"])
        assert max(heights) <= 700
        assert max(heights) - min(heights) < 6

    def test_where_nothing_is_asked_it_says_so(self, show):
        page = show(trained(token=0))
        hints = page.locator(".qkv-card .qkv-hint").all_inner_texts()
        assert hints == ["Nothing is asked here."] * 2

    def test_without_logits_there_is_nothing_to_switch(self, show):
        widget = plain()
        widget.tab = "heads"
        page = show(widget)
        assert page.locator("input[type=checkbox]").count() == 0
        assert page.locator(".qkv-row").first.inner_text().startswith(EVIL)
        assert page.evaluate(HARM) == []

    def test_the_small_pictures_are_the_weights(self, show):
        widget = plain()
        widget.tab = "heads"
        page = show(widget)
        pixel = """([i, j]) => [...document.querySelector(".qkv-face canvas")
            .getContext("2d").getImageData(j, i, 1, 1).data.slice(0, 3)]"""
        assert page.evaluate(pixel, [1, 1]) == [254, 232, 56]
        assert page.evaluate(pixel, [0, 1]) == [0, 34, 78]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(show, theme):
    page = show(
        trained(off=[1]), trained(tab="split", step=1, follow="b3"), theme=theme
    )
    for _ in range(3):
        assert barriers(page) == []
        page.evaluate("document.querySelector('[data-act=next]').click()")


def test_a_small_screen_scrolls_inside_not_across(browser, tmp_path):
    path = tmp_path / "page.html"
    long = Heads(**copying(length=32))
    long.tab = "heads"
    path.write_text(page_of(trained(), trained(tab="split"), long), "utf-8")
    with watched_page(browser, viewport={"width": 360, "height": 740}) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        for _ in range(4):
            assert page.evaluate("document.documentElement.scrollWidth") == 360
            page.locator("[data-act=next]").click()
        assert page.seen.errors == []
        assert page.seen.foreign == []


def test_on_paper_every_step_stands(show):
    page = show(trained(head=1), query="?print")
    assert page.locator("figure").count() == 7
    assert page.locator("button, input, select").count() == 0
    words = page.locator("figcaption").all_inner_texts()
    assert "Without head 2" in words[-1]
    assert "Without" not in words[-2]
    assert page.locator("canvas").count() == 8


BROKEN = [
    ({"weights": []}, "it holds no attention weights"),
    ({"tokens": ["a"]}, "a head does not fit the 1 token"),
    ({"looks": []}, "where each head looks"),
    ({"base": []}, "does not fit the tokens, answers and outputs"),
    ({"parts": [[[[1]]]]}, "4 heads but parts of 1"),
]


def test_a_broken_state_says_what_is_wrong(show):
    broken = [(payload(trained(), **changes), words) for changes, words in BROKEN]
    says_what_is_wrong(show, [plain()], broken)
