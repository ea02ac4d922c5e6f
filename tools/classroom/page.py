"""The page for the class: which exercises were hard, and which mistakes are common."""

from collections import Counter
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from qkv.exercises import finding

if TYPE_CHECKING:
    from tools.classroom.grades import Row

RIGHT, FAILED, OPEN, LOST = "✓", "✗", "○", "–"
TEMPLATE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>The class: exercises</title>
<meta name="viewport" content="width=device-width">
<style>
:root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }}
body {{ margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; }}
th, td {{ border-bottom: 1px solid #8886; padding: .2rem .6rem; text-align: left; }}
td.n {{ text-align: right; }} .wide td {{ padding: .2rem .3rem; }}
meter {{ width: 8rem; }}
summary {{ cursor: pointer; list-style: none; min-width: 1.5rem; }}
details[open] {{ min-width: 12rem; }}
</style>
<h1>The class: exercises</h1>
<p>{learners} learners, {exercises} exercises, graded {date}. {right} answers are right,
{failed} are not yet, {open} were not attempted. {lost} have no answer that can be
judged: the notebook is broken, the cell is gone, or it defines none.</p>
<h2>Which were hard</h2>
<p>Of the answers that were given, the share that is right; the hardest come first.</p>
<table><thead><tr><th scope="col">Exercise<th scope="col">Right
<th scope="col">Of those given<th scope="col">Not attempted</thead>
<tbody>{hard}</tbody></table>
<h2>Which mistakes are common</h2>
<table><thead><tr><th scope="col">Exercise<th scope="col">Mistake
<th scope="col">How many<th scope="col">Who</thead>
<tbody>{mistakes}</tbody></table>
<h2>What else went wrong</h2>
<table><thead><tr><th scope="col">Exercise<th scope="col">Verdict
<th scope="col">Who<th scope="col">What was said</thead>
<tbody>{others}</tbody></table>
<h2>Who has what</h2>
<p>✓ right, ✗ not yet, ○ not attempted, – no answer to be judged. Open a sign to read
what was said.</p>
<div class="wide">
<table><thead><tr><th scope="col">Who{heads}</thead><tbody>{grid}</tbody></table>
</div>
</html>
"""


def page(rows: "list[Row]") -> str:
    """Return the page, which needs no other file."""
    of_exercise = grouped(rows, "exercise")
    counts = Counter(sign(row) for row in rows)
    return TEMPLATE.format(
        learners=len({row.who for row in rows}),
        exercises=len(of_exercise),
        date=rows[0].date,
        right=counts[RIGHT],
        failed=counts[FAILED],
        open=counts[OPEN],
        lost=counts[LOST],
        hard="".join(map(_hard, sorted(of_exercise.values(), key=share))),
        mistakes=_mistakes(rows) or nothing(4),
        others=_others(rows) or nothing(4),
        heads="".join(f'<th scope="col">{id}' for id in of_exercise),
        grid="".join(map(_of_learner, grouped(rows, "who").values())),
    )


def grouped(rows: "Iterable[Row]", field: str) -> "dict[str, list[Row]]":
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(getattr(row, field), []).append(row)
    return found


def sign(row: "Row") -> str:
    from tools.classroom import grades

    return {
        grades.RIGHT: RIGHT,
        **dict.fromkeys((grades.OPEN, grades.NONE), OPEN),
        **dict.fromkeys((grades.NO_CELL, grades.BROKEN, grades.NO_ANSWER), LOST),
    }.get(row.verdict, FAILED)


def share(rows: "list[Row]") -> float:
    """Return the share right of what was given; above all others where nothing was."""
    signs = Counter(map(sign, rows))
    given = signs[RIGHT] + signs[FAILED]
    return signs[RIGHT] / given if given else 2.0


def nothing(columns: int) -> str:
    return f'<tr><td colspan="{columns}">none'


def _hard(rows: "list[Row]") -> str:
    signs = Counter(map(sign, rows))
    given = signs[RIGHT] + signs[FAILED]
    title = f"{rows[0].exercise} {finding.find(rows[0].exercise).title}"
    label = f"{signs[RIGHT]} of {given} right"
    bar = f'<meter value="{share(rows):.3f}" aria-label="{label}"></meter>'
    return (
        f'<tr><td>{escape(title)}<td class="n">{signs[RIGHT]} {bar * bool(given)}'
        f'<td class="n">{given}<td class="n">{signs[OPEN]}'
    )


def _mistakes(rows: "list[Row]") -> str:
    """A row for each mistake that has a name, the most common first."""
    who = grouped((row for row in rows if row.mistake), "mistake")
    made = [
        (of_exercise, exercise)
        for of_name in who.values()
        for exercise, of_exercise in grouped(of_name, "exercise").items()
    ]
    return "".join(
        f"<tr><td>{id}<td>{escape(made_by[0].said)}"
        f'<td class="n">{len(made_by)}<td>{_names(made_by)}'
        for made_by, id in sorted(made, key=lambda each: -len(each[0]))
    )


def _others(rows: "list[Row]") -> str:
    unnamed = [row for row in rows if sign(row) in FAILED + LOST and not row.mistake]
    return "".join(
        f"<tr><td>{row.exercise}<td>{escape(row.verdict)}<td>{escape(row.who)}"
        f"<td>{escape(row.said)}"
        for row in unnamed
    )


def _names(rows: "list[Row]") -> str:
    return escape(", ".join(row.who for row in rows))


def _of_learner(rows: "list[Row]") -> str:
    cells = "".join(
        f'<td><details><summary aria-label="{row.exercise} {escape(row.verdict)}">'
        f"{sign(row)}</summary>{escape(f'{row.verdict} {row.said}')}</details>"
        for row in rows
    )
    return f'<tr><th scope="row">{escape(rows[0].who)}{cells}'
