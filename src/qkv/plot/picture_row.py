"""Pictures side by side: small images in colour, and where each was looked at."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from html import escape

import numpy as np
from jaxtyping import Float
from torch import Tensor

from qkv.plot.alt_text import say_pictures
from qkv.plot.figure import Figure
from qkv.plot.numbers import array
from qkv.plot.style import INK, WIDTH
from qkv.plot.svg import LOOK

__all__ = ["pictures"]

ACROSS, SIDE, HEAD = 4, 128, 22  # pictures in a row, their width, the title above each
GAP = (WIDTH - ACROSS * SIDE) / (ACROSS - 1)
VEIL = 0.85  # how much is hidden of a place that is not looked at


def pictures(
    images: Float[Tensor, "image channel height width"],
    *,
    titles: Sequence[str],
    title: str,
    weights: Float[Tensor, "image row column"] | None = None,
) -> Figure:
    """Draw images in colour, four in a row; what is not looked at lies in the dark.

    Parameters
    ----------
    images : red, green and blue from 0 to 1, or one channel of grey.
    titles : what stands above each; any script.
    title : what they show together.
    weights : how much each place of a grid over the image is looked at. The place that
        is looked at most is clear, and one that is not looked at nearly black.

    Raises
    ------
    ValueError
        If there is no image, it has other axes or channels, pixels that are NaN or run
        to 255, or there are not titles, or weights that are not negative, for each.

    Examples
    --------
    >>> import torch
    >>> looks = torch.tensor([[[0.1, 0.2], [0.7, 0.0]]])
    >>> pictures(torch.ones(1, 3, 4, 4), titles=["star"], title="A page", weights=looks)
    Pictures: A page. Looked at most: star row 2, column 1 (0.70).
    """
    seen, looks = array(images), None if weights is None else array(weights)
    _check(seen, titles)
    if looks is not None:
        _check_looks(looks, len(seen))
    alt = say_pictures(titles, title, looks)
    key = hashlib.sha256(seen.tobytes() + alt.encode()).hexdigest()[:8]
    kept: dict[bytes, str] = {}
    parts = []
    for place, (image, name) in enumerate(zip(seen, titles, strict=True)):
        drawn = kept.setdefault(image.tobytes(), f"p{len(kept)}-{key}")
        veil = "" if looks is None else _veil(looks[place])
        parts.append(_framed(place, name, f'<use href="#{drawn}"/>{veil}'))
    defs = "".join(_pixels(raw, seen.shape[1:], name) for raw, name in kept.items())
    return Figure(_page(key, alt, title, [f"<defs>{defs}</defs>", *parts]), alt)


def _page(key: str, alt: str, title: str, parts: list[str]) -> str:
    rows = -(-(len(parts) - 1) // ACROSS)
    height = 28 + rows * (SIDE + HEAD + 8)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="qkv-plot" role="img" '
        f'aria-labelledby="t{key}" aria-describedby="d{key}" width="{WIDTH}" '
        f'height="{height}" viewBox="-1 0 {WIDTH + 2} {height}" font-size="13" '
        f'font-family="system-ui, sans-serif">'
        f'<title id="t{key}">{escape(title)}</title>'
        f'<desc id="d{key}">{escape(alt)}</desc>'
        f"<style>{LOOK}</style>"
        f'<text x="0" y="16" fill="{INK}">{escape(title)}</text>'
    )
    return "\n".join([head, *parts, "</svg>"]).replace(INK, "currentColor")


def _framed(place: int, name: str, drawing: str) -> str:
    """One image with its name above, at its place on the page."""
    row, column = divmod(place, ACROSS)
    left, top = column * (SIDE + GAP), 28 + row * (SIDE + HEAD + 8)
    return (
        f'<g transform="translate({left:g} {top})">'
        f'<text x="{SIDE // 2}" y="13" text-anchor="middle" fill="{INK}">'
        f'{escape(name)}</text><g transform="translate(0 {HEAD})">{drawing}'
        f'<path d="M0 0h{SIDE}v{SIDE}H0z" fill="none" stroke="{INK}"/></g></g>'
    )


def _pixels(raw: bytes, shape: tuple[int, ...], name: str) -> str:
    """An image, each colour one path of runs of pixels; white is the paper."""
    image = np.frombuffer(raw).reshape(shape)
    levels = np.rint(image.clip(0, 1) * 255).astype(int)
    colours = levels if len(levels) == 3 else levels[[0, 0, 0]]
    runs: dict[str, list[str]] = defaultdict(list)
    for row, line in enumerate(np.moveaxis(colours, 0, -1).tolist()):
        start = 0
        for end in range(1, len(line) + 1):
            if end == len(line) or line[end] != line[start]:
                colour = "#{:02x}{:02x}{:02x}".format(*line[start])
                runs[colour].append(f"M{start} {row}h{end - start}v1H{start}z")
                start = end
    runs.pop("#ffffff", None)
    height, width = image.shape[1:]
    scale = f"scale({SIDE / width:.5g} {SIDE / height:.5g})"
    paths = [f'<path fill="{c}" d="{"".join(d)}"/>' for c, d in runs.items()]
    return (
        f'<g id="{name}"><path d="M0 0h{SIDE}v{SIDE}H0z" fill="#fff"/>'
        f'<g transform="{scale}" shape-rendering="crispEdges">{"".join(paths)}</g></g>'
    )


def _veil(weights: np.ndarray) -> str:
    """The dark over each place, the less it is looked at the darker."""
    rows, columns = weights.shape
    high, wide = SIDE / rows, SIDE / columns
    dark = VEIL * (1 - weights / (weights.max() or 1.0))
    cells = (
        f'<path d="M{c * wide:.2f} {r * high:.2f}h{wide:.2f}v{high:.2f}h{-wide:.2f}z" '
        f'opacity="{value:.2f}"/>'
        for (r, c), value in np.ndenumerate(dark)
        if value >= 0.005
    )
    return f'<g fill="#1b2430" shape-rendering="crispEdges">{"".join(cells)}</g>'


def _check(images: np.ndarray, titles: Sequence[str]) -> None:
    if images.ndim != 4:
        raise ValueError(
            f"the images have the shape {images.shape}, but are wanted as (image, "
            "channel, height, width); give images[None] for one"
        )
    if not images.size:
        raise ValueError("pictures needs at least one image, and in each a pixel")
    if images.shape[1] not in (1, 3):
        raise ValueError(
            f"the images have {images.shape[1]} channels, but are drawn in red, green "
            "and blue (3), or in grey (1)"
        )
    if not images.max() <= 2:  # nor is any NaN
        raise ValueError(
            f"pixels run to {images.max():g}, but are drawn from 0, black, to 1, "
            "white; divide bytes by 255, and look where NaN is from"
        )
    if len(titles) != len(images):
        raise ValueError(
            f"there are {len(images)} images and {len(titles)} titles; give one each"
        )


def _check_looks(weights: np.ndarray, count: int) -> None:
    if weights.ndim != 3 or len(weights) != count or not weights.size:
        raise ValueError(
            f"the weights have the shape {weights.shape}, but are wanted as (image, "
            f"row, column), for {count} images; unflatten places, if they are in a row"
        )
    if not (weights >= 0).all():
        raise ValueError(
            "a weight is negative or NaN, but they tell how much each place is looked "
            "at; give them after the softmax"
        )
