"""What repo2docker reads resolves, as far as that can be told without an image."""

import os
import re
import shutil
import subprocess
import sys

import yaml

from tools import install, lab

BINDER = lab.ROOT / "binder"
ENVIRONMENT = yaml.safe_load((BINDER / "environment.yml").read_text())
DEPENDENCIES = ENVIRONMENT["dependencies"]


def test_repo2docker_finds_a_python_that_the_book_runs_on():
    python_version = re.compile(r"python\s*=+\s*([\d\.]*)")  # repo2docker's own
    found = [match[1] for match in map(python_version.match, DEPENDENCIES) if match]
    assert len(found) == 1, f"repo2docker reads {found} of {DEPENDENCIES}"
    version = tuple(map(int, found[0].split(".")))
    assert install.OLDEST <= version <= install.NEWEST


def test_torch_is_the_tested_one_without_gpu_libraries():
    pins = (lab.ROOT / "constraints.txt").read_text().split()
    [torch] = [pin.partition("==")[2] for pin in pins if pin.startswith("torch==")]
    assert f"pytorch-cpu={torch}" in DEPENDENCIES


def test_nothing_else_is_conda_s_and_no_host_is_named():
    assert [each.partition("=")[0] for each in DEPENDENCIES] == [
        "python",
        "pip",
        "pytorch-cpu",
    ]
    assert "://" not in "".join(path.read_text() for path in BINDER.iterdir())


def test_the_step_after_the_build_installs_and_makes_the_copies(tmp_path):
    """Pip is noted, and all else is run, in a copy of the book with one chapter."""
    book = tmp_path / "book"
    shutil.copytree(BINDER, book / "binder")
    shutil.copytree(lab.ROOT / "tools", book / "tools")
    (book / "chapters").mkdir()
    shutil.copy(lab.ROOT / "chapters" / "06_masking.ipynb", book / "chapters")
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(
        f'#!/bin/sh\ncase "$*" in *pip*) echo "$@" > "{tmp_path}/pip";;\n'
        f'*) exec "{sys.executable}" "$@";; esac\n'
    )
    python.chmod(0o755)
    environment = {**os.environ, "HOME": str(tmp_path), "PATH": path_with(python)}
    subprocess.run(
        [book / "binder" / "postBuild"], cwd=book, env=environment, check=True
    )
    asked = (tmp_path / "pip").read_text().split()
    assert asked[-4:] == ["-c", "constraints.txt", "-e", ".[lab]"]
    assert (book / "work" / "06_masking.ipynb").is_file()


def path_with(program):
    return os.pathsep.join([str(program.parent), os.environ["PATH"]])
