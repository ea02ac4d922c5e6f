"""A sentence read by a recurrent network."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def read(
    x: Float[Tensor, "batch token d_in"],
    W: Float[Tensor, "d_hidden d_in"],
    U: Float[Tensor, "d_hidden d_hidden"],
    b: Float[Tensor, " d_hidden"],
) -> Float[Tensor, "batch token d_hidden"]:
    return _unrolled(x, lambda word, h: torch.tanh(word @ W.mT + h @ U.mT + b), b)


def _unrolled(x, step, b) -> Tensor:
    """The states of a step, beginning at 0."""
    h, states = torch.zeros(len(x), len(b)), []
    for word in x.unbind(1):
        h = step(word, h)
        states.append(h)
    return torch.stack(states, dim=1)


def _forgetful(x, W, U, b):
    return torch.tanh(x @ W.mT + b)


def _linear(x, W, U, b):
    return _unrolled(x, lambda word, h: word @ W.mT + h @ U.mT + b, b)


def _tanh_of_the_word_alone(x, W, U, b):
    return _unrolled(x, lambda word, h: torch.tanh(word @ W.mT + b) + h @ U.mT, b)


def _sigmoid(x, W, U, b):
    return _unrolled(x, lambda word, h: torch.sigmoid(word @ W.mT + h @ U.mT + b), b)


def _state_multiplied(x, W, U, b):
    return read(x, W, U.diagonal().diag(), b)


def _last_for_all(x, W, U, b):
    states = read(x, W, U, b)
    return states[:, -1:].expand_as(states).clone()


def _state_of_the_sentence_before(x, W, U, b):
    """The loop goes over the sentences, and h is made once, outside of it."""
    h, rows = torch.zeros(len(b)), []
    for sentence in x:
        states = []
        for word in sentence:
            h = torch.tanh(W @ word + U @ h + b)
            states.append(h)
        rows.append(torch.stack(states))
    return torch.stack(rows)


def _read_by(batch: int, token: int, d_in: int, d_hidden: int) -> tuple:
    shapes = (batch, token, d_in), (d_hidden, d_in), (d_hidden, d_hidden), (d_hidden,)
    return draw.normals(*shapes)


EXERCISE = Exercise(
    id="0.4",
    title="Read a batch of sentences",
    minutes=8,
    difficulty=2,
    reference=read,
    cases={
        "words as wide as the state": partial(_read_by, 3, 5, 7, 7),
        "words narrower than the state": partial(_read_by, 5, 7, 2, 3),
        "a batch of one": partial(_read_by, 1, 3, 5, 2),
        "sentences of one word": partial(_read_by, 3, 1, 5, 2),
    },
    mistakes={
        "no memory": Mistake(
            "each state depends on its own word alone: what U makes of the state "
            "before is missing, or h is set to 0 again at each word",
            _forgetful,
        ),
        "no tanh": Mistake(
            "there is no tanh: the states grow from word to word without a limit",
            _linear,
        ),
        "tanh of the word": Mistake(
            "only the word goes through tanh, and U h is added outside of it; the sum "
            "of the three goes through tanh",
            _tanh_of_the_word_alone,
        ),
        "sigmoid": Mistake(
            "the sum goes through a sigmoid; in this cell it is a tanh, from −1 to 1",
            _sigmoid,
        ),
        "no bias": Mistake(
            "the bias b is missing",
            lambda x, W, U, b: read(x, W, U, torch.zeros_like(b)),
        ),
        "state not transposed": Mistake(
            "U has been used the wrong way round: with h in rows, U h is written "
            "h @ U.T",
            lambda x, W, U, b: read(x, W, U.mT, b),
        ),
        "word not transposed": Mistake(
            "W has been used the wrong way round: with x in rows, W x is "
            "written x @ W.T",
            lambda x, W, U, b: read(x, W.mT, U, b),
        ),
        "backwards": Mistake(
            "the sentence has been read from its end",
            lambda x, W, U, b: read(x.flip(1), W, U, b).flip(1),
        ),
        "number by number": Mistake(
            "the state has been multiplied number by number with U's diagonal; U h is "
            "a product of a matrix and a vector, @",
            _state_multiplied,
        ),
        "last for all": Mistake(
            "every place has got the last state; each word's own state is wanted",
            _last_for_all,
        ),
        "sentence before": Mistake(
            "a sentence begins with the state in which the one before it ended; each "
            "begins with zeros",
            _state_of_the_sentence_before,
        ),
    },
    hints=(
        "the state of all sentences begins as zeros of shape (batch, d_hidden); one "
        "loop goes over the words, for the whole batch at once.",
        "x[:, t] is word t of every sentence, (batch, d_in), and W x is written "
        "x[:, t] @ W.T.",
        "collect the states in a list; torch.stack(states, dim=1) puts them where the "
        "tokens' axis should be.",
    ),
)
