"""Bug hunt: a table of heads that depends on their order."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import layer_norm

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def importance(
    rest: Float[Tensor, "batch token d_model"],
    written: Float[Tensor, "batch head token d_model"],
    direction: Float[Tensor, " d_model"],
) -> Float[Tensor, " head"]:
    """How much lower the score is without each head."""
    return _without(rest, written, direction, lambda heads, h: heads[:, h] * 0)


def _score(stream, direction):
    return (layer_norm(stream, stream.shape[-1:]) @ direction).mean()


def _without(rest, written, direction, by):
    base, lost = _score(rest + written.sum(1), direction), []
    for head in range(written.shape[1]):
        now = written.clone()
        now[:, head] = by(written, head)
        lost.append(base - _score(rest + now.sum(1), direction))
    return torch.stack(lost)


def _in_place(rest, written, direction):
    base, lost = _score(rest + written.sum(1), direction), []
    for head in range(written.shape[1]):
        written[:, head] = 0
        lost.append(base - _score(rest + written.sum(1), direction))
    return torch.stack(lost)


def _alone(rest, written, direction):
    """Each head alone, in place of all but it."""
    base = _score(rest + written.sum(1), direction)
    heads = written.unbind(1)
    return torch.stack([base - _score(rest + head, direction) for head in heads])


def _added(rest, written, direction):
    base = _score(rest, direction)
    heads = written.unbind(1)
    return torch.stack([_score(rest + head, direction) - base for head in heads])


def _no_rest(rest, written, direction):
    return importance(0 * rest, written, direction)


def _drawn(batch: int, heads: int, token: int, d_model: int) -> tuple:
    rest = draw.normal(batch, token, d_model)
    written = draw.normal(batch, heads, token, d_model, seed=1)
    return rest, written, draw.normal(d_model, seed=2)


EXERCISE = Exercise(
    id="16.7",
    title="Bug hunt: the last head is always fatal",
    minutes=12,
    difficulty=3,
    reference=importance,
    cases={
        "three heads": partial(_drawn, 2, 3, 5, 7),
        "five heads": partial(_drawn, 3, 5, 2, 11),
        "one head": partial(_drawn, 1, 1, 5, 3),
    },
    mistakes={
        "the others": Mistake(
            "all heads but one have been silenced, and the one is left",
            _alone,
        ),
        "alone": Mistake(
            "this is what each head adds to the rest of the stream when it is the only "
            "one. Asked for is what is lost without it: another head may do the same",
            _added,
        ),
        "sign": Mistake(
            "the sign is turned: a head that is needed must lower the score when it "
            "goes, and is to get a positive number",
            lambda rest, written, direction: -importance(rest, written, direction),
        ),
        "by its mean": Mistake(
            "each head has been replaced by its mean. The function puts 0 in its "
            "place, and is to go on doing so",
            lambda rest, written, direction: _without(
                rest,
                written,
                direction,
                lambda heads, h: heads[:, h].mean((0, 1)).expand_as(heads[:, h]),
            ),
        ),
        "steps": Mistake(
            "each score has been compared with the one before it, so that a head's "
            "number depends on which heads went first. Compare with all heads at work",
            lambda rest, written, direction: _in_place(
                rest, written.clone(), direction
            ).diff(prepend=torch.zeros(1)),
        ),
        "without the rest": Mistake(
            "the rest of the stream has been left out. The norm is over all that "
            "stands there",
            _no_rest,
        ),
    },
    hints=(
        "call it twice with the same tensors. Or with the heads in another order: does "
        "a head keep its number?",
        "written[:, head] = 0 changes the tensor that was given. What is in it when "
        "the next head has its turn?",
        "write into written.clone(), in each turn anew.",
    ),
    given=_in_place,
    trained=False,
)
