"""Widgets to step through computations, with a kernel or without.

They draw traces (:mod:`qkv.trace`), whoever made them: no widget knows a model. All
state is in traits; what happens when a reader steps happens in the browser.
"""

from qkv.widgets.alignment import Alignment
from qkv.widgets.attention_lab import AttentionLab
from qkv.widgets.heads import Heads
from qkv.widgets.mask_painter import MaskPainter
from qkv.widgets.patches import Patches
from qkv.widgets.positions import Positions
from qkv.widgets.predict import Predict
from qkv.widgets.stepper import Stepper
from qkv.widgets.transformer_map import TransformerMap
from qkv.widgets.translator import Translator
from qkv.widgets.unrolled import Unrolled

__all__ = [
    "Alignment",
    "AttentionLab",
    "Heads",
    "MaskPainter",
    "Patches",
    "Positions",
    "Predict",
    "Stepper",
    "TransformerMap",
    "Translator",
    "Unrolled",
]
