"""A chapter's set words come from data: its header, and its terms in Korean.

The header is that of book/edition.yaml with the numbers of the chapter's front matter.
The glossary is the one list of terms: a row of a chapter's table has nothing else.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import jupytext
import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("[0-9]*.md"))
EDITION = yaml.safe_load((ROOT / "book" / "edition.yaml").read_text("utf-8"))
GLOSSARY = (ROOT / "book" / "glossary.md").read_text("utf-8")

every_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.name)


@every_chapter
def test_a_header_is_the_editions_with_the_chapters_numbers(chapter):
    about = jupytext.read(chapter).metadata["book"]
    prose = " ".join(chapter.read_text("utf-8").split())
    assert EDITION["header"].format(**about) in prose


# ----------------------------------------------------------------------- the glossary


@dataclass(frozen=True)
class Term:
    """A term in Korean: the form that the book uses, and others that texts use."""

    name: str
    korean: str
    others: tuple[str, ...]


def glossary() -> dict[str, Term]:
    """Every term by its names: "gru", and "gated recurrent unit".

    A name is the term itself, or what its definition begins with before a colon. Other
    Korean forms follow the word "Also".
    """
    found = {}
    entries = GLOSSARY.partition(":sorted:")[2].rpartition(":::")[0].strip()
    for name, korean, *lines in map(str.splitlines, entries.split("\n\n")):
        definition = " ".join(line.strip() for line in lines)
        also = re.findall(r"Also\*? ([^.]+)\.", definition)
        others = [form for said in also for form in re.split(r",\s*|\s+or\s+", said)]
        names = name.lower(), definition.partition(":")[0].lower()
        found |= dict.fromkeys(names, Term(name, korean, tuple(others)))
    return found


TERMS = glossary()


def rows(chapter: Path) -> list[tuple[str, str]]:
    """The table of terms: what is said in English and in Korean."""
    heading = f"\n### {EDITION['terms']['heading']}\n"
    section = chapter.read_text("utf-8").partition(heading)[2].partition("\n#")[0]
    header, _, *found = re.findall(r"^\| ?(.+?) ?\| ?(.+?) ?\|$", section, flags=re.M)
    assert list(header) == EDITION["terms"]["columns"]
    return found


def terms_of(english: str) -> list[Term]:
    """The terms of a cell: "GRU", "split, merge", "absolute, relative position"."""
    names = [name.lower() for name in re.split(r",\s*|\s*\(|\)", english) if name]
    last = names[-1].rpartition(" ")[2]
    found = []
    for name in names:
        shared = (name, f"{name} {last}", f"{name} {names[0]}")
        found += [TERMS[known] for known in shared if known in TERMS][:1]
    return list(dict.fromkeys(found))


@every_chapter
def test_a_row_of_terms_is_the_glossarys(chapter):
    """Where Korean texts keep the English name, as of ALiBi, it may stand first."""
    for english, korean in rows(chapter):
        terms = terms_of(english)
        used, _, others = korean.removesuffix(")").partition(" (")
        for form, term in zip(used.split(", "), terms, strict=True):
            assert form in (term.korean, term.name), english
        known = {form for term in terms for form in (term.korean, *term.others)}
        assert {*others.split(", ")} <= known | {""}, english


@every_chapter
def test_a_chapter_has_terms(chapter):
    assert len(rows(chapter)) > 5


# ----------------------------------------------- what a chapter teaches is in its table


def in_bold(chapter: Path) -> list[str]:
    """What the prose sets in bold, in small letters and in the singular or not."""
    prose = re.sub(r"^```.*?^```$", "", chapter.read_text("utf-8"), flags=re.M | re.S)
    bold = re.findall(r"\*\*([^*]+)\*\*", prose)
    return [" ".join(words.lower().split()) for words in bold]


def introduced() -> list[tuple[Path, str]]:
    """Where each term of the glossary is first in bold."""
    seen, found = set(), []
    for chapter in CHAPTERS:
        for words in in_bold(chapter):
            name = words if words in TERMS else words.removesuffix("s")
            if name in TERMS and TERMS[name] not in seen:
                seen.add(TERMS[name])
                found.append((chapter, name))
    return found


@pytest.mark.parametrize(
    ("chapter", "name"), introduced(), ids=lambda part: getattr(part, "name", part)
)
def test_a_term_in_bold_is_in_the_table_of_its_chapter(chapter, name):
    listed = [term for english, _ in rows(chapter) for term in terms_of(english)]
    assert any(TERMS[name].korean in term.korean for term in listed), (
        f"{chapter.name} introduces {name!r} and does not say that it is "
        f"{TERMS[name].korean}"
    )


def test_the_terms_are_found():
    assert len(introduced()) > 40
