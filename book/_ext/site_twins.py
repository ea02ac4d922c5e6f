"""Bring the chapters' executed twins into the site.

Each ``chapters/**/*.ipynb`` becomes ``book/chapters/**/*.ipynb``: the same notebook,
its widgets and figures written as the HTML that the site shows. A widget view is now
the stored state and its fallback, mounted by ``_static/host.js`` without a kernel; an
SVG stands in the page itself, so that its text is text and follows the theme. What
Sphinx reads afterwards has no widget state left, and so asks for no widget manager.

Other extensions add to the site's editions of all twins, by their pages' names, at the
event ``twins-edited``, before they are written.

The twins themselves are copied to ``_static/notebooks`` for downloading. A download
comes alone, so the chapter's drawings are put inside it, and a first cell that gets the
package.
"""

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import nbformat
from site_download import opening
from sphinx.util import logging

logger = logging.getLogger(__name__)

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
WEIGHTS = ["weights"]  # of a network: a file of the site, until a reader asks for it
JUPYTER_ONLY = {"layout", "tabbable", "tooltip", "_anywidget_id", "_dom_classes"}
MARKS = "✓✗○●"
WIDEST = 88  # columns are narrower: a longer line is words
HEX = r"([0-9a-f]{16})"
DRAWING = re.compile(r"^!\[([^\]]*)\]\(([^)\s]+\.svg)\)[ \t]*$", flags=re.M)


@dataclass
class Page:
    """One twin on its way into the site, and what goes wrong on the way."""

    path: Path
    assets: dict[str, str] = field(default_factory=dict)
    weights: dict[str, str] = field(default_factory=dict)  # base64, by what it is named
    problems: list[str] = field(default_factory=list)

    def uid(self, *part) -> str:
        """An id for a part of this page that no other page has."""
        return f"q{digest(f'{self.path.parent.name}/{self.path.stem} {part}')[:10]}"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def joined(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


# ------------------------------------------------------------------------- widgets


def widget_html(
    model_id: str, model: dict, css: str, fallback: str, uid: str, page: Page
) -> str:
    """One widget as the host expects it; its module and style go to ``page.assets``."""
    state = model["state"]
    payload: dict[str, Any] = {
        "module": add_asset(page, "define", state.get("_esm", ""))
    }
    if css:
        payload["css_id"] = add_asset(page, "style", css)
    payload["model_id"] = model_id
    payload["state"] = {
        key: value
        for key, value in state.items()
        if key not in JUPYTER_ONLY and not re.match("_(esm|css|view|model)", key)
    }
    binary = [part for part in model.get("buffers", []) if part["data"]]
    payload["buffers"] = [
        {"path": part["path"], "data": part["data"]}
        for part in binary
        if part["path"] != WEIGHTS
    ]
    for part in binary:
        if part["path"] == WEIGHTS:
            payload["state"]["file"] = digest(part["data"])
            page.weights[digest(part["data"])] = part["data"]
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    return (
        f'<div class="qkv-widget" data-qkv-widget="{uid}">'
        f"<div data-fallback>{fallback}</div></div>"
        f'<script type="application/vnd.qkv-widget+json" data-for="{uid}">'
        f"{text.replace('<', chr(92) + 'u003c')}</script>"
    )


def add_asset(page: Page, call: str, text: str) -> str:
    """Keep ``text`` as a script that hands it to the host; return its name."""
    name = digest(text)
    body = f"qkvHost.{call}({json.dumps(name)},{json.dumps(text, ensure_ascii=False)});"
    page.assets[name] = body + "\n"
    return name


def widget_output(data: dict, models: dict, uid: str, page: Page) -> str | None:
    model_id = data[VIEW]["model_id"]
    model = models.get(model_id)
    fallback = joined(data.get("text/html", ""))
    if model is None or not model["state"].get("_esm"):
        page.problems.append(f"widget {model_id} is not an anywidget with stored state")
        return None
    if not fallback:
        page.problems.append(f"{joined(data['text/plain'])} has no text/html fallback")
        return None
    # a twin keeps the widgets' style sheet once, with the first of them
    sheets = (other["state"].get("_css") for other in models.values())
    css = next(filter(None, sheets), "")
    return widget_html(model_id, model, css, fallback, uid, page)


# ------------------------------------------------------------------------- figures


def inline_svg(svg: str, uid: str) -> str:
    """The ``<svg>`` element alone, its ids and its styles kept to itself."""
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.S)
    svg = svg[svg.index("<svg") :].strip()
    for reference in (r'(\bid=")', r'(href="#)', r"(url\(#)"):
        svg = re.sub(reference, rf"\g<1>{uid}-", svg)
    by_id = r'(aria-(?:labelledby|describedby)=")([^"]*)"'
    svg = re.sub(by_id, lambda m: f'{m[1]}{_prefixed(m[2], uid)}"', svg)
    scoped = rf"\g<1>.{uid} {{\g<2>}}</style>"
    return re.sub(r"(<style[^>]*>)(.*?)</style>", scoped, svg, flags=re.S)


def _prefixed(ids: str, uid: str) -> str:
    return " ".join(f"{uid}-{each}" for each in ids.split())


def figure_html(svg: str, alt: str, uid: str, kind: str = "book-figure") -> str:
    """A figure whose text alternative is ``alt``, drawn in the page itself."""
    label = html.escape(" ".join(alt.split()), quote=True)
    return (
        f'<figure class="{kind} {uid}" role="img" aria-label="{label}">'
        f"{inline_svg(svg, uid)}</figure>"
    )


def figure_output(data: dict, uid: str, page: Page) -> str | None:
    alt = joined(data.get("text/plain", "")).strip()
    if not alt or re.match(r"<[\w.]+ .*(object at|size) ", alt):
        page.problems.append(f"a figure without alt text (its text/plain is {alt!r})")
        return None
    return figure_html(joined(data["image/svg+xml"]), alt, uid)


# ----------------------------------------------------------------------- sentences


def sentences(output: dict) -> str | None:
    """What a cell said in words, so that it wraps: marked lines, one line, long ones.

    Anything else that was printed, a tensor or a table, keeps its columns, also between
    sentences.
    """
    text = joined(output.get("text", "")) or joined(
        output["data"].get("text/plain", "")
    )
    lines = text.rstrip("\n").split("\n")
    if not text.strip():
        return None
    kinds = ["words"] if len(lines) == 1 else _kinds(lines)
    if "words" not in kinds:
        return None
    parts = groupby(zip(kinds, lines, strict=True), key=itemgetter(0))
    shown = (_part(kind, [line for _, line in part]) for kind, part in parts)
    return f'<div class="book-said">{"".join(shown)}</div>'


def _kinds(lines: list[str]) -> list[str]:
    """Of each line, whether it is words or columns; what is indented goes on."""
    plain = "words" if max(map(len, lines)) > WIDEST else "columns"
    kinds = []
    for line in lines:
        goes_on = bool(kinds) and (not line or line[0].isspace())
        kind = "words" if line[:1] in tuple(MARKS) else plain
        kinds.append(kinds[-1] if goes_on else kind)
    return kinds


def _part(kind: str, lines: list[str]) -> str:
    if kind == "words":
        return "".join(map(_sentence, lines))
    return f"<pre>{html.escape(chr(10).join(lines))}</pre>"


def _sentence(line: str) -> str:
    if line[:1] in MARKS:
        return f'<p data-mark="{line[0]}">{html.escape(line)}</p>'
    return f"<p>{html.escape(line)}</p>"


# ----------------------------------------------------------------------- notebooks


def site_edition(notebook: nbformat.NotebookNode, page: Page) -> None:
    """Rewrite ``notebook`` in place as the site shows it."""
    stored = notebook.metadata.pop("widgets", {}).get(STATE, {})
    models = stored.get("state", {})
    for data, uid in _outputs(notebook, page):
        shown = None
        if VIEW in data:
            shown = widget_output(data, models, uid, page)
        elif "image/svg+xml" in data:
            shown = figure_output(data, uid, page)
        elif any(mime.startswith("image/") for mime in data):
            page.problems.append("a raster image: figures are SVG with alt text")
        if shown is not None:
            data.clear()
            data["text/html"] = shown
    for output in [each for cell in notebook.cells for each in cell.get("outputs", ())]:
        _let_wrap(output)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _markdown(cell.source, page)


def _let_wrap(output: dict) -> None:
    is_words = output.get("name") == "stdout" or list(output.get("data", ())) == [
        "text/plain"
    ]
    if is_words and (shown := sentences(output)):
        output.clear()
        output.update(
            output_type="display_data", data={"text/html": shown}, metadata={}
        )


def _outputs(notebook, page: Page) -> Iterator[tuple[dict, str]]:
    for cell_index, cell in enumerate(notebook.cells):
        for index, output in enumerate(cell.get("outputs", ())):
            if "data" in output:
                yield output["data"], page.uid(cell_index, index)


def _markdown(text: str, page: Page) -> str:
    """Link to twins where a chapter links to a source, and draw its SVGs inline."""
    text = re.sub(r"(\]\((?:\.\./|solutions/)?\d\d_\w+)\.md([)#])", r"\1.ipynb\2", text)
    return DRAWING.sub(lambda m: _drawing(m, page), text)


def _drawing(match: re.Match, page: Page) -> str:
    alt, name = match[1], match[2]
    source = page.path.parent / name
    if not source.is_file() or leads_away(source) or not alt.strip():
        page.problems.append(f"figure {name}: no such file, a link, or no alt text")
        return match[0]
    svg = source.read_text(encoding="utf-8")
    uid = page.uid(name)
    drawn = figure_html(svg, alt, uid, kind="book-drawing")
    one_block = re.sub(r"\n\s*\n+", "\n", drawn)
    return f"```{{raw}} html\n{one_block}\n```"


def leads_away(path: Path) -> bool:
    """Whether a file, or the folder it lies in, is a link: to who knows what."""
    return path.is_symlink() or path.parent.is_symlink()


def download(text: str, page: Page, first: str) -> str:
    """The twin as one file: a first cell, and each drawing in place of the path to it.

    As HTML, since JupyterLab's MyST refuses an SVG as the address of a Markdown image.
    """
    notebook = nbformat.reads(text, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(first, id="get-the-package"))
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = DRAWING.sub(lambda m: _enclosed(m, page), cell.source)
    return nbformat.writes(notebook) + "\n"


def _enclosed(match: re.Match, page: Page) -> str:
    source = page.path.parent / match[2]
    if not source.is_file() or leads_away(source):
        return match[0]  # the site's edition has reported it
    alt = html.escape(" ".join(match[1].split()), quote=True)
    data = base64.b64encode(source.read_bytes()).decode()
    return f'<img alt="{alt}" src="data:image/svg+xml;base64,{data}">'


def write_if_changed(path: Path, text: str) -> None:
    """Write ``text`` unless it is there already: Sphinx rereads what is newer."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def bring_in(app) -> None:
    """Make ``book/chapters`` and the scripts of the widgets; report every problem."""
    source, target = Path(app.config.qkv_chapters), Path(app.srcdir, "chapters")
    app.qkv_pages, notebooks = {}, {}
    for path in sorted(source.glob("**/[0-9][0-9]_*.ipynb")):
        if leads_away(path):
            logger.warning("a link, which may lead out of the book", location=str(path))
            continue
        inside = path.relative_to(source).with_suffix("").as_posix()
        notebook, page = _read(app, path, inside)
        app.qkv_pages[f"chapters/{inside}"] = page
        notebooks[f"chapters/{inside}"] = notebook
    app.emit("twins-edited", notebooks)
    for docname, notebook in notebooks.items():
        copy = Path(app.srcdir, f"{docname}.ipynb")
        write_if_changed(copy, nbformat.writes(notebook) + "\n")
    for page in app.qkv_pages.values():
        for problem in page.problems:
            logger.warning("%s", problem, location=str(page.path))
    _drop_others(target, app.qkv_pages)


def _read(app, path: Path, inside: str) -> tuple[nbformat.NotebookNode, Page]:
    """Read a twin as the site shows it; write its download and its widgets' scripts."""
    text = path.read_text(encoding="utf-8")
    notebook, page = nbformat.reads(text, as_version=4), Page(path)
    site_edition(notebook, page)
    first = opening(Path(app.config.qkv_root), app.config.html_baseurl)
    static = Path(app.outdir, "_static")
    alone = static / "notebooks" / f"{inside}.ipynb"
    write_if_changed(alone, download(text, page, first))
    for name, script in page.assets.items():
        write_if_changed(static / "widgets" / f"{name}.js", script)
    for name, base64_text in page.weights.items():
        kept = f'qkvHost.keep("{name}","{base64_text}");\n'
        write_if_changed(static / "checkpoints" / f"{name}.js", kept)
    return notebook, page


def _drop_others(target: Path, pages: dict[str, Page]) -> None:
    """Remove copies whose twins are gone, so that no page outlives its chapter."""
    for copy in target.glob("**/*.ipynb"):
        if (
            f"chapters/{copy.relative_to(target).with_suffix('').as_posix()}"
            not in pages
        ):
            copy.unlink()


def add_scripts(app, pagename, templatename, context, doctree) -> None:
    """Load the host and the modules of the widgets that this page shows."""
    body = context.get("body", "")
    names = re.findall(rf'"module":"{HEX}"', body) + re.findall(
        rf'"css_id":"{HEX}"', body
    )
    if "data-qkv-widget" in body:
        app.add_js_file("host.js", priority=900)
    for name in dict.fromkeys(names):
        app.add_js_file(f"widgets/{name}.js", priority=901)


def setup(app):
    root = Path(app.confdir).parent
    app.add_config_value("qkv_root", str(root), "env")
    app.add_config_value("qkv_chapters", str(root / "chapters"), "env")
    app.add_event("twins-edited")
    app.connect("builder-inited", bring_in, priority=100)
    app.connect("html-page-context", add_scripts)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True}
