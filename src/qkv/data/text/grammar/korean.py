"""Taking a Korean sentence apart, right or wrong, word by word."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from qkv.data.text.grammar.hangul import PARTICLES
from qkv.data.text.grammar.lexicon import (
    ADJECTIVES,
    EVERY_DAY,
    HONORIFIC_TOPIC,
    MY,
    NOT,
    NOUNS,
    NUMERALS,
    OUR,
    PLURAL,
    VERBS,
    YESTERDAY,
)

ROLES = {marker: role for role, markers in PARTICLES.items() for marker in markers}
ROLES |= {HONORIFIC_TOPIC: "topic", "께서": "subject"}
COUNTERS = sorted({noun.counter for noun in NOUNS if noun.counter})
KOREAN_NOUNS = sorted({noun.korean for noun in NOUNS}, key=len, reverse=True)
_ALONE = {
    **dict.fromkeys((YESTERDAY, EVERY_DAY), "time"),
    NOT: "not",
    **dict.fromkeys((MY, OUR), "owner"),
    **dict.fromkeys((adjective.korean for adjective in ADJECTIVES), "adjective"),
    **dict.fromkeys(NUMERALS.values(), "numeral"),
}


@dataclass(frozen=True)
class Form:
    """What a form of a verb says: "드셔" is a present of 먹 and of 마시, honouring."""

    stem: str
    in_past: bool
    honouring: bool


@dataclass(frozen=True)
class Word:
    """A word: its kind, its body (the noun, without 들), and its particle."""

    text: str
    kind: str
    body: str = ""
    plural: bool = False
    marker: str = ""

    @property
    def before_marker(self) -> str:
        """What the particle has to fit."""
        return self.text.removesuffix(self.marker)


@dataclass(frozen=True)
class Found:
    """A part of the sentence: a subject, an object, a time, 안, a verb.

    A noun without a particle is a "bare" part, what has no place is "stray".
    """

    label: str
    words: tuple[Word, ...]

    def body(self, kind: str) -> str:
        """Return the body of the word of a kind, or ""."""
        return next((word.body for word in self.words if word.kind == kind), "")

    @property
    def head(self) -> Word:
        """The word that carries the particle."""
        return self.words[-1]

    @property
    def noun(self) -> Word | None:
        """The noun."""
        return next((word for word in self.words if word.kind == "noun"), None)

    def __str__(self) -> str:
        """Return the words as they are written."""
        return " ".join(word.text for word in self.words)


@cache
def verb_forms() -> dict[str, tuple[Form, ...]]:
    """Return every form of every verb, with what it says."""
    forms: dict[str, tuple[Form, ...]] = {}
    for verb in VERBS:
        for in_past in (False, True):
            for honouring in (False, True):
                text = verb.form(in_past=in_past, honouring=honouring)
                said = Form(verb.stem, in_past, honouring)
                forms[text] = tuple(dict.fromkeys((*forms.get(text, ()), said)))
    return forms


def parts(text: str) -> list[Found]:
    """Return the parts of a Korean sentence, in its own order.

    Examples
    --------
    >>> for part in parts("고양이 두 마리가 우유를 마셨어"):
    ...     print(part.label, part, sep=": ")
    subject: 고양이 두 마리가
    object: 우유를
    verb: 마셨어
    """
    return list(_grouped(list(_words(text))))


def _words(text: str) -> Iterator[Word]:
    before = ""
    for each in text.split():
        word = _word(each, after_numeral=before == "numeral")
        before = word.kind
        yield word


def _word(text: str, *, after_numeral: bool) -> Word:
    if text in verb_forms():
        return Word(text, "verb", text)
    if text in _ALONE and not after_numeral:
        return Word(text, _ALONE[text], text)
    bodies = [(body, "noun") for body in KOREAN_NOUNS]
    counters = [(body, "counter") for body in COUNTERS]
    # 개 is a dog, and counts apples
    for body, kind in counters + bodies if after_numeral else bodies + counters:
        word = _with_particle(text, body, kind)
        if word:
            return word
    return Word(text, _ALONE.get(text, "unknown"), text)


def _with_particle(text: str, body: str, kind: str) -> Word | None:
    if not text.startswith(body):
        return None
    rest = text[len(body) :]
    plural = kind == "noun" and rest.startswith(PLURAL)
    marker = rest.removeprefix(PLURAL) if plural else rest
    if marker and marker not in ROLES:
        return None
    return Word(text, kind, body, plural, marker)


def _grouped(words: list[Word]) -> Iterator[Found]:
    place = 0
    while place < len(words):
        size = _phrase_size(words[place:])
        if size:
            group = tuple(words[place : place + size])
            role = ROLES.get(group[-1].marker, "bare")
            yield Found("object" if role == "object" else _as_subject(role), group)
        else:
            yield _alone(words[place])
        place += size or 1


def _as_subject(role: str) -> str:
    return "bare" if role == "bare" else "subject"


def _phrase_size(words: list[Word]) -> int:
    """How many words at the beginning are a phrase: 내 하얀 고양이 두 마리가."""
    kinds = [word.kind for word in words]
    size = 0
    for before in ("owner", "adjective"):
        size += kinds[size : size + 1] == [before]
    if kinds[size : size + 1] != ["noun"]:
        return 0
    if words[size].marker or kinds[size + 1 : size + 2] != ["numeral"]:
        return size + 1
    return size + 2 + (kinds[size + 2 : size + 3] == ["counter"])


def _alone(word: Word) -> Found:
    if word.kind == "owner" and word.text == OUR:  # 우리, without its particle
        return Found("bare", (replace(word, kind="noun"),))
    known = word.kind in ("time", "not", "verb", "unknown")
    return Found(word.kind if known else "stray", (word,))
