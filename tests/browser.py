"""Fixtures for tests in a real Chromium; every foreign request is refused and noted.

A conftest takes them by name: ``from tests.browser import browser, page``.
"""

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, sync_playwright

from tools.browser import find

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PATIENCE = 600_000  # ms: no wait is given up because the machine has much else to do
HERE = ("http://127.0.0.1:", "http://localhost:", "file:", "data:", "blob:", "about:")
SOCKETS_HERE = ("ws://127.0.0.1:", "ws://localhost:")


@dataclass
class Seen:
    """What went on in a page apart from what it shows."""

    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)


@contextmanager
def watched_page(browser, **context_options):
    """Open a page that reaches nothing but this machine; its `seen` says what it tried.

    The options are those of Playwright's `new_context`: viewport, color_scheme, …
    """
    context = browser.new_context(**context_options)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.seen = Seen()
    page.route("**/*", lambda route: _let_through(route, page.seen))
    page.on("websocket", lambda socket: _note_socket(socket, page.seen))
    page.on(
        "pageerror", lambda error: page.seen.errors.append(f"{error}\n{error.stack}")
    )
    page.on("console", lambda message: _note_console(message, page.seen))
    try:
        yield page
    finally:
        context.close()


def _let_through(route, seen):
    url = route.request.url
    if url.startswith(HERE):
        route.continue_()
    else:
        seen.foreign.append(url)
        route.abort()


def _note_socket(socket, seen):
    if not socket.url.startswith(SOCKETS_HERE):
        seen.foreign.append(socket.url)


def _note_console(message, seen):
    if message.type == "error":
        seen.console.append(message.text)


# One browser a module, not a session: while Playwright runs, its event loop counts as
# running in this thread, and nbval's notebooks in the same process could not start.
@pytest.fixture(scope="module")
def browser():
    """Return a headless Chromium; fail, rather than skip, where there is none."""
    alone = ["--no-sandbox"] if sys.platform == "linux" and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=find(), args=[*FLAGS, *alone], timeout=PATIENCE
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser) -> Page:
    """Return a page at desktop size, and fail the test if it reached out or threw."""
    with watched_page(browser, viewport={"width": 1300, "height": 1000}) as page:
        yield page
        assert page.seen.foreign == []
        assert page.seen.errors == []
