"""Small Transformers with vocabularies, for the Translator's tests."""

import torch
from torch import nn

from qkv.data import Vocabulary
from qkv.transformer import Checkpoint, Transformer, TransformerConfig, load, save

EVIL = "<script>window.pwned=1</script>"
SOURCE = ("I", "you", "do", "not", "love", "see", "cats", "dogs", "a", EVIL)
TARGET = ("나", "너", "는", "고", "양", "이", "를", "좋", "아", "해", " ", EVIL)


def checkpoint(folder, *, seed=0, **changes) -> Checkpoint:
    """A random model as it comes from a file; every parameter of it counts."""
    torch.manual_seed(seed)
    sizes = {"d_model": 12, "heads": 3, "d_ff": 11, "layers": (1, 2)}
    source, target = Vocabulary(SOURCE), Vocabulary(TARGET)
    config = TransformerConfig(len(source), len(target), **sizes | changes)
    model = Transformer(config)
    for name, parameter in model.named_parameters():
        if "embedding" in name:
            nn.init.normal_(parameter, std=0.6)
        elif parameter.ndim == 1:
            nn.init.normal_(parameter, mean="norm" in name, std=0.3)
        elif name.endswith("weight"):
            nn.init.normal_(parameter, std=0.4)
    model.output.bias.data[:2] = -9.0
    save(model, folder / "small.safetensors", source, target)
    return load(folder / "small.safetensors")
