"""How often each pair of neighbours occurs in a list of words."""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises.ch09.shared import FOUR_WORDS


def pairs(words: dict[tuple[str, ...], int]) -> dict[tuple[str, str], int]:
    return counted(words, pairwise)


def counted(words: dict, found: Callable) -> dict:
    """The sum over all words of how often each occurs, for what is found in it."""
    counts = Counter()
    for word, times in words.items():
        for pair in found(word):
            counts[pair] += times
    return dict(counts)


def once(words: dict) -> dict:
    return pairs(dict.fromkeys(words, 1))


def _without_overlap(word):
    place = 0
    while place < len(word) - 1:
        pair = word[place], word[place + 1]
        yield pair
        follows = word[place + 1 : place + 3] == pair
        place += 2 if follows and pair[0] == pair[1] else 1


def _across(words):
    text = [token for word, times in words.items() for token in word * times]
    return dict(Counter(pairwise(text)))


EXERCISE = Exercise(
    id="9.1",
    title="How often each pair occurs",
    minutes=6,
    difficulty=1,
    reference=pairs,
    cases={
        "the four words": lambda: (dict(FOUR_WORDS),),
        "words that are merged in part": lambda: (
            {("able",): 5, ("un", "able"): 4, ("a", "f", "fo", "r", "d"): 6},
        ),
        "letters that repeat": lambda: (
            {tuple("banana"): 3, tuple("ㅋㅋㅋㅋ"): 2, tuple("aab"): 7},
        ),
        "no word at all": lambda: ({},),
    },
    mistakes={
        "each word once": Mistake(
            "each word has been counted once. A pair occurs as often as all the words "
            "that have it: add the word's own number, not 1",
            once,
        ),
        "across words": Mistake(
            "the last letter of a word and the first of the next one have been "
            "counted as a pair: no merge may reach from one word into another",
            _across,
        ),
        "without overlap": Mistake(
            "in ㅋㅋㅋㅋ there are three pairs of neighbours, not two: a token may be "
            "the second of one pair and the first of the next. (That they can't all "
            "be merged is the merge's business; libraries count it so, too.)",
            lambda words: counted(words, _without_overlap),
        ),
        "once a word": Mistake(
            "a pair that occurs twice in a word, like a n in banana, counts twice "
            "for each time that the word occurs",
            lambda words: counted(words, lambda word: set(pairwise(word))),
        ),
        "in either order": Mistake(
            "(a, n) and (n, a) are two pairs: they are different merges",
            lambda words: counted(
                words, lambda w: map(tuple, map(sorted, pairwise(w)))
            ),
        ),
        "last pair lost": Mistake(
            "each word's last pair is missing: a word of n tokens has n − 1 pairs",
            lambda words: counted(words, lambda word: pairwise(word[:-1])),
        ),
        "round in a circle": Mistake(
            "the last token of a word and its first have been counted as a pair: "
            "word[i - 1] is the last one where i is 0",
            lambda words: counted(words, lambda w: zip((w[-1], *w), w, strict=False)),
        ),
        "joined": Mistake(
            "the keys are joined strings; a pair is a tuple of its two tokens. As a "
            "string, a and bc would be the same pair as ab and c",
            lambda words: counted(words, lambda word: map("".join, pairwise(word))),
        ),
        "letters again": Mistake(
            "the words have been taken apart into letters again: what is merged "
            "already, such as able, is one token",
            lambda words: counted(words, lambda word: pairwise("".join(word))),
        ),
    },
    hints=(
        "words.items() gives each word, a tuple of tokens, and how often it occurs.",
        "zip(word, word[1:]) gives the neighbours of one word.",
        "counts[pair] = counts.get(pair, 0) + times, for each of them.",
    ),
    trained=False,
)
