"""The probabilities of the next picture token, with no chance for a word."""

from collections.abc import Callable
from functools import partial

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def _cut(logits, offset):
    return logits[..., offset:]


def _softened(logits, T):
    return (logits / T).softmax(-1)


def picture_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    offset: int,
    T: float,
    *,
    cut: Callable = _cut,
    soften: Callable = _softened,
) -> Float[Tensor, "*batch code"]:
    return soften(cut(logits, offset), T)


def _cut_afterwards(logits, offset, T):
    return _cut(_softened(logits, T), offset)


def _cut_and_mended(logits, offset, T):
    chances = _cut_afterwards(logits, offset, T)
    return chances / chances.sum(-1, keepdim=True)


def _divided_by_T(logits, T):
    chances = logits.softmax(-1) / T
    return chances / chances.sum(-1, keepdim=True)


def _softmax_of_chances(logits, T):
    return _softened(logits.softmax(-1), T)


def _power_of_T(logits, T):
    return _softened(logits, 1 / T)


def _one_hot(logits, T):
    return F.one_hot(logits.argmax(-1), logits.shape[-1]).float()


def _zeros(logits, offset, T):
    """The words' logits are 0, not −∞: they keep a chance."""
    masked = logits.clone()
    masked[..., :offset] = 0
    return _cut_afterwards(masked, offset, T)


def _first_codes(logits, offset):
    return logits[..., : logits.shape[-1] - offset]


def _one_early(logits, offset):
    """Cut one place too early: the last word in the place of the first code."""
    return logits[..., offset - 1 : -1]


def _by_hand(logits, T):
    powers = (logits / T).exp()
    return powers / powers.sum(-1, keepdim=True)


def _written(offset: int, codes: int, T: float, *batch: int) -> Callable:
    """One word is likelier than any code."""

    def case() -> tuple[Tensor, int, float]:
        logits = 2 * draw.normal(*batch, offset + codes)
        logits[..., 0] = 3 + logits.amax(-1)
        return logits, offset, T

    return case


EXERCISE = Exercise(
    id="13.7",
    title="Only what may be drawn",
    minutes=6,
    difficulty=1,
    reference=picture_probabilities,
    cases={
        "as many words as codes": _written(5, 5, 0.5, 5),
        "every size different": _written(3, 11, 2.0, 2, 7),
        "T of 1": _written(7, 5, 1.0, 3),
        "T nearly 0": _written(2, 7, 0.001, 1),
    },
    mistakes={
        "cut afterwards": Mistake(
            "the softmax has been taken over all ids, and the words were cut off "
            "afterwards: what is left does not sum to 1. Cut the logits first, then "
            "take the softmax",
            _cut_afterwards,
        ),
        "0 / 0": Mistake(
            "right until T is small: then the probabilities of all codes are 0 in "
            "floating point (or NaN, where exp overflows), and 0 / 0 is NaN. Either a "
            "word had nearly all of the probability before the cut, or probabilities "
            "were raised to the power 1 / T. Cut the logits, divide them by T, and "
            "take one softmax",
            _cut_and_mended,
        ),
        "T does nothing": Mistake(
            "T changes nothing. Either it is missing, or the probabilities have been "
            "divided by T and then by their sum: that takes T away again. Divide the "
            "logits by T, before the softmax",
            partial(picture_probabilities, soften=_divided_by_T),
        ),
        "T on probabilities": Mistake(
            "the probabilities have been divided by T: they do not sum to 1. Divide "
            "the logits, before the softmax",
            partial(
                picture_probabilities, soften=lambda logits, T: logits.softmax(-1) / T
            ),
        ),
        "softmax of a softmax": Mistake(
            "the temperature has been applied to probabilities, with a second softmax. "
            "These lie between 0 and 1, so all codes become nearly alike. Divide the "
            "logits by T, and take one softmax",
            partial(picture_probabilities, soften=_softmax_of_chances),
        ),
        "times T": Mistake(
            "the logits have been multiplied by T: a small T would draw nearly "
            "evenly. Divide by T: then a small one draws what is likeliest",
            partial(picture_probabilities, soften=_power_of_T),
        ),
        "arg max": Mistake(
            "all of the probability lies on the likeliest code. That is T → 0; at this "
            "T the others have a chance, too",
            partial(picture_probabilities, soften=_one_hot),
        ),
        "score of 0": Mistake(
            "the words' logits have been set to 0, and e⁰ is 1: they keep their share, "
            "and what is left does not sum to 1. Cut them off, or set them to −∞",
            _zeros,
        ),
        "the words": Mistake(
            "these are the probabilities of the words, logits[..., :offset]. The "
            "picture's tokens are behind them: logits[..., offset:]",
            partial(
                picture_probabilities, cut=lambda logits, offset: logits[..., :offset]
            ),
        ),
        "from the front": Mistake(
            "as many ids have been taken as there are codes, but from the front, where "
            "the words are. The picture's tokens are the last ones: "
            "logits[..., offset:]",
            partial(picture_probabilities, cut=_first_codes),
        ),
        "softmax again": Mistake(
            "a softmax has been taken of probabilities: first over all ids, then over "
            "what was cut out. Probabilities are no logits, and the second softmax "
            "makes them nearly alike. Cut the logits, and take one softmax",
            lambda logits, offset, T: _cut_afterwards(logits, offset, T).softmax(-1),
        ),
        "one early": Mistake(
            "the cut is one place too early: the last word has become code 0, and each "
            "code has got the number of the next. Code 0 is at id offset",
            partial(picture_probabilities, cut=_one_early),
        ),
        "exp overflows": Mistake(
            "right for small logits, but exp of a logit divided by a small T is "
            "infinite, and ∞ / ∞ is NaN: softmax subtracts the largest logit first",
            partial(picture_probabilities, soften=_by_hand),
        ),
        "dim=1": Mistake(
            "right for two axes, but with more of them dim=1 is another one: the codes "
            "are the last axis, dim=-1",
            partial(
                picture_probabilities, soften=lambda logits, T: (logits / T).softmax(1)
            ),
        ),
        "another axis": Mistake(
            "the softmax runs over the first axis, so that pictures compete; the codes "
            "compete, dim=-1",
            partial(
                picture_probabilities, soften=lambda logits, T: (logits / T).softmax(0)
            ),
        ),
        "logarithms": Mistake(
            "these are logarithms of the probabilities (log_softmax); they are wanted "
            "themselves",
            partial(
                picture_probabilities,
                soften=lambda logits, T: (logits / T).log_softmax(-1),
            ),
        ),
        "no softmax": Mistake(
            "these are logits, divided by T; the softmax is missing",
            partial(picture_probabilities, soften=lambda logits, T: logits / T),
        ),
    },
    hints=(
        "the ids below offset are words. Which part of the last axis is left? Code 0 "
        "is to be the first of it.",
        "cut first, then divide by T, then one softmax over what is left.",
    ),
    trained=False,
)
