"""Attention on images: the Vision Transformer, and images as tokens.

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
- :mod:`qkv.vision.tokens`: a picture as a few tokens, by a discrete VAE,
- :mod:`qkv.vision.painting`: words and picture tokens in one sequence, and drawing,
- :mod:`qkv.vision.checkpoint`: a trained model in one file.
"""

from qkv.vision.captioning import Captioner, TransformerCaptioner
from qkv.vision.checkpoint import (
    load,
    load_captioner,
    load_look_up,
    load_painter,
    save,
)
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
from qkv.vision.painting import (
    Guided,
    JointVocabulary,
    Painter,
    PictureSentences,
    TextAndPicture,
)
from qkv.vision.receptive import extent, receptive_field, seen_by
from qkv.vision.rivals import DilatedConvolutions, GlobalContext
from qkv.vision.rollout import rollout
from qkv.vision.self_attention import SelfAttention2d, SelfAttention2dTrace
from qkv.vision.tokens import (
    DiscreteVAE,
    DiscreteVAEConfig,
    DiscreteVAETrace,
    Repainting,
    annealed,
    gumbel_softmax,
    kl_to_uniform,
)
from qkv.vision.traces import CaptionTrace, TransformerCaptionTrace, VisionTrace

__all__ = [
    "CaptionTrace",
    "Captioner",
    "CellHead",
    "ConvolutionalNetwork",
    "DilatedConvolutions",
    "DiscreteVAE",
    "DiscreteVAEConfig",
    "DiscreteVAETrace",
    "GlobalContext",
    "GridConfig",
    "GridEncoder",
    "Guided",
    "JointVocabulary",
    "LookUpConfig",
    "LookUpNetwork",
    "LookUpTrace",
    "OneVector",
    "Painter",
    "PatchEmbedding",
    "PictureSentences",
    "Repainting",
    "SelfAttention2d",
    "SelfAttention2dTrace",
    "Sinusoidal2d",
    "TextAndPicture",
    "TransformerCaptionTrace",
    "TransformerCaptioner",
    "Trunk",
    "VisionConfig",
    "VisionTrace",
    "VisionTransformer",
    "annealed",
    "extent",
    "folded",
    "gumbel_softmax",
    "kl_to_uniform",
    "load",
    "load_captioner",
    "load_look_up",
    "load_painter",
    "patches",
    "places",
    "receptive_field",
    "rollout",
    "save",
    "seen_by",
    "sinusoidal_2d",
]
