"""Bug hunt: the state at the end of each sentence."""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def last_state(
    states: Float[Tensor, "batch token d_hidden"], lengths: Int[Tensor, " batch"]
) -> Float[Tensor, "batch d_hidden"]:
    return states[torch.arange(len(states)), lengths - 1]


def _state_of_the_padding(states, lengths):
    return states[:, -1]


def _average(states, lengths):
    real = torch.arange(states.shape[1]) < lengths[:, None]
    return (states * real[..., None]).sum(1) / lengths[:, None]


def _one_too_far(states, lengths):
    places = lengths.clamp(max=states.shape[1] - 1)
    return states[torch.arange(len(states)), places]


def _one_end_for_all(place):
    """The state at the end of one of the sentences, taken for all of them."""
    return lambda states, lengths: states[:, lengths[place] - 1]


def _encoded(lengths: tuple[int, ...], token: int, d_hidden: int) -> tuple:
    return draw.normal(len(lengths), token, d_hidden), torch.tensor(lengths)


EXERCISE = Exercise(
    id="1.1",
    title="Bug hunt: the last state",
    minutes=6,
    difficulty=2,
    reference=last_state,
    cases={
        "four padded sentences": partial(_encoded, (3, 2, 5, 4), 7, 11),
        "one sentence without padding": partial(_encoded, (5,), 5, 3),
        "one that fills the batch's width": partial(_encoded, (4, 7, 1, 6, 2), 7, 3),
    },
    mistakes={
        "one too far": Mistake(
            "you take the state after the last word: a sentence of 3 tokens has them "
            "at places 0, 1 and 2",
            _one_too_far,
        ),
        "first state": Mistake(
            "this is the state after the first word, which has read nothing else",
            lambda states, lengths: states[:, 0],
        ),
        "shortest": Mistake(
            "all sentences are cut at the shortest one's end: the longer ones have "
            "not been read to theirs",
            lambda states, lengths: states[:, lengths.min() - 1],
        ),
        "longest": Mistake(
            "all sentences are read to the longest one's end: the shorter ones have "
            "gone on over padding",
            lambda states, lengths: states[:, lengths.max() - 1],
        ),
        "first sentence": Mistake(
            "all sentences are cut at the end of the first one; each has its own",
            _one_end_for_all(0),
        ),
        "last sentence": Mistake(
            "all sentences are cut at the end of the last one; each has its own",
            _one_end_for_all(-1),
        ),
        "average": Mistake(
            "this is the mean of each sentence's states; the last one is wanted",
            _average,
        ),
        "average with padding": Mistake(
            "this is the mean of all states, even those of the padding; the last "
            "one before the padding is wanted",
            lambda states, lengths: states.mean(1),
        ),
        "order not restored": Mistake(
            "the states are the right ones, in another order: they have been sorted "
            "by length and not put back",
            lambda states, lengths: last_state(states, lengths)[
                lengths.argsort(descending=True)
            ],
        ),
    },
    hints=(
        "how does states[:, -1] know where a short sentence ends? What stands at "
        "that place?",
        "the last word of sentence i stands at place lengths[i] − 1.",
        "a tensor can be indexed by two tensors at once, one of rows and one of "
        "places: states[torch.arange(...), ...].",
    ),
    given=_state_of_the_padding,
)
