"""The chapters there are, and the parts of the book that they make.

What is known of a chapter stands in its front matter; what is said of a part, in
``edition.yaml``. A part without chapters is not shown.

Directives
----------
``{chapter-toctree} chapters`` : the side bar's list of the notebooks in one folder; of
    the chapters, a list for each part, under its name.
``{book-parts}`` : what each part is, and how to read it.
"""

import html
import re
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import nbformat
import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.directives.other import TocTree
from sphinx.util.docutils import SphinxDirective

EDITION = "edition.yaml"
SYMBOL = re.compile(r"\b([A-Za-z])_([a-z]+)\b")


@dataclass(frozen=True)
class Chapter:
    """What is said of a chapter; its front matter's ``book`` entry."""

    docname: str
    number: int
    title: str
    able: str
    minutes: int | None
    needs: str = ""
    cpu_seconds: int | None = None

    @property
    def short_title(self) -> str:
        """What stands before the colon: the rest says it in other words."""
        return self.title.partition(":")[0]


@dataclass(frozen=True)
class Part:
    """A part of the book, with the chapters that there are of it."""

    name: str
    title: str
    first: int
    in_order: bool
    says: str
    chapters: tuple[Chapter, ...] = ()

    @property
    def heading(self) -> str:
        return f"{self.name}: {self.title}"


def number_of(docname: str) -> int:
    """The number of a chapter, by its page or that of its solutions."""
    return int(docname.rpartition("/")[2][:2])


def is_chapter(docname: str) -> bool:
    return docname.rpartition("/")[0] == "chapters"


def solutions_of(docname: str) -> str:
    """The page with the solutions of a chapter, if there is one."""
    folder, _, name = docname.rpartition("/")
    return f"{folder}/solutions/{name}"


def read_chapter(docname: str, notebook: nbformat.NotebookNode) -> Chapter:
    about = notebook.metadata.get("book", {})
    prose = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    heading = re.search(r"^# +(.+)$", prose, flags=re.M)
    return Chapter(
        docname=docname,
        number=number_of(docname),
        title=heading[1].strip() if heading else docname,
        able=about.get("able", ""),
        minutes=about.get("minutes"),
        needs=about.get("needs", ""),
        cpu_seconds=about.get("cpu_seconds"),
    )


def read_chapters(app) -> None:
    """Read them once; nothing else of a build needs to open the twins for this."""
    app.qkv_chapters = [
        read_chapter(docname, nbformat.read(page.path, as_version=4))
        for docname, page in app.qkv_pages.items()
    ]


def chapters(app, folder: str = "chapters") -> list[Chapter]:
    """The notebooks in ``folder``, in order."""
    return [
        chapter
        for chapter in app.qkv_chapters
        if chapter.docname.rpartition("/")[0] == folder
    ]


def in_parts(listed: list[Chapter], edition: dict) -> list[Part]:
    """The parts that have chapters, each with its own."""
    parts = [Part(**each) for each in edition["parts"]]
    ends = [part.first for part in parts[1:]] + [100]
    filled = [
        replace(
            part,
            chapters=tuple(c for c in listed if part.first <= c.number < end),
        )
        for part, end in zip(parts, ends, strict=True)
    ]
    return [part for part in filled if part.chapters]


def parts_of(app) -> list[Part]:
    """The parts of this book."""
    edition = yaml.safe_load(Path(app.srcdir, EDITION).read_text("utf-8"))
    return in_parts(chapters(app), edition)


def typeset(text: str) -> str:
    """HTML of one line of plain text, in which a symbol such as d_k is one."""
    return SYMBOL.sub(r"<var>\1<sub>\2</sub></var>", html.escape(text))


def follow_the_chapters(env) -> None:
    """Read the page that is being read again when a chapter or the edition changes."""
    env.note_dependency(__file__)
    env.note_dependency(str(Path(env.srcdir, EDITION)))
    for page in env.app.qkv_pages.values():
        env.note_dependency(str(page.path))


def link(env, docname: str, words: str) -> str:
    """An ``<a>`` from the page that is being read; ``words`` are HTML."""
    href = env.app.builder.get_relative_uri(env.docname, docname)
    return f'<a href="{html.escape(href)}">{words}</a>'


class ChapterToctree(TocTree):
    """Toctrees of the notebooks in one folder, of the chapters one for each part."""

    required_arguments = 1

    def run(self):
        folder = self.arguments[0]
        if folder != "chapters":
            return self._toctree(
                chapters(self.env.app, folder), lambda each: each.title
            )
        found = []
        for part in parts_of(self.env.app):
            self.options["caption"] = part.heading
            found += self._toctree(part.chapters, numbered)
        return found

    def _toctree(self, listed, words):
        if not listed:
            return []
        lines = [f"{words(each)} </{each.docname}>" for each in listed]
        self.content = StringList(lines, self.env.docname)
        return super().run()


def numbered(chapter: Chapter) -> str:
    """How the side bar calls a chapter."""
    return f"{chapter.number} · {chapter.title}"


class BookParts(SphinxDirective):
    """What each part is, in a paragraph."""

    def run(self):
        follow_the_chapters(self.env)
        return [
            nodes.paragraph(
                "",
                "",
                nodes.strong(text=f"{part.heading} ({span(part)})."),
                nodes.Text(f" {part.says}"),
            )
            for part in parts_of(self.env.app)
        ]


def span(part: Part) -> str:
    """Which chapters a part has, in words; their numbers may have gaps."""
    first, *others = [each.number for each in part.chapters]
    if not others:
        return f"chapter {first}"
    last = others[-1]
    if len(others) > 1 and last - first == len(others):
        return f"chapters {first} to {last}"
    return f"chapters {', '.join(map(str, [first, *others[:-1]]))} and {last}"


def add_next_part(app, pagename, templatename, context, doctree) -> None:
    """Below the last chapter of a part: what the next part adds."""
    if pagename not in app.qkv_pages or "body" not in context:
        return
    parts = parts_of(app)
    for part, after in pairwise(parts):
        if part.chapters[-1].docname == pagename:
            context["body"] += next_part(part, after, context["pathto"])


def next_part(part: Part, after: Part, pathto) -> str:
    links = ", ".join(
        f'<a href="{pathto(each.docname)}">{typeset(numbered(each))}</a>'
        for each in after.chapters
    )
    return (
        f'<aside class="book-next-part" aria-label="{html.escape(after.name)}">'
        f"<p>{part.name} ends here. <strong>{html.escape(after.heading)}.</strong> "
        f"{html.escape(after.says)} {links}.</p></aside>\n"
    )


def setup(app):
    app.add_directive("chapter-toctree", ChapterToctree)
    app.add_directive("book-parts", BookParts)
    app.connect("builder-inited", read_chapters, priority=110)
    app.connect("html-page-context", add_next_part, priority=410)
    return {"version": "1", "parallel_read_safe": True}
