"""AttentionLab: its words, its arithmetic, and editing it in a real Chromium."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qkv.attention import attend
from qkv.widgets import AttentionLab
from tests.browser import watched_page
from tests.widgets.pages import (
    EVIL,
    HARM,
    barriers,
    harm,
    live,
    page_of,
    payload,
    says_what_is_wrong,
    state_of,
)
from tests.widgets.test_front_end import CORE, run

ONWARD = "document.querySelectorAll('[data-act=next]').forEach((b) => b.click())"
Q = [[1, 0], [2, 1], [0, 2]]
K = [[1, 1], [2, 0], [-1, 1]]
V = [[0, 2], [3, 1], [-1, -2]]


def lab(tokens=("the", "cat", EVIL), q=Q, k=K, v=V, **options):
    return AttentionLab(tokens, q, k, v, **options)


def reference(q, k, v, mask=None, divisor=None):
    """Return weights and output as qkv's own attention gives them."""
    q, k, v = (torch.as_tensor(x, dtype=torch.float64) for x in (q, k, v))
    scores = q @ k.T / (q.shape[1] ** 0.5 if divisor is None else divisor)
    return attend(scores, v, mask)


def asked(expression, cases):
    """Return what a JavaScript expression of the core's modules gives for each case."""
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import * as maths from "{CORE}/maths.js";
        import * as gauss from "{CORE}/gauss.js";
        const cases = JSON.parse(readFileSync(0, "utf8"));
        console.log(JSON.stringify(cases.map((c) => {expression})));
    """
    return json.loads(run("--input-type=module", "-e", source, text=json.dumps(cases)))


def close(given, wanted):
    given = torch.tensor(given, dtype=torch.float64)
    torch.testing.assert_close(given, wanted, atol=1e-6, rtol=0)


class TestWords:
    def test_it_says_where_each_token_looks_and_follows_edits(self):
        widget = lab(["a", "b"], torch.eye(2), torch.eye(2), torch.eye(2) * 4)
        first = repr(widget)
        assert "a looks most at a (0.67), b looks most at b (0.67)." in first
        widget.q = [[0, 9], [0, 1]]
        assert "a looks most at b (1.00)" in repr(widget)
        widget.q, widget.scaled = [[1, 0], [0, 1]], False
        assert repr(widget).startswith("Dot-product attention over 2 tokens")
        assert "a looks most at a (0.73)" in repr(widget)
        widget.masking = "causal"
        assert "a looks most at a (1.00)" in repr(widget)
        widget.masking, widget.scaled = "none", True
        assert repr(widget) == first

    def test_the_bundle_and_the_state_are_the_same_each_time(self):
        assert state_of(lab()) == state_of(lab())
        data, _ = lab()._repr_mimebundle_()
        assert data["text/plain"] == lab().alt
        assert "application/vnd.jupyter.widget-view+json" in data

    def test_the_fallback_holds_weights_and_outputs_with_labels_escaped(self):
        mask = torch.ones(3, 3, dtype=torch.bool).tril()
        text = lab(mask=mask).fallback()
        assert harm(text) == []
        assert text.count("<td>masked</td>") == 3
        weight = float(reference(Q, K, V, mask).weights[1, 0])
        output = float(reference(Q, K, V, mask).context[1, 1])
        assert f">{weight:.2f}</td>" in text
        assert f">{output:.2f}</td>" in text

    def test_a_row_with_nothing_left_says_so(self):
        mask = torch.tensor([[True] * 3, [False] * 3, [True] * 3])
        assert "cat may attend to nothing" in repr(lab(mask=mask))

    def test_a_mask_that_broadcasts(self):
        widget = lab(mask=torch.tensor([True, True, False]))
        assert widget.mask == [[1, 1, 0]] * 3
        assert widget.masking == "given"

    def test_numbers_have_four_digits(self):
        assert lab(q=[[1 / 3, 0], [2, 1], [0, 2]]).q[0] == [0.3333, 0]


class TestRefused:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"q": torch.zeros(2, 2)}, r"q has shape \(2, 2\), but 3 tokens"),
            ({"v": torch.zeros(3)}, r"v has shape \(3,\), but 3 tokens"),
            ({"q": torch.zeros(3, 5)}, "q has d_k = 5, but k has d_k = 2"),
            ({"v": torch.zeros(3, 17)}, "v has d_v = 17, not 1 to 16"),
            ({"k": [[1, 2], [3, 4], [5, float("nan")]]}, "k holds NaN or infinity"),
            ({"tokens": list("abcdefghijklmnopq")}, "1 to 16 tokens, not 17"),
            ({"mask": torch.ones(2, 2, dtype=torch.bool)}, "does not broadcast"),
        ],
    )
    def test_shapes(self, changes, words):
        with pytest.raises(ValueError, match=words):
            lab(**changes)

    def test_a_mask_of_numbers(self):
        with pytest.raises(TypeError, match=r"mask holds torch\.float32"):
            lab(mask=torch.ones(3, 3))

    def test_an_edit_of_another_shape(self):
        widget = lab()
        with pytest.raises(ValueError, match="q is a list of 3 rows of 2 numbers"):
            widget.q = [[1, 2]]
        assert widget.q == Q


@settings(max_examples=6, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 2, 5, 7]),
            st.sampled_from([1, 3, 11]),
            st.sampled_from([1, 2, 13]),
            st.integers(0, 1000),
            st.booleans(),
            st.booleans(),
        ),
        min_size=6,
        max_size=12,
    )
)
def test_every_step_is_pythons(shapes):
    cases, wanted = [], []
    for tokens, d_k, d_v, seed, masked, scaled in shapes:
        generator = torch.Generator().manual_seed(seed)
        q, k = torch.randn(2, tokens, d_k, generator=generator, dtype=torch.float64) * 3
        v = torch.randn(tokens, d_v, generator=generator, dtype=torch.float64)
        mask = torch.rand(tokens, tokens, generator=generator) > 0.4
        divisor = d_k**0.5 if scaled else 1.0
        wanted.append(reference(q, k, v, mask if masked else None, divisor))
        rows = {name: x.tolist() for name, x in (("q", q), ("k", k), ("v", v))}
        cases.append(rows | {"mask": mask.tolist() if masked else None, "d": divisor})
    expression = """(() => {
        const t = maths.attention(c.q, c.k, c.v, c.mask ?? undefined, c.d);
        return {...t, masked: t.masked.map((row) => row.map(maths.encode))};
    })()"""
    for trace, made in zip(wanted, asked(expression, cases), strict=True):
        close([[float(x) for x in row] for row in made["masked"]], trace.scores)
        close(made["weights"], trace.weights)
        close(made["output"], trace.context)


def test_the_panel_shows_the_softmax_of_its_vectors():
    expression = """(() => {
        const {queries, keys} = gauss.vectors();
        return {query: [...queries[c.draw]], keys: keys.map((k) => [...k]),
                ...gauss.weightsAt(queries[c.draw], keys, c.exponent)};
    })()"""
    cases = [{"draw": 0, "exponent": 10}, {"draw": 5, "exponent": 3}]
    for case, made in zip(cases, asked(expression, cases), strict=True):
        width = 2 ** case["exponent"]
        query = torch.tensor(made["query"], dtype=torch.float64)[:width]
        keys = torch.tensor(made["keys"], dtype=torch.float64)[:, :width]
        close(made["hard"], (keys @ query).softmax(-1))
        close(made["soft"], (keys @ query / width**0.5).softmax(-1))


def say(page):
    return page.locator(".qkv-say").inner_text()


def field(page, name):
    return page.locator(f"[data-field={name}]")


def to_the_end(page):
    page.locator("[data-act=next]").focus()
    page.keyboard.press("End")


def output(page):
    return page.locator("td.qkv-out").inner_text()


def as_shown(row):
    """Return a row as the widget writes it."""
    said = [f"{x:.2f}" for x in row.tolist()]
    return f"({', '.join(said)})".replace("-", "−")


class TestEditing:
    def test_an_edited_number_changes_everything_after_it_at_once(self, show):
        page = show(lab())
        to_the_end(page)
        assert output(page) == as_shown(reference(Q, K, V).context[0])
        field(page, "q-0-1").fill("-1.5")
        q = [[1, -1.5], *Q[1:]]
        assert output(page) == as_shown(reference(q, K, V).context[0])
        field(page, "v-1-0").fill("7")
        v = [V[0], [7, 1], V[2]]
        assert output(page) == as_shown(reference(q, K, v).context[0])
        assert page.seen.errors == []

    def test_reset_brings_the_authors_numbers_back(self, show):
        page = show(lab())
        to_the_end(page)
        before = output(page)
        reset = page.locator("[data-act=reset]")
        assert reset.get_attribute("aria-disabled") == "true"
        field(page, "k-1-0").fill("-9")
        assert output(page) != before
        assert reset.get_attribute("aria-disabled") == "false"
        reset.click()
        assert output(page) == before
        assert field(page, "k-1-0").input_value() == "2"

    def test_what_is_no_number_yet_is_marked_and_the_last_one_counts(self, show):
        page = show(lab())
        to_the_end(page)
        before = output(page)
        one = field(page, "q-0-0")
        one.focus()
        page.keyboard.press("Control+A")
        page.keyboard.press("-")
        assert one.get_attribute("aria-invalid") == "true"
        assert "Type a number" in page.locator(".qkv-note").inner_text()
        assert output(page) == before
        page.keyboard.type("1.25")
        assert one.get_attribute("aria-invalid") is None
        q = [[-1.25, 0], *Q[1:]]
        assert output(page) == as_shown(reference(q, K, V).context[0])
        page.keyboard.press("Control+A")
        page.keyboard.type("1e9")
        assert one.get_attribute("aria-invalid") == "true"
        page.keyboard.press("Tab")
        assert not page.locator(".qkv-note").is_visible()
        assert float(one.input_value()) == 1  # the last that was in range, "1e" aside

    def test_scaling_and_masks(self, show):
        mask = torch.tensor([[True, False, True]] * 3)
        page = show(lab(mask=mask))
        to_the_end(page)
        assert output(page) == as_shown(reference(Q, K, V, mask).context[0])
        page.locator("[data-act=scaled]").uncheck()
        assert output(page) == as_shown(reference(Q, K, V, mask, 1.0).context[0])
        page.get_by_label("none").check()
        assert output(page) == as_shown(reference(Q, K, V, None, 1.0).context[0])
        page.get_by_label("causal").check()
        assert page.locator(".qkv-steps td.qkv-mask").count() == 2
        assert output(page) == "(0, 2)"

    def test_by_keyboard_alone(self, show):
        page = show(lab())
        page.keyboard.press("Tab")  # the table scrolls where it is narrow
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowUp")
        assert field(page, "q-0-0").input_value() == "1.5"
        for _ in range(18):
            page.keyboard.press("Tab")
        page.keyboard.press("Space")
        assert not page.locator("[data-act=scaled]").is_checked()
        to_the_end(page)
        page.keyboard.press("ArrowDown")
        q = [[1.5, 0], *Q[1:]]
        assert output(page) == as_shown(reference(q, K, V, None, 1.0).context[1])
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowLeft")
        assert "out of" in say(page)

    def test_each_step_has_its_formula_and_its_sentence(self, show):
        page = show(lab())
        said = []
        for i in range(5):
            said.append(say(page))
            assert page.locator(".qkv-formula math").count() == 1
            assert page.locator(".qkv-count").first.inner_text() == f"{i + 1} / 5"
            page.evaluate(ONWARD)
        assert "1 × 2 + 0 × 0 = 2" in said[0]
        assert "2 becomes 1.414" in said[1]
        assert "Nothing is hidden" in said[2]
        assert "e to the 1.414 = 4.113 out of 6.634" in said[3]
        assert page.locator(".qkv-say[aria-live=polite]").count() == 1

    def test_a_token_that_is_a_script_is_drawn_not_run(self, show):
        page = show(lab())
        assert page.locator(".qkv-edit tbody th").nth(2).inner_text() == EVIL
        assert page.evaluate(HARM) == []


class TestPlanes:
    def test_they_stand_only_for_two_numbers(self, show):
        wide = lab(v=torch.zeros(3, 5))
        wider = lab(q=torch.zeros(3, 3), k=torch.zeros(3, 3), v=torch.zeros(3, 5))
        page = show(lab(), wide, wider)
        for i, count in enumerate([2, 1, 0]):
            place = page.locator(f"[data-qkv-widget=w{i}]")
            assert place.locator("svg.qkv-plane").count() == count

    def test_dragging_a_tip_edits_its_numbers(self, show):
        page = show(lab())
        # The query's handle lies on top of the keys'.
        grip = page.locator("svg.qkv-plane").first.locator(".qkv-grip").last
        box = grip.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 40, y - 60)
        page.mouse.up()
        moved = [float(field(page, f"q-0-{c}").input_value()) for c in (0, 1)]
        assert 0 < moved[0] < 1
        assert moved[1] > 0.5
        assert page.locator("[data-act=reset]").get_attribute("aria-disabled") == (
            "false"
        )

    def test_they_say_what_they_show(self, show):
        page = show(lab())
        told = page.locator("svg.qkv-plane").evaluate_all(
            "(all) => all.map((e) => e.getAttribute('aria-label'))"
        )
        assert "points to (1, 0)" in told[0]
        assert "within the hull of the values" in told[1]
        assert as_shown(reference(Q, K, V).context[0]) in told[1]


def test_the_softmax_hardens_as_d_k_is_dragged(show):
    page = show(lab())
    page.locator(".qkv-wider input[type=range]").focus()

    def averages():
        said = page.locator(".qkv-wider figcaption").all_inner_texts()
        return [float(s.split()[-1].lstrip("<>")) for s in said]

    page.keyboard.press("Home")
    narrow = averages()
    assert narrow[0] == narrow[1]
    page.keyboard.press("End")
    assert averages()[0] > 0.9
    assert averages()[1] < 0.25
    assert "dk = 1024" in page.locator(".qkv-wider [aria-live]").text_content()
    bars = page.locator(".qkv-spikes path").first
    first = bars.get_attribute("d")
    page.locator("[data-act=draw]").click()
    assert bars.get_attribute("d") != first


@pytest.mark.parametrize("width", [736, 1000])
def test_what_changes_together_is_seen_together(browser, tmp_path, width):
    path = tmp_path / "page.html"
    path.write_text(page_of(lab(), width=f"{width}px"), "utf-8")
    with watched_page(browser, viewport={"width": 1280, "height": 900}) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        heights = []
        for _ in range(5):
            heights.append(page.locator(".qkv-sided").bounding_box()["height"])
            page.locator("[data-act=next]").press("Enter")
        assert max(heights) <= 700
        assert max(heights) - min(heights) < 3
        sides = page.locator(".qkv-sided > div")
        numbers, planes = (sides.nth(i).bounding_box() for i in range(2))
        assert planes["x"] > numbers["x"] + numbers["width"]


def test_no_symbol_has_an_underscore(show):
    page = show(lab())
    assert "_" not in page.locator(".qkv-w").inner_text()
    assert page.locator(".qkv-switches msqrt").count() == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(show, theme):
    mask = torch.tensor([[True, False, True], [False] * 3, [True] * 3])
    page = show(lab(mask=mask), theme=theme)
    for _ in range(5):
        assert barriers(page) == []
        page.evaluate(ONWARD)
    field(page, "q-0-0").fill("")
    assert barriers(page) == []


# The boxes of the words "output" and of the numbers on the axes of its plane.
MEETS = """() => {
    const plane = document.querySelectorAll(".qkv-plane")[1];
    const box = (text) => text.getBoundingClientRect();
    const name = box(plane.querySelector("text.qkv-o"));
    return [...plane.querySelectorAll(".qkv-tick")].map(box).some((tick) =>
        tick.left < name.right && name.left < tick.right &&
        tick.top + 2 < name.bottom - 2 && name.top + 2 < tick.bottom - 2);
}"""


@pytest.mark.parametrize("at", [(0, 0), (0.5, 0), (0, 0.5), (0.3, 0.2), (-0.3, 0.9)])
def test_the_name_of_the_output_stands_clear_of_the_axes_numbers(show, at):
    x, y = at
    around = [[x - 2, y], [x + 2, y], [x, y]]  # their mean, as no key is preferred
    page = show(lab(q=[[0, 0]] * 3, v=around))
    page.locator(".qkv-plane text.qkv-o").wait_for()
    assert not page.evaluate(MEETS)


def test_a_small_screen_scrolls_inside_not_across(browser, tmp_path):
    wide = lab(q=torch.randn(3, 8), k=torch.randn(3, 8), v=torch.randn(3, 7))
    path = tmp_path / "page.html"
    path.write_text(page_of(lab(), wide), "utf-8")
    with watched_page(browser, viewport={"width": 360, "height": 740}) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        for _ in range(5):
            assert page.evaluate("document.documentElement.scrollWidth") == 360
            page.evaluate(ONWARD)
        assert page.seen.errors == []


def test_on_paper_the_last_step_stands_without_controls(show):
    page = show(lab(), query="?print")
    assert page.locator("button, input").count() == 0
    caption = page.locator("figcaption").first.inner_text()
    assert "compares its query with every key" in caption
    assert "The output of “the”" in caption
    assert output(page) == as_shown(reference(Q, K, V).context[0])


BROKEN = [
    ({"tokens": []}, "it has no tokens"),
    ({"q": Q[:2]}, "the number of tokens is 3, but that of the rows of q is 2"),
    ({"k": [[1], [2], [3]]}, "queries and keys differ in length"),
    ({"v": [[1], [2, 3], [4]]}, "the rows of v differ in length"),
    ({"masking": "given", "mask": [[1]]}, "the mask does not fit the tokens"),
]


def test_a_broken_state_says_what_is_wrong(show):
    broken = [(payload(lab(), **changes), words) for changes, words in BROKEN]
    says_what_is_wrong(show, [lab()], broken)


def test_with_a_kernel_edits_go_both_ways(show):
    page = live(show, lab())
    place = page.locator("#live2")
    place.locator("[data-field=q-0-0]").fill("4")
    assert page.evaluate("model.get('q')")[0] == [4, 0]
    page.evaluate("model.set('k', [[0, 0], [0, 0], [8, 0]])")
    assert place.locator("[data-field=k-2-0]").input_value() == "8"
    assert "4 × 8 + 0 × 0 = 32" in place.locator(".qkv-say").inner_text()
