"""Learning which pairs to merge: the most frequent, or the best by another score."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import pairwise

from qkv._checks import whole
from qkv.subwords.vocabulary import BytePairs, Pair, Token, Word, units
from qkv.trace import step

BYTES = tuple(bytes([byte]) for byte in range(256))


def pairs(words: Mapping[Word, int]) -> Counter[Pair]:
    r"""Return how often each two tokens stand side by side.

    .. math:: n(a, b) = \sum_w n(w) \, |\{i : w_i = a, w_{i+1} = b\}|

    Parameters
    ----------
    words : how often each word occurs, a word being a tuple of its tokens.

    Notes
    -----
    Sennrich et al. (2016), algorithm 1. Pairs may overlap: "aaa" has (a, a) twice.

    Examples
    --------
    >>> pairs({("a", "b", "l", "e"): 5, ("u", "n", "a", "b", "l", "e"): 4})["a", "b"]
    9
    """
    counts: Counter[Pair] = Counter()
    for word, often in words.items():
        for pair in pairwise(word):
            counts[pair] += often
    return counts


def merged(word: Sequence[Token], pair: Pair) -> tuple[Token, ...]:
    """Return the word with each occurrence of the pair joined, from left to right.

    Examples
    --------
    >>> merged(("a", "b", "l", "a", "b"), ("a", "b"))
    ('ab', 'l', 'ab')
    >>> merged("aaa", ("a", "a"))
    ('aa', 'a')
    """
    left, right = pair
    joined: list[Token] = []
    open_left = False  # is the last of joined the pair's left token, not yet used up?
    for token in word:
        if open_left and token == right:
            joined[-1] = left + right
            open_left = False
        else:
            joined.append(token)
            open_left = token == left
    return tuple(joined)


def learn(
    counts: Mapping[str, int],
    merges: int,
    *,
    by: str = "character",
    score: Callable[[int, int, int], float] | None = None,
) -> BytePairs:
    r"""Learn merges: join the most frequent pair, count again, and so on.

    .. math:: (a, b)^* = \arg\max_{a, b} n(a, b)

    Of equally frequent pairs the one with the lower numbers is taken: units are
    numbered by code point, and each new token gets the next number.

    Parameters
    ----------
    counts : how often each word occurs. A merge never joins two words.
    merges : how many at most; fewer are learnt when every word is one token.
    by : what the units are (:func:`units`).
    score : given n(a, b), n(a) and n(b), says how good a pair is, in place of n(a, b).
        It costs more time: every pair is scored for each merge, as n(a) has changed.

    Raises
    ------
    ValueError
        If a word occurs less than 0 times, or has half of a surrogate pair.
    TypeError
        If ``counts`` is no mapping.

    Notes
    -----
    Sennrich et al. (2016), algorithm 1, which counts all pairs anew for each merge.
    Here only the words that hold the pair are looked at again. The merges are those of
    Hugging Face's ``tokenizers``, one by one.

    Examples
    --------
    >>> learn({"low": 5, "lower": 2, "newest": 6, "widest": 3}, merges=3).merges
    (('e', 's'), ('es', 't'), ('l', 'o'))

    A score that has been called WordPiece's takes what occurs together and nowhere
    else:

    >>> counts = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
    >>> learn(counts, 1).merges
    (('u', 'g'),)
    >>> learn(counts, 1, score=lambda ab, a, b: ab / (a * b)).merges
    (('g', 's'),)
    """
    whole(0, merges=merges)
    words = _words(counts, by)
    learning = _Learning(words, _alphabet(words, by))
    found = []
    while len(found) < merges and (pair := learning.best(score)):
        learning.merge(pair)
        found.append(pair)
    return BytePairs(_alphabet(words, by), tuple(found), by)


def _words(counts: Mapping[str, int], by: str) -> dict[Word, int]:
    if not isinstance(counts, Mapping):
        raise TypeError(
            f"counts is of type {type(counts).__name__}, but says how often each word "
            "occurs: Counter(text.split())"
        )
    words: Counter[Word] = Counter()
    for word, often in counts.items():
        whole(0, **{f"the count of {word!r}": often})
        words[tuple(units(word, by))] += often
    return words


def _alphabet(words: Iterable[Word], by: str) -> tuple[Token, ...]:
    if by == "byte":
        return BYTES
    return tuple(sorted({unit for word in words for unit in word}))


class _Learning:
    """Words in tokens; their pairs, how often each occurs, and in which words."""

    def __init__(self, words: Mapping[Word, int], alphabet: Iterable[Token]) -> None:
        self.words, self.often = list(words), list(words.values())
        self.ids = {token: index for index, token in enumerate(alphabet)}
        self.counts = pairs(words)
        self.singles: Counter[Token] = Counter()
        for word, often in words.items():
            for token in word:
                self.singles[token] += often
        self.where: defaultdict[Pair, set[int]] = defaultdict(set)
        for place, word in enumerate(self.words):
            for pair in pairwise(word):
                self.where[pair].add(place)
        self.queue = [self._entry(pair) for pair in self.counts]
        heapify(self.queue)

    def _entry(self, pair: Pair) -> tuple[int, int, int, Pair]:
        left, right = pair
        return -self.counts[pair], self.ids[left], self.ids[right], pair

    def best(self, score: Callable[[int, int, int], float] | None) -> Pair | None:
        """Return the pair to merge next, or None where none is left."""
        if score is None:
            return self._most_frequent()
        n, ids = self.singles, self.ids
        return min(
            (pair for pair, count in self.counts.items() if count),
            key=lambda p: (
                -score(self.counts[p], n[p[0]], n[p[1]]),
                ids[p[0]],
                ids[p[1]],
            ),
            default=None,
        )

    def _most_frequent(self) -> Pair | None:
        """Take from the queue; a count that has fallen since goes back into it."""
        while self.queue:
            queued, *_, pair = heappop(self.queue)
            if not self.counts[pair]:
                continue
            if -queued == self.counts[pair]:
                return pair
            heappush(self.queue, self._entry(pair))
        return None

    def merge(self, pair: Pair) -> None:
        """Merge the pair in the words that hold it, and count their pairs again."""
        joined, often = pair[0] + pair[1], 0
        self.ids.setdefault(joined, len(self.ids))
        risen: set[Pair] = set()
        for place in self.where.pop(pair):
            before, times = self.words[place], self.often[place]
            after = self.words[place] = merged(before, pair)
            often += times * (len(before) - len(after))
            risen |= self._recount(before, after, place)
        for new in risen:
            heappush(self.queue, self._entry(new))
        for token, change in ((pair[0], -often), (pair[1], -often), (joined, often)):
            self.singles[token] += change

    def _recount(self, before: Word, after: Word, place: int) -> set[Pair]:
        """Count a word's pairs as they are now; return those that it did not have."""
        times, were, are = self.often[place], [*pairwise(before)], [*pairwise(after)]
        for pair in were:
            self.counts[pair] -= times
        for pair in are:
            self.counts[pair] += times
        new = set(are).difference(were)
        for pair in new:
            self.where[pair].add(place)
        return new


@dataclass(frozen=True)
class MergeTrace:
    """One step of learning: what is counted, what is chosen, what becomes of the words.

    Its fields are counts and words, not tensors: a widget of tensors can't show it.
    """

    counts: Mapping[Pair, int] = step(
        "Count each pair of neighbours",
        formula=r"n(a, b) = \sum_w n(w) \, |\{i : w_i = a, w_{i+1} = b\}|",
        reads=("words",),
    )
    pair: Pair = step(
        "Take the most frequent pair",
        formula=r"(a, b)^* = \arg\max_{a, b} n(a, b)",
        reads=("counts",),
    )
    words: Mapping[Word, int] = step(
        "Join it in every word", formula=r"w \to w'", reads=("words", "pair")
    )


def trace(
    counts: Mapping[str, int], merges: int, *, by: str = "character"
) -> tuple[MergeTrace, ...]:
    """Return every step of :func:`learn`, as algorithm 1 of its source has it.

    All pairs are counted anew at each step: it is for a few words.

    Examples
    --------
    >>> first, *_ = trace({"low": 5, "lower": 2, "newest": 6, "widest": 3}, merges=3)
    >>> first.counts.most_common(2), first.pair
    ([(('e', 's'), 9), (('s', 't'), 9)], ('e', 's'))
    >>> list(first.words)[-1]
    ('w', 'i', 'd', 'es', 't')
    """
    whole(0, merges=merges)
    return tuple(_steps(_words(counts, by), merges, by))


def _steps(words: Mapping[Word, int], merges: int, by: str) -> Iterator[MergeTrace]:
    ids = {token: index for index, token in enumerate(_alphabet(words, by))}
    for _ in range(merges):
        counts = +pairs(words)
        if not counts:
            return
        pair = min(counts, key=lambda p: (-counts[p], ids[p[0]], ids[p[1]]))
        ids.setdefault(pair[0] + pair[1], len(ids))
        words = {merged(word, pair): often for word, often in words.items()}
        yield MergeTrace(counts, pair, words)
