"""A chapter cites by a link to the paper, and the references have that paper."""

import re
from pathlib import Path

import pytest
from pybtex.database import Entry, parse_file

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "chapters").glob("**/*.md"))
ENTRIES = parse_file(ROOT / "book" / "references.bib").entries
BY_URL = {entry.fields["url"]: entry for entry in ENTRIES.values()}
PAPERS = ("https://arxiv.org/", "https://doi.org/")
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
PAPER_SITE = re.compile(r"\b(?:arxiv|doi)\.org\b")


def citations(text: str) -> list[tuple[str, str]]:
    """The words and the address of every link to a paper."""
    return [
        (" ".join(words.split()), url)
        for words, url in LINK.findall(text)
        if PAPER_SITE.search(url)
    ]


def names(entry: Entry) -> str:
    people = entry.persons["author"]
    first, *others = [" ".join([*p.prelast_names, *p.last_names]) for p in people]
    if len(others) > 1:
        return f"{first} et al."
    return " and ".join([first, *others])


def in_words(entry: Entry) -> tuple[str, str]:
    """How a paper is cited: in a parenthesis, and as a part of the sentence."""
    year = entry.fields["year"]
    return f"{names(entry)}, {year}", f"{names(entry)} ({year})"


def name(path: Path) -> str:
    return path.relative_to(ROOT / "chapters").as_posix()


every_source = pytest.mark.parametrize("source", SOURCES, ids=name)


@every_source
def test_each_paper_cited_is_in_the_references_under_its_names_and_year(source):
    for words, url in citations(source.read_text(encoding="utf-8")):
        assert url in BY_URL, f"give book/references.bib an entry with the url {url}"
        assert words in in_words(BY_URL[url])


@every_source
def test_papers_are_cited_by_links_alone(source):
    text = source.read_text(encoding="utf-8")
    assert "{cite" not in text, "JupyterLab cannot draw it; CONTRIBUTING says how"
    bare = PAPER_SITE.findall(LINK.sub("", text))
    assert not bare, "an address without words"


def test_there_are_citations():
    assert any(citations(source.read_text(encoding="utf-8")) for source in SOURCES)


@pytest.mark.parametrize("key", ENTRIES)
def test_each_entry_leads_to_its_paper(key):
    url = ENTRIES[key].fields["url"]
    assert url.startswith(PAPERS)
    assert ("/abs/" in url) == ("arxiv" in url)
    assert BY_URL[url] is ENTRIES[key], "two entries for one paper"


@pytest.mark.parametrize(
    ("key", "parenthetical", "textual"),
    [
        ("elman1990", "Elman, 1990", "Elman (1990)"),
        ("jain2019", "Jain and Wallace, 2019", "Jain and Wallace (2019)"),
        ("luong2015", "Luong et al., 2015", "Luong et al. (2015)"),
        ("vandenoord2016", "van den Oord et al., 2016", "van den Oord et al. (2016)"),
    ],
)
def test_how_papers_are_named(key, parenthetical, textual):
    assert in_words(ENTRIES[key]) == (parenthetical, textual)
