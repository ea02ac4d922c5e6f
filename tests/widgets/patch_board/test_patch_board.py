"""PatchBoard: its JavaScript patches as qkv.patching does; its words; in Chromium."""

import base64
import functools
import json

import pytest
import torch

from qkv.data import BOS, EnglishKorean
from qkv.decoding import greedy
from qkv.patching import patched
from qkv.transformer import checkpoint as checkpoints
from qkv.transformer import load
from qkv.widgets import PatchBoard
from tests.browser import watched_page
from tests.widgets.checkpoints import keep_checkpoints
from tests.widgets.pages import (
    EVIL,
    HARM,
    barriers,
    harm,
    live,
    page_of,
    payload,
    slot,
    state_of,
    unreadable,
)
from tests.widgets.test_front_end import CORE, ROOT, run
from tests.widgets.translator.sample import checkpoint

FOLDER = (ROOT / "src/qkv/widgets/patch_board").as_uri()
COMMITTED = checkpoints._NAMED / "english_korean.safetensors"
DOG, CAT = "the dog saw the cat", "the cat saw the dog"
CLEAN, CORRUPTED = "개는 고양이를 봤어", "고양이는 개를 봤어"
NEAR = {"atol": 1e-4, "rtol": 0}


@functools.cache
def book():
    return load("english_korean")


def new(**options):
    return PatchBoard(book(), DOG, CAT, **options)


board = functools.cache(new)  # what happens in a browser does not change it


# ------------------------------------------------------------ JavaScript = Python


def asked(file, cases, *, most=40):
    """Run what is asked in Node; also say it."""
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ readCheckpoint }} from "{CORE}/safetensors.js";
        import {{ transformer }} from "{CORE}/transformer.js";
        import {{ recovered, run }} from "{FOLDER}/patching.js";
        import {{ said }} from "{FOLDER}/saying.js";
        const {{ file, cases, most }} = JSON.parse(readFileSync(0, "utf8"));
        const bytes = readFileSync(file);
        const read = readCheckpoint(
            bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
        const net = {{ ...read, ...transformer(read) }};
        console.log(JSON.stringify(cases.map((c) => {{
            const made = run(net, c, most);
            return {{ ...made, recovered: recovered(made), said: said(c, made, "") }};
        }})));
    """
    given = {"file": str(file), "cases": cases, "most": most}
    return json.loads(run("--input-type=module", "-e", source, text=json.dumps(given)))


def case(patched_words=(), through="both", off=(), pair=(DOG, CAT)):
    return {
        "pair": list(pair),
        "patched": list(patched_words),
        "through": through,
        "off": [list(one) for one in off],
    }


def replaced(model, clean, asked_for):
    """Say for qkv.patching what is asked, another way than the widget does."""
    source = torch.zeros(clean[0].shape[1], dtype=torch.bool)
    source[asked_for["patched"]] = True
    with torch.no_grad():
        trace = model.trace(*clean, torch.tensor([[BOS]]))
    doors = {"both": ("keys", "values")}.get(
        asked_for["through"], (asked_for["through"],)
    )
    replace = {}
    for i, layer in enumerate(trace.decoder):
        for door in doors:
            there = getattr(layer.cross, door)
            replace[f"decoder.{i}.cross.{door}"] = lambda here, there=there: (
                torch.where(source[:, None], there, here)
            )
        on = torch.ones(layer.cross.keys.shape[1], 1, 1)
        on[[head for at, head in asked_for["off"] if at == i]] = 0
        replace[f"decoder.{i}.cross.attention.output"] = lambda here, on=on: here * on
    return replace


def hold(found, cases, made, most=40):
    """Hold results to what qkv.patching gives with the same model."""
    names, model = found.target_vocab.tokens, found.model
    for one, result in zip(cases, made, strict=True):
        inputs = []
        for text in one["pair"]:
            ids = found.source_vocab.encode(text.split())
            inputs.append((torch.tensor([ids]), torch.tensor([len(ids)])))
        ids = {
            run: [names.index(token) for token in result["writes"][run]]
            for run in ("clean", "corrupted", "patched")
        }
        for name, given in zip(("clean", "corrupted"), inputs, strict=True):
            wrote = greedy(model, *given, max_length=most)
            assert ids[name] == wrote[0].tolist()
        replace = replaced(model, inputs[0], one)
        fed = torch.tensor([[BOS, *ids["patched"][:-1]]])
        with torch.no_grad():
            trace = patched(model.trace, *inputs[1], fed, replace=replace)
        assert trace.logits[0].argmax(-1).tolist() == ids["patched"], one
        at, logits = result["at"], result["logits"]
        if at < 0:
            assert ids["clean"] == ids["corrupted"]
            continue
        assert ids["clean"][:at] == ids["corrupted"][:at]
        two = [ids["clean"][at], ids["corrupted"][at]]
        assert two[0] != two[1]
        fed = torch.tensor([[BOS, *ids["clean"][:at]]])
        with torch.no_grad():
            runs = {
                "clean": model.trace(*inputs[0], fed),
                "corrupted": model.trace(*inputs[1], fed),
                "patched": patched(model.trace, *inputs[1], fed, replace=replace),
            }
        for name, trace in runs.items():
            wanted = trace.logits[0, -1, two]
            torch.testing.assert_close(torch.tensor(logits[name]), wanted, **NEAR)


def many_cases(pairs, heads, *, seed=0):
    """Return each pair with words, a door and heads by chance."""
    generator = torch.Generator().manual_seed(seed)

    def some(things, share):
        drawn = torch.rand(len(things), generator=generator) < share
        return [thing for thing, there in zip(things, drawn, strict=True) if there]

    return [
        case(
            some(range(len(pair[0].split())), 0.4),
            ("both", "keys", "values")[i % 3],
            some(heads, 0.25) if i % 2 else [],
            pair,
        )
        for i, pair in enumerate(pairs)
    ]


def pairs_of_the_grammar(count):
    alike = [
        (" ".join(one.source), " ".join(other.source))
        for one, other in EnglishKorean().minimal_pairs()
        if len(one.source) == len(other.source)
    ]
    assert len(alike) > 100
    return alike[:count]


HEADS = [(layer, head) for layer in range(2) for head in range(4)]


def test_on_many_pairs_of_the_grammar_it_patches_as_python_does():
    cases = many_cases(pairs_of_the_grammar(24), HEADS)
    assert len({tuple(one["patched"]) for one in cases}) > 12
    hold(book(), cases, asked(COMMITTED, cases))


@pytest.mark.parametrize(
    "changes",
    [{}, {"tied": True, "positions": "learned"}, {"norm_first": False}],
    ids=["pre-norm", "tied", "post-norm"],
)
def test_in_models_of_other_kinds_too(tmp_path, changes):
    found = checkpoint(tmp_path, seed=3, **changes)
    pairs = [
        ("I love cats", "you see dogs"),
        ("I do not see a", f"you {EVIL} see I a"),
        ("you", "dogs"),
    ]
    heads = [(layer, head) for layer in range(2) for head in range(3)]
    cases = many_cases(4 * pairs, heads, seed=1)
    made = asked(tmp_path / "small.safetensors", cases, most=8)
    hold(found, cases, made, most=8)


def test_what_is_recorded_is_what_the_page_computes():
    cases = many_cases(pairs_of_the_grammar(3), HEADS, seed=2)
    for one, made in zip(cases, asked(COMMITTED, cases), strict=True):
        asked_for = {k: v for k, v in one.items() if k != "pair"}
        recorded = PatchBoard(book(), *one["pair"], **asked_for).recorded
        assert recorded["asked"] == one
        assert recorded["writes"] == made["writes"]
        assert recorded["at"] == made["at"]
        for name, pair in recorded["logits"].items():
            assert pair == pytest.approx(made["logits"][name], abs=1e-4)


# What chapter 16 measures: the words, the door, the translation, from and to how far.
KNOWN = [
    ((), "both", CORRUPTED, (0, 0)),
    ((1,), "both", "개는 개를 봤어", (0.98, 1.02)),
    ((4,), "both", "고양이는 고양이를 봤어", (-0.02, 0.02)),
    ((1, 4), "both", CLEAN, (0.98, 1.02)),
    ((2,), "both", CORRUPTED, (-0.01, 0.01)),
    (range(5), "both", CLEAN, (1, 1)),
    (range(5), "keys", CORRUPTED, (-0.05, 0.05)),
    (range(5), "values", CLEAN, (0.95, 1.05)),
]


def test_the_known_results_hold_in_the_page_and_in_python():
    cases = [case(words, through) for words, through, *_ in KNOWN]
    for one, made, (_, _, text, (low, high)) in zip(
        cases, asked(COMMITTED, cases), KNOWN, strict=True
    ):
        assert made["writes"]["patched"] == [*text, "<eos>"]
        assert low <= made["recovered"] <= high
        view = new(patched=one["patched"], through=one["through"])
        assert view.text == text
        assert low <= view.recovered <= high


# ------------------------------------------------------------ Python's words


class TestPython:
    def test_it_opens_with_the_first_word_that_differs_and_says_what_comes_of_it(self):
        assert repr(board()) == (
            f"A translator reads “{CAT}” (corrupted, “{CORRUPTED}”), with the keys and "
            f"values of word 2 (“dog”) from “{DOG}” (clean, “{CLEAN}”). It writes "
            "“개는 개를 봤어”. Token 1 goes 1.00 of the way from “고” (0) to “개” (1)."
        )

    def test_it_follows_its_traits(self):
        view = new()
        view.through, view.patched = "values", [4, 3, 2, 1, 0]
        assert "values of words 1 (“the”), 2 (“dog”)" in repr(view)
        assert view.patched == [0, 1, 2, 3, 4]
        view.off = [(1, 2), (0, 0), (1, 2)]
        assert view.off == [[0, 0], [1, 2]]
        assert "and heads 1 of layer 1 and 3 of layer 2 silent" in repr(view)
        view.patched, view.off = [], []
        assert "with nothing patched. It writes “고양이는" in repr(view)

    def test_another_pair_keeps_what_is_still_there(self):
        view = new(patched=[1, 4])
        view.pair = ["I  love cats", "you love cats"]
        assert view.pair[0] == "I love cats"
        assert view.patched == [1]
        assert view.recorded["asked"]["patched"] == [1]

    def test_where_nothing_differs_there_is_no_way(self):
        view = PatchBoard(book(), CAT, CAT)
        assert view.patched == []
        assert view.recovered is None
        assert "one translation" in repr(view)
        assert "<td></td>" in view.fallback()

    def test_its_state_is_the_same_each_time_and_has_no_weights(self):
        assert state_of(board()) == state_of(new())
        assert len(json.dumps(state_of(board()))) < 5_000
        data, _ = board()._repr_mimebundle_()
        assert data["text/plain"] == board().alt

    def test_the_fallback_has_the_three_runs(self):
        text = board().fallback()
        assert text.count('<th scope="row">') == 3
        assert f"<td>{CLEAN}</td>" in text

    def test_markup_is_a_text(self, tmp_path):
        small = checkpoint(tmp_path)
        text = PatchBoard(small, f"I {EVIL}", "you see", max_length=5).fallback()
        assert harm(text) == []
        assert "&lt;img/src=" in text

    def test_it_sends_the_weights_when_asked(self, monkeypatch):
        widget, sent = new(), []
        monkeypatch.setattr(widget, "send", lambda *parts: sent.append(parts))
        asks = {"type": "weights", "id": "7", "name": widget.name}
        widget._handle_custom_msg(asks, [])
        assert sent[-1] == ({"type": "weights", "id": "7"}, [book().to_bytes()])


class TestRefused:
    @pytest.mark.parametrize(
        ("pair", "words"),
        [
            ((DOG, "the kat saw the dog"), "corrupted sentence: unknown token 'kat'"),
            ((DOG, "I saw you"), "clean sentence has 5 words and the corrupted one 3"),
            (("", "I"), "the clean sentence has 0 words, but a PatchBoard shows"),
            (("I " * 13, "I"), "the clean sentence has 13 words, but a PatchBoard"),
            ((DOG, 3), "is to be two texts"),
            ((DOG, DOG, DOG), "is to be two texts"),
        ],
    )
    def test_sentences(self, pair, words):
        view = new()
        with pytest.raises(ValueError, match=words):
            view.pair = list(pair)
        assert state_of(view) == state_of(board())

    def test_sentences_at_once(self):
        with pytest.raises(ValueError, match="give two of as many words"):
            PatchBoard(book(), DOG, "I saw you")

    @pytest.mark.parametrize(
        ("trait", "value", "words"),
        [
            ("patched", [5], "names the word 5, but the sentences have 5 words"),
            ("patched", [-1], "names the word -1"),
            ("off", [(2, 0)], r"off names \(2, 0\), but the decoder's heads are \(0, "),
            ("off", [(0, 4)], r"off names \(0, 4\)"),
            ("off", [2], "off names 2, but the decoder's heads are"),
        ],
    )
    def test_words_and_heads(self, trait, value, words):
        view = new()
        with pytest.raises(ValueError, match=words):
            setattr(view, trait, value)
        assert state_of(view) == state_of(board())

    @pytest.mark.parametrize("changes", [{"kv_heads": 1}, {"window": 2}])
    def test_a_model_that_the_page_cannot_compute(self, tmp_path, changes):
        other = checkpoint(tmp_path, **changes)
        with pytest.raises(ValueError, match="keys for every head and sees all"):
            PatchBoard(other, "I love cats", "you love cats")

    def test_no_token_to_write(self):
        with pytest.raises(ValueError, match="max_length must be at least 1, not 0"):
            new(max_length=0)


# ------------------------------------------------------------ in Chromium


@pytest.fixture
def site(show, tmp_path):
    """A page from disk, with the checkpoint where the site has it."""
    keep_checkpoints(tmp_path, english_korean=book())

    def opened(widget=None, **options):
        return show(widget or board(), **options)

    return opened


def say(page):
    return page.locator(".qkv-say").inner_text()


def status(page):
    return page.locator("[role=status]").inner_text()


def writes(page):
    return page.locator(".qkv-three-runs .qkv-writes").all_inner_texts()


def here(page):
    page.get_by_text("The model is here").wait_for()


def field(page, which):
    return page.locator(f"[name=text][data-field='{which}']")


class TestBoard:
    def test_it_opens_with_what_is_recorded_and_loads_nothing(self, site):
        page = site()
        assert writes(page) == [CLEAN, CORRUPTED, "개는 개를 봤어"]
        assert say(page) == (
            "In the place of “cat”, word 2, the decoder finds the keys and values of "
            "“dog”. It writes “개는 개를 봤어”: neither translation. The first "
            "syllable goes 1.00 of the way from 고 to 개. What this word carries is "
            "enough for it."
        )
        assert page.locator(".qkv-say").get_attribute("aria-live") == "polite"
        assert page.locator(".qkv-say [lang=ko]").count() == 3
        road = page.locator(".qkv-way-over").get_attribute("aria-label")
        assert road == "1.00 of the way from 고 to 개"
        assert page.locator("script[src*=checkpoints]").count() == 0

    def test_words_by_keyboard_alone(self, site):
        page = site()
        page.locator("[data-word='1']").focus()
        page.keyboard.press("Space")
        here(page)
        assert writes(page)[2] == CORRUPTED
        assert "No word is patched. It writes" in say(page)
        assert say(page).endswith("It has to be so: nothing was changed.")
        for _ in range(3):
            page.keyboard.press("Tab")
        page.keyboard.press("Space")
        assert writes(page)[2] == "고양이는 고양이를 봤어"
        assert "0.00 of the way" in say(page)
        assert "What this word carries does not decide it." in say(page)
        label = page.locator("[data-word='4']").get_attribute("aria-label")
        assert label == "patch word 5: cat over dog"

    def test_doors(self, site):
        page = site()
        page.locator("[data-act=all]").click()
        here(page)
        assert writes(page)[2] == CLEAN
        assert "reads nothing of the corrupted sentence any more." in say(page)
        page.get_by_label("keys", exact=True).check()
        assert writes(page)[2] == CORRUPTED
        assert "Keys say where to look, and not what is found there." in say(page)
        page.get_by_label("values", exact=True).check()
        assert writes(page)[2] == CLEAN
        assert "What is found where it looks is in the values." in say(page)

    def test_heads(self, site):
        page = site()
        page.locator("[data-head='0-2']").uncheck()
        here(page)
        for head in range(4):
            page.locator(f"[data-head='1-{head}']").uncheck()
        assert ", and head 3 of layer 1 and heads 1, 2, 3 and 4 of layer 2 are" in (
            say(page)
        )
        off = [(0, 2), *((1, head) for head in range(4))]
        view = new(off=off)
        assert writes(page)[2] == view.text
        assert f"goes {view.recovered:.2f} of the way" in say(page)

    def test_what_is_chosen_while_the_model_is_loaded_is_not_lost(self, site):
        page = site()
        page.evaluate("""() => {
            const load = qkvHost.checkpoint;
            qkvHost.checkpoint = (name) => new Promise((resolve) => {
                window.come = () => resolve(load(name));
            });
        }""")
        page.locator("[data-word='1']").uncheck()
        page.locator("[data-word='4']").check()
        page.locator("[data-head='0-0']").uncheck()
        assert "Loading the model" in status(page)
        assert not page.locator("[data-word='1']").is_checked()
        assert page.locator("[data-word='4']").is_checked()
        page.evaluate("come()")
        here(page)
        assert "word 5, the decoder finds" in say(page)
        assert "head 1 of layer 1 is silent" in say(page)

    def test_without_the_file_what_was_there_stays(self, show):
        page = show(board())
        for _ in range(2):
            page.locator("[data-word='1']").click()
            page.get_by_text("The model could not be used").wait_for()
            assert "What was chosen before stays." in status(page)
            assert page.locator("[data-word='1']").is_checked()
            assert writes(page)[2] == "개는 개를 봤어"


class TestSentences:
    def test_another_pair(self, site):
        page = site()
        field(page, 0).fill("you HELPED the brave student.")
        field(page, 1).fill("the bear helped you yesterday")
        field(page, 1).press("Enter")
        here(page)
        assert field(page, 0).input_value() == "you HELPED the brave student."
        view = PatchBoard(
            book(),
            "you helped the brave student",
            "the bear helped you yesterday",
            patched=[1],
        )
        assert writes(page)[2] == view.text
        assert f"{view.recovered:.2f}".replace("-", "−") in say(page)

    def test_fewer_words(self, site):
        page = site(new(patched=[1, 4]))
        field(page, 0).fill("I love cats")
        field(page, 1).fill("you love cats")
        page.locator("[data-act=give]").click()
        here(page)
        assert page.locator("[data-word]").count() == 3
        assert "word 2" in say(page)

    def test_unknown_words_are_named_and_the_nearest_offered(self, site):
        page = site()
        before = say(page)
        field(page, 0).fill("the dgo saw the cat")
        field(page, 1).fill("the penguinn saw the dog")
        field(page, 1).press("Enter")
        assert "It does not know dgo, in the clean sentence." in status(page)
        assert "It does not know penguinn, in the corrupted sentence." in status(page)
        assert say(page) == before
        assert field(page, 0).input_value() == "the dgo saw the cat"
        assert field(page, 0).get_attribute("aria-invalid") == "true"
        page.locator("[data-near=dog]").first.click()
        page.locator("[data-near=penguin]").click()
        here(page)
        assert writes(page)[1].startswith("펭귄")

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ((DOG, "I saw you"), "clean sentence has 5 words and the corrupted one 3."),
            ((" ", CAT), "Type the clean sentence first."),
            ((DOG, ""), "Type the corrupted sentence first."),
            (("the " * 13, "the " * 13), "These are 13 words; 12 are the most"),
        ],
    )
    def test_what_does_not_fit_is_said_and_stays(self, site, typed, said):
        page = site()
        before = say(page)
        for which, text in enumerate(typed):
            field(page, which).fill(text)
        field(page, 0).press("Enter")
        assert said in status(page)
        assert [field(page, i).input_value() for i in range(2)] == list(typed)
        assert say(page) == before

    def test_exchanged(self, site):
        page = site()
        page.locator("[data-act=swap]").click()
        here(page)
        assert [field(page, i).input_value() for i in range(2)] == [CAT, DOG]
        assert writes(page)[2] == "고양이는 고양이를 봤어"
        assert "goes 1.00 of the way from 개 to 고" in say(page)

    def test_one_translation_has_no_way(self, site):
        page = site()
        field(page, 0).fill(CAT)
        field(page, 0).press("Enter")
        here(page)
        assert "there is nothing to go over to" in say(page)
        road = page.locator(".qkv-way-over").get_attribute("aria-label")
        assert road == "nothing to measure"

    def test_known_words_can_be_put_together_without_typing(self, site):
        page = site()
        field(page, 1).fill("I see")
        page.locator(".qkv-more summary").click()
        page.locator(".qkv-words").get_by_text("you", exact=True).click()
        assert field(page, 1).input_value() == "I see you"

    def test_a_sentence_that_is_a_script_is_drawn_not_run(self, show, tmp_path):
        small = checkpoint(tmp_path)
        page = show(PatchBoard(small, f"I {EVIL}", "you see", max_length=5))
        assert EVIL in page.locator(".qkv-patch-bay").inner_text()
        field(page, 0).fill(f"x{EVIL} see")
        field(page, 0).press("Enter")
        assert page.evaluate(HARM) == []


class TestKernel:
    def test_the_browser_asks_the_kernel(self, show):
        page = live(show, board())
        place = page.locator("#live2")
        page.evaluate("""() => {
            model.send = (message) => (window.message = message);
            model.on = (name, listener) => (window.answer = listener);
        }""")
        place.locator("[data-word='1']").uncheck()
        page.evaluate(
            """(text) => {
                const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
                answer({id: message.id}, [new DataView(bytes.buffer)]);
            }""",
            base64.b64encode(book().to_bytes()).decode(),
        )
        place.get_by_text("The model is here").wait_for()
        assert page.evaluate("model.get('patched')") == []
        assert "No word is patched" in place.locator(".qkv-say").inner_text()

    def test_after_a_restart_of_the_kernel_it_says_what_to_do(self, show):
        page = live(show, board())
        place = page.locator("#live2")
        page.evaluate("""() => {
            model.send = () => { throw new Error("Cannot send"); };
        }""")
        place.locator("[data-word='1']").click()
        place.get_by_text("its kernel was started anew; run its cell again").wait_for()
        assert place.locator("[data-word='1']").is_checked()

    def test_no_key_leaves_it(self, show):
        page = live(show, board())
        page.evaluate("""() => {
            window.left = [];
            document.addEventListener("keydown", (event) => left.push(event.key));
        }""")
        place = page.locator("#live0")
        for what in ("[data-word='2']", "[data-head='0-1']", "[data-field='0']"):
            place.locator(what).focus()
            for key in ("ArrowDown", "j", "Enter", "a"):
                page.keyboard.press(key)
        assert page.evaluate("left") == []
        suppressed = place.locator(".qkv-w").get_attribute("data-lm-suppress-shortcuts")
        assert suppressed == "true"

    def test_a_state_that_was_never_run_asks_for_the_model(self, site):
        page = site(body=slot("later", payload(new(), patched=[0, 4])))
        place = page.locator("[data-qkv-widget=later]")
        assert "The model has to run" in place.locator(".qkv-say").inner_text()
        place.locator("[data-act=load]").click()
        place.get_by_text("words 1 and 5 the decoder finds").wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(site, theme):
    page = site(theme=theme)
    assert barriers(page) == []
    page.locator("[data-head='0-2']").uncheck()
    here(page)
    field(page, 0).fill("the dgo saw the cat")
    field(page, 0).press("Enter")
    page.locator(".qkv-more summary").click()
    assert barriers(page) == []


def test_a_small_screen_scrolls_inside_not_across(browser, tmp_path):
    long = "the black rabbit did not like the small penguin"
    path = tmp_path / "page.html"
    widget = PatchBoard(book(), long, "the small penguin did not like the black rabbit")
    path.write_text(page_of(widget, board()), "utf-8")
    with watched_page(browser, viewport={"width": 360, "height": 740}) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        page.locator(".qkv-more summary").first.click()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert unreadable(page) == []
        field(page, 0).first.fill("w" * 400)
        field(page, 0).first.press("Enter")
        assert "It does not know" in page.locator("[role=status]").first.inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.seen.errors == []


def test_on_paper_it_stands_without_controls(site):
    page = site(query="?print")
    assert page.locator("button, input, select").count() == 0
    caption = page.locator("figcaption").inner_text()
    assert caption == f"“{CAT}”, patched from “{DOG}”"
    assert "↓KV" in page.locator(".qkv-patch-bay").inner_text()
    assert writes(page)[2] == "개는 개를 봤어"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pair": [DOG]}, "it has not two sentences"),
        ({"pair": [DOG, "I"]}, "its sentences have 5 and 1 words"),
        ({"patched": [5]}, "a word to patch is none"),
        ({"through": "doors"}, "“doors” is no way to patch"),
        ({"recorded": {}}, "nothing is recorded in it"),
    ],
)
def test_a_broken_state_says_what_is_wrong(show, changes, words):
    page = show(board(), body=slot("broken", payload(new(), **changes)))
    assert words in page.locator("[data-qkv-widget=broken]").inner_text()
