"""The claims page and the chapters claim the same; and how the page is made."""

import re
from pathlib import Path

import nbformat
import pytest
from nbval.plugin import get_sanitize_patterns

from tools import claims as tool
from tools.claims import SEEDS, ClaimsError, Row, gather, measure, read, write

ROOT = Path(__file__).resolve().parents[2]
TWINS = sorted((ROOT / "chapters").glob("[0-9][0-9]_*.ipynb"))
SANITISED = ROOT / "tests" / "chapters" / "sanitize.cfg"
CLAIM = re.compile(r"✓ (?P<statement>.+): measured \S+, (?P<bound>\D+ [\d.and -]+)")


def told(twin: Path) -> list[str]:
    """The lines in which a twin's stored outputs claim something."""
    return [
        line
        for cell in nbformat.read(twin, as_version=4).cells
        for output in cell.get("outputs", ())
        for line in output.get("text", "").splitlines()
        if line.startswith("✓ ")
    ]


def claims_of(twin: Path) -> list[tuple[str, str]]:
    """Those claims, with their bounds."""
    lines = told(twin)
    found = [CLAIM.fullmatch(line) for line in lines]
    assert all(found), f"{twin.name} shows a claim in other words: {lines}"
    return [(match["statement"], match["bound"]) for match in found]


# ------------------------------------------------------------------ the book as it is


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.stem)
def test_the_page_has_the_claims_of_the_chapter(twin):
    rows = read(ROOT / "book" / "claims.md").get(twin.stem, [])
    claimed = claims_of(twin)
    assert claimed == [(row.statement, row.bound) for row in rows], (
        "run `make claims`: the page and the chapter claim different things"
    )
    assert claimed, "a chapter whose experiment claims nothing"


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.stem)
def test_what_a_claim_measured_is_not_compared(twin):
    """Another processor rounds otherwise, and training makes that visible."""
    patterns = get_sanitize_patterns(SANITISED.read_text("utf-8"))
    for line in told(twin):
        compared = line
        for regex, replacement in patterns:
            compared = re.sub(regex, replacement, compared)
        claimed = CLAIM.fullmatch(line)
        said = f"✓ {claimed['statement']}: measured VALUE, {claimed['bound']}"
        assert compared == said


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.stem)
def test_a_statement_is_made_once_in_its_chapter(twin):
    statements = [statement for statement, _ in claims_of(twin)]
    assert len(statements) == len(set(statements))


def test_the_page_has_no_chapter_that_is_not_there():
    there = {path.stem for path in (ROOT / "chapters").glob("[0-9][0-9]_*.md")}
    assert read(ROOT / "book" / "claims.md").keys() <= there


def test_the_page_is_what_would_be_written(tmp_path):
    page = ROOT / "book" / "claims.md"
    write(tmp_path / "claims.md", read(page))
    assert (tmp_path / "claims.md").read_text("utf-8") == page.read_text("utf-8")


# ------------------------------------------------------------------------ the machine

FRONT = """\
---
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A chapter

```{code-cell} ipython3
import os
from qkv.claims import claim
seed = int(os.environ.get("QKV_SEED", "0"))
```

"""


@pytest.fixture
def book(tmp_path, monkeypatch) -> Path:
    """A book without chapters, measured in this process."""
    (tmp_path / "chapters").mkdir()
    monkeypatch.setattr(tool.kernel, "JOBS", 1)
    monkeypatch.setattr(tool, "SEEDS", (0, 2))  # two show what three do
    monkeypatch.setattr(tool, "CHAPTERS", tmp_path / "chapters")
    monkeypatch.setattr(tool, "PAGE", tmp_path / "claims.md")
    monkeypatch.setenv("QKV_CLAIMS", str(tmp_path / "not this one"))
    return tmp_path


def add(book: Path, name: str, *cells: str) -> Path:
    path = book / "chapters" / f"{name}.md"
    text = "".join(f"```{{code-cell}} ipython3\n{cell}\n```\n\n" for cell in cells)
    path.write_text(FRONT + text, encoding="utf-8")
    return path


def record(value: float, statement="s", at_least=None, at_most=None) -> dict:
    bounds = {"at_least": at_least, "at_most": at_most}
    return {"statement": statement, "value": value, "held": True, **bounds}


def test_every_chapter_is_measured_with_every_seed(book, capsys, monkeypatch):
    monkeypatch.setattr(tool, "SEEDS", SEEDS)
    add(
        book,
        "01_first",
        'claim("grows with the seed", 0.5 + seed / 10, at_least=0.5)',
        'claim("cost | *time*", 3 - seed, at_most=3)',
    )
    add(
        book,
        "02_second",
        'claim("in between", [0.5, 0.95, 0.6][seed], at_least=0.4, at_most=1.0)',
    )
    add(book, "03_third", "print('claims nothing')")
    (book / "chapters" / "notes.md").write_text("no chapter", encoding="utf-8")
    gone = [Row("of a chapter that is no more", "at most 1.000", "0.500", "0.250")]
    write(book / "claims.md", {"00_gone": gone})
    assert tool.main(["--jobs", "2"]) == 0
    assert read(book / "claims.md") == {
        "01_first": [
            Row("grows with the seed", "at least 0.500", "0.500", "0.700"),
            Row("cost | *time*", "at most 3.000", "3.000", "1.000"),
        ],
        "02_second": [Row("in between", "between 0.400 and 1.000", "0.950", "0.600")],
    }
    assert "✓ in between: between 0.400 and 1.000" in capsys.readouterr().out
    assert not (book / "not this one").exists()


def test_measuring_again_gives_the_same_bytes(book):
    add(book, "01_first", 'claim("s", seed, at_least=0)')
    tool.main([])
    first = (book / "claims.md").read_bytes()
    tool.main([])
    assert (book / "claims.md").read_bytes() == first


def test_one_chapter_measured_leaves_the_others(book):
    other = [Row("said before", "at least 1.000", "1.500", "2.000")]
    gone = [Row("said no more", "at least 1.000", "1.500", "2.000")]
    write(book / "claims.md", {"01_first": other, "02_second": gone})
    path = add(book, "02_second", 'claim("s", seed, at_least=0)')
    assert tool.main([str(path)]) == 0
    assert read(book / "claims.md") == {
        "01_first": other,
        "02_second": [Row("s", "at least 0.000", "0.000", "2.000")],
    }


# One seed is enough where the first run ends it; where runs differ it takes two.
ONE, TWO = (0,), (0, 2)


@pytest.mark.parametrize(
    ("cell", "seeds", "said"),
    [
        (
            'claim("holds once", seed, at_most=0)',
            TWO,
            "✗ holds once: at most 0.000; worst 2",
        ),
        ('claim("no number", float("nan"), at_most=0)', ONE, "✗ no number: .*worst na"),
        ("1 / 0", ONE, r"seed 0: .*01_first\.md: .*ZeroDivisionError"),
        ("import os; os._exit(1)", ONE, r"seed 0: .*01_first\.md: the kernel died"),
        ('for _ in "ab": claim("s", 1, at_least=0)', ONE, "claims more than once: s"),
        ('claim(f"seed {seed}", 1, at_least=0)', TWO, "one thing with one seed"),
        ('claim("s", 1, at_least=-seed)', TWO, "one thing with one seed"),
    ],
)
def test_what_does_not_hold_is_said_and_not_written(
    book, capsys, monkeypatch, cell, seeds, said
):
    monkeypatch.setattr(tool, "SEEDS", seeds)
    (book / "claims.md").write_text("as it was", encoding="utf-8")
    add(book, "01_first", cell)
    assert tool.main([]) == 1
    assert re.search(said, "".join(capsys.readouterr()), re.DOTALL)
    assert (book / "claims.md").read_text("utf-8") == "as it was"


# Which chapters are measured, and why one fails, are told apart in two places of the
# tool (`main`, `_table`) that know nothing of each other: each is tried once.
@pytest.mark.parametrize(
    ("cell", "named"),
    [('claim("false", 0, at_least=1)', True), ("1 / 0", False)],
    ids=["claim, named", "cell, all of them"],
)
def test_a_chapter_that_fails_costs_the_others_nothing(book, capsys, named, cell):
    first, second, third, fourth = (
        [Row(said, "at least 1.000", "1.500", "2.000")] for said in "abcd"
    )
    tables = {"01_first": first, "02_second": second, "03_third": third}
    write(book / "claims.md", tables | {"04_fourth": fourth})
    paths = [
        add(book, "01_first", 'claim("before it", seed, at_least=0)'),
        add(book, "02_second", cell),
        add(book, "03_third", 'claim("after it", seed, at_least=0)'),
    ]
    assert tool.main([str(path) for path in paths] if named else []) == 1
    assert read(book / "claims.md") == {
        "01_first": [Row("before it", "at least 0.000", "0.000", "2.000")],
        "02_second": second,
        "03_third": [Row("after it", "at least 0.000", "0.000", "2.000")],
    } | ({"04_fourth": fourth} if named else {})
    assert capsys.readouterr().err.splitlines()[-1] == (
        "in claims.md left as they were: 02_second"
    )


def test_a_claim_that_fails_does_not_hide_the_next(book):
    path = add(
        book, "01_first", 'claim("a", 0, at_least=1)', 'claim("b", 2, at_least=1)'
    )
    assert [c["held"] for c in measure(path, 0)] == [False, True]


def test_a_chapter_that_is_not_there_is_named(book):
    with pytest.raises(SystemExit, match=r"none\.md: no such chapter"):
        tool.main([str(book / "none.md")])


@pytest.mark.parametrize(
    ("bounds", "values", "worst", "best"),
    [
        ({"at_least": 0.0}, (3.0, 1.0, 2.0), "1.000", "3.000"),
        ({"at_most": 9.0}, (3.0, 1.0, 2.0), "3.000", "1.000"),
        ({"at_least": 0.0, "at_most": 4.0}, (3.5, 1.0, 2.0), "3.500", "2.000"),
        ({"at_least": 0.0}, (3.0, float("nan"), -1.0), "nan", "3.000"),
    ],
)
def test_worst_is_nearest_to_its_bound(bounds, values, worst, best):
    (row,) = gather("01", [[record(value, **bounds)] for value in values])
    assert (row.worst, row.best) == (worst, best)


def test_an_order_that_differs_is_an_error():
    one, other = record(1.0, "a", at_least=0.0), record(1.0, "b", at_least=0.0)
    with pytest.raises(ClaimsError, match="one thing with one seed"):
        gather("01", [[one, other], [other, one]])


@pytest.mark.parametrize(
    "statement",
    [
        "a | b",
        r"back\slash | \| bar",
        "<script>alert(1)</script>",
        "α_t, *β*, `c`, $x$",
    ],
)
def test_any_statement_is_written_and_read(tmp_path, statement):
    tables = {"01_a": [Row(statement, "at most 1.000", "0.500", "0.250")]}
    write(tmp_path / "claims.md", tables)
    assert read(tmp_path / "claims.md") == tables


def test_the_lines_of_a_chapter_are_understood(tmp_path, capsys):
    from qkv.claims import claim

    claim("one: two, three", -0.5, at_least=-1)
    claim("few", 0.5, at_most=1)
    claim("some", 0.5, at_least=0, at_most=1)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x")])
    said = nbformat.v4.new_output("stream", text=capsys.readouterr().out)
    notebook.cells[0].outputs = [said]
    nbformat.write(notebook, tmp_path / "01_a.ipynb")
    assert claims_of(tmp_path / "01_a.ipynb") == [
        ("one: two, three", "at least -1.000"),
        ("few", "at most 1.000"),
        ("some", "between 0.000 and 1.000"),
    ]


def test_a_bound_is_written_as_the_chapter_says_it():
    tiny = {"statement": "a gradient", "at_least": None, "at_most": 1e-6}
    (row,) = gather("12", [[tiny | {"value": v}] for v in (2e-9, 1e-9)])
    assert row.bound == "at most 0.000001"
