"""Bug hunt: the leftmost pair in place of the earliest rule."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises.ch09.merge_pair import merged
from qkv.exercises.ch09.shared import NINE_MERGES


def split(word: str, merges: list[tuple[str, str]]) -> list[str]:
    return _by(min, word, merges)


def _by(choose: Callable, word: str, merges: list, most: int = 99) -> list[str]:
    """Merge one place after the other: choose from (rank, place) of all that can be."""
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    tokens = list(word)
    for _ in range(most):
        found = [
            (ranks[pair], place)
            for place, pair in enumerate(pairwise(tokens))
            if pair in ranks
        ]
        if not found:
            break
        _, place = choose(found)
        tokens[place : place + 2] = ["".join(tokens[place : place + 2])]
    return tokens


def _leftmost(word, merges):
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    tokens = list(word)
    place = 0
    while place < len(tokens) - 1:
        if (tokens[place], tokens[place + 1]) in ranks:
            tokens[place : place + 2] = [tokens[place] + tokens[place + 1]]
            place = 0
        else:
            place += 1
    return tokens


def _any_way(word, merges):
    """By the rank of what comes out, whichever pair it is made of."""
    ranks = {"".join(pair): rank for rank, pair in reversed([*enumerate(merges)])}
    tokens = list(word)
    while True:
        joined = ["".join(pair) for pair in pairwise(tokens)]
        found = [(ranks[j], n) for n, j in enumerate(joined) if j in ranks]
        if not found:
            return tokens
        _, place = min(found)
        tokens[place : place + 2] = [joined[place]]


def _first_place_only(word, merges):
    tokens = list(word)
    for pair in merges:
        places = [n for n, p in enumerate(pairwise(tokens)) if p == pair]
        for place in places[:1]:
            tokens[place : place + 2] = ["".join(pair)]
    return tokens


def _only_letters(word, merges):
    tokens = tuple(word)
    for pair in merges:
        if len("".join(pair)) == 2:
            tokens = merged(tokens, pair)
    return list(tokens)


def _longest_match(word, merges):
    known = {"".join(pair) for pair in merges}
    tokens, place = [], 0
    while place < len(word):
        ends = range(len(word), place, -1)
        end = next((n for n in ends if word[place:n] in known), place + 1)
        tokens.append(word[place:end])
        place = end
    return tokens


ERS = [
    ("e", "r"),
    ("l", "d"),
    ("er", "s"),
    ("d", "er"),
    ("u", "i"),
    ("b", "u"),
    ("ui", "ld"),
    ("b", "uild"),
    ("i", "l"),
]
ABC = [("b", "a"), ("a", "b"), ("b", "c"), ("a", "bc"), ("c", "c"), ("ab", "ab")]

EXERCISE = Exercise(
    id="9.3",
    title="Bug hunt: valid pieces, but other ones",
    minutes=10,
    difficulty=2,
    reference=split,
    cases={
        "unaffordable": lambda: ("unaffordable", list(NINE_MERGES)),
        "builders": lambda: ("builders", list(ERS)),
        "two ways to one token": lambda: ("abcabcc", list(ABC)),
        "twice in a word": lambda: ("abab", list(ABC)),
        "letters that no rule knows": lambda: ("한able국", list(NINE_MERGES)),
        "no rule at all": lambda: ("afford", []),
    },
    mistakes={
        "latest rule first": Mistake(
            "the rule that was learnt last comes first now. The earliest comes first: "
            "it was learnt where the later ones did not yet exist",
            partial(_by, partial(min, key=lambda found: (-found[0], found[1]))),
        ),
        "rightmost first": Mistake(
            "now the rightmost pair that has a rule is merged first. Neither side "
            "decides: the rule that was learnt earliest does",
            partial(_by, partial(max, key=lambda found: found[1])),
        ),
        "one merge": Mistake(
            "only one merge has been done: go on until no pair has a rule",
            partial(_by, min, most=1),
        ),
        "any way to the token": Mistake(
            "two tokens have been joined because the result is a token, though there "
            "is no rule for this pair: ab and c must not become abc where abc was "
            "made of a and bc",
            _any_way,
        ),
        "first place only": Mistake(
            "each rule has been used once; where its pair stands twice in the word, "
            "both are merged",
            _first_place_only,
        ),
        "letters only": Mistake(
            "only rules for two letters have been used: what they make is the first "
            "or the second token of other rules",
            _only_letters,
        ),
        "longest match": Mistake(
            "this takes the longest known token from the left, as WordPiece does. "
            "Here the rules are to be used in the order in which they were learnt",
            _longest_match,
        ),
    },
    hints=(
        "step through builders: which two rules want the same d, and which of the "
        "two was learnt first?",
        "among all pairs of neighbours that have a rule, find the one with the "
        "smallest rank, wherever it stands: min(found, key=ranks.get).",
        "or go through the merges in their order, and do each wherever it can be "
        "done. It comes to the same.",
    ),
    given=_leftmost,
    trained=False,
)
