"""A JupyterLab started as a reader starts it, through tools/lab.py."""

import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from playwright.sync_api import TimeoutError

from tests.browser import watched_page
from tools.lab import ROOT

URL = re.compile(r"http://127\.0\.0\.1:\d+/lab\S*\?token=\w+")
OWN_FOLDERS = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
JUPYTERLAB = "window.jupyterapp.shell.currentWidget"


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: the address that it printed, and its root."""

    url: str
    work: Path

    @property
    def server(self):
        return self.url.partition("/lab")[0]

    @property
    def token(self):
        return self.url.partition("token=")[2]


@contextmanager
def running_lab(folder, *options):
    """Start JupyterLab on copies in `folder`/work; end it and its kernels after use."""
    command = [sys.executable, "tools/lab.py", "--work", folder / "work"]
    command += ["--no-browser", f"--port={free_port()}", "--expose-app-in-browser"]
    own = {f"JUPYTER_{name}": str(folder / name.lower()) for name in OWN_FOLDERS}
    process = subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        env={**os.environ, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = []
    reader = Thread(target=lambda: said.extend(process.stdout), daemon=True)
    reader.start()
    try:
        yield Lab(address(process, said), folder / "work")
    finally:
        process.terminate()
        process.wait(30)
        reader.join(5)
        process.stdout.close()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def address(process, said, patience=90):
    """Return the address that JupyterLab prints for its reader."""
    for _ in range(patience * 5):
        with suppress(AttributeError):
            return URL.search("".join(said)).group()
        assert process.poll() is None, "".join(said)
        time.sleep(0.2)
    raise AssertionError(f"no address after {patience} s: {''.join(said)}")


class Notebook:
    """A notebook open in JupyterLab, and its reader's hands."""

    def __init__(self, page):
        self.page = page
        self.cells = page.locator(".jp-Notebook .jp-Cell")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=90_000)

    def ready(self):
        """Wait until the kernel is up and has nothing to do."""
        self._wait("sessionContext?.session?.kernel?.status === 'idle'", 90)
        return self

    def run_all(self, patience):
        """Run every cell, and wait for the last: at most `patience` seconds."""
        self.ready()
        self.page.evaluate(
            "() => { window.ran = ''; window.jupyterapp.commands"
            ".execute('notebook:run-all-cells')"
            ".then(() => { window.ran = 'done'; }); }"
        )
        self.page.wait_for_function(
            "() => window.ran === 'done'", timeout=patience * 1000, polling=500
        )
        self.ready()

    def ask(self, code):
        """Return what the kernel prints for some code."""
        return self.page.evaluate(
            f"""async code => {{
                const kernel = {JUPYTERLAB}.sessionContext.session.kernel;
                const future = kernel.requestExecute({{code, silent: false,
                                                       store_history: false}});
                let said = '';
                future.onIOPub = message => {{
                    said += message.content.text ?? message.content.evalue ?? '';
                }};
                await future.done;
                return said.trim();
            }}""",
            code,
        )

    def errors(self):
        """Return the errors that stand in the outputs."""
        found = self.page.locator(
            ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']"
        )
        return found.all_inner_texts()

    def widget(self, kind):
        """Go to the first cell that makes a widget of a kind; return the widget.

        JupyterLab draws what lies out of sight only when it has nothing else to do, and
        what is drawn above moves the rest: so look again until it is there. A browser
        with an eighth of a core to itself took two minutes.
        """
        widget = self.page.locator(f".qkv-w.qkv-{kind.lower()}").first
        for _ in range(90):
            self._scroll_to(f"\n{kind}(")
            with suppress(TimeoutError):
                widget.scroll_into_view_if_needed(timeout=4000)
                return widget
        raise AssertionError(f"no {kind} in sight after six minutes")

    def _scroll_to(self, code):
        self.page.evaluate(
            f"""async code => {{
                const notebook = {JUPYTERLAB}.content;
                const index = notebook.widgets.findIndex(cell =>
                    cell.model.type === 'code' &&
                    `\\n${{cell.model.sharedModel.getSource()}}`.includes(code));
                notebook.activeCellIndex = index;
                await notebook.scrollToItem(index, 'center');
            }}""",
            code,
        )

    def answer(self, exercise, code):
        """Write an answer into an exercise's cell, run it, and return what it says."""
        index = self.page.evaluate(
            f"""([exercise, code]) => {{
                const notebook = {JUPYTERLAB}.content;
                const index = notebook.widgets.findIndex(cell =>
                    cell.model.type === 'code' &&
                    cell.model.sharedModel.getSource().includes(`check("${{exercise}}"`));
                notebook.widgets[index].model.sharedModel.setSource(code);
                notebook.activeCellIndex = index;
                return index;
            }}""",
            [exercise, code],
        )
        self.page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell')")
        return self.cells.nth(index).locator(".jp-OutputArea").inner_text()

    def _wait(self, condition, patience):
        self.page.wait_for_function(
            f"() => {JUPYTERLAB}?.{condition}", timeout=patience * 1000
        )


@contextmanager
def opened(browser, lab, name, **context_options):
    """Open one of the reader's notebooks in a fresh page."""
    options = {"viewport": {"width": 1300, "height": 1000}, **context_options}
    with watched_page(browser, **options) as page:
        page.goto(f"{lab.server}/lab/tree/{name}?reset&token={lab.token}")
        yield Notebook(page)
