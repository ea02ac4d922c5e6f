"""Make the exercises of a chapter places of their own.

The source is the chapter's Markdown, ``**Exercise 3.1** (5 minutes, ★). ...``, as far
as the cell with its check or its ``WorkItOut``. Each becomes a section with an anchor,
so that the page's contents have it; with its hints, and with the worked solution, which
is copied from the chapter's solutions. Both lead to each other. The open experiment is
one as well. What a reader has done is remembered by ``_static/exercises.js``.
"""

import html
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

import nbformat
from docutils import nodes
from site_chapters import is_chapter, number_of, solutions_of
from site_elements import about, add_early, details, element, raw
from sphinx.util import logging

from qkv.exercises import finding

logger = logging.getLogger(__name__)

OPEN_ONE = r"(?:An o|The o|O)pen experiment"
BEGINS = re.compile(rf"Exercise (\d+\.\w+)|{OPEN_ONE}")
EFFORT = re.compile(r" \((\d+) minutes, (★+)(, by hand)?\)\.\s*")
ITS_CELL = re.compile(r'^\s*(?:check|WorkItOut)\("(\d+\.\w+)"', flags=re.M)
SOLVES = re.compile(rf"(\d+\.\w+)\b|{OPEN_ONE}")
OPEN = "open"
HEADING = re.compile(r"^(?=#{2,} )", flags=re.M)


def place(number: int, id: str) -> str:
    """The last part of the anchors of an exercise, on both of its pages."""
    return f"{id}-{number}" if id == OPEN else id.replace(".", "-")


# ------------------------------------------------------ in the notebooks: what is added


def add_help(app, notebooks: dict) -> None:
    """Put behind each exercise's cell its hints, and the cells of its solution.

    On paper they would be in sight: there the exercises' cells are only noted.
    """
    helps = not app.tags.has("paper")
    for docname, notebook in notebooks.items():
        if is_chapter(docname):
            solved = notebooks.get(solutions_of(docname))
            known = solutions(solved) if solved else {}
            notebook.cells = list(_with_help(notebook, known if helps else None))
            for number, cell in enumerate(notebook.cells):
                cell.id = f"cell-{number}"  # the same in each build


def solutions(notebook) -> dict[str, list]:
    """The cells of each solution, by the exercise's id; a heading begins it."""
    found: dict[str, list] = {}
    current: list = []
    for cell in _split(notebook.cells):
        begins = cell.cell_type == "markdown" and re.match(r"## (.*)\n*", cell.source)
        if begins:
            title = SOLVES.match(begins[1])
            current = found.setdefault(title[1] or OPEN, []) if title else []
            cell = nbformat.v4.new_markdown_cell(cell.source[begins.end() :])
        current.append(cell)
    return found


def _split(cells: list) -> Iterator:
    """Yield the cells, prose cut at its headings."""
    for cell in cells:
        if cell.cell_type != "markdown":
            yield cell
            continue
        for text in filter(str.strip, HEADING.split(cell.source)):
            yield nbformat.v4.new_markdown_cell(text)


def _with_help(notebook, known: dict[str, list] | None) -> Iterator:
    for cell in _split(notebook.cells):
        yield cell
        for id in _ids(cell):
            if cell.cell_type == "code":
                cell.metadata.setdefault("book", {})["exercise"] = id
            if known is not None:
                yield from _hints(id)
                yield from (_solving(id, each) for each in known.get(id, ()))


def _ids(cell) -> list[str]:
    """The exercises that end with this cell."""
    if cell.cell_type == "code":
        return ITS_CELL.findall(cell.source)
    return [OPEN] * len(re.findall(rf"^\*\*{OPEN_ONE}", cell.source, flags=re.M))


def _solving(id: str, cell):
    """A copy of a solution's cell that says whose it is, as a part of the chapter."""
    cell = deepcopy(cell)
    if cell.cell_type == "code":
        cell.metadata.setdefault("book", {})["solves"] = id
        return cell
    text = re.sub(r"\]\(\.\./(\d\d_)", r"](\1", cell.source)
    return _wrapped(f"book-solves-{_class(id)}", text)


def _hints(id: str) -> list:
    """The hints, each within the one before, so that they come one by one."""
    if id == OPEN or id not in finding.files(finding.chapter_of(id) or 0):
        return []
    hints, inside = finding.find(id).hints, ""
    for number, hint in reversed(list(enumerate(hints, start=1))):
        inside = (
            f'<details class="book-hint"><summary>Hint {number} of {len(hints)}'
            f"</summary><p>{html.escape(_sentence(hint), quote=False)}</p>{inside}"
            f"</details>"
        )
    return [_wrapped(f"book-hints-{_class(id)}", f"```{{raw}} html\n{inside}\n```")]


def _sentence(hint: str) -> str:
    """A hint as a sentence of its own, unless it begins with code."""
    begins_with_words = re.match(r"(a|[a-z]{2,}),? [a-z]{2,}\b", hint)
    return hint[0].upper() + hint[1:] if begins_with_words else hint


def _class(id: str) -> str:
    return id.replace(".", "-")


def _wrapped(name: str, text: str):
    fence = ":" * 12
    text = f"{fence}{{container}} {name}\n{text}\n{fence}"
    return nbformat.v4.new_markdown_cell(text)


# ------------------------------------------------------------- in the tree: the boxes


@dataclass(frozen=True)
class Task:
    """An exercise on its page: the number of its chapter, and its first paragraph."""

    number: int
    id: str
    first: nodes.paragraph

    @property
    def anchor(self) -> str:
        return f"exercise-{place(self.number, self.id)}"

    @property
    def title(self) -> str:
        return title_of(self.id)


def title_of(id: str) -> str:
    """What an exercise is called."""
    if id == OPEN:
        return "Open experiment"
    by_hand = not id.partition(".")[2].isdecimal()
    found = (finding.find_by_hand if by_hand else finding.find)(id)
    return f"Exercise {id}: {found.title}"


def make_boxes(app, doctree: nodes.document) -> None:
    """Make a section of each exercise, before the contents are collected."""
    docname = app.env.docname
    if not is_chapter(docname):
        return
    for known in (finding.files, finding.by_hand):  # their titles stand on the page
        for path in known(number_of(docname)).values():
            app.env.note_dependency(str(path))
    for paragraph in list(doctree.findall(nodes.paragraph)):
        strong = next(iter(_said(paragraph)), None)
        begins = isinstance(strong, nodes.strong) and BEGINS.match(strong.astext())
        if begins and isinstance(paragraph.parent, nodes.section):
            task = Task(number_of(docname), begins[1] or OPEN, paragraph)
            _box(app, task, docname)


def _said(paragraph: nodes.paragraph) -> list[nodes.Node]:
    """The parts of a paragraph; MyST puts an empty text before what is strong."""
    return [child for child in paragraph.children if child.astext()]


def _box(app, task: Task, docname: str) -> None:
    parent = task.first.parent
    at = parent.index(task.first)
    own, hints, solving = _gather(task, parent.children[at:])
    if task.id != OPEN and not (own and about(own[-1]).get("exercise") == task.id):
        logger.warning("exercise %s has no cell", task.id, location=task.first)
    for node in (*own, *hints, *solving):
        parent.remove(node)
    box = nodes.section("", ids=[task.anchor], classes=["book-exercise"])
    box += nodes.title("", task.title)
    box += nodes.paragraph("", "", raw(_effort(task)), classes=["book-effort"])
    box += [*own, *hints]
    if solving:
        box += _solution(app, task, docname, solving)
    parent.insert(at, box)


def _gather(task: Task, following: list) -> tuple[list, list, list]:
    """What belongs to an exercise, of what follows: task and cell, hints, solution."""
    own: list = []
    hints: list = []
    solving: list = []
    name = _class(task.id)
    for node in following:
        if isinstance(node, nodes.section):
            break
        if f"book-hints-{name}" in node.get("classes", ()):
            hints.append(node)
        elif _solves(node, task.id):
            solving.append(node)
        elif hints or solving or (own and about(own[-1]).get("exercise") == task.id):
            break
        else:
            own.append(node)
    return own, hints, solving


def _solves(node: nodes.Element, id: str) -> bool:
    named = f"book-solves-{_class(id)}" in node.get("classes", ())
    return named or about(node).get("solves") == id


def _effort(task: Task) -> str:
    """Take the minutes and the mark out of the first paragraph, for the box's head."""
    strong, *after = _said(task.first)
    said = after[0] if after else nodes.Text("")
    found = EFFORT.match(said.astext())
    if not found:
        logger.warning("%s: no minutes or mark", task.title, location=task.first)
        return ""
    task.first.remove(strong)
    task.first.replace(said, nodes.Text(said.astext()[found.end() :]))
    minutes, stars, by_hand = found.groups()
    difficulty = f"difficulty {len(stars)} of 3"
    parts = [
        f"{minutes} minutes",
        f'<span role="img" aria-label="{difficulty}">{stars}</span>',
        *["by hand"] * bool(by_hand),
    ]
    return " · ".join(parts)


def _solution(app, task: Task, docname: str, solving: list) -> element:
    uri = app.builder.get_relative_uri(docname, solutions_of(docname))
    uri += f"#solution-{place(task.number, task.id)}"
    link = nodes.reference("", "All solutions", refuri=uri, internal=True)
    more = nodes.paragraph("", "", link, classes=["book-more"])
    inside = nodes.container("", *solving)
    return details("book-solution", "A solution", inside, more)


# --------------------------------------------------------------- on the solutions' page


def name_solutions(app, doctree: nodes.document) -> None:
    """Give each solution its anchor, and a link back to its exercise."""
    docname = app.env.docname
    chapter = docname.replace("/solutions/", "/")
    if docname == chapter or chapter not in app.qkv_pages:
        return
    for section in doctree.findall(nodes.section):
        title = SOLVES.match(section.children[0].astext())
        if title:
            where = place(number_of(docname), title[1] or OPEN)
            section["ids"].insert(0, f"solution-{where}")
            uri = app.builder.get_relative_uri(docname, chapter)
            back = nodes.reference(
                "", "The task", refuri=f"{uri}#exercise-{where}", internal=True
            )
            section.insert(1, nodes.paragraph("", "", back, classes=["book-more"]))


def add_script(app, pagename, templatename, context, doctree) -> None:
    """Add what ticks exercises, and unfolds code for print, where there is either."""
    if re.search(r"\bbook-(?:exercise|fold)\b", context.get("body", "")):
        add_early(app, context, "memory.js")
        app.add_js_file("exercises.js", defer="defer")


def setup(app):
    app.connect("twins-edited", add_help, priority=600)  # when all else is noted
    app.connect("doctree-read", make_boxes, priority=450)
    app.connect("doctree-read", name_solutions, priority=450)
    app.connect("html-page-context", add_script)
    app.add_css_file("exercises.css")
    return {"version": "1", "env_version": 1, "parallel_read_safe": True}
