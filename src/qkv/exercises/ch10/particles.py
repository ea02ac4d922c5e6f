"""Which particles a Korean word takes, by arithmetic."""

from collections.abc import Callable
from functools import partial

from qkv.checking.exercise import Exercise, Mistake

FIRST = 0xAC00  # 가


def particles(word: str) -> tuple[str, str]:
    return _by(_final, word)


def _by(has_final: Callable, word: str) -> tuple[str, str]:
    return ("과", "이") if has_final(word) else ("와", "가")


def _final(word: str) -> int:
    return (ord(word[-1]) - FIRST) % 28


def _exchanged(word):
    return _by(lambda w: not _final(w), word)


def _joined_wrongly(word):
    return _exchanged(word)[0], particles(word)[1]


def _with_the_wrong_subject(word):
    return particles(word)[0], _exchanged(word)[1]


EXERCISE = Exercise(
    id="10.7",
    title="과 or 와, 이 or 가",
    minutes=6,
    difficulty=1,
    reference=particles,
    results=("join", "subject"),
    cases={
        f"{word}": partial(lambda word: (word,), word)
        for word in (
            "원",
            "네모",
            "별",
            "고리",
            "동그라미",
            "사각형",
            "책",
            "값",
            "바다",
            "외곬",  # its number and 28: no remainder unless 0xAC00 is subtracted
        )
    },
    mistakes={
        "exchanged": Mistake(
            "the particles have been exchanged: 과 and 이 come after a consonant, 와 "
            "and 가 after a vowel",
            _exchanged,
        ),
        "one pair exchanged": Mistake(
            "이 and 가 are right, but 과 and 와 have changed places. Dictionaries list "
            "“와/과” with the vowel's form first, and “이/가” with the consonant's",
            _joined_wrongly,
        ),
        "the other pair exchanged": Mistake(
            "과 and 와 are right, but 이 and 가 have changed places: 이 comes after a "
            "consonant, as 과 does",
            _with_the_wrong_subject,
        ),
        "always a consonant": Mistake(
            "every word has got 과 and 이, as if all ended in a consonant",
            partial(_by, lambda word: True),
        ),
        "always a vowel": Mistake(
            "every word has got 와 and 가, as if all ended in a vowel",
            partial(_by, lambda word: False),
        ),
        "ㄹ as a vowel": Mistake(
            "a final ㄹ has been taken for a vowel. That is the rule of 로 and 으로; "
            "with 과 and 이 it is a consonant like any other: 별과, 별이",
            partial(_by, lambda word: _final(word) not in (0, 8)),
        ),
        "the first syllable": Mistake(
            "the first syllable has been asked; the particle follows the last one",
            partial(_by, lambda word: _final(word[0])),
        ),
        "any syllable": Mistake(
            "a word has been taken to end in a consonant if any of its syllables does; "
            "the last one alone decides",
            partial(_by, lambda word: any(map(_final, word))),
        ),
        "not from 0xAC00": Mistake(
            "0xAC00 has not been subtracted: the first syllable, 가, is to have the "
            "number 0, and 0xAC00 % 28 is 16",
            partial(_by, lambda word: ord(word[-1]) % 28),
        ),
        "by 21": Mistake(
            "the remainder has been taken by 21, the number of vowels; there are 28 "
            "finals, the empty one among them",
            partial(_by, lambda word: (ord(word[-1]) - FIRST) % 21),
        ),
        "by 27": Mistake(
            "the remainder has been taken by 27. There are 27 final consonants, and "
            "“none” is one more: 28",
            partial(_by, lambda word: (ord(word[-1]) - FIRST) % 27),
        ),
        "ㄱ alone": Mistake(
            "the final has been compared with 1, which is ㄱ; any number but 0 is a "
            "consonant",
            partial(_by, lambda word: _final(word) == 1),
        ),
    },
    hints=(
        "only the last syllable matters: word[-1], and its number ord(word[-1]).",
        "the finals are the innermost part of the number: subtract 0xAC00, and the "
        "remainder by 28 is the final. 0 is none.",
    ),
    trained=False,
)
