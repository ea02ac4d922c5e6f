"""What is asked of a model, and how an answer is judged: batches and their loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import index
from typing import Any, ClassVar, Protocol, cast, runtime_checkable
from unicodedata import is_normalized, normalize

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy, pad

from qkv._checks import a_tensor

__all__ = [
    "BOS",
    "EOS",
    "PAD",
    "Asked",
    "Batch",
    "Example",
    "Images",
    "OfClasses",
    "Questions",
    "sequence_loss",
]

PAD, BOS, EOS = 0, 1, 2  # what a vocabulary begins with: <pad>, <bos>, <eos>


Rows = slice | Sequence[int] | Tensor  # of a batch


def composed(text: str) -> str:
    """Return a text with each letter and its marks as one character, if there is one.

    What looks the same is then the same: a file from another system writes é or 는 in
    parts.

    Examples
    --------
    >>> len("\u1102\u1173\u11ab"), composed("\u1102\u1173\u11ab")
    (3, '는')
    """
    return normalize("NFC", text)


@runtime_checkable
class Asked(Protocol):
    """What a model is asked, and how its answer is judged: a batch to train on.

    Any class that has these three is one. :func:`~qkv.training.fit` calls the model
    with ``inputs``, and ``loss`` with what it answers. All tensors of ``inputs`` and
    ``target`` are brought to the model's device first, so that a batch need not know
    where the model is.

    Examples
    --------
    A number to be foretold, judged by its squared error:

    >>> @dataclass(frozen=True)
    ... class Series:
    ...     past: Tensor
    ...     target: Tensor
    ...
    ...     @property
    ...     def inputs(self):
    ...         return (self.past,)
    ...
    ...     def loss(self, output, target):
    ...         return (output - target).square().mean()
    >>> isinstance(Series(torch.zeros(7, 5), torch.zeros(7)), Asked)
    True
    """

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the model is called with."""

    @property
    def target(self) -> Tensor:
        """What it is to answer."""

    def loss(self, output: Any, target: Tensor) -> Float[Tensor, ""]:
        """Return how wrong ``output`` is: what the model returned, as it did.

        ``target`` is the batch's own, on the model's device. A loss that can be
        smoothed also takes ``label_smoothing=``, and is given it where it is not 0.
        """


class OfClasses:
    """What is :class:`Asked` where each answer is one of several classes: a base class.

    A target of ``ignored`` is not asked: it counts neither in the loss nor in the
    accuracy.
    """

    ignored: ClassVar[int] = PAD

    def loss(
        self,
        output: Float[Tensor, "*batch vocab"],
        target: Int[Tensor, "*batch"],
        *,
        label_smoothing: float = 0.0,
    ) -> Float[Tensor, ""]:
        """Return the cross-entropy of what is asked (:func:`sequence_loss`)."""
        return sequence_loss(
            output, target, label_smoothing=label_smoothing, ignored=self.ignored
        )


def fed(target: Int[Tensor, "batch target"]) -> Int[Tensor, "batch target"]:
    """Return what a decoder is fed to write a target: ``<bos>``, then all but the last.

    Examples
    --------
    >>> fed(torch.tensor([[5, 6, EOS]]))
    tensor([[1, 5, 6]])
    """
    return pad(target[:, :-1], (1, 0), value=BOS)


@dataclass(frozen=True)
class Example:
    """A source sequence and what it translates to, without ``<eos>``.

    ``source_fields`` and ``target_fields`` say, where it is known, what each token is
    a part of; a token with an empty field is a part of nothing. An empty ``target`` is
    one that is not known: such an example can be translated, but not trained. Tokens
    are kept composed (Unicode's NFC): a word in whole syllables, and the same one in
    single letters, as macOS writes it in the names of files, are one word.

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
        """Compose the tokens, and check that there are as many fields as tokens.

        Raises
        ------
        ValueError
            If a side has fields, but not one for each token.
        """
        for side, tokens in (("source", self.source), ("target", self.target)):
            if not is_normalized("NFC", "".join(tokens)):
                object.__setattr__(self, side, tuple(map(composed, tokens)))
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
class Batch(OfClasses):
    """Examples as numbers, padded at the end to the longest of them.

    ``target`` ends each row with ``<eos>``: it is what a model is to predict.

    Examples
    --------
    >>> from qkv.data import PairCorpus
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

    @property
    def target_in(self) -> Int[Tensor, "batch target"]:
        """What the decoder is fed: ``<bos>``, then the target less its last token."""
        return fed(self.target)

    @property
    def inputs(
        self,
    ) -> tuple[
        Int[Tensor, "batch source"], Int[Tensor, " batch"], Int[Tensor, "batch target"]
    ]:
        """What a model is called with: source, source_lengths and target_in."""
        return self.source, self.source_lengths, self.target_in


@dataclass(frozen=True, eq=False)
class Questions(OfClasses):
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

    def __post_init__(self) -> None:
        """Check that there are as many answers as sequences."""
        if len(self.source) != len(self.target):
            raise ValueError(
                f"source has batch {len(self.source)} and target has batch "
                f"{len(self.target)}; give one row of answers for each sequence"
            )

    @property
    def inputs(self) -> tuple[Int[Tensor, "batch token *parts"]]:
        """What a model is called with."""
        return (self.source,)


@dataclass(frozen=True, eq=False)
class Images(OfClasses):
    """Images, and the class of each.

    ``pixels`` run from 0 to 1, ``labels`` are classes counted from 0. ``places`` is
    known where an image was composed: (row, column) of the top left corner of what is
    to be found in it.

    Raises
    ------
    ValueError
        If there is not one label, and one place where there are any, for each image.

    Examples
    --------
    >>> images = Images(torch.zeros(3, 1, 8, 8), torch.tensor([7, 0, 4]))
    >>> images
    Images(3 of 1 × 8 × 8)
    >>> images[1:].labels
    tensor([0, 4])
    """

    pixels: Float[Tensor, "image channel height width"]
    labels: Int[Tensor, " image"]
    places: Int[Tensor, "image 2"] | None = None

    ignored: ClassVar[int] = -100  # torch's own: every number from 0 is a class

    def __post_init__(self) -> None:
        """Check that there are as many labels and places as images."""
        for name, rows in (("labels", self.labels), ("places", self.places)):
            if rows is not None and len(rows) != len(self.pixels):
                raise ValueError(
                    f"pixels has image {len(self.pixels)} and {name} has image "
                    f"{len(rows)}; give one row of {name} for each image"
                )

    @property
    def inputs(self) -> tuple[Float[Tensor, "image channel height width"]]:
        """What a model is called with."""
        return (self.pixels,)

    @property
    def target(self) -> Int[Tensor, " image"]:
        """What a model is to predict: the labels."""
        return self.labels

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.pixels)

    def __getitem__(self, rows: Rows) -> "Images":
        """Return some of the images: those of a slice, or of a tensor of indices.

        Raises
        ------
        TypeError
            If one number is given: one image is no batch.
        """
        rows = some_rows(rows)
        places = None if self.places is None else self.places[rows]
        return Images(self.pixels[rows], self.labels[rows], places)

    def __repr__(self) -> str:
        """Say how many images there are, and of what size."""
        size = " × ".join(map(str, self.pixels.shape[1:]))
        known = "" if self.places is None else ", places known"
        return f"Images({len(self)} of {size}{known})"


def some_rows(rows: Rows | int) -> Rows:
    """Return what picks rows of a batch; a tuple is read as a list.

    Raises
    ------
    TypeError
        If it is one number, Python's own or another's: that picks no batch.
    """
    if isinstance(rows, int) or getattr(rows, "ndim", 1) == 0:
        row = index(cast(int, rows))
        raise TypeError(f"[{row}] is no batch; [{row} : {row + 1}] is one of 1")
    return [*rows] if isinstance(rows, tuple) else rows


def sequence_loss(
    logits: Float[Tensor, "*batch vocab"],
    target: Int[Tensor, "*batch"],
    *,
    label_smoothing: float = 0.0,
    ignored: int = PAD,
) -> Float[Tensor, ""]:
    r"""Return the mean of :math:`-\log p(y_t \mid x, y_{<t})` over the real tokens.

    Padding is left out, so that a sentence's loss is the same in any batch; and so is
    whatever else a target of 0 stands for, such as a question that is not asked. Where
    0 is a class like any other, as for :class:`~qkv.data.Images`, ``ignored`` says
    which number is not asked in its place.

    With ``label_smoothing`` ε the target is no longer sure: it is the true token by
    1 − ε, and each token of the vocabulary, the true one too, by ε / vocab.

    Raises
    ------
    ValueError
        If there is not one row of logits for each token of the target, if a target is
        none that the logits score, or if all are ``ignored`` or there is none; or if
        ``label_smoothing`` is not at least 0 and below 1.
    TypeError
        If the logits or the target are no tensor, or the target does not hold int64.

    Notes
    -----
    Label smoothing is Szegedy et al. (2016), section 7. A loss with it is never 0, and
    is not to be compared with one without.

    Examples
    --------
    >>> import math
    >>> target = torch.tensor([[4, 2], [2, PAD]])
    >>> loss = sequence_loss(torch.zeros(2, 2, 8), target)
    >>> math.isclose(loss.item(), math.log(8), rel_tol=1e-6)
    True
    """
    a_tensor("logits", logits)
    a_tensor("target", target)
    one_row_each(logits, target)
    check_smoothing(label_smoothing)
    if target.dtype is not torch.int64:
        raise TypeError(
            f"the target holds {target.dtype}, but is the number of a token or class; "
            "give target.long()"
        )
    try:
        loss = cross_entropy(
            logits.reshape(-1, logits.shape[-1]),
            target.reshape(-1),
            ignore_index=ignored,
            label_smoothing=label_smoothing,
        )
    except IndexError:
        raise ValueError(_not_scored(logits, target, ignored)) from None
    if loss.isnan() and not (target != ignored).any():
        raise ValueError(nothing_asked(target, ignored))
    return loss


def _not_scored(logits: Tensor, target: Tensor, ignored: int) -> str:
    scored = logits.shape[-1]
    what = "tokens" if ignored == PAD else "classes"
    wrong = target[(target != ignored) & ((target < 0) | (target >= scored))]
    given = wrong.max().item()
    if given < 0:
        advice = f"they are counted from 0, and {ignored} alone is not asked"
    else:
        advice = f"build it with at least {given + 1}"
    return (
        f"the model scores {scored} {what}, 0 to {scored - 1}, but a target is "
        f"{given}; {advice}"
    )


def nothing_asked(target: Tensor, ignored: int) -> str:
    if not target.numel():
        return (
            f"nothing is asked: the target has shape {tuple(target.shape)}, and no "
            "answer in it; give a batch of at least 1"
        )
    meaning = "padding" if ignored == PAD else "not asked"
    return f"nothing is asked: every target is {ignored}, which is {meaning}"


def one_row_each(logits: Tensor, target: Tensor) -> None:
    if logits.shape[:-1] != target.shape:
        raise ValueError(
            f"logits for {_sizes(logits.shape[:-1])}, but a target of "
            f"{_sizes(target.shape)}; give one row of logits for each target, and "
            "feed a decoder target_in, which is as long as target"
        )


def _sizes(shape: torch.Size) -> str:
    batch, asked = shape[:1], shape[1:]
    named = [f"batch {size}" for size in batch]
    return " and ".join([*named, *(f"target {size}" for size in asked)])


def check_smoothing(label_smoothing: float) -> None:
    if not 0 <= label_smoothing < 1:
        raise ValueError(
            f"label_smoothing is {label_smoothing}, but is a share of each target, at "
            "least 0 and below 1"
        )
