"""The parts of Korean syllables by hand, from their numbers in Unicode."""

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table
from qkv.checking.exercise import Mistake

SYLLABLES = ("고", "양", "곰")
FIRST, FINALS, VOWELS = 0xAC00, 28, 21


def _parted(first: int = FIRST) -> dict[str, Tensor]:
    codes = torch.tensor([ord(s) for s in SYLLABLES])
    index = codes - first
    return {
        "codes": codes,
        "index": index,
        "final": index % FINALS,
        "vowel": index // FINALS % VOWELS,
        "four": codes % 4,
    }


BY_HAND = ByHand(
    id="9.b",
    title="A syllable is a number",
    minutes=8,
    difficulty=2,
    decimals=0,
    task="The number of a Korean syllable is 44032 + (21 · initial + vowel) · 28 + "
    "final. Here are three of them. Which final consonant has each (0 is none, 16 is "
    "ㅁ, 21 is ㅇ), and which vowel (2 is ㅑ, 8 is ㅗ)? The last row is all that the "
    "last byte of UTF-8 tells about the final: the number's remainder by 4.",
    compute=_parted,
    tables={
        "codes": Table("Number in Unicode", columns=SYLLABLES),
        "index": Table(
            "Less 44032",
            columns=SYLLABLES,
            blanks=...,
            look="counted from the first syllable, 가, which is 0.",
        ),
        "final": Table(
            "Final: the remainder by 28",
            columns=SYLLABLES,
            blanks=...,
            look="how much is left when the largest multiple of 28 is taken away?",
        ),
        "vowel": Table(
            "Vowel: the quotient by 28, and of it the remainder by 21",
            columns=SYLLABLES,
            blanks=...,
            look="divide by 28 and drop the rest; then see what is left by 21.",
        ),
        "four": Table(
            "Remainder of the number by 4",
            columns=SYLLABLES,
            blanks=...,
            look="the last two digits of the number decide.",
        ),
    },
    mistakes={
        "not counted from 가": Mistake(
            "44032 has not been taken away: the syllables are counted from 가, which "
            "is 0",
            lambda: {k: v for k, v in _parted(0).items() if k != "codes"},
        ),
        "final and vowel exchanged": Mistake(
            "final and vowel are exchanged: the final is what is left by 28, the "
            "vowel is in the quotient",
            lambda: {"final": _parted()["vowel"], "vowel": _parted()["final"]},
        ),
        "remainder by 21": Mistake(
            "this is the remainder by 21 of the whole number: there are 28 finals, "
            "none among them, and they come first. Divide by 28 before that",
            lambda: {
                "final": _parted()["index"] % VOWELS,
                "vowel": _parted()["index"] % VOWELS,
            },
        ),
        "quotient": Mistake(
            "this is the quotient; of it, the remainder by 21 is the vowel, and the "
            "rest is the initial",
            lambda: {"vowel": _parted()["index"] // FINALS},
        ),
        "counted from one": Mistake(
            "everything is counted from 0: the first syllable, the first vowel, and "
            "no final at all",
            lambda: {
                "index": _parted()["index"] + 1,
                "final": _parted()["final"] + 1,
                "vowel": _parted()["vowel"] + 1,
            },
        ),
    },
)
