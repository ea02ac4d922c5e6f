"""What the widgets say and store: words, numbers, notes, errors, fallbacks."""

import json
from dataclasses import dataclass, replace

import pytest
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from qkv.attention import attend
from qkv.trace import step, walk
from qkv.widgets import Alignment, Predict, Stepper, Unrolled
from qkv.widgets.shared.encode import crop, listed, number, segments
from qkv.widgets.shared.html import table
from tests.widgets.pages import EVIL, harm, state_of
from tests.widgets.sample import dictation, dictation_looking_back

QUESTION = {"Yes": "It is.", "No & <b>never</b>": "Is `1 < 2`?"}


def attention(mask=None):
    return attend(torch.tensor([[0.0, 2.0], [1.0, 0.0]]), torch.eye(2), mask)


def widgets():
    return [
        Stepper(attention(), {"query": ["a", EVIL]}),
        Unrolled(dictation, ["7 3", "1 2 3 4"]),
        Alignment(dictation_looking_back, ["7 3"]),
        Predict("Even?", QUESTION, right=0, name="t"),
    ]


@dataclass(frozen=True)
class Odd:
    scalar: Float[Tensor, ""] = step("A number")
    vector: Float[Tensor, " token"] = step("A vector")
    heads: Float[Tensor, "*batch head query key"] = step("Heads", reads=("vector",))
    mask: Bool[Tensor, "query key"] = step("May look", formula=r"\nonsense{}")


def odd():
    return Odd(
        torch.tensor(2.0),
        torch.tensor([float("nan"), float("inf"), 1.23456]),
        torch.arange(2.0 * 3 * 5 * 7).reshape(2, 3, 5, 7),
        torch.ones(5, 7, dtype=torch.bool),
    )


def test_numbers_have_four_significant_digits():
    assert [number(x) for x in (1.23456, 12345.6, -1e-9, 0.0)] == [
        1.235,
        12350,
        -1e-9,
        0,
    ]
    odd_ones = torch.tensor([torch.nan, torch.inf, -torch.inf])
    assert listed(odd_ones) == ["nan", "inf", "-inf"]
    json.dumps(listed(odd_ones), allow_nan=False)


@pytest.mark.parametrize("widget", widgets(), ids=lambda w: type(w).__name__)
def test_a_widget_describes_itself_in_the_same_words_each_time(widget):
    # A widget's traits are added to a class of its own, so that types never match.
    again = {w._anywidget_id: w for w in widgets()}[widget._anywidget_id]
    data, _ = widget._repr_mimebundle_()
    assert repr(widget) == repr(again) == data["text/plain"] == widget.alt
    assert data["text/html"] == again.fallback()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert " at 0x" not in repr(widget)
    assert state_of(widget) == state_of(again)


def test_what_is_to_be_seen_is_computed_from_the_data():
    assert "In weights, a is largest at key 1 (0.88)" in repr(widgets()[0])
    assert "7 looks" not in repr(widgets()[2])
    assert "칠 looks most at 7 (0.84)" in repr(widgets()[2])
    assert "2 of 2 tokens with a true place look most there" in repr(widgets()[2])
    forgetful = Unrolled(dictation, ["1 2 3 4"])
    assert "writes 일 이 이 사 <eos>, 4 of 5 right" in repr(forgetful)


@pytest.mark.parametrize("widget", widgets(), ids=lambda w: type(w).__name__)
def test_the_fallback_is_plain_html_with_every_label_escaped(widget):
    text = widget.fallback()
    assert harm(text) == []
    assert "<b>" not in text
    assert "style=" not in text.replace('style="background-color:', "")
    if not isinstance(widget, Predict):
        assert '<th scope="row">' in text
        assert "background-color:#" in text


def test_the_fallback_marks_what_is_no_number():
    text = table([[None, "nan", "inf", "-inf"]], ["r"], list("abcd"))
    for mark in ("masked", "NaN", "+∞", "−∞"):
        assert f"<td>{mark}</td>" in text


class TestStepper:
    def test_a_score_of_minus_infinity_masks_the_weight(self):
        mask = torch.tensor([[True, False], [True, True]])
        scores, weights, context = Stepper(attention(mask)).steps
        assert scores["values"][0] == [0, "-inf"]
        assert weights["values"][0] == [1, None]
        assert weights["scale"] == "unit"
        assert scores["scale"] == "unit" or scores["limit"] == 2
        assert context["reads"][0] == "weights"

    def test_any_number_of_axes(self):
        scalar, vector, heads, mask = Stepper(odd()).steps
        assert (scalar["axes"], scalar["shape"], scalar["values"]) == ([], [], 2)
        assert vector["values"] == ["nan", "inf", 1.235]
        assert heads["axes"] == ["batch", "head", "query", "key"]
        assert mask["values"][0][0] == 1
        assert mask["formula"] == r"\nonsense{}"

    def test_reads_point_at_the_steps_they_mean(self):
        @dataclass(frozen=True)
        class Outer:
            keys: Float[Tensor, "key d"] = step("Keys")
            inner: Odd = step("Inner")
            last: Float[Tensor, " token"] = step("Last", reads=("inner", "x"))

        steps = Stepper(Outer(torch.zeros(2, 3), odd(), torch.zeros(2))).steps
        assert steps[3]["reads"] == ["inner.vector"]
        assert steps[-1]["reads"] == ["inner.mask", "x"]

    def test_a_large_trace_is_cropped_and_says_so(self):
        long = replace(odd(), heads=torch.zeros(9, 1, 65, 7))
        heads = Stepper(long).steps[2]
        assert heads["shape"] == [8, 1, 64, 7]
        assert heads["size"] == [9, 1, 65, 7]
        assert heads["note"] == (
            "Cropped: the first 8 of 9 batch positions and the first 64 of 65 query "
            "positions are shown."
        )
        assert crop(torch.zeros(3), ["x"], [3])[1] == ""

    def test_labels_must_fit(self):
        with pytest.raises(ValueError, match=r"'keys'.*\['d_v', 'key', 'query'\]"):
            Stepper(attention(), {"keys": ["a", "b"]})
        with pytest.raises(ValueError, match="'key' of 'scores' has 2 positions but 3"):
            Stepper(attention(), {"key": ["a", "b", "c"]})

    def test_what_is_no_trace_is_refused(self):
        with pytest.raises(TypeError, match="a trace is a dataclass"):
            Stepper(torch.zeros(2))

    def test_a_trace_that_still_has_gradients(self):
        scores = torch.tensor([[0.0, 2.0]], requires_grad=True)
        assert Stepper(attend(scores, torch.eye(2))).steps[0]["limit"] == 2

    def test_an_empty_axis_is_stored_as_it_is(self):
        steps = Stepper(attend(torch.zeros(0, 2), torch.eye(2))).steps
        assert steps[0]["shape"] == [0, 2]


class TestRecorded:
    def test_every_input_is_recorded_at_once(self):
        widget = Unrolled(dictation, ["7 3", "1 2 3"])
        assert [r["input"] for r in widget.recordings] == ["7 3", "1 2 3"]
        first, second = widget.recordings
        assert (
            first["free"] is None
        )  # the model wrote the truth: nothing to store twice
        assert second["free"]["tokens"] == ["일", "이", "이", "<eos>"]
        assert second["free"]["fed"] == ["<bos>", "일", "이", "이"]
        assert second["forced"]["fed"] == ["<bos>", "일", "이", "삼"]

    @pytest.mark.parametrize("kind", [Unrolled, Alignment])
    def test_the_reader_types_another_input(self, kind):
        widget = kind(dictation_looking_back, ["7 3"])
        widget.request = {"id": "q1", "text": "1 2"}
        assert widget.answer == {"id": "q1", "error": ""}
        assert [r["input"] for r in widget.recordings] == ["7 3", "1 2"]
        assert widget.chosen == 1
        widget.request = {"id": "q2", "text": "7 3"}
        assert [r["input"] for r in widget.recordings] == ["7 3", "1 2"]
        assert widget.chosen == 0

    @pytest.mark.parametrize(
        ("text", "words"), [("7 x", "unknown token 'x'"), ("", "the input is empty")]
    )
    def test_a_wrong_input_is_answered_and_nothing_is_lost(self, text, words):
        widget = Unrolled(dictation, ["7 3"])
        before = widget.recordings
        widget.request = {"id": "q1", "text": text}
        assert widget.answer["error"].startswith(words)
        assert widget.recordings == before
        assert widget.chosen == 0

    def test_any_other_error_of_the_model_is_shown_by_its_name(self):
        calls = []

        def breaks(text):
            calls.append(text)
            return dictation(text) if len(calls) == 1 else [][1]

        widget = Unrolled(breaks, ["7 3"])
        widget.request = {"id": "q1", "text": "1"}
        assert widget.answer["error"].startswith("IndexError: ")

    def test_the_context_may_be_one_for_each_step(self):
        run = Unrolled(dictation_looking_back, ["7 3"]).recordings[0]["forced"]
        assert len(run["context"]) == 3

    @pytest.mark.parametrize("inputs", [[], "739"])
    def test_inputs_are_a_list_of_texts(self, inputs):
        with pytest.raises(ValueError, match="a list of at least one text"):
            Unrolled(dictation, inputs)

    def test_a_recording_that_does_not_fit_is_refused(self):
        def short(text):
            made = dictation(text)
            return replace(made, source=made.source[:-1])

        with pytest.raises(
            ValueError, match="encoder_states: 2 positions but 1 tokens"
        ):
            Unrolled(short, ["7 3"])

    def test_a_batch_is_refused(self):
        def two(text):
            made = dictation(text)
            doubled = {s.path: torch.cat([s.value] * 2) for s in walk(made.forced)}
            return replace(made, forced=type(made.forced)(**doubled))

        with pytest.raises(
            ValueError, match=r"the batch axis of 'encoder_states' has 2"
        ):
            Unrolled(two, ["7 3"])

    def test_a_long_source_is_cropped_and_says_so(self):
        made = Alignment(dictation_looking_back, [" ".join("7" * 70)]).recordings[0]
        assert "the first 64 of 70 source positions" in made["note"]
        assert len(made["source"]) == len(made["states"]) == 64
        assert {len(row) for row in made["forced"]["scores"]} == {64}
        assert len(made["truth"]) == len(made["forced"]["tokens"]) == 64


class TestAlignment:
    def test_weights_that_are_no_softmax_of_the_scores_are_refused(self):
        def lies(text):
            made = dictation_looking_back(text)
            look = made.forced.attention
            wrong = replace(look, weights=look.scores.softmax(-2))
            return replace(made, forced=replace(made.forced, attention=wrong))

        with pytest.raises(ValueError, match="not the softmax"):
            Alignment(lies, ["7 3"])

    def test_a_trace_without_attention_is_refused(self):
        with pytest.raises(ValueError, match=r"the trace has no attention\.scores"):
            Alignment(dictation, ["7 3"])

    def test_the_end_token_has_no_true_place(self):
        made = Alignment(dictation_looking_back, ["7 3"]).recordings[0]
        assert made["truth"] == [[1, 0], [0, 1], [0, 0]]

    def test_without_a_known_truth_none_is_claimed(self):
        def unknown(text):
            return replace(dictation_looking_back(text), truth=None)

        widget = Alignment(unknown, ["7 3"])
        assert widget.recordings[0]["truth"] is None
        assert "true place" not in repr(widget)


class TestPredict:
    def test_state(self):
        widget = Predict("Is $x^2$ even?", QUESTION, right=0, name="t")
        assert (widget.right, widget.answer, widget.name) == (0, -1, "t")
        assert widget.question[1]["plain"] == "x^2"
        assert widget.options[1]["why"][1] == {"code": "1 < 2"}

    @pytest.mark.parametrize("right", [-1, 2])
    def test_one_option_is_right(self, right):
        with pytest.raises(ValueError, match="none of the 2 options"):
            Predict("?", QUESTION, right=right, name="t")

    def test_one_option_is_no_choice(self):
        with pytest.raises(ValueError, match="two options or more"):
            Predict("?", {"Yes": "It is."}, right=0, name="t")

    def test_a_formula_that_cannot_be_drawn_stays_as_written(self):
        assert segments(r"$\color{red}$") == [{"code": r"\color{red}"}]
