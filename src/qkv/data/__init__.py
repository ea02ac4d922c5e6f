"""Sequences and images to translate or to ask about, each task with a known truth.

:class:`DictatedNumbers` reads digits in English and writes them in Korean;
:class:`KoreanDates` does the same with dates, whose alignment is known by field;
:func:`load_pairs` reads a file of your own. These are a :class:`Corpus`: two
vocabularies, examples, and an endless stream of batches that a seed decides.

:class:`AssociativeRecall`, :class:`FourNeighbours`, :class:`Reversal`,
:class:`TokenBack` and :class:`DateLanguage` need no text: they draw :class:`Questions`,
tokens and the true answers.

:class:`Digits` and :class:`FindTheDigit` draw :class:`Images`, and the class of each;
:func:`load_images` reads a folder of your own.
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
from qkv.data.grammar import EnglishKorean
from qkv.data.images import (
    Digits,
    FindTheDigit,
    ImageCollection,
    Images,
    load_images,
)
from qkv.data.language import DateLanguage
from qkv.data.numbers import DictatedNumbers
from qkv.data.tasks import (
    AssociativeRecall,
    FourNeighbours,
    Questions,
    Reversal,
    Task,
    TokenBack,
)

__all__ = [
    "BOS",
    "EOS",
    "PAD",
    "AssociativeRecall",
    "Batch",
    "Corpus",
    "DateLanguage",
    "DictatedNumbers",
    "Digits",
    "EnglishKorean",
    "Example",
    "FindTheDigit",
    "FourNeighbours",
    "ImageCollection",
    "Images",
    "KoreanDates",
    "PairCorpus",
    "Questions",
    "Reversal",
    "Task",
    "TokenBack",
    "Vocabulary",
    "load_images",
    "load_pairs",
]
