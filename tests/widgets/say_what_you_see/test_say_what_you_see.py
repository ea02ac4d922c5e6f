"""SayWhatYouSee: its JavaScript says what qkv.vision's captioner says; its words."""

import json

import pytest
import torch

from qkv.data import Scene, Thing
from qkv.decoding import greedy
from qkv.vision import load_captioner, save
from qkv.widgets.say_what_you_see.say_what_you_see import MOST_WORDS
from tests.widgets.say_what_you_see.sample import WORLDS, captioner, view
from tests.widgets.test_front_end import CORE, ROOT, run

FOLDER = (ROOT / "src/qkv/widgets/say_what_you_see").as_uri()
COLOURS = ("red", "yellow", "green", "blue")
SHAPES = ("circle", "star", "moon", "square", "triangle", "ring")


def asked(expression, given):
    """Return what a JavaScript expression of the modules gives for each case."""
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import * as captioning from "{FOLDER}/captioning.js";
        import * as wording from "{FOLDER}/wording.js";
        import {{ readCheckpoint }} from "{CORE}/safetensors.js";
        const m = {{ ...captioning, ...wording }};
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


@pytest.mark.parametrize("language", WORLDS)
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
def test_the_browsers_captioner_is_pythons(tmp_path, language, seed, changes):
    model = captioner(language, seed=seed, **changes)
    save(model, tmp_path / "small.safetensors")
    compare(tmp_path / "small.safetensors", language)


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
