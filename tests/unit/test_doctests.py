"""Every example in a docstring of the package runs and gives what it says."""

import ast
import doctest
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import qkv

MODULES = ["qkv", *sorted(m.name for m in pkgutil.walk_packages(qkv.__path__, "qkv."))]
# Their examples give what is of the wrong type: the test runs' shape checks would speak
# first, and a reader has none.
OF_WRONG_TYPES = {"qkv._checks", "qkv.training", "qkv.data.own", "qkv.data.kinds"}
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


class Finder(doctest.DocTestFinder):
    """Finds examples also where a shape check is wrapped around a function."""

    def _from_module(self, module, thing) -> bool:
        return getattr(thing, "__module__", module.__name__) == module.__name__


def docstrings(file: Path) -> Iterator[str]:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, documented):
            yield ast.get_docstring(node) or ""


def run(module) -> tuple[doctest.TestResults, str]:
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
    for test in Finder().find(module, module.__name__):
        runner.run(test, out=said.append)
    return runner.summarize(verbose=False), "".join(said)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, monkeypatch, request):
    if name in OF_WRONG_TYPES:
        request.getfixturevalue("as_readers_run_it")
    monkeypatch.delenv("QKV_CLAIMS", raising=False)
    module = importlib.import_module(name)
    results, said = run(module)
    assert results.failed == 0, said
    parser = doctest.DocTestParser()
    written = [
        e
        for text in docstrings(Path(module.__file__))
        for e in parser.get_examples(text)
    ]
    assert results.attempted == len(written), (
        "an example was not found, and did not run"
    )


def test_the_modules_with_examples_are_among_them():
    assert {"qkv.trace", "qkv.data.kinds", "qkv.training", "qkv.claims"} <= set(MODULES)


def test_a_wrong_example_is_caught(tmp_path, monkeypatch):
    source = '"""Sum.\n\n>>> 1 + 1\n3\n"""\n'
    (tmp_path / "wrong_example.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    results, said = run(importlib.import_module("wrong_example"))
    assert results == (1, 1)
    assert "Expected:\n    3" in said
