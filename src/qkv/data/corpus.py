"""Vocabularies, examples and batches: what every corpus is made of."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import ceil
from os import PathLike
from pathlib import Path
from typing import ClassVar

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from qkv._checks import whole

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
            If a token is unknown (the nearest known one is named, if one is like it),
            or there is none.
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
        near = get_close_matches(token, known, n=1)
        if near:
            return f"unknown token {token!r}; the nearest known one is {near[0]!r}"
        if not known:
            return f"unknown token {token!r}; this vocabulary is empty"
        return f"unknown token {token!r}, and none of the {len(known)} known is near it"


@dataclass(frozen=True)
class Example:
    """A source sequence and what it translates to, without ``<eos>``.

    ``source_fields`` and ``target_fields`` say, where it is known, what each token is
    a part of; a token with an empty field is a part of nothing. An empty ``target`` is
    one that is not known: such an example can be translated, but not trained.

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

    Examples
    --------
    >>> numbers = PairCorpus([Example(("one",), ("일",)), Example(("two",), ("이",))])
    >>> batch = numbers.collate(numbers.train)
    >>> batch.source.tolist(), batch.source_lengths.tolist()
    ([[3], [4]], [1, 1])
    >>> batch.target.tolist(), batch.target_in.tolist()
    ([[4, 2], [3, 2]], [[1, 4], [1, 3]])
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
        source, _, target = text.partition("\t")
        tokens = self.source_of(source)
        if target.strip():
            return Example(tokens, tuple(self._tokenize(target.strip())))
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
        return tuple(self._tokenize(text.strip()))

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
    held_out : the share of the different sources that is kept from training; 0 keeps
        none. Pairs of the same source stay on one side, so that nothing held out has
        been seen.
    tokenize : how a text becomes tokens: words by default, ``list`` for characters.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IsADirectoryError
        If it is a folder.
    ValueError
        If the file is empty or not UTF-8, if a line has fewer than two columns, or if
        a side of it is empty: the message names the file and the line. Or if
        ``held_out`` is a share of which too few sources make none.

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
    return PairCorpus(*_split(examples, held_out), tokenize=tokenize)


def share_of(count: int, share: float, things: str) -> int:
    """Return how many of ``count`` things a share is, rounded down.

    Raises
    ------
    ValueError
        If it is none, and the share is not 0.

    Examples
    --------
    >>> share_of(25, 0.1, "images")
    2
    >>> share_of(6, 0.1, "images")
    Traceback (most recent call last):
        ...
    ValueError: held_out = 0.1 of 6 images is none; give at least 0.17 to hold one out,
    0 to hold out none, or more images
    """
    part = int(share * count)
    if share and not part:
        least = ceil(100 / count) / 100
        advice = f"at least {least:g} to hold one out, " if count > 1 else ""
        raise ValueError(
            f"held_out = {share:g} of {count} {things} is none; give {advice}0 to hold "
            f"out none, or more {things}"
        )
    return part


def _read_lines(path: Path) -> list[str]:
    if path.is_dir():
        raise IsADirectoryError(
            f"{path} is a folder, and pairs are read from a file; load_images reads "
            "a folder, of images"
        )
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
    kept_apart = {sources[i] for i in order[: share_of(len(sources), share, "sources")]}
    train = [e for e in examples if e.source not in kept_apart]
    return train, [e for e in examples if e.source in kept_apart]


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
