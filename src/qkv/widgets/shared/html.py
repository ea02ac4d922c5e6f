"""What stands in a widget's place where no script runs: plain tables with colours.

The colours are written into the cells, because a notebook viewer that removes style
sheets keeps those. They are the widgets' own (``static/anchors.json``).
"""

import functools
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from qkv._colours import readable_on
from qkv.widgets.shared.encode import visible

STATIC = Path(__file__).parents[1] / "static"
_MARKS = {None: "masked", "nan": "NaN", "inf": "+∞", "-inf": "−∞"}


@functools.cache
def _anchors() -> dict[str, list[tuple[int, int, int]]]:
    names = json.loads((STATIC / "anchors.json").read_text("utf-8"))
    return {name: [_rgb(stop) for stop in stops] for name, stops in names.items()}


def _rgb(stop: str) -> tuple[int, int, int]:
    return int(stop[1:3], 16), int(stop[3:5], 16), int(stop[5:7], 16)


def colour(value: float, scale: str, limit: float) -> tuple[int, int, int]:
    """Return the red, green and blue of a value.

    Examples
    --------
    >>> colour(0.0, "unit", 1.0), colour(0.0, "diverging", 2.0)
    ((0, 34, 78), (246, 246, 243))
    """
    where = value if scale == "unit" else 0.5 + value / (2 * limit) if limit else 0.5
    stops = _anchors()["unit" if scale == "unit" else "light"]
    at = min(max(where, 0.0), 1.0) * (len(stops) - 1)
    i = min(int(at), len(stops) - 2)
    pairs = zip(stops[i], stops[i + 1], strict=True)
    red, green, blue = (round(a + (at - i) * (b - a)) for a, b in pairs)
    return red, green, blue


def table(
    rows: Sequence[Sequence[Any]],
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    *,
    scale: str = "unit",
    limit: float = 1.0,
) -> str:
    """Return a table of encoded values with their colours; labels are escaped."""
    head = "".join(f'<th scope="col">{label(c)}</th>' for c in column_labels)
    body = "".join(
        f'<tr><th scope="row">{label(name)}</th>'
        + "".join(_cell(value, scale, limit) for value in row)
        + "</tr>"
        for name, row in zip(row_labels, rows, strict=True)
    )
    return (
        f"<table><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _cell(value: Any, scale: str, limit: float) -> str:
    if value is None or isinstance(value, str):
        return f"<td>{_MARKS[value]}</td>"
    if scale == "unit" and value < 0.005:
        return "<td>0</td>"  # most weights are: a table stays small
    rgb = colour(float(value), scale, limit)
    ink = readable_on(v / 255 for v in rgb)
    back = "#{:02x}{:02x}{:02x}".format(*rgb)
    text = str(value) if isinstance(value, int) else f"{value:.2f}"
    text = text.replace("-", "−")
    return f'<td style="background-color:{back};color:{ink}">{text}</td>'


def label(token: str) -> str:
    """Return a token for HTML: escaped, and a blank made visible."""
    return escape(visible(token))


def named(text: str) -> str:
    """Return a label that is words and no token: its blanks stay blanks."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def page(sentence: str, *parts: str) -> str:
    """Return a fallback: what is to be seen in words, then as tables."""
    return f"<div><p>{escape(sentence)}</p>{''.join(parts)}</div>"


def plain(parts: Sequence[Mapping[str, Any]]) -> str:
    """Return segments as plain HTML, escaped; a formula as it is written in TeX."""
    return "".join(
        f"<code>{escape(part.get('code') or part['plain'])}</code>"
        if "text" not in part
        else escape(part["text"])
        for part in parts
    )
