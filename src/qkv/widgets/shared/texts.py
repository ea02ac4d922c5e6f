"""A plain table of texts, for what stands in a widget's place where no script runs."""

from collections.abc import Iterable, Sequence
from html import escape


def texts(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts, escaped; the first of each row is the row's head.

    Examples
    --------
    >>> table = texts(("", "it writes"), [("clean", "<b>")])
    >>> '<tr><td></td><th scope="col">it writes</th></tr>' in table
    True
    >>> '<tr><th scope="row">clean</th><td>&lt;b&gt;</td></tr>' in table
    True
    """
    head = "".join(
        f'<th scope="col">{escape(name)}</th>' if name else "<td></td>"
        for name in heads
    )
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{escape(text)}</td>" for text in row)
        + "</tr>"
        for name, *row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
