"""Sentences: what one says, how English writes it, and how Korean does."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from qkv.data.kinds import Example
from qkv.data.text.grammar.hangul import particle
from qkv.data.text.grammar.lexicon import (
    EVERY_DAY,
    HONORIFIC_TOPIC,
    MY,
    NOT,
    NUMERALS,
    OUR,
    PLURAL,
    YESTERDAY,
    Adjective,
    Noun,
    Verb,
)

SUBJECT, OBJECT = "subject", "object"
Piece = tuple[str, str]  # some text, and the field that it is a part of, or ""


@dataclass(frozen=True)
class Phrase:
    """A subject or an object: a noun, and what stands before it in English.

    ``determiner`` is "the", "a", "my", a numeral, or "" where there is none.
    """

    noun: Noun
    determiner: str = ""
    plural: bool = False
    adjective: Adjective | None = None

    @property
    def numeral(self) -> str:
        """The Korean numeral, or "". "A cup of milk" is one cup of it."""
        of_cups = self.determiner == "a" and self.noun.kind == "drink"
        return NUMERALS["one"] if of_cups else NUMERALS.get(self.determiner, "")

    @property
    def is_new(self) -> bool:
        """Whether it is spoken of for the first time: a cat, two cats."""
        return self.determiner == "a" or self.determiner in NUMERALS

    @property
    def is_all(self) -> bool:
        """Whether all of a kind are spoken of: cats."""
        return self.plural and not self.determiner

    @property
    def owner(self) -> str:
        """The Korean of "my", or ""."""
        if self.determiner != "my":
            return ""
        return OUR if self.noun.kind == "elder" else MY

    @property
    def takes_plural(self) -> bool:
        """Whether 들 is written.

        Not after a numeral, which says it already, not for things, and not for all
        animals of a kind. People always take it.
        """
        kind = self.noun.kind
        marked = kind == "person" or (kind == "animal" and not self.is_all)
        return self.plural and marked and not self.numeral

    def marker(self, role: str, after: str) -> str:
        """Return the particle: topic for what is known, subject for what is new."""
        if role == OBJECT:
            return particle(after, "object")
        if self.noun.kind == "elder":
            return HONORIFIC_TOPIC
        return particle(after, "subject" if self.is_new else "topic")

    def english(self, role: str) -> Iterator[Piece]:
        """Yield the English words."""
        if role == OBJECT and self.noun.kind == "pronoun":
            yield self.noun.objective, role
            return
        words = list(self._after_determiner(role))
        if self.determiner:
            word = self.determiner
            field = f"{role} owner" if word == "my" else f"{role} number"
            if word == "a" and words[0][0][0] in "aeiou":
                word = "an"
            yield word, field if self.numeral or self.owner else ""
        yield from words

    def _after_determiner(self, role: str) -> Iterator[Piece]:
        if self.numeral and self.noun.kind == "drink":
            one = self.determiner in ("a", "one")
            yield "cup" if one else "cups", f"{role} counter"
            yield "of", ""
        if self.adjective:
            yield self.adjective.english, f"{role} adjective"
        yield self.noun.plural if self.plural else self.noun.english, role

    def korean(self, role: str) -> Iterator[tuple[Piece, ...]]:
        """Yield the Korean words; the last of them takes the particle."""
        if self.owner:
            yield ((self.owner, f"{role} owner"),)
        if self.adjective:
            yield ((self.adjective.korean, f"{role} adjective"),)
        noun = (self.noun.korean, role)
        if self.numeral:
            yield (noun,)
            yield ((self.numeral, f"{role} number"),)
            counter = self.noun.counter
            # only drinks name in English what is counted: cups
            field = f"{role} counter" if self.noun.kind == "drink" else ""
            yield (counter, field), (self.marker(role, counter), "")
        elif self.takes_plural:
            yield noun, (PLURAL, ""), (self.marker(role, PLURAL), "")
        else:
            yield noun, (self.marker(role, self.noun.korean), "")


@dataclass(frozen=True)
class Sentence:
    """Who did what to whom, and when. ``timed`` is "yesterday" or "every day"."""

    subject: Phrase
    verb: Verb
    object: Phrase
    in_past: bool = False
    negated: bool = False
    timed: bool = False

    @property
    def honouring(self) -> bool:
        """Whether the verb honours its subject."""
        return self.subject.noun.kind == "elder"

    @property
    def pair(self) -> tuple[str, str]:
        """The Korean stem and object: "love" and "like" are the same verb in it."""
        return self.verb.stem, self.object.noun.korean

    @property
    def is_crowded(self) -> bool:
        """Whether both subject and object are counted, or both are described."""
        one, other = self.subject, self.object
        return bool(
            (one.numeral and other.numeral) or (one.adjective and other.adjective)
        )

    @property
    def words(self) -> tuple[str, ...]:
        """The English words."""
        return tuple(word for word, _ in self.english())

    @property
    def korean_verb(self) -> str:
        """The verb as the Korean sentence ends with it."""
        return self.verb.form(in_past=self.in_past, honouring=self.honouring)

    def english(self) -> Iterator[Piece]:
        """Yield the English words, each with its field."""
        yield from self.subject.english(SUBJECT)
        yield from self._english_verb()
        yield from self.object.english(OBJECT)
        if self.timed and self.in_past:
            yield "yesterday", "time"
        elif self.timed:
            yield from (("every", "time"), ("day", "time"))

    def _english_verb(self) -> Iterator[Piece]:
        plain, third, past = self.verb.english
        is_third = not self.subject.plural and self.subject.noun.kind != "pronoun"
        if self.negated:
            yield "did" if self.in_past else "does" if is_third else "do", ""
            yield "not", "not"
            yield plain, "verb"
        else:
            yield past if self.in_past else third if is_third else plain, "verb"
        if self.verb.link:
            yield self.verb.link, "verb"

    def korean(self) -> Iterator[tuple[Piece, ...]]:
        """Yield the Korean words, each cut up where its field changes."""
        yield from self.subject.korean(SUBJECT)
        if self.timed:
            yield ((YESTERDAY if self.in_past else EVERY_DAY, "time"),)
        yield from self.object.korean(OBJECT)
        if self.negated:
            yield ((NOT, "not"),)
        form, stem = self.korean_verb, self.verb.stem_of(honouring=self.honouring)
        yield (form[: len(stem)], "verb"), (form[len(stem) :], "")

    def example(self) -> Example:
        """Return the sentence in English words and Korean syllables, with fields."""
        words, source_fields = zip(*self.english(), strict=True)
        pieces = chain.from_iterable((*word, (" ", "")) for word in self.korean())
        target, target_fields = zip(*_syllables(pieces), strict=True)
        return Example(words, target[:-1], source_fields, target_fields[:-1])


def check(sentence: Sentence) -> None:
    """Refuse a sentence that is not of the grammar: its Korean would be doubtful.

    Raises
    ------
    ValueError
        The message says which words do not go together.
    """
    _check_phrase(sentence.subject)
    _check_phrase(sentence.object)
    _check_roles(sentence)
    _check_time(sentence)


def _check_phrase(phrase: Phrase) -> None:
    noun, determiner = phrase.noun, phrase.determiner
    if noun.kind == "pronoun":
        _check_pronoun(phrase)
    elif noun.kind == "elder":
        _check_elder(phrase)
    elif not determiner and noun.plural and not phrase.plural:
        raise ValueError(
            f"{noun.english!r} needs a word before it, such as 'the', or the plural "
            f"{noun.plural!r}"
        )
    elif determiner in NUMERALS and not noun.counter:
        raise ValueError(f"{noun.english!r} is not counted in this grammar")
    elif determiner == "a" and not noun.plural and not noun.counter:
        raise ValueError(f"{noun.english!r} takes no 'a'; write 'the' or nothing")
    if phrase.adjective and noun.english not in phrase.adjective.nouns:
        raise ValueError(
            f"{phrase.adjective.english!r} goes with "
            f"{_listed(phrase.adjective.nouns)} in this grammar, not with "
            f"{noun.english!r}"
        )


def _check_pronoun(phrase: Phrase) -> None:
    before = phrase.determiner or (phrase.adjective and phrase.adjective.english)
    if before:
        raise ValueError(f"{phrase.noun.english!r} takes no {before!r} before it")


def _check_elder(phrase: Phrase) -> None:
    name = phrase.noun.english
    allowed = ("the", "my") if name == "teacher" else ("", "my")
    if phrase.determiner not in allowed:
        either = " or ".join(repr(f"{word} {name}".strip()) for word in allowed)
        raise ValueError(f"{name!r} is written {either} in this grammar")
    if phrase.adjective:
        raise ValueError(f"{name!r} takes no adjective in this grammar")


def _check_roles(sentence: Sentence) -> None:
    subject, target, verb = sentence.subject.noun, sentence.object.noun, sentence.verb
    if not subject.animate:
        raise ValueError(f"{subject.english!r} can't {verb.english[0]} anything")
    if target.kind == "elder":
        raise ValueError(
            f"{target.english!r} is only a subject in this grammar: an object that is "
            "honoured takes other verbs"
        )
    if target.english not in verb.objects:
        instead = "; write 'like'" if _is_love_of_people(sentence) else ""
        raise ValueError(
            f"{verb.name!r} goes with {_listed(verb.objects)} in this grammar, not "
            f"with {target.objective!r}{instead}"
        )
    if subject.kind == target.kind == "pronoun" and _overlap(subject, target):
        raise ValueError(
            f"{subject.english!r} and {target.objective!r} speak of the same person, "
            "which Korean says in another way"
        )


def _check_time(sentence: Sentence) -> None:
    if sentence.timed and sentence.verb.state:
        raise ValueError(f"{sentence.verb.name!r} takes no time in this grammar")
    if sentence.timed and sentence.negated and not sentence.in_past:
        raise ValueError(
            "'not ... every day' can mean never, or not always; leave one of them out"
        )
    if sentence.in_past and sentence.subject.is_all:
        name = sentence.subject.noun.plural
        raise ValueError(
            f"{name!r} alone speaks of all {name}, and takes the present; write "
            f"'the {name}'"
        )


def _is_love_of_people(sentence: Sentence) -> bool:
    return sentence.verb.name == "love" and sentence.object.noun.kind in (
        "pronoun",
        "person",
    )


def _overlap(one: Noun, other: Noun) -> bool:
    return one == other or {one.english, other.english} == {"I", "we"}


def _listed(words: Iterable[str]) -> str:
    shown = [{"I": "me", "we": "us"}.get(word, word) for word in words]
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def _syllables(pieces: Iterable[Piece]) -> Iterator[Piece]:
    for text, field in pieces:
        for syllable in text:
            yield syllable, field
