"""The page of progress: every exercise and prediction of the book, chapter by chapter.

Directive
---------
``{book-progress}`` : a row for each chapter, found in the twins. What this reader has
    done is remembered in the browser; ``_static/progress.js`` marks it, sums it, says
    what to review, and forgets it when asked to. Without scripts the page says so.
"""

import html
import re
from collections.abc import Iterator

import nbformat
from site_chapters import Chapter, chapters, follow_the_chapters, numbered, typeset
from site_covers import predictions
from site_elements import add_early, raw
from site_exercises import OPEN, OPEN_ONE, place, title_of
from site_twins import STATE
from sphinx.util.docutils import SphinxDirective

from qkv.exercises import finding

TASK = re.compile(rf"^\*\*(?:Exercise (\d+\.\w+)|{OPEN_ONE})", flags=re.MULTILINE)
WITHOUT_SCRIPTS = (
    "What you have done can be shown only where scripts run: they are switched off "
    "here, or have failed. The list of what there is works all the same."
)


class BookProgress(SphinxDirective):
    """What there is to do in the book, as a list of its chapters."""

    def run(self):
        follow_the_chapters(self.env)
        rows = "".join(map(self._row, chapters(self.env.app)))
        return [raw(f'<div class="book-progress">{BEFORE}<ol>{rows}</ol>{AFTER}</div>')]

    def _row(self, chapter: Chapter) -> str:
        for known in (finding.files, finding.by_hand):  # their titles stand on the page
            for path in known(chapter.number).values():
                self.env.note_dependency(str(path))
        page = self.env.app.builder.get_relative_uri(self.env.docname, chapter.docname)
        twin = nbformat.read(self.env.app.qkv_pages[chapter.docname].path, as_version=4)
        exercises = [exercise(page, chapter.number, id) for id in tasks(twin)]
        asked = [
            prediction(page, number, chapter.number, each)
            for number, each in enumerate(questions(twin), start=1)
        ]
        return (
            f'<li data-chapter="{chapter.number}">'
            f'<p><a href="{page}">{typeset(numbered(chapter))}</a> '
            f'<span class="book-count"></span></p>'
            f"{listed('Exercises', exercises)}{listed('Predictions', asked)}</li>"
        )


BEFORE = (
    f'<p class="book-without-scripts">{WITHOUT_SCRIPTS}</p>'
    '<p class="book-sum" tabindex="-1" hidden></p>'
    '<div class="book-review" hidden><p><strong>Worth another look</strong></p>'
    "<ul></ul></div>"
)
AFTER = (
    '<p class="book-key" hidden>✓ done, or right · ✗ not right · … begun · – shown '
    "without an answer</p>"
    '<p class="book-forget" hidden><button type="button">Forget all of this …</button>'
    "</p>"
    '<dialog class="book-ask" aria-labelledby="book-ask"><p id="book-ask"></p>'
    '<form method="dialog"><button value="keep" autofocus>Keep it</button> '
    '<button value="forget">Forget it</button></form></dialog>'
)


def listed(name: str, links: list[str]) -> str:
    """A chapter's links under their name."""
    if not links:
        return ""
    items = "".join(f"<li>{each}</li>" for each in links)
    return f'<div><span>{name}</span><ul aria-label="{name}">{items}</ul></div>'


# ----------------------------------------------------------------- what a twin asks for


def tasks(twin) -> list[str]:
    """The exercises of a chapter, by their numbers, in its order; also the open one."""
    prose = "\n\n".join(c.source for c in twin.cells if c.cell_type == "markdown")
    return list(dict.fromkeys(each or OPEN for each in TASK.findall(prose)))


def questions(twin) -> Iterator[dict]:
    """The stored states of a chapter's predictions, in its order."""
    models = twin.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    states = [model.get("state", {}) for model in models.values()]
    known = {
        state["name"]: state
        for state in states
        if state.get("_anywidget_id", "").endswith(".Predict")
    }
    code = [cell.source for cell in twin.cells if cell.cell_type == "code"]
    for name in (name for source in code for name in predictions(source)):
        if name in known:
            yield known[name]


# -------------------------------------------------------------------------- their links


def exercise(page: str, number: int, id: str) -> str:
    where, title = place(number, id), html.escape(title_of(id))
    words = "open" if id == OPEN else id
    return (
        f'<a href="{page}#exercise-{where}" data-done="{where}" data-by-hand="{id}" '
        f'title="{title}" data-title="{title}">{words}</a>'
    )


def prediction(page: str, number: int, chapter: int, state: dict) -> str:
    """A link to a question; the question itself is said by the review."""
    name = html.escape(state["name"])
    title = f"Prediction {number} of chapter {chapter}"
    question = "".join(map(_as_html, state["question"]))
    return (
        f'<a href="{page}#predict-{name}" data-predict="{name}" '
        f'data-right="{state["right"]}" data-title="{title}">{number}</a>'
        f"<span hidden>{question}</span>"
    )


def _as_html(segment: dict) -> str:
    """A piece of a question: words, code, or a formula."""
    if "math" in segment:
        return segment["math"]
    if "code" in segment:
        return f"<code>{html.escape(segment['code'])}</code>"
    return html.escape(segment["text"])


def add_script(app, pagename, templatename, context, doctree) -> None:
    if 'class="book-progress"' in context.get("body", ""):
        add_early(app, context, "memory.js")
        app.add_js_file("progress.js", defer="defer")


def setup(app):
    app.add_directive("book-progress", BookProgress)
    app.connect("html-page-context", add_script)
    return {"version": "1", "parallel_read_safe": True}
