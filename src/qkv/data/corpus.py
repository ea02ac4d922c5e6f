"""Vocabularies, examples and batches: what every corpus is made of."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from os import PathLike
from pathlib import Path
from typing import ClassVar

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

PAD, BOS, EOS = 0, 1, 2
SPECIAL = ("<pad>", "<bos>", "<eos>")


class Vocabulary:
    """A number for each token: ``<pad>`` 0, ``<bos>`` 1, ``<eos>`` 2, then the tokens.

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
        self.tokens: tuple[str, ...] = (*SPECIAL, *tokens)
        self._ids = {token: index for index, token in enumerate(self.tokens)}
        if len(self._ids) < len(self.tokens):
            twice = next(t for t in self.tokens if self.tokens.count(t) > 1)
            reserved = " and is reserved" if twice in SPECIAL else ""
            raise ValueError(f"the token {twice!r} occurs twice{reserved}")

    def encode(self, tokens: Sequence[str]) -> list[int]:
        """Return the tokens' numbers, without adding ``<bos>`` or ``<eos>``.

        Raises
        ------
        ValueError
            If a token is unknown (its nearest neighbour is named), or there is none.
        """
        if not tokens:
            raise ValueError("the sequence is empty; at least one token is needed")
        try:
            return [self._ids[token] for token in tokens]
        except KeyError as unknown:
            raise ValueError(self._unknown(unknown.args[0])) from None

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

    def _unknown(self, token: str) -> str:
        known = self.tokens[len(SPECIAL) :]
        near = get_close_matches(token, known, n=1, cutoff=0.0)
        if not near:
            return f"unknown token {token!r}; this vocabulary is empty"
        return f"unknown token {token!r}; the nearest known one is {near[0]!r}"


@dataclass(frozen=True)
class Example:
    """A source sequence and what it translates to, without ``<eos>``.

    ``source_fields`` and ``target_fields`` say, where it is known, what each token is
    a part of; a token with an empty field is a part of nothing.

    Examples
    --------
    >>> Example(("two", "one"), ("이", "일"), ("1", "2"), ("1", "2")).alignment.int()
    tensor([[1, 0],
            [0, 1]], dtype=torch.int32)
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    source_fields: tuple[str, ...] = ()
    target_fields: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Hold tokens and fields to the same number.

        Raises
        ------
        ValueError
            If a side has fields, but not one for each token.
        """
        for side, tokens, its_fields in (
            ("source", self.source, self.source_fields),
            ("target", self.target, self.target_fields),
        ):
            if its_fields and len(its_fields) != len(tokens):
                raise ValueError(
                    f"{len(its_fields)} {side} fields for {len(tokens)} {side} tokens; "
                    "give one field for each token, '' where a token belongs to none"
                )

    @property
    def alignment(self) -> Bool[Tensor, "target source"]:
        """True where a target token and a source token are parts of the same field.

        Raises
        ------
        ValueError
            If the fields of this example are not known.
        """
        if not (self.source_fields and self.target_fields):
            raise ValueError(
                f"the true alignment of {' '.join(self.source)!r} is not known: "
                "this example has no fields"
            )
        return torch.tensor(
            [
                [bool(t) and t == s for s in self.source_fields]
                for t in self.target_fields
            ]
        )


@dataclass(frozen=True)
class Batch:
    """Examples as numbers, padded at the end to the longest of them.

    ``target`` ends each row with ``<eos>``: it is what a model is to predict.
    """

    source: Int[Tensor, "batch source"]
    source_lengths: Int[Tensor, " batch"]
    target: Int[Tensor, "batch target"]

    ignored: ClassVar[int] = PAD

    @property
    def target_in(self) -> Int[Tensor, "batch target"]:
        """What the decoder is fed: ``<bos>``, then the target less its last token."""
        begin = self.target.new_full((len(self.target), 1), BOS)
        return torch.cat([begin, self.target[:, :-1]], dim=1)

    @property
    def inputs(
        self,
    ) -> tuple[
        Int[Tensor, "batch source"], Int[Tensor, " batch"], Int[Tensor, "batch target"]
    ]:
        """What a model is called with: source, source_lengths and target_in."""
        return self.source, self.source_lengths, self.target_in


class Corpus(ABC):
    """A task: two vocabularies, a stream of batches, and a way to read typed text.

    A corpus of your own has the attributes ``source_vocab`` and ``target_vocab`` and
    the methods :meth:`batches` and :meth:`parse`.
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
        if not examples:
            raise ValueError("a batch needs at least one example, and none was given")
        sources = [torch.tensor(self.source_vocab.encode(e.source)) for e in examples]
        targets = [
            torch.tensor([*self.target_vocab.encode(e.target), EOS]) for e in examples
        ]
        return _pad(sources, targets)

    def __repr__(self) -> str:
        """Say what the task is, and how large its vocabularies are."""
        about = (type(self).__doc__ or "").partition("\n")[0].rstrip(".")
        return (
            f"{type(self).__name__}: {about}; {len(self.source_vocab)} source "
            f"and {len(self.target_vocab)} target tokens"
        )


class PairCorpus(Corpus):
    """Pairs of sequences, some of them held out.

    ``train`` is what :meth:`batches` draws from, in an order shuffled anew for each
    pass; ``held_out`` is never drawn. The vocabularies know the tokens of both, so
    that every held-out sentence can be encoded, if not translated.
    """

    def __init__(
        self, train: Sequence[Example], held_out: Sequence[Example] = ()
    ) -> None:
        self.train, self.held_out = list(train), list(held_out)
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
        check_batch_size(batch_size)
        if not self.train:
            raise ValueError("there is no training example to draw a batch from")
        sources = _encoded(self.source_vocab, [e.source for e in self.train])
        targets = _encoded(
            self.target_vocab, [(*e.target, "<eos>") for e in self.train]
        )
        generator = torch.Generator().manual_seed(seed)

        def stream() -> Iterator[Batch]:
            while True:
                order = torch.randperm(len(sources), generator=generator)
                for rows in order.split(batch_size):
                    drawn = rows.tolist()
                    yield _pad([sources[i] for i in drawn], [targets[i] for i in drawn])

        return stream()

    def parse(self, text: str) -> Example:
        """Return the pair whose source is ``text``, or the one typed with a tab.

        Raises
        ------
        ValueError
            If the text is empty, or its translation is neither known nor given.
        """
        source, _, target = (part.strip() for part in text.partition("\t"))
        if target:
            return Example(tuple(source.split()), tuple(target.split()))
        words = tuple(source.split())
        for example in self.train + self.held_out:
            if words and example.source == words:
                return example
        raise ValueError(
            f"the translation of {source!r} is not known; type a source of this "
            "corpus, or source and target with a tab between them"
        )

    def __repr__(self) -> str:
        """Say how many pairs there are, and how large the vocabularies."""
        counts = (
            f"{len(self.train):,} pairs to train on, {len(self.held_out):,} held out"
        )
        return f"{super().__repr__()}; {counts}"


def load_pairs(
    path: str | PathLike[str],
    *,
    held_out: float = 0.1,
    tokenize: Callable[[str], Sequence[str]] = str.split,
) -> PairCorpus:
    r"""Read a tab-separated file of pairs: source, target, and more that is ignored.

    Parameters
    ----------
    path : a UTF-8 file, one pair a line; blank lines are skipped.
    held_out : the share of the different sources that is kept from training. Pairs of
        the same source stay on one side, so that nothing held out has been seen.
    tokenize : how a text becomes tokens: words by default, ``list`` for characters.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty or not UTF-8, if a line has fewer than two columns, or if
        a side of it is empty. The message names the file and the line.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "pairs.tsv")
    ...     _ = file.write_text("I go\t나는 간다\nyou go\t너는 간다\n", "utf-8")
    ...     pairs = load_pairs(file, held_out=0.0)
    >>> pairs.train[1].target
    ('너는', '간다')
    """
    if not 0 <= held_out < 1:
        raise ValueError(f"held_out is a share from 0 to below 1, not {held_out}")
    examples = [
        _read_pair(line, f"{path}, line {number}", tokenize)
        for number, line in enumerate(_read_lines(Path(path)), start=1)
        if line.strip(" \r")
    ]
    if not examples:
        raise ValueError(f"{path} is empty: one pair a line is needed")
    return PairCorpus(*_split(examples, held_out))


def check_batch_size(batch_size: int) -> None:
    """Refuse a batch of nothing.

    Raises
    ------
    ValueError
        If ``batch_size`` is not positive.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")


def _read_lines(path: Path) -> list[str]:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    read = path.read_bytes()
    try:
        return read.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        line = read.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path}, line {line} is not UTF-8; save the file in that encoding"
        ) from None


def _read_pair(
    line: str, where: str, tokenize: Callable[[str], Sequence[str]]
) -> Example:
    columns = line.rstrip("\r").split("\t")
    if len(columns) < 2:
        raise ValueError(
            f"{where}: 1 column where a source and a target, with a tab between them, "
            "are needed"
        )
    source, target = (tuple(tokenize(column.strip())) for column in columns[:2])
    for side, tokens in (("source", source), ("target", target)):
        if not tokens:
            raise ValueError(f"{where}: the {side} is empty")
        reserved = next((token for token in tokens if token in SPECIAL), None)
        if reserved:
            raise ValueError(f"{where}: the token {reserved!r} is reserved")
    return Example(source, target)


def _split(
    examples: list[Example], share: float
) -> tuple[list[Example], list[Example]]:
    sources = list(dict.fromkeys(example.source for example in examples))
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(sources), generator=generator).tolist()
    kept_apart = {sources[i] for i in order[: int(share * len(sources))]}
    train = [e for e in examples if e.source not in kept_apart]
    return train, [e for e in examples if e.source in kept_apart]


def _encoded(vocabulary: Vocabulary, rows: list[tuple[str, ...]]) -> Sequence[Tensor]:
    # one tensor cut into views: a tensor built for each row costs four times as much
    encoded = [vocabulary.encode(row) for row in rows]
    flat = torch.tensor([index for row in encoded for index in row])
    return flat.split([len(row) for row in encoded])


def _pad(sources: Sequence[Tensor], targets: Sequence[Tensor]) -> Batch:
    return Batch(
        source=pad_sequence(list(sources), batch_first=True, padding_value=PAD),
        source_lengths=torch.tensor([len(source) for source in sources]),
        target=pad_sequence(list(targets), batch_first=True, padding_value=PAD),
    )
