"""The checkpoints that the package brings keep the claims of their chapters."""

import tomllib
from dataclasses import replace
from pathlib import Path

import jaxtyping
import pytest
import torch

from qkv import vision
from qkv.data import Digits, EnglishKorean, FindTheDigit, FindTheTwin, Scenes
from qkv.decoding import exact_match, translate
from qkv.training import accuracy
from qkv.transformer import TransformerConfig, load
from tools import checkpoint

ROOT = Path(__file__).parents[2]
MEGABYTE = 10**6
FILES = sorted(checkpoint.FOLDER.glob("*.safetensors"))
SAYING = [file for file in FILES if file.stem.startswith("caption_")]
SEEING = [file for file in FILES if file.stem in ("digits", "find_the_digit")]


@pytest.fixture(scope="module")
def corpus():
    # Checking the shapes of so many sentences takes ten times as long as drawing them.
    jaxtyping.config.update("jaxtyping_disable", True)
    made = EnglishKorean()
    jaxtyping.config.update("jaxtyping_disable", False)
    return made


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_committed_checkpoint_is_small_and_there_is_a_way_to_make_it(file):
    assert file.stat().st_size <= MEGABYTE
    assert file.stem in checkpoint.CHECKPOINTS


def test_the_translating_one_is_of_this_corpus(corpus):
    found = load("english_korean")
    assert found.source_vocab.tokens == corpus.source_vocab.tokens
    assert found.target_vocab.tokens == corpus.target_vocab.tokens
    sizes = len(corpus.source_vocab), len(corpus.target_vocab)
    assert found.model.config == TransformerConfig(*sizes)


def test_it_translates_sentences_that_were_held_out(corpus):
    asked = corpus.held_out[::10]
    assert len(asked) >= 100
    assert exact_match(load("english_korean").model, corpus, asked) >= 0.98


def test_it_translates_the_chapters_sentence(corpus):
    example = corpus.parse("I love cats")
    (written,) = translate(load("english_korean").model, corpus, [example])
    assert "".join(written) == "나는 고양이를 좋아해"


@pytest.mark.parametrize("file", SEEING, ids=lambda file: file.stem)
def test_the_seeing_ones_read_digits_that_were_held_out(file):
    model = vision.load(file.stem)
    if model.config.image == (8, 8):
        assert accuracy(model, Digits().held_out) >= 0.95
    else:
        asked = FindTheDigit().sample(300, seed=1, held_out=True)
        assert accuracy(model, asked) >= 0.75


@pytest.mark.parametrize("file", SAYING, ids=lambda file: file.stem)
def test_the_saying_ones_say_pictures_up_to_one_object_more_than_they_were_shown(file):
    assert file.stat().st_size <= 0.4 * MEGABYTE
    model, language = vision.load_captioner(file.stem), file.stem.split("_")[1]
    assert model.output.out_features == len(Scenes(language).vocabulary)
    for number in range(1, 7):
        asked = Scenes(language, fewest=number, most=number).sample(100, seed=7)
        assert checkpoint.right_captions(model, asked) >= 0.95


@pytest.mark.parametrize("file", SAYING, ids=lambda file: file.stem)
def test_their_words_look_at_what_they_name(file):
    model, language = vision.load_captioner(file.stem), file.stem.split("_")[1]
    asked = Scenes(language, fewest=4, most=4).sample(100, seed=7)
    peaks = model.trace(*asked.inputs).attention.weights.argmax(-1, keepdim=True)
    names, covers = asked.speaks_of >= 0, asked.covers(model.encoder.grid[0])
    assert covers.gather(-1, peaks)[names].float().mean() >= 0.9


def test_the_one_that_looks_up_finds_twins_in_handwriting_that_was_held_out():
    (file,) = (file for file in FILES if file.stem == "look_up")
    assert file.stat().st_size <= 0.4 * MEGABYTE
    model, task = vision.load_look_up("look_up"), FindTheTwin()
    twins = task.sample(150, seed=7, held_out=True)
    assert accuracy(model, twins) >= 0.88
    assert accuracy(model, twins.hiding()) <= 0.25
    assert accuracy(model, twins.hiding(another=True)) >= 0.88
    torch.nn.init.zeros_(model.block.gamma)
    assert accuracy(model, twins) <= 0.30


@pytest.mark.parametrize("language", ["english", "korean"])
def test_the_one_that_draws_draws_what_is_said_in_either_language(language):
    (file,) = (file for file in FILES if file.stem == "painter")
    assert file.stat().st_size <= 0.6 * MEGABYTE
    made, world = vision.load_painter("painter"), checkpoint.painted(language)
    for temperature, least in ((0.0, 0.97), (0.5, 0.97), (1.0, 0.9)):
        options = {"temperature": temperature, "count": 200}
        assert checkpoint.right_pictures(made, world, **options) >= least


def test_there_is_one_for_each_language():
    assert [file.stem for file in SAYING] == ["caption_english", "caption_korean"]


def test_a_caption_is_right_as_a_whole():
    asked = Scenes().sample(5, seed=0)
    words = list(asked.target.unbind(1))

    class Reciting(torch.nn.Module):
        def start(self, pixels):
            return 0

        def step(self, token, at):
            said = torch.nn.functional.one_hot(words[at], 15).float()
            return said, min(at + 1, len(words) - 1)

    assert checkpoint.right_captions(Reciting(), asked) == 1.0
    words[1] = torch.where(torch.tensor([1, 0, 0, 1, 0]) > 0, 14, words[1])
    assert checkpoint.right_captions(Reciting(), asked) == pytest.approx(0.6)


def short(corpus, name, steps=2):
    options = {"corpus": corpus} if name == "english_korean" else {}
    return checkpoint.CHECKPOINTS[name](steps, **options)


@pytest.mark.parametrize("name", ["english_korean", "digits"])
def test_a_model_that_is_not_good_enough_is_not_kept(corpus, tmp_path, name):
    file = tmp_path / "small.safetensors"
    file.write_bytes(b"the old one")
    trained = short(corpus, name, 1)
    corpus.held_out, held_out = corpus.held_out[:3], corpus.held_out
    try:
        assert checkpoint.keep(trained, file) < trained.least
    finally:
        corpus.held_out = held_out
    assert file.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [file]
    assert checkpoint.keep(replace(trained, reached=lambda file: 1.0), file) == 1.0
    assert file.read_bytes() != b"the old one"


@pytest.mark.parametrize("name", checkpoint.CHECKPOINTS)
def test_training_again_trains_the_same(corpus, name):
    one, other = (short(corpus, name) for _ in range(2))
    assert one.history.losses == other.history.losses
    pairs = zip(one.model.parameters(), other.model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_checkpoint_that_nobody_knows_is_refused(capsys):
    with pytest.raises(SystemExit):
        checkpoint.main(["digit"])
    assert "no checkpoint is called digit; there are english_korean, dig" in (
        capsys.readouterr().err
    )


def test_the_package_ships_them():
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    package = ROOT / "src" / "qkv"
    shipped = setup["setuptools"]["package-data"]["qkv"]
    found = [file for pattern in shipped for file in package.glob(pattern)]
    assert sorted(found) == FILES
