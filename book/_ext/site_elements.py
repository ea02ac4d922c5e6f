"""What the extensions share: HTML in a page's tree, the cells there, the book's tools.

``element("details", {...}, ...)`` is an element of HTML that docutils has not.
"""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from zlib import crc32

from docutils import nodes


class element(nodes.General, nodes.Element):
    """An element with a tag, attributes, and what stands in it; named as a node is."""

    def __init__(
        self, tag: str = "div", attributes: dict | None = None, *children: nodes.Node
    ):
        super().__init__("", *children)
        self["tag"], self["html"] = tag, attributes or {}


def raw(html: str) -> nodes.raw:
    return nodes.raw("", html, format="html")


def details(kind: str, summary: str, *children: nodes.Node) -> element:
    """Return what opens to show its children; its summary is HTML."""
    line = element("summary", {}, raw(summary))
    return element("details", {"class": kind}, line, *children)


def is_cell(node: nodes.Node) -> bool:
    """Whether it is a code cell, with its code and what came out."""
    return isinstance(node, nodes.Element) and node.get("nb_element") == "cell_code"


def about(node: nodes.Node) -> dict:
    """Return what the site's edition of a notebook noted about a code cell."""
    return node["cell_metadata"].get("book", {}) if is_cell(node) else {}


def cells(tree: nodes.Element) -> list[nodes.Element]:
    """Return the code cells below a node."""
    return [node for node in tree.findall(nodes.container) if is_cell(node)]


def is_put_away(node: nodes.Element) -> bool:
    """Whether it is a notebook's cell, or folded: hints, and what solutions repeat."""
    return "cell" in node.get("classes", ()) or node.get("tag") == "details"


def tool(app, name: str) -> ModuleType:
    """Return a module of the book's `tools`, which lie beside the chapters."""
    if app.config.qkv_root not in sys.path:
        sys.path.append(app.config.qkv_root)
    return import_module(f"tools.{name}")


def add_early(app, context: dict, *scripts: str) -> None:
    """Run scripts of ``_static`` before the body of the page is read, in their order.

    Sphinx's own list of scripts will not do: the theme puts it at the body's end.
    """
    for name in scripts:
        version = crc32(Path(app.confdir, "_static", name).read_bytes())
        address = context["pathto"](f"_static/{name}", resource=True)
        tag = f'<script src="{address}?v={version:08x}"></script>'
        if tag not in (context.get("metatags") or ""):
            context["metatags"] = f"{context.get('metatags') or ''}{tag}"


def _visit(self, node: element) -> None:
    self.body.append(self.starttag(node, node["tag"], "", **node["html"]))


def _depart(self, node: element) -> None:
    self.body.append(f"</{node['tag']}>")


def setup(app):
    app.add_node(element, html=(_visit, _depart))
    return {"version": "1", "env_version": 2, "parallel_read_safe": True}
