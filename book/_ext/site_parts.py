"""What the extensions share: HTML in a page's tree, the cells there, the book's tools.

``part("details", {...}, ...)`` is an element of HTML that docutils has not.
"""

import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from docutils import nodes


class part(nodes.General, nodes.Element):
    """An element with a tag, attributes, and what stands in it; named as a node is."""

    def __init__(
        self, tag: str = "div", attributes: dict | None = None, *children: nodes.Node
    ):
        super().__init__("", *children)
        self["tag"], self["html"] = tag, attributes or {}


def raw(html: str) -> nodes.raw:
    return nodes.raw("", html, format="html")


def details(kind: str, summary: str, *children: nodes.Node, **attributes: str) -> part:
    """Return what opens to show its children; its summary is HTML."""
    line = part("summary", {}, raw(summary))
    return part("details", {"class": kind, **attributes}, line, *children)


def about(node: nodes.Node) -> dict:
    """Return what the site's edition of a notebook noted about a code cell."""
    if isinstance(node, nodes.Element) and node.get("nb_element") == "cell_code":
        return node["cell_metadata"].get("book", {})
    return {}


def cells(tree: nodes.Element) -> Iterator[nodes.Element]:
    """Yield the code cells below a node."""
    for node in list(tree.findall(nodes.container)):
        if node.get("nb_element") == "cell_code":
            yield node


def is_put_away(node: nodes.Element) -> bool:
    """Whether it is a notebook's cell, or folded: hints, and what solutions repeat."""
    return "cell" in node.get("classes", ()) or node.get("tag") == "details"


def tool(app, name: str) -> ModuleType:
    """Return a module of the book's `tools`, which lie beside the chapters."""
    if app.config.qkv_root not in sys.path:
        sys.path.append(app.config.qkv_root)
    return import_module(f"tools.{name}")


def _visit(self, node: part) -> None:
    self.body.append(self.starttag(node, node["tag"], "", **node["html"]))


def _depart(self, node: part) -> None:
    self.body.append(f"</{node['tag']}>")


def setup(app):
    app.add_node(part, html=(_visit, _depart))
    return {"version": "1", "env_version": 1, "parallel_read_safe": True}
