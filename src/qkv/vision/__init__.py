"""Attention on images: the Vision Transformer.

:class:`VisionTransformer` cuts an image into patches, and what it reads them with is
:class:`qkv.transformer.Encoder`. The parts:

- :mod:`qkv.vision.cutting`: from an image to tokens, and where in it they stand,
- :mod:`qkv.vision.models`: the model, its sizes, and hiding patches from it,
- :mod:`qkv.vision.traces`: the names of all that it does,
- :mod:`qkv.vision.rollout`: where it looks, over all layers,
- :mod:`qkv.vision.convolutional`: a small convolutional network, to compare with,
- :mod:`qkv.vision.grids`: an image as a grid of vectors, or as one,
- :mod:`qkv.vision.captioning`: what says it word by word, looking at the grid,
- :mod:`qkv.vision.checkpoint`: a trained model in one file.
"""

from qkv.vision.captioning import Captioner, TransformerCaptioner
from qkv.vision.checkpoint import load, load_captioner, save
from qkv.vision.convolutional import ConvolutionalNetwork
from qkv.vision.cutting import PatchEmbedding, Sinusoidal2d, patches, sinusoidal_2d
from qkv.vision.grids import GridConfig, GridEncoder, OneVector, folded, places
from qkv.vision.models import VisionConfig, VisionTransformer
from qkv.vision.rollout import rollout
from qkv.vision.traces import CaptionTrace, TransformerCaptionTrace, VisionTrace

__all__ = [
    "CaptionTrace",
    "Captioner",
    "ConvolutionalNetwork",
    "GridConfig",
    "GridEncoder",
    "OneVector",
    "PatchEmbedding",
    "Sinusoidal2d",
    "TransformerCaptionTrace",
    "TransformerCaptioner",
    "VisionConfig",
    "VisionTrace",
    "VisionTransformer",
    "folded",
    "load",
    "load_captioner",
    "patches",
    "places",
    "rollout",
    "save",
    "sinusoidal_2d",
]
