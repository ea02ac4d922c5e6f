"""The checkpoint that the package brings keeps the claim of chapter 7."""

import tomllib
from pathlib import Path

import jaxtyping
import pytest
import torch

from qkv.data import EnglishKorean
from qkv.decoding import exact_match, translate
from qkv.transformer import Transformer, TransformerConfig, load
from tools import checkpoint

ROOT = Path(__file__).parents[2]
MEGABYTE = 10**6


@pytest.fixture(scope="module")
def corpus():
    # Checking the shapes of so many sentences takes ten times as long as drawing them.
    jaxtyping.config.update("jaxtyping_disable", True)
    made = EnglishKorean()
    jaxtyping.config.update("jaxtyping_disable", False)
    return made


def test_the_committed_checkpoint_is_small_and_of_this_corpus(corpus):
    assert checkpoint.FILE.stat().st_size <= MEGABYTE
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


def test_a_model_that_is_not_good_enough_is_not_kept(corpus, tmp_path):
    file = tmp_path / "small.safetensors"
    file.write_bytes(b"the old one")
    torch.manual_seed(0)
    sizes = len(corpus.source_vocab), len(corpus.target_vocab)
    model = Transformer(TransformerConfig(*sizes, layers=(1, 1)))
    corpus.held_out, held_out = corpus.held_out[:3], corpus.held_out
    try:
        assert checkpoint.keep(model, corpus, file) < checkpoint.REACHED
    finally:
        corpus.held_out = held_out
    assert file.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [file]


def test_training_again_trains_the_same(corpus):
    one, other = (checkpoint.train(corpus, steps=2) for _ in range(2))
    assert one[1].losses == other[1].losses
    assert all(map(torch.equal, one[0].parameters(), other[0].parameters()))


def test_the_package_ships_it():
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    package = ROOT / "src" / "qkv"
    shipped = setup["setuptools"]["package-data"]["qkv"]
    found = [file for pattern in shipped for file in package.glob(pattern)]
    assert found == [checkpoint.FILE]
