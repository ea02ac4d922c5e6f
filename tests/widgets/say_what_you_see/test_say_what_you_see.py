"""SayWhatYouSee: its JavaScript says what qkv.vision's captioner says; its words."""

import json
from copy import deepcopy
from functools import cache

import pytest
import torch

from qkv.data import Scene, Scenes, Thing
from qkv.decoding import greedy
from qkv.vision import Captioner, GridEncoder, OneVector, load_captioner, save
from qkv.widgets import SayWhatYouSee
from qkv.widgets.say_what_you_see.say_what_you_see import MOST_WORDS
from tests.browser import watched_page
from tests.widgets.checkpoints import keep_checkpoints
from tests.widgets.pages import (
    EVIL,
    HARM,
    barriers,
    chance,
    harm,
    live,
    page_of,
    payload,
    says_what_is_wrong,
    slot,
    state_of,
    too_small,
    unreadable,
)
from tests.widgets.say_what_you_see.sample import (
    PAGE,
    WORLDS,
    captioner,
    speakers,
    trained,
    view,
)
from tests.widgets.test_front_end import CORE, ROOT, STATIC, run

FOLDER = (ROOT / "src/qkv/widgets/say_what_you_see").as_uri()
COLOURS = ("red", "yellow", "green", "blue")
SHAPES = ("circle", "star", "moon", "square", "triangle", "ring")


def asked(expression, given):
    """Return what a JavaScript expression of the modules gives for each case."""
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import * as captioning from "{FOLDER}/captioning.js";
        import * as scenes from "{CORE}/scenes.js";
        import {{ readCheckpoint }} from "{CORE}/safetensors.js";
        const m = {{ ...captioning, ...scenes }};
        const {{ file, page, voice, cases }} = JSON.parse(readFileSync(0, "utf8"));
        const bytes = file && readFileSync(file);
        const net = file && m.captioner(readCheckpoint(
            bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)));
        console.log(JSON.stringify(cases.map((c) => {expression})));
    """
    return json.loads(run("--input-type=module", "-e", source, text=json.dumps(given)))


def random_pages(count, *, seed=0, least=1):
    """Return pages with 1 to 9 things, as dicts of names by slots."""
    generator = torch.Generator().manual_seed(seed)

    def below(n):
        return int(torch.randint(n, (), generator=generator))

    return [
        {
            divmod(slot, 3): f"{COLOURS[below(4)]} {SHAPES[below(6)]}"
            for slot in torch.randperm(9, generator=generator)[: least + i % 9].tolist()
        }
        for i in range(count)
    ]


def things_of(page):
    """Return a page as the JavaScript counts it: in order, by numbers."""
    split = {slot: name.split() for slot, name in sorted(page.items())}
    return [
        {
            "row": row,
            "column": column,
            "colour": COLOURS.index(colour),
            "shape": SHAPES.index(shape),
        }
        for (row, column), (colour, shape) in split.items()
    ]


def state(language="english"):
    """Return what the widget tells its page of a language."""
    made = view()
    voice = next(v for v in made.voices if v["language"] == language)
    return {"page": made.page, "voice": voice}


# ------------------------------------------------------------ JavaScript = Python


def test_pages_are_painted_as_in_python():
    pages = random_pages(20)
    made = asked("m.painted(page, c)", state() | {"cases": list(map(things_of, pages))})
    world = WORLDS["english"]
    wanted = world.ask([world.scene(page) for page in pages]).pixels
    torch.testing.assert_close(torch.tensor(made), wanted, atol=1e-6, rtol=0)


SAY = """net.say(c.pixels ?? m.painted(page, c.things),
    {visible: c.visible ?? undefined, most: c.most})"""


def compare(file, language, *, count=12, most=9, drawn=False):
    """Hold what Node says to what Python says, with the same file, some places hid.

    A page that Node has ``drawn`` itself is in float64, and Python's in float32.
    """
    model, world = load_captioner(file).double(), WORLDS[language]
    pages = random_pages(count, seed=1)
    generator = torch.Generator().manual_seed(0)
    visible = torch.rand(count, *model.encoder.grid, generator=generator) > 0.4
    visible[0], visible[-1] = True, False
    cases = [
        {"things": things_of(page), "visible": sees.flatten().tolist(), "most": most}
        for page, sees in zip(pages, visible, strict=True)
    ]
    cases[0]["visible"] = None
    pixels = world.ask([world.scene(page) for page in pages]).pixels.double()
    if not drawn:
        for case, image in zip(cases, pixels.tolist(), strict=True):
            case["pixels"] = image
    given = state(language) | {"file": str(file), "cases": cases}
    for i, said in enumerate(asked(SAY, given)):
        source = pixels[i : i + 1], visible[i : i + 1]
        written = greedy(model, *source, max_length=most)
        assert [word["token"] for word in said] == written[0].tolist()
        fed = torch.cat([torch.ones(1, 1, dtype=torch.long), written[:, :-1]], 1)
        with torch.no_grad():
            trace = model.trace(*source, fed)
        near = {"atol": 1e-5 if drawn else 1e-9, "rtol": 0}
        for name, wanted in (
            ("p", trace.probabilities[0]),
            ("weights", trace.weights[0].flatten(1)),
        ):
            found = torch.tensor([word[name] for word in said], dtype=torch.float64)
            torch.testing.assert_close(found, wanted, **near)


@pytest.mark.parametrize(
    ("seed", "changes"),
    [
        (0, {}),
        (1, {"widths": (8, 16, 64)}),
        (2, {"positions": False}),
        (3, {"norm": False}),
    ],
    ids=["small", "as large as the book's", "no positions", "folded already"],
)
def test_the_browsers_captioner_is_pythons(tmp_path, seed, changes):
    save(captioner(seed=seed, **changes), tmp_path / "small.safetensors")
    compare(tmp_path / "small.safetensors", "english")


@pytest.mark.parametrize("language", WORLDS)
def test_the_committed_checkpoints_say_in_the_browser_what_they_say_in_python(language):
    file = ROOT / f"src/qkv/checkpoints/caption_{language}.safetensors"
    compare(file, language, count=24, most=MOST_WORDS, drawn=True)


@pytest.mark.parametrize("language", WORLDS)
def test_the_right_caption_is_the_worlds(language):
    pages, world = random_pages(60, seed=2), WORLDS[language]
    expression = """(() => {
        const right = m.rightCaption(c, voice, page);
        const words = right.map(({word}) => word);
        return {words, of: right.map(({of}) => of), text: m.spelt(words, voice, page)};
    })()"""
    made = asked(expression, state(language) | {"cases": list(map(things_of, pages))})
    for page, right in zip(pages, made, strict=True):
        scene = world.scene(page)
        batch = world.ask([scene])
        assert right["words"] == [*world.say(scene), "<eos>"]
        assert right["of"] == batch.speaks_of[0].tolist()
        assert right["text"] == world.write(world.say(scene))


@pytest.mark.parametrize("language", WORLDS)
def test_wrong_words_are_spelt_as_in_python(language):
    world, generator = WORLDS[language], torch.Generator().manual_seed(0)
    words = world.vocabulary.tokens[3:]
    wrong = [
        [words[i] for i in torch.randint(len(words), (n,), generator=generator)]
        for n in range(30)
    ]
    made = asked("m.spelt(c, voice, page)", state(language) | {"cases": wrong})
    assert made == [world.write(one) for one in wrong]


def test_a_full_page_fits_the_most_words():
    full = Scene(tuple(Thing("red", "star", *divmod(slot, 3)) for slot in range(9)))
    assert max(len(world.say(full)) + 1 for world in WORLDS.values()) <= MOST_WORDS


# ------------------------------------------------------------ what it says and stores


@cache
def book():
    """Return a widget as the chapter has it; what happens in a browser is not kept."""
    return SayWhatYouSee(trained())


def known(objects=PAGE, language="english", hidden=()):
    """Return what Python's captioner of the book says, and its trace."""
    world, model = trained()[f"caption_{language}"]
    model, pixels = deepcopy(model).double(), torch.ones(1, 3, 28, 28)
    if objects:
        pixels = world.ask([world.scene(objects)]).pixels
    pixels = pixels.double()
    visible = torch.ones(1, 7, 7, dtype=torch.bool)
    for row, column in hidden:
        visible[0, row, column] = False
    written = greedy(model, pixels, visible, max_length=MOST_WORDS)
    fed = torch.cat([torch.ones(1, 1, dtype=torch.long), written[:, :-1]], 1)
    with torch.no_grad():
        trace = model.trace(pixels, visible, fed)
    return [world.vocabulary.tokens[i] for i in written[0].tolist()], trace


class TestPython:
    def test_it_says_what_is_there_and_what_is_said_of_it(self):
        tokens, trace = known()
        said = repr(book())
        assert "red circle in row 1, column 1; blue star in row 1, column 3;" in said
        text = WORLDS["english"].write(tokens[:-1])
        assert f"In English it says “{text}”, and that is right." in said
        weights = trace.weights[0, 1]
        at = int(weights.argmax())
        where = f"looks most at row {at // 7 + 1}, column {at % 7 + 1}"
        assert (
            f"Word 2, “circle” ({trace.probabilities[0, 1].max():.2f}), {where}" in said
        )

    def test_its_state_is_the_same_each_time_and_has_no_weights(self):
        state = state_of(view())
        assert state == state_of(view())
        assert len(json.dumps(state_of(book()))) < 25_000
        data, _ = view()._repr_mimebundle_()
        assert data["text/plain"] == view().alt

    def test_what_is_recorded_is_what_a_checkpoint_would_say(self, tmp_path):
        _, model = speakers()["say_english"]
        save(model, tmp_path / "kept.safetensors")
        kept = load_captioner(tmp_path / "kept.safetensors").double()
        world = WORLDS["english"]
        pixels = world.ask([world.scene(PAGE)]).pixels.double()
        written = greedy(kept, pixels, max_length=MOST_WORDS)
        recorded = view().recorded["said"]["english"]
        assert recorded["tokens"] == list(world.vocabulary.decode(written[0]))

    def test_a_reader_reads_and_sets_it(self):
        widget = view()
        widget.objects = {**widget.objects, (1, 1): "빨간 별"}
        assert widget.objects == PAGE | {(1, 1): "red star"}
        assert list(widget.objects) == sorted(widget.objects)
        scene = WORLDS["korean"].scene(widget.objects)
        assert len(scene.things) == 4
        before = widget.recorded["said"]
        widget.hidden = [(6, 0), (2, 4), (2, 4)]
        assert widget.hidden == [[2, 4], [6, 0]]
        assert widget.recorded["said"] != before
        looks = widget.recorded["said"]["english"]["weights"]
        gone = {
            (row, column)
            for row, column in every()
            if all(weights[row][column] == 0 for weights in looks)
        }
        assert gone == {(2, 4), (6, 0)}
        assert "7 × 7 places, 2 hidden," in widget.alt
        widget.language = "korean"
        assert "In Korean it says" in widget.alt
        widget.objects = {}
        assert "with nothing on it" in widget.alt
        assert "and that is wrong" in widget.alt

    def test_its_caption_is_a_text(self):
        widget = SayWhatYouSee(trained(), {(1, 1): "green moon"}, language="korean")
        assert widget.caption == "초록 달이 있다"

    def test_what_the_page_sends_is_understood(self):
        widget = view()
        rows = [[0, 1, "red star"], [2, 2, "blue ring"]]
        widget.set_state({"objects": rows, "hidden": [[0, 0]], "step": 3})
        assert widget.objects == {(0, 1): "red star", (2, 2): "blue ring"}
        assert widget.get_state("objects") == {"objects": rows}
        assert widget.recorded["objects"] == rows

    def test_the_fallback_has_the_page_and_the_words(self):
        text = book().fallback()
        assert text.count("<table>") == 3
        assert harm(text) == []
        assert "<td>red circle</td><td></td><td>blue star</td>" in text
        assert '<th scope="row">row\xa07</th>' in text
        assert "Word 2, “circle”: where it looks" in text
        assert "looks at nothing" in view(hidden=every()).fallback()


def every():
    return [(row, column) for row in range(7) for column in range(7)]


class TestRefused:
    @pytest.mark.parametrize(
        ("trait", "value", "error", "words"),
        [
            (
                "objects",
                {(0, 3): "red star"},
                ValueError,
                "on the slot .row 0, column 3",
            ),
            ("objects", {(0, 0): "pink star"}, ValueError, "'pink star' is no object"),
            ("objects", {0: "red star"}, ValueError, "names the slot 0, but a slot is"),
            ("objects", {(0, 0): 7}, TypeError, "has 7 on the slot"),
            ("objects", ["red star"], TypeError, "is to be a dict of names by slots"),
            ("objects", "red star", TypeError, "is to be a dict of names by slots"),
            ("language", "french", ValueError, "'french', but here is spoken: english"),
            ("step", -1, ValueError, "step is -1, but is to be the number of a word"),
            ("step", MOST_WORDS, ValueError, f"step is {MOST_WORDS}, but is to be"),
            ("hidden", [(7, 0)], ValueError, r"the place \(7, 0\), but a place is a"),
            ("hidden", [3], ValueError, "the place 3, but a place is a"),
            ("hidden", [(0, 0.5)], ValueError, r"the place \(0, 0.5\), but"),
        ],
    )
    def test_what_a_trait_can_not_be(self, trait, value, error, words):
        widget = view()
        with pytest.raises(error, match=words):
            setattr(widget, trait, value)
        assert state_of(widget) == state_of(view())

    def test_speakers_that_do_not_fit(self):
        world, model = speakers()["say_english"]
        korean = WORLDS["korean"]
        with pytest.raises(ValueError, match="speakers is empty"):
            SayWhatYouSee({})
        with pytest.raises(
            ValueError, match="'a' knows 15 words, but its world, korean"
        ):
            SayWhatYouSee({"a": (korean, model)})
        with pytest.raises(ValueError, match="languages are english, english"):
            SayWhatYouSee({"a": (world, model), "b": (world, model)})
        small = Scenes(slots=2, jitter=0, most=4)
        with pytest.raises(ValueError, match="have 16 × 16 pixels; give the Scenes"):
            SayWhatYouSee({"a": (small, model)})
        dot = Captioner(GridEncoder(), 15, score="dot")
        with pytest.raises(ValueError, match="has the score 'dot', but the page runs"):
            SayWhatYouSee({"a": (world, dot)})
        with pytest.raises(TypeError, match="the encoder is of type OneVector"):
            SayWhatYouSee({"a": (world, Captioner(OneVector(GridEncoder()), 15))})


# ------------------------------------------------------------ in Chromium


@pytest.fixture
def site(show, tmp_path):
    """A page from disk, with the checkpoints where the site has them."""
    models = {name: model for name, (_, model) in trained().items()}
    keep_checkpoints(tmp_path, **models)

    def opened(widget=None, **options):
        page = show(widget or book(), **options)
        page.loads = []
        page.on("request", lambda request: page.loads.append(request.url))
        return page

    return opened


def say(page):
    return page.locator(".qkv-say").inner_text()


def words(page):
    """Return the words that have been said so far."""
    spoken = page.locator(".qkv-spoken:not(.qkv-later) > span:first-child")
    return spoken.all_inner_texts()


def numbers(page):
    return page.locator(".qkv-attended td:not(thead td)").all_inner_texts()


def cells(weights):
    return ["0" if x < 0.005 else chance(x) for x in weights.flatten().tolist()]


def here(page):
    page.get_by_text("The model is here").wait_for()


def to_the_end(page):
    page.locator("[data-act=next]").focus()
    page.keyboard.press("End")


class TestSteps:
    def test_it_opens_with_a_word_that_names_something(self, site):
        page = site()
        tokens, trace = known()
        assert words(page) == tokens[:2]
        p = chance(trace.probabilities[0, 1].max().item())
        names = f"“circle” ({p}) names the red circle: it looks most at row "
        assert say(page).startswith(names)
        assert "Candidates: circle " in say(page)
        assert numbers(page) == cells(trace.weights[0, 1])
        assert page.locator(".qkv-say").get_attribute("aria-live") == "polite"
        assert page.loads == []

    def test_word_by_word_by_keyboard(self, site):
        page = site()
        tokens, trace = known()
        page.locator("[data-act=back]").focus()
        page.keyboard.press("Home")
        for at in range(len(tokens)):
            assert words(page) == tokens[: at + 1]
            assert numbers(page) == cells(trace.weights[0, at])
            shown = page.locator(".qkv-figures .qkv-num").all_inner_texts()
            top = trace.probabilities[0, at].topk(5).values.tolist()
            assert shown == [chance(p) for p in top]
            page.keyboard.press("ArrowRight")
        assert say(page).endswith("The caption is right.")
        assert "✓ it says so" in page.locator(".qkv-line1").first.inner_text()
        assert page.locator(".qkv-count").inner_text() == "9 / 9"

    def test_a_word_between_tells_what_the_next_thing_gets(self, site):
        page = site()
        page.locator("[data-act=next]").click()
        _, trace = known()
        inside = WORLDS["english"].ask([WORLDS["english"].scene(PAGE)]).covers(7)[0]
        shares = [(trace.weights[0, 2].flatten() * inside[t]).sum() for t in (4, 1)]
        next_, last = (chance(share.item()) for share in shares)
        assert (
            "what comes next is in the same row: the blue star gets "
            f"{next_} of the attention, the red circle just named {last}." in say(page)
        )

    def test_korean_is_recorded_too_and_says_why_its_particle(self, site):
        page = site()
        page.get_by_label("Korean").check()
        tokens, trace = known(language="korean")
        assert words(page) == tokens[:1]
        assert numbers(page) == cells(trace.weights[0, 0])
        assert page.locator(".qkv-line1").first.inner_text().startswith("Truth")
        assert "빨간 원과 파란 별, 그 아래에 초록 달이 있다" in page.content()
        page.locator(".qkv-bar input").fill("8")
        assert "it is 이 follows from 달, which ends in a consonant." in say(page)
        page.locator("[data-act=next]").click()
        assert "ends every sentence, whatever is in the picture" in say(page)
        assert page.locator(".qkv-spoken").first.get_attribute("lang") == "ko"
        assert page.loads == []


class TestPage:
    def test_a_thing_is_put_and_the_caption_is_said_anew(self, site):
        page = site()
        page.get_by_label("yellow").check()
        page.get_by_label("ring").check()
        page.locator("[data-slot='4']").click()
        here(page)
        tokens, trace = known(PAGE | {(1, 1): "yellow ring"})
        to_the_end(page)
        assert words(page) == tokens
        assert numbers(page) == cells(trace.weights[0, -1])
        label = page.locator("[data-slot='4']").get_attribute("aria-label")
        assert label == "row 2, column 2: yellow ring"
        page.locator("[data-slot='4']").click()  # the same again takes it away
        assert words(page) == known()[0]
        page.locator("[data-slot='0']").click()  # another takes its place
        to_the_end(page)
        assert words(page) == known(PAGE | {(0, 0): "yellow ring"})[0]
        assert [url.rpartition("/")[2] for url in page.loads] == ["caption_english.js"]

    def test_by_keyboard_alone(self, site):
        page = site()
        for _ in range(3):  # the language, Reset, the page
            page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        here(page)
        assert page.evaluate("document.activeElement.dataset.slot") == "4"
        page.keyboard.press("Home")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Delete")
        page.keyboard.press("Delete")
        objects = {(0, 2): "blue star", (1, 1): "red circle", (2, 1): "green moon"}
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowLeft")
        assert page.get_by_label("yellow").is_checked()
        assert page.get_by_label("ring").is_checked()
        page.keyboard.press("Tab")  # Empty the page
        page.keyboard.press("Tab")  # Back
        page.keyboard.press("ArrowRight")
        assert words(page) == known(objects)[0][:3]
        for _ in range(3):  # the slider, Next, the picture
            page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.dataset.place") == "1"
        assert words(page) == known(objects, hidden=[(0, 1)])[0][:3]

    def test_an_empty_page_is_said_all_the_same(self, site):
        page = site()
        page.locator("[data-act=empty]").click()
        here(page)
        assert "but the page is empty: no caption that it learnt from says so" in say(
            page
        )
        empty = page.locator("[data-act=empty]")
        assert empty.get_attribute("aria-disabled") == "true"

    def test_more_than_it_ever_saw(self, site):
        page = site()
        for at in (1, 3, 4):
            page.locator(f"[data-slot='{at}']").click()
            here(page)
        assert "6 objects: it never saw more than 5." in page.content()

    def test_reset_brings_back_what_it_opened_with(self, site):
        page = site()
        rows = page.locator(".qkv-hears").inner_text()
        page.locator("[data-act=top]").click()
        here(page)
        page.locator("[data-slot='4']").click()
        page.get_by_label("Korean").check()
        page.locator("[data-act=reset]").click()
        assert page.locator(".qkv-hears").inner_text() == rows
        assert page.get_by_label("English").is_checked()


class TestHiding:
    def test_what_is_looked_at_is_hidden_and_the_caption_said_anew(self, site):
        page = site()
        hidden = []
        for _ in range(4):
            tokens, trace = known(hidden=hidden)
            at = min(1, len(tokens) - 1)
            place = divmod(int(trace.weights[0, at].argmax()), 7)
            page.locator("[data-act=top]").click()
            here(page)
            hidden.append(place)
            label = page.locator(f"[data-place='{place[0] * 7 + place[1]}']")
            said = label.get_attribute("aria-label")
            assert said == f"row {place[0] + 1}, column {place[1] + 1}, hidden"
        tokens, trace = known(hidden=hidden)
        to_the_end(page)
        assert words(page) == tokens
        shown = numbers(page)
        wanted = cells(trace.weights[0, -1])
        gone = [row * 7 + column for row, column in sorted(hidden)]
        assert [at for at, text in enumerate(shown) if "hidden" in text] == gone
        assert all(shown[i] == wanted[i] for i in range(49) if i not in gone)
        assert (
            "4 places; with all in sight it says"
            in page.locator(".qkv-before1").inner_text()
        )
        full = WORLDS["english"].write(known()[0][:-1])
        told = "the same" if tokens == known()[0] else full
        assert told in page.locator(".qkv-before1").inner_text()
        page.locator("[data-act=all]").click()
        to_the_end(page)
        assert words(page) == known()[0]

    def test_all_hidden(self, site):
        page = site(SayWhatYouSee(trained(), hidden=every()))
        assert "every place is hidden. What is left is what words alone" in say(page)
        top = page.locator("[data-act=top]")
        assert top.get_attribute("aria-disabled") == "true"

    def test_both_captioners_can_be_here(self, site):
        page = site()
        page.locator("[data-act=top]").click()
        here(page)
        page.get_by_label("Korean").check()
        here(page)
        to_the_end(page)
        assert words(page) == known(hidden=[first()], language="korean")[0]
        assert len(page.loads) == 2
        page.get_by_label("English").check()
        to_the_end(page)
        assert words(page) == known(hidden=[first()])[0]
        assert len(page.loads) == 2


def first():
    """Return the place that the second word looks at most."""
    return divmod(int(known()[1].weights[0, 1].argmax()), 7)


class TestKernel:
    def test_it_asks_the_kernel_by_name(self, show):
        page = live(show, book())
        place = page.locator("#live2")
        page.evaluate("window.asked = []; model.send = (m) => asked.push(m)")
        place.locator("[data-slot='4']").click()
        assert page.evaluate(
            "asked.filter(Boolean).map(({type, name}) => [type, name])"
        ) == [["weights", "caption_english"]]
        rows = [[*slot, name] for slot, name in sorted((PAGE | MIDDLE).items())]
        assert page.evaluate("model.get('objects')") == rows
        assert "The model is on its way." in place.locator(".qkv-say").inner_text()

    def test_what_the_kernel_recorded_is_drawn(self, show):
        widget = SayWhatYouSee(trained(), PAGE | MIDDLE)
        page = live(show, book())
        page.evaluate("model.send = () => {}")
        page.locator("#live2 [data-slot='4']").click()
        state = payload(widget)["state"]
        page.evaluate("(x) => model.set('recorded', x)", state["recorded"])
        said = page.locator("#live2 .qkv-spoken:not(.qkv-later)").all_inner_texts()
        assert said == known(PAGE | MIDDLE)[0][:2]

    def test_it_is_given_the_one_that_it_names(self):
        widget, sent = view(), []
        widget.send = lambda *parts: sent.append(parts)
        asked = {"type": "weights", "id": "7", "name": "say_korean"}
        widget._handle_custom_msg(asked, [])
        _, (_, weights) = sent
        assert weights == [speakers()["say_korean"][1].to_bytes()]
        widget._handle_custom_msg(asked | {"name": "other"}, [])
        assert "there is no model 'other'" in sent[-1][0]["error"]


MIDDLE = {(1, 1): "red circle"}
HEIGHT = "document.querySelector('.qkv-w').offsetHeight"


@pytest.mark.parametrize("width", ["736px", "1000px"])
@pytest.mark.parametrize("language", WORLDS)
def test_a_step_never_moves_the_page(site, width, language):
    page = site(SayWhatYouSee(trained(), language=language), width=width)
    high = set()
    page.locator("[data-act=back]").focus()
    page.keyboard.press("Home")
    for _ in range(11):
        high.add(page.evaluate(HEIGHT))
        page.keyboard.press("ArrowRight")
    assert len(high) == 1
    assert high.pop() <= 700


def test_a_script_is_drawn_and_not_run(show):
    state = payload(view())["state"]
    evil = [
        voice | {"words": [EVIL] * len(voice["words"])} for voice in state["voices"]
    ]
    said = {
        language: record | {"tokens": [EVIL] * len(record["tokens"])}
        for language, record in state["recorded"]["said"].items()
    }
    names = {"colours": [EVIL] * 4, "shapes": [EVIL] * 6}
    changes = [
        {"voices": evil},
        {"recorded": state["recorded"] | {"said": said}},
        {"page": state["page"] | names},
        {"language": EVIL},
        {"objects": [[0, 0, EVIL]]},
    ]
    body = "".join(
        slot(f"p{i}", payload(view(), **each) | {"model_id": f"m{i}"})
        for i, each in enumerate(changes)
    )
    page = show(view(), body=body)
    assert page.evaluate(HARM) == []
    assert page.content().count("pwned(1)") > len(changes)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(site, theme):
    page = site(theme=theme)
    assert barriers(page) == []
    page.get_by_label("Korean").check()
    page.locator("[data-act=top]").click()
    here(page)
    page.locator("[data-slot='4']").click()
    assert barriers(page) == []


def test_a_phone_has_large_targets_and_scrolls_not_across(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page_of(book(), view()), "utf-8")
    size = {"width": 360, "height": 740}
    with watched_page(browser, viewport=size, has_touch=True, is_mobile=True) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        for language in ("Korean", "English"):
            page.get_by_label(language).first.check()
            assert page.evaluate("document.documentElement.scrollWidth") == 360
            assert too_small(page) == []
            assert unreadable(page) == []
        sides = page.locator("button.qkv-pocket, button.qkv-spot1").evaluate_all(
            "(all) => all.map((e) => Math.min(e.offsetWidth, e.offsetHeight))"
        )
        assert min(sides) >= 42
        assert page.seen.errors == []
        assert page.seen.foreign == []


def test_on_paper_each_thing_has_its_word(show):
    page = show(book(), query="?print")
    assert page.locator("button, input, select").count() == 0
    captions = page.locator(".qkv-print > figure > figcaption").all_inner_texts()
    tokens, _ = known()
    named = [t for t, token in enumerate(tokens) if token in SHAPES]
    assert captions == [f"Word {t + 1}: “{tokens[t]}”" for t in named]
    assert page.locator(".qkv-print .qkv-places").count() == 3


def test_the_page_and_the_places_have_alternative_texts(site):
    page = site()
    labels = page.locator(".qkv-paper").evaluate_all(
        "(all) => all.map((e) => e.ariaLabel)"
    )
    assert labels[0] == "The page: arrow keys move, Enter puts, Delete takes away"
    assert labels[1].startswith(
        "The picture (red circle in row 1, column 1; blue star in row 1, column 3; "
        "green moon in row 3, column 2) and where “circle” looks"
    )
    assert (
        page.locator("button:not([aria-label])").evaluate_all(
            "(all) => all.filter((e) => !e.textContent.trim()).length"
        )
        == 0
    )


def test_the_module_is_small():
    assert (STATIC / "say_what_you_see.js").stat().st_size <= 48_000


BROKEN = [
    ({"page": {}}, "it has no page with colours and shapes"),
    ({"voices": []}, "it knows no language"),
    ({"language": "french"}, "nobody in it speaks french"),
    ({"objects": [[0, 5, "red star"]]}, "its object 0, 5, red star cannot be on"),
    ({"objects": [[0, 0, "red star"]] * 2}, "two of its objects are in one slot"),
    ({"hidden": [[7, 7]]}, "it hides what is none of its 7 × 7 places"),
    ({"step": -1}, "it has no step -1"),
    ({"recorded": {"said": {}}}, "what is recorded does not fit its words"),
]


def test_a_broken_state_says_what_is_wrong(show):
    broken = [(payload(view(), **changes), words) for changes, words in BROKEN]
    says_what_is_wrong(show, [view()], broken)
