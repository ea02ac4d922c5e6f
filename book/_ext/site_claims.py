"""Lead from each claim of a chapter to its row on the claims page, and back.

Both places have the same name, made of the chapter's number and the statement, so that
nothing lists them. A claim without a row, or a row without a claim, has no link: the
page is measured later than a chapter is run.
"""

import hashlib
import html
import re
from pathlib import Path

from docutils import nodes
from site_chapters import is_chapter, number_of
from site_elements import tool

CLAIM = re.compile(r'<p data-mark="✓">✓ (.+?): measured ([^,<]+), (.+?)</p>')
PAGE = "claims"


def name_of(docname: str, statement: str) -> str:
    """The anchor of a claim, on its chapter's page and on that of all claims."""
    said = hashlib.sha256(statement.encode()).hexdigest()[:8]
    return f"claim-{number_of(docname)}-{said}"


def link_claims(app, notebooks: dict) -> None:
    """Give each claim that a chapter's output shows a name and a link to its row."""
    app.qkv_rows = tool(app, "claims").read(Path(app.srcdir, f"{PAGE}.md"))
    app.qkv_claimed = {}
    for docname, notebook in notebooks.items():
        claimed = app.qkv_claimed[docname] = set()
        listed = {row.statement for row in _rows(app, docname)}
        for output in (o for c in notebook.cells for o in c.get("outputs", ())):
            _link(output.get("data", {}), docname, listed, claimed)


def _rows(app, docname: str) -> list:
    """The rows of a chapter on the claims page, in their order; solutions have none."""
    name = docname.rpartition("/")[2]
    return app.qkv_rows.get(name, []) if is_chapter(docname) else []


def _link(data: dict, docname: str, listed: set[str], claimed: set[str]) -> None:
    def linked(match: re.Match) -> str:
        statement = html.unescape(match[1])
        if statement not in listed or statement in claimed:
            return match[0]
        claimed.add(statement)
        name = name_of(docname, statement)
        return (
            f'<p data-mark="✓" class="book-claim" id="{name}">✓ {match[1]}: '
            f'<a href="../{PAGE}.html#{name}">measured {match[2]}</a>, {match[3]}</p>'
        )

    if "text/html" in data:
        data["text/html"] = CLAIM.sub(linked, "".join(data["text/html"]))


def link_rows(app, doctree: nodes.document) -> None:
    """Give each row of the claims page its name, and a link to the chapter's claim."""
    if app.env.docname != PAGE:
        return
    for page in app.qkv_pages.values():
        app.env.note_dependency(str(page.path))
    for section in doctree.findall(nodes.section):
        for docname in _chapter_of(section):
            shown = [row for t in section.findall(nodes.tbody) for row in t.children]
            for row, known in zip(shown, _rows(app, docname), strict=True):
                _name_row(app, row, docname, known.statement)


def _chapter_of(section: nodes.section) -> list[str]:
    """The chapter that a section of the claims page names in its first line."""
    lines = [child for child in section if isinstance(child, nodes.paragraph)][:1]
    named = [link for line in lines for link in line.findall() if "reftarget" in link]
    return [link["reftarget"].lstrip("/") for link in named]


def _name_row(app, row: nodes.row, docname: str, statement: str) -> None:
    if statement not in app.qkv_claimed.get(docname, ()):
        return
    row["ids"] = [name_of(docname, statement)]
    uri = f"{app.builder.get_relative_uri(PAGE, docname)}#{row['ids'][0]}"
    said = next(row.findall(nodes.paragraph))
    link = nodes.reference("", "", *said.children, refuri=uri, internal=True)
    said.children = []
    said += link


def setup(app):
    if not app.tags.has("paper"):
        app.connect("twins-edited", link_claims)
        app.connect("doctree-read", link_rows)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True}
