"""Vocabularies, examples and batches: what every corpus is made of."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from qkv._checks import whole
from qkv.data.kinds import BOS, EOS, PAD, Batch, Example, composed
from qkv.data.streams import about, passes

__all__ = ["Corpus", "PairCorpus", "Vocabulary"]

SPECIAL = ("<pad>", "<bos>", "<eos>")


class Vocabulary:
    """A number for each token: ``<pad>`` 0, ``<bos>`` 1, ``<eos>`` 2, then the tokens.

    Tokens are composed, as those of an :class:`Example` are.

    Raises
    ------
    ValueError
        If a token occurs twice, or is one of the three special ones.

    Examples
    --------
    >>> vocabulary = Vocabulary(["one", "two", "three"])
    >>> vocabulary.encode(["two", "one", "<eos>"])
    [4, 3, 2]
    >>> vocabulary.decode([1, 4, 3, 2, 5])
    ('two', 'one')
    >>> vocabulary.encode(["tree"])
    Traceback (most recent call last):
        ...
    ValueError: unknown token 'tree'; the nearest known one is 'three'
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        self.tokens: tuple[str, ...] = (*SPECIAL, *map(composed, tokens))
        self._ids = {token: index for index, token in enumerate(self.tokens)}
        if len(self._ids) < len(self.tokens):
            twice = next(t for t, n in Counter(self.tokens).items() if n > 1)
            reserved = " and is reserved" if twice in SPECIAL else ""
            raise ValueError(f"the token {twice!r} occurs twice{reserved}")

    def encode(self, tokens: Sequence[str]) -> list[int]:
        """Return the tokens' numbers, without adding ``<bos>`` or ``<eos>``.

        Raises
        ------
        ValueError
            If a token is unknown (the nearest known one is named, if one is like it),
            or there is none.
        """
        if not tokens:
            raise ValueError("the sequence is empty; at least one token is needed")
        try:
            return [self._ids[token] for token in tokens]
        except KeyError:
            return self._encode_composed(tokens)

    def decode(self, ids: Iterable[int] | Int[Tensor, " token"]) -> tuple[str, ...]:
        """Return the tokens up to the first ``<eos>``, leaving out padding and start.

        Raises
        ------
        ValueError
            If a number is not that of a token.
        """
        tokens = []
        for index in map(int, ids):
            if index == EOS:
                break
            if not 0 <= index < len(self):
                raise ValueError(f"no token has number {index}: there are {len(self)}")
            if index not in (PAD, BOS):
                tokens.append(self.tokens[index])
        return tuple(tokens)

    def __len__(self) -> int:
        """How many tokens there are, the three special ones among them."""
        return len(self.tokens)

    def __repr__(self) -> str:
        """Say how many tokens there are, and the first of them."""
        first = ", ".join(map(repr, self.tokens[: len(SPECIAL) + 3]))
        more = ", …" if len(self) > len(SPECIAL) + 3 else ""
        return f"Vocabulary of {len(self)}: {first}{more}"

    def _encode_composed(self, tokens: Sequence[str]) -> list[int]:
        try:
            return [self._ids[composed(token)] for token in tokens]
        except KeyError as unknown:
            raise ValueError(self._unknown(unknown.args[0])) from None

    def _unknown(self, token: str) -> str:
        known = self.tokens[len(SPECIAL) :]
        near = get_close_matches(token, known, n=1)
        if near:
            return f"unknown token {token!r}; the nearest known one is {near[0]!r}"
        if not known:
            return f"unknown token {token!r}; this vocabulary is empty"
        return f"unknown token {token!r}, and none of the {len(known)} known is near it"


class Corpus(ABC):
    """A task: two vocabularies, a stream of batches, and a way to read typed text.

    A corpus of your own has the attributes ``source_vocab`` and ``target_vocab`` and
    the methods :meth:`batches` and :meth:`parse`.

    Examples
    --------
    A task of one's own, to write as many ones as a number says:

    >>> class Ones(Corpus):
    ...     source_vocab, target_vocab = Vocabulary("123"), Vocabulary("1")
    ...
    ...     def parse(self, text):
    ...         return Example((text,), ("1",) * int(text))
    ...
    ...     def batches(self, *, batch_size, seed):
    ...         generator = torch.Generator().manual_seed(seed)
    ...         while True:
    ...             drawn = torch.randint(1, 4, (batch_size,), generator=generator)
    ...             yield self.collate([self.parse(str(n)) for n in drawn.tolist()])
    >>> next(Ones().batches(batch_size=2, seed=0)).target
    tensor([[3, 3, 3, 2],
            [3, 2, 0, 0]])
    """

    source_vocab: Vocabulary
    target_vocab: Vocabulary

    @abstractmethod
    def batches(self, *, batch_size: int, seed: int) -> Iterator[Batch]:
        """Return an endless stream of batches, the same for the same seed."""

    @abstractmethod
    def parse(self, text: str) -> Example:
        """Return the example that a reader typed.

        Raises
        ------
        ValueError
            If the text is not of this task; the message says what is.
        """

    def collate(self, examples: Sequence[Example]) -> Batch:
        """Return the examples as one batch.

        Raises
        ------
        ValueError
            If there is no example, or one has an empty side or an unknown token.
        """
        source, source_lengths = self.collate_sources(examples)
        targets = [
            torch.tensor([*self.target_vocab.encode(e.target), EOS]) for e in examples
        ]
        return Batch(source, source_lengths, _padded(targets))

    def source_of(self, text: str) -> tuple[str, ...]:
        """Return the tokens of a source that a reader typed.

        Its translation need not be known, unless the corpus says otherwise: this is
        the source of what :meth:`parse` finds.
        """
        return self.parse(text).source

    def collate_sources(
        self, sources: Sequence[Example | str]
    ) -> tuple[Int[Tensor, "batch source"], Int[Tensor, " batch"]]:
        """Return sources and their lengths as a model reads them; targets are ignored.

        Parameters
        ----------
        sources : examples, or texts as a reader types them (:meth:`source_of`).

        Raises
        ------
        ValueError
            If there is none, or one is empty or has an unknown token.

        Examples
        --------
        >>> corpus = PairCorpus([Example(("I", "go"), ("나는", "가"))])
        >>> corpus.collate_sources(["go I", "go"])
        (tensor([[4, 3],
                [4, 0]]), tensor([2, 1]))
        """
        if not sources:
            raise ValueError("a batch needs at least one example, and none was given")
        read = [self.source_of(s) if isinstance(s, str) else s.source for s in sources]
        rows = [torch.tensor(self.source_vocab.encode(tokens)) for tokens in read]
        return _padded(rows), torch.tensor([len(row) for row in rows])

    def __repr__(self) -> str:
        """Say what the task is, and how large its vocabularies are."""
        return (
            f"{about(self)}; {len(self.source_vocab)} source "
            f"and {len(self.target_vocab)} target tokens"
        )


class PairCorpus(Corpus):
    """Pairs of sequences, some of them held out.

    ``train`` is what :meth:`batches` draws from, in an order shuffled anew for each
    pass; ``held_out`` is never drawn. The vocabularies know the tokens of both, so
    that every held-out sentence can be encoded, if not translated.

    Parameters
    ----------
    train, held_out : the pairs.
    tokenize : how a typed text becomes tokens, as it did in the pairs.

    Examples
    --------
    >>> pairs = PairCorpus([Example(("I", "go"), ("나는", "가"))])
    >>> pairs.parse("I go").target
    ('나는', '가')
    >>> pairs.source_vocab.encode(pairs.source_of("go I go"))
    [4, 3, 4]
    >>> next(pairs.batches(batch_size=5, seed=0)).source
    tensor([[3, 4]])
    """

    def __init__(
        self,
        train: Sequence[Example],
        held_out: Sequence[Example] = (),
        *,
        tokenize: Callable[[str], Sequence[str]] = str.split,
    ) -> None:
        self.train, self.held_out = list(train), list(held_out)
        self._tokenize = tokenize
        every = self.train + self.held_out
        self.source_vocab = Vocabulary(sorted({t for e in every for t in e.source}))
        self.target_vocab = Vocabulary(sorted({t for e in every for t in e.target}))

    def batches(self, *, batch_size: int, seed: int) -> Iterator[Batch]:
        """Return an endless stream of batches of ``train``, the same for the same seed.

        The last batch of a pass is smaller where ``batch_size`` does not divide.

        Raises
        ------
        ValueError
            If ``batch_size`` is not positive, or there is nothing to draw from.
        """
        whole(1, batch_size=batch_size)
        if not self.train:
            raise ValueError("there is no training example to draw a batch from")
        sources = _encoded(self.source_vocab, [e.source for e in self.train])
        targets = _encoded(
            self.target_vocab, [(*e.target, "<eos>") for e in self.train]
        )
        drawn = passes(len(sources), batch_size=batch_size, seed=seed)
        return (
            _pad([sources[i] for i in rows], [targets[i] for i in rows])
            for rows in map(Tensor.tolist, drawn)
        )

    def parse(self, text: str) -> Example:
        """Return the pair whose source is ``text``, or the one typed with a tab.

        Raises
        ------
        ValueError
            If the text is empty, or its translation is neither known nor given.
        """
        source, _, target = text.partition("\t")
        tokens = self.source_of(source)
        if target.strip():
            return Example(tokens, tuple(self._tokenize(composed(target.strip()))))
        for example in self.train + self.held_out:
            if tokens and example.source == tokens:
                return example
        raise ValueError(
            f"the translation of {source.strip()!r} is not known; type a source of "
            "this corpus, or source and target with a tab between them (qkv.decoding's "
            "translate needs no target)"
        )

    def source_of(self, text: str) -> tuple[str, ...]:
        """Return the tokens of any source: its translation need not be known."""
        return tuple(self._tokenize(composed(text.strip())))

    def __repr__(self) -> str:
        """Say how many pairs there are, and how large the vocabularies."""
        counts = (
            f"{len(self.train):,} pairs to train on, {len(self.held_out):,} held out"
        )
        return f"{super().__repr__()}; {counts}"


def _encoded(vocabulary: Vocabulary, rows: list[tuple[str, ...]]) -> Sequence[Tensor]:
    # one tensor cut into views: a tensor built for each row costs four times as much
    encoded = [vocabulary.encode(row) for row in rows]
    flat = torch.tensor([index for row in encoded for index in row])
    return flat.split([len(row) for row in encoded])


def _pad(sources: Sequence[Tensor], targets: Sequence[Tensor]) -> Batch:
    return Batch(
        source=_padded(sources),
        source_lengths=torch.tensor([len(source) for source in sources]),
        target=_padded(targets),
    )


def _padded(rows: Sequence[Tensor]) -> Tensor:
    return pad_sequence(list(rows), batch_first=True, padding_value=PAD)
