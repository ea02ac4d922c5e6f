"""Every link inside the site leads somewhere."""

from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.site.conftest import ROOT, tags

ATTRIBUTES = ("href", "src")


@cache
def places(path: Path) -> set[str]:
    """Return the ids on a page, which links can lead to."""
    return {attributes["id"] for _, attributes in tags(path) if "id" in attributes}


def targets(page: Path):
    for _, attributes in tags(page):
        yield from (attributes[name] or "" for name in ATTRIBUTES if name in attributes)


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
        found = unquote(parts.fragment) in places(target)
        return None if found else f"{link}: no such place on the page"
    return None


def test_internal_links_resolve(built):
    wrong, seen = {}, 0
    for page in built.resolve().glob("**/*.html"):
        if "_static" in page.parts:
            continue
        links = set(targets(page)) - {"#"}
        seen += len(links)
        problems = [p for link in links if (p := trouble(built, page, link))]
        if problems:
            wrong[page.name] = problems
    assert seen > 200
    assert wrong == {}


def test_nothing_is_loaded_from_another_host(built):
    for page in built.resolve().glob("**/*.html"):
        for tag, attributes in tags(page):
            if tag in ("script", "link", "img", "iframe"):
                address = attributes.get("src") or attributes.get("href") or ""
                assert not urlsplit(address).netloc, f"{page.name} loads {address}"


def test_nothing_of_the_machine_that_built_it_is_published(built):
    """Neither where it lies there, nor what Sphinx keeps to be faster the next time."""
    files = [path for path in built.rglob("*") if path.is_file()]
    kept = [path for path in files if path.suffix in (".pickle", ".doctree", ".py")]
    assert kept == []
    machine = [f"{folder}/".encode() for folder in (ROOT, built.parent, Path.home())]
    for path in files:
        content = path.read_bytes()
        assert not [where for where in machine if where in content], path
