"""The exercises of chapter 2: attention in its three moves, and the test of it."""

from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from qkv.exercises import draw
from qkv.exercises.machinery import Exercise, Mistake

NUMBER = 2
TITLE = "Looking back: Bahdanau attention"


def _real(width: int, lengths: Tensor) -> Bool[Tensor, "batch key"]:
    """True where a sentence has a token, False in its padding."""
    return torch.arange(width) < lengths[:, None]


# ----------------------------------------------------------------- 2.1 additive scores


def additive_scores(
    query: Float[Tensor, "batch d_query"],
    keys: Float[Tensor, "batch key d_key"],
    W: Float[Tensor, "d_hidden d_query"],
    U: Float[Tensor, "d_hidden d_key"],
    v: Float[Tensor, " d_hidden"],
) -> Float[Tensor, "batch key"]:
    return torch.tanh((query @ W.mT)[:, None] + keys @ U.mT) @ v


def _queries_of_others(query, keys, W, U, v):
    return torch.tanh(query @ W.mT + keys @ U.mT) @ v


def _multiplied(query, keys, W, U, v):
    return torch.tanh((query @ W.mT)[:, None] * (keys @ U.mT)) @ v


def _tanh_of_each(query, keys, W, U, v):
    return (torch.tanh(query @ W.mT)[:, None] + torch.tanh(keys @ U.mT)) @ v


def _no_tanh(query, keys, W, U, v):
    return ((query @ W.mT)[:, None] + keys @ U.mT) @ v


def _tanh_last(query, keys, W, U, v):
    return torch.tanh(_no_tanh(query, keys, W, U, v))


def _no_v(query, keys, W, U, v):
    return additive_scores(query, keys, W, U, torch.ones_like(v))


def _attention_inputs(
    batch: int, key: int, d_query: int, d_key: int, d_hidden: int
) -> tuple:
    shapes = [
        (batch, d_query),
        (batch, key, d_key),
        (d_hidden, d_query),
        (d_hidden, d_key),
        (d_hidden,),
    ]
    return tuple(draw.normal(*shape, seed=n) for n, shape in enumerate(shapes))


ADDITIVE_SCORES = Exercise(
    id="2.1",
    title="Score every key",
    minutes=6,
    takes={
        "query": "batch d_query",
        "keys": "batch key d_key",
        "W": "d_hidden d_query",
        "U": "d_hidden d_key",
        "v": "d_hidden",
    },
    returns={"scores": "batch key"},
    reference=additive_scores,
    cases={
        "as many keys as sentences": partial(_attention_inputs, 5, 5, 3, 3, 7),
        "every size different": partial(_attention_inputs, 2, 7, 3, 5, 11),
        "a batch of one": partial(_attention_inputs, 1, 3, 5, 2, 7),
    },
    mistakes=(
        Mistake(
            "query of another sentence",
            "key number i is scored with the query of sentence i, whatever sentence "
            "it is in: W q needs an axis for the keys, [:, None], before the sum. It "
            "fails in sight only where batch and key differ in size",
            _queries_of_others,
        ),
        Mistake(
            "no tanh",
            "the tanh is missing: without it the query adds the same number to all "
            "scores, and the softmax takes it away again",
            _no_tanh,
        ),
        Mistake(
            "product",
            "W q and U k have been multiplied; the additive score adds them",
            _multiplied,
        ),
        Mistake(
            "tanh of each",
            "tanh has been taken of W q and of U k, and then the sum: query and keys "
            "never meet inside it. First the sum, then tanh",
            _tanh_of_each,
        ),
        Mistake(
            "tanh last",
            "tanh comes after v: the scores are squeezed between −1 and 1, and query "
            "and keys never meet inside it",
            _tanh_last,
        ),
        Mistake(
            "no v",
            "the hidden units have been added up; v says how much each counts",
            _no_v,
        ),
        Mistake(
            "W and U swapped",
            "W has been used for the keys and U for the query",
            lambda query, keys, W, U, v: additive_scores(query, keys, U, W, v),
        ),
        Mistake(
            "softmax too early",
            "these are the weights already; the scores are wanted, before the softmax",
            lambda *given: additive_scores(*given).softmax(-1),
        ),
        Mistake(
            "scaled",
            "the scores are divided by √d_hidden; that belongs to chapter 3's score, "
            "not to this one",
            lambda query, keys, W, U, v: (
                additive_scores(query, keys, W, U, v) / len(v) ** 0.5
            ),
        ),
    ),
    hints=(
        "project first: query @ W.T has axes (batch, d_hidden), keys @ U.T has "
        "(batch, key, d_hidden).",
        "the query is to be added to each key: give it an axis of length one where "
        "the keys have theirs, [:, None].",
        "tanh of the sum, then @ v: a product with a vector takes the last axis away.",
    ),
)


# ------------------------------------------------------------------ 2.2 masked softmax


def masked_softmax(
    scores: Float[Tensor, "batch key"], lengths: Int[Tensor, " batch"]
) -> Float[Tensor, "batch key"]:
    real = _real(scores.shape[1], lengths)
    return scores.masked_fill(~real, -torch.inf).softmax(-1)


def _zero_scores(scores, lengths):
    return (scores * _real(scores.shape[1], lengths)).softmax(-1)


def _masked_after(scores, lengths):
    return scores.softmax(-1) * _real(scores.shape[1], lengths)


def _inverted(scores, lengths):
    real = _real(scores.shape[1], lengths)
    return scores.masked_fill(real, -torch.inf).softmax(-1)


def _over_the_batch(scores, lengths):
    real = _real(scores.shape[1], lengths)
    return scores.masked_fill(~real, -torch.inf).softmax(0)


def _mask_added(scores, lengths):
    return (scores + _real(scores.shape[1], lengths)).softmax(-1)


def _filled_with_minus_100(scores, lengths):
    real = _real(scores.shape[1], lengths)
    return scores.masked_fill(~real, -100.0).softmax(-1)


def _nothing_times_infinity(scores, lengths):
    hidden = (~_real(scores.shape[1], lengths)).float()
    return (scores + hidden * -torch.inf).softmax(-1)


def _renormalised(scores, lengths):
    left = _masked_after(scores, lengths)
    return left / left.sum(-1, keepdim=True)


def _overflows(scores, lengths):
    powers = scores.exp() * _real(scores.shape[1], lengths)
    return powers / powers.sum(-1, keepdim=True)


def _padded_scores(
    lengths: tuple[int, ...], key: int, scale: float = 1.0, centre: float = 0.0
) -> tuple:
    scores = centre + scale * draw.normal(len(lengths), key)
    return scores, torch.tensor(lengths)


MASKED_SOFTMAX = Exercise(
    id="2.2",
    title="Weights for real tokens only",
    minutes=5,
    takes={"scores": "batch key", "lengths": "batch"},
    returns={"weights": "batch key"},
    reference=masked_softmax,
    cases={
        "three padded sentences": partial(_padded_scores, (2, 5, 4), 7),
        "a batch of one": partial(_padded_scores, (3,), 5),
        "one without padding": partial(_padded_scores, (5, 3), 5),
        "scores in the hundreds": partial(_padded_scores, (4, 2), 5, 300.0),
        "scores far below 0": partial(_padded_scores, (2, 3), 5, centre=-500.0),
    },
    mistakes=(
        Mistake(
            "score zero",
            "the padding has got the score 0, and exp 0 is 1: it is attended to. A "
            "weight of 0 needs a score of −∞",
            _zero_scores,
        ),
        Mistake(
            "masked after",
            "the padding's weights have been set to 0 after the softmax: the rows no "
            "longer sum to one. Mask the scores, before it",
            _masked_after,
        ),
        Mistake(
            "inverted",
            "the mask is inverted: all weight lies on the padding",
            _inverted,
        ),
        Mistake(
            "over the batch",
            "the softmax runs over the sentences of the batch (dim=0); the keys of "
            "one sentence compete (dim=-1)",
            _over_the_batch,
        ),
        Mistake(
            "one key too many",
            "the first token of the padding is attended to: a sentence of 3 tokens "
            "has them at places 0, 1 and 2",
            lambda scores, lengths: masked_softmax(scores, lengths + 1),
        ),
        Mistake(
            "one key too few",
            "each sentence's last token is hidden: a sentence of 3 tokens has them "
            "at places 0, 1 and 2",
            lambda scores, lengths: masked_softmax(scores, lengths - 1),
        ),
        Mistake(
            "no mask",
            "the padding is attended to like words: the weights of a sentence change "
            "with the batch that it is in",
            lambda scores, lengths: scores.softmax(-1),
        ),
        Mistake(
            "longest",
            "every sentence is masked as if it were the longest one",
            lambda scores, lengths: masked_softmax(
                scores, lengths.max().expand(len(lengths))
            ),
        ),
        Mistake(
            "mask added",
            "the mask has been added as 0 and 1: that moves the scores a little and "
            "hides nothing",
            _mask_added,
        ),
        Mistake(
            "overflow",
            "right for small scores, but exp(300) is infinite, and ∞ / ∞ is NaN: "
            "softmax subtracts the largest score first",
            _overflows,
        ),
        Mistake(
            "not low enough",
            "right for small scores, but the padding has got a number like −100, and "
            "where the real scores are lower still, it takes all the weight: −∞ is "
            "lower than any",
            _filled_with_minus_100,
        ),
        Mistake(
            "zero times infinity",
            "0 · (−∞) is NaN, so that the real tokens are spoilt by the padding's "
            "infinity. Choose with masked_fill or torch.where; do not multiply",
            _nothing_times_infinity,
        ),
        Mistake(
            "brought back to one",
            "right for small scores: the padding's weights have been removed after "
            "the softmax, and the others divided by their sum. But where a score of "
            "the padding is higher by hundreds, the others are 0 by then, and 0 / 0 "
            "is NaN. Mask the scores, before it",
            _renormalised,
        ),
    ),
    hints=(
        "torch.arange(width) counts the places; compared with lengths[:, None] it "
        "says for each sentence which of them are real.",
        "masked_fill(mask, value) writes value where the mask is True, so the mask "
        "must be True at the padding.",
        "the value is −torch.inf, and the softmax comes after it.",
    ),
)


# --------------------------------------------------------------------- 2.3 the average


def weighted_sum(
    weights: Float[Tensor, "batch query key"], values: Float[Tensor, "batch key d_v"]
) -> Float[Tensor, "batch query d_v"]:
    return weights @ values


def _hard(weights, values):
    largest = weights.argmax(-1)
    return values[torch.arange(len(values))[:, None], largest]


def _weights_and_values(batch: int, query: int, key: int, d_v: int) -> tuple:
    weights = draw.normal(batch, query, key).softmax(-1)
    return weights, draw.normal(batch, key, d_v, seed=1)


WEIGHTED_SUM = Exercise(
    id="2.3",
    title="Average the values",
    minutes=4,
    takes={"weights": "batch query key", "values": "batch key d_v"},
    returns={"context": "batch query d_v"},
    reference=weighted_sum,
    cases={
        "as many queries as keys": partial(_weights_and_values, 3, 5, 5, 7),
        "every size different": partial(_weights_and_values, 2, 3, 7, 5),
        "a batch of one and one query": partial(_weights_and_values, 1, 1, 3, 2),
    },
    mistakes=(
        Mistake(
            "transposed",
            "the weights are transposed: each key has averaged over the queries",
            lambda weights, values: weights.mT @ values,
        ),
        Mistake(
            "divided",
            "the sum has been divided by the number of keys; the weights sum to one, "
            "so the sum is an average already",
            lambda weights, values: weights @ values / values.shape[1],
        ),
        Mistake(
            "hard",
            "only the value with the largest weight is taken; every value counts, as "
            "much as its weight. (A choice has no gradient, a mixture has.)",
            _hard,
        ),
        Mistake(
            "weights ignored",
            "this is the plain average of the values: the weights are not used",
            lambda weights, values: values.mean(1, keepdim=True).expand(
                -1, weights.shape[1], -1
            ),
        ),
        Mistake(
            "first sentence",
            "every sentence has averaged the first one's values",
            lambda weights, values: weights @ values[0],
        ),
        Mistake(
            "softmax again",
            "the weights have gone through the softmax once more, which makes them "
            "nearly equal",
            lambda weights, values: weights.softmax(-1) @ values,
        ),
        Mistake(
            "queries averaged",
            "every query has got the mean of all queries' contexts",
            lambda weights, values: (
                weights.mean(1, keepdim=True).expand_as(weights) @ values
            ),
        ),
    ),
    hints=(
        "for each query: the sum over the keys of weight times value. Sums of "
        "products over one axis are what a matrix product does.",
        "@ multiplies the last two axes and leaves those before them, the batch, in "
        "peace.",
    ),
)


# ------------------------------------------------------------ 2.4 is the alignment true


def alignment_score(
    weights: Float[Tensor, "target source"], truth: Bool[Tensor, "target source"]
) -> float:
    has_truth = truth.any(1)
    inside = truth[torch.arange(len(truth)), weights.argmax(1)]
    return float(inside[has_truth].float().mean())


def _no_truth_counted(weights, truth):
    inside = truth[torch.arange(len(truth)), weights.argmax(1)]
    return float(inside.float().mean())


def _wrong_axis(weights, truth):
    inside = truth[weights.argmax(0), torch.arange(truth.shape[1])]
    return float(inside[truth.any(0)].float().mean())


def _mass(weights, truth):
    return float((weights * truth).sum(1)[truth.any(1)].mean())


def _most_of_the_mass(weights, truth):
    return float(((weights * truth).sum(1) > 0.5)[truth.any(1)].float().mean())


def _first_cell(weights, truth):
    same = weights.argmax(1) == truth.float().argmax(1)
    return float(same[truth.any(1)].float().mean())


def _count(weights, truth):
    return float(truth[torch.arange(len(truth)), weights.argmax(1)].sum())


def _cells(weights, truth):
    return float(((weights > 0.5) == truth).float().mean())


def _alignment(target: int, source: int, seed: int) -> tuple:
    """Fields of two or three characters; every third character has no truth."""
    places = torch.arange(target)
    centre = (places * source // target)[:, None]
    truth = (torch.arange(source) - centre).abs() <= 1
    truth[(places % 3 == 2) & (places > 0)] = False
    scores = 2 * draw.normal(target, source, seed=seed) + 1.5 * truth
    return scores.softmax(-1), truth


ALIGNMENT_SCORE = Exercise(
    id="2.4",
    title="Is the alignment true?",
    minutes=8,
    takes={"weights": "target source", "truth": "target source"},
    returns={"share": ""},
    reference=alignment_score,
    cases={
        "as many characters on both sides": partial(_alignment, 11, 11, 0),
        "a longer source": partial(_alignment, 13, 19, 1),
        "a single character": partial(_alignment, 1, 5, 2),
    },
    mistakes=(
        Mistake(
            "wrong axis",
            "the largest weight has been looked for along the target (dim=0): for "
            "each source character you ask who looks at it. Ask each target "
            "character where it looks (dim=1)",
            _wrong_axis,
        ),
        Mistake(
            "rows without truth",
            "rows without any True are counted as wrong; they have no truth to miss",
            _no_truth_counted,
        ),
        Mistake(
            "mass",
            "this is how much weight lies inside the field; the question is whether "
            "the largest one does",
            _mass,
        ),
        Mistake(
            "half of the mass",
            "this counts rows with more than half of their weight inside the field; "
            "the largest weight may be there with less",
            _most_of_the_mass,
        ),
        Mistake(
            "first cell",
            "only the first character of the true field counts as right "
            "(truth.argmax finds the first True); the whole field is right",
            _first_cell,
        ),
        Mistake(
            "count",
            "this is the number of right rows; their share is wanted",
            _count,
        ),
        Mistake(
            "cells",
            "all cells have been compared one by one, and most are rightly empty: "
            "even weights that look nowhere in particular get a high score so",
            _cells,
        ),
    ),
    hints=(
        "weights.argmax(dim=1) is where each target character looks most.",
        "truth[torch.arange(len(truth)), places] looks up one entry of each row; "
        "truth.any(dim=1) says which rows have a truth at all.",
        "keep only the rows with a truth, and take the mean as a float.",
    ),
)


# ---------------------------------------------------------------- 2.5 Luong's score


def general_scores(
    query: Float[Tensor, "batch query d_query"],
    keys: Float[Tensor, "batch key d_key"],
    W: Float[Tensor, "d_query d_key"],
) -> Float[Tensor, "batch query key"]:
    return query @ W @ keys.mT


def _cosine(query, keys, W):
    return F.normalize(query @ W, dim=-1) @ F.normalize(keys, dim=-1).mT


def _dot_inputs(batch: int, query: int, key: int, d_query: int, d_key: int) -> tuple:
    shapes = [(batch, query, d_query), (batch, key, d_key), (d_query, d_key)]
    return tuple(draw.normal(*shape, seed=n) for n, shape in enumerate(shapes))


DOT_SCORES = Exercise(
    id="2.5",
    title="Luong's general score",
    minutes=6,
    takes={
        "query": "batch query d_query",
        "keys": "batch key d_key",
        "W": "d_query d_key",
    },
    returns={"scores": "batch query key"},
    reference=general_scores,
    cases={
        "equal sizes": partial(_dot_inputs, 3, 5, 5, 7, 7),
        "every size different": partial(_dot_inputs, 2, 3, 7, 5, 11),
        "a batch of one": partial(_dot_inputs, 1, 2, 3, 7, 5),
    },
    mistakes=(
        Mistake(
            "W transposed",
            "W has been used the wrong way round: its rows belong to the query, its "
            "columns to the keys. It shows only where the two differ in size",
            lambda query, keys, W: query @ W.mT @ keys.mT,
        ),
        Mistake(
            "no W",
            "W is not used: this is the plain dot product, which needs queries and "
            "keys of one size",
            lambda query, keys, W: query @ keys.mT,
        ),
        Mistake(
            "scaled",
            "the scores are divided by √d_key; that is chapter 3's idea, Luong's "
            "score has none of it",
            lambda query, keys, W: query @ W @ keys.mT / keys.shape[-1] ** 0.5,
        ),
        Mistake(
            "softmax too early",
            "these are the weights already; the scores are wanted, before the softmax",
            lambda *given: general_scores(*given).softmax(-1),
        ),
        Mistake(
            "transposed",
            "the scores are transposed: rows belong to the queries, columns to the "
            "keys",
            lambda *given: general_scores(*given).mT,
        ),
        Mistake(
            "first sentence",
            "the queries of every sentence are compared with the first one's keys",
            lambda query, keys, W: query @ W @ keys[0].mT,
        ),
        Mistake(
            "cosine",
            "the vectors have been brought to length one: this is their cosine, "
            "which can never exceed 1, so that the softmax can hardly choose",
            _cosine,
        ),
        Mistake(
            "tanh",
            "there is a tanh around the product; this score has none",
            lambda query, keys, W: torch.tanh(query @ W) @ keys.mT,
        ),
    ),
    hints=(
        "from the left: query @ W brings the queries to the size of the keys.",
        "then each with each: the keys must be transposed in their last two axes, "
        "keys.mT; keys.T would turn the batch round as well.",
    ),
)


# --------------------------------------------------------------- 2.6 bug hunt: one step


def attend_step(
    query: Float[Tensor, "batch d_k"],
    keys: Float[Tensor, "batch key d_k"],
    values: Float[Tensor, "batch key d_v"],
    lengths: Int[Tensor, " batch"],
) -> Float[Tensor, "batch d_v"]:
    return _attend_with(masked_softmax, query, keys, values, lengths)


def _attend_with(weigh, query, keys, values, lengths):
    scores = (keys @ query[..., None]).squeeze(-1)
    return (weigh(scores, lengths)[:, None] @ values).squeeze(1)


def _padding_keeps_its_share(query, keys, values, lengths):
    scores = (keys @ query[:, :, None]).squeeze(-1)
    weights = scores.softmax(dim=-1)
    real = torch.arange(keys.shape[1]) < lengths[:, None]
    weights = weights * real
    return (weights[:, None] @ values).squeeze(1)


def _step_inputs(lengths: tuple[int, ...], key: int, d_k: int, d_v: int) -> tuple:
    batch = len(lengths)
    shapes = [(batch, d_k), (batch, key, d_k), (batch, key, d_v)]
    drawn = [draw.normal(*shape, seed=n) for n, shape in enumerate(shapes)]
    return *drawn, torch.tensor(lengths)


ATTEND_STEP = Exercise(
    id="2.6",
    title="Bug hunt: a step of attention",
    minutes=10,
    takes={
        "query": "batch d_k",
        "keys": "batch key d_k",
        "values": "batch key d_v",
        "lengths": "batch",
    },
    returns={"context": "batch d_v"},
    reference=attend_step,
    cases={
        "values as wide as keys": partial(_step_inputs, (2, 5, 4), 7, 5, 5),
        "one sentence without padding": partial(_step_inputs, (3,), 3, 2, 7),
        "every size different": partial(_step_inputs, (6, 1, 3, 7, 2), 11, 2, 3),
    },
    mistakes=(
        Mistake(
            "no mask",
            "now the padding is attended to like words: the context of a sentence "
            "changes with the batch that it is in",
            lambda *given: _attend_with(lambda s, n: s.softmax(-1), *given),
        ),
        Mistake(
            "score zero",
            "the padding has got the score 0, and exp 0 is 1: it is attended to. A "
            "weight of 0 needs a score of −∞",
            partial(_attend_with, _zero_scores),
        ),
        Mistake(
            "inverted",
            "the mask is inverted: all weight lies on the padding",
            partial(_attend_with, _inverted),
        ),
        Mistake(
            "over the batch",
            "the softmax runs over the sentences of the batch (dim=0); the keys of "
            "one sentence compete (dim=-1)",
            partial(_attend_with, _over_the_batch),
        ),
        Mistake(
            "one key too many",
            "the first token of the padding is attended to: a sentence of 3 tokens "
            "has them at places 0, 1 and 2",
            partial(_attend_with, lambda s, n: masked_softmax(s, n + 1)),
        ),
        Mistake(
            "one key too few",
            "each sentence's last token is hidden: a sentence of 3 tokens has them "
            "at places 0, 1 and 2",
            partial(_attend_with, lambda s, n: masked_softmax(s, n - 1)),
        ),
        Mistake(
            "mask added",
            "the mask has been added as 0 and 1: that moves the scores a little and "
            "hides nothing",
            partial(_attend_with, _mask_added),
        ),
        Mistake(
            "scaled",
            "the padding is mended; but the scores are divided by √d_k now, which is "
            "chapter 3's idea, and not this step's",
            lambda query, *given: attend_step(query / query.shape[-1] ** 0.5, *given),
        ),
        Mistake(
            "keys averaged",
            "the context is an average of the keys; the values are to be averaged",
            lambda query, keys, values, lengths: attend_step(
                query, keys, keys, lengths
            ),
        ),
        Mistake(
            "divided by the length",
            "the context has been divided by the length; weights that sum to one "
            "make an average by themselves",
            lambda *given: attend_step(*given) / given[-1][:, None],
        ),
    ),
    hints=(
        "add up the weights of one sentence, once alone and once in a batch with a "
        "longer one.",
        "the padding's weights are set to 0 too late: the softmax has already given "
        "it a share, and that share is missing from the others.",
        "mask the scores with −∞ before the softmax, and leave the weights alone.",
    ),
    given=_padding_keeps_its_share,
)

EXERCISES = (
    ADDITIVE_SCORES,
    MASKED_SOFTMAX,
    WEIGHTED_SUM,
    ALIGNMENT_SCORE,
    DOT_SCORES,
    ATTEND_STEP,
)
