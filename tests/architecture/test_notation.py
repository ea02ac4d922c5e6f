"""Every axis that the package's shapes name is a word of book/notation.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "qkv"
AXES = (ROOT / "book" / "notation.md").read_text("utf-8")
AXES = AXES.partition("## Axes")[2].partition("##")[0]
DEFINED = {
    name.lstrip("*")
    for line in re.findall(r"(.+)\n: ", AXES)
    for name in re.findall(r"`([^`]+)`", line)
}


def shapes(node: ast.AST) -> Iterator[str]:
    """Yield the shape of each array type that a reader of the code meets.

    What begins with an underscore is nobody's but the module's, and neither is what a
    function says of its own variables.
    """
    if isinstance(node, ast.FunctionDef | ast.ClassDef) and private(node.name):
        return
    if isinstance(node, ast.Assign) and private(ast.unparse(node.targets[0])):
        return
    if isinstance(node, ast.Subscript) and is_array(node):
        yield node.slice.elts[1].value
    inside = ast.iter_child_nodes(node)
    if isinstance(node, ast.FunctionDef):
        inside = [node.args, *filter(None, [node.returns])]
    for child in inside:
        yield from shapes(child)


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def is_array(node: ast.Subscript) -> bool:
    """Is it written like Float[Tensor, "batch token"]?"""
    return (
        isinstance(node.value, ast.Name)
        and hasattr(jaxtyping, node.value.id)
        and isinstance(node.slice, ast.Tuple)
        and isinstance(node.slice.elts[-1], ast.Constant)
    )


def words(source: str) -> set[str]:
    """Return the axes that a module names; numbers and ... need no definition."""
    every = " ".join(shapes(ast.parse(source))).split()
    names = {word.lstrip("*#").partition("=")[0] for word in every if word != "..."}
    return {name for name in names if not name.isdigit()}


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_every_axis_is_defined(file):
    unknown = words(file.read_text("utf-8")) - DEFINED
    assert not unknown, (
        f"define in book/notation.md, or use one of its words: {unknown}"
    )


def test_every_definition_is_of_an_axis_in_use():
    used = set().union(*(words(file.read_text("utf-8")) for file in FILES))
    assert used >= DEFINED


def test_public_shapes_are_read_and_private_ones_not():
    source = """
_Alias = Float[Tensor, "alias"]

class Trace:
    field: Float[Tensor, "*batch field 1"]

    def method(self, x: Float[Tensor, " argument"]) -> Int[Tensor, "... result"]:
        inside: Float[Tensor, "inside"] = x

    def _method(self, x: Float[Tensor, "method"]): ...

class _Trace:
    field: Float[Tensor, "other"]
"""
    assert words(source) == {"batch", "field", "argument", "result"}
