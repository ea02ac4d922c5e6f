"""The commands of README and design are the Makefile's, and each is a few lines."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
COMMANDS = ["help", "lab", "test", "book", "notebooks", "widgets", "serve", "lint"]
COMMANDS += ["bench", "claims", "checkpoint", "pdf", "class", "grades", "clean"]


# The tests themselves run under a make, which tells one below it of its own options.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name not in ("ARGS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
}


def make(*words):
    return subprocess.check_output(
        ["make", "--no-print-directory", *words], cwd=ROOT, env=ENVIRONMENT, text=True
    )


def dry_run(*words):
    """Return what make would do, on a machine that has nothing yet."""
    return make("--dry-run", "--always-make", *words)


def recipe(command):
    (found,) = re.findall(rf"^{command}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    return found.splitlines()


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_there_and_a_few_lines(command):
    assert 1 <= len(recipe(command)) <= 4


def test_help_lists_every_command_with_what_it_does():
    said = make("help").splitlines()
    assert [line.split()[1] for line in said] == COMMANDS
    assert all(len(line.split()) > 3 for line in said)


def test_a_bare_make_helps():
    assert make() == make("help")


def test_lab_installs_what_lab_needs_and_no_more():
    assert dry_run("lab").split()[1:] == ["tools/start.py"]
    assert 'install(["lab"])' in (ROOT / "tools" / "start.py").read_text()


def test_a_class_installs_what_a_hub_needs_and_no_more():
    assert dry_run("class").split()[1:] == ["tools/classroom/hub.py"]
    hub = (ROOT / "tools" / "classroom" / "hub.py").read_text()
    assert 'install(["lab", "class"])' in hub
    assert "tools/install.py lab class\n" in dry_run("grades")


OTHERS = sorted({*COMMANDS} - {"help", "lab", "class", "grades", "clean"})


@pytest.mark.parametrize("command", OTHERS)
def test_every_other_command_installs_all_that_it_needs(command):
    assert "tools/install.py lab site tests class" in dry_run(command)


def test_the_races_peers_are_installed_for_the_races_alone():
    peers = "tools/install.py bench\n"
    assert [name for name in COMMANDS if peers in dry_run(name)] == ["bench"]


def test_the_python_and_the_options_are_the_readers():
    done = dry_run("lab", "PYTHON=python3.12", "ARGS=--no-browser")
    assert "python3.12 tools/start.py --no-browser\n" in done


@pytest.mark.parametrize("command", ["test", "book", "widgets", "lint", "pdf"])
def test_node_may_be_the_one_that_pip_brings(command):
    """npm and node are looked for in .venv first: some machines have no other."""
    uses = [line for line in recipe(command) if not line.startswith("\t  ")]
    needing = [line for line in uses if re.search(r"npm|sphinx|pdf\.py|pytest", line)]
    assert needing
    assert all(line.startswith("\t$(WITH_NODE) ") for line in needing)
    done = dry_run(command)
    assert f'PATH="{ROOT}/.venv/bin:$PATH"' in done
    assert done.index("install.py npm") < done.index("PATH=")


def test_what_sphinx_keeps_for_itself_is_no_part_of_the_site():
    (built,) = re.findall(r"-d (\S+) book (\S+)$", dry_run("book"), re.MULTILINE)
    assert not Path(built[0]).is_relative_to(built[1])


def test_the_authors_guide_names_commands_that_are_there():
    guide = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert "npm run" not in guide, "npm is not on everybody's path: name a make target"
    named = re.findall(r"`make\s+([a-z]+)`", guide)
    assert named
    assert set(named) <= set(COMMANDS)


def test_tests_come_after_lint_a_browser_and_nodes_packages():
    done = dry_run("test")
    order = ["install.py npm", "ruff check", "ruff format", "pyrefly check"]
    order += ["npm run --silent lint", "browser.py", "-m pytest"]
    places = [done.index(step) for step in order]
    assert places == sorted(places)


def test_ci_runs_what_readme_tells_a_person_to_run():
    run = (ROOT / ".ci" / "run").read_text()
    assert run.startswith("#!/usr/bin/env bash\n")
    assert run.rstrip().endswith("exec make test")


def test_clean_leaves_the_readers_copies():
    assert {"work", "homes"}.isdisjoint(dry_run("clean").split())
