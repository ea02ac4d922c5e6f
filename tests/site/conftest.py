"""The site, built once for all its tests, and served on this machine."""

import functools
import http.server
import json
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from filelock import FileLock

from tests.browser import browser  # noqa: F401 -- a fixture, taken by name

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "chapters"
VIEW = "application/vnd.jupyter.widget-view+json"
sys.path.insert(0, str(ROOT / "book" / "_ext"))


def build(source: Path, out: Path, *options: str) -> subprocess.CompletedProcess:
    """Build a site as `make book` does, in a process of its own."""
    command = [sys.executable, "-m", "sphinx", "-W", "-n", "--keep-going", "-q"]
    command += ["-b", "html", "-d", f"{out}-doctrees"]  # beside what is published
    command += ["-D", f"qkv_root={ROOT}", *options]
    return subprocess.run(
        [*command, str(source), str(out)], capture_output=True, text=True, check=False
    )


def copy_book(folder: Path, *without: str) -> Path:
    """Copy the book's sources, so that nobody else's build is disturbed."""
    made = shutil.ignore_patterns("chapters", "generated", *without)
    return Path(shutil.copytree(ROOT / "book", folder / "book", ignore=made))


@dataclass(frozen=True)
class Site:
    """Where the built site is, and its pages by their paths."""

    folder: Path
    address: str

    @property
    def pages(self) -> list[str]:
        found = self.folder.glob("**/*.html")
        return sorted(
            path.relative_to(self.folder).as_posix()
            for path in found
            if "_static" not in path.parts
        )

    @property
    def chapters(self) -> list[str]:
        return [name for name in self.pages if name.startswith("chapters/")]


Tag = tuple[str, dict[str, str | None]]


class Reader(HTMLParser):
    """Reads a page's tags; a tree of them, as BeautifulSoup makes, takes ten times."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[Tag] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


@cache
def tags(path: Path) -> list[Tag]:
    return Reader(path.read_text(encoding="utf-8")).tags


def widgets_in_twins() -> dict[str, int]:
    """How many widgets each page of a twin must show, by the page's path."""
    counts = {}
    for path in CHAPTERS.glob("**/[0-9][0-9]_*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        outputs = [out for cell in cells for out in cell.get("outputs", ())]
        name = path.relative_to(CHAPTERS.parent).with_suffix(".html").as_posix()
        counts[name] = sum(VIEW in out.get("data", {}) for out in outputs)
    return counts


@pytest.fixture(scope="session")
def built(tmp_path_factory, worker_id) -> Path:
    """The folder of the built site, shared by all of pytest's processes."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    folder, done = shared / "site", shared / "site-is-built"
    with FileLock(shared / "site.lock"):
        if not done.exists():
            result = build(copy_book(shared), folder, "-D", f"qkv_chapters={CHAPTERS}")
            assert result.returncode == 0, result.stderr
            done.touch()
    return folder


class Quiet(http.server.SimpleHTTPRequestHandler):
    """The server of `make serve`, without its log."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def site(built):
    """The built site, served."""
    handler = functools.partial(Quiet, directory=str(built))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(built, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
