"""TransformerMap: what it says and stores, its numbers in JavaScript, how it stands."""

import json
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qkv.trace import walk
from qkv.transformer import LanguageModel, TransformerConfig
from qkv.widgets import TransformerMap
from qkv.widgets.shared.packed import LEVELS, Store, packed, sizes
from tests.browser import watched_page
from tests.unit.test_contracts import map_of_experts
from tests.widgets.pages import (
    HARM,
    barriers,
    chance,
    harm,
    live,
    page_of,
    payload,
    slot,
    state_of,
)
from tests.widgets.test_front_end import CORE, run
from tests.widgets.transformer_map.sample import EVIL, SOURCE, TARGET, sample

KINDS = {
    "pre-norm": {},
    "post-norm": {"norm_first": False},
    "no positions": {"positions": "none", "norm_first": False, "layers": (1, 3)},
    "tied": {"tied": True, "positions": "learned"},
}


def drawn(place=None, **changes):
    """Return the map of a sample, at the place with this id."""
    config = changes.pop("config", {})
    model, given = sample(**config)
    widget = TransformerMap(*given, parameters=model.state_dict())
    if place:
        widget.place = [p["id"] for p in widget.places].index(place)
    for name, value in changes.items():
        setattr(widget, name, value)
    return widget


@pytest.fixture(scope="module")
def widget():
    return drawn()


class TestWhatItSays:
    def test_the_model_the_sentence_and_what_comes_next(self):
        _, (trace, *_) = sample()
        said = repr(drawn())
        assert "in pre-norm with 2 encoder layers and 2 decoder layers" in said
        assert "d_model 8, 2 heads" in said
        assert "나 는 ␣ 고" in said
        weights = trace.decoder[-1].cross.attention.weights[0].mean(0)
        name = SOURCE[int(weights[1].argmax())]
        assert f"는 looks most at {name} ({float(weights[1].max()):.2f})" in said
        assert "named by what is written" in said
        best = int(trace.probabilities[0, 2].argmax())
        assert f"after 는 {best} (" in said
        assert "% attention" in said
        assert "in post-norm" in repr(drawn(config=KINDS["post-norm"]))

    def test_the_same_words_and_state_each_time(self, widget):
        data, _ = widget._repr_mimebundle_()
        assert data["text/plain"] == repr(widget)
        assert data["text/html"] == widget.fallback()
        assert state_of(drawn()) == state_of(widget)
        json.dumps(state_of(widget), allow_nan=False)

    def test_the_fallback_is_tables_and_escapes_its_tokens(self, widget):
        text = widget.fallback().replace("\N{NO-BREAK SPACE}", " ")
        assert text.count("<table>") == 3
        assert harm(text) == []
        assert '<th scope="row">cross-attention 576</th>' in text
        bare = TransformerMap(*sample()[1])
        assert bare.parts == []
        assert bare.fallback().count("<table>") == 2
        assert "parameters" not in repr(bare)

    def test_vocabulary_names_what_comes_next(self):
        names = [f"w{i}" for i in range(17)]
        named = TransformerMap(*sample()[1], vocabulary=names)
        assert named.top[0][0][0].startswith("w")
        assert set(named.columns) <= set(names)


class TestPlaces:
    def labels(self, kind, stack, layer=0):
        found = drawn(config=KINDS[kind]).places
        return [
            p["label"] for p in found if (p["stack"], p.get("layer")) == (stack, layer)
        ]

    def test_a_pre_norm_layer_normalises_first(self):
        encoder = self.labels("pre-norm", "encoder", 1)
        assert encoder == [
            *("Norm", "Multi-head self-attention", "Add"),
            *("Norm", "Feed-forward", "Add"),
        ]
        decoder = self.labels("pre-norm", "decoder", 1)
        assert decoder[1::3] == [
            "Masked multi-head self-attention",
            "Multi-head cross-attention",
            "Feed-forward",
        ]

    def test_a_post_norm_layer_is_the_papers(self):
        decoder = self.labels("post-norm", "decoder")
        assert decoder[1::2] == ["Add & norm"] * 3
        assert len(decoder) == 6

    def test_nothing_is_drawn_that_does_nothing(self):
        ids = [p["id"] for p in drawn(config=KINDS["no positions"]).places]
        assert not {"source_placed", "target_placed", "memory", "decoded"} & set(ids)
        assert ids[0] == "source_embedded"
        assert "decoder.2.cross" in ids
        both = {p["id"] for p in drawn().places}
        assert {"source_placed", "target_placed", "memory", "decoded"} <= both

    def test_places_know_their_parameters(self):
        model, given = sample()
        counts = model.state_dict()
        found = {p["id"]: p for p in TransformerMap(*given, parameters=counts).places}
        layer = model.decoder.layers[1]
        wanted = {
            "decoder.1.cross": layer.multihead_attn,
            "decoder.1.attention": layer.self_attn,
            "decoder.1.cross_normalised": layer.norm2,
            "memory": model.encoder.norm,
            "logits": model.output,
            "source_embedded": model.source_embedding,
        }
        for name, module in wanted.items():
            assert found[name]["count"] == sum(x.numel() for x in module.parameters())
        ffn = layer.feed_forward.parameters()
        assert found["decoder.1.feed_forward"]["count"] == sum(x.numel() for x in ffn)
        assert "count" not in found["decoder.1.cross_added"]

    @pytest.mark.parametrize("kind", KINDS)
    def test_every_parameter_is_counted_once(self, kind):
        model, given = sample(**KINDS[kind])
        parts = TransformerMap(*given, parameters=model.state_dict()).parts
        total = sum(x.numel() for x in model.parameters())
        assert sum(p["count"] for p in parts) == total
        assert sum(p["share"] for p in parts) == pytest.approx(1, abs=1e-4)
        assert "other" not in {p["group"] for p in parts}
        names = [p["name"] for p in parts]
        assert ("learned positions" in names) == (kind == "tied")

    def test_parts_may_be_counts_or_shapes_of_any_name(self):
        given = sample()[1]
        parts = TransformerMap(*given, parameters={"mine": 30, "yours": (5, 14)}).parts
        assert [(p["name"], p["count"], p["share"]) for p in parts] == [
            ("mine", 30, 0.3),
            ("yours", 70, 0.7),
        ]
        assert sizes({"scalar": ()}) == {"scalar": 1}


def refused(**changes):
    _, (trace, source, target) = sample()
    given = {"trace": trace, "source": source, "target": target} | changes
    return TransformerMap(**given)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source": ["a"]}, "source has 1 tokens, but the trace 3 source positions"),
        ({"target": ["a"] * 8}, "target has 8 tokens, but the trace 7"),
        ({"vocabulary": ["a"]}, "vocabulary has 1 names, but the logits 17"),
    ],
)
def test_what_does_not_fit_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        refused(**changes)


def test_traces_of_others_are_refused():
    model = LanguageModel(TransformerConfig(5, 7, d_model=4, heads=2))
    said = "LanguageModelTrace has no source and no target"
    with pytest.raises(TypeError, match=said):
        refused(trace=model.trace(torch.tensor([[1, 2, 3]])))
    with pytest.raises(TypeError, match="list has no source and no target"):
        refused(trace=[1])
    long = sample(source=["a"] * 33)[1]
    with pytest.raises(ValueError, match="1 to 32 source tokens, not 33"):
        TransformerMap(*long)
    with pytest.raises(ValueError, match="shows one example"):
        TransformerMap(*sample(batch=2)[1])


class TestPacking:
    @settings(max_examples=20, deadline=None)
    @given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=11))
    def test_a_number_is_right_to_a_share_of_the_largest(self, numbers):
        value = torch.tensor(numbers, dtype=torch.float64)
        limit = float(value.abs().max())
        _, read = packed(value)
        assert float((read - value).abs().max()) <= 1.5 * limit / LEVELS

    @pytest.mark.parametrize("limit", [0.3, 1, 3.7, 6.9, 20])
    def test_no_decimal_that_is_shown_is_another(self, limit):
        generator = torch.Generator().manual_seed(0)
        value = torch.rand(4_000, generator=generator, dtype=torch.float64)
        value = (2 * value - 1) * limit
        _, read = packed(value)
        shown = [[round(x, 2) for x in numbers.tolist()] for numbers in (read, value)]
        assert shown[0] == shown[1]

    @pytest.mark.parametrize("shades", [16, 255])
    def test_brightness_is_exact(self, shades):
        value = torch.arange(shades + 1) / shades
        assert torch.equal(packed(value)[1].float(), value)

    def test_what_is_no_number_is_kept(self):
        value = torch.tensor([float("inf"), -float("inf"), float("nan"), 0.0])
        entry, read = packed(value)
        assert entry["grain"] == 1
        torch.testing.assert_close(read, value.double(), equal_nan=True)

    def test_a_recipe_is_kept_only_where_it_is_right(self):
        store, x = Store(), torch.tensor([[1.0, -3.0]])
        store.put("x", x)
        store.put("right", x.clamp(min=0), ("relu", "x"))
        store.put("wrong", x + 1, ("relu", "x"))
        store.put("unknown", x + 2, ("relu", "nobody"))
        store.put("again", x)
        kept = {name: entry.get("of") for name, entry in store.entries.items()}
        assert kept == {
            "x": None,
            "right": ["relu", "x"],
            "wrong": None,
            "unknown": None,
            "again": ["same", "x"],
        }


def unpacked(*widgets):
    """Return all tensors of each widget as the front end has them."""
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ tensors }} from "{CORE}/tensors.js";
        const cases = JSON.parse(readFileSync(0, "utf8"));
        console.log(JSON.stringify(cases.map((steps) => {{
            const get = tensors(steps);
            return Object.fromEntries(Object.keys(steps).map((k) => [k, get(k)]));
        }})));
    """
    text = json.dumps([state_of(widget)["steps"] for widget in widgets])
    return json.loads(run("--input-type=module", "-e", source, text=text))


def tensor(nested):
    marks = {"inf": float("inf"), "-inf": -float("inf"), "nan": float("nan"), None: 0.0}

    def walked(part):
        if isinstance(part, list):
            return [walked(x) for x in part]
        return part if isinstance(part, (int, float)) else marks[part]

    return torch.tensor(walked(nested), dtype=torch.float64)


def assert_same(got, trace, columns):
    for step in walk(trace):
        want = step.value[0].double()
        if step.path in ("logits", "probabilities"):
            want = want[:, [int(c) for c in columns]]
        limit = float(want[want.isfinite()].abs().max())
        torch.testing.assert_close(
            tensor(got[step.path]), want, rtol=0, atol=2e-3 * limit, msg=step.path
        )


def test_the_browser_has_every_step_of_the_trace():
    made = [sample(seed, **kind)[1] for seed, kind in enumerate(KINDS.values())]
    widgets = [TransformerMap(*given) for given in made]
    for got, (trace, *_), widget in zip(unpacked(*widgets), made, widgets, strict=True):
        assert_same(got, trace, widget.columns)


def test_what_follows_from_others_is_not_stored_again():
    model, given = sample(seed=1)
    for name, parameter in model.named_parameters():
        if "norm" in name:
            torch.nn.init.normal_(parameter)
    with torch.no_grad():
        ids = (
            torch.tensor([[3, 4, 5]]),
            torch.tensor([3]),
            torch.tensor([[*range(1, 8)]]),
        )
        widget = TransformerMap(model.trace(*ids), *given[1:])
    made = {path: step["of"][0] for path, step in widget.steps.items() if "of" in step}
    scope = "decoder.1.attention"
    assert made[f"{scope}.attention.scores"] == "compare"
    assert made[f"{scope}.attention.weights"] == "weigh"
    assert made["decoder.1.cross_normalised.output"] == "scale"
    norm = model.decoder.layers[1].norm2.weight.tolist()
    (got,) = unpacked(widget)
    gain = got["decoder.1.cross_normalised.gain"]
    assert gain == pytest.approx(norm, abs=1e-3 * max(map(abs, norm)))


def test_wide_models_are_cropped_and_it_says_so():
    _, given = sample(d_model=136, d_ff=140, layers=(1, 1))
    widget = TransformerMap(*given)
    assert widget.steps["encoder.0.feed_forward.hidden"]["full"] == [3, 140]
    assert widget.steps["encoder.0.feed_forward.hidden"]["size"] == [3, 128]
    assert "the first 128 of 140" in widget.notes["encoder.0.feed_forward.hidden"]
    (got,) = unpacked(widget)
    for step in walk(given[0]):
        if step.path not in ("logits", "probabilities"):
            want = step.value[0, ..., :128].double()
            limit = float(want[want.isfinite()].abs().max())
            torch.testing.assert_close(
                tensor(got[step.path]), want, rtol=0, atol=2e-3 * limit
            )


def test_state_is_small():
    sizes = {"d_model": 64, "heads": 4, "d_ff": 128}
    model, given = sample(source=["a"] * 6, target=["b"] * 10, **sizes)
    widget = TransformerMap(*given, parameters=model.state_dict())
    assert len(json.dumps(state_of(widget))) <= 112_000


# What stands above a place's numbers leaves them their room; nothing of it is cut.
SPILT = """() => {
    const body = document.querySelector(".qkv-body");
    const say = document.querySelector(".qkv-say");
    return [
        ...(body.clientHeight < 120 ? [`body ${body.clientHeight}`] : []),
        ...(body.scrollWidth > body.clientWidth ? ["sideways"] : []),
        ...(say.scrollHeight > say.clientHeight + 1 ? ["say"] : []),
    ];
}"""


def say(page):
    return page.locator(".qkv-say").inner_text()


def where(page):
    return page.locator(".qkv-where").inner_text()


def place(page):
    return where(page).partition(" row “")[0]


class TestWalking:
    def test_by_keyboard_alone(self, show, widget):
        page = show(widget)
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        page.locator("[data-act=next]").focus()
        assert place(page) == "Source embedding"
        said, heard = [place(page)], {say(page)}
        for _ in widget.places[1:]:
            page.keyboard.press("ArrowRight")
            said.append(place(page))
            heard.add(say(page))
        assert len(heard) > 30
        assert said[3] == "Encoder layer 1: multi-head self-attention"
        assert said[-1] == "Softmax"
        page.keyboard.press("ArrowRight")
        assert place(page) == "Softmax"
        page.keyboard.press("Home")
        assert place(page) == "Source embedding"
        page.keyboard.press("End")
        assert place(page) == "Softmax"
        assert page.locator(".qkv-say[aria-live=polite]").count() == 1
        assert page.evaluate(HARM) == []

    def test_along_the_boxes(self, show):
        page = show(drawn("decoder.0.attention"))
        page.locator(".qkv-box[aria-current=step]").focus()
        for label in ("Add", "Norm", "Multi‑head cross‑attention"):
            page.keyboard.press("ArrowRight")
            here = page.locator(".qkv-box[aria-current=step]")
            assert here.inner_text() == label
            assert here.evaluate("(e) => e === document.activeElement")
        assert page.locator(".qkv-box[tabindex='0']").count() == 1
        page.get_by_role("button", name="Softmax").click()
        assert place(page) == "Softmax"

    def test_a_part_of_another_kind_says_what_it_can(self, show):
        _, widget = map_of_experts()
        widget.place = [p["id"] for p in widget.places].index("decoder.1.feed_forward")
        page = show(widget)
        assert place(page) == "Decoder layer 2: two experts"
        assert say(page).startswith("What follows for “a” has length ")
        page.get_by_role("button", name="Open: 8 steps inside").click()
        page.keyboard.press("End")
        page.locator("[data-act=open]").click()
        page.locator("[data-act=next]").click()
        assert "two experts adds" in say(page)

    def test_the_figure_follows_the_layers(self, show):
        page = show(drawn("encoder.0.feed_forward"))
        encoder, decoder = page.locator(".qkv-layer select").all()
        assert [encoder.input_value(), decoder.input_value()] == ["0", "0"]
        encoder.select_option(label="2")
        assert place(page) == "Encoder layer 2: feed-forward"
        decoder.select_option(label="2")
        assert place(page) == "Decoder layer 2: norm"
        assert [encoder.input_value(), decoder.input_value()] == ["1", "1"]

    def test_what_goes_around_is_the_traces(self, show):
        _, (trace, *_) = sample()
        page = show(drawn("decoder.1.cross_added", row=2))
        layer = trace.decoder[1]
        ways = layer.attention_added, layer.cross.output, layer.cross_added
        lengths = [float(x[0, 2].norm()) for x in ways]
        shown = page.locator(".qkv-stream td:last-child").all_inner_texts()
        assert [float(x) for x in shown] == pytest.approx(lengths, rel=6e-3)
        assert say(page).startswith("What the source words answered is added")
        assert page.locator(".qkv-stream caption").inner_text().endswith("row “␣”")
        page.locator(".qkv-row[aria-pressed=true]").focus()
        page.keyboard.press("ArrowUp")
        assert page.locator(".qkv-stream caption").inner_text().endswith("row “는”")

    def test_weights_of_each_head_and_the_mask(self, show):
        _, (trace, *_) = sample()
        page = show(drawn("decoder.0.attention", row=2))
        page.locator(".qkv-face").nth(1).click()
        weights = trace.decoder[0].attention.attention.weights[0, 1]
        for i, row in enumerate(weights):
            cells = page.locator(".qkv-matrix tbody tr").nth(i).locator("td")
            percent = [f"{100 * float(x):.0f}" for x in row[: i + 1]]
            assert cells.all_inner_texts() == percent + ["–"] * (6 - i)
        assert page.locator(".qkv-matrix td.qkv-mask").count() == 21
        assert "It may look at 3 of 7 tokens." in say(page)
        assert "masked: may not be attended to" in page.content()

    def test_cross_attention_says_who_asks_whom(self, show):
        page = show(drawn("decoder.0.cross"))
        assert "The query is made from this row, keys and values from" in say(page)
        assert "which source word does “나” come from?" in say(page)
        assert page.locator(".qkv-matrix thead th").nth(1).inner_text() == EVIL
        assert page.locator(".qkv-shape").first.inner_text() == (
            "trace.decoder[0].cross.attention.weights head 2 × query 7 × key 3"
        )
        assert page.locator("math").count() == 1

    def test_the_end_says_what_comes_next(self, show):
        _, (trace, *_) = sample()
        page = show(drawn("probabilities", row=4))
        p = trace.probabilities[0, 4]
        said = f"After “고”, the most likely next token is “{int(p.argmax())}”"
        assert f"{said}: {float(p.max()):.2f}." in say(page)
        assert page.locator(".qkv-next tbody tr").count() == 5


NAMES = ("<pad>", *TARGET[:3], "␠", *TARGET[3:], *(f"w{i}" for i in range(17)))[:17]


def followed(place=None, follow="고", **config):
    """Return the map of a sample whose tokens are named, so that it can be read."""
    model, given = sample(**config)
    widget = TransformerMap(
        *given, vocabulary=NAMES, parameters=model.state_dict(), follow=follow
    )
    if place:
        widget.place = [p["id"] for p in widget.places].index(place)
    return model, given[0], widget


class TestTheQuestion:
    def test_the_token_to_follow_chooses_both_rows(self):
        _, trace, widget = followed()
        assert widget.tokens["written"][:6] == list(TARGET[1:])
        assert widget.row == TARGET.index("고") - 1
        looks = trace.decoder[-1].cross.attention.weights[0].mean(0)
        assert widget.word == int(looks[widget.row].argmax())
        with pytest.raises(ValueError, match="follow='개' is not written; what is"):
            followed(follow="개")

    @pytest.mark.parametrize("kind", KINDS)
    def test_each_sum_is_read_as_if_the_model_ended_there(self, kind):
        model, trace, widget = followed(**KINDS[kind])
        read = {p["id"]: p["read"] for p in widget.places if "read" in p}
        mine = [p for p in widget.places if p["side"] == "target"]
        assert {p["id"] for p in mine if p["kind"] == "add"} <= set(read)
        x = trace.decoder[0].output
        last = model.decoder.norm or torch.nn.Identity()
        with torch.no_grad():
            wanted = model.output(last(x)).softmax(-1)[0, 3]
        end = "added" if KINDS[kind].get("norm_first", True) else "normalised"
        got, best, top = read[f"decoder.0.feed_forward_{end}"][3]
        assert got == pytest.approx(float(wanted[NAMES.index("고")]), rel=1e-3)
        assert (best, top) == (
            NAMES[int(wanted.argmax())],
            pytest.approx(float(wanted.max()), rel=1e-3),
        )

    def test_without_weights_or_names_nothing_is_read(self, show):
        shapes = {n: p.shape for n, p in sample()[0].state_dict().items()}
        for widget in (
            TransformerMap(*sample()[1]),
            TransformerMap(*sample()[1], vocabulary=NAMES, parameters=shapes),
            drawn(),
        ):
            assert not any("read" in place for place in widget.places)
        page = show(drawn("decoder.0.cross_added"))
        assert page.locator(".qkv-grows").count() == 0
        assert "When does it become the answer?" in page.content()

    def test_it_is_told_from_box_to_box(self, show):
        _, _, widget = followed("source_embedded")
        page = show(widget)
        strip, bars = page.locator(".qkv-thread"), page.locator(".qkv-grows i")
        assert "Which word does “고” look for?" in strip.inner_text()
        assert "named by what they write" in page.locator(".qkv-w").inner_text()
        assert bars.count() == 8
        assert page.locator(".qkv-grows .qkv-later").count() == 8
        page.locator("[data-act=next]").focus()
        page.keyboard.press("End")
        assert page.locator(".qkv-grows .qkv-later").count() == 0
        read = [p["read"][3][0] for p in widget.places if "read" in p]
        assert f"“고” would have {chance(read[-1])}" in strip.inner_text()
        page = show(followed("decoder.1.cross_added")[2])
        assert where(page).endswith("row “고”, fed “␣”")
        *_, was, now, _ = read
        assert chance(was) in say(page)
        assert chance(now) in say(page)

    def test_rows_are_named_by_what_they_write_and_keys_by_what_is_fed(self, show):
        page = show(followed("decoder.0.attention")[2])
        rows = page.locator(".qkv-matrix tbody th").all_inner_texts()
        assert rows[:6] == [token.replace(" ", "␣") for token in TARGET[1:]]
        keys = page.locator(".qkv-matrix thead th").all_inner_texts()
        assert keys == [token.replace(" ", "␣") for token in TARGET]

    def test_every_box_has_a_reason_of_its_own(self, show):
        _, _, widget = followed()
        page = show(widget)
        page.locator("[data-act=next]").focus()
        heard = []
        for place in widget.places:
            assert "mean 0 and variance 1" not in say(page)
            heard += [(place["kind"], re.sub(r"[\d.e+-]+", "", say(page)))]
            page.keyboard.press("ArrowRight")
        norms = {words for kind, words in heard if kind == "norm"}
        assert len(norms) == 7  # two in the encoder, three in the decoder, two ends
        assert len({words for _, words in heard}) >= 17


@pytest.mark.parametrize("width", [330, 700, 1000, 1200])
def test_its_height_is_the_same_at_every_step(browser, tmp_path, width):
    path = tmp_path / "page.html"
    sizes = {"d_model": 64, "heads": 4, "d_ff": 128}
    path.write_text(page_of(followed(**sizes)[2], width="1300px"), "utf-8")
    with watched_page(browser, viewport={"width": width, "height": 900}) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        root, heights = page.locator(".qkv-w"), set()
        page.locator("[data-act=next]").focus()
        for _ in range(40):
            heights.add(round(root.bounding_box()["height"]))
            assert page.evaluate(SPILT) == [], say(page)
            page.keyboard.press("ArrowRight")
        page.get_by_role("button", name="cross").click()
        page.locator("[data-act=open]").click()
        for _ in range(10):
            heights.add(round(root.bounding_box()["height"]))
            page.keyboard.press("ArrowRight")
        assert len(heights) == 1
        assert width < 900 or heights.pop() <= 700


class TestInside:
    def test_a_place_opens_into_its_steps_and_closes(self, show):
        page = show(drawn("decoder.1.cross"))
        page.get_by_role("button", name="Open: 10 steps inside").click()
        opener = page.locator("[data-act=open]")
        assert opener.evaluate("(e) => e === document.activeElement")
        assert opener.get_attribute("aria-expanded") == "true"
        said = []
        for _ in range(10):
            said.append(page.locator(".qkv-chip.qkv-now").inner_text().split()[0])
            page.keyboard.press("ArrowRight")
        assert said == [
            *("queries", "keys", "values", "attention.scores", "attention.scaled"),
            *("attention.masked", "attention.weights", "attention.output"),
            *("merged", "output"),
        ]
        page.keyboard.press("Home")
        page.keyboard.press("Enter")
        assert opener.get_attribute("aria-expanded") == "false"
        assert place(page) == "Decoder layer 2: multi-head cross-attention"

    def test_a_step_shows_what_it_reads_and_its_numbers(self, show):
        _, (trace, *_) = sample()
        page = show(drawn("decoder.1.cross", inside=3, head=1, row=3))
        read = page.locator(".qkv-read").all_inner_texts()
        assert [text.split()[0].strip(",") for text in read] == ["queries", "keys"]
        assert "from queries, keys" in page.locator(".qkv-from").inner_text()
        scores = trace.decoder[1].cross.attention.scores[0, 1, 3]
        cells = page.locator(".qkv-matrix tbody tr").nth(3).locator("td")
        shown = [float(x.replace("−", "-")) for x in cells.all_inner_texts()]
        assert shown == pytest.approx(scores.tolist(), abs=0.011)
        page.get_by_label("head").select_option(value="0")
        assert page.locator(".qkv-matrix").inner_text()

    def test_a_norm_of_post_norm_begins_with_the_sum(self, show):
        page = show(
            drawn("encoder.0.attention_normalised", config=KINDS["post-norm"], inside=1)
        )
        chips = page.locator(".qkv-chain button").all_inner_texts()
        names = [text.split()[0].strip(",") for text in chips]
        assert names == ["attention_added", "mean", "variance", "normalised", "output"]

    def test_another_place_closes_it(self, show):
        page = show(drawn("decoder.1.cross", inside=3))
        page.get_by_role("button", name="Linear").click()
        assert page.locator("[data-act=open]").count() == 0
        assert place(page) == "Linear"


class TestParameters:
    def test_areas_are_proportional_to_counts(self, show):
        widget = drawn()
        page = show(widget)
        page.get_by_label("where the parameters are").check()
        boxes = page.locator(".qkv-areas > div").all()
        sizes = [b.bounding_box() for b in boxes]
        whole = page.locator(".qkv-areas").bounding_box()
        full = whole["width"] * whole["height"]
        for part, box in zip(widget.parts, sizes, strict=True):
            share = box["width"] * box["height"] / full
            assert share == pytest.approx(part["share"], abs=0.012)
        total = page.locator(".qkv-counts tfoot td").first.inner_text()
        assert total == f"{sum(p['count'] for p in widget.parts):,}"
        assert "Attention " in say(page)
        page.get_by_role("button", name="Linear").click()
        assert place(page) == "Linear"

    def test_without_counts_there_is_nothing_to_choose(self, show):
        page = show(TransformerMap(*sample()[1]))
        assert page.locator("input[type=radio]").count() == 0
        assert place(page) == "Source embedding"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(show, theme):
    page = show(
        drawn("decoder.0.attention"),
        drawn("decoder.1.cross", inside=3),
        drawn(show="parameters"),
        drawn("encoder.0.attention_normalised", config=KINDS["post-norm"]),
        drawn("probabilities"),
        theme=theme,
    )
    assert barriers(page) == []


def test_a_small_screen_scrolls_inside_not_across(browser, tmp_path):
    path = tmp_path / "page.html"
    long = TransformerMap(*sample(target=["long token"] * 32, d_model=64)[1])
    shown = drawn("decoder.0.attention"), drawn(show="parameters"), long
    path.write_text(page_of(*shown), "utf-8")
    with watched_page(browser, viewport={"width": 360, "height": 740}) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        for key in ("ArrowRight", "End", "Home"):
            assert page.evaluate("document.documentElement.scrollWidth") == 360
            page.locator("[data-qkv-widget=w2] [data-act=next]").focus()
            page.keyboard.press(key)
        wide = page.locator(".qkv-figure1").first.bounding_box()
        assert wide["x"] >= 0
        assert wide["x"] + wide["width"] <= 360
        assert page.seen.errors == []
        assert page.seen.foreign == []


def test_with_a_kernel_it_sets_its_traits(show):
    page = live(show, drawn())
    page.evaluate("document.querySelector('#live2 [data-act=next]').click()")
    assert page.evaluate("model.get('place')") == 1


def test_on_paper_stand_the_figure_and_what_tells_most(show):
    page = show(drawn(), query="?print")
    captions = page.locator(".qkv-print figcaption").all_inner_texts()
    assert [text.split(".")[0] for text in captions] == [
        "Encoder layer 2: multi-head self-attention",
        "Decoder layer 2: masked multi-head self-attention",
        "Decoder layer 2: multi-head cross-attention",
        "Decoder layer 2: add",
        "Softmax",
    ]
    assert page.locator(".qkv-figure1").count() == 1
    assert page.locator(".qkv-areas").count() == 1
    assert page.locator(".qkv-print button, .qkv-print select").count() == 0


@pytest.mark.parametrize(
    "damage",
    [
        {"places": []},
        {"place": 99},
        {"tokens": {"source": [], "target": []}},
        {"tokens": {"source": ["a"], "target": list(TARGET)}},
        {"top": []},
        {"steps": {}},
    ],
)
def test_a_damaged_state_is_explained(page, tmp_path, widget, damage):
    text = page_of(widget)
    whole = slot("w0", payload(widget), widget.fallback())
    broken = slot("w0", payload(widget, **damage), widget.fallback())
    assert whole in text
    path = tmp_path / "page.html"
    path.write_text(text.replace(whole, broken), "utf-8")
    page.goto(path.as_uri())
    page.evaluate("qkvHost.ready")
    assert "cannot be drawn" in page.locator("[role=alert]").inner_text()
