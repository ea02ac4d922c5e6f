"""Fold the cells that only set up, draw, measure claims, or show that two ways agree.

Which they are, and what the line says that stands for one, is the matter of
``tools/folding.py``, for JupyterLab as for the site. Here the code of such a cell goes
into a ``<details>``; its output stays in sight. On paper nothing is folded.
"""

import html
import re

from docutils import nodes
from site_elements import about, cells, details, tool


def note(app, notebooks: dict) -> None:
    """Write into each code cell how it folds."""
    fold = tool(app, "folding").fold
    for notebook in notebooks.values():
        for cell in notebook.cells:
            if cell.cell_type == "code" and (
                found := fold(cell.source, cell.metadata.get("tags", ()))
            ):
                known = cell.metadata.setdefault("book", {})
                known.update(fold=found.kind, says=found.says)


def fold_cells(app, doctree: nodes.document) -> None:
    for cell in cells(doctree):
        kind, source = about(cell).get("fold"), cell.children[0]
        if kind and source.get("nb_element") == "cell_code_source":
            line = summary(kind, about(cell)["says"])
            cell.replace(source, details(f"book-fold book-fold-{kind}", line, source))


def summary(kind: str, says: str) -> str:
    """The line that stands for a cell, as HTML.

    What is claimed stands in full below, so that one word is enough for its code.
    """
    said = re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(says, quote=False))
    if kind != "claim":
        return said
    return f'code<span class="book-heard">: {said[:1].lower()}{said[1:]}</span>'


def setup(app):
    app.connect("twins-edited", note)
    if not app.tags.has("paper"):
        app.connect("doctree-read", fold_cells, priority=460)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True}
