"""Units of a text before any merge, and a vocabulary of merges: there and back."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, repeat
from operator import index
from typing import Any
from unicodedata import normalize

from qkv._checks import one_of, whole
from qkv.data.kinds import composed

Token = Any  # a str, or bytes where the units are bytes
Pair = tuple[Token, Token]
Word = tuple[Token, ...]

REMEMBERED = 10_000  # words whose tokens are kept, as others do

_CUT = {
    "character": lambda text: list(composed(text)),
    "jamo": lambda text: list(normalize("NFD", text)),
    "byte": lambda text: [bytes([byte]) for byte in text.encode()],
}


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
    TypeError
        If the text is none, but bytes, say.

    Examples
    --------
    >>> [len(units("고양이", by)) for by in ("character", "jamo", "byte")]
    [3, 7, 9]
    >>> units("é", "byte")
    [b'\\xc3', b'\\xa9']
    """
    if by not in _CUT:
        one_of("by", by, _CUT, who="units are")
    if not isinstance(text, str):
        raise TypeError(
            f"text is of type {type(text).__name__}, but is to be a str: of bytes "
            'text.decode(), of pieces "".join(text)'
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{text[error.start]!r} at place {error.start} is half of a surrogate pair "
            "and no character, but units are of characters; read the file with "
            "errors='replace', or leave it out"
        ) from None
    return _CUT[by](text)


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
    is Radford et al. (2019), section 2.2, and Wang et al. (2020).

    Examples
    --------
    >>> from qkv.subwords import learn
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
        return {pair: rank for rank, pair in enumerate(self.merges)}

    def split(self, word: str) -> list[Token]:
        """Return the word's tokens: its units, merged in the order of learning.

        Of all pairs that have a rule the one that was learnt first is joined, and the
        leftmost of these first. A unit that was never learnt stays by itself.
        """
        return list(self._cut(word))

    def encode(self, word: str) -> list[int]:
        """Return the numbers of the word's tokens.

        Raises
        ------
        ValueError
            If a unit is not in the alphabet; of bytes all are.
        """
        try:
            return list(map(self._ids.__getitem__, self._cut(word)))
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

    @cached_property
    def _known(self) -> dict[str, Word]:
        return {}

    def _cut(self, word: str) -> Word:
        # in a text the same words come again and again
        found = self._known.get(word)
        if found is None:
            if len(self._known) == REMEMBERED:
                self._known.clear()
            found = self._known[word] = self._merge(word)
        return found

    def _merge(self, word: str) -> Word:
        tokens, never = units(word, self.by), len(self.merges)
        rank = self._ranks.get
        ranks = list(map(rank, pairwise(tokens), repeat(never)))
        while ranks and (earliest := min(ranks)) < never:
            i = ranks.index(earliest)
            tokens[i] += tokens.pop(i + 1)
            del ranks[i]
            if i > 0:
                ranks[i - 1] = rank((tokens[i - 1], tokens[i]), never)
            if i < len(ranks):
                ranks[i] = rank((tokens[i], tokens[i + 1]), never)
        return tuple(tokens)

    def _joined(self, ids: Iterable[int]) -> Any:
        tokens = []
        for number in map(index, ids):
            if not 0 <= number < len(self.tokens):
                raise ValueError(
                    f"no token has number {number}: there are {len(self.tokens)}, 0 to "
                    f"{len(self.tokens) - 1}; decode with the vocabulary that encoded"
                )
            tokens.append(self.tokens[number])
        return (b"" if self.by == "byte" else "").join(tokens)
