"""Guidance without a classifier: away from what is drawn without a sentence."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def guided(
    told: Float[Tensor, "batch code"], untold: Float[Tensor, "batch code"], s: float
) -> Float[Tensor, "batch code"]:
    return ((1 + s) * told - s * untold).softmax(-1)


def _mixed(told, untold, s):
    """The mixture of probabilities: some may be negative."""
    return (1 + s) * told.softmax(-1) - s * untold.softmax(-1)


def _mixed_and_mended(told, untold, s):
    chances = _mixed(told, untold, s).clamp(min=0)
    return chances / chances.sum(-1, keepdim=True)


def _by(combine: Callable) -> Callable:
    return lambda told, untold, s: combine(told, untold, s).softmax(-1)


def _not_normalised(told, untold, s):
    logits = (1 + s) * told.log_softmax(-1) - s * untold.log_softmax(-1)
    return logits.exp()


def _logits(s: float, batch: int, code: int) -> Callable:
    def case() -> tuple[Tensor, Tensor, float]:
        told, untold = draw.normals((batch, code), (batch, code))
        return 2 * told, told + untold, s

    return case


EXERCISE = Exercise(
    id="13.8",
    title="Guidance",
    minutes=7,
    difficulty=2,
    reference=guided,
    cases={
        "as many pictures as codes": _logits(0.5, 5, 5),
        "every size different": _logits(2.0, 3, 7),
        "no guidance": _logits(0.0, 2, 5),
        "one picture": _logits(1.0, 1, 11),
    },
    mistakes={
        "on probabilities": Mistake(
            "probabilities have been combined: some come out negative. Combine the "
            "logits, and take one softmax at the end",
            _mixed,
        ),
        "on probabilities, mended": Mistake(
            "probabilities have been combined, the negative ones set to 0, and the "
            "rest divided by its sum. Combine the logits: their softmax is never "
            "negative, and nothing has to be mended",
            _mixed_and_mended,
        ),
        "softmax of probabilities": Mistake(
            "probabilities have been combined, and a softmax was taken of them: that "
            "makes all codes nearly alike. Combine the logits, and take one softmax",
            _by(_mixed),
        ),
        "exchanged": Mistake(
            "the two have been exchanged: this moves away from the sentence. "
            "(1 + s) belongs to the logits with a sentence",
            lambda told, untold, s: guided(untold, told, s),
        ),
        "s = 0 is no sentence": Mistake(
            "with s = 0 this draws without the sentence, and with s = 1 it is no "
            "guidance: untold + s · (told − untold). Many programs count so (their "
            "scale is 1 + s). Here s = 0 is no guidance: (1 + s) · told − s · untold",
            _by(lambda told, untold, s: untold + s * (told - untold)),
        ),
        "towards no sentence": Mistake(
            "the sign is wrong: (1 − s) · told + s · untold lies between the two, so "
            "that the sentence counts less. Guidance goes beyond: (1 + s) · told − s · "
            "untold",
            _by(lambda told, untold, s: (1 - s) * told + s * untold),
        ),
        "both added": Mistake(
            "the logits without a sentence have been added; they are subtracted: "
            "guidance leads away from what is drawn without a sentence",
            _by(lambda told, untold, s: (1 + s) * told + s * untold),
        ),
        "s of it added": Mistake(
            "s times the logits without a sentence have been added: that moves towards "
            "what is drawn without one. They are subtracted, and 1 + s stands at the "
            "logits with one",
            _by(lambda told, untold, s: told + s * untold),
        ),
        "all of it subtracted": Mistake(
            "the logits without a sentence have been subtracted whole, not s times. "
            "With s = 0 nothing is to be subtracted",
            _by(lambda told, untold, s: (1 + s) * told - untold),
        ),
        "factors exchanged": Mistake(
            "the two factors have been exchanged: 1 + s belongs to the logits with the "
            "sentence, s to those without",
            _by(lambda told, untold, s: s * told - (1 + s) * untold),
        ),
        "s forgotten": Mistake(
            "s does not occur: told − untold. With s = 0 the logits with the sentence "
            "are to come out as they are",
            _by(lambda told, untold, s: told - untold),
        ),
        "1 forgotten": Mistake(
            "the 1 is missing: s · (told − untold). With s = 0 nothing would be left, "
            "and all codes be equally likely",
            _by(lambda told, untold, s: s * (told - untold)),
        ),
        "(1 + s) forgotten": Mistake(
            "s times the logits without a sentence have been subtracted, but those "
            "with one have not been multiplied by 1 + s. The two factors have to sum "
            "to 1: else the temperature changes as well",
            _by(lambda told, untold, s: told - s * untold),
        ),
        "(1 + s) at both": Mistake(
            "1 + s has multiplied the whole difference: with s = 0 nothing is to be "
            "subtracted",
            _by(lambda told, untold, s: (1 + s) * (told - untold)),
        ),
        "a temperature": Mistake(
            "the logits without a sentence have not been used: 1 + s alone is a lower "
            "temperature",
            _by(lambda told, untold, s: (1 + s) * told),
        ),
        "no guidance": Mistake(
            "s does nothing: these are the probabilities with the sentence",
            lambda told, untold, s: guided(told, untold, 0.0),
        ),
        "logits": Mistake(
            "these are the right logits; their softmax is wanted, the probabilities to "
            "draw by",
            lambda told, untold, s: (1 + s) * told - s * untold,
        ),
        "logarithms": Mistake(
            "these are logarithms of the probabilities (log_softmax); they are wanted "
            "themselves",
            lambda told, untold, s: guided(told, untold, s).log(),
        ),
        "not normalised": Mistake(
            "p(code | sentence)^(1+s) / p(code)^s is right up to a factor: divide by "
            "the sum over the codes. (A softmax of the combined logits does it.)",
            _not_normalised,
        ),
        "another axis": Mistake(
            "the softmax runs over the pictures; the codes compete, dim=-1",
            lambda told, untold, s: ((1 + s) * told - s * untold).softmax(0),
        ),
    },
    hints=(
        "think of s = 0 first: what is to come out? Then of a code that the sentence "
        "makes no more likely: is it to gain or to lose?",
        "combine the logits, (1 + s) · told − s · untold, and take one softmax at the "
        "end.",
    ),
    trained=False,
)
