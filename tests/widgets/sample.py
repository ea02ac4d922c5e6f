"""Recordings made by hand, without a model: for examples and tests of the widgets."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from qkv.trace import Recording, step

VOCABULARY = ("<pad>", "<bos>", "<eos>", *"영일이삼사오육칠팔구")
UNITS = 5


@dataclass(frozen=True)
class DictationTrace:
    """The values of a network with one vector between encoder and decoder."""

    encoder_states: Float[Tensor, "batch source d_hidden"] = step("Read the source")
    context: Float[Tensor, "batch d_hidden"] = step("Keep the last state")
    decoder_states: Float[Tensor, "batch target d_hidden"] = step("Write the target")
    probabilities: Float[Tensor, "batch target vocab"] = step("Guess the next token")


@dataclass(frozen=True)
class LookTrace:
    """The values of one attention."""

    scores: Float[Tensor, "*batch query key"] = step("Score every key")
    weights: Float[Tensor, "*batch query key"] = step("Weigh", reads=("scores",))
    context: Float[Tensor, "*batch query d_v"] = step("Average", reads=("weights",))


@dataclass(frozen=True)
class LookingBackTrace:
    """The values of a network that looks back at each step."""

    encoder_states: Float[Tensor, "batch source d_hidden"] = step("Read the source")
    attention: LookTrace = step("Look back")
    decoder_states: Float[Tensor, "batch target d_hidden"] = step("Write the target")
    probabilities: Float[Tensor, "batch target vocab"] = step("Guess the next token")


def _read(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    digits = tuple(text.split())
    for digit in digits:
        if digit not in "0123456789":
            raise ValueError(f"unknown token {digit!r}; known are the digits 0 to 9")
    if not digits:
        raise ValueError("the input is empty; type digits with blanks between them")
    return digits, (*(VOCABULARY[3 + int(d)] for d in digits), "<eos>")


def _states(count: int, phase: float) -> Float[Tensor, "time d_hidden"]:
    grid = torch.arange(float(count))[:, None] + torch.arange(UNITS) * phase
    return (grid + phase).sin()


def _probabilities(tokens: tuple[str, ...]) -> Float[Tensor, "time vocab"]:
    logits = torch.zeros(len(tokens), len(VOCABULARY))
    for t, token in enumerate(tokens):
        logits[t, VOCABULARY.index(token)] = 5.0
    return logits.softmax(-1)


def _written(target: tuple[str, ...]) -> tuple[str, ...]:
    """Return the target with its third token wrong, as a model forgets."""
    return tuple("이" if t == 2 and y != "<eos>" else y for t, y in enumerate(target))


def dictation(text: str) -> Recording:
    """Record a made-up network that forgets the third digit."""
    source, target = _read(text)
    produced = _written(target)
    encoder = _states(len(source), 0.7)[None]
    context = encoder[:, -1]

    def run(tokens: tuple[str, ...], phase: float) -> DictationTrace:
        states = _states(len(tokens), phase)[None]
        return DictationTrace(encoder, context, states, _probabilities(tokens)[None])

    forced = run(produced, 1.3)
    free = run(produced, 1.4)
    return Recording(source, target, produced, VOCABULARY, forced, free)


def dictation_looking_back(text: str) -> Recording:
    """Record a made-up network that looks at the right digit each time."""
    source, target = _read(text)
    encoder = _states(len(source), 0.7)[None]
    truth: Bool[Tensor, "target source"] = torch.eye(len(source), dtype=torch.bool)
    scores = torch.zeros(1, len(target), len(source))
    scores[:, :-1] = truth * 3.0 - (~truth) * 0.25 + truth * -1.6
    weights = scores.softmax(-1)
    look = LookTrace(scores, weights, weights @ encoder)
    states = _states(len(target), 1.3)[None]
    trace = LookingBackTrace(encoder, look, states, _probabilities(target)[None])
    return Recording(source, target, target, VOCABULARY, trace, trace, truth)
