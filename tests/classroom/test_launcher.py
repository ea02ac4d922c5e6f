"""What tools/lab.py does under a hub, and what tools/classroom/hub.py asks of one."""

import argparse
import os
import resource
import socket
import subprocess
import sys

import pytest

from tools import lab
from tools.classroom import hub, measure
from tools.classroom.hub import Failure

GIVEN = argparse.Namespace(ip="127.0.0.1", port=None, without_solutions=False)


def copies(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.ipynb")}


@pytest.fixture
def chapters(tmp_path):
    """Return a book of one chapter and its solutions."""
    folder = tmp_path / "chapters"
    (folder / "solutions").mkdir(parents=True)
    empty = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    for name in ("01_first.ipynb", "solutions/01_first.ipynb"):
        (folder / name).write_text(empty)
    return folder


def test_solutions_come_when_they_are_no_longer_held_back(chapters, tmp_path):
    work = tmp_path / "work"
    lab.refresh(chapters, work, solutions=False)
    assert copies(work) == {"01_first.ipynb"}
    lab.refresh(chapters, work)
    assert copies(work) == {"01_first.ipynb", "solutions/01_first.ipynb"}
    assert lab.refresh(chapters, work, solutions=False) == []
    assert copies(work) == {"01_first.ipynb", "solutions/01_first.ipynb"}


def test_copies_alone_start_nothing(chapters, tmp_path):
    work = tmp_path / "work"
    lab.main(["--work", str(work), "--chapters", str(chapters), "--copies-only"])
    assert len(copies(work)) == 2


def test_the_hub_says_on_which_port(tmp_path):
    (tmp_path / "01_first.ipynb").touch()
    command = lab.command(tmp_path, [], hub=True)
    assert "--ServerApp.default_url=/lab/tree/01_first.ipynb" in command
    assert not [option for option in command if ".port" in option]


def test_the_hubs_terminal_is_told_what_is_kept_alone():
    assert not lab.told("added      01_first.ipynb", hub=True)
    assert lab.told("kept       01_first.ipynb: you changed it.", hub=True)
    assert lab.told("added      01_first.ipynb", hub=False)


@pytest.mark.parametrize("asked", [[], ["--hub"]])
def test_a_hubs_server_is_told_by_a_flag_alone(asked, chapters, tmp_path, monkeypatch):
    """A terminal on somebody's JupyterHub has the hub's variables, too."""
    opened = []
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "a token")
    monkeypatch.setattr(lab, "open_lab", lambda *_, hub: opened.append(hub))
    monkeypatch.setattr(lab, "ROOT", tmp_path / "book")
    monkeypatch.setattr(lab.Path, "home", lambda: tmp_path / "home")
    lab.main(["--chapters", str(chapters), *asked])
    assert opened == [bool(asked)]
    assert (tmp_path / "home" / "work").exists() == bool(asked)
    assert (tmp_path / "book" / "work").exists() == (not asked)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts it")
def test_a_process_gets_no_more_memory_than_the_hub_allows():
    program = (
        "from tools import lab; lab.limit_memory(str(2**28)); bytearray(2**27)\n"
        "try: bytearray(2**28)\nexcept MemoryError: print('no more')"
    )
    told = {**os.environ, "PYTHONPATH": str(lab.ROOT)}
    said = subprocess.check_output([sys.executable, "-c", program], env=told)
    assert said == b"no more\n"
    assert resource.getrlimit(resource.RLIMIT_DATA)[0] != 2**28


def test_windows_is_told_plainly(monkeypatch):
    monkeypatch.setattr(hub.os, "name", "nt")
    with pytest.raises(Failure, match="needs Linux or macOS"):
        hub.prepared()


def test_a_taken_port_is_stepped_over_or_refused(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        given = argparse.Namespace(**{**vars(GIVEN), "port": taken})
        with pytest.raises(Failure, match=f"Port {taken} is taken"):
            hub.port_for(given)
    with socket.create_server(("127.0.0.1", hub.port_for(GIVEN))) as server:
        assert hub.port_for(GIVEN) != server.getsockname()[1]


def test_an_address_with_a_certificate_is_told_as_one(tmp_path):
    own = ["--JupyterHub.ssl_cert=a.pem"]
    assert "https://127.0.0.1:1\n" in hub.said(GIVEN, 1, tmp_path, "", own)
    assert "http://127.0.0.1:1\n" in hub.said(GIVEN, 1, tmp_path, "")


@pytest.mark.parametrize("short", ["", "\n", "seven77"])
def test_a_password_that_is_too_short_is_refused(short, tmp_path):
    (tmp_path / "password").write_text(short)
    with pytest.raises(Failure, match="8 or more"):
        hub.password(tmp_path)


def test_a_hub_that_ends_is_not_waited_for(tmp_path, monkeypatch):
    (tmp_path / "said").write_text("no port")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with pytest.raises(RuntimeError, match="has ended: no port"):
        measure.until(lambda: measure.found(tmp_path / "said", ended))
    monkeypatch.setattr(measure, "PATIENCE", 0)
    with pytest.raises(TimeoutError):
        measure.until(lambda: None)


def test_inner_ports_differ():
    assert len(set(hub.free_ports(50))) == 50


@pytest.mark.parametrize("name", ["a<script>", "a/b", "-a", ".a", "a" * 33, "a\n"])
def test_a_name_is_a_word(name, tmp_path, monkeypatch):
    from jupyterhub.auth import Authenticator
    from traitlets.config import PyFileConfigLoader

    (tmp_path / "password").write_text("not too short")
    monkeypatch.chdir(tmp_path)
    config = PyFileConfigLoader(str(hub.CONFIG)).load_config()
    door = Authenticator(config=config)
    assert door.validate_username("민지.2-b_c")
    assert not door.validate_username(name)


def test_solutions_are_held_back_by_one_setting(tmp_path):
    held = argparse.Namespace(**{**vars(GIVEN), "without_solutions": True})
    assert "--Spawner.args=--without-solutions" in hub.traits(held, 8000, tmp_path)
    assert "--Spawner.args" not in "".join(hub.traits(GIVEN, 8000, tmp_path))


def test_the_password_is_made_once_and_is_its_owners(tmp_path):
    made = hub.password(tmp_path)
    assert len(made) == 10
    assert hub.password(tmp_path) == made
    assert (tmp_path / "password").stat().st_mode & 0o077 == 0
    assert made in hub.key(tmp_path, [])
    own = ["--JupyterHub.authenticator_class=pam"]
    assert made not in hub.key(tmp_path, own)
