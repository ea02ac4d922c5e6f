"""From matplotlib's SVG to ours: smaller, in the page's colours, named for all."""

import hashlib
import io
import re
import warnings
import xml.etree.ElementTree as ET

import matplotlib
from matplotlib.figure import Figure as Canvas

from qkv.plot.figure import Figure
from qkv.plot.style import INK, STYLE

SVG = "http://www.w3.org/2000/svg"
LINK = "{http://www.w3.org/1999/xlink}href"
# Alone, as JupyterLab shows it, a drawing has the look that its page asks for (see
# widgets.css), else the system's; within a page it has the page's own
LOOK = (
    "svg:root{background:#fff;color:#1b1b1b}@media (prefers-color-scheme:dark){"
    "svg:root{background:#16191d;color:#e6e9ed}}"
)


def finish(canvas: Canvas, alt: str) -> Figure:
    """Return what was drawn on a canvas, with the words that say it."""
    drawn = io.StringIO()
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        # the reader's own font draws Korean; matplotlib need not have the glyphs
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
        canvas.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    return Figure(_compact(drawn.getvalue(), alt), alt)


def _compact(drawn: str, alt: str) -> str:
    """The same drawing, smaller, in the page's text colour, and named for all."""
    ET.register_namespace("", SVG)
    root = ET.fromstring(drawn)
    key = hashlib.sha256((drawn + alt).encode()).hexdigest()[:8]
    wanted = set(re.findall(r"#([\w-]+)", drawn))
    for element in root.iter():
        _slim(element, wanted, key)
    body = [e for part in root for e in _flatten(part) if not e.tag.endswith("data")]
    for child in list(root):
        root.remove(child)
    head = [ET.Element(f"{{{SVG}}}{tag}", {}) for tag in ("title", "desc", "style")]
    for element, text in zip(head, (alt.split(". ")[0], alt, LOOK), strict=True):
        element.text = text
        element.tail = "\n"
    head[0].set("id", f"t{key}")
    head[1].set("id", f"d{key}")
    root.extend(head + body)
    width, height = root.get("viewBox", "").split()[2:]
    root.attrib = {
        "class": "qkv-plot",
        "role": "img",
        "aria-labelledby": f"t{key}",
        "aria-describedby": f"d{key}",
        "width": width,
        "height": height,
        "viewBox": root.get("viewBox", ""),
        "font-family": "system-ui, sans-serif",
        "font-size": "11",
        "stroke-linejoin": "round",
    }
    return ET.tostring(root, encoding="unicode").replace(INK, "currentColor")


def _slim(element: ET.Element, wanted: set[str], key: str) -> None:
    attributes = element.attrib
    name = attributes.pop("id", None)
    if name in wanted:
        attributes["id"] = f"{name}-{key}"
    if LINK in attributes:
        attributes["href"] = f"{attributes.pop(LINK)}-{key}"
    for rule in attributes.pop("style", "").split(";"):
        prop, _, value = (part.strip() for part in rule.partition(":"))
        if prop and prop != "font-family" and (prop, value) != ("font-size", "11px"):
            attributes[prop] = value.removesuffix("px")
    for prop in ("clip-path", "fill", "stroke"):
        if attributes.get(prop, "").startswith("url(#"):
            attributes[prop] = f"{attributes[prop][:-1]}-{key})"
    if attributes.get("transform", "").startswith("rotate(-0 "):
        del attributes["transform"]
    if "d" in attributes:
        attributes["d"] = _short_path(attributes["d"])
    for prop in ("x", "y"):
        if prop in attributes:
            attributes[prop] = _short_number(attributes[prop])
    element.tail = "\n" if element.tag.endswith("}text") else None
    if not (element.text or "").strip():
        element.text = None


def _short_number(number: str) -> str:
    return f"{float(number):.2f}".rstrip("0").rstrip(".") or "0"


def _short_path(path: str) -> str:
    words = [
        word if word.isalpha() else _short_number(word) for word in path.strip().split()
    ]
    return _as_box(re.sub(r" ?([A-Za-z]) ?", r"\1", " ".join(words)))


def _as_box(path: str) -> str:
    """An upright rectangle by its corner and sides: half the bytes of its corners."""
    box = re.fullmatch(r"M(\S+) (\S+)L(\S+) \2L\3 (\S+)L\1 \4z", path)
    if not box:
        return path
    left, top, right, bottom = map(float, box.groups())
    across, down = _short_number(str(right - left)), _short_number(str(bottom - top))
    return f"M{box[1]} {box[2]}h{across}v{down}H{box[1]}z"


def _flatten(element: ET.Element) -> list[ET.Element]:
    """The children of every group that says nothing about them."""
    inner = [e for child in element for e in _flatten(child)]
    for child in list(element):
        element.remove(child)
    element.extend(inner)
    empty = element.tag.endswith(("}g", "}defs", "}style")) and not inner
    if empty:
        return []
    return inner if element.tag.endswith("}g") and not element.attrib else [element]
