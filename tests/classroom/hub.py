"""A class opened as an instructor opens it, through tools/classroom/hub.py."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.browser import watched_page
from tests.lab.reader import GRACE, Notebook
from tools.classroom.hub import free_ports
from tools.classroom.measure import found, until
from tools.lab import ROOT


@dataclass(frozen=True)
class Class:
    """A running hub: its address, the password that lets in, and the homes."""

    url: str
    password: str
    homes: Path

    @contextmanager
    def logged_in(self, browser, name):
        """Yield a page on which somebody has signed in, and sees chapter 1."""
        with watched_page(browser, viewport={"width": 1300, "height": 1000}) as page:
            page.goto(self.url)
            page.fill("#username_input", name)
            page.fill("#password_input", self.password)
            page.click("#login_submit")
            yield Notebook(page)
            assert page.seen.foreign == []


@contextmanager
def running_class(folder, *options):
    """Open a class with homes in `folder`; end it, and all that it has started."""
    homes = folder / "homes"
    command = [sys.executable, ROOT / "tools" / "classroom" / "hub.py"]
    command += ["--homes", homes, "--ip", "127.0.0.1"]
    command += ["--port", str(free_ports(1)[0]), *options]
    command += ["--Spawner.args=--LabApp.expose_app_in_browser=True"]
    with open(folder / "said", "w+") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            url, password = until(lambda: found(folder / "said", process))
            yield Class(url, password, homes)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE)
            remaining = left(homes)
            for pid in [process.pid, *remaining]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()
        assert not remaining, "the end of a class is the end of all that it started"


def left(homes):
    """Return the processes that work in a folder, where the system tells of them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if Path(os.readlink(process / "cwd")).is_relative_to(homes):
                found.append(int(process.name))
    return found
