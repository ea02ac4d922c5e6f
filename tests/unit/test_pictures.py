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
