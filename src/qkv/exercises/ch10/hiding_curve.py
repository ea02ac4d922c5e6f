"""The probability of a word when what it looks at is hidden."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def _ranks(scores):
    """0 for the place that gets the most attention, 1 for the next, ..."""
    return scores.argsort(descending=True).argsort()


def _steps(scores):
    return torch.arange(len(scores))[:, None]


def _most_attended_hidden(scores):
    return _ranks(scores) >= _steps(scores)


def _without_the_hidden(scores, visible):
    """A row of weights for each step."""
    return scores.expand_as(visible).masked_fill(~visible, -torch.inf).softmax(-1)


def _of_the_word(logits, word):
    return logits.softmax(-1)[:, word]


def hiding_curve(
    scores: Float[Tensor, " place"],
    h: Float[Tensor, "place d_key"],
    W: Float[Tensor, "vocab d_key"],
    word: int,
    *,
    visible: Callable = _most_attended_hidden,
    weigh: Callable = _without_the_hidden,
    read: Callable = _of_the_word,
) -> Float[Tensor, " step"]:
    """The curve, with other places visible, other weights, or another number read."""
    weights = weigh(scores, visible(scores))
    return read(weights @ h @ W.mT, word)


def _set_to_zero(scores, visible):
    return scores.softmax(-1) * visible


def _score_of_zero(scores, visible):
    return (scores * visible).softmax(-1)


def _evenly(scores, visible):
    return visible / visible.sum(-1, keepdim=True)


def _all_hidden_too(scores):
    """From one hidden to all of them."""
    return _ranks(scores) > _steps(scores)


def _with_a_large_number(scores, visible):
    return scores.expand_as(visible).masked_fill(~visible, -1e9).softmax(-1)


def _seen(place: int, d_key: int, vocab: int) -> tuple:
    scores, h, W = draw.normals((place,), (place, d_key), (vocab, d_key))
    return 2 * scores, 2 * h, W, vocab - 2


EXERCISE = Exercise(
    id="10.6",
    title="Hide what it looks at, at one word",
    minutes=10,
    difficulty=3,
    reference=hiding_curve,
    cases={
        "as many places as numbers": partial(_seen, 5, 5, 7),
        "every size different": partial(_seen, 11, 5, 3),
        "two places": partial(_seen, 2, 3, 5),
        "one place": partial(_seen, 1, 5, 3),
    },
    mistakes={
        "weights set to zero": Mistake(
            "the weights of the hidden cells have been set to 0 after the softmax (or "
            "their vectors have): the others do not sum to 1 any more, and the context "
            "shrinks with each step. What you measure is then less of everything, not "
            "the lack of this. Hide before the softmax, with a score of −∞",
            partial(hiding_curve, weigh=_set_to_zero),
        ),
        "score zero": Mistake(
            "the hidden cells have got the score 0, and exp 0 is 1: they are attended "
            "to. A weight of 0 needs a score of −∞",
            partial(hiding_curve, weigh=_score_of_zero),
        ),
        "argsort for ranks": Mistake(
            "argsort tells which cell comes first, second, …; it has been used as if "
            "it told at which place each cell comes. Index with it, or take argsort of "
            "it once more",
            partial(
                hiding_curve,
                visible=lambda scores: (
                    scores.argsort(descending=True) >= _steps(scores)
                ),
            ),
        ),
        "least attended first": Mistake(
            "the cells that get the least attention are hidden first: descending=True. "
            "(This is the other half of the test: the curve should stay up for long.)",
            partial(
                hiding_curve, visible=lambda scores: _ranks(-scores) >= _steps(scores)
            ),
        ),
        "one at a time": Mistake(
            "at each step one cell is hidden and the one before is shown again; they "
            "are to stay hidden",
            partial(
                hiding_curve,
                visible=lambda scores: _ranks(scores) != _steps(scores) - 1,
            ),
        ),
        "one too early": Mistake(
            "the first value is already with one cell hidden, and at the last step "
            "nothing is left to look at: NaN. Begin with the whole picture in sight",
            partial(hiding_curve, visible=_all_hidden_too),
        ),
        "one too early, with −1e9": Mistake(
            "the first value is already with one cell hidden, and at the last step all "
            "are: with −1e9 in place of −∞ the softmax then looks at all of them "
            "evenly. Begin with the whole picture in sight",
            partial(hiding_curve, visible=_all_hidden_too, weigh=_with_a_large_number),
        ),
        "from the end": Mistake(
            "the curve runs backwards: it is to begin with the whole picture in sight",
            lambda *given: hiding_curve(*given).flip(0),
        ),
        "left to right": Mistake(
            "the cells are hidden in the order in which they stand: the scores decide "
            "nothing",
            partial(
                hiding_curve,
                visible=lambda scores: torch.arange(len(scores)) >= _steps(scores),
            ),
        ),
        "evenly": Mistake(
            "the cells that are left have got the same weight each; they keep their "
            "scores, and the softmax is taken anew",
            partial(hiding_curve, weigh=_evenly),
        ),
        "likeliest word": Mistake(
            "at each step the largest probability has been taken, whichever word has "
            "it; the question is what becomes of this word",
            partial(
                hiding_curve, read=lambda logits, word: logits.softmax(-1).amax(-1)
            ),
        ),
        "no softmax at the end": Mistake(
            "these are the logits of the word; its probability is wanted, a softmax "
            "over the words",
            partial(hiding_curve, read=lambda logits, word: logits[:, word]),
        ),
        "logarithm": Mistake(
            "these are the logarithms of the probabilities; they are wanted themselves",
            partial(
                hiding_curve,
                read=lambda logits, word: logits.log_softmax(-1)[:, word],
            ),
        ),
        "over the steps": Mistake(
            "the last softmax runs over the steps; the words compete at each step",
            partial(hiding_curve, read=lambda logits, word: logits.softmax(0)[:, word]),
        ),
        "as share of the first": Mistake(
            "the curve has been divided by its first value; probabilities are wanted "
            "as they are",
            lambda *given: hiding_curve(*given) / hiding_curve(*given)[0],
        ),
    },
    hints=(
        "as many steps as places: at step 0 nothing is hidden, at the last one all but "
        "one cell. Which cells are still in sight at step n?",
        "order = scores.argsort(descending=True) has the cells in the order in which "
        "they are to go; at step n, order[:n] are hidden.",
        "a hidden cell gets the score −∞, and the softmax is taken anew. Then the "
        "context, the logits W @ context, their softmax, and the number of `word`.",
    ),
    trained=False,
)
