"""What the home page shows: where to begin, the route, the chapters, a live widget.

Directives
----------
``{start-links}`` : where to begin.
``{book-route}`` : the chapters as stops of a line, with a break before each part.
``{chapter-cards}`` : a card for each chapter there is, in groups, the parts.
``{live-widget} 02_bahdanau_attention Alignment`` : the first widget of that kind in
    that chapter's twin; the content of the directive where the chapter is not there.
    ``:state:`` sets what it opens with; ``:plays:`` selects the buttons in it that are
    pressed once, one after the other, when it comes into sight (``home.js``).
``{cite-book}`` : how to cite the book, from CITATION.cff.
``{feedback}`` : where to tell of a mistake: the setting ``book_feedback``.
"""

import html
import json
from pathlib import Path
from typing import ClassVar

import nbformat
import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from site_chapters import (
    Chapter,
    Part,
    chapters,
    follow_the_chapters,
    link,
    parts_of,
    typeset,
)
from site_elements import raw
from site_twins import STATE, VIEW, Page, digest, widget_output
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)


# ------------------------------------------------------------------------ the chapters


class StartLinks(SphinxDirective):
    """Where to begin: chapter 1, what comes before it, and how to read."""

    def run(self):
        follow_the_chapters(self.env)
        listed = chapters(self.env.app)
        first = [c for c in listed if c.number > 0] or listed
        before = [c for c in listed if c not in first]
        targets = [(c.docname, f"Begin: {c.title}") for c in first[:1]]
        targets += [(c.docname, f"Before it: {c.title}") for c in before]
        targets.append(("how_to_read", "How to read and run"))
        links = (link(self.env, docname, typeset(said)) for docname, said in targets)
        return [raw(f'<p class="book-start">{" ".join(links)}</p>')]


class BookRoute(SphinxDirective):
    """The chapters as stops of a line; those that are read in order are joined."""

    def run(self):
        follow_the_chapters(self.env)
        drawn = "".join(self._part(part) for part in parts_of(self.env.app))
        return [raw(f'<div class="book-route">{drawn}</div>' if drawn else "")]

    def _part(self, part: Part) -> str:
        stops = "".join(self._stop(each) for each in part.chapters)
        kind = "" if part.in_order else ' class="book-apart"'
        name = html.escape(part.heading)
        return f'<p>{name}</p><ol aria-label="{name}"{kind}>{stops}</ol>'

    def _stop(self, chapter: Chapter) -> str:
        words = f"<b>{chapter.number}</b><span>{typeset(chapter.short_title)}</span>"
        before = "" if chapter.number else ' class="book-before"'
        return f"<li{before}>{link(self.env, chapter.docname, words)}</li>"


class ChapterCards(SphinxDirective):
    """The chapters as cards, under what is said of their part."""

    def run(self):
        follow_the_chapters(self.env)
        parts = parts_of(self.env.app)
        if not parts:
            return [nodes.paragraph(text="The first chapter is being written.")]
        return [node for part in parts for node in self._part(part)]

    def _part(self, part: Part) -> list[nodes.Node]:
        cards = "".join(self._card(chapter) for chapter in part.chapters)
        section = nodes.section(ids=[nodes.make_id(part.name)])
        section += nodes.title(text=part.heading)
        section += nodes.paragraph(text=part.says)
        section += raw(f'<ol class="book-cards">{cards}</ol>')
        return [section]

    def _card(self, chapter: Chapter) -> str:
        title = link(self.env, chapter.docname, typeset(chapter.title))
        able = f"After it you can {typeset(chapter.able)}." if chapter.able else ""
        return (
            f'<li class="book-card">'
            f'<p class="book-card-number">Chapter {chapter.number}</p>'
            f'<p class="book-card-title">{title}</p>'
            f'<p class="book-card-able">{able}</p>'
            f'<p class="book-card-cost">{cost(chapter)}</p></li>'
        )


def cost(chapter: Chapter) -> str:
    if not chapter.minutes:
        return ""
    return f"about {chapter.minutes} minutes with its exercises"


# ----------------------------------------------------------------------------- a widget


class LiveWidget(SphinxDirective):
    """One widget of a chapter, alive on another page."""

    required_arguments = 2
    has_content = True
    option_spec: ClassVar = {"state": json.loads, "plays": directives.unchanged}

    def run(self):
        chapter, kind = self.arguments
        twin = Path(self.config.qkv_chapters, f"{chapter}.ipynb")
        for page in self.env.app.qkv_pages.values():
            if page.path == twin:
                self.env.note_dependency(str(twin))
                return self._first(nbformat.read(twin, as_version=4), kind, page)
        return self.parse_content_to_nodes()

    def _first(self, notebook, kind: str, page: Page):
        models = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
        for cell in notebook.cells:
            for data in (out.get("data", {}) for out in cell.get("outputs", ())):
                model_id = data.get(VIEW, {}).get("model_id")
                state = models.get(model_id, {}).get("state", {})
                if state.get("_anywidget_id", "").endswith(f".{kind}"):
                    state |= self.options.get("state", {})
                    return self._shown(data, models, kind, page)
        logger.warning("%s shows no %s", page.path, kind, location=self.get_location())
        return self.parse_content_to_nodes()

    def _shown(self, data: dict, models: dict, kind: str, page: Page):
        uid = f"q{digest(f'{self.env.docname} {kind}')[:8]}"
        shown = widget_output(data, models, uid, page) or ""
        plays = html.escape(self.options.get("plays", ""))
        return [raw(f'<div data-plays="{plays}">{shown}</div>' if plays else shown)]


# ------------------------------------------------------------------- the book as a work


class CiteBook(SphinxDirective):
    """How to cite the book, in words and for BibTeX."""

    def run(self):
        source = Path(self.config.qkv_root, "CITATION.cff")
        self.env.note_dependency(str(source))
        about = yaml.safe_load(source.read_text("utf-8"))
        words = "{authors} ({year}). {title}. Version {version}.".format(**named(about))
        return [nodes.paragraph(text=words), bibtex(named(about))]


def named(about: dict) -> dict[str, str]:
    """What a citation says, of what CITATION.cff says."""
    return {
        "authors": " and ".join(each["name"] for each in about["authors"]),
        "year": str(about["date-released"])[:4],
        "title": about["title"],
        "version": about["version"],
    }


def bibtex(said: dict[str, str]) -> nodes.literal_block:
    lines = [
        f"  author  = {{{{{said['authors']}}}}},",
        f"  title   = {{{said['title']}}},",
        f"  year    = {{{said['year']}}},",
        f"  note    = {{Version {said['version']}}},",
    ]
    text = "\n".join(["@book{attention-step-by-step,", *lines, "}"])
    return nodes.literal_block(text, text, language="bibtex")


class Feedback(SphinxDirective):
    """Where to tell of a mistake, if the site says where."""

    def run(self):
        where = self.config.book_feedback
        if not where:
            said = (
                "Tell those from whom you have the book, with the page and the words."
            )
            return [nodes.paragraph(text=said)]
        told = nodes.reference("", "Tell us", refuri=where)
        rest = nodes.Text(": the page, and the words.")
        return [nodes.paragraph("", "", told, rest)]


def add_script(app, pagename, templatename, context, doctree) -> None:
    if "data-plays=" in context.get("body", ""):
        app.add_js_file("home.js", loading_method="defer", priority=910)


def setup(app):
    app.connect("html-page-context", add_script)
    app.add_config_value("book_feedback", "", "env")
    app.add_directive("start-links", StartLinks)
    app.add_directive("book-route", BookRoute)
    app.add_directive("chapter-cards", ChapterCards)
    app.add_directive("live-widget", LiveWidget)
    app.add_directive("cite-book", CiteBook)
    app.add_directive("feedback", Feedback)
    return {"version": "1", "parallel_read_safe": True}
