"""Pictures side by side: what is drawn, what is dark, and what is refused."""

import xml.etree.ElementTree as ET

import pytest
import torch

from qkv.plot import pictures

SVG = "{http://www.w3.org/2000/svg}"


def drawn(images, titles, weights=None):
    figure = pictures(images, titles=titles, title="A page", weights=weights)
    return ET.fromstring(figure.svg), figure.alt


def test_an_image_that_comes_back_is_drawn_once():
    images = torch.rand(2, 3, 5, 7)[[0, 1, 0, 0, 1]]
    root, alt = drawn(images, list("abcde"))
    assert len(root.findall(f".//{SVG}defs/{SVG}g")) == 2
    assert len(root.findall(f".//{SVG}use")) == 5
    assert alt == "Pictures: A page. They show a, b, c, d, e."


def test_a_row_of_pixels_is_drawn_in_runs_and_white_is_the_paper():
    image = torch.ones(1, 3, 1, 5)
    image[0, 1:, 0, 1:3] = 0.0
    root, _ = drawn(image, ["red"])
    paths = root.findall(f".//{SVG}defs//{SVG}path")
    assert [(p.get("fill"), p.get("d")) for p in paths[1:]] == [
        ("#ff0000", "M1 0h2v1H1z")
    ]


def test_the_less_a_place_is_looked_at_the_darker_it_is():
    weights = torch.tensor([[[0.0, 0.25, 0.5]]])
    root, alt = drawn(torch.rand(1, 1, 4, 6), ["star"], weights)
    veil = root.findall(f".//{SVG}path[@opacity]")
    assert [float(cell.get("opacity")) for cell in veil] == [0.85, 0.42]
    assert alt.endswith("Looked at most: star row 1, column 3 (0.50).")


def test_a_title_that_is_markup_is_written_not_drawn():
    root, _ = drawn(torch.rand(1, 3, 2, 2), ["<script>"])
    assert "<script>" in [text.text for text in root.iter(f"{SVG}text")]


def test_what_does_not_fit_is_refused_by_name():
    images = torch.rand(2, 3, 4, 4)
    with pytest.raises(ValueError, match="2 images and 1 titles"):
        drawn(images, ["a"])
    with pytest.raises(ValueError, match="2 channels"):
        drawn(images[:, :2], ["a", "b"])
    with pytest.raises(ValueError, match="at least one image"):
        drawn(images[:0], [])


@pytest.mark.usefixtures("as_readers_run_it")
def test_axes_pixels_and_weights_that_do_not_fit_are_named():
    images, looks = torch.rand(2, 3, 4, 4), torch.rand(2, 2, 2)
    with pytest.raises(ValueError, match=r"\(3, 4, 4\).* give images\[None\]"):
        drawn(images[0], ["a", "b", "c"])
    for wrong in (255 * images, torch.full_like(images, torch.nan)):
        with pytest.raises(ValueError, match="from 0, black, to 1, white"):
            drawn(wrong, ["a", "b"])
    for wrong in (looks[:1], looks.flatten(1), looks[:, None]):
        with pytest.raises(ValueError, match=r"\(image, row, column\), for 2 im"):
            drawn(images, ["a", "b"], wrong)
    for wrong in (-looks, torch.full_like(looks, torch.nan)):
        with pytest.raises(ValueError, match=r"negative or NaN.* after the softmax"):
            drawn(images, ["a", "b"], wrong)


def test_half_the_precision_is_drawn_too():
    drawn(torch.rand(1, 3, 2, 2).bfloat16(), ["a"])


def test_four_stand_in_a_row_each_below_its_title():
    root, _ = drawn(torch.rand(5, 1, 2, 2), list("abcde"))
    framed = [g.get("transform") for g in root.findall(f"{SVG}g")]
    x, y = zip(*(map(float, t[10:-1].split()) for t in framed), strict=True)
    assert x[0] == x[4] == 0
    assert len({*x[:4]}) == 4
    assert y[0] == y[3] < y[4] < float(root.get("height"))
    titles = [g.find(f"{SVG}text").text for g in root.findall(f"{SVG}g")]
    assert titles == list("abcde")


def test_the_dark_lies_over_its_place_and_a_wide_image_fills_its_frame():
    """A map drawn transposed, and an image scaled so, had passed."""
    weights = torch.tensor([[[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]]])
    root, _ = drawn(torch.zeros(1, 1, 4, 8), ["star"], weights)
    (dark,) = root.findall(f".//{SVG}path[@opacity]")
    assert dark.get("d") == "M85.33 64.00h42.67v64.00h-42.67z"
    (scaled,) = root.findall(f".//{SVG}defs//{SVG}g[@transform]")
    assert scaled.get("transform") == "scale(16 32)"
