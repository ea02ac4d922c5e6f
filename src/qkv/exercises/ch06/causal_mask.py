"""The causal mask, also where only the newest tokens ask."""

from functools import partial

import torch
from jaxtyping import Bool
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake


def causal_mask(query: int, key: int) -> Bool[Tensor, "query key"]:
    return _everything(query, key).tril(key - query)


def _everything(query: int, key: int) -> Tensor:
    return torch.ones(query, key, dtype=torch.bool)


def _moved(query: int, key: int, *, ahead: int) -> Tensor:
    """The mask with its diagonal moved to the right."""
    return _everything(query, key).tril(key - query + ahead)


EXERCISE = Exercise(
    id="6.2",
    title="Nothing from the future",
    minutes=5,
    difficulty=2,
    reference=causal_mask,
    cases={
        "as many queries as keys": lambda: (5, 5),
        "the last three of eleven tokens": lambda: (3, 11),
        "one new token": lambda: (1, 7),
        "a single token": lambda: (1, 1),
    },
    mistakes={
        "from the upper left": Mistake(
            "right where there is a query for every key; else the queries are taken "
            "for the first tokens, and they are the last: the first of three queries "
            "at eleven keys may see nine. (PyTorch's is_causal=True does just this, "
            "and with a cache it is a bug.)",
            lambda query, key: _everything(query, key).tril(),
        ),
        "moved the wrong way": Mistake(
            "right where there is a query for every key; else the diagonal has been "
            "moved to the left, where it belongs to the right: by as many keys as "
            "stand before the first query",
            lambda query, key: _everything(query, key).tril(query - key),
        ),
        "inverted": Mistake(
            "the mask is inverted: it is True where a key must be hidden. Parts of "
            "PyTorch want it so; in this book True means may attend",
            lambda query, key: ~causal_mask(query, key),
        ),
        "present hidden": Mistake(
            "a token may not attend to itself here, so the first one of a row has "
            "nothing at all to attend to: its own key is allowed",
            partial(_moved, ahead=-1),
        ),
        "one token ahead": Mistake(
            "every token sees the next one, which is just what it must predict: a "
            "model trained so has a loss that is too good to be true",
            partial(_moved, ahead=1),
        ),
        "looks ahead": Mistake(
            "the triangle is turned over: each token sees itself and the future, and "
            "nothing of the past. Rows are queries, columns are keys",
            lambda query, key: _everything(query, key).triu(key - query),
        ),
        "everything": Mistake(
            "nothing is hidden. Old keys are open to all, but the new tokens have a "
            "future as well: each other",
            _everything,
        ),
        "old keys only": Mistake(
            "the old keys are open, and all new ones hidden: but a new token may see "
            "itself, and the new ones before it",
            lambda query, key: (
                _everything(query, key) & (torch.arange(key) < key - query)
            ),
        ),
        "new keys only": Mistake(
            "right where there is a query for every key; else the old keys are "
            "hidden, and for them a cache is kept: all of the past is allowed",
            lambda query, key: (
                causal_mask(query, key).triu() & (torch.arange(key) >= key - query)
            ),
        ),
        "only itself": Mistake(
            "each token sees itself alone; it may see what stands before it, too",
            lambda query, key: causal_mask(query, key).triu(key - query),
        ),
        "only the one before": Mistake(
            "each token sees itself and the one before it; all of the past is allowed",
            lambda query, key: causal_mask(query, key).triu(key - query - 1),
        ),
    },
    hints=(
        "draw it for two queries and five keys. At which place of the five does the "
        "first query stand, and which keys may it see?",
        "query i stands at place key − query + i, counted from 0, and may attend to "
        "key j where j is not more than that.",
        "a comparison of places[:, None] with torch.arange(key) gives True and False "
        "in axes (query, key); a matrix of ones and .tril(…) can do the same, if you "
        "tell it which diagonal is meant.",
    ),
    instead=("causal",),
)
