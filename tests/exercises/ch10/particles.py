"""Other right answers to "과 or 와, 이 or 가"."""

import unicodedata

from qkv.data.text.grammar.hangul import final_consonant


def particles_by_a_remainder(word):
    final = (ord(word[-1]) - 0xAC00) % 28
    return ("과", "이") if final else ("와", "가")


def particles_by_the_letters(word):
    letters = unicodedata.normalize("NFD", word[-1])
    return ["와과"[len(letters) == 3], "가이"[len(letters) == 3]]


def particles_by_the_grammar(word):
    return tuple(pair[not final_consonant(word)] for pair in ("과와", "이가"))


ALTERNATIVES = (
    particles_by_a_remainder,
    particles_by_the_letters,
    particles_by_the_grammar,
)
