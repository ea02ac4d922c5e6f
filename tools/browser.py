"""Find a Chromium or Chrome for the tests and the PDF, and have one if there is none.

``python tools/browser.py`` prints its path. Where none is on the machine it is
installed: Debian's package where apt-get and root allow, else Playwright's own build.
On Linux a font with Korean letters is had in the same way, because a page
photographed without one proves nothing.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
CHOICE = "QKV_BROWSER"
REMEDY = (
    "Install Chromium or Chrome (on Debian, as root: "
    "apt-get install chromium fonts-noto-cjk), "
    f"or name its program in the environment: {CHOICE}=/path/to/chrome"
)


class Missing(RuntimeError):
    """No browser, or no font with Korean letters, is on this machine."""


def find():
    """Return the path of a browser that is already here; raise Missing if none is."""
    path = _chosen() or _on_path() or _application() or _of_playwright()
    if path is None:
        looked = ", ".join(NAMES)
        raise Missing(
            f"No browser for the tests. Looked for {looked} on the path "
            f"and for Playwright's own. {REMEDY}"
        )
    return path


def ensure():
    """Return the path of a browser, installing one, and a Korean font, if need be."""
    path = _ensure_browser()
    _ensure_font()
    return path


def _chosen():
    path = os.environ.get(CHOICE)
    if path and not shutil.which(path):
        raise Missing(f"{CHOICE} names {path}, which is not a program. {REMEDY}")
    return path and shutil.which(path)


def _on_path():
    return next(filter(None, map(shutil.which, NAMES)), None)


def _application():
    return next((path for path in APPLICATIONS if Path(path).exists()), None)


def _of_playwright():
    """Playwright's own build: asked for only last, because the question takes 0.5 s."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _ensure_browser():
    attempts = []
    for install in (None, _debian_browser, _playwright_browser):
        if install:
            attempts.append(install())
        try:
            return find()
        except Missing as missing:
            error = missing
    tried = "".join(f"\n  tried: {attempt}" for attempt in attempts)
    raise Missing(f"{error}{tried}")


def _debian_browser():
    return _apt_get("chromium")


def _playwright_browser():
    return _run(sys.executable, "-m", "playwright", "install", "chromium")


def _ensure_font():
    if not sys.platform.startswith("linux") or _has_korean():
        return
    tried = _apt_get("fontconfig", "fonts-noto-cjk")
    if not _has_korean():
        raise Missing(
            "No font with Korean letters, so pages would be tested with empty boxes. "
            f"Install one (Debian: fonts-noto-cjk).\n  tried: {tried}"
        )


def _has_korean():
    if not shutil.which("fc-list"):
        return False
    fonts = subprocess.run(
        ["fc-list", ":lang=ko", "family"], capture_output=True, text=True, check=False
    )
    return bool(fonts.stdout.strip())


def _apt_get(*packages):
    """Install Debian packages where that is allowed; return what came of it."""
    if not shutil.which("apt-get"):
        return "apt-get is not on this machine"
    if os.geteuid() != 0:
        return f"apt-get install {' '.join(packages)} needs root"
    update = _run("apt-get", "update", "-q")
    install = ("apt-get", "install", "-y", "-q", "--no-install-recommends")
    return f"{update}; {_run(*install, *packages)}"


def _run(*command):
    """Run a command, its output to stderr (stdout is for the path); describe it."""
    shown = " ".join(command)
    print(f"{shown} ...", file=sys.stderr, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, stdout=sys.stderr, env=environment, check=False)
    return f"{shown} (exit code {done.returncode})"


if __name__ == "__main__":
    try:
        print(ensure())
    except Missing as missing:
        sys.exit(f"error: {missing}")
