"""A network that goes with a widget: in the page it does what Python records of it."""

import json

import pytest
import torch

from qkv.data import DictatedNumbers
from qkv.decoding import record
from qkv.recurrent import AttentionSeq2Seq, Seq2Seq
from qkv.trace import Recording
from qkv.widgets import Alignment, Unrolled
from qkv.widgets.shared.network import network
from tests.widgets.pages import payload, slot
from tests.widgets.test_front_end import CORE, run

NUMBERS = DictatedNumbers()
MODELS = {"one vector": Seq2Seq, "attention": AttentionSeq2Seq}


def model(kind, **sizes):
    """Return a network whose weights float16 can hold, as those of the page are."""
    torch.manual_seed(1)
    made = MODELS[kind](13, 13, d_embedding=5, d_hidden=7, **sizes)
    for parameter in made.parameters():
        parameter.data = (parameter.data * 3).half().float()
    return made


def recorded(kind, text) -> Recording:
    return record(model(kind).double(), NUMBERS, text)


def in_the_page(kind, texts):
    said, weights = network(model(kind), NUMBERS)
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ recorder }} from "{CORE}/recurrent.js";
        const {{ said, bytes, texts }} = JSON.parse(readFileSync(0, "utf8"));
        const read = recorder(said, new Uint8Array(bytes).buffer);
        console.log(JSON.stringify(texts.map(read)));
    """
    text = json.dumps({"said": said, "bytes": list(weights), "texts": texts})
    return json.loads(run("--input-type=module", "-e", source, text=text))


def assert_same(rows, trace):
    def column(name):
        return torch.tensor([row[name] for row in rows], dtype=torch.float64)

    near = {"atol": 1e-6, "rtol": 0}
    torch.testing.assert_close(column("hidden"), trace.decoder_states[0], **near)
    torch.testing.assert_close(column("p"), trace.probabilities[0], **near)
    if hasattr(trace, "attention"):
        look = trace.attention
        torch.testing.assert_close(column("scores"), look.scores[0], **near)
        torch.testing.assert_close(column("context"), look.context[0], **near)


@pytest.mark.parametrize("kind", MODELS)
def test_what_it_does_is_what_python_records(kind):
    texts = ["7", "739", "seven three nine", "31415926535897"]
    for got, text in zip(in_the_page(kind, texts), texts, strict=True):
        made = recorded(kind, text)
        assert (got["source"], got["target"]) == ([*made.source], [*made.target])
        assert got["truth"] == made.truth.int().tolist()
        states = torch.tensor(got["states"], dtype=torch.float64)
        torch.testing.assert_close(
            states, made.forced.encoder_states[0], atol=1e-6, rtol=0
        )
        assert_same(got["forced"]["rows"], made.forced)
        free = got["free"] or got["forced"]
        assert free["tokens"] == [*made.produced]
        assert_same(free["rows"], made.free)


def test_another_model_is_refused():
    said = "the page cannot run AttentionSeq2Seq of .*leave the model out"
    with pytest.raises(ValueError, match=said):
        network(AttentionSeq2Seq(13, 13, score="general"), NUMBERS)


def widget(kind):
    shows = {"one vector": Unrolled, "attention": Alignment}[kind]
    read = model(kind)
    return shows(
        lambda text: record(read, NUMBERS, text), ["73"], model=read, corpus=NUMBERS
    )


@pytest.mark.parametrize("where", ["notebook", "site"])
@pytest.mark.parametrize("kind", MODELS)
def test_a_reader_types_their_own(show, kind, where):
    """The notebook holds the weights; the site has them in a file, and asks for it."""
    made = widget(kind)
    numbers = list(made.weights)
    data = payload(made)
    if where == "site":
        data["state"] |= {"file": "net"}
        data["buffers"] = []
    keep = f"""<script>qkvHost.checkpoint = async (name) =>
        name === "net" && new Uint8Array({numbers}).buffer</script>"""
    page = show(made, body=keep + slot("site", data))
    place = page.locator("[data-qkv-widget=site]")
    place.locator("input[name=text]").fill("9041")
    place.locator("input[name=text]").press("Enter")
    place.locator("option", has_text="9041").wait_for(state="attached")
    assert place.locator("select").first.input_value() == "1"
    place.locator("[data-act=next]").click()
    place.locator("input[name=text]").fill("nine ten")
    place.locator("input[name=text]").press("Enter")
    said = place.locator(".qkv-note").inner_text()
    assert said == (
        "This could not be read: “ten” is no digit; type digits, or words from "
        "“zero” to “nine”."
    )


def test_of_two_texts_typed_while_it_loads_the_last_is_shown_and_that_is_said(show):
    made = widget("attention")
    data = payload(made)
    data["state"] |= {"file": "net"}
    data["buffers"] = []
    data["model_id"] = "another"  # or it would share the weights of the first view
    keep = f"""<script>
        const arrived = new Promise((go) => {{ globalThis.arrive = go; }});
        qkvHost.checkpoint = async () => {{
            await arrived;
            return new Uint8Array({list(made.weights)}).buffer;
        }};
    </script>"""
    page = show(made, body=keep + slot("site", data))
    place = page.locator("[data-qkv-widget=site]")
    said = place.locator(".qkv-note")
    for text in ("9041", "9041", "258"):
        place.locator("input[name=text]").fill(text)
        place.locator("input[name=text]").press("Enter")
        said.filter(has_text="Loading the model").wait_for()
    said.filter(has_text="“258” in place of “9041”").wait_for()
    page.evaluate("arrive()")
    place.locator("option", has_text="258").wait_for(state="attached")
    assert place.locator("option").all_inner_texts() == ["73", "258"]
    assert place.locator("select").first.input_value() == "1"
    said.wait_for(state="hidden")
