"""Every link inside the site leads somewhere."""

from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

ATTRIBUTES = ("href", "src")


@cache
def parsed(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def targets(page: BeautifulSoup):
    for name in ATTRIBUTES:
        for tag in page.find_all(attrs={name: True}):
            yield tag[name]


def trouble(folder: Path, page: Path, link: str) -> str | None:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_file():
        return f"{link}: no such file"
    if not target.is_relative_to(folder.resolve()):
        return f"{link}: outside the site"
    if parts.fragment and target.suffix == ".html":
        found = parsed(target).find(id=unquote(parts.fragment))
        return None if found else f"{link}: no such place on the page"
    return None


def test_internal_links_resolve(built):
    wrong, seen = {}, 0
    for page in built.resolve().glob("**/*.html"):
        if "_static" in page.parts:
            continue
        links = set(targets(parsed(page))) - {"#"}
        seen += len(links)
        problems = [p for link in links if (p := trouble(built, page, link))]
        if problems:
            wrong[page.name] = problems
    assert seen > 200
    assert wrong == {}


def test_nothing_is_loaded_from_another_host(built):
    for page in built.glob("**/*.html"):
        for tag in parsed(page).find_all(["script", "link", "img", "iframe"]):
            address = tag.get("src") or tag.get("href") or ""
            assert not urlsplit(address).netloc, f"{page.name} loads {address}"
        assert "require.js" not in str(parsed(page))
