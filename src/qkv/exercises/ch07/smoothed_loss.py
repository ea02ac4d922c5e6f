"""The loss with label smoothing."""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.sentences import BY_SENTENCES, NO_SIGN, PADDING_COUNTED


def smoothed_loss(
    logits: Float[Tensor, "batch target vocab"],
    target: Int[Tensor, "batch target"],
    smoothing: float,
) -> Float[Tensor, ""]:
    return F.cross_entropy(
        logits.flatten(0, 1),
        target.flatten(),
        ignore_index=0,
        label_smoothing=smoothing,
    )


def _wanted(target, vocab, smoothing):
    """The distribution that the model is to reach, "batch target vocab"."""
    return F.one_hot(target, vocab) * (1 - smoothing) + smoothing / vocab


def _spread_over_others(target, vocab, smoothing, *, but=1):
    """The true token keeps 1 − ε; ``but`` 2 leaves out the padding's id as well."""
    true = F.one_hot(target, vocab).bool()
    wanted = torch.full(true.shape, smoothing / (vocab - but))
    if but == 2:
        wanted[..., 0] = 0.0
    return wanted.masked_fill(true, 1 - smoothing)


def _share_of_the_true_missing(target, vocab, smoothing):
    true = F.one_hot(target, vocab).bool()
    every = torch.full(true.shape, smoothing / vocab)
    return every.masked_fill(true, 1 - smoothing)


def _not_shared_out(target, vocab, smoothing):
    return F.one_hot(target, vocab) * (1 - smoothing) + smoothing


def _each(logits, target, smoothing, *, wanted=_wanted, over=-1):
    """The loss of each token, padding included."""
    q = wanted(target, logits.shape[-1], smoothing)
    return -(q * logits.log_softmax(over)).sum(-1)


def _mean(losses, target):
    return losses[target != 0].mean()


def _sentence_by_sentence(logits, target, smoothing):
    real = target != 0
    sums = (_each(logits, target, smoothing) * real).sum(1)
    return (sums / real.sum(1)).mean()


def _divergence(logits, target, smoothing):
    q = _wanted(target, logits.shape[-1], smoothing)
    own = torch.special.entr(q).sum(-1)
    return _mean(_each(logits, target, smoothing) - own, target)


def _log_of_softmax(logits, target, smoothing):
    q = _wanted(target, logits.shape[-1], smoothing)
    return _mean(-(q * logits.softmax(-1).log()).sum(-1), target)


def _with_target(wanted):
    return lambda *given: _mean(_each(*given, wanted=wanted), given[1])


def _predictions(
    lengths: tuple[int, ...],
    target: int,
    vocab: int,
    smoothing: float,
    scale: float = 2.0,
) -> tuple:
    batch = len(lengths)
    wanted = 1 + draw.ids(batch, target, high=vocab - 1, seed=1)
    wanted[torch.arange(target) >= torch.tensor(lengths)[:, None]] = 0
    return scale * draw.normal(batch, target, vocab), wanted, smoothing


EXERCISE = Exercise(
    id="7.4",
    title="A target that is not quite sure",
    minutes=8,
    difficulty=2,
    reference=smoothed_loss,
    cases={
        "as many tokens as the vocabulary has": partial(
            _predictions, (2, 5, 4), 5, 5, 0.1
        ),
        "every size different": partial(_predictions, (3, 7), 7, 11, 0.3),
        "a batch of one without padding": partial(_predictions, (3,), 3, 7, 0.2),
        "a smoothing of 0": partial(_predictions, (5, 1, 2), 5, 13, 0.0),
        "logits in the hundreds": partial(_predictions, (3, 2), 3, 5, 0.1, 300.0),
    },
    mistakes={
        "the true one's share missing": Mistake(
            "the true token has 1 − ε, and only the others ε / vocab: the target does "
            "not sum to one. The true token gets its share of ε on top",
            _with_target(_share_of_the_true_missing),
        ),
        "padding counted": Mistake(
            PADDING_COUNTED,
            lambda *given: _each(*given).mean(),
        ),
        "divided by all": Mistake(
            "the padding's losses are 0, but its tokens are still counted where the "
            "sum is divided: the more padding, the smaller the loss looks",
            lambda logits, target, smoothing: (
                _each(logits, target, smoothing) * (target != 0)
            ).mean(),
        ),
        "sentence by sentence": Mistake(
            "this is a mean over each sentence and then one over the sentences, in "
            "which a word of a short sentence counts for more. Divide once, by the "
            "number of all real tokens",
            _sentence_by_sentence,
        ),
        "sum": Mistake(
            "this is the sum over the real tokens; their mean is wanted",
            lambda *given: _each(*given)[given[1] != 0].sum(),
        ),
        "by sentences": Mistake(
            BY_SENTENCES,
            lambda *given: _each(*given)[given[1] != 0].sum() / len(given[1]),
        ),
        "not smoothed": Mistake(
            "the smoothing is not used: all is asked of the true token",
            lambda logits, target, smoothing: smoothed_loss(logits, target, 0.0),
        ),
        "shares exchanged": Mistake(
            "the true token has got only ε, and the rest is spread over all: the two "
            "shares are exchanged",
            lambda logits, target, smoothing: smoothed_loss(
                logits, target, 1 - smoothing
            ),
        ),
        "spread over the others": Mistake(
            "the true token has 1 − ε, and only the others share ε, by vocab − 1 of "
            "them. Many programs do so; the formula here gives every token ε / vocab, "
            "the true one as well",
            _with_target(_spread_over_others),
        ),
        "spread over the real others": Mistake(
            "ε is shared by all but the true token and the padding's id, as in the "
            "Annotated Transformer. The formula here gives every token of the "
            "vocabulary ε / vocab",
            _with_target(partial(_spread_over_others, but=2)),
        ),
        "not shared out": Mistake(
            "every token has got the whole of ε; ε is to be shared out among them, "
            "ε / vocab for each",
            _with_target(_not_shared_out),
        ),
        "divergence": Mistake(
            "this is the Kullback–Leibler divergence (nn.KLDivLoss): the entropy of "
            "the smoothed target has been subtracted. It has the same gradient, but "
            "the cross-entropy is wanted",
            _divergence,
        ),
        "softmax twice": Mistake(
            "the logits have gone through two softmaxes: cross_entropy and "
            "log_softmax begin with one, and want the bare logits",
            lambda logits, *given: smoothed_loss(logits.softmax(-1), *given),
        ),
        "over the places": Mistake(
            "the softmax runs over the places of a sentence (dim=1); the words of "
            "the vocabulary compete for one place (dim=-1)",
            lambda *given: _mean(_each(*given, over=1), given[1]),
        ),
        "underflow": Mistake(
            "right for small logits, but a softmax of scores in the hundreds has "
            "zeros, and log 0 is −∞: log_softmax does both at once, and is safe",
            _log_of_softmax,
        ),
        "sign": Mistake(
            NO_SIGN,
            lambda *given: -smoothed_loss(*given),
        ),
    },
    hints=(
        "log p for every token of the vocabulary is logits.log_softmax(dim=-1). The "
        "loss of one place is the sum of two: (1 − ε) times −log p of the true "
        "token, and ε times the mean of −log p over the vocabulary.",
        "log_p.gather(-1, target[..., None]).squeeze(-1) looks up the true tokens.",
        "target != 0 says which places are real: index with it, and take the mean.",
    ),
)
