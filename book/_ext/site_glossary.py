"""Link the terms of the glossary at their first use in each chapter.

A term is linked where the chapter introduces it in bold, or else at its first use in
the prose; hints and solutions, which are folded, do not count. A single word, such as
*key*, is linked only from the chapter on that introduces it, if there is one: before,
it means what it means to everybody. Headings, code, formulas, tables and links stay as
they are. What the term means, and how it is called in Korean, goes along with the page;
``glossary.js`` shows it on hover and focus.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from docutils import nodes
from site_chapters import chapters, is_chapter
from site_elements import is_put_away, raw
from sphinx import addnodes

PAGE = "glossary"
LEFT_ALONE = (
    nodes.title,
    nodes.reference,
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.math_block,
    nodes.raw,
    nodes.table,
    nodes.Invisible,
    addnodes.toctree,
)


@dataclass
class Term:
    """An entry of the glossary.

    Attributes
    ----------
    names : how it is called in English: the term, its long form, and others.
    korean : the form that the book uses, then others.
    meaning : its definition, as HTML.
    introduced : the number of the chapter that first sets it in bold.
    """

    names: list[str]
    korean: list[str]
    meaning: str
    anchor: str
    introduced: int | None = None
    pattern: re.Pattern = field(init=False)

    def __post_init__(self):
        names = sorted(self.names, key=len, reverse=True)
        listed = "|".join(r"\s+".join(map(re.escape, name.split())) for name in names)
        self.pattern = re.compile(rf"(?<![\w-])(?:{listed})(?:e?s)?(?![\w-])", re.I)

    @property
    def name(self) -> str:
        return self.names[0]

    def is_linked_in(self, chapter: int) -> bool:
        """Whether a reader of this chapter may meet it as a term."""
        if " " in self.name or self.introduced is None:
            return True
        return chapter >= self.introduced


# ------------------------------------------------------------------------- the glossary


def terms_of(env) -> list[Term]:
    """The terms of the book, read from the page of the glossary once for each build."""
    if not hasattr(env.app, "qkv_terms"):
        page = env.get_doctree(PAGE) if PAGE in env.found_docs else nodes.Element()
        items = page.findall(nodes.definition_list_item)
        env.app.qkv_terms = [read_term(item) for item in items]
        for chapter in chapters(env.app):
            _note_bold(
                env.get_doctree(chapter.docname), chapter.number, env.app.qkv_terms
            )
    return env.app.qkv_terms


def read_term(item: nodes.definition_list_item) -> Term:
    english, korean = item.findall(nodes.term)
    definition = item.children[-1]
    said = " ".join(definition.astext().split())
    long_form, _, explained = said.partition(":")
    names = [english.children[0].astext()]
    if explained and re.fullmatch(r"(?!Of |Also )\w+(?: [\w-]+){0,3}", long_form):
        names.append(long_form.lower())
    if short_form := re.match(r"(\w+)\. ", said):
        names.append(short_form[1])
    also = re.findall(r"Also ([^.]+)\.", said)
    others = [form for each in also for form in re.split(r",\s*|\s+or\s+", each)]
    return Term(
        names=names + [form for form in others if form.isascii()],
        korean=[korean.children[0].astext()]
        + [form for form in others if not form.isascii()],
        meaning=_as_html(definition),
        anchor=english["ids"][0],
    )


def _as_html(node: nodes.Node) -> str:
    """A definition as HTML in one line: words and formulas, no links."""
    if isinstance(node, nodes.math):
        return f'<span class="math">{node["katex"]}</span>'
    if isinstance(node, nodes.Text):
        return html.escape(" ".join(re.split(r"\s+", node.astext())))
    return "".join(map(_as_html, node.children))


def _note_bold(doctree: nodes.document, chapter: int, terms: list[Term]) -> None:
    bold = [each.astext() for each in doctree.findall(nodes.strong)]
    for term in terms:
        if term.introduced is None and any(map(term.pattern.fullmatch, bold)):
            term.introduced = chapter


# ------------------------------------------------------------------------- the chapters


def prose(node: nodes.Element) -> Iterator[nodes.Text]:
    """The texts of a page in which a term may be linked, in their order."""
    for child in node.children:
        if isinstance(child, nodes.Text):
            yield child
        elif not (isinstance(child, LEFT_ALONE) or is_put_away(child)):
            yield from prose(child)


def link_terms(app, doctree, docname) -> None:
    """Link each term once, and put what it means at the end of the page."""
    numbers = {each.docname: each.number for each in chapters(app)}
    if app.builder.name != "html" or docname not in numbers:
        return
    terms = [t for t in terms_of(app.env) if t.is_linked_in(numbers[docname])]
    terms.sort(key=lambda term: -max(map(len, term.names)))
    uri = app.builder.get_relative_uri(docname, PAGE)
    linked = [t for t in terms if _link_first(doctree, t, numbers[docname], uri)]
    if linked:
        told = "".join(map(explanation, linked))
        doctree += raw(f'<template id="book-terms">{told}</template>')


def _link_first(doctree, term: Term, chapter: int, uri: str) -> bool:
    """Link a term where it is introduced or first used; say whether it is."""
    texts = [text for text in prose(doctree) if term.pattern.search(text)]
    bold = [text for text in texts if isinstance(text.parent, nodes.strong)]
    for text in bold if bold and term.introduced == chapter else texts:
        (found,) = islice(term.pattern.finditer(text), 1)
        link = nodes.reference(
            "",
            found[0],
            refuri=f"{uri}#{term.anchor}",
            internal=True,
            classes=["book-term"],
        )
        place = text.parent.index(text)
        before, after = text[: found.start()], text[found.end() :]
        text.parent[place : place + 1] = [nodes.Text(before), link, nodes.Text(after)]
        return True
    return False


def explanation(term: Term) -> str:
    """What is shown of a term, by its place in the glossary."""
    korean = html.escape(term.korean[0])
    head = f"<b>{html.escape(term.name)}</b> {korean}"
    return f'<div data-term="{term.anchor}"><p>{head}</p><p>{term.meaning}</p></div>'


def depend_on_the_glossary(app, doctree) -> None:
    if is_chapter(app.env.docname):
        app.env.note_dependency(str(Path(app.srcdir, f"{PAGE}.md")))


def add_script(app, pagename, templatename, context, doctree) -> None:
    if 'id="book-terms"' in context.get("body", ""):
        app.add_js_file("glossary.js", loading_method="defer", priority=910)


def setup(app):
    app.connect("doctree-read", depend_on_the_glossary)
    app.connect("doctree-resolved", link_terms, priority=850)
    app.connect("html-page-context", add_script)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
