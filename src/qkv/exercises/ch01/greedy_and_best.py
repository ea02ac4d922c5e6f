"""What greedy decoding finds, and what there is to be found."""

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def greedy_and_best(
    first: Float[Tensor, "batch vocab"], second: Float[Tensor, "batch vocab vocab"]
) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    return _greedy(first, second), _pairs(first, second).amax((1, 2))


def _pairs(first: Tensor, second: Tensor) -> Float[Tensor, "batch vocab vocab"]:
    """The probability of each pair: rows are first tokens, columns second ones."""
    return first[..., None] * second


def _greedy(first: Tensor, second: Tensor) -> Float[Tensor, " batch"]:
    p, token = first.max(-1)
    return p * second[torch.arange(len(first)), token].amax(-1)


def _second_alone(first, second):
    _, best = greedy_and_best(first, second)
    return first.amax(-1) * second.amax((1, 2)), best


def _added(first, second):
    p, token = first.max(-1)
    row = second[torch.arange(len(first)), token]
    return p + row.amax(-1), (first[..., None] + second).amax((1, 2))


def _first_sentence(first, second):
    p, token = first.max(-1)
    _, best = greedy_and_best(first, second)
    return p * second[:, token[0]].amax(-1), best


def _tables(batch: int, vocab: int, seed: int = 0) -> tuple:
    first = draw.normal(batch, vocab, seed=seed).softmax(-1)
    return first, (2 * draw.normal(batch, vocab, vocab, seed=seed + 1)).softmax(-1)


def _by_hand() -> tuple:
    first = torch.tensor([[0.6, 0.4], [0.7, 0.3]])
    second = [[[0.5, 0.5], [0.9, 0.1]], [[0.2, 0.8], [0.6, 0.4]]]
    return first, torch.tensor(second)


EXERCISE = Exercise(
    id="1.5",
    title="Greedy, and the best",
    minutes=8,
    difficulty=2,
    reference=greedy_and_best,
    results=("greedy", "best"),
    cases={
        "two words, as in the text": _by_hand,
        "seven words": lambda: _tables(5, 7),
        "a batch of one": lambda: _tables(1, 3, seed=4),
    },
    mistakes={
        "greedy twice": Mistake(
            "both numbers are those of greedy decoding: for the best pair, compare "
            "all pairs",
            lambda first, second: (_greedy(first, second),) * 2,
        ),
        "exchanged": Mistake(
            "the two results are exchanged: greedy's comes first",
            lambda *given: greedy_and_best(*given)[::-1],
        ),
        "best second token of all": Mistake(
            "greedy's second token has been looked for in all rows of the table; "
            "its first token is chosen by then, and only that token's row is left",
            _second_alone,
        ),
        "first forgotten": Mistake(
            "the best pair has been looked for among the second tokens alone: a "
            "pair's probability is the product of both",
            lambda first, second: (_greedy(first, second), second.amax((1, 2))),
        ),
        "added": Mistake(
            "the probabilities of the two tokens have been added: they are "
            "multiplied. (Their logarithms are added.)",
            _added,
        ),
        "transposed": Mistake(
            "the table has been read the wrong way round: row i holds what follows "
            "the first token i",
            lambda first, second: greedy_and_best(first, second.mT),
        ),
        "summed": Mistake(
            "you have added up over the first token: that is how probable the second "
            "token is after any first one",
            lambda first, second: (
                _greedy(first, second),
                _pairs(first, second).sum(1).amax(-1),
            ),
        ),
        "first sentence": Mistake(
            "all sentences go on from the first sentence's token; each has its own",
            _first_sentence,
        ),
        "logarithms": Mistake(
            "these are log-probabilities; the probabilities themselves are wanted",
            lambda *given: tuple(p.log() for p in greedy_and_best(*given)),
        ),
    },
    hints=(
        "greedy: the largest of first, and then the largest of the row of second "
        "that belongs to that token.",
        "second[torch.arange(len(first)), token] takes one row for each sentence.",
        "the best: first[..., None] * second is the table of all pairs; take its "
        "largest entry for each sentence, amax(dim=(1, 2)).",
    ),
)
