"""A computation to work out by hand: a reader fills in its numbers."""

import re
from html import escape
from itertools import count
from typing import Any

import traitlets

from qkv.checking import solved
from qkv.checking.by_hand import ByHand
from qkv.exercises import finding
from qkv.widgets.shared.base import Widget, module
from qkv.widgets.shared.encode import number, segments
from qkv.widgets.shared.html import plain

__all__ = ["WorkItOut"]

_DIGITS = 9  # of the right numbers: what a hand rounds is compared with them
_SHOWN = 4
_SYMBOL = re.compile(r"(√?)\b([A-Za-z])_([a-z0-9]+)\b")


class WorkItOut(Widget):
    """A small computation with holes; each number is judged as soon as it stands there.

    A wrong number that a named mistake gives is told by that mistake's sentence. What
    is typed is remembered in the page and in ``typed``; once all is right, the exercise
    counts as solved.

    Parameters
    ----------
    id : the number of an exercise by hand, "3.a".

    Raises
    ------
    ValueError
        If there is no such exercise.

    Examples
    --------
    >>> WorkItOut("3.a")
    To work out by hand, 3.a: Another query, the same keys. 8 numbers are to be filled in, of scaled, weights and output.
    """  # noqa: E501

    _esm = module("work_it_out")
    name = traitlets.Unicode().tag(sync=True)
    title = traitlets.List().tag(sync=True)
    task = traitlets.List().tag(sync=True)
    minutes = traitlets.Int().tag(sync=True)
    difficulty = traitlets.Int().tag(sync=True)
    decimals = traitlets.Int().tag(sync=True)
    tables = traitlets.List().tag(sync=True)
    holes = traitlets.List().tag(sync=True)
    mistakes = traitlets.List().tag(sync=True)
    typed = traitlets.List().tag(sync=True)
    given_up = traitlets.Bool(False).tag(sync=True)
    solved = traitlets.Bool(False).tag(sync=True)

    def __init__(self, id: str):
        exercise = finding.find_by_hand(id)
        holes = exercise.holes()
        super().__init__(
            name=id,
            title=segments(exercise.title),
            task=segments(exercise.task),
            minutes=exercise.minutes,
            difficulty=exercise.difficulty,
            decimals=exercise.decimals,
            tables=_tables(exercise),
            holes=[
                {
                    "right": number(hole.right, _DIGITS),
                    "wrong": [number(x, _DIGITS) for x in hole.wrong.values()],
                    "slack": hole.slack,
                }
                for hole in holes
            ],
            mistakes=[_typeset(m.says) for m in exercise.mistakes.values()],
            alt=_sentence(exercise, [hole.table for hole in holes]),
        )
        self.observe(self._keep, "solved")

    def fallback(self) -> str:
        """Return the tables with their holes, and a second time with all numbers."""
        open_, whole = (
            "".join(self._table(table, filled=filled) for table in self.tables)
            for filled in (False, True)
        )
        return (
            f"<div><p><strong>{plain(self.title)}</strong></p><p>{plain(self.task)}</p>"
            f"{open_}<details><summary>The numbers</summary>{whole}</details></div>"
        )

    def _table(self, table: dict[str, Any], *, filled: bool) -> str:
        head = "".join(f'<th scope="col">{plain(c)}</th>' for c in table["columns"])
        corner = "<td></td>" if any(table["rows"]) else ""
        rows = "".join(
            "<tr>"
            + (f'<th scope="row">{plain(label)}</th>' if label else "")
            + "".join(f"<td>{self._shown(cell, filled)}</td>" for cell in row)
            + "</tr>"
            for label, row in zip(table["rows"], table["cells"], strict=True)
        )
        return (
            f"<table><caption>{plain(table['caption'])}</caption>"
            f"<thead><tr>{corner}{head}</tr></thead><tbody>{rows}</tbody></table>"
        )

    def _shown(self, cell: Any, filled: bool) -> str:
        if not isinstance(cell, dict):
            return _text(cell)
        right = self.holes[cell["hole"]]["right"]
        return _text(number(float(right), _SHOWN)) if filled else "?"

    def _keep(self, change: Any) -> None:
        if change["new"]:
            solved.session.add(self.name)


def _tables(exercise: ByHand) -> list[dict[str, Any]]:
    numbers = count()
    tables = []
    for name, value in exercise.numbers().items():
        table = exercise.tables[name]
        cells: list[list[Any]] = [
            [number(x, _SHOWN) for x in row] for row in value.tolist()
        ]
        for row, column in table.places():
            cells[row][column] = {"hole": next(numbers)}
        tables.append(
            {
                "caption": segments(table.caption),
                "rows": [segments(label) for label in table.rows],
                "columns": [segments(label) for label in table.columns],
                "cells": cells,
                "look": segments(table.look),
            }
        )
    return tables


def _typeset(says: str) -> list[dict[str, str]]:
    """Return what a check says in plain text with its symbols set: √d_k, W_q."""

    def formula(found: re.Match) -> str:
        root, letter, index = found.groups()
        index = rf"\mathrm{{{index}}}" if len(index) > 1 else index
        symbol = f"{letter}_{{{index}}}"
        return rf"$\sqrt{{{symbol}}}$" if root else f"${symbol}$"

    heard = (found[0] for found in _SYMBOL.finditer(says))
    return [
        {**part, "plain": next(heard)} if "math" in part else part
        for part in segments(_SYMBOL.sub(formula, says))
    ]


def _sentence(exercise: ByHand, names: list[str]) -> str:
    *first, last = dict.fromkeys(names)
    of = f"{', '.join(first)} and {last}" if first else last
    return (
        f"To work out by hand, {exercise.id}: {exercise.title}. "
        f"{len(names)} numbers are to be filled in, of {of}."
    )


def _text(value: Any) -> str:
    words = {"inf": "∞", "-inf": "−∞", "nan": "NaN"}
    return escape(words.get(value, str(value))).replace("-", "−")
