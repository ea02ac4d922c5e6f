"""The Transformer, whole: encoder and decoder, or a decoder alone.

:class:`Transformer` translates, :class:`LanguageModel` writes on. In both, ``forward``
is the fast path that training takes, ``start`` and ``step`` write one token at a time
and keep what they have computed (:class:`TransformerState`), and ``trace`` does what
``forward`` does in explicit steps and returns them all. The parts:

- :mod:`qkv.transformer.blocks`: the two kinds of layers, and stacks of them,
- :mod:`qkv.transformer.traces`: the names of all that they do,
- :mod:`qkv.transformer.advancing`: the same sub-layers, for one token after another,
- :mod:`qkv.transformer.cache`: the keys and values kept from token to token,
- :mod:`qkv.transformer.models`: embeddings, positions and output around the stacks,
- :mod:`qkv.transformer.checkpoint`: a trained model in one file, with its vocabularies.
"""

from qkv.transformer.blocks import Decoder, DecoderLayer, Encoder, EncoderLayer
from qkv.transformer.cache import Cache, TransformerState
from qkv.transformer.checkpoint import Checkpoint, load, save
from qkv.transformer.models import LanguageModel, Transformer, TransformerConfig
from qkv.transformer.traces import (
    LanguageModelTrace,
    PostNormDecoderTrace,
    PostNormEncoderTrace,
    PreNormDecoderTrace,
    PreNormEncoderTrace,
    TransformerTrace,
)

__all__ = [
    "Cache",
    "Checkpoint",
    "Decoder",
    "DecoderLayer",
    "Encoder",
    "EncoderLayer",
    "LanguageModel",
    "LanguageModelTrace",
    "PostNormDecoderTrace",
    "PostNormEncoderTrace",
    "PreNormDecoderTrace",
    "PreNormEncoderTrace",
    "Transformer",
    "TransformerConfig",
    "TransformerState",
    "TransformerTrace",
    "load",
    "save",
]
