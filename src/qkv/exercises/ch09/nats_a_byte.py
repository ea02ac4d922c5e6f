"""A loss that can be compared between vocabularies."""

import math

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises.sentences import BITS


def nats_a_byte(losses: list[float], tokens: list[int], texts: list[str]) -> float:
    return _nats(losses, tokens) / _bytes(texts)


def _nats(losses, tokens):
    return sum(loss * n for loss, n in zip(losses, tokens, strict=True))


def _bytes(texts):
    return sum(len(text.encode()) for text in texts)


def _mean_of_ratios(losses, tokens, texts):
    each = [
        nats_a_byte([loss], [n], [text])
        for loss, n, text in zip(losses, tokens, texts, strict=True)
    ]
    return sum(each) / len(each)


def _plain_mean(losses, tokens, texts):
    return sum(losses) / len(losses) * sum(tokens) / _bytes(texts)


EXERCISE = Exercise(
    id="9.7",
    title="Something older: which model is better?",
    minutes=7,
    difficulty=2,
    reference=nats_a_byte,
    cases={
        "English and Korean": lambda: (
            [2.5, 1.25, 3.0],
            [7, 11, 3],
            ["unaffordable cats", "고양이 세 마리", "I love"],
        ),
        "one text": lambda: ([2.0], [5], ["나는 고양이를 좋아해"]),
        "a model of bytes": lambda: ([0.75, 1.5], [13, 4], ["고양이는", "cats"]),
    },
    mistakes={
        "each text's own": Mistake(
            "each text has got its own quotient, and these have been averaged: a "
            "short text weighs as much as a long one. Divide the sum of all nats by "
            "the number of all bytes",
            _mean_of_ratios,
        ),
        "a character": Mistake(
            "this is per character; a Korean syllable is three bytes in UTF-8: "
            "len(text.encode())",
            lambda losses, tokens, texts: _nats(losses, tokens) / sum(map(len, texts)),
        ),
        "a token": Mistake(
            "this is still per token, and so depends on how the text was cut: divide "
            "by the bytes of the texts, which no vocabulary changes",
            lambda losses, tokens, texts: _nats(losses, tokens) / sum(tokens),
        ),
        "plain mean": Mistake(
            "the losses have been averaged as if all texts had the same number of "
            "tokens: each loss is a mean over its tokens, so multiply by them first",
            _plain_mean,
        ),
        "not multiplied": Mistake(
            "the losses are means, in nats a token. A text's nats are its loss times "
            "its number of tokens",
            lambda losses, tokens, texts: sum(losses) / _bytes(texts),
        ),
        "bits": Mistake(
            BITS,
            lambda losses, tokens, texts: (
                nats_a_byte(losses, tokens, texts) / math.log(2)
            ),
        ),
        "upside down": Mistake(
            "this is bytes a nat; nats a byte are wanted",
            lambda losses, tokens, texts: 1 / nats_a_byte(losses, tokens, texts),
        ),
        "perplexity": Mistake(
            "this is e to the power of it, a perplexity (chapter 0) of a byte",
            lambda losses, tokens, texts: math.exp(nats_a_byte(losses, tokens, texts)),
        ),
    },
    hints=(
        "a model's surprise at a whole text does not depend on how it was cut into "
        "tokens: it is the loss times the number of tokens.",
        "len(text.encode()) is the number of bytes. Sum up over all texts, and "
        "divide once, as in exercise 6.1.",
    ),
    trained=False,
)
