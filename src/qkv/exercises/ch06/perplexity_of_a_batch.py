"""Chapter 0's perplexity, of a batch with padding."""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch06.shared import real_keys
from qkv.exercises.sentences import BY_SENTENCES


def perplexity_of_a_batch(
    logits: Float[Tensor, "batch token vocab"],
    target: Int[Tensor, "batch token"],
    lengths: Int[Tensor, " batch"],
) -> float:
    real = real_keys(lengths, target.shape[1])
    return float(_surprise(logits, target)[real].mean().exp())


def _surprise(logits: Tensor, target: Tensor) -> Tensor:
    """−ln p of each right token."""
    return F.cross_entropy(logits.mT, target, reduction="none")


def _sums(logits, target, lengths) -> Tensor:
    """The surprise of each sentence, its padding left out."""
    real = real_keys(lengths, target.shape[1])
    return (_surprise(logits, target) * real).sum(1)


def _mean_of_means(logits, target, lengths):
    sums = _sums(logits, target, lengths)
    return float((sums / lengths).mean().exp())


def _mean_of_perplexities(logits, target, lengths):
    sums = _sums(logits, target, lengths)
    return float((sums / lengths).exp().mean())


def _of_each_token(logits, target, lengths):
    real = real_keys(lengths, target.shape[1])
    return float(_surprise(logits, target)[real].exp().mean())


def _base_two(logits, target, lengths):
    return 2 ** _loss(logits, target, lengths)


def _loss(logits, target, lengths):
    return float(_sums(logits, target, lengths).sum() / lengths.sum())


def _over_tokens(logits, target, lengths):
    """The softmax over the places of a sentence, not over the vocabulary."""
    log_p = logits.log_softmax(1).gather(-1, target[..., None])[..., 0]
    return float((-log_p[real_keys(lengths, target.shape[1])]).mean().exp())


def _one_too_few(logits, target, lengths):
    return perplexity_of_a_batch(logits, target, lengths - 1)


def _batch(lengths: tuple[int, ...], token: int, vocab: int) -> tuple:
    batch = len(lengths)
    logits = 2 * draw.normal(batch, token, vocab)
    target = draw.ids(batch, token, high=vocab, seed=1)
    return logits, target, torch.tensor(lengths)


EXERCISE = Exercise(
    id="6.7",
    title="Something older: perplexity, but not of the padding",
    minutes=7,
    difficulty=2,
    reference=perplexity_of_a_batch,
    cases={
        "three sentences": partial(_batch, (7, 2, 5), 7, 11),
        "all wider than the longest": partial(_batch, (3, 4), 6, 5),
        "a batch of one": partial(_batch, (2,), 3, 13),
        "without padding": partial(_batch, (4, 4, 4), 4, 7),
    },
    mistakes={
        "padding counted": Mistake(
            "the padding has been counted as well. A model is not asked for it, and "
            "what it would say there is left to chance",
            lambda logits, target, lengths: float(
                _surprise(logits, target).mean().exp()
            ),
        ),
        "divided by all places": Mistake(
            "the padding's surprise is left out, but its places are still counted in "
            "the division; divide by the number of real tokens, the sum of lengths",
            lambda logits, target, lengths: float(
                (_sums(logits, target, lengths).sum() / target.numel()).exp()
            ),
        ),
        "by sentences": Mistake(
            BY_SENTENCES,
            lambda logits, target, lengths: float(
                _sums(logits, target, lengths).mean().exp()
            ),
        ),
        "mean of means": Mistake(
            "each sentence has been averaged for itself, and then the sentences: a "
            "token of a short sentence counts for more than one of a long sentence. "
            "Every token counts once",
            _mean_of_means,
        ),
        "mean of perplexities": Mistake(
            "the perplexities of the sentences have been averaged. The mean comes "
            "first, over all tokens, and then e to its power, once",
            _mean_of_perplexities,
        ),
        "of each token": Mistake(
            "e to the power has been taken for each token, and then the mean. The mean "
            "comes first: one token of probability 1/1000 would else outweigh all "
            "others",
            _of_each_token,
        ),
        "base two": Mistake(
            "2 has been raised to the loss, but the loss is in nats: the base is e",
            _base_two,
        ),
        "still the loss": Mistake(
            "this is the loss, in nats for each token; perplexity is e to its power",
            _loss,
        ),
        "over tokens": Mistake(
            "the softmax runs over the places of a sentence (dim=1); the tokens of the "
            "vocabulary compete at each place (dim=-1)",
            _over_tokens,
        ),
        "one too few": Mistake(
            "the last token of each sentence has been left out: a sentence of 3 tokens "
            "has them at places 0, 1 and 2",
            _one_too_few,
        ),
    },
    hints=(
        "it is exercise 0.3, e to the power of the mean of −ln p, with a choice before "
        "the mean: which places count?",
        "F.cross_entropy(logits.mT, target, reduction='none') has −ln p of every "
        "place, (batch, token).",
        "exercise 6.3 made what is needed: torch.arange(token) < lengths[:, None] is "
        "True at the real tokens. A boolean tensor may be an index.",
    ),
)
