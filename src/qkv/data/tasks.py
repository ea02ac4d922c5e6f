"""Tasks that no text is needed for: questions about tokens, and their true answers.

Each is a :class:`Task`: it draws :class:`Questions`, as many as are wanted, the same
for the same seed. Symbols are numbers from 1 up; 0 stands for nothing.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Int
from torch import Tensor

from qkv._checks import whole
from qkv.data.corpus import PAD

NEIGHBOURS = (-3, -1, 1, 3)


@dataclass(frozen=True, eq=False)
class Questions:
    """Sequences, and what is to be answered about each of them.

    A token of ``source`` is a number, or several where it has parts. A ``target`` of 0
    (``PAD``) is not asked: it counts neither in the loss nor in the accuracy.

    Raises
    ------
    ValueError
        If there is not one row of answers for each sequence.

    Examples
    --------
    Two sequences of three tokens, and one question about each, the second not asked:

    >>> source = torch.tensor([[5, 6, 7], [8, 9, 5]])
    >>> questions = Questions(source, target=torch.tensor([6, 0]))
    >>> questions.inputs[0].shape, (questions.target != questions.ignored).tolist()
    (torch.Size([2, 3]), [True, False])
    """

    source: Int[Tensor, "batch token *parts"]
    target: Int[Tensor, " batch *asked"]

    ignored: ClassVar[int] = PAD

    def __post_init__(self) -> None:
        """Hold sequences and answers to the same number."""
        if len(self.source) != len(self.target):
            raise ValueError(
                f"source has batch {len(self.source)} and target has batch "
                f"{len(self.target)}; give one row of answers for each sequence"
            )

    @property
    def inputs(self) -> tuple[Int[Tensor, "batch token *parts"]]:
        """What a model is called with."""
        return (self.source,)


class Task(ABC):
    """A stream of questions whose answers are known.

    ``n_source`` and ``n_target`` are how many different numbers occur, 0 among them:
    the sizes of an embedding and of the logits. Where a token has parts, ``n_source``
    has a size for each.
    """

    n_source: int | tuple[int, ...]
    n_target: int

    @abstractmethod
    def _draw(self, count: int, generator: torch.Generator) -> Questions:
        """Return ``count`` fresh questions."""

    def sample(self, count: int, *, seed: int) -> Questions:
        """Return ``count`` questions, the same for the same seed.

        Raises
        ------
        ValueError
            If ``count`` is below 1.
        """
        whole(1, count=count)
        return self._draw(count, torch.Generator().manual_seed(seed))

    def batches(self, *, batch_size: int, seed: int) -> Iterator[Questions]:
        """Return an endless stream of fresh questions, the same for the same seed.

        Raises
        ------
        ValueError
            If ``batch_size`` is below 1.
        """
        whole(1, batch_size=batch_size)
        generator = torch.Generator().manual_seed(seed)

        def stream() -> Iterator[Questions]:
            while True:
                yield self._draw(batch_size, generator)

        return stream()

    def __repr__(self) -> str:
        """Say what is asked, and of what."""
        about = (type(self).__doc__ or "").partition("\n")[0].rstrip(".")
        return f"{type(self).__name__}: {about}; {self._sizes()}"

    @abstractmethod
    def _sizes(self) -> str:
        """Say how large the task is."""


class AssociativeRecall(Task):
    """Find the pair that a key is in, and name its value.

    A token is a pair, (key, value); the last token is the question, (key, 0). The keys
    of a sequence differ, the values are drawn freely, and every pair is as likely to
    be asked for. Guessing is right once in ``values`` times.

    Parameters
    ----------
    pairs : how many pairs come before the question.
    keys, values : how many different ones there are.

    Raises
    ------
    ValueError
        If a size is below 1, or there are fewer keys than pairs.

    Examples
    --------
    >>> recall = AssociativeRecall(pairs=3, keys=5, values=4)
    >>> asked = recall.sample(1, seed=2)
    >>> asked.source
    tensor([[[2, 4],
             [4, 3],
             [1, 4],
             [1, 0]]])
    >>> asked.target
    tensor([4])
    """

    def __init__(self, pairs: int = 16, keys: int = 64, values: int = 16) -> None:
        whole(1, pairs=pairs, keys=keys, values=values)
        if pairs > keys:
            raise ValueError(
                f"{pairs} pairs need as many different keys, and there are {keys}; "
                "give more keys, or fewer pairs"
            )
        self.pairs, self.keys, self.values = pairs, keys, values
        self.n_source = (keys + 1, values + 1)
        self.n_target = values + 1

    def _draw(self, count: int, generator: torch.Generator) -> Questions:
        order = torch.rand(count, self.keys, generator=generator).argsort(dim=1)
        keys = order[:, : self.pairs] + 1
        values = _symbols(self.values, (count, self.pairs), generator)
        asked = torch.randint(self.pairs, (count, 1), generator=generator)
        question = torch.stack([keys.gather(1, asked), torch.zeros_like(asked)], dim=-1)
        source = torch.cat([torch.stack([keys, values], dim=-1), question], dim=1)
        return Questions(source, target=values.gather(1, asked).squeeze(1))

    def _sizes(self) -> str:
        return f"{self.pairs} pairs of {self.keys} keys and {self.values} values"


class FourNeighbours(Task):
    """For each token, name those 3 before, 1 before, 1 after and 3 after it.

    Near an end some of the four do not exist; they are 0, and are not asked. Whoever
    sees only one of the four has to guess the others, right once in ``symbols`` times.

    Parameters
    ----------
    length : how many tokens a sequence has.
    symbols : how many different ones there are, each as likely as any other.

    Raises
    ------
    ValueError
        If ``length`` is below 2, so that no token has a neighbour, or ``symbols``
        below 1.

    Examples
    --------
    >>> asked = FourNeighbours(length=5).sample(1, seed=0)
    >>> asked.source
    tensor([[ 5, 10,  4,  1,  4]])
    >>> asked.target[0, 1]
    tensor([0, 5, 4, 4])
    """

    def __init__(self, length: int = 16, symbols: int = 10) -> None:
        whole(2, length=length)
        whole(1, symbols=symbols)
        self.length, self.symbols = length, symbols
        self.n_source = self.n_target = symbols + 1

    def _draw(self, count: int, generator: torch.Generator) -> Questions:
        source = _symbols(self.symbols, (count, self.length), generator)
        edge = max(NEIGHBOURS)
        padded = torch.nn.functional.pad(source, (edge, edge), value=PAD)
        there = [padded[:, edge + n : edge + n + self.length] for n in NEIGHBOURS]
        return Questions(source, target=torch.stack(there, dim=-1))

    def _sizes(self) -> str:
        return f"{self.length} tokens of {self.symbols} symbols"


class Reversal(Task):
    """Say a sequence backwards.

    Every token of the answer depends on where a token stands, and on nothing else.

    Parameters
    ----------
    length : how many tokens a sequence has.
    symbols : how many different ones there are, each as likely as any other.

    Raises
    ------
    ValueError
        If a size is below 1.

    Examples
    --------
    >>> asked = Reversal(length=5).sample(1, seed=0)
    >>> asked.source, asked.target
    (tensor([[ 5, 10,  4,  1,  4]]), tensor([[ 4,  1,  4, 10,  5]]))

    Who sees which symbols there are, but not where, does best by always naming the
    most frequent one. With 16 tokens of 10 symbols that is right so often:

    >>> source = Reversal().sample(100_000, seed=0).source
    >>> most = torch.nn.functional.one_hot(source).sum(dim=1).amax(dim=1)
    >>> f"{most.float().mean() / 16:.3f}"
    '0.236'
    """

    def __init__(self, length: int = 16, symbols: int = 10) -> None:
        whole(1, length=length, symbols=symbols)
        self.length, self.symbols = length, symbols
        self.n_source = self.n_target = symbols + 1

    def _draw(self, count: int, generator: torch.Generator) -> Questions:
        source = _symbols(self.symbols, (count, self.length), generator)
        return Questions(source, target=source.flip(1))

    def _sizes(self) -> str:
        return f"{self.length} tokens of {self.symbols} symbols"


class TokenBack(Task):
    """For each token, name the one that stood a few places before.

    The first tokens have none: their answer is 0, and is not asked. What is to be
    found depends on a distance alone, so that it means the same at any length.

    Parameters
    ----------
    back : how many places before.
    lengths : the shortest and the longest sequence. The sequences of a batch are of
        one length, which is drawn for each batch: nothing is padded.
    symbols : how many different ones there are, each as likely as any other.

    Raises
    ------
    ValueError
        If ``back`` or ``symbols`` is below 1, or ``lengths`` does not go upwards from
        more than ``back``.

    Examples
    --------
    >>> asked = TokenBack(back=3).sample(1, seed=0, length=5)
    >>> asked.source, asked.target
    (tensor([[ 5, 10,  4,  1,  4]]), tensor([[ 0,  0,  0,  5, 10]]))
    """

    def __init__(
        self, back: int = 3, lengths: tuple[int, int] = (8, 32), symbols: int = 10
    ) -> None:
        whole(1, back=back, symbols=symbols)
        if not back < lengths[0] <= lengths[1]:
            raise ValueError(
                f"lengths run upwards from more than {back}, how far back is asked "
                f"for, not from {lengths[0]} to {lengths[1]}"
            )
        self.back, self.lengths, self.symbols = back, lengths, symbols
        self.n_source = self.n_target = symbols + 1

    def sample(self, count: int, *, seed: int, length: int | None = None) -> Questions:
        """Return ``count`` questions of one length: the longest trained, or any other.

        Raises
        ------
        ValueError
            If ``count`` is below 1, or ``length`` not more than ``back``.
        """
        whole(1, count=count)
        length = self.lengths[1] if length is None else length
        if length <= self.back:
            raise ValueError(
                f"no token has another {self.back} places before it in a sequence of "
                f"length {length}; a length of {self.back + 1} or more is needed"
            )
        return self._draw_one(count, length, torch.Generator().manual_seed(seed))

    def _draw(self, count: int, generator: torch.Generator) -> Questions:
        low, high = self.lengths
        length = int(torch.randint(low, high + 1, (), generator=generator))
        return self._draw_one(count, length, generator)

    def _draw_one(
        self, count: int, length: int, generator: torch.Generator
    ) -> Questions:
        source = _symbols(self.symbols, (count, length), generator)
        target = torch.nn.functional.pad(source[:, : -self.back], (self.back, 0))
        return Questions(source, target)

    def _sizes(self) -> str:
        low, high = self.lengths
        places = "place" if self.back == 1 else "places"
        return f"{self.back} {places}, {low} to {high} tokens of {self.symbols} symbols"


def _symbols(
    symbols: int, shape: tuple[int, int], generator: torch.Generator
) -> Int[Tensor, "batch token"]:
    return torch.randint(1, symbols + 1, shape, generator=generator)
