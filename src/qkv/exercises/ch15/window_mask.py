"""The mask of a window: the last so many tokens, and itself among them."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Bool
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake


def window_mask(query: int, key: int, window: int) -> Bool[Tensor, "query key"]:
    return _seen(query, key, window)


def _last_of_the_keys(query: int, key: int) -> int:
    """How many tokens there are before the first query."""
    return key - query


def _near(back: Tensor, window: int) -> Tensor:
    return (back >= 0) & (back < window)


def _seen(
    query: int,
    key: int,
    window: int,
    *,
    near: Callable = _near,
    before: Callable = _last_of_the_keys,
) -> Tensor:
    """Who sees whom, judged by how far the key stands before the query."""
    places = torch.arange(query)[:, None] + before(query, key)
    return near(places - torch.arange(key), window)


def _one_edge(query, key, window):
    """The past ends where it would with as many queries as keys."""
    causal = _seen(query, key, key)
    return causal & ~torch.ones(query, key, dtype=torch.bool).tril(-window)


def _other_edge(query, key, window):
    """The future begins where it would with as many queries as keys."""
    everything = torch.ones(query, key, dtype=torch.bool)
    return everything.tril() & everything.triu(key - query - window + 1)


def _blocks(query, key, window):
    places = torch.arange(key)
    causal = places[key - query :, None] >= places
    return causal & (places[key - query :, None] // window == places // window)


def _first_tokens(query, key, window):
    return _seen(query, key, key) & (torch.arange(key) < window)


def _last_tokens(query, key, window):
    return _seen(query, key, key) & (torch.arange(key) >= key - window)


EXERCISE = Exercise(
    id="15.3",
    title="The last few tokens",
    minutes=6,
    difficulty=2,
    reference=window_mask,
    cases={
        "as many queries as keys": lambda: (7, 7, 3),
        "the last three of eleven tokens": lambda: (3, 11, 5),
        "one new token": lambda: (1, 13, 2),
        "only itself": lambda: (5, 5, 1),
        "a window longer than all": lambda: (2, 5, 7),
        "many of many": lambda: (11, 17, 4),
    },
    mistakes={
        "one more": Mistake(
            "the window has window + 1 tokens: the token itself and window others. "
            "The token itself counts: the farthest stands window − 1 before it (a real "
            "bug: huggingface/transformers #39408)",
            partial(_seen, near=lambda back, window: (back >= 0) & (back <= window)),
        ),
        "one too few": Mistake(
            "the window has one token too few: the token itself and window − 1 others "
            "belong to it",
            partial(_seen, near=lambda back, window: (back >= 0) & (back < window - 1)),
        ),
        "without itself": Mistake(
            "a token does not see itself here, but the window tokens before it. It is "
            "a part of its own window",
            partial(_seen, near=lambda back, window: (back > 0) & (back <= window)),
        ),
        "without itself, and one too few": Mistake(
            "a token does not see itself here, only the window − 1 others. It is a "
            "part of its own window: back >= 0",
            partial(_seen, near=lambda back, window: (back > 0) & (back < window)),
        ),
        "one ahead": Mistake(
            "the window ends one token too late: each token sees the next one, which "
            "is just what it must predict",
            partial(_seen, near=lambda back, window: _near(back + 1, window)),
        ),
        "both sides": Mistake(
            "the window reaches to both sides, so that a token sees those that it is "
            "to predict: abs() takes away which side it is",
            partial(_seen, near=lambda back, window: back.abs() < window),
        ),
        "both sides, and one more": Mistake(
            "the window reaches window tokens to both sides: a token sees those that "
            "it is to predict, because abs() takes away which side it is. Backwards it "
            "is window − 1",
            partial(_seen, near=lambda back, window: back.abs() <= window),
        ),
        "half on each side": Mistake(
            "the window lies around the token, half of it in the future: it must end "
            "with the token itself",
            partial(_seen, near=lambda back, window: back.abs() <= window // 2),
        ),
        "not causal": Mistake(
            "the far past is hidden, and all of the future is seen: add the causal "
            "mask",
            partial(_seen, near=lambda back, window: back < window),
        ),
        "everything": Mistake(
            "nothing is hidden. (Two conditions that are joined by | allow what either "
            "of them allows; both must hold: &)",
            partial(_seen, near=lambda back, window: back > -(10**6)),
        ),
        "wrong sign": Mistake(
            "the far edge of the window is on the wrong side of the diagonal: of the "
            "past nothing is left. Diagonals to the left have negative numbers",
            partial(
                _seen, near=lambda back, window: (back >= 0) & (back <= 1 - window)
            ),
        ),
        "no window": Mistake(
            "this is the causal mask alone: all of the past is seen, not the last "
            "window tokens",
            partial(_seen, near=lambda back, window: back >= 0),
        ),
        "inverted": Mistake(
            "the mask is inverted: it is True where a key must be hidden. In this book "
            "True means may attend",
            lambda query, key, window: ~_seen(query, key, window),
        ),
        "what is outside": Mistake(
            "the past before the window is seen, and the window itself is hidden",
            partial(_seen, near=lambda back, window: back >= window),
        ),
        "the future": Mistake(
            "the window lies after the token: it sees itself and those that follow. "
            "Rows are queries and columns are keys; query − key is how far back it is",
            partial(_seen, near=lambda back, window: (back <= 0) & (back > -window)),
        ),
        "from the upper left": Mistake(
            "right where there is a query for every key; else the queries are taken "
            "for the first tokens, and they are the last. Query i stands at place "
            "key − query + i",
            partial(_seen, before=lambda query, key: 0),
        ),
        "moved the wrong way": Mistake(
            "right where there is a query for every key; else the window has been "
            "moved to the left, where it belongs to the right: query i stands at place "
            "key − query + i, and not query − key + i",
            partial(_seen, before=lambda query, key: query - key),
        ),
        "only one edge moved": Mistake(
            "right where there is a query for every key; else the near edge is right, "
            "and the far edge has not been moved with it: the window is too long. Both "
            "diagonals move by key − query",
            _one_edge,
        ),
        "the other edge moved": Mistake(
            "right where there is a query for every key; else the far edge is right, "
            "and the near edge has not been moved with it: too few keys are left, or "
            "none. Both diagonals move by key − query",
            _other_edge,
        ),
        "blocks": Mistake(
            "the tokens have been cut into blocks of window, and a token sees its own "
            "block: the first one of a block sees only itself. A window moves along "
            "with the token",
            _blocks,
        ),
        "the first tokens": Mistake(
            "every query sees the first window tokens: the window is counted backwards "
            "from the token that asks",
            _first_tokens,
        ),
        "the last tokens": Mistake(
            "every query sees the last window tokens of the row: the window is counted "
            "backwards from the token that asks",
            _last_tokens,
        ),
    },
    hints=(
        "draw it for 5 queries, 5 keys and a window of 2: how many True are there in "
        "each row?",
        "query i stands at place key − query + i. How far before it does key j stand?",
        "two comparisons, joined by &: the key is not ahead, and it is less than "
        "window places back.",
    ),
    instead=("causal",),
)
