"""A Transformer nobody trained, and what it does with a sentence."""

import torch

from qkv.transformer import Transformer, TransformerConfig
from tests.widgets.pages import EVIL

SOURCE = ("I", EVIL, "cats")
TARGET = ("<bos>", "나", "는", " ", "고", "양", "이")


def sample(seed=0, source=SOURCE, target=TARGET, batch=1, **config):
    """Return a model, and the first arguments of `TransformerMap`."""
    torch.manual_seed(seed)
    sizes = {"d_model": 8, "heads": 2, "d_ff": 13} | config
    model = Transformer(TransformerConfig(n_source=11, n_target=17, **sizes))
    generator = torch.Generator().manual_seed(seed)
    ids = [
        torch.randint(1, 11, (batch, len(side)), generator=generator)
        for side in (source, target)
    ]
    with torch.no_grad():
        trace = model.trace(ids[0], torch.tensor([len(source)] * batch), ids[1])
    return model, (trace, source, target)
