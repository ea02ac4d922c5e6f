"""Checkpoints of a painter: what is saved comes back, with its words."""

import json

import pytest
import torch
from safetensors.torch import save_file

from qkv.data import Scenes, Slots, Vocabulary
from qkv.transformer import LanguageModel, TransformerConfig
from qkv.vision import (
    DiscreteVAE,
    DiscreteVAEConfig,
    JointVocabulary,
    Painter,
    load,
    load_painter,
    save,
)
from qkv.vision.painting import PAINTER

WORDS = Vocabulary(["빨간", "star"])
SAID, UNIFORM = [("빨간", "star"), ()], torch.rand(2, 4)


def made(**changes) -> Painter:
    torch.manual_seed(5)
    tokenizer = DiscreteVAE(DiscreteVAEConfig((4, 4), patch=2, codes=7, width=11))
    both = JointVocabulary(WORDS, codes=7, text=4, grid=(2, 2))
    sizes = {"d_model": 8, "heads": 2, "d_ff": 11, "positions": "learned"} | changes
    config = TransformerConfig(1, len(both), max_length=both.places, **sizes)
    return Painter(LanguageModel(config), tokenizer, both)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "small.safetensors"
    save(made(), path)
    return path


@pytest.mark.parametrize("changes", [{}, {"tied": True}, {"positions": "none"}])
def test_a_painter_comes_back_rounded_to_float16(tmp_path, changes):
    path, same = tmp_path / "small.safetensors", made(**changes)
    save(same, path)
    found = load_painter(path)
    assert not found.training
    assert found.model.config == same.model.config
    assert found.tokenizer.config == same.tokenizer.config
    assert found.vocabulary.words.tokens == WORDS.tokens
    assert vars(found.vocabulary).keys() == vars(same.vocabulary).keys()
    assert (found.vocabulary.text, found.vocabulary.grid) == (4, (2, 2))
    for parameter in same.parameters():
        parameter.data = parameter.data.half().float()
    tokens = same.draw(SAID, uniform=UNIFORM)
    assert torch.equal(found.draw(SAID, uniform=UNIFORM), tokens)
    assert torch.equal(found.pictures(tokens), same.pictures(tokens))


def test_it_is_the_same_when_written_again(file):
    assert load_painter(file).to_bytes() == file.read_bytes()


def test_a_checkpoint_of_another_kind_is_named(file):
    with pytest.raises(ValueError, match=r"Look.*, and not 'qkv\.vision\.Painter"):
        load_painter("look_up")
    with pytest.raises(ValueError, match=r"Painter.*, and not 'qkv\.vision\.Vis"):
        load(file)


def told() -> dict:
    painter = made()
    return {
        "model": vars(painter.model.config),
        "tokenizer": vars(painter.tokenizer.config),
        "words": WORDS.tokens,
        "text": 4,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"words": ["star"]},
        {"words": "star"},
        {"text": 1},
        {"text": "4"},
        {"tokenizer": {"codes": "7"}},
        {"tokenizer": {"patch": 5}},
        {"model": {"heads": 3}},
    ],
)
def test_metadata_that_make_no_painter_are_named(tmp_path, changes):
    path = tmp_path / "m.safetensors"
    metadata = {PAINTER: json.dumps(told() | changes)}
    save_file(made().state_dict(), path, metadata)
    with pytest.raises(ValueError, match=r"m\.safetensors: its metadata make no model"):
        load_painter(path)


def test_weights_of_another_painter_are_named(tmp_path):
    weights, path = made().state_dict(), tmp_path / "m.safetensors"
    del weights["tokenizer.codes.weight"]
    save_file(weights, path, {PAINTER: json.dumps(told())})
    with pytest.raises(ValueError, match=r"its weights .*tokenizer\.codes\.weight"):
        load_painter(path)


def test_a_painter_of_slots_cannot_be_kept(tmp_path):
    slots = Slots(Scenes(slots=2, jitter=0, sizes=(1.0,), most=4))
    both = JointVocabulary(WORDS, codes=slots.n_codes, grid=slots.grid)
    model = LanguageModel(TransformerConfig(1, len(both)))
    with pytest.raises(TypeError, match="checkpoints are of a DiscreteVAE"):
        save(Painter(model, slots, both), tmp_path / "m.safetensors")
    assert not list(tmp_path.iterdir())
