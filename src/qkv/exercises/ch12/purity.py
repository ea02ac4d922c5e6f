"""Whether each expert has a topic of its own."""

from functools import partial
from itertools import permutations

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn.functional import one_hot

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def purity(expert: Int[Tensor, " token"], topic: Int[Tensor, " token"]) -> float:
    return _counts(expert, topic).amax(1).sum().item() / len(topic)


def _counts(expert, topic):
    """How many tokens of each topic each expert works on."""
    return one_hot(expert).T @ one_hot(topic)


def _mean_of_experts(expert, topic):
    counts = _counts(expert, topic).float()
    counts = counts[counts.sum(1) > 0]
    return (counts.amax(1) / counts.sum(1)).mean().item()


def _one_to_one(expert, topic):
    counts = _counts(expert, topic)
    size = max(counts.shape)
    padded = torch.zeros(size, size, dtype=torch.long)
    padded[: counts.shape[0], : counts.shape[1]] = counts
    rows = torch.arange(size)
    best = max(padded[rows, list(p)].sum().item() for p in permutations(range(size)))
    return best / len(topic)


def _pairs(expert, topic):
    same = (expert[:, None] == expert) == (topic[:, None] == topic)
    return same.float().mean().item()


def _drawn(tokens: int, experts: int, topics: int) -> tuple[Tensor, Tensor]:
    """Experts that mostly follow the topic, under other numbers."""
    topic = draw.ids(tokens, high=topics)
    expert = (topic + 1) % experts
    lost = draw.ids(tokens, high=3, seed=1) == 0
    return torch.where(lost, draw.ids(tokens, high=experts, seed=2), expert), topic


def _one_dead() -> tuple[Tensor, Tensor]:
    """Expert 1 has no token, expert 3 has two topics."""
    topic = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 3])
    return torch.tensor([2, 2, 2, 3, 3, 0, 0, 0, 3, 3, 3]), topic


def _two_share_a_topic() -> tuple[Tensor, Tensor]:
    return torch.tensor([0, 0, 0, 2, 2, 1, 1]), torch.tensor([1, 1, 1, 1, 1, 0, 0])


EXERCISE = Exercise(
    id="12.3",
    title="What does an expert stand for?",
    minutes=8,
    difficulty=2,
    reference=purity,
    cases={
        "other numbers than the topics": partial(_drawn, 31, 3, 3),
        "more experts than topics": partial(_drawn, 37, 5, 3),
        "more topics than experts": partial(_drawn, 41, 3, 5),
        "one expert without a token": _one_dead,
        "two experts share a topic": _two_share_a_topic,
        "one token": lambda: (torch.tensor([2]), torch.tensor([0])),
    },
    mistakes={
        "the same number": Mistake(
            "an expert has been counted as right where its number is the topic's. But "
            "the numbers of experts mean nothing: expert 2 may well be the one for "
            "topic 0. Ask which topic is the commonest in each expert",
            lambda expert, topic: (expert == topic).float().mean().item(),
        ),
        "of the topics": Mistake(
            "you have looked for the commonest expert of each topic; it is the "
            "commonest topic of each expert. The two differ where an expert works on "
            "two topics, or a topic has two experts",
            lambda expert, topic: purity(topic, expert),
        ),
        "mean of the experts": Mistake(
            "each expert has got a share of its own, and these have been averaged: so "
            "one with three tokens weighs as much as one with a thousand. Add up "
            "first, divide once by all tokens",
            _mean_of_experts,
        ),
        "one to one": Mistake(
            "each topic has been given to one expert at most. Two experts may share "
            "a topic, and both be pure",
            _one_to_one,
        ),
        "the largest topic": Mistake(
            "this is the share of the commonest topic of all tokens: what one expert "
            "alone would have, a floor that depends on the data",
            lambda _, topic: topic.bincount().max().item() / len(topic),
        ),
        "the largest load": Mistake(
            "this is the load of the busiest expert; the topics have not been looked "
            "at",
            lambda expert, _: expert.bincount().max().item() / len(expert),
        ),
        "one expert": Mistake(
            "only the largest count of the whole table is left: take the largest in "
            "each expert's row, and add them up",
            lambda expert, topic: _counts(expert, topic).max().item() / len(topic),
        ),
        "pairs": Mistake(
            "this is the share of pairs of tokens on which experts and topics agree "
            "(the Rand index), each token with itself included. It is high also for "
            "experts drawn at random, where there are many topics",
            _pairs,
        ),
    },
    hints=(
        "count first: how many tokens of each topic has each expert? That is a table "
        "with a row for each expert.",
        "then the largest number of each row, their sum, and one division by the "
        "number of tokens. topic[expert == e].bincount() is the row of expert e.",
    ),
    trained=False,
)
