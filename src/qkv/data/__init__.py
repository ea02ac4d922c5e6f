"""Sequences to translate, each task with a known truth.

:class:`DictatedNumbers` reads digits in English and writes them in Korean;
:class:`KoreanDates` does the same with dates, whose alignment is known by field;
:func:`load_pairs` reads a file of your own. All of them are a :class:`Corpus`: two
vocabularies, examples, and an endless stream of batches that a seed decides.
"""

from qkv.data.corpus import (
    BOS,
    EOS,
    PAD,
    Batch,
    Corpus,
    Example,
    PairCorpus,
    Vocabulary,
    load_pairs,
)
from qkv.data.dates import KoreanDates
from qkv.data.numbers import DictatedNumbers

__all__ = [
    "BOS",
    "EOS",
    "PAD",
    "Batch",
    "Corpus",
    "DictatedNumbers",
    "Example",
    "KoreanDates",
    "PairCorpus",
    "Vocabulary",
    "load_pairs",
]
