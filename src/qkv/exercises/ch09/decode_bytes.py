"""Byte tokens back to text."""

import re
from unicodedata import normalize

from qkv.checking.exercise import Exercise, Mistake


def decode(ids: list[int], tokens: list[bytes]) -> str:
    return joined(ids, tokens).decode("utf-8", errors="replace")


def joined(ids: list[int], tokens: list[bytes]) -> bytes:
    return b"".join(tokens[n] for n in ids)


def _each_alone(ids, tokens):
    return "".join(tokens[n].decode("utf-8", errors="replace") for n in ids)


TOKENS = [
    bytes([n]) for n in (0xEA, 0xB3, 0xA0, 0xEC, 0x96, 0x91, 0x9D, 0xB4, 0x20)
] + [
    "고".encode(),
    "양이".encode(),
    b" cat",
    b"s",
    "\u1100".encode(),
    "\u1161".encode(),
    b"  ",
    bytes([0xEA, 0xB3]),
]

EXERCISE = Exercise(
    id="9.6",
    title="From bytes to text",
    minutes=6,
    difficulty=2,
    reference=decode,
    cases={
        "a syllable in three tokens": lambda: ([0, 1, 2, 10], list(TOKENS)),
        "spaces before, between and after": lambda: ([11, 12, 15, 9, 8], list(TOKENS)),
        "letters of Korean in parts": lambda: ([13, 14, 9], list(TOKENS)),
        "cut in the middle of a syllable": lambda: ([9, 16], list(TOKENS)),
        "no token": lambda: ([], list(TOKENS)),
    },
    mistakes={
        "each token alone": Mistake(
            "each token has been decoded by itself: a syllable whose bytes stand in "
            "two tokens has become �. Join the bytes first, and decode once",
            _each_alone,
        ),
        "spaces stripped": Mistake(
            "spaces at the beginning or the end are gone: a tokenizer gives back "
            "exactly the text that it was given",
            lambda ids, tokens: decode(ids, tokens).strip(),
        ),
        "spaces brought to one": Mistake(
            "two spaces have become one, or those at the ends are gone: a tokenizer "
            "gives back exactly the text that it was given",
            lambda ids, tokens: " ".join(decode(ids, tokens).split()),
        ),
        "double spaces": Mistake(
            "two spaces in a row have become one: a tokenizer gives back exactly the "
            "text that it was given",
            lambda ids, tokens: re.sub(" +", " ", decode(ids, tokens)),
        ),
        "spaces between": Mistake(
            "a space has been put between the tokens; where there is one, it is a "
            "part of a token",
            lambda ids, tokens: b" ".join(tokens[n] for n in ids).decode(
                "utf-8", errors="replace"
            ),
        ),
        "errors ignored": Mistake(
            "bytes that are no character have been left out without a word "
            "(errors='ignore'). With errors='replace' the reader sees a � where "
            "something is missing",
            lambda ids, tokens: joined(ids, tokens).decode("utf-8", errors="ignore"),
        ),
        "latin-1": Mistake(
            "each byte has been taken for a character (latin-1): in UTF-8 a Korean "
            "syllable is three of them",
            lambda ids, tokens: joined(ids, tokens).decode("latin-1"),
        ),
        "composed": Mistake(
            "the text has been normalised (NFC). It looks the same, but its bytes are "
            "no longer those that were encoded",
            lambda ids, tokens: normalize("NFC", decode(ids, tokens)),
        ),
        "ids as characters": Mistake(
            "the ids have been read as characters: an id is a place in the list of "
            "tokens",
            lambda ids, tokens: "".join(map(chr, ids)),
        ),
    },
    hints=(
        "tokens[n] are the bytes of the token with id n.",
        'b"".join(...) puts bytes together; .decode("utf-8", errors="replace") makes '
        "text of them.",
    ),
    trained=False,
)
