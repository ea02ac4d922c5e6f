"""One step of beam search."""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def beam_step(
    log_p: Float[Tensor, "beam vocab"], scores: Float[Tensor, " beam"]
) -> tuple[Float[Tensor, " beam"], Int[Tensor, " beam"], Int[Tensor, " beam"]]:
    return _best(scores[:, None] + log_p)


def _best(totals, *, largest=True):
    """The best of all, as many as there are hypotheses, and where they stand."""
    beam, vocab = totals.shape
    best, places = totals.flatten().topk(beam, largest=largest)
    return best, places // vocab, places % vocab


def _steps_own(log_p, scores):
    _, parents, tokens = beam_step(log_p, scores)
    return log_p[parents, tokens], parents, tokens


def _divided_by_the_beam(log_p, scores):
    best, places = (scores[:, None] + log_p).flatten().topk(len(scores))
    return best, places // len(scores), places % len(scores)


def _probabilities(log_p, scores):
    best, parents, tokens = beam_step(log_p, scores)
    return best.exp(), parents, tokens


def _each_its_own(log_p, scores):
    best, tokens = (scores[:, None] + log_p).max(-1)
    return best, torch.arange(len(scores)), tokens


def _exchanged(log_p, scores):
    best, parents, tokens = beam_step(log_p, scores)
    return best, tokens, parents


def _hypotheses(beam: int, vocab: int, first: bool = False) -> tuple:
    """Hypotheses of different scores; at the ``first`` step there is only one."""
    log_p = (2 * draw.normal(beam, vocab)).log_softmax(-1)
    scores = -draw.normal(beam, seed=1).abs()
    if first:
        scores = torch.full((beam,), -torch.inf)
        scores[0] = 0.0
    return log_p, scores


EXERCISE = Exercise(
    id="7.6",
    title="One step of beam search",
    minutes=8,
    difficulty=3,
    reference=beam_step,
    results=("scores", "parents", "tokens"),
    cases={
        "as many hypotheses as tokens": partial(_hypotheses, 5, 5),
        "every size different": partial(_hypotheses, 3, 11),
        "a beam of one, which is greedy": partial(_hypotheses, 1, 7),
        "the first step, with one hypothesis": partial(_hypotheses, 3, 7, first=True),
    },
    mistakes={
        "scores of tokens": Mistake(
            "scores + log_p has added to each column the score of the hypothesis "
            "with that column's number: scores needs an axis for the tokens, "
            "[:, None]. It fails in sight only where beam and vocab differ",
            lambda log_p, scores: _best(scores + log_p),
        ),
        "past forgotten": Mistake(
            "only the new tokens' own log-probabilities have been compared: a "
            "hypothesis also brings the score that it has so far",
            lambda log_p, scores: _best(log_p),
        ),
        "step's own score": Mistake(
            "parents and tokens are right; but the scores are those of the new "
            "tokens alone, without what the hypotheses had before",
            _steps_own,
        ),
        "multiplied": Mistake(
            "scores and log_p have been multiplied: probabilities are, their "
            "logarithms are added",
            lambda log_p, scores: _best(scores[:, None] * log_p),
        ),
        "each its own": Mistake(
            "each hypothesis has got its own best continuation, so that none ever "
            "dies: this is greedy decoding several times over. All continuations "
            "compete with each other",
            _each_its_own,
        ),
        "divided by the beam": Mistake(
            "the place in the flattened table has been divided by the number of "
            "hypotheses; a row of the table is one vocabulary long",
            _divided_by_the_beam,
        ),
        "exchanged": Mistake(
            "parents and tokens are exchanged: place // vocab is the row, the "
            "hypothesis; place % vocab the column, the token",
            _exchanged,
        ),
        "worst first": Mistake(
            "these are the right ones in the wrong order: best first",
            lambda *given: tuple(part.flip(0) for part in beam_step(*given)),
        ),
        "the worst": Mistake(
            "these are the worst continuations: a log-probability nearer to 0 is "
            "better (largest=True)",
            lambda log_p, scores: _best(scores[:, None] + log_p, largest=False),
        ),
        "probabilities": Mistake(
            "the scores are probabilities now (exp): they stay logarithms, or after "
            "a few dozen tokens nothing is left of them",
            _probabilities,
        ),
    },
    hints=(
        "a continuation's score is its hypothesis's score plus the log-probability "
        "of its token: a table of axes (beam, vocab), once scores has a second axis.",
        "flatten the table, and topk finds the best of all at once, sorted, with "
        "their places.",
        "place // vocab is the row, and place % vocab the column.",
    ),
    trained=False,
)
