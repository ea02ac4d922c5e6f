"""What a chapter's table calls something in Korean, the glossary calls it, too."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("[0-9]*.md"))
GLOSSARY = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| .+ \| (.*[가-힣].*) \|$", flags=re.M)


def korean_terms(chapter: Path) -> list[str]:
    """Every term of the table "In Korean", those in parentheses as well."""
    table = chapter.read_text(encoding="utf-8").partition("### In Korean")[2]
    header, *rows = ROW.findall(table.partition("###")[0])
    assert header == "한국어"
    return [term for row in rows for term in re.split(r",\s*|\s*\(|\)", row) if term]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.name)
def test_a_chapters_terms_are_in_the_glossary(chapter):
    terms = korean_terms(chapter)
    assert len(terms) > 5
    assert [term for term in terms if term not in GLOSSARY] == []
