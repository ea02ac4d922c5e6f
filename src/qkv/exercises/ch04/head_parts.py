"""What each head adds to the output."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def head_parts(
    context: Float[Tensor, "batch head token d_head"],
    W_o: Float[Tensor, "d_model d_model"],
) -> Float[Tensor, "batch head token d_model"]:
    return context @ _columns(W_o, context.shape[1])


def _columns(W_o, heads):
    """The block of W_o that each head meets, (head, d_head, d_model)."""
    return W_o.mT.unflatten(0, (heads, -1))


def _sum_of_parts(context, W_o):
    return (
        head_parts(context, W_o)
        .sum(1, keepdim=True)
        .expand(-1, len(context[0]), -1, -1)
    )


def _placed(context, W_o):
    heads, d_head = context.shape[1], context.shape[-1]
    return context @ torch.eye(heads * d_head).unflatten(0, (heads, d_head))


def _contexts(batch: int, head: int, token: int, d_head: int) -> tuple:
    d_model = head * d_head
    return draw.normals((batch, head, token, d_head), (d_model, d_model))


EXERCISE = Exercise(
    id="4.5",
    title="What each head adds",
    minutes=6,
    difficulty=3,
    reference=head_parts,
    cases={
        "every size different": partial(_contexts, 2, 3, 5, 7),
        "as many heads as tokens": partial(_contexts, 2, 5, 5, 3),
        "a batch of one": partial(_contexts, 1, 2, 3, 5),
        "a single head": partial(_contexts, 3, 1, 2, 5),
    },
    mistakes={
        "rows": Mistake(
            "each head has met its rows of W_o. Rows belong to what comes out; what "
            "goes in, the head's features, belongs to columns, and W_o.T turns them "
            "to rows",
            lambda context, W_o: head_parts(context, W_o.mT),
        ),
        "columns in turns": Mistake(
            "head 0 has met columns 0, H, 2H, …; its features stand together in the "
            "merged vector, so its columns of W_o stand together, too",
            lambda context, W_o: (
                context @ W_o.mT.unflatten(0, (-1, context.shape[1])).transpose(0, 1)
            ),
        ),
        "W_o reshaped": Mistake(
            "W_o has been cut by reshape(heads, d_model, d_head), which cuts along "
            "its rows and mixes them: cut the columns (unflatten(1, …)), then move "
            "the heads to the front",
            lambda context, W_o: (
                context @ W_o.reshape(context.shape[1], len(W_o), -1).mT
            ),
        ),
        "first columns": Mistake(
            "every head has met the first head's columns",
            lambda context, W_o: context @ _columns(W_o, context.shape[1])[0],
        ),
        "sum": Mistake(
            "every head has got the sum of all parts, which is the output itself",
            _sum_of_parts,
        ),
        "equal shares": Mistake(
            "the output has been shared out equally; the parts add up to it, but they "
            "say nothing of who found what",
            lambda context, W_o: _sum_of_parts(context, W_o) / context.shape[1],
        ),
        "placed": Mistake(
            "each head stands at its place in the merged vector, with zeros beside "
            "it, and W_o is still to come",
            _placed,
        ),
    },
    hints=(
        "a product with W_o is a sum over features. Sort its terms by the head that "
        "each feature comes from.",
        "in the merged vector head h owns features h·d_head up to (h + 1)·d_head, so "
        "it meets those columns of W_o.",
        "context[:, h] @ W_o[:, h * d_head : (h + 1) * d_head].T for each h, then "
        "torch.stack(..., dim=1).",
    ),
)
