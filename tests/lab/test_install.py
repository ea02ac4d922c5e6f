"""What a newcomer is told when the installation cannot go on."""

import ast
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import pytest

from tools import install

ROOT = install.ROOT
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def clone(tmp_path):
    """Return a folder with all that `make lab` reads before anything is installed."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    return tmp_path


def make_lab(clone, **environment):
    return subprocess.run(
        ["make", "lab"],
        cwd=clone,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 9, 6), (3, 10, 13)])
def test_an_old_python_is_named_with_what_to_do(version, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(install.Failure) as told:
        install.check_version(version)
    found = ".".join(map(str, version))
    assert "needs Python 3.11 or newer" in str(told.value)
    assert f"{sys.executable} is Python {found}." in str(told.value)
    assert "Install one" in str(told.value)
    assert "make lab PYTHON=python3.12" in str(told.value)


def test_a_newer_python_beside_the_old_is_named(monkeypatch):
    here = {"python3.13": "/usr/bin/python3.13"}
    monkeypatch.setattr(shutil, "which", here.get)
    with pytest.raises(install.Failure, match=r"here; name it: .*PYTHON=python3\.13$"):
        install.check_version((3, 9, 6))


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 1), (3, 14, 0)])
def test_a_new_enough_python_passes(version):
    install.check_version(version)


def test_the_oldest_python_is_pyprojects():
    project = (ROOT / "pyproject.toml").read_text()
    oldest = ".".join(map(str, install.OLDEST))
    assert f'requires-python = ">={oldest}"' in project


def test_the_script_can_be_read_by_an_old_python():
    for name in ("install.py", "start.py", "classroom/hub.py"):
        script = (ROOT / "tools" / name).read_text()
        assert ast.parse(script, feature_version=(3, 7))


@pytest.fixture
def bare(monkeypatch):
    """Let a machine have no PyTorch yet, and any amount of room."""

    def machine(room, *, gpu=False, same_disk=False):
        monkeypatch.setattr(install, "has_torch", lambda: False)
        monkeypatch.setattr(install, "brings_gpu_libraries", lambda: gpu)
        monkeypatch.setattr(install, "one_disk", lambda *folders: same_disk)
        usage = {folder: Usage(10**11, 0, free) for folder, free in room.items()}
        monkeypatch.setattr(shutil, "disk_usage", usage.get)

    return machine


HERE, THERE = str(ROOT), tempfile.gettempdir()


def test_a_disk_without_room_is_named_before_anything_is_fetched(bare):
    bare({HERE: 2 * 10**9, THERE: 10**11})
    with pytest.raises(install.Failure) as told:
        install.check_room()
    assert f"about 3 GB in {ROOT}, which has 2.0 GB free" in str(told.value)
    assert "PIP_EXTRA_INDEX_URL" not in str(told.value)


def test_room_for_temporary_files_is_looked_at_too(bare):
    bare({HERE: 10**11, THERE: 10**8})
    with pytest.raises(install.Failure, match=r"(?s)about 1 GB in .*TMPDIR") as told:
        install.check_room()
    assert "0.1 GB free" in str(told.value)


def test_one_disk_must_have_room_for_both(bare):
    bare({HERE: 35 * 10**8}, same_disk=True)
    with pytest.raises(install.Failure, match=r"about 4 GB in .*has 3\.5 GB"):
        install.check_room()


def test_gpu_libraries_are_asked_room_for_with_the_way_around_them(bare, capsys):
    bare({HERE: 5 * 10**9, THERE: 10**11}, gpu=True)
    with pytest.raises(install.Failure, match=r"(?s)about 6 GB .*PIP_EXTRA_INDEX_URL"):
        install.check_room()
    said = capsys.readouterr().out
    assert said.startswith("This installs about 6 GB into .venv.\n")
    assert "Without\nthat it is 3 GB" in said


@pytest.mark.parametrize(
    ("system", "machine", "settings", "gpu"),
    [
        ("Linux", "x86_64", "global.timeout='60'", True),
        ("Linux", "x86_64", ":env:.extra-index-url='a'", False),
        ("Linux", "x86_64", "global.index-url='a'", False),
        ("Linux", "x86_64", ":env:.find-links='/wheels'", False),
        ("Linux", "aarch64", "", False),
        ("Darwin", "arm64", "", False),
        ("Windows", "AMD64", "", False),
    ],
)
def test_who_gets_gpu_libraries(monkeypatch, system, machine, settings, gpu):
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(subprocess, "check_output", lambda *_, **__: settings)
    assert install.brings_gpu_libraries() is gpu


def test_where_pytorch_is_no_room_is_asked_for(monkeypatch, capsys):
    monkeypatch.setattr(install, "has_torch", lambda: True)
    install.check_room()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("OSError: [Errno 28] No space left on device: 'x.so'", "The disk is full"),
        ("npm error code ENOSPC", "The disk is full"),
        ("NewConnectionError(...)\nERROR: No matching distribution", "no network"),
        ("ProxyError('Unable to connect to proxy')", "a proxy that says no"),
        ("SSLError(SSLCertVerificationError(1))\nNo matching dist", "PIP_CERT"),
        ("npm error code SELF_SIGNED_CERT_IN_CHAIN", "NODE_EXTRA_CA_CERTS"),
        ("npm error code ENOTFOUND", "no network"),
        ("ERROR: No matching distribution found for torch", "no build for this mac"),
        ("error: metadata-generation-failed", "its own words are above: pip install"),
    ],
)
def test_why_it_failed_is_said_in_the_readers_words(said, told):
    assert told in install.explain(("pip", "install"), said)


@pytest.mark.parametrize(
    ("machine", "told"),
    [
        (("Darwin", "x86_64", (3, 12, 1)), "Macs with an Intel processor"),
        (("Darwin", "arm64", (3, 12, 1)), "need macOS 14; this is 13.6"),
        (("Windows", "ARM64", (3, 12, 1)), "x86-64 processors, not for ARM"),
        (("Linux", "x86_64", (3, 15, 0)), "Python 3.15.0 is too new"),
        (("Darwin", "arm64", (3, 15, 0)), "Python 3.11 to 3.14"),
        (("Linux", "x86_64", (3, 12, 1)), "this one has glibc 2.17"),
        (("FreeBSD", "amd64", (3, 12, 1)), "Python 3.12.1 on FreeBSD amd64"),
    ],
)
def test_what_it_is_about_the_machine_is_said(monkeypatch, machine, told):
    monkeypatch.setattr(platform, "mac_ver", lambda: ("13.6", (), ""))
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.17"))
    assert told in install.why_no_build(*machine)


@pytest.mark.parametrize(
    ("library", "told"),
    [(("", ""), "has another C library."), (("glibc", "2.36"), "no build for this")],
)
def test_other_c_libraries_are_told_apart(monkeypatch, library, told):
    monkeypatch.setattr(platform, "libc_ver", lambda: library)
    assert told in install.why_no_build("Linux", "x86_64", (3, 12, 1))


def test_readme_names_the_pythons():
    oldest, newest = (".".join(map(str, v)) for v in (install.OLDEST, install.NEWEST))
    assert f"Python {oldest} to {newest}" in (ROOT / "README.md").read_text("utf-8")


def test_a_failing_programs_own_words_are_passed_on(capsys):
    script = "import sys; sys.exit('ERROR: ConnectTimeoutError')"
    with pytest.raises(install.Failure, match="no network"):
        install.run(sys.executable, "-c", script)
    assert "ConnectTimeoutError" in capsys.readouterr().err


def test_debian_without_its_venv_package_is_told_which(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    with pytest.raises(install.Failure, match=f"apt-get install {package}"):
        install.install_debians_venv()


def test_root_on_debian_is_given_the_venv_package(monkeypatch):
    commands = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(install, "run", lambda *command: commands.append(command))
    install.install_debians_venv()
    assert [command[:2] for command in commands] == [
        ("apt-get", "update"),
        ("apt-get", "install"),
    ]


def test_a_venv_whose_python_is_gone_does_not_count(tmp_path):
    assert install.works(sys.executable)
    assert not install.works(tmp_path / "python")
    (tmp_path / "python").symlink_to(tmp_path / "gone")
    assert not install.works(tmp_path / "python")


def test_without_a_network_make_lab_says_so(clone):
    """From a bare clone, with an index that no one serves and no packages at hand."""
    done = make_lab(
        clone,
        PIP_CONFIG_FILE=os.devnull,
        PIP_FIND_LINKS="",
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_EXTRA_INDEX_URL="",
        PIP_RETRIES="1",
        PIP_NO_CACHE_DIR="1",
    )
    assert done.returncode != 0
    assert "error: The packages could not be fetched: no network" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(Path(clone).glob(".venv/.installed-*"))


def test_without_a_network_nodes_packages_are_told_the_same(clone):
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / name, clone)
    (clone / ".venv").symlink_to(sys.prefix)
    unserved = {"registry": "http://127.0.0.1:9/", "fetch_retries": "0"}
    options = {**unserved, "cache": str(clone / "cache"), "audit": "false"}
    done = subprocess.run(
        [sys.executable, "tools/install.py", "npm"],
        cwd=clone,
        env={**os.environ, **{f"npm_config_{k}": v for k, v in options.items()}},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "error: The packages could not be fetched: no network" in done.stderr


def test_an_old_python_stops_make_lab_at_once(clone):
    """The version is asked of the interpreter that PYTHON names."""
    python = clone / "old-python"
    python.write_text(
        f"#!{sys.executable}\n"
        "import runpy, sys\n"
        "sys.path[0] = 'tools'\n"
        "sys.version_info, sys.argv = (3, 9, 6), sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    python.chmod(0o755)
    done = subprocess.run(
        ["make", "lab", f"PYTHON={python}"],
        cwd=clone,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "error: This book needs Python 3.11 or newer" in done.stderr
    assert not (clone / ".venv").exists()
