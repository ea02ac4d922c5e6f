"""Linear attention with a state, by hand: three tokens."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.checking.exercise import Mistake
from qkv.exercises.ch15.linear_attention import EXERCISE as LINEAR
from qkv.exercises.ch15.linear_attention import linear_attention

QUERIES = torch.tensor([[1.0, 1], [1, 2], [1, 1]])
KEYS = torch.tensor([[1.0, 2], [3, 1], [1, 2]])
VALUES = torch.tensor([6.0, 2, 4])
TOKENS, FEATURES = ("t₁", "t₂", "t₃"), ("1", "2")


def _table(read: Callable = linear_attention) -> dict[str, Tensor]:
    """Of vectors whose features these are: elu(x) + 1 is x + 1 from 0 on."""
    q, k, v = (x[None, None] for x in (QUERIES - 1, KEYS - 1, VALUES[:, None]))
    return {
        "queries": QUERIES,
        "keys": KEYS,
        "values": VALUES,
        "state": (KEYS * VALUES[:, None]).cumsum(0),
        "total": KEYS.cumsum(0),
        "output": read(q, k, v)[0, 0, :, 0],
    }


def _itself_alone() -> dict[str, Tensor]:
    return {"state": KEYS * VALUES[:, None], "total": KEYS, "output": VALUES}


BY_HAND = ByHand(
    id="15.b",
    title="A state for three tokens",
    minutes=8,
    difficulty=2,
    task=r"Three tokens: the features $\phi(q_t)$ and $\phi(k_t)$ of their queries and "
    "keys, and one number $v_t$ as the value of each. Token $t$ adds "
    r"$\phi(k_t)\, v_t$ to the state $S$, and $\phi(k_t)$ to the sum $z$. Then it "
    r"reads $\phi(q_t)^\top S / \phi(q_t)^\top z$. Both begin with zeros.",
    compute=_table,
    tables={
        "queries": Table(r"$\phi(q_t)$", TOKENS, FEATURES),
        "keys": Table(r"$\phi(k_t)$", TOKENS, FEATURES),
        "values": Table("$v_t$", columns=TOKENS),
        "state": Table(
            "$S$ after each token",
            TOKENS,
            FEATURES,
            blanks=...,
            look="the row above, and this token's key times its value.",
        ),
        "total": Table(
            "$z$ after each token",
            TOKENS,
            FEATURES,
            blanks=...,
            look="the row above, and this token's key.",
        ),
        "output": Table(
            "What each token reads",
            columns=TOKENS,
            blanks=...,
            look="the product of its query with its row of S, divided by the product "
            "of its query with its row of z.",
        ),
    },
    mistakes={
        **as_in(
            LINEAR,
            "no denominator",
            "denominator of all tokens",
            "not causal",
            "read first",
            "state read first",
            compute=_table,
        ),
        "itself alone": Mistake(
            "this comes from this token alone: add it to what was there before",
            _itself_alone,
        ),
        "values left out": Mistake(
            "the keys alone have been added up, as in z: in S each key counts by its "
            "value",
            lambda: {"state": KEYS.cumsum(0)},
        ),
        "queries for keys": Mistake(
            "the queries have been added up; a state is made of keys and values, and "
            "the query asks it",
            lambda: {
                "state": (QUERIES * VALUES[:, None]).cumsum(0),
                "total": QUERIES.cumsum(0),
            },
        ),
        "by the number of tokens": Mistake(
            "the product with S has been divided by the number of tokens so far: "
            "divide by the product of the query with z",
            partial(_table, LINEAR.mistakes["by the number of tokens"].wrong),
        ),
    },
)
