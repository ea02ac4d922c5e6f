"""How a chapter's twin becomes a page: widgets, figures, links, and what is refused."""

import base64
import json
import os
import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.site.conftest import ROOT, build, copy_book  # first: it finds book/_ext

# isort: split
from site_twins import (
    STATE,
    VIEW,
    Page,
    download,
    inline_svg,
    sentences,
    site_edition,
    write_if_changed,
)

NASTY = "</script><script>alert(1)</script><!--"
SVG = (
    '<?xml version="1.0"?><!DOCTYPE svg><svg xmlns="http://www.w3.org/2000/svg" '
    'viewBox="0 0 4 4"><metadata>made by</metadata><defs>'
    '<style type="text/css">*{stroke-linecap:butt}</style><clipPath id="c"/></defs>'
    '<g clip-path="url(#c)"><use xlink:href="#c"/></g></svg>'
)


def widget_model(**state):
    kept = {
        "_esm": "export default {}",
        "_css": "a{}",
        "_view_name": "V",
        "layout": "x",
    }
    return {"model_module": "anywidget", "state": kept | state, "buffers": []}


def notebook(*outputs, prose="# A chapter", models=None):
    cells = [
        new_code_cell("x", outputs=[new_output("display_data", d)]) for d in outputs
    ]
    made = new_notebook(cells=[new_markdown_cell(prose), *cells])
    made.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    if models:
        made.metadata["widgets"] = {STATE: {"state": models}}
    return made


def edited(made, path="chapters/01_a.ipynb"):
    page = Page(ROOT / path)
    site_edition(made, page)
    shown = [out["data"] for c in made.cells for out in c.get("outputs", ())]
    return page, [data.get("text/html") for data in shown]


def view(model_id="m", fallback="<table></table>"):
    shown = {VIEW: {"model_id": model_id}, "text/plain": "A widget"}
    return shown | ({"text/html": fallback} if fallback else {})


def payload(text):
    script = re.search(r'data-for="(\w+)">(.*?)</script>', text, flags=re.S)
    assert f'data-qkv-widget="{script[1]}"' in text
    return json.loads(script[2])


# ------------------------------------------------------------------------- widgets


def test_a_widget_becomes_its_state_its_fallback_and_two_scripts():
    made = notebook(view(), models={"m": widget_model(step=3)})
    page, (text,) = edited(made)
    stored = payload(text)
    assert stored["state"] == {"step": 3}
    assert stored["model_id"] == "m"
    assert "<div data-fallback><table></table></div>" in text
    module, css = page.assets[stored["module"]], page.assets[stored["css_id"]]
    assert module == f'qkvHost.define("{stored["module"]}","export default {{}}");\n'
    assert css == f'qkvHost.style("{stored["css_id"]}","a{{}}");\n'
    assert "widgets" not in made.metadata, "Sphinx would load a widget manager"
    assert page.problems == []


def test_a_token_cannot_leave_its_script():
    _, (text,) = edited(notebook(view(), models={"m": widget_model(token=NASTY)}))
    assert payload(text)["state"]["token"] == NASTY
    assert text.count("<script") == text.count("</script>") == 1
    assert "<!--" not in text


def test_binary_state_keeps_its_path():
    model = widget_model()
    model["buffers"] = [{"path": ["a", 0], "data": "AAA=", "encoding": "base64"}]
    _, (text,) = edited(notebook(view(), models={"m": model}))
    assert payload(text)["buffers"] == [{"path": ["a", 0], "data": "AAA="}]


def test_a_networks_weights_are_a_file_of_their_own():
    model = widget_model(network={"digits": []})
    model["buffers"] = [{"path": ["weights"], "data": "AAAA", "encoding": "base64"}]
    page, (html,) = edited(notebook(view("w"), models={"w": model}))
    data = payload(html)
    assert data["buffers"] == []
    assert page.weights == {data["state"]["file"]: "AAAA"}


def test_widgets_of_one_kind_share_their_scripts():
    models = {"m": widget_model(step=1), "n": widget_model(step=2)}
    page, texts = edited(notebook(view("m"), view("n"), models=models))
    assert len(page.assets) == 2
    assert len({re.search(r'data-for="(\w+)"', text)[1] for text in texts}) == 2


def test_a_sheet_kept_once_in_the_twin_is_every_widgets():
    models = {"m": widget_model(step=1), "n": widget_model(step=2, _css="")}
    page, texts = edited(notebook(view("n"), models=models))
    assert any('qkvHost.style("' in text for text in page.assets.values())
    assert '"css_id"' in texts[0]


def test_a_chapter_and_its_solutions_never_share_an_id():
    texts = [
        edited(notebook(view(), models={"m": widget_model()}), path)[1][0]
        for path in ("chapters/01_a.ipynb", "chapters/solutions/01_a.ipynb")
    ]
    assert texts[0] != texts[1]


@pytest.mark.parametrize(
    ("output", "models", "said"),
    [
        (view("gone"), {"m": widget_model()}, "not an anywidget with stored state"),
        (view(fallback=""), {"m": widget_model()}, "no text/html fallback"),
        ({"image/png": "AAA=", "text/plain": "x"}, None, "raster image"),
        ({"image/svg+xml": SVG}, None, "without alt text"),
        (
            {"image/svg+xml": SVG, "text/plain": "<Figure size 640x480 with 1 Axes>"},
            None,
            "without alt text",
        ),
    ],
)
def test_what_a_reader_could_not_use_is_a_problem(output, models, said):
    page, _ = edited(notebook(output, models=models))
    assert len(page.problems) == 1
    assert said in page.problems[0]


# ------------------------------------------------------------------------- figures


def test_a_figure_is_drawn_in_the_page_and_says_what_is_seen():
    _, (text,) = edited(notebook({"image/svg+xml": SVG, "text/plain": 'Peaks at "7"'}))
    assert 'role="img" aria-label="Peaks at &quot;7&quot;"' in text
    assert "<metadata>" not in text
    assert "<?xml" not in text


def test_the_parts_of_a_figure_are_its_own():
    one, other = inline_svg(SVG, "q1"), inline_svg(SVG, "q2")
    assert 'id="q1-c"' in one
    assert 'url(#q1-c)"' in one
    assert 'href="#q1-c"' in one
    assert ".q1 {*{stroke-linecap:butt}}" in one, "its style would reach the whole page"
    assert not set(re.findall(r'id="([^"]+)"', one)) & set(
        re.findall(r'id="([^"]+)"', other)
    )


# ----------------------------------------------------------------------- sentences


def shown(text):
    return re.sub(r"</?div[^>]*>", "", sentences({"text": text}) or "")


def test_what_a_cell_says_wraps_and_what_stands_in_columns_does_not():
    assert shown("✓ right: 1.0\n  and more\n") == (
        '<p data-mark="✓">✓ right: 1.0</p><p>  and more</p>'
    )
    assert shown("a  1\nbb 2\n✗ wrong\n") == (
        '<pre>a  1\nbb 2</pre><p data-mark="✗">✗ wrong</p>'
    )
    assert shown("one line") == "<p>one line</p>"
    assert shown("a\n" + "long " * 20).startswith("<p>a</p><p>long long")


@pytest.mark.parametrize("text", ["", "a  1\nbb 2\n", "Chapter 1\n  ○ 1.1\n"])
def test_columns_alone_stay_as_they_are(text):
    assert sentences({"text": text, "data": {}}) is None


# --------------------------------------------------------------------------- prose


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("[on](02_b.md)", "[on](02_b.ipynb)"),
        ("[on](02_b.md#score)", "[on](02_b.ipynb#score)"),
        ("[s](solutions/01_a.md)", "[s](solutions/01_a.ipynb)"),
        ("[back](../01_a.md)", "[back](../01_a.ipynb)"),
        ("[other](../README.md)", "[other](../README.md)"),
    ],
)
def test_links_between_sources_become_links_between_pages(written, read):
    made = notebook(prose=written)
    edited(made)
    assert made.cells[0].source == read


def test_a_drawing_that_is_not_there_is_a_problem():
    page, _ = edited(notebook(prose="![A door](figures/door.svg)"))
    assert "figures/door.svg" in page.problems[0]


@pytest.fixture
def with_a_door(tmp_path):
    """Return a chapter's page, its folder holding a drawing, and the chapter."""
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "door.svg").write_text(SVG, encoding="utf-8")
    made = notebook(prose='Look:\n\n![A "narrow"\ndoor](figures/door.svg)\n\nThere.')
    return Page(tmp_path / "01_a.ipynb"), made


def test_a_drawing_stands_in_the_page_and_is_said_in_words(with_a_door):
    page, made = with_a_door
    site_edition(made, page)
    _, drawn, after = made.cells[0].source.split("```")
    assert '<figure class="book-drawing' in drawn
    assert 'aria-label="A &quot;narrow&quot; door"><svg' in drawn
    assert after == "\n\nThere."
    assert page.problems == []


def test_a_download_comes_with_its_drawings_inside(with_a_door):
    page, made = with_a_door
    alone = json.loads(download(json.dumps(made), page, "# first"))
    assert alone["cells"][0]["source"] == ["# first"]
    source = "".join(alone["cells"][1]["source"])
    inside = re.search(
        r'<img alt="([^"]*)" src="data:image/svg\+xml;base64,(\S+)">', source
    )
    assert inside[1] == "A &quot;narrow&quot; door"
    assert base64.b64decode(inside[2]).decode() == SVG
    assert "figures/" not in source


def test_a_download_without_drawings_is_the_twin_itself_after_a_first_cell():
    twin = ROOT / "chapters" / "solutions" / "01_seq2seq_bottleneck.ipynb"
    text = twin.read_text(encoding="utf-8")
    alone = json.loads(download(text, Page(twin), "# first"))
    first = alone["cells"].pop(0)
    assert (first["cell_type"], first["source"]) == ("code", ["# first"])
    assert alone == json.loads(text)


def test_a_file_that_says_the_same_is_not_touched(tmp_path):
    path = tmp_path / "inside" / "a.txt"
    write_if_changed(path, "one")
    os.utime(path, (1, 1))
    write_if_changed(path, "one")
    assert path.stat().st_mtime == 1
    write_if_changed(path, "two")
    assert path.stat().st_mtime > 1
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


# ---------------------------------------------------------------------- the build


@pytest.fixture
def bare_book(tmp_path):
    """Return the book's settings and extensions with one page, which leads to all."""
    book = copy_book(tmp_path, "*.md")
    (book / "index.md").write_text("# Home\n\n```{toctree}\n:glob:\nchapters/*\n```\n")
    return book


def test_what_a_link_leads_to_is_not_published(bare_book, tmp_path):
    (tmp_path / "mine.ipynb").write_text(json.dumps(notebook(prose="# My key")))
    (tmp_path / "mine.svg").write_text(SVG.replace("made by", "my key"))
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures/a.svg").write_text(SVG)
    chapters = tmp_path / "chapters"
    chapters.mkdir()
    (chapters / "01_link.ipynb").symlink_to(tmp_path / "mine.ipynb")
    (chapters / "mine.svg").symlink_to(tmp_path / "mine.svg")
    (chapters / "figures").symlink_to(tmp_path / "figures")
    prose = "# A chapter\n\n![a](mine.svg)\n\n![a](figures/a.svg)"
    (chapters / "02_own.ipynb").write_text(json.dumps(notebook(prose=prose)))
    options = ["-D", f"qkv_chapters={chapters}", "-D", "exclude_patterns=_*,api*"]
    done = build(bare_book, tmp_path / "out", *options)
    assert done.returncode == 1
    assert re.search(r"01_link\.ipynb.*a link, which may lead out", done.stderr)
    for name in ("mine.svg", "figures/a.svg"):
        assert f"figure {name}: no such file, a link" in done.stderr
    made = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert any(path.name == "02_own.html" for path in made)
    assert not [path for path in made if b"my key" in path.read_bytes().lower()]
    assert not [path for path in made if path.name.startswith("01_link")]


def test_a_bad_formula_and_a_mute_figure_fail_the_build_by_name(bare_book, tmp_path):
    chapters = tmp_path / "chapters"
    chapters.mkdir()
    made = notebook(
        {"image/svg+xml": SVG, "text/plain": "<Figure size 1x1 with 1 Axes>"},
        prose=r"# A chapter" + "\n\n" + r"Here $\frac{1}$ is.",
    )
    (chapters / "09_wrong.ipynb").write_text(json.dumps(made), encoding="utf-8")
    options = ["-D", f"qkv_chapters={chapters}", "-D", "exclude_patterns=_*,api*"]
    done = build(bare_book, tmp_path / "out", *options)
    assert done.returncode == 1
    assert re.search(r"09_wrong\.ipynb.*KaTeX.*frac", done.stderr)
    assert re.search(r"09_wrong\.ipynb.*without alt text", done.stderr)
    warnings = re.findall(r".*WARNING.*", done.stderr)
    assert len(warnings) == 2, warnings
