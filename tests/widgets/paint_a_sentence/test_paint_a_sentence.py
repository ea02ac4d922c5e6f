"""PaintASentence: its words, what it stores and refuses, and what a reader does."""

import json
from functools import cache

import pytest
import torch

from qkv.data import Scenes, Slots
from qkv.transformer import LanguageModel, TransformerConfig
from qkv.vision import JointVocabulary, Painter, load_painter, save
from qkv.widgets import PaintASentence
from qkv.widgets.shared.uniforms import uniforms
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
from tests.widgets.paint_a_sentence.sample import (
    SENTENCE,
    SIZES,
    WORLDS,
    random_painter,
    sentences,
    small,
    trained,
    view,
    world_of,
)


@cache
def book():
    """Return a widget as the chapter has it; what happens in a browser is not kept."""
    return PaintASentence(trained(), list(WORLDS.values()))


def drawn(text=SENTENCE, *, seed=1, temperature=0.5, guidance=0.0, fixed=None):
    """Return the tokens that the book's painter draws in Python."""
    painter = load_painter("painter")
    painter.model.double()
    return painter.draw(
        [world_of(text).parse(text)],
        uniform=uniforms(seed, 0, 16)[None],
        temperature=temperature,
        guidance=guidance,
        fixed=fixed,
    )[0]


class TestPython:
    def test_it_says_what_is_painted_and_what_the_judge_reads(self):
        made = view(step=3)
        assert f"A model paints “{SENTENCE}” in 16 tokens, at temperature 0.5" in (
            repr(made)
        )
        reads = f"“{made.reads}”" if made.reads else "no object"
        assert f"A judge reads {reads} in the picture" in made.alt
        assert "Token 4, code " in made.alt

    def test_its_state_is_the_same_each_time_and_has_no_weights(self):
        state = state_of(view())
        assert state == state_of(view())
        assert len(json.dumps(state)) < 70_000
        data, _ = view()._repr_mimebundle_()
        assert data["text/plain"] == view().alt

    def test_what_is_recorded_is_what_a_checkpoint_would_paint(self, tmp_path):
        save(small(), tmp_path / "kept.safetensors")
        kept = load_painter(tmp_path / "kept.safetensors")
        kept.model.double()
        made = view("별과 달이 있다", temperature=1.0, seed=5, guidance=0.5)
        tokens = kept.draw(
            [WORLDS["korean"].parse("별과 달이 있다")],
            uniform=uniforms(5, 0, 16)[None],
            guidance=0.5,
        )
        assert torch.equal(made.tokens, tokens[0])
        assert torch.equal(made.picture, kept.pictures(tokens)[0])
        codes = [step["code"] for step in made.recorded["steps"]]
        assert codes == tokens.flatten().tolist()

    def test_a_reader_reads_and_sets_it(self):
        made = view()
        before = made.recorded
        made.sentence = "Circle and ring."
        assert made.sentence == "circle and ring"
        assert made.recorded != before
        made.overruled = {4: 2, 1: 3}
        assert list(made.overruled) == [1, 4]
        assert made.tokens.flatten()[[1, 4]].tolist() == [3, 2]
        made.temperature = 0
        assert "at temperature 0." in made.alt
        made.sentence = "초록 달이 있다"
        assert "“초록 달이 있다”" in made.alt

    def test_what_the_page_sends_is_understood(self):
        made = view()
        made.set_state({"overruled": [[2, 5]], "step": 3, "temperature": 1})
        assert made.overruled == {2: 5}
        assert made.get_state("overruled") == {"overruled": [[2, 5]]}
        assert made.tokens.flatten()[2] == 5

    def test_the_fallback_has_the_page_and_the_tokens(self):
        text = view().fallback()
        assert text.count("<table>") == 2
        assert harm(text) == []
        assert text.count("<tr>") == 1 + 2 + 1 + 16

    def test_a_cell_not_drawn_yet_is_that_of_a_blank_page(self):
        made = view()
        blank = small().tokenizer.tokens(torch.ones(1, 3, 16, 16)).flatten().tolist()
        assert made.page["paper"] == blank


class TestRefused:
    @pytest.mark.parametrize(
        ("trait", "value", "error", "words"),
        [
            ("sentence", "red circel", ValueError, "word 2 is 'circel'"),
            ("sentence", "star and ring and moon", ValueError, "3 in one row"),
            ("temperature", 1.6, ValueError, "temperature is 1.6, but is to be from"),
            ("temperature", -0.1, ValueError, "from 0 to 1.5"),
            ("guidance", 2.5, ValueError, "guidance is 2.5, but is to be from 0 to 2"),
            ("seed", -1, ValueError, "seed is -1, but is to be from 0 to 9999"),
            ("step", 16, ValueError, "step is 16, but is to be from 0 to 15"),
            ("layer", 2, ValueError, "layer is 2, but is to be from 0 to 1"),
            ("head", 4, ValueError, "head is 4, but is to be from -1 to 3"),
            ("overruled", {16: 0}, ValueError, "cells are 0 to 15"),
            ("overruled", {0: 11}, ValueError, "codes 0 to 10"),
            ("overruled", 7, TypeError, "is to be a dict of codes by cells"),
        ],
    )
    def test_what_a_trait_can_not_be(self, trait, value, error, words):
        made = view()
        with pytest.raises(error, match=words):
            setattr(made, trait, value)
        assert state_of(made) == state_of(view())

    @pytest.mark.parametrize("changes", [{"kv_heads": 1}, {"window": 2}])
    def test_a_model_that_the_page_cannot_compute(self, changes):
        with pytest.raises(ValueError, match="keys for every head and sees all"):
            PaintASentence(random_painter(**changes), list(WORLDS.values()))

    def test_a_painter_of_slots(self):
        english = WORLDS["english"]
        slots = Slots(english)
        both = JointVocabulary(english.vocabulary, codes=slots.n_codes, grid=slots.grid)
        model = LanguageModel(TransformerConfig(1, len(both)))
        with pytest.raises(TypeError, match="of type Slots, but the page shows"):
            PaintASentence(Painter(model, slots, both), english)

    def test_worlds_that_do_not_fit(self):
        english, korean = WORLDS.values()
        with pytest.raises(ValueError, match="worlds is empty"):
            PaintASentence(small(), [])
        with pytest.raises(ValueError, match="languages are english, english"):
            PaintASentence(small(), [english, english])
        with pytest.raises(ValueError, match=r"pages of english have 24 × 24 pixels"):
            PaintASentence(small(), Scenes(**SIZES | {"slots": 3}))
        with pytest.raises(ValueError, match="have 2 sizes and are shifted by up to 0"):
            PaintASentence(small(), Scenes(**SIZES | {"sizes": (1.0, 0.9)}))
        with pytest.raises(ValueError, match=r"leaves out 0.0 of the colours"):
            PaintASentence(small(), Scenes(**SIZES | {"left_out": 0.0}))
        lone = random_painter(languages=("english",))
        with pytest.raises(ValueError, match="does not know 16 words of korean"):
            PaintASentence(lone, korean)
        assert PaintASentence(lone, english).voices[0]["language"] == "english"


# ------------------------------------------------------------ in Chromium


@pytest.fixture
def site(show, tmp_path):
    """A page from disk, with the checkpoint where the site has it, and no motion."""
    keep_checkpoints(tmp_path, painter=trained())

    def opened(widget=None, *, still=True, **options):
        page = show(widget or book(), **options)
        if still:
            page.emulate_media(reduced_motion="reduce")
        page.loads = []
        page.on("request", lambda request: page.loads.append(request.url))
        return page

    return opened


def say(page):
    return page.locator(".qkv-say").inner_text()


def judge(page):
    return page.locator(".qkv-judge").inner_text()


def here(page):
    page.get_by_text("The model is here").wait_for()


def paint(page, text):
    page.locator("input[name=text]").fill(text)
    page.keyboard.press("Enter")
    here(page)


def codes(page):
    """Return the codes of all cells, as the sentence of each says them."""
    found = []
    for cell in range(16):
        page.locator(f"[data-cell='{cell}']").click()
        found.append(int(say(page).split("token ")[1].split(",")[0]))
    return found


class TestSteps:
    def test_it_opens_with_the_picture_and_the_judge_without_the_model(self, site):
        page = site()
        assert page.locator(".qkv-count").inner_text() == "16 / 16"
        assert f"The judge reads “{book().reads}”" in judge(page)
        assert page.loads == []
        assert page.locator(".qkv-blank:not(.qkv-key)").count() == 1  # it looks at 15

    def test_cell_by_cell_by_keyboard(self, site):
        page = site()
        page.locator("[data-act=back]").focus()
        page.keyboard.press("Home")
        steps = book().recorded["steps"]
        for at, step in enumerate(steps):
            row, column = divmod(at, 4)
            where = (
                f"Cell {at + 1}, row {row + 1}, column {column + 1}: the model draws"
            )
            assert say(page).startswith(f"{where} token {step['code']}, ")
            found = page.locator(".qkv-cand b").all_inner_texts()
            assert found == [chance(p) for _, p in step["top"]]
            weights = torch.tensor(step["looks"][-1]).mean(0)
            most = float(weights.max())
            assert f"({chance(most)}; layer 3, mean of 4 heads)." in say(page)
            sheet = page.locator(".qkv-easel1").first
            assert sheet.locator(".qkv-blank").count() == 15 - at
            page.keyboard.press("ArrowRight")
        assert page.loads == []

    def test_on_the_board_arrows_go_to_another_cell_and_leave_it_never(self, site):
        page = site()
        page.evaluate(
            "addEventListener('keydown', (e) => { window.left = e.key; })"
        )  # what JupyterLab would hear
        page.locator("[data-cell='15']").focus()
        for key, cell in (
            ("ArrowUp", 11),
            ("Home", 8),
            ("ArrowLeft", 8),
            ("ArrowDown", 12),
            ("End", 15),
            ("ArrowRight", 15),
        ):
            page.keyboard.press(key)
            assert page.evaluate("document.activeElement.dataset.cell") == str(cell)
            assert page.locator(".qkv-count").inner_text() == f"{cell + 1} / 16"
        page.keyboard.press("Enter")
        assert page.evaluate("window.left") is None

    def test_layer_and_head(self, site):
        page = site()
        page.locator("[data-pick=layer]").select_option(index=0)
        page.locator("[data-pick=head]").select_option(index=3)
        weights = torch.tensor(book().recorded["steps"][15]["looks"][0][2])
        assert f"({chance(float(weights.max()))}; layer 1, head 3)" in say(page)


class TestPainting:
    def test_a_typed_sentence_is_painted_as_in_python(self, site):
        page = site()
        text = "yellow star above green moon and ring"
        paint(page, text)
        assert page.locator(".qkv-count").inner_text() == "16 / 16"
        assert codes(page) == drawn(text).flatten().tolist()
        assert [url.rpartition("/")[2] for url in page.loads] == ["painter.js"]

    def test_the_settings_paint_anew(self, site):
        page = site()
        page.get_by_label("Temperature").fill("12")
        here(page)
        page.get_by_label("Guidance").fill("4")
        page.get_by_label("Seed").fill("77")
        page.get_by_label("Seed").press("Tab")
        page.locator("[data-act=again]").click()
        wanted = drawn(seed=78, temperature=1.2, guidance=1.0)
        assert codes(page) == wanted.flatten().tolist()
        page.locator("[data-act=reset]").click()
        assert page.get_by_label("Seed").input_value() == "1"
        assert codes(page) == book().tokens.flatten().tolist()

    def test_temperature_0_takes_the_likeliest(self, site):
        page = site()
        page.get_by_label("Temperature").fill("0")
        here(page)
        assert codes(page) == drawn(temperature=0).flatten().tolist()
        assert "the likeliest is drawn" in page.content()

    def test_another_language_says_the_same(self, site):
        page = site()
        page.locator("[data-act=language]").click()
        here(page)
        text = "빨간 원, 그 아래에 파란 고리가 있다"
        field = page.locator("input[name=text]")
        assert field.input_value() == text
        assert page.locator(".qkv-lexeme").first.get_attribute("lang") == "ko"
        assert codes(page) == drawn(text).flatten().tolist()
        page.locator("[data-act=language]").click()
        assert field.input_value() == SENTENCE

    def test_with_motion_the_cells_come_one_by_one(self, site):
        page = site(still=False)
        page.emulate_media(reduced_motion="no-preference")
        page.locator("[data-act=paint]").click()  # what is recorded needs no model
        assert page.locator(".qkv-count").inner_text() != "16 / 16"
        assert say(page) == "Painting …"
        page.get_by_text("16 / 16").wait_for()
        page.wait_for_function(
            "document.querySelector('.qkv-say').innerText.startsWith('Cell 16')"
        )
        assert page.loads == []

    def test_what_is_painted_while_the_model_comes_stands_whole(self, site):
        page = site(still=False)
        page.emulate_media(reduced_motion="no-preference")
        page.evaluate("""() => {
            const load = qkvHost.checkpoint;
            qkvHost.checkpoint = (name) => new Promise((resolve) => {
                window.come = () => resolve(load(name));
            });
        }""")
        page.locator("[data-act=again]").click()
        page.locator("input[name=text]").fill("green moon")
        page.keyboard.press("Enter")
        page.evaluate("come()")
        here(page)
        assert page.locator(".qkv-count").inner_text() == "16 / 16"
        assert "The judge reads “" in judge(page)

    def test_a_step_stops_the_motion(self, site):
        page = site(still=False)
        page.emulate_media(reduced_motion="no-preference")
        page.locator("[data-act=paint]").click()
        page.locator("[data-cell='9']").click()
        page.wait_for_timeout(400)
        assert page.locator(".qkv-count").inner_text() == "10 / 16"
        assert say(page).startswith("Cell 10")


class TestOverruling:
    def test_another_candidate_is_taken_and_the_rest_follows(self, site):
        page = site()
        page.locator("[data-cell='2']").click()
        second = book().recorded["steps"][2]["top"]
        other = next(
            i
            for i, (code, _) in enumerate(second)
            if code != book().recorded["steps"][2]["code"]
        )
        page.locator(f"[data-candidate='{other}']").click()
        here(page)
        code = second[other][0]
        assert f"you chose token {code}, " in say(page)
        assert codes(page) == drawn(fixed={2: code}).flatten().tolist()
        label = page.locator("[data-cell='2']").get_attribute("aria-label")
        assert label.endswith(", chosen by you")
        assert "1 of its tokens is yours" in page.content()
        page.locator("[data-act=model]").click()
        assert codes(page) == drawn().flatten().tolist()

    def test_an_earlier_choice_gives_up_the_later_ones(self, site):
        page = site()
        for cell in (8, 4):
            page.locator(f"[data-cell='{cell}']").click()
            page.locator("[data-candidate][aria-pressed=false]").first.click()
            here(page)
        assert page.evaluate(
            "[...document.querySelectorAll('[data-cell]')].filter("
            "(e) => e.ariaLabel.endsWith('by you')).map((e) => e.dataset.cell)"
        ) == ["4"]

    def test_by_keyboard(self, site):
        page = site()
        page.locator("[data-candidate='0']").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.dataset.candidate") == "3"
        page.keyboard.press("Enter")
        here(page)
        pressed = page.locator("[data-candidate='3']").get_attribute("aria-pressed")
        assert pressed == "true"
        assert page.evaluate("document.activeElement.dataset.candidate") == "3"


class TestTyping:
    def test_a_wrong_word_is_named_and_the_sentence_mended(self, site):
        page = site()
        field = page.locator("input[name=text]")
        field.fill("red circel above blue ring")
        page.keyboard.press("Enter")
        alert = page.get_by_role("alert")
        assert "Word 2 is “circel”, where there may stand a shape (circle," in (
            alert.inner_text()
        )
        assert field.input_value() == "red circel above blue ring"
        assert f"The judge reads “{book().reads}”" in judge(page)  # the picture stays
        page.locator("[data-act=mend]").click()
        assert field.input_value() == SENTENCE
        assert alert.count() == 0
        assert page.evaluate("document.activeElement.dataset.act") == "paint"
        assert page.loads == []

    def test_a_sentence_of_buttons_alone(self, site):
        page = site()
        page.locator("[data-act=clear]").click()
        words = page.locator(".qkv-lexeme")
        for name in ("green", "moon", "and", "ring"):
            words.get_by_text(name, exact=True).click()
        words.get_by_text("and", exact=True).dispatch_event("click")  # no room for it
        assert page.locator("input[name=text]").input_value() == "green moon and ring"
        page.locator("[data-act=takeback]").click()
        page.locator("[data-act=takeback]").click()
        page.locator("[data-act=paint]").click()
        here(page)
        assert codes(page) == drawn("green moon").flatten().tolist()

    def test_words_by_keyboard(self, site):
        page = site()
        page.locator("[data-act=clear]").click()
        page.locator("[data-word='0']").focus()
        for key in ("Enter", "End", "ArrowLeft", "ArrowLeft", "Enter"):
            page.keyboard.press(key)
        assert page.locator("input[name=text]").input_value() == "red ring"

    def test_what_is_typed_stays_where_the_model_can_not_be_loaded(self, show):
        page = show(PaintASentence(small(), list(WORLDS.values()), name="nowhere"))
        page.emulate_media(reduced_motion="reduce")
        page.locator("input[name=text]").fill("green moon")
        page.keyboard.press("Enter")
        page.get_by_text("The model could not be used").wait_for()
        assert "Your sentence stays" in page.locator(".qkv-model").inner_text()
        assert page.locator("input[name=text]").input_value() == "green moon"
        assert say(page) == "For this the model is needed."
        page.locator("[data-act=reset]").click()
        assert say(page).startswith("Cell 16")
        page.seen.errors.clear()  # the browser says itself what it did not find

    def test_a_painter_of_other_words_is_refused(self, show, tmp_path):
        keep_checkpoints(tmp_path, painter=random_painter(languages=("english",)))
        page = show(view())
        page.locator("[data-act=again]").click()
        page.get_by_text("the file is of a painter of other words").wait_for()


class TestKernel:
    def test_it_asks_the_kernel_by_name(self, show):
        page = live(show, view())
        place = page.locator("#live2")
        page.evaluate("window.asked = []; model.send = (m) => asked.push(m)")
        place.locator("[data-act=again]").click()
        asked = page.evaluate(
            "asked.filter(Boolean).map(({type, name}) => [type, name])"
        )
        assert asked == [["weights", "painter"]]
        assert page.evaluate("model.get('seed')") == 2
        assert say(place) == "The model is on its way."

    def test_what_the_kernel_recorded_is_drawn(self, show):
        page = live(show, view())
        page.evaluate("model.send = () => {}")
        place = page.locator("#live2")
        place.locator("[data-act=again]").click()
        recorded = payload(view(seed=2))["state"]["recorded"]
        page.evaluate("(x) => model.set('recorded', x)", recorded)
        assert f"token {recorded['steps'][15]['code']}, " in say(place)

    def test_it_is_given_the_weights(self):
        made, sent = view(), []
        made.send = lambda *parts: sent.append(parts)
        made._handle_custom_msg({"type": "weights", "id": "7", "name": "painter"}, [])
        _, (_, weights) = sent
        assert weights == [small().to_bytes()]


HEIGHT = "document.querySelector('.qkv-w').offsetHeight"


@pytest.mark.parametrize(
    ("width", "most"), [("690px", 720), ("736px", 700), ("1000px", 700)]
)
def test_a_step_never_moves_the_page(site, width, most):
    page = site(
        PaintASentence(
            trained(), list(WORLDS.values()), "yellow star and ring above blue triangle"
        ),
        width=width,
    )
    high = set()
    page.locator("[data-cell='15']").focus()
    for cell in range(16):
        page.locator(f"[data-cell='{cell}']").click()
        high.add(page.evaluate(HEIGHT))
    assert len(high) == 1
    assert high.pop() <= most


def test_a_script_is_drawn_and_not_run(show):
    state = payload(view())["state"]
    evil = [voice | {"words": [EVIL] * 20} for voice in state["voices"]]
    names = {"colours": [EVIL] * 4, "shapes": [EVIL] * 6}
    changes = [
        {"voices": evil},
        {"page": state["page"] | names},
        {"sentence": EVIL},
        {"voices": [{"language": EVIL, "words": []}]},
    ]
    body = "".join(
        slot(f"p{i}", payload(view(), **each) | {"model_id": f"m{i}"})
        for i, each in enumerate(changes)
    )
    page = show(view(), body=body)
    assert page.evaluate(HARM) == []
    assert page.content().count("pwned(1)") > len(changes)
    page.locator("input[name=text]").first.fill(EVIL)
    page.keyboard.press("Enter")
    assert page.evaluate(HARM) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(site, theme):
    page = site(theme=theme)
    assert barriers(page) == []
    page.locator("[data-act=language]").click()
    here(page)
    page.locator("[data-cell='5']").click()
    page.locator("[data-candidate][aria-pressed=false]").first.click()
    page.locator("input[name=text]").fill("빨간 웡")
    page.keyboard.press("Enter")
    assert barriers(page) == []


def test_a_phone_has_large_targets_and_scrolls_not_across(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page_of(view(), view("빨간 원과 파란 별이 있다")), "utf-8")
    size = {"width": 360, "height": 740}
    with watched_page(browser, viewport=size, has_touch=True, is_mobile=True) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert too_small(page) == []
        assert unreadable(page) == []
        sides = page.locator("button.qkv-tile").evaluate_all(
            "(all) => all.map((e) => Math.min(e.offsetWidth, e.offsetHeight))"
        )
        assert min(sides) >= 44
        assert page.seen.errors == []
        assert page.seen.foreign == []


@pytest.fixture
def phone(browser, tmp_path):
    """A page on a phone: of its 360 pixels the site leaves a widget 328, as here."""
    path = tmp_path / "page.html"
    size = {"width": 344, "height": 740}
    options = {"has_touch": True, "is_mobile": True, "reduced_motion": "reduce"}
    with watched_page(browser, viewport=size, **options) as page:

        def opened(widget):
            path.write_text(page_of(widget), "utf-8")
            page.goto(path.as_uri())
            page.evaluate("qkvHost.ready")
            return page

        yield opened
        assert page.seen.errors == []


EDGES = """(name) => {
    const {top, bottom} = document.querySelector(name).getBoundingClientRect();
    return [top, bottom];
}"""
SHORT = "red circle above blue ring"
LONG = "yellow star and ring above blue triangle"


def test_a_long_word_makes_the_page_no_wider(phone):
    page = phone(book())
    page.locator("input[name=text]").fill("x" * 400)
    page.keyboard.press("Enter")
    assert "Word 1 is “xxx" in page.get_by_role("alert").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == 344


@pytest.mark.parametrize("text", [SHORT, LONG])
def test_on_a_phone_what_changes_is_beside_what_changes_it(phone, text):
    page = phone(book_of(text))
    high = set()
    for cell in range(16):
        page.locator(f"[data-cell='{cell}']").tap()
        high.add(page.evaluate(HEIGHT))
        top, bottom = page.evaluate(EDGES, ".qkv-easel1")
        first, _ = page.evaluate(EDGES, "[data-candidate='0']")
        _, second = page.evaluate(EDGES, "[data-candidate='1']")
        assert top <= first < second <= bottom
        field, _ = page.evaluate(EDGES, "input[name=text]")
        assert bottom - field <= 740
    assert len(high) == 1
    assert high.pop() <= 1400


def test_on_a_phone_the_words_that_may_follow_are_in_sight(phone):
    page = phone(book())
    page.locator("[data-act=clear]").tap()
    for word in ("red", "circle", "above", "ring"):
        page.locator(".qkv-lexeme").get_by_text(word, exact=True).tap()
        x = page.locator(".qkv-lexeme[aria-disabled=false]").first.bounding_box()["x"]
        assert 0 < x < 300
    assert page.locator("input[name=text]").input_value() == "red circle above ring"
    assert page.evaluate("document.documentElement.scrollWidth") == 344


def test_on_paper_the_picture_grows(show):
    page = show(view(), query="?print")
    assert page.locator("button, input, select").count() == 0
    captions = page.locator(".qkv-print > figure > figcaption").all_inner_texts()
    assert captions == [f"After {n} of 16 tokens" for n in (6, 11, 16)]
    assert page.locator(".qkv-print .qkv-easel1").count() == 6


def test_boards_and_buttons_have_alternative_texts(site):
    page = site()
    page.locator("[data-cell='6']").click()
    labels = page.locator(".qkv-easel1").evaluate_all(
        "(all) => all.map((e) => e.ariaLabel)"
    )
    assert labels[0] == "The picture, token by token: arrow keys go to another"
    assert labels[1].startswith("Its attention to the cells drawn before: row 1, col")
    cells = page.locator("[data-cell]").evaluate_all(
        "(all) => all.map((e) => e.ariaLabel)"
    )
    assert cells[7] == "row 2, column 4: not drawn yet"
    assert cells[0].startswith("row 1, column 1: ")
    first = page.locator("[data-candidate='0']").get_attribute("aria-label")
    assert ", token " in first
    assert page.locator(".qkv-say").get_attribute("aria-live") == "polite"
    unnamed = "(all) => all.filter((e) => !e.textContent.trim() && !e.ariaLabel).length"
    assert page.locator("button").evaluate_all(unnamed) == 0


BROKEN = [
    ({"page": {}}, "it has no page with colours and shapes"),
    ({"voices": []}, "it knows no language"),
    ({"voices": [{"language": "french", "words": []}]}, "it knows no language french"),
    ({"sentence": "red"}, "its sentence cannot be painted: After “red” the sentence"),
    ({"step": -1}, "it has no step -1"),
    ({"temperature": -1}, "its temperature or its guidance is none"),
    ({"overruled": [[16, 0]]}, "it overrules cells that are none"),
    ({"recorded": {}}, "what is recorded does not fit its picture"),
]


def test_a_broken_state_says_what_is_wrong(show):
    broken = [(payload(view(), **changes), words) for changes, words in BROKEN]
    says_what_is_wrong(show, [view()], broken)


def test_what_the_sentence_leaves_open_is_said(site):
    """Of "red circle" four pages fit: the truth stands beside the model."""
    page = site(PaintASentence(trained(), list(WORLDS.values()), "red circle"))
    page.locator("[data-cell='0']").click()
    step = book_of("red circle").recorded["steps"][0]
    share = {code: share for code, share, _ in step["open"]["codes"]}[step["code"]]
    fits = "of the 4 pages that fit the sentence and the tokens before"
    assert f"{fits}, {share:.2f} have this token here" in say(page)


def book_of(text):
    return PaintASentence(trained(), list(WORLDS.values()), text)


def test_sentences_of_the_sample_are_of_both_languages():
    said = sentences(20)
    assert len(said) == 20
    assert sum(world_of(text) is WORLDS["korean"] for text in said) == 10
