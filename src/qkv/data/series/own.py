"""A reader's own series, from a text file with a row for each step."""

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from qkv.data.lines import read_lines
from qkv.data.series.kinds import Series

__all__ = ["read_series"]

LEAST = 20  # steps, so that there is something to train on, to validate and to test
SEPARATORS = "\t", ";", ","
MISSING = {"", "na", "n/a", "nan", "null", "none", "-", "."}
THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d*)?")
OF_MONTH = re.compile(r"\d{4}-\d{1,2}")
DAY_FIRST = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{4}.*")
# Numbers, unless they fill the first of several columns and rise: 20240701, 2024.07
COMPACT = re.compile(r"\d{4}(0[1-9]|1[0-2])\d\d|\d{4}\.(0[1-9]|1[0-2])")
LARGEST = torch.finfo(torch.float32).max
YEAR = re.compile(r"[12]\d{3}")
# Days of trading are uneven. Where steps are even, or of months, a long one is a gap.
REGULAR, MONTH, GAP = 0.9, timedelta(28), 1.8


class Row(NamedTuple):
    """A row of a file: where it stands, and its cells."""

    where: str
    cells: list[str]


def read_series(path: str | PathLike[str], *, fill: bool = False) -> dict[str, Series]:
    r"""Read a file of numbers, one row a step, the oldest first: a series each column.

    Columns are separated by commas, semicolons or tabs. A first row of names is read as
    such; a first column of dates (2024-07-01, 2024/07/01, 2024.07.01 or 20240701, with
    a time or without), months (2024-07) or years gives the dates. Blank lines, and
    those that begin with #, are passed over.

    Parameters
    ----------
    path : a UTF-8 file.
    fill : draw a straight line over each missing number, from the one before it to the
        one after it. The line knows what comes after: do not fill where you judge.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IsADirectoryError
        If it is a folder.
    ValueError
        If the file is not UTF-8, has fewer than 20 rows of numbers, or rows of
        different lengths; if a cell is no number, or is missing and not to be filled;
        if dates do not rise, or there is a gap between two of them. The message names
        the file, the line and the column.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> rows = [f"2024-07-{day:02},{20 + day % 7},{day}" for day in range(1, 29)]
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "july.csv")
    ...     _ = file.write_text("\n".join(["day,기온,visitors", *rows]), "utf-8")
    ...     series = read_series(file)
    >>> series["기온"]
    Series(기온: 28 steps, 16 to train on, 4 to validate, 8 to test)
    >>> list(series), series["visitors"].dates[-1]
    (['기온', 'visitors'], '2024-07-28')
    """
    rows = list(_rows(Path(path)))
    names, rows = _names(rows)
    if len(rows) < LEAST:
        raise ValueError(
            f"{path} has {len(rows)} rows of numbers, but a series needs {LEAST} or "
            "more, to train on, to validate and to test; give one row a step"
        )
    _check_width(names, rows)
    dates = _dates(rows)
    if dates:
        names, rows = names[1:], [Row(r.where, r.cells[1:]) for r in rows]
        if not names:
            raise ValueError(f"{path} has dates, but no column of numbers beside them")
    columns = zip(*(row.cells for row in rows), strict=True)
    where = [row.where for row in rows]
    return {
        name: Series(_numbers(name, cells, where, fill), name, dates)
        for name, cells in zip(names, columns, strict=True)
    }


def _rows(path: Path) -> Iterator[Row]:
    """Yield the cells of each line that has some."""
    lines = read_lines(
        path,
        folder="and a series is read from a file of numbers",
        line="is no row of numbers; put one step a line",
    )
    separator = None
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if separator is None:
            separator = next((s for s in SEPARATORS if s in line), ",")
        try:
            [cells] = csv.reader([line], delimiter=separator)
        except csv.Error as error:
            raise ValueError(
                f"{path}, line {number} is no row of numbers: {error}; look for a "
                "quotation mark that is not closed"
            ) from None
        yield Row(f"{path}, line {number}", [cell.strip() for cell in cells])


def _names(rows: list[Row]) -> tuple[list[str], list[Row]]:
    """Return the names of the columns, and the rows of numbers."""
    if not rows:
        return [], []
    first = rows[0].cells
    if not _are_names(first, rows[1].cells if len(rows) > 1 else []):
        return [f"column {n}" for n in range(1, len(first) + 1)], rows
    names = [name or f"column {n}" for n, name in enumerate(first, start=1)]
    twice = [name for name, often in Counter(names).items() if often > 1]
    if twice:
        raise ValueError(
            f"{rows[0].where}: {len(names)} columns, and {twice[0]!r} is the name of "
            "more than one; give each its own"
        )
    return names, rows[1:]


def _are_names(first: list[str], second: list[str]) -> bool:
    """Whether a row, the first of a file, is of names: text, not numbers or gaps.

    A name may be a whole number (date,2020,2021) beside text over a number or a date.
    """
    if any(_is_value(cell) and not cell.isdecimal() for cell in first):
        return False
    text = [not _is_value(cell) and cell.lower() not in MISSING for cell in first]
    over = zip(text, second, strict=False)
    return any(name and _is_value(cell) for name, cell in over) or (
        any(text) and not any(map(_is_value, first))
    )


def _is_value(cell: str) -> bool:
    return _number(cell) is not None or _day(cell) is not None


def _check_width(names: list[str], rows: list[Row]) -> None:
    for row in rows:
        if len(row.cells) != len(names):
            raise ValueError(
                f"{row.where} has {len(row.cells)} columns, but the first row "
                f"{len(names)}; give each row one cell for each column, and write a "
                "number with a decimal point and without commas: 1234.5"
            )


def _number(cell: str) -> float | None:
    """Return a number that float32 can hold, or None."""
    try:
        number = float(cell) if "_" not in cell else math.nan
    except ValueError:
        return None
    return number if abs(number) <= LARGEST else None  # and NaN is none


def _day(cell: str) -> datetime | None:
    """Return the time that a cell of a date or a month is, or None.

    Where it has an offset it is that of UTC: a clock that is changed makes no gap.
    """
    text = cell.rstrip(".").replace("/", "-")
    if OF_MONTH.fullmatch(text):
        text = f"{text}-01"
    if text.count("-") < 2:  # none of the dots is of a fraction of a second
        text = text.replace(".", "-", 2)
    if text.count("-") < 2:
        return None
    try:
        day = datetime.fromisoformat(text)
        return day.astimezone(UTC).replace(tzinfo=None) if day.tzinfo else day
    except (OverflowError, ValueError):
        pass
    try:  # 2024-7-1, and 2024. 7. 1 as in Korean
        return datetime.combine(date(*map(int, text.split("-"))), datetime.min.time())
    except (TypeError, ValueError):
        return None


def _are_years(rows: list[Row]) -> bool:
    """Whether the first of several columns has a year in each row, and counts on."""
    first = [row.cells[0] for row in rows]
    if len(rows[0].cells) == 1 or not all(map(YEAR.fullmatch, first)):
        return False
    return all(int(later) == int(year) + 1 for year, later in pairwise(first))


def _compact(rows: list[Row]) -> list[datetime] | None:
    """Return the days of a first column like 20240701, or months like 2024.07."""
    first = [row.cells[0] for row in rows]
    if len(rows[0].cells) == 1 or not all(map(COMPACT.fullmatch, first)):
        return None
    parted = [(c.replace(".", "") + "01")[:8] for c in first]
    days = [_day(f"{c[:4]}-{c[4:6]}-{c[6:]}") for c in parted]
    known = [day for day in days if day is not None]
    rise = all(later > day for day, later in pairwise(known))
    return known if rise and len(known) == len(days) else None


def _dates(rows: list[Row]) -> tuple[str, ...]:
    """Return the dates of the first column as they stand, if it has some.

    They rise evenly.
    """
    stand = tuple(row.cells[0] for row in rows)
    if _are_years(rows):
        return stand
    days = _compact(rows)
    if days is None and _day(stand[0]) is None:
        return ()
    _check_steps(rows, days or _days(rows))
    return stand


def _days(rows: list[Row]) -> list[datetime]:
    days = []
    for row in rows:
        day = _day(row.cells[0])
        if day is None:
            raise ValueError(
                f"{row.where}: {row.cells[0]!r} is no date, but the rows before begin "
                "with one; write all of them as 2024-07-01"
            )
        days.append(day)
    return days


def _check_steps(rows: list[Row], days: list[datetime]) -> None:
    steps = [later - day for day, later in pairwise(days)]
    usual = sorted(steps)[len(steps) // 2]
    even = steps.count(usual) >= REGULAR * len(steps) or usual >= MONTH
    even = even and usual > timedelta(0)
    for (before, row), step in zip(pairwise(rows), steps, strict=True):
        _check_step(before, row, step, usual if even else timedelta.max)


def _check_step(before: Row, row: Row, step: timedelta, usual: timedelta) -> None:
    between = f"{row.where}: {row.cells[0]} follows {before.cells[0]}"
    if step <= timedelta(0):
        raise ValueError(f"{between}; sort the rows by time, one for each")
    if step / usual >= GAP:
        missing = round(step / usual) - 1
        apart = f"{usual.days} days" if usual >= timedelta(1) else f"{usual}"
        raise ValueError(
            f"{between}, but the rows are {apart} apart elsewhere: rows are missing, "
            f"{missing} or so; put in a row with its date and an empty cell for each, "
            "and give fill=True, or begin after the gap"
        )


def _numbers(name: str, cells: tuple[str, ...], where: list[str], fill: bool) -> Tensor:
    """Return the numbers of a column, its gaps filled where that is wanted."""
    numbers = []
    for cell, line in zip(cells, where, strict=True):
        number = _number(cell)
        if number is None and cell.lower() not in MISSING:
            raise ValueError(
                f"{line}, column {name!r}: {cell!r} is no number; {_remedy(cell)}"
            )
        if number is None and not fill:
            raise ValueError(
                f"{line}, column {name!r}: there is no number ({cell!r}), but a "
                "forecast needs one at every step; give fill=True to draw a straight "
                "line over the gap, or cut the series there"
            )
        numbers.append(math.nan if number is None else number)
    return _filled(numbers, name, where)


def _remedy(cell: str) -> str:
    """Say how a cell that is no number could be one."""
    if _number(plain := cell.replace("\N{MINUS SIGN}", "-")) is not None:
        return f"write it with the hyphen of the keyboard: {plain}"
    if cell.endswith("%") and _number(cell[:-1]) is not None:
        return f"write it without the sign: {cell[:-1]}"
    if DAY_FIRST.fullmatch(cell) or _day(cell) is not None:
        return "write dates as 2024-07-01, and in the first column"
    if _is_too_large(cell):
        return f"numbers go to {LARGEST:.1e}: give it in a larger unit, or as a gap"
    if re.search(r"\d[|: ]\d", cell):
        return "separate columns by commas, semicolons or tabs"
    if THOUSANDS.fullmatch(cell):
        return f"write it without commas: {cell.replace(',', '')}"
    if _number(cell.replace(",", ".")) is not None:
        return f"write it with a decimal point: {cell.replace(',', '.')}"
    return "leave out the columns that hold text"


def _is_too_large(cell: str) -> bool:
    try:
        return "_" not in cell and abs(float(cell)) > LARGEST
    except ValueError:
        return False


def _filled(numbers: list[float], name: str, where: list[str]) -> Tensor:
    """Draw straight lines over what is not known."""
    known = [n for n, number in enumerate(numbers) if not math.isnan(number)]
    for end in (0, len(numbers) - 1):
        if end not in known[:1] + known[-1:]:
            raise ValueError(
                f"{where[end]}, column {name!r}: a gap at the beginning or the end has "
                "nothing on one side to draw a line from; leave these rows out"
            )
    for before, after in pairwise(known):
        for n in range(before + 1, after):
            share = (n - before) / (after - before)
            numbers[n] = (1 - share) * numbers[before] + share * numbers[after]
    return torch.tensor(numbers, dtype=torch.float32)
