"""A folder that is moved, renamed or copied after installing works on where it is."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tools import install

PROGRAM = "#!{python}\nimport qkv, sys\nprint(qkv.PLACE, *sys.argv[1:])\n"
INSTALL = """
import sys, install
install.run = lambda *command, **_: (
    None if "venv" in command and "--clear" not in command
    and not install.subprocess.check_call(command) else print("RUN", *command[1:4]))
install.check_room = lambda: None
install.install(sys.argv[1:])
"""


@pytest.fixture
def folder(tmp_path):
    """Return a small book as it is after `make lab`, in a .venv without packages."""
    folder = tmp_path / "book"
    (folder / "src" / "qkv").mkdir(parents=True)
    (folder / "src" / "qkv" / "__init__.py").write_text(
        "from pathlib import Path\nPLACE = Path(__file__).parents[2].name\n"
    )
    for name in install.ASKED:
        (folder / name).write_text("")
    shutil.copytree(install.ROOT / "tools", folder / "tools")
    venv.create(folder / ".venv", symlinks=True)
    (packages,) = (folder / ".venv").glob("lib/python3.*/site-packages")
    (packages / "__editable__.qkv-0.1.0.pth").write_text(f"{folder / 'src'}\n")
    (packages / "pip.py").touch()  # what looks whether .venv works looks for pip
    add_program(folder)
    assert "RUN -m pip install" in run(folder)
    return folder


def add_program(folder):
    """Write a program as pip does, which names .venv's Python in its first line."""
    python = folder / ".venv" / "bin" / "python"
    program = PROGRAM.format(python=python)
    path = folder / ".venv" / "bin" / "program"
    path.write_text(program)
    path.chmod(0o755)


def run(folder):
    """Install there, as the folder's own tools do; return what was said."""
    return subprocess.check_output(
        [sys.executable, "-c", INSTALL, "lab"],
        env={**os.environ, "PYTHONPATH": str(folder / "tools")},
        text=True,
    )


def used(folder):
    """Return the name of the folder whose package a program of .venv uses."""
    program = str(folder / ".venv" / "bin" / "program")
    environment = {key: os.environ[key] for key in os.environ if key != "PYTHONPATH"}
    return subprocess.check_output([program, "x"], text=True, env=environment).strip()


def test_a_second_time_nothing_is_done(folder):
    assert used(folder) == "book x"
    assert run(folder) == ""


@pytest.mark.parametrize("name", ["moved", "옮긴 책", "deep/below/it"])
def test_a_moved_folder_uses_its_own_package(folder, tmp_path, name):
    new = tmp_path / name
    new.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(new)
    said = run(new)
    assert said == f"Putting .venv right: it was made in {folder} ...\n"
    assert used(new) == f"{new.name} x"
    assert run(new) == ""


def test_a_copy_uses_its_own_package_and_leaves_the_first_alone(folder, tmp_path):
    copy = tmp_path / "a copy"
    shutil.copytree(folder, copy, symlinks=True)
    assert "Putting .venv right" in run(copy)
    assert used(copy) == "a copy x"
    assert used(folder) == "book x"
    assert run(folder) == ""


def test_what_cannot_be_put_right_is_installed_again(folder, tmp_path):
    (file,) = folder.glob(".venv/lib/python3.*/site-packages/*.pth")
    file.write_text("/nowhere\n")
    assert "RUN -m pip install" in run(folder)


def test_a_link_to_another_folders_venv_is_left_alone(folder, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(folder, other, ignore=lambda *_: [".venv"])
    (other / ".venv").symlink_to(folder / ".venv")
    assert run(other) == ""
    assert used(folder) == "book x"


def test_what_is_asked_for_anew_is_installed(folder):
    (folder / "constraints.txt").write_text("torch==99\n")
    assert "RUN -m pip install" in run(folder)
    assert run(folder) == ""


@pytest.mark.parametrize(
    ("old", "text", "new"),
    [
        ("/a/b", "/a/b/c", "/n/c"),
        ("/a/b", "'/a/b'", "'/n'"),
        ("/a/b", "/a/b", "/n"),
        ("/a/b", "/a/book/c", "/a/book/c"),
        ("/a/b", "/a/b-2/c", "/a/b-2/c"),
    ],
)
def test_only_the_folder_itself_is_renamed(old, text, new):
    assert install.in_place_of(old, "/n", text.encode()) == new.encode()


def test_nothing_in_a_readers_path_needs_unix():
    """No program is replaced by another, and no folder is named as Unix names it."""
    for name in ("install", "start", "lab", "lab_address", "widget_states"):
        lines = (Path(install.ROOT) / "tools" / f"{name}.py").read_text().splitlines()
        for line in lines:
            assert not any(f"os.{call}" in line for call in ("exec", "fork", "spawn"))
            assert "geteuid" not in line or 'hasattr(os, "geteuid")' in line
            assert "bin/python" not in line
            assert '"make"' not in line
            assert '"bin"' not in line or '"Scripts"' in line
