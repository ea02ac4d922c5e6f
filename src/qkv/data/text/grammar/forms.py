"""All forms that the grammar writes, as tables for a native reader to check."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from qkv.data.text.grammar.lexicon import (
    ADJECTIVES,
    ANIMALS,
    DRINKS,
    ELDERS,
    FOOD,
    NOT,
    NOUNS,
    NUMERALS,
    PEOPLE,
    PRONOUNS,
    THINGS,
    VERBS,
    Adjective,
    Noun,
    Verb,
)
from qkv.data.text.grammar.sentences import OBJECT, SUBJECT, Phrase

T = TypeVar("T")


@dataclass(frozen=True)
class FormTable:
    """A title, the names of the columns, and the rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        """Return the table in Markdown."""
        lines = [self.columns, ("---",) * len(self.columns), *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def forms() -> tuple[FormTable, ...]:
    """Return all forms, a table for each kind of word.

    Examples
    --------
    >>> print(*forms()[0].rows, sep="\\n")
    ('I', '나는', '나를')
    ('you', '너는', '너를')
    ('we', '우리는', '우리를')
    """
    living = "English, the …: topic, a …: subject, object, plural, all of them, my …"
    return (
        _table("Pronouns", "English, topic, object", _pronoun, PRONOUNS),
        _table("The honoured", "English, topic, my …", _elder, ELDERS),
        _table("People and animals", f"{living}, counted", _living, PEOPLE + ANIMALS),
        _table(
            "Food, drinks and things",
            "English, object, my …, counted",
            _lifeless,
            FOOD + DRINKS + THINGS,
        ),
        _table(
            "Adjectives",
            "English, dictionary, before a noun, the nouns",
            _adjective,
            ADJECTIVES,
        ),
        _table(
            "Verbs",
            "English, dictionary, present, past, honouring, honouring in the past",
            _verb,
            VERBS,
        ),
        _table(
            "Verbs and their objects",
            "English, objects, verb, denied",
            _with_objects,
            VERBS,
        ),
    )


def _table(
    title: str, columns: str, row: Callable[[T], tuple[str, ...]], each: Iterable[T]
) -> FormTable:
    return FormTable(title, tuple(columns.split(", ")), tuple(map(row, each)))


def _write(phrase: Phrase, role: str) -> str:
    words = phrase.korean(role)
    return " ".join("".join(text for text, _ in word) for word in words)


def _pronoun(noun: Noun) -> tuple[str, ...]:
    phrase = Phrase(noun)
    return noun.english, _write(phrase, SUBJECT), _write(phrase, OBJECT)


def _elder(noun: Noun) -> tuple[str, ...]:
    alone, mine = (_write(Phrase(noun, word), SUBJECT) for word in ("", "my"))
    return noun.english, alone, mine


def _living(noun: Noun) -> tuple[str, ...]:
    the, new = (_write(Phrase(noun, word), SUBJECT) for word in ("the", "a"))
    some = Phrase(noun, "the", plural=True), Phrase(noun, plural=True)
    return (
        f"{noun.english}, {noun.plural}",
        the,
        new,
        _write(Phrase(noun, "the"), OBJECT),
        *(f"{_write(all_, SUBJECT)}, {_write(all_, OBJECT)}" for all_ in some),
        _write(Phrase(noun, "my"), SUBJECT) if noun.owned else "",
        _counted(noun, SUBJECT),
    )


def _lifeless(noun: Noun) -> tuple[str, ...]:
    return (
        ", ".join(filter(None, (noun.english, noun.plural))),
        _write(Phrase(noun, "the"), OBJECT),
        _write(Phrase(noun, "my"), OBJECT) if noun.owned else "",
        _counted(noun, OBJECT) if noun.counter else "",
    )


def _counted(noun: Noun, role: str) -> str:
    return ", ".join(_write(Phrase(noun, each), role) for each in NUMERALS)


def _adjective(adjective: Adjective) -> tuple[str, ...]:
    nouns = [noun.korean for noun in NOUNS if noun.english in adjective.nouns]
    dictionary = f"{adjective.stem}다"
    return adjective.english, dictionary, adjective.korean, ", ".join(nouns)


def _verb(verb: Verb) -> tuple[str, ...]:
    written = (
        verb.form(in_past=in_past, honouring=honouring)
        for honouring in (False, True)
        for in_past in (False, True)
    )
    return verb.name, f"{verb.stem}다", *written


def _with_objects(verb: Verb) -> tuple[str, ...]:
    objects = [noun for noun in NOUNS if noun.english in verb.objects]
    form = verb.form(in_past=True, honouring=False)
    written = ", ".join(_write(Phrase(noun), OBJECT) for noun in objects)
    return verb.name, written, form, f"{NOT} {form}"
