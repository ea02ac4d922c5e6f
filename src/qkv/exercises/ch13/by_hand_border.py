"""Two words and four picture tokens as one sentence, by hand."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table
from qkv.checking.exercise import Mistake
from qkv.exercises.ch13.one_sentence import EXERCISE as JOINED
from qkv.exercises.ch13.one_sentence import one_sentence

WORDS = torch.tensor([[1, 4, 9, 2]])
TOKENS = torch.tensor([[3, 0, 7, 3]])
OFFSET = 15
PLACES = tuple(f"place {n}" for n in range(1, 8))
NAMES = ("<bos>", "red", "circle", "<eos>")


def _joined(join: Callable = one_sentence) -> dict[str, Tensor]:
    inputs, target, weights = join(WORDS, TOKENS, OFFSET)
    return {
        "words": WORDS,
        "tokens": TOKENS,
        "input": inputs,
        "target": target,
        "weights": weights,
    }


def _wrong(name: str) -> Mistake:
    mistake = JOINED.mistakes[name]
    return Mistake(mistake.says, partial(_joined, mistake.wrong))


BY_HAND = ByHand(
    id="13.b",
    title="The border between the two languages",
    minutes=7,
    difficulty=2,
    decimals=3,
    task="The text has 15 ids, 0 to 14, and so token 0 of a picture has the id 15. A "
    "sentence and its picture of four cells are joined. What is fed at each place, "
    "what is asked for there, and how much does it weigh? The words that are asked "
    "for share ⅛ evenly, the picture's tokens ⅞. Where is the first picture token "
    "asked for?",
    compute=_joined,
    tables={
        "words": Table("The words' ids", columns=NAMES),
        "tokens": Table("The picture's tokens", columns=("1", "2", "3", "4")),
        "input": Table(
            "Input",
            columns=PLACES,
            blanks=((0, 4), (0, 5), (0, 6)),
            look="the words come first; then each token of the picture, and the "
            "number of words more.",
            slack=0.0,
        ),
        "target": Table(
            "Target",
            columns=PLACES,
            blanks=tuple((0, place) for place in range(1, 7)),
            look="what stands one place further on, whichever language it is in.",
            slack=0.0,
        ),
        "weights": Table(
            "Weight",
            columns=PLACES,
            blanks=tuple((0, place) for place in range(7)),
            look="is a word asked for here, or a token of the picture? How many of "
            "its kind are asked for in all?",
        ),
    },
    mistakes={
        name: _wrong(name)
        for name in (
            "no offset",
            "offset in the input only",
            "offset and 1",
            "each part on its own",
            "not shifted",
            "weights of the input",
            "⅛ and ⅞ exchanged",
            "each the whole share",
            "all alike",
        )
    },
)
