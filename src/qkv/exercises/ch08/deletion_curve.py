"""The deletion curve."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def _ranks(attention):
    """0 for the patch that gets the most attention, 1 for the next, ..."""
    return attention.argsort(descending=True).argsort()


def _steps(attention):
    return torch.arange(len(attention) + 1)[:, None]


def _most_attended_hidden(attention):
    return _ranks(attention) >= _steps(attention)


def _of_the_label(probabilities, label):
    return probabilities[:, label]


def deletion_curve(
    embedded: Float[Tensor, "patch d_model"],
    attention: Float[Tensor, " patch"],
    W: Float[Tensor, "classes d_model"],
    label: int,
    *,
    visible: Callable = _most_attended_hidden,
    read: Callable = _of_the_label,
) -> Float[Tensor, " step"]:
    """The curve, with other patches ``visible``, or something else ``read`` off."""
    shown = visible(attention).float()
    pooled = shown @ embedded / shown.sum(-1, keepdim=True).clamp(min=1)
    return read((pooled @ W.mT).softmax(-1), label)


def _painted_over(embedded, attention, W, label):
    painted = _most_attended_hidden(attention).float() @ embedded / len(attention)
    return (painted @ W.mT).softmax(-1)[:, label]


def _seen(patch: int, d_model: int, classes: int) -> tuple:
    shapes = (patch, d_model), (patch,), (classes, d_model)
    embedded, scores, W = draw.normals(*shapes)
    return 2 * embedded, scores.softmax(0), W, classes - 2


EXERCISE = Exercise(
    id="8.6",
    title="Hide what it looks at",
    minutes=10,
    difficulty=3,
    reference=deletion_curve,
    cases={
        "as many patches as features": partial(_seen, 7, d_model=7, classes=5),
        "every size different": partial(_seen, 11, d_model=5, classes=3),
        "two patches": partial(_seen, 2, d_model=3, classes=5),
        "one patch": partial(_seen, 1, d_model=5, classes=2),
    },
    mistakes={
        "argsort for ranks": Mistake(
            "argsort tells which patch comes first, second, …; it has been used as if "
            "it told at which place each patch comes. Index with it, or take argsort "
            "of it once more",
            partial(
                deletion_curve,
                visible=lambda attention: (
                    attention.argsort(descending=True) >= _steps(attention)
                ),
            ),
        ),
        "least attended first": Mistake(
            "the patches that get the least attention are hidden first: "
            "descending=True. (This is the other half of the test: here the curve "
            "should stay up for long.)",
            partial(
                deletion_curve,
                visible=lambda attention: _ranks(-attention) >= _steps(attention),
            ),
        ),
        "one at a time": Mistake(
            "at each step one patch is hidden and the one before is shown again; they "
            "are to stay hidden",
            partial(
                deletion_curve,
                visible=lambda attention: _ranks(attention) != _steps(attention) - 1,
            ),
        ),
        "inverted": Mistake(
            "what is to be hidden is all that is shown: True in visible means that "
            "the patch may be seen. (So the patches come one after the other: this is "
            "the insertion curve.)",
            partial(
                deletion_curve,
                visible=lambda attention: ~_most_attended_hidden(attention),
            ),
        ),
        "one too early": Mistake(
            "the first value is already with one patch hidden; it is to be the "
            "probability with the whole picture in sight",
            partial(
                deletion_curve,
                visible=lambda attention: _ranks(attention) > _steps(attention),
            ),
        ),
        "from the end": Mistake(
            "the curve runs backwards: it begins with the whole picture in sight and "
            "ends with all of it hidden",
            lambda *given: deletion_curve(*given).flip(0),
        ),
        "left to right": Mistake(
            "the patches are hidden in the order in which they stand: attention is "
            "not used",
            partial(
                deletion_curve,
                visible=lambda attention: (
                    torch.arange(len(attention)) >= _steps(attention)
                ),
            ),
        ),
        "painted over": Mistake(
            "the vectors of the hidden patches have been set to 0, and the model still "
            "counts them in: a black patch is a patch, too. Take them from sight, with "
            "False in visible",
            _painted_over,
        ),
        "likeliest class": Mistake(
            "at each step you have taken the largest probability, whichever class "
            "has it; the question is what becomes of the class label",
            partial(
                deletion_curve, read=lambda probabilities, label: probabilities.amax(-1)
            ),
        ),
        "as share of the first": Mistake(
            "the curve has been divided by its first value; probabilities are wanted "
            "as they are",
            partial(
                deletion_curve,
                read=lambda probabilities, label: (
                    probabilities[:, label] / probabilities[0, label]
                ),
            ),
        ),
    },
    hints=(
        "there is one step more than there are patches, as nothing hidden is a step, "
        "too. At step n, which patches are still visible?",
        "order = attention.argsort(descending=True) has the patches in the order in "
        "which they are to go: begin with all True, and at each step set one more, "
        "visible[order[n]], to False.",
        "probabilities takes one row of visible or a whole stack of them, and gives "
        "one probability for each class: take that of label.",
    ),
    trained=False,
)
