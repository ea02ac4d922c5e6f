"""Embeddings looked up in a table."""

from functools import partial

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def embed(
    ids: Int[Tensor, "batch token"], table: Float[Tensor, "vocab d_embedding"]
) -> Float[Tensor, "batch token d_embedding"]:
    return table[ids]


def _sentences(batch: int, token: int, vocab: int, d_embedding: int) -> tuple:
    return draw.ids(batch, token, high=vocab), draw.normal(vocab, d_embedding, seed=1)


EXERCISE = Exercise(
    id="0.1",
    title="Look up a batch of words",
    minutes=3,
    difficulty=1,
    reference=embed,
    cases={
        "as many features as words": partial(_sentences, 3, 5, 11, 11),
        "fewer features than words": partial(_sentences, 2, 5, 11, 7),
        "a batch of one": partial(_sentences, 1, 3, 13, 2),
    },
    mistakes={
        "columns": Mistake(
            "each word has got a column of the table; a word's embedding is its row",
            lambda ids, table: table.mT[ids],
        ),
        "row before": Mistake(
            "each word has got the row before its own: ids count from 0, and so do "
            "rows",
            lambda ids, table: table[ids - 1],
        ),
        "position": Mistake(
            "the rows were chosen by where a word stands, not by which word it is: "
            "use the numbers in ids",
            lambda ids, table: table[: ids.shape[1]].expand(len(ids), -1, -1),
        ),
        "first sentence": Mistake(
            "every sentence has got the embeddings of the first one",
            lambda ids, table: table[ids[:1]].expand(len(ids), -1, -1),
        ),
        "mixed sentences": Mistake(
            "words of different sentences are mixed: view or reshape only says anew "
            "how long the axes are, it does not swap them",
            lambda ids, table: table[ids.mT].reshape(*ids.shape, -1),
        ),
        "scaled": Mistake(
            "the rows are multiplied by √d_embedding; the Transformer does that, "
            "here the rows are wanted as they are",
            lambda ids, table: table[ids] * table.shape[1] ** 0.5,
        ),
        "normalised": Mistake(
            "the rows have been brought to length one; they are wanted as they are",
            lambda ids, table: F.normalize(table, dim=-1)[ids],
        ),
    },
    hints=(
        "the table has one row for each word of the vocabulary, and an id is the "
        "number of a row.",
        "a tensor can be indexed by a tensor of whole numbers of any shape: each "
        "number is replaced by that row.",
    ),
    instead=("embedding",),
)
