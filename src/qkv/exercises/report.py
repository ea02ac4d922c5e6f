"""What a reader has done so far: chapters by exercises, and what to review.

A notebook shows it as a table; elsewhere it is a list, line by line.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from qkv.checking import messages
from qkv.checking.by_hand import ByHand
from qkv.checking.exercise import Exercise
from qkv.exercises import finding

SOLVED, TRIED, OPEN = "✓", "△", "○"


@dataclass(frozen=True)
class Report:
    """Which exercises of some chapters are solved, tried, or not begun.

    Examples
    --------
    >>> report = Report([0], solved={"0.1"}, tried={"0.2"})
    >>> report.mark("0.1"), report.mark("0.2"), report.mark("0.3")
    ('✓', '△', '○')
    >>> print(report.review())
    To review, tried and not yet solved: 0.2
    """

    chapters: list[int]
    solved: set[str]
    tried: set[str]

    def mark(self, id: str) -> str:
        """The sign of an exercise."""
        return SOLVED if id in self.solved else TRIED if id in self.tried else OPEN

    def review(self) -> str:
        """What was tried and is not yet solved, in one line; empty for nothing."""
        known = [e.id for chapter in self.chapters for e in exercises(chapter)]
        ids = [id for id in known if id in self.tried - self.solved]
        return messages.TO_REVIEW.format(ids=", ".join(ids)) if ids else ""

    def __repr__(self) -> str:
        """The list, line by line."""
        lines = [line for chapter in self.chapters for line in self._lines(chapter)]
        review = self.review()
        return "\n".join([*lines, review] if review else lines)

    def _lines(self, chapter: int) -> Iterator[str]:
        yield messages.OF_A_CHAPTER.format(**self._told(chapter))
        for e in exercises(chapter):
            by_hand = isinstance(e, ByHand)
            message = messages.OF_ONE_BY_HAND if by_hand else messages.OF_AN_EXERCISE
            told = {"title": e.title, "minutes": e.minutes, "stars": e.stars}
            yield message.format(mark=self.mark(e.id), id=e.id, **told)
        if answered := self._answered(chapter):
            yield messages.OF_PREDICTIONS.format(mark=SOLVED, count=answered)

    def _answered(self, chapter: int) -> int:
        """How many predictions of a chapter were answered."""
        return sum(id.startswith(f"{chapter:02}-") for id in self.solved)

    def _told(self, chapter: int) -> dict[str, int | str]:
        listed = exercises(chapter)
        done = sum(e.id in self.solved for e in listed)
        told: dict[str, int | str] = {
            "chapter": chapter,
            "title": finding.title(chapter),
        }
        return told | {"done": done, "total": len(listed)}

    def _repr_html_(self) -> str:
        """The table: a row for each chapter, a cell for each exercise."""
        rows = "".join(map(self._row, self.chapters))
        legend = messages.MARKS.format(solved=SOLVED, tried=TRIED, open=OPEN)
        said = [escape(each) for each in (self.review(), legend) if each]
        return f"<table>{rows}</table><p>{'<br>'.join(said)}</p>"

    def _row(self, chapter: int) -> str:
        told = self._told(chapter)
        head = escape(messages.CHAPTER_IN_TABLE.format(**told))
        done = messages.DONE_IN_TABLE.format(**told)
        cells = "".join(self._cell(e) for e in exercises(chapter))
        return f'<tr><th scope="row">{head}</th><td>{done}</td>{cells}</tr>'

    def _cell(self, e: Exercise | ByHand) -> str:
        title = f"{e.title} ({e.minutes} min, {e.stars})"
        return f'<td title="{escape(title)}">{self.mark(e.id)}&nbsp;{e.id}</td>'


def exercises(chapter: int) -> list[Exercise | ByHand]:
    """The exercises of a chapter, those by hand last."""
    return [
        *(finding.find(id) for id in finding.ids(chapter)),
        *(finding.find_by_hand(id) for id in finding.by_hand(chapter)),
    ]
