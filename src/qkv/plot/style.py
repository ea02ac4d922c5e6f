"""The one look of all figures: inks, sizes, and the canvas they are drawn on."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from qkv.plot.numbers import Number

INK = "#010203"  # drawn in this, shown in the page's own text colour
LINES = ("#0072b2", "#d55e00", "#008f68", "#b0508a", "#8c6d00", "#4f7f9e")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P")
WIDTH = 560
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "qkv",
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same widths everywhere
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.7,
    "legend.frameon": False,
    **dict.fromkeys(
        ["text.color", "axes.edgecolor", "axes.labelcolor", "axes.titlecolor"], INK
    ),
    **dict.fromkeys(["xtick.color", "ytick.color", "hatch.color"], INK),
}


def canvas_of(width: Number, height: Number) -> tuple[Canvas, Axes]:
    """Return an empty figure of that many points, and the axes that fill it."""
    canvas = Canvas(figsize=(width / 72, height / 72), layout="constrained")
    canvas.patch.set_visible(False)
    ax = canvas.add_subplot()
    ax.patch.set_visible(False)
    return canvas, ax
