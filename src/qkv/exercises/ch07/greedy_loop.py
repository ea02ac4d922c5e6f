"""Greedy decoding: the decoder's loop."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw

PAD, BOS, EOS = 0, 1, 2


def write_greedily(
    memory: Float[Tensor, "batch d_model"],
    E: Float[Tensor, "vocab d_model"],
    W: Float[Tensor, "vocab d_model"],
    longest: int,
    *,
    fed: Callable[[Tensor], Tensor] = lambda tokens: tokens,
    choose: Callable[[Tensor], Tensor] = lambda logits: logits[:, -1].argmax(-1),
    ends: Callable[[Tensor], Tensor] = lambda newest: newest == EOS,
    begins_with: int = BOS,
) -> Int[Tensor, "batch target"]:
    """Feed what is written, choose, append; a row that has ended gets padding."""

    def decoder(tokens):
        read = memory[:, None] + E[tokens].cumsum(1)
        return torch.tanh(read) @ W.T

    tokens = torch.full((len(memory), 1), begins_with)
    ended = torch.zeros(len(memory), dtype=torch.bool)
    for _ in range(longest):
        newest = torch.where(ended, PAD, choose(decoder(fed(tokens))))
        tokens = torch.cat([tokens, newest[:, None]], 1)
        ended = ended | ends(newest)
    return tokens[:, 1:]


def _with_bos(memory, E, W, longest):
    written = write_greedily(memory, E, W, longest)
    return torch.cat([torch.full((len(memory), 1), BOS), written[:, :-1]], 1)


def _without_eos(memory, E, W, longest):
    written = write_greedily(memory, E, W, longest)
    return written.masked_fill(written == EOS, PAD)


def _one_too_few(memory, E, W, longest):
    return F.pad(write_greedily(memory, E, W, longest - 1), (0, 1))


def _texts(*, batch: int, vocab: int, d_model: int, longest: int, seed: int) -> tuple:
    """Rows that end at different times, and some that never do."""
    memory = draw.normal(batch, d_model, seed=seed)
    E, W = draw.normal(vocab, d_model, seed=seed + 1), draw.normal(vocab, d_model)
    return memory, E, W, longest


EXERCISE = Exercise(
    id="7.5",
    title="Greedy decoding",
    minutes=10,
    difficulty=2,
    reference=write_greedily,
    cases={
        "all end, at different times": partial(
            _texts, batch=5, vocab=11, d_model=3, longest=13, seed=48
        ),
        "one never ends": partial(
            _texts, batch=5, vocab=11, d_model=3, longest=13, seed=57
        ),
        "one ends at once": partial(
            _texts, batch=2, vocab=5, d_model=3, longest=7, seed=26
        ),
        "a batch of one": partial(
            _texts, batch=1, vocab=5, d_model=7, longest=3, seed=32
        ),
    },
    mistakes={
        "the newest token alone": Mistake(
            "the decoder is fed the newest token alone. It keeps nothing between two "
            "calls, so it must be fed all that has been written; with a cache, the "
            "next section, the newest is enough",
            partial(write_greedily, fed=lambda tokens: tokens[:, -1:]),
        ),
        "the first place": Mistake(
            "the token is chosen from the logits of the first place: each place says "
            "what follows it, and only the last one's is new",
            partial(write_greedily, choose=lambda logits: logits[:, 0].argmax(-1)),
        ),
        "the least likely": Mistake(
            "the least likely token has been taken",
            partial(write_greedily, choose=lambda logits: logits[:, -1].argmin(-1)),
        ),
        "all end with the first": Mistake(
            "all sentences end as soon as one of them does: keep a boolean for each",
            partial(
                write_greedily,
                ends=lambda newest: (newest == EOS).any().expand(len(newest)),
            ),
        ),
        "no padding": Mistake(
            "a sentence that has ended is written on: after its <eos>, 2, there is "
            "padding, 0, and nothing else",
            partial(write_greedily, ends=lambda newest: torch.zeros_like(newest) > 0),
        ),
        "with <bos>": Mistake(
            "<bos>, 1, stands in the result: it is only fed, not written",
            _with_bos,
        ),
        "without <eos>": Mistake(
            "<eos>, 2, is missing in the result: the model has written it, and it "
            "tells that the sentence has ended",
            _without_eos,
        ),
        "begins with padding": Mistake(
            "the first token fed is 0, the padding; a text begins with <bos>, 1",
            partial(write_greedily, begins_with=PAD),
        ),
        "one too few": Mistake(
            "the last token is missing: `longest` tokens may be written, and <bos> is "
            "none of them",
            _one_too_few,
        ),
    },
    hints=(
        "begin with a column of 1, <bos>, for each row of memory. Then, step by step: "
        "decoder(tokens), its last place, argmax over the vocabulary, torch.cat.",
        "keep a boolean `ended` for each row. Where it is True the newest token is 0 "
        "(torch.where); it becomes True where the newest token is 2.",
        "after `longest` turns of the loop return tokens[:, 1:], without <bos>.",
    ),
)
