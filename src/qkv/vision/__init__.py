"""Attention on images: the Vision Transformer.

:class:`VisionTransformer` cuts an image into patches, and what it reads them with is
:class:`qkv.transformer.Encoder`. The parts:

- :mod:`qkv.vision.cutting`: from an image to tokens, and where in it they stand,
- :mod:`qkv.vision.models`: the model, its sizes, and hiding patches from it,
- :mod:`qkv.vision.traces`: the names of all that it does,
- :mod:`qkv.vision.rollout`: where it looks, over all layers,
- :mod:`qkv.vision.convolutional`: a small convolutional network, to compare with,
- :mod:`qkv.vision.checkpoint`: a trained model in one file.
"""

from qkv.vision.checkpoint import load, save
from qkv.vision.convolutional import ConvolutionalNetwork
from qkv.vision.cutting import PatchEmbedding, Sinusoidal2d, patches, sinusoidal_2d
from qkv.vision.models import VisionConfig, VisionTransformer
from qkv.vision.rollout import rollout
from qkv.vision.traces import VisionTrace

__all__ = [
    "ConvolutionalNetwork",
    "PatchEmbedding",
    "Sinusoidal2d",
    "VisionConfig",
    "VisionTrace",
    "VisionTransformer",
    "load",
    "patches",
    "rollout",
    "save",
    "sinusoidal_2d",
]
