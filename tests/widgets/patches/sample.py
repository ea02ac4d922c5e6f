"""Small Vision Transformers and images, for the tests of Patches."""

import torch
from torch import nn

from qkv.data import FindTheDigit, Images
from qkv.vision import VisionConfig, VisionTransformer
from tests.widgets.pages import EVIL

NAMES = ("zero", "one", EVIL)


def vision(*, seed=0, **changes) -> VisionTransformer:
    """A random model that attends unevenly; every parameter of it counts."""
    torch.manual_seed(seed)
    sizes = {"classes": 3, "d_model": 12, "heads": 3, "d_ff": 11}
    model = VisionTransformer(VisionConfig(**sizes | changes)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1 and "class_token" not in name:
                nn.init.normal_(parameter, mean="norm" in name, std=0.3)
            else:
                nn.init.normal_(parameter, std=0.6)
            parameter.copy_(parameter.half())
    return model


def images(count=3, *, size=(8, 8), channels=1, seed=0) -> Images:
    """Images of sixteenths, as the digits are."""
    generator = torch.Generator().manual_seed(seed)
    sixteenths = torch.randint(17, (count, channels, *size), generator=generator)
    sixteenths[0, 0, 0, 0] = 16
    return Images(sixteenths / 16, torch.arange(count) % 3)


def hidden_digits(count=3) -> Images:
    """Images of 24 × 24 with a digit somewhere, its label one of three."""
    found = FindTheDigit().sample(count, seed=1)
    return Images(found.pixels, found.labels % 3, found.places)
