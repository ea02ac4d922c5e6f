"""Make .venv and install into it what a command needs, or say what stands in the way.

usage: python tools/install.py EXTRA ...    (extras of pyproject.toml; or: npm)

Runs before anything is installed, and on a Python that may be too old for the book:
only the standard library, and no syntax newer than Python 3.6.
"""

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from subprocess import DEVNULL, PIPE

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)
NEWER = ("python3.11", "python3.12", "python3.13", "python3.14")
GIGABYTE = 10**9
ROOM = {ROOT: 3 * GIGABYTE, Path(tempfile.gettempdir()): 1 * GIGABYTE}

NO_ROOM = ("No space left on device", "ENOSPC", "Disk quota exceeded")
NO_NETWORK = (
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ProxyError",
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "Network is unreachable",
    "ENOTFOUND",
    "ECONNREFUSED",
    "ECONNRESET",
    "ETIMEDOUT",
    "EAI_AGAIN",
    "ENETUNREACH",
)
NO_BUILD = ("No matching distribution found",)


def main(extras):
    try:
        if extras == ["npm"]:
            install_npm()
        else:
            install(extras)
    except Failure as failure:
        sys.exit(f"\nerror: {failure}")


class Failure(Exception):
    """What stands in the way, and what to do about it."""


def install(extras):
    if works(PYTHON):
        python = str(PYTHON)
    else:
        check_version(sys.version_info)
        check_room()
        python = make_venv()
    project = ".[{}]".format(",".join(extras))
    run(python, "-m", "pip", "install", "-c", "constraints.txt", "-e", project)
    # package.json says that the book's .js files are modules. JupyterLab's own, which
    # lie below it in .venv, are not, and Node asks the nearest package.json.
    (VENV / "package.json").write_text('{"type": "commonjs"}\n')
    for extra in extras:
        (VENV / (".installed-" + extra)).touch()


def install_npm():
    """Put package-lock.json's packages into node_modules, with .venv's own Node."""
    path = os.pathsep.join([str(PYTHON.parent), os.environ["PATH"]])
    run("npm", "ci", env=dict(os.environ, PATH=path))


def works(python):
    """Whether .venv has a Python that runs and is new enough."""
    question = f"import sys, pip; sys.exit(sys.version_info < {OLDEST})"
    try:
        return subprocess.call([str(python), "-c", question], stderr=DEVNULL) == 0
    except OSError:
        return False


def check_version(version):
    if tuple(version[:2]) >= OLDEST:
        return
    newer = next(filter(shutil.which, NEWER), None)
    advice = (
        "A newer one is here; name it:"
        if newer
        else "Install one (Debian: apt-get install python3; or conda, as README says), "
        "then name it:"
    )
    raise Failure(
        f"This book needs Python {dotted(OLDEST)} or newer; "
        f"{sys.executable} is Python {dotted(version[:3])}.\n"
        f"{advice} make lab PYTHON={newer or NEWER[1]}"
    )


def check_room():
    for folder, needed in ROOM.items():
        free = shutil.disk_usage(str(folder)).free
        if free < needed:
            raise Failure(
                "Not enough room: the installation needs about "
                f"{needed / GIGABYTE:.0f} GB in {folder}, which has "
                f"{free / GIGABYTE:.1f} GB free.\nMake room, or (for the folder of "
                "temporary files) set TMPDIR to another folder, and run the command "
                "again."
            )


def make_venv():
    if importlib.util.find_spec("ensurepip") is None:
        install_debians_venv()
    print(f"Making .venv with Python {dotted(sys.version_info[:3])} ...", flush=True)
    run(sys.executable, "-m", "venv", "--clear", str(VENV))
    return str(PYTHON)


def install_debians_venv():
    """Debian's Python makes no .venv until a package of its own is there."""
    package = f"python{dotted(sys.version_info[:2])}-venv"
    if not (shutil.which("apt-get") and os.geteuid() == 0):
        raise Failure(
            "This Python cannot make a .venv: its module ensurepip is missing.\n"
            f"On Debian and Ubuntu, as root: apt-get install {package}; "
            "then run the command again."
        )
    run("apt-get", "update", "-q")
    run("apt-get", "install", "-y", "-q", "--no-install-recommends", package)


def run(*command, **options):
    """Run a command; pass on what it says, and explain it when it fails."""
    process = subprocess.Popen(
        command,
        cwd=str(ROOT),
        stderr=PIPE,
        universal_newlines=True,
        errors="replace",
        **options,
    )
    said = []
    with process:
        for line in process.stderr:
            sys.stderr.write(line)
            said.append(line)
    if process.returncode != 0:
        raise Failure(explain(command, "".join(said)))


def explain(command, said):
    """Say in the reader's words why an installation failed, from the program's own."""
    if any(sign in said for sign in NO_ROOM):
        return "The disk is full. Make room, then run the command again."
    if any(sign in said for sign in NO_NETWORK):
        return (
            "The packages could not be fetched: no network, or a proxy that says no.\n"
            "Check the connection, then run the command again. Only the installation "
            "needs the network; the book itself does not."
        )
    if any(sign in said for sign in NO_BUILD):
        return (
            "There is no package for this machine: Python "
            f"{platform.python_version()} on {platform.system()} {platform.machine()}."
            "\nTry another Python (remove .venv first), for instance: "
            "make lab PYTHON=python3.12"
        )
    return f"This failed; its own words are above: {' '.join(command)}"


def dotted(version):
    return ".".join(map(str, version))


if __name__ == "__main__":
    main(sys.argv[1:])
