r"""Subwords: a word cut into pieces that a vocabulary of any size can name.

Byte pair encoding begins with single units, characters, jamo or bytes, and again and
again joins the pair of neighbours that occurs most often. How many merges there are is
one dial, from characters (none) to whole words (very many). :func:`learn` finds the
merges, :class:`BytePairs` cuts any text with them, and gets it back;
:func:`longest_match` is the other way to cut a word with a given vocabulary,
WordPiece's. :func:`boundary_scores` compares the cuts with true ones.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush
from itertools import accumulate, pairwise
from typing import Any
from unicodedata import normalize

from qkv._checks import one_of, whole
from qkv.data.kinds import composed
from qkv.trace import step

Token = Any  # a str, or bytes where the units are bytes
Pair = tuple[Token, Token]
Word = tuple[Token, ...]

_CUT = {
    "character": lambda text: list(composed(text)),
    "jamo": lambda text: list(normalize("NFD", text)),
    "byte": lambda text: [bytes([byte]) for byte in text.encode()],
}
_BYTES = tuple(bytes([byte]) for byte in range(256))


def units(text: str, by: str = "character") -> list[Token]:
    """Return what a text is made of before any merge.

    Parameters
    ----------
    text : anything; of the empty text there are no units.
    by : "character", composed (Unicode's NFC), a Korean syllable being one; "jamo", in
        parts (NFD), a Korean letter being one; or "byte", of UTF-8, just as they are.

    Raises
    ------
    ValueError
        If ``by`` is another word, or the text holds half of a surrogate pair, which is
        no character.

    Examples
    --------
    >>> [len(units("고양이", by)) for by in ("character", "jamo", "byte")]
    [3, 7, 9]
    >>> units("é", "byte")
    [b'\\xc3', b'\\xa9']
    """
    one_of("by", by, _CUT, who="units are")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{text[error.start]!r} at place {error.start} is half of a surrogate pair "
            "and no character, but units are of characters; read the file with "
            "errors='replace', or leave it out"
        ) from None
    return _CUT[by](text)


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


@dataclass(frozen=True)
class BytePairs:
    r"""A vocabulary of byte pair encoding: units, and the merges that were learnt.

    Parameters
    ----------
    alphabet : the units, numbered in this order.
    merges : pairs of tokens in the order in which they were learnt.
    by : what the units are (:func:`units`).

    Notes
    -----
    What comes back from :meth:`decode` is the text that went into :meth:`encode`:
    for bytes the very same; for characters and jamo composed (Unicode's NFC), which
    looks the same, and is the same where the text was composed before.

    Sennrich et al. (2016), section 3.2; Gage (1994) compressed files so. On bytes it
    is Radford et al. (2019), section 2.2.

    Examples
    --------
    >>> counts = {"able": 5, "unable": 4, "afford": 6, "unfold": 2}
    >>> bpe = learn(counts, merges=9)
    >>> bpe.split("unaffordable")
    ['un', 'afford', 'able']
    >>> bpe.encode("unaffordable")
    [16, 18, 12]
    >>> bpe.decode([16, 18, 12])
    'unaffordable'
    >>> bpe.first(3).split("unaffordable")
    ['u', 'n', 'a', 'f', 'f', 'o', 'r', 'd', 'able']
    """

    alphabet: tuple[Token, ...]
    merges: tuple[Pair, ...]
    by: str = "character"

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """The token of each number: the alphabet, then what each merge made.

        Two merges may make the same token, "aa" + "a" and "a" + "aa"; it has one
        number.
        """
        made = (left + right for left, right in self.merges)
        return tuple(dict.fromkeys([*self.alphabet, *made]))

    @cached_property
    def _ids(self) -> dict[Token, int]:
        return {token: index for index, token in enumerate(self.tokens)}

    @cached_property
    def _ranks(self) -> dict[Pair, int]:
        ranks: dict[Pair, int] = {}
        for rank, pair in enumerate(self.merges):
            ranks.setdefault(pair, rank)
        return ranks

    def split(self, word: str) -> list[Token]:
        """Return the word's tokens: its units, merged in the order of learning.

        Of all pairs that have a rule the one that was learnt first is joined, and the
        leftmost of these first. A unit that was never learnt stays by itself.
        """
        tokens, never = units(word, self.by), len(self.merges)
        ranks = [self._ranks.get(pair, never) for pair in pairwise(tokens)]
        while ranks and (earliest := min(ranks)) < never:
            i = ranks.index(earliest)
            tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
            del ranks[i]
            for j in range(max(i - 1, 0), min(i + 1, len(ranks))):
                ranks[j] = self._ranks.get((tokens[j], tokens[j + 1]), never)
        return tokens

    def encode(self, word: str) -> list[int]:
        """Return the numbers of the word's tokens.

        Raises
        ------
        ValueError
            If a unit is not in the alphabet; of bytes all are.
        """
        tokens = self.split(word)
        try:
            return [self._ids[token] for token in tokens]
        except KeyError as unknown:
            raise ValueError(
                f"{unknown.args[0]!r} in {word!r} is in none of the texts that the "
                f"{len(self.alphabet)} units were learnt from; learn from a text that "
                'has it, or learn(counts, merges, by="byte"), which knows every text'
            ) from None

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of the tokens with these numbers.

        Raises
        ------
        ValueError
            If a number is not that of a token, or the bytes are those of no text.
        """
        joined = self._joined(ids)
        if self.by != "byte":
            return composed(joined)
        try:
            return joined.decode()
        except UnicodeDecodeError as error:
            wrong = joined[error.start : error.end]
            raise ValueError(
                f"the bytes {wrong!r} at place {error.start} are not a character of "
                "UTF-8, but decode gives text; decode all tokens of a text together, "
                'or take the bytes themselves: b"".join(bpe.tokens[i] for i in ids)'
            ) from None

    def first(self, merges: int) -> "BytePairs":
        """Return the vocabulary as it was after so many merges.

        Raises
        ------
        ValueError
            If there are not so many.
        """
        whole(0, merges=merges)
        if merges > len(self.merges):
            raise ValueError(
                f"first({merges}) asks for {merges} merges, but {len(self.merges)} "
                "were learnt; learn more, from more text if no pair was left"
            )
        return BytePairs(self.alphabet, self.merges[:merges], self.by)

    def __repr__(self) -> str:
        """Say how many tokens there are, and how they came about."""
        return (
            f"BytePairs of {len(self.tokens)} tokens: {len(self.alphabet)} units by "
            f"{self.by}, {len(self.merges)} merges"
        )

    def _joined(self, ids: Iterable[int]) -> Any:
        tokens = []
        for index in map(int, ids):
            if not 0 <= index < len(self.tokens):
                raise ValueError(
                    f"no token has number {index}: there are {len(self.tokens)}, 0 to "
                    f"{len(self.tokens) - 1}; decode with the vocabulary that encoded"
                )
            tokens.append(self.tokens[index])
        return (b"" if self.by == "byte" else "").join(tokens)


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
        return _BYTES
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
        for index, word in enumerate(self.words):
            for pair in pairwise(word):
                self.where[pair].add(index)
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
        for index in self.where.pop(pair):
            before, times = self.words[index], self.often[index]
            after = self.words[index] = merged(before, pair)
            often += times * (len(before) - len(after))
            risen |= self._recount(before, after, index)
        for new in risen:
            heappush(self.queue, self._entry(new))
        for token, change in ((pair[0], -often), (pair[1], -often), (joined, often)):
            self.singles[token] += change

    def _recount(self, before: Word, after: Word, index: int) -> set[Pair]:
        """Count a word's pairs as they are now; return those that it did not have."""
        times, were, are = self.often[index], [*pairwise(before)], [*pairwise(after)]
        for pair in were:
            self.counts[pair] -= times
        for pair in are:
            self.counts[pair] += times
        new = set(are).difference(were)
        for pair in new:
            self.where[pair].add(index)
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


def longest_match(
    word: Any,
    vocabulary: Iterable[Token],
    *,
    prefix: Any = "##",
    unknown: str = "[UNK]",
) -> list[Token]:
    """Return the word's tokens by the longest match from its beginning, as WordPiece.

    Parameters
    ----------
    word : a text; or bytes, where the vocabulary has bytes and ``prefix`` is b"".
    vocabulary : the tokens, a set or mapping for speed.
    prefix : what begins each token that goes on with a word; "" if nothing does.
    unknown : stands for the whole word where a part of it matches nothing.

    Notes
    -----
    Wu et al. (2016), section 4.1, has the vocabulary; the greedy match is BERT's code,
    where a word of more than 100 characters is unknown besides.

    Examples
    --------
    >>> vocabulary = {"u", "un", "##afford", "##able"}
    >>> longest_match("unaffordable", vocabulary)
    ['un', '##afford', '##able']
    >>> longest_match("affordable", vocabulary)
    ['[UNK]']
    """
    known = vocabulary if isinstance(vocabulary, Set | Mapping) else set(vocabulary)
    found, rest, begin = [], word, prefix[:0]
    while rest:
        ends = range(len(rest), 0, -1)
        end = next((end for end in ends if begin + rest[:end] in known), None)
        if end is None:
            return [unknown]
        found.append(begin + rest[:end])
        rest, begin = rest[end:], prefix
    return found


def boundary_scores(
    true: Iterable[Sequence[Token]], found: Iterable[Sequence[Token]]
) -> tuple[float, float, float]:
    r"""Return precision, recall and F1 of the places where words were cut.

    .. math::
        P = \frac{|T \cap F|}{|F|}, \quad R = \frac{|T \cap F|}{|T|}, \quad
        F_1 = \frac{2 P R}{P + R}

    T are the true cuts of all words together, F the found ones; the two ends of a word
    are no cuts. A quotient with 0 below is 0.

    Raises
    ------
    ValueError
        If the two are not the same words in the same order.

    Examples
    --------
    >>> boundary_scores([["un", "afford", "able"]], [["un", "affor", "dable"]])
    (0.5, 0.5, 0.5)
    >>> boundary_scores([["build", "er"], ["read"]], [["build", "er"], ["re", "ad"]])
    (0.5, 1.0, 0.6666666666666666)
    """
    right = claimed = there = 0
    for pieces, cut in _same_words(list(true), list(found)):
        of_truth, of_found = _cuts(pieces), _cuts(cut)
        right += len(of_truth & of_found)
        claimed += len(of_found)
        there += len(of_truth)
    return (
        right / max(claimed, 1),
        right / max(there, 1),
        2 * right / max(claimed + there, 1),
    )


def _same_words(
    true: list[Sequence[Token]], found: list[Sequence[Token]]
) -> Iterator[tuple[Sequence[Token], Sequence[Token]]]:
    if len(true) != len(found):
        raise ValueError(
            f"true has {len(true)} words, but found has {len(found)}; give one list of "
            "pieces for each word"
        )
    for pieces, cut in zip(true, found, strict=True):
        of_truth, of_found = _whole(pieces), _whole(cut)
        if of_truth != of_found:
            raise ValueError(
                f"true has the word {of_truth!r}, but found has {of_found!r} at the "
                "same place; give pieces of the same words"
            )
        yield pieces, cut


def _whole(pieces: Sequence[Token]) -> Token:
    return pieces[0][:0].join(pieces) if pieces else ""


def _cuts(pieces: Sequence[Token]) -> set[int]:
    return set(accumulate(map(len, pieces[:-1])))
