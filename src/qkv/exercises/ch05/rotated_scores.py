"""Bug hunt: rotary positions with a cache of keys."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch05.shared import rotate


def rotated_scores(
    q: Float[Tensor, "batch query d_head"], k: Float[Tensor, "batch key d_head"]
) -> Float[Tensor, "batch query key"]:
    return _scores_from(q, k, query=k.shape[1] - q.shape[1])


def _scores_from(q, k, *, query: int = 0, key: int = 0) -> Tensor:
    """Scores with the first query and the first key at these positions."""
    asking = query + torch.arange(q.shape[1])
    return rotate(q, asking) @ rotate(k, key + torch.arange(k.shape[1])).mT


def _queries_from_the_start(q, k):
    return _scores_from(q, k)


def _all_at_the_end(q, k):
    last = torch.full((q.shape[1],), k.shape[1] - 1)
    return rotate(q, last) @ rotate(k, torch.arange(k.shape[1])).mT


def _against_each_other(q, k):
    asking = k.shape[1] - q.shape[1] + torch.arange(q.shape[1])
    return rotate(q, -asking) @ rotate(k, torch.arange(k.shape[1])).mT


def _cached(batch: int, query: int, key: int, d_head: int) -> tuple:
    return draw.normals((batch, query, d_head), (batch, key, d_head))


EXERCISE = Exercise(
    id="5.6",
    title="Bug hunt: the newest queries",
    minutes=10,
    difficulty=3,
    reference=rotated_scores,
    cases={
        "a query for every key": partial(_cached, 3, 5, 5, 6),
        "the last three of eleven": partial(_cached, 2, 3, 11, 10),
        "a batch of one and one query": partial(_cached, 1, 1, 7, 2),
    },
    mistakes={
        "one too far": Mistake(
            "the queries stand one place too far on: the last query belongs to the "
            "last key, and their distance is 0",
            lambda q, k: _scores_from(q, k, query=k.shape[1] - q.shape[1] + 1),
        ),
        "behind the keys": Mistake(
            "the queries begin behind the last key. The keys of the new tokens are "
            "in k already: the queries are the last of them",
            lambda q, k: _scores_from(q, k, query=k.shape[1]),
        ),
        "all at the end": Mistake(
            "all queries stand at the last position; that is right for a single one. "
            "Several are as many consecutive tokens",
            _all_at_the_end,
        ),
        "keys moved": Mistake(
            "the keys have been moved on, and not the queries: now every key seems "
            "to be ahead of its query",
            lambda q, k: _scores_from(q, k, key=k.shape[1] - q.shape[1]),
        ),
        "keys alone": Mistake(
            "only the keys are turned: the score depends on where the key stands, "
            "and not on how far it is from the query",
            lambda q, k: q @ rotate(k, torch.arange(k.shape[1])).mT,
        ),
        "against each other": Mistake(
            "queries and keys are turned in opposite ways: their angles add up, and "
            "the score depends on the sum of the positions, not on the distance",
            _against_each_other,
        ),
        "no rotation": Mistake(
            "nothing is turned any more: the scores know nothing of positions",
            lambda q, k: q @ k.mT,
        ),
    },
    hints=(
        "compute the scores of a whole sequence, and then those of its last token "
        "alone, q[:, -1:]. Is the second the last row of the first?",
        "turn(q) takes its first row to stand at position 0. Where does it stand, "
        "if the queries are the last tokens of the sequence in k?",
        "give turn a second argument, the position of its first row: "
        "k.shape[1] − q.shape[1] for the queries, 0 for the keys.",
    ),
    given=_queries_from_the_start,
    tolerance=1e-4,
)
