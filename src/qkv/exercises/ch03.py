"""The exercises of chapter 3: the dot product as a score, and a look-up made of it."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.exercises import draw
from qkv.exercises.machinery import Exercise, Mistake

NUMBER = 3
TITLE = "Scaled dot-product attention"

NOT_SCALED = (
    "the scores are not divided by √d_k: the longer the vectors, the larger the "
    "scores, until the softmax picks one key and hardly learns any more"
)
BY_D_K = (
    "the scores are divided by d_k: now they shrink as the vectors grow, and the "
    "weights become all but equal. A sum of d_k products spreads like √d_k"
)
OVER_QUERIES = (
    "the softmax runs over the queries: the columns sum to one, the rows do not. "
    "The keys compete for each query (dim=-1)"
)


def attend(q, k, v, *, scale=None, over=-1):
    """Attention with a divisor and a softmax axis that may be wrong ones."""
    scale = q.shape[-1] ** 0.5 if scale is None else scale
    return (q @ k.mT / scale).softmax(over) @ v


# --------------------------------------------------------- 3.1 a vector from its basis


def rebuild(
    x: Float[Tensor, "batch d"], basis: Float[Tensor, "vector d"]
) -> Float[Tensor, "batch d"]:
    return x @ basis.mT @ basis


def _feature_by_feature(x, basis):
    return x * basis.square().sum(0)


def _orthonormal(batch: int, vector: int, d: int) -> tuple:
    rows = torch.linalg.qr(draw.normal(d, vector, seed=1).double()).Q.mT
    return draw.normal(batch, d), rows.float().contiguous()


REBUILD = Exercise(
    id="3.1",
    title="Rebuild a vector from a basis",
    minutes=5,
    takes={"x": "batch d", "basis": "vector d"},
    returns={"rebuilt": "batch d"},
    reference=rebuild,
    cases={
        "a whole basis": partial(_orthonormal, 3, 5, 5),
        "fewer vectors than d": partial(_orthonormal, 2, 3, 7),
        "a batch of one": partial(_orthonormal, 1, 2, 5),
        "a single vector": partial(_orthonormal, 5, 1, 3),
    },
    mistakes=(
        Mistake(
            "x itself",
            "this is x itself. The sum comes to x where all d vectors are given; with "
            "fewer, what they have no direction for is lost",
            lambda x, basis: x.clone(),
        ),
        Mistake(
            "coefficients",
            "these are the coefficients, x·v_i; each is still to be multiplied by its "
            "vector v_i, and the products added",
            lambda x, basis: x @ basis.mT,
        ),
        Mistake(
            "compared twice",
            "the coefficients have been compared with the basis once more "
            "(@ basis.T); to mix its vectors, multiply by basis itself",
            lambda x, basis: x @ basis.mT @ basis.mT,
        ),
        Mistake(
            "softmax",
            "the coefficients have gone through a softmax: that is attention, and "
            "comes next. Here they are wanted as they are, negative ones too",
            lambda x, basis: (x @ basis.mT).softmax(-1) @ basis,
        ),
        Mistake(
            "no coefficients",
            "all vectors of the basis have been added up alike: x has no say in it",
            lambda x, basis: basis.sum(0).expand_as(x),
        ),
        Mistake(
            "mean",
            "the sum has been divided by the number of vectors; coefficients need "
            "not sum to one, so there is nothing to average",
            lambda x, basis: rebuild(x, basis) / len(basis),
        ),
        Mistake(
            "feature by feature",
            "x * v has been left as it is, feature by feature; the coefficient is "
            "their sum, one number for the whole vector. With a whole basis that "
            "comes to the same",
            _feature_by_feature,
        ),
        Mistake(
            "cosine",
            "the coefficients are cosines: x has been brought to length one, so its "
            "length is lost",
            lambda x, basis: rebuild(F.normalize(x, dim=-1), basis),
        ),
        Mistake(
            "first x",
            "every x has been rebuilt with the first one's coefficients",
            lambda x, basis: rebuild(x[:1], basis).expand_as(x),
        ),
    ),
    hints=(
        "first all coefficients: x·v_i for each x and each i is one matrix product, "
        "of axes (batch, vector).",
        "basis has the v_i in its rows, so a coefficient for each x and v_i is "
        "x @ basis.T.",
        "the sum over i of coefficient times v_i is a matrix product again, this "
        "time with basis as it is.",
    ),
)


# ------------------------------------------------------------------- 3.2 scaled scores


def scaled_scores(
    q: Float[Tensor, "*batch query d_k"], k: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    return q @ k.mT / q.shape[-1] ** 0.5


def _scores_by(divisor):
    return lambda q, k: q @ k.mT / divisor(q, k)


def _axes_1_and_2(q, k):
    return q @ k.transpose(1, 2) / q.shape[-1] ** 0.5


def _queries_and_keys(*batch: int, query: int, key: int, d_k: int) -> tuple:
    return draw.normals((*batch, query, d_k), (*batch, key, d_k))


SCALED_SCORES = Exercise(
    id="3.2",
    title="Compare each query with each key",
    minutes=4,
    takes={"q": "*batch query d_k", "k": "*batch key d_k"},
    returns={"scores": "*batch query key"},
    reference=scaled_scores,
    cases={
        "equal sizes": partial(_queries_and_keys, 2, query=5, key=5, d_k=5),
        "every size different": partial(_queries_and_keys, 2, query=3, key=7, d_k=5),
        "a batch of one": partial(_queries_and_keys, 1, query=1, key=3, d_k=2),
        "heads in front": partial(_queries_and_keys, 2, 5, query=3, key=5, d_k=5),
        "no batch": partial(_queries_and_keys, query=3, key=2, d_k=7),
    },
    mistakes=(
        Mistake("not scaled", NOT_SCALED, _scores_by(lambda q, k: 1)),
        Mistake("divided by d_k", BY_D_K, _scores_by(lambda q, k: q.shape[-1])),
        Mistake(
            "multiplied",
            "the scores have been multiplied by √d_k; the product is too large "
            "already, divide it",
            _scores_by(lambda q, k: q.shape[-1] ** -0.5),
        ),
        Mistake(
            "√ of the keys",
            "you divide by the root of how many keys there are; what makes the dot "
            "product large is how many features are multiplied, d_k",
            _scores_by(lambda q, k: k.shape[-2] ** 0.5),
        ),
        Mistake(
            "keys not transposed",
            "the keys have not been transposed: q @ k multiplies features of a query "
            "with numbers of keys, and only goes through where the two are equal",
            lambda q, k: q @ k / q.shape[-1] ** 0.5,
        ),
        Mistake(
            "transposed",
            "the scores are transposed: rows belong to the queries, columns to the "
            "keys",
            lambda q, k: scaled_scores(k, q),
        ),
        Mistake(
            "axes 1 and 2",
            "axes 1 and 2 have been swapped. They are key and d_k only while one axis "
            "stands in front; count from the end: transpose(-2, -1), or .mT",
            _axes_1_and_2,
        ),
        Mistake(
            "softmax too early",
            "these are the weights already; the scores are wanted, before the softmax",
            lambda q, k: scaled_scores(q, k).softmax(-1),
        ),
        Mistake(
            "cosine",
            "the vectors have been brought to length one: a cosine never exceeds 1, "
            "so that the softmax can hardly choose. How long a key is may count",
            lambda q, k: F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).mT,
        ),
    ),
    hints=(
        "a dot product for each pair of a row of q and a row of k is one matrix "
        "product.",
        "the keys must be transposed in their last two axes only: k.mT.",
        "d_k is the size of the last axis, q.shape[-1]; divide by its square root.",
    ),
)


# ----------------------------------------------------------------------- 3.3 attention


def attention(
    q: Float[Tensor, "*batch query d_k"],
    k: Float[Tensor, "*batch key d_k"],
    v: Float[Tensor, "*batch key d_v"],
) -> Float[Tensor, "*batch query d_v"]:
    return attend(q, k, v)


def _scaled_after(q, k, v):
    return (q @ k.mT).softmax(-1) / q.shape[-1] ** 0.5 @ v


def _hard(q, k, v):
    return F.one_hot((q @ k.mT).argmax(-1), k.shape[-2]).float() @ v


def _look_up(*batch: int, query: int, key: int, d_k: int, d_v: int) -> tuple:
    return draw.normals((*batch, query, d_k), (*batch, key, d_k), (*batch, key, d_v))


ATTENTION = Exercise(
    id="3.3",
    title="Scaled dot-product attention",
    minutes=5,
    takes={"q": "*batch query d_k", "k": "*batch key d_k", "v": "*batch key d_v"},
    returns={"output": "*batch query d_v"},
    reference=attention,
    cases={
        "equal sizes": partial(_look_up, 2, query=5, key=5, d_k=5, d_v=5),
        "every size different": partial(_look_up, 2, query=3, key=7, d_k=5, d_v=11),
        "a batch of one and one query": partial(
            _look_up, 1, query=1, key=3, d_k=2, d_v=5
        ),
        "heads in front": partial(_look_up, 2, 3, query=5, key=7, d_k=11, d_v=2),
    },
    mistakes=(
        Mistake("over queries", OVER_QUERIES, partial(attend, over=-2)),
        Mistake(
            "over axis 1",
            "the softmax runs over axis 1: those are the queries, and the heads as "
            "soon as there are heads. The keys stand last (dim=-1)",
            partial(attend, over=1),
        ),
        Mistake(
            "over the batch",
            "the softmax runs over the sentences of the batch (dim=0); the keys of "
            "one sentence compete (dim=-1)",
            partial(attend, over=0),
        ),
        Mistake("not scaled", NOT_SCALED, partial(attend, scale=1)),
        Mistake(
            "divided by d_k", BY_D_K, lambda q, k, v: attend(q, k, v, scale=q.shape[-1])
        ),
        Mistake(
            "√d_v",
            "you divide by √d_v; the scores are sums over the features of queries "
            "and keys, d_k of them. How wide a value is does not matter",
            lambda q, k, v: attend(q, k, v, scale=v.shape[-1] ** 0.5),
        ),
        Mistake(
            "multiplied",
            "the scores have been multiplied by √d_k; the product is too large "
            "already, divide it",
            lambda q, k, v: attend(q, k, v, scale=q.shape[-1] ** -0.5),
        ),
        Mistake(
            "queries and keys swapped",
            "the scores are transposed, k @ q.mT: each token is given what others ask "
            "of it. Rows belong to the queries. It fails in sight only where there "
            "are not as many keys as queries",
            lambda q, k, v: attend(k, q, v),
        ),
        Mistake(
            "weights transposed",
            "the weights have been transposed before the average: a query gets what "
            "its own key was asked for. Rows belong to the queries, and sum to one",
            lambda q, k, v: scaled_scores(q, k).softmax(-1).mT @ v,
        ),
        Mistake(
            "scaled after",
            "√d_k divides the weights, after the softmax: they no longer sum to one, "
            "and the softmax has been as hard as ever",
            _scaled_after,
        ),
        Mistake(
            "no softmax",
            "the scores have been used as weights: without a softmax they may be "
            "negative, and sum to anything",
            lambda q, k, v: scaled_scores(q, k) @ v,
        ),
        Mistake(
            "weights",
            "these are the weights; the values are still to be averaged with them",
            lambda q, k, v: scaled_scores(q, k).softmax(-1),
        ),
        Mistake(
            "keys averaged",
            "the keys have been averaged: they are only what a query is compared "
            "with, what is handed over are the values",
            lambda q, k, v: attend(q, k, k),
        ),
        Mistake(
            "hard",
            "only the value of the best key is taken, as a dictionary would do; a "
            "choice has no gradient, a mixture has",
            _hard,
        ),
    ),
    hints=(
        "three lines, in the order of the formula: scores, weights, average.",
        "the weights of one query are a row, and a row sums to one: softmax(dim=-1).",
        "weights @ v averages the values for all queries at once.",
    ),
)


# ------------------------------------------------------------------ 3.4 self-attention


def self_attention(
    x: Float[Tensor, "*batch token d_model"],
    W_q: Float[Tensor, "d_k d_model"],
    W_k: Float[Tensor, "d_k d_model"],
    W_v: Float[Tensor, "d_v d_model"],
) -> Float[Tensor, "*batch token d_v"]:
    return _to_self(x, W_q, W_k, W_v)


def _to_self(x, W_q, W_k, W_v, **how):
    return attend(x @ W_q.mT, x @ W_k.mT, x @ W_v.mT, **how)


def _not_transposed(x, W_q, W_k, W_v):
    return attend(x @ W_q, x @ W_k, x @ W_v)


def _by_root(axis):
    """Self-attention divided by the root of the size that ``axis`` gives."""
    return lambda x, *W: _to_self(x, *W, scale=axis(x, *W) ** 0.5)


def _with_itself(*batch: int, token: int, d_model: int, d_k: int, d_v: int) -> tuple:
    matrices = (d_k, d_model), (d_k, d_model), (d_v, d_model)
    return draw.normals((*batch, token, d_model), *matrices)


_SELF_AXES = {
    "x": "*batch token d_model",
    "W_q": "d_k d_model",
    "W_k": "d_k d_model",
    "W_v": "d_v d_model",
}
_SWAPPED = Mistake(
    "queries and keys swapped",
    "W_q has made the keys and W_k the queries: each token is given what others ask "
    "of it, not what it asks. The scores are transposed",
    lambda x, W_q, W_k, W_v: self_attention(x, W_k, W_q, W_v),
)

SELF_ATTENTION = Exercise(
    id="3.4",
    title="A sequence attends to itself",
    minutes=6,
    takes=_SELF_AXES,
    returns={"output": "*batch token d_v"},
    reference=self_attention,
    cases={
        "all widths equal": partial(_with_itself, 2, token=7, d_model=5, d_k=5, d_v=5),
        "every size different": partial(
            _with_itself, 2, token=3, d_model=7, d_k=5, d_v=11
        ),
        "a batch of one and one token": partial(
            _with_itself, 1, token=1, d_model=5, d_k=3, d_v=2
        ),
        "no batch": partial(_with_itself, token=5, d_model=3, d_k=11, d_v=7),
    },
    mistakes=(
        Mistake(
            "W not transposed",
            "the matrices have been used the wrong way round: with tokens in rows, "
            "W x is written x @ W.T. It fails in sight only where W is not square",
            _not_transposed,
        ),
        _SWAPPED,
        Mistake(
            "one matrix for both",
            "queries and keys are made by the same W_q: then i scores j as j scores "
            "i, and a token can ask for nothing but its like",
            lambda x, W_q, W_k, W_v: self_attention(x, W_q, W_q, W_v),
        ),
        Mistake(
            "values not projected",
            "the tokens themselves have been averaged; W_v says what of a token is "
            "handed over",
            lambda x, W_q, W_k, W_v: attend(x @ W_q.mT, x @ W_k.mT, x),
        ),
        Mistake(
            "keys as values",
            "what is averaged was made by W_k: the keys. The values are made by W_v",
            lambda x, W_q, W_k, W_v: self_attention(x, W_q, W_k, W_k),
        ),
        Mistake(
            "√d_model",
            "you divide by √d_model, the width of x. The scores are made of queries "
            "and keys, which have d_k features",
            _by_root(lambda x, *W: x.shape[-1]),
        ),
        Mistake(
            "divided by d_k",
            BY_D_K,
            lambda x, *W: _to_self(x, *W, scale=len(W[0])),
        ),
        Mistake("not scaled", NOT_SCALED, partial(_to_self, scale=1)),
        Mistake("over queries", OVER_QUERIES, partial(_to_self, over=-2)),
        Mistake(
            "x added",
            "x has been added to the result: that is the residual connection of "
            "chapter 7; here attention alone is wanted",
            lambda x, *W: x + self_attention(x, *W),
        ),
    ),
    hints=(
        "all three, queries, keys and values, are made of the same x, each by a "
        "matrix of its own.",
        "x @ W_q.T makes the queries of all tokens at once.",
        "then your attention of exercise 3.3 does the rest.",
    ),
)


# ------------------------------------------------------------------------- 3.5 entropy


def entropy(
    weights: Float[Tensor, "*batch query key"],
) -> Float[Tensor, "*batch query"]:
    return torch.special.entr(weights).sum(-1)


def _weights(*batch: int, query: int, key: int, causal: bool = False) -> tuple:
    """Rows that sum to one; with ``causal``, later ones have zeros fewer."""
    scores = 2 * draw.normal(*batch, query, key)
    hidden = torch.arange(key) > torch.arange(query)[:, None]
    return (scores.masked_fill(hidden & causal, -torch.inf).softmax(-1),)


ENTROPY = Exercise(
    id="3.5",
    title="How undecided is a query?",
    minutes=5,
    takes={"weights": "*batch query key"},
    returns={"entropy": "*batch query"},
    reference=entropy,
    cases={
        "as many queries as keys": partial(_weights, 2, query=5, key=5),
        "every size different": partial(_weights, 2, query=3, key=7),
        "weights of 0": partial(_weights, 3, query=5, key=7, causal=True),
        "a batch of one and one key": partial(_weights, 1, query=3, key=1),
        "heads in front": partial(_weights, 2, 3, query=5, key=7),
    },
    mistakes=(
        Mistake(
            "log of 0",
            "right until a weight is 0: ln 0 is −∞, and 0 · −∞ is NaN. A weight of 0 "
            "adds 0 (torch.xlogy(w, w) and torch.special.entr know that)",
            lambda weights: -(weights * weights.log()).sum(-1),
        ),
        Mistake(
            "sign",
            "the sign is missing: logarithms of weights are negative, and the entropy "
            "is not",
            lambda weights: -entropy(weights),
        ),
        Mistake(
            "bits",
            "this is in bits (log2); nats are wanted, the natural logarithm",
            lambda weights: entropy(weights) / torch.tensor(2.0).log(),
        ),
        Mistake(
            "over queries",
            "the sum runs over the queries; each query has an entropy of its own, "
            "the sum over its keys (dim=-1)",
            lambda weights: torch.special.entr(weights).sum(-2),
        ),
        Mistake(
            "mean",
            "this is the mean over the keys; the weights have done the weighing "
            "already, the sum is wanted",
            lambda weights: torch.special.entr(weights).mean(-1),
        ),
        Mistake(
            "taken for scores",
            "the weights have been taken for scores: they have gone through a softmax "
            "once more, which makes them nearly equal",
            lambda weights: entropy(weights.softmax(-1)),
        ),
        Mistake(
            "log_softmax",
            "log_softmax wants scores and has got weights; their logarithm is log, "
            "with nothing to normalise",
            lambda weights: -(weights * weights.log_softmax(-1)).sum(-1),
        ),
        Mistake(
            "perplexity",
            "this is e to the entropy: how many equal keys it would be like. The "
            "entropy itself is wanted",
            lambda weights: entropy(weights).exp(),
        ),
        Mistake(
            "share of the most",
            "this has been divided by the largest value it could have, ln of the "
            "number of keys; in nats it is not",
            lambda weights: entropy(weights) / torch.tensor(weights.shape[-1]).log(),
        ),
    ),
    hints=(
        "−Σ w ln w, the sum over the keys of one query.",
        "where w is 0, w ln w is 0 as well, but 0 * torch.log(0) is not: what is it?",
        "torch.xlogy(w, w) is w ln w with the right value at 0.",
    ),
)


# ------------------------------------------------------------ 3.6 bug hunt: same shapes


def attend_to_self(
    x: Float[Tensor, "*batch token d_model"],
    W_q: Float[Tensor, "d_k d_model"],
    W_k: Float[Tensor, "d_k d_model"],
    W_v: Float[Tensor, "d_v d_model"],
) -> Float[Tensor, "*batch token d_v"]:
    return _to_self(x, W_q, W_k, W_v)


def _scaled_by_the_models_width(x, W_q, W_k, W_v):
    q, k, v = x @ W_q.T, x @ W_k.T, x @ W_v.T
    scores = q @ k.mT / x.shape[-1] ** 0.5
    return scores.softmax(dim=-1) @ v


ATTEND_TO_SELF = Exercise(
    id="3.6",
    title="Bug hunt: the same but not quite",
    minutes=8,
    takes=_SELF_AXES,
    returns={"output": "*batch token d_v"},
    reference=attend_to_self,
    cases={
        "keys narrower than the model": partial(
            _with_itself, 2, token=5, d_model=7, d_k=3, d_v=7
        ),
        "keys as wide as the model": partial(
            _with_itself, 3, token=7, d_model=5, d_k=5, d_v=2
        ),
        "a batch of one": partial(_with_itself, 1, token=3, d_model=11, d_k=2, d_v=5),
        "no batch": partial(_with_itself, token=7, d_model=3, d_k=11, d_v=5),
    },
    mistakes=(
        Mistake("not scaled", NOT_SCALED, partial(_to_self, scale=1)),
        Mistake(
            "divided by d_k",
            BY_D_K,
            lambda x, *W: _to_self(x, *W, scale=len(W[0])),
        ),
        Mistake(
            "divided by d_model",
            "now the scores are divided by all of d_model: the root was right, what "
            "it was taken of was not",
            lambda x, *W: _to_self(x, *W, scale=x.shape[-1]),
        ),
        Mistake(
            "√d_v",
            "now you divide by √d_v, the width of the values; they have no part in "
            "the scores",
            _by_root(lambda x, W_q, W_k, W_v: len(W_v)),
        ),
        Mistake(
            "√ of the tokens",
            "now you divide by the root of how many tokens there are: the same two "
            "tokens would score differently in a longer sentence",
            _by_root(lambda x, *W: x.shape[-2]),
        ),
        Mistake(
            "divided twice",
            "the scores are divided by √d_k and by √d_model: the first was missing, "
            "the second is still too much",
            _by_root(lambda x, *W: x.shape[-1] * len(W[0])),
        ),
        Mistake("over queries", OVER_QUERIES, partial(_to_self, over=-2)),
        _SWAPPED,
    ),
    hints=(
        "compare it with your self_attention of exercise 3.4: for which sizes are "
        "the two equal?",
        "they are equal where d_k = d_model. Which line should know of d_k, and does "
        "not?",
        "the scores are sums over the features of q: divide by √q.shape[-1].",
    ),
    given=_scaled_by_the_models_width,
)


EXERCISES = (
    REBUILD,
    SCALED_SCORES,
    ATTENTION,
    SELF_ATTENTION,
    ENTROPY,
    ATTEND_TO_SELF,
)
