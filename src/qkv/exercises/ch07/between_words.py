"""Attention between words, where the tokens are pieces of words."""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def between_words(
    weights: Float[Tensor, "target source"],
    target_words: Int[Tensor, " target"],
    source_words: Int[Tensor, " source"],
) -> Float[Tensor, "target_word source_word"]:
    return _means(target_words) @ weights @ _sums(source_words)


def _sums(words):
    """A column for each word: 1 for its pieces."""
    return F.one_hot(words).float()


def _means(words):
    """A row for each word: its pieces share 1."""
    pieces = _sums(words)
    return (pieces / pieces.sum(0)).mT


def _only(words, last=False):
    """A row for each word: 1 for its first piece, or its last, and 0 for the others."""
    pieces = _sums(words).mT
    seen = pieces.flip(1).cumsum(1).flip(1) if last else pieces.cumsum(1)
    return pieces * (seen == 1)


def _largest(weights, target_words, source_words):
    inside = _sums(source_words).bool().mT
    found = weights[:, None].masked_fill(~inside, 0).amax(-1)
    return _means(target_words) @ found


def _divided_again(weights, target_words, source_words):
    found = _means(target_words) @ weights @ _means(source_words).mT
    return found / found.sum(-1, keepdim=True)


def _softmax_again(weights, target_words, source_words):
    return between_words(weights, target_words, source_words).softmax(-1)


def _cut_up(target: list[int], source: list[int]) -> tuple:
    """Weights of words that have so many pieces each, and which word each is of."""
    of_target, of_source = (
        torch.arange(len(pieces)).repeat_interleave(torch.tensor(pieces))
        for pieces in (target, source)
    )
    scores = 2 * draw.normal(len(of_target), len(of_source))
    return scores.softmax(-1), of_target, of_source


EXERCISE = Exercise(
    id="7.10",
    title="Attention between words, not pieces",
    minutes=8,
    difficulty=2,
    reference=between_words,
    cases={
        "as many pieces as words": partial(_cut_up, [1, 1, 1], [1, 1, 1, 1]),
        "two of each": partial(_cut_up, [2, 2, 2], [2, 2, 2]),
        "every size different": partial(_cut_up, [3, 1, 2], [1, 4, 2, 1]),
        "one piece that looks at one word": partial(_cut_up, [1], [3]),
    },
    mistakes={
        "mean on both sides": Mistake(
            "the weights of a source word's pieces have been averaged: a row no longer "
            "sums to one, and a word looks less important for being cut up. What is "
            "paid to the pieces of a word is paid to the word: add",
            lambda weights, t, s: _means(t) @ weights @ _means(s).mT,
        ),
        "sum on both sides": Mistake(
            "the rows of a target word's pieces have been added: a row sums to as many "
            "as there are pieces. Each piece has looked by itself: take their mean",
            lambda weights, t, s: _sums(t).mT @ weights @ _sums(s),
        ),
        "exchanged": Mistake(
            "the mean and the sum are exchanged: rows, which look, are averaged; "
            "columns, which are looked at, are added",
            lambda weights, t, s: _sums(t).mT @ weights @ _means(s).mT,
        ),
        "first piece looks": Mistake(
            "of each target word only the first piece's row has been kept: the others "
            "have looked too, and often elsewhere",
            lambda weights, t, s: _only(t) @ weights @ _sums(s),
        ),
        "last piece looks": Mistake(
            "of each target word only the last piece's row has been kept: where words "
            "are written from words[piece], the last one stays. Average them all",
            lambda weights, t, s: _only(t, last=True) @ weights @ _sums(s),
        ),
        "last piece looked at": Mistake(
            "of each source word only the last piece's weight has been kept: an "
            "assignment to the same place writes over what was there. Add to it "
            "(index_add, or a product with one_hot)",
            lambda weights, t, s: _means(t) @ weights @ _only(s, last=True).mT,
        ),
        "first piece looked at": Mistake(
            "of each source word only the first piece's weight has been kept: what "
            "goes to its other pieces goes to the word as well",
            lambda weights, t, s: _means(t) @ weights @ _only(s).mT,
        ),
        "largest": Mistake(
            "of a source word's pieces the largest weight has been kept: they share "
            "what the word gets, so add them",
            _largest,
        ),
        "mean over all pieces": Mistake(
            "the rows have been divided by the number of all target pieces; divide by "
            "how many pieces this word has",
            lambda weights, t, s: _sums(t).mT @ weights @ _sums(s) / len(t),
        ),
        "divided again": Mistake(
            "the rows sum to one only because they were divided by their sums in the "
            "end: a source word of three pieces still counts a third. Add its weights",
            _divided_again,
        ),
        "softmax again": Mistake(
            "there has been another softmax: these are weights already, and their "
            "sums too",
            _softmax_again,
        ),
    },
    hints=(
        "F.one_hot(source_words) has a row for each piece, with a 1 in its word's "
        "column: weights @ it adds up what goes to the pieces of a word.",
        "the same table of the target's words, divided by its columns' sums, takes "
        "means: transposed, it stands on the left.",
    ),
    trained=False,
)
