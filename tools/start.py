"""Install the book where that is still to be done, and open it in JupyterLab.

usage: python tools/start.py [JupyterLab's options, e.g. --no-browser]

This is what `make lab` does, and needs no make. Like tools/install.py it runs on a
Python that may be too old for the book. Where this Python has the book already, as in
conda's environment, it is used as it is; otherwise .venv's.
"""

import importlib.util
import signal
import subprocess
import sys

from install import ROOT, Failure, install


def main(options):
    try:
        python = sys.executable if has_the_book() else install(["lab"])
    except Failure as failure:
        sys.exit(f"\nerror: {failure}")
    sys.exit(stay([python, str(ROOT / "tools" / "lab.py"), *options]))


def has_the_book():
    """Whether this Python has JupyterLab, and the book's package from this folder."""
    package = importlib.util.find_spec("qkv")
    ours = package is not None and str(package.origin).startswith(str(ROOT / "src"))
    return ours and importlib.util.find_spec("jupyterlab") is not None


def stay(command):
    """Run a command until it ends by itself; return its exit status.

    Ctrl-C in the terminal reaches JupyterLab as well, which asks its reader.
    """
    process = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


if __name__ == "__main__":
    main(sys.argv[1:])
