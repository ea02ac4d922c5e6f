"""Translator: its JavaScript model is Python's; its words; and what a reader does."""

import base64
import functools
import json
import random
from types import SimpleNamespace

import pytest
import torch

from qkv.data import EnglishKorean, Example
from qkv.decoding import beam_tree, greedy
from qkv.patching import patched
from qkv.transformer import checkpoint as checkpoints
from qkv.transformer import load
from qkv.widgets import Translator
from qkv.widgets.translator.translator import _language
from tests.browser import watched_page
from tests.widgets.checkpoints import LARGEST, bring_in, keep_checkpoints, script
from tests.widgets.pages import (
    HARM,
    HOST,
    barriers,
    harm,
    live,
    page_of,
    payload,
    says_what_is_wrong,
    state_of,
)
from tests.widgets.test_front_end import CORE, run
from tests.widgets.translator.sample import EVIL, SOURCE, TARGET, checkpoint, trained

COMMITTED = checkpoints._NAMED / "english_korean.safetensors"
SENTENCES = (["I", "love", "cats"], ["you"], ["I", "do", "not", "see", EVIL, "a"])


def asked(file, sentences, *, most=20, width=4, alpha=0.6, silent=None):
    """Translate in Node; also return the logits along what greed wrote.

    Of the cross-attention's heads some may be ``silent``: for each layer a list.
    """
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ readCheckpoint }} from "{CORE}/safetensors.js";
        import {{ transformer }} from "{CORE}/transformer.js";
        import {{ BOS, beamTree, greedy }} from "{CORE}/search.js";
        const {{ file, sentences, ...settings }} = JSON.parse(readFileSync(0, "utf8"));
        const bytes = readFileSync(file);
        const read = readCheckpoint(
            bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
        const model = transformer(read);
        const {{ silent }} = settings;
        const start = (ids) => ({{ ...model.start(ids), ...(silent && {{ silent }}) }});
        const net = {{ ...model, start }};
        console.log(JSON.stringify(sentences.map((words) => {{
            const ids = words.map((word) => read.source.indexOf(word));
            const steps = greedy(net, ids, settings);
            const tree = beamTree(net, ids, settings);
            let state = net.start(ids);
            const logits = [BOS, ...steps.map((s) => s.token)].map((id) => {{
                const made = net.step(id, state);
                state = made.state;
                return Array.from(made.logits);
            }});
            return {{ steps, tree, logits }};
        }})));
    """
    settings = {"most": most, "width": width, "alpha": alpha, "silent": silent}
    case = {"file": str(file), "sentences": sentences, **settings}
    return json.loads(run("--input-type=module", "-e", source, text=json.dumps(case)))


def compare(file, sentences, **settings):
    """Hold what Node did to what Python does with the same file."""
    found = load(file)
    most, width = settings.get("most", 20), settings.get("width", 4)
    for words, made in zip(sentences, asked(file, sentences, **settings), strict=True):
        source = torch.tensor([found.source_vocab.encode(words)])
        given = source, torch.tensor([len(words)])
        written = greedy(found.model, *given, max_length=most)
        assert [step["token"] for step in made["steps"]] == written[0].tolist()
        fed = torch.cat([torch.ones(1, 1, dtype=torch.long), written], 1)
        with torch.no_grad():
            trace = found.model.trace(*given, fed)
        near = {"atol": 1e-4, "rtol": 0}
        torch.testing.assert_close(
            torch.tensor(made["logits"]), trace.logits[0], **near
        )
        cross = torch.stack([x.cross.attention.weights[0] for x in trace.decoder])
        for t, step in enumerate(made["steps"]):
            torch.testing.assert_close(
                torch.tensor(step["cross"]).float(), cross[:, :, t], **near
            )
            for token, p in step["candidates"]:
                assert abs(trace.probabilities[0, t, token].item() - p) < 1e-4
        alpha = settings.get("alpha", 0.6)
        tree = beam_tree(
            found.model, *given, max_length=most, width=width, length_penalty=alpha
        )
        assert made["tree"]["best"] == tree.best
        assert len(made["tree"]["nodes"]) == len(tree.nodes)
        for node, wanted in zip(made["tree"]["nodes"], tree.nodes, strict=True):
            for name in ("parent", "token", "fate"):
                assert node[name] == getattr(wanted, name)
            got = [node["own"], node["total"], node["score"]]
            want = [wanted.log_probability, wanted.total, wanted.score]
            assert got == pytest.approx(want, abs=1e-4)


@pytest.mark.parametrize(
    ("changes", "settings"),
    [
        ({}, {}),
        ({"tied": True, "positions": "learned"}, {"width": 1}),
        ({"norm_first": False, "positions": "none"}, {"width": 3, "alpha": 0.0}),
        ({"norm_first": False, "final_norm": True}, {"width": 20, "most": 3}),
        ({"layers": (2, 1), "heads": 1}, {"width": 5, "alpha": 1.5, "most": 9}),
    ],
    ids=["pre-norm", "tied", "post-norm", "a norm at the end", "one head"],
)
def test_the_browsers_model_is_pythons(tmp_path, changes, settings):
    checkpoint(tmp_path, seed=len(changes), **changes)
    compare(tmp_path / "small.safetensors", SENTENCES, **settings)


def test_heads_that_are_silenced_are_pythons(tmp_path):
    found = checkpoint(tmp_path)
    silent = [[0], [1, 2]]

    def zeroed(heads):
        return lambda made: made.index_fill(1, torch.tensor(heads), 0.0)

    replace = {
        f"decoder.{layer}.cross.attention.output": zeroed(heads)
        for layer, heads in enumerate(silent)
    }
    made = asked(tmp_path / "small.safetensors", SENTENCES, silent=silent)
    for words, one in zip(SENTENCES, made, strict=True):
        source = torch.tensor([found.source_vocab.encode(words)])
        fed = torch.tensor([[1, *(step["token"] for step in one["steps"])]])
        given = source, torch.tensor([len(words)]), fed
        with torch.no_grad():
            trace = patched(found.model.trace, *given, replace=replace)
        wanted = trace.logits[0]
        torch.testing.assert_close(
            torch.tensor(one["logits"]), wanted, atol=1e-4, rtol=0
        )


@pytest.mark.skipif(not COMMITTED.exists(), reason="the checkpoint is not trained yet")
def test_the_committed_checkpoint_translates_in_the_browser_as_in_python():
    sentences = ["I love cats", "the dog saw the cat", "the cat saw the dog"]
    compare(COMMITTED, [text.split() for text in sentences], most=40)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    return trained(folder)


MOST = 12
INPUTS = ("I love cats", f"you see a {EVIL}")


def new(small):
    return Translator(small, INPUTS, name="small", max_length=MOST)


translator = functools.cache(new)  # what happens in a browser does not change it


def written(small, text, most=MOST):
    source = torch.tensor([small.source_vocab.encode(text.split())])
    ids = greedy(small.model, source, torch.tensor([source.shape[1]]), max_length=most)
    return [TARGET[i - 3] if i > 2 else "<eos>" for i in ids[0].tolist()]


class TestWords:
    def test_it_says_what_is_translated_and_what_is_looked_at(self, small):
        said = repr(translator(small))
        assert "2 sentences are recorded. “I love cats” becomes “" in said
        wrote = "".join(t for t in written(small, INPUTS[0]) if t != "<eos>")
        assert f"becomes “{wrote}”" in said
        assert "the last layer looks most: " in said
        assert "A beam of 4 finds " in said

    def test_its_state_is_the_same_each_time_and_has_no_weights(self, small):
        state = state_of(translator(small))
        assert state == state_of(new(small))
        assert state["words"] == list(SOURCE)
        assert state["size"] == len(small.to_bytes())
        assert len(json.dumps(state["recordings"])) < 60_000
        assert not translator(small).get_state().get("buffers")
        data, _ = translator(small)._repr_mimebundle_()
        assert data["text/plain"] == translator(small).alt

    def test_the_fallback_has_every_sentence_and_escapes(self, small):
        text = translator(small).fallback()
        assert text.count("<table>") == 2
        assert harm(text) == []
        assert '<th scope="col">love</th>' in text

    def test_tokens_without_a_blank_among_them_are_written_apart(self, tmp_path):
        spaced = checkpoint(tmp_path, target=("na", "neo", "neun", "go"))
        widget = Translator(spaced, ["I love cats"])
        tokens = [step["token"] for step in widget.recordings[0]["steps"]]
        assert "becomes “" + " ".join(t for t in tokens if t != "<eos>") in repr(widget)


def sentence(text, fields):
    return Example(tuple(text.split()), (), tuple(fields.split(",")), ())


LEARNT = [
    sentence("I love cats", "subject,verb,object"),
    sentence("I do not love dogs", "subject,,not,verb,object"),
]


def test_sentences_of_the_language_are_known_from_rows_of_words():
    grammar = EnglishKorean()
    sentences = [*grammar.train, *grammar.held_out]
    words = list(grammar.source_vocab.tokens[3:])
    rows = [list(e.source) for e in EnglishKorean(seed=1).held_out]
    generator = random.Random(0)
    shuffled = [generator.sample(row, len(row)) for row in rows]
    shuffled = [new for new, row in zip(shuffled, rows, strict=True) if new != row]
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ stranger }} from "{CORE}/../translator/reading.js";
        const {{ language, words, rows }} = JSON.parse(readFileSync(0, "utf8"));
        console.log(JSON.stringify(rows.map((row) => !stranger(language, row, words))));
    """
    language = _language(sentences, words)
    assert len(json.dumps(language)) < 9_000
    known = {"language": language, "words": words}
    taken = [
        json.loads(
            run("--input-type=module", "-e", source, text=json.dumps(known | some))
        )
        for some in (
            {"rows": [list(e.source) for e in sentences[:500]]},
            {"rows": rows},
            {"rows": shuffled},
        )
    ]
    first, fresh, mixed = (sum(found) / len(found) for found in taken)
    assert first == 1
    assert fresh > 0.97
    assert mixed < 0.03


class TestRefused:
    @pytest.mark.parametrize("changes", [{"kv_heads": 1}, {"window": 2}])
    def test_a_model_that_the_page_cannot_compute(self, tmp_path, changes):
        with pytest.raises(ValueError, match="keys for every head and sees all"):
            Translator(checkpoint(tmp_path, **changes), INPUTS)

    def test_a_language_of_other_words(self, small):
        learnt = [sentence("I love goats", "subject,verb,object")]
        with pytest.raises(ValueError, match=r"does not know: \['goats'\]; give"):
            Translator(small, INPUTS, learnt=learnt)

    def test_no_sentences(self, small):
        with pytest.raises(ValueError, match="a list of at least one sentence"):
            Translator(small, "I love cats")
        with pytest.raises(ValueError, match="a list of at least one sentence"):
            Translator(small, [])

    def test_an_unknown_word_and_a_beam_of_nothing(self, small):
        with pytest.raises(ValueError, match="'kats'; the nearest known one is 'cats'"):
            Translator(small, ["I love kats"])
        with pytest.raises(ValueError, match="width must be at least 1, not 0"):
            Translator(small, ["I"], width=0)


class TestKernel:
    def test_it_sends_the_weights_when_asked(self, small, monkeypatch):
        widget, sent = translator(small), []
        monkeypatch.setattr(widget, "send", lambda *parts: sent.append(parts))
        widget._handle_custom_msg({"type": "other"}, [])
        assert not sent
        widget._handle_custom_msg(
            {"type": "weights", "id": "7", "name": widget.name}, []
        )
        coming, weights = sent
        assert coming == ({"type": "coming", "id": "7"},)
        assert weights == ({"type": "weights", "id": "7"}, [small.to_bytes()])

    def test_weights_that_cannot_be_written_are_an_answer_too(self, tmp_path):
        broken = checkpoint(tmp_path)
        widget, sent = Translator(broken, ["I"]), []
        widget.send = lambda *parts: sent.append(parts)
        broken.model.output.bias.data[3] = torch.nan
        widget._handle_custom_msg(
            {"type": "weights", "id": "7", "name": widget.name}, []
        )
        (answer,) = sent[-1]
        assert (answer["type"], answer["id"]) == ("weights", "7")
        assert "output.bias holds NaN" in answer["error"]

    def test_the_browser_asks_the_kernel(self, show, small):
        page = live(show, translator(small))
        place = page.locator("#live2")
        page.evaluate("""() => {
            model.send = (message) => (window.message = message);
            model.on = (name, listener) => (window.answer = listener);
        }""")
        place.locator("[name=text]").fill("you love dogs")
        place.locator("[name=text]").press("Enter")
        assert "Loading the model" in place.locator("[role=status]").inner_text()
        page.evaluate(
            """(text) => {
                const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
                const buffers = [new DataView(bytes.buffer, 3)];
                answer({id: "another", error: "not for us"}, []);
                answer({id: message.id}, buffers);
            }""",
            base64.b64encode(b"---" + small.to_bytes()).decode(),
        )
        place.get_by_text("The model is here").wait_for()
        assert place.locator("select").first.input_value() == "2"
        made = page.evaluate("model.get('recordings')[2]")
        assert [s["token"] for s in made["steps"]] == written(small, "you love dogs")

    def test_a_silent_kernel_is_given_up_but_not_one_with_a_slow_line(
        self, show, small
    ):
        page = live(show, translator(small))
        place = page.locator("#live2")
        page.clock.install()
        page.evaluate("""() => {
            model.on = (name, listener) => (window.answer = listener);
            model.send = (message) => (window.message = message);
        }""")
        said = place.locator("[role=status]")
        place.locator("[name=text]").fill("you love dogs")
        place.locator("[data-act=translate]").click()
        page.clock.run_for(4900)
        assert "Loading the model" in said.inner_text()
        page.clock.run_for(200)
        place.get_by_text("no kernel answered").wait_for()
        place.locator("[data-act=translate]").click()
        page.evaluate("answer({id: message.id, type: 'coming'}, [])")
        page.clock.run_for(60_000)
        assert "Loading the model" in said.inner_text()

    def test_a_kernel_that_refuses_is_heard(self, show, small):
        page = live(show, translator(small))
        place = page.locator("#live2")
        page.evaluate("""() => {
            model.on = (name, listener) => (window.answer = listener);
            model.send = ({id}) => setTimeout(() => answer({id, error: "NaN"}, []));
        }""")
        place.locator("[name=text]").fill("you love dogs")
        place.locator("[data-act=translate]").click()
        place.get_by_text("could not be used: NaN. The recorded").wait_for()


@pytest.fixture
def site(show, small, tmp_path):
    """A page from disk, with the checkpoint where the site has it."""
    keep_checkpoints(tmp_path, small=small)

    def opened(**options):
        return show(translator(small), **options)

    return opened


def say(page):
    return page.locator(".qkv-say").inner_text()


def tokens(page):
    return page.locator(".qkv-written .qkv-tok:not(.qkv-later)").all_inner_texts()


def ask(page, text):
    page.locator("[name=text]").fill(text)
    page.locator("[name=text]").press("Enter")


def nats(score):
    return f"{-score:.{3 if score > -0.1 else 2 if score > -10 else 1}f}"


def to_the_end(page):
    page.locator(".qkv-bar input[type=range]").focus()
    page.keyboard.press("End")


def shown(token):
    return token.replace(" ", "␣")


class TestStepping:
    def test_token_by_token_by_keyboard(self, site, small):
        page = site()
        wrote = [shown(token) for token in written(small, INPUTS[0])]
        assert tokens(page) == wrote[:1]
        assert say(page).startswith(f"First it writes “{wrote[0]}” (")
        page.locator(".qkv-bar input[type=range]").focus()
        page.keyboard.press("ArrowRight")
        assert tokens(page) == wrote[:2]
        assert f"it writes “{wrote[1]}”" in say(page)
        assert page.locator(".qkv-say").get_attribute("aria-live") == "polite"
        page.keyboard.press("End")
        assert tokens(page) == wrote
        best = page.locator(".qkv-probs .qkv-best").inner_text()
        assert wrote[-1] in best

    def test_the_cache_grows_by_one_token_in_each_layer(self, site, small):
        page = site()
        for step in range(3):
            new, full = (page.locator(f".qkv-slots .qkv-{x}") for x in ("new", "full"))
            assert new.count() == 2 * 2
            assert full.count() == 2 * 2 * (step + 3)  # three words of the source
            page.locator("[data-act=next]").click()
        kept = page.locator(".qkv-kept").inner_text()
        assert "4 tokens have gone through the decoder" in kept
        assert "without a cache it would be 10, the sum of 1 to 4" in kept

    def test_attention_of_a_layer_and_a_head(self, site, small):
        page = site()
        run = translator(small).recordings[0]
        row = page.locator(".qkv-align tbody tr").first.locator("td")

        def percent(weights):
            return [str(round(100 * x)) for x in weights]

        mean = torch.tensor(run["steps"][0]["cross"][1]).mean(0).tolist()
        assert row.all_inner_texts() == percent(mean)
        page.locator("[data-pick=layer]").select_option(index=0)
        page.locator("[data-pick=head]").select_option(index=2)
        weights = run["steps"][0]["cross"][0][1]
        assert row.all_inner_texts() == percent(weights)
        word = run["source"][weights.index(max(weights))]
        assert f"It looks most at “{word}” ({max(weights):.2f})" in say(page)

    def test_a_token_that_is_a_script_is_drawn_not_run(self, site):
        page = site()
        page.locator("select").first.select_option("1")
        assert EVIL in page.locator(".qkv-align thead").inner_text()
        ask(page, f"I see {EVIL} dogs")
        page.locator(".qkv-more summary").click()
        page.get_by_label("several hypotheses").check()
        to_the_end(page)
        page.get_by_text("The model is here").wait_for()
        assert page.evaluate(HARM) == []
        assert page.seen.errors == []


class TestTree:
    def test_it_is_drawn_as_far_as_it_has_grown(self, site, small):
        page = site()
        page.get_by_label("several hypotheses").check()
        run = translator(small).recordings[0]
        assert page.locator(".qkv-node").count() == 4
        assert "Token 1: of 4 candidates 4 kept, 0 dropped." in say(page)
        page.locator("[data-act=next]").click()
        assert "of 16 candidates" in say(page)
        assert page.locator(".qkv-node").count() == 4 + 4 + 2
        rows = page.locator(".qkv-list tbody tr")
        assert rows.count() == 8
        second = [n for n in run["tree"]["nodes"] if n[0] is not None and n[0] < 4]
        top = max(second, key=lambda node: node[2])
        assert nats(top[2]) in rows.first.inner_text()
        to_the_end(page)
        assert "The search is over: “" in say(page)
        assert "◆ best" in page.locator(".qkv-list .qkv-best").inner_text()
        assert page.locator(".qkv-node.qkv-win").count() >= 1

    def test_scores_are_pythons(self, site, small):
        page = site()
        page.get_by_label("several hypotheses").check()
        to_the_end(page)
        source = torch.tensor([small.source_vocab.encode(INPUTS[0].split())])
        tree = beam_tree(small.model, source, torch.tensor([3]), max_length=MOST)
        score = tree.nodes[tree.best].score
        assert f"with a score of −{nats(score)}" in say(page)

    def test_another_width_once_the_model_is_here(self, site, small):
        page = site()
        page.get_by_label("several hypotheses").check()
        assert page.get_by_label("width").count() == 0
        page.locator("[data-act=load]").click()
        page.get_by_label("width").fill("2")
        page.get_by_text("a beam of 2").wait_for()
        assert "of 2 candidates 2 kept" in say(page)
        page.get_by_label("length penalty").fill("0")
        page.get_by_text("0.0").wait_for()
        to_the_end(page)
        source = torch.tensor([small.source_vocab.encode(INPUTS[0].split())])
        tree = beam_tree(
            small.model,
            source,
            torch.tensor([3]),
            max_length=MOST,
            width=2,
            length_penalty=0.0,
        )
        score = tree.nodes[tree.best].score
        assert f"with a score of −{nats(score)}" in say(page)


class TestTyping:
    def test_the_model_is_loaded_only_when_asked_for(self, site, small):
        page = site()
        loads = []
        page.on("request", lambda request: loads.append(request.url))
        ask(page, INPUTS[1])
        to_the_end(page)
        assert loads == []
        assert tokens(page) == [shown(token) for token in written(small, INPUTS[1])]
        ask(page, "you DON'T love dogs.")
        page.get_by_text("The model is here").wait_for()
        assert [url.rpartition("/")[2] for url in loads] == ["small.js"]
        to_the_end(page)
        wanted = [shown(token) for token in written(small, "you do not love dogs")]
        assert tokens(page) == wanted
        ask(page, "you love a")
        to_the_end(page)
        assert tokens(page) == [shown(token) for token in written(small, "you love a")]
        assert len(loads) == 1

    def test_unknown_words_are_named_and_the_nearest_offered(self, site, small):
        page = site()
        ask(page, "I lov kats")
        status = page.locator("[role=status]")
        assert "It does not know lov." in status.inner_text()
        assert "It does not know kats." in status.inner_text()
        page.locator("[data-near=love]").click()
        assert page.locator("[name=text]").input_value() == "I love kats"
        assert "lov." not in status.inner_text()
        page.keyboard.press("Tab")  # on from the box, past Translate
        page.locator("[data-near=cats]").press("Enter")
        assert status.inner_text().strip() == ""
        assert page.locator("select").first.input_value() == "0"

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ("나는 고양이를 좋아해", "“나는”, “고양이를”, “좋아해” are Korean, and"),
            ("I love 🐱", "This model cannot read “🐱”."),
            ("I love котов", "This model cannot read “котов”."),
        ],
    )
    def test_what_it_cannot_read_is_said_and_stays(self, site, typed, said):
        page = site()
        before = say(page)
        ask(page, typed)
        status = page.locator("[role=status]").inner_text()
        assert said in status
        assert "It reads only the 10 words listed below, as in “I love cats”." in status
        assert "Near it" not in status
        assert page.locator("[name=text]").input_value() == typed
        assert say(page) == before

    def test_what_was_typed_stays_as_it_was_typed(self, site):
        page = site()
        ask(page, "You DON'T love dogs!!")
        page.get_by_text("The model is here").wait_for()
        assert page.locator("[name=text]").input_value() == "You DON'T love dogs!!"

    def test_a_row_of_words_that_is_no_sentence_is_translated_with_a_warning(
        self, show, small, tmp_path
    ):
        keep_checkpoints(tmp_path, small=small)
        told = Translator(small, INPUTS, name="small", max_length=MOST, learnt=LEARNT)
        page = show(told)
        warning = page.locator(".qkv-doubt")
        assert warning.count() == 0
        for typed, why in (
            ("love cats", "begins with “love”"),
            ("I cats", "goes on with “cats” after “I”"),
            ("I love", "ends after “I love”"),
            ("I love cats love dogs", "goes on with “love” after “I love cats”"),
        ):
            ask(page, typed)
            page.get_by_text(why).wait_for()
            assert f"“{typed}” seems to be no sentence of its language" in (
                warning.inner_text()
            )
            to_the_end(page)
            assert tokens(page) == [shown(t) for t in written(small, typed)]
        ask(page, "I do not love dogs")
        page.locator(".qkv-doubt").wait_for(state="detached")

    def test_known_words_can_be_put_together_without_typing(self, site, small):
        page = site()
        page.locator(".qkv-more summary").click()
        for word in ("you", "see", "dogs"):
            page.locator(".qkv-words").get_by_text(word, exact=True).click()
        assert page.locator("[name=text]").input_value() == "you see dogs"
        page.locator("[data-act=translate]").click()
        page.get_by_text("The model is here").wait_for()
        to_the_end(page)
        wanted = [shown(token) for token in written(small, "you see dogs")]
        assert tokens(page) == wanted

    def test_nothing_and_too_much_are_refused(self, site):
        page = site()
        ask(page, "  ")
        assert "Type a sentence first" in page.locator("[role=status]").inner_text()
        ask(page, "I " * 31)
        assert "31 words; 30 are the most" in page.locator("[role=status]").inner_text()

    def test_a_file_that_is_missing_is_said_and_the_recorded_stay(self, show, small):
        page = show(translator(small))
        for _ in range(2):  # asked again, it is looked for again
            ask(page, "you love dogs")
            page.get_by_text("its file checkpoints/small.js could not be").wait_for()
        page.locator("[data-act=next]").click()
        assert len(tokens(page)) == 2

    def test_a_file_that_is_damaged_is_said(self, site, small, tmp_path):
        cut = script("small", small.to_bytes()[:-9])
        (tmp_path / "checkpoints/small.js").write_text(cut, "utf-8")
        page = site()
        ask(page, "you love dogs")
        page.get_by_text("the model's file is damaged").wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(site, theme):
    page = site(theme=theme)
    assert barriers(page) == []
    ask(page, "I lov dogs")
    page.locator(".qkv-more summary").click()
    to_the_end(page)
    assert barriers(page) == []
    page.get_by_label("several hypotheses").check()
    page.locator("[data-act=next]").click()
    assert barriers(page) == []
    page.locator("[data-act=load]").click()
    page.get_by_text("The model is here").wait_for()
    to_the_end(page)
    assert barriers(page) == []


def test_a_small_screen_scrolls_inside_not_across(browser, small, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page_of(translator(small)), "utf-8")
    with watched_page(browser, viewport={"width": 360, "height": 740}) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        across = "document.documentElement.scrollWidth"
        page.locator("select").first.select_option("1")
        to_the_end(page)
        assert page.evaluate(across) == 360
        page.get_by_label("several hypotheses").check()
        to_the_end(page)
        page.locator(".qkv-more summary").click()
        assert page.evaluate(across) == 360
        assert page.seen.errors == []


def test_on_paper_both_ways_stand_without_controls(site, small):
    page = site(query="?print")
    assert page.locator("button, input, select").count() == 0
    assert page.locator("figure").count() == 2
    wrote = [shown(token) for token in written(small, INPUTS[0])]
    assert tokens(page) == wrote
    assert "The search is over" in page.locator("figcaption").nth(1).inner_text()


BROKEN = [
    ({"recordings": []}, "no sentence is recorded in it"),
    ({"chosen": 7}, "it has 2 sentences, and not number 7"),
    ({"recordings": [{"source": ["I"], "steps": []}]}, "no words or no translat"),
    (
        {"recordings": [{"source": ["I"], "steps": [{"cross": [[[0.5, 0.5]]]}]}]},
        "its attention does not fit its words",
    ),
    (
        {"recordings": [{"source": ["I"], "steps": [{"cross": [[[1]]]}]}]},
        "its tree has no best translation",
    ),
]


def test_a_broken_state_says_what_is_wrong(show, small):
    broken = [(payload(new(small), **changes), words) for changes, words in BROKEN]
    says_what_is_wrong(show, [translator(small)], broken)


def test_the_bundle_is_small():
    assert len(Translator._esm.encode()) <= 45_000


class TestSite:
    def test_every_checkpoint_becomes_a_script(self, tmp_path, small):
        folder = tmp_path / "src" / "qkv" / "checkpoints"
        folder.mkdir(parents=True)
        (folder / "small.safetensors").write_bytes(small.to_bytes())
        config = SimpleNamespace(qkv_root=str(tmp_path))
        bring_in(SimpleNamespace(config=config, outdir=str(tmp_path)))
        made = tmp_path / "_static" / "checkpoints" / "small.js"
        assert made.read_text("utf-8") == script("small", small.to_bytes())

    def test_the_committed_one_is_not_too_large(self):
        for path in checkpoints._NAMED.glob("*.safetensors"):
            assert len(script(path.stem, path.read_bytes())) <= LARGEST

    def test_the_host_looks_beside_itself(self, page, tmp_path, small):
        static, deep = tmp_path / "_static", tmp_path / "chapters"
        static.mkdir()
        deep.mkdir()
        (static / "host.js").write_text(HOST.read_text("utf-8"), "utf-8")
        keep_checkpoints(static, small=small)
        tag = '<script src="../_static/host.js?v=1"></script>'
        (deep / "page.html").write_text(tag, "utf-8")
        page.goto((deep / "page.html").as_uri())
        size = "qkvHost.checkpoint('small').then((bytes) => bytes.byteLength)"
        assert page.evaluate(size) == len(small.to_bytes())
        assert page.locator("script").count() == 1
