"""Typeset mathematics with KaTeX while the site is built.

One short run of Node for each document, no server and no script on the page. A formula
that KaTeX rejects is a warning with its file and line, so that ``-W`` fails the build.
Its fonts are cut to what the pages show.
"""

import html
import json
import logging as standard_logging
import re
import subprocess
from pathlib import Path

from docutils import nodes
from fontTools import subset
from fontTools.ttLib import TTFont
from site_node import find_node
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)

OPENING = re.compile(r"[^\w\s]*$")
PART = re.compile(r"(?P<tag></?\w+)[^>]*>|(?P<text>[^<]+)")
CLOSING = re.compile(r"(?:(?:st|nd|rd|th|s)\b)?[^\w\s]*")
TYPESET = """
const katex = require(process.argv[1]);
const { macros, formulas } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const typeset = ([tex, displayMode]) => {
  const options = { displayMode, macros: { ...macros }, strict: "ignore" };
  try { return { html: katex.renderToString(tex, options) }; }
  catch (error) { return { error: String(error.message) }; }
};
process.stdout.write(JSON.stringify(formulas.map(typeset)));
"""


def katex_folder(config) -> Path:
    folder = Path(config.qkv_root, "node_modules", "katex", "dist")
    if not folder.exists():
        raise RuntimeError(
            f"KaTeX is not installed at {folder}: run `make book`, or `npm ci` there"
        )
    return folder


def typeset(formulas: list[tuple[str, bool]], config) -> list[dict[str, str]]:
    """Return ``{"html": …}`` or ``{"error": …}`` for each (TeX, displayed?)."""
    if not formulas:
        return []
    request = {"macros": config.katex_macros, "formulas": formulas}
    module = str(katex_folder(config) / "katex.js")
    done = subprocess.run(
        [find_node(), "--input-type=commonjs", "-e", TYPESET, module],
        input=json.dumps(request),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"Node could not run KaTeX:\n{done.stderr}")
    return json.loads(done.stdout)


def _formula(node) -> tuple[str, bool]:
    """The TeX of ``node``, its lines aligned where it has several, and if displayed."""
    tex, displayed = node.astext().strip(), isinstance(node, nodes.math_block)
    several = re.search(r"\\\\|(?<!\\)&", tex) and not tex.startswith(r"\begin")
    if displayed and several:
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    return tex, displayed


def on_doctree_read(app, doctree):
    if app.builder.format != "html":
        return
    found = [
        node
        for node in doctree.findall()
        if isinstance(node, nodes.math | nodes.math_block)
    ]
    formulas = [_formula(node) for node in found]
    for node, done in zip(found, typeset(formulas, app.config), strict=True):
        if "error" in done:
            message = "KaTeX: %s in %r"
            logger.warning(message, done["error"], node.astext(), location=node)
        node["katex"] = done.get("html", "")
    for node in found:
        if isinstance(node, nodes.math):
            keep_together(node)


def keep_together(node: nodes.math) -> None:
    """Let no line end between a formula and the bracket or comma that touches it.

    A formula is a box to the browser, which may start a new line on either side of it.
    """
    place = node.parent.index(node)
    before, after = _text(node.parent, place - 1), _text(node.parent, place + 1)
    opening, closing = _found(OPENING.search(before)), _found(CLOSING.match(after))
    if not opening and not closing:
        return
    parent, kept = node.parent, nodes.inline(classes=["book-together"])
    parent[place] = kept  # by place: texts that are alike are equal to docutils
    if closing:
        parent[place + 1] = nodes.Text(after[len(closing) :])
    if opening:
        parent[place - 1] = nodes.Text(before[: -len(opening)])
    # `white-space: nowrap` holds it all; within the formula a line may end as before
    start, base, rest = node.get("katex", "").partition('<span class="katex-base">')
    node["katex"] = start + base + (rest.replace(base, f"<wbr>{base}") if base else "")
    kept += [part for part in (nodes.Text(opening), node, nodes.Text(closing)) if part]


def _text(parent: nodes.Element, place: int) -> str:
    """The text that stands at a place; none at the ends, or where it is no text."""
    child = parent[place] if 0 <= place < len(parent) else None
    return child.astext() if isinstance(child, nodes.Text) else ""


def _found(match: re.Match[str] | None) -> str:
    return match[0] if match else ""


def visit_inline(self, node):
    self.body.append(f'<span class="math">{node["katex"]}</span>')
    raise nodes.SkipNode


def visit_displayed(self, node):
    self.body.append(self.starttag(node, "div", CLASS="math"))
    if node.get("number"):
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(f"{node['katex']}</div>")
    raise nodes.SkipNode


def copy_styles(app):
    """Put KaTeX's style sheet where the site serves it, with the fonts that are cut."""
    if app.builder.format != "html":
        return
    css = (katex_folder(app.config) / "katex.min.css").read_text(encoding="utf-8")
    only_woff = re.sub(r'url\([^)]*\) format\("(?:woff2|truetype)"\),?', "", css)
    target = Path(app.outdir, "_static", "katex", "katex.css")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(re.sub(r",(?=[;}])", "", only_woff), encoding="utf-8")


def cut_fonts(app, exception):
    """Cut KaTeX's fonts to the symbols that the pages show: half of a page's fonts."""
    if exception or app.builder.format != "html":
        return
    pages = Path(app.outdir).glob("**/*.html")
    shown = set().union(*(symbols(page.read_text(encoding="utf-8")) for page in pages))
    target = Path(app.outdir, "_static", "katex", "fonts")
    target.mkdir(parents=True, exist_ok=True)
    for source in katex_folder(app.config).glob("fonts/*.ttf"):
        _cut(source, shown, target / source.with_suffix(".woff").name)


def symbols(page: str) -> set[str]:
    """The characters of a page that KaTeX's fonts draw."""
    found: set[str] = set()
    for drawn in re.finditer('<span class="katex-html"[^>]*>', page):
        depth = 1
        for part in PART.finditer(page, drawn.end()):
            found |= set(html.unescape(part["text"] or ""))
            depth += {"<span": 1, "</span": -1}.get(part["tag"], 0)
            if depth == 0:
                break
    return found


def _cut(source: Path, shown: set[str], target: Path) -> None:
    standard_logging.getLogger("fontTools").setLevel("ERROR")  # KaTeX's have no dates
    font = TTFont(source, recalcTimestamp=False)
    # hints, for screens with few dots, are a fifth of what is left
    options = subset.Options(layout_features=["*"], hinting=False)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=map(ord, shown))
    cutter.subset(font)
    font.flavor = "woff"
    font.save(target)


def setup(app):
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_displayed, None))
    app.add_config_value("katex_macros", {}, "env")
    app.connect("builder-inited", copy_styles)
    app.connect("build-finished", cut_fonts)
    app.connect("doctree-read", on_doctree_read)
    app.add_css_file("katex/katex.css", priority=300)
    return {"version": "1", "env_version": 4, "parallel_read_safe": True}
