"""A padded batch read step by step."""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.sentences import U_TRANSPOSED


def read_padded(
    x: Float[Tensor, "batch token d_in"],
    lengths: Int[Tensor, " batch"],
    W: Float[Tensor, "d_hidden d_in"],
    U: Float[Tensor, "d_hidden d_hidden"],
    b: Float[Tensor, " d_hidden"],
) -> Float[Tensor, "batch d_hidden"]:
    return _read(x, lengths, W, U, b)


def _read(x, lengths, W, U, b, *, squash=torch.tanh, memory=1.0, step=0):
    """Read; ``step`` is how many tokens too many are read of each sentence."""
    h = x.new_zeros(len(x), len(b))
    for t, word in enumerate(x.unbind(1)):
        new = squash(word @ W.mT + memory * (h @ U.mT) + b)
        h = torch.where((t < lengths + step)[:, None], new, h)
    return h


def _set_to_zero(x, lengths, W, U, b):
    h = x.new_zeros(len(x), len(b))
    for t, word in enumerate(x.unbind(1)):
        new = torch.tanh(word @ W.mT + h @ U.mT + b)
        h = new * (t < lengths)[:, None]
    return h


def _inverted(x, lengths, W, U, b):
    h = x.new_zeros(len(x), len(b))
    for t, word in enumerate(x.unbind(1)):
        new = torch.tanh(word @ W.mT + h @ U.mT + b)
        h = torch.where((t < lengths)[:, None], h, new)
    return h


def _padded_words(lengths: tuple[int, ...], token: int, d_in: int, d_h: int) -> tuple:
    """Padding is not zeros: its embedding is a row of the table like any other."""
    shapes = [(len(lengths), token, d_in), (d_h, d_in), (d_h, d_h), (d_h,)]
    x, *weights = draw.normals(*shapes)
    return x, torch.tensor(lengths), *weights


EXERCISE = Exercise(
    id="1.6",
    title="Read a padded batch",
    minutes=10,
    difficulty=2,
    reference=read_padded,
    cases={
        "words as wide as the state": partial(_padded_words, (3, 2, 5, 4), 7, 3, 3),
        "every size different": partial(_padded_words, (2, 7, 4), 7, 5, 11),
        "a batch of one without padding": partial(_padded_words, (5,), 5, 2, 3),
    },
    mistakes={
        "over the padding": Mistake(
            "the padding has been read like words: the state of a short sentence "
            "changes with the batch that it is in",
            lambda x, lengths, *weights: _read(
                x, torch.full_like(lengths, x.shape[1]), *weights
            ),
        ),
        "set to zero": Mistake(
            "at the padding the state has been set to 0, and what was read is lost; "
            "it must stay as it was",
            _set_to_zero,
        ),
        "inverted": Mistake(
            "the condition is inverted: the state changes at the padding, and stays "
            "as it was at the words",
            _inverted,
        ),
        "one word too many": Mistake(
            "one token of the padding is read: a sentence of 3 tokens has them at "
            "t = 0, 1 and 2",
            partial(_read, step=1),
        ),
        "one word too few": Mistake(
            "each sentence's last word is not read: a sentence of 3 tokens has them "
            "at t = 0, 1 and 2",
            partial(_read, step=-1),
        ),
        "shortest": Mistake(
            "all sentences end with the shortest one: the longer ones have not been "
            "read to their end",
            lambda x, lengths, *weights: _read(
                x, lengths.min().expand(len(x)), *weights
            ),
        ),
        "no memory": Mistake(
            "U h is missing: each state knows its own word and nothing of those "
            "before it",
            partial(_read, memory=0.0),
        ),
        "no tanh": Mistake("the tanh is missing", partial(_read, squash=lambda h: h)),
        "no bias": Mistake(
            "the bias b is missing",
            lambda x, lengths, W, U, b: _read(x, lengths, W, U, torch.zeros_like(b)),
        ),
        "U not transposed": Mistake(
            U_TRANSPOSED,
            lambda x, lengths, W, U, b: _read(x, lengths, W, U.mT, b),
        ),
        "backwards": Mistake(
            "the sentences have been read from their last word to their first",
            lambda x, lengths, *weights: _read(
                x.gather(1, _from_the_end(x, lengths)), lengths, *weights
            ),
        ),
    },
    hints=(
        "begin with a state of zeros, one row for each sentence, and make one step "
        "of chapter 0 for each column of x.",
        "a sentence that has ended keeps its old state: choose row by row between "
        "the new state and the old one.",
        "torch.where(real[:, None], new, h), and at step t the sentences with "
        "t < lengths still have a word.",
    ),
)


def _from_the_end(x: Tensor, lengths: Tensor) -> Int[Tensor, "batch token d_in"]:
    places = (lengths[:, None] - 1 - torch.arange(x.shape[1])).clamp(min=0)
    return places[..., None].expand_as(x)
