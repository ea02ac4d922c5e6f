"""Measure what a class costs: learners sign in, and run a chapter all at once.

usage: python tools/classroom/measure.py [--learners 8] [--chapter 03]

A hub of its own is opened on this machine, in a folder that is removed afterwards. Each
learner is a session of HTTP and a real kernel; there is no browser, whose memory is
that of the learner's own machine. Memory is the proportional share of each process
(PSS): what processes share is counted once.
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener, urlopen
from uuid import uuid4

import psutil
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

ROOT = Path(__file__).resolve().parents[2]
HUB = Path(__file__).with_name("hub.py")
SAID = re.compile(r"The class is at\n +(\S+)\n.*password is\n +(\S+)\n", re.S)
PATIENCE = 600  # seconds


@dataclass(frozen=True)
class Learner:
    """Who has signed in, at which address, with which token."""

    name: str
    url: str
    token: str

    def ask(self, path: str, body: dict | None = None) -> Any:
        """Return what the learner's server answers."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}/api/{path}", data, self.headers())
        with urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"token {self.token}"}


@contextmanager
def running_hub(folder: Path) -> Iterator[tuple[str, str]]:
    """Open a class; yield its address and its password."""
    command = [sys.executable, str(HUB), "--homes", str(folder), "--ip=127.0.0.1"]
    with open(folder / "said", "w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield until(lambda: found(folder / "said", process))
    finally:
        process.terminate()
        process.wait()


def found(log: Path, process: subprocess.Popen) -> tuple[str, str] | None:
    """Return the address and the password of a hub that answers."""
    if process.poll() is not None:
        raise RuntimeError(f"the hub has ended: {log.read_text()}")
    said = SAID.search(log.read_text())
    if not said:
        return None
    urlopen(f"{said[1]}/hub/health").close()
    return said[1], said[2]


def until(look: Any) -> Any:
    """Return what is looked for, once it is there."""
    gives_up = time.monotonic() + PATIENCE
    while True:
        with suppress(OSError):
            if seen := look():
                return seen
        if time.monotonic() > gives_up:
            raise TimeoutError(f"nothing is there after {PATIENCE} s")
        time.sleep(0.5)


def sign_in(hub: str, password: str, name: str) -> Learner:
    """Sign in as a browser does, and wait for the server."""
    jar = CookieJar()
    browser = build_opener(HTTPCookieProcessor(jar))
    browser.open(f"{hub}/hub/login", timeout=PATIENCE).close()
    form = {"username": name, "password": password, "_xsrf": xsrf(jar)}
    browser.open(f"{hub}/hub/login", urlencode(form).encode(), PATIENCE).close()
    tokens = f"{hub}/hub/api/users/{name}/tokens?_xsrf={xsrf(jar)}"
    headers = {"Referer": f"{hub}/hub/", "Content-Type": "application/json"}
    with browser.open(Request(tokens, b"{}", headers), timeout=PATIENCE) as answer:
        learner = Learner(name, f"{hub}/user/{name}", json.load(answer)["token"])
    until(lambda: learner.ask("status"))
    return learner


def xsrf(jar: CookieJar) -> str:
    return next(c.value or "" for c in jar if c.name == "_xsrf" and c.path == "/hub/")


async def run(learner: Learner, kernel: str, cells: list[str]) -> int:
    """Run cells one after the other in a kernel; return how many have raised."""
    url = f"{learner.url.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels"
    request = HTTPRequest(url, headers=learner.headers())
    socket = await websocket_connect(request, max_message_size=2**28)
    raised = 0
    for code in cells:
        message = asked(code)
        await socket.write_message(json.dumps(message))
        raised += await reply(socket, message["header"]["msg_id"]) != "ok"
    socket.close()
    return raised


def asked(code: str) -> dict[str, Any]:
    content = {"code": code, "silent": False, "allow_stdin": False}
    header = {"msg_id": uuid4().hex, "msg_type": "execute_request", "version": "5.3"}
    header |= {"session": "measure", "username": ""}
    message = {"header": header, "content": content, "channel": "shell"}
    return message | {"parent_header": {}, "metadata": {}, "buffers": []}


async def reply(socket: Any, id: str) -> str:
    while True:
        told = json.loads(await socket.read_message())
        of_ours = told["parent_header"].get("msg_id") == id
        if of_ours and told["msg_type"] == "execute_reply":
            return told["content"]["status"]


def cells_of(chapter: str) -> list[str]:
    [path] = (ROOT / "chapters").glob(f"{chapter}_*.ipynb")
    cells = json.loads(path.read_bytes())["cells"]
    return ["".join(each["source"]) for each in cells if each["cell_type"] == "code"]


def cost(folder: Path) -> tuple[float, float]:
    """Return the megabytes and the CPU seconds of the processes in a folder."""
    memory = seconds = 0.0
    for process in psutil.process_iter():
        try:
            if not Path(process.cwd()).is_relative_to(folder):
                continue
            memory += process.memory_full_info().pss / 1e6
            seconds += sum(process.cpu_times()[:2])
        except (psutil.Error, OSError):
            continue
    return memory, seconds


def measure(homes: Path, count: int, chapter: str) -> Iterator[str]:
    """Yield the rows of the table."""
    with running_hub(homes) as (hub, password):
        yield f"hub and proxy: {cost(homes / '.hub')[0]:.0f} MB"
        learners = [sign_in(hub, password, f"learner{n}") for n in range(count)]
        idle = mean_cost(homes, learners)[0]
        yield f"a learner, without a kernel: {idle:.0f} MB"
        kernels = [each.ask("kernels", {"name": "python3"})["id"] for each in learners]
        asyncio.run(all_run(learners, kernels, ["import torch, qkv.attention"]))
        begun, before = mean_cost(homes, learners)
        yield f"with a kernel that has imported torch: {begun:.0f} MB"
        since = time.monotonic()
        raised = asyncio.run(all_run(learners, kernels, cells_of(chapter)))
        took = time.monotonic() - since
        worked, after = mean_cost(homes, learners)
        yield f"with a kernel that has run chapter {chapter}: {worked:.0f} MB"
        yield f"CPU seconds of a learner for it: {after - before:.0f}"
        cores = os.cpu_count()
        yield f"all {count} at once, {cores} cores: {took:.0f} s; raised: {raised}"


async def all_run(learners: list[Learner], kernels: list[str], cells: list[str]) -> int:
    pairs = zip(learners, kernels, strict=True)
    return sum(await asyncio.gather(*(run(who, id, cells) for who, id in pairs)))


def mean_cost(homes: Path, learners: list[Learner]) -> tuple[float, float]:
    costs = [cost(homes / each.name) for each in learners]
    memory = sum(memory for memory, _ in costs) / len(costs)
    return memory, sum(seconds for _, seconds in costs) / len(costs)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what a class costs.")
    parser.add_argument("--learners", type=int, default=8)
    parser.add_argument("--chapter", default="03")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for row in measure(Path(folder).resolve(), given.learners, given.chapter):
            print(row, flush=True)


if __name__ == "__main__":
    main()
