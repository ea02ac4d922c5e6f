"""Dictated numbers: digit words in English, to be written in Sino-Korean."""

from collections.abc import Iterator

import torch
from jaxtyping import Int
from torch import Tensor

from qkv._checks import whole
from qkv.data.kinds import EOS, PAD, Batch, Example
from qkv.data.streams import endless
from qkv.data.text.corpus import Corpus, Vocabulary

__all__ = ["DictatedNumbers"]

ENGLISH = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
)
KOREAN = ("영", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구")


class DictatedNumbers(Corpus):
    """Digits read out in English, written in Korean.

    Every digit is as likely as any other, and so is every length: a digit can't be
    guessed from its neighbours, it has to be remembered. The truth of the alignment is
    the position. Nothing is ever drawn twice but by chance.

    Parameters
    ----------
    lengths : the shortest and the longest number of digits, both drawn.

    Raises
    ------
    ValueError
        If ``lengths`` does not go from at least 1 upwards.

    Examples
    --------
    >>> numbers = DictatedNumbers()
    >>> numbers.parse("739").source
    ('seven', 'three', 'nine')
    >>> numbers.parse("seven three nine").target
    ('칠', '삼', '구')
    >>> [" ".join(e.target) for e in numbers.sample(2, length=3, seed=0)]
    ['삼 영 삼', '구 칠 삼']
    """

    def __init__(self, lengths: tuple[int, int] = (1, 20)) -> None:
        self.lengths = _check_lengths(lengths)
        self.source_vocab = Vocabulary(ENGLISH)
        self.target_vocab = Vocabulary(KOREAN)

    def sample(
        self, count: int, *, length: int | tuple[int, int] | None = None, seed: int
    ) -> list[Example]:
        """Return ``count`` examples: of one length, of a range, or of any trained.

        Raises
        ------
        ValueError
            If ``length`` is below 1.
        """
        generator = torch.Generator().manual_seed(seed)
        digits, sizes = _draw(count, self._range(length), generator)
        return [
            _example(row[:size])
            for row, size in zip(digits.tolist(), sizes.tolist(), strict=True)
        ]

    def batches(
        self,
        *,
        batch_size: int,
        seed: int,
        length: int | tuple[int, int] | None = None,
    ) -> Iterator[Batch]:
        """Return an endless stream of fresh batches, the same for the same seed.

        Raises
        ------
        ValueError
            If ``batch_size`` or ``length`` is below 1.
        """
        whole(1, batch_size=batch_size)
        lengths = self._range(length)
        return endless(
            lambda generator: _as_batch(*_draw(batch_size, lengths, generator)),
            seed=seed,
        )

    def parse(self, text: str) -> Example:
        """Return the example of digits, ``"739"``, or of words, ``"seven three nine"``.

        Raises
        ------
        ValueError
            If there is no digit, or a word is not one of ``zero`` to ``nine``.
        """
        words = text.lower().split()
        run_on = "".join(words)
        if not words:
            raise ValueError(
                "no digit was given; type digits, or words such as 'seven'"
            )
        if run_on.isascii() and run_on.isdigit():
            return _example([int(digit) for digit in run_on])
        first = self.source_vocab.encode(["zero"])[0]
        return _example([i - first for i in self.source_vocab.encode(words)])

    def __repr__(self) -> str:
        """Say what the task is, its lengths and its vocabularies."""
        return f"{super().__repr__()}; {self.lengths[0]} to {self.lengths[1]} digits"

    def _range(self, length: int | tuple[int, int] | None) -> tuple[int, int]:
        if length is None:
            return self.lengths
        return _check_lengths((length, length) if isinstance(length, int) else length)


def _check_lengths(lengths: tuple[int, int]) -> tuple[int, int]:
    if not 1 <= lengths[0] <= lengths[1]:
        raise ValueError(
            "lengths run from at least 1 upwards, "
            f"not from {lengths[0]} to {lengths[1]}"
        )
    return lengths


def _draw(
    count: int, lengths: tuple[int, int], generator: torch.Generator
) -> tuple[Int[Tensor, "batch source"], Int[Tensor, " batch"]]:
    low, high = lengths
    sizes = torch.randint(low, high + 1, (count,), generator=generator)
    return torch.randint(0, 10, (count, high), generator=generator), sizes


def _as_batch(
    digits: Int[Tensor, "batch source"], sizes: Int[Tensor, " batch"]
) -> Batch:
    longest = int(sizes.max())
    tokens = digits[:, :longest] + (EOS + 1)
    position, ends = torch.arange(longest + 1), sizes[:, None]
    tokens = torch.nn.functional.pad(tokens, (0, 1)).where(position < ends, PAD)
    return Batch(tokens[:, :longest], sizes, tokens.where(position != ends, EOS))


def _example(digits: list[int]) -> Example:
    positions = tuple(str(place) for place, _ in enumerate(digits, start=1))
    return Example(
        source=tuple(ENGLISH[digit] for digit in digits),
        target=tuple(KOREAN[digit] for digit in digits),
        source_fields=positions,
        target_fields=positions,
    )
