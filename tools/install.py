"""Make .venv and install into it what a command needs, or say what stands in the way.

usage: python tools/install.py EXTRA ...    (extras of pyproject.toml; or: npm)

What is there already is left as it is, and a .venv that was moved or copied with its
folder is put right. Runs before anything is installed, and on a Python that may be too
old for the book: only the standard library, and no syntax newer than Python 3.6.
"""

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from subprocess import DEVNULL, PIPE

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
HERE = VENV / ".folder"  # names the folder that .venv was made in
ASKED = ("pyproject.toml", "constraints.txt")
OLDEST, NEWEST = (3, 11), (3, 14)
PYTHONS = tuple(f"python3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1))
GIGABYTE = 10**9

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
NO_TRUST = (
    "CERTIFICATE_VERIFY_FAILED",
    "SSLError",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "UNABLE_TO_GET_ISSUER_CERT",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
)


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
    """Install what some extras ask for, unless it is there; return .venv's Python."""
    if works(PYTHON):
        settle()
    else:
        check_version(sys.version_info)
        make_venv()
    if not is_current(extras):
        check_room()
        project = ".[{}]".format(",".join(extras))
        run(str(PYTHON), "-m", "pip", "install", "-c", ASKED[1], "-e", project)
        # package.json says that the book's .js files are modules. JupyterLab's own,
        # which lie below it in .venv, are not, and Node asks the nearest package.json.
        (VENV / "package.json").write_text('{"type": "commonjs"}\n')
        HERE.write_text(str(ROOT), "utf-8")
        for extra in extras:
            stamp(extra).write_text(asked())
    return str(PYTHON)


def stamp(extra):
    return VENV / (".installed-" + extra)


def asked():
    """Return a digest of the files that say what is to be installed."""
    texts = [(ROOT / name).read_bytes() for name in ASKED]
    return hashlib.sha256(b"".join(texts)).hexdigest()


def is_current(extras):
    stamps = [stamp(extra) for extra in extras]
    return all(path.exists() and path.read_text() == asked() for path in stamps)


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
    newer = next(filter(shutil.which, PYTHONS), None)
    advice = (
        "A newer one is here; name it:"
        if newer
        else "Install one (Debian: apt-get install python3; or conda, as README says), "
        "then name it:"
    )
    raise Failure(
        f"This book needs Python {dotted(OLDEST)} or newer; "
        f"{sys.executable} is Python {dotted(version[:3])}.\n"
        f"{advice} make lab PYTHON={newer or PYTHONS[1]}"
    )


def check_room():
    """Say how large the installation is, and refuse it where there is no room."""
    if has_torch():
        return
    gpu = brings_gpu_libraries()
    venv, temporary = (6, 3) if gpu else (3, 1)
    print(f"This installs about {venv} GB into .venv." + CPU_BUILD * gpu, flush=True)
    for folder, needed in room(venv, temporary).items():
        free = shutil.disk_usage(folder).free
        if free < needed * GIGABYTE:
            raise Failure(
                f"Not enough room: the installation needs about {needed} GB in "
                f"{folder}, which has {free / GIGABYTE:.1f} GB free.\nMake room, or "
                "(for the folder of temporary files) set TMPDIR to another folder, "
                "and run the command again." + CPU_BUILD * gpu
            )


CPU_BUILD = """
Most of it is for NVIDIA's graphics cards, which the book does not need. Without
that it is 3 GB: PyTorch's own site names the index of its CPU builds. Stop this
(Ctrl-C), give pip that address in PIP_EXTRA_INDEX_URL, and run the command again."""


def room(venv, temporary):
    """Return the gigabytes needed by folder; two folders of one disk share its room."""
    there = tempfile.gettempdir()
    if one_disk(str(ROOT), there):
        return {str(ROOT): venv + temporary}
    return {str(ROOT): venv, there: temporary}


def one_disk(*folders):
    return len({os.stat(folder).st_dev for folder in folders}) == 1


def has_torch():
    question = "import sys, importlib.util as u; sys.exit(u.find_spec('torch') is None)"
    return subprocess.call([str(PYTHON), "-c", question]) == 0


def brings_gpu_libraries():
    """Whether PyTorch comes with GPU libraries: from PyPI, for this kind of machine.

    A reader who has told pip of another index is taken to know what it brings.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return False
    settings = subprocess.check_output(
        [str(PYTHON), "-m", "pip", "config", "list"], universal_newlines=True
    )
    return not re.search(r"\b(index-url|find-links|no-index)\b", settings)


def make_venv():
    if importlib.util.find_spec("ensurepip") is None:
        install_debians_venv()
    print(f"Making .venv with Python {dotted(sys.version_info[:3])} ...", flush=True)
    run(sys.executable, "-m", "venv", "--clear", str(VENV))


# ---------------------------------------------------- a folder that was moved or copied


def settle():
    """Make a .venv its folder's own again, after the folder was moved or copied.

    A .venv that is a link was put there by someone who knows what it is for.
    """
    old = HERE.read_text("utf-8") if HERE.exists() else str(ROOT)
    if VENV.is_symlink() or (old == str(ROOT) and has_our_package()):
        return
    if not any(VENV.glob(".installed-*")):
        return
    print(f"Putting .venv right: it was made in {old} ...", flush=True)
    run(str(PYTHON), "-m", "venv", "--without-pip", str(VENV))
    for path in naming_files():
        say_new_folder(path, old)
    HERE.write_text(str(ROOT), "utf-8")
    if not has_our_package():
        for path in VENV.glob(".installed-*"):
            path.unlink()


def has_our_package():
    """Whether .venv's Python finds the book's package in this folder."""
    question = "import importlib.util as u; print(u.find_spec('qkv').origin)"
    done = subprocess.Popen(
        [str(PYTHON), "-c", question], stdout=PIPE, stderr=DEVNULL, cwd=str(VENV)
    )
    found = os.fsdecode(done.communicate()[0]).strip()
    return found.startswith(str(ROOT / "src") + os.sep)


def naming_files():
    """Return the files of .venv that name its folder: programs, and the package's."""
    question = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.check_output([str(PYTHON), "-c", question])
    packages = Path(os.fsdecode(answer).strip())
    return [
        path
        for path in [
            *SCRIPTS.iterdir(),
            *packages.glob("__editable__*qkv*"),
            *packages.glob("qkv-*.dist-info/direct_url.json"),
        ]
        if path.is_file() and not path.is_symlink()
    ]


def say_new_folder(path, old):
    text = path.read_bytes()
    if b"\0" in text:
        return
    new = in_place_of(Path(old).as_uri(), ROOT.as_uri(), text)
    new = in_place_of(old, str(ROOT), new)
    if new != text:
        path.write_bytes(by_shell(new))


def in_place_of(old, new, text):
    """Return bytes with one folder's name in place of another's, no longer one's."""
    ends = rb"(?=[/\\\"'\s]|$)"
    return re.sub(re.escape(os.fsencode(old)) + ends, lambda _: os.fsencode(new), text)


def by_shell(program):
    """Return a program whose first line holds, however its Python's path is spelled.

    The kernel takes no spaces there, and no more than 127 bytes: pip's own way out.
    """
    first, _, rest = program.partition(b"\n")
    python = first[2:]
    if first[:3] != b"#!" + os.fsencode(os.sep) or python == b"/bin/sh":
        return program
    if b" " not in python and len(first) <= 127:
        return program
    return b"#!/bin/sh\n'''exec' \"" + python + b'" "$0" "$@"\n\' \'\'\'\n' + rest


def install_debians_venv():
    """Debian's Python makes no .venv until a package of its own is there."""
    package = f"python{dotted(sys.version_info[:2])}-venv"
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if not (shutil.which("apt-get") and root):
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
        for line in process.stderr or ():
            sys.stderr.write(line)
            said.append(line)
    if process.returncode != 0:
        raise Failure(explain(command, "".join(said)))


def explain(command, said):
    """Say in the reader's words why an installation failed, from the program's own."""
    if any(sign in said for sign in NO_ROOM):
        return "The disk is full. Make room, then run the command again."
    if any(sign in said for sign in NO_TRUST):
        return (
            "The packages could not be fetched: a certificate on the way is not known "
            "here.\nA proxy or a virus scanner that reads along has one of its own. "
            "Ask who runs it for the file\n(.pem), name it, and run the command again: "
            "PIP_CERT for Python's packages, NODE_EXTRA_CA_CERTS for Node's."
        )
    if any(sign in said for sign in NO_NETWORK):
        return (
            "The packages could not be fetched: no network, or a proxy that says no.\n"
            "Check the connection, then run the command again. Only the installation "
            "needs the network; the book itself does not."
        )
    if any(sign in said for sign in NO_BUILD):
        return why_no_build(platform.system(), platform.machine(), python_version())
    return f"This failed; its own words are above: {' '.join(command)}"


def why_no_build(system, machine, version):
    """Say what it is about this machine that PyTorch's packages are not made for."""
    if version[:2] > NEWEST:
        return (
            f"Python {dotted(version)} is too new: PyTorch's packages are made for "
            f"Python {dotted(OLDEST)} to {dotted(NEWEST)}.\nInstall one of these, "
            f"remove .venv, and name it: make lab PYTHON={PYTHONS[-1]}"
        )
    if system == "Darwin" and machine == "x86_64":
        return (
            "PyTorch is no longer made for Macs with an Intel processor, so the book "
            "cannot run here;\nread its site, or use another machine. (Has this Mac "
            "an M chip? Then only this\nPython is Intel's: install one for Apple "
            "silicon, remove .venv, run the command again.)"
        )
    if system == "Darwin" and macos() < (14,):
        return (
            f"PyTorch's packages need macOS 14; this is {dotted(macos())}. Update it, "
            "then run the command again."
        )
    if system == "Windows" and machine.upper() == "ARM64":
        return (
            "PyTorch's packages for Windows are for x86-64 processors, not for ARM.\n"
            "Use WSL (see README), or install the x86-64 Python, which Windows runs as "
            "well,\nremove .venv, and run the command again."
        )
    if system == "Linux" and not glibc() >= (2, 28):
        return (
            "PyTorch's packages need a Linux with glibc 2.28 or newer (Debian 10, "
            "Ubuntu 20.04, RHEL 8);\nthis one has "
            f"{' '.join(platform.libc_ver()).strip() or 'another C library'}. "
            "Use a newer system, or a container with one."
        )
    return (
        "A package that the book needs has no build for this machine: Python "
        f"{dotted(version)} on {system} {machine}.\nThe lines above name it. If "
        "pip was told of another index, look whether that one has it."
    )


def macos():
    return tuple(int(part) for part in platform.mac_ver()[0].split(".") if part)


def glibc():
    library, version = platform.libc_ver()
    return tuple(map(int, version.split("."))) if library == "glibc" else ()


def python_version():
    """Return the version of .venv's Python, which may not be this one."""
    question = "import sys; print(*sys.version_info[:3])"
    try:
        answer = subprocess.check_output([str(PYTHON), "-c", question])
    except (OSError, subprocess.CalledProcessError):
        return tuple(sys.version_info[:3])
    return tuple(int(part) for part in answer.split())


def dotted(version):
    return ".".join(map(str, version))


if __name__ == "__main__":
    main(sys.argv[1:])
