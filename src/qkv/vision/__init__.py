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
- :mod:`qkv.vision.self_attention`: a block that lets every place look at all places,
- :mod:`qkv.vision.rivals`: what else may stand in its place,
- :mod:`qkv.vision.look_up`: a convolutional network with such a block,
- :mod:`qkv.vision.receptive`: how far a place sees,
- :mod:`qkv.vision.checkpoint`: a trained model in one file.
"""

from qkv.vision.captioning import Captioner, TransformerCaptioner
from qkv.vision.checkpoint import load, load_captioner, load_look_up, save
from qkv.vision.convolutional import ConvolutionalNetwork
from qkv.vision.cutting import PatchEmbedding, Sinusoidal2d, patches, sinusoidal_2d
from qkv.vision.grids import GridConfig, GridEncoder, OneVector, folded, places
from qkv.vision.look_up import (
    CellHead,
    LookUpConfig,
    LookUpNetwork,
    LookUpTrace,
    Trunk,
)
from qkv.vision.models import VisionConfig, VisionTransformer
from qkv.vision.receptive import extent, receptive_field, seen_by
from qkv.vision.rivals import DilatedConvolutions, GlobalContext
from qkv.vision.rollout import rollout
from qkv.vision.self_attention import SelfAttention2d, SelfAttention2dTrace
from qkv.vision.traces import CaptionTrace, TransformerCaptionTrace, VisionTrace

__all__ = [
    "CaptionTrace",
    "Captioner",
    "CellHead",
    "ConvolutionalNetwork",
    "DilatedConvolutions",
    "GlobalContext",
    "GridConfig",
    "GridEncoder",
    "LookUpConfig",
    "LookUpNetwork",
    "LookUpTrace",
    "OneVector",
    "PatchEmbedding",
    "SelfAttention2d",
    "SelfAttention2dTrace",
    "Sinusoidal2d",
    "TransformerCaptionTrace",
    "TransformerCaptioner",
    "Trunk",
    "VisionConfig",
    "VisionTrace",
    "VisionTransformer",
    "extent",
    "folded",
    "load",
    "load_captioner",
    "load_look_up",
    "patches",
    "places",
    "receptive_field",
    "rollout",
    "save",
    "seen_by",
    "sinusoidal_2d",
]
