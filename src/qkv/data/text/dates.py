"""Dates in a dozen English formats, to be written in Korean, from CLDR's own data."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from itertools import chain

import torch

from qkv.data.kinds import Example
from qkv.data.text.corpus import PairCorpus, Vocabulary

__all__ = ["KoreanDates"]

FIRST, LAST = date(1950, 1, 1), date(2049, 12, 31)
HELD_OUT_EVERY = 19  # no divisor in common with a week, a month or a year
UNIT = re.compile("(월|요일)$")  # CLDR counts them among the month and the weekday
FIELDS = {"y": "year", "M": "month", "d": "day", "E": "weekday"}


@dataclass(frozen=True)
class DateFormat:
    """One way to write a date: a locale and a CLDR pattern.

    ``style`` is CLDR's name for a pattern of the locale (``"long"``), or a pattern:
    ``y`` year, ``M`` month, ``d`` day, ``E`` weekday, repeated as CLDR does.
    """

    locale: str
    style: str

    @cached_property
    def pattern(self) -> str:
        """The CLDR pattern, such as ``"EEEE, d MMMM y"``."""
        from babel import Locale

        named = Locale.parse(self.locale).date_formats.get(self.style)
        return self.style if named is None else named.pattern

    @cached_property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The pattern cut up, each part with its field, or with none: a separator."""
        from babel.dates import tokenize_pattern

        return tuple(
            (value, "")
            if isinstance(value, str)
            else (value[0] * value[1], FIELDS[value[0]])
            for _, value in tokenize_pattern(self.pattern)
        )

    @property
    def names_weekday(self) -> bool:
        """Whether the weekday is written."""
        return any(field == "weekday" for _, field in self.parts)

    def write(self, day: date) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the characters of ``day`` and the field each is a part of."""
        pieces = [
            _pieces(self.locale, part)[_value(field, day)]
            if field
            else (tuple(part), ("",) * len(part))
            for part, field in self.parts
        ]
        characters, fields = zip(*pieces, strict=True)
        return tuple(chain(*characters)), tuple(chain(*fields))

    def read(self, text: str) -> dict[str, int] | None:
        """Return the value of each field written, or None if this is another format."""
        found = re.fullmatch(self._expression, text, re.IGNORECASE)
        if found is None:
            return None
        return {
            field: _value_of(found[field], _texts(self.locale, part))
            for part, field in self.parts
            if field
        }

    @cached_property
    def _expression(self) -> str:
        expression = ""
        for part, field in self.parts:
            texts = _texts(self.locale, part).values() if field else [part]
            either = "|".join(map(re.escape, texts))
            expression += f"(?P<{field}>{either})" if field else either
        return expression


ENGLISH = (
    DateFormat("en_US", "full"),
    DateFormat("en_US", "long"),
    DateFormat("en_US", "medium"),
    DateFormat("en_GB", "full"),
    DateFormat("en_GB", "long"),
    DateFormat("en_GB", "medium"),
    DateFormat("en_IE", "full"),
    DateFormat("en_ZA", "full"),
    DateFormat("en_BZ", "medium"),
    DateFormat("en_CA", "y-MM-dd"),
    DateFormat("en_US", "EEE, MMM d, y"),
    DateFormat("en_GB", "EEE d MMM y"),
)
KOREAN, KOREAN_WITH_WEEKDAY = DateFormat("ko", "long"), DateFormat("ko", "full")


class KoreanDates(PairCorpus):
    """English dates in a dozen formats, written in Korean.

    Every day from 1950 to 2049 occurs once, in a format that the seed decides. Each
    19th day is held out, whatever the seed, so that no model has been trained on a
    held-out date in any format. Tokens are characters. Formats in which day and month
    could be mistaken for each other are left out; the Korean names the weekday where
    the English does.

    The truth of the alignment is the field: year, month, day or weekday. A character
    is a part of a field where CLDR's pattern says so; separators, and the units 년, 월,
    일 and 요일, are parts of none: they are the same in every date, so that nothing has
    to be looked up to write them.

    Examples
    --------
    >>> dates = KoreanDates()
    >>> example = dates.parse("Saturday, 21 November 2026")
    >>> "".join(example.target)
    '2026년 11월 21일 토요일'
    >>> example.target_fields[4:9]
    ('', '', 'month', 'month', '')
    """

    def __init__(self, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        days = (LAST - FIRST).days + 1
        formats = torch.randint(len(ENGLISH), (days,), generator=generator).tolist()
        self.train, self.held_out = [], []
        for offset in torch.randperm(days, generator=generator).tolist():
            side = self.train if offset % HELD_OUT_EVERY else self.held_out
            day = FIRST + timedelta(days=offset)
            side.append(write_example(day, ENGLISH[formats[offset]]))
        self.source_vocab = Vocabulary(_characters(*ENGLISH))
        self.target_vocab = Vocabulary(_characters(KOREAN_WITH_WEEKDAY))

    def parse(self, text: str) -> Example:
        """Return the example of a date typed in one of the formats.

        Raises
        ------
        ValueError
            If the text is in none of the formats, is no date, is before 1950 or after
            2049, or names another weekday than the date's.
        """
        for style in ENGLISH:
            found = style.read(text.strip())
            if found:
                return write_example(_to_date(found, text.strip()), style)
        shown = "; ".join("".join(s.write(date(2026, 11, 7))[0]) for s in ENGLISH)
        raise ValueError(
            f"{text!r} is in none of the formats of 1950 to 2049. They are: {shown}"
        )

    def source_of(self, text: str) -> tuple[str, ...]:
        """Return the characters of a date typed in one of the formats."""
        return self.parse(text).source


def write_example(day: date, style: DateFormat) -> Example:
    """Return ``day`` in an English format and in Korean, with the field of each."""
    source, source_fields = style.write(day)
    korean = KOREAN_WITH_WEEKDAY if style.names_weekday else KOREAN
    target, target_fields = korean.write(day)
    return Example(source, target, source_fields, target_fields)


def _to_date(found: dict[str, int], text: str) -> date:
    try:
        day = date(found["year"], found["month"], found["day"])
    except ValueError:
        raise ValueError(f"{text!r}: that month has no day {found['day']}") from None
    if found.get("weekday", day.weekday()) != day.weekday():
        right = _texts("en_US", "EEEE")[day.weekday()]
        raise ValueError(f"{text!r} names the wrong weekday: that day is a {right}")
    return day


@cache
def _texts(locale: str, letters: str) -> dict[int, str]:
    """How a field is written, for each of its values."""
    from babel.dates import format_date

    field = FIELDS[letters[0]]
    days = {
        "year": [date(year, 1, 1) for year in range(FIRST.year, LAST.year + 1)],
        "month": [date(2000, month, 1) for month in range(1, 13)],
        "day": [date(2000, 1, day) for day in range(1, 32)],
        "weekday": [date(2000, 1, 3 + weekday) for weekday in range(7)],
    }[field]
    return {_value(field, day): format_date(day, letters, locale) for day in days}


@cache
def _pieces(
    locale: str, letters: str
) -> dict[int, tuple[tuple[str, ...], tuple[str, ...]]]:
    """The characters of each value of a field, and what each of them is a part of."""
    field = FIELDS[letters[0]]
    return {
        value: (tuple(text), tuple(_fields_of(text, field)))
        for value, text in _texts(locale, letters).items()
    }


def _value(field: str, day: date) -> int:
    return day.weekday() if field == "weekday" else getattr(day, field)


def _value_of(text: str, texts: dict[int, str]) -> int:
    return next(v for v, written in texts.items() if written.lower() == text.lower())


def _fields_of(text: str, field: str) -> list[str]:
    body = UNIT.sub("", text)
    return [field] * len(body) + [""] * (len(text) - len(body))


def _characters(*formats: DateFormat) -> list[str]:
    """Every character that a date in one of the formats can hold, sorted."""
    texts = [
        text
        for style in formats
        for part, field in style.parts
        for text in (_texts(style.locale, part).values() if field else [part])
    ]
    return sorted(set("".join(texts)))
