"""Captioners that were never trained, in both languages, and pages to show them."""

from functools import cache

import torch
from torch import nn

from qkv.data import Scenes
from qkv.vision import Captioner, GridConfig, GridEncoder, load_captioner
from qkv.widgets import SayWhatYouSee

PAGE = {(0, 0): "red circle", (0, 2): "blue star", (2, 1): "green moon"}
WORLDS = {"english": Scenes(), "korean": Scenes("korean")}


def captioner(language="english", *, seed=0, **changes):
    """Return a random model that looks unevenly; every parameter of it counts."""
    torch.manual_seed(seed)
    words = len(WORLDS[language].vocabulary)
    model = Captioner(
        GridEncoder(GridConfig(**{"widths": (5, 7, 11)} | changes)), words
    )
    with torch.no_grad():
        for parameter in model.parameters():
            nn.init.normal_(parameter, std=0.8 if parameter.ndim == 2 else 0.3)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(std=0.3)
                module.running_var.uniform_(0.5, 2.0)
                module.weight.add_(1.0)
    return model.eval()


@cache
def speakers():
    return {
        f"say_{language}": (world, captioner(language, seed=2))
        for language, world in WORLDS.items()
    }


def view(objects=PAGE, **options):
    return SayWhatYouSee(speakers(), objects, **options)


@cache
def trained():
    """Return the book's own captioners, by their names on the site."""
    names = {f"caption_{language}": world for language, world in WORLDS.items()}
    return {name: (world, load_captioner(name)) for name, world in names.items()}
