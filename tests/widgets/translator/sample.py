"""Small Transformers with vocabularies, for the Translator's tests."""

import torch
from torch import nn
from torch.nn import functional as F

from qkv.data import Vocabulary
from qkv.transformer import Checkpoint, Transformer, TransformerConfig, load, save
from tests.widgets.pages import EVIL

SOURCE = ("I", "you", "do", "not", "love", "see", "cats", "dogs", "a", EVIL)
TARGET = ("나", "너", "는", "고", "양", "이", "를", "좋", "아", EVIL, " ", "해")


def checkpoint(folder, *, seed=0, target=TARGET, **changes) -> Checkpoint:
    """A random model as it comes from a file; every parameter of it counts."""
    torch.manual_seed(seed)
    sizes = {"d_model": 12, "heads": 3, "d_ff": 11, "layers": (1, 2)}
    source, target = Vocabulary(SOURCE), Vocabulary(target)
    config = TransformerConfig(len(source), len(target), **sizes | changes)
    model = Transformer(config)
    for name, parameter in model.named_parameters():
        if "embedding" in name:
            nn.init.normal_(parameter, std=0.6)
        elif parameter.ndim == 1:
            nn.init.normal_(parameter, mean="norm" in name, std=0.3)
        elif name.endswith("weight"):
            nn.init.normal_(parameter, std=0.7)
    model.output.bias.data[:2] = -9.0
    save(model, folder / "small.safetensors", source, target)
    return load(folder / "small.safetensors")


def trained(folder) -> Checkpoint:
    """A model that has begun to learn to write a syllable for each word."""
    torch.manual_seed(0)
    source, target = Vocabulary(SOURCE), Vocabulary(TARGET)
    config = TransformerConfig(len(source), len(target), 16, 2, 16, positions="learned")
    model = Transformer(config)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(60):
        length = int(torch.randint(2, 7, ()))
        words = torch.randint(len(SOURCE), (16, length))
        syllables = torch.stack([words, torch.full_like(words, 10)], -1).flatten(1) + 3
        ends = [torch.full((16, 1), token) for token in (1, 2)]
        fed, wanted = (
            torch.cat(parts, 1)
            for parts in ([ends[0], syllables], [syllables, ends[1]])
        )
        logits = model(words + 3, torch.full((16,), length), fed)
        loss = F.cross_entropy(logits.flatten(0, 1), wanted.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    save(model, folder / "trained.safetensors", source, target)
    return load(folder / "trained.safetensors")
