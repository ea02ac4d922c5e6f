"""Cover what follows a prediction, until the reader has answered or waved it through.

Where a cover ends needs no list: what is covered is all up to the first text after the
first claim, which is the answer's verdict, and that text; where a section claims
nothing, up to the first text after the first output. Exercises in between stay open.
``_static/cover.js`` covers: without scripts, and on paper, all stands open.
"""

import ast
import re
from collections.abc import Iterator

from docutils import nodes
from site_elements import about, add_early, cells, element, is_cell, raw
from sphinx.util import logging

logger = logging.getLogger(__name__)
CLAIM = re.compile(r"^\s*claim\(", flags=re.MULTILINE)


def note(app, notebooks: dict) -> None:
    """Write into each code cell the prediction that it asks for, and if it claims."""
    for notebook in notebooks.values():
        for cell in notebook.cells:
            if cell.cell_type == "code":
                known = cell.metadata.setdefault("book", {})
                if CLAIM.search(cell.source):
                    known["claims"] = True
                for name in predictions(cell.source):
                    known["predict"] = name


def predictions(source: str) -> list[str]:
    """Return the names of the predictions that a cell asks for."""
    if "Predict(" not in source:
        return []
    calls = [each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Call)]
    asked = [call for call in calls if ast.unparse(call.func) == "Predict"]
    words = [word for call in asked for word in call.keywords if word.arg == "name"]
    return [ast.literal_eval(word.value) for word in words]


def cover(app, doctree: nodes.document) -> None:
    """Put each prediction's answer into parts that a script covers."""
    for cell in filter(_asks, cells(doctree)):
        parent = cell.parent
        runs = list(_runs(parent.children[parent.index(cell) + 1 :]))
        if not runs:
            logger.warning("%s: no answer follows", _asks(cell), location=cell)
        cell["ids"].append(f"predict-{_asks(cell)}")
        for run in runs:
            at = parent.index(run[0])
            for node in run:
                parent.remove(node)
            html = {"class": "book-answer", "data-predict": _asks(cell)}
            begin = raw("<script>window.qkvCover?.()</script>")
            parent.insert(at, element("div", html, begin, *run))


def _asks(node: nodes.Node) -> str:
    return about(node).get("predict", "")


def _runs(following: list[nodes.Node]) -> Iterator[list[nodes.Node]]:
    """Yield what is to be covered, in pieces between the exercises."""
    answer = _answer(following)
    run: list[nodes.Node] = []
    for node in answer:
        if isinstance(node, nodes.section):
            if run:
                yield run
            run = []
        else:
            run.append(node)
    if run:
        yield run


def _answer(following: list[nodes.Node]) -> list[nodes.Node]:
    """What follows, exercises among it, as far as the answer goes."""
    within = list(_until_the_next(following))
    claims = any(_claims(node) for node in within)
    answers, told = (_claims if claims else _shows), False
    for at, node in enumerate(within):
        ends = told and at and _is_text(within[at - 1]) and not _is_text(node)
        if ends:
            return within[:at]
        told = told or answers(node)
    return within if told else []


def _until_the_next(following: list[nodes.Node]) -> Iterator[nodes.Node]:
    """Yield what comes before the next prediction or heading."""
    for node in following:
        box = isinstance(node, nodes.section) and "book-exercise" in node["classes"]
        if _asks(node) or (isinstance(node, nodes.section) and not box):
            return
        yield node


def _is_text(node: nodes.Node) -> bool:
    return not (is_cell(node) or isinstance(node, nodes.section))


def _shows(node: nodes.Node) -> bool:
    """Whether a cell has an output."""
    last = node.children[-1] if not _is_text(node) and node.children else None
    return last is not None and last.get("nb_element") == "cell_code_output"


def _claims(node: nodes.Node) -> bool:
    return about(node).get("claims", False)


def add_scripts(app, pagename, templatename, context, doctree) -> None:
    """Add what covers, before the page's body: nothing is to be seen uncovered."""
    if "book-answer" in context.get("body", ""):
        add_early(app, context, "memory.js", "cover.js")


def setup(app):
    if not app.tags.has("paper"):
        app.connect("twins-edited", note)
        app.connect("doctree-read", cover, priority=455)
        app.connect("html-page-context", add_scripts)
    return {"version": "1", "env_version": 2, "parallel_read_safe": True}
