"""A drawing can be read without being seen, on a phone, and stands in one chapter."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "chapters").glob("**/*.md"))
DRAWINGS = sorted((ROOT / "chapters" / "figures").iterdir())
IMAGE = re.compile(r"^!\[([^\]]*)\]\(([^)\s]+)\)$", flags=re.M)
SVG = "{http://www.w3.org/2000/svg}"
LARGEST = 12_000
COLUMN = 328  # what a page of 360 pixels leaves for a drawing
SMALLEST = 11
DARK_ASKED = "(prefers-color-scheme: dark)"
DARK = re.compile(rf"@media {re.escape(DARK_ASKED)} {{\s*svg:root {{([^}}]*)}}")

every_source = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
every_drawing = pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda path: path.name)


def images(source: Path) -> list[tuple[str, Path]]:
    """Each image of a chapter: what stands for it in words, and its file."""
    found = IMAGE.findall(source.read_text(encoding="utf-8"))
    return [(" ".join(alt.split()), source.parent / path) for alt, path in found]


def read(drawing: Path) -> ET.Element:
    return ET.fromstring(drawing.read_text(encoding="utf-8"))


@every_source
def test_an_image_stands_alone_is_there_and_is_said_in_words(source):
    shown = images(source)
    text = source.read_text(encoding="utf-8")
    assert text.count("![") == len(shown), "an image needs a paragraph of its own"
    for alt, file in shown:
        assert file.is_file(), f"{file} is not there"
        assert len(alt.split()) >= 8, f"{file.name}: say what is seen, not {alt!r}"


@every_drawing
def test_a_drawing_stands_in_one_chapter(drawing):
    places = [s.name for s in SOURCES for _, file in images(s) if file == drawing]
    assert len(places) == 1, f"{drawing.name} stands in {places}"


@every_drawing
def test_a_drawing_says_what_it_shows(drawing):
    root = read(drawing)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert len(title.text.split()) >= 3
    assert len(desc.text.split()) >= 20
    assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"


@every_drawing
def test_a_drawing_needs_nothing_but_itself(drawing):
    text = drawing.read_text(encoding="utf-8")
    without_its_name = text.replace('xmlns="http://www.w3.org/2000/svg"', "", 1)
    assert not re.search(r"//|data:|@import|<script|\son\w+=", without_its_name)
    named = set(re.findall(r'url\(#([\w-]+)\)|href="#([\w-]+)"', text))
    ids = [element.get("id") for element in read(drawing).iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert {"".join(pair) for pair in named} <= set(ids)


@every_drawing
def test_a_drawing_is_small_and_its_type_is_not(drawing):
    root, text = read(drawing), drawing.read_text(encoding="utf-8")
    assert len(text.encode()) <= LARGEST
    _, _, width, height = root.get("viewBox").split()
    assert (root.get("width"), root.get("height")) == (width, height)
    sizes = [float(size) for size in re.findall(r'font-size(?:="|: )([\d.]+)', text)]
    assert min(sizes) * COLUMN / float(width) >= SMALLEST


@every_drawing
def test_a_drawing_alone_is_dark_where_its_page_is_dark(drawing):
    """As an image it has no part in the page's colours; within the page it has."""
    text = drawing.read_text(encoding="utf-8")
    dark = DARK.search(text)
    assert dark, f"{drawing.name}: copy `@media {DARK_ASKED}` from another drawing"
    of_the_page = set(re.findall(r"var\((--book-\w+)", text))
    assert of_the_page <= set(re.findall(r"(--book-\w+): #", dark[1]))


@every_drawing
def test_a_part_used_again_takes_its_colours_from_where_it_is_used(drawing):
    """In the page the style is the drawing's own, and does not reach into `<use>`."""
    root = read(drawing)
    used = {use.get("href")[1:] for use in root.iter(f"{SVG}use")}
    parts = [part for part in root.iter() if part.get("id") in used]
    classes = [inner.get("class") for part in parts for inner in part.iter()]
    assert set(classes) <= {None}
