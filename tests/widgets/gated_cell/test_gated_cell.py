"""GatedCell: its words, what it computes of a memory, and stepping it in a Chromium."""

import json
from dataclasses import replace

import pytest
import torch

from qkv.widgets import GatedCell
from tests.browser import watched_page
from tests.widgets.gated_cell.sample import WORDS, read_gru, read_lstm
from tests.widgets.pages import (
    barriers,
    live,
    page_of,
    payload,
    says_what_is_wrong,
    state_of,
)
from tests.widgets.test_front_end import ROOT, run

TEXT, OTHER = "the film was not really that good", "the film was good"
MEMORY = (ROOT / "src/qkv/widgets/gated_cell/memory.js").as_uri()


def gru(**options):
    return GatedCell({t: read_gru(t) for t in (TEXT, OTHER)}, **options)


def lstm(**options):
    return GatedCell({TEXT: read_lstm(TEXT)}, **options)


class TestWords:
    def test_it_says_what_is_still_there_of_an_earlier_word(self):
        traces = read_gru(TEXT)
        keep = torch.stack([t.update for t in traces])[:, 1]
        wrote = (1 - keep[3]) * traces[3].candidate[1]
        left = float(wrote * keep[4:].prod())
        assert f"unit 1 holds {float(traces[-1].hidden[1]):.2f}" in repr(gru())
        assert f"{left:.2f} from “not”, 3 words ago" in repr(gru())
        assert repr(lstm()).startswith("An LSTM cell read “the film was not")

    def test_an_lstm_forgets_and_writes_by_gates_of_its_own(self):
        traces = read_lstm(TEXT)
        keep = torch.stack([t.forget_gate for t in traces])[:, 1]
        left = traces[3].input_gate[1] * traces[3].candidate[1] * keep[4:].prod()
        assert f"{float(left):.2f} from “not”, 3 words ago" in repr(lstm())

    def test_one_word_has_nothing_before_it(self):
        widget = GatedCell({"not": read_gru("not")})
        assert repr(widget).startswith("A GRU cell read “not”, 1 word, 7 units")
        assert repr(widget).endswith(f"holds {widget._held[1, widget.unit]:.2f}.")

    def test_the_same_words_and_state_each_time(self):
        data, _ = gru()._repr_mimebundle_()
        assert data["text/plain"] == repr(gru()) == gru().alt
        assert data["text/html"] == gru().fallback()
        assert state_of(gru()) == state_of(gru())
        json.dumps(state_of(lstm()), allow_nan=False)

    def test_the_fallback_holds_what_each_word_left_with_words_escaped(self):
        text = "not <script>"
        widget = GatedCell({text: read_gru(text)}, unit=1)
        made = widget.fallback()
        assert "<script" not in made
        assert made.count("<table>") == 2
        kept = float(widget._held[1, 1])
        assert f">{kept:.2f}</td>" in made
        keep = float(read_gru(text)[1].update[1])
        assert f">{keep:.2f}</td>" in made

    def test_it_opens_at_the_last_words_memory(self):
        assert gru().step == 7 * 4 - 1
        assert lstm().step == 6 * 6 + 4

    def test_units_are_those_that_keep_or_those_that_are_asked_for(self):
        many = {TEXT: read_gru(TEXT, units=40)}
        assert len(GatedCell(many).units) == 16
        lasting = GatedCell(many)._held[1:-1].abs().amax(0)
        assert GatedCell(many).unit == int(lasting.argmax())
        assert GatedCell(many, unit=39).units[-1] == 39
        chosen = GatedCell(many, units=[30, 2], unit=2)
        assert (chosen.units, chosen.unit, chosen.size) == ([30, 2], 2, 40)
        shown = torch.tensor(chosen.sentences[0]["values"]["hidden"])
        wanted = torch.stack([t.hidden[[30, 2]] for t in many[TEXT]])
        torch.testing.assert_close(shown, wanted)

    def test_a_batch_of_one_is_one_sentence(self):
        one = [
            replace(t, **{k: v[None] for k, v in vars(t).items()})
            for t in read_gru(TEXT)
        ]
        widget = GatedCell({TEXT: one})
        assert widget.sentences[0] == gru().sentences[0]

    def test_traces_that_still_have_gradients(self):
        with_gradients = [
            replace(t, hidden=t.hidden.requires_grad_()) for t in read_gru(TEXT)
        ]
        assert GatedCell({TEXT: with_gradients}).sentences[0] == gru().sentences[0]


class TestRefused:
    def test_words_and_traces(self):
        with pytest.raises(ValueError, match="has 4 words, but there are 3 traces"):
            GatedCell({OTHER: read_gru(OTHER)[:3]})
        with pytest.raises(ValueError, match="1 to 24 words, but '' has 0"):
            GatedCell({"": []})
        with pytest.raises(ValueError, match="sentences is empty"):
            GatedCell({})

    def test_traces_that_do_not_follow_from_each_other(self):
        first = [read_gru(word)[0] for word in OTHER.split()]
        with pytest.raises(ValueError, match=r"word 2 does not begin with the hidden"):
            GatedCell({OTHER: first})
        begun = torch.ones(7)
        with pytest.raises(ValueError, match="give `start` if the first is not zeros"):
            GatedCell({OTHER: read_gru(OTHER, start=begun)})
        widget = GatedCell({OTHER: read_gru(OTHER, start=begun)}, start=[begun])
        assert widget.sentences[0]["start"] == {"hidden": [1] * 7}

    def test_what_is_no_cell(self):
        from qkv.attention import attend

        look = attend(torch.zeros(1, 2), torch.zeros(2, 7))
        with pytest.raises(
            ValueError, match=r"steps scores, weights, context; a Gated"
        ):
            GatedCell(
                {"not": [replace(look, **dict.fromkeys(vars(look), torch.ones(7)))]}
            )
        with pytest.raises(ValueError, match="not all of one kind of cell"):
            GatedCell({"not not": [*read_gru("not"), *read_lstm("not")]})
        with pytest.raises(
            ValueError, match=r"'not' have the steps reset, .* of 'good'"
        ):
            GatedCell({"not": read_gru("not"), "good": read_lstm("good")})

    def test_a_batch(self):
        two = [
            replace(t, **{k: v.expand(2, -1) for k, v in vars(t).items()})
            for t in read_gru(OTHER)
        ]
        with pytest.raises(ValueError, match=r"reset has shape \(2, 7\): a GatedCell"):
            GatedCell({OTHER: two})

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"units": [7]}, r"units=\[7\] must be 1 to 16 different ones of 0 to 6"),
            ({"units": [1, 1]}, "different ones"),
            ({"units": []}, "must be 1 to 16"),
            ({"units": [0], "unit": 1}, r"unit=1 is none of the units shown, \[0\]"),
            ({"unit": 9}, r"units=.*9.* must be"),
            ({"start": [torch.zeros(3)]}, "a GRU needs hidden of 7 units"),
        ],
    )
    def test_units_and_start(self, options, words):
        with pytest.raises(ValueError, match=words):
            gru(**options)

    def test_sentences_of_different_cells(self):
        both = {TEXT: read_gru(TEXT), OTHER: read_gru(OTHER, units=5)}
        with pytest.raises(ValueError, match="different numbers of units"):
            GatedCell(both)


def computed(widget):
    """Return what JavaScript says each unit holds at the end, of start and words."""
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import * as m from "{MEMORY}";
        const w = JSON.parse(readFileSync(0, "utf8"));
        const [s] = w.sentences;
        console.log(JSON.stringify(w.units.map((_, i) => {{
            const unit = m.unitOf(w.kind, s, i);
            const held = m.parts(unit, s.words.length);
            return {{held, holds: unit.holds.at(-1)}};
        }})));
    """
    made = run("--input-type=module", "-e", source, text=json.dumps(state_of(widget)))
    return json.loads(made)


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("read", [read_gru, read_lstm])
def test_what_each_word_left_is_pythons_and_sums_to_the_memory(read, started):
    long = " ".join(WORDS[i % 7] for i in range(24))
    options = {}
    if started and read is read_gru:
        options = {"start": torch.linspace(-1, 1, 7)}
    begun = {"start": [options["start"]]} if options else {}
    widget = GatedCell({long: read(long, **options)}, units=range(7), **begun)
    for unit, made in enumerate(computed(widget)):
        held = torch.tensor(made["held"], dtype=torch.float64)
        torch.testing.assert_close(held, widget._held[:, unit], atol=1e-6, rtol=0)
        assert abs(float(held.sum()) - made["holds"]) < 1e-6


def say(page, i=0):
    return page.locator(f"[data-qkv-widget=w{i}] .qkv-say").inner_text()


def heights(page):
    return page.evaluate("document.querySelector('.qkv-w').offsetHeight")


class TestStepping:
    def test_it_opens_with_the_reason_why_the_word_is_still_there(self, show):
        page = show(gru())
        assert "unit 1 keeps 0.97 of what it held and writes 0.03" in say(page)
        assert "The word “not” is still there: of what it wrote 3 words ago" in say(
            page
        )
        best = page.locator(".qkv-ledger .qkv-best")
        assert best.locator("th").inner_text() == "not"
        assert best.locator(".qkv-val").inner_text() in say(page)

    @pytest.mark.parametrize("make", [gru, lstm])
    def test_every_step_has_its_formula_and_no_step_moves_the_page(self, show, make):
        page = show(make())
        page.locator("[data-act=back]").focus()
        page.keyboard.press("Home")
        said, high = set(), set()
        count = int(page.locator(".qkv-count").inner_text().split("/")[1])
        for _ in range(count):
            said.add(say(page))
            high.add(heights(page))
            assert page.locator(".qkv-formula math").count() == 1
            page.keyboard.press("ArrowRight")
        assert len(said) == count
        assert len(high) == 1
        assert page.locator(".qkv-say[aria-live=polite]").count() == 1

    def test_what_is_not_yet_computed_is_not_shown(self, show):
        page = show(gru())
        page.locator("[data-act=back]").focus()
        page.keyboard.press("Home")
        assert "reset gate of unit 1" in say(page)
        label = page.locator("svg.qkv-cellmap").get_attribute("aria-label")
        trace = read_gru(TEXT)[0]
        assert label.endswith(f"it held 0.00; r = {float(trace.reset[1]):.2f}.")
        assert page.locator("td.qkv-later").count() == 3 * 7
        ledger = page.locator(".qkv-ledger tbody td").all_inner_texts()
        assert set(ledger) == {""}
        page.keyboard.press("ArrowRight")
        ledger = page.locator(".qkv-ledger tbody tr").first.locator("td")
        keep = float(trace.update[1])
        assert ledger.all_inner_texts() == [f"{keep:.2f}", f"{1 - keep:.2f}", "", ""]

    def test_what_is_shown_is_the_trace(self, show):
        page = show(lstm())
        trace = read_lstm(TEXT)[-1]
        rows = page.locator(".qkv-heat tbody tr")
        shown = [
            float(x.replace("−", "-"))
            for x in rows.nth(3).locator("td").all_inner_texts()
        ]
        torch.testing.assert_close(
            torch.tensor(shown), trace.forget_gate, atol=0.0051, rtol=0
        )
        page.locator("[data-act=next]").click()
        o, c, h = (float(x[1]) for x in (trace.output_gate, trace.cell, trace.hidden))
        assert f"shows {o:.2f} × tanh {c:.2f} = {h:.2f}" in say(page)

    def test_a_gate_lets_as_much_through_as_it_says(self, show):
        page = show(gru())
        widths = page.locator("path.qkv-flow").evaluate_all(
            "(all) => all.map((e) => parseFloat(e.style.strokeWidth))"
        )
        keep = float(read_gru(TEXT)[-1].update[1])
        assert widths[1] == pytest.approx(1 + 9 * keep, abs=0.01)
        assert widths[-1] == pytest.approx(1 + 9 * (1 - keep), abs=0.01)

    def test_words_units_and_sentences_by_mouse_and_keyboard(self, show):
        page = show(gru())
        page.get_by_role("button", name="not", exact=True).click()
        assert "Most of it" in say(page)
        assert "was written now, at “not”" in say(page)
        page.get_by_role("button", name="unit 4", exact=True).click()
        assert "unit 4 keeps" in say(page)
        page.keyboard.press("ArrowDown")
        assert "unit 5 keeps" in say(page)
        assert page.evaluate("document.activeElement.dataset.unit") == "5"
        page.keyboard.press("ArrowUp")
        page.get_by_role("button", name="z: How much of the past to keep").click()
        assert "update gate of unit 4" in say(page)
        page.locator("select").select_option("1")
        assert page.locator(".qkv-read-words li").count() == 4
        assert "“good”" in say(page)

    def test_a_word_that_is_a_script_is_drawn_not_run(self, show):
        text = "not <script>"
        page = show(GatedCell({text: read_gru(text)}))
        assert page.locator(".qkv-ledger tbody th").nth(1).inner_text() == "<script>"

    def test_what_is_no_number_is_marked(self, show):
        traces = read_gru(TEXT)
        for i in (5, 6):
            odd = {k: getattr(traces[i], k).clone() for k in ("candidate", "hidden")}
            for value in odd.values():
                value[1] = torch.nan
            traces[i] = replace(traces[i], **odd)
        page = show(GatedCell({TEXT: traces}, unit=1))
        assert page.locator("td.qkv-nan").count() > 0
        assert "NaN" in say(page)
        assert "NaN" in page.locator(".qkv-cellmap").text_content()

    def test_with_a_kernel_unit_and_step_go_both_ways(self, show):
        page = live(show, gru())
        place = page.locator("#live2")
        place.locator("[data-unit='3']").click()
        assert page.evaluate("model.get('unit')") == 3
        page.evaluate("model.set('step', 0)")
        assert "reset gate of unit 3" in place.locator(".qkv-say").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(show, theme):
    page = show(gru(), lstm(), theme=theme)
    back = "document.querySelectorAll('[data-act=back]').forEach((b) => b.click())"
    for _ in range(6):
        assert barriers(page) == []
        page.evaluate(back)


def test_a_small_screen_scrolls_inside_not_across(browser, tmp_path):
    path = tmp_path / "page.html"
    long = " ".join(WORDS[i % 7] for i in range(24))
    many = GatedCell({long: read_lstm(long, units=40)})
    path.write_text(page_of(gru(), many), "utf-8")
    with watched_page(browser, viewport={"width": 360, "height": 740}) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        for _ in range(5):
            assert page.evaluate("document.documentElement.scrollWidth") == 360
            page.locator("[data-act=back]").first.click()
            page.locator("[data-act=back]").last.click()
        assert page.seen.errors == []
        assert page.seen.foreign == []


def test_on_paper_some_words_stand_without_controls(show):
    page = show(gru(), query="?print")
    assert page.locator("button, input, select").count() == 0
    captions = page.locator("figcaption").all_inner_texts()
    assert [c.split(",")[0] for c in captions] == ["At “the”", "At “not”", "At “good”"]
    assert page.locator("svg.qkv-cellmap").count() == 3


def broken():
    short = payload(gru())
    short["state"]["sentences"][0]["values"]["update"].pop()
    uneven = payload(gru())
    uneven["state"]["sentences"][0]["values"]["reset"][0].pop()
    return [
        (payload(gru(), kind="RNN"), "no kind of cell that is known, but RNN"),
        (payload(gru(), sentences=[]), "it has no sentence"),
        (payload(gru(), chosen=2), "it has 2 sentences, and not number 2"),
        (payload(gru(), unit=9), "unit 9 is none of those that it shows"),
        (short, "the number of words is 7, but that of values of update is 6"),
        (uneven, "reset has not a number for each of 7 units"),
    ]


def test_a_broken_state_says_what_is_wrong(show):
    says_what_is_wrong(show, [gru()], broken())
