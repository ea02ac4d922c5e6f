"""Where JupyterLab is, is printed in every case."""

import json
import os
import socket
import subprocess
import sys
from threading import Timer

import pytest

from tests.lab.reader import PATIENCE
from tools import lab

OWN_FOLDERS = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Give the reader folders of their own; return the one of their settings."""
    for name in OWN_FOLDERS:
        monkeypatch.setenv(f"JUPYTER_{name}", str(tmp_path / name))
    monkeypatch.delenv("JUPYTER_TOKEN", raising=False)
    (tmp_path / "CONFIG_DIR").mkdir()
    (tmp_path / "work").mkdir()
    (tmp_path / "chapters").mkdir()
    (tmp_path / "work" / "01_first.ipynb").write_text("{}")
    return tmp_path


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def said(folder, port, until, *options):
    """Return what is printed, up to a line, by a JupyterLab that is then ended."""
    folders = ["--work", folder / "work", "--chapters", folder / "chapters"]
    options = ["--no-browser", f"--port={port}", *options]
    process = subprocess.Popen(
        [sys.executable, "tools/lab.py", *folders, *options],
        cwd=lab.ROOT,
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines, late = [], Timer(PATIENCE, process.kill)
    late.start()
    with process:
        for line in process.stdout:
            lines.append(line)
            if until in line:
                break
        # a server that is asked to end writes to a pipe that nobody reads any more, and
        # may then wait for ever; there is nothing in it to be kept
        process.kill()
    late.cancel()
    return "".join(lines)


def test_with_a_token_of_the_readers_own(own, monkeypatch):
    monkeypatch.setenv("JUPYTER_TOKEN", "mine-alone")
    port = free_port()
    text = said(own, port, "It asks for")
    assert f"http://localhost:{port}/lab\nIt asks for your token.\n" in text
    assert "mine-alone" not in text


def test_with_a_password(own):
    secret = {"PasswordIdentityProvider": {"hashed_password": "sha256:salt:0"}}
    settings = own / "CONFIG_DIR" / "jupyter_server_config.json"
    settings.write_text(json.dumps(secret))
    port = free_port()
    text = said(own, port, "It asks for")
    assert f"http://localhost:{port}/lab\nIt asks for your password.\n" in text


def test_with_neither_by_the_readers_wish(own):
    port = free_port()
    text = said(own, port, f":{port}/lab", "--IdentityProvider.token=")
    assert f"JupyterLab is at\n    http://localhost:{port}/lab\n" in text


def test_with_jupyterlabs_own_token_there_is_one_address_with_it(own):
    port = free_port()
    text = said(own, port, "127.0.0.1")
    assert "JupyterLab is at" not in text
    assert f"http://localhost:{port}/lab/tree/01_first.ipynb?token=" in text
