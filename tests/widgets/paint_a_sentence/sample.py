"""A painter that was never trained, sentences to paint, and the book's own."""

from functools import cache

import torch
from torch import nn

from qkv.data import Scenes, Vocabulary
from qkv.transformer import LanguageModel, TransformerConfig
from qkv.vision import (
    DiscreteVAE,
    DiscreteVAEConfig,
    JointVocabulary,
    Painter,
    load_painter,
)
from qkv.widgets import PaintASentence

SENTENCE = "red circle above blue ring"
SIZES = {"slots": 2, "jitter": 0, "sizes": (1.0,), "most": 4, "left_out": 0.2}
WORLDS = {name: Scenes(name, **SIZES) for name in ("english", "korean")}


def random_painter(*, seed=0, codes=11, languages=tuple(WORLDS), **changes):
    """Return a random model that draws and looks unevenly; every parameter counts."""
    torch.manual_seed(seed)
    words = [w for name in languages for w in WORLDS[name].vocabulary.tokens[3:]]
    both = JointVocabulary(Vocabulary(words), codes=codes, text=15)
    sizes = {"d_model": 16, "d_ff": 24, "positions": "learned"} | changes
    model = LanguageModel(TransformerConfig(1, len(both), max_length=31, **sizes))
    vae = DiscreteVAE(DiscreteVAEConfig(codes=codes, d_code=5, width=7))
    painter = Painter(model, vae, both)
    with torch.no_grad():
        for parameter in painter.parameters():
            nn.init.normal_(parameter, std=0.6 if parameter.ndim > 1 else 0.2)
    return painter.eval()


@cache
def small():
    return random_painter(seed=2)


def view(sentence=SENTENCE, **options):
    return PaintASentence(small(), list(WORLDS.values()), sentence, **options)


@cache
def trained():
    return load_painter("painter")


def world_of(text):
    """Return the world whose letters a sentence is in."""
    return WORLDS[
        "korean" if any("가" <= letter <= "힣" for letter in text) else "english"
    ]


def sentences(count, *, seed=0):
    """Return sentences of both languages by turns, some of which leave out colours."""
    said = {}
    for name, world in WORLDS.items():
        asked = world.sample(count, seed=seed)
        words = [world.vocabulary.decode(row) for row in asked.target]
        said[name] = [world.write(each) for each in words]
    pairs = zip(*said.values(), strict=True)
    return [text for pair in pairs for text in pair][:count]
