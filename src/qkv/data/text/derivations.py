"""English derivations whose morphemes are known, and phrases of them to be read."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import torch

from qkv._checks import whole
from qkv.data.kinds import Example
from qkv.data.text.corpus import PairCorpus

__all__ = ["Derivations", "DerivedPhrases"]

PREFIXES = ("un", "re", "over", "mis", "pre", "out", "dis")
# Only stems whose spelling no suffix changes: none ends in -e, -y after a consonant, a
# hiss, or one consonant that would be doubled.
_STEMS = """
    read work load paint cook build print turn play afford fold lock pack test point
    start help form learn draw count cover plant mark train sort clean heat cool land
    lift link list melt mend milk mount order park pull record rest roll sail seal seed
    sign soil spell sprint stamp stain toast trust twist wait walk want warm weld yield
    act add aim arm ask attend bend block boil bolt brew burn claim climb comb connect
    crawl deliver detail dream drift enter farm filter float gather grant hand hunt
"""
_SUFFIXES = """
    able ed ing er s er+s able+ness ing+ly ed+ly ment ment+s less less+ness ful
    ful+ness ful+ly
"""
STEMS = tuple(_STEMS.split())
SUFFIXES = tuple(tuple(chain.split("+")) for chain in _SUFFIXES.split())
WITH_PREFIX, WITH_SUFFIXES = 0.45, 0.75  # the shares of words that have them
DRAWS = 20_000
HELD_OUT_SHARE = 5  # one type in five
ALWAYS_HELD_OUT = "unaffordable"
UNKNOWN, BEGIN, END = "<unk>", "▁", "/"

Morphemes = tuple[str, str, tuple[str, ...]]  # prefix or "", stem, suffixes


class Derivations:
    """Derived English words: a prefix, a stem, suffixes, each of them known.

    20,000 words are drawn: one of 7 prefixes with probability .45, one of 90 stems, the
    one of rank r as often as r to the power −.7, one of 16 chains of suffixes with
    probability .75. A fifth of the different words is held out, ``unaffordable``
    always. Only stems are taken whose spelling does not change.

    Attributes
    ----------
    counts : how often each word that is not held out was drawn.
    held_out : how often each held-out word was drawn.

    Examples
    --------
    >>> words = Derivations()
    >>> words.truth("unaffordable")
    ['un', 'afford', 'able']
    >>> "unaffordable" in words.counts, "unaffordable" in words.held_out
    (False, True)
    >>> words.meaning("unaffordable")
    ('AFFORD', '-able', 'un-', '/')
    """

    def __init__(self, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        drawn = Counter(map("".join, _draw(DRAWS, generator)))
        types = sorted(drawn.keys() | {ALWAYS_HELD_OUT})
        order = torch.randperm(len(types), generator=generator).tolist()
        out = {types[i] for i in order[: len(types) // HELD_OUT_SHARE]}
        out |= {ALWAYS_HELD_OUT}
        self.counts = {word: drawn[word] for word in types if word not in out}
        self.held_out = {word: max(drawn[word], 1) for word in types if word in out}

    def truth(self, word: str) -> list[str]:
        """Return the morphemes of a word, whether it was drawn or not.

        Raises
        ------
        ValueError
            If it is none of prefix, stem and suffixes, as they are drawn.
        """
        prefix, stem, suffixes = _parts(word)
        return [*([prefix] if prefix else []), stem, *suffixes]

    def meaning(self, word: str) -> tuple[str, ...]:
        """Return what is to be said of a word: stem, suffixes, prefix, and an end."""
        prefix, stem, suffixes = _parts(word)
        said = [stem.upper(), *(f"-{suffix}" for suffix in suffixes)]
        return (*said, *([f"{prefix}-"] if prefix else []), END)

    def whole(self, word: str) -> list[str]:
        """Cut nothing: the word itself, or ``<unk>`` where it is not in ``counts``."""
        return [word if word in self.counts else UNKNOWN]

    def __repr__(self) -> str:
        """Say how many words there are."""
        return (
            f"Derivations: {len(self.counts):,} words to learn from, "
            f"{len(self.held_out):,} held out"
        )


class DerivedPhrases(PairCorpus):
    """Phrases of three derived words, to be read: stem, suffixes, prefix of each.

    The words are drawn as often as they occur. Each is cut by ``cut``, and its first
    piece begins with ▁, so that a model sees where a word begins.

    Parameters
    ----------
    words : where the words are from.
    cut : the pieces of a word: ``list`` for characters, ``bpe.split``, or
        ``words.whole``.
    phrases : how many to train on.
    asked : how many to ask about, of words never seen, and of trained ones.

    Attributes
    ----------
    train : phrases of trained words.
    held_out : phrases of words that are never trained.
    again : fresh phrases of trained words.

    Examples
    --------
    >>> phrases = DerivedPhrases(Derivations(), list, phrases=5, asked=2)
    >>> example = phrases.parse("unaffordable reads unfold")
    >>> " ".join(example.source)
    '▁u n a f f o r d a b l e ▁r e a d s ▁u n f o l d'
    >>> example.target
    ('AFFORD', '-able', 'un-', '/', 'READ', '-s', '/', 'FOLD', 'un-', '/')
    """

    def __init__(
        self,
        words: Derivations,
        cut: Callable[[str], Sequence[str]],
        *,
        phrases: int = 12_000,
        asked: int = 200,
    ) -> None:
        whole(1, phrases=phrases, asked=asked)
        self.words, self._cut = words, cut
        self.train = self._drawn(words.counts, phrases, seed=0)
        self.again = self._drawn(words.counts, asked, seed=1)
        self.held_out = self._drawn(words.held_out, asked, seed=2)
        super().__init__(self.train, self.held_out + self.again, tokenize=self._cut_all)
        self.held_out = self.held_out[:asked]

    def parse(self, text: str) -> Example:
        """Return the example of derived words with spaces between them.

        Raises
        ------
        ValueError
            If a word is none, or there is none.
        """
        meaning = [part for word in text.split() for part in self.words.meaning(word)]
        return Example(self.source_of(text), tuple(meaning))

    def right(self, written: Sequence[str], example: Example) -> list[bool]:
        """Return of each word of the example whether its meaning was written."""
        said, wanted = _by_word(written), _by_word(example.target)
        return [said[i : i + 1] == [word] for i, word in enumerate(wanted)]

    def _drawn(self, counts: Mapping[str, int], count: int, *, seed: int) -> list:
        generator = torch.Generator().manual_seed(seed)
        words, often = list(counts), torch.tensor([*counts.values()]).double()
        drawn = torch.multinomial(
            often, 3 * count, replacement=True, generator=generator
        )
        pieces = {i: self._marked(words[i]) for i in drawn.unique().tolist()}
        said = {i: self.words.meaning(words[i]) for i in pieces}
        return [
            Example(
                tuple(piece for i in phrase for piece in pieces[i]),
                tuple(part for i in phrase for part in said[i]),
            )
            for phrase in drawn.view(count, 3).tolist()
        ]

    def _marked(self, word: str) -> list[str]:
        first, *rest = self._cut(word)
        return [BEGIN + first, *rest]

    def _cut_all(self, text: str) -> list[str]:
        return [piece for word in text.split() for piece in self._marked(word)]


def _draw(count: int, generator: torch.Generator) -> list[tuple[str, ...]]:
    ranks = torch.arange(1, len(STEMS) + 1).double()
    stems = torch.multinomial(ranks**-0.7, count, replacement=True, generator=generator)
    prefixed = torch.rand(count, generator=generator) < WITH_PREFIX
    suffixed = torch.rand(count, generator=generator) < WITH_SUFFIXES
    prefixes = torch.randint(len(PREFIXES), (count,), generator=generator)
    suffixes = torch.randint(len(SUFFIXES), (count,), generator=generator)
    return [
        (PREFIXES[p] * has_prefix, STEMS[s], "".join(SUFFIXES[c]) * has_suffix)
        for p, has_prefix, s, c, has_suffix in zip(
            prefixes.tolist(),
            prefixed.tolist(),
            stems.tolist(),
            suffixes.tolist(),
            suffixed.tolist(),
            strict=True,
        )
    ]


def _every_word() -> dict[str, Morphemes]:
    return {
        prefix + stem + "".join(suffixes): (prefix, stem, suffixes)
        for prefix in ("", *PREFIXES)
        for stem in STEMS
        for suffixes in ((), *SUFFIXES)
    }


WORDS = _every_word()
assert len(WORDS) == 8 * len(STEMS) * 17, "two derivations are spelt alike"


def _parts(word: str) -> Morphemes:
    try:
        return WORDS[word]
    except KeyError:
        raise ValueError(
            f"{word!r} is not a derived word: one of {len(STEMS)} stems, such as "
            f"{STEMS[0]!r}, with a prefix, such as {PREFIXES[0]!r}, and suffixes, such "
            f"as {'-'.join(SUFFIXES[6])!r}"
        ) from None


def _by_word(said: Sequence[str]) -> list[tuple[str, ...]]:
    words: list[tuple[str, ...]] = [()]
    for part in said:
        if part == END:
            words.append(())
        else:
            words[-1] += (part,)
    return words[:-1]
