"""The exercises of chapter 4: many heads, how they are split and what each adds."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.exercises import draw
from qkv.exercises.ch03 import NOT_SCALED, OVER_QUERIES, attend
from qkv.exercises.machinery import Exercise, Mistake

NUMBER = 4
TITLE = "Many heads"


# ------------------------------------------------------------------------ 4.1 the split


def split_heads(
    x: Float[Tensor, "batch token d_model"], heads: int
) -> Float[Tensor, "batch head token d_head"]:
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _split_by_view(x, heads):
    return x.reshape(len(x), heads, x.shape[1], -1)


def _split_in_turns(x, heads):
    return x.unflatten(-1, (-1, heads)).permute(0, 3, 1, 2)


def _whole(batch: int, token: int, heads: int, d_head: int) -> tuple:
    return draw.normal(batch, token, heads * d_head), heads


SPLIT_HEADS = Exercise(
    id="4.1",
    title="Split the width into heads",
    minutes=4,
    takes={"x": "batch token d_model", "heads": ""},
    returns={"split": "batch head token d_head"},
    reference=split_heads,
    cases={
        "as many sentences, tokens and heads": partial(_whole, 3, 3, 3, 5),
        "every size different": partial(_whole, 2, 7, 3, 5),
        "a batch of one": partial(_whole, 1, 5, 2, 3),
        "a single head": partial(_whole, 2, 3, 1, 5),
    },
    mistakes=(
        Mistake(
            "view only",
            "each head has got pieces of a few tokens, all of their features, instead "
            "of its features of all tokens: view moves nothing, it only says anew how "
            "long the axes are. Split d_model first, then swap token and head",
            _split_by_view,
        ),
        Mistake(
            "not transposed",
            "d_model is split, but the axes are (batch, token, head, d_head): the "
            "heads must stand before the tokens, or they attend to one another",
            lambda x, heads: x.unflatten(-1, (heads, -1)),
        ),
        Mistake(
            "features in turns",
            "the features are dealt out in turns, to head 0, 1, 2, … and 0 again; a "
            "head gets d_head features that stand together: heads comes first in the "
            "split",
            _split_in_turns,
        ),
        Mistake(
            "transposed, then viewed",
            "token and feature have been swapped before the split, and the view cuts "
            "across both: first split d_model, then swap",
            lambda x, heads: x.mT.reshape(len(x), heads, x.shape[1], -1),
        ),
        Mistake(
            "heads in front",
            "the heads stand before the batch: sentences come first in this book",
            lambda x, heads: split_heads(x, heads).transpose(0, 1),
        ),
        Mistake(
            "first features",
            "every head has got the features of the first",
            lambda x, heads: split_heads(x, heads)[:, :1].expand(-1, heads, -1, -1),
        ),
    ),
    hints=(
        "only the last axis is to be cut: (batch, token, d_model) becomes (batch, "
        "token, head, d_head).",
        "x.unflatten(-1, (heads, -1)), or view with the sizes in that order, cuts it.",
        "then swap token and head: transpose(1, 2).",
    ),
)


# ------------------------------------------------------------------------ 4.2 the merge


def merge_heads(
    x: Float[Tensor, "batch head token d_head"],
) -> Float[Tensor, "batch token d_model"]:
    return x.transpose(1, 2).flatten(2)


def _merge_by_view(x):
    return x.reshape(len(x), x.shape[2], -1)


def _axes_swapped(one, other):
    """A merge that swaps two axes which are not the tokens' and the heads'."""

    def merge(x):
        return x.transpose(one, other).reshape(len(x), x.shape[2], -1)

    return merge


def _split(batch: int, head: int, token: int, d_head: int) -> tuple:
    return (draw.normal(batch, head, token, d_head),)


MERGE_HEADS = Exercise(
    id="4.2",
    title="Put the heads side by side",
    minutes=3,
    takes={"x": "batch head token d_head"},
    returns={"merged": "batch token d_model"},
    reference=merge_heads,
    cases={
        "every size different": partial(_split, 2, 3, 5, 7),
        "as many heads as tokens": partial(_split, 2, 5, 5, 3),
        "a batch of one": partial(_split, 1, 2, 3, 5),
        "a single head": partial(_split, 3, 1, 5, 2),
    },
    mistakes=(
        Mistake(
            "view only",
            "each row of the result holds one head's features of several tokens: view "
            "moves nothing. Swap token and head first, then join the last two axes",
            _merge_by_view,
        ),
        Mistake(
            "features in turns",
            "the features of the heads alternate, one of each in turn; they should "
            "stand together, all of head 0, then all of head 1",
            lambda x: x.permute(0, 2, 3, 1).flatten(2),
        ),
        Mistake(
            "batch and head swapped",
            "axes 0 and 1 have been swapped, batch and head: sentences are mixed, "
            "and tokens too. The batch stays where it is; swap 1 and 2",
            _axes_swapped(0, 1),
        ),
        Mistake(
            "head and feature swapped",
            "axes 1 and 3 have been swapped, head and d_head; swap 1 and 2",
            _axes_swapped(1, 3),
        ),
        Mistake(
            "last two swapped",
            "the last two axes have been swapped, token and d_head; swap 1 and 2",
            _axes_swapped(2, 3),
        ),
        Mistake(
            "heads averaged",
            "the heads have been averaged: what they found in different places is "
            "mixed again. They stand side by side, each with its own features",
            lambda x: x.mean(1).repeat(1, 1, x.shape[1]),
        ),
    ),
    hints=(
        "it is the split of 4.1, undone: its steps backwards.",
        "first token and head are swapped, transpose(1, 2), then the last two axes "
        "become one.",
        "flatten(2) joins all axes from 2 on. After a transpose, view refuses and "
        "asks for contiguous(); reshape and flatten see to it themselves.",
    ),
)


# --------------------------------------------------------------- 4.3 all of it together


def multi_head(
    x: Float[Tensor, "batch token d_model"],
    W_q: Float[Tensor, "d_model d_model"],
    W_k: Float[Tensor, "d_model d_model"],
    W_v: Float[Tensor, "d_model d_model"],
    W_o: Float[Tensor, "d_model d_model"],
    heads: int,
) -> Float[Tensor, "batch token d_model"]:
    return _multi_head(x, W_q, W_k, W_v, W_o, heads)


def _multi_head(x, W_q, W_k, W_v, W_o, heads, **how):
    return _in_heads(x @ W_q.mT, x @ W_k.mT, x @ W_v.mT, heads, **how) @ W_o.mT


def _in_heads(q, k, v, heads, *, split=split_heads, merge=merge_heads, **how):
    """Split, attend and merge, with parts of it that may be wrong ones."""
    return merge(attend(*(split(t, heads) for t in (q, k, v)), **how))


def _no_split(x, W_q, W_k, W_v, W_o, heads):
    return _multi_head(x, W_q, W_k, W_v, W_o, 1)


def _not_transposed(x, W_q, W_k, W_v, W_o, heads):
    return multi_head(x, W_q.mT, W_k.mT, W_v.mT, W_o.mT, heads)


_AMONG_HEADS = {
    "split": lambda x, heads: x.unflatten(-1, (heads, -1)),
    "merge": lambda x: x.flatten(2),
}


def _sequence(batch: int, token: int, heads: int, d_head: int) -> tuple:
    d_model = heads * d_head
    shapes = [(batch, token, d_model), *[(d_model, d_model)] * 4]
    x, *matrices = draw.normals(*shapes)
    return x, *(W / d_model**0.5 for W in matrices), heads


MULTI_HEAD = Exercise(
    id="4.3",
    title="Multi-head attention",
    minutes=8,
    takes={
        "x": "batch token d_model",
        "W_q": "d_model d_model",
        "W_k": "d_model d_model",
        "W_v": "d_model d_model",
        "W_o": "d_model d_model",
        "heads": "",
    },
    returns={"output": "batch token d_model"},
    reference=multi_head,
    cases={
        "every size different": partial(_sequence, 2, 7, 3, 5),
        "as many heads as tokens": partial(_sequence, 3, 5, 5, 2),
        "a batch of one": partial(_sequence, 1, 3, 2, 5),
        "a single head": partial(_sequence, 2, 5, 1, 3),
    },
    mistakes=(
        Mistake(
            "√d_model",
            "the scores are divided by √d_model; each head's query has only d_head "
            "features, so √d_head is its d_k",
            lambda x, *rest: _multi_head(x, *rest, scale=x.shape[-1] ** 0.5),
        ),
        Mistake(
            "divided by d_head",
            "the scores are divided by all of d_head; its root is wanted",
            lambda x, *rest: _multi_head(x, *rest, scale=x.shape[-1] / rest[-1]),
        ),
        Mistake(
            "queries and keys swapped",
            "W_q has made the keys and W_k the queries: each token is given what "
            "others ask of it, not what it asks. The scores are transposed",
            lambda x, W_q, W_k, *rest: multi_head(x, W_k, W_q, *rest),
        ),
        Mistake("not scaled", NOT_SCALED, partial(_multi_head, scale=1)),
        Mistake(
            "no W_o",
            "the heads stand side by side, as they come: W_o is missing, which mixes "
            "what they have found",
            lambda x, W_q, W_k, W_v, W_o, heads: _in_heads(
                x @ W_q.mT, x @ W_k.mT, x @ W_v.mT, heads
            ),
        ),
        Mistake(
            "W not transposed",
            "the matrices have been used the wrong way round, x @ W for x @ W.T: they "
            "are square, so no shape gives it away",
            _not_transposed,
        ),
        Mistake(
            "W_o not transposed",
            "W_o has been used the wrong way round, @ W_o for @ W_o.T: it is square, "
            "so no shape gives it away",
            lambda x, W_q, W_k, W_v, W_o, heads: multi_head(
                x, W_q, W_k, W_v, W_o.mT, heads
            ),
        ),
        Mistake(
            "not split",
            "there is one head as wide as d_model: heads has not been used",
            _no_split,
        ),
        Mistake(
            "among heads",
            "the heads of one token attend to each other, and no token sees another: "
            "token and head must be swapped before the scores",
            partial(_multi_head, **_AMONG_HEADS),
        ),
        Mistake(
            "split by view",
            "the split is a view alone: each head has got pieces of a few tokens "
            "instead of its features of all tokens (exercise 4.1)",
            partial(_multi_head, split=_split_by_view),
        ),
        Mistake(
            "merged by view",
            "the merge is a view alone: each row holds one head's features of several "
            "tokens (exercise 4.2)",
            partial(_multi_head, merge=_merge_by_view),
        ),
        Mistake(
            "view both ways",
            "split and merge are views alone. They undo each other, so that all looks "
            "well, but in between each head has got pieces of a few tokens",
            partial(_multi_head, split=_split_by_view, merge=_merge_by_view),
        ),
        Mistake("over queries", OVER_QUERIES, partial(_multi_head, over=-2)),
        Mistake(
            "over heads",
            "the softmax runs over the heads (dim=1); the keys of each head compete "
            "among themselves (dim=-1)",
            partial(_multi_head, over=1),
        ),
    ),
    hints=(
        "in this order: project, split, attend in each head, merge, W_o.",
        "attention counts axes from the end, so your attention of 3.3 serves all "
        "heads at once, and divides by the root of the width that it is given.",
        "attention(*(split_heads(x @ W.T, heads) for W in (W_q, W_k, W_v))) is all "
        "but the last two steps.",
    ),
)


# ------------------------------------------------------------------------- 4.4 counting


def count_parameters(d_model: int, heads: int, bias: bool) -> int:
    return 4 * (d_model * d_model + bias * d_model)


def _one_head_only(d_model, heads, bias):
    d_head = d_model // heads
    return 3 * (d_model * d_head + bias * d_head) + d_head * d_model + bias * d_model


def _heads_apart(d_model, heads, bias):
    d_head = d_model // heads
    return 4 * (heads * d_head * d_head + bias * d_model)


def _each_as_wide(d_model, heads, bias):
    projections = 3 * heads * (d_model + bias) * d_model
    return projections + heads * d_model * d_model + bias * d_model


COUNT_PARAMETERS = Exercise(
    id="4.4",
    title="Count the parameters",
    minutes=4,
    takes={"d_model": "", "heads": "", "bias": ""},
    returns={"count": ""},
    reference=count_parameters,
    cases={
        "three heads with biases": lambda: (15, 3, True),
        "five heads without": lambda: (35, 5, False),
        "one head": lambda: (7, 1, True),
        "heads of one feature": lambda: (11, 11, False),
    },
    mistakes=(
        Mistake(
            "each as wide",
            "this gives every head a width of d_model: the heads share it, so more "
            "heads cost nothing more",
            _each_as_wide,
        ),
        Mistake(
            "times the heads",
            "this counts four whole projections for every head: the heads share "
            "them, each has its d_head rows of W_q, W_k and W_v",
            lambda d_model, heads, bias: heads * count_parameters(d_model, heads, bias),
        ),
        Mistake(
            "no W_o",
            "this counts W_q, W_k and W_v; W_o, after the merge, is missing",
            lambda d_model, heads, bias: 3 * (d_model + bias) * d_model,
        ),
        Mistake(
            "heads apart",
            "this lets each head see only its own d_head features of x; a head's "
            "matrix reads all d_model of them and writes d_head",
            _heads_apart,
        ),
        Mistake(
            "one head only",
            "these are the parameters that belong to one head; all of them are wanted",
            _one_head_only,
        ),
        Mistake(
            "biases forgotten",
            "the biases are not counted: with bias, each of the four projections has "
            "one for each of its d_model outputs",
            lambda d_model, heads, bias: 4 * d_model * d_model,
        ),
        Mistake(
            "biases always",
            "biases are counted even where bias is False",
            lambda d_model, heads, bias: count_parameters(d_model, heads, True),
        ),
        Mistake(
            "one number for a bias",
            "each bias has been counted as one number; a projection has one for each "
            "of its d_model outputs",
            lambda d_model, heads, bias: 4 * (d_model * d_model + bias),
        ),
        Mistake(
            "one bias for three",
            "three projections in one matrix have a bias three times as long: one for "
            "each of their outputs",
            lambda d_model, heads, bias: 4 * d_model * d_model + 2 * bias * d_model,
        ),
        Mistake(
            "no bias after the merge",
            "W_o has a bias, too; this has three of the four",
            lambda d_model, heads, bias: 4 * d_model * d_model + 3 * bias * d_model,
        ),
    ),
    hints=(
        "there are four projections: of queries, keys, values, and after the merge.",
        "all heads' matrices, stacked, are one: heads · d_head = d_model outputs, of "
        "d_model inputs each.",
        "a bias has as many numbers as the projection has outputs. Does the number of "
        "heads matter at all?",
    ),
)


# ------------------------------------------------------------- 4.5 what each head adds


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


def _columns_in_turns(context, W_o):
    return context @ W_o.mT.unflatten(0, (-1, context.shape[1])).transpose(0, 1)


def _reshaped_blocks(context, W_o):
    return context @ W_o.reshape(context.shape[1], len(W_o), -1).mT


def _placed(context, W_o):
    heads, d_head = context.shape[1], context.shape[-1]
    return context @ torch.eye(heads * d_head).unflatten(0, (heads, d_head))


def _contexts(batch: int, head: int, token: int, d_head: int) -> tuple:
    d_model = head * d_head
    return draw.normals((batch, head, token, d_head), (d_model, d_model))


HEAD_PARTS = Exercise(
    id="4.5",
    title="What each head adds",
    minutes=6,
    takes={"context": "batch head token d_head", "W_o": "d_model d_model"},
    returns={"parts": "batch head token d_model"},
    reference=head_parts,
    cases={
        "every size different": partial(_contexts, 2, 3, 5, 7),
        "as many heads as tokens": partial(_contexts, 2, 5, 5, 3),
        "a batch of one": partial(_contexts, 1, 2, 3, 5),
        "a single head": partial(_contexts, 3, 1, 2, 5),
    },
    mistakes=(
        Mistake(
            "rows",
            "each head has met its rows of W_o. Rows belong to what comes out; what "
            "goes in, the head's features, belongs to columns, and W_o.T turns them "
            "to rows",
            lambda context, W_o: head_parts(context, W_o.mT),
        ),
        Mistake(
            "columns in turns",
            "head 0 has met columns 0, H, 2H, …; its features stand together in the "
            "merged vector, so its columns of W_o stand together, too",
            _columns_in_turns,
        ),
        Mistake(
            "W_o reshaped",
            "W_o has been cut by reshape(heads, d_model, d_head), which cuts along "
            "its rows and mixes them: cut the columns (unflatten(1, …)), then move "
            "the heads to the front",
            _reshaped_blocks,
        ),
        Mistake(
            "first columns",
            "every head has met the first head's columns",
            lambda context, W_o: context @ _columns(W_o, context.shape[1])[0],
        ),
        Mistake(
            "sum",
            "every head has got the sum of all parts, which is the output itself",
            _sum_of_parts,
        ),
        Mistake(
            "equal shares",
            "the output has been shared out equally; the parts add up to it, but they "
            "say nothing of who found what",
            lambda context, W_o: _sum_of_parts(context, W_o) / context.shape[1],
        ),
        Mistake(
            "placed",
            "each head stands at its place in the merged vector, with zeros beside "
            "it, and W_o is still to come",
            _placed,
        ),
    ),
    hints=(
        "a product with W_o is a sum over features. Sort its terms by the head that "
        "each feature comes from.",
        "in the merged vector head h owns features h·d_head up to (h + 1)·d_head, so "
        "it meets those columns of W_o.",
        "context[:, h] @ W_o[:, h * d_head : (h + 1) * d_head].T for each h, then "
        "torch.stack(..., dim=1).",
    ),
)


# ------------------------------------------------------- 4.6 bug hunt: shapes are right


def attend_in_heads(
    q: Float[Tensor, "batch token d_model"],
    k: Float[Tensor, "batch token d_model"],
    v: Float[Tensor, "batch token d_model"],
    heads: int,
) -> Float[Tensor, "batch token d_model"]:
    return _in_heads(q, k, v, heads)


def _views_both_ways(q, k, v, heads):
    batch, token, d_model = q.shape
    d_head = d_model // heads
    q = q.reshape(batch, heads, token, d_head)
    k = k.reshape(batch, heads, token, d_head)
    v = v.reshape(batch, heads, token, d_head)
    weights = (q @ k.mT / d_head**0.5).softmax(dim=-1)
    return (weights @ v).reshape(batch, token, d_model)


def _values_by_view(q, k, v, heads):
    q, k = split_heads(q, heads), split_heads(k, heads)
    return merge_heads(attend(q, k, _split_by_view(v, heads)))


def _only_queries_split(q, k, v, heads):
    k, v = _split_by_view(k, heads), _split_by_view(v, heads)
    return merge_heads(attend(split_heads(q, heads), k, v))


def _projected(batch: int, token: int, heads: int, d_head: int) -> tuple:
    return *draw.normals(*[(batch, token, heads * d_head)] * 3), heads


def _merged_by_view(q, k, v, heads):
    batch, token, d_model = q.shape
    split = (batch, token, heads, d_model // heads)
    q, k, v = (x.reshape(split).transpose(1, 2) for x in (q, k, v))
    weights = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return (weights @ v).reshape(batch, token, d_model)


ATTEND_IN_HEADS = Exercise(
    id="4.6",
    title="Bug hunt: what the heads have found",
    minutes=8,
    takes={
        "q": "batch token d_model",
        "k": "batch token d_model",
        "v": "batch token d_model",
        "heads": "",
    },
    returns={"merged": "batch token d_model"},
    reference=attend_in_heads,
    cases={
        "every size different": partial(_projected, 2, 7, 3, 5),
        "as many heads as tokens": partial(_projected, 3, 5, 5, 2),
        "a batch of one": partial(_projected, 1, 3, 2, 5),
        "a single head": partial(_projected, 2, 5, 1, 3),
    },
    mistakes=(
        Mistake(
            "views both ways",
            "now the split is wrong as well: by a view alone, each head gets a block "
            "of tokens in pieces, and never sees the others",
            _views_both_ways,
        ),
        Mistake(
            "split by view",
            "now the merge is right, and what it merges is not: q, k and v are cut by "
            "a view alone",
            partial(_in_heads, split=_split_by_view),
        ),
        Mistake(
            "values by view",
            "the values are cut by a view alone, so that the weights are right and "
            "average the wrong things",
            _values_by_view,
        ),
        Mistake(
            "only queries",
            "queries are split, but keys and values are cut by a view alone",
            _only_queries_split,
        ),
        Mistake(
            "among heads",
            "split and merged without a swap of token and head: now the heads of one "
            "token attend to each other, and no token sees another",
            partial(_in_heads, **_AMONG_HEADS),
        ),
        Mistake(
            "features in turns",
            "token and head are in order now, but the features are dealt out in "
            "turns; a head's features stand together",
            partial(
                _in_heads,
                split=_split_in_turns,
                merge=lambda x: x.permute(0, 2, 3, 1).flatten(2),
            ),
        ),
        Mistake(
            "√d_model",
            "d_head was right: a head's query has d_head features, not d_model",
            lambda q, *rest: _in_heads(q, *rest, scale=q.shape[-1] ** 0.5),
        ),
    ),
    hints=(
        "change one number of one token of v, and see which rows and columns of the "
        "output change. In which columns may a single head write?",
        "before the last line the axes are batch, head, token, d_head; side by side "
        "in a token are to stand its heads.",
        "merge_heads of 4.2 at the end: swap head and token back, then join.",
    ),
    given=_merged_by_view,
)


EXERCISES = (
    SPLIT_HEADS,
    MERGE_HEADS,
    MULTI_HEAD,
    COUNT_PARAMETERS,
    HEAD_PARTS,
    ATTEND_IN_HEADS,
)
