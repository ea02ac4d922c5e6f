"""What a teacher plans with: the chapters as hours.

Directives
----------
``{syllabus}`` : each chapter with what it needs, its exercises and its hours, from the
    chapters' front matter, in their parts.
"""

from site_chapters import Chapter, Part, follow_the_chapters, link, parts_of, typeset
from site_elements import raw
from sphinx.util.docutils import SphinxDirective

from qkv.exercises import finding

COLUMNS = ("Chapter", "It needs", "Exercises", "Hours", "CPU seconds")
HEAD = "".join(f"<th>{name}</th>" for name in COLUMNS)
TABLE = """<div class="table-wrapper docutils container"><table class="docutils">
<caption>{heading}: {hours} hours</caption>
<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>
</table></div>"""


class Syllabus(SphinxDirective):
    """A table for each part."""

    def run(self):
        follow_the_chapters(self.env)
        return [raw("".join(map(self._part, parts_of(self.env.app))))]

    def _part(self, part: Part) -> str:
        return TABLE.format(
            heading=typeset(part.heading),
            hours=hours(*part.chapters),
            head=HEAD,
            rows="".join(map(self._row, part.chapters)),
        )

    def _row(self, chapter: Chapter) -> str:
        title = f"{chapter.number} {typeset(chapter.title)}"
        coded = len(finding.ids(chapter.number))
        by_hand = len(finding.by_hand(chapter.number))
        cells = (
            link(self.env, chapter.docname, title),
            typeset(chapter.needs),
            f"{coded}, and {by_hand} by hand",
            hours(chapter),
            chapter.cpu_seconds or "",
        )
        return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def hours(*chapters: Chapter) -> str:
    """The hours that chapters take with their exercises, in quarters.

    A part has the sum of what its rows say.

    Examples
    --------
    >>> hours(Chapter("chapters/03_a", 3, "A", "", 110))
    '1¾'
    """
    quarters = sum(round((each.minutes or 0) / 15) for each in chapters)
    whole, rest = divmod(quarters, 4)
    return f"{whole or ''}{('', '¼', '½', '¾')[rest]}" or "0"


def setup(app):
    app.add_directive("syllabus", Syllabus)
    return {"version": "1", "parallel_read_safe": True}
