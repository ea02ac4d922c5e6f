"""Scaled dot products as scores."""

from functools import partial

from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch03.shared import BY_D_K, MULTIPLIED, scaled_scores
from qkv.exercises.sentences import NOT_SCALED, TRANSPOSED, WEIGHTS_ALREADY


def _scores_by(divisor):
    return lambda q, k: q @ k.mT / divisor(q, k)


def _queries_and_keys(*batch: int, query: int, key: int, d_k: int) -> tuple:
    return draw.normals((*batch, query, d_k), (*batch, key, d_k))


EXERCISE = Exercise(
    id="3.2",
    title="Compare each query with each key",
    minutes=4,
    difficulty=1,
    reference=scaled_scores,
    cases={
        "equal sizes": partial(_queries_and_keys, 2, query=5, key=5, d_k=5),
        "every size different": partial(_queries_and_keys, 2, query=3, key=7, d_k=5),
        "a batch of one": partial(_queries_and_keys, 1, query=1, key=3, d_k=2),
        "heads in front": partial(_queries_and_keys, 2, 5, query=3, key=5, d_k=5),
        "no batch": partial(_queries_and_keys, query=3, key=2, d_k=7),
    },
    mistakes={
        "d ** 1 / 2": Mistake(
            "/ d ** 1 / 2 divides by d, and then by 2: ** binds before /. The root is "
            "d ** 0.5, or math.sqrt(d)",
            _scores_by(lambda q, k: q.shape[-1] * 2),
        ),
        "(d ** 1 / 2)": Mistake(
            "d ** 1 / 2 is half of d, not its root: ** binds before /. Write d ** 0.5, "
            "or math.sqrt(d)",
            _scores_by(lambda q, k: q.shape[-1] / 2),
        ),
        "not scaled": Mistake(NOT_SCALED, _scores_by(lambda q, k: 1)),
        "divided by d_k": Mistake(BY_D_K, _scores_by(lambda q, k: q.shape[-1])),
        "multiplied": Mistake(MULTIPLIED, _scores_by(lambda q, k: q.shape[-1] ** -0.5)),
        "√ of the keys": Mistake(
            "you divide by the root of how many keys there are; what makes the dot "
            "product large is how many features are multiplied, d_k",
            _scores_by(lambda q, k: k.shape[-2] ** 0.5),
        ),
        "keys not transposed": Mistake(
            "the keys have not been transposed: q @ k multiplies features of a query "
            "with numbers of keys, and only goes through where the two are equal",
            lambda q, k: q @ k / q.shape[-1] ** 0.5,
        ),
        "transposed": Mistake(TRANSPOSED, lambda q, k: scaled_scores(k, q)),
        "axes 1 and 2": Mistake(
            "axes 1 and 2 have been swapped. They are key and d_k only while one axis "
            "stands in front; count from the end: transpose(-2, -1), or .mT",
            lambda q, k: q @ k.transpose(1, 2) / q.shape[-1] ** 0.5,
        ),
        "softmax too early": Mistake(
            WEIGHTS_ALREADY, lambda q, k: scaled_scores(q, k).softmax(-1)
        ),
        "cosine": Mistake(
            "the vectors have been brought to length one: a cosine never exceeds 1, "
            "so that the softmax can hardly choose. How long a key is may count",
            lambda q, k: F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).mT,
        ),
    },
    hints=(
        "a dot product for each pair of a row of q and a row of k is one matrix "
        "product.",
        "the keys must be transposed in their last two axes only: k.mT.",
        "d_k is the size of the last axis, q.shape[-1]; divide by its square root.",
    ),
)
