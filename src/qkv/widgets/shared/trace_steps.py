"""What widgets that show the steps of a trace share: formulas, and what is read."""

from collections.abc import Sequence

from qkv.widgets.shared.tex import mathml


def drawn(tex: str) -> str:
    """Return MathML, or the TeX as it was written where that can't be had."""
    try:
        return mathml(tex) if tex else ""
    except ValueError:
        return tex


def resolved(name: str, path: str, paths: Sequence[str]) -> str:
    """Return the step that ``name`` means, looked for from the inmost trace out.

    Examples
    --------
    >>> resolved("keys", "cross.attention.scores", ["cross.keys"])
    'cross.keys'
    """
    parts = path.split(".")[:-1]
    for depth in range(len(parts), -1, -1):
        full = ".".join([*parts[:depth], name])
        within = [p for p in paths if p == full or p.startswith(f"{full}.")]
        if within and within[-1] != path:
            return within[-1]
    return name
