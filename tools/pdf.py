"""Print the chapters to one PDF, each widget in its print view.

usage: python tools/pdf.py [--out build/book.pdf]

Sphinx makes one page of the whole book, the host draws every widget's steps one below
the other, and Chromium prints it: tagged, with bookmarks, text as text.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.browser import find  # noqa: E402

FOOT = (
    '<div style="font: 8pt sans-serif; width: 100%; text-align: center; color: #555">'
    '<span class="pageNumber"></span></div>'
)
MARGIN = "18mm"
PATIENCE = 600_000  # ms: a whole book on a busy machine
READY = """async () => {
  await window.qkvHost?.ready;
  await document.fonts.ready;
  return [...document.querySelectorAll("[data-qkv-widget]")]
    .map((slot) => slot.dataset.error ?? (slot.dataset.mounted ? "" : "not drawn"))
    .filter(Boolean);
}"""


def build_page(folder: Path) -> Path:
    """Make the whole book as one HTML page in ``folder``; return the page."""
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "singlehtml", "-t", "paper"]
    command += ["-d", str(folder / "doctrees"), str(ROOT / "book")]
    subprocess.run([*command, str(folder / "page")], check=True)
    return folder / "page" / "paper.html"


def opened(browser: Browser, page_file: Path) -> Page:
    """Open ``page_file`` with its widgets as strips.

    Raises
    ------
    RuntimeError
        If a widget could not be drawn.
    """
    page = browser.new_page(color_scheme="light")
    page.set_default_timeout(PATIENCE)
    page.goto(f"{page_file.resolve().as_uri()}?print")
    if broken := page.evaluate(READY):
        raise RuntimeError(f"widgets that cannot be printed: {broken}")
    return page


def press(page: Page, out: Path) -> None:
    """Print an open page to ``out``."""
    page.pdf(
        path=out,
        format="A4",
        margin={"top": MARGIN, "bottom": MARGIN, "left": MARGIN, "right": MARGIN},
        display_header_footer=True,
        header_template="<span></span>",
        footer_template=FOOT,
        outline=True,
        tagged=True,
        print_background=True,
    )


def print_page(page_file: Path, out: Path) -> None:
    """Print ``page_file`` to ``out``, in a browser of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find(), args=["--no-sandbox", "--disable-gpu"]
        )
        press(opened(browser, page_file), out)
        browser.close()


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "book.pdf")
    options = parser.parse_args(arguments)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        print_page(build_page(Path(folder)), options.out)
    print(f"{options.out}: {options.out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
