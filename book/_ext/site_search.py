"""Search that finds sections: an index of the book's own, written as a script.

Sphinx's index knows pages, formulas and the markup of formulas, and lists them by page.
This one has a row for each section, each term of the glossary and each name of the
package, with their prose alone: no code, no output, no markup, of formulas only those
as short as a symbol. It is a script, since a page that lies on a disk may load no other
file; ``search.js`` ranks and shows what it finds. Korean forms of a term are those of
the glossary.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from docutils import nodes
from site_chapters import chapters
from site_glossary import Term, terms_of
from site_twins import write_if_changed
from sphinx import addnodes

CHAPTERS, PAGES, SOLUTIONS, PACKAGE = range(4)  # in this order they are listed
SKIPPED = (
    nodes.section,  # has a row of its own
    nodes.title,
    nodes.literal_block,
    nodes.math_block,
    nodes.raw,
    nodes.comment,
    nodes.Invisible,
    addnodes.desc,
    addnodes.toctree,
    addnodes.index,
)
SHORT = 14  # letters of a formula that is read as a symbol
NAMES = ("alpha", "beta", "gamma", "theta", "lambda", "pi", "sigma", "cdot", "top")
LETTERS = dict(zip(NAMES, "αβγθλπσ·ᵀ", strict=True))


@dataclass
class Section:
    """A place that search can find."""

    anchor: str
    title: str
    text: str
    bold: list[str] = field(default_factory=list)
    repeats: bool = False  # asks for what a section teaches, or says it again

    def row(self) -> list[str | int]:
        bold = "|".join(self.bold)
        return [self.anchor, self.title, self.text, bold, int(self.repeats)]


# ------------------------------------------------------------------------------ prose


def symbol(tex: str) -> str:
    r"""A short formula as one writes it by hand, others as an ellipsis.

    Examples
    --------
    >>> symbol(r"\sqrt{d_k}"), symbol(r"\alpha_{ij}"), symbol(r"\frac{a}{b} + c")
    ('√d_k', 'α_ij', '…')
    """
    plain = re.sub(r"\\sqrt ?", "√", tex).replace("^2", "²")
    named = r"\\([a-z]+)(?![A-Za-z]) ?"
    plain = re.sub(named, lambda m: LETTERS.get(m[1], m[0]), plain)
    plain = plain.replace("^ᵀ", "ᵀ")
    plain = re.sub(r"\\(?:text|mathrm|mathbf)|[{}$]|\\[,;]", "", plain).strip()
    return "…" if re.search(r"[\\<>^&]", plain) or len(plain) > SHORT else plain


def prose(node: nodes.Node) -> str:
    """The words of a node, without what search should not find."""
    if isinstance(node, nodes.math):
        return symbol(node.astext())
    if isinstance(node, nodes.Text):
        return node.astext()
    if isinstance(node, SKIPPED) or is_put_away(node):
        return ""
    apart = "" if isinstance(node, nodes.TextElement) else "\n"
    return apart.join(prose(child) for child in node.children)


def is_put_away(node: nodes.Element) -> bool:
    """Whether it is a notebook's cell, or folded: hints, and what solutions repeat."""
    return "cell" in node.get("classes", ()) or node.get("tag") == "details"


def one_line(text: str) -> str:
    return " ".join(text.split())


# --------------------------------------------------------------------------- sections


def sections(doctree: nodes.document) -> Iterator[Section]:
    """What a page has to be found, in its order."""
    for node in doctree.findall():
        if isinstance(node, nodes.section):
            yield _section(node)
        elif isinstance(node, addnodes.desc):
            yield from _described(node)
        elif isinstance(node, addnodes.glossary):
            yield from map(_defined, node.findall(nodes.definition_list_item))


def _section(node: nodes.section) -> Section:
    title = next(iter(node.findall(nodes.title)))
    body = [each for each in node.children if not _is_aside(each)]
    text = "\n".join(prose(child) for child in body)
    own = (strong for child in body for strong in _bold(child))
    return Section(
        anchor=node["ids"][0],
        title=one_line(title.astext()),
        text=one_line(text),
        bold=[*own],
        repeats="book-exercise" in node["classes"],
    )


def _is_aside(node: nodes.Node) -> bool:
    """Whether it has rows of its own, or is the line that says what a chapter costs."""
    alone = isinstance(node, nodes.paragraph) and len(node.children) == 1
    cost = alone and isinstance(node.children[0], nodes.emphasis)
    return cost or isinstance(node, addnodes.glossary)


def _bold(node: nodes.Node) -> Iterator[str]:
    """The few words that are set in bold: there a term is introduced."""
    if isinstance(node, nodes.strong):
        yield from [one_line(node.astext())] * (len(node.astext().split()) < 5)
    elif not isinstance(node, SKIPPED):
        for child in node.children:
            yield from _bold(child)


def _described(node: addnodes.desc) -> Iterator[Section]:
    """A name of the package, with the first sentence of what is said of it."""
    for signature in node.findall(addnodes.desc_signature):
        if signature.parent is node and signature["ids"]:
            content = node.next_node(addnodes.desc_content, descend=True)
            said = content and content.next_node(nodes.paragraph)
            text = one_line(prose(said)) if said else ""
            yield Section(signature["ids"][0], signature["ids"][0], text)


def _defined(node: nodes.definition_list_item) -> Section:
    terms = list(node.findall(nodes.term))
    title = " · ".join(term.children[0].astext() for term in terms)
    said = one_line(prose(node.children[-1]))
    return Section(terms[0]["ids"][0], title, said, repeats=True)


# -------------------------------------------------------------------------- the index


def kind_of(docname: str) -> int:
    if docname.startswith("chapters/solutions/"):
        return SOLUTIONS
    if docname.startswith("chapters/"):
        return CHAPTERS
    return PACKAGE if docname.partition("/")[0] in ("api", "korean_forms") else PAGES


def index(app) -> dict:
    """All that search knows: pages with their sections, and the forms of each term."""
    env = app.env
    names = {each.docname: f"Chapter {each.number}" for each in chapters(app)}
    docnames = sorted(
        env.found_docs - {app.config.root_doc}, key=lambda d: (kind_of(d), d)
    )
    pages = [
        {
            "address": app.builder.get_target_uri(docname),
            "title": env.titles[docname].astext(),
            "part": names.get(docname, ""),
            "kind": kind_of(docname),
            "sections": [each.row() for each in sections(env.get_doctree(docname))],
        }
        for docname in docnames
    ]
    forms = {form: term.name for term in terms_of(env) for form in other_forms(term)}
    return {"pages": pages, "forms": forms}


def other_forms(term: Term) -> list[str]:
    """A term's Korean forms, as one word since spaces differ, and its short forms."""
    korean = [form.replace(" ", "") for form in term.korean if form]
    return korean + [name.lower() for name in term.names[1:] if " " not in name]


def write_index(app):
    """Write the index, when all pages are read, and ask for the page of search."""
    if app.builder.name != "html":
        return []  # paper is not searched
    data = json.dumps(index(app), ensure_ascii=False, separators=(",", ":"))
    text = f"globalThis.qkvIndex={data};\n"
    write_if_changed(Path(app.outdir, "_static", "search-index.js"), text)
    return [("search", {}, "search.html")]


def leave_out_sphinxs(app) -> None:
    app.builder.search = False


def setup(app):
    app.connect("builder-inited", leave_out_sphinxs)
    app.connect("html-collect-pages", write_index)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
