"""PaintASentence: its JavaScript paints, reads and judges as Python does."""

import json
from functools import cache

import pytest
import torch

from qkv.vision import load_painter, save
from qkv.widgets.shared.uniforms import uniforms
from tests.widgets.paint_a_sentence.sample import (
    WORLDS,
    random_painter,
    sentences,
    small,
    view,
    world_of,
)
from tests.widgets.test_front_end import CORE, ROOT, run

FOLDER = (ROOT / "src/qkv/widgets/paint_a_sentence").as_uri()
COMMITTED = ROOT / "src/qkv/checkpoints/painter.safetensors"


def asked(expression, cases, file=None):
    """Return what a JavaScript expression of the modules gives for each case."""
    source = f"""
        import {{ readFileSync }} from "node:fs";
        import * as painting from "{FOLDER}/painting.js";
        import * as reading from "{FOLDER}/reading.js";
        import * as judging from "{FOLDER}/judging.js";
        import {{ uniform }} from "{CORE}/gauss.js";
        import {{ painted, spelt }} from "{CORE}/scenes.js";
        import {{ readCheckpoint }} from "{CORE}/safetensors.js";
        const m = {{ ...painting, ...reading, ...judging, painted, spelt, uniform }};
        const {{ file, page, voices, cases }} = JSON.parse(readFileSync(0, "utf8"));
        const bytes = file && readFileSync(file);
        const net = file && m.painter(readCheckpoint(
            bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)));
        const english = voices[0], korean = voices[1];
        const words = (text) => m.read(text, m.voiceOf(voices, text), page).words;
        console.log(JSON.stringify(cases.map((c) => {expression})));
    """
    made = known_view()
    given = {"file": file and str(file), "page": made.page, "voices": made.voices}
    text = json.dumps(given | {"cases": cases})
    return json.loads(run("--input-type=module", "-e", source, text=text))


@cache
def known_view():
    return view()


# ------------------------------------------------------------ painting

PAINT = """(() => {
    const cells = net.paint(words(c.text), {...c, overruled: new Map(c.overruled)});
    const codes = cells.map(({code}) => code);
    return {codes, p: cells.map(({p}) => p), looks: cells.map(({looks}) => looks),
        picture: net.decode(codes)};
})()"""
SETTINGS = [(0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (1.5, 0.0), (0.0, 1.0), (0.7, 2.0)]


def compare(file, texts, *, tolerance=1e-5):
    """Hold what Node paints to what Python paints, by the same uniform numbers."""
    painter = load_painter(file)
    painter.model.double()
    generator = torch.Generator().manual_seed(5)
    cases = []
    for i, text in enumerate(texts):
        temperature, guidance = SETTINGS[i % len(SETTINGS)]
        drawn = torch.rand(16, generator=generator, dtype=torch.float64).tolist()
        chosen = [[3, 1], [9, 5]] if i % 7 == 6 else []
        cases.append(
            {
                "text": text,
                "uniforms": drawn,
                "temperature": temperature,
                "guidance": guidance,
                "overruled": chosen,
            }
        )
    for case, made in zip(cases, asked(PAINT, cases, file), strict=True):
        said = [world_of(case["text"]).parse(case["text"])]
        tokens = painter.draw(
            said,
            uniform=torch.tensor([case["uniforms"]], dtype=torch.float64),
            temperature=case["temperature"],
            guidance=case["guidance"],
            fixed=dict(case["overruled"]),
        )
        assert made["codes"] == tokens.flatten().tolist(), case
        near = {"atol": tolerance, "rtol": 0}
        logits = painter.logits(said, tokens, guidance=case["guidance"])[0]
        wanted = (logits / (case["temperature"] or 1)).softmax(-1)
        torch.testing.assert_close(torch.tensor(made["p"]).double(), wanted, **near)
        looks = painter.attention(said, tokens)[:, 0]
        for cell, found in enumerate(made["looks"]):
            weights = torch.tensor(found).double()
            width = weights.shape[-1]
            assert width == 15 + cell
            torch.testing.assert_close(weights, looks[:, :, cell, :width], **near)
        picture = painter.pictures(tokens)[0]
        torch.testing.assert_close(torch.tensor(made["picture"]), picture, **near)


@pytest.mark.parametrize(
    ("seed", "changes"),
    [
        (0, {}),
        (1, {"d_model": 64, "d_ff": 128, "codes": 64}),
        (2, {"tied": True}),
        (3, {"norm_first": False}),
        (4, {"positions": "sinusoidal", "layers": (1, 3)}),
    ],
    ids=["small", "as large as the book's", "tied", "post-norm", "sinusoids, 3 layers"],
)
def test_the_browser_paints_what_python_paints(tmp_path, seed, changes):
    save(random_painter(seed=seed, **changes), tmp_path / "small.safetensors")
    compare(tmp_path / "small.safetensors", sentences(18, seed=seed))


def test_the_committed_painter_paints_a_hundred_sentences_as_in_python():
    compare(COMMITTED, sentences(120, seed=3))


LOGITS = """(() => {
    const cells = net.paint(words(c.text), {uniforms: c.uniforms, temperature: 1,
        guidance: c.guidance, overruled: new Map(c.codes.map((x, i) => [i, x]))});
    return cells.map(({logits}) => logits);
})()"""


def test_logits_are_pythons(tmp_path):
    painter = random_painter(seed=6)
    save(painter, tmp_path / "small.safetensors")
    painter = load_painter(tmp_path / "small.safetensors")
    painter.model.double()
    for text, guidance in (("blue ring", 0.0), ("빨간 원이 있다", 1.5)):
        said = [world_of(text).parse(text)]
        codes = torch.arange(16).view(1, 4, 4) % 11
        case = {"text": text, "guidance": guidance, "uniforms": [0.5] * 16}
        case["codes"] = codes.flatten().tolist()
        (made,) = asked(LOGITS, [case], tmp_path / "small.safetensors")
        wanted = painter.logits(said, codes, guidance=guidance)[0]
        torch.testing.assert_close(
            torch.tensor(made).double(), wanted, atol=1e-5, rtol=0
        )


def test_a_seed_gives_the_same_numbers():
    made = asked("(() => {const next = m.uniform(c); return [next(), next()]})()", [7])
    assert made == [uniforms(7, 0, 2).tolist()]


def test_a_code_is_the_first_whose_cumulated_probability_exceeds_the_number():
    p = [0.25, 0.0, 0.5, 0.25]
    cases = [0.0, 0.2499, 0.25, 0.7499, 0.75, 0.9999]
    made = asked(f"m.drawn({p}, c)", cases)
    assert made == [0, 0, 2, 2, 3, 3]
    assert asked("m.drawn([0.5, 0.4], c)", [0.95]) == [1]


def test_codes_become_pictures_and_pictures_codes(tmp_path):
    painter = random_painter(seed=1)
    save(painter, tmp_path / "small.safetensors")
    vae = load_painter(tmp_path / "small.safetensors").tokenizer
    codes = torch.randint(11, (5, 4, 4), generator=torch.Generator().manual_seed(0))
    pixels = WORLDS["english"].sample(12, seed=1).pixels
    file = tmp_path / "small.safetensors"
    made = torch.tensor(asked("net.decode(c)", codes.flatten(1).tolist(), file))
    torch.testing.assert_close(made, vae.pictures(codes), atol=1e-5, rtol=0)
    read = asked("net.encode(c)", pixels.tolist(), file)
    assert read == vae.tokens(pixels).flatten(1).tolist()


def test_one_cell_is_cut_out():
    pixels = torch.arange(3 * 16 * 16).view(3, 16, 16)
    made = asked(f"m.cut({pixels.tolist()}, c, 4)", [0, 6, 15])
    for cell, cut in zip((0, 6, 15), made, strict=True):
        row, column = divmod(cell, 4)
        wanted = pixels[:, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
        assert cut == wanted.tolist()


# ------------------------------------------------------------ reading


@pytest.mark.parametrize("name", WORLDS)
def test_sentences_are_read_as_in_python(name):
    world = WORLDS[name]
    texts = [text for text in sentences(400, seed=1) if world_of(text) is world]
    expression = """(() => {
        const voice = m.voiceOf(voices, c);
        const read = m.read(c, voice, page);
        return {...read, language: voice.language,
            said: m.saidBy(read.rows, voice, page),
            text: m.spelt(read.words, voice, page),
            trouble: m.trouble(read, voice, page)};
    })()"""
    made = asked(expression, texts)
    colours, shapes = known_view().page["colours"], known_view().page["shapes"]
    for text, read in zip(texts, made, strict=True):
        assert read["language"] == name
        assert tuple(read["words"]) == tuple(read["said"]) == world.parse(text)
        assert read["text"] == text
        assert read["trouble"] == ""
        rows = [
            [
                (colours[x["colour"]] if x["colour"] >= 0 else "", shapes[x["shape"]])
                for x in row
            ]
            for row in read["rows"]
        ]
        assert tuple(map(tuple, rows)) == world.read(text)


WRONG = [
    ("red circel", 1, "red circle"),
    ("red star an blue ring", 2, "red star and blue ring"),
    ("red", 1, None),
    ("purple moon", 0, None),
    ("star and", 2, None),
    ("red star blue ring", 2, None),
    ("빨간 원와 파란 별이 있다", 2, "빨간 원과 파란 별이 있다"),
    ("빨간 원이", 3, "빨간 원이 있다"),
    ("빨간 원", 2, "빨간 원이 있다"),
    ("빨간 웡이 있다", 1, "빨간 원이 있다"),
    ("별 그 아래에 달이", 4, "별, 그 아래에 달이 있다"),
]
FAULT = """(() => {
    const voice = m.voiceOf(voices, c);
    const read = m.read(c, voice, page);
    return [read.fault, m.mended(c, voice, page), m.trouble(read, voice, page)];
})()"""


@pytest.mark.parametrize(("text", "place", "nearest"), WRONG)
def test_the_first_wrong_word_is_named_and_the_nearest_sentence(text, place, nearest):
    ((fault, mended, said),) = asked(FAULT, [text])
    assert fault == place
    world = world_of(text)
    with pytest.raises(ValueError, match="no sentence of this world"):
        world.parse(text)
    assert world.write(world.parse(mended)) == mended
    if nearest:
        assert mended == nearest
    word = known_words(text, world)[place : place + 1]
    named = f"Word {place + 1} is “{word[0]}”" if word else "the sentence is not at its"
    assert named in said


def test_a_text_that_a_few_changes_cannot_mend_is_not_tried():
    """What is counted is how often its words are looked up, and not the time."""
    expression = """(() => {
        let count = 0;
        const counting = new Proxy(m.voiceOf(voices, c), {
            get: (voice, name) => { count += 1; return voice[name]; }});
        return [m.mended(c, counting, page), count];
    })()"""
    long = f"star{' and star' * 60} strr"
    assert len(long.split()) == 122
    ((mended, count),) = asked(expression, [long])
    assert mended == ""
    assert count < 10
    short = "red star and blue strr above green moon and yellow ring now"
    ((mended, count),) = asked(expression, [short])
    assert mended == "red star and blue star above green moon and yellow ring"
    assert count > 10


def known_words(text, world):
    words = text.split()
    if world.language == "english":
        return words
    expression = "m.wordsOf(c, m.voiceOf(voices, c), page)"
    return asked(expression, [text])[0]


@pytest.mark.parametrize(
    ("text", "room"),
    [
        ("star above ring above moon", "It says 3 rows"),
        ("star and ring and moon", "It says 3 objects in one row"),
    ],
)
def test_a_sentence_that_no_page_has_room_for(text, room):
    ((fault, _, said),) = asked(FAULT, [text])
    assert fault == -1
    assert said.startswith(room)


def test_nothing_is_typed():
    ((_, mended, said),) = asked(FAULT, [" "])
    assert said.startswith("The sentence is empty")
    assert mended in {"star", "moon", "ring", "circle", "square", "triangle"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("red", "circle star moon square triangle ring"),
        ("red star", "and above"),
        ("red star and ring", "above"),
        ("red star above ring", "and"),
        ("red star and ring above moon and star", ""),
        ("red strr", ""),
        ("빨간 원", "과 | 그 아래에 | 이"),
        ("별과 고리", "그 아래에 | 가"),
        ("별과 고리가", "있다"),
        ("별이 있다", ""),
    ],
)
def test_only_words_that_may_follow_can_be_added(text, wanted):
    (made,) = asked("m.next(c, m.voiceOf(voices, c), page)", [text])
    split = " | " if "|" in wanted else None
    assert made == wanted.split(split)


def test_any_beginning_can_be_finished_by_adding_words():
    """No button leads to where a sentence cannot end."""
    expression = """(() => {
        let next = m.uniform(c), text = "";
        const voice = c % 2 ? korean : english;
        for (let i = 0; i < 40; i++) {
            const may = m.next(text, voice, page);
            if (!may.length) break;
            const word = may[Math.floor(next() * may.length)];
            text = m.spelt([...m.wordsOf(text, voice, page), word], voice, page);
        }
        return text;
    })()"""
    for text in asked(expression, list(range(60))):
        assert world_of(text).parse(text)


# ------------------------------------------------------------ judging


def random_pictures(count):
    """Return pages, some of them with noise on them, and noise alone."""
    world = WORLDS["english"]
    pixels = world.sample(count, seed=4).pixels
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(pixels.shape, generator=generator)
    strength = torch.linspace(0, 1, count)[:, None, None, None]
    return (1 - strength) * pixels + strength * noise


def names_of(scene):
    colours, shapes = known_view().page["colours"], known_view().page["shapes"]
    slots = [-1] * 4
    for thing in scene.things:
        name = colours.index(thing.colour) * len(shapes) + shapes.index(thing.shape)
        slots[2 * thing.row + thing.column] = name
    return slots


def test_the_judge_sees_what_pythons_sees():
    pictures = random_pictures(300)
    made = asked("m.see(c, page)", pictures.tolist())
    seen = WORLDS["english"].see(pictures)
    assert made == [names_of(scene) for scene in seen]
    assert 0 < sum(slots.count(-1) for slots in made) < 1200


def test_a_cell_is_named_by_what_it_is_a_part_of():
    world = WORLDS["english"]
    asked_ = world.sample(40, seed=9)
    name = "m.nameOf(m.cut(c, i, 4), i, page)"
    expression = f"Array.from({{length: 16}}, (_, i) => {name})"
    made = asked(expression, asked_.pixels.tolist())
    for names, scene in zip(made, asked_.scenes, strict=True):
        slots = names_of(scene)
        assert names == [slots[2 * (cell // 8) + cell % 4 // 2] for cell in range(16)]


def test_agreement_is_pythons():
    world = WORLDS["english"]
    texts = [text for text in sentences(500, seed=2) if world_of(text) is world]
    scenes = world.sample(len(texts), seed=8).scenes
    scenes = (*scenes, *(world.layouts(text)[-1] for text in texts))
    texts = texts * 2
    cases = [[text, names_of(scene)] for text, scene in zip(texts, scenes, strict=True)]
    expression = "m.agreement(m.read(c[0], english, page).rows, c[1], page)"
    for found, scene, text in zip(asked(expression, cases), scenes, texts, strict=True):
        wanted = world.agreement(scene, text)
        assert found == {
            name: getattr(wanted, name)
            for name in ("number", "colour", "shape", "place", "right")
        }


def test_layouts_and_what_is_left_open_are_pythons():
    world = WORLDS["english"]
    texts = ["red circle", "circle", "circle and ring", "red star above moon and ring"]
    expression = "m.layouts(m.read(c, english, page).rows, page)"
    for text, made in zip(texts, asked(expression, texts), strict=True):
        wanted = sorted(names_of(scene) for scene in world.layouts(text))
        assert sorted(made) == wanted


OPEN = """(() => {
    const all = m.layouts(m.read(c.text, english, page).rows, page).map((slots) =>
        ({slots, codes: net.encode(m.painted(page, m.thingsOn(slots, page)))}));
    return c.tokens.map((_, cell) => {
        const {count, codes} = m.open(all, c.tokens.slice(0, cell), page);
        const rows = [...codes];
        return [count, rows.map(([code, {share, names}]) => [code, share, names])];
    });
})()"""


@pytest.mark.parametrize("text", ["red circle", "circle and ring", "star above moon"])
def test_what_a_sentence_leaves_open_is_pythons(tmp_path, text):
    """The tokens are those of one of its pages, so that something is always left."""
    save(small(), tmp_path / "small.safetensors")
    made = view(text)
    tokens = small().tokenizer.tokens(
        WORLDS["english"].ask(WORLDS["english"].layouts(text)[1:2]).pixels
    )
    case = {"text": text, "tokens": tokens.flatten().tolist()}
    (found,) = asked(OPEN, [case], tmp_path / "small.safetensors")
    wanted = made._left_open(tokens.flatten())
    for (count, codes), left in zip(found, wanted, strict=True):
        assert count == left["count"] >= 1
        shares = {code: (share, sorted(names)) for code, share, names in codes}
        for code, share, names in left["codes"]:
            assert shares[code] == (pytest.approx(share, abs=1e-5), sorted(names))
        assert sum(share for share, _ in shares.values()) == pytest.approx(1)
    assert found[0][0] == len(WORLDS["english"].layouts(text))
    assert found[15][0] < found[0][0]
