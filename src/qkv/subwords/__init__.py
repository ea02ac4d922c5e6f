r"""Subwords: a word cut into pieces that a vocabulary of any size can name.

Byte pair encoding begins with single units, characters, jamo or bytes, and again and
again joins the pair of neighbours that occurs most often. How many merges there are is
one dial, from characters (none) to whole words (very many). :func:`learn` finds the
merges, :class:`BytePairs` cuts any text with them, and gets it back;
:func:`longest_match` is the other way to cut a word with a given vocabulary,
WordPiece's. :func:`boundary_scores` compares the cuts with true ones.

- :mod:`qkv.subwords.vocabulary`: units, and a text in tokens and back,
- :mod:`qkv.subwords.learning`: which pairs are merged, and every step of it,
- :mod:`qkv.subwords.matching`: the longest match, and how good the cuts are.
"""

from qkv.subwords.learning import MergeTrace, learn, merged, pairs, trace
from qkv.subwords.matching import boundary_scores, longest_match
from qkv.subwords.vocabulary import BytePairs, units

__all__ = [
    "BytePairs",
    "MergeTrace",
    "boundary_scores",
    "learn",
    "longest_match",
    "merged",
    "pairs",
    "trace",
    "units",
]
