"""As unsure as between how many tokens?"""

from functools import partial

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.sentences import TWO_SOFTMAXES


def perplexity(
    logits: Float[Tensor, "token vocab"], target: Int[Tensor, " token"]
) -> float:
    return float(_surprise(logits, target).mean().exp())


def _surprise(logits: Tensor, target: Tensor) -> Tensor:
    """−ln p of each true token."""
    return F.cross_entropy(logits, target, reduction="none")


def _in_bits(logits, target):
    return float(2 ** _surprise(logits, target).mean())


def _of_each_token(logits, target):
    return float(_surprise(logits, target).exp().mean())


def _of_the_mean_probability(logits, target):
    return float(1 / (-_surprise(logits, target)).exp().mean())


def _softmax_twice(logits, target):
    return perplexity(logits.softmax(-1), target)


def _over_tokens(logits, target):
    log_p = logits.log_softmax(0)
    return float((-log_p.gather(-1, target[:, None]).mean()).exp())


def _no_softmax(logits, target):
    return float((-logits.gather(-1, target[:, None]).mean()).exp())


def _of_the_prediction(logits, target):
    return perplexity(logits, logits.argmax(-1))


def _entropy(logits, target):
    p = logits.softmax(-1)
    return float((-(p * p.log()).sum(-1).mean()).exp())


def _predicted(token: int, vocab: int, *, sure: float = 1.0) -> tuple:
    return sure * draw.normal(token, vocab), draw.ids(token, high=vocab, seed=1)


EXERCISE = Exercise(
    id="0.3",
    title="As unsure as between k tokens",
    minutes=6,
    difficulty=2,
    reference=perplexity,
    cases={
        "as many tokens as words": partial(_predicted, 7, 7),
        "fewer words than tokens": partial(_predicted, 11, 5),
        "one token": partial(_predicted, 1, 3),
        "a model that is surer": partial(_predicted, 5, 7, sure=3.0),
    },
    mistakes={
        "loss": Mistake(
            "this is the mean surprise, the loss; the perplexity is e to this power",
            lambda logits, target: float(_surprise(logits, target).mean()),
        ),
        "base 2": Mistake(
            "the surprise is in nats (ln), but you have raised 2 to it: 2 goes with "
            "log2, e with ln",
            _in_bits,
        ),
        "mean of the perplexities": Mistake(
            "each token's surprise has been raised before the mean; first the mean of "
            "the surprises, then e to its power",
            _of_each_token,
        ),
        "mean probability": Mistake(
            "this is 1 / the mean probability of the true tokens; the mean is taken of "
            "the logarithms",
            _of_the_mean_probability,
        ),
        "softmax twice": Mistake(
            TWO_SOFTMAXES,
            _softmax_twice,
        ),
        "over tokens": Mistake(
            "the softmax runs over the tokens (dim=0); at each token the words of the "
            "vocabulary compete (dim=-1)",
            _over_tokens,
        ),
        "no softmax": Mistake(
            "these are the logits of the true tokens, not their log-probabilities: "
            "log_softmax comes first",
            _no_softmax,
        ),
        "its own prediction": Mistake(
            "the model is asked how sure it is of the word that it likes best; it is "
            "to be judged at the true one",
            _of_the_prediction,
        ),
        "entropy": Mistake(
            "this is how unsure the model itself believes to be (the entropy of its "
            "shares); the truth in target has not been looked at",
            _entropy,
        ),
        "sum": Mistake(
            "the surprises are summed; their mean is wanted, so that a longer text is "
            "not a harder one",
            lambda logits, target: float(_surprise(logits, target).sum().exp()),
        ),
        "sign": Mistake(
            "the sign is missing: the mean log-probability is negative, and the "
            "perplexity is e to its opposite. It is never below 1",
            lambda logits, target: 1 / perplexity(logits, target),
        ),
    },
    hints=(
        "four steps: log_softmax, pick the entry of the true token, the mean, and its "
        "opposite as the exponent of e.",
        "log_p[torch.arange(len(target)), target] picks one entry of each row; so does "
        "gather(-1, target[:, None]).",
    ),
)
