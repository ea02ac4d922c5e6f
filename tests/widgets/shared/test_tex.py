"""Formulas: what is drawn, what is escaped, what is refused."""

import importlib
import pkgutil
from dataclasses import fields, is_dataclass
from xml.etree import ElementTree

import pytest

import qkv
from qkv.widgets.shared.tex import mathml


def inside(tex):
    """Return the MathML within <math><mrow>, for short comparisons."""
    return mathml(tex)[len('<math display="block"><mrow>') : -len("</mrow></math>")]


@pytest.mark.parametrize(
    ("tex", "want"),
    [
        ("x", "<mi>x</mi>"),
        ("12.5", "<mn>12.5</mn>"),
        ("h_T", "<msub><mi>h</mi><mi>T</mi></msub>"),
        ("h'", "<msup><mi>h</mi><mrow><mo>′</mo></mrow></msup>"),
        ("a-b", "<mi>a</mi><mo>−</mo><mi>b</mi>"),
        (r"\frac{a}{2}", None),
        (r"\sqrt{d_k}", None),
        (r"\mathrm{GRU}(x)", None),
        (r"\tanh x", '<mi>tanh</mi><mspace width="0.17em"/><mi>x</mi>'),
        (r"\mathbb{R}", '<mi mathvariant="normal">ℝ</mi>'),
        (r"\left(\frac{1}{2}\right)", None),
        (r"\hat y_{<i}", None),
        ("", ""),
    ],
)
def test_formulas(tex, want):
    assert ElementTree.fromstring(mathml(tex)).tag == "math"
    if want is not None:
        assert inside(tex) == want


def test_a_prime_and_an_index_share_one_base():
    assert inside("b'_n").startswith("<msubsup><mi>b</mi><mi>n</mi>")


@pytest.mark.parametrize("tex", ["<", r"\text{<script>}", r"\mathrm{a&b}", "x<y>z"])
def test_every_character_is_escaped(tex):
    tags = {node.tag for node in ElementTree.fromstring(mathml(tex)).iter()}
    assert tags <= {"math", "mrow", "mo", "mi", "mtext"}


@pytest.mark.parametrize(
    ("tex", "words"),
    [
        (r"\nonsense", "uses '.*nonsense', which widgets can't draw"),
        ("{a", "leaves a brace open"),
        ("a}", "closes a brace that it never opened"),
        (r"\frac{a}", "ends too soon"),
        (r"\left(a", r"without \\right"),
        ("x_", "ends too soon"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(tex, words):
    with pytest.raises(ValueError, match=words):
        mathml(tex)


def formulas():
    """Yield the formula of every step of every trace that is found in the package."""
    names = [m.name for m in pkgutil.walk_packages(qkv.__path__, "qkv.")]
    for module in map(importlib.import_module, names):
        for kind in vars(module).values():
            if isinstance(kind, type) and is_dataclass(kind):
                for part in fields(kind):
                    yield part.metadata.get("formula", "")


FORMULAS = sorted(set(formulas()))


def test_the_traces_of_all_kinds_of_models_are_found():
    for tex in (r"\sigma^2 = \frac", r"x_p^i E", r"\mathrm{FFN}", r"\alpha_{ij}"):
        assert any(tex in formula for formula in FORMULAS)


@pytest.mark.parametrize("tex", FORMULAS)
def test_every_formula_of_the_packages_traces_can_be_drawn(tex):
    ElementTree.fromstring(mathml(tex))
