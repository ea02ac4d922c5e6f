"""What a model writes for the examples of a corpus, and how much of it is right."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool
from torch import Tensor

from qkv.data import BOS, EOS, Corpus, Example
from qkv.decoding.loop import evaluating, greedy
from qkv.decoding.search import beam
from qkv.recurrent import EncoderDecoder
from qkv.trace import Recording

BATCH_SIZE = 256


def translate(
    model: EncoderDecoder,
    corpus: Corpus,
    examples: Sequence[Example],
    *,
    max_length: int | None = None,
    width: int = 1,
) -> list[tuple[str, ...]]:
    """Return what the model writes for the source of each example, without ``<eos>``.

    Parameters
    ----------
    model : trained on ``corpus``.
    corpus : knows the tokens.
    examples : their targets are not shown to the model.
    max_length : the most tokens to write, ``<eos>`` among them; by default as many as
        the longest target of the batch has, so that one cut off is never right.
    width : how many hypotheses :func:`~qkv.decoding.beam` keeps; with 1 the writing is
        greedy.

    Raises
    ------
    ValueError
        If there is no example, ``max_length`` or ``width`` is below 1, or a token is
        unknown.
    """
    if not examples:
        raise ValueError("there is no example to translate; give at least one")
    return [
        corpus.target_vocab.decode(row)
        for start in range(0, len(examples), BATCH_SIZE)
        for row in _write(
            model, corpus, examples[start : start + BATCH_SIZE], max_length, width
        ).tolist()
    ]


def exact_match(
    model: EncoderDecoder,
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
        If there is no example, or a token is unknown.
    """
    longest = max((len(example.target) for example in examples), default=0)
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
    """
    if isinstance(example, str):
        example = corpus.parse(example)
    names = corpus.target_vocab.tokens
    _check_room(len(example.target) + 1, max_length)
    batch = corpus.collate([example])
    written = _write(model, corpus, [example], max_length)
    fed_back = torch.cat([torch.full((1, 1), BOS), written[:, :-1]], 1)
    with evaluating(model), torch.no_grad():
        return Recording(
            source=example.source,
            target=(*example.target, names[EOS]),
            produced=tuple(names[index] for index in written[0].tolist()),
            vocabulary=names,
            forced=model.trace(batch.source, batch.source_lengths, batch.target_in),
            free=model.trace(batch.source, batch.source_lengths, fed_back),
            truth=_truth(example),
        )


def _write(
    model: EncoderDecoder,
    corpus: Corpus,
    examples: Sequence[Example],
    max_length: int | None,
    width: int = 1,
) -> Tensor:
    batch = corpus.collate(examples)
    room = batch.target.shape[1] if max_length is None else max_length
    if width == 1:
        return greedy(model, batch.source, batch.source_lengths, max_length=room)
    found = beam(
        model, batch.source, batch.source_lengths, max_length=room, width=width
    )
    return found[0]


def _truth(example: Example) -> Bool[Tensor, "target source"] | None:
    if not (example.source_fields and example.target_fields):
        return None
    end = torch.zeros(1, len(example.source), dtype=torch.bool)
    return torch.cat([example.alignment, end])


def _check_room(needed: int, max_length: int | None) -> None:
    if max_length is not None and needed > max_length:
        raise ValueError(
            f"the target has {needed} tokens with its <eos>, but max_length is "
            f"{max_length}: it could never be written; raise max_length to {needed}"
        )
