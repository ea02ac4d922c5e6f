"""MaskPainter: its words, its masks as PyTorch reads them, and painting in Chromium."""

import json

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from qkv.attention import attend
from qkv.widgets import MaskPainter
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
from tests.widgets.test_front_end import CORE, ROOT, run

TOKENS = ["the", "cat", "sat", EVIL, "<pad>"]


def painter(**options):
    return MaskPainter(TOKENS, **options)


def asked(expression, cases):
    """Return what a JavaScript expression of the core's modules gives for each case."""
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import * as maths from "{CORE}/maths.js";
        import * as masks from "{CORE}/masks.js";
        const cases = JSON.parse(readFileSync(0, "utf8"));
        console.log(JSON.stringify(cases.map((c) => {expression})));
    """
    return json.loads(run("--input-type=module", "-e", source, text=json.dumps(cases)))


def reference(name, n, size):
    """Return a named mask as torch builds it."""
    ones = torch.ones(n, n, dtype=torch.bool)
    real = ones & (torch.arange(n) < size)
    return {
        "everything": ones,
        "causal": ones.tril(),
        "padding": real,
        "both": real & ones.tril(),
        "prefix": real | ones.tril(),
        "window": ones.tril(size) & ones.triu(-size),
    }[name]


NAMES = ("everything", "causal", "padding", "both", "prefix", "window")


def test_masks_and_weights_are_torchs():
    generator = torch.Generator().manual_seed(0)
    cases, wanted = [], []
    for name in NAMES:
        for n, size in ((1, 0), (2, 1), (5, 0), (7, 3), (11, 11)):
            scores = torch.randn(n, n, generator=generator, dtype=torch.float64) * 4
            mask = reference(name, n, size)
            wanted.append((mask, attend(scores, torch.eye(n).double(), mask).weights))
            cases.append(
                {"name": name, "n": n, "size": size, "scores": scores.tolist()}
            )
    expression = """(() => {
        const mask = masks.named(c.name, c.n, c.size);
        return [mask, maths.hide(c.scores, mask).map(maths.softmax)];
    })()"""
    for (mask, weights), made in zip(wanted, asked(expression, cases), strict=True):
        assert made[0] == mask.int().tolist()
        torch.testing.assert_close(
            torch.tensor(made[1], dtype=torch.float64), weights, atol=1e-6, rtol=0
        )


@pytest.mark.parametrize("name", NAMES)
def test_the_python_shown_hides_the_same_in_both_senses(name):
    mask = reference(name, 5, 2).int().tolist()
    attending, hiding = asked(
        "masks.literal(c.mask, c.sense)",
        [{"mask": mask, "sense": sense} for sense in ("attend", "hidden")],
    )
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 5, 7)
    names = {"torch": torch, "F": F, "q": q, "k": k, "v": v}
    exec(attending, names)
    expected = attend(q @ k.T / 7**0.5, v, names["mask"]).context
    torch.testing.assert_close(
        F.scaled_dot_product_attention(q, k, v, attn_mask=names["mask"]), expected
    )
    seen = []

    def attention(q, k, v, **masks):
        seen.append(module(q, k, v, **masks)[1][0])

    module = nn.MultiheadAttention(4, 1, batch_first=True)
    exec(hiding, {"torch": torch, "attention": attention, "x": torch.randn(1, 5, 4)})
    assert len(seen) == (2 if name in ("everything", "padding") else 1)
    for weights in seen:
        assert ((weights > 0).int().tolist()) == mask


def test_torchs_softmax_of_a_row_with_nothing_left_is_nan():
    assert torch.full((3,), -torch.inf).softmax(-1).isnan().all()


class TestWords:
    def test_it_begins_causal_or_with_lengths_causal_and_padded(self):
        assert painter().mask == reference("causal", 5, 0).int().tolist()
        both = painter(lengths=[3, 4])
        assert both.mask == reference("both", 5, 3).int().tolist()
        assert (both.preset, both.length, both.lengths) == ("both", 3, [3, 4])
        assert painter(lengths=4).lengths == [4]

    def test_it_begins_at_a_row_that_has_keys_to_choose_from(self):
        assert painter().row == 1
        assert painter(lengths=1).row == 0

    def test_in_chapter_6_each_preset_is_another_mask_with_uneven_weights(self, show):
        source = (ROOT / "chapters/06_masking.md").read_text("utf-8")
        cell = next(c for c in source.split("```") if "\nMaskPainter(" in c)
        lines = cell.partition("\n")[2].splitlines()
        names = {"MaskPainter": MaskPainter}
        exec("\n".join(lines[:-1]), names)
        widget = eval(lines[-1], names)
        page = show(widget)
        masks, weights = [], []
        for button in page.locator("[data-preset]").all():
            button.click()
            cells = page.locator(".qkv-dab")
            masks.append(tuple(cells.evaluate_all("(a) => a.map(b => b.ariaPressed)")))
            weights.append(tuple(cells.all_inner_texts()))
            assert "sums to 1" in page.locator(".qkv-say").inner_text()
        assert len(set(masks)) == len(set(weights)) == len(NAMES)
        assert len({row for row in weights[0]}) > 2

    def test_keys_that_share_the_most_are_all_named(self, show):
        scores = [[2, 2, 0], [0, 0, 0], [0, 0, 1]]
        page = show(MaskPainter(["a", "b", "c"], scores))
        page.locator("[data-preset=everything]").click()
        page.locator("[data-cell='0-0']").focus()
        page.keyboard.press("ArrowRight")
        said = page.locator(".qkv-say").inner_text()
        assert "“a” and “b” get most, 0.47 each" in said

    def test_it_says_what_is_seen_and_follows_the_mask(self):
        widget = MaskPainter(["a", "b"], torch.tensor([[0.0, 1.0], [0.0, 3.0]]))
        assert "now causal: a sees 1 key, b sees 2 keys. " in repr(widget)
        assert "b looks most at b (0.95)." in repr(widget)
        widget.preset, widget.mask = "own", [[0, 0], [1, 0]]
        assert "now painted by hand: a sees 0 keys" in repr(widget)
        assert "a may attend to nothing, b looks most at a (1.00)." in repr(widget)

    def test_its_state_is_the_same_each_time(self):
        assert state_of(painter(lengths=3)) == state_of(painter(lengths=3))
        data, _ = painter()._repr_mimebundle_()
        assert data["text/plain"] == painter().alt
        assert "application/vnd.jupyter.widget-view+json" in data

    def test_the_fallback_marks_what_is_hidden_and_escapes(self):
        text = painter(lengths=4).fallback()
        assert harm(text) == []
        assert text.count("<td>masked</td>") == 5 * 5 - 1 - 2 - 3 - 4 - 4
        assert ">0.33</td>" in text


class TestRefused:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"scores": torch.zeros(3, 5)}, r"scores has shape \(3, 5\), but 5 tokens"),
            ({"scores": torch.full((5, 5), -torch.inf)}, "scores holds NaN or inf"),
            ({"lengths": 6}, "lengths=6 must lie in 0 to 5"),
            ({"lengths": [2, -1]}, "must lie in 0 to 5"),
            ({"lengths": []}, "must lie in 0 to 5"),
        ],
    )
    def test_what_does_not_fit(self, options, words):
        with pytest.raises(ValueError, match=words):
            painter(**options)

    @pytest.mark.parametrize("count", [0, 17])
    def test_too_few_or_too_many_tokens(self, count):
        with pytest.raises(ValueError, match=f"1 to 16 tokens, not {count}"):
            MaskPainter(["a"] * count)

    def test_a_mask_of_another_shape(self):
        widget = painter()
        with pytest.raises(ValueError, match="5 rows of 5"):
            widget.mask = [[1]]


def say(page):
    return page.locator(".qkv-say").inner_text()


def cell(page, i, j):
    return page.locator(f"[data-cell='{i}-{j}']")


def row(page, i):
    return page.locator(f"[data-cell^='{i}-']").all_inner_texts()


class TestPainting:
    def test_a_click_hides_and_the_row_shares_its_weight_anew(self, show):
        page = show(painter())
        assert row(page, 2) == ["0.33", "0.33", "0.33", "–", "–"]
        cell(page, 2, 0).click()
        assert row(page, 2) == ["–", "0.50", "0.50", "–", "–"]
        assert "may attend to 2 of 5 keys: each gets 0.50" in say(page)
        cell(page, 2, 4).click()
        assert row(page, 2) == ["–", "0.33", "0.33", "–", "0.33"]
        assert "Painted by hand." in page.inner_text("main")
        assert page.locator("[data-preset][aria-pressed=true]").count() == 0

    def test_scores_decide_who_gets_what_is_left(self, show):
        scores = torch.arange(25.0).reshape(5, 5) / 5
        page = show(painter(scores=scores))
        cell(page, 4, 3).click()
        mask = reference("causal", 5, 0)
        mask[4, 3] = False
        weights = attend(scores, torch.eye(5), mask).weights[4]
        shown = ["–" if j == 3 else f"{w:.2f}" for j, w in enumerate(weights.tolist())]
        assert row(page, 4) == shown
        assert "most goes to “<pad>”" in say(page)

    def test_a_drag_paints_every_cell_it_comes_through(self, show):
        page = show(MaskPainter([*TOKENS[:3], "on", "<pad>"]))  # in sight as a whole
        place = [cell(page, 4, j).bounding_box() for j in range(3)]
        at = [(b["x"] + b["width"] / 2, b["y"] + b["height"] / 2) for b in place]
        page.mouse.move(*at[0])
        page.mouse.down()
        for x, y in at[1:]:
            page.mouse.move(x, y, steps=4)
        page.mouse.up()
        assert row(page, 4) == ["–", "–", "–", "0.50", "0.50"]

    def test_by_keyboard_alone(self, show):
        page = show(painter())
        cell(page, 0, 0).focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        label = "document.activeElement.getAttribute('aria-label')"
        assert page.evaluate(label) == "query sat, key cat: may attend, weight 0.33"
        page.keyboard.press("Space")
        assert page.evaluate(label) == "query sat, key cat: hidden"
        page.keyboard.press("Home")
        page.keyboard.press("Enter")
        assert row(page, 2) == ["–", "–", "1.00", "–", "–"]
        page.keyboard.press("End")
        page.keyboard.press("ArrowRight")
        assert page.evaluate(label) == "query sat, key <pad>: hidden"
        # One cell can be reached by Tab; the arrows reach the others.
        assert page.locator(".qkv-dab[tabindex='0']").count() == 1

    def test_a_row_with_nothing_left_says_what_happens_and_why(self, show):
        page = show(painter())
        assert page.locator(".qkv-nothing").count() == 0
        cell(page, 0, 0).click()
        assert "“the” may attend to nothing: its weights are all zero." in say(page)
        told = page.locator(".qkv-nothing").inner_text()
        assert "Nothing left for “the”" in told
        assert "0 / 0" in told
        lines = page.locator(".qkv-nothing tr").all_inner_texts()
        assert lines[0].split() == ["here", *"00000"]
        assert lines[1].split() == ["torch.softmax", *["NaN"] * 5]
        assert page.locator(".qkv-sum").first.inner_text() == "0"

    def test_presets_and_their_numbers(self, show):
        page = show(painter(lengths=[3, 4]))
        choose = page.locator
        assert choose("[data-field=length]").input_value() == "3"
        page.get_by_label("sentence").select_option("1")
        assert row(page, 4) == ["0.25"] * 4 + ["–"]
        choose("[data-preset=padding]").click()
        choose("[data-field=length]").fill("2")
        assert row(page, 0) == ["0.50", "0.50", "–", "–", "–"]
        choose("[data-field=length]").fill("9")
        assert "whole number from 0 to 5" in choose(".qkv-note").inner_text()
        assert row(page, 0) == ["0.50", "0.50", "–", "–", "–"]
        choose("[data-preset=window]").click()
        assert row(page, 2) == ["–", "0.33", "0.33", "0.33", "–"]
        choose("[data-field=width]").fill("0")
        assert row(page, 2) == ["–", "–", "1.00", "–", "–"]
        choose("[data-preset=prefix]").click()
        assert row(page, 0) == ["0.50", "0.50", "–", "–", "–"]
        choose("[data-preset=everything]").click()
        assert row(page, 3) == ["0.20"] * 5
        choose("[data-act=invert]").click()
        assert row(page, 3) == ["–"] * 5

    def test_the_other_sense_of_true(self, show):
        page = show(painter())
        code = page.locator(".qkv-code")
        assert "[1, 0, 0, 0, 0],\n" in code.inner_text()
        assert "scaled_dot_product_attention" in code.inner_text()
        page.get_by_label("True = hidden").check()
        assert "[0, 1, 1, 1, 1],\n" in code.inner_text()
        assert "scaled_dot" not in code.inner_text()
        page.locator("[data-preset=padding]").click()
        assert "key_padding_mask=mask[:1]" in code.inner_text()
        assert row(page, 0) == ["0.20"] * 5

    def test_a_token_that_is_a_script_is_drawn_not_run(self, show):
        page = show(painter())
        assert page.locator(".qkv-paint tbody th").nth(3).inner_text() == EVIL
        assert page.evaluate(HARM) == []
        assert page.seen.errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(show, theme):
    page = show(painter(lengths=[3, 4]), theme=theme)
    for act in ("", "[data-cell='0-0']", "[data-act=invert]", "[data-preset=window]"):
        if act:
            page.locator(act).click()
        assert barriers(page) == []


def test_a_small_screen_scrolls_inside_not_across(browser, tmp_path):
    long = MaskPainter([f"token{i}" for i in range(16)])
    path = tmp_path / "page.html"
    path.write_text(page_of(painter(), long), "utf-8")
    with watched_page(browser, viewport={"width": 360, "height": 740}) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        page.locator("[data-act=invert]").first.click()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.seen.errors == []


def test_on_paper_the_mask_stands_without_controls(show):
    page = show(painter(lengths=3), query="?print")
    assert page.locator("button, input, select").count() == 0
    assert "“the” may attend to 1 of 5 keys" in page.inner_text("figcaption")
    assert page.locator(".qkv-paint td.qkv-mask").count() == 13
    assert "Mask: causal + padding" in page.inner_text("main")


BROKEN = [
    ({"tokens": []}, "it has no tokens"),
    ({"mask": [[1]]}, "5 tokens but mask is not 5 × 5"),
    ({"scores": [[0] * 4] * 5}, "5 tokens but scores is not 5 × 5"),
]


def test_a_broken_state_says_what_is_wrong(show):
    broken = [(payload(painter(), **changes), words) for changes, words in BROKEN]
    says_what_is_wrong(show, [painter()], broken)


def test_with_a_kernel_it_follows(show):
    page = live(show, MaskPainter([f"t{i}" for i in range(16)]))
    place = page.locator("#live2")
    place.locator("[data-cell='1-0']").click()
    assert page.evaluate("model.get('mask')")[1] == [0, 1] + [0] * 14
    page.evaluate("model.set('mask', model.get('mask').map((r) => r.map(() => 1)))")
    assert place.locator(".qkv-mask.qkv-dab").count() == 0


def test_columns_are_equally_wide_whatever_their_labels(show):
    page = show(MaskPainter(["나는", "고양이를", "좋아해", "the", "요"]))
    widths = (
        page.locator("tbody tr")
        .first.locator(".qkv-dab")
        .evaluate_all(
            "cells => cells.map(cell => Math.round(cell.getBoundingClientRect().width))"
        )
    )
    assert len(widths) == 5
    assert max(widths) - min(widths) <= 1
