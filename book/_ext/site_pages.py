"""What the site adds to the chapters: cards, a live widget at home, a bar, Korean.

Directives
----------
``{chapter-cards}`` : a card for each chapter there is, from its own front matter.
``{live-widget} 02_bahdanau_attention Alignment`` : the first widget of that kind in
    that chapter's twin; the content of the directive where the chapter is not there.
"""

import html
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from docutils import nodes
from docutils.statemachine import StringList
from site_twins import STATE, VIEW, Page, digest, widget_output
from sphinx.directives.other import TocTree
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)
HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3][^A-Za-z\n]*")


@dataclass(frozen=True)
class Chapter:
    """What a card says of a chapter; its front matter's ``book`` entry."""

    docname: str
    number: int
    title: str
    able: str
    minutes: int | None
    cpu_seconds: int | None


def read_chapter(docname: str, notebook: nbformat.NotebookNode) -> Chapter:
    about = notebook.metadata.get("book", {})
    prose = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    heading = re.search(r"^# +(.+)$", prose, flags=re.M)
    return Chapter(
        docname=docname,
        number=int(docname.rpartition("/")[2][:2]),
        title=heading[1].strip() if heading else docname,
        able=about.get("able", ""),
        minutes=about.get("minutes"),
        cpu_seconds=about.get("cpu_seconds"),
    )


def chapters(app, folder: str = "chapters") -> list[Chapter]:
    """The notebooks in ``folder``, in order."""
    return [
        read_chapter(docname, nbformat.read(page.path, as_version=4))
        for docname, page in app.qkv_pages.items()
        if docname.rpartition("/")[0] == folder
    ]


def entry_title(chapter: Chapter) -> str:
    """How the sidebar calls it: a chapter by number and title."""
    is_solution = "/solutions/" in chapter.docname
    return chapter.title if is_solution else f"{chapter.number} · {chapter.title}"


class ChapterCards(SphinxDirective):
    """The chapters as cards."""

    def run(self):
        self.env.note_dependency(__file__)
        for page in self.env.app.qkv_pages.values():
            self.env.note_dependency(str(page.path))
        cards = [self._card(chapter) for chapter in chapters(self.env.app)]
        if not cards:
            return [nodes.paragraph(text="The first chapter is being written.")]
        listed = f'<ol class="book-cards">{"".join(cards)}</ol>'
        return [nodes.raw("", listed, format="html")]

    def _card(self, chapter: Chapter) -> str:
        href = self.env.app.builder.get_relative_uri(self.env.docname, chapter.docname)
        able = chapter.able[:1].upper() + chapter.able[1:]
        return (
            f'<li class="book-card">'
            f'<p class="book-card-number">Chapter {chapter.number}</p>'
            f'<p class="book-card-title"><a href="{html.escape(href)}">'
            f"{html.escape(chapter.title)}</a></p>"
            f'<p class="book-card-able">{html.escape(able)}{"." if able else ""}</p>'
            f'<p class="book-card-cost">{cost(chapter)}</p></li>'
        )


def cost(chapter: Chapter) -> str:
    parts = []
    if chapter.minutes:
        parts.append(f"{chapter.minutes} minutes to read and solve")
    if chapter.cpu_seconds:
        parts.append(f"{chapter.cpu_seconds} CPU seconds to run")
    return " · ".join(parts)


class StartLinks(SphinxDirective):
    """Where to begin: chapter 1, what comes before it, and how to read."""

    def run(self):
        uri = self.env.app.builder.get_relative_uri
        listed = chapters(self.env.app)
        first = [c for c in listed if c.number > 0] or listed
        before = [c for c in listed if c not in first]
        targets = [(c.docname, f"Begin: {c.title}") for c in first[:1]]
        targets += [(c.docname, f"Before it: {c.title}") for c in before]
        targets.append(("how_to_read", "How to read and run"))
        links = [
            f'<a href="{uri(self.env.docname, docname)}">{html.escape(words)}</a>'
            for docname, words in targets
        ]
        return [
            nodes.raw("", f'<p class="book-start">{" ".join(links)}</p>', format="html")
        ]


class ChapterToctree(TocTree):
    """A toctree of the notebooks in one folder; nothing where there are none."""

    required_arguments = 1

    def run(self):
        listed = chapters(self.env.app, self.arguments[0])
        if not listed:
            return []
        lines = [f"{entry_title(each)} </{each.docname}>" for each in listed]
        self.content = StringList(lines, self.env.docname)
        return super().run()


class LiveWidget(SphinxDirective):
    """One widget of a chapter, alive on another page."""

    required_arguments = 2
    has_content = True

    def run(self):
        chapter, kind = self.arguments
        twin = Path(self.config.qkv_chapters, f"{chapter}.ipynb")
        if not twin.is_file():
            return self.parse_content_to_nodes()
        self.env.note_dependency(str(twin))
        for page in self.env.app.qkv_pages.values():
            if page.path == twin:
                return self._first(nbformat.read(twin, as_version=4), kind, page)
        return self.parse_content_to_nodes()

    def _first(self, notebook, kind: str, page: Page):
        models = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
        for cell in notebook.cells:
            for data in (out.get("data", {}) for out in cell.get("outputs", ())):
                state = models.get(data.get(VIEW, {}).get("model_id"), {}).get(
                    "state", {}
                )
                if state.get("_anywidget_id", "").endswith(f".{kind}"):
                    uid = f"q{digest(f'{self.env.docname} {kind}')[:8]}"
                    shown = widget_output(data, models, uid, page) or ""
                    return [nodes.raw("", shown, format="html")]
        logger.warning("%s shows no %s", page.path, kind, location=self.get_location())
        return self.parse_content_to_nodes()


def mark_korean(app, doctree) -> None:
    """Tell browsers and screen readers which words are Korean."""
    for text in list(doctree.findall(nodes.Text)):
        skipped = nodes.literal | nodes.literal_block | nodes.title | nodes.raw
        if isinstance(text.parent, skipped) or not HANGUL.search(text):
            continue
        if not hasattr(text.parent, "children"):
            continue
        text.parent.replace(text, _pieces(str(text)))


def _pieces(text: str) -> list[nodes.Node]:
    pieces, start = [], 0
    for match in HANGUL.finditer(text):
        korean = match[0].rstrip(" \t.,;:()[]'\"!?–—·→=")
        pieces.append(nodes.Text(text[start : match.start()]))
        pieces.append(nodes.inline(korean, korean, classes=["language-ko"]))
        start = match.start() + len(korean)
    pieces.append(nodes.Text(text[start:]))
    return [piece for piece in pieces if piece.astext()]


def add_bar(app, pagename, templatename, context, doctree) -> None:
    """Under a chapter's title: what it costs, its notebook, its solutions."""
    if pagename not in app.qkv_pages or "body" not in context:
        return
    bar = f'<p class="book-bar">{" ".join(_links(app, pagename, context))}</p>'
    context["body"] = context["body"].replace("</h1>", f"</h1>\n{bar}", 1)


def _links(app, pagename: str, context) -> list[str]:
    folder, _, name = pagename.rpartition("/")
    inside = pagename.removeprefix("chapters/")
    file = context["pathto"](f"_static/notebooks/{inside}.ipynb", 1)
    links = [
        f'<a class="book-download" href="{file}" download>Download this notebook</a>'
    ]
    other, words = f"{folder}/solutions/{name}", "Worked solutions"
    if folder.endswith("/solutions"):
        other, words = f"{folder.removesuffix('/solutions')}/{name}", "The chapter"
    if other in app.qkv_pages:
        links.append(f'<a href="{context["pathto"](other)}">{words}</a>')
    return links


def mend(app, pagename, templatename, context, doctree) -> None:
    """Write what Sphinx says in odd HTML so that a screen reader understands it."""
    body = context.get("body", "").replace("doc-biblioentry", "listitem")
    parameters = r'<dl>\n((?:<dd><em class="sig-param">.*?</dd>\n)+)</dl>'
    body = re.sub(parameters, _parameter_lines, body)
    context["body"] = re.sub(
        r"<table class=\"[^\"]*docutils.*?</table>", _roles, body, flags=re.S
    )


ROLES = {
    "table": "table",
    "thead": "rowgroup",
    "tbody": "rowgroup",
    "tr": "row",
    "th": "columnheader",
    "td": "cell",
}


def _roles(table: re.Match) -> str:
    """A table that says what its parts are, also where style makes blocks of them."""
    tags = rf"<({'|'.join(ROLES)})\b"
    return re.sub(tags, lambda tag: f'{tag[0]} role="{ROLES[tag[1]]}"', table[0])


def _parameter_lines(match: re.Match) -> str:
    """The parameters of a long signature: lines, not definitions without a term."""
    lines = match[1].replace("<dd>", "<span>").replace("</dd>", "</span>")
    return f'<span class="sig-lines">{lines}</span>'


def setup(app):
    app.add_directive("chapter-cards", ChapterCards)
    app.add_directive("chapter-toctree", ChapterToctree)
    app.add_directive("live-widget", LiveWidget)
    app.add_directive("start-links", StartLinks)
    app.connect("doctree-read", mark_korean, priority=900)
    app.connect("html-page-context", add_bar, priority=400)
    app.connect("html-page-context", mend, priority=450)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True}
