"""One head writes what it writes on average."""

from functools import partial

from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def mean_ablated(
    written: Float[Tensor, "batch head token d_model"], head: int
) -> Float[Tensor, "batch token d_model"]:
    return _replaced(written, head, lambda own: own.mean((0, 1)))


def _replaced(written, head, by):
    own = written[:, head]
    return written.sum(1) - own + by(own)


def _all_heads(written, head):
    return (written.mean((0, 2)).sum(0)).expand(written[:, 0].shape)


def _drawn(batch: int, heads: int, token: int, d_model: int, head: int) -> tuple:
    return 1 + draw.normal(batch, heads, token, d_model), head


EXERCISE = Exercise(
    id="16.2",
    title="What it always says",
    minutes=6,
    difficulty=2,
    reference=mean_ablated,
    cases={
        "the first of two heads": partial(_drawn, 5, 2, 7, 3, 0),
        "the last of three heads": partial(_drawn, 3, 3, 5, 7, 2),
        "one sentence": partial(_drawn, 1, 2, 5, 3, 1),
    },
    mistakes={
        "zero": Mistake(
            "the head has been silenced: it writes 0. That is another ablation: it "
            "also takes away what the head always writes, with which the rest of the "
            "model was trained",
            lambda written, head: _replaced(written, head, lambda own: 0 * own),
        ),
        "mean of each place": Mistake(
            "the mean is over the sentences only, so that each place keeps a mean of "
            "its own: what the head says by position has stayed",
            lambda written, head: _replaced(
                written, head, lambda own: own.mean(0, keepdim=True)
            ),
        ),
        "mean of each sentence": Mistake(
            "the mean is over the tokens of each sentence only, so that a sentence "
            "keeps what the head says of it",
            lambda written, head: _replaced(
                written, head, lambda own: own.mean(1, keepdim=True)
            ),
        ),
        "all heads": Mistake(
            "every head has been replaced by its mean: that ablates the layer, and "
            "any head would look fatal",
            _all_heads,
        ),
        "added": Mistake(
            "the mean has been added, and what the head wrote is still there",
            lambda written, head: _replaced(
                written, head, lambda own: own + own.mean((0, 1))
            ),
        ),
        "another head": Mistake(
            "another head has been ablated: heads are counted from 0",
            lambda written, head: mean_ablated(written, (head - 1) % written.shape[1]),
        ),
        "one number": Mistake(
            "the mean is over the features, too: one number for all. A head's mean is "
            "a vector",
            lambda written, head: _replaced(written, head, lambda own: own.mean()),
        ),
        "only the head": Mistake(
            "this is what the head writes on average, without what the others write",
            lambda written, head: (
                mean_ablated(written, head) - written.sum(1) + written[:, head]
            ),
        ),
    },
    hints=(
        "what the head always writes is one vector: the mean over all sentences and "
        "all tokens.",
        "take the sum of all heads, subtract what this head wrote, add its mean.",
    ),
    trained=False,
)
