"""Which cells of a chapter fold to one line, and what that line says.

A cell folds that only sets up, draws, measures claims, or shows that two ways agree. It
is found by what its code does; two tags overrule that: `fold` folds any cell, `open`
keeps one open. An exercise is never folded. The line is the comment that a cell begins
with, or else is made from its code.
"""

import ast
import builtins
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TypeGuard

from qkv import plot

FOLD, OPEN, EXERCISE = "fold", "open", "exercise-"
FEWEST_LINES = 4  # fewer are as short as the line that would stand for them
LONGEST = 72  # letters of that line, where code is quoted
SEEDS = ("torch.manual_seed", "torch.set_num_threads")
BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True)
class Fold:
    """Why a cell is folded, and the line that stands for it; `code` in backticks."""

    kind: str
    says: str


def fold(source: str, tags: Collection[str] = ()) -> Fold | None:
    """Return how a code cell folds, or None for one that stays open.

    Examples
    --------
    >>> fold('claim("it reads", right, at_least=0.9)')
    Fold(kind='claim', says='Measures a claim')
    >>> fold('claim("it reads", right, at_least=0.9)', ["open"])
    """
    if OPEN in tags or any(tag.startswith(EXERCISE) for tag in tags):
        return None
    body = _statements(source)
    kinds = [kind for kind, (fits, _) in KINDS.items() if body and fits(body)]
    kind = kinds[0] if kinds else "other"
    short = len(source.splitlines()) < FEWEST_LINES and kind != "claim"
    if FOLD not in tags and (short or not kinds):
        return None
    return Fold(kind, _comment(source) or (KINDS.get(kind) or OTHER)[1](body))


def _statements(source: str) -> list[ast.stmt]:
    """Return the statements of a cell; none where it is no plain Python."""
    try:
        return ast.parse(source).body
    except SyntaxError:
        return []


def _comment(source: str) -> str:
    first = re.match(r"#\s*(\S.*)", source)
    return first[1][:1].upper() + first[1][1:] if first else ""


# ---------------------------------------------------------------------------- parts


def _called(node: ast.AST) -> str:
    """Return the name of what an expression calls, "" where it is no call."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def _is_call(statement: ast.stmt, names: Collection[str]) -> TypeGuard[ast.Expr]:
    return isinstance(statement, ast.Expr) and _called(statement.value) in names


def _is_import(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Import | ast.ImportFrom)


def _only_names(statement: ast.stmt) -> bool:
    """Whether a statement only gives names to numbers that are there already.

    Then it calls nothing but Python's own functions, and methods.
    """
    kept = ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Import | ast.ImportFrom
    calls = [node.func for node in ast.walk(statement) if isinstance(node, ast.Call)]
    names = [func.id for func in calls if isinstance(func, ast.Name)]
    return isinstance(statement, kept) and set(names) <= BUILTINS


def _nested(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a body, those of its loops in their place."""
    for statement in body:
        inner = isinstance(statement, ast.For | ast.With)
        yield from _nested(statement.body) if inner else [statement]


# ---------------------------------------------------------------------------- kinds


def _sets_up(body: list[ast.stmt]) -> bool:
    return _is_import(body[0]) and all(
        _is_import(each) or _is_call(each, SEEDS) or _sets_environment(each)
        for each in body
    )


def _sets_environment(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign) and "os.environ" in ast.unparse(statement)


def _claims(body: list[ast.stmt]) -> bool:
    """Whether a cell claims, and at most names what it claims."""
    flat = list(_nested(body))
    claims = [each for each in flat if _is_call(each, ["claim"])]
    return bool(claims) and all(
        _only_names(each) for each in flat if each not in claims
    )


def _draws(body: list[ast.stmt]) -> bool:
    *before, last = body
    return _is_call(last, plot.__all__) and all(map(_only_names, before))


def _compares(body: list[ast.stmt]) -> bool:
    """Whether a cell ends in a comparison, and neither defines nor prints before it."""
    flat = list(_nested(body))
    asserts = [each for each in flat if _is_comparison(each)]
    tells = [each for each in flat if _is_call(each, ["print"])]
    defines = any(isinstance(each, ast.FunctionDef | ast.ClassDef) for each in flat)
    return bool(asserts) and flat[-1] is asserts[-1] and not (defines or tells)


def _is_comparison(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assert) or _is_call(
        statement, ["torch.testing.assert_close"]
    )


# ------------------------------------------------------------------- what they say


def _say_imports(body: list[ast.stmt]) -> str:
    names = [
        each.module or "" if isinstance(each, ast.ImportFrom) else each.names[0].name
        for each in body
        if isinstance(each, ast.Import | ast.ImportFrom)
    ]
    roots = dict.fromkeys(name.partition(".")[0] for name in names)
    seeds = any(_is_call(each, SEEDS) for each in body)
    listed = ", ".join(f"`{root}`" for root in roots)
    return f"Imports {listed}, and sets the seed" if seeds else f"Imports {listed}"


def _say_claims(body: list[ast.stmt]) -> str:
    """Count the claims as they are written; those of a loop are not known."""
    written = sum(_is_call(each, ["claim"]) for each in body)
    if written != sum(_is_call(each, ["claim"]) for each in _nested(body)):
        return "Measures claims"
    return f"Measures {written} claims" if written > 1 else "Measures a claim"


def _say_figure(body: list[ast.stmt]) -> str:
    words = [word for node in ast.walk(body[-1]) for word in _keywords(node)]
    titles = [word.value for word in words if word.arg == "title"]
    known = [each.value for each in titles if isinstance(each, ast.Constant)]
    return f"Draws “{known[0]}”" if known else "Draws a figure"


def _keywords(node: ast.AST) -> list[ast.keyword]:
    return node.keywords if isinstance(node, ast.Call) else []


def _say_comparison(body: list[ast.stmt]) -> str:
    match [each for each in _nested(body) if _is_comparison(each)][-1]:
        case ast.Assert(test=test):
            said = f"Checks that `{ast.unparse(test)}`"
        case ast.Expr(value=ast.Call(args=[one, other, *_])):
            said = f"Checks that `{ast.unparse(one)}` and `{ast.unparse(other)}` agree"
        case _:
            said = ""
    return said if 0 < len(said) < LONGEST else "Checks that both agree"


def _say_other(body: list[ast.stmt]) -> str:
    """What a cell does that is folded by its tag alone."""
    if any(map(_is_comparison, _nested(body))):
        return _say_comparison(body)
    if body and _is_call(body[-1], plot.__all__):
        return _say_figure(body)
    kinds = ast.FunctionDef | ast.ClassDef
    names = [f"`{each.name}`" for each in body if isinstance(each, kinds)]
    return f"Defines {', '.join(names)}" if names else "A step on the way"


Said = tuple[Callable[[list[ast.stmt]], bool], Callable[[list[ast.stmt]], str]]
KINDS: dict[str, Said] = {
    "set-up": (_sets_up, _say_imports),
    "claim": (_claims, _say_claims),
    "figure": (_draws, _say_figure),
    "equality": (_compares, _say_comparison),
}
OTHER: Said = (bool, _say_other)
