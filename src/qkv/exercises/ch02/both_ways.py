"""A sentence read from both ends."""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch02.shared import real_keys
from qkv.exercises.sentences import U_TRANSPOSED


def both_ways(
    x: Float[Tensor, "batch token d_in"],
    lengths: Int[Tensor, " batch"],
    W: Float[Tensor, "d_hidden d_in"],
    U: Float[Tensor, "d_hidden d_hidden"],
    b: Float[Tensor, " d_hidden"],
) -> Float[Tensor, "batch token both"]:
    parts = _states(x, W, U, b), _backwards(x, lengths, W, U, b)
    return _real(torch.cat(parts, dim=-1), lengths)


def _states(x: Tensor, W: Tensor, U: Tensor, b: Tensor) -> Tensor:
    h, states = x.new_zeros(len(x), len(b)), []
    for word in x.unbind(1):
        h = torch.tanh(word @ W.mT + h @ U.mT + b)
        states.append(h)
    return torch.stack(states, dim=1)


def _turned(x: Tensor, lengths: Tensor) -> Tensor:
    """Each sentence from its last word to its first, its padding still behind it."""
    places = torch.arange(x.shape[1])
    mirrored = lengths[:, None] - 1 - places
    places = torch.where(real_keys(x.shape[1], lengths), mirrored, places)
    return x.gather(1, places[..., None].expand_as(x))


def _backwards(x: Tensor, lengths: Tensor, *weights: Tensor) -> Tensor:
    return _turned(_states(_turned(x, lengths), *weights), lengths)


def _real(states: Tensor, lengths: Tensor) -> Tensor:
    return states * real_keys(states.shape[1], lengths)[..., None]


def _from_the_padding(x, lengths, *weights):
    backwards = _states(x.flip(1), *weights).flip(1)
    return _real(torch.cat([_states(x, *weights), backwards], -1), lengths)


def _not_turned_back(x, lengths, *weights):
    parts = _states(x, *weights), _states(_turned(x, lengths), *weights)
    return _real(torch.cat(parts, -1), lengths)


def _second_after_first(x, lengths, *weights):
    once = _states(x, *weights)
    return _real(torch.cat([once, once], -1), lengths)


def _padding_kept(x, lengths, *weights):
    parts = _states(x, *weights), _backwards(x, lengths, *weights)
    return torch.cat(parts, -1)


def _words_and_backwards(x, lengths, W, U, b):
    parts = _states(x, W, torch.zeros_like(U), b), _backwards(x, lengths, W, U, b)
    return _real(torch.cat(parts, -1), lengths)


def _padded_words(lengths: tuple[int, ...], token: int, d_in: int, d_h: int) -> tuple:
    """Padding is not zeros: its embedding is a row of the table like any other."""
    shapes = [(len(lengths), token, d_in), (d_h, d_in), (d_h, d_h), (d_h,)]
    x, *weights = draw.normals(*shapes)
    return x, torch.tensor(lengths), *weights


EXERCISE = Exercise(
    id="2.7",
    title="Read from both ends",
    minutes=12,
    difficulty=3,
    reference=both_ways,
    cases={
        "words as wide as the state": partial(_padded_words, (3, 2, 5, 4), 5, 3, 3),
        "every size different": partial(_padded_words, (2, 7, 4), 7, 5, 11),
        "a batch of one without padding": partial(_padded_words, (5,), 5, 2, 3),
    },
    mistakes={
        "from the padding": Mistake(
            "the batch has been turned round with its padding: read backwards, a "
            "short sentence begins with padding, and its states depend on the batch "
            "that it is in. Turn each sentence round within its own length",
            _from_the_padding,
        ),
        "not turned back": Mistake(
            "the backward states stand in the order in which they were made: beside "
            "the first word you have the state after the last. Turn them back",
            _not_turned_back,
        ),
        "forwards twice": Mistake(
            "both halves have been read forwards",
            _second_after_first,
        ),
        "backwards first": Mistake(
            "the halves are exchanged: the forward one comes first",
            lambda *given: both_ways(*given).roll(len(given[-1]), dims=-1),
        ),
        "padding kept": Mistake(
            "right for the words; but the states at the padding are wanted as 0",
            _padding_kept,
        ),
        "no memory forwards": Mistake(
            "U h is missing in the forward half: its states know one word each",
            _words_and_backwards,
        ),
        "U not transposed": Mistake(
            U_TRANSPOSED,
            lambda x, lengths, W, U, b: both_ways(x, lengths, W, U.mT, b),
        ),
        "no bias": Mistake(
            "the bias b is missing",
            lambda x, lengths, W, U, b: both_ways(
                x, lengths, W, U, torch.zeros_like(b)
            ),
        ),
    },
    hints=(
        "write the reading once, as a function of x that returns all states, and "
        "use it twice.",
        "x.flip(1) turns the padding to the front. For each sentence alone: place t "
        "of the turned one is place lengths − 1 − t of the old one.",
        "or keep the state at 0 for as long as there is padding: go through the "
        "places from the last to the first, and let torch.where(real, new, 0) "
        "choose.",
    ),
)
