"""What a model writes for the examples of a corpus, and how much of it is right."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor
from torch.nn.functional import pad

from qkv._models import beside, in_mode
from qkv.data import BOS, EOS, Corpus, Example
from qkv.decoding.loop import greedy
from qkv.decoding.search import beam
from qkv.recurrent import EncoderDecoder, Writer
from qkv.trace import Recording

BATCH_SIZE = 256
BEYOND = 50  # how much longer than its source a translation is let grow


def translate(
    model: Writer,
    corpus: Corpus,
    sources: Sequence[Example | str],
    *,
    max_length: int | None = None,
    width: int = 1,
) -> list[tuple[str, ...]]:
    """Return what the model writes for each source, without ``<eos>``.

    Parameters
    ----------
    model : trained on ``corpus``.
    corpus : knows the tokens, and how a text is cut into them.
    sources : texts as a reader types them, or examples, whose targets are not shown to
        the model, and need not be known.
    max_length : the most tokens to write, ``<eos>`` among them; by default as many as
        the longest target of the batch has, so that one cut off is never right. Where
        a target is not known, 50 more than the longest source has.
    width : how many hypotheses :func:`~qkv.decoding.beam` keeps; with 1 the writing is
        greedy.

    Raises
    ------
    ValueError
        If there is no source, ``max_length`` or ``width`` is below 1, or a token of a
        source is unknown; the nearest known one is named.
    TypeError
        If ``sources`` is one source, and no list, or has something else in it than
        texts and examples.

    Notes
    -----
    50 more than the source is Vaswani et al. (2017), section 6.1.

    Examples
    --------
    >>> from qkv.data import PairCorpus
    >>> from qkv.recurrent import Seq2Seq
    >>> corpus = PairCorpus([Example(("I", "go"), ("나는", "가"))])
    >>> model = Seq2Seq(len(corpus.source_vocab), len(corpus.target_vocab))
    >>> model.output.bias.data[corpus.target_vocab.encode(["나는"])] = 99.0
    >>> translate(model, corpus, ["go I", "go"], max_length=2)
    [('나는', '나는'), ('나는', '나는')]
    >>> translate(model, corpus, ["I got"])
    Traceback (most recent call last):
        ...
    ValueError: unknown token 'got'; the nearest known one is 'go'
    """
    _check_several("sources", sources, Example | str)
    return [
        corpus.target_vocab.decode(row)
        for start in range(0, len(sources), BATCH_SIZE)
        for row in _write(
            model, corpus, sources[start : start + BATCH_SIZE], max_length, width
        ).tolist()
    ]


def exact_match(
    model: Writer,
    corpus: Corpus,
    examples: Sequence[Example],
    *,
    width: int = 1,
) -> float:
    """Return the share of examples that the model writes without a single mistake.

    The model is fed its own output, not the truth, and must end where the truth does.
    It writes greedily, or, with a ``width`` above 1, by :func:`~qkv.decoding.beam`
    search.

    Raises
    ------
    ValueError
        If there is no example, a token is unknown, or a target is not known.
    TypeError
        If ``examples`` is one example, and no list, or has texts in it, whose targets
        are not known.

    Examples
    --------
    >>> from qkv.data import PairCorpus
    >>> from torch.nn.functional import one_hot
    >>> from qkv.recurrent import Seq2Seq
    >>> corpus = PairCorpus([Example(("go",), ("가",)), Example(("see",), ("봐",))])
    >>> model = Seq2Seq(len(corpus.source_vocab), len(corpus.target_vocab))
    >>> truth = corpus.target_vocab.encode(["가"])

    A model that always writes 가 and ends is right about one of two:

    >>> def write(token, state):
    ...     word = torch.where(token == BOS, truth[0], EOS)
    ...     return one_hot(word, 5).float(), state
    >>> model.step = write
    >>> exact_match(model, corpus, corpus.train)
    0.5
    """
    _check_several("examples", examples, Example)
    for example in examples:
        corpus.target_vocab.encode(example.target)  # an unknown truth is never written
    longest = max(len(example.target) for example in examples)
    written = translate(model, corpus, examples, max_length=longest + 1, width=width)
    right = [w == e.target for w, e in zip(written, examples, strict=True)]
    return sum(right) / len(right)


def record(
    model: EncoderDecoder,
    corpus: Corpus,
    example: Example | str,
    *,
    max_length: int | None = None,
) -> Recording:
    """Return all that the model does with one example: what widgets show.

    Parameters
    ----------
    model : has a ``trace``.
    corpus : knows the tokens, and reads a typed ``example`` (``corpus.parse``).
    example : an example, or its source as a reader types it.
    max_length : the most tokens to write, ``<eos>`` among them; by default as many as
        the target has.

    Returns
    -------
    The recording. ``target`` ends in ``<eos>``, and so does ``produced`` unless it was
    cut off. ``truth`` has a row for each token of ``target``, the last, for ``<eos>``,
    empty; it is None where the alignment is not known.

    Raises
    ------
    ValueError
        If the text is not of this corpus, the target with its ``<eos>`` is longer than
        ``max_length``, or a token is unknown.
    TypeError
        If ``example`` is a list.

    Examples
    --------
    >>> from qkv.data import DictatedNumbers
    >>> from qkv.recurrent import Seq2Seq
    >>> recording = record(Seq2Seq(13, 13), DictatedNumbers(), "73")
    >>> recording.source, recording.target
    (('seven', 'three'), ('칠', '삼', '<eos>'))
    >>> recording.free.probabilities.shape[-1], recording.truth.int().tolist()
    (13, [[1, 0], [0, 1], [0, 0]])
    """
    _check_one("example", example, Example | str)
    if isinstance(example, str):
        example = corpus.parse(example)
    names = corpus.target_vocab.tokens
    _check_max_length(len(example.target) + 1, max_length)
    source, lengths, target_in = beside(model, *corpus.collate([example]).inputs)
    written = _write(model, corpus, [example], max_length)
    fed_back = pad(written[:, :-1], (1, 0), value=BOS)
    with in_mode(model, training=False), torch.no_grad():
        return Recording(
            source=example.source,
            target=(*example.target, names[EOS]),
            produced=tuple(names[index] for index in written[0].tolist()),
            vocabulary=names,
            forced=model.trace(source, lengths, target_in),
            free=model.trace(source, lengths, fed_back),
            truth=_truth(example),
        )


def _write(
    model: Writer,
    corpus: Corpus,
    sources: Sequence[Example | str],
    max_length: int | None,
    width: int = 1,
) -> Tensor:
    read, lengths = corpus.collate_sources(sources)
    if max_length is None:
        max_length = _longest(sources, read)
    if width == 1:
        return greedy(model, read, lengths, max_length=max_length)
    return beam(model, read, lengths, max_length=max_length, width=width)[0]


def _longest(sources: Sequence[Example | str], read: Tensor) -> int:
    targets = [s.target if isinstance(s, Example) else () for s in sources]
    if all(targets):
        return max(map(len, targets)) + 1
    return read.shape[1] + BEYOND


def _truth(example: Example) -> Bool[Tensor, "target source"] | None:
    if not (example.source_fields and example.target_fields):
        return None
    end = torch.zeros(1, len(example.source), dtype=torch.bool)
    return torch.cat([example.alignment, end])


def _check_several(name: str, given: Sequence[object], kinds: Any) -> None:
    if isinstance(given, Example | str):
        raise TypeError(f"{name} is one source; give a list of it: [{given!r}]")
    if not given:
        raise ValueError("there is no example to translate; give at least one")
    for place, each in enumerate(given):
        _check_one(f"{name}[{place}]", each, kinds)


def _check_one(name: str, given: object, kinds: Any) -> None:
    if not isinstance(given, kinds):
        wanted = "an Example" if kinds is Example else "an Example or a text"
        raise TypeError(
            f"{name} is of type {type(given).__name__}, but is to be {wanted}; "
            "corpus.parse(text) makes an Example of a text whose target is known"
        )


def _check_max_length(needed: int, max_length: int | None) -> None:
    if max_length is not None and needed > max_length:
        raise ValueError(
            f"the target has {needed} tokens with its <eos>, but max_length is "
            f"{max_length}: it could never be written; raise max_length to {needed}"
        )
