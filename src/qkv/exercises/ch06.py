"""The exercises of chapter 6: what may be seen, and how a peek is found out."""

from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from qkv.exercises import draw
from qkv.exercises.machinery import Exercise, Mistake

NUMBER = 6
TITLE = "What may be seen: masking"


# ---------------------------------------------------------------------- 6.1 the entropy


def entropy_per_character(
    probabilities: Float[Tensor, " string"], lengths: Int[Tensor, " string"]
) -> float:
    return _entropy(probabilities) / _expected(lengths, probabilities)


def _entropy(probabilities: Tensor) -> float:
    return float(torch.special.entr(probabilities).sum())


def _expected(values: Tensor, probabilities: Tensor) -> float:
    return float((probabilities * values).sum())


def _mean(lengths: Tensor) -> float:
    return float(lengths.float().mean())


def _rate_of_each(probabilities, lengths):
    return float((torch.special.entr(probabilities) / lengths).sum())


def _nothing_times_infinity(probabilities, lengths):
    surprise = -(probabilities * probabilities.log()).sum()
    return float(surprise / (probabilities * lengths).sum())


def _language(count: int, *, low: int = 2, never: int | None = None) -> tuple:
    """Strings of different probabilities and lengths; ``never`` has none at all."""
    scores = 2 * draw.normal(count)
    if never is not None:
        scores[never] = -torch.inf
    return scores.softmax(-1), low + draw.ids(count, high=9, seed=1)


ENTROPY = Exercise(
    id="6.1",
    title="The floor under every loss",
    minutes=8,
    takes={"probabilities": "string", "lengths": "string"},
    returns={"entropy": ""},
    reference=entropy_per_character,
    cases={
        "seven strings": partial(_language, 7),
        "a string that never occurs": partial(_language, 11, never=3),
        "only one string": partial(_language, 1),
    },
    mistakes=(
        Mistake(
            "per string",
            "this is the entropy of a whole string; it is to be shared among its "
            "characters, of which there are Σ p n on average",
            lambda p, n: _entropy(p),
        ),
        Mistake(
            "plain mean length",
            "the length has been averaged as if all strings were equally likely; "
            "each counts as often as it occurs, Σ p n",
            lambda p, n: _entropy(p) / _mean(n),
        ),
        Mistake(
            "rate of each",
            "each string's surprise has been divided by its own length, and then "
            "averaged. The loss of a model is a sum over all characters divided by "
            "their number: a ratio of means, not a mean of ratios",
            _rate_of_each,
        ),
        Mistake(
            "equally likely",
            "this is the logarithm of the number of strings, which is their entropy "
            "if all are equally likely; these are not",
            lambda p, n: float(torch.tensor(len(p)).log()) / _expected(n, p),
        ),
        Mistake(
            "bits",
            "this is in bits (log2); losses are in nats, the natural logarithm",
            lambda p, n: entropy_per_character(p, n) / float(torch.tensor(2.0).log()),
        ),
        Mistake(
            "NaN",
            "a string of probability 0 gives 0 · ln 0 = 0 · (−∞), which is NaN. "
            "What never occurs surprises nobody: it adds 0",
            _nothing_times_infinity,
        ),
        Mistake(
            "number of strings",
            "the entropy has been divided by the number of strings; divide by the "
            "number of characters in one of them, on average",
            lambda p, n: _entropy(p) / len(p),
        ),
        Mistake(
            "longest",
            "the entropy has been divided by the longest string's length, as if all "
            "were padded to it and the padding predicted, too",
            lambda p, n: _entropy(p) / int(n.max()),
        ),
        Mistake(
            "sign",
            "the sign is missing: the logarithm of a probability is negative, the "
            "entropy is its opposite",
            lambda p, n: -entropy_per_character(p, n),
        ),
    ),
    hints=(
        "two sums, and one divided by the other: −Σ p ln p over the strings, and "
        "the expected length Σ p n.",
        "p ln p must be 0 where p is 0: torch.xlogy(p, p) sees to it, or leave "
        "those strings out.",
    ),
)


# --------------------------------------------------------------------------- 6.2 causal


def causal_mask(length: int) -> Bool[Tensor, "query key"]:
    return torch.ones(length, length, dtype=torch.bool).tril()


def _band(length: int, *, behind: int, ahead: int) -> Bool[Tensor, "query key"]:
    """True from so many keys behind the query to so many ahead of it."""
    everything = torch.ones(length, length, dtype=torch.bool)
    return everything.tril(ahead).triu(-behind)


CAUSAL_MASK = Exercise(
    id="6.2",
    title="Nothing from the future",
    minutes=4,
    takes={"length": ""},
    returns={"may_attend": "query key"},
    reference=causal_mask,
    cases={
        "seven tokens": lambda: (7,),
        "two tokens": lambda: (2,),
        "a single token": lambda: (1,),
    },
    mistakes=(
        Mistake(
            "inverted",
            "the mask is inverted: it is True where a key must be hidden. Parts of "
            "PyTorch want it so; in this book True means may attend",
            lambda length: ~causal_mask(length),
        ),
        Mistake(
            "present hidden",
            "a token may not attend to itself here, so the first one has nothing at "
            "all to attend to: the diagonal is allowed",
            lambda length: _band(length, behind=length, ahead=-1),
        ),
        Mistake(
            "one token ahead",
            "every token sees the next one, which is just what it must predict: a "
            "model trained so has a loss that is too good to be true",
            lambda length: _band(length, behind=length, ahead=1),
        ),
        Mistake(
            "looks ahead",
            "the triangle is turned over: each token sees itself and the future, and "
            "nothing of the past. Rows are queries, columns are keys",
            lambda length: causal_mask(length).mT,
        ),
        Mistake(
            "everything",
            "nothing is hidden",
            lambda length: torch.ones(length, length, dtype=torch.bool),
        ),
        Mistake(
            "only itself",
            "each token sees itself alone; it may see what stands before it, too",
            lambda length: torch.eye(length, dtype=torch.bool),
        ),
        Mistake(
            "only the one before",
            "each token sees itself and the one before it; all of the past is allowed",
            lambda length: _band(length, behind=1, ahead=0),
        ),
    ),
    hints=(
        "query i may attend to key j where j ≤ i. torch.arange(length) has all i, "
        "and all j.",
        "a comparison of places[:, None] with places gives True and False in axes "
        "(query, key); torch.tril of a matrix of ones does the same.",
    ),
)


# -------------------------------------------------------------------------- 6.3 padding


def padding_mask(
    lengths: Int[Tensor, " batch"], key: int
) -> Bool[Tensor, "batch 1 key"]:
    return _real(lengths, key)[:, None]


def _real(lengths: Tensor, key: int) -> Bool[Tensor, "batch key"]:
    """True where a sentence has a token, False in its padding."""
    return torch.arange(key) < lengths[:, None]


def _axes_changed(lengths, key):
    return (torch.arange(key)[:, None] < lengths)[:, None]


def _longest(lengths, key):
    return padding_mask(lengths.max().expand(len(lengths)), key)


def _sentences(lengths: tuple[int, ...], key: int) -> tuple:
    return torch.tensor(lengths), key


PADDING_MASK = Exercise(
    id="6.3",
    title="Nothing where nothing is",
    minutes=5,
    takes={"lengths": "batch", "key": ""},
    returns={"may_attend": "batch query key"},
    reference=padding_mask,
    cases={
        "as many sentences as places": partial(_sentences, (2, 5, 1, 4, 3), 5),
        "wider than the longest": partial(_sentences, (3, 5, 2), 7),
        "a batch of one without padding": partial(_sentences, (3,), 3),
        "a sentence with nothing in it": partial(_sentences, (4, 0), 5),
    },
    mistakes=(
        Mistake(
            "inverted",
            "the mask is inverted: it is True at the padding. torch.nn's "
            "key_padding_mask wants it so; in this book True means may attend",
            lambda lengths, key: ~padding_mask(lengths, key),
        ),
        Mistake(
            "one key too many",
            "the first token of the padding may be attended to: a sentence of 3 "
            "tokens has them at places 0, 1 and 2",
            lambda lengths, key: padding_mask(lengths + 1, key),
        ),
        Mistake(
            "one key too few",
            "each sentence's last token is hidden: a sentence of 3 tokens has them "
            "at places 0, 1 and 2",
            lambda lengths, key: padding_mask(lengths - 1, key),
        ),
        Mistake(
            "padding in front",
            "the first keys are hidden, as if the padding stood in front of the "
            "words; here it stands behind them",
            lambda lengths, key: padding_mask(lengths, key).flip(-1),
        ),
        Mistake(
            "longest",
            "every sentence is masked as if it were the longest one: the others' "
            "padding is open",
            _longest,
        ),
        Mistake(
            "first sentence",
            "every sentence is masked by the first one's length",
            lambda lengths, key: padding_mask(lengths[:1].expand(len(lengths)), key),
        ),
        Mistake(
            "axes changed",
            "sentences and keys have changed places: lengths needs an axis for the "
            "keys, lengths[:, None], and the places need none. It fails in sight "
            "only where the two differ in number",
            _axes_changed,
        ),
        Mistake(
            "never empty",
            "a sentence of 0 tokens has got one, perhaps to save a softmax from NaN. "
            "The mask says what is there; the softmax must see to itself",
            lambda lengths, key: padding_mask(lengths.clamp(min=1), key),
        ),
    ),
    hints=(
        "torch.arange(key) counts the places; place j is real where j < length.",
        "lengths[:, None] has an axis for the keys. The result still needs one for "
        "the queries, of length 1, in the middle: [:, None] once more.",
    ),
)


# ------------------------------------------------------------------ 6.4 masked softmax


def masked_softmax(
    scores: Float[Tensor, "batch query key"], mask: Bool[Tensor, "batch query key"]
) -> Float[Tensor, "batch query key"]:
    return _not_a_number(scores, mask).where(mask, 0.0)


def _not_a_number(scores, mask):
    return scores.masked_fill(~mask, -torch.inf).softmax(-1)


def _powers_overflow(scores, mask):
    powers = scores.exp().where(mask, 0.0)
    return (powers / powers.sum(-1, keepdim=True)).where(mask, 0.0)


def _left_over(scores, mask):
    return scores.softmax(-1) * mask


def _brought_back_to_one(scores, mask):
    left = _left_over(scores, mask)
    return left / left.sum(-1, keepdim=True)


def _brought_back_with_epsilon(scores, mask):
    left = _left_over(scores, mask)
    return left / left.sum(-1, keepdim=True).clamp(min=1e-9)


def _infinity_multiplied(scores, mask):
    return (scores + (~mask).float() * -torch.inf).softmax(-1)


def _masked_scores(
    batch: int, query: int, key: int, *, nothing: bool = False, scale: float = 1.0
) -> tuple:
    """Every query may see its first key and not its last, or one query nothing."""
    mask = draw.normal(batch, query, key, seed=1) > 0
    mask[..., 0], mask[..., -1] = True, False
    if nothing:
        mask[-1, 1] = False
    return scale * draw.normal(batch, query, key), mask


MASKED_SOFTMAX = Exercise(
    id="6.4",
    title="Weights under any mask",
    minutes=8,
    takes={"scores": "batch query key", "mask": "batch query key"},
    returns={"weights": "batch query key"},
    reference=masked_softmax,
    cases={
        "as many queries as keys": partial(_masked_scores, 3, 5, 5),
        "a query with nothing to attend to": partial(
            _masked_scores, 3, 5, 7, nothing=True
        ),
        "a batch of one": partial(_masked_scores, 1, 2, 3, nothing=True),
        "scores in the hundreds": partial(_masked_scores, 2, 3, 5, scale=300.0),
    },
    mistakes=(
        Mistake(
            "NaN",
            "a query with nothing to attend to has scores of −∞ only; they sum to 0 "
            "after exp, and 0 / 0 is NaN. One NaN spreads to every token at the "
            "next layer: such a row must be zeros",
            _not_a_number,
        ),
        Mistake(
            "equal weights",
            "the hidden scores are a large negative number, not −∞. Where all are "
            "hidden they are equal, and the query attends to all that it must not "
            "see, to each key alike: such a row must be zeros",
            lambda scores, mask: scores.masked_fill(~mask, -1e9).softmax(-1),
        ),
        Mistake(
            "inverted",
            "the mask is inverted: all weight lies on what is hidden",
            lambda scores, mask: _not_a_number(scores, ~mask),
        ),
        Mistake(
            "masked after",
            "the hidden weights have been set to 0 after the softmax: the others no "
            "longer sum to one. Mask the scores, before it",
            lambda scores, mask: scores.softmax(-1) * mask,
        ),
        Mistake(
            "score zero",
            "the hidden keys have got the score 0, and exp 0 is 1: they are attended "
            "to. A weight of 0 needs a score of −∞",
            lambda scores, mask: (scores * mask).softmax(-1),
        ),
        Mistake(
            "mask added",
            "the mask has been added as 0 and 1: that moves the scores a little and "
            "hides nothing",
            lambda scores, mask: (scores + mask).softmax(-1),
        ),
        Mistake(
            "zero times infinity",
            "0 · (−∞) is NaN, so that the open places are spoilt by the hidden ones' "
            "infinity. Choose with masked_fill or torch.where; do not multiply",
            _infinity_multiplied,
        ),
        Mistake(
            "brought back to one",
            "the hidden weights have been removed after the softmax, and the others "
            "divided by their sum. Where nothing is left, that is 0 / 0, NaN: with "
            "nothing to attend to, and also where a hidden score is higher by "
            "hundreds. Mask the scores, before it",
            _brought_back_to_one,
        ),
        Mistake(
            "brought back with an ε",
            "the hidden weights have been removed after the softmax, and the others "
            "divided by their sum, kept from 0 by an ε. But where a hidden score is "
            "higher by hundreds, the others are 0 by then, and stay so. Mask the "
            "scores, before it",
            _brought_back_with_epsilon,
        ),
        Mistake(
            "over the queries",
            "the softmax runs over the queries (dim=-2): columns sum to one. The "
            "keys compete for one query (dim=-1)",
            lambda scores, mask: (
                scores.masked_fill(~mask, -torch.inf).softmax(-2).where(mask, 0.0)
            ),
        ),
        Mistake(
            "overflow",
            "right for small scores, but exp(300) is infinite, and ∞ / ∞ is NaN: "
            "softmax subtracts the largest score first",
            _powers_overflow,
        ),
    ),
    hints=(
        "first as ever: masked_fill with −∞ where the mask is False (~mask), then "
        "the softmax over the keys. Which rows are still wrong, and what do they "
        "hold?",
        "a hidden key has weight 0, whatever came out of the softmax: the mask can "
        "say so once more, after it.",
        "multiplying is no help, 0 · NaN is NaN; masked_fill or torch.where writes "
        "a new number over the old.",
    ),
)


# ------------------------------------------------------------------ 6.5 PyTorch's sense


def for_pytorch(
    may_attend: Bool[Tensor, "batch key"],
) -> tuple[Bool[Tensor, "batch key"], Bool[Tensor, "batch 1 1 key"]]:
    return ~may_attend, may_attend[:, None, None]


def _open_first(may_attend):
    may_attend = may_attend.clone()
    may_attend[:, 0] = True
    return for_pytorch(may_attend)


FOR_PYTORCH = Exercise(
    id="6.5",
    title="One mask, two senses",
    minutes=5,
    takes={"may_attend": "batch key"},
    returns={"key_padding_mask": "batch key", "sdpa_mask": "batch head query key"},
    reference=for_pytorch,
    cases={
        "three padded sentences": lambda: (_real(torch.tensor([2, 7, 4]), 7),),
        "keys hidden anywhere": lambda: (draw.normal(5, 11) > 0,),
        "a batch of one": lambda: (_real(torch.tensor([3]), 5),),
        "a sentence with nothing in it": lambda: (_real(torch.tensor([0, 3]), 5),),
    },
    mistakes=(
        Mistake(
            "both may attend",
            "key_padding_mask is True where a key is hidden; yours is True where it "
            "may be attended to, so that all weight would lie on the padding",
            lambda m: (m, m[:, None, None]),
        ),
        Mistake(
            "both hidden",
            "scaled_dot_product_attention takes True for may attend, as this book "
            "does; yours is True where a key is hidden. (If you have turned the "
            "mask over in place, with logical_not_ or ^=, both have changed.)",
            lambda m: (~m, ~m[:, None, None]),
        ),
        Mistake(
            "exchanged",
            "each of the two has the other's sense: key_padding_mask says True for "
            "hidden, scaled_dot_product_attention's mask True for may attend",
            lambda m: (m, ~m[:, None, None]),
        ),
        Mistake(
            "first sentence",
            "every sentence has got the first one's mask",
            lambda m: for_pytorch(m[:1].expand_as(m)),
        ),
        Mistake(
            "common mask",
            "a key is open in all sentences if it is open in any of them: the "
            "shorter ones' padding is seen",
            lambda m: for_pytorch(m.any(0).expand_as(m)),
        ),
        Mistake(
            "first key open",
            "the first key is always open, perhaps to save empty sentences from "
            "NaN. It also opens one that was hidden for a reason",
            _open_first,
        ),
        Mistake(
            "nothing hidden",
            "nothing is hidden in either of them",
            lambda m: for_pytorch(torch.ones_like(m)),
        ),
    ),
    hints=(
        "~ turns a boolean mask over; one of the two needs it, the other does not.",
        "indexing with None puts in an axis of length 1: for scores in axes (batch, "
        "head, query, key), the mask needs two of them in the middle.",
    ),
)


# --------------------------------------------------------------- 6.6 bug hunt: 0 and 1


def causal_weights(
    scores: Float[Tensor, "batch query key"],
) -> Float[Tensor, "batch query key"]:
    return _weights_where(causal_mask(scores.shape[-1]), scores)


def _weights_where(may_attend, scores):
    return scores.masked_fill(~may_attend, -torch.inf).softmax(-1)


def _ones_added(scores):
    mask = torch.ones(scores.shape[-1], scores.shape[-1]).tril()
    return (scores + mask).softmax(-1)


def _drowned(scores):
    return (scores + 1e9 * causal_mask(scores.shape[-1])).softmax(-1)


def _zero_times_infinity(scores):
    hidden = (~causal_mask(scores.shape[-1])).float()
    return (scores + hidden * -torch.inf).softmax(-1)


def _renormalised(scores):
    left = scores.softmax(-1) * causal_mask(scores.shape[-1])
    return left / left.sum(-1, keepdim=True)


def _filled_with_minus_100(scores):
    return scores.masked_fill(~causal_mask(scores.shape[-1]), -100.0).softmax(-1)


def _to_itself(batch: int, token: int, scale: float = 1.0) -> tuple:
    return (scale * draw.normal(batch, token, token),)


CAUSAL_WEIGHTS = Exercise(
    id="6.6",
    title="Bug hunt: the mask that hides nothing",
    minutes=8,
    takes={"scores": "batch query key"},
    returns={"weights": "batch query key"},
    reference=causal_weights,
    cases={
        "five tokens": partial(_to_itself, 3, 5),
        "large scores": partial(_to_itself, 2, 7, 20.0),
        "scores in the hundreds": partial(_to_itself, 3, 7, 300.0),
        "a batch of one": partial(_to_itself, 1, 3),
        "a single token": partial(_to_itself, 2, 1),
    },
    mistakes=(
        Mistake(
            "inverted",
            "now the past is hidden and the future seen, and the last token, which "
            "has no future, gets NaN: hide where the mask is 0",
            lambda s: _weights_where(~causal_mask(s.shape[-1]), s),
        ),
        Mistake(
            "looks ahead",
            "each token sees itself and the future, and nothing of the past: the "
            "triangle is turned over",
            lambda s: _weights_where(causal_mask(s.shape[-1]).mT, s),
        ),
        Mistake(
            "present hidden",
            "a token may not attend to itself here, and the first one has nothing "
            "left: its row is NaN. The diagonal is allowed",
            lambda s: _weights_where(causal_mask(s.shape[-1]).tril(-1), s),
        ),
        Mistake(
            "one token ahead",
            "every token still sees the next one, which it must predict",
            lambda s: _weights_where(
                _band(s.shape[-1], behind=s.shape[-1], ahead=1), s
            ),
        ),
        Mistake(
            "drowned",
            "a huge number has been added to the open scores. The future is hidden "
            "so, but single precision has seven digits, and nothing is left of what "
            "told the open scores apart. Add to the hidden ones, and it must be −∞",
            _drowned,
        ),
        Mistake(
            "not low enough",
            "right for small scores, but the future has got a number like −100, and "
            "where what may be seen scores lower still, the future takes all the "
            "weight: −∞ is lower than any",
            _filled_with_minus_100,
        ),
        Mistake(
            "brought back to one",
            "right for small scores: the future's weights have been removed after "
            "the softmax, and the others divided by their sum. But where a score of "
            "the future is higher by hundreds, the others are 0 by then, and 0 / 0 "
            "is NaN. Mask the scores, before it",
            _renormalised,
        ),
        Mistake(
            "zero times infinity",
            "0 · (−∞) is NaN, so that the open places are spoilt by the hidden ones' "
            "infinity. Choose with masked_fill or torch.where; do not multiply",
            _zero_times_infinity,
        ),
        Mistake(
            "multiplied",
            "the hidden scores are 0 now, and exp 0 is 1: they are attended to",
            lambda s: (s * causal_mask(s.shape[-1])).softmax(-1),
        ),
        Mistake(
            "masked after",
            "the hidden weights have been set to 0 after the softmax: rows no longer "
            "sum to one, and the future still had its say in the others' share",
            lambda s: s.softmax(-1) * causal_mask(s.shape[-1]),
        ),
        Mistake(
            "no mask",
            "now nothing is masked at all",
            lambda s: s.softmax(-1),
        ),
    ),
    hints=(
        "print the weights of a few tokens: what stands above the diagonal?",
        "adding 1 to a score multiplies its weight by e, before all are brought to a "
        "sum of one. How much must be added to make a weight 0?",
        "make the mask boolean, and fill the scores with −∞ where it is False.",
    ),
    given=_ones_added,
)


EXERCISES = (
    ENTROPY,
    CAUSAL_MASK,
    PADDING_MASK,
    MASKED_SOFTMAX,
    FOR_PYTORCH,
    CAUSAL_WEIGHTS,
)
