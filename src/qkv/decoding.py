"""Decoding: let a model write, one token after another, and see what it wrote."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from qkv.data import BOS, EOS, PAD, Corpus, Example
from qkv.recurrent import EncoderDecoder
from qkv.trace import Recording

BATCH_SIZE = 256


def greedy(
    model: EncoderDecoder,
    source: Int[Tensor, "batch source"],
    source_lengths: Int[Tensor, " batch"],
    *,
    max_length: int,
) -> Int[Tensor, "batch target"]:
    r"""Write the likeliest token, feed it back, and go on until all have ended.

    .. math:: \hat y_i = \arg\max_y \; p(y \mid \hat y_{<i}, x)

    Parameters
    ----------
    model : reads the source once (``start``), then takes a token at a time (``step``).
        It writes in evaluation mode and is left in the mode it was in.
    source, source_lengths : as for the model itself.
    max_length : the most tokens to write, ``<eos>`` among them.

    Returns
    -------
    What was written: each row ends in ``<eos>``, followed by padding, or, cut off, in
    its token ``max_length``. As long as the longest row.

    Raises
    ------
    ValueError
        If ``max_length`` is below 1, or the model refuses the source.

    Examples
    --------
    >>> from qkv.recurrent import Seq2Seq
    >>> model = Seq2Seq(11, 13)
    >>> model.output.bias.data[7] = 99.0
    >>> greedy(model, torch.tensor([[5, 6, 9]]), torch.tensor([3]), max_length=4)
    tensor([[7, 7, 7, 7]])
    """
    if max_length < 1:
        raise ValueError(
            f"max_length is {max_length}, but a model writes at least 1 token, <eos>"
        )
    with _evaluating(model), torch.inference_mode():
        state = model.start(source, source_lengths)
        written = source.new_full((len(source), max_length), PAD)
        token = source.new_full((len(source),), BOS)
        ended = torch.zeros_like(token, dtype=torch.bool)
        for length in range(1, max_length + 1):
            logits, state = model.step(token, state)
            token = logits.argmax(-1)
            written[:, length - 1] = token
            ended |= token == EOS
            if ended.all():
                break
    return _end(written[:, :length])


def translate(
    model: EncoderDecoder,
    corpus: Corpus,
    examples: Sequence[Example],
    *,
    max_length: int | None = None,
) -> list[tuple[str, ...]]:
    """Return what the model writes for the source of each example, without ``<eos>``.

    Parameters
    ----------
    model : trained on ``corpus``.
    corpus : knows the tokens.
    examples : their targets are not shown to the model.
    max_length : the most tokens to write, ``<eos>`` among them; by default as many as
        the longest target of the batch has, so that one cut off is never right.

    Raises
    ------
    ValueError
        If there is no example, ``max_length`` is below 1, or a token is unknown.
    """
    if not examples:
        raise ValueError("there is no example to translate; give at least one")
    return [
        corpus.target_vocab.decode(row)
        for start in range(0, len(examples), BATCH_SIZE)
        for row in _write(
            model, corpus, examples[start : start + BATCH_SIZE], max_length
        ).tolist()
    ]


def exact_match(
    model: EncoderDecoder, corpus: Corpus, examples: Sequence[Example]
) -> float:
    """Return the share of examples that the model writes without a single mistake.

    The model is fed its own output, not the truth, and must end where the truth does.

    Raises
    ------
    ValueError
        If there is no example, or a token is unknown.
    """
    longest = max((len(example.target) for example in examples), default=0)
    written = translate(model, corpus, examples, max_length=longest + 1)
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
    with _evaluating(model), torch.no_grad():
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
) -> Tensor:
    batch = corpus.collate(examples)
    room = batch.target.shape[1] if max_length is None else max_length
    return greedy(model, batch.source, batch.source_lengths, max_length=room)


def _end(written: Tensor) -> Tensor:
    """Put padding after the first <eos>: rows that have ended were written on."""
    ends = (written == EOS).int()
    return written.masked_fill(ends.cumsum(1) - ends > 0, PAD)


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


@contextmanager
def _evaluating(model: EncoderDecoder) -> Iterator[None]:
    """Switch dropout and its like off: with it, two calls would differ."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
