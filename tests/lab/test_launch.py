"""How JupyterLab is started: where, on which port, with whose settings."""

import json
import os
import socket
import subprocess
import sys

import pytest
from jupyterlab_server.settings_utils import get_settings

from tests.lab.reader import GRACE
from tools import lab


@pytest.fixture
def work(tmp_path):
    for name in ("02_b.ipynb", "01_first.ipynb", "00_before.ipynb", "notes.ipynb"):
        (tmp_path / name).write_text("{}")
    return tmp_path


@pytest.fixture
def taken():
    """Return a port that another program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_lab_opens_at_chapter_1_among_the_copies(work):
    command = lab.command(work, [])
    assert f"--ServerApp.root_dir={work}" in command
    assert "--LabApp.default_url=/lab/tree/01_first.ipynb" in command


def test_lab_opens_at_chapter_0_where_there_is_no_other(work):
    for name in ("01_first.ipynb", "02_b.ipynb"):
        (work / name).unlink()
    assert "--LabApp.default_url=/lab/tree/00_before.ipynb" in lab.command(work, [])


def test_the_readers_options_are_passed_on(work):
    assert lab.command(work, ["--no-browser"])[-1] == "--no-browser"


def test_the_readers_loudness_is_the_only_one(work):
    assert "--log-level=WARN" in lab.command(work, [])
    assert "--log-level=WARN" not in lab.command(work, ["--log-level=DEBUG"])
    assert "--log-level=WARN" not in lab.command(work, ["--debug"])


def test_a_book_without_twins_says_so(tmp_path):
    with pytest.raises(lab.Failure, match="no chapter yet"):
        lab.command(tmp_path, [])


def test_a_taken_default_port_is_stepped_over(work, taken, capsys):
    (option,) = lab._free_port("localhost", first=taken)
    port = int(option.removeprefix("--ServerApp.port="))
    assert port > taken
    assert f"Port {taken} is taken" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--port={}", "--ServerApp.port={}", "--port {}"])
def test_a_taken_port_that_was_asked_for_is_refused(work, taken, option):
    with pytest.raises(lab.Failure, match=f"Port {taken} cannot be used: Address alr"):
        lab.command(work, option.format(taken).split())


def test_a_free_port_that_was_asked_for_is_the_one(work):
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    command = lab.command(work, [f"--port={free}"])
    assert "--ServerApp.port_retries=0" in command
    assert [option for option in command if "port=" in option] == [f"--port={free}"]


@pytest.mark.parametrize("ip", ["", "*", "0.0.0.0", "127.0.0.1"])
def test_a_taken_port_is_seen_on_every_address(work, taken, ip):
    with pytest.raises(lab.Failure, match="cannot be used"):
        lab.command(work, [f"--port={taken}", f"--ip={ip}"])


@pytest.mark.parametrize("port", [-1, 0, 99999])
def test_a_port_that_is_none_is_refused(work, port):
    with pytest.raises(lab.Failure, match=f"Port {port} cannot be used: ports are"):
        lab.command(work, [f"--port={port}"])


def test_a_taken_port_ends_the_command_with_one_clear_line(work, tmp_path, taken):
    (tmp_path / "none").mkdir()
    folders = ["--work", work, "--chapters", tmp_path / "none"]
    done = subprocess.run(
        [sys.executable, "tools/lab.py", *folders, "--no-browser", f"--port={taken}"],
        cwd=lab.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: Port {taken} cannot be used")
    assert "Traceback" not in done.stderr


NEVER_DONE = """
from threading import Event, Thread
from jupyterlab.labapp import LabApp
from tools import lab
LabApp.launch_instance = lambda options: Thread(target=Event().wait).start()
lab.open_lab(lab.ROOT, [], hub=False)
"""


def test_no_thread_that_the_server_leaves_behind_holds_the_terminal():
    command = [sys.executable, "-c", NEVER_DONE]
    subprocess.run(command, cwd=lab.ROOT, check=True, timeout=GRACE)


def test_the_news_are_off_as_a_default_that_the_reader_may_change(
    work, tmp_path, monkeypatch
):
    for name, value in lab.environment(work).items():
        monkeypatch.setenv(name, value)
    mine = tmp_path / "user-settings"
    plugin = "@jupyterlab/apputils-extension:notification"
    assert notifications(plugin, mine) == {
        "fetchNews": "false",
        "checkForUpdates": False,
    }
    choice = mine / "@jupyterlab" / "apputils-extension"
    choice.mkdir(parents=True)
    (choice / "notification.jupyterlab-settings").write_text('{"fetchNews": "true"}')
    assert notifications(plugin, mine)["fetchNews"] == "true"


def notifications(plugin, user_settings):
    """Return the settings that JupyterLab's server tells its front end to use."""
    share = os.path.join(sys.prefix, "share", "jupyter", "lab")
    settings, _ = get_settings(
        app_settings_dir=os.path.join(share, "settings"),
        schemas_dir=os.path.join(share, "schemas"),
        settings_dir=str(user_settings),
        schema_name=plugin,
    )
    defaults = settings["schema"]["properties"]
    chosen = settings["settings"]
    return {
        name: chosen.get(name, defaults[name]["default"])
        for name in ("fetchNews", "checkForUpdates")
    }


def test_other_jupyter_settings_are_the_readers_own(work, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/somewhere")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", "/home/reader/.jupyter")
    environment = lab.environment(work)
    assert environment["JUPYTER_CONFIG_PATH"] == f"{lab.SETTINGS}{os.pathsep}/somewhere"
    changed = {
        name for name in environment if environment[name] != os.environ.get(name)
    }
    assert changed == {"JUPYTER_CONFIG_PATH", "JUPYTERLAB_WORKSPACES_DIR"}


def test_the_defaults_name_the_news_and_the_drawing_of_cells_and_no_more():
    defaults = lab.SETTINGS / "labconfig" / "default_setting_overrides.json"
    assert list(json.loads(defaults.read_text()).values()) == [
        {"fetchNews": "false", "checkForUpdates": False},
        {"windowingMode": "none"},
    ]
