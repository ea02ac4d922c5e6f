"""Forward the code vector, backward as if nothing had been replaced."""

from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def straight_through(
    z: Float[Tensor, "*batch d_code"], e: Float[Tensor, "*batch d_code"]
) -> Float[Tensor, "*batch d_code"]:
    return z + (e - z).detach()


def _vectors(*shape: int):
    return lambda: draw.normals(shape, shape)


EXERCISE = Exercise(
    id="13.4",
    title="Straight through",
    minutes=6,
    difficulty=2,
    reference=straight_through,
    backward=True,
    cases={
        "five vectors": _vectors(5, 3),
        "a grid of vectors": _vectors(2, 7, 3, 5),
        "one vector": _vectors(1, 7),
    },
    mistakes={
        "the code moves": Mistake(
            "the value is right, but z gets no gradient: the encoder would learn "
            "nothing from the picture. Either e was returned as it is, or in "
            "z + (e − z) nothing was detached, so that z cancels out on the way back, "
            "too. Detach the difference: z + (e − z).detach()",
            lambda z, e: z + (e - z),
        ),
        "nothing moves": Mistake(
            "the value is right, but no gradient flows back at all: everything has "
            "been detached, or z cancels out. z + (e − z).detach() lets it flow to z, "
            "and to z alone",
            lambda z, e: e.detach(),
        ),
        "both move": Mistake(
            "the value is right, and z gets the gradient, but e gets it, too. Straight "
            "through means past the code vector: e stands inside the part that is "
            "detached. (The code vectors learn from a term of their own: exercise "
            "13.5.)",
            lambda z, e: e + (z - z.detach()),
        ),
        "z the wrong way": Mistake(
            "the gradient that reaches z has the wrong sign: the first z has been "
            "detached, and the one that is subtracted was not. It is the other way "
            "round: z + (e − z).detach()",
            lambda z, e: z.detach() + (e - z),
        ),
        "z the wrong way, alone": Mistake(
            "the gradient that reaches z has the wrong sign: z stands outside of the "
            "detached part with a minus. It is z + (e − z).detach(), with a plus",
            lambda z, e: (e + z).detach() - z,
        ),
        "roles exchanged": Mistake(
            "z and e have changed roles: the value is z, so nothing has been replaced, "
            "and the gradient goes to e. The decoder is to see e, and the encoder is "
            "to learn",
            lambda z, e: e + (z - e).detach(),
        ),
        "z as it is": Mistake(
            "this is z: the gradient is right, but nothing has been replaced by a code "
            "vector. A z that is no code has no token, and could never be drawn",
            lambda z, e: z,
        ),
        "z stopped": Mistake(
            "this is z, stopped: it is not replaced, and it gets no gradient. Both are "
            "to be the other way round: the value is e, and z gets the gradient",
            lambda z, e: z.detach(),
        ),
        "difference turned": Mistake(
            "the difference has the wrong sign: z + (z − e) is 2 z − e. Take e − z, "
            "then z cancels out and e is left",
            lambda z, e: z + (z - e).detach(),
        ),
        "half and half": Mistake(
            "this is the mean of z and e: the value is no code vector. Forward it is e "
            "alone, backward z alone",
            lambda z, e: (z + e) / 2,
        ),
        "sum": Mistake(
            "z and e have been added up: z has to be subtracted again, out of the "
            "gradient's sight. z + (e − z).detach()",
            lambda z, e: z + e.detach(),
        ),
        "sum of both": Mistake(
            "z and e have been added up, and both get the gradient. Forward it is e "
            "alone, backward z alone: z + (e − z).detach()",
            lambda z, e: z + e,
        ),
    },
    hints=(
        "forward z must cancel out; backward it must not. Something has to be hidden "
        "from the gradient, and x.detach() hides x: its value stays, its gradient is "
        "0.",
        "z + (e − z) is e. Which part of it must the gradient not see?",
    ),
)
