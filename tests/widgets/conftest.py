import pytest

from tests.browser import browser, page
from tests.widgets.pages import page_of

__all__ = ["browser", "page"]


@pytest.fixture
def show(page, tmp_path):
    """Write a page, open it from disk, and wait until its widgets stand."""

    def opened(*widgets, query="", **options):
        path = tmp_path / "page.html"
        path.write_text(page_of(*widgets, **options), "utf-8")
        page.goto(path.as_uri() + query)
        page.evaluate("qkvHost.ready")
        return page

    return opened
