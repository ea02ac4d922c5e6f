"""The two terms that pull the code vectors and the encoder together."""

from collections.abc import Callable
from functools import partial

from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def _distance(one, other):
    return (one - other).square().sum(-1).mean()


def who_moves(
    z: Float[Tensor, "token d_code"],
    e: Float[Tensor, "token d_code"],
    beta: float,
    *,
    distance: Callable = _distance,
) -> Float[Tensor, ""]:
    return distance(z.detach(), e) + beta * distance(z, e.detach())


def _exchanged(z, e, beta):
    return _distance(z, e.detach()) + beta * _distance(z.detach(), e)


def _after_the_patch(z, e, beta):
    return who_moves(z, z + (e - z).detach(), beta)


def _of_one_number(wrong, z, e, beta):
    """Each term divided by d_code, as by F.mse_loss."""
    return wrong(z, e, beta) / z.shape[-1]


def _first_all_stopped(z, e, beta):
    return _distance(z, e).detach() + beta * _distance(z, e.detach())


def _nothing_stopped(z, e, beta):
    return (1 + beta) * _distance(z, e)


def _first_stop_missing(z, e, beta):
    return _distance(z, e) + beta * _distance(z, e.detach())


def _second_stop_missing(z, e, beta):
    return _distance(z.detach(), e) + beta * _distance(z, e)


def _all_stopped(z, e, beta):
    return who_moves(z.detach(), e.detach(), beta)


def _codes_alone(z, e, beta):
    return (1 + beta) * _distance(z.detach(), e)


def _encoder_alone(z, e, beta):
    return (1 + beta) * _distance(z, e.detach())


def _beta_on_both(z, e, beta):
    return beta * who_moves(z, e, 1.0)


def _first_term(z, e, beta):
    return _distance(z.detach(), e)


def _second_term(z, e, beta):
    return beta * _distance(z, e.detach())


def _minus(z, e, beta):
    return who_moves(z, e, -beta)


def _vectors(token: int, d_code: int, beta: float):
    return lambda: (*draw.normals((token, d_code), (token, d_code)), beta)


EXERCISE = Exercise(
    id="13.5",
    title="Who moves?",
    minutes=8,
    difficulty=2,
    reference=who_moves,
    backward=True,
    cases={
        "as many tokens as numbers": _vectors(5, 5, 0.25),
        "more tokens than numbers": _vectors(7, 3, 0.25),
        "a larger β": _vectors(3, 11, 2.0),
        "one token": _vectors(1, 5, 0.5),
    },
    mistakes={
        "stops exchanged": Mistake(
            "β stands at the wrong term (or the two stops have been exchanged: that is "
            "the same). The value is right, so no loss curve shows it. The term "
            "without β moves the code vectors, and z is stopped in it; β weighs the "
            "term that moves the encoder, and e is stopped in it. "
            "(CompVis/taming-transformers #57, and in at least five other "
            "repositories.)",
            _exchanged,
        ),
        "after the patch": Mistake(
            "the value is right, but e gets no gradient, and z gets that of both "
            "terms. Either e is stopped in both terms, or the terms have been computed "
            "after e was replaced by z + (e − z).detach(). The code vectors would stay "
            "where they began, while the reconstruction still improves "
            "(andylolu2/jax-vqvae-gpt #2)",
            _after_the_patch,
        ),
        "codes alone": Mistake(
            "the value is right, but z gets no gradient, and e gets that of both "
            "terms: z is stopped twice. In the second term e is the one to be stopped",
            _codes_alone,
        ),
        "nothing stopped": Mistake(
            "the value is right, but nothing is stopped: both terms move both, and β "
            "does not decide who moves how fast. Detach z in the first term, and e in "
            "the second",
            _nothing_stopped,
        ),
        "first stop missing": Mistake(
            "in the first term z has not been stopped: this term moves the encoder as "
            "well, and β does not decide alone how strongly. Detach z there",
            _first_stop_missing,
        ),
        "second stop missing": Mistake(
            "in the second term e has not been stopped: this term moves the code "
            "vectors as well. Detach e there",
            _second_stop_missing,
        ),
        "all stopped": Mistake(
            "the value is right, but nothing gets a gradient: each term stops one of "
            "the two, not both",
            _all_stopped,
        ),
        "first term stopped": Mistake(
            "the value is right, but in the first term both are stopped, as in "
            "(z − e).detach(): nothing moves the code vectors. Detach z alone, then "
            "subtract e",
            _first_all_stopped,
        ),
        "β forgotten": Mistake(
            "β is missing: the second term counts β times",
            lambda z, e, beta: who_moves(z, e, 1.0),
        ),
        "β at both": Mistake(
            "β weighs both terms; it belongs to the second alone", _beta_on_both
        ),
        "first term alone": Mistake(
            "only the code vectors are pulled to z; the second term, β times, pulls z "
            "to them",
            _first_term,
        ),
        "second term alone": Mistake(
            "only z is pulled to the code vectors; the first term pulls them to z",
            _second_term,
        ),
        "subtracted": Mistake(
            "the second term has been subtracted: it would push z away from its code "
            "vector. Add the two",
            _minus,
        ),
        "mean of all numbers": Mistake(
            "the mean has been taken over all numbers, as F.mse_loss does. ‖·‖² is the "
            "sum over the numbers of a vector; the mean is over the tokens alone. With "
            "F.mse_loss both terms are d_code times too small",
            partial(who_moves, distance=lambda a, b: (a - b).square().mean()),
        ),
        "mean of all numbers, stops exchanged": Mistake(
            "two things. F.mse_loss takes the mean over all numbers, but ‖·‖² is the "
            "sum over the numbers of a vector: d_code times as much. And β stands at "
            "the term that moves the code vectors (or the two stops are exchanged): it "
            "weighs the term that moves z",
            partial(_of_one_number, _exchanged),
        ),
        "mean of all numbers, nothing stopped": Mistake(
            "two things. The mean over all numbers has been taken, but ‖·‖² is the sum "
            "over the numbers of a vector: d_code times as much. And nothing is "
            "stopped: detach z in the first term, and e in the second",
            partial(_of_one_number, _nothing_stopped),
        ),
        "mean of all numbers, after the patch": Mistake(
            "two things. The mean over all numbers has been taken, but ‖·‖² is the sum "
            "over the numbers of a vector: d_code times as much. And e gets no "
            "gradient: it is stopped in both terms, or was replaced by "
            "z + (e − z).detach() before",
            partial(_of_one_number, _after_the_patch),
        ),
        "sum over the tokens": Mistake(
            "the tokens have been added up; their mean is wanted, so that a larger "
            "batch does not pull harder",
            partial(who_moves, distance=lambda a, b: (a - b).square().sum()),
        ),
        "root": Mistake(
            "this is the distance itself; its square is wanted, ‖·‖²: do not take the "
            "root",
            partial(who_moves, distance=lambda a, b: (a - b).norm(dim=-1).mean()),
        ),
        "absolute": Mistake(
            "the absolute differences have been added up; ‖·‖² adds up their squares",
            partial(who_moves, distance=lambda a, b: (a - b).abs().sum(-1).mean()),
        ),
    },
    hints=(
        "sg, the stop, is .detach(): forward it changes nothing, backward it lets "
        "nothing through.",
        "write distance(a, b): the squares of a − b, summed over the last axis, and "
        "the mean over the tokens. The two terms are this distance, with another one "
        "of the two detached.",
        "first term: z.detach() and e, so that e moves. Second term, times β: z and "
        "e.detach(), so that z moves.",
    ),
)
