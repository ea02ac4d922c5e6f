"""What figures and widgets both ask of a colour."""

from collections.abc import Iterable


def readable_on(colour: Iterable[float]) -> str:
    """Return black or white, whichever contrasts more (WCAG's relative luminance).

    The colour is its red, green and blue, from 0 to 1. The widgets' JavaScript has the
    same rule (``ink`` in ``core/colours.js``), and a test holds the two equal.

    Examples
    --------
    >>> readable_on((1.0, 1.0, 0.0)), readable_on((0.0, 0.0, 1.0))
    ('#000', '#fff')
    """
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour
    )
    return "#000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "#fff"
