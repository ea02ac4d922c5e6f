"""은 or 는: a Korean particle that depends on the letter a word ends in."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from qkv._checks import whole
from qkv.data.kinds import PAD, Questions, composed
from qkv.data.tasks import Task
from qkv.data.text.grammar.hangul import FIRST, LAST, PARTICLES, final_consonant

__all__ = ["TopicParticle"]

EUN_NEUN = PARTICLES["topic"]  # after a consonant, after a vowel
HELD_OUT_SHARE = 5  # one syllable in five


class TopicParticle(Task):
    """Say which particle follows a Korean word: 은 after a consonant, 는 after a vowel.

    A word is two or three of the 2,350 common syllables, drawn at random; both answers
    are equally likely. A fifth of the syllables is held out, the same for the same
    ``seed``: no trained word has them, and a held-out word ends in one. A syllable is
    read as ``cut`` cuts it, and asked about at its word's last token alone: 1 stands
    for 은, 2 for 는.

    Parameters
    ----------
    cut : the units of a syllable: ``list`` for the syllable itself, or
        ``lambda s: units(s, "jamo")`` (:func:`qkv.subwords.units`).
    seed : decides which syllables are held out.

    Raises
    ------
    ValueError
        If ``cut`` makes nothing of a syllable.

    Notes
    -----
    Common are the syllables of the standard KS X 1001, which its encoding EUC-KR
    writes in two bytes.

    Examples
    --------
    >>> particle = TopicParticle()
    >>> particle
    TopicParticle: Say which particle follows a Korean word: 은 after a consonant, 는
    after a vowel; 2,350 syllables, 469 held out, 2,350 symbols
    >>> particle.ask(["고양이", "책"]).target
    tensor([[0, 0, 2],
            [1, 0, 0]])
    >>> in_letters = TopicParticle(lambda s: composed(s).encode())
    >>> in_letters.n_source
    69
    """

    n_target = 3

    def __init__(
        self, cut: Callable[[str], Sequence[Any]] = list, *, seed: int = 0
    ) -> None:
        pieces = {s: list(cut(s)) for s in _common()}
        if not all(pieces.values()):
            nothing = next(s for s, cut_up in pieces.items() if not cut_up)
            raise ValueError(
                f"cut makes no token of {nothing!r}, but has to make at least one of "
                "each syllable; give list, or lambda s: units(s, 'jamo')"
            )
        tokens = sorted({t for cut_up in pieces.values() for t in cut_up})
        number = {token: index for index, token in enumerate(tokens, start=PAD + 1)}
        self._numbers = {s: [number[t] for t in pieces[s]] for s in pieces}
        self.symbols = len(tokens)
        self.n_source = self.symbols + 1
        self.trained, self.held_out = _parted(seed)

    def sample(self, count: int, *, seed: int, held_out: bool = False) -> Questions:
        """Return questions of trained syllables, or whose last one never was.

        Raises
        ------
        ValueError
            If ``count`` is below 1.
        """
        whole(1, count=count)
        generator = torch.Generator().manual_seed(seed)
        return self.ask(self.words(count, generator, held_out=held_out))

    def words(
        self, count: int, generator: torch.Generator, *, held_out: bool = False
    ) -> list[str]:
        """Return random words: of trained syllables, the last perhaps of others."""
        last = self.held_out if held_out else self.trained
        every = [s for both in self.trained for s in both]
        size = (count, 2)
        begun = torch.randint(len(every), size, generator=generator).tolist()
        drawn = torch.rand(count, 3, generator=generator).tolist()
        words = []
        for (one, other), (long, vowel, which) in zip(begun, drawn, strict=True):
            ending = last[vowel < 0.5]
            begin = every[one] + every[other] * (long < 0.5)
            words.append(begin + ending[int(which * len(ending))])
        return words

    def ask(self, words: Sequence[str]) -> Questions:
        """Return the question about each word; a word is Korean syllables.

        Raises
        ------
        ValueError
            If there is no word, or one is empty or has what is no common syllable.
        """
        if not words:
            raise ValueError("a batch needs at least one word, and none was given")
        rows = [torch.tensor(self._read(word)) for word in words]
        target = [torch.zeros_like(row) for row in rows]
        for row, word in zip(target, words, strict=True):
            row[-1] = 1 if final_consonant(composed(word)) else 2
        return Questions(_padded(rows), _padded(target))

    def _draw(self, count: int, generator: torch.Generator) -> Questions:
        return self.ask(self.words(count, generator))

    def _read(self, word: str) -> list[int]:
        unknown = [s for s in composed(word) if s not in self._numbers]
        if unknown or not word:
            what = f"has {unknown[0]!r}, which is none" if unknown else "is empty"
            raise ValueError(
                f"the word {word!r} {what}, but a word is one or more of the "
                f"{len(self._numbers):,} common Korean syllables, such as '고양이'"
            )
        return [number for s in composed(word) for number in self._numbers[s]]

    def _sizes(self) -> str:
        out = sum(map(len, self.held_out))
        return (
            f"{len(self._numbers):,} syllables, {out} held out, "
            f"{self.symbols:,} symbols"
        )


@cache
def _common() -> tuple[str, ...]:
    # Python writes the other syllables too, each in eight bytes
    every = map(chr, range(FIRST, LAST + 1))
    return tuple(s for s in every if len(s.encode("euc_kr")) == 2)


def _parted(seed: int) -> tuple[tuple[list[str], list[str]], ...]:
    """Return trained and held-out syllables, each with and without a last consonant."""
    generator = torch.Generator().manual_seed(seed)
    trained, held_out = [], []
    for is_closed in (True, False):
        some = [s for s in _common() if bool(final_consonant(s)) is is_closed]
        order = torch.randperm(len(some), generator=generator).tolist()
        out = len(some) // HELD_OUT_SHARE
        held_out.append([some[i] for i in sorted(order[:out])])
        trained.append([some[i] for i in sorted(order[out:])])
    return tuple(trained), tuple(held_out)


def _padded(rows: list[torch.Tensor]) -> torch.Tensor:
    return pad_sequence(rows, batch_first=True, padding_value=PAD)
