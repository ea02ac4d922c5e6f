"""The first merges of four words by hand."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table
from qkv.checking.exercise import Mistake
from qkv.exercises.ch09.count_pairs import EXERCISE as COUNT
from qkv.exercises.ch09.count_pairs import pairs
from qkv.exercises.ch09.merge_pair import merged
from qkv.exercises.ch09.shared import FOUR_WORDS, NINE_MERGES

AT_FIRST = [("u", "n"), ("a", "b"), ("b", "l"), ("l", "e"), ("f", "o")]
AFTER_ONE = [("b", "l"), ("ab", "l"), ("l", "e"), ("f", "o")]
AFTER_TWO = [("l", "e"), ("ab", "l"), ("ab", "le"), ("f", "o")]


def _counted(count: Callable = pairs) -> dict[str, Tensor]:
    after_one = {merged(w, NINE_MERGES[0]): n for w, n in FOUR_WORDS.items()}
    after_two = {merged(w, NINE_MERGES[1]): n for w, n in after_one.items()}
    return {
        "times": torch.tensor([*FOUR_WORDS.values()]),
        "first": _of(AT_FIRST, count(FOUR_WORDS)),
        "second": _of(AFTER_ONE, count(after_one)),
        "third": _of(AFTER_TWO, count(after_two)),
    }


def _of(asked: list, counts: dict) -> Tensor:
    return torch.tensor([counts.get(pair, 0) for pair in asked])


def _first_word_only(words: dict) -> dict:
    counts = {}
    for word, times in words.items():
        for pair in pairwise(word):
            counts.setdefault(pair, times)
    return counts


def _stale() -> dict[str, Tensor]:
    """The counts of the beginning: what is merged is neither taken off nor added."""
    before = pairs(FOUR_WORDS)
    return {"second": _of(AFTER_ONE, before), "third": _of(AFTER_TWO, before)}


def _in_words(pair: tuple[str, str]) -> str:
    return " + ".join(pair)


BY_HAND = ByHand(
    id="9.a",
    title="Three merges",
    minutes=7,
    difficulty=1,
    decimals=0,
    task="Four words, and how often each of them occurs. Count these pairs of "
    "neighbours; then join a and b to ab everywhere, and count again; then join l and "
    "e, and count a third time. Of pairs that occur equally often, the one that comes "
    "first in the alphabet is joined. Which pair is the third?",
    compute=_counted,
    tables={
        "times": Table("How often", columns=tuple("".join(w) for w in FOUR_WORDS)),
        "first": Table(
            "Pairs at the beginning",
            columns=tuple(map(_in_words, AT_FIRST)),
            blanks=...,
            look="add up how often the words occur that have this pair.",
        ),
        "second": Table(
            "After a + b",
            columns=tuple(map(_in_words, AFTER_ONE)),
            blanks=...,
            look="write the four words down with ab as one token. Which neighbours "
            "does it have?",
        ),
        "third": Table(
            "After l + e",
            columns=tuple(map(_in_words, AFTER_TWO)),
            blanks=...,
            look="write the four words down with ab and le as one token each.",
        ),
    },
    mistakes={
        "each word once": Mistake(
            COUNT.mistakes["each word once"].says,
            lambda: _counted(COUNT.mistakes["each word once"].wrong),
        ),
        "first word only": Mistake(
            "only the first word that has this pair has been counted: add up all of "
            "them",
            lambda: _counted(_first_word_only),
        ),
        "stale counts": Mistake(
            "these are the counts of the beginning. A merge takes the pairs away that "
            "it has used up, and makes new ones with its neighbours",
            _stale,
        ),
    },
)
