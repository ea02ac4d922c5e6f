"""Bug hunt: a gradient that is too long."""

from functools import partial

from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def clip(
    grad_U: Float[Tensor, "d_hidden d_hidden"],
    grad_b: Float[Tensor, " d_hidden"],
    longest: float,
) -> tuple[
    Float[Tensor, "d_hidden d_hidden"],
    Float[Tensor, " d_hidden"],
]:
    return _scaled(grad_U, grad_b, _share(_length(grad_U, grad_b), longest))


def _length(grad_U, grad_b) -> Tensor:
    """The length of both as one long vector."""
    return (grad_U.square().sum() + grad_b.square().sum()).sqrt()


def _share(length, longest) -> float:
    return min(1.0, longest / float(length))


def _scaled(grad_U, grad_b, share) -> tuple[Tensor, Tensor]:
    return grad_U * share, grad_b * share


def _each_by_itself(grad_U, grad_b, longest):
    return tuple(grad * _share(grad.norm(), longest) for grad in (grad_U, grad_b))


def _always(grad_U, grad_b, longest):
    return _scaled(grad_U, grad_b, longest / float(_length(grad_U, grad_b)))


def _by_value(grad_U, grad_b, longest):
    return grad_U.clamp(-longest, longest), grad_b.clamp(-longest, longest)


def _lengths_added(grad_U, grad_b, longest):
    return _scaled(grad_U, grad_b, _share(grad_U.norm() + grad_b.norm(), longest))


def _longer_of_the_two(grad_U, grad_b, longest):
    length = max(grad_U.norm(), grad_b.norm())
    return _scaled(grad_U, grad_b, _share(length, longest))


def _no_root(grad_U, grad_b, longest):
    return _scaled(grad_U, grad_b, _share(_length(grad_U, grad_b) ** 2, longest))


def _largest_number(grad_U, grad_b, longest):
    largest = max(grad_U.abs().max(), grad_b.abs().max())
    return _scaled(grad_U, grad_b, _share(largest, longest))


def _thrown_away(grad_U, grad_b, longest):
    keep = float(_length(grad_U, grad_b)) <= longest
    return _scaled(grad_U, grad_b, float(keep))


def _one_of_them(grad_U, grad_b, longest):
    return grad_U * _share(_length(grad_U, grad_b), longest), grad_b


def _gradients(d_hidden: int, longest: float, *, scale: float = 1.0) -> tuple:
    grad_U, grad_b = draw.normals((d_hidden, d_hidden), (d_hidden,))
    return scale * grad_U, scale * grad_b, longest


EXERCISE = Exercise(
    id="0.5",
    title="Bug hunt: clipping",
    minutes=8,
    difficulty=2,
    reference=clip,
    results=("grad_U", "grad_b"),
    given=_each_by_itself,
    cases={
        "a gradient that is too long": partial(_gradients, 5, 1.0, scale=3.0),
        "another limit": partial(_gradients, 3, 2.0, scale=7.0),
        "a gradient that is short enough": partial(_gradients, 7, 5.0, scale=0.1),
        "a state of one number": partial(_gradients, 1, 0.5),
    },
    mistakes={
        "always": Mistake(
            "a gradient that was short enough has been made longer: the factor is "
            "never above 1",
            _always,
        ),
        "by value": Mistake(
            "each number has been cut off by itself, which turns the gradient into "
            "another direction; shorten it as a whole, by one factor",
            _by_value,
        ),
        "lengths added": Mistake(
            "the two lengths have been added. The two are one long vector: add the "
            "squares of all numbers, then take the root",
            _lengths_added,
        ),
        "the longer one": Mistake(
            "the longer of the two decides; together they are longer than either",
            _longer_of_the_two,
        ),
        "no root": Mistake(
            "this compares the square of the length with the limit; take its root",
            _no_root,
        ),
        "largest number": Mistake(
            "the largest number decides, not the length; many small numbers make a "
            "long vector, too",
            _largest_number,
        ),
        "thrown away": Mistake(
            "a gradient that is too long has become 0, and its batch teaches nothing; "
            "it should be shortened and keep its direction",
            _thrown_away,
        ),
        "only one": Mistake(
            "the gradient of the bias keeps its length; both are multiplied by the "
            "same factor",
            _one_of_them,
        ),
    },
    hints=(
        "which way does the step go before the clipping, and which way after it? Try "
        "a large grad_U and a small grad_b.",
        "one factor for both keeps the direction; it comes from the length of the two "
        "together.",
        "the square of that length is grad_U.norm() ** 2 + grad_b.norm() ** 2.",
    ),
)
