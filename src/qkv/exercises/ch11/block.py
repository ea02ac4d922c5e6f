"""A self-attention block for pictures, with its gate and its residual connection."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch11.shared import attended, over_keys, picture, places


def block(
    x: Float[Tensor, "batch channel row column"],
    W_q: Float[Tensor, "d_k channel"],
    W_k: Float[Tensor, "d_k channel"],
    W_v: Float[Tensor, "d_v channel"],
    W_o: Float[Tensor, "channel d_v"],
    gamma: float,
) -> tuple[Float[Tensor, "batch channel row column"], Float[Tensor, "batch query key"]]:
    said, weights = _said(over_keys, x, W_q, W_k, W_v, W_o)
    return x + gamma * said, weights


def _said(weigh: Callable, x, W_q, W_k, W_v, W_o):
    """What is added before the gate, as a picture, and the map."""
    q, k, v = (places(x) @ W.mT for W in (W_q, W_k, W_v))
    read, weights = attended(q, k, v, weigh)
    return picture(read @ W_o.mT, x), weights


def _weighed(weigh: Callable, x, W_q, W_k, W_v, W_o, gamma):
    said, weights = _said(weigh, x, W_q, W_k, W_v, W_o)
    return x + gamma * said, weights


def _over_queries(scores):
    return scores.softmax(1)


def _sent(scores):
    """The map turned over: each place hands out what it should read."""
    return scores.softmax(-1).mT


def _by_the_columns(x, W_q, W_k, W_v, W_o, gamma):
    """The map is right, and what is read is read with it turned over."""
    said, weights = _said(_sent, x, W_q, W_k, W_v, W_o)
    return x + gamma * said, weights.mT


def _not_scaled(x, W_q, *rest):
    return block(x, W_q * W_q.shape[0] ** 0.5, *rest)


def _within_a_row(x, W_q, W_k, W_v, W_o, gamma):
    rows, columns = x.shape[2:]
    row = torch.arange(rows).repeat_interleave(columns)
    other = row[:, None] != row

    def weigh(scores):
        return scores.masked_fill(other, -torch.inf).softmax(-1)

    return _weighed(weigh, x, W_q, W_k, W_v, W_o, gamma)


def _viewed_back(x, W_q, W_k, W_v, W_o, gamma):
    said, weights = _said(over_keys, x, W_q, W_k, W_v, W_o)
    return x + gamma * places(said).reshape(x.shape), weights


def _viewed_in(x, W_q, W_k, W_v, W_o, gamma):
    mixed = picture(x.reshape(len(x), -1, x.shape[1]), x)
    said, weights = _said(over_keys, mixed, W_q, W_k, W_v, W_o)
    return x + gamma * said, weights


def _no_residual(x, W_q, W_k, W_v, W_o, gamma):
    said, weights = _said(over_keys, x, W_q, W_k, W_v, W_o)
    return gamma * said, weights


def _gate_on_x(x, W_q, W_k, W_v, W_o, gamma):
    said, weights = _said(over_keys, x, W_q, W_k, W_v, W_o)
    return gamma * x + said, weights


def _gate_between(x, W_q, W_k, W_v, W_o, gamma):
    said, weights = _said(over_keys, x, W_q, W_k, W_v, W_o)
    return (1 - gamma) * x + gamma * said, weights


def _no_gate(x, W_q, W_k, W_v, W_o, gamma):
    return block(x, W_q, W_k, W_v, W_o, 1.0)


def _exchanged(x, W_q, W_k, *rest):
    return block(x, W_k, W_q, *rest)


def _all_pictures(x, W_q, W_k, W_v, W_o, gamma):
    """The places of all pictures in one row, of which each sees all."""
    one = places(x).flatten(0, 1)[None].mT.unsqueeze(-1)
    said, weights = _said(over_keys, one, W_q, W_k, W_v, W_o)
    here = weights.unflatten(1, (len(x), -1)).unflatten(3, (len(x), -1))
    own = torch.stack([here[0, b, :, b] for b in range(len(x))])
    apart = places(said).unflatten(1, (len(x), -1))[0]
    return x + gamma * picture(apart, x), own


def _given(
    row: int, column: int, batch: int, channel: int, d_k: int, d_v: int
) -> tuple[Tensor | float, ...]:
    shapes = (d_k, channel), (d_k, channel), (d_v, channel), (channel, d_v)
    x, *matrices = draw.normals((batch, channel, row, column), *shapes)
    # The scores stay small, so that no rounding shows, in whatever order one computes.
    return x, *(W / W.shape[1] ** 0.5 for W in matrices), 0.75


EXERCISE = Exercise(
    id="11.3",
    title="The block",
    minutes=12,
    difficulty=3,
    reference=block,
    results=("y", "the map"),
    cases={
        "two pictures of 2 × 2, two channels": partial(_given, 2, 2, 2, 2, 2, 2),
        "every size different": partial(_given, 3, 5, 2, 7, 11, 13),
        "a batch of one": partial(_given, 5, 2, 1, 3, 7, 11),
        "one channel": partial(_given, 2, 3, 5, 1, 7, 11),
    },
    mistakes={
        "softmax over the queries": Mistake(
            "the softmax runs over the queries: the *columns* of the map sum to 1. "
            "Each place is to share out its own weights over the keys, dim=-1. Trained "
            "so, neither loss nor accuracy tell (labmlai/annotated_deep_learning_paper_"
            "implementations #146)",
            partial(_weighed, _over_queries),
        ),
        "places send": Mistake(
            "the map is transposed: every place hands out by its weights what it "
            "should read by them. The values are multiplied from the left, weights @ v "
            "(heykeetae/Self-Attention-GAN #11)",
            partial(_weighed, _sent),
        ),
        "read by the columns": Mistake(
            "the map is right, but what is read has been read by its *columns*: "
            "weights @ v where the channels are last, v @ weights.mT where they are "
            "first",
            _by_the_columns,
        ),
        "within a row": Mistake(
            "a place looks at its own row of the picture alone: the places were not "
            "laid out in one row before the product. flatten(2) first "
            "(taki0112/Self-Attention-GAN-Tensorflow #3)",
            _within_a_row,
        ),
        "not scaled": Mistake(
            "the scores are not divided by the root of d_k. SAGAN does not, either, "
            "but here they are to be",
            _not_scaled,
        ),
        "viewed back": Mistake(
            "what was read has been viewed as a picture while the channels were last: "
            "that mixes channels with places, and no shape tells. Exchange the two "
            "axes first, .mT",
            _viewed_back,
        ),
        "viewed in": Mistake(
            "the picture has been reshaped to (batch, place, channel): in memory all "
            "places of one channel follow each other, so that a row of it is no place. "
            "flatten(2), then .mT",
            _viewed_in,
        ),
        "no residual": Mistake(
            "x itself is missing: y = x + γ · …. With γ = 0 at first nothing at all "
            "would be left of the picture",
            _no_residual,
        ),
        "gate on x": Mistake(
            "γ multiplies x, and not what was read: with γ = 0 the picture would be "
            "lost, and the block would not leave a trained network as it was",
            _gate_on_x,
        ),
        "gate between": Mistake(
            "x has been multiplied by 1 − γ: this gate only adds, y = x + γ · …",
            _gate_between,
        ),
        "no gate": Mistake(
            "γ has not been used: what was read is added as it is",
            _no_gate,
        ),
        "queries and keys exchanged": Mistake(
            "W_q has made the keys, and W_k the queries: the map's rows are the "
            "places that ask, with W_q",
            _exchanged,
        ),
        "over all pictures": Mistake(
            "the places of all pictures have been put in one row, so that each looks "
            "at other pictures, too: the batch keeps an axis of its own",
            _all_pictures,
        ),
    },
    hints=(
        "lay the places out: x.flatten(2).mT is (batch, place, channel). What follows "
        "is chapter 3's self-attention, with one more matrix at its end.",
        "q = places @ W_q.mT, and so on; then weights = (q @ k.mT / d_k ** 0.5)"
        ".softmax(-1).",
        "back to a picture the axes change places again: .mT.unflatten(2, "
        "x.shape[2:]). Then x + gamma times it.",
    ),
    instead=("scaled_dot_product_attention",),
)
