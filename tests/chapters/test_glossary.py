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


# ----------------------------------------------- what a chapter teaches is in its table


def entries() -> dict[str, str]:
    """The Korean of every name the glossary gives: "gru", and "gated recurrent unit".

    A name is the term itself, or what its definition begins with before a colon.
    """
    found = {}
    entries = GLOSSARY.partition(":sorted:")[2].rpartition(":::")[0].strip()
    blocks = entries.split("\n\n")
    for term, korean, *definition in (block.splitlines() for block in blocks):
        other = " ".join(definition).strip().partition(":")[0]
        found |= {term.lower(): korean, other.lower(): korean}
    return found


def in_bold(chapter: Path) -> list[str]:
    """What the prose sets in bold, in small letters and in the singular or not."""
    prose = re.sub(r"^```.*?^```$", "", chapter.read_text("utf-8"), flags=re.M | re.S)
    bold = re.findall(r"\*\*([^*]+)\*\*", prose)
    return [" ".join(words.lower().split()) for words in bold]


def introduced() -> list[tuple[Path, str, str]]:
    """Where each term of the glossary is first in bold, with its Korean."""
    korean, seen, found = entries(), set(), []
    for chapter in CHAPTERS:
        for words in in_bold(chapter):
            term = words if words in korean else words.removesuffix("s")
            if term in korean and korean[term] not in seen:
                seen.add(korean[term])
                found.append((chapter, term, korean[term]))
    return found


@pytest.mark.parametrize(
    ("chapter", "term", "korean"), introduced(), ids=lambda part: str(part)
)
def test_a_term_in_bold_is_in_the_table_of_its_chapter(chapter, term, korean):
    assert any(korean in said for said in korean_terms(chapter)), (
        f"{chapter.name} introduces {term!r} and does not say that it is {korean}"
    )


def test_the_terms_are_found():
    assert len(introduced()) > 40
