"""Two words and four picture tokens as one sentence, by hand."""

from collections.abc import Callable
from functools import partial
from itertools import product

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
GIVEN = ((0, 0), (1, 0), (2, 0), (3, 0), (0, 1))
HOLES = tuple(sorted({*product(range(7), range(3))} - {*GIVEN}))
NAMES = ("<bos>", "red", "circle", "<eos>")


def _joined(join: Callable = one_sentence) -> dict[str, Tensor]:
    places = torch.cat(join(WORDS, TOKENS, OFFSET))
    return {"words": WORDS, "tokens": TOKENS, "places": places.T}


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
        "places": Table(
            "The sentence, place by place",
            rows=PLACES,
            columns=("input", "target", "weight"),
            blanks=HOLES,
            look="the input has the words first, then each token and the number of "
            "words more. The target is what stands one place further on. The weight "
            "belongs to what is asked for: how many of its kind are asked for in all?",
        ),
    },
    mistakes={
        name: _wrong(name)
        for name in (
            "no offset",
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
