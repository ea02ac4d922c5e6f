"""A JupyterLab started as a reader starts it, through tools/lab.py."""

import os
import re
import subprocess
import sys
import time
import warnings
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
LABS_OWN = "/static/lab/"
PATIENCE = 1800  # seconds: only what will never come is given up
GRACE = 300  # seconds for a server to end by itself
# What JupyterLab writes in place of a widget that it will not show any more.
NO_MODEL = "Error displaying widget"
NOTHING_STORED = "stored models: []"
# ipywidgets' manager and Lab's kernel connection tell most of this nowhere but inside.
NOT_RUN = f"""() => {JUPYTERLAB}.content.widgets
    .filter(cell => cell.model.type === 'code' && cell.model.executionCount === null)
    .map(cell => cell.model.sharedModel.getSource())"""
STATE = """async ([code, kind]) => {
    const panel = window.jupyterapp.shell.currentWidget;
    const kernel = panel?.sessionContext?.session?.kernel;
    const cell = panel?.content?.widgets?.find(cell => cell.model.type === 'code' &&
        `\\n${cell.model.sharedModel.getSource()}`.includes(code));
    const drawn = [...document.querySelectorAll('.qkv-w')];
    const wanted = drawn.find(widget => widget.classList.contains(`qkv-${kind}`));
    const outputs = (cell?.outputArea?.widgets ?? []).flatMap(one =>
        [...one.children()]);
    const promised = outputs.find(one => one._manager?.promise)?._manager.promise;
    const manager = await Promise.race([promised, Promise.resolve('still to come')]);
    const stored = panel?.content?.model?.getMetadata?.('widgets') ?? {};
    const box = wanted?.getBoundingClientRect();
    return {
        'widgets drawn': drawn.length,
        'the wanted one': box ? `${box.width} x ${box.height} at ${box.y}`
                              : 'not drawn',
        'its cell': cell ? `attached ${cell.isAttached}, drawn ${!cell.isPlaceholder()}`
                         : 'not found',
        'its outputs': outputs.map(one => one.node.innerText.slice(0, 200)),
        'stored models': Object.values(stored).map(one =>
            Object.keys(one.state ?? {}).length),
        'manager': typeof manager === 'object' ?
            `restored ${manager.restoredStatus}, asking the kernel ` +
            `${manager._kernelRestoreInProgress}, ` +
            `models ${Object.keys(manager._models ?? {}).length}` : `${manager}`,
        'session': `ready ${panel?.sessionContext?.isReady}, ` +
            `${panel?.sessionContext?.kernelDisplayStatus}`,
        'kernel': `${kernel?.status}, ${kernel?.connectionStatus}`,
        'requests unanswered': [...(kernel?._futures?.values() ?? [])].map(one =>
            one.msg.header.msg_type),
        'requests unsent': kernel?._pendingMessages?.length,
        'dialogs': [...document.querySelectorAll('.jp-Dialog')].map(one =>
            one.innerText),
    };
}"""


class NotInSight(AssertionError):
    """A widget that did not show itself, and what the page knows about it."""


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
    command += ["--no-browser", "--expose-app-in-browser"]  # it finds a port itself
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
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()  # not to leave it behind
            process.wait()
        reader.join(5)
        process.stdout.close()


def address(process, said):
    """Return the address that JupyterLab prints for its reader."""
    gives_up = time.monotonic() + PATIENCE
    while time.monotonic() < gives_up:
        with suppress(AttributeError):
            return URL.search("".join(said)).group()
        assert process.poll() is None, "".join(said)
        time.sleep(0.2)
    raise AssertionError(f"no address after {PATIENCE} s: {''.join(said)}")


def step_by_mouse(widget):
    """Click to the next step and back, and see what the widget says follow."""
    before = says(widget)
    widget.locator("[data-act=next]").first.click()
    assert all(new != old for new, old in zip(says(widget), before, strict=True))
    widget.locator("[data-act=back]").first.click()
    assert says(widget) == before


def says(widget):
    """Return a widget's count of steps and its sentence."""
    parts = [widget.locator(part).first for part in (".qkv-count", ".qkv-say")]
    return [part.text_content().strip() for part in parts]


def errors_of_ours(page):
    """Return the errors thrown in a page, but for those within JupyterLab itself.

    Its cell toolbar throws when a cell changes before the browser is idle; the
    traces of such errors name no file but Lab's own.
    """
    return [error for error in page.seen.errors if set(hosts_of(error)) - {LABS_OWN}]


def hosts_of(error):
    """Return where each line of an error's trace was loaded from."""
    places = re.findall(r"\b(?:http|blob:http)://[^\s)]+", error)
    return [LABS_OWN if LABS_OWN in place else place for place in places] or ["?"]


class Notebook:
    """A notebook open in JupyterLab, and its reader's hands."""

    def __init__(self, page, sockets=()):
        self.page = page
        self.sockets = sockets
        self.cells = page.locator(".jp-Notebook .jp-Cell")
        self._arrive()

    def ready(self):
        """Wait until the page has its kernel, and that has nothing to do."""
        self._wait("sessionContext?.isReady")
        self._wait("sessionContext?.session?.kernel?.status === 'idle'")
        return self

    def run_all(self, patience=PATIENCE):
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
        left = self.page.evaluate(NOT_RUN)
        assert not left, f"an error before these, which were not run: {left}"

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

    def until_the_kernel_says(self, wanted, code):
        """Ask the kernel again and again, until it prints what is wanted."""
        gives_up = time.monotonic() + PATIENCE
        while (said := self.ask(code)) != wanted:
            assert time.monotonic() < gives_up, f"{code} is {said}, not {wanted}"
            self.page.wait_for_timeout(250)

    def until_widgets(self, count):
        """Wait until as many widgets as the twin stores are drawn."""
        self.page.wait_for_function(
            "count => document.querySelectorAll('.qkv-w').length === count", arg=count
        )

    def save(self):
        """Save as the reader does, and wait until it is done."""
        self.page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
        self._wait("context.model.dirty === false")

    def errors(self):
        """Return the errors that stand in the outputs."""
        found = self.page.locator(
            ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']"
        )
        return found.all_inner_texts()

    def widget(self, kind, patience=PATIENCE):
        """Go to the first cell that makes a widget of a kind; return the widget.

        JupyterLab draws what lies out of sight only when it has nothing else to do, and
        what is drawn above moves the rest: so look again until it is there. A browser
        with an eighth of a core to itself took two minutes.
        """
        widget = self.page.locator(f".qkv-w.qkv-{kind.lower()}").first
        gives_up = time.monotonic() + patience
        while time.monotonic() < gives_up:
            self._scroll_to(f"\n{kind}(")
            with suppress(TimeoutError):
                widget.scroll_into_view_if_needed(timeout=4000)
                return widget
            if NO_MODEL in (state := self.state(kind)):
                raise NotInSight(f"{kind} has no model\n{state}")
        raise NotInSight(f"no {kind} in sight after {patience} s\n{self.state(kind)}")

    def stored_widget(self, kind, visits=3):
        """Return a widget that is there before anything is run; reload if it is not.

        ipywidgets shows what a notebook stores only after the kernel has told which
        widgets live. Where that answer is lost, as when the connection breaks then, it
        waits for ever and says nothing. Readers reload the page, and so does this.
        """
        self._wait("context?.isReady")
        assert NOTHING_STORED not in (state := self.state(kind)), state
        for left in reversed(range(visits)):
            try:
                return self.widget(kind, patience=300)
            except NotInSight as problem:
                if not left:
                    raise
                noted(f"the page was loaded again: {problem}")
            self.page.reload()
            self._arrive()

    def state(self, kind):
        """Return, in words, what may tell why a widget of a kind is not in sight."""
        found = self.page.evaluate(STATE, [f"\n{kind}(", kind.lower()])
        found["sockets of the kernel"] = self.sockets
        found["console"] = self.page.seen.console[-5:]
        found["errors"] = [error[:500] for error in self.page.seen.errors[-5:]]
        return "\n".join(f"  {name}: {value}" for name, value in found.items())

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

    def _arrive(self):
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell")

    def _wait(self, condition):
        self.page.wait_for_function(f"() => {JUPYTERLAB}?.{condition}")


@contextmanager
def opened(browser, lab, name, script="", **context_options):
    """Open one of the reader's notebooks in a fresh page, which runs a script first."""
    options = {"viewport": {"width": 1300, "height": 1000}, **context_options}
    sockets = []
    with watched_page(browser, **options) as page:
        page.add_init_script(script)
        page.on("websocket", lambda socket: _note(socket, sockets))
        page.goto(f"{lab.server}/lab/tree/{name}?reset&token={lab.token}")
        yield Notebook(page, sockets)


def _note(socket, sockets):
    if "/api/kernels/" in socket.url:
        sockets.append("opened")
        socket.on("close", lambda _: sockets.append("closed"))


def noted(what):
    """Have pytest show what a passing test met among its warnings, without failing."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(what, stacklevel=2)
