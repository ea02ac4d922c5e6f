"""Patches: its JavaScript model is Python's; its words; and what a reader does."""

import base64
import functools
import json

import pytest
import torch

from qkv.vision import VisionConfig, VisionTransformer, load, rollout, save
from qkv.widgets import Patches
from tests.browser import watched_page
from tests.widgets.checkpoints import keep_checkpoints
from tests.widgets.pages import (
    HARM,
    barriers,
    chance,
    harm,
    live,
    page_of,
    payload,
    says_what_is_wrong,
    state_of,
)
from tests.widgets.patches.sample import EVIL, NAMES, hidden_digits, images, vision
from tests.widgets.test_front_end import CORE, ROOT, run

COMMITTED = sorted(
    path
    for path in (ROOT / "src/qkv/checkpoints").glob("*.safetensors")
    if path.stem in ("digits", "find_the_digit")
)


def look(model, pixels, visible=None):
    """Return a trace's weights "layer image head query key", and its end."""
    with torch.no_grad():
        trace = model.trace(pixels, visible)
    return torch.stack([x.attention.attention.weights for x in trace.encoder]), trace


def asked(file, cases):
    """Look at images in Node, each with what is visible of it."""
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ readCheckpoint }} from "{CORE}/safetensors.js";
        import {{ rollout, visionTransformer }} from "{CORE}/vision.js";
        const {{ file, cases }} = JSON.parse(readFileSync(0, "utf8"));
        const bytes = readFileSync(file);
        const net = visionTransformer(readCheckpoint(
            bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)));
        console.log(JSON.stringify(cases.map(({{ image, visible }}) => {{
            const made = net.look(image, visible ?? undefined);
            return {{ ...made, flow: rollout(made.weights) }};
        }})));
    """
    case = {"file": str(file), "cases": cases}
    return json.loads(run("--input-type=module", "-e", source, text=json.dumps(case)))


def compare(file, pixels):
    """Hold what Node does to what Python does with the same file, some patches hid."""
    model = load(file)
    rows, columns = model.config.grid
    generator = torch.Generator().manual_seed(0)
    visible = torch.rand(len(pixels), rows * columns, generator=generator) > 0.4
    visible[0], visible[-1] = True, False
    given = [None, *visible.tolist()]
    every = torch.cat([torch.ones_like(visible[:1]), visible])
    pixels = torch.cat([pixels[:1], pixels])
    cases = [
        {"image": x.tolist(), "visible": v} for x, v in zip(pixels, given, strict=True)
    ]
    weights, trace = look(model, pixels, every)
    near = {"atol": 1e-4, "rtol": 0}
    for i, made in enumerate(asked(file, cases)):
        found = torch.tensor(made["weights"], dtype=torch.float64)
        torch.testing.assert_close(found.float(), weights[:, i], **near)
        for name in ("logits", "probabilities"):
            wanted = getattr(trace, name)[i]
            torch.testing.assert_close(torch.tensor(made[name]), wanted, **near)
        flow = torch.tensor(made["flow"], dtype=torch.float64)
        torch.testing.assert_close(flow, rollout(list(found)), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"positions": "sinusoidal", "activation": "gelu", "eps": 1e-3},
        {"positions": "none", "norm_first": False, "layers": 3},
        {"image": (8, 12), "patch": 4, "channels": 3, "heads": 1},
    ],
    ids=["learned", "sinusoidal, gelu", "post-norm", "red, green and blue"],
)
def test_the_browsers_model_is_pythons(tmp_path, changes):
    model = vision(seed=len(changes), **changes)
    save(model, tmp_path / "small.safetensors")
    config = model.config
    pixels = images(3, size=config.image, channels=config.channels).pixels
    compare(tmp_path / "small.safetensors", pixels)


@pytest.mark.parametrize("file", COMMITTED, ids=lambda file: file.stem)
def test_the_committed_checkpoints_see_in_the_browser_as_in_python(file):
    size = load(file).config.image
    compare(file, hidden_digits().pixels if size == (24, 24) else images().pixels)


# ---- what it says and stores

SWAYED = 2  # of a model that changes its mind as patches are hidden
small = functools.cache(vision)
wide = functools.cache(lambda: vision(image=(24, 24), patch=4))


def new():
    return Patches(small(), images(), checkpoint="small", names=NAMES)


patches = functools.cache(new)  # what happens in a browser does not change it


@functools.cache
def finder():
    return Patches(wide(), hidden_digits(), checkpoint="wide", names=NAMES)


class TestWords:
    def test_it_says_what_is_seen_and_where_it_looks(self):
        weights, trace = look(small(), images().pixels)
        said = repr(patches())
        assert "8 × 8 pixels as a class token and 16 patches of 2 × 2; 3 images" in said
        says = trace.probabilities.argmax(-1)
        assert f"it is right about {int((says == images().labels).sum())}." in said
        sure = trace.probabilities[0, says[0]]
        name = NAMES[says[0]]
        assert f"The first, a “zero”, it calls “{name}” ({sure:.2f})" in said
        mean = weights[-1, 0, :, 0, 1:].mean(0)
        at = int(mean.argmax())
        place = f"patch {at + 1}, row {at // 4 + 1}, column {at % 4 + 1}"
        assert f"looks most at {place} ({mean[at]:.2f})" in said

    def test_its_state_is_the_same_each_time_and_has_no_weights(self):
        state = state_of(patches())
        assert state == state_of(new())
        assert state["size"] == len(small().to_bytes())
        data, _ = patches()._repr_mimebundle_()
        assert data["text/plain"] == patches().alt

    def test_six_images_of_24_pixels_are_less_than_60_kilobytes(self):
        torch.manual_seed(0)
        model = VisionTransformer(VisionConfig(image=(24, 24), patch=4, layers=4))
        widget = Patches(model, images(6, size=(24, 24)))
        assert len(json.dumps(state_of(widget))) < 60_000
        assert len(widget.fallback()) < 20_000

    def test_what_is_recorded_is_what_the_browser_will_compute(self):
        model = vision(seed=3)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.rand_like(parameter) * 1e-3)
        widget = Patches(model, images())
        with torch.no_grad():
            given = model(images().pixels).softmax(-1)
            for parameter in model.parameters():
                parameter.copy_(parameter.half())
            rounded = model(images().pixels).softmax(-1)
        kept = torch.tensor([run["probabilities"] for run in widget.found])
        assert (kept - rounded).abs().max() < 5.1e-5
        assert (kept - given).abs().max() > (kept - rounded).abs().max()

    def test_the_fallback_has_the_numbers_and_escapes(self):
        text = patches().fallback()
        assert text.count("<table>") == 2
        assert harm(text) == []
        _, trace = look(small(), images().pixels)
        assert f">{trace.probabilities[1].max():.2f}</td>" in text
        assert '<th scope="row">row\xa04</th>' in text

    def test_classes_have_numbers_if_no_names(self):
        assert Patches(small(), images()).names == ["0", "1", "2"]

    def test_who_may_draw(self):
        assert patches().draw
        assert not finder().draw
        assert not Patches(small(), images(), draw=False).draw
        colours = vision(channels=3)
        assert not Patches(colours, images(channels=3)).draw


class TestRefused:
    @pytest.mark.parametrize(
        ("count", "options", "words"),
        [
            (13, {}, "1 to 12 images, not 13"),
            (3, {"names": ["a", "b"]}, "3 classes, but there are 2 names"),
        ],
    )
    def test_what_does_not_fit(self, count, options, words):
        with pytest.raises(ValueError, match=words):
            Patches(small(), images(count), **options)

    def test_no_images_other_images_and_other_classes(self):
        with pytest.raises(ValueError, match="1 to 12 images, not 0"):
            Patches(small(), images()[:0])
        with pytest.raises(ValueError, match="but the images have"):
            Patches(small(), hidden_digits())
        with pytest.raises(ValueError, match="labels run from 0 to 2, but the model's"):
            Patches(vision(classes=2), images())

    def test_what_is_too_large_to_draw(self):
        with pytest.raises(ValueError, match="height = 24 and width = 24 cannot be"):
            Patches(wide(), hidden_digits(), draw=True)


# ---- in a browser


@pytest.fixture
def site(show, tmp_path):
    """A page from disk, with the checkpoints where the site has them."""
    keep_checkpoints(tmp_path, small=small(), wide=wide())

    def opened(widget=None, **options):
        return show(widget or patches(), **options)

    return opened


def say(page):
    return page.locator(".qkv-say").inner_text()


def numbers(page):
    """Return the table's weights: the patches', then the class token's."""
    return page.locator(".qkv-sees td:not(thead td)").all_inner_texts()


def cells(weights):
    *seen, own = [*weights[1:].tolist(), weights[0].item()]
    return ["0" if x < 0.005 else f"{x:.2f}" for x in (*seen, own)]


def says(page):
    return page.locator(".qkv-says .qkv-num").all_inner_texts()


def patch(page, at):
    return page.locator(f"[data-patch='{at}']")


def here(page):
    page.get_by_text("The model is here").wait_for()


class TestLooking:
    def test_what_is_recorded_needs_no_model(self, site):
        page = site()
        loads = []
        page.on("request", lambda request: loads.append(request.url))
        weights, trace = look(small(), images().pixels)
        flow = rollout(list(weights))
        assert numbers(page) == cells(weights[-1, 0, :, 0].mean(0))
        page.locator("[data-pick=layer]").select_option(index=0)
        page.locator("[data-pick=head]").select_option(index=2)
        assert numbers(page) == cells(weights[0, 0, 1, 0])
        assert "Layer 1, head 2: the class token looks most at" in say(page)
        page.locator("[data-pick=image]").select_option(index=2)
        assert numbers(page) == cells(weights[0, 2, 1, 0])
        assert says(page) == [chance(p) for p in trace.probabilities[2].tolist()]
        page.get_by_label("the rollout over all").check()
        assert numbers(page) == cells(flow[2, 0])
        before = chance(flow[2, 0, 0].item())
        ends = f"of what ends up in the class token, {before} was there"
        assert f"Rollout over 2 layers: {ends}" in say(page)
        assert page.locator("[data-pick=layer]").count() == 0
        assert loads == []

    def test_a_patch_that_asks_loads_the_model_once(self, site):
        page = site()
        loads = []
        page.on("request", lambda request: loads.append(request.url))
        weights, _ = look(small(), images().pixels)
        patch(page, 6).click()
        here(page)
        assert numbers(page) == cells(weights[-1, 0, :, 7].mean(0))
        assert "patch 7 (row 2, column 3) looks most at" in say(page)
        assert patch(page, 6).get_attribute("aria-pressed") == "true"
        page.locator("[data-token='12']").click()
        assert numbers(page) == cells(weights[-1, 0, :, 12].mean(0))
        page.get_by_label("the rollout over all").check()
        assert numbers(page) == cells(rollout(list(weights))[0, 12])
        page.locator("[data-token='0']").click()
        page.locator("[data-pick=image]").select_option(index=1)
        assert numbers(page) == cells(rollout(list(weights))[1, 0])
        assert [url.rpartition("/")[2] for url in loads] == ["small.js"]

    def test_the_picture_shows_per_cent_and_the_sentence_all_tokens(self, site):
        page = site()
        weights, _ = look(small(), images().pixels)
        row = weights[-1, 0, :, 0].mean(0).tolist()
        texts = page.locator(".qkv-patch").all_inner_texts()
        assert texts == [str(round(100 * x)) if x >= 0.005 else "" for x in row[1:]]
        words = page.locator("button.qkv-word")
        assert words.count() == 17
        names = words.evaluate_all("(all) => all.map((b) => b.ariaLabel)")
        assert names[0] == f"class token, {round(100 * row[0])} per cent"
        assert (
            names[7] == f"patch 7 (row 2, column 3), {texts[6] or 'under 1'} per cent"
        )
        assert page.locator(".qkv-say").get_attribute("aria-live") == "polite"

    def test_the_digits_true_place_is_outlined_and_measured(self, site):
        page = site(finder())
        found = hidden_digits()
        top, left = found.places[0].tolist()
        image = page.locator(".qkv-image").bounding_box()
        box = page.locator(".qkv-image .qkv-truth").bounding_box()
        pixel = image["width"] / 24
        assert box["x"] - image["x"] == pytest.approx(left * pixel, abs=1)
        assert box["y"] - image["y"] == pytest.approx(top * pixel, abs=1)
        assert box["width"] == pytest.approx(8 * pixel, abs=1)
        weights, _ = look(wide(), found.pixels)
        row = weights[-1, 0, :, 0].mean(0)
        covered = torch.zeros(6, 6, dtype=torch.bool)
        rows, columns = (slice(x // 4, (x + 7) // 4 + 1) for x in (top, left))
        covered[rows, columns] = True
        covered = covered.flatten()
        share, even = row[1:][covered].sum().item(), int(covered.sum()) / 37
        on = "on" if row[1:].max() > row[0] and covered[row[1:].argmax()] else "not on"
        assert f"That is {on} the digit, whose {int(covered.sum())} pa" in say(page)
        assert f"{chance(share)} in all; spread evenly it would be {even:.2f}" in say(
            page
        )


class TestHiding:
    def test_hidden_patches_change_what_it_says(self, site):
        page = site()
        page.get_by_label("hides it").check()
        for at in (5, 0, 10):
            patch(page, at).click()
        here(page)
        visible = torch.ones(1, 16, dtype=torch.bool)
        visible[0, [5, 0, 10]] = False
        weights, trace = look(small(), images().pixels[:1], visible)
        _, full = look(small(), images().pixels[:1])
        assert says(page) == [chance(p) for p in trace.probabilities[0].tolist()]
        expected = cells(weights[-1, 0, :, 0].mean(0))
        shown = numbers(page)
        assert [at for at, text in enumerate(shown) if "hidden" in text] == [0, 5, 10]
        for at in (0, 5, 10):
            expected[at] = shown[at]
        assert shown == expected
        best = trace.probabilities.max().item()
        assert "Without 3 of 16 patches " in say(page)
        assert chance(best) in say(page)
        assert chance(full.probabilities.max().item()) in say(page)
        assert patch(page, 5).get_attribute("aria-label").endswith(", hidden")
        patch(page, 5).click()
        assert "Without 2 of 16 patches" in say(page)
        page.locator("[data-act=all]").click()
        assert says(page) == [chance(p) for p in full.probabilities[0].tolist()]

    def test_an_answer_that_stays_is_not_instead_of_itself(self, site, tmp_path):
        model, one = vision(seed=SWAYED), images().pixels[:1]
        keep_checkpoints(tmp_path, swayed=model)
        page = site(Patches(model, images(), checkpoint="swayed", names=NAMES))
        page.get_by_label("hides it").check()
        full = look(model, one)[1].probabilities[0]
        visible = torch.ones(1, 16, dtype=torch.bool)
        stayed = set()
        for at in range(6):
            patch(page, at).click()
            here(page)
            visible[0, at] = False
            now = look(model, one, visible)[1].probabilities[0]
            stayed.add(stays := bool(now.argmax() == full.argmax()))
            said, was, after = say(page), *(chance(p.max().item()) for p in (full, now))
            if stays:
                assert "instead of" not in said
                assert f"the answer stays “{NAMES[int(now.argmax())]}”" in said
                assert was == after or f"from {was} to {after}" in said
            else:
                assert f"instead of “{NAMES[int(full.argmax())]}”" in said
        assert stayed == {True, False}

    def test_what_is_looked_at_most_is_hidden_first(self, site):
        page = site()
        weights, _ = look(small(), images().pixels[:1])
        visible = torch.ones(1, 16, dtype=torch.bool)
        for _ in range(3):
            best = int(weights[-1, 0, :, 0, 1:].mean(0)[visible[0]].argmax())
            best = int(visible[0].nonzero()[best])
            page.locator("[data-act=top]").click()
            here(page)
            gone = patch(page, best).get_attribute("aria-label")
            assert gone.endswith(", hidden")
            visible[0, best] = False
            weights, _ = look(small(), images().pixels[:1], visible)
        assert page.locator("button.qkv-gone").count() == 3

    def test_all_can_be_hidden_and_then_only_the_class_token_is_left(self, site):
        page = site()
        for _ in range(16):
            page.locator("[data-act=top]").click()
            here(page)
        assert numbers(page)[-1] == "1.00"
        assert "the class token looks most at itself: 1.00" in say(page)
        top = page.locator("[data-act=top]")
        assert top.get_attribute("aria-disabled") == "true"
        top.press("Enter")
        assert page.locator("button.qkv-gone").count() == 16

    def test_another_image_is_seen_whole(self, site):
        page = site()
        page.locator("[data-act=top]").click()
        here(page)
        page.locator("[data-pick=image]").select_option(index=1)
        assert page.locator("button.qkv-gone").count() == 0


def pixels_of(page):
    """Return what is on the pad, read from its labels."""
    labels = page.locator(".qkv-pad button").evaluate_all(
        "(all) => all.map((b) => b.getAttribute('aria-label'))"
    )
    values = [
        0.0 if label.endswith("dark") else round(16 * float(label.split()[-1])) / 16
        for label in labels
    ]
    return torch.tensor(values).view(1, 1, 8, 8)


class TestDrawing:
    def classified(self, page):
        """Hold the classes and the attention of a drawing to Python's."""
        weights, trace = look(small(), pixels_of(page))
        assert says(page) == [chance(p) for p in trace.probabilities[0].tolist()]
        assert numbers(page) == cells(weights[-1, 0, :, 0].mean(0))

    def test_by_pointer(self, site):
        page = site()
        page.locator("[data-act=draw]").click()
        here(page)
        assert "nothing is drawn yet" in say(page)
        box = page.locator(".qkv-pad").bounding_box()

        def at(row, column):
            return (
                box["x"] + box["width"] * (column + 0.5) / 8,
                box["y"] + box["height"] * (row + 0.5) / 8,
            )

        page.mouse.move(*at(1, 3))
        page.mouse.down()
        page.mouse.move(*at(6, 3))
        self.classified(page)  # while it is drawn
        page.mouse.up()
        drawn = pixels_of(page)[0, 0]
        assert drawn[1:7, 3].tolist() == [1.0] * 6
        assert 0 < drawn[3, 2] < 1
        assert drawn[:, 5:].sum() == 0
        self.classified(page)
        page.get_by_label("erase").check()
        page.mouse.click(*at(6, 3))
        assert pixels_of(page)[0, 0, 6, 3] == 0
        page.get_by_label("½").check()
        page.mouse.click(*at(0, 7))
        assert pixels_of(page)[0, 0, 0, 7] == 0.5
        page.keyboard.press("ArrowDown")  # on from where the pointer was
        assert page.evaluate("document.activeElement.dataset.pixel") == "1-7"
        self.classified(page)
        page.locator("[data-act=clear]").click()
        assert pixels_of(page).sum() == 0

    def test_by_keyboard_alone(self, site):
        page = site()
        page.locator("[data-act=draw]").focus()
        page.keyboard.press("Enter")
        here(page)
        keys = "ArrowDown ArrowRight Space ArrowRight 2 Space End Space Space ArrowDown"
        for key in f"{keys} 4 Space".split():
            page.keyboard.press(key)
        wanted = torch.zeros(8, 8)
        wanted[1, 1], wanted[1, 2], wanted[2, 7] = 1.0, 0.5, 1.0
        assert pixels_of(page)[0, 0].tolist() == wanted.tolist()
        focused = "document.activeElement.getAttribute('aria-label')"
        assert page.evaluate(focused) == "row 3, column 8: brightness 1"
        assert page.get_by_label("full").is_checked()
        self.classified(page)

    def test_from_an_example_and_back(self, site):
        page = site()
        page.locator("[data-pick=image]").select_option(index=1)
        page.locator("[data-act=copy]").click()
        here(page)
        assert torch.equal(pixels_of(page), images().pixels[1:2])
        self.classified(page)
        page.locator("[data-pixel='3-3']").press("Space")
        page.keyboard.press("ArrowLeft")  # on from where it was painted
        focused = "document.activeElement.dataset.pixel"
        assert page.evaluate(focused) == "3-2"
        self.classified(page)
        drawn = pixels_of(page)
        page.locator("[data-pick=image]").select_option(index=0)
        assert page.locator(".qkv-pad").count() == 0
        page.locator("[data-pick=image]").select_option("-1")
        assert torch.equal(pixels_of(page), drawn)

    def test_a_drawing_can_be_hidden_and_asked_like_an_image(self, site):
        page = site()
        page.locator("[data-act=copy]").click()
        here(page)
        page.get_by_label("hides it").check()
        patch(page, 3).click()
        visible = torch.ones(1, 16, dtype=torch.bool)
        visible[0, 3] = False
        _, trace = look(small(), pixels_of(page), visible)
        assert says(page) == [chance(p) for p in trace.probabilities[0].tolist()]

    def test_without_a_pad_there_is_no_way_to_it(self, site):
        page = site(finder())
        assert page.locator("[data-act=draw]").count() == 0
        assert page.locator("[data-pick=image] option").count() == 3


def test_by_keyboard_alone(site):
    page = site()
    page.locator("[data-patch='0']").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    here(page)
    assert "patch 7 (row 2, column 3) looks most at" in say(page)
    page.get_by_label("asks where it looks").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_label("hides it").is_checked()
    page.locator("[data-patch='6']").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    assert patch(page, 4).get_attribute("aria-label").endswith(", hidden")
    page.locator("[data-token='0']").focus()
    for key in ("End", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    assert patch(page, 14).get_attribute("aria-label").endswith(", hidden")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    assert "the class token looks most at" in say(page)


class TestModel:
    def test_a_missing_file_is_said_what_is_recorded_stays_and_it_can_be_asked(
        self, show
    ):
        page = show(patches())
        patch(page, 2).click()
        said = "its file checkpoints/small.js could not be loaded. What is recorded"
        page.get_by_text(said).wait_for()
        page.locator("[data-act=load]").click()
        page.get_by_text(said).wait_for()
        assert "For this the model is needed" in say(page)
        page.locator("[data-token='0']").click()
        assert "the class token looks most at" in say(page)

    def test_a_model_for_other_images_is_refused(self, site, tmp_path):
        keep_checkpoints(tmp_path, small=wide())
        page = site()
        patch(page, 2).click()
        page.get_by_text("the file is of a model for other images").wait_for()

    def test_a_model_with_no_file_on_the_site_says_so(self, site):
        page = site(Patches(small(), images()))
        patch(page, 2).click()
        page.get_by_text("run the chapter in JupyterLab").wait_for()

    def test_python_sends_the_weights_when_asked(self):
        widget, sent = Patches(small(), images()), []
        widget.send = lambda *parts: sent.append(parts)
        widget._handle_custom_msg({"type": "other"}, [])
        assert not sent
        widget._handle_custom_msg({"type": "weights", "id": "7", "name": ""}, [])
        assert sent[-1] == ({"type": "weights", "id": "7"}, [small().to_bytes()])

    def test_the_browser_asks_the_kernel(self, show):
        page = live(show, patches())
        place = page.locator("#live2")
        page.evaluate("""() => {
            model.send = (message) => (window.message = message);
            model.on = (name, listener) => (window.answer = listener);
        }""")
        place.locator("[data-act=copy]").click()
        assert "Loading the model" in place.locator("[role=status]").inner_text()
        page.evaluate(
            """(text) => {
                const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
                answer({id: message.id}, [new DataView(bytes.buffer, 3)]);
            }""",
            base64.b64encode(b"---" + small().to_bytes()).decode(),
        )
        place.get_by_text("The model is here").wait_for()
        drawn = page.evaluate("model.get('drawn')")
        assert torch.equal(torch.tensor(drawn), images().pixels[0, 0])


def test_a_name_that_is_a_script_is_drawn_not_run(site):
    page = site()
    page.locator("[data-pick=image]").select_option(index=2)
    assert EVIL in page.locator(".qkv-says").inner_text()
    assert EVIL in page.locator("[data-pick=image]").inner_text()
    assert page.evaluate(HARM) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(site, theme):
    page = site(finder(), theme=theme)
    assert barriers(page) == []
    page.locator("[data-act=top]").click()
    here(page)
    patch(page, 8).click()
    assert barriers(page) == []
    page = site(theme=theme)
    page.locator("[data-act=copy]").click()
    here(page)
    page.get_by_label("the rollout over all").check()
    assert barriers(page) == []


def test_a_small_screen_is_not_scrolled_across(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page_of(patches(), finder()), "utf-8")
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
    with watched_page(browser, **phone) as page:
        page.goto(path.as_uri())
        page.evaluate("qkvHost.ready")
        across = "document.documentElement.scrollWidth"
        assert page.evaluate(across) == 360
        one, two = (page.locator(f"[data-qkv-widget=w{i}]") for i in range(2))
        one.locator("[data-act=draw]").tap()
        one.locator("[data-pixel='4-4']").tap()
        assert pixels_of(page)[0, 0, 4].tolist() == [0, 0, 0, 0.375, 1, 0.375, 0, 0]
        two.get_by_label("the rollout over all").tap()
        assert page.evaluate(across) == 360
        for target in (".qkv-pad button", "button.qkv-patch", "button.qkv-word"):
            sizes = page.locator(target).evaluate_all(
                "(all) => all.map((b) => b.getBoundingClientRect()).map((r) =>"
                " Math.min(r.width, r.height))"
            )
            assert min(sizes) >= 24
        assert page.seen.errors == []


def test_on_paper_attention_and_rollout_stand_without_controls(site):
    page = site(query="?print")
    assert page.locator("button, input, select").count() == 0
    assert page.locator("figure").count() == 2
    words = page.locator("figcaption").all_inner_texts()
    assert "Layer 2, mean of 3 heads: the class token" in words[0]
    assert "Rollout over 2 layers" in words[1]
    weights, _ = look(small(), images().pixels)
    row = page.locator("figure").first.locator(".qkv-sees td:not(thead td)")
    assert row.all_inner_texts() == cells(weights[-1, 0, :, 0].mean(0))


BROKEN = [
    ({"pixels": {"size": [0, 1, 8, 8]}}, "there is no image in it"),
    ({"patch": 3}, "patches of 3 pixels do not divide an image of 8 × 8"),
    ({"found": []}, "the number of images is 3, but that of recorded ones is 0"),
    ({"names": ["a"]}, "its weights do not fit its patches"),
    ({"chosen": 7}, "it has 3 images, and not number 7"),
    ({"query": 17}, "it has 17 tokens, and not number 17"),
    ({"drawn": [[1, 0]]}, "its drawing is not of its images' size"),
]


def test_a_broken_state_says_what_is_wrong(show):
    broken = [(payload(new(), **changes), words) for changes, words in BROKEN]
    says_what_is_wrong(show, [patches()], broken)


def test_the_bundle_is_small():
    assert len(Patches._esm.encode()) <= 46_000
