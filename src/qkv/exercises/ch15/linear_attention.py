"""Causal linear attention as a recurrence with a state."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw

Map = Callable[[Tensor], Tensor]


def linear_attention(
    q: Float[Tensor, "batch head token d_k"],
    k: Float[Tensor, "batch head token d_k"],
    v: Float[Tensor, "batch head token d_v"],
) -> Float[Tensor, "batch head token d_v"]:
    return _read(q, k, v)


def _features(x: Tensor) -> Tensor:
    return F.elu(x) + 1


def _as_it_is(x: Tensor) -> Tensor:
    return x


def _so_far(added: Tensor) -> Tensor:
    """What each token finds in the state, after it has added its own."""
    return added.cumsum(2)


def _of_all(added: Tensor) -> Tensor:
    return added.sum(2, keepdim=True).expand_as(added)


def _before_it(added: Tensor) -> Tensor:
    return added.cumsum(2) - added


def _divided(read: Tensor, by: Tensor) -> Tensor:
    return read / by


def _read(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    of_q: Map = _features,
    of_k: Map = _features,
    in_z: Map | None = None,
    state: Map = _so_far,
    total: Map | None = None,
    divide: Callable = _divided,
) -> Tensor:
    """All states at once: the sums that the recurrence makes one by one."""
    asked, keys = of_q(q), of_k(k)
    S = state(keys[..., None] * v[..., None, :])
    z = (total or state)((in_z or of_k)(k))
    read = torch.einsum("bhtk,bhtkv->bhtv", asked, S)
    return divide(read, (asked * z).sum(-1, keepdim=True))


def _maps(features: Map) -> Callable:
    return partial(_read, of_q=features, of_k=features)


def _over_heads(added: Tensor) -> Tensor:
    return added.cumsum(1)


def _heads_carried(added: Tensor) -> Tensor:
    """The state of one head goes on where the one before it has ended."""
    return added.flatten(1, 2).cumsum(1).view_as(added)


def _sentences_carried(added: Tensor) -> Tensor:
    one_by_one = added.transpose(0, 1)
    return one_by_one.flatten(1, 2).cumsum(1).view_as(one_by_one).transpose(0, 1)


def _all_carried(added: Tensor) -> Tensor:
    return added.flatten(0, 2).cumsum(0).view_as(added)


def _over_the_batch(added: Tensor) -> Tensor:
    return added.cumsum(0)


def _from_the_end(added: Tensor) -> Tensor:
    """What comes after each token, itself among it."""
    return added.flip(2).cumsum(2).flip(2)


def _without_the_query(q, k, v):
    z = _so_far(_features(k)).sum(-1, keepdim=True)
    return _read(q, k, v, divide=lambda read, by: read / z)


def _only_the_last(added: Tensor) -> Tensor:
    return added


def _by_the_steps(read: Tensor, by: Tensor) -> Tensor:
    return read / torch.arange(1, read.shape[2] + 1)[:, None]


def _by_the_root(q, k, v):
    return _read(q / q.shape[-1] ** 0.5, k, v)


def _softmax(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def _nothing_at_first(read: Tensor, by: Tensor) -> Tensor:
    """With a small number added to the denominator, 0 / 0 is 0."""
    return read / (by + 1e-9)


def _tokens(
    batch: int, head: int, token: int, d_k: int, d_v: int, *, seed: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Queries and keys for which not even a wrong denominator comes near 0."""
    axes = batch, head, token
    q, k = (0.7 * draw.normal(*axes, d_k, seed=seed + n) for n in (0, 1))
    return q, k, draw.normal(*axes, d_v, seed=seed + 2)


def _all_ones() -> tuple[Tensor, Tensor, Tensor]:
    q, k, v = _tokens(2, 3, 7, 5, 2, seed=63)
    return q, k, torch.ones_like(v)


EXERCISE = Exercise(
    id="15.6",
    title="Attention with a state",
    minutes=10,
    difficulty=2,
    reference=linear_attention,
    cases={
        "as many heads as tokens": partial(_tokens, 2, 3, 3, 5, 5, seed=90),
        "every size different": partial(_tokens, 2, 5, 11, 3, 7, seed=5),
        "all values 1": _all_ones,
        "a batch of one, and one head": partial(_tokens, 1, 1, 5, 2, 3, seed=29),
        "a single token": partial(_tokens, 3, 2, 1, 5, 7),
    },
    mistakes={
        "no denominator": Mistake(
            "what is read has not been divided by φ(q)ᵀ z: the weights of a token do "
            "not sum to 1, and grow with the number of tokens. Where all values are 1 "
            "all results must be 1",
            partial(_read, divide=lambda read, by: read),
        ),
        "denominator of all tokens": Mistake(
            "the state has what was read so far, and the denominator the keys of all "
            "tokens, the future ones, too: only the last token is right. Both sums go "
            "as far as the token that asks",
            partial(_read, total=_of_all),
        ),
        "values of all tokens": Mistake(
            "the denominator goes as far as the token that asks, and the state holds "
            "all tokens, the future ones, too: only the last token is right",
            partial(_read, state=_of_all, total=_so_far),
        ),
        "not causal": Mistake(
            "each token reads the sums over all tokens, and so the future: only the "
            "last token is right. Add token t to S and z, then let token t read, and "
            "only then go on. (S += … changes the tensor in place: states that are "
            "kept in a list are then all the last one)",
            partial(_read, state=_of_all),
        ),
        "over the heads": Mistake(
            "the sums run over the heads, cumsum(1), and not over the tokens: a token "
            "sees itself alone, in its own head and those before. The tokens are axis "
            "2",
            partial(_read, state=_over_heads),
        ),
        "over the batch": Mistake(
            "the sums run over the sentences of the batch, cumsum(0), and not over the "
            "tokens, axis 2",
            partial(_read, state=_over_the_batch),
        ),
        "the future": Mistake(
            "each token reads itself and what comes after it: the sums run from the "
            "last token to the first",
            partial(_read, state=_from_the_end),
        ),
        "denominator without the query": Mistake(
            "the denominator is the sum of the numbers in z, without the query: the "
            "weight of token s is φ(q_t) · φ(k_s), so their sum is φ(q_t) · z",
            _without_the_query,
        ),
        "exchanged": Mistake(
            "q and k have changed places: the keys are added up, and the query reads",
            lambda q, k, v: _read(k, q, v),
        ),
        "values mapped": Mistake(
            "the feature map has been taken of v, too; only q and k have features",
            lambda q, k, v: _read(q, k, _features(v)),
        ),
        "read first": Mistake(
            "a token reads before it has added its own key and value: the first one "
            "finds an empty state, and 0 / 0 is NaN. Add first, then read",
            partial(_read, state=_before_it),
        ),
        "read first, with a small number": Mistake(
            "a token reads before it has added its own key and value: the first one "
            "finds an empty state. The small number in the denominator turns 0 / 0 "
            "into 0 and hides this. Add first, then read",
            partial(_read, state=_before_it, divide=_nothing_at_first),
        ),
        "state read first": Mistake(
            "z has the token's own key, and S has not: S was read before the token's "
            "own key and value were added. Add to both, then read both",
            partial(_read, state=_before_it, total=_so_far),
        ),
        "itself alone": Mistake(
            "each token reads its own value alone: the state has been made anew for "
            "each token (= for +=)",
            partial(_read, state=_only_the_last),
        ),
        "carried over heads": Mistake(
            "S and z were not set to zero for the next head: it goes on where the head "
            "before it ended. Each head has a state of its own",
            partial(_read, state=_heads_carried),
        ),
        "carried over sentences": Mistake(
            "S and z were not set to zero for the next sentence of the batch: what one "
            "sentence says is read in the next",
            partial(_read, state=_sentences_carried),
        ),
        "never emptied": Mistake(
            "S and z were made once, before the loops over sentences and heads: they "
            "must begin with zeros for each sentence and each head",
            partial(_read, state=_all_carried),
        ),
        "queries alone": Mistake(
            "the feature map has been taken of q alone: then k may be negative, and so "
            "may the weights and their sum. Take φ(q) and φ(k)",
            partial(_read, of_k=_as_it_is),
        ),
        "keys alone": Mistake(
            "the feature map has been taken of k alone: then q may be negative, and so "
            "may the weights and their sum. Take φ(q) and φ(k)",
            partial(_read, of_q=_as_it_is),
        ),
        "no features": Mistake(
            "there is no feature map: q and k may be negative, and so may the weights "
            "and their sum. Take φ(q) and φ(k)",
            _maps(_as_it_is),
        ),
        "z of bare keys": Mistake(
            "S is made of φ(k), and z of k: the denominator is not the sum of the "
            "weights. Where all values are 1 all results must be 1",
            partial(_read, in_z=_as_it_is),
        ),
        "elu without 1": Mistake(
            "elu goes down to −1, so that weights may be negative; φ(x) is elu(x) + 1",
            _maps(F.elu),
        ),
        "relu": Mistake(
            "φ is relu here: it has zeros, so that a token may have nothing to divide "
            "by. φ(x) is elu(x) + 1",
            _maps(torch.relu),
        ),
        "exp": Mistake(
            "φ is exp here; φ(x) is elu(x) + 1. (It is a feature map as well, and "
            "exp(q) · exp(k) is still not exp(q · k))",
            _maps(torch.exp),
        ),
        "softmax features": Mistake(
            "φ is a softmax over the numbers of each vector here; φ(x) is elu(x) + 1, "
            "number by number",
            _maps(lambda x: x.softmax(-1)),
        ),
        "scaled": Mistake(
            "q has been divided by √d_k before the feature map. There is no softmax "
            "here that large scores could saturate: take φ of q as it is",
            _by_the_root,
        ),
        "by the number of tokens": Mistake(
            "what is read has been divided by the number of tokens so far; the sum of "
            "the weights is φ(q)ᵀ z",
            partial(_read, divide=_by_the_steps),
        ),
        "softmax attention": Mistake(
            "this is the attention of chapter 3 with a causal mask, and a softmax: "
            "here the weight of token s is φ(q_t) · φ(k_s), divided by the sum of all "
            "such weights",
            _softmax,
        ),
    },
    hints=(
        "S and z begin with zeros: S is (batch, head, d_k, d_v), z is (batch, head, "
        "d_k). For token t: add to both, read, keep what was read.",
        "what a token adds to S is an outer product: phi_k[:, :, t, :, None] * v[:, :, "
        "t, None, :].",
        "φ(q)ᵀ S is (phi_q[:, :, t, :, None] * S).sum(2), and φ(q)ᵀ z is (phi_q[:, :, "
        "t] * z).sum(-1, keepdim=True); torch.stack(…, dim=2) puts the tokens back in "
        "a row. (Without a loop: cumsum(2) of all outer products.)",
    ),
)
